// memoryStore: who has used which link, for one process. Several processes need a store that they share.
import { type Duration, seconds } from '../core/conditions.ts'
import { LinkError } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** How many links it may remember at a time. If it is full, new links are refused with an error; none is forgotten. Default: 100000. */
  readonly max?: number
  /**
   * How long a use is remembered at least, so that links of one id share their uses also when one of them has expired. Default: `'1d'`.
   * Uses are remembered until their link has expired in any case.
   */
  readonly retain?: Duration
  /** The present, for tests. Default: the machine's clock. */
  readonly now?: () => Date
}

/**
 * Remembers uses in the memory of this process: for tests, and for servers of a single process. A restart forgets, so links that were used
 * can be used again until they expire; where that matters, take a store that lasts.
 *
 * A use is remembered until five minutes after its link expires, and at least for `retain`. It is never forgotten earlier: when the store is
 * full, `take` throws, and nothing is opened.
 *
 * @throws A {@link LinkError}: `bad_option` when `max` is not a whole number of at least 1, or `retain` not a length of time.
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
  const { max = 100_000, retain = '1d', now } = options
  if (!Number.isInteger(max) || max < 1) throw new LinkError('bad_option', 'max takes a whole number of links, at least 1')
  const retained = seconds(retain, 'retain') * 1000
  const used = new Map<string, { count: number; until: number }>()
  let sweepAt = 0
  return {
    take(id, until, uses) {
      const present = (now?.() ?? new Date()).getTime()
      // By this clock no verifier accepts the link any more: there is nothing to take, and nothing that could be forgotten in time.
      if (!(until.getTime() > present)) return false
      const last = used.get(id)
      const entry = last && last.until > present ? last : undefined
      if (entry && entry.count >= uses) {
        // Several links may have one id: it is remembered as long as the longest of them lives.
        entry.until = Math.max(entry.until, until.getTime())
        return false
      }
      const forgetAt = Math.max(until.getTime(), present + retained)
      if (entry) {
        entry.until = Math.max(entry.until, forgetAt)
        entry.count++
        return true
      }
      if (used.size >= max && !last) {
        // Sweeping looks at every link, so it waits until one can have expired.
        if (present >= sweepAt) {
          sweepAt = Infinity
          for (const [other, { until }] of used) {
            if (until <= present) used.delete(other)
            else sweepAt = Math.min(sweepAt, until)
          }
        }
        if (used.size >= max) throw new Error(`memoryStore is full: it remembers ${max} links, and none of them may be forgotten yet`)
      }
      used.set(id, { count: 1, until: forgetAt })
      sweepAt = Math.min(sweepAt, forgetAt)
      return true
    },
  }
}
