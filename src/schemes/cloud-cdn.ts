// cloudCdn: signed URLs and cookies of Google Cloud CDN, https://cloud.google.com/cdn/docs/using-signed-urls
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, LONGEST, split, takeParameters } from '../lib/url.ts'
import { asClientsSend, asTyped, cookiesOf, type HeaderReader, sentOrTyped } from './shared/edge-token.ts'
import { withBase64Secret } from './shared/encoded-key.ts'
import { decodePrefix, encodePrefix, opensUrl } from './shared/url-prefix.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

/** A key of a backend. */
export interface CloudCdnKey extends SecretKey {
  /** The name of the key, which the link shows. */
  readonly id: string
}

/** Options of {@link cloudCdn}. */
export interface CloudCdnOptions {
  /** `'cookie'`: `sign` returns the cookie, as `name=value`, instead of a link; it needs a `prefix`. `verify` reads both. Default: `'query'`. */
  readonly placement?: 'query' | 'cookie'
}

const NAMES = ['URLPrefix', 'Expires', 'KeyName', 'Signature'] as const
const COOKIE = 'Cloud-CDN-Cookie'

/** The fields as they stand at the end of a URL, or make up the cookie. */
const FIELDS = {
  '&': /(?:^|[?&])((?:URLPrefix=([\w-]+={0,2})&)?Expires=([1-9]\d{0,10})&KeyName=([\w.-]+))&Signature=([\w-]{27})=$/,
  ':': /^((?:URLPrefix=([\w-]+={0,2}):)Expires=([1-9]\d{0,10}):KeyName=([\w.-]+)):Signature=([\w-]{27})=$/,
} as const

/** The string to sign: the URL up to the name of the key, or the fields alone if one of them is a prefix. */
const stringToSign = (url: string, fields: string): string => (fields.startsWith('URLPrefix=') ? fields : url)

/**
 * Signed URLs and signed cookies of Google Cloud CDN. A URL is covered as a whole, scheme and host included. With `prefix` a link covers scheme, host and
 * the beginning of the path, and `verify` accepts the same fields in the cookie `Cloud-CDN-Cookie`.
 *
 * As with Cloud CDN, every refusal is a 403, except a 405 for the wrong method. Cloud CDN itself passes requests without a signature on to the origin,
 * so the origin has to refuse them.
 *
 * @see https://cloud.google.com/cdn/docs/using-signed-urls
 * @param keys - Keys of the backend, as base64url with their names: the first one that is valid now signs, the link's `KeyName` picks the one that
 *   verifies, and an empty list only reads links.
 * @param options - Where `sign` writes the fields.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without a name or that is not base64url, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { cloudCdn } from 'securelink/schemes/cloud-cdn'
 *
 * const links = cloudCdn({ id: 'my-key', secret: 'nZtRohdNF9m3cKM24IcK4w==' })
 * const link = await sign(links, 'https://cdn.example/a.txt', { expires: '10m' })
 * ```
 */
export function cloudCdn(keys: Keys<CloudCdnKey>, options: CloudCdnOptions = {}): Scheme<'prefix', object, 'required'> {
  assertKnownOptions(options, ['placement'], 'cloudCdn()')
  const { placement = 'query' } = options
  assertOption(placement === 'query' || placement === 'cookie', 'placement', "'query' or 'cookie'")
  return {
    name: 'cloud-cdn',
    carries: ['prefix'],
    covers: ['scheme', 'host', 'path', 'prefix', 'expires', 'key'],
    parameters: NAMES,
    reads: ['cookies'],
    algorithm: { hmac: 'SHA-1', encoding: 'base64url' },
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: withName }),

    write({ parts, expires, prefix }, { id }) {
      assertDelivered(parts.origin)
      assertOption(parts.origin, 'url', 'absolute, because scheme and host are covered')
      const origin = normalOrigin(parts.origin)
      const sent = origin + asClientsSend(parts.path + parts.query)
      const scope = prefix ? `URLPrefix=${padded(encodePrefix(origin, prefix))}&` : ''
      const fields = `${scope}Expires=${expires}&KeyName=${id}`
      if (placement === 'cookie') {
        assertOption(prefix, 'prefix', 'given: the cookie is for a prefix')
        const cookie = fields.replaceAll('&', ':')
        return { toSign: cookie, link: (signature) => `${COOKIE}=${cookie}:Signature=${signature}=` }
      }
      return {
        toSign: stringToSign(append(sent, fields), fields),
        link: (signature) => append(sent + asClientsSend(parts.fragment), `${fields}&Signature=${signature}=`),
      }
    },

    // The separators are signed, so a link cannot be turned into a cookie. With `placement: 'cookie'`, `sign` returns a cookie.
    cookies: (link) => (link.startsWith(`${COOKIE}=`) ? [{ name: COOKIE, value: link.slice(COOKIE.length + 1) }] : undefined),

    read(url, header): Reading | Unreadable {
      if (url.length > LONGEST || /\p{Surrogate}/u.test(url)) return 'malformed'
      const parts = split(url)
      const { values, twice } = takeParameters(parts.query, NAMES)
      if (twice) return { malformed: twice }
      const inUrl = values.Signature !== undefined || values.KeyName !== undefined || values.URLPrefix !== undefined
      return inUrl ? readUrl(url, values.URLPrefix !== undefined) : readCookie(url, header)
    },
  }
}

