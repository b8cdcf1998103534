// Keys of vendors that hash the secret together with the string, instead of computing an HMAC.
import { assertOption } from '../../core/errors.ts'
import { isBytes, type SecretKey } from '../../core/keys.ts'

/** Returns the key. Throws unless its secret is a string or bytes, because the digest needs the secret, and a `CryptoKey` does not reveal it. */
export function withKnownSecret<K extends SecretKey>(key: K): K {
  const { secret } = key
  assertOption(typeof secret === 'string' || isBytes(secret), 'secret', 'text or bytes: a CryptoKey of WebCrypto is for HMAC')
  return key
}
