// serverClock: learns how far this machine's clock is off from the `Date` headers of the responses that it sees.
import { clock, type Duration, seconds } from '../core/conditions.ts'

/** The present as the server knows it. */
export interface Clock {
  /** The machine's time, set right by what was learned. */
  now(): Date
  /** Milliseconds to add to the machine's time; negative when the machine is ahead. Whole seconds, because `Date` has no others. */
  readonly offset: number
  /** Looks at a response. One without a readable `Date` teaches nothing. */
  learn(response: Response): void
}

/** Options of {@link serverClock}. */
export interface ServerClockOptions {
  /** The most that it will ever add or take away. Default: `'1d'`. */
  readonly most?: Duration
  /** Called with the new offset, in milliseconds, whenever it changes: tell the visitor, or your logs. */
  readonly changed?: (offset: number) => void
  /** The present, for tests. Default: the machine's clock. */
  readonly now?: () => Date
}

/**
 * A clock that learns from responses, so that a wrong clock neither kills good links nor trusts dead ones. Give it to `fetchLink`, which shows
 * it every response.
 *
 * A response out of a cache tells an old time, never a future one. So the latest of the last eight answers counts.
 *
 * Pages can read `Date` of their own origin. Of another one they can only when that sends `Access-Control-Expose-Headers: Date, Age`.
 *
 * @throws A `LinkError`: `bad_option` for a `most` without a unit.
 *
 * @example
 * ```ts
 * import { serverClock } from 'securelink/client'
 *
 * const clock = serverClock({ changed: (offset) => console.warn(`this clock is off by ${offset / 60_000} minutes`) })
 * clock.learn(new Response('', { headers: { date: new Date().toUTCString() } }))
 * console.log(clock.offset) // 0
 * ```
 */
export function serverClock(options: ServerClockOptions = {}): Clock {
  const { most = '1d', changed, now } = options
  const cap = seconds(most, 'most') * 1000
  const seen: number[] = []
  let offset = 0
  return {
    get offset() {
      return offset
    },
    now: () => new Date(clock(now) + offset),
    learn({ headers }) {
      const date = Date.parse(headers.get('date') ?? '')
      if (Number.isNaN(date)) return
      // Half a second more, because Date is cut to the second. Age is how long a shared cache has kept it.
      seen.push(date + 500 + (Math.max(0, Number(headers.get('age'))) || 0) * 1000 - clock(now))
      if (seen.length > 8) seen.shift()
      const learned = Math.round(Math.max(...seen) / 1000) * 1000
      const next = Math.max(-cap, Math.min(cap, learned)) + 0
      if (next === offset) return
      offset = next
      changed?.(offset)
    },
  }
}
