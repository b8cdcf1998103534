// s3v2: presigned URLs with Signature Version 2 of Amazon S3, and with its siblings: V1 of Alibaba Cloud OSS, and the signatures of Huawei Cloud OBS.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { asSent } from '../lib/canonical.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, encodeValue, LONGEST, split, takeParameters } from '../lib/url.ts'
import { canonicalPath, printShort } from './shared/canonical-request.ts'
import { type PresignKey, withGoodCredentials } from './shared/presign-key.ts'
import { HTTP, presignedMethod } from './shared/presign-request.ts'
import { headersToSign, parametersToAdd, pathToSign, signedParameters, stringToSign } from './shared/s3v2-request.ts'
import { assertHostOf, VENDORS } from './shared/s3v2-vendors.ts'
import type { PresignConditions } from './shared/sigv4.ts'
import { bucketToSign, hostOf, requestedHost } from './shared/storage-host.ts'

/** Credentials of a storage: the access key id, and the secret access key as text. */
export interface S3V2Key extends PresignKey {}

/** Options of {@link s3v2}. */
export interface S3V2Options {
  /** `'oss'` for Alibaba Cloud OSS, `'obs'` for Huawei Cloud OBS. Default: `'s3'`, for Amazon S3, Ceph, MinIO and others. */
  readonly vendor?: 's3' | 'oss' | 'obs'
  /** The bucket of all URLs. Default: the one that a host of the vendor names; with other hosts, the path begins with the bucket. */
  readonly bucket?: string
  /** `true`: the path begins with the bucket, for every host. Default: `false`. */
  readonly pathStyle?: boolean
}

/**
 * Presigned URLs with Signature Version 2, the base64 HMAC-SHA-1 that storages took before Version 4: Amazon S3 in its old regions, Ceph, MinIO, Alibaba
 * Cloud OSS (its V1) and Huawei Cloud OBS.
 *
 * The signature covers one method (`GET` by default), bucket, path, expiry, the headers `content-type` and `content-md5`, all headers of the vendor, and
 * those parameters that the vendor calls sub-resources. It does not cover other parameters. Prefer the scheme `s3` where the storage takes Version 4.
 *
 * The method is signed, and the link does not show it. So a request with another method is a `bad_signature`, and a link for `GET` does not open
 * `HEAD`. As with the storages, every refusal is a 403.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
 * @param keys - Credentials as `{ id, secret }`; the first one that is valid now signs, all of them verify, and an empty list only reads links.
 * @param options - The vendor, and the bucket of a domain of your own.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, a credential with white space or quotes, or a wrong option; `weak_key` for an empty
 *   secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { s3v2 } from 'securelink/schemes/s3v2'
 *
 * const bucket = s3v2({ id: 'LTAI5tEXAMPLE', secret: 'the access key secret' }, { vendor: 'oss' })
 * const link = await sign(bucket, 'https://pictures.oss-cn-hangzhou.aliyuncs.com/cat.png', {
 *   expires: '15m',
 *   query: { 'x-oss-process': 'image/resize,w_100' },
 * })
 * ```
 */
