// MD5, for vendors that hash the secret together with the text, in place of an HMAC.
import { md5 } from '@noble/hashes/legacy.js'

/** MD5, which WebCrypto does not have. */
export const md5Digest = (message: Uint8Array): Uint8Array => md5(message)
