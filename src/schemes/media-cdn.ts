// mediaCdn: signed tokens of Google's Media CDN, https://cloud.google.com/media-cdn/docs/generate-tokens
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { contains } from '../lib/address.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, LONGEST, split } from '../lib/url.ts'
import { asCookie, asTyped, claimedResource, deliveredUrl, opensPath, prefixOf, presented, sentOrTyped } from './shared/edge-token.ts'
import { withBase64Secret } from './shared/encoded-key.ts'
import { fieldText, headersOf, headersToSign, listOf, scopeOf } from './shared/media-cdn-fields.ts'
import { readToken } from './shared/media-cdn-token.ts'
import { opensUrl } from './shared/url-prefix.ts'

/** Options of {@link mediaCdn}: how the keyset and the route are configured. */
export interface MediaCdnOptions {
  /** The hash of the HMAC. Default: `'sha256'`. Tokens with Ed25519 are not read. */
  readonly algorithm?: 'sha256' | 'sha1'
  /** The name of the parameter. Default: `'hdnts'`. */
  readonly tokenName?: string
  /** The name of the cookie. Default: `'Edge-Cache-Cookie'`. */
  readonly cookieName?: string
}

/** Conditions of {@link mediaCdn} links. */
export interface MediaCdnConditions {
  /** Patterns of the paths that the link opens; `*` stands for any characters and `?` for one: `'/videos/*'`, or a list. */
  readonly pathGlobs?: string | readonly string[]
  /** Headers that a request must have, with their values. */
  readonly headers?: Readonly<Record<string, string>>
  /** Networks that the link is for, in place of one `ip`: `'203.0.113.0/24,2001:db8::/64'`, or a list. */
  readonly ipRanges?: string | readonly string[]
  /** Text for other programs, which the link carries and the signature covers. */
  readonly data?: string
}

/** The string to sign: the token, with values in place of `FullPath` and of the names of headers, because it shows only the names. */
const stringToSign = (token: string, path: string, headers: string): string =>
  token
    .split('~')
    .map((field) => (field === 'FullPath' ? `FullPath=${path}` : field.startsWith('Headers=') ? `Headers=${headers}` : field))
    .join('~')

/**
 * Signed tokens of Google's Media CDN, with HMAC. A link is for its own path; or, with `prefix` or `pathGlobs`, for all that match. `verify` finds the
 * token in the query or in a cookie. The query is never covered.
 *
 * As with Media CDN, every refusal is a 403, except a 405 for the wrong method.
 *
 * @see https://cloud.google.com/media-cdn/docs/generate-tokens
 * @param keys - Keys of the keyset as base64url, newest first: the first one that is valid now signs, all of them verify, and an empty list only
 *   reads links.
 * @param options - How the keyset and the route are configured.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key that is not base64url and for a wrong option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { mediaCdn } from 'securelink/schemes/media-cdn'
 *
 * const links = mediaCdn({ secret: 'g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=' })
 * const link = await sign(links, 'https://media.example/videos/1/main.m3u8', { expires: '1h', pathGlobs: '/videos/1/*' })
 * ```
 */
