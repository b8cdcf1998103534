// renewLink: verifies one link, which may have expired a short time ago, and signs a new one with the same limits.
import type { Claims, UnverifiedClaims } from '../core/claims.ts'
import type { Conditions } from '../core/conditions.ts'
import { LinkError } from '../core/errors.ts'
import { inspect } from '../core/inspect.ts'
import type { Scheme } from '../core/scheme.ts'
import { sign } from '../core/sign.ts'
import type { Reason, Verdict } from '../core/verdict.ts'
import { type VerifyOptions, verify } from '../core/verify.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { firstOf, split } from '../lib/url.ts'

/**
 * Why a link is not renewed: the reason of a verdict, or
 *
 * - `wrong_origin`: it is not for an origin in the option `origin`
 * - `not_allowed`: `authorize` refused it
 * - `not_renewable`: the new link would not have all the limits of the old one
 * - `unavailable`: the server failed; the option `report` is called with the error
 */
export type RenewalRefusalReason = Reason | 'wrong_origin' | 'not_allowed' | 'not_renewable' | 'unavailable'

/** The answer of `renewal` for one link. */
export type RenewalAnswer =
  | { readonly ok: true; readonly link: string; readonly expires?: string | undefined }
  | { readonly ok: false; readonly reason: RenewalRefusalReason; readonly status: number }

/** Conditions as the application names them. */
export type AskedConditions = Readonly<Record<string, unknown>>

/** How links are renewed. */
export interface RenewalRules {
  readonly scheme: Scheme
  /** In milliseconds. */
  readonly grace: number
  readonly origins: readonly string[] | undefined
  readonly verifyOptions: VerifyOptions
  /** Returns the conditions of the new link, or `undefined` if it is not to be renewed. */
  readonly conditionsFor: (claims: Claims) => Promise<AskedConditions | undefined>
  /** The present time, in milliseconds since 1970. */
  readonly present: number
}

/** A link that is valid, or expired within the grace period. */
interface Renewable {
  /** The scheme that signed it, which also signs the new link. Another scheme may cover less, and its link would open other paths. */
  readonly signer: Scheme
  readonly claims: Claims
  /** The method that the link was verified for. */
  readonly method: string
}

const refusal = (reason: RenewalRefusalReason, status: number): RenewalAnswer => ({ ok: false, reason, status })

/** Renews a link, or says why not. Throws what the options throw. */
export async function renewLink(link: string, rules: RenewalRules): Promise<RenewalAnswer> {
  const { origins, conditionsFor, present } = rules
  const found = await verifiedLink(link, rules)
  if ('reason' in found) return refusal(found.reason, found.status)
  const { signer, claims } = found
  const { origin } = split(link)
  if (origins && !origins.includes(normalOrigin(origin))) return refusal('wrong_origin', 403)
  const asked = await conditionsFor(claims)
  if (!asked) return refusal('not_allowed', 403)

  const old = inspect(signer, link)?.unverified as UnverifiedClaims
  const url = split(old.resource).origin ? old.resource : origin + old.resource
  const conditions = { ...limitsOf(found, rules.verifyOptions.ip), ...asked }
  const fresh = await sign(signer, url, conditions as unknown as Conditions, { now: () => new Date(present) }).catch((error: unknown) => {
    // `sign` refuses a limit of the old link, such as a range of addresses. A mistake in the application's own conditions is thrown instead.
    if (error instanceof LinkError && error.option && !(error.option in asked) && error.option in conditions) return undefined
    throw error
  })
  const next = fresh === undefined ? undefined : inspect(signer, fresh)?.unverified
  if (!fresh || !next || !hasSameLimits({ link, claims: old }, { link: fresh, claims: next }, signer, asked))
    return refusal('not_renewable', 403)
  return { ok: true, link: fresh, expires: next.expires?.toISOString() }
}

/** The claims of a link that may be renewed, or the verdict on any other. */
async function verifiedLink(link: string, rules: RenewalRules): Promise<Renewable | (Verdict & { ok: false })> {
  let best: (Verdict & { ok: false }) | undefined
  for (const signer of rules.scheme.schemes ?? [rules.scheme]) {
    for (const method of methodsOf(signer, link)) {
      const verdict = await lastVerdict(signer, link, method, rules)
      if (verdict.ok) return { signer, claims: verdict.claims, method }
      // Of several refusals, keep the one that says most about the link.
      if (!best || verdict.claims || best.reason === 'unsigned') best = verdict
      if (verdict.reason !== 'bad_signature') break
    }
  }
  return best as Verdict & { ok: false }
}

