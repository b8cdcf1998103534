// thumbor: signed URLs of Thumbor, https://thumbor.readthedocs.io/en/latest/security.html
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSentToVendor } from '../lib/canonical.ts'
import { LONGEST, split } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'

/** The signature with its padding, which Thumbor also accepts escaped. Options and image follow. */
const SIGNED = /^\/([\w-]{27})(?:=|%3D)\/(.+)$/s
/** A signature without its padding, or with nothing after it. */
const BROKEN = /^\/[\w-]{27}(?:=|%3d)?\//i

/** The string to sign: everything after the slash that follows the signature. */
const stringToSign = (optionsAndImage: string, query: string): string => optionsAndImage + query

/**
 * Links of the image service Thumbor: `/<signature>/<options>/<image>`. The signature is the base64url HMAC-SHA-1 of the path after it, and the query.
 *
 * The signature covers the path and the query. It does not cover the host. These links never expire, so `expires` is always `'never'`.
 *
 * As with Thumbor, every refusal is a 400, except a 405 for the wrong method.
 *
 * @see https://thumbor.readthedocs.io/en/latest/security.html
 * @param keys - The `SECURITY_KEY` of the server, as text.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { thumbor } from 'securelink/schemes/thumbor'
 *
 * const links = thumbor({ secret: 'my-security-key' })
 * const link = await sign(links, 'https://thumbor.example/300x200/smart/my.server.com/image.jpg', { expires: 'never' })
 * ```
 */
export function thumbor(keys: Keys<SecretKey>): Scheme<never, object, 'none'> {
  return {
    name: 'thumbor',
    carries: [],
    covers: ['path', 'query'],
    parameters: [],
    algorithm: { hmac: 'SHA-1', encoding: 'base64url' },
    expiry: 'none',
    status: { unsigned: 400, bad_signature: 400, key_expired: 400, revoked: 400, too_early: 400 },
    keys: keyring(keys, { prepare: withCleanSecret }),

    write({ url, parts }) {
      const { origin, path, query, fragment } = split(asSentToVendor(url, parts))
      const optionsAndImage = path.slice(1)
      assertOption(optionsAndImage, 'url', 'one whose path has the options and the image')
      return {
        toSign: stringToSign(optionsAndImage, query),
        link: (signature) => `${origin}/${signature}=/${optionsAndImage}${query}${fragment}`,
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const [, signature, optionsAndImage] = SIGNED.exec(path) ?? []
      if (!signature || !optionsAndImage) return BROKEN.test(path) ? 'malformed' : 'unsigned'
      return {
        claims: { resource: `${origin}/${optionsAndImage}${query}`, expires: new Date(ENDLESS * 1000), endless: true },
        signature,
        toSign: () => stringToSign(optionsAndImage, query),
      }
    },
  }
}
