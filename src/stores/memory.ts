// memoryStore: who has used which link, for one process. Several processes need a store that they share.
import { LinkError } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** How many links it may remember at a time. Full means that new links are refused with an error, never that one is forgotten. Default 100000. */
  readonly max?: number
  /** The present, for tests. Default: the machine's clock. */
  readonly now?: () => Date
}

/**
 * Remembers uses in the memory of this process: for tests, and for servers of a single process. A restart forgets, so links that were used
 * can be used again until they expire; where that matters, take a store that lasts.
 *
 * A link is never forgotten before it expires. When the store is full of links that still live, `take` throws, and nothing is opened.
 *
 * @throws A {@link LinkError}: `bad_option` when `max` is not a whole number of at least 1.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'securelink/stores/memory'
 *
 * const store = memoryStore({ max: 10_000 })
 * await store.take('invite-7', new Date(Date.now() + 60_000), 1) // true, and from then on false
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): UseStore {
  const { max = 100_000, now } = options
  if (!Number.isInteger(max) || max < 1) throw new LinkError('bad_option', 'max takes a whole number of links, at least 1')
  const used = new Map<string, { count: number; until: number }>()
  let sweepAt = 0
  return {
    take(id, until, uses) {
      const present = (now?.() ?? new Date()).getTime()
      // By this clock the link is dead already: there is nothing to take, and nothing that could be forgotten in time.
      if (!(until.getTime() > present)) return false
      const entry = used.get(id)
      if (entry && entry.until > present) {
        // Two links may share an id: it is remembered as long as the longer of them lives.
        entry.until = Math.max(entry.until, until.getTime())
        if (entry.count >= uses) return false
        entry.count++
        return true
      }
      if (used.size >= max && !entry) {
        // Sweeping looks at every link, so it waits until one can have expired.
        if (present >= sweepAt) {
          sweepAt = Infinity
          for (const [other, { until }] of used) {
            if (until <= present) used.delete(other)
            else sweepAt = Math.min(sweepAt, until)
          }
        }
        if (used.size >= max) throw new Error(`memoryStore is full: it remembers ${max} links that have not expired`)
      }
      used.set(id, { count: 1, until: until.getTime() })
      sweepAt = Math.min(sweepAt, until.getTime())
      return true
    },
  }
}
