// verify: is this link valid for this request? It writes nothing, and no request makes it throw.
import { contains, networkOf } from '../lib/address.ts'
import { below, normal } from '../lib/normalise.ts'
import { isRequestTarget, looksLikeHost } from '../lib/request-target.ts'
import { LONGEST, split } from '../lib/url.ts'
import type { Claims } from './claims.ts'
import { matches, type ReadyKey, readyKey } from './crypto.ts'
import { assertKnownOptions, assertOption, LinkError } from './errors.ts'
import type { SecretKey } from './keys.ts'
import type { LinkMemory, Signed, Watched } from './memory.ts'
import {
  type Algorithm,
  assertScheme,
  type MaybeAsync,
  type Message,
  type Reading,
  type Scheme,
  type Unreadable,
  type Visit,
} from './scheme.ts'
import { type Duration, presentTime, secondsOf } from './time.ts'
import { type Refused, statusOf, type TrustedReason, type UntrustedReason, type Verdict } from './verdict.ts'

/**
 * A request: a whole URL, a path with its query, or a `Request`, which brings its method and headers. Text counts as `GET`.
 *
 * It is the URL as the server got it, without a fragment, because clients do not send one. A link with a `#`, in any of these forms, is `malformed`.
 */
export type Visited = string | URL | Request

/** Options of {@link verify}. */
export interface VerifyOptions {
  /** The address that the request comes from, as the server or a trusted proxy knows it. A link bound to an address is refused without it. */
  readonly ip?: string | undefined
  /** The method of the request. Default: that of the `Request`, or `GET`. */
  readonly method?: string
  /** The headers of the request, for links that cover some. Default: those of the `Request`. */
  // All that `new Headers(…)` takes. Servers' types have no name for it; the DOM's is `HeadersInit`.
  readonly headers?: NonNullable<ConstructorParameters<typeof Headers>[0]>
  /** How far clocks may differ, at the start and the expiry of the link and of its key. At most `'5m'` counts. Default: `'0s'`. */
  readonly tolerance?: Duration
  /** Remembers links with a valid signature, so that many requests with one link cost one HMAC: `linkMemory()`. Default: none. */
  readonly memory?: LinkMemory | undefined
  /** Called with proved claims after every check but the count of uses: has this link been revoked? */
  readonly revoked?: (claims: Claims) => boolean | Promise<boolean>
  /** The present time, for tests and for servers with a clock of their own. Default: the clock of the machine. */
  readonly now?: () => Date
}

/** The names of {@link VerifyOptions}. */
export const VERIFY_OPTIONS = ['ip', 'method', 'headers', 'tolerance', 'memory', 'revoked', 'now'] as const

// The largest tolerance that counts, in milliseconds.
const MOST_TOLERANCE = 300_000

/** Consumes a use of a link, and returns whether one was left. From `until` on, no verifier accepts the link, whatever its tolerance. */
export type Consume = (claims: Claims, until: Date) => Promise<boolean>

/**
 * Tells whether a link is valid for a request. It answers with a {@link Verdict}, never with an exception, whatever the request brought.
 *
 * Checks run in one order, and the first failure answers: signature, path, method, address, time, revocation, uses. A link with a limited
 * number of uses is refused with `needs_redeem`: only `redeem` consumes uses, so mail scanners and previews cannot.
 *
 * A link in a URL that no client sends is `malformed`: with a fragment, a control character, half a surrogate pair, a `\` in the path, a segment
 * `.` or `..` in any spelling, a path that begins with two slashes (as text without a host), or more than 16,384 characters.
 *
 * @param scheme - The scheme and keys that the link was signed with; `anyOf` for several.
 * @param request - The link, or the `Request` that came in.
 * @param options - The facts about the request that a string does not have, such as its method and address; a tolerance, `revoked`, and a clock.
 * @returns `{ ok: true, scheme, claims }`, or `{ ok: false, reason, status }`, with `claims` only if the signature is valid.
 * @throws A {@link LinkError}: `no_key` for an empty keyring, `bad_option` for wrong options, `no_webcrypto` without `crypto.subtle`; and what
 *   `revoked` throws.
 *
 * @example
 * ```ts
 * import { hmac, verify } from 'securelink'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const verdict = await verify(links, 'https://cdn.example/report.pdf?expires=1&signature=forged')
 * if (!verdict.ok) console.log(verdict.reason, verdict.status) // malformed 400
 * ```
 */
