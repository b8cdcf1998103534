// s3: presigned URLs of Amazon S3 and of all that speak its protocol: Cloudflare R2, MinIO, Backblaze B2, Ceph, Swift and others.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import { insist } from '../core/errors.ts'
import type { Keyring, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import { type PresignConditions, type PresignedClaims, type Scope, sigv4 } from './shared/sigv4.ts'

export type { PresignConditions, PresignedClaims }

/** Credentials of a storage: `id` is the access key id, which stands in the link, `secret` the secret access key, as text. */
export interface S3Key extends SecretKey {
  readonly id: string
  /**
   * Of temporary credentials. It stands in the link, and the link ends with the session, whatever its expiry: say when with `expires`, which the
   * SDKs call `expiration`.
   */
  readonly sessionToken?: string
}

/** Options of {@link s3}. */
export interface S3Options {
  /** Where the bucket is. Default: the region that the host of the URL names, `'auto'` with Cloudflare R2, or `'us-east-1'`. */
  readonly region?: string
  /** The service in the link's credential. Default: the one that the host of the URL names, such as `'s3express'`, or `'s3'`. */
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
 * const bucket = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' })
 * const url = 'https://examplebucket.s3.eu-central-1.amazonaws.com/cat.png'
 * const upload = await sign(bucket, url, { expires: '15m', method: 'PUT', headers: { 'content-type': 'image/png' } })
 * ```
 */
export function s3(keys: Keyring<S3Key>, { region, service }: S3Options = {}): Scheme<'starts' | 'method', PresignConditions> {
  return sigv4(keys, {
    name: 's3',
    vendor: 'AWS4',
    // As S3 answers: AccessDenied to what is over, InvalidAccessKeyId to keys that are out of use.
    status: { expired: 403, key_expired: 403, revoked: 403 },
    scopeOf(hostname) {
      const named = namedBy(hostname)
      return { region: region ?? named.region ?? 'us-east-1', service: service ?? named.service ?? 's3' }
    },
    insistOnUrl(hostname) {
      const [, problem] = CLOSED.find(([hosts]) => hosts.test(hostname)) ?? []
      insist(!problem, `url must be one that presigned URLs open: ${problem}`)
      const named = namedBy(hostname)
      // Cloudflare takes it as another name for 'auto'.
      const alias = named.region === 'auto' && region === 'us-east-1'
      insist(
        !region || !named.region || alias || region === named.region,
        `region must be '${named.region}', as in the host of the URL; without it, the host's is taken`,
      )
      insist(
        !service || !named.service || service === named.service,
        `service must be '${named.service}', as in the host of the URL; without it, the host's is taken`,
      )
    },
  })
}

// https://docs.aws.amazon.com/general/latest/gr/s3.html: the region comes last, behind a dot, or behind a hyphen in older hosts. The service is
// in the label before it, such as s3express-usw2-az1 or s3-fips.
const AMAZON = /(?:^|\.)s3[\w.-]*?[.-]((?:[a-z]{2}|eusc)(?:-[a-z]+)+-\d+)(?:\.vpce)?\.amazonaws\.(?:com|com\.cn|eu)$/
const AMAZON_SERVICE = /(?:^|\.)(s3express|s3-outposts|s3-object-lambda)(?:-[\w-]+)?\.(?:dualstack\.)?[\w-]+\.amazonaws\./

// Other vendors whose hosts name the region that they ask for.
const OTHERS = /(?:^|\.)s3\.([a-z\d-]+)\.(?:backblazeb2\.com|wasabisys\.com|scw\.cloud)$/

/** Region and service that a host names. */
function namedBy(hostname: string): Partial<Scope> {
  // The longest that DNS has. Forgers choose the host, and the expressions below take their time for longer ones.
  if (hostname.length > 253) return {}
  const [, region] = AMAZON.exec(hostname) ?? []
  if (region) return { region, service: AMAZON_SERVICE.exec(hostname)?.[1] ?? 's3' }
  if (hostname.endsWith('.r2.cloudflarestorage.com')) return { region: 'auto', service: 's3' }
  const [, other] = OTHERS.exec(hostname) ?? []
  return other ? { region: other, service: 's3' } : {}
}

// Hosts that no presigned URL opens.
const CLOSED: readonly (readonly [hosts: RegExp, problem: string])[] = [
  [/(^|\.)s3-website[.-][\w-]+\.amazonaws\.com(\.cn)?$/, 'website endpoints are public and take none; use BUCKET.s3.REGION.amazonaws.com'],
  [/\.s3-global\.amazonaws\.com$/, 'Multi-Region Access Points take SigV4A only'],
  [/(^|\.)console\.aws\.amazon\.com$/, 'this is an address of the console; use BUCKET.s3.REGION.amazonaws.com'],
  [/\.r2\.dev$/, 'public addresses of R2 take none; use ACCOUNT.r2.cloudflarestorage.com/BUCKET'],
  [/\.core\.windows\.net$/, "Azure has signatures of its own; use the scheme 'azure'"],
]
