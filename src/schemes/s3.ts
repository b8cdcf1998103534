// s3: presigned URLs of Amazon S3 and of storages with the same protocol: Cloudflare R2, MinIO, Backblaze B2, Ceph, Swift and others.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Keys, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import { withLatest } from './shared/latest.ts'
import { AWS4_FORM } from './shared/post-form.ts'
import { AWS4, isScopeWord, type Place, type PresignConditions, sigv4 } from './shared/sigv4.ts'

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
    assertFormUrl(hostname) {
      const closed = NO_FORMS.find(({ hosts }) => hosts.test(hostname))
      assertOption(!closed, 'url', `one that takes forms: ${closed?.problem}; sign a PUT with a content-length`)
    },
    assertUrl: withLatest((hostname) => {
      const closed = CLOSED.find(({ hosts }) => hosts.test(hostname))
      assertOption(!closed, 'url', `one that presigned URLs open: ${closed?.problem}`)
      if (!region && !service) return
      const isGlobal = /(^|\.)s3\.amazonaws\.com$/.test(hostname)
      assertOption(
        !isGlobal || !region || SERVED_GLOBALLY.test(region),
        'url',
        `one with the host of the region: BUCKET.s3.${region}.amazonaws.com`,
      )
      const named = placeNamedBy(hostname)
      // Cloudflare accepts us-east-1 as another name for auto.
      const alias = named.region === 'auto' && region === 'us-east-1'
      const ownRegion = !region || !named.region || alias || region === named.region
      assertOption(ownRegion, 'region', `'${named.region}', as in the host of the URL, or left out`)
      const ownService = !service || !named.service || service === named.service
      assertOption(ownService, 'service', `'${named.service}', as in the host of the URL, or left out`)
    }),
  })
}

// https://docs.aws.amazon.com/general/latest/gr/s3.html: the region comes last, after a dot, or after a hyphen in older hosts. The service is
// in the label before it, such as s3express-usw2-az1 or s3-fips.
const AMAZON = /(?:^|\.)s3[\w.-]*?[.-](?<region>(?:[a-z]{2}|eusc)(?:-[a-z]+)+-\d+)(?:\.vpce)?\.amazonaws\.(?:com|com\.cn|eu)$/
const AMAZON_SERVICE = /(?:^|\.)(?<service>s3express|s3-outposts|s3-object-lambda)(?:-[\w-]+)?\.(?:dualstack\.)?[\w-]+\.amazonaws\./

// The regions of s3.amazonaws.com. Those that were launched after 20 March 2019 answer it with 400, and those of China and of the US government have
// hosts of their own: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
const SERVED_GLOBALLY =
  /^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(west-[123]|central-1|north-1)|ap-(south-1|northeast-[123]|southeast-[12]))$/

// Other vendors whose hosts name the region that they ask for.
const OTHERS = /(?:^|\.)s3\.(?<region>[a-z\d-]+)\.(?:backblazeb2\.com|wasabisys\.com|scw\.cloud)$/

/** The region and service that a host names. */
function placeNamedBy(hostname: string): Partial<Place> {
  // DNS names have at most 253 characters. A forged link may have a longer one, and the regular expressions below would take long for it.
  if (hostname.length > 253) return {}
  const amazon = AMAZON.exec(hostname)?.groups?.['region']
  if (amazon) return { region: amazon, service: AMAZON_SERVICE.exec(hostname)?.groups?.['service'] ?? 's3' }
  if (hostname.endsWith('.r2.cloudflarestorage.com')) return { region: 'auto', service: 's3' }
  const region = OTHERS.exec(hostname)?.groups?.['region']
  return region ? { region, service: 's3' } : {}
}

// Hosts whose buckets take links and no forms.
const NO_FORMS: readonly { readonly hosts: RegExp; readonly problem: string }[] = [
  { hosts: /\.r2\.cloudflarestorage\.com$/, problem: 'R2 has no POST' },
  { hosts: /\.s3express-[\w-]+\.(dualstack\.)?[\w-]+\.amazonaws\./, problem: 'directory buckets have no POST' },
  { hosts: /(^|\.)backblazeb2\.com$/, problem: 'Backblaze has no POST' },
]

// Hosts that no presigned URL opens.
const CLOSED: readonly { readonly hosts: RegExp; readonly problem: string }[] = [
  {
    hosts: /(^|\.)s3-website[.-][\w-]+\.amazonaws\.com(\.cn)?$/,
    problem: 'website endpoints are public; use BUCKET.s3.REGION.amazonaws.com',
  },
  { hosts: /\.s3-global\.amazonaws\.com$/, problem: 'Multi-Region Access Points take SigV4A only' },
  {
    hosts: /(^|\.)console\.aws\.amazon\.com$/,
    problem: 'this is an address of the console; use BUCKET.s3.REGION.amazonaws.com',
  },
  {
    hosts: /\.cdn\.digitaloceanspaces\.com$/,
    problem: 'the CDN of Spaces takes links for SPACE.REGION.digitaloceanspaces.com; sign that host, and replace it in the link',
  },
  { hosts: /\.r2\.dev$/, problem: 'these addresses of R2 are public; use ACCOUNT.r2.cloudflarestorage.com/BUCKET' },
  { hosts: /\.core\.windows\.net$/, problem: "Azure has signatures of its own; use the scheme 'azure'" },
]
