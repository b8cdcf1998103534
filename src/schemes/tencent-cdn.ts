// tencentCdn: authentication of Tencent Cloud CDN and EdgeOne, https://www.tencentcloud.com/document/product/228/35222
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Keys, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Duration } from '../core/time.ts'
import {
  DECIMAL,
  HEX_LOWER_CASE,
  maxAgeOf,
  type TokenConditions,
  type TokenType,
  TYPE_B,
  timestampToken,
  typeA,
  typeC,
  typeD,
} from './shared/timestamp-token.ts'

export type { TokenConditions }

/** Options of {@link tencentCdn}, named as in Tencent's API. */
export interface TencentCdnOptions {
  /** The valid time of links, from the time in a link on. Links show only this time. */
  readonly maxAge: Duration
  /** Default: `'A'`. */
  readonly type?: 'A' | 'B' | 'C' | 'D'
  /** Default: `'md5'`. */
  readonly algorithm?: 'md5' | 'sha256'
  /** Of types A and D: the name of the parameter with the hash. Default: `sign`. */
  readonly signParam?: string
  /** Of type D: the name of the parameter with the time. Default: `t`. */
  readonly timeParam?: string
  /** Of type D: decimal or hexadecimal times. Default: `'dec'`. */
  readonly timeFormat?: 'dec' | 'hex'
}

/**
 * Links of Tencent Cloud CDN and of EdgeOne: a hash of path, time and key, in the query (types A and D) or before the path (types B and C).
 *
 * The signature covers the path and the time, and not the host and the query. Links expire `maxAge` after the time in them. For an earlier `expires`,
 * `sign` dates the time back; a later one throws. As with Tencent, every refusal is a 403, except a 405 for the wrong method.
 *
 * @see https://www.tencentcloud.com/document/product/228/35222
 * @param keys - The key of the domain and its backup key, as text.
 * @param options - How the domain is configured in the console.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { tencentCdn } from 'securelink/schemes/tencent-cdn'
 *
 * const links = tencentCdn({ secret: 'dimtm5evg50ijsx2hvuwyfoiu65' }, { type: 'D', maxAge: '30m' })
 * const link = await sign(links, 'https://cdn.example/video/1.mp4', { expires: '30m' })
 * ```
 */
export function tencentCdn(keys: Keys<SecretKey>, options: TencentCdnOptions): Scheme<never, TokenConditions, 'required'> {
  const maxAge = maxAgeOf(options, 'tencentCdn(keys, { maxAge })')
  assertKnownOptions(options, ['maxAge', 'type', 'algorithm', 'signParam', 'timeParam', 'timeFormat'], 'tencentCdn()')
  const { algorithm = 'md5' } = options
  assertOption(algorithm === 'md5' || algorithm === 'sha256', 'algorithm', "'md5' or 'sha256'")
  return timestampToken(keys, { name: 'tencent-cdn', type: typeOf(options), maxAge, algorithm, takesLaterTimes: false })
}

function typeOf({ type = 'A', signParam = 'sign', timeParam = 't', timeFormat = 'dec' }: TencentCdnOptions): TokenType {
  const isName = (name: unknown) => typeof name === 'string' && /^\w{1,100}$/.test(name)
  assertOption(isName(signParam), 'signParam', 'up to 100 letters, digits and _')
  assertOption(
    isName(timeParam) && timeParam !== signParam,
    'timeParam',
    'up to 100 letters, digits and _, and another name than signParam',
  )
  assertOption(timeFormat === 'dec' || timeFormat === 'hex', 'timeFormat', "'dec' or 'hex'")
  const types: Readonly<Record<string, () => TokenType>> = {
    /** md5(uri-timestamp-rand-uid-pkey) */
    A: () => typeA(signParam),
    /** md5(pkey + timestamp + uri), where the timestamp is a minute */
    B: () => TYPE_B,
    /** md5(pkey + uri + timestamp), where the timestamp is hexadecimal */
    C: () => typeC(HEX_LOWER_CASE),
    /** md5(pkey + uri + timestamp) */
    D: () => typeD(signParam, timeParam, timeFormat === 'hex' ? HEX_LOWER_CASE : DECIMAL),
  }
  assertOption(Object.hasOwn(types, type), 'type', "'A', 'B', 'C' or 'D'")
  return (types[type] as () => TokenType)()
}
