// Percent-encoding normal form, RFC 3986 section 6.2.2. Ours, not the engine's: engines print `|`, `^` and `%7e` differently.
import { compare, encodeValue, type Parts, plainOf } from './url.ts'

/**
 * Escapes in upper case, unreserved characters unescaped, everything that a URL cannot hold escaped as UTF-8. A `%` that begins no escape
 * becomes `%25`, and `'` becomes `%27`, because browsers write it so in a query.
 */
export function normal(text: string): string {
  if (/^[\w\-.~!$&()*+,;=:@/?]*$/.test(text)) return text
  return text.replace(/%[\dA-Fa-f]{2}|[^\w\-.~!$&()*+,;=:@/?]/gu, (odd) => {
    if (odd.length === 3) return plainOf(odd)
    // Every encoder writes half a surrogate pair as U+FFFD.
    return encodeValue(odd.replace(/\p{Surrogate}/u, '\ufffd'))
  })
}

/** Normal form, with `.` and `..` resolved as every client does before it sends (RFC 3986 section 5.2.4). */
export function normalPath(path: string): string {
  const text = normal(path)
  if (!text.includes('/.')) return text
  const kept: string[] = []
  // A dot segment at the end leaves its slash.
  for (const segment of text
    .replace(/\/\.\.?$/, '$&/')
    .slice(1)
    .split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/** A query in normal form, ordered by name. */
export function normalQuery(query: string): string {
  if (!query.includes('&')) return normal(query)
  const pieces = query
    .slice(1)
    .split('&')
    .map((piece) => normal(piece).split('='))
  // The sort is stable: two parameters of the same name keep their order, because programs depend on it.
  pieces.sort(([a = ''], [b = '']) => compare(a, b))
  return `?${pieces.map((piece) => piece.join('=')).join('&')}`
}

/** Scheme and host with `A-Z` in lower case, without the scheme's own port. */
export function normalOrigin(origin: string): string {
  return /[A-Z]|:\d+$/.test(origin)
    ? origin.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()).replace(/^(https:.*):443$|^(http:.*):80$/, '$1$2')
    : origin
}

/** All parts in normal form. */
export function normalise({ origin, path, query }: Parts): Parts {
  return { origin: normalOrigin(origin), path: normalPath(path), query: normalQuery(query), fragment: '' }
}

/**
 * Is this path (in normal form) the prefix itself or below it? A prefix ends at a `/`, whether written or not: `/foo` does not open `/foobar`.
 * Servers that decode `%2F` or `%5C` late would leave the folder with `..%2F`, so such a path is outside. Java servers read `..;` as `..`.
 */
export function below(path: string, prefix: string): boolean {
  const inside = path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)
  return inside && !(path.includes('..') && /\/\.\.([/;]|$)/.test(path.replace(/%2F|%5C/g, '/')))
}
