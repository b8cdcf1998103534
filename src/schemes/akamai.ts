// akamai: Edge Auth Token 2.0, https://techdocs.akamai.com/property-mgr/docs/auth-token-2-0-ver, with the forms of Cloudinary and Uploadcare
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { append, decodeValue, LONGEST, split } from '../lib/url.ts'
import {
  asClientsSend,
  asCookie,
  asTyped,
  escapeField,
  opensPath,
  parseToken,
  patternsOf,
  prefixOf,
  presented,
  sentOrTyped,
} from './shared/edge-token.ts'
import { withHexSecret } from './shared/encoded-key.ts'

/** Options of {@link akamai}: how the edge is configured. The names are those of Akamai's own package. */
export interface AkamaiOptions {
  /** Whose form of the token: `'cloudinary'` escapes ACLs and URLs in its own way, `'uploadcare'` always has an ACL. Default: `'akamai'`. */
  readonly vendor?: 'akamai' | 'cloudinary' | 'uploadcare'
  /** The name of the parameter, cookie or header. Default: `__token__`, `__cld_token__` with Cloudinary, and `token` with Uploadcare. */
  readonly tokenName?: string
  /** The hash of the HMAC. Default: `'sha256'`. */
  readonly algorithm?: 'sha256' | 'sha1'
  /** Text that is signed and not sent. Default: none. */
  readonly salt?: string
  /** As the property's "Escape token input": escapes address, id, data and URL before they are signed. Default: `false`. */
  readonly escapeEarly?: boolean
  /** As the property's "Ignore query string": a link for one URL does not cover its query. Default: `false`, and `true` with Cloudinary. */
  readonly ignoreQueryString?: boolean
  /** Stands between two fields. Default: `'~'`. */
  readonly fieldDelimiter?: string
  /** Stands between two patterns of an ACL. Default: `'!'`. */
  readonly aclDelimiter?: string
}

/** Conditions of {@link akamai} links. */
export interface AkamaiConditions {
  /**
   * Patterns of the paths that the link opens, in place of its own URL; `*` stands for any characters and `?` for one: `'/videos/*'`. Paths from
   * elsewhere must not be among them: a `*` in one would open more.
   */
  readonly acl?: string | readonly string[]
  /** Text that the link carries for others. */
  readonly data?: string
}

const OPTIONS = ['vendor', 'tokenName', 'algorithm', 'salt', 'escapeEarly', 'ignoreQueryString', 'fieldDelimiter', 'aclDelimiter']
const FIELDS = ['ip', 'st', 'exp', 'acl', 'id', 'data'] as const
const SECONDS = /^[1-9]\d{0,10}$/

const VENDORS = {
  akamai: { name: '__token__', carries: ['starts', 'ip', 'prefix', 'id'], own: ['acl', 'data'] },
  cloudinary: { name: '__cld_token__', carries: ['starts', 'ip', 'prefix'], own: ['acl'] },
  uploadcare: { name: 'token', carries: ['prefix'], own: ['acl'] },
} as const

