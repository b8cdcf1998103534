// gcs: V4 signed URLs of Google Cloud Storage with HMAC keys, https://cloud.google.com/storage/docs/authentication/signatures
import { insist } from '../core/errors.ts'
import type { Keyring, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import { type PresignConditions, type PresignedClaims, sigv4 } from './shared/sigv4.ts'

export type { PresignConditions, PresignedClaims }

/** An HMAC key of Cloud Storage: `id` is the access id (`GOOG…`), which stands in the link, `secret` the secret, as the text that it is. */
export interface GcsKey extends SecretKey {
  readonly id: string
}

/** Options of {@link gcs}. */
export interface GcsOptions {
  /** `'AWS4-HMAC-SHA256'` for the interoperability with S3, with `X-Amz-` parameters. Default `'GOOG4-HMAC-SHA256'`. */
  readonly algorithm?: 'GOOG4-HMAC-SHA256' | 'AWS4-HMAC-SHA256'
  /** Of the bucket. The storage takes any word. Default `'auto'`. */
  readonly location?: string
}

/**
 * V4 signed URLs of Google Cloud Storage, made with an HMAC key.
 *
 * Carries a start, one method (`GET` when none is named), headers that have to be sent, and query parameters such as
 * `response-content-disposition`. The signature covers all these, and host, path and query; not the body. A link lives for at most seven days.
 *
 * The method is in the signature and not in the link. So a visit with another one is a `bad_signature`. A link for `GET` opens `HEAD`, too, but
 * not in the interoperability mode.
 *
 * @param keys - HMAC keys, newest first: the first one in time signs, the link's access id picks the one that verifies, none only reads.
 * @throws A `LinkError`: `bad_option` for a key without an id or an option that is none, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { gcs } from 'securelink/schemes/gcs'
 *
 * const bucket = gcs({ id: 'GOOG1EXAMPLE', secret: 'bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ' })
 * const link = await sign(bucket, 'https://storage.googleapis.com/example-bucket/tabby.jpeg', { expires: '15m' })
 * ```
 */
export function gcs(
  keys: Keyring<GcsKey>,
  { algorithm = 'GOOG4-HMAC-SHA256', location = 'auto' }: GcsOptions = {},
): Scheme<'starts' | 'method', PresignConditions> {
  const [, vendor] = /^(GOOG4|AWS4)-HMAC-SHA256$/.exec(algorithm) ?? []
  insist(vendor, `algorithm takes 'GOOG4-HMAC-SHA256' or 'AWS4-HMAC-SHA256'`)
  const scope = { region: location, service: vendor === 'AWS4' ? 's3' : 'storage' }
  return sigv4(keys, {
    name: 'gcs',
    vendor: vendor as 'GOOG4' | 'AWS4',
    // As Cloud Storage answers: ExpiredToken to what is over.
    status: { expired: 400, key_expired: 403, revoked: 403 },
    scopeOf: () => scope,
    insistOnUrl(hostname, path) {
      const [, problem] = CLOSED.find(([urls]) => urls.test(hostname + path)) ?? []
      insist(!problem, `url must be one that signed URLs open: ${problem}; use https://storage.googleapis.com/BUCKET/OBJECT`)
    },
  })
}

// Hosts and paths that no signed URL opens. https://cloud.google.com/storage/docs/request-endpoints
const CLOSED: readonly (readonly [urls: RegExp, problem: string])[] = [
  [/^storage\.cloud\.google\.com\//, 'this address is for browsers with a Google account'],
  [/^console\.cloud\.google\.com\//, 'this is an address of the console'],
  [
    /^((www|storage)\.googleapis\.com\/((resumable\/)?(download|upload)\/)?storage\/v1\/|www\.googleapis\.com\/)/,
    'the JSON API takes none',
  ],
  [/^firebasestorage\.googleapis\.com\//, 'Firebase has tokens of its own'],
  [/^[^/]*\.(amazonaws\.com(\.cn)?|r2\.cloudflarestorage\.com|core\.windows\.net)\//, 'this host is of another vendor'],
]
