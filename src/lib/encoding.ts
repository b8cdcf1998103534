// Bytes to text and back. `btoa` and `atob` take ten times as long, and `Buffer` is not everywhere.

/** Hex in lower case. */
export const HEX = '0123456789abcdef'
/** Base64url without padding, RFC 4648 section 5. */
export const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Base64, RFC 4648 section 4, without padding. The caller adds and removes it. */
export const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Writes bytes in an alphabet of 16 or 64 characters. */
export function encode(bytes: Uint8Array, alphabet: string): string {
  const width = alphabet.length > 16 ? 6 : 4
  // Character codes, turned into a string at once: appending characters takes three times as long.
  const codes: number[] = []
  const put = (value: number) => codes.push(alphabet.charCodeAt(value & (alphabet.length - 1)))
  let bits = 0
  let buffer = 0
  for (let i = 0; i < bytes.length; i++) {
    buffer = (buffer << 8) | (bytes[i] as number)
    for (bits += 8; bits >= width; ) put(buffer >> (bits -= width))
  }
  if (bits) put(buffer << (width - bits))
  return String.fromCharCode(...codes)
}

const tables: Record<string, Int8Array> = {}

/**
 * Reads text that {@link encode} wrote into `bytes`, and returns the number of bytes. It returns -1 for any other character, for padding, and for unused
 * bits that are not zero. So bytes have exactly one spelling, and nobody can write a signature in another way.
 */
export function decode(text: string, alphabet: string, bytes: Uint8Array): number {
  const width = alphabet.length > 16 ? 6 : 4
  // The value of each character: looking it up in the alphabet itself takes three times as long.
  tables[alphabet] ??= Int8Array.from({ length: 128 }, (_, code) => alphabet.indexOf(String.fromCharCode(code)))
  const table = tables[alphabet]
  let at = 0
  let bits = 0
  let buffer = 0
  for (let i = 0; i < text.length; i++) {
    const value = table[text.charCodeAt(i)] ?? -1
    if (value < 0) return -1
    buffer = (buffer << width) | value
    bits += width
    if (bits >= 8) bytes[at++] = buffer >> (bits -= 8)
  }
  return bits >= width || buffer & ((1 << bits) - 1) ? -1 : at
}

/**
 * Are two texts the same? It looks at every character, so the time tells nothing about where they differ. For tokens, and for digests that
 * WebCrypto does not have; where it has the algorithm, `crypto.subtle.verify` compares.
 */
export function same(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