/** To name the field that is wrong. */
const FORMS = { Expires: /[?&]Expires=[1-9]\d{0,10}(?:&|$)/, KeyName: /[?&]KeyName=[\w.-]+(?:&|$)/ }

/** The fields must be the last ones of a URL, in their order. */
function readUrl(url: string, hasPrefix: boolean): Reading | Unreadable {
  const [end = '', fields = '', urlPrefix, expires = '', keyId = '', signature = ''] = FIELDS['&'].exec(url) ?? []
  if (!signature) return { malformed: Object.entries(FORMS).find(([, form]) => !form.test(url))?.[0] ?? 'Signature' }
  if (hasPrefix && !urlPrefix) return { malformed: 'URLPrefix' }
  const signed = url.slice(0, url.length - `&Signature=${signature}=`.length)
  return reading(url.slice(0, url.length - end.length), signed, { fields, urlPrefix, expires, keyId, signature })
}

/** A cookie always has a prefix. */
function readCookie(url: string, header?: HeaderReader): Reading | Unreadable {
  const [cookie, second] = cookiesOf(COOKIE, header)
  if (cookie === undefined) return 'unsigned'
  const [, fields = '', urlPrefix = '', expires = '', keyId = '', signature = ''] = (second === undefined && FIELDS[':'].exec(cookie)) || []
  if (!signature) return { malformed: COOKIE }
  return reading(url, fields, { fields, urlPrefix, expires, keyId, signature })
}

/** The fields of a link. */
interface Fields {
  /** As they stand, without the signature. */
  readonly fields: string
  readonly urlPrefix: string | undefined
  readonly expires: string
  readonly keyId: string
  readonly signature: string
}

function reading(url: string, signed: string, { fields, urlPrefix, expires, keyId, signature }: Fields): Reading | Unreadable {
  const parts = split(url)
  const prefix = urlPrefix === undefined ? undefined : decodePrefix(urlPrefix)
  if (urlPrefix !== undefined && !prefix) return { malformed: 'URLPrefix' }
  if (parts.path[0] !== '/') return 'malformed'
  const text = stringToSign(signed, fields)
  return {
    // The query is not covered with a prefix.
    claims: {
      resource: prefix ? parts.origin + parts.path : url,
      expires: new Date(+expires * 1000),
      ...(prefix && { prefix: prefix.path }),
      keyId,
    },
    signature,
    // Google's samples sign unescaped text, and clients escape it before they send it.
    toSign: () => (parts.origin ? sentOrTyped(text, asTyped(text)) : undefined),
    opens: !prefix || opensUrl(prefix, parts),
  }
}

const padded = (base64: string): string => base64.padEnd(Math.ceil(base64.length / 4) * 4, '=')

function withName(key: CloudCdnKey): CloudCdnKey {
  const isName = typeof key.id === 'string' && /^[\w.-]+$/.test(key.id)
  assertOption(isName, 'id', 'the name of the key: cloudCdn() takes keys as { id, secret }')
  return withBase64Secret(key)
}
