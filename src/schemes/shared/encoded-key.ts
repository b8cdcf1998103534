// Secrets that a vendor hands out as hex or base64, and whose bytes are the key.
import { assertOption } from '../../core/errors.ts'
import type { SecretKey } from '../../core/keys.ts'
import { BASE64URL, decode, HEX } from '../../lib/encoding.ts'

const HEX_RULE = 'hex digits, two for each byte'

/** The same key with the bytes of a secret in hex. Bytes and `CryptoKey`s stay as they are. */
export function withHexSecret<K extends SecretKey>(key: K): K {
  return withBytes(key, HEX, (secret) => secret.toLowerCase(), HEX_RULE)
}

/** The same key with the bytes of a secret in base64 or base64url, with or without padding. */
export function withBase64Secret<K extends SecretKey>(key: K): K {
  const plain = (secret: string) =>
    withoutUnusedBits(
      secret
        .replace(/={1,2}$/, '')
        .replaceAll('+', '-')
        .replaceAll('/', '_'),
    )
  return withBytes(key, BASE64URL, plain, 'base64 or base64url')
}

/** Samples of Google have keys such as `aaaaaaaaaaaaaaaaaaaaaa==`, whose last character has bits that belong to no byte. Vendors ignore these bits. */
function withoutUnusedBits(text: string): string {
  const values = [1, 1, 16, 4][text.length % 4] as number
  const last = BASE64URL.indexOf(text.slice(-1))
  return last < 0 || !text ? text : text.slice(0, -1) + BASE64URL[last - (last % values)]
}

/** The bytes that a text of hex digits stands for. */
export function hexBytes(text: string, option: string): Uint8Array<ArrayBuffer> {
  return bytesIn(text.toLowerCase(), HEX, option, HEX_RULE)
}

function withBytes<K extends SecretKey>(key: K, alphabet: string, plain: (secret: string) => string, rule: string): K {
  const { secret } = key
  return typeof secret === 'string' ? { ...key, secret: bytesIn(plain(secret), alphabet, 'secret', rule) } : key
}

function bytesIn(text: string, alphabet: string, option: string, rule: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length)
  const length = decode(text, alphabet, bytes)
  assertOption(length >= 0, option, rule)
  return bytes.slice(0, length)
}
