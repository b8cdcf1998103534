// alibabaCdn: URL signing of Alibaba Cloud CDN, DCDN and ApsaraVideo, https://www.alibabacloud.com/help/en/cdn/user-guide/type-a-signing
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Keys, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Duration } from '../core/time.ts'
import { HEX_UPPER_CASE, maxAgeOf, type TokenConditions, TYPE_B, timestampToken, typeA, typeC, typeD } from './shared/timestamp-token.ts'

export type { TokenConditions }

/** Options of {@link alibabaCdn}, as in the console of the network. */
export interface AlibabaCdnOptions {
  /** The validity period of signed URLs, from the time in a link on. Links show only this time. */
  readonly maxAge: Duration
  /** Default: `'A'`. */
  readonly type?: 'A' | 'B' | 'C'
  /** Of type C: `'query'` for `?KEY1=…&KEY2=…`. Default: `'path'`. */
  readonly placement?: 'path' | 'query'
}

const TYPES = {
  /** md5(URI-timestamp-rand-uid-PrivateKey) */
  A: typeA('auth_key'),
  /** md5(PrivateKey + timestamp + URI), where the timestamp is a minute */
  B: TYPE_B,
  /** md5(PrivateKey + URI + timestamp), where the timestamp is hexadecimal */
  C: typeC(HEX_UPPER_CASE),
}
const TYPE_C_IN_QUERY = typeD('KEY1', 'KEY2', HEX_UPPER_CASE)

/**
 * Links of Alibaba Cloud CDN: an MD5 of path, time and key, in the query (type A) or before the path (types B and C).
 *
 * The signature covers the path and the time, and not the host and the query. Links expire `maxAge` after the time in them, which `sign` computes from
 * `expires`. As with Alibaba, every refusal is a 403, except a 405 for the wrong method.
 *
 * @see https://www.alibabacloud.com/help/en/cdn/user-guide/type-a-signing
 * @param keys - The primary and the secondary key of the domain, as text.
 * @param options - How the domain is configured in the console.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { alibabaCdn } from 'securelink/schemes/alibaba-cdn'
 *
 * const links = alibabaCdn({ secret: 'aliyuncdnexp1234' }, { type: 'A', maxAge: '30m' })
 * const link = await sign(links, 'https://cdn.example/video/1.mp4', { expires: '30m' })
 * ```
 */
export function alibabaCdn(keys: Keys<SecretKey>, options: AlibabaCdnOptions): Scheme<never, TokenConditions, 'required'> {
  const maxAge = maxAgeOf(options, 'alibabaCdn(keys, { maxAge })')
  assertKnownOptions(options, ['maxAge', 'type', 'placement'], 'alibabaCdn()')
  const { type = 'A', placement = 'path' } = options
  assertOption(Object.hasOwn(TYPES, type), 'type', "'A', 'B' or 'C'")
  assertOption(placement === 'path' || (placement === 'query' && type === 'C'), 'placement', "'path', or 'query' for type C")
  return timestampToken(keys, {
    name: 'alibaba-cdn',
    type: placement === 'query' ? TYPE_C_IN_QUERY : TYPES[type],
    maxAge,
    algorithm: 'md5',
    // "If you extend the validity period when you generate the signed URL, timestamp = UNIX timestamp + extended period."
    takesLaterTimes: true,
  })
}
