// The form of path and query that `hmac` signs: docs/spec.md, section 4. Clients, proxies and libraries print one URL in many ways; all that every
// server reads alike share one form here, and nothing else does. The form of RFC 3986 in normal.ts forgives less.
import { encodeValue, isDecodable, type Parts } from './url.ts'

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
 *
 * @param plain - Is it known that each piece is in canonical form already?
 */
export function canonicalQuery(query: string, plain = false): string {
  const canonical = plain || isCanonical(query, PLAIN_QUERY)
  if ((canonical && !query.includes('&')) || (!canonical && isAmbiguous(query))) return query
  const pieces = query.slice(1).split('&')
  if (canonical) {
    const ordered = inOrder(pieces)
    return ordered === pieces ? query : `?${ordered.join('&')}`
  }
  const named = pieces.filter((piece) => piece).map(canonicalPiece)
  return named.length > 0 ? `?${inOrder(named).join('&')}` : ''
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
const NAME = /^((?:%..|[-._~])*)([A-Za-z\d]*)/

/**
 * The run of letters and digits that a piece is ordered by. Names that some server reads as one, or as parts of one, share it: `a`, `a[b]`, `a.b` and
 * `a_b` (PHP), `A` and `a` (ASP.NET). `undefined` if the name has `[`, `]` or NUL before it, where parsers differ about the name.
 */
function orderOf(piece: string): string | undefined {
  const found = NAME.exec(piece) as RegExpExecArray
  const front = found[1] as string
  return front && /%(5B|5D|00)/.test(front) ? undefined : (found[2] as string).toLowerCase()
}

/** The pieces, ordered. Those of the same order stay in theirs, and all do when one of them has none. */
function inOrder(pieces: readonly string[]): readonly string[] {
  const orders: string[] = []
  let sorted = true
  for (const piece of pieces) {
    const order = orderOf(piece)
    if (order === undefined) return pieces
    if (orders.length > 0 && order < (orders[orders.length - 1] as string)) sorted = false
    orders.push(order)
  }
  if (sorted) return pieces
  const places = pieces.map((_, place) => place)
  places.sort((a, b) => compare(orders[a] as string, orders[b] as string) || a - b)
  return places.map((place) => pieces[place] as string)
}

const compare = (a: string, b: string): number => (a < b ? -1 : +(a > b))

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