export function s3v2(keys: Keys<S3V2Key>, options: S3V2Options = {}): Scheme<'method', PresignConditions, 'required'> {
  assertKnownOptions(options, ['vendor', 'bucket', 'pathStyle'], 's3v2()')
  const { vendor: name = 's3', bucket, pathStyle = false } = options
  assertOption(Object.hasOwn(VENDORS, name), 'vendor', "'s3', 'oss' or 'obs'")
  assertOption(bucket === undefined || (typeof bucket === 'string' && /^[\w.-]+$/.test(bucket)), 'bucket', 'the name of a bucket')
  assertOption(typeof pathStyle === 'boolean' && !(pathStyle && bucket), 'pathStyle', 'true or false, and left out with bucket')
  const vendor = VENDORS[name]
  const names = [vendor.keyId, 'Signature', 'Expires', vendor.securityToken]

  return {
    name: 's3v2',
    carries: ['method'],
    own: ['headers', 'query'],
    // Besides these, the sub-resources of the vendor: the page lists them.
    covers: ['method', 'path', 'expires', 'headers', '?versionId', '?uploadId', '?partNumber', '?response-content-disposition'],
    parameters: names,
    reads: ['method', 'headers'],
    algorithm: { hmac: 'SHA-1', encoding: 'base64' },
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: (key) => withGoodCredentials('s3v2', key) }),

    write(grant, key) {
      const { url, parts, expires, own } = grant
      const { id, sessionToken } = key as PresignKey
      const method = presignedMethod(grant)
      const whole = asSent(url, parts)
      const sent = split(whole)
      const host = hostOf(normalOrigin(sent.origin))
      assertHostOf(vendor, host, bucket)
      const front = bucketToSign(vendor.hosts, host, options)
      const path = pathToSign(vendor, sent.path)
      assertOption(front !== undefined, 'bucket', 'the one that the host of the URL names')
      assertOption(
        path !== undefined,
        'url',
        'one with a path of UTF-8, without dot segments, and for OSS without the name of a sub-resource after a ?',
      )

      const added = parametersToAdd(vendor, own.query)
      const pairs = (texts: readonly (readonly [string, string])[]) =>
        texts.map(([name, value]) => `${encodeValue(name)}=${vendor.escape(value)}`).join('&')
      const pieces = {
        keyId: pairs([[vendor.keyId, id]]),
        query: pairs(added),
        token: sessionToken ? pairs([[vendor.securityToken, sessionToken]]) : '',
      }
      const parameters = signedParameters(vendor, `${sent.query || '?'}&${pieces.query}&${pieces.token}`)
      const rule = 'one whose signed parameters can be decoded, are there once, and do not look like another one from a & or ? on'
      assertOption(parameters, added.length > 0 ? 'query' : 'url', rule)
      const signedHeaders = headersToSign(vendor, own.headers)
      return {
        toSign: stringToSign(vendor, { expires: `${expires}`, resource: front + path, parameters }, method, signedHeaders),
        link(signature) {
          const all = { ...pieces, expires: `Expires=${expires}`, signature: pairs([['Signature', signature]]) }
          const inOrder = vendor.order.map((piece) => all[piece]).filter(Boolean)
          return append(whole, inOrder.join('&'))
        },
      }
    },

    read(url, header): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, others, twice } = takeParameters(parts.query, names, { plusIsSpace: true })
      const { [vendor.keyId]: keyId, Signature: signature, Expires: expires = '', [vendor.securityToken]: token } = values
      if (keyId === undefined && signature === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      if (!keyId) return { malformed: vendor.keyId }
      if (!signature || !/^[A-Za-z\d+/]{27}=$/.test(signature)) return { malformed: 'Signature' }
      if (!/^[1-9]\d{0,10}$/.test(expires)) return { malformed: 'Expires' }
      if (token === '') return { malformed: vendor.securityToken }
      if (parts.path[0] !== '/' || (parts.origin && !HTTP.test(parts.origin))) return 'malformed'

      const origin = normalOrigin(parts.origin)
      const front = bucketToSign(vendor.hosts, requestedHost(origin, header), options)
      const path = pathToSign(vendor, parts.path)
      const parameters = signedParameters(vendor, token ? append(others, `${vendor.securityToken}=${encodeValue(token)}`) : others)
      if (path === undefined || !parameters) return 'malformed'
      // In canonical form, without the token, and without the parameters that anyone can add.
      const shown = parameters.filter(({ name }) => name !== vendor.securityToken)
      const query = printShort(shown.map(({ name, value }) => ({ name, value: encodeValue(value) })))
      const target = vendor.decodesPath ? canonicalPath(parts.path) : parts.path
      return {
        claims: { resource: origin + target + (query && `?${query}`), expires: new Date(+expires * 1000), keyId },
        signature,
        toSign: ({ method, headers = [] }) =>
          front === undefined ? undefined : stringToSign(vendor, { expires, resource: front + path, parameters }, method, headers),
        proves: ({ method }) => ({ methods: [method] }),
      }
    },
  }
}
