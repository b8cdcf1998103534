// The form of path and query that `hmac` signs: docs/spec.md, section 4. Clients, proxies and libraries print one URL in many ways; all that every
// server reads alike share one form here, and nothing else does. The form of RFC 3986 in normal.ts forgives less.
import { encodeValue, isDecodable, type Parts, piecesOf } from './url.ts'

/** Parsers drop the parameters behind so many: Node's, qs and PHP's. */
export const MOST_PIECES = 1000

// The fast paths: most paths and queries are in canonical form already, and these tell.
const PLAIN_PATH = /^[\w\-.~/;%]*$/
const PLAIN_QUERY = /^\?[\w\-.~%]*=[\w\-.~%]*(?:&[\w\-.~%]*=[\w\-.~%]*)*$/
/** All escapes are of ASCII characters that are not plain, in upper case. */
const CANONICAL_ESCAPES = /^[^%]*(?:%(?:[01][\dA-F]|2[\dA-CF]|3[A-F]|40|5[B-E]|60|7[B-DF])[^%]*)*$/
const isCanonical = (text: string, plain: RegExp) => plain.test(text) && (!text.includes('%') || CANONICAL_ESCAPES.test(text))

const PLAIN = /^[\w\-.~]*$/
/** What a `+` is in a query, to all but NGINX. */
const SPACE = '%20'
/** An escape, or a character from `!` to `~` that is not plain. */
const ODD = /%[\dA-Fa-f]{2}|[!-,/:-@[-^`{-}]/g
/** The same, without the `/` and `;` of a path. */
const ODD_IN_PATH = /%[\dA-Fa-f]{2}|[!-,:<-@[-^`{-}]/g

/** A path in canonical form. A raw `;` stays, because servers cut a segment off there; so does a path that servers decode in different ways. */
export function canonicalPath(path: string): string {
  if (isCanonical(path, PLAIN_PATH) || path.includes('\\') || !isDecodable(path)) return path
  return path.replace(ODD_IN_PATH, canonicalCharacter)
}

/** A name of a parameter in canonical form, or a value. Never throws: a `%` that begins no escape is escaped. */
export function canonicalText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(ODD, (found) => (found === '+' ? SPACE : canonicalCharacter(found)))
}

// What each escape and each character becomes, remembered: a request can have thousands of them, and there are no more than 516 different ones.
const known: Record<string, string> = {}

/** An escape of a plain character becomes the character; other escapes get upper-case digits, and other characters are escaped. */
function canonicalCharacter(found: string): string {
  known[found] ??= found.length === 1 ? encodeValue(found) : plainOf(found)
  return known[found]
}

function plainOf(escaped: string): string {
  const character = String.fromCharCode(+`0x${escaped.slice(1)}`)
  return PLAIN.test(character) ? character : escaped.toUpperCase()
}

/**
 * A query in canonical form, with its `?`, or empty. It stays as it is where parsers differ about its pieces. One of more than `MOST_PIECES` must stay,
 * too: that is for callers to see, because the query of the request may have had more pieces than this one.
 */
export function canonicalQuery(query: string): string {
  if (isCanonical(query, PLAIN_QUERY)) return orderedQuery(query) ?? query
  if (isAmbiguous(query)) return query
  const named = piecesOf(query)
    .filter((piece) => piece)
    .map(canonicalPiece)
  return inOrder(named) ?? (named.length > 0 ? `?${named.join('&')}` : '')
}

/** The same for a query of pieces in canonical form; `undefined` if they are in order already. */
export function orderedQuery(query: string): string | undefined {
  return query.includes('&') ? inOrder(piecesOf(query)) : undefined
}

/** Do parsers take different names and values from this query? */
function isAmbiguous(query: string): boolean {
  // Rack 2 and older Pythons also split at `;`. Go drops a parameter that cannot be decoded, Rack refuses all, and qs leaves it as it is.
  return query.includes(';') || !isDecodable(query) || (/(\]|%5D)=/i.test(query) && query.split('&').some(hasLateName))
}

/** In `a=b]=c` the name is `a=b]` to qs, and `a` to all others. */
function hasLateName(piece: string): boolean {
  const equals = piece.indexOf('=')
  return equals >= 0 && /(\]|%5D)=/i.test(piece.slice(equals + 1))
}

/** `name=value`; without a `=` the value is empty. */
function canonicalPiece(piece: string): string {
  const equals = piece.indexOf('=')
  return equals < 0 ? `${canonicalText(piece)}=` : `${canonicalText(piece.slice(0, equals))}=${canonicalText(piece.slice(equals + 1))}`
}

/** What is before the first letter or digit of a name, and the run of them that begins there. */
const LATE_RUN = /^((?:%..|[-._~])*)([A-Za-z\d]*)/

/**
 * The run of letters and digits that a piece is ordered by. Names that some server reads as one, or as parts of one, share it: `a`, `a[b]`, `a.b` and
 * `a_b` (PHP), `A` and `a` (ASP.NET). `undefined` if the name has `[`, `]` or NUL before it, where parsers differ about the name.
 */
function orderOf(piece: string): string | undefined {
  // Most names begin with a letter or a digit.
  let end = 0
  while (isLetterOrDigit(piece.charCodeAt(end))) end++
  if (end > 0) return piece.slice(0, end).toLowerCase()
  const [, front, run] = LATE_RUN.exec(piece) as unknown as [string, string, string]
  return /%(5B|5D|00)/.test(front) ? undefined : run.toLowerCase()
}

/** Is this the code of an ASCII letter or digit? */
const isLetterOrDigit = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57)

/** A piece of a query, and what it is ordered by. */
interface Ordered {
  readonly order: string
  readonly piece: string
}

/** The query of these pieces, ordered; `undefined` if they stay as they are, because they are in order, or because the order of one is not known. */
function inOrder(pieces: readonly string[]): string | undefined {
  const ordered: Ordered[] = []
  let moved = false
  for (const piece of pieces) {
    const order = orderOf(piece)
    if (order === undefined) return undefined
    const place = placeOf(order, ordered)
    if (place < ordered.length) {
      moved = true
      ordered.splice(place, 0, { order, piece })
    } else {
      ordered.push({ order, piece })
    }
  }
  if (!moved) return undefined
  let query = ''
  for (const { piece } of ordered) query += (query && '&') + piece
  return `?${query}`
}

/** The place behind all that are not greater, so that pieces of the same order stay in theirs. */
function placeOf(order: string, sorted: readonly Ordered[]): number {
  const goesBehind = (place: number): boolean => (sorted[place] as Ordered).order <= order
  let low = 0
  let high = sorted.length
  // Most pieces are in order already.
  if (high === 0 || goesBehind(high - 1)) return high
  while (low < high) {
    const middle = (low + high) >> 1
    if (goesBehind(middle)) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * The URL as clients send it: characters that a URL cannot have are escaped, and so is a `%` that begins no escape. Clients escape these by themselves,
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
