// guard: puts a fetch handler behind signed links. cacheControl: caching that ends with the link.
import { type Claims, clock, type Duration, seconds } from '../core/conditions.ts'
import { insist } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Refused, Verdict } from '../core/verdict.ts'
import { type VerifyOptions, verify } from '../core/verify.ts'
import { checkNames } from './names.ts'
import { refusal } from './refusal.ts'
import { notSent } from './request-target.ts'
import { spend } from './spend.ts'


/** Options of {@link guard}. */
export interface GuardOptions<Rest extends unknown[] = unknown[]> extends Pick<VerifyOptions, 'revoked' | 'now' | 'tolerance'> {
  /** The visitor's address, from what the runtime hands over: `(request, info) => info.remoteAddr.hostname` with Deno. */
  readonly ip?: (request: Request, ...rest: Rest) => string | undefined
  /** Who has used which link; without it, links with limited uses are refused with `needs_redeem`. */
  readonly store?: UseStore
  /** Answers refused visits in a way of your own. Default: a short problem document (RFC 9457). */
  readonly refuse?: (verdict: Refused, request: Request, ...rest: Rest) => Response | Promise<Response>
}

/** What {@link guard} wraps: a fetch handler that also gets the claims of the link. */
export type Handler<Rest extends unknown[] = []> = (request: Request, claims: Claims, ...rest: Rest) => Response | Promise<Response>

/**
 * Wraps a fetch handler so that it runs for visits with a good link only. Everything else is answered for it: with 403, 410 and so on, as
 * `application/problem+json`, never cached, and without a word of the link.
 *
 * With a `store`, a visit spends one use of a link that has a limited number. `HEAD` requests and the prefetches of browsers spend nothing, and
 * open nothing: they get `needs_redeem`. A store that fails is answered with 503.
 *
 * @param scheme - The scheme and keys that links were signed with; `anyOf` for several.
 * @param handler - Gets the request, the true claims, and whatever the runtime hands over besides. Serve by `claims.resource`, which
 *   is the URL without the link's parameters.
 * @returns A fetch handler for Deno, Bun, workers, Hono, and through `securelink/node` for Node.
 * @throws A `LinkError`: `bad_option` without a scheme or a handler, or for an option that there is not.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 * import { guard } from 'securelink/guard'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const fetch = guard(links, (request, claims) => new Response(`until ${claims.expires.toISOString()}`))
 *
 * console.log((await fetch(new Request('https://files.example/a.txt'))).status) // 403
 * console.log((await fetch(new Request(await sign(links, 'https://files.example/a.txt', { expires: '10m' })))).status) // 200
 * ```
 */
export function guard<Rest extends unknown[] = []>(
  scheme: Scheme,
  handler: Handler<Rest>,
  options?: GuardOptions<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response>
export function guard<Rest extends unknown[]>(
  scheme: Scheme,
  // Any handler that takes no more than these: the rest arguments are known from `ip`.
  handler: Handler<never[]>,
  options: GuardOptions<Rest> & Required<Pick<GuardOptions<Rest>, 'ip'>>,
): (request: Request, ...rest: Rest) => Promise<Response>
export function guard<Rest extends unknown[]>(
  scheme: Scheme,
  handler: Handler<never[]>,
  options: GuardOptions<Rest> = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  const { store, refuse, ip: addressOf, ...shared } = options
  insist(
    typeof scheme?.check === 'function' && typeof handler === 'function',
    'guard takes a scheme, such as hmac(keys), and the handler for good visits',
  )
  insist(!addressOf || typeof addressOf === 'function', 'ip takes a function that answers with the address of the visitor')
  checkNames('guard', shared, ['revoked', 'now', 'tolerance'])
  return async (request, ...rest) => {
    const visit: VerifyOptions = { ...shared, ip: addressOf?.(request, ...rest) }
    const verdict =
      notSent(request, scheme) ?? (await (store && spends(request) ? spend(scheme, request, visit, store) : verify(scheme, request, visit)))
    if (verdict instanceof Response) return verdict
    if (verdict.ok) return (handler as unknown as Handler<Rest>)(request, verdict.claims, ...rest)
    return refuse ? refuse(verdict, request, ...rest) : refusal(verdict, request.method)
  }
}

function spends({ method, headers }: Request): boolean {
  // What browsers and proxies fetch ahead carries one of these, and nobody has clicked yet.
  const ahead = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) => /prefetch|preview|prerender/i.test(headers.get(name) ?? ''))
  return method !== 'HEAD' && !ahead
}

/** Options of {@link cacheControl}. */
export interface CacheControlOptions {
  /** Lets caches keep it that serve many people: `public` instead of `private`, but for links bound to an address. Default: `false`. */
  readonly shared?: boolean
  /** At most this long. Default: as long as the link lives. */
  readonly max?: Duration
  /** The present, for tests. Default: the machine's clock. */
  readonly now?: () => Date
}

/**
 * A `Cache-Control` value whose `max-age` never outlives the link. Refusals, and links with limited uses, give `no-store`.
 *
 * @param verdict - A verdict, or the claims that `guard` hands to its handler.
 * @returns `'private, max-age=600'` for a link that lives ten minutes more.
 * @throws A `LinkError`: `bad_option` for what is neither, such as a promise, and for a `max` without a unit.
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
  // Text would be repeated by the engine's own error, and it may be a link.
  const given = Object(verdict)
  insist('ok' in given || 'expires' in given, 'cacheControl takes a verdict, or claims: is there an await missing?')
  if ('ok' in verdict && !verdict.ok) return 'no-store'
  const claims = 'ok' in verdict ? verdict.claims : verdict
  if (claims.uses !== undefined) return 'no-store'
  const left = Math.floor((claims.expires.getTime() - clock(options.now)) / 1000)
  const age = options.max === undefined ? left : Math.min(left, Math.floor(seconds(options.max, 'max')))
  if (age <= 0) return 'no-store'
  return `${options.shared && claims.ip === undefined ? 'public' : 'private'}, max-age=${age}`
}
