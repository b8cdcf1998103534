// serverClock: learns from `Date` headers how much the clock of this machine is off.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Duration, presentTime, secondsOf } from '../core/time.ts'

/** A clock that knows the time of the server. */
export interface Clock {
  /** The time of this machine, corrected by what was learned. */
  now(): Date
  /** Milliseconds that are added to the time of this machine. Negative if the machine is ahead. Whole seconds, as in `Date` headers. */
  readonly offset: number
  /** Learns from a response. A response without a readable `Date` changes nothing. */
  learn(response: Response): void
}

/** Options of {@link serverClock}. */
export interface ServerClockOptions {
  /** The largest correction. Default: `'1d'`. */
  readonly most?: Duration
  /** Called with each new offset, in milliseconds, to show it or to log it. */
  readonly changed?: (offset: number) => void
  /** The present time, for tests. Default: the clock of this machine. */
  readonly now?: () => Date
}

// A cached response shows an old time, so the latest time of this many responses counts.
const REMEMBERED = 8

/**
 * A clock that learns from responses. Pass it to `fetchLink`, which shows it every response.
 *
 * With a wrong clock, a page would treat valid links as expired, or send links that have expired.
 *
 * A page can read the `Date` of its own origin. For another origin, the server has to send `Access-Control-Expose-Headers: Date, Age`.
 *
 * @param options - The largest correction, a callback, and a clock for tests.
 * @returns A clock for the option `clock` of `fetchLink`, `freshLink`, `keepFresh` and `expiresIn`.
 * @throws A `LinkError` `bad_option` for a wrong or unknown option, such as a `most` without a unit.
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
  assertKnownOptions(options, ['most', 'changed', 'now'], 'serverClock()')
  const { most = '1d', changed, now } = options
  const largest = secondsOf(most, 'most') * 1000
  const differences: number[] = []
  let offset = 0
  return {
    get offset() {
      return offset
    },
    now: () => new Date(presentTime(now) + offset),
    learn(response) {
      assertOption(typeof response?.headers?.get === 'function', 'response', 'a Response; await fetch() first')
      const date = Date.parse(response.headers.get('date') ?? '')
      if (Number.isNaN(date)) return
      // `Age` is how many seconds a shared cache has kept the response. `Date` is cut to whole seconds, so half a second is added.
      const age = Math.max(0, Number(response.headers.get('age'))) || 0
      differences.push(date + age * 1000 + 500 - presentTime(now))
      if (differences.length > REMEMBERED) differences.shift()
      const learned = Math.round(Math.max(...differences) / 1000) * 1000
      // `+ 0` turns -0 into 0.
      const next = Math.max(-largest, Math.min(largest, learned)) + 0
      if (next === offset) return
      offset = next
      changed?.(offset)
    },
  }
}
