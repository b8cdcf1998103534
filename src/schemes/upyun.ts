// upyun: token links of Upyun's CDN, https://help.upyun.com/knowledge-base/cdn-token-limite/
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import { type Algorithm, type Message, type Reading, type Scheme, SECRET, type Unreadable } from '../core/scheme.ts'
import { asSent } from '../lib/canonical.ts'
import { normalPath } from '../lib/normalise.ts'
import { append, decodeValue, LONGEST, split, takeParameters } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { withKnownSecret } from './shared/known-secret.ts'
import { md5Digest } from './shared/plain-hash.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

const NAMES = ['_upt', '_upp'] as const
/** The middle of an MD5: eight hex digits from the thirteenth on. */
const ALGORITHM: Algorithm = { digest: (message: Uint8Array): Uint8Array => md5Digest(message).slice(6, 10), encoding: 'hex' }
/** Signature and expiry. */
const TOKEN = /^([\da-f]{8})([1-9]\d{0,10})$/
const MOST_LEVELS = 20

/** The string to sign. The path is decoded. */
const stringToSign = (etime: string, uri: string): Message => ({ pieces: [SECRET, `&${etime}&${uri}`] })

/**
 * Token links of Upyun's CDN: `_upt=<signature><expiry>`, the eight middle hex digits of the MD5 of secret, expiry and path.
 *
 * The signature covers the path, decoded, and the expiry. It does not cover host and query. With `prefix`, `_upp` has the number of its folders. As with
 * Upyun, every refusal is a 403, except a 405 for the wrong method.
 *
 * A signature has only 32 bits. Let the server limit the rate of requests.
 *
 * @see https://help.upyun.com/knowledge-base/cdn-token-limite/
 * @param keys - The token secret of the service, as text or bytes.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a `CryptoKey`, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { upyun } from 'securelink/schemes/upyun'
 *
 * const links = upyun({ secret: 'the token secret of the service' })
 * const link = await sign(links, 'https://files.example/dir/pic.jpg', { expires: '10m' })
 * const folder = await sign(links, 'https://files.example/dir/pic.jpg', { expires: '10m', prefix: '/dir/' })
 * ```
 */
export function upyun(keys: Keys<SecretKey>): Scheme<'prefix', object, 'required'> {
  return {
    name: 'upyun',
    carries: ['prefix'],
    covers: ['path', 'expires', 'prefix'],
    parameters: NAMES,
    algorithm: ALGORITHM,
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: (key) => withCleanSecret(withKnownSecret(key)) }),

    write({ url, parts, expires, prefix }) {
      assertDelivered(parts.origin)
      const sent = asSent(url, parts)
      const { path } = split(sent)
      const levels = prefix === undefined ? undefined : prefix.split('/').length - 2
      const scope = scopeOf(path, levels)
      assertOption(
        prefix === undefined || (scope !== undefined && normalPath(scope) === prefix),
        'prefix',
        `a folder of url that ends in '/', at most ${MOST_LEVELS} deep`,
      )
      assertOption(prefix !== undefined || !path.endsWith('/'), 'url', "one that does not end in '/': its signature is that of the folder")
      const uri = decoded(scope)
      assertOption(uri !== undefined, 'url', 'one whose path can be decoded, without %2F and %5C: the path is signed decoded')
      return {
        toSign: stringToSign(`${expires}`, uri),
        link: (signature) => append(sent, `${levels === undefined ? '' : `_upp=${levels}&`}_upt=${signature}${expires}`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const { values, twice } = takeParameters(query, NAMES)
      const { _upt: token, _upp: levels } = values
      if (token === undefined && levels === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      const pieces = query.slice(1).split('&')
      const [, signature, etime] = TOKEN.exec(token ?? '') ?? []
      if (!signature || !etime || !pieces.includes(`_upt=${token}`)) return { malformed: '_upt' }
      if (levels !== undefined && !(/^(0|[1-9]\d?)$/.test(levels) && pieces.includes(`_upp=${levels}`))) return { malformed: '_upp' }
      if (path[0] !== '/') return 'malformed'
      const scope = scopeOf(path, levels === undefined ? undefined : +levels)
      if (scope === undefined) return { malformed: '_upp' }
      const uri = decoded(scope)
      if (uri === undefined) return 'malformed'
      return {
        claims: {
          resource: origin + path,
          expires: new Date(+etime * 1000),
          // A link for `/dir/` has the signature of the whole folder, with or without `_upp`.
          ...(scope.endsWith('/') && { prefix: normalPath(scope) }),
        },
        signature,
        toSign: () => stringToSign(etime, uri),
      }
    },
  }
}

/** The part of a path that is signed: all of it, or this many folders. `undefined`: it has fewer, or they are too many. */
function scopeOf(path: string, levels: number | undefined): string | undefined {
  if (levels === undefined) return path
  const segments = path.split('/')
  return levels <= MOST_LEVELS && segments.length >= levels + 2 ? `${segments.slice(0, levels + 1).join('/')}/` : undefined
}

/** Upyun signs the decoded path. `undefined` for a path whose decoded form is also that of another path. */
const decoded = (path: string | undefined): string | undefined =>
  path === undefined || /%(2f|5c|00)/i.test(path) ? undefined : decodeValue(path)
