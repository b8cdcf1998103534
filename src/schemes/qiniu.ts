// qiniu: links for private buckets of Qiniu Kodo, https://developer.qiniu.com/kodo/1202/download-token
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { asSent } from '../lib/canonical.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, LONGEST, type Parts, split, takeParameters } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

/** A pair of keys of Qiniu. */
export interface QiniuKey extends SecretKey {
  /** The access key, which the link shows. The secret is the secret key. */
  readonly id: string
}

const NAMES = ['e', 'token'] as const
/** Access key and signature, in base64url with its padding. */
const TOKEN = /^([\w-]+):([\w-]{27})=$/

/** The string to sign: the whole URL, with `e`, and without `token`. */
const stringToSign = ({ origin, path }: Parts, query: string): string => normalOrigin(origin) + path + query

/**
 * Links for private buckets of Qiniu Kodo: `e=<expiry>&token=<access key>:<signature>`, the base64url HMAC-SHA-1 of the whole URL.
 *
 * The signature covers scheme, host, path, query and expiry. As with Qiniu, every refusal is a 401, except a 405 for the wrong method.
 *
 * @see https://developer.qiniu.com/kodo/1202/download-token
 * @param keys - Pairs of access key and secret key; the link's access key picks the one that verifies.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an access key as its id, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { qiniu } from 'securelink/schemes/qiniu'
 *
 * const links = qiniu({ id: 'MY_ACCESS_KEY', secret: 'MY_SECRET_KEY' })
 * const link = await sign(links, 'https://files.example/resource/flower.jpg', { expires: '1h' })
 * ```
 */
export function qiniu(keys: Keys<QiniuKey>): Scheme<never, object, 'required'> {
  return {
    name: 'qiniu',
    carries: [],
    covers: ['scheme', 'host', 'path', 'query', 'expires'],
    parameters: NAMES,
    algorithm: { hmac: 'SHA-1', encoding: 'base64url' },
    status: {
      unsigned: 401,
      malformed: 401,
      unknown_key: 401,
      bad_signature: 401,
      expired: 401,
      key_expired: 401,
      too_early: 401,
      revoked: 401,
    },
    keys: keyring(keys, { prepare: withId }),

    write({ url, parts, expires }, key) {
      assertDelivered(parts.origin)
      assertOption(parts.origin, 'url', 'absolute: the signature covers scheme and host')
      const dated = append(asSent(url, parts), `e=${expires}`)
      const sent = split(dated)
      return {
        toSign: stringToSign(sent, sent.query),
        link: (signature) => append(dated, `token=${key.id}:${signature}=`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, others, twice } = takeParameters(parts.query, NAMES)
      const { e, token } = values
      if (e === undefined && token === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      if (!e || !/^[1-9]\d{0,10}$/.test(e) || !parts.query.slice(1).split('&').includes(`e=${e}`)) return { malformed: 'e' }
      // Qiniu ignores parameters after the token, so it must be the last parameter.
      const [, signed] = /^(\?.+)&token=[^&]*$/s.exec(parts.query) ?? []
      const [, id, signature] = TOKEN.exec(token ?? '') ?? []
      if (!id || !signature || !signed) return { malformed: 'token' }
      if (parts.path[0] !== '/') return 'malformed'
      return {
        claims: { resource: parts.origin + parts.path + others, expires: new Date(+e * 1000), keyId: id },
        signature,
        // The host is signed, so a link without its host cannot match.
        toSign: () => (parts.origin ? stringToSign(parts, signed) : undefined),
      }
    },
  }
}

function withId(key: QiniuKey): QiniuKey {
  assertOption(/^[\w-]+$/.test(key.id ?? ''), 'id', 'the access key: qiniu() takes keys as { id, secret }')
  return withCleanSecret(key)
}