export function verify(scheme: Scheme, request: Visited, options: VerifyOptions = {}): Promise<Verdict> {
  return verdictOn(scheme, request, options, VERIFY_OPTIONS, 'verify()')
}

/** The checks of `verify` and `redeem`, always in the same order. One async function, because each one costs as much as reading a link. */
export async function verdictOn(
  scheme: Scheme,
  request: Visited,
  options: VerifyOptions,
  known: readonly string[],
  taker: string,
  consume?: Consume,
): Promise<Verdict> {
  assertScheme(scheme)
  assertKnownOptions(options, known, taker)
  const { memory, revoked } = options
  assertOption(!memory || typeof memory.recall === 'function', 'memory', 'made by linkMemory()')
  const visit = visitOf(request, options)
  if (scheme.combine) return scheme.combine(visit, options)
  const checks: Checks = { now: presentTime(options.now), tolerance: toleranceOf(options), revoked, consume }
  const schemes = scheme.schemes ?? [scheme]
  const remembered = memory && (await memory.recall(visit, schemes))
  if (remembered) return verdictOnSigned(remembered, isAtAddress(remembered, visit), visit, checks)

  let furthest: Refused | undefined
  for (const candidate of schemes) {
    const seen = memory?.watch(visit) ?? visit
    const reading = readRequest(candidate, seen)
    if (!isReading(reading)) {
      furthest = further(furthest, refuseUnread(candidate, reading))
      continue
    }
    const algorithm = reading.algorithm ?? candidate.algorithm
    const { keyId } = reading.claims
    let reason: UntrustedReason = 'unknown_key'
    const keys = candidate.keys(keyId)
    for (const key of Array.isArray(keys) ? (keys as readonly SecretKey[]) : await keys) {
      if (!(reading.signedBy ? reading.signedBy(key) : !keyId || key.id === keyId)) continue
      reason = 'bad_signature'
      // Each await stands alone: njs 0.7.9 crashes on some that stand inside of an expression.
      const signingKey = reading.key ? await reading.key(key) : key
      const ready = await readyKey(signingKey, algorithm)
      const toSign = reading.toSign(seen, key)
      const messages = messagesOf(typeof toSign === 'string' ? toSign : await toSign)
      for (let which = 0; which < messages.length; which++) {
        const good = await matches(ready, algorithm, messages[which] as Message, reading.signature)
        if (!good) continue
        const claims = provenClaims(reading, key, seen, which)
        // The normal form of a resource may begin with two slashes although the request does not.
        if (looksLikeHost(claims.resource)) return refuseUnread(candidate, 'malformed')
        const bound = reading.address ? await fromAddress(reading.address, ready, algorithm, seen) : undefined
        const shown = bound ? withAddress(claims, visit.ip) : claims
        const signed: Signed = { scheme: candidate, key, claims: shown, opens: reading.opens !== false, bound }
        const atAddress = isAtAddress(signed, visit)
        if (atAddress) memory?.remember(seen as Watched, signed, keyId)
        return verdictOnSigned(signed, atAddress, visit, checks)
      }
    }
    furthest = further(furthest, { ok: false, reason, status: statusIn(candidate, reason) })
  }
  return furthest ?? refuseUnread(scheme, 'unsigned')
}

/** Does the request come from the address that the link is for? A second signature tells, or the claims. */
function isAtAddress({ bound, claims }: Signed, { ip }: Visit): boolean {
  return bound ?? (!claims.ip || contains(claims.ip, ip))
}

/** What is checked of a link, besides its signature. */
interface Checks {
  /** In milliseconds since 1970. */
  readonly now: number
  /** In milliseconds. */
  readonly tolerance: number
  readonly revoked: VerifyOptions['revoked']
  readonly consume: Consume | undefined
}

