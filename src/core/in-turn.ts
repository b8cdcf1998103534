// inTurn: async work on many items, a bounded number under way.

/** How many are under way. More do not keep WebCrypto busier, and with a thousand, collecting garbage takes longer than signing. */
const UNDER_WAY = 64

/** The results of `each`, in the order of the items. Each worker takes the next item when its last one is done. Rejects with the first error. */
export async function inTurn<Item, Result>(items: readonly Item[], each: (item: Item, i: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = new Array(items.length)
  let next = 0
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++
      try {
        results[i] = await each(items[i] as Item, i)
      } catch (error) {
        // The other workers start no more.
        next = items.length
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(UNDER_WAY, items.length) }, work))
  return results
}
