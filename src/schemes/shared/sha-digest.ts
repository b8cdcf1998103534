// SHA-1 and SHA-2, for vendors that hash a request before they sign it, or that hash the secret together with the text.
import { bytesOf, subtle } from '../../core/crypto.ts'
import type { Hash } from '../../core/scheme.ts'
import { encode, HEX } from '../../lib/encoding.ts'

/** The hash of a text or of bytes. Throws `no_webcrypto` if WebCrypto is missing. */
export async function shaDigest(hash: Hash, message: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await subtle().digest(hash, bytesOf(message)))
}

/** The hash of a text, in hex. */
export async function hexDigest(hash: Hash, text: string): Promise<string> {
  return encode(await shaDigest(hash, text), HEX)
}

/** The function of an algorithm `{ digest }`. */
export const digestWith =
  (hash: Hash) =>
  (message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
    shaDigest(hash, message)
