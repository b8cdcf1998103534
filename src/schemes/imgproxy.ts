// imgproxy: signed URLs of imgproxy, https://docs.imgproxy.net/usage/signing_url
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Message, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { LONGEST, split } from '../lib/url.ts'
import { asClientsSend } from './shared/edge-token.ts'
import { type SaltedKey, saltBytes, withSalt } from './shared/salted-key.ts'

/** A key of {@link imgproxy}. */
export interface ImgproxyKey extends SecretKey {
  /** `IMGPROXY_SALT`, in hex, or its bytes. Default: the option `salt`. */
  readonly salt?: string | Uint8Array
}

/** Options of {@link imgproxy}. Signer and verifier need the same ones. */
export interface ImgproxyOptions {
  /** The salt of keys that have none of their own. */
  readonly salt?: string | Uint8Array
  /** `IMGPROXY_SIGNATURE_SIZE`: the bytes of the signature that the link has. Default: 32, which is all. */
  readonly signatureSize?: number
  /** What stands before the signature: `IMGPROXY_PATH_PREFIX`, and `/info` for links to the information about an image. Default: nothing. */
  readonly pathPrefix?: string
}

/** The string to sign: the salt, and the path after the signature. */
const stringToSign = ({ salt }: SaltedKey, path: string): Message => ({ pieces: [salt, path] })

/**
 * Signed URLs of imgproxy: `/signature/options/source`, with the base64url HMAC-SHA-256 of salt and path, and with or without the option `exp`.
 *
 * The signature covers the path after it. It does not cover the host. imgproxy ignores the query.
 * A link is still valid in the second of its expiry. As with imgproxy, an expired link is a 404, and every other refusal a 403, except a 405 for the
 * wrong method.
 *
 * `sign` writes `exp` after the other options of the first pipeline, unless the URL has the same expiry already.
 *
 * @see https://docs.imgproxy.net/usage/signing_url
 * @param keys - Pairs of `IMGPROXY_KEY` and `IMGPROXY_SALT`, in hex: the first one that is valid now signs, all of them verify, and an empty list
 *   only reads links.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { imgproxy } from 'securelink/schemes/imgproxy'
 *
 * const links = imgproxy({ secret: '943b421c9eb07c830af81030552c8600', salt: '520f986b998545b4785e0defbc4f3c12' })
 * const link = await sign(links, 'https://img.example/rs:fit:300:300/plain/https://files.example/cat.jpg', { expires: '1h' })
 * ```
 */
