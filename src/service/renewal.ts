// renewal: a fetch handler that renews links, one or a batch, for pages whose links expire.
import type { Claims } from '../core/claims.ts'
import type { Condition, Conditions, Expiry } from '../core/conditions.ts'
import { assertKnownOptions, assertOption, LinkError } from '../core/errors.ts'
import { inTurn } from '../core/in-turn.ts'
import { assertScheme, type Scheme } from '../core/scheme.ts'
import { type Duration, presentTime, secondsOf } from '../core/time.ts'
import type { VerifyOptions } from '../core/verify.ts'
import { assertAddressOf, verbOptions } from '../http/admission.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { isWebOrigin } from '../lib/request-target.ts'
import { split } from '../lib/url.ts'
import { complaint, invalid, json, notJson, tooLarge, wrongMethod } from './answers.ts'
import { isDeclaredJson, parsed, textOf } from './body.ts'
import { type AskedConditions, type RenewalAnswer, type RenewalRefusalReason, type RenewalRules, renewLink } from './renew-link.ts'
import { type FieldError, isObject } from './shapes.ts'

/** Options of {@link renewal}. */
export interface RenewalOptions<Asked extends object = Partial<Conditions>, Rest extends unknown[] = unknown[]>
  extends Pick<VerifyOptions, 'revoked' | 'now' | 'tolerance'> {
  /**
   * Decides whether the sender of the request may have a new link in place of this one. The signature proves the claims. Return `true`, or a plain
   * object of conditions for the new link, which replace those of the option `conditions` and of the old link. Anything else refuses. Required.
   */
  readonly authorize: (claims: Claims, request: Request, ...rest: Rest) => boolean | Asked | Promise<boolean | Asked>
  /** The conditions of new links: `{ expires: '10m' }`. The limits of the old link are kept as well: its methods, address, prefix and id. */
  readonly conditions: Asked & { readonly expires: unknown }
  /** How long after its expiry a link can still be renewed. Default: `'1h'`. */
  readonly grace?: Duration
  /**
   * One origin, or a list: only links of these origins are renewed. Such as `'https://cdn.example'`. Default: any origin for which the signature is
   * valid.
   */
  readonly origin?: string | readonly string[]
  /** Returns the sender's address, as for `guard`. Without it, links that are bound to an address are refused with `wrong_ip`. */
  readonly ip?: (request: Request, ...rest: Rest) => string | undefined
  /** The largest number of links in one request. Default: 200. */
  readonly most?: number
  /** The largest body that is read, in bytes. Default: 1,000,000. */
  readonly limit?: number
  /**
   * Called with an error that `authorize` or `revoked` threw, or that `sign` threw because of a mistake in the conditions. Default: logs a line with
   * `console.error`.
   */
  readonly report?: (error: unknown) => void
}

const OPTIONS = ['authorize', 'conditions', 'grace', 'origin', 'ip', 'most', 'limit', 'report', 'revoked', 'now', 'tolerance']

/**
 * Renews links over HTTP: `POST` with `{ "link": "…" }`, or `{ "links": ["…"] }` for up to 200, as JSON. The response has the new links in the same
 * order. For a link that is not renewed, it has the reason; this does not affect the others.
 *
 * A link is renewed only if its signature is valid and `authorize` allows it, up to `grace` after its expiry. The new link is for the same URL, with the
 * same methods, address, prefix and id. It is never renewed
 *
 * - if it is revoked, not yet valid, or bound to another address,
 * - if it has a number of uses,
 * - if its key is no longer on the keyring, or has expired,
 * - if it has limits that the new link would not have.
 *
 * With `anyOf`, the scheme that signed the old link signs the new one.
 *
 * @param scheme - The scheme and keys that the links were signed with.
 * @param options - `authorize` and `conditions`, which are required, and limits.
 * @returns A fetch handler for Deno, Bun and workers, and through `listener` of `securelink/node` for Node and Express.
 * @throws A {@link LinkError} `bad_option` without `authorize` or `conditions`, and for a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 * import { renewal } from 'securelink/service'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const renew = renewal(links, {
 *   conditions: { expires: '10m' },
 *   authorize: (claims, request) => claims.id === request.headers.get('x-user'),
 * })
 *
 * const link = await sign(links, 'https://cdn.example/report.pdf', { expires: '1m', id: 'user-7' })
 * const headers = { 'content-type': 'application/json', 'x-user': 'user-7' }
 * const answer = await renew(new Request('https://app.example/renew', { method: 'POST', headers, body: JSON.stringify({ link }) }))
 * console.log((await answer.json()).ok) // true
 * ```
 */
