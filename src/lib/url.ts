// The text of URLs taken apart, without re-printing any of it. Neither `URL` nor `URLSearchParams`: they re-print.

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
}

// No user names and no `\`: `@` and `\` are where parsers disagree about the host. A text that begins with `/` is a path, also with two of
// them: `//host/x` must not become a host.
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+/i

/** Longer texts are no links: browsers, servers and proxies do not pass them on. */
export const LONGEST = 16_384

/** Takes any text apart and never throws; the `path` of what is no URL, or too long, does not begin with `/`. */
export function split(url: string): Parts {
  const origin = ORIGIN.exec(url)?.[0] ?? ''
  const end = endOf(url, '#')
  const mark = Math.min(endOf(url, '?'), end)
  const path = url.length > LONGEST ? '' : url.slice(origin.length, mark) || (origin && '/')
  return { origin, path, query: url.slice(mark, end), fragment: url.slice(end) }
}

/** Where a character is, or the end. */
function endOf(text: string, character: string, from = 0): number {
  const at = text.indexOf(character, from)
  return at < 0 ? text.length : at
}

/** Calls back for each `name=value`, with the name decoded and the value and the whole piece as they stand. Begins behind the first character. */
export function eachParameter(text: string, separator: string, visit: (name: string, value: string, piece: string) => void): void {
  for (let from = 1, to = 0; from < text.length; from = to + 1) {
    to = endOf(text, separator, from)
    const piece = text.slice(from, to)
    const name = piece.slice(0, endOf(piece, '='))
    // Nothing between two separators is no parameter.
    if (piece) visit(name.includes('%') ? (decodeValue(name) ?? name) : name, piece.slice(name.length + 1), piece)
  }
}

const PLAIN = /^[\w\-.~]*$/

/** Escapes everything but letters, digits and `-._~`, so that the result fits into any part of a URL, and into one line. */
export function encodeValue(value: string): string {
  return PLAIN.test(value) ? value : encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The opposite of {@link encodeValue}; `undefined` for a broken escape, and for what UTF-8 cannot hold. */
export function decodeValue(text: string): string | undefined {
  if (PLAIN.test(text)) return text
  try {
    const value = decodeURIComponent(text)
    // This throws for half a surrogate pair, which must not pass for U+FFFD: ids would share a text.
    encodeURIComponent(value)
    return value
  } catch {
    return
  }
}

/** A URL with `name=value` pairs, encoded, at the end of its query. What it had stays byte for byte as it was. */
export function append(url: string, pairs: string): string {
  const end = endOf(url, '#')
  const front = url.slice(0, end)
  return `${front}${front.includes('?') ? '&' : '?'}${pairs}${url.slice(end)}`
}