export function imgproxy(keys: Keys<ImgproxyKey>, options: ImgproxyOptions = {}): Scheme<never, object, 'optional'> {
  assertOptions(options)
  const { signatureSize = 32, pathPrefix = '' } = options
  const signatureLength = Math.ceil((signatureSize * 4) / 3)
  // Copied here: keys that are looked up arrive later, and callers may have wiped their buffer by then.
  const salt = options.salt === undefined ? undefined : saltBytes(options.salt)

  return {
    name: 'imgproxy',
    carries: [],
    covers: ['path', 'expires'],
    parameters: [],
    algorithm: { hmac: 'SHA-256', encoding: 'base64url', ...(signatureSize < 32 && { bytes: signatureSize }) },
    expiry: 'optional',
    validAtExpiry: true,
    status: { malformed: 403, expired: 404, key_expired: 404, revoked: 404 },
    keys: keyring(keys, { prepare: (key): SaltedKey => withSalt(key, salt) }),

    write({ url, parts, expires }, key: SaltedKey) {
      assertOption(!parts.query, 'url', "without a query, which imgproxy ignores; the '?' of a plain source is written as %3F")
      assertOption(parts.path.startsWith(`${pathPrefix}/`), 'url', 'one whose path begins with pathPrefix')
      const { origin, path, fragment } = split(parts.origin + asClientsSend(url.slice(parts.origin.length)))
      const target = path.slice(pathPrefix.length)
      assertOption(
        target === restored(target),
        'url',
        "one that imgproxy does not change: with ':' in options, and with ':/' only in the '://' of a plain source",
      )
      const { options, source } = takenApart(target)
      assertOption(source[0], 'url', "one with a source after its options, such as '/w:100/plain/https://files.example/cat.jpg'")
      const given = options.filter(isExpiry)
      const isSame = given.length === 0 || (given.length === 1 && timeOf(given[0]) === (expires ?? 0))
      assertOption(isSame, 'url', 'without the option exp, or with the time of the condition expires in it')
      const added = expires === undefined || given.length > 0 ? [] : [`exp:${expires}`]
      // Into the first pipeline, because versions of imgproxy without pipelines do not read the others.
      const end = options.includes('-') ? options.indexOf('-') : options.length
      const signed = `/${[...options.slice(0, end), ...added, ...options.slice(end), ...source].join('/')}`
      return { toSign: stringToSign(key, signed), link: (signature) => `${origin}${pathPrefix}/${signature}${signed}${fragment}` }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path } = split(url)
      if (!path.startsWith(`${pathPrefix}/`)) return 'unsigned'
      const [, signature = '', signed = ''] = /^\/([^/]+)(\/.+)$/s.exec(restored(path.slice(pathPrefix.length))) ?? []
      const { options, source } = takenApart(signed)
      if (signature.length !== signatureLength || !/^[\w-]+$/.test(signature))
        // Only a signature can precede an option or `plain`. A URL without a signature begins with one of these.
        return /^[^:]+$/.test(signature) && signature !== 'plain' && (options.length > 0 || source[0] === 'plain')
          ? 'malformed'
          : 'unsigned'

      const [expiry, second] = options.filter(isExpiry)
      const time = expiry === undefined ? 0 : timeOf(expiry)
      if (!source[0] || second !== undefined || time === undefined) return 'malformed'
      const others = options.filter((option) => !isExpiry(option))
      return {
        claims: {
          resource: `${origin}${pathPrefix}/${[...others, ...source].join('/')}`,
          expires: new Date((time || ENDLESS) * 1000),
          ...(!time && { endless: true as const }),
        },
        signature,
        toSign: (_, key) => stringToSign(key as SaltedKey, signed),
      }
    },
  }
}

/** The path as imgproxy checks it: some proxies write `:` as `%3A`, and `https://` of a plain source as `https:/`. */
function restored(path: string): string {
  const mark = path.indexOf('/plain/')
  const end = mark < 0 ? path.length : mark
  const options = path.slice(0, end).replaceAll('%3A', ':')
  const source = path
    .slice(end)
    .replace(/^\/plain\/([^\t\n\f\r ]+):\/(?=[^/])/, (front, scheme) => `${front}${scheme === 'local' ? '//' : '/'}`)
  return options + source
}

/** The options of a path and its source, which begins at the first segment without a colon. `-` stands between the pipelines of imgproxy Pro. */
function takenApart(path: string): { readonly options: readonly string[]; readonly source: readonly string[] } {
  const segments = path.slice(1).split('/')
  const source = segments.findIndex((segment) => !segment.includes(':') && segment !== '-')
  const end = source < 0 ? segments.length : source
  return { options: segments.slice(0, end), source: segments.slice(end) }
}

const isExpiry = (option: string): boolean => /^exp(ires)?:/.test(option)

/** The time of an option `exp`, in seconds since 1970. As with imgproxy, 0 is never. `undefined` for any other text. */
function timeOf(option = ''): number | undefined {
  const [, digits] = /^\w+:(0|[1-9]\d{0,10})$/.exec(option) ?? []
  return digits === undefined ? undefined : Number(digits)
}

function assertOptions(options: ImgproxyOptions): void {
  const { signatureSize = 32, pathPrefix = '' } = options
  assertKnownOptions(options, ['salt', 'signatureSize', 'pathPrefix'], 'imgproxy()')
  assertOption(Number.isInteger(signatureSize) && signatureSize >= 1 && signatureSize <= 32, 'signatureSize', 'a whole number from 1 to 32')
  assertOption(/^(\/(?!\.)[\w.~-]+)*$/.test(pathPrefix), 'pathPrefix', "plain segments, each after a slash, such as '/images'")
}
