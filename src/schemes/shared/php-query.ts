// Queries as PHP reads and prints them. Nothing is decoded to text, so bytes that are not UTF-8 keep their escapes.
import { encodeValue } from '../../lib/url.ts'

/** A character or an escape that PHP's `urlencode` does not print as it stands. */
const ODD = /%[\dA-Fa-f]{2}|[^\w\-.]/gu

/** As `urlencode(urldecode(text))` prints it: letters, digits and `-_.` plain, a space as `+`, and all else escaped in upper case. */
export function phpEncoded(text: string): string {
  return text.replace(ODD, (odd) => {
    if (odd === '+' || odd === '%20') return '+'
    if (odd === '~') return '%7E'
    // Half a surrogate pair is U+FFFD to every encoder.
    if (odd.length < 3) return encodeValue(odd.replace(/\p{Surrogate}/u, '\ufffd'))
    const plain = String.fromCharCode(+`0x${odd.slice(1)}`)
    return /[\w\-.]/.test(plain) ? plain : odd.toUpperCase()
  })
}

/** A parameter of a query. */
export interface PhpParameter {
  /** The name in `$_GET`: PHP drops spaces in front, ends a name at `[` and at NUL, and reads `.` and space as `_`. */
  readonly name: string
  /** The whole name as PHP prints it, such as `a%5B0%5D`. */
  readonly written: string
  readonly value: string
  /** The piece of the query as it stands. */
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
