// cloudflareImages: private images of Cloudflare Images, https://developers.cloudflare.com/images/manage-images/serve-images/serve-private-images/
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { asSentToVendor } from '../lib/canonical.ts'
import { LONGEST, split, takeParameters } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { type PhpParameter, phpEncoded, phpParameters } from './shared/php-query.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

const NAMES = ['exp', 'sig'] as const

/** The string to sign: path and query, with `exp` and without `sig`. */
const stringToSign = (path: string, query: string): string => `${path}?${query}`

/**
 * Links to private images of Cloudflare Images: `exp` and `sig`, the hex HMAC-SHA-256 of path and query.
 *
 * The signature covers the path and all parameters, in their order. It does not cover the host.
 *
 * `sign` writes the parameters of the URL as `URLSearchParams` does, because Cloudflare's example does so.
 *
 * @see https://developers.cloudflare.com/images/manage-images/serve-images/serve-private-images/
 * @param keys - The signing key of the account, as text.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { cloudflareImages } from 'securelink/schemes/cloudflare-images'
 *
 * const links = cloudflareImages({ secret: 'the signing key of the account' })
 * const link = await sign(links, 'https://imagedelivery.net/cheeW4oKsx5ljh8e8BoL2A/bc27a117-9509-446b-8c69-c81bfeac0a01/mobile', { expires: '1h' })
 * ```
 */
export function cloudflareImages(keys: Keys<SecretKey>): Scheme<never, object, 'required'> {
  return {
    name: 'cloudflare-images',
    carries: [],
    covers: ['path', 'query', 'expires'],
    parameters: NAMES,
    algorithm: { hmac: 'SHA-256', encoding: 'hex' },
    keys: keyring(keys, { prepare: withCleanSecret }),

    write({ url, parts, expires }) {
      assertDelivered(parts.origin)
      const { origin, path } = split(asSentToVendor(url, parts))
      const query = [...phpParameters(parts.query).map(printed), `exp=${expires}`].join('&')
      return {
        toSign: stringToSign(path, query),
        link: (signature) => `${origin}${path}?${query}&sig=${signature}${parts.fragment}`,
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const { values, others, twice } = takeParameters(query, NAMES)
      const { exp, sig } = values
      if (exp === undefined && sig === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      // Both in their plain spelling, because it is signed.
      const pieces = query.slice(1).split('&')
      if (!exp || !/^[1-9]\d{0,10}$/.test(exp) || !pieces.includes(`exp=${exp}`)) return { malformed: 'exp' }
      if (sig?.length !== 64 || !pieces.includes(`sig=${sig}`)) return { malformed: 'sig' }
      if (path[0] !== '/') return 'malformed'
      const signed = pieces.filter((piece) => piece !== `sig=${sig}`).join('&')
      return {
        claims: { resource: origin + path + others, expires: new Date(+exp * 1000) },
        signature: sig,
        toSign: () => stringToSign(path, signed),
      }
    },
  }
}

/** `URLSearchParams` prints all characters as PHP does, except `*`. */
function printed({ piece }: PhpParameter): string {
  const equals = piece.indexOf('=')
  const [name, value] = equals < 0 ? [piece, ''] : [piece.slice(0, equals), piece.slice(equals + 1)]
  return `${phpEncoded(name)}=${phpEncoded(value)}`.replaceAll('%2A', '*')
}
