// admission: decides whether a request may go on to the handler. guard and middleware use the same checks, in the same order.
import type { Claims } from '../core/claims.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import { assertScheme, type Scheme } from '../core/scheme.ts'
import { secondsOf } from '../core/time.ts'
import { type Refused, statusOf } from '../core/verdict.ts'
import { type VerifyOptions, verify } from '../core/verify.ts'
import { climbs } from '../lib/climbs.ts'
import { split } from '../lib/url.ts'
import { consume } from './consume.ts'
import { answerRefusal, assertRefusalOptions, type RefusalOptions } from './refusal.ts'

/** Options of `guard`. */
export interface GuardOptions<Rest extends unknown[] = unknown[]>
  extends Pick<VerifyOptions, 'revoked' | 'now' | 'tolerance' | 'memory'>,
    RefusalOptions<Rest> {
  /**
   * Returns the client's address, from the arguments of the runtime: `(request, info) => info.remoteAddr.hostname` with Deno.
   * Without it, links that are bound to an address are refused with `wrong_ip`.
   */
  readonly ip?: (request: Request, ...rest: Rest) => string | undefined
  /** Remembers which links were used. Without it, links with a number of uses are refused with `needs_redeem`. */
  readonly store?: UseStore
}

/** A handler behind a guard. It also gets the claims of the link. */
export type Handler<Rest extends unknown[] = []> = (request: Request, claims: Claims, ...rest: Rest) => Response | Promise<Response>

/** The claims of an admitted request and the name of the scheme that signed its link, or the answer to a refused one. */
export type Admission =
  | { readonly claims: Claims; readonly signedBy: string; readonly answer?: undefined }
  | { readonly answer: Response; readonly claims?: undefined; readonly signedBy?: undefined }

/** Options that guard, confirm and middleware pass on to the verbs. */
export const VERB_OPTIONS = ['revoked', 'now', 'tolerance', 'memory'] as const

const OPTIONS = [...VERB_OPTIONS, 'ip', 'store', 'refuse', 'words']

/** Checks the scheme and the options, and returns a function that admits or refuses requests. Errors name the caller, `taker`: `'guard()'`. */
export function admission<Rest extends unknown[]>(
  scheme: Scheme,
  options: GuardOptions<Rest>,
  taker: string,
): (request: Request, ...rest: Rest) => Promise<Admission> {
  assertScheme(scheme)
  assertOption(typeof options === 'object' && options !== null, 'options', 'an object, such as { store }')
  assertKnownOptions(options, OPTIONS, taker)
  assertRefusalOptions(options, ['language', 'refused'], taker)
  const { store, ip: addressOf } = options
  assertAddressOf(addressOf)
  if (store !== undefined) assertStore(store)
  const shared = verbOptions(options)

  return async (request, ...rest) => {
    const visit: VerifyOptions = { ...shared, ip: addressOf?.(request, ...rest) }
    const verdict =
      climbing(request, scheme) ??
      (await (store && consumesUses(request) ? consume(scheme, request, visit, store) : verify(scheme, request, visit)))
    if (verdict.ok) return { claims: verdict.claims, signedBy: verdict.scheme }
    return { answer: await answerRefusal(verdict, options, request, rest) }
  }
}

/** Throws unless this is a function, or left out. */
export function assertAddressOf(addressOf: unknown): void {
  const good = addressOf === undefined || typeof addressOf === 'function'
  assertOption(good, 'ip', 'a function that returns the address of a request: (request, info) => info.remoteAddress')
}

/** Throws unless this is a store. */
export function assertStore(store: unknown): asserts store is UseStore {
  assertOption(typeof (store as UseStore)?.take === 'function', 'store', 'an object with take(id, until, uses), such as memoryStore()')
}

/** The options for the verbs. They are checked here, because the verbs would check them only when a request comes. */
export function verbOptions({ revoked, now, tolerance, memory }: Pick<VerifyOptions, (typeof VERB_OPTIONS)[number]>): VerifyOptions {
  assertOption(revoked === undefined || typeof revoked === 'function', 'revoked', 'a function (claims) => boolean')
  assertOption(now === undefined || typeof now === 'function', 'now', 'a function that returns a Date, such as () => new Date()')
  assertOption(memory === undefined || typeof memory?.recall === 'function', 'memory', 'made by linkMemory()')
  if (tolerance !== undefined) secondsOf(tolerance, 'tolerance')
  return { memory, ...(revoked && { revoked }), ...(now && { now }), ...(tolerance !== undefined && { tolerance }) }
}

/**
 * Refuses a path that has a dot segment after decoding, such as `/a/..%2fb`. The verbs accept such a path if it is signed. But handlers and
 * frameworks decode the path again, and would open another file.
 */
export function climbing({ url }: Request, { status }: Scheme): Refused | undefined {
  if (!climbs(split(url).path)) return undefined
  return { ok: false, reason: 'malformed', status: status?.malformed ?? statusOf('malformed') }
}

// Browsers and proxies add one of these headers to requests that they send before the user has clicked.
const PREFETCH_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']

function consumesUses({ method, headers }: Request): boolean {
  const ahead = PREFETCH_HEADERS.some((name) => /prefetch|preview|prerender/i.test(headers.get(name) ?? ''))
  return method !== 'HEAD' && !ahead
}
