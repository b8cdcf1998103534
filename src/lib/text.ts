// The text of URLs taken apart and put together, without re-printing any of it. Neither `URL` nor `URLSearchParams`: they re-print.

/** A URL taken apart; joined in this order the parts give the same text. */
export interface Parts {
  /** `https://cdn.example:8443`, or empty when the text is a path. */
  readonly origin: string
  readonly path: string
  /** With its `?`, or empty. */
  readonly query: string
  /** With its `#`, or empty. */
  readonly fragment: string
}

/** Longer texts are no links: browsers, servers and proxies do not pass them on. */
const LONGEST = 16_384

// What begins with `/` is a path, also with two of them: `//host/x` must not become a host. No user names in an origin, and no `\`: `@`
// and `\` are where parsers disagree about the host.
const PARTS = /^([a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+)?([^?#]*)(\?[^#]*)?(#[^]*)?$/i

/** Takes any text apart and never throws; the `path` of what is no URL, or is too long for one, does not begin with `/`. */
export function split(url: string): Parts {
  const [, origin = '', path = '', query = '', fragment = ''] = PARTS.exec(url) as unknown as string[]
  return { origin, path: url.length > LONGEST ? '' : path || (origin && '/'), query, fragment }
}

/** Calls back for each `name=value`, with the name decoded and the value and the whole piece as they stand. */
export function eachParameter(text: string, separator: string, visit: (name: string, value: string, piece: string) => void): void {
  for (const piece of text.split(separator)) {
    const [name = ''] = piece.split('=', 1)
    // Nothing between two separators is no parameter.
    if (piece) visit(decodeValue(name) ?? name, piece.slice(name.length + 1), piece)
  }
}

const PLAIN = /^[\w\-.~]*$/

/** Escapes everything but letters, digits and `-._~`, so that the result fits into any part of a URL. */
export function encodeValue(value: string): string {
  return PLAIN.test(value) ? value : encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The opposite of {@link encodeValue}; `undefined` for a broken escape or one that is not UTF-8. */
export function decodeValue(text: string): string | undefined {
  try {
    return PLAIN.test(text) ? text : decodeURIComponent(text)
  } catch {
    return
  }
}
