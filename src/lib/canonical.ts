// The form of path and query that `hmac` signs: docs/spec.md, section 4. Clients, proxies and libraries print one URL in many ways. All
// spellings that every server reads alike have one form here, and no others share it. The form of RFC 3986 in normalise.ts accepts fewer changes.
import { compare, encodeValue, endOf, isDecodable, type Parts, PLAIN, piecesOf, plainOf } from './url.ts'

/** The parsers of Node, qs and PHP drop all parameters after this many. */
export const MOST_PIECES = 1000

/** The meaning of a `+` in a query, to all servers except NGINX. */
const SPACE = '%20'
/** An escape, or a character from `!` to `~` that is not plain. */
const ODD = /%[\dA-Fa-f]{2}|[!-,/:-@[-^`{-}]/g
/** The same, without the `/` and `;` of a path. */
const ODD_IN_PATH = /%[\dA-Fa-f]{2}|[!-,:<-@[-^`{-}]/g

/** A path in canonical form. A raw `;` stays, because servers cut a segment off there; so does a path that servers decode in different ways. */
export function canonicalPath(path: string): string {
  return path.includes('\\') || !isDecodable(path) ? path : path.replace(ODD_IN_PATH, canonicalCharacter)
}

/** A name of a parameter in canonical form, or a value. Never throws: a `%` that begins no escape is escaped. */
export function canonicalText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(ODD, (found) => (found === '+' ? SPACE : canonicalCharacter(found)))
}

// A name of letters, digits and `_.-`, perhaps escaped, with what PHP and qs leave out: spaces in front of it, and what follows a bracket or NUL.
const SIMPLE_NAME = /^(?:\+|%20)*(?:[\w.-]|%[2-7][\da-f])+(?:$|\[|%5b|%00)/i

/** The name of a parameter in canonical form. With `onlySimple`, other names are empty, which saves nine tenths of the time inside NGINX. */
export function canonicalName(name: string, onlySimple = false): string {
  return onlySimple && !SIMPLE_NAME.test(name) ? '' : canonicalText(name)
}

// What each escape and each character becomes, remembered: a request can have thousands of them, and there are no more than 516 different ones.
const known: Record<string, string> = {}

/** An escape of a plain character becomes the character; other escapes get upper-case digits, and other characters are escaped. */
function canonicalCharacter(found: string): string {
  known[found] ??= found.length === 1 ? encodeValue(found) : plainOf(found)
  return known[found]
}

/**
 * A query in canonical form, with its `?`, or empty. It stays as it is where parsers differ about its pieces. One of more than `MOST_PIECES` must stay,
 * too. The caller checks that, because the query of the request may have more pieces than this one.
 */
export function canonicalQuery(query: string): string {
  if (isAmbiguous(query)) return query
  const pieces = piecesOf(query).filter((piece) => piece)
  return pieces.length > 0 ? orderedQuery(`?${pieces.map(canonicalPiece).join('&')}`) : ''
}

/** In `a=b]=c` the name is `a=b]` to qs, and `a` to all others. */
const LATE_NAME = /(?:^|&)[^&=]*=[^&]*(?:\]|%5D)=/i

/** Do parsers take different names and values from this query? */
function isAmbiguous(query: string): boolean {
  // Go drops a parameter that cannot be decoded, Rack refuses all, and qs leaves it as it is.
  return hidesName(query) || !isDecodable(query)
}

/** Does some parser read a name in this query that does not stand before the first `=` of a piece? */
export function hidesName(query: string): boolean {
  // Rack 2 and older Pythons also split at `;`.
  return query.includes(';') || LATE_NAME.test(query)
}

/** `name=value`; without a `=` the value is empty. */
function canonicalPiece(piece: string): string {
  const equals = endOf(piece, '=')
  return `${canonicalText(piece.slice(0, equals))}=${canonicalText(piece.slice(equals + 1))}`
}

/** A name with `[`, `]` or NUL before its first letter or digit: parsers differ about it. */
const ODD_NAME = /[?&](?:%..|[-._~])*?%(?:5B|5D|00)/

/**
 * The first run of letters and digits of a name. Names that some server reads as one, or as parts of one, share it: `a`, `a[b]`, `a.b` and `a_b`
 * (PHP), `A` and `a` (ASP.NET).
 */
const RUN = /^(?:%..|[-._~])*([A-Za-z\d]*)/

/** A query of pieces in canonical form, ordered by the runs of their names. It stays as it is if parsers differ about one of the names. */
export function orderedQuery(query: string): string {
  if (!query.includes('&') || ODD_NAME.test(query)) return query
  const pieces = piecesOf(query).map((piece) => ({ piece, run: RUN.exec(piece)?.[1]?.toLowerCase() ?? '' }))
  // The sort is stable: pieces with the same run stay in their order.
  pieces.sort((a, b) => compare(a.run, b.run))
  return `?${pieces.map(({ piece }) => piece).join('&')}`
}

/**
 * The URL as clients send it: characters that a URL cannot have are escaped, and so is a `%` that does not begin an escape. Clients escape these themselves,
 * and differ about the `%`. `'` is among them, because browsers escape it in a query. All other characters stay as they are.
 */
export function asSent(url: string, { origin, fragment, plain }: Parts): string {
  if (plain) return url
  const target = url.slice(origin.length, url.length - fragment.length)
  return (
    origin +
    target.replace(/[^\w\-.~!$&()*+,;=:@/?%[\]]|%(?![\dA-Fa-f]{2})/gu, encodeValue) +
    // A fragment is not sent. It may have all characters that a header or a page can have.
    fragment.replace(/[^!-~]/gu, encodeValue)
  )
}

/** {@link asSent} for vendors who sign a path as it stands: a `'` in the path stays as it is, because clients escape it in queries only. */
export function asSentToVendor(url: string, { origin, query, fragment, plain }: Parts): string {
  if (plain) return url
  const path = url.slice(origin.length, url.length - query.length - fragment.length)
  const sent = (text: string, fragment = '') => asSent(text, { origin: '', path: '', query: text, fragment })
  return origin + path.replace(/[^']+/g, (text) => sent(text)) + sent(query + fragment, fragment)
}
