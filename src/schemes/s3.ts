// s3: presigned URLs of Amazon S3 and of all that speak its protocol: Cloudflare R2, MinIO, Backblaze B2, Ceph, Swift and others.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import type { Keyring, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import { type PresignConditions, sigv4 } from './shared/sigv4.ts'

export type { PresignConditions }

/** Credentials of a storage: `id` is the access key id, which stands in the link, `secret` the secret access key, as text. */
export interface S3Key extends SecretKey {
  readonly id: string
  /** Of temporary credentials. It stands in the link, and the link ends with the session, whatever its expiry. */
  readonly sessionToken?: string
}

/** Options of {@link s3}. */
export interface S3Options {
  /** Where the bucket is; `'auto'` for Cloudflare R2. Default `'us-east-1'`. */
  readonly region?: string
  /** The service in the link's credential. Default `'s3'`. */
  readonly service?: string
}

/**
 * Presigned URLs of Amazon S3, Cloudflare R2, MinIO, Backblaze B2 and whatever else takes Signature Version 4 in the query.
 *
 * Carries a start, one method (`GET` when none is named), headers that have to be sent, and query parameters such as
 * `response-content-disposition`. The signature covers all these, and host, path and query; not the body. A link lives for at most seven days.
 *
 * The method is in the signature and not in the link. So a visit with another one is a `bad_signature`, as it is with S3, and a link for `GET`
 * does not open `HEAD`.
 *
 * @param keys - Credentials, newest first: the first one in time signs, the link's access key id picks the one that verifies, none only reads.
 * @throws A `LinkError`: `bad_option` for a key without an id or a region that is none, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { s3 } from 'securelink/schemes/s3'
 *
 * const bucket = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }, { region: 'eu-central-1' })
 * const url = 'https://examplebucket.s3.eu-central-1.amazonaws.com/cat.png'
 * const upload = await sign(bucket, url, { expires: '15m', method: 'PUT', headers: { 'content-type': 'image/png' } })
 * ```
 */
export function s3(
  keys: Keyring<S3Key>,
  { region = 'us-east-1', service = 's3' }: S3Options = {},
): Scheme<'starts' | 'method', PresignConditions> {
  // As S3 answers: AccessDenied to what is over, InvalidAccessKeyId to keys that are out of use.
  return sigv4(keys, { name: 's3', vendor: 'AWS4', region, service, status: { expired: 403, key_expired: 403, revoked: 403 } })
}
