// What NGINX makes of a request: $uri, $arg_name, templates, tokens, and directives as they stand in a configuration.
//
// Values are bytes, one character each, because NGINX knows no others: `ü` is two of them, and `%FF` is one that no text has.
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

/** The opposite of {@link bytesOf}; bytes that are not UTF-8 come back as an array. */
export function textOf(bytes: string): string | Uint8Array<ArrayBuffer> {
  if (/^[\0-\x7f]*$/.test(bytes)) return bytes
  const array = arrayOf(bytes)
  return UTF8.test(bytes) ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(array) : array
}

/** Bytes, one character each, as an array. */
export function arrayOf(bytes: string): Uint8Array<ArrayBuffer> {
  const array = new Uint8Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) array[i] = bytes.charCodeAt(i)
  return array
}

/** A `$uri` as a path that a URL can have. */
export function pathOf(uri: string): string {
  return uri.replace(/[^\w\-.~!$&'()*+,;=:@/]/g, escapeByte)
}

/** Replaces every escape by its byte. Each `%` must begin one. */
function unescapeBytes(text: string): string {
  const [first = '', ...escaped] = text.split('%')
  let result = first
  for (const piece of escaped) result += String.fromCharCode(Number.parseInt(piece.slice(0, 2), 16)) + piece.slice(2)
  return result
}

const escapeByte = (byte: string): string => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** What links can carry of which a template is signed: an address if it has `$remote_addr`, a method if it has `$request_method`. */
export type ConditionOf<T extends string> = string extends T
  ? 'ip' | 'method'
  :
      | (T extends `${string}$remote_addr${string}` | `${string}{remote_addr}${string}` ? 'ip' : never)
      | (T extends `${string}$request_method${string}` | `${string}{request_method}${string}` ? 'method' : never)

/** A template with `$remote_addr` needs the address. */
export type ConditionsOf<T extends string> = T extends `${string}$remote_addr${string}` | `${string}{remote_addr}${string}`
  ? { readonly ip: string }
  : object

/** A request as NGINX has it. */
export interface Seen {
  /** The URL without the token and the link's other parameters: the same when a link is signed and when it is verified. */
  readonly parts: Parts
  /** `$uri` of that URL: percent-decoded once, slashes merged. */
  readonly uri: string
  /** `$args`, with the parameters of the link. */
  readonly args: string
  /** `$host`: in lower case, without port. Empty for a URL that is a path. */
  readonly host: string
}

/** Values of variables, as bytes. */
export type Values = Readonly<Record<string, string | undefined>>

/**
 * Sees a request with NGINX's eyes. `undefined` for what NGINX answers with 400 (`%00`, a broken escape, a raw space), and for what it reads in
 * another way than clients or applications do: `.` and `..` between slashes, also escaped ones, a raw `\`, and two slashes in front that are
 * not merged.
 */
export function see(parts: Parts, args: string, mergeSlashes: boolean): Seen | undefined {
  const { origin, path } = parts
  if (path[0] !== '/' || /[\0-\x20\x7f\\]/.test(path) || /[\0-\x20\x7f]/.test(args) || /%(?![\da-f]{2})|%00/i.test(path)) return
  const decoded = unescapeBytes(bytesOf(path))
  const uri = mergeSlashes ? decoded.replace(/\/{2,}/g, '/') : decoded
  if (/\/\.\.?(?:\/|$)/.test(uri) || uri.startsWith('//')) return
  const host = /^.*?:\/\/(.*?)\.?(?::\d*)?$/.exec(origin)?.[1] ?? ''
  return { parts, uri, args, host: host.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) }
}

/** The rule of {@link see}, for errors of `sign`. */
export const READABLE_PATH =
  "url must have a path that NGINX and clients read alike: without %00, a % that begins no escape, the segments '.' and '..' in any spelling, a \\, and two slashes in front; and with spaces as %20"

/** `$arg_name`: the case of the name does not matter, the first one wins, and nothing is decoded. */
export function argument(args: string, name: string): string | undefined {
  return new RegExp(`(?:^|&)${name}=([^&]*)`, 'i').exec(args)?.[1]
}

/** A query without the arguments of these names. */
export function without(query: string, names: readonly string[]): string {
  const others = `&${query.slice(1)}`.replace(new RegExp(`&(?:${names.join('|')})=[^&]*`, 'gi'), '').slice(1)
  return others && `?${others}`
}

/** The arguments among these variables as a query, which is what a good signature proves of one: the first of a name, its value as it stands. */
export function coveredQuery(names: readonly string[], own: readonly string[], args: string): string {
  const covered = names.filter((name) => name.startsWith('arg_')).map((name) => name.slice(4))
  const pairs = [...new Set(covered)]
    .filter((name) => !own.includes(name))
    .map((name) => ({ name, value: argument(args, name) }))
    // An argument without a value has the same text as no argument.
    .filter(({ value }) => value)
    .map(({ name, value = '' }) => `${name}=${value.replace(/[\x80-\xff]/g, escapeByte)}`)
  return pairs.length ? `?${pairs.join('&')}` : ''
}

/** A number as NGINX reads one: digits, of which zeros may be in front. -1 for anything else, and for what has more than 63 bits. */
export function numberOf(text: string): number {
  const digits = text.replace(/^0+(?=.)/, '')
  return /^\d{1,19}$/.test(digits) && BigInt(digits) < 2n ** 63n ? Number(digits) : -1
}

/**
 * A token of `size` bytes in base64url; `undefined` for all else. NGINX itself also takes padding and any value of the bits left over. Here a
 * token has one spelling, so that nobody can make a second link out of one, which lists of revoked or used links would not know.
 */
export function tokenOf(text: string, size: number): string | undefined {
  return text.length === Math.ceil((size * 4) / 3) && decode(text, BASE64URL, new Uint8Array(size)) === size ? text : undefined
}

// As in a configuration; `$12` is `$1` and a 2.
const VARIABLE = /\$\{(\w+)\}|\$([1-9]|\w+)/g

/** The names of a template's variables, in lower case; `undefined` when a `$` has no name. */
export function variablesOf(template: string): readonly string[] | undefined {
  if (template.replace(VARIABLE, '').includes('$')) return
  return [...template.matchAll(VARIABLE)].map(([, braced, plain]) => (braced ?? (plain as string)).toLowerCase())
}

/** A piece of a filled template: its own text, or the value of a variable. Bytes, one character each. */
export interface Piece {
  /** The variable's name, in lower case. */
  readonly name?: string
  readonly text: string
}

/** Fills in a template, whose literal text is bytes as the values are. */
export function fill(template: string, value: (name: string) => string | undefined): readonly Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const found of template.matchAll(VARIABLE)) {
    const name = (found[1] ?? (found[2] as string)).toLowerCase()
    pieces.push({ text: template.slice(end, found.index) }, { name, text: value(name) ?? '' })
    end = found.index + found[0].length
  }
  return [...pieces, { text: template.slice(end) }].filter((piece) => piece.name || piece.text)
}

