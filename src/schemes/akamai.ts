// akamai: Edge Auth Token 2.0, https://techdocs.akamai.com/property-mgr/docs/auth-token-2-0-ver, with the forms of Cloudinary and Uploadcare
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { append, decodeValue, LONGEST, split } from '../lib/url.ts'
import { aclOf } from './shared/akamai-acl.ts'
import { type AkamaiOptions, edgeOf } from './shared/akamai-edge.ts'
import {
  asCookie,
  asTyped,
  claimedResource,
  deliveredUrl,
  opensPath,
  parseToken,
  prefixOf,
  presented,
  sentOrTyped,
} from './shared/edge-token.ts'

export type { AkamaiOptions }

/** Conditions of {@link akamai} links. */
export interface AkamaiConditions {
  /**
   * Patterns of the paths that the link opens, in place of its own URL; `*` stands for any characters and `?` for one: `'/videos/*'`. Do not use a
   * path from a user as a pattern, because a `*` in it would open more. The URL need not match, because the token can go into a cookie.
   */
  readonly acl?: string | readonly string[]
  /** Text for other programs, which the link carries and the signature covers. */
  readonly data?: string
}

const FIELDS = ['ip', 'st', 'exp', 'acl', 'id', 'data'] as const
const SECONDS = /^[1-9]\d{0,10}$/

/**
 * Links of Akamai's Edge Auth Token 2.0, and of services that use its token: Cloudinary and Uploadcare.
 *
 * A link is for its own URL, which is signed and not repeated in the token; or, with `acl` or `prefix`, for all paths that match. `verify` finds the token
 * in the query, in a cookie or in a header. With an ACL the query is not covered.
 *
 * As at the edge, every refusal is a 403, except a 405 for the wrong method.
 *
 * @see https://techdocs.akamai.com/property-mgr/docs/auth-token-2-0-ver
 * @param keys - Keys of the property as hex, newest first: the first one that is valid now signs, all of them verify, and an empty list only reads
 *   links.
 * @param options - How the edge is configured.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key that is not hex and for a wrong option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { akamai } from 'securelink/schemes/akamai'
 *
 * const links = akamai({ secret: 'aabbccddeeff00112233445566778899' })
 * const link = await sign(links, 'https://edge.example/videos/1/main.m3u8', { expires: '10m', prefix: '/videos/1/' })
 * ```
 */
export function akamai(
  keys: Keys<SecretKey>,
  options: AkamaiOptions = {},
): Scheme<'starts' | 'ip' | 'prefix' | 'id', AkamaiConditions, 'required'> {
  const edge = edgeOf(options)
  const { tokenName, carries, own, algorithm, prepare, signatureLength, salt, fieldDelimiter } = edge

  /** The string to sign: the token, then the URL unless the token has an ACL, then the salt. */
  function stringToSign(token: string, url: string | undefined): string {
    const fields = [token]
    if (url !== undefined) fields.push(`url=${edge.escapeUrl(url)}`)
    if (salt) fields.push(`salt=${salt}`)
    return fields.join(fieldDelimiter)
  }

  /** The part of a URL that a link without an ACL is for. */
  const resourceOf = (path: string, query: string): string => (edge.ignoreQueryString || query === '?' ? path : path + query)

  return {
    name: 'akamai',
    carries,
    own,
    covers: ['path', 'expires', ...carries],
    parameters: [tokenName],
    reads: ['headers', 'cookies'],
    algorithm,
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare }),

    write({ url, parts, expires, starts, ip, prefix, id, own }) {
      assertOption(own.data === undefined || typeof own.data === 'string', 'data', 'text')
      assertOption(!ip || /^[\da-f.:]+$/i.test(ip), 'ip', 'one address, without a length')
      const sent = deliveredUrl(url, parts)
      const { path, query } = split(sent)
      const acl = aclOf(edge, { acl: own.acl, prefix, path })
      const fields = [
        ip && `ip=${edge.escapeAddress(ip)}`,
        starts && `st=${starts}`,
        `exp=${expires}`,
        acl && `acl=${acl}`,
        id && `id=${edge.escapeValue(id)}`,
        own.data && `data=${edge.escapeValue(own.data)}`,
      ]
      const token = fields.filter(Boolean).join(fieldDelimiter)
      return {
        toSign: stringToSign(token, acl ? undefined : resourceOf(path, query)),
        link: (signature) => append(sent, `${tokenName}=${token}${fieldDelimiter}hmac=${signature}`),
      }
    },

    cookies: (link) => asCookie(link, tokenName, tokenName),

    read(url, header): Reading | Unreadable {
      if (url.length > LONGEST || /\p{Surrogate}/u.test(url)) return 'malformed'
      const { tokens, rest } = presented(url, tokenName, header)
      const [value, second] = tokens
      if (value === undefined) return 'unsigned'
      const token = second === undefined ? parseToken(value, FIELDS, fieldDelimiter) : undefined
      if (!token) return { malformed: tokenName }
      const { ip, st, exp, acl, id, data } = token.fields
      const timed = SECONDS.test(exp ?? '') && SECONDS.test(st ?? '1')
      if (!timed || token.signature.length !== signatureLength || rest.path[0] !== '/') return { malformed: tokenName }
      const resource = acl ? rest.path : resourceOf(rest.path, rest.query)
      // Cloudinary escapes the slashes of an ACL.
      const patterns = acl && (edge.vendor === 'cloudinary' ? plain(acl) : acl).split(edge.aclDelimiter)
      const prefix = patterns && prefixOf(patterns)
      return {
        claims: {
          resource: claimedResource(rest.origin, resource),
          expires: new Date(+(exp as string) * 1000),
          ...(st && { starts: new Date(+st * 1000) }),
          ...(ip && { ip: plain(ip) }),
          ...(prefix && { prefix }),
          ...(id && { id: plain(id) }),
          ...(data && { data: plain(data) }),
        },
        signature: token.signature,
        toSign() {
          const sent = stringToSign(token.text, acl ? undefined : resource)
          // With an escaped delimiter, such as `%7C`, the unescaped text would have a field that this reader has not seen, such as an id.
          if (typedHas(fieldDelimiter, token.text) || typedHas(edge.aclDelimiter, acl)) return sent
          return sentOrTyped(sent, stringToSign(asTyped(token.text), acl ? undefined : asTyped(resource)))
        },
        // A getter, because comparing takes time and is only needed for signed patterns.
        get opens() {
          return !patterns || opensPath(patterns, rest.path)
        },
      }
    },
  }
}

/** Does a text have more delimiters in its unescaped spelling? */
const typedHas = (delimiter: string, text = ''): boolean => asTyped(text).split(delimiter).length > text.split(delimiter).length

/** A field without its escapes. */
const plain = (field: string): string => decodeValue(field) ?? field