const toleranceOf = ({ tolerance }: VerifyOptions): number =>
  tolerance === undefined ? 0 : Math.min(secondsOf(tolerance, 'tolerance') * 1000, MOST_TOLERANCE)

/** The checks after the signature. */
function verdictOnSigned(signed: Signed, atAddress: boolean, visit: Visit, checks: Checks): MaybeAsync<Verdict> {
  const objection = objectionTo(signed, atAddress, visit, checks)
  const needsOthers = checks.revoked || signed.claims.uses !== undefined
  if (objection || !needsOthers) return verdictOf(signed, objection)
  return objectionToUse(signed, checks).then((found) => verdictOf(signed, found))
}

/** The last checks, which ask the application and its store. */
async function objectionToUse(signed: Signed, { revoked, consume }: Checks): Promise<TrustedReason | undefined> {
  const { claims } = signed
  if (revoked && (await revoked(claims))) return 'revoked'
  if (claims.uses === undefined) return undefined
  if (!consume) return 'needs_redeem'
  // Not with the tolerance of this verifier: another one with a larger tolerance may share the store, and would open a link whose use is forgotten.
  const isLeft = await consume(claims, new Date(endOf(signed) + MOST_TOLERANCE))
  return isLeft ? undefined : 'used'
}

function verdictOf({ scheme, key, claims }: Signed, objection: TrustedReason | undefined): Verdict {
  return objection
    ? { ok: false, reason: objection, status: statusIn(scheme, objection), claims }
    : { ok: true, scheme: scheme.name, claims: endingWithKey(claims, key) }
}

/** From when on the link is expired, in milliseconds since 1970. */
const endOf = ({ claims, scheme }: Signed): number => claims.expires.getTime() + (scheme.validAtExpiry ? 1000 : 0)

// The further a link got, the more its refusal says.
const ORDER: readonly string[] = ['unsigned', 'malformed', 'unknown_key', 'bad_signature']

/** Of two refusals by different schemes, the one of the scheme that got further. */
function further(before: Refused | undefined, refused: Refused): Refused {
  return before && ORDER.indexOf(refused.reason) <= ORDER.indexOf(before.reason) ? before : refused
}

function messagesOf(toSign: Message | readonly Message[] | undefined): readonly Message[] {
  return Array.isArray(toSign) ? toSign : toSign === undefined ? [] : [toSign as Message]
}

/** The second signature of a link covers the address, which the link does not show. */
function fromAddress(address: NonNullable<Reading['address']>, ready: ReadyKey, algorithm: Algorithm, visit: Visit): MaybeAsync<boolean> {
  const message = address.toSign(visit)
  return message !== undefined && matches(ready, algorithm, message, address.signature)
}

/** What the link says, completed by what only its signature reveals and by the dates of its key. */
function provenClaims(reading: Reading, key: SecretKey, visit: Visit, which: number): Claims {
  const { claims } = reading
  const starts = key.starts && !(key.starts <= (claims.starts ?? 0)) ? new Date(key.starts) : undefined
  const revealed = reading.proves?.(visit, which)
  if (!revealed && !starts) return claims
  const proven: { -readonly [Name in keyof Claims]: Claims[Name] } = { ...claims, ...revealed }
  if (starts) proven.starts = starts
  return proven
}

/** The link shows only the length of the network, so the address is taken from the request. */
function withAddress(claims: Claims, ip = ''): Claims {
  return claims.ip?.startsWith('/') ? { ...claims, ip: ip.replace(/^::ffff:(?=.*\.)/i, '') + claims.ip } : claims
}

