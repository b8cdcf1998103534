// s3: presigned URLs of Amazon S3 and of storages with the same protocol: Cloudflare R2, MinIO, Backblaze B2, Ceph, Swift and others.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Keys, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import { withLatest } from './shared/latest.ts'
import { AWS4_FORM } from './shared/post-form.ts'
import { assertBucket, assertFormUrl, assertHostOf, placeNamedBy } from './shared/s3-hosts.ts'
import { AWS4, isScopeWord, type PresignConditions, sigv4 } from './shared/sigv4.ts'

export type { PresignConditions }

/** Credentials of a storage. The secret is the secret access key, as text. */
export interface S3Key extends SecretKey {
  /** The access key id, which the link shows. */
  readonly id: string
  /**
   * The token of temporary credentials, which the link shows. Such links end with their session, so give the key its end as `expires`; the
   * SDKs call it `expiration`.
   */
  readonly sessionToken?: string
}

/** Options of {@link s3}. */
export interface S3Options {
  /** The region of the bucket. Default: the region that the host of the URL names, `'auto'` for Cloudflare R2, otherwise `'us-east-1'`. */
  readonly region?: string
  /** The service in the link's credential. Default: the service that the host of the URL names, such as `'s3express'`, otherwise `'s3'`. */
  readonly service?: string
}

/**
 * Presigned URLs of Amazon S3, Cloudflare R2, MinIO, Backblaze B2 and other storages that take Signature Version 4 in the query.
 *
 * A link can carry a start, one method (`GET` by default), headers that the request must send, and query parameters such as
 * `response-content-disposition`. The signature covers these, and host, path and query, but not the body. A link is valid for 7 days at most.
 *
 * The method is signed, and the link does not show it. So a request with another method is a `bad_signature`, as with S3, and a link for `GET`
 * does not open `HEAD`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * @param keys - Credentials, newest first: the first one that is valid now signs, the link's access key id picks the one that verifies, and an empty
 *   list only reads links.
 * @param options - Region and service, where the host of the URL does not name them.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, a credential with white space or quotes, or a wrong option; `weak_key` for an empty
 *   secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { s3 } from 'securelink/schemes/s3'
 *
 * const bucket = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' })
 * const url = 'https://examplebucket.s3.eu-central-1.amazonaws.com/cat.png'
 * const upload = await sign(bucket, url, { expires: '15m', method: 'PUT', headers: { 'content-type': 'image/png' } })
 * ```
 */
export function s3(keys: Keys<S3Key>, options: S3Options = {}): Scheme<'starts' | 'method', PresignConditions, 'required'> {
  const { region, service } = options
  assertKnownOptions(options, ['region', 'service'], 's3()')
  assertOption(region === undefined || isScopeWord(region), 'region', "a region such as 'eu-central-1'")
  assertOption(service === undefined || isScopeWord(service), 'service', "a service such as 's3'")
  const assertHost = withLatest((hostname: string) => assertHostOf(hostname, region, service))
  return sigv4(keys, {
    ...AWS4,
    name: 's3',
    form: AWS4_FORM,
    // S3 answers AccessDenied to expired links, and InvalidAccessKeyId to keys that are not in use.
    status: { expired: 403, key_expired: 403, revoked: 403 },
    placeOf: withLatest((hostname) => {
      const named = placeNamedBy(hostname)
      return { region: region ?? named.region ?? 'us-east-1', service: service ?? named.service ?? 's3' }
    }),
    assertFormUrl,
    assertUrl(hostname, path) {
      assertHost(hostname)
      assertBucket(hostname, path)
    },
  })
}
