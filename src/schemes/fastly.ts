// fastly: the recipe of Fastly for tokens in VCL, https://github.com/fastly/token-functions
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { asSentToVendor } from '../lib/canonical.ts'
import { append, LONGEST, split, takeParameters } from '../lib/url.ts'
import { withBase64Secret } from './shared/encoded-key.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

const NAMES = ['token'] as const
// The VCL also takes eleven digits. Then a digit could move from the path to the expiry.
const EXPIRY_AND_SIGNATURE = /^([1-9]\d{9})_([\da-f]{40})$/
/** The VCL looks for this in the query, and takes the last one, even as the end of a name such as `mytoken`. */
const SOUGHT = /token=\d{10,11}_/g

/** The string to sign. The expiry has ten digits always. */
const stringToSign = (path: string, expires: string): string => path + expires

/**
 * Links for the token recipe of Fastly: `token=<expiry>_<signature>`, the hex HMAC-SHA-1 of path and expiry.
 *
 * The signature covers the path and the expiry. It does not cover host and query. As in the recipe, a malformed link is refused with 403.
 *
 * @see https://github.com/fastly/token-functions
 * @param keys - The key of the VCL, in base64.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key that is not base64, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { fastly } from 'securelink/schemes/fastly'
 *
 * const links = fastly({ secret: 'iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=' })
 * const link = await sign(links, 'https://www.example.com/foo/bar.html', { expires: '14d' })
 * ```
 */
export function fastly(keys: Keys<SecretKey>): Scheme<never, object, 'required'> {
  return {
    name: 'fastly',
    carries: [],
    covers: ['path', 'expires'],
    parameters: NAMES,
    algorithm: { hmac: 'SHA-1', encoding: 'hex' },
    status: { malformed: 403 },
    keys: keyring(keys, { prepare: withBase64Secret }),

    write({ url, parts, expires }) {
      assertDelivered(parts.origin)
      assertOption(/^\d{10}$/.test(`${expires}`), 'expires', 'a time of ten digits, from the year 2001 to 2286')
      const sent = asSentToVendor(url, parts)
      const { path, query } = split(sent)
      assertOption(
        !query.match(SOUGHT),
        'url',
        "one whose query has no other 'token=' with an expiry: the VCL would mistake it for the token",
      )
      return {
        toSign: stringToSign(path, `${expires}`),
        link: (signature) => append(sent, `token=${expires}_${signature}`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const { values, twice } = takeParameters(query, NAMES)
      const { token } = values
      if (token === undefined) return 'unsigned'
      const [, expires, signature] = EXPIRY_AND_SIGNATURE.exec(token) ?? []
      // The VCL does not recognise a token with escapes.
      const isPlain = query.slice(1).split('&').includes(`token=${token}`)
      const isOnly = !twice && query.match(SOUGHT)?.length === 1
      if (!expires || !signature || !isPlain || !isOnly || path[0] !== '/') return { malformed: 'token' }
      return {
        claims: { resource: origin + path, expires: new Date(+expires * 1000) },
        signature,
        toSign: () => stringToSign(path, expires),
      }
    },
  }
}
