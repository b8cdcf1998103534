// cloudinary: signed delivery URLs of Cloudinary, https://cloudinary.com/documentation/delivery_url_signatures
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import { type Algorithm, type Message, type Reading, type Scheme, SECRET, type Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { LONGEST, split } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { deliveredUrl } from './shared/edge-token.ts'
import { withKnownSecret } from './shared/known-secret.ts'
import { digestWith } from './shared/sha-digest.ts'

/** Options of {@link cloudinary}. Signer and verifier need the same ones. */
export interface CloudinaryOptions {
  /** As `signature_algorithm` of Cloudinary's libraries. Default: `'sha1'`. */
  readonly signatureAlgorithm?: 'sha1' | 'sha256'
  /** As `long_url_signature` of Cloudinary's libraries: 32 characters of SHA-256 in place of 8. Default: `false`. */
  readonly longUrlSignature?: boolean
  /**
   * What stands before the signature, which does not cover it: `/demo/image/upload/`. `verify` refuses all other paths as `wrong_path`. Without it,
   * `sign` finds the resource type and the delivery type in the URL.
   */
  readonly base?: string
}

const DIGESTS = { sha1: /* @__PURE__ */ digestWith('SHA-1'), sha256: /* @__PURE__ */ digestWith('SHA-256') } as const

/** The string to sign: the path after the signature, without its first slash, and the API secret. */
const stringToSign = (path: string): Message => ({ pieces: [path.slice(1), SECRET] })

// Delivery types that have a suffix for search engines after the public id.
const SUFFIXED = /\/(?:images|videos|files|private_images|authenticated_images)$/
/** A suffix, and the extension that follows it. It is not signed, so it has no escaped slash, which some servers decode. */
const SUFFIX = /\/(?![^/.]*%(?:2f|5c))[^/.]+(\.[^/]+)?$/i
/** A cloud name on shared hosts; resource type and delivery type, or one word for both. */
const FRONT =
  /^(?:\/(?!\.)[\w.~-]+){0,2}?\/(?:(?:image|video|raw)\/[a-z_]+|iu|images|videos|files|private_images|authenticated_images)(?=\/)/
// The names of parameters in transformations: `c_fill,w_100`, and variables such as `$size_10`.
const PARAMETER =
  /^(?:a|ac|af|ar|b|bl|bo|br|c|co|cs|d|dl|dn|dpr|du|e|eo|f|fl|fn|fps|g|h|if|ki|l|o|p|pg|q|r|so|sp|t|u|vc|vs|w|x|y|z|\$[A-Za-z]\w*)_./s

/**
 * Signed delivery URLs of Cloudinary: `s--…--` in the path, the first characters of a plain SHA-1 or SHA-256 over transformation, public id and
 * API secret.
 *
 * The signature covers the path after it, without the version. It does not cover host, cloud name, resource type and delivery type: fix these
 * with the option `base`. The links never expire.
 *
 * @see https://cloudinary.com/documentation/delivery_url_signatures
 * @param keys - API secrets, as text; the first one that is valid now signs, all of them verify, and an empty list only reads links.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { cloudinary } from 'securelink/schemes/cloudinary'
 *
 * const links = cloudinary({ secret: 'the API secret' }, { longUrlSignature: true })
 * const link = await sign(links, 'https://res.cloudinary.com/demo/image/authenticated/c_fill,w_300/cat.jpg', { expires: 'never' })
 * ```
 */
export function cloudinary(keys: Keys<SecretKey>, options: CloudinaryOptions = {}): Scheme<never, object, 'none'> {
  assertOptions(options)
  const { signatureAlgorithm = 'sha1', longUrlSignature = false, base } = options
  const [characters, bytes] = longUrlSignature ? [32, 24] : [8, 6]
  const algorithm: Algorithm = { digest: DIGESTS[longUrlSignature ? 'sha256' : signatureAlgorithm], encoding: 'base64url', bytes }

  return {
    name: 'cloudinary',
    carries: [],
    covers: ['path'],
    parameters: [],
    algorithm,
    expiry: 'none',
    keys: keyring(keys, { prepare: (key) => withCleanSecret(withKnownSecret(key)) }),

    write({ url, parts }) {
      const { origin, path, query, fragment } = split(deliveredUrl(url, parts))
      const front = base === undefined ? FRONT.exec(path)?.[0] : base.slice(0, -1)
      const rest = front !== undefined && path.startsWith(`${front}/`) ? path.slice(front.length) : ''
      const [signed = ''] = signedPaths(front ?? '', rest)
      assertOption(
        /^\/[^/]/.test(signed),
        'url',
        "one with a public id after the delivery type, or after base, such as '/demo/image/upload/cat.jpg'",
      )
      return { toSign: stringToSign(signed), link: (signature) => `${origin}${front}/s--${signature}--${rest}${query}${fragment}` }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path } = split(url)
      const [, front = '', signature = '', rest = ''] = /^(.*?)\/s--([^/]*)--(\/.*)?$/s.exec(path) ?? []
      if (!signature) return 'unsigned'
      const signed = signedPaths(front, rest)
      // In front of images on the root path there is a cloud name, or nothing.
      const isFront = base !== undefined || /^(?:\/(?!\.)[\w.~-]+)?$/.test(front) || FRONT.exec(`${front}/`)?.[0] === front
      const isReadable = isFront && signature.length === characters && /^[\w-]+$/.test(signature)
      if (!isReadable || !signed.every((each) => /^\/[^/]/.test(each))) return 'malformed'
      const withVersion = origin + front + rest
      return {
        claims: { resource: origin + front + withoutVersion(rest), expires: new Date(ENDLESS * 1000), endless: true },
        signature,
        toSign: () => signed.map(stringToSign),
        proves: (_, which) => (which === 1 ? { resource: withVersion } : {}),
        opens: base === undefined || `${front}/` === base,
      }
    },
  }
}

/** The path after the signature as it is signed: Cloudinary's libraries leave out the version, and its page signs it as well. */
function signedPaths(front: string, rest: string): readonly string[] {
  const path = SUFFIXED.test(front) ? rest.replace(SUFFIX, '$1') : rest
  const shorter = withoutVersion(path)
  return shorter === path ? [path] : [shorter, path]
}

/**
 * A path without its version, which follows the transformations and precedes the public id. Each segment is tested separately: a single regular
 * expression would try every `_` of names such as `$a_b_c` in every segment, and a forged path could keep the server busy for hours.
 */
function withoutVersion(path: string): string {
  const [front = '', ...segments] = path.split('/')
  const isTransformation = (segment: string) => segment.split(',').every((each) => PARAMETER.test(each))
  const at = segments.findIndex((segment) => !isTransformation(segment))
  const isVersion = /^v\d+$/.test(segments[at] ?? '') && at < segments.length - 1
  return isVersion ? [front, ...segments.slice(0, at), ...segments.slice(at + 1)].join('/') : path
}

function assertOptions(options: CloudinaryOptions): void {
  const { signatureAlgorithm = 'sha1', longUrlSignature = false, base = '/' } = options
  assertKnownOptions(options, ['signatureAlgorithm', 'longUrlSignature', 'base'], 'cloudinary()')
  assertOption(Object.hasOwn(DIGESTS, signatureAlgorithm), 'signatureAlgorithm', "'sha1' or 'sha256'")
  assertOption(typeof longUrlSignature === 'boolean', 'longUrlSignature', 'true or false')
  assertOption(/^\/((?!\.)[\w.~-]+\/)*$/.test(base), 'base', "plain segments between slashes, such as '/demo/image/upload/'")
}
