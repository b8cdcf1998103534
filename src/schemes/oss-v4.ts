// ossV4: presigned URLs of Alibaba Cloud OSS with its V4 signatures.
// https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { asSent } from '../lib/canonical.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, LONGEST, split, takeParameters } from '../lib/url.ts'
import { canonicalParameters, canonicalPath, ordered, printShort } from './shared/canonical-request.ts'
import { regionIn, regionToSign, resourceOf, resourceToSign } from './shared/oss-host.ts'
import { linkIn, NAMES, signedParameters, VERSION } from './shared/oss-parameters.ts'
import { headersOf, isImplicit, scopeOf, signingKey, stringToSign } from './shared/oss-request.ts'
import { isOfSession, type PresignKey, withGoodCredentials } from './shared/presign-key.ts'
import { HTTP, headersToSign, pairsToAdd, presignedMethod } from './shared/presign-request.ts'
import { dateOf, isScopeWord, lifeOf, type PresignConditions } from './shared/sigv4.ts'
import { hostOf, requestedHost } from './shared/storage-host.ts'

/** Credentials of OSS: `accessKeyId` and `accessKeySecret`. */
export interface OssKey extends PresignKey {}

/** Options of {@link ossV4}. */
export interface OssV4Options {
  /** The region of the bucket, such as `'cn-hangzhou'`. Default: the one that the host names. `sign` needs it for other hosts. */
  readonly region?: string
  /** The bucket of all URLs. Default: the one that a host of OSS names; with other hosts, the path begins with the bucket. */
  readonly bucket?: string
}

/**
 * Presigned URLs of Alibaba Cloud OSS with V4 signatures, `x-oss-signature-version=OSS4-HMAC-SHA256`. For its older links (V1) there is `s3v2` with
 * `vendor: 'oss'`.
 *
 * The signature covers one method (`GET` by default), bucket, path, all of the query, start and expiry, the headers `content-type`, `content-md5` and
 * `x-oss-…` of the request, and other headers that the link lists. It does not cover the body. A link is valid for 7 days at most.
 *
 * The method is signed, and the link does not show it. So a request with another method is a `bad_signature`, and a link for `GET` does not open `HEAD`.
 *
 * @see https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls
 * @param keys - Credentials as `{ id, secret }`; the first one that is valid now signs, all of them verify, and an empty list only reads links.
 * @param options - Region and bucket, where the host of the URL does not name them.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, a credential with white space or quotes, or a wrong option; `weak_key` for an empty
 *   secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { ossV4 } from 'securelink/schemes/oss-v4'
 *
 * const bucket = ossV4({ id: 'LTAI5tEXAMPLE', secret: 'the access key secret' })
 * const link = await sign(bucket, 'https://pictures.oss-cn-hangzhou.aliyuncs.com/cat.png', { expires: '15m' })
 * ```
 */
export function ossV4(keys: Keys<OssKey>, options: OssV4Options = {}): Scheme<'starts' | 'method', PresignConditions, 'required'> {
  const { region: ownRegion, bucket } = options
  assertKnownOptions(options, ['region', 'bucket'], 'ossV4()')
  assertOption(ownRegion === undefined || isScopeWord(ownRegion), 'region', "a region such as 'cn-hangzhou'")
  // Alibaba's SDKs take both, and sign without them.
  assertOption(
    !/^oss-|-internal$/.test(ownRegion ?? ''),
    'region',
    "without the 'oss-' and the '-internal' of a host, such as 'cn-hangzhou'",
  )
  assertOption(bucket === undefined || isScopeWord(bucket), 'bucket', 'the name of a bucket')

  return {
    name: 'oss-v4',
    carries: ['starts', 'method'],
    own: ['headers', 'query'],
    covers: ['method', 'path', 'query', 'starts', 'expires', 'headers', 'key'],
    parameters: NAMES,
    reads: ['method', 'headers'],
    algorithm: { hmac: 'SHA-256', encoding: 'hex' },
    status: { expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: (key) => withGoodCredentials('ossV4', key) }),

    async write(grant, key) {
      const { url, parts, own } = grant
      const { id, sessionToken } = key as PresignKey
      const method = presignedMethod(grant)
      const pairs = pairsToAdd(NAMES, own.query)
      const asked = asSent(url, parts)
      const whole = pairs.length > 0 ? append(asked, pairs.join('&')) : asked
      const sent = split(whole)
      const host = hostOf(normalOrigin(sent.origin))
      const resource = resourceToSign(host, sent.path, bucket)
      const others = canonicalParameters(sent.query)
      assertOption(resource !== undefined && others, 'url', 'one of the bucket, of UTF-8 and without dot segments')
      const region = regionToSign(host, ownRegion)
      const headers = headersToSign(own.headers)
      const additionalHeaders = [...headers.keys()].filter((name) => !isImplicit(name)).sort()

      const { starts, seconds } = lifeOf(grant)
      const date = dateOf(starts)
      const signed = signedParameters({
        'x-oss-additional-headers': additionalHeaders.join(';'),
        'x-oss-credential': `${id}/${scopeOf(date, region)}`,
        'x-oss-date': date,
        'x-oss-expires': `${seconds}`,
        'x-oss-signature-version': VERSION,
        'x-oss-security-token': sessionToken,
      })
      const request = { date, region, resource, parameters: [...signed, ...others], additionalHeaders }
      return {
        toSign: (await stringToSign(request, method, headers)) as string,
        key: await signingKey(key, date, region),
        link: (signature) => append(whole, `${printShort(signed)}&x-oss-signature=${signature}`),
      }
    },

    read(url, header): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, others: rest, twice } = takeParameters(parts.query, NAMES, { plusIsSpace: true })
      if (values['x-oss-signature'] === undefined && values['x-oss-signature-version'] === undefined) return 'unsigned'
      const link = twice ?? linkIn(values)
      if (typeof link === 'string') return { malformed: link }
      const { keyId, date, region, starts, expires, additionalHeaders, token, signature } = link
      const others = canonicalParameters(rest)
      const path = canonicalPath(parts.path)
      if (!path || !others || (parts.origin && !HTTP.test(parts.origin))) return 'malformed'

      const origin = normalOrigin(parts.origin)
      const host = requestedHost(origin, header)
      const resource = resourceOf(host, parts.path, bucket)
      const expected = ownRegion ?? regionIn(host) ?? region
      const named = additionalHeaders.filter((name) => name !== 'host')
      return {
        claims: {
          resource: origin + path + (others.length > 0 ? `?${printShort(others)}` : ''),
          starts: new Date(starts * 1000),
          expires: new Date(expires * 1000),
          keyId,
          ...(named.length > 0 && { signedHeaders: named }),
        },
        signature,
        key: (key) => signingKey(key, date, region),
        toSign(visit, key) {
          if (resource === undefined || region !== expected || !isOfSession(key, token)) return undefined
          const request = { date, region, resource, parameters: [...signedParameters(values), ...others], additionalHeaders }
          return stringToSign(request, visit.method, headersOf(visit, host))
        },
        // Sorted as they are signed: the signature does not cover the order, and servers take the first or the last of one name.
        proves: ({ method }) => ({
          resource: origin + path + (others.length > 0 ? `?${printShort(ordered(others))}` : ''),
          methods: [method],
        }),
      }
    },
  }
}
