// Reads the attribute list of an HLS tag (RFC 8216, section 4.2) in one pass, so the time is linear in the length of the line.

/** `NAME=value` in a tag. */
export interface Attribute {
  readonly name: string
  /** Without its quotes. */
  readonly value: string
  readonly quoted: boolean
  /** Where the value begins in the line, after its quote. */
  readonly from: number
  /** Where the value ends in the line, before its quote. */
  readonly to: number
}

/**
 * The attributes of a line from a position on, in their order. A quoted value can contain anything, even `URI=` and commas. A piece that is not an
 * attribute is skipped, and so is the rest of the line after a quote that is not closed.
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
    const comma = quoted ? line.indexOf(',', to) : to
    at = comma < 0 ? line.length : comma + 1
  }
  return found
}

/** A name follows the last comma. The text before the comma is not an attribute. */
const lastPiece = (text: string): string => text.slice(text.lastIndexOf(',') + 1).trim()
