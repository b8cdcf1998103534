// expiresIn: how long a link is still valid. It holds no key, and sends no request.
import type { UnverifiedClaims } from '../core/claims.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Scheme } from '../core/scheme.ts'
import { presentTime } from '../core/time.ts'
import { linkText } from '../recognise/link-text.ts'
import { recognise } from '../recognise/reader.ts'
import type { Clock } from './server-clock.ts'

/** Options of {@link expiresIn}. */
export interface ExpiresInOptions {
  /** Reads the link by this scheme, such as `hmac([], { parameters })`. Default: by what `recognise` finds. */
  readonly scheme?: Scheme
  /** A clock that knows the time of the server, from `serverClock()`. Default: the clock of this machine. */
  readonly clock?: Clock
  /** The present time, for tests. Default: the clock of this machine. */
  readonly now?: () => Date
}

/** The names of {@link ExpiresInOptions}. */
export const READING_OPTIONS = ['scheme', 'clock', 'now'] as const

/**
 * How long a link is still valid.
 *
 * @param link - Any string, or a `URL`.
 * @param options - A scheme, for links with renamed parameters, and a clock.
 * @returns Milliseconds, negative for an expired link. `undefined` for a text that is not a link, and for a link that does not show its expiry.
 * @throws A `LinkError` `bad_option` if `link` is neither a string nor a `URL`, and for a wrong option.
 *
 * @example
 * ```ts
 * import { expiresIn } from 'securelink/client'
 *
 * const link = `https://cdn.example/photo.jpg?expires=1900000000&signature=${'A'.repeat(43)}`
 * console.log(expiresIn(link, { now: () => new Date('2030-03-17T17:45:40Z') })) // 60000
 * console.log(expiresIn('https://cdn.example/photo.jpg')) // undefined
 * ```
 */
export function expiresIn(link: string | URL, options: ExpiresInOptions = {}): number | undefined {
  assertKnownOptions(options, READING_OPTIONS, 'expiresIn()')
  assertReadingOptions(options)
  const left = timeLeft(linkText(link), options)
  return left < Number.POSITIVE_INFINITY ? left : undefined
}

/** Throws unless the options that all functions of the client share are right. */
export function assertReadingOptions({ scheme, clock }: ExpiresInOptions): void {
  assertOption(scheme === undefined || typeof scheme?.read === 'function', 'scheme', 'a scheme, such as hmac([])')
  assertOption(clock === undefined || typeof clock?.learn === 'function', 'clock', 'a clock, such as serverClock()')
}

/** {@link expiresIn} for options that were checked. Infinity for a text that is not a link, and for a link that does not show its expiry. */
export function timeLeft(link: string, { scheme, clock, now }: ExpiresInOptions): number {
  // Of several readings the first to expire counts, because it does no harm to renew early.
  const first = Math.min(...claimsIn(link, scheme).map(({ expires }) => (expires ? +expires : Number.NaN)))
  // Infinity: it is not a link. NaN: it does not show its expiry.
  return Number.isFinite(first) ? first - (clock ? +clock.now() : presentTime(now)) : Number.POSITIVE_INFINITY
}

/**
 * The claims of a link, as the scheme or `recognise` reads them: a list of readings, perhaps empty. Unlike `inspect`, it does not test whether a client
 * can send the URL, because `fetch` does.
 */
export function claimsIn(link: string, scheme: Scheme | undefined): UnverifiedClaims[] {
  if (!scheme) return [recognise(link) ?? []].flat().map(({ unverified }) => unverified)
  const url = withoutFragment(link)
  const readings = (scheme.schemes ?? [scheme]).map((candidate) => candidate.read(url))
  return readings.flatMap((reading) => (typeof reading === 'object' && 'claims' in reading ? reading.claims : []))
}

/** A URL as it is sent: without its fragment. */
export const withoutFragment = (url: string): string => url.replace(/#.*/s, '')
