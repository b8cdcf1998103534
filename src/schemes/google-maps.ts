// googleMaps: digital signatures of the Google Maps Platform, https://developers.google.com/maps/documentation/maps-static/digital-signature
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSent } from '../lib/canonical.ts'
import { append, LONGEST, split, takeParameters } from '../lib/url.ts'
import { withBase64Secret } from './shared/encoded-key.ts'

/** Base64url with its padding. */
const SIGNATURE = /^([\w-]{27})=$/

/** The string to sign: path and query, without the signature. */
const stringToSign = (path: string, query: string): string => path + query

/**
 * Signed requests for Google's Maps Static, Street View and other services: `signature`, the base64url HMAC-SHA-1 of path and query.
 *
 * The signature covers the path and the query, with its `key` or `client`. It does not cover the host. These links never expire, so `expires` is always
 * `'never'`. As with Google, a malformed link is refused with 403.
 *
 * @see https://developers.google.com/maps/documentation/maps-static/digital-signature
 * @param keys - The URL signing secret of the Google Cloud console, in base64url.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a secret that is not base64url, `weak_key` for an empty one.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { googleMaps } from 'securelink/schemes/google-maps'
 *
 * const links = googleMaps({ secret: 'vNIXE0xscrmjlyV-12Nj_BvUPaw=' })
 * const url = 'https://maps.googleapis.com/maps/api/staticmap?center=Berlin&zoom=12&size=400x400&key=YOUR_API_KEY'
 * const link = await sign(links, url, { expires: 'never' })
 * ```
 */
export function googleMaps(keys: Keys<SecretKey>): Scheme<never, object, 'none'> {
  return {
    name: 'google-maps',
    carries: [],
    covers: ['path', 'query'],
    parameters: ['signature'],
    algorithm: { hmac: 'SHA-1', encoding: 'base64url' },
    expiry: 'none',
    status: { malformed: 403 },
    keys: keyring(keys, { prepare: withBase64Secret }),

    write({ url, parts }) {
      assertOption(parts.query.length > 1, 'url', 'one with a query: Google requires the parameter key or client')
      const sent = asSent(url, parts)
      const { path, query } = split(sent)
      return { toSign: stringToSign(path, query), link: (signature) => append(sent, `signature=${signature}=`) }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const { values, twice } = takeParameters(query, ['signature'])
      if (values.signature === undefined) return 'unsigned'
      const [, signature] = SIGNATURE.exec(values.signature) ?? []
      // Google's example appends it to a query.
      const [, signed] = /^(\?.+)&signature=[\w-]{27}(?:=|%3D)$/s.exec(query) ?? []
      if (twice || !signature || !signed) return { malformed: 'signature' }
      if (path[0] !== '/') return 'malformed'
      return {
        claims: { resource: origin + path + signed, expires: new Date(ENDLESS * 1000), endless: true },
        signature,
        toSign: () => stringToSign(path, signed),
      }
    },
  }
}
