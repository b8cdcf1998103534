// The text to sign. Percent-encoding normal form (RFC 3986 section 6.2.2) is ours, not the engine's: engines print `|`, `^` and `%7e` differently.
import { encodeValue, type Parts } from './text.ts'

const ODD = /%[\dA-Fa-f]{2}|[^A-Za-z0-9\-._~!$&()*+,;=:@/?]/gu

/**
 * Escapes in upper case, unreserved characters unescaped, everything that a URL cannot hold escaped as UTF-8. A `%` that begins no escape
 * becomes `%25`, and `'` becomes `%27`, because browsers write it so in a query.
 */
export function normal(text: string): string {
  return text.replace(ODD, (odd) => {
    const plain = odd.length === 3 ? String.fromCharCode(+`0x${odd.slice(1)}`) : ''
    if (plain) return /[\w\-.~]/.test(plain) ? plain : odd.toUpperCase()
    // Half a surrogate pair is U+FFFD to every encoder.
    return encodeValue(odd.replace(/\p{Surrogate}/u, '\ufffd'))
  })
}

/** Normal form, with `.` and `..` resolved as every client does before it sends (RFC 3986 section 5.2.4). */
export function normalPath(path: string): string {
  const text = normal(path)
  if (!text.includes('/.')) return text
  const kept: string[] = []
  for (const segment of text.slice(1).split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  if (/\/\.\.?$/.test(text)) kept.push('')
  return `/${kept.join('/')}`
}

/** All parts in normal form: scheme and host in lower case, without the scheme's own port; the query ordered by name. */
export function normalise({ origin, path, query }: Parts): Parts {
  const name = (piece: string): string => piece.split('=', 1)[0] as string
  // Stably: two parameters of the same name keep their order, because it means something.
  const pieces = query.slice(1).split('&').map(normal).sort((a, b) => +(name(a) > name(b)) || -(name(a) < name(b)))
  return {
    origin: origin.toLowerCase().replace(/^(https:.*):443$|^(http:.*):80$/, '$1$2'),
    path: normalPath(path),
    query: query && `?${pieces.join('&')}`,
    fragment: '',
  }
}

/** Fields as one text, each on a line of its own and escaped, so that no two lists share a text. */
export function lines(fields: readonly (string | undefined)[]): string {
  return fields.map((field) => encodeValue(field ?? '')).join('\n')
}

/**
 * Is this path (in normal form) the prefix itself or below it? A prefix ends at a `/`, whether written or not: `/foo` does not open `/foobar`.
 * Servers that decode `%2F` or `%5C` late would walk out of the folder with `..%2F`, so that counts as outside.
 */
export function below(path: string, prefix: string): boolean {
  return (path === prefix || path.startsWith(prefix.replace(/\/?$/, '/'))) && !/\/\.\.(\/|$)/.test(path.replace(/%2F|%5C/g, '/'))
}
