// What NGINX makes of a request: $uri, $arg_name, templates, tokens, and directives as they stand in a configuration.
//
// Values are bytes, one character each, because NGINX knows no others: `ü` is two of them, and `%FF` is one that no text has.
import { BASE64URL } from '../../lib/encoding.ts'
import type { Parts } from '../../lib/url.ts'

/** A text as its UTF-8 bytes, one character each. */
export function bytesOf(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text
  return unescapeBytes(encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd')))
}

/** The opposite of {@link bytesOf}; bytes that are no UTF-8 come back as an array. */
export function textOf(bytes: string): string | Uint8Array<ArrayBuffer> {
  try {
    return decodeURIComponent(bytes.replace(/[%\x80-\xff]/g, escapeByte))
  } catch {
    return arrayOf(bytes)
  }
}

/** Bytes, one character each, as an array. */
export function arrayOf(bytes: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))
}

/** A `$uri` as a path that a URL can have. */
export function pathOf(uri: string): string {
  return uri.replace(/[^\w\-.~!$&'()*+,;=:@/]/g, escapeByte)
}

const unescapeBytes = (text: string): string => text.replace(/%(..)/g, (_, hex) => String.fromCharCode(+`0x${hex}`))
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
  readonly parts: Parts
  /** `$uri`: percent-decoded once, slashes merged, dot segments resolved. */
  readonly uri: string
  /** `$args` */
  readonly args: string
  /** `$host`: in lower case, without port. Empty for a URL that is a path. */
  readonly host: string
}

/** Values of variables, as bytes. */
export type Values = Readonly<Record<string, string | undefined>>

/** Sees a request with NGINX's eyes; `undefined` for what it answers with 400: `%00`, a broken escape, `..` above the root, a raw space. */
export function see(parts: Parts, mergeSlashes: boolean): Seen | undefined {
  const { origin, path, query } = parts
  if (path[0] !== '/' || /[\0-\x20\x7f]/.test(path + query) || /%(?![\da-f]{2})|%00/i.test(path)) return
  const kept: string[] = []
  const segments = unescapeBytes(bytesOf(path)).slice(1).split('/')
  const last = segments.pop() as string
  for (const segment of [...segments, last]) {
    if (segment === '..' && !kept.length) return
    if (segment === '..') kept.pop()
    else if (segment !== '.' && (segment || !mergeSlashes)) kept.push(segment)
  }
  // A folder keeps its slash; without merging, the last of several is there already.
  if (/^\.{1,2}$/.test(last) || (!last && mergeSlashes)) kept.push('')
  return {
    parts,
    uri: `/${kept.join('/')}`,
    args: bytesOf(query.slice(1)),
    host: origin
      .replace(/^.*?:\/\//, '')
      .replace(/:\d*$/, '')
      .replace(/\.$/, '')
      .replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  }
}

/** `$arg_name`: case of the name is no matter, the first one wins, and nothing is decoded. */
export function argument(args: string, name: string): string | undefined {
  return new RegExp(`(?:^|&)${name}=([^&]*)`, 'i').exec(args)?.[1]
}

/** A query without the arguments of these names. */
export function without(query: string, names: readonly string[]): string {
  const ours = new RegExp(`^(?:${names.join('|')})=`, 'i')
  const others = query
    .slice(1)
    .split('&')
    .filter((piece) => !ours.test(piece))
    .join('&')
  return others && `?${others}`
}

/** A number as NGINX reads one: digits, of which zeros may be in front. -1 for anything else, and for what has more than 63 bits. */
export function numberOf(text: string): number {
  return /^0*\d{1,19}$/.test(text) && BigInt(text) < 2n ** 63n ? Number(text) : -1
}

/**
 * A token as NGINX reads base64url: nothing counts from the first `=` on, nor do bits left over. Answers the one spelling that NGINX and we
 * would write; `undefined` for what does not hold `size` bytes, or is longer than `longest`.
 */
export function tokenOf(text: string, size: number, longest: number): string | undefined {
  const [plain = ''] = text.split('=', 1)
  const length = Math.ceil((size * 4) / 3)
  if (text.length > longest || plain.length !== length || !/^[\w-]+$/.test(plain)) return
  const last = BASE64URL.indexOf(plain.slice(-1))
  return plain.slice(0, -1) + BASE64URL[last & (-1 << (length * 6 - size * 8))]
}

// As in a configuration; `$12` is `$1` and a 2.
const VARIABLE = /\$\{(\w+)\}|\$([1-9]|\w+)/g

/** The names of a template's variables, in lower case; `undefined` when a `$` has no name. */
export function variablesOf(template: string): readonly string[] | undefined {
  if (template.replace(VARIABLE, '').includes('$')) return
  return [...template.matchAll(VARIABLE)].map(([, braced, plain]) => (braced ?? (plain as string)).toLowerCase())
}

/** Fills in a template, whose literal text is bytes as the values are. */
export function fill(template: string, value: (name: string) => string | undefined): string {
  return template.replace(VARIABLE, (_, braced, plain) => value((braced ?? plain).toLowerCase()) ?? '')
}

/** Values of variables that only NGINX knows, by name, as text; or functions of the parts of the URL. */
export type Variables = Readonly<Record<string, string | ((parts: Parts) => string)>>

/** With the names in lower case, as templates ask for them. */
export function lowered(variables: Variables = {}): Variables {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]))
}

/** The value of a variable as bytes: a given one, an argument, or one of `values`. */
export function valueFor(name: string, given: Variables, seen: Seen, values: Values): string | undefined {
  const value = given[name]
  if (value !== undefined) return bytesOf(typeof value === 'function' ? value(seen.parts) : value)
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
