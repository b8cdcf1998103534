// keycdn: Secure Token of KeyCDN, https://www.keycdn.com/support/secure-token
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import { type Algorithm, type Message, type Reading, type Scheme, SECRET, type Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSentToVendor } from '../lib/canonical.ts'
import { append, LONGEST, split, takeParameters } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { withKnownSecret } from './shared/known-secret.ts'
import { md5Digest } from './shared/plain-hash.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

/** Options of {@link keycdn}: how the zone is configured. */
export interface KeycdnOptions<Images extends boolean = boolean> {
  /** For a zone with Image Processing: its links cover the query and never expire. Default: `false`, the tokens of Access Control. */
  readonly imageProcessing?: Images
}

const ALGORITHM: Algorithm = { digest: md5Digest, encoding: 'base64url' }
const TOKEN_LENGTH = 22

/** The string of Access Control: path, secret, expiry. */
const stringToSign = (path: string, expire: string): Message => ({ pieces: [path, SECRET, expire] })

/** The string of Image Processing: path, query without its `?`, secret. */
const imageToSign = (path: string, query: string): Message => ({ pieces: [path, query, SECRET] })

// Path and query of an image are signed without a separator, so characters could move. So the path must end at the first image format that is
// followed by a parameter, or by nothing.
const IMAGE = /^.*?\.(?:jpe?g|png|gif|webp|avif|heic|tiff?|bmp|svg)(?=[\w.~-]{1,64}=|$)/is

/**
 * Links of KeyCDN's Secure Token: `token` and `expire`, the base64url MD5 of path, secret and expiry. With `imageProcessing`, only `token`, the MD5 of
 * path, query and secret.
 *
 * The signature covers path and expiry; with `imageProcessing` path and query. It does not cover the host. As with KeyCDN, a malformed link is refused
 * with 403.
 *
 * @see https://www.keycdn.com/support/secure-token
 * @param keys - The Secure Token Key of the zone, as text or bytes.
 * @param options - How the zone is configured.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong option and for a `CryptoKey`, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { keycdn } from 'securelink/schemes/keycdn'
 *
 * const links = keycdn({ secret: 'securetokenkey' })
 * const link = await sign(links, 'https://yourzone-id.kxcdn.com/path/to/file1.jpg', { expires: '90s' })
 * ```
 */
export function keycdn<const Images extends boolean = false>(
  keys: Keys<SecretKey>,
  options: KeycdnOptions<Images> = {},
): Scheme<never, object, Images extends true ? 'none' : 'required'> {
  assertKnownOptions(options, ['imageProcessing'], 'keycdn()')
  const { imageProcessing = false } = options
  assertOption(typeof imageProcessing === 'boolean', 'imageProcessing', 'true or false')
  const facts = {
    name: 'keycdn',
    carries: [],
    algorithm: ALGORITHM,
    status: { malformed: 403 },
    keys: keyring(keys, { prepare: (key) => withCleanSecret(withKnownSecret(key)) }),
  }
  return (imageProcessing ? { ...facts, ...IMAGE_PROCESSING } : { ...facts, ...ACCESS_CONTROL }) as ReturnType<typeof keycdn<Images>>
}

/** The differences between the two kinds of tokens. */
type Kind = Pick<Scheme, 'covers' | 'parameters' | 'expiry' | 'write' | 'read'>

const ACCESS_CONTROL: Kind = {
  covers: ['path', 'expires'],
  parameters: ['token', 'expire'],
  expiry: 'required',

  write({ url, parts, expires }) {
    assertDelivered(parts.origin)
    const sent = asSentToVendor(url, parts)
    return {
      toSign: stringToSign(split(sent).path, `${expires}`),
      link: (signature) => append(sent, `token=${signature}&expire=${expires}`),
    }
  },

  read(url): Reading | Unreadable {
    if (url.length > LONGEST) return 'malformed'
    const { origin, path, query } = split(url)
    const { values, twice } = takeParameters(query, ['token', 'expire'])
    const { token, expire } = values
    if (token === undefined && expire === undefined) return 'unsigned'
    if (twice) return { malformed: twice }
    if (!expire || !/^[1-9]\d{0,10}$/.test(expire) || !hasPlain(query, 'expire', expire)) return { malformed: 'expire' }
    if (token?.length !== TOKEN_LENGTH || !hasPlain(query, 'token', token)) return { malformed: 'token' }
    if (path[0] !== '/') return 'malformed'
    return {
      claims: { resource: origin + path, expires: new Date(+expire * 1000) },
      signature: token,
      toSign: () => stringToSign(path, expire),
    }
  },
}

const IMAGE_PROCESSING: Kind = {
  covers: ['path', 'query'],
  parameters: ['token'],
  expiry: 'none',

  write({ url, parts }) {
    assertDelivered(parts.origin)
    const sent = asSentToVendor(url, parts)
    const { path, query } = split(sent)
    assertOption(
      isImage(path, query.slice(1)),
      'url',
      "one whose path ends in the format of an image, such as '.jpg', and whose query begins with a name",
    )
    return { toSign: imageToSign(path, query.slice(1)), link: (signature) => append(sent, `token=${signature}`) }
  },

  read(url): Reading | Unreadable {
    if (url.length > LONGEST) return 'malformed'
    const { origin, path, query } = split(url)
    const { values, twice } = takeParameters(query, ['token'])
    const { token } = values
    if (token === undefined) return 'unsigned'
    // KeyCDN writes the token after all other parameters.
    const end = query.length - `&token=${token}`.length
    const isLast = /^[?&]token=/.test(query.slice(end)) && query.endsWith(token)
    if (twice || token.length !== TOKEN_LENGTH || !isLast) return { malformed: 'token' }
    const parameters = query.slice(1, Math.max(end, 1))
    if (path[0] !== '/' || !isImage(path, parameters)) return 'malformed'
    return {
      claims: { resource: origin + path + query.slice(0, end), expires: new Date(ENDLESS * 1000), endless: true },
      signature: token,
      toSign: () => imageToSign(path, parameters),
    }
  },
}

/** Would the path be the same without the `?`? */
const isImage = (path: string, parameters: string): boolean => IMAGE.exec(path + parameters)?.[0] === path

/** Does a parameter occur in the query without escapes? */
const hasPlain = (query: string, name: string, value: string): boolean => query.slice(1).split('&').includes(`${name}=${value}`)
