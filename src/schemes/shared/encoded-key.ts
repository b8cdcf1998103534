// Secrets that a vendor hands out as hex or base64, and whose bytes are the key.
import { assertOption } from '../../core/errors.ts'
import type { SecretKey } from '../../core/keys.ts'
import { BASE64URL, decode, HEX } from '../../lib/encoding.ts'

/** The same key with the bytes of a secret in hex. Bytes and `CryptoKey`s stay as they are. */
export function withHexSecret<K extends SecretKey>(key: K): K {
  return withBytes(key, HEX, (secret) => secret.toLowerCase(), 'hex digits, two for each byte')
}

/** The same key with the bytes of a secret in base64 or base64url, with or without padding. */
export function withBase64Secret<K extends SecretKey>(key: K): K {
  const plain = (secret: string) =>
    secret
      .replace(/={1,2}$/, '')
      .replaceAll('+', '-')
      .replaceAll('/', '_')
  return withBytes(key, BASE64URL, plain, 'base64 or base64url')
}

function withBytes<K extends SecretKey>(key: K, alphabet: string, plain: (secret: string) => string, rule: string): K {
  const { secret } = key
  if (typeof secret !== 'string') return key
  const bytes = new Uint8Array(secret.length)
  const length = decode(plain(secret), alphabet, bytes)
  assertOption(length >= 0, 'secret', rule)
  return { ...key, secret: bytes.slice(0, length) }
}
