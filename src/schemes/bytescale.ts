// bytescale: signed URLs of Bytescale, https://www.bytescale.com/docs/secure-urls/signed-urls
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSentToVendor } from '../lib/canonical.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, LONGEST, type Parts, split, takeParameters } from '../lib/url.ts'
import { withBase64Secret } from './shared/encoded-key.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

/** An API key of Bytescale, for its signed URLs. */
export interface BytescaleKey extends SecretKey {
  /** The id of the API key, which the link shows. */
  readonly id: string
}

const NAMES = ['exp', 'sig'] as const
/** Version, id of the API key, signature. */
const SIGNATURE = /^1\.(\w+)\.([\w-]{43})$/

/** The string to sign: the URL without its scheme, with `exp`, and without `sig`. */
const stringToSign = ({ origin, path }: Parts, query: string): string => normalOrigin(origin).replace(/^.*:\/\//, '') + path + query

/**
 * Signed URLs of Bytescale: `exp` and `sig=1.<id of the API key>.<signature>`, the base64url HMAC-SHA-256 of the URL without its scheme.
 *
 * The signature covers host, path and query. Links can be without an expiry: `expires: 'never'` writes `exp=inf`.
 *
 * @see https://www.bytescale.com/docs/secure-urls/signed-urls
 * @param keys - API keys with their id and their "Secure URL Key" in base64; the link's id picks the one that verifies.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, or one that is not base64; `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { bytescale } from 'securelink/schemes/bytescale'
 *
 * const links = bytescale({ id: 'BMCyGyFk', secret: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' })
 * const link = await sign(links, 'https://upcdn.io/W142hJk/image/uploads/photo.jpg?w=800', { expires: '1h' })
 * ```
 */
export function bytescale(keys: Keys<BytescaleKey>): Scheme<never, object, 'optional'> {
  return {
    name: 'bytescale',
    carries: [],
    covers: ['host', 'path', 'query', 'expires'],
    parameters: NAMES,
    algorithm: { hmac: 'SHA-256', encoding: 'base64url' },
    expiry: 'optional',
    keys: keyring(keys, { prepare: withIdAndBytes }),

    write({ url, parts, expires }, key) {
      assertDelivered(parts.origin)
      assertOption(parts.origin, 'url', 'absolute: the signature covers the host')
      assertOption(expires === undefined || /^\d{10}$/.test(`${expires}`), 'expires', "'never', or a time from the year 2001 to 2286")
      const dated = append(asSentToVendor(url, parts), `exp=${expires ?? 'inf'}`)
      const sent = split(dated)
      return {
        toSign: stringToSign(sent, sent.query),
        link: (signature) => append(dated, `sig=1.${key.id}.${signature}`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, others, twice } = takeParameters(parts.query, NAMES)
      const { exp, sig } = values
      if (exp === undefined && sig === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      const expires = exp && parts.query.slice(1).split('&').includes(`exp=${exp}`) ? timeOf(exp) : undefined
      if (!expires) return { malformed: 'exp' }
      const [, id, signature] = SIGNATURE.exec(sig ?? '') ?? []
      // Bytescale writes `sig` after all other parameters.
      if (!id || !signature || !parts.query.endsWith(`&sig=${sig}`)) return { malformed: 'sig' }
      if (parts.path[0] !== '/') return 'malformed'
      const signed = parts.query.slice(0, -`&sig=${sig}`.length)
      return {
        claims: {
          resource: parts.origin + parts.path + others,
          expires,
          ...(exp === 'inf' && { endless: true as const }),
          keyId: id,
        },
        signature,
        // The host is signed, so a link without its host cannot match.
        toSign: () => (parts.origin ? stringToSign(parts, signed) : undefined),
      }
    },
  }
}

/** An expiry: `inf`, seconds or milliseconds. */
function timeOf(exp: string): Date | undefined {
  if (exp === 'inf') return new Date(ENDLESS * 1000)
  if (!/^[1-9]\d{9}(\d{3})?$/.test(exp)) return undefined
  return new Date(exp.length === 10 ? +exp * 1000 : +exp)
}

function withIdAndBytes(key: BytescaleKey): BytescaleKey {
  assertOption(/^\w+$/.test(key.id ?? ''), 'id', 'the id of the API key, of letters and digits: bytescale() takes keys as { id, secret }')
  return withBase64Secret(key)
}
