// The attribute list of an HLS tag (RFC 8216 section 4.2), read in one pass: no character is looked at twice, whatever stands there.

/** `NAME=value` in a tag. */
export interface Attribute {
  readonly name: string
  /** Without its quotes. */
  readonly value: string
  readonly quoted: boolean
  /** Where the value stands in the line, without its quotes. */
  readonly from: number
  readonly to: number
}

/**
 * The attributes of a line, in their order, from a position on. Anything can stand in a quoted value, also `URI=` and commas. A piece that is
 * not an attribute is read over, and so is the rest of the line behind a quote that nothing closes.
 */
export function attributesOf(line: string, start: number): Attribute[] {
  const found: Attribute[] = []
  for (let at = start; at < line.length; ) {
    const equals = line.indexOf('=', at)
    if (equals < 0) break
    const quoted = line[equals + 1] === '"'
    const from = quoted ? equals + 2 : equals + 1
    const end = line.indexOf(quoted ? '"' : ',', from)
    if (end < 0 && quoted) break
    const to = end < 0 ? line.length : end
    found.push({ name: lastPiece(line.slice(at, equals)), value: line.slice(from, to), quoted, from, to })
    // Behind the closing quote comes a comma, if anything does.
    const comma = quoted ? line.indexOf(',', to) : to
    at = comma < 0 ? line.length : comma + 1
  }
  return found
}

/** A name stands behind the last comma: what is in front of it is not an attribute. */
const lastPiece = (text: string): string => text.slice(text.lastIndexOf(',') + 1).trim()
