// memoryStore: remembers which links were used, for a single process. Several processes need a shared store.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import { type Duration, presentTime, secondsOf } from '../core/time.ts'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** The largest number of links to remember. When the store is full, `take` throws for new links, and does not forget old ones. Default: 100,000. */
  readonly max?: number
  /**
   * The shortest time that a use is remembered, so that links of one id share their uses even after one of them has expired. Default: `'1d'`.
   * A use is always remembered until its link has expired.
   */
  readonly retain?: Duration
  /** The present time, for tests. Default: the clock of the machine. */
  readonly now?: () => Date
}

/** The uses of one link. `until` is in milliseconds since 1970. */
interface Uses {
  count: number
  until: number
}

/**
 * Remembers uses in memory: for tests, and for servers with a single process. A restart forgets them, and then used links can be used again until
 * they expire. If that matters, choose another store.
 *
 * A use is remembered until five minutes after its link expires, and at least for `retain`. It is never forgotten earlier: when the store is
 * full, `take` throws, and the link does not open.
 *
 * @param options - The largest number of links, how long uses are remembered, and a clock for tests.
 * @returns A store for the option `store` of `redeem`, `guard`, `confirm`, `middleware` and `service`.
 * @throws A `LinkError` `bad_option` if `max` is not a whole number from 1, and for a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'securelink/stores/memory'
 *
 * const store = memoryStore({ max: 10_000 })
 * const until = new Date(Date.now() + 60_000)
 * console.log(await store.take('invite-7', until, 1)) // true
 * console.log(await store.take('invite-7', until, 1)) // false
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): UseStore {
  assertKnownOptions(options, ['max', 'retain', 'now'], 'memoryStore()')
  const { max = 100_000, retain = '1d', now } = options
  assertOption(Number.isInteger(max) && max > 0, 'max', 'a whole number from 1')
  const retained = secondsOf(retain, 'retain') * 1000
  const used = new Map<string, Uses>()
  // No entry has expired before this time, so there is nothing to sweep.
  let sweepAt = 0

  /** Removes expired entries. This reads every entry, so it runs only when one can have expired. */
  function sweep(present: number): void {
    if (present < sweepAt) return
    sweepAt = Infinity
    for (const [id, { until }] of used) {
      if (until <= present) used.delete(id)
      else sweepAt = Math.min(sweepAt, until)
    }
  }

  return {
    take(id, until, uses) {
      const present = presentTime(now)
      // By this clock, no verifier accepts the link any more, and an entry written now could be forgotten at once. Also refuses an invalid date.
      if (!(until.getTime() > present)) return false
      const last = used.get(id)
      const entry = last && last.until > present ? last : undefined
      if (entry && entry.count >= uses) {
        // Several links may have one id. It is remembered until the last of them expires.
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
        sweep(present)
        if (used.size >= max) throw new Error(`memoryStore is full: it remembers ${max} links, and none of them may be forgotten yet`)
      }
      used.set(id, { count: 1, until: forgetAt })
      sweepAt = Math.min(sweepAt, forgetAt)
      return true
    },
  }
}
