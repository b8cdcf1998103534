// verify: is this link good for this visit? It writes nothing, and nothing that a visitor can send makes it throw.
import { type Claims, clock, type Duration, seconds } from './conditions.ts'
import { insist, LinkError } from './errors.ts'
import { mac, match } from './keys.ts'
import { contains, networkOf } from '../lib/address.ts'
import { below, normalise, normalPath } from '../lib/normalise.ts'
import { isRequestTarget, looksLikeHost } from '../lib/request-target.ts'
import { encodeValue, LONGEST, split } from '../lib/url.ts'
import type { Proof, Reading, Scheme } from './scheme.ts'
import { type Reason, type Refused, statusOf, type Verdict } from './verdict.ts'

/**
 * What a link can be visited with: a whole URL, a path with its query, or a `Request`, which brings its method. Text counts as `GET`.
 *
 * It is the URL as the server got it, without a fragment: clients send none. A link with a `#`, in any of these forms, is `malformed`.
 */
export type Visited = string | URL | Request

/** Options of {@link verify}. */
export interface VerifyOptions {
  /** The visitor's address, as the server or a trusted proxy knows it. A link bound to an address is refused without it. */
  readonly ip?: string | undefined
  /** The method of the visit. Default: the request's, or `GET`. */
  readonly method?: string
  /** The headers of the visit, for links that cover some. Default: the request's. */
  readonly headers?: HeadersInit
  /** How far clocks may be apart, at start and expiry of the link and of its key; capped at `'5m'`. Default: `'0s'`. */
  readonly tolerance?: Duration
  /** Asked after every check but the count of uses, with true claims: has this link been called back? */
  readonly revoked?: (claims: Claims) => boolean | Promise<boolean>
  /** The present, for tests and for servers with a clock of their own. Default: the machine's clock. */
  readonly now?: () => Date
}

/** How `redeem` consumes a use: answers whether one was left. From `until` on no verifier accepts the link, whatever its tolerance. */
export type Spend = (claims: Claims, until: Date) => boolean | Promise<boolean>