/** The text of all pieces. */
export const joined = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join('')

/** The values that a variable can have, as far as they tell where it begins and ends. */
interface Field {
  /** The length of the shortest one. */
  readonly least: number
  /** Can this byte be the one at this place? All places from `least` on are alike. */
  holds(byte: number, at: number): boolean
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isIn = (characters: string) => (byte: number) => characters.includes(String.fromCharCode(byte))
// No space and no control character, as in a request line.
const isPrinted = (byte: number): boolean => byte > 0x20 && byte !== 0x7f

const PATH: Field = { least: 1, holds: (byte, at) => (at ? byte !== 0 : byte === 0x2f) }
const ARGUMENT: Field = { least: 0, holds: (byte) => isPrinted(byte) && byte !== 0x26 && byte !== 0x23 }
const ANYTHING: Field = { least: 0, holds: () => true }

/** A number of seconds, such as a lifetime. */
export const SECONDS: Field = { least: 1, holds: isDigit }

/** A time in seconds since 1970. With fewer than ten digits it was before 2001, and the link has expired. */
export const EXPIRY: Field = { least: 10, holds: isDigit }

const FIELDS: Readonly<Record<string, Field>> = {
  uri: PATH,
  rest: PATH,
  secure_link_expires: EXPIRY,
  secure_link_hmac_expires: SECONDS,
  remote_addr: { least: 2, holds: isIn('0123456789abcdef.:') },
  request_method: { least: 1, holds: isIn('ABCDEFGHIJKLMNOPQRSTUVWXYZ_-') },
  host: { least: 1, holds: (byte) => isPrinted(byte) && byte !== 0x2f },
}

/**
 * Can the text of these pieces be split into the fields of its template in one way only? If not, it is also the text of another path, time or
 * argument, and the token is valid for that, too: with `$uri|$arg_ts`, the path `/a|2099` and the time `1` make the text of the path `/a` and the
 * time `2099|1`.
 *
 * `$uri$remote_addr` counts as one field, because the most common expression has it. So it tells nothing about where the path ends and the
 * address begins.
 *
 * @param own - Fields of variables that are not the same for every scheme: the link's own arguments.
 */
export function splitsInOneWay(pieces: readonly Piece[], own: Readonly<Record<string, Field>>): boolean {
  const text = joined(pieces)
  // For each place in the text: in how many ways the pieces so far can end there.
  let ways = new Float64Array(text.length + 1)
  ways[0] = 1
  for (const [i, { name, text: value }] of pieces.entries()) {
    const next = new Float64Array(text.length + 1)
    const field =
      name === undefined || name === 'secret' ? undefined : (own[name] ?? FIELDS[name] ?? (name.startsWith('arg_') ? ARGUMENT : ANYTHING))
    if (name === 'remote_addr' && FIELDS[pieces[i - 1]?.name ?? ''] === PATH) continue
    if (!field) {
      for (let at = 0; at + value.length <= text.length; at++)
        if (ways[at] && text.startsWith(value, at)) next[at + value.length] = ways[at] as number
    } else {
      const holds = (from: number, to: number): boolean => {
        for (let at = from; at < to; at++) if (!field.holds(text.charCodeAt(at), at - from)) return false
        return true
      }
      const least = Math.min(field.least, value.length)
      // In how many ways the field can have begun, so that it reaches up to `end`.
      let begun = 0
      for (let end = least; end <= text.length; end++) {
        if (ways[end - least] && holds(end - least, end)) begun += ways[end - least] as number
        next[end] = begun
        if (!field.holds(text.charCodeAt(end), field.least)) begun = 0
      }
    }
    ways = next
  }
  return ways[text.length] === 1
}

/** The rule of {@link splitsInOneWay}, for errors of `sign`. */
export const ONE_SPLIT =
  'url must give a text that can be split into its fields in one way: here a value contains the separator next to it, or two fields have no separator (the option ambiguous allows it)'

/** The URL that a link was made from, for functions of {@link Variables}. */
export interface SignedUrl extends Parts {
  /** The path as NGINX has it in `$uri`: percent-decoded, slashes merged. */
  readonly uri: string
}

/**
 * Values of variables that only NGINX knows, by name, as text; or functions of the URL. These get the URL without the token, the expiry and the
 * link's other parameters, so it is the same for `sign` and `verify`.
 */
export type Variables = Readonly<Record<string, string | ((url: SignedUrl) => string)>>

/** With the names in lower case, as templates ask for them. */
export function lowered(variables: Variables = {}): Variables {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Can all functions be given this path as text? One that is not UTF-8 cannot be. */
export function fitsFunctions(given: Variables, { uri }: Seen): boolean {
  return typeof textOf(uri) === 'string' || !Object.values(given).some((value) => typeof value === 'function')
}

/** The value of a variable as bytes: a given one, an argument, or one of `values`. */
export function valueFor(name: string, given: Variables, seen: Seen, values: Values): string | undefined {
  const value = given[name]
  if (typeof value === 'function') return bytesOf(value({ ...seen.parts, uri: textOf(seen.uri) as string }))
  if (value !== undefined) return bytesOf(value)
  return name.startsWith('arg_') ? argument(seen.args, name.slice(4)) : values[name]
}

/** The argument of a directive in a piece of configuration, such as `name "text";`. */
export function directive(text: string, name: string): string | undefined {
  const quoted = `"((?:[^"\\\\]|\\\\.)*)"|'((?:[^'\\\\]|\\\\.)*)'|((?:\\$\\{\\w+\\}|[^\\s;"'{}])+)`
  const found = new RegExp(`(?:^|[\\s;{}])${name}\\s+(?:${quoted})\\s*(?:;|$)`, 's').exec(text.replace(/^\s*#.*$/gm, ''))
  const [, double, single, bare] = found ?? []
  const escapes: Record<string, string> = { t: '\t', r: '\r', n: '\n' }
  return (double ?? single ?? bare)?.replace(/\\(["'\\trn])/g, (_, character) => escapes[character] ?? character)
}
