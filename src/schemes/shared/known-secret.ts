// Keys of vendors who hash the secret together with the text, in place of an HMAC.
import { assertOption } from '../../core/errors.ts'
import { isBytes, type SecretKey } from '../../core/keys.ts'

/** The key itself. Throws unless its secret is text or bytes: a digest is over the secret, and a `CryptoKey` does not show it. */
export function withKnownSecret<K extends SecretKey>(key: K): K {
  const { secret } = key
  assertOption(typeof secret === 'string' || isBytes(secret), 'secret', 'text or bytes: a CryptoKey of WebCrypto is for HMAC')
  return key
}
