// gcs-rsa: V4 signed URLs of Google Cloud Storage with service accounts, https://cloud.google.com/storage/docs/authentication/signatures
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Keys } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import { type KeyPair, keyPairs, signer } from './shared/asymmetric.ts'
import { assertUrl, GOOG4 } from './shared/google.ts'
import { GOOG4_FORM } from './shared/post-form.ts'
import { isScopeWord, type PresignConditions, presigned } from './shared/sigv4.ts'

export type { PresignConditions }

/** An RSA key of a service account: the private key signs, the public key or a certificate alone verifies. */
export interface GcsRsaKey extends KeyPair {
  /** The e-mail address of the service account (`client_email` in its key file), which the link shows. */
  readonly id: string
}

/** Options of {@link gcsRsa}. */
export interface GcsRsaOptions {
  /** The location of the bucket. The storage takes any word. Default: `'auto'`. */
  readonly location?: string
}

const SHA256 = /* @__PURE__ */ signer('SHA-256')

/**
 * V4 signed URLs of Google Cloud Storage, made with the RSA key of a service account (`GOOG4-RSA-SHA256`).
 *
 * A link can carry a start, one method (`GET` by default), headers that the request must send, and query parameters such as
 * `response-content-disposition`. The signature covers these, and host, path and query, but not the body. A link is valid for 7 days at most.
 *
 * The method is signed, and the link does not show it. So a request with another method is a `bad_signature`. A link for `GET` opens `HEAD`, too.
 *
 * @see https://cloud.google.com/storage/docs/authentication/signatures
 * @param keys - Keys of service accounts, newest first: the first one that is valid now signs, those of the link's account verify, and an empty list
 *   only reads links. Where no private key is at hand, as on Cloud Run, the secret is `{ sign(bytes) }` and calls `signBlob`.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, a key that is not in PEM and for a wrong option, `weak_key` for a missing key and
 *   for RSA keys under 2048 bits.
 *
 * @example
 * ```ts no-run needs the key of a service account
 * import { sign } from 'securelink'
 * import { gcsRsa } from 'securelink/schemes/gcs-rsa'
 *
 * const { client_email, private_key } = JSON.parse(process.env.GOOGLE_CREDENTIALS)
 * const bucket = gcsRsa({ id: client_email, secret: private_key })
 * const link = await sign(bucket, 'https://storage.googleapis.com/example-bucket/tabby.jpeg', { expires: '15m' })
 * ```
 */
export function gcsRsa(keys: Keys<GcsRsaKey>, options: GcsRsaOptions = {}): Scheme<'starts' | 'method', PresignConditions, 'required'> {
  const { location = 'auto' } = options
  assertKnownOptions(options, ['location'], 'gcsRsa()')
  assertOption(isScopeWord(location), 'location', "a location such as 'europe-west3'")
  const place = { region: location, service: 'storage' }
  return presigned(keyPairs(keys, 'SHA-256', { kinds: ['RSA'], leastBits: 2048 }), {
    ...GOOG4,
    algorithm: 'GOOG4-RSA-SHA256',
    name: 'gcs-rsa',
    form: GOOG4_FORM,
    signer: SHA256,
    // Cloud Storage answers ExpiredToken to expired links.
    status: { expired: 400, key_expired: 403, revoked: 403 },
    placeOf: () => place,
    assertUrl,
  })
}