export function renewal<C extends Condition, Own extends object, E extends Expiry, Rest extends unknown[] = []>(
  scheme: Scheme<C, Own, E>,
  options: RenewalOptions<Partial<Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>>, Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  assertScheme(scheme)
  assertOption(!scheme.combine, 'scheme', 'one that signs; allOf only verifies')
  assertOptions(options as unknown as RenewalOptions)
  const { authorize, conditions, grace = '1h', origin, ip, most = 200, limit = 1_000_000, report = complain, now } = options
  const { now: _present, ...verifyOptions } = verbOptions(options)
  const origins = origin === undefined ? undefined : [origin].flat().map(normalOrigin)

  /** The answer for one link. An error concerns its link only. */
  async function renewed(link: string, rules: RenewalRules): Promise<RenewalAnswer> {
    try {
      return await renewLink(link, rules)
    } catch (error) {
      report(error)
      return { ok: false, reason: 'unavailable', status: 503 }
    }
  }

  return async (request, ...rest) => {
    const { method, headers, url } = request
    if (method !== 'POST') return wrongMethod(split(url).path, 'POST', method)
    // Pages of other sites cannot send this type without a preflight request.
    if (!isDeclaredJson(headers)) return complaint(415, 'The body must come with content-type: application/json, and not compressed.')
    const text = await textOf(request, limit)
    if (text === undefined) return tooLarge(limit)
    const body = parsed(text)
    if (!isObject(body)) return notJson()
    const errors = errorsIn(body, most)
    if (errors.length > 0) return invalid(errors)

    const rules: RenewalRules = {
      scheme: scheme as unknown as Scheme,
      grace: secondsOf(grace, 'grace') * 1000,
      origins,
      verifyOptions: { ...verifyOptions, ip: ip?.(request, ...rest) },
      present: presentTime(now),
      async conditionsFor(claims) {
        const decision: unknown = await authorize(claims, request, ...rest)
        if (decision === true) return conditions as AskedConditions
        return isPlainObject(decision) ? { ...conditions, ...decision } : undefined
      },
    }
    const { link, links } = body as { link?: string; links?: string[] }
    if (links) return json({ links: await inTurn(links, (each) => renewed(each, rules)) })
    const answer = await renewed(link as string, rules)
    return answer.ok ? json(answer) : complaint(answer.status, DETAILS[answer.reason] ?? NOT_RENEWED, { more: { reason: answer.reason } })
  }
}

const NOT_RENEWED = 'The link is not renewed.'
const DETAILS: Readonly<Partial<Record<RenewalRefusalReason, string>>> = {
  expired: 'The link expired too long ago to be renewed.',
  needs_redeem: 'A link with a limited number of uses is not renewed.',
  wrong_origin: 'Links of this origin are not renewed here.',
  not_allowed: 'You may not have a new link in place of this one.',
  unavailable: 'The link cannot be renewed now; try again later.',
}

/** What is wrong with a body. */
function errorsIn(body: Record<string, unknown>, most: number): FieldError[] {
  const { link, links } = body
  const isList = Object.hasOwn(body, 'links')
  if (isList === Object.hasOwn(body, 'link')) return [{ field: '', detail: 'The body must have either link or links.' }]
  if (!isList) return typeof link === 'string' ? [] : [{ field: 'link', detail: 'link must be text.' }]
  if (!Array.isArray(links) || links.length === 0 || links.length > most)
    return [{ field: 'links', detail: `links must be a list of 1 to ${most} links.` }]
  const errors: FieldError[] = []
  for (const [i, each] of links.entries())
    if (typeof each !== 'string' && errors.length < 20) errors.push({ field: `links[${i}]`, detail: `links[${i}] must be text.` })
  return errors
}

function assertOptions(options: RenewalOptions): void {
  const { authorize, conditions, grace = '1h', origin, ip, most = 1, limit = 1, report } = options ?? {}
  assertOption(typeof authorize === 'function', 'authorize', 'a function that decides who may have a new link')
  assertOption(
    isObject(conditions) && 'expires' in conditions,
    'conditions',
    "an object with the expiry of new links, such as { expires: '10m' }",
  )
  assertKnownOptions(options, OPTIONS, 'renewal()')
  secondsOf(grace, 'grace')
  const origins = origin === undefined ? [] : [origin].flat()
  const areOrigins = origins.every((each) => typeof each === 'string' && each !== '' && split(each).origin === each && isWebOrigin(each))
  assertOption(areOrigins && (origin === undefined || origins.length > 0), 'origin', "such as 'https://cdn.example', or a list of these")
  assertAddressOf(ip)
  for (const [name, number] of [['most', most] as const, ['limit', limit] as const])
    assertOption(Number.isInteger(number) && number > 0, name, 'a whole number from 1')
  assertOption(report === undefined || typeof report === 'function', 'report', 'a function')
}

/** Not an instance of a class: `new Response('No', { status: 403 })` has no conditions of its own, and would renew the link. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false
  const prototype = Object.getPrototypeOf(value)
  // Also from another realm, where the prototype is another object.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Messages of a `LinkError` do not contain parts of a link. Those of other errors may, so they are not logged. */
function complain(error: unknown): void {
  const text = error instanceof LinkError ? error.message : error instanceof Error ? error.name : 'an error'
  console.error(`A link could not be renewed: ${text}`)
}