/**
 * Tells whether a link is good for a visit. It answers with a {@link Verdict}, never with an exception, whatever the visitor sent.
 *
 * Checks run in one order, and the first failure answers: signature, path, method, address, time, revocation, use. A link with limited uses
 * is refused with `single_use`: only `redeem` spends, so mail scanners and previews cannot burn it.
 *
 * A link in a URL that no client sends is `malformed`: with a fragment, a control character, half a surrogate pair, a `\` in the path, a segment
 * `.` or `..` in any spelling, a path that begins with two slashes (as text without a host), or more than 16,384 characters.
 *
 * @param scheme - The scheme and keys that the link was signed with; `anyOf` for several.
 * @param visit - The link, or the `Request` that came in.
 * @returns `{ ok: true, scheme, claims }`, or `{ ok: false, reason, status }`, with `claims` exactly when the signature was good.
 * @throws A {@link LinkError}: `no_key` for an empty ring, `bad_option` for options that cannot be meant, `no_webcrypto` without
 *   `crypto.subtle`; and whatever `revoked` throws.
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
export function verify(scheme: Scheme, visit: Visited, options: VerifyOptions = {}): Promise<Verdict> {
  return judge(scheme, visit, options)
}

// The largest tolerance, in seconds.
const MOST_TOLERANCE = 300

/** The one order of checks, for `verify` and `redeem`. */
export async function judge(scheme: Scheme, visit: Visited, options: VerifyOptions, spend?: Spend): Promise<Verdict> {
  const { revoked } = options
  const ip = options.ip ?? undefined
  const now = clock(options.now)
  const tolerance = options.tolerance === undefined ? 0 : Math.min(seconds(options.tolerance, 'tolerance'), MOST_TOLERANCE) * 1000
  const url = typeof visit === 'string' ? visit : ((visit as URL)?.href ?? (visit as Request)?.url)
  insist(typeof url === 'string' && typeof (ip ?? '') === 'string', 'a visit is text, a URL or a Request; its ip is text')
  const method = `${options.method ?? (visit as Request).method ?? 'GET'}`.toUpperCase()

  const headers = options.headers ? headersOf(options.headers) : (visit as Request).headers
  const read = readRequest(scheme, url)
  const checked =
    typeof read === 'string'
      ? read
      : await scheme.check(read, {
          url,
          method,
          ip,
          headers,
          network: (bits) => networkOf(ip, bits),
          // Links name headers, and `get` throws for a name that is not a token.
          header: (name) => (TOKEN.test(name) ? (headers?.get(name) ?? undefined) : undefined),
          mac,
          match,
          normalise,
          encode: encodeValue,
        })
  if (typeof checked === 'string') return refuse(scheme, checked)
  // `true` has no properties, and is good without them.
  const { key, reading = read as Reading, path, ip: proven, claims: proved = reading.claims } = checked as Proof
  const maker = reading.scheme ?? scheme
  // The normal form of a resource may have two slashes in front where the request has not.
  if (looksLikeHost(proved.resource)) return refuse(maker, 'malformed')
  let claims = proved
  // The link shows a length only, and the visitor's address is the one that was signed.
  if (proven && claims.ip?.startsWith('/')) claims = { ...claims, ip: ip?.replace(/^::ffff:(?=.*\.)/i, '') + claims.ip }
  if (key?.starts && !(key.starts <= (claims.starts ?? 0))) claims = { ...claims, starts: key.starts }

  const { expires, methods = ['GET', 'HEAD'], prefix, starts, uses } = claims
  const dead = +expires + tolerance + (maker.goodAtExpiry ? 1000 : 0)
  // Not `dead`: a store may serve several verifiers, and one with more tolerance would open a link whose use is forgotten.
  const until = new Date(dead - tolerance + MOST_TOLERANCE * 1000)
  // Times are asked so that a date that is none ends the key, too.
  const reason =
    path === false || (prefix && !below(normalPath(split(claims.resource).path), prefix))
      ? 'wrong_path'
      : !methods.includes(method) && !(method === 'HEAD' && methods.includes('GET'))
        ? 'wrong_method'
        : !(proven ?? (!claims.ip || contains(claims.ip, ip)))
          ? 'wrong_ip'
          : now >= dead
            ? 'expired'
            : key?.expires && !(now < +key.expires + tolerance)
              ? 'key_expired'
              : starts && !(now + tolerance >= +starts)
                ? 'too_early'
                : revoked && (await revoked(claims))
                  ? 'revoked'
                  : uses && (spend ? !(await spend(claims, until)) && 'used' : 'single_use')
  if (reason) return refuse(maker, reason, claims)
  // What caches and clients go by: a key that ends first ends the link.
  if (key?.expires && key.expires < expires) claims = { ...claims, expires: key.expires }
  return { ok: true, scheme: maker.name, claims }
}

/** What the scheme reads in a request that a client can have sent. All others are `malformed`, unless the scheme finds no link in them. */
function readRequest(scheme: Scheme, url: string): Reading | 'unsigned' | 'malformed' {
  // Reading takes time for each character, and no link is so long.
  if (url.length > LONGEST) return 'malformed'
  const read = scheme.read(url)
  if (typeof read === 'string') return read
  // Without a token in the path, what remains of it may begin with two slashes.
  return isRequestTarget(url) && !looksLikeHost(read.claims.resource) ? read : 'malformed'
}

// The names that headers can have, RFC 9110 section 5.1.
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

function headersOf(init: HeadersInit): Headers {
  try {
    return new Headers(init)
  } catch {
    // biome-ignore lint/style/useErrorCause: the engine's error repeats the name or the value, which may be a secret
    throw new LinkError('bad_option', 'headers must be names and values that HTTP headers can have')
  }
}

function refuse(maker: Scheme, reason: Reason, claims?: Claims): Refused {
  return { ok: false, reason, status: maker.status?.[reason] ?? statusOf(reason), ...(claims && { claims }) } as Refused
}
