// gcs: V4 signed URLs of Google Cloud Storage with HMAC keys, https://cloud.google.com/storage/docs/authentication/signatures
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Keys, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import { AWS4, isScopeWord, type PresignConditions, parameterNames, sigv4, type Vocabulary } from './shared/sigv4.ts'

export type { PresignConditions }

/** An HMAC key of Cloud Storage. The secret is used as text; its base64 is not decoded. */
export interface GcsKey extends SecretKey {
  /** The access id (`GOOG…`), which stands in the link. */
  readonly id: string
}

/** Options of {@link gcs}. */
export interface GcsOptions {
  /** `'AWS4-HMAC-SHA256'` for the interoperability with S3, with `X-Amz-` parameters. Default: `'GOOG4-HMAC-SHA256'`. */
  readonly algorithm?: 'GOOG4-HMAC-SHA256' | 'AWS4-HMAC-SHA256'
  /** The location of the bucket. The storage takes any word. Default: `'auto'`. */
  readonly location?: string
}

/** The words of Google. */
const GOOG4: Vocabulary = {
  algorithm: 'GOOG4-HMAC-SHA256',
  secretPrefix: 'GOOG4',
  terminator: 'goog4_request',
  parameters: /* @__PURE__ */ parameterNames('X-Goog-'),
  headerPrefix: 'x-goog-',
  // The hash is in the string to sign anyway, and Google's Identity-Aware Proxy adds the others on the way.
  unsignedHeaders: ['x-goog-content-sha256', 'x-goog-iap-jwt-assertion', 'x-goog-authenticated-user-email', 'x-goog-authenticated-user-id'],
  payloadHash: 'X-Goog-Content-Sha256',
  // Google's libraries sign no port, and their documentation says that a link for GET opens HEAD.
  signsPort: false,
  getOpensHead: true,
}

/**
 * V4 signed URLs of Google Cloud Storage, made with an HMAC key.
 *
 * A link can carry a start, one method (`GET` by default), headers that the request must send, and query parameters such as
 * `response-content-disposition`. The signature covers these, and host, path and query, but not the body. A link is valid for 7 days at most.
 *
 * The method is signed, and the link does not show it. So a request with another method is a `bad_signature`. A link for `GET` opens `HEAD`, too,
 * but not in the interoperability mode.
 *
 * @param keys - HMAC keys, newest first: the first one in time signs, the link's access id picks the one that verifies, and an empty list only
 *   reads.
 * @param options - Signer and verifier need the same ones.
 * @throws A `LinkError`: `bad_option` for a key without an id, a credential with white space or quotes, or a wrong option; `weak_key` for an empty
 *   secret.
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
export function gcs(keys: Keys<GcsKey>, options: GcsOptions = {}): Scheme<'starts' | 'method', PresignConditions, 'required'> {
  const { algorithm = GOOG4.algorithm, location = 'auto' } = options
  assertKnownOptions(options, ['algorithm', 'location'], 'gcs()')
  const vocabulary = [GOOG4, AWS4].find((each) => each.algorithm === algorithm)
  assertOption(vocabulary, 'algorithm', "'GOOG4-HMAC-SHA256' or 'AWS4-HMAC-SHA256'")
  assertOption(isScopeWord(location), 'location', "a location such as 'europe-west3'")
  const place = { region: location, service: vocabulary === AWS4 ? 's3' : 'storage' }
  return sigv4(keys, {
    ...vocabulary,
    name: 'gcs',
    // Cloud Storage answers ExpiredToken to expired links.
    status: { expired: 400, key_expired: 403, revoked: 403 },
    placeOf: () => place,
    assertUrl(hostname, path) {
      const closed = CLOSED.find(({ urls }) => urls.test(hostname + path))
      assertOption(!closed, 'url', `one that signed URLs open: ${closed?.problem}; use https://storage.googleapis.com/BUCKET/OBJECT`)
    },
  })
}

// Hosts and paths that no signed URL opens. https://cloud.google.com/storage/docs/request-endpoints
const CLOSED: readonly { readonly urls: RegExp; readonly problem: string }[] = [
  { urls: /^storage\.cloud\.google\.com\//, problem: 'this address is for browsers with a Google account' },
  { urls: /^console\.cloud\.google\.com\//, problem: 'this is an address of the console' },
  {
    urls: /^((www|storage)\.googleapis\.com\/((resumable\/)?(download|upload)\/)?storage\/v1\/|www\.googleapis\.com\/)/,
    problem: 'the JSON API takes no signed URLs',
  },
  { urls: /^firebasestorage\.googleapis\.com\//, problem: 'Firebase has tokens of its own' },
  {
    urls: /^[^/]*\.(amazonaws\.com(\.cn)?|r2\.cloudflarestorage\.com|core\.windows\.net)\//,
    problem: 'this host belongs to another vendor',
  },
]
