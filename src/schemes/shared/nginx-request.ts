// A request as NGINX sees it: $uri, $host, $args and $arg_name, and the numbers and tokens in them.
//
// Values are bytes, one character each, because NGINX knows no others: `ü` is two of them, and `%FF` is one that is not text.

import type { Claims } from '../../core/claims.ts'
import { ENDLESS } from '../../core/time.ts'
import { BASE64URL, decode } from '../../lib/encoding.ts'
import type { Parts } from '../../lib/url.ts'

/** A text as its UTF-8 bytes, one character each. */
export function bytesOf(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text
  const bytes = new TextEncoder().encode(text)
  let result = ''
  // In slices, because a call takes a limited number of arguments.
  for (let from = 0; from < bytes.length; from += 4096) result += String.fromCharCode(...bytes.subarray(from, from + 4096))
  return result
}

// The byte sequences of RFC 3629. Tested before decoding, because a decoder that throws costs more than the rest of a request.
const UTF8 =
  /^(?:[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*$/

/** The opposite of {@link bytesOf}. Bytes that are not UTF-8 come back as an array. */
export function textOf(bytes: string): string | Uint8Array<ArrayBuffer> {
  if (/^[\0-\x7f]*$/.test(bytes)) return bytes
  const array = new Uint8Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) array[i] = bytes.charCodeAt(i)
  return UTF8.test(bytes) ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(array) : array
}

/** A `$uri` as a path that a URL can have. */
export function pathOf(uri: string): string {
  return uri.replace(/[^\w\-.~!$&'()*+,;=:@/]/g, escapeByte)
}

/** Replaces every escape with its byte. Each `%` must begin an escape. */
function unescapeBytes(text: string): string {
  const [first = '', ...escaped] = text.split('%')
  let result = first
  for (const piece of escaped) result += String.fromCharCode(Number.parseInt(piece.slice(0, 2), 16)) + piece.slice(2)
  return result
}

/** The escape of a byte, such as `%C3`. */
export const escapeByte = (byte: string): string => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** A request as NGINX has it. */
export interface NginxRequest {
  /** The URL without the token and the link's other parameters: the same when a link is signed and when it is verified. */
  readonly parts: Parts
  /** `$uri` of that URL: percent-decoded once, slashes merged. */
  readonly uri: string
  /** `$args`, with the parameters of the link. */
  readonly args: string
  /** `$host`: in lower case, without port. Empty for a URL that is a path. */
  readonly host: string
}

/**
 * Reads a URL as NGINX does. `undefined` for one that NGINX answers with 400 (`%00`, a broken escape, a raw space), and for one that it reads in
 * another way than clients or applications do: with `.` or `..` between slashes, even if escaped, a raw `\`, or two leading slashes that are not
 * merged.
 *
 * @param parts - The URL without the link's own parameters.
 * @param args - The query with them, as bytes.
 */
export function nginxRequest(parts: Parts, args: string, mergeSlashes: boolean): NginxRequest | undefined {
  const { origin, path } = parts
  if (path[0] !== '/' || /[\0-\x20\x7f\\]/.test(path) || /[\0-\x20\x7f]/.test(args) || /%(?![\da-f]{2})|%00/i.test(path)) return
  const decoded = unescapeBytes(bytesOf(path))
  const uri = mergeSlashes ? decoded.replace(/\/{2,}/g, '/') : decoded
  if (/\/\.\.?(?:\/|$)/.test(uri) || uri.startsWith('//')) return
  const host = /^.*?:\/\/(.*?)\.?(?::\d*)?$/.exec(origin)?.[1] ?? ''
  return { parts, uri, args, host: host.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) }
}

/** The rule of {@link nginxRequest}, for errors of `sign`. */
export const READABLE_URL =
  "one with a path that NGINX and clients read alike: without %00, a % that begins no escape, the segments '.' and '..' in any spelling, a \\, and two slashes in front, and with spaces as %20"

/** `$arg_name`: the case of the name does not matter, the first one wins, and nothing is decoded. */
export function argument(args: string, name: string): string | undefined {
  return new RegExp(`(?:^|&)${name}=([^&]*)`, 'i').exec(args)?.[1]
}

/** A query without the arguments of these names. */
export function without(query: string, names: readonly string[]): string {
  if (names.length === 0) return query
  const others = `&${query.slice(1)}`.replace(new RegExp(`&(?:${names.join('|')})=[^&]*`, 'gi'), '').slice(1)
  return others && `?${others}`
}

/** A number as NGINX reads one: digits, perhaps with leading zeros. -1 for anything else, and for a number of more than 63 bits. */
export function numberOf(text: string): number {
  const digits = text.replace(/^0+(?=.)/, '')
  return /^\d{1,19}$/.test(digits) && BigInt(digits) < 2n ** 63n ? Number(digits) : -1
}

/** The claims of an expiry in seconds. NGINX takes a number of milliseconds for seconds, and such a link never expires. */
export function expiryClaims(seconds: number): Pick<Claims, 'expires' | 'endless'> {
  if (seconds < ENDLESS) return { expires: new Date(seconds * 1000) }
  return { expires: new Date(ENDLESS * 1000), endless: true }
}

/**
 * Is this a token of `size` bytes in base64url? NGINX itself also accepts padding, and any value of the unused bits. Here a token has only one
 * spelling. Otherwise a link could be written in a second way, which a list of revoked or used links would not contain.
 */
export function isToken(text: string, size: number): boolean {
  return text.length === Math.ceil((size * 4) / 3) && decode(text, BASE64URL, new Uint8Array(size)) === size
}