/** The first reason to refuse the link for this request, in the order of the table of reasons. */
function objectionTo(signed: Signed, atAddress: boolean, { method }: Visit, { now, tolerance }: Checks): TrustedReason | undefined {
  const { key, claims } = signed
  const { methods = ['GET', 'HEAD'], prefix, starts } = claims
  const allowed = methods.includes(method) || (method === 'HEAD' && methods.includes('GET'))
  if (!signed.opens) return 'wrong_path'
  // Dots are not resolved: a path with `..` is not below any prefix.
  if (prefix && !below(normal(split(claims.resource).path), prefix)) return 'wrong_path'
  if (!allowed) return 'wrong_method'
  if (!atAddress) return 'wrong_ip'
  // Written so that an invalid date refuses.
  if (!(now < endOf(signed) + tolerance)) return 'expired'
  if (key.expires && !(now < +key.expires + tolerance)) return 'key_expired'
  if (starts && !(now + tolerance >= +starts)) return 'too_early'
  return undefined
}

/** Caches and clients go by the expiry: a key that expires first ends the link. A copy, because callers own the claims, but not the dates of the key. */
function endingWithKey(claims: Claims, { expires }: SecretKey): Claims {
  if (!expires || !(expires < claims.expires)) return claims
  const ending: { -readonly [Name in keyof Claims]: Claims[Name] } = { ...claims, expires: new Date(expires) }
  delete ending.endless
  return ending
}

/** The request as schemes see it. */
export function visitOf(request: Visited, options: VerifyOptions): Visit {
  const { ip } = options
  assertOption(ip === undefined || ip === null || typeof ip === 'string', 'ip', 'the address of the request, as text')
  const url = urlOf(request)
  const method = options.method ?? (request as Request).method ?? 'GET'
  const headers = options.headers ? headersOf(options.headers) : (request as Request).headers
  return {
    url,
    method: method === 'GET' ? method : `${method}`.toUpperCase(),
    ip: ip ?? undefined,
    headers,
    header: headers ? (name) => (TOKEN.test(name) ? (headers.get(name) ?? undefined) : undefined) : noHeader,
    network: (bits) => networkOf(ip ?? undefined, bits),
  }
}

const noHeader = (): undefined => undefined

// Names of headers; `Headers.get` throws for other text, and links name headers.
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

function urlOf(request: Visited): string {
  if (typeof request === 'string') return request
  const url = (request as URL)?.href ?? (request as Request)?.url
  // Express and Node have a path here, and no Headers.
  const node = typeof url === 'string' && typeof (request as Request).headers?.get !== 'function' && !(request as URL).href
  assertOption(!node, 'request', 'a string, a URL or a Request; for requests of Node and Express use securelink/node')
  const waiting = typeof (request as unknown as Promise<unknown>)?.then === 'function'
  assertOption(typeof url === 'string', 'request', `a string, a URL or a Request${waiting ? '; await the promise first' : ''}`)
  return url
}

function headersOf(init: NonNullable<VerifyOptions['headers']>): Headers {
  try {
    return new Headers(init)
  } catch {
    // Without the cause, whose message repeats what was passed.
    assertOption(false, 'headers', 'names and values that HTTP allows')
  }
}

/** Reads the link of a request. A link in a URL that no client sends is `malformed`. */
function readRequest(scheme: Scheme, visit: Visit): Reading | Unreadable {
  // Reading takes time for each character, and no link is that long.
  if (visit.url.length > LONGEST) return 'malformed'
  const parts = split(visit.url)
  const reading = scheme.read(visit.url, visit.header, parts)
  if (!isReading(reading)) return reading
  // Without a token in the path, the rest of it may begin with two slashes.
  return isRequestTarget(visit.url, parts) && !looksLikeHost(reading.claims.resource) ? reading : 'malformed'
}

const isReading = (reading: Reading | Unreadable): reading is Reading => typeof reading === 'object' && 'claims' in reading

function refuseUnread(scheme: Scheme, unread: Unreadable): Refused {
  if (typeof unread === 'string') return { ok: false, reason: unread, status: statusIn(scheme, unread) }
  return { ok: false, reason: 'malformed', status: statusIn(scheme, 'malformed'), parameter: unread.malformed }
}

const statusIn = ({ status }: Scheme, reason: Refused['reason']): number => status?.[reason] ?? statusOf(reason)