/** The methods to verify a link with: the first one that it names. If its signature covers a method that it does not show, try each. */
function methodsOf(signer: Scheme, link: string): readonly string[] {
  const { methods } = inspect(signer, link)?.unverified ?? {}
  if (methods) return methods.slice(0, 1)
  return signer.reads?.includes('method') ? ['GET', 'PUT', 'POST', 'DELETE'] : ['GET']
}

/** The verdict on a link now. For a link that expired within the grace period: the verdict in its last valid millisecond. */
async function lastVerdict(
  signer: Scheme,
  link: string,
  method: string,
  { grace, verifyOptions, present }: RenewalRules,
): Promise<Verdict> {
  const scheme = withKeysInTime(signer, present)
  const options = { ...verifyOptions, method }
  const verdict = await verify(scheme, link, { ...options, now: () => new Date(present) })
  const expires = +(verdict.claims?.expires ?? 0)
  if (verdict.reason !== 'expired' || present >= expires + grace) return verdict
  return verify(scheme, link, { ...options, now: () => new Date(expires - 1) })
}

/** Removes keys that have expired. Otherwise, someone who finds an old key could sign a link that expired a minute ago, and renew it. */
function withKeysInTime(scheme: Scheme, present: number): Scheme {
  const keys = async (id?: string) => (await scheme.keys(id)).filter(({ expires }) => !expires || present < +expires)
  return { ...scheme, keys }
}

/** The limits of the old link, as conditions. Its start has passed, and a link with a number of uses is not renewed. */
function limitsOf({ signer, claims, method }: Renewable, ip: string | undefined): AskedConditions {
  const { carries, requires = [], own = [] } = signer
  const methods = claims.methods ?? (method === 'GET' ? undefined : [method])
  const limits: Record<string, unknown> = {
    method: methods,
    // The link was valid for the sender's address. Some schemes require one, although their links do not show it.
    ip: claims.ip ?? (requires.includes('ip') ? ip : undefined),
    prefix: claims.prefix,
    id: claims.id,
    // The payload of a token, or limits of the scheme's own that its links show, such as countries.
    ...(own.includes('data') ? { data: withoutTimes(claims.data) } : only(own, claims.data)),
  }
  return Object.fromEntries(Object.entries(limits).filter(([name, value]) => value !== undefined && [...carries, ...own].includes(name)))
}

function only(names: readonly string[], data: unknown): AskedConditions {
  return Object.fromEntries(Object.entries(Object(data)).filter(([name]) => names.includes(name)))
}

/** Claims of a token that `sign` writes itself. */
const WRITTEN_ANEW = ['iat', 'exp', 'nbf', 'url']

function withoutTimes(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(Object.entries(data).filter(([name]) => !WRITTEN_ANEW.includes(name)))
}

/** A link and its claims. */
interface Inspected {
  readonly link: string
  readonly claims: UnverifiedClaims
}

/**
 * Does the new link have all the limits of the old one? If a scheme has conditions that its claims do not show, a missing parameter tells. A
 * condition that the application gave replaces the old one, so it is not compared.
 */
function hasSameLimits(old: Inspected, next: Inspected, { own = [], parameters }: Scheme, asked: AskedConditions): boolean {
  const said = ({ methods, signedHeaders, ip, prefix, id, data }: UnverifiedClaims) => ({
    ...('method' in asked ? {} : { methods }),
    ...('ip' in asked ? {} : { ip }),
    ...('prefix' in asked ? {} : { prefix }),
    ...('id' in asked ? {} : { id }),
    ...('data' in asked ? {} : { data: withoutTimes(data) }),
    signedHeaders,
  })
  if (JSON.stringify(said(old.claims)) !== JSON.stringify(said(next.claims))) return false
  const has = (link: string, name: string) => firstOf([name], split(link).query) !== undefined
  const isDecided = Object.keys(asked).some((name) => own.includes(name))
  return own.length === 0 || isDecided || parameters.every((name) => !has(old.link, name) || has(next.link, name))
}
