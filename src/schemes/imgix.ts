// imgix: signed URLs of imgix, https://docs.imgix.com/en-US/getting-started/setup/securing-assets
import { md5 } from '@noble/hashes/legacy.js'
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import { type Message, type Reading, type Scheme, SECRET, type Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { append, LONGEST, split, takeParameters } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { withoutUnsafe } from './shared/edge-token.ts'
import { withKnownSecret } from './shared/known-secret.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

const NAMES = ['expires', 's'] as const

const digest = (message: Uint8Array): Uint8Array => md5(message)

/** The string to sign: the token of the source, and the URL from its first slash on, without `s`. */
const stringToSign = (path: string, query: string): Message => ({ pieces: [SECRET, path + query] })

/**
 * Signed URLs of imgix: `s`, the hex MD5 of token, path and query, with or without `expires`.
 *
 * The signature covers the path and all parameters, in their order. It does not cover the host, because each source has a token of its own.
 * As with imgix, an expired link is a 404, and every other refusal a 403, except a 405 for the wrong method.
 *
 * @see https://docs.imgix.com/en-US/getting-started/setup/securing-assets
 * @param keys - Secure URL tokens of the source, as text; the first one that is valid now signs, all of them verify, and an empty list only reads
 *   links.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { imgix } from 'securelink/schemes/imgix'
 *
 * const links = imgix({ secret: 'the token of the source' })
 * const link = await sign(links, 'https://demo.imgix.net/cat.jpg?w=400&h=300', { expires: '1h' })
 * ```
 */
export function imgix(keys: Keys<SecretKey>): Scheme<never, object, 'optional'> {
  return {
    name: 'imgix',
    carries: [],
    covers: ['path', 'query', 'expires'],
    parameters: NAMES,
    algorithm: { digest, encoding: 'hex' },
    expiry: 'optional',
    status: { malformed: 403, expired: 404, key_expired: 404, revoked: 404 },
    keys: keyring(keys, { prepare: (key) => withCleanSecret(withKnownSecret(key)) }),

    write({ url, parts, expires }) {
      assertDelivered(parts.origin)
      assertOption(!parts.fragment, 'url', "without a '#': in the name of a file it is %23")
      // The packages of imgix leave a `'` of the query as it is.
      const sent = parts.origin + withoutUnsafe(url.slice(parts.origin.length))
      const expiring = expires === undefined ? sent : append(sent, `expires=${expires}`)
      const { path, query } = split(expiring)
      return { toSign: stringToSign(path, query), link: (signature) => append(expiring, `s=${signature}`) }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const { values, others, twice } = takeParameters(query, NAMES)
      const { expires, s } = values
      if (expires === undefined && s === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      if (expires !== undefined && !/^[1-9]\d{0,10}$/.test(expires)) return { malformed: 'expires' }
      // `s` must be last and without escapes, because everything before it is signed as it is.
      const signed = query.slice(0, -'?s='.length - 32)
      if (!s || !/^[\da-f]{32}$/.test(s) || ![`?s=${s}`, `${signed}&s=${s}`].includes(query)) return { malformed: 's' }
      if (path[0] !== '/') return 'malformed'
      const end = expires === undefined ? ENDLESS : +expires
      return {
        claims: {
          resource: origin + path + others,
          expires: new Date(end * 1000),
          ...(expires === undefined && { endless: true as const }),
        },
        signature: s,
        toSign: () => stringToSign(path, signed),
      }
    },
  }
}
