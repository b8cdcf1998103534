// Bytes to text and back. `btoa` and `atob` take ten times as long, and `Buffer` is not everywhere.

/** Hex in lower case. */
export const HEX = '0123456789abcdef'
/** Base64url without padding, RFC 4648 section 5. */
export const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Writes bytes in an alphabet of 16 or 64 characters. */
export function encode(bytes: Uint8Array, alphabet: string): string {
  const width = Math.log2(alphabet.length)
  let text = ''
  let bits = 0
  let buffer = 0
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte
    for (bits += 8; bits >= width; ) text += alphabet[(buffer >> (bits -= width)) & (alphabet.length - 1)]
  }
  return bits ? text + alphabet[(buffer << (width - bits)) & (alphabet.length - 1)] : text
}

/**
 * Reads what {@link encode} wrote, and nothing else: a foreign character, padding, or bits left over that are not zero give `undefined`.
 * So all bytes have exactly one spelling, and a signature cannot be respelled.
 */
export function decode(text: string, alphabet: string): Uint8Array<ArrayBuffer> | undefined {
  const width = Math.log2(alphabet.length)
  const bytes = new Uint8Array((text.length * width) >> 3)
  let at = 0
  let bits = 0
  let buffer = 0
  for (const character of text) {
    const value = alphabet.indexOf(character)
    if (value < 0) return
    buffer = (buffer << width) | value
    bits += width
    if (bits >= 8) bytes[at++] = buffer >> (bits -= 8)
  }
  return bits >= width || buffer & ((1 << bits) - 1) ? undefined : bytes
}
