// Runs many calls as a server does: each worker starts its next call when its last one has ended.
// Batches of 64 that start together would keep WebCrypto's threads busier than requests do.

/** Makes `count` calls with this many workers. A call gets its number. */
export async function roll(call, count, workers) {
  let next = 0
  const work = async () => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: workers }, work))
}
