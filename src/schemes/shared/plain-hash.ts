// Vendors that hash the secret together with the text, in place of an HMAC.
import { md5 } from '@noble/hashes/legacy.js'
import { assertOption } from '../../core/errors.ts'
import { isBytes, type SecretKey } from '../../core/keys.ts'

/** MD5, which WebCrypto does not have. */
export const md5Digest = (message: Uint8Array): Uint8Array => md5(message)

/** The same key, if its bytes are known: the digest is over the secret itself. */
export function withKnownSecret(key: SecretKey): SecretKey {
  const { secret } = key
  assertOption(typeof secret === 'string' || isBytes(secret), 'secret', 'text or bytes: a CryptoKey of WebCrypto is for HMAC')
  return key
}
