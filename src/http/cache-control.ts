// cacheControl: lets caches keep a response until its link expires.
import type { Claims } from '../core/claims.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Duration, presentTime, secondsOf } from '../core/time.ts'
import type { Verdict } from '../core/verdict.ts'

/** Options of {@link cacheControl}. */
export interface CacheControlOptions {
  /**
   * `true` for `public`: caches that serve many people may keep the answer, unless the link is bound to an address or to headers. Not for tokens in
   * cookies and headers, which are not in the key of a cache. Default: `false`, `private`.
   */
  readonly shared?: boolean
  /** The longest time that a cache may keep the answer. Default: until the link expires, and at most a year. */
  readonly max?: Duration
  /** The present time, for tests. Default: the clock of the machine. */
  readonly now?: () => Date
}

/** The longest `max-age` in seconds: a year, which is also the limit for links that never expire. */
const YEAR = 31_536_000

/**
 * A `Cache-Control` value whose `max-age` never outlives the link, and is at most a year. Refusals, links with a number of uses, and claims without
 * an expiry give `no-store`.
 *
 * @param verdict - A verdict, or the claims that `guard` passes to its handler.
 * @param options - Whether shared caches may keep the response, and for how long at most.
 * @returns `'private, max-age=600'` for a link that is valid for ten minutes more.
 * @throws A `LinkError` `bad_option` for anything else, such as a promise, and for a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { hmac } from 'securelink'
 * import { cacheControl, guard } from 'securelink/guard'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const fetch = guard(links, (request, claims) => new Response('…', { headers: { 'cache-control': cacheControl(claims) } }))
 * ```
 */
export function cacheControl(verdict: Verdict | Claims, options: CacheControlOptions = {}): string {
  assertKnownOptions(options, ['shared', 'max', 'now'], 'cacheControl()')
  const { shared = false, max, now } = options
  assertOption(typeof shared === 'boolean', 'shared', 'true or false')
  const longest = max === undefined ? YEAR : Math.min(Math.floor(secondsOf(max, 'max')), YEAR)
  const present = presentTime(now)
  const claims = claimsOf(verdict)
  if (!claims || claims.uses !== undefined) return 'no-store'
  const age = Math.min(Math.floor((Number(claims.expires) - present) / 1000), longest)
  // Negated, so that an invalid or missing date gives no-store.
  if (!(age > 0)) return 'no-store'
  // A cache would give the answer to requests from other addresses, and without the headers.
  const isForAll = claims.ip === undefined && claims.signedHeaders === undefined
  return `${shared && isForAll ? 'public' : 'private'}, max-age=${age}`
}

/** The claims of a link; `undefined` for a refusal. */
function claimsOf(given: Verdict | Claims): Claims | undefined {
  // `in` on a string throws an error that contains the string, which may be a link. `Object` makes that impossible.
  const fields = Object(given)
  const good = 'ok' in fields || 'resource' in fields || 'expires' in fields
  assertOption(good, 'verdict', `a verdict, or claims${typeof fields.then === 'function' ? '; await the promise first' : ''}`)
  if (!('ok' in given)) return given
  return given.ok ? given.claims : undefined
}
