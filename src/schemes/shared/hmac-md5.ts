// HMAC with MD5, which WebCrypto does not have, for properties of Akamai that are set to it.
import { hmac } from '@noble/hashes/hmac.js'
import { md5 } from '@noble/hashes/legacy.js'
import type { SecretKey } from '../../core/keys.ts'
import type { Signer } from '../../core/scheme.ts'
import { encode, HEX, same } from '../../lib/encoding.ts'

const compute = ({ secret }: SecretKey, message: Uint8Array): Uint8Array => hmac(md5, secret as Uint8Array, message)

/** Signs with keys that are bytes. */
export const hmacMd5: Signer = {
  sign: async (key, message) => compute(key, message),
  verify: async (key, message, signature) => same(encode(compute(key, message), HEX), encode(signature, HEX)),
}