export function mediaCdn(
  keys: Keys<SecretKey>,
  options: MediaCdnOptions = {},
): Scheme<'starts' | 'ip' | 'prefix' | 'id', MediaCdnConditions, 'required'> {
  assertKnownOptions(options, ['algorithm', 'tokenName', 'cookieName'], 'mediaCdn()')
  const { algorithm = 'sha256', tokenName = 'hdnts', cookieName = 'Edge-Cache-Cookie' } = options
  assertOption(algorithm === 'sha256' || algorithm === 'sha1', 'algorithm', "'sha256' or 'sha1'")
  const isName = (name: unknown) => typeof name === 'string' && /^[\w.-]+$/.test(name)
  assertOption(isName(tokenName), 'tokenName', "a name of letters, digits, '_', '.' and '-'")
  assertOption(isName(cookieName), 'cookieName', "a name of letters, digits, '_', '.' and '-'")

  return {
    name: 'media-cdn',
    carries: ['starts', 'ip', 'prefix', 'id'],
    own: ['pathGlobs', 'headers', 'ipRanges', 'data'],
    covers: ['path', 'prefix', 'starts', 'expires', 'id', 'headers', 'ip'],
    parameters: [tokenName],
    reads: ['headers', 'cookies'],
    algorithm: { hmac: algorithm === 'sha1' ? 'SHA-1' : 'SHA-256', encoding: 'hex' },
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: withBase64Secret }),

    write({ url, parts, expires, starts, ip, prefix, id, own }) {
      const { data, headers, ipRanges = ip } = own
      assertOption(ip === undefined || own.ipRanges === undefined, 'ipRanges', 'left out with an ip')
      assertOption(data === undefined || typeof data === 'string', 'data', 'text')
      const origin = normalOrigin(parts.origin)
      const sent = deliveredUrl(url, parts)
      const { path } = split(sent)
      const scope = scopeOf(origin, prefix, own.pathGlobs)
      assertOption(scope !== 'FullPath' || !path.includes('~'), 'url', "one with a path without '~', which ends a field: write %7E")
      const ranges = ipRanges === undefined ? undefined : listOf(ipRanges, /^[\da-f.:/]+$/i, 'ipRanges', 'networks')
      const fields = [
        scope,
        starts && `Starts=${starts}`,
        `Expires=${expires}`,
        id && `SessionID=${fieldText(id)}`,
        data && `Data=${fieldText(data)}`,
        headers && `Headers=${Object.keys(headers).join()}`,
        ranges && `IPRanges=${encode(new TextEncoder().encode(ranges), BASE64URL)}`,
      ]
      const token = fields.filter(Boolean).join('~')
      return {
        toSign: stringToSign(token, path, headers ? headersToSign(headers) : ''),
        link: (signature) => append(sent, `${tokenName}=${token}~hmac=${signature}`),
      }
    },

    cookies: (link) => asCookie(link, tokenName, cookieName),

    read(url, header): Reading | Unreadable {
      if (url.length > LONGEST || /\p{Surrogate}/u.test(url)) return 'malformed'
      const { tokens, rest } = presented(url, tokenName, header, cookieName)
      const [value, second] = tokens
      if (value === undefined) return 'unsigned'
      const token = second === undefined ? readToken(value) : undefined
      const length = algorithm === 'sha1' ? 40 : 64
      if (!token || token.signature.length !== length || rest.path[0] !== '/') return { malformed: tokenName }
      const { text, signature, urlPrefix, globs, starts, expires, id, data, headerNames, ranges } = token
      const prefix = urlPrefix?.path ?? (globs && prefixOf(globs))
      return {
        claims: {
          resource: claimedResource(rest.origin, rest.path),
          expires: new Date(expires * 1000),
          ...(starts && { starts: new Date(starts * 1000) }),
          ...(prefix && { prefix }),
          ...(ranges && { ip: ranges }),
          ...(headerNames && { signedHeaders: headerNames.map((name) => name.toLowerCase()) }),
          ...(id && { id }),
          ...(data && { data }),
        },
        signature,
        toSign(visit) {
          const headers = headerNames ? headersOf(visit, headerNames) : ''
          // A `~` in the path could be read as the end of a shorter path, followed by more fields.
          const isAmbiguous = !urlPrefix && !globs && rest.path.includes('~')
          if (headers === undefined || isAmbiguous) return undefined
          return sentOrTyped(stringToSign(text, rest.path, headers), stringToSign(asTyped(text), asTyped(rest.path), headers))
        },
        // Of several networks, the one that the request comes from.
        proves: ({ ip }) => (ranges ? { ip: ranges.split(',').find((range) => contains(range, ip)) ?? ranges } : {}),
        get opens() {
          return urlPrefix ? opensUrl(urlPrefix, rest) : !globs || opensPath(globs, rest.path)
        },
      }
    },
  }
}
