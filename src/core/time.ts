// Times as callers write them: durations with their unit, and dates. Inside the library a time is whole seconds since 1970.
import { assertOption } from './errors.ts'

/** A length of time with its unit in the value: `'90s'`, `'15m'`, `'12h'`, `'7d'`. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`

/** A time: a duration from now, or a date. Numbers are refused, because seconds and milliseconds look alike. */
export type When = Duration | Date

/** The expiry of links that never expire, in seconds. Eleven digits reach the year 5138; a longer number is milliseconds, mistaken for seconds. */
export const ENDLESS = 99_999_999_999

const SECONDS_IN: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** The seconds in a duration. The error ends with `others`: values of other types that the option takes. */
export function secondsOf(duration: unknown, option: string, others = ''): number {
  const isDuration = typeof duration === 'string' && /^\d{1,9}(\.\d{1,3})?[smhd]$/.test(duration)
  assertOption(isDuration, option, `a duration with its unit, such as '10m'${others}`)
  return +duration.slice(0, -1) * (SECONDS_IN[duration.slice(-1)] as number)
}

/** A time in seconds since 1970, not yet rounded. A duration counts from the present second, as in the SDKs of vendors. */
export function timeOf(when: unknown, now: number, option: string): number {
  if (!(when instanceof Date)) return Math.floor(now / 1000) + secondsOf(when, option, ', or a Date')
  const time = when.getTime()
  assertOption(time > 0, option, 'a valid Date after 1970')
  return time / 1000
}

/** The time that the option `now` names, or the present: milliseconds since 1970. */
export function presentTime(now: (() => Date) | undefined): number {
  if (now === undefined) return Date.now()
  const date = typeof now === 'function' ? now() : undefined
  assertOption(date instanceof Date && +date >= 0, 'now', 'a function that returns a Date, such as () => new Date()')
  return +date
}
