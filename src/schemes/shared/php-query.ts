// Queries as PHP reads and prints them. Nothing is decoded to text, so bytes that are not UTF-8 keep their escapes.
import { encodeValue } from '../../lib/url.ts'

/** A character or an escape that PHP's `urlencode` does not print as it stands. */
const ODD = /%[\dA-Fa-f]{2}|[^\w\-.]/gu

/** As `urlencode(urldecode(text))` prints it: letters, digits and `-_.` plain, a space as `+`, and all else escaped in upper case. */
export function phpEncoded(text: string): string {
  return text.replace(ODD, (odd) => {
    if (odd === '+' || odd === '%20' || odd === ' ') return '+'
    if (odd === '~') return '%7E'
    // Half a surrogate pair is U+FFFD to every encoder.
    if (odd.length < 3) return encodeValue(odd.replace(/\p{Surrogate}/u, '\ufffd'))
    const plain = String.fromCharCode(+`0x${odd.slice(1)}`)
    return /[\w\-.]/.test(plain) ? plain : odd.toUpperCase()
  })
}

/** A parameter of a query. */
export interface PhpParameter {
  /** The name in `$_GET`: PHP drops leading spaces, ends a name at `[` and at NUL, and reads `.` and space as `_`. */
  readonly name: string
  /** The whole name as PHP prints it, such as `a%5B0%5D`. */
  readonly written: string
  readonly value: string
  /** The piece of the query, not decoded. */
  readonly piece: string
}

/** The parameters of a query, with its `?`, in their order. PHP ignores empty pieces. */
export function phpParameters(query: string): readonly PhpParameter[] {
  const pieces = query.slice(1).split('&')
  return pieces.filter((piece) => piece).map(parameterOf)
}

function parameterOf(piece: string): PhpParameter {
  const end = piece.indexOf('=')
  const written = phpEncoded(end < 0 ? piece : piece.slice(0, end)).replace(/^\++/, '')
  const name = (/^(?:(?!%5B|%00).)*/.exec(written) as RegExpExecArray)[0].replace(/[.+]/g, '_')
  return { name, written, value: end < 0 ? '' : piece.slice(end + 1), piece }
}

/** The result of `parse_str` for a query: values, and arrays of them, by their names as PHP prints them. */
export type PhpValues = Map<string, string | PhpValues>

/** The values of a query; or the name of a parameter that occurs twice, or that has a form which PHP changes or drops. */
export interface PhpQuery {
  readonly values: PhpValues
  readonly twice: string | undefined
  readonly odd: string | undefined
}

/** A name, followed by indices in brackets. The brackets of all others do not match, or there is NUL or a space where PHP cuts. */
const NAME = /^((?:(?!%5B|%5D|%00).)+)((?:%5B(?!\+|%0)(?:(?!%5B|%5D|%00).)*%5D){0,60})$/

/** Reads a query, with its `?`, as `parse_str` does: of two parameters with one name, the last one counts. */
export function phpQuery(query: string): PhpQuery {
  const values: PhpValues = new Map()
  let twice: string | undefined
  let odd: string | undefined
  const next: NextIndices = new Map()
  for (const { name, written, value } of phpParameters(query)) {
    const [, , brackets] = NAME.exec(written) ?? []
    if (brackets === undefined) {
      odd ??= name
      continue
    }
    const path = [
      name,
      ...brackets
        .split('%5B')
        .slice(1)
        .map((index) => index.slice(0, -'%5D'.length)),
    ]
    if (put(values, path, phpEncoded(value), next)) twice ??= name
  }
  return { values, twice, odd }
}

/** The index that `[]` stands for in each array. Remembered, because looking for the highest one each time takes quadratic time. */
type NextIndices = Map<PhpValues, number>

/** Puts a value at its place. Returns whether there was a value already. */
function put(values: PhpValues, path: readonly string[], value: string, next: NextIndices): boolean {
  let inner = values
  let replaced = false
  for (const [depth, key] of path.entries()) {
    const index = key || `${next.get(inner) ?? 0}`
    if (/^(0|[1-9]\d{0,14})$/.test(index)) next.set(inner, Math.max(next.get(inner) ?? 0, +index + 1))
    const there = inner.get(index)
    if (depth === path.length - 1) {
      inner.set(index, value)
      return replaced || there !== undefined
    }
    const array: PhpValues = there instanceof Map ? there : new Map()
    if (there !== array) inner.set(index, array)
    replaced ||= typeof there === 'string'
    inner = array
  }
  return replaced
}

/** As `http_build_query` prints values, ordered by name as `ksort(…, SORT_STRING)` does. */
export function printedQuery(values: PhpValues): string {
  const names = [...values.keys()].sort((a, b) => (bytesOf(a) < bytesOf(b) ? -1 : 1))
  return names.map((name) => printedValue(name, values.get(name) as string | PhpValues)).join('&')
}

function printedValue(name: string, value: string | PhpValues): string {
  if (typeof value === 'string') return `${name}=${value}`
  return [...value].map(([index, inner]) => printedValue(`${name}%5B${index}%5D`, inner)).join('&')
}

/** The bytes of an escaped text, a character each. */
const bytesOf = (text: string): string => text.replace(/%(..)/g, (_, hex) => String.fromCharCode(+`0x${hex}`))
