// Splits URLs without printing them again. `URL` and `URLSearchParams` are not used, because they change the text.
import { LONGEST } from './longest.ts'

export { LONGEST }

/** A URL taken apart; joined in this order the parts give the same text. */
export interface Parts {
  /** `https://cdn.example:8443`, or empty when the text is a path. */
  readonly origin: string
  /** `/` when an absolute URL has none. */
  readonly path: string
  /** With its `?`, or empty. */
  readonly query: string
  /** With its `#`, or empty. */
  readonly fragment: string
  /**
   * `true` for most URLs: each character in its only spelling, no escapes in the path, no dot segments, no fragment. Checks for these can be left
   * out.
   */
  readonly plain?: true
}

// The parts of most URLs. A host in lower case, without the scheme's own port; a path whose segments are plain and begin with no dot; and pieces
// `name=value` with escapes of ASCII characters only, of those that must be escaped, in upper case.
const PLAIN_ORIGIN = 'https?://[a-z\\d.-]+(?::(?!(?:80|443)\\b)\\d{1,5})?'
const PLAIN_PATH = '(?:/(?!\\.)[\\w\\-.~;]*)+'
const PLAIN_TEXT = '[\\w\\-.~]*(?:%(?:[01][\\dA-F]|2[\\dA-CF]|3[A-F]|40|5[B-E]|60|7[B-DF])[\\w\\-.~]*)*'
const PLAIN_PIECE = `${PLAIN_TEXT}=${PLAIN_TEXT}`
/** The end of a text, for expressions that are put together. Inside NGINX, `$` also matches before a line feed at the end. */
export const END = '(?![\\s\\S])'
const PLAIN_URL = /* @__PURE__ */ new RegExp(
  `^(?!//)((?:${PLAIN_ORIGIN})?)(${PLAIN_PATH})((?:\\?${PLAIN_PIECE}(?:&${PLAIN_PIECE})*)?)${END}`,
)

// Without user names and `\`, because parsers disagree about the host at `@` and `\`. A text that begins with `/` is a path, even with two slashes:
// `//host/x` must not become a host.
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+/i

/** Splits any text and never throws. If the text is not a URL, or too long, `path` does not begin with `/`. */
export function split(url: string): Parts {
  const plain = url.length > LONGEST ? null : PLAIN_URL.exec(url)
  if (plain) return { origin: plain[1] as string, path: plain[2] as string, query: plain[3] as string, fragment: '', plain: true }
  const origin = ORIGIN.exec(url)?.[0] ?? ''
  const end = endOf(url, '#')
  const mark = Math.min(endOf(url, '?'), end)
  const path = url.length > LONGEST ? '' : url.slice(origin.length, mark) || (origin && '/')
  return { origin, path, query: url.slice(mark, end), fragment: url.slice(end) }
}

/** The index of a character, or the end. */
export function endOf(text: string, character: string, from = 0): number {
  const at = text.indexOf(character, from)
  return at < 0 ? text.length : at
}

/** The pieces of a query with its `?`; some may be empty. */
export function piecesOf(query: string): string[] {
  // By hand, in half the time of `split`.
  const pieces: string[] = []
  for (let from = 1, to = 0; from <= query.length; from = to + 1) {
    to = endOf(query, '&', from)
    pieces.push(query.slice(from, to))
  }
  return pieces
}

/** The index of a name, or -1. Most names differ in length, and comparing it first takes a fraction of the time of `indexOf`. */
export function placeOf(name: string, names: readonly string[]): number {
  return names.findIndex((known) => known.length === name.length && known === name)
}

/** The first of these names that a query has a parameter of. Escapes count as what they stand for. */
export function firstOf(names: readonly string[], query: string): string | undefined {
  for (let from = 1, to = 0; from < query.length; from = to + 1) {
    to = endOf(query, '&', from)
    const piece = query.slice(from, to)
    const written = piece.slice(0, endOf(piece, '='))
    const name = !written.includes('%') ? written : (decodeValue(written) ?? written)
    if (placeOf(name, names) >= 0) return name
  }
  return undefined
}

