// gcs: V4 signed URLs of Google Cloud Storage with HMAC keys, https://cloud.google.com/storage/docs/authentication/signatures
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Keys, SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import { assertUrl, GOOG4 } from './shared/google.ts'
import { GOOG4_FORM } from './shared/post-form.ts'
import { AWS4, isScopeWord, type PresignConditions, sigv4 } from './shared/sigv4.ts'

export type { PresignConditions }

/** An HMAC key of Cloud Storage. The secret is used as text; its base64 is not decoded. */
export interface GcsKey extends SecretKey {
  /** The access id (`GOOG…`), which the link shows. */
  readonly id: string
}

/** Options of {@link gcs}. */
export interface GcsOptions {
  /** `'AWS4-HMAC-SHA256'` for the interoperability with S3, with `X-Amz-` parameters. Default: `'GOOG4-HMAC-SHA256'`. */
  readonly algorithm?: 'GOOG4-HMAC-SHA256' | 'AWS4-HMAC-SHA256'
  /** The location of the bucket. The storage takes any word. Default: `'auto'`. */
  readonly location?: string
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
 * @see https://cloud.google.com/storage/docs/authentication/signatures
 * @param keys - HMAC keys, newest first: the first one that is valid now signs, the link's access id picks the one that verifies, and an empty list
 *   only reads links.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
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
    // Google documents its own names for forms, and none of the interoperability mode.
    form: vocabulary === GOOG4 ? GOOG4_FORM : undefined,
    // Cloud Storage answers ExpiredToken to expired links.
    status: { expired: 400, key_expired: 403, revoked: 403 },
    placeOf: () => place,
    assertUrl,
  })
}
