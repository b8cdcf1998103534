// Bytes to text and back. `btoa` and `atob` take ten times as long, and `Buffer` is not everywhere.

/** Hex in lower case. */
export const HEX = '0123456789abcdef'
/** Base64url without padding, RFC 4648 section 5. */
export const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Base64, RFC 4648 section 4, without padding. The caller adds and removes it. */
export const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Whole groups of three bytes, which are four characters of base64. */
const PIECE = 3 * 1024

/** Writes bytes in an alphabet of 16 or 64 characters. */
export function encode(bytes: Uint8Array, alphabet: string): string {
  // In pieces, because the characters of a piece are the arguments of one call, and a stack has no room for 130,000 of them.
  if (bytes.length > PIECE) return encode(bytes.subarray(0, PIECE), alphabet) + encode(bytes.subarray(PIECE), alphabet)
  return alphabet.length === 16 ? encode16(bytes, alphabet) : encode64(bytes, alphabet)
}

function encode16(bytes: Uint8Array, alphabet: string): string {
  const characters = characterCodesOf(alphabet)
  const codes = new Array<number>(bytes.length * 2)
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    codes[2 * i] = characters[byte >> 4] as number
    codes[2 * i + 1] = characters[byte & 15] as number
  }
  return String.fromCharCode(...codes)
}

const codesOf: Record<string, Uint8Array> = {}

/** The codes of an alphabet. They are turned into a string at once, because appending characters takes twice as long. */
function characterCodesOf(alphabet: string): Uint8Array {
  codesOf[alphabet] ??= Uint8Array.from(alphabet, (character) => character.charCodeAt(0))
  return codesOf[alphabet]
}

function encode64(bytes: Uint8Array, alphabet: string): string {
  const characters = characterCodesOf(alphabet)
  const codes = new Array<number>(Math.ceil(bytes.length / 3) * 4)
  let at = 0
  for (let i = 0; i < bytes.length; i += 3) {
    // Three bytes are four characters. After the last byte come zeros, whose characters are cut off.
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    codes[at++] = characters[group >> 18] as number
    codes[at++] = characters[(group >> 12) & 63] as number
    codes[at++] = characters[(group >> 6) & 63] as number
    codes[at++] = characters[group & 63] as number
  }
  codes.length = Math.ceil((bytes.length * 4) / 3)
  return String.fromCharCode(...codes)
}

const tables: Record<string, Int8Array> = {}

/** The value of each character of an alphabet by its code, and -1 for all others. Searching the alphabet itself takes three times as long. */
function valuesOf(alphabet: string): Int8Array {
  tables[alphabet] ??= Int8Array.from({ length: 128 }, (_, code) => alphabet.indexOf(String.fromCharCode(code)))
  return tables[alphabet]
}

/**
 * Reads text that {@link encode} wrote into `bytes`, and returns the number of bytes. It returns -1 for any other character, for padding, and for unused
 * bits that are not zero. So bytes have exactly one spelling, and nobody can write a signature in another spelling.
 */
export function decode(text: string, alphabet: string, bytes: Uint8Array): number {
  const values = valuesOf(alphabet)
  const width = alphabet.length === 16 ? 4 : 6
  let at = 0
  let i = 0
  // Four characters of base64 are three bytes. Reading them one by one takes twice as long.
  for (; width === 6 && i + 4 <= text.length; i += 4) {
    const group =
      (valueAt(i, text, values) << 18) |
      (valueAt(i + 1, text, values) << 12) |
      (valueAt(i + 2, text, values) << 6) |
      valueAt(i + 3, text, values)
    if (group < 0) return -1
    bytes[at++] = group >> 16
    bytes[at++] = group >> 8
    bytes[at++] = group
  }
  let bits = 0
  let buffer = 0
  for (; i < text.length; i++) {
    const value = valueAt(i, text, values)
    if (value < 0) return -1
    buffer = (buffer << width) | value
    bits += width
    if (bits >= 8) bytes[at++] = buffer >> (bits -= 8)
  }
  return bits >= width || buffer & ((1 << bits) - 1) ? -1 : at
}

/** The value of a character, or -1, with which every group is negative. */
const valueAt = (i: number, text: string, values: Int8Array): number => values[text.charCodeAt(i)] ?? -1

/**
 * Are two texts the same? It looks at every character, so the time does not depend on where they differ. For tokens, and for digests that
 * WebCrypto does not have. Otherwise `crypto.subtle.verify` compares.
 */
export function same(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