/** Characters that are never escaped. */
export const PLAIN: RegExp = /^[\w\-.~]*$/

/** Escapes everything but letters, digits and `-._~`, so that the result fits into any part of a URL, and into one line. */
export function encodeValue(value: string): string {
  return PLAIN.test(value) ? value : encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** What an escape of one character should be: the character if it is one that is never escaped, and otherwise the escape in upper case. */
export function plainOf(escaped: string): string {
  const character = String.fromCharCode(+`0x${escaped.slice(1)}`)
  return PLAIN.test(character) ? character : escaped.toUpperCase()
}

/** For sorting by the codes of the characters, as `<` compares. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : +(a > b)
}

// Escapes of whole characters in UTF-8, of one to four bytes, without overlong forms and halves of surrogate pairs.
const DECODABLE =
  /^[^%]*(?:(?:%[0-7][\da-f]|%(?:c[2-9a-f]|d[\da-f])%[89ab][\da-f]|%e(?:0%[ab]|[1-9a-cef]%[89ab]|d%[89])[\da-f]%[89ab][\da-f]|%f(?:0%[9ab]|[1-3]%[89ab]|4%8)[\da-f]%[89ab][\da-f]%[89ab][\da-f])[^%]*)*$/i

/** Does every `%` begin an escape, and are the escaped bytes UTF-8? `decodeURIComponent` would throw otherwise, which takes 10 µs. */
export function isDecodable(text: string): boolean {
  return !text.includes('%') || DECODABLE.test(text)
}

/** The opposite of {@link encodeValue}; `undefined` for a broken escape, and for text that UTF-8 cannot hold. */
export function decodeValue(text: string): string | undefined {
  if (PLAIN.test(text)) return text
  // Half a surrogate pair would become U+FFFD, and two ids would have the same string to sign.
  return isDecodable(text) && !/\p{Surrogate}/u.test(text) ? decodeURIComponent(text) : undefined
}

/** A URL with `name=value` pairs, encoded, at the end of its query. The rest of it does not change, byte for byte. */
export function append(url: string, pairs: string): string {
  const end = endOf(url, '#')
  const front = url.slice(0, end)
  return `${front}${front.includes('?') ? '&' : '?'}${pairs}${url.slice(end)}`
}

/** The parameters of a query that are a link's own, and the rest of it. */
export interface Taken<Name extends string> {
  /** The values, decoded. Empty for a value that cannot be decoded. */
  readonly values: { readonly [N in Name]?: string }
  /** The query without them, with its `?`, or empty. Its pieces stay as they were. */
  readonly others: string
  /** The first of them that occurs twice. */
  readonly twice: Name | undefined
}

/** Takes a link's own parameters out of a query. Only their names and values are decoded, because a request can have thousands of others. */
export function takeParameters<Name extends string>(
  query: string,
  names: readonly Name[],
  { plusIsSpace = false }: { readonly plusIsSpace?: boolean } = {},
): Taken<Name> {
  const values: { [N in Name]?: string } = {}
  const others: string[] = []
  let twice: Name | undefined
  for (const piece of query.slice(1).split('&')) {
    const equals = endOf(piece, '=')
    const written = piece.slice(0, equals)
    const plain = written.includes('%') ? unescaped(written, names) : written
    const name = names.find((each) => each === plain)
    const value = piece.slice(equals + 1)
    if (name === undefined) {
      if (piece) others.push(piece)
    } else if (values[name] !== undefined) {
      twice ??= name
    } else {
      values[name] = decodeValue(plusIsSpace ? value.replaceAll('+', '%20') : value) ?? ''
    }
  }
  return { values, others: others.length > 0 ? `?${others.join('&')}` : '', twice }
}

/** A name with its letters, digits and `-._~` unescaped, if it can be one of these names. */
function unescaped(name: string, names: readonly string[]): string {
  if (!name.includes('%') || names.every(({ length }) => name.length < length || name.length > length * '%41'.length)) return name
  return name.replace(/%[2-7][\da-f]/gi, plainOf)
}