const lowerCaseEscape = (character: string): string => `%${character.charCodeAt(0).toString(16)}`
/** As Akamai's package for Node with `escapeEarly`. */
const escapeEarly = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[~'*]/g, lowerCaseEscape)
    .replace(/%../g, (escaped) => escaped.toLowerCase())
/** As Cloudinary's packages. */
const escapeToLower = (text: string): string => text.replace(/[ "#%&'/:;<=>?@[\]^`{|}~]/g, lowerCaseEscape)
/**
 * Links of Akamai's Edge Auth Token 2.0, and of those who use its token: Cloudinary and Uploadcare.
 *
 * A link is for its own URL, which is signed and not repeated in the token; or, with `acl` or `prefix`, for all paths that match. `verify` finds the token
 * in the query, in a cookie or in a header. With an ACL the query is not covered.
 *
 * As at the edge, every refusal is a 403, except a 405 for the wrong method.
 *
 * @param keys - Keys of the property as hex, newest first: the first one in time signs, all verify, and an empty list only reads.
 * @param options - How the edge is configured.
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
  assertOptions(options)
  const { vendor = 'akamai', algorithm = 'sha256', salt, fieldDelimiter = '~', aclDelimiter = '!' } = options
  const { name, carries, own } = VENDORS[vendor]
  const { tokenName = name, ignoreQueryString = vendor === 'cloudinary' } = options
  const escapeUrl = vendor === 'cloudinary' ? escapeToLower : options.escapeEarly ? escapeEarly : (text: string) => text
  const escapeAcl = vendor === 'cloudinary' ? (acl: string) => asClientsSend(escapeToLower(acl)) : asClientsSend
  // Without its delimiter, a value cannot pass for another field.
  const escapeValue = (text: string): string =>
    (options.escapeEarly ? escapeEarly : escapeField)(text).replaceAll(fieldDelimiter, lowerCaseEscape(fieldDelimiter))

  /** The string to sign: the token, then the URL unless the token has an ACL, then the salt. */
  function stringToSign(token: string, url: string | undefined): string {
    const fields = [token]
    if (url !== undefined) fields.push(`url=${escapeUrl(url)}`)
    if (salt) fields.push(`salt=${salt}`)
    return fields.join(fieldDelimiter)
  }

  /** The ACL as text, if the link is to have one. */
  function aclOf({ acl }: AkamaiConditions, prefix: string | undefined, path: string): string | undefined {
    assertOption(acl === undefined || prefix === undefined, 'acl', 'left out with a prefix')
    if (acl !== undefined) return aclText(acl)
    const literal = prefix ?? (vendor === 'uploadcare' ? path : undefined)
    if (literal === undefined) return undefined
    const isPlain = !/[*?#&]/.test(literal) && !literal.includes(aclDelimiter) && !literal.includes(fieldDelimiter)
    assertOption(
      isPlain,
      prefix ? 'prefix' : 'url',
      `without '*', '?', '&', '${aclDelimiter}' and '${fieldDelimiter}', which mean something in a token`,
    )
    return aclText(prefix ? patternsOf(prefix) : literal)
  }

  function aclText(acl: string | readonly string[]): string {
    const isPattern = (each: unknown) => typeof each === 'string' && /^[^#&]+$/.test(each) && !each.includes(fieldDelimiter)
    const list = typeof acl === 'string' ? acl.split(aclDelimiter) : acl
    const isList = Array.isArray(list) && list.length > 0 && list.every((each) => isPattern(each) && !each.includes(aclDelimiter))
    assertOption(
      isList,
      'acl',
      `a pattern such as '/videos/*', or a list of them, without '#', '&', '${aclDelimiter}' and '${fieldDelimiter}'`,
    )
    return escapeAcl(list.join(aclDelimiter))
  }

  /** The part of a URL that a link without an ACL is for. */
  const resourceOf = (path: string, query: string): string => (ignoreQueryString || query === '?' ? path : path + query)

  return {
    name: 'akamai',
    carries,
    own,
    covers: ['path', 'expires', ...carries],
    parameters: [tokenName],
    reads: ['headers', 'cookies'],
    algorithm: { hmac: algorithm === 'sha1' ? 'SHA-1' : 'SHA-256', encoding: 'hex' },
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: withHexSecret }),

    write({ url, parts, expires, starts, ip, prefix, id, own }) {
      assertOption(own.data === undefined || typeof own.data === 'string', 'data', 'text')
      assertOption(!ip || /^[\da-f.:]+$/i.test(ip), 'ip', 'one address, without a length')
      const sent = parts.origin + asClientsSend(url.slice(parts.origin.length))
      const { path, query } = split(sent)
      const acl = aclOf(own, prefix, path)
      const fields = [
        ip && `ip=${vendor === 'akamai' && options.escapeEarly ? escapeEarly(ip) : ip}`,
        starts && `st=${starts}`,
        `exp=${expires}`,
        acl && `acl=${acl}`,
        id && `id=${escapeValue(id)}`,
        own.data && `data=${escapeValue(own.data)}`,
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
      if (!timed || token.signature.length !== (algorithm === 'sha1' ? 40 : 64) || rest.path[0] !== '/') return { malformed: tokenName }
      const resource = acl ? rest.path : resourceOf(rest.path, rest.query)
      // Cloudinary escapes the slashes of an ACL.
      const patterns = acl && (vendor === 'cloudinary' ? plain(acl) : acl).split(aclDelimiter)
      const prefix = patterns && prefixOf(patterns)
      return {
        claims: {
          resource,
          expires: new Date(+(exp as string) * 1000),
          ...(st && { starts: new Date(+st * 1000) }),
          ...(ip && { ip: plain(ip) }),
          ...(prefix && { prefix }),
          ...(id && { id: plain(id) }),
          ...(data && { data: plain(data) }),
        },
        signature: token.signature,
        toSign: () =>
          sentOrTyped(
            stringToSign(token.text, acl ? undefined : resource),
            stringToSign(asTyped(token.text), acl ? undefined : asTyped(resource)),
          ),
        // When it is asked for, because comparing takes time and only signed patterns are worth it.
        get opens() {
          return !patterns || opensPath(patterns, rest.path)
        },
      }
    },
  }
}

/** A field without its escapes. */
const plain = (field: string): string => decodeValue(field) ?? field

function assertOptions(options: AkamaiOptions): void {
  assertKnownOptions(options, OPTIONS, 'akamai()')
  const { vendor = 'akamai', tokenName = 'x', algorithm = 'sha256', salt = 'x', fieldDelimiter = '~', aclDelimiter = '!' } = options
  const { escapeEarly = false, ignoreQueryString = false } = options
  assertOption(Object.hasOwn(VENDORS, vendor), 'vendor', "'akamai', 'cloudinary' or 'uploadcare'")
  assertOption(typeof tokenName === 'string' && /^[\w.-]+$/.test(tokenName), 'tokenName', "a name of letters, digits, '_', '.' and '-'")
  assertOption(algorithm === 'sha256' || algorithm === 'sha1', 'algorithm', 'sha256 or sha1, because WebCrypto has no HMAC with MD5')
  assertOption(typeof salt === 'string' && salt && !/\p{Surrogate}/u.test(salt), 'salt', 'text, or left out')
  assertOption(typeof escapeEarly === 'boolean', 'escapeEarly', 'true or false')
  assertOption(typeof ignoreQueryString === 'boolean', 'ignoreQueryString', 'true or false')
  const isDelimiter = (text: unknown) => typeof text === 'string' && /^[~!|,;]$/.test(text)
  assertOption(isDelimiter(fieldDelimiter), 'fieldDelimiter', 'one of ~ ! | , ;')
  assertOption(
    isDelimiter(aclDelimiter) && aclDelimiter !== fieldDelimiter,
    'aclDelimiter',
    'one of ~ ! | , ;, and another one than fieldDelimiter',
  )
}
