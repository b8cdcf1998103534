// Fields of an expression: where the value of a variable begins and ends in the text that is signed.

/** A piece of a filled expression: its own text, or the value of a variable. Bytes, one character each. */
export interface Piece {
  /** The variable's name, in lower case. */
  readonly name?: string
  readonly text: string
}

/** The text of all pieces. */
export const joined = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join('')

/** The values that a variable can have, which determine where its field can begin and end. */
export interface Field {
  /** The length of the shortest one. */
  readonly least: number
  /** Can this byte be the one at this place? All places from `least` on are alike. */
  holds(byte: number, at: number): boolean
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isIn = (characters: string) => (byte: number) => characters.includes(String.fromCharCode(byte))
// No space and no control character, as in a request line.
const isPrinted = (byte: number): boolean => byte > 0x20 && byte !== 0x7f

const PATH: Field = { least: 1, holds: (byte, at) => (at ? byte !== 0 : byte === 0x2f) }
const ARGUMENT: Field = { least: 0, holds: (byte) => isPrinted(byte) && byte !== 0x26 && byte !== 0x23 }
const ANYTHING: Field = { least: 0, holds: () => true }

/** A number of seconds, such as a lifetime. */
export const SECONDS: Field = { least: 1, holds: isDigit }

/** A time in seconds since 1970. With fewer than ten digits it was before 2001, and the link has expired. */
export const EXPIRY: Field = { least: 10, holds: isDigit }

const FIELDS: ReadonlyMap<string, Field> = new Map([
  ['uri', PATH],
  ['rest', PATH],
  ['secure_link_expires', EXPIRY],
  ['secure_link_hmac_expires', SECONDS],
  ['remote_addr', { least: 2, holds: isIn('0123456789abcdef.:') }],
  ['request_method', { least: 1, holds: isIn('ABCDEFGHIJKLMNOPQRSTUVWXYZ_-') }],
  ['host', { least: 1, holds: (byte: number) => isPrinted(byte) && byte !== 0x2f }],
])

/** Fields of variables that differ from scheme to scheme: the link's own arguments. */
export type OwnFields = ReadonlyMap<string, Field>

/**
 * Can the text of these pieces be split into the fields of its expression in one way only? If not, it is also the text of another path, time or
 * argument, and the token is valid for that, too: with `$uri|$arg_ts`, the path `/a|2099` and the time `1` make the text of the path `/a` and the
 * time `2099|1`.
 *
 * A secret between two fields separates them, because clients cannot write it. The check does not read the characters of the secret, so that its time
 * does not depend on them. `$uri$remote_addr` counts as one field, because the most common expression has it. The check therefore does not tell where
 * the path ends and the address begins.
 */
export function splitsInOneWay(pieces: readonly Piece[], own: OwnFields): boolean {
  const secret = pieces.findIndex(({ name }) => name === 'secret')
  if (secret >= 0) return splitsInOneWay(pieces.slice(0, secret), own) && splitsInOneWay(pieces.slice(secret + 1), own)
  const text = joined(pieces)
  let ends: Ends = { ways: new Float64Array(text.length + 1), last: 0 }
  ends.ways[0] = 1
  let before: Field | undefined
  for (const { name, text: value } of pieces) {
    const field = name === undefined ? undefined : fieldOf(name, own)
    if (name === 'remote_addr' && before === PATH) continue
    ends = field ? behindField(ends, text, field, value) : behindLiteral(ends, text, value)
    before = field
  }
  return ends.ways[text.length] === 1
}

/** Where the pieces so far can end. */
interface Ends {
  /** For each place in the text: in how many ways they can end there. */
  readonly ways: Float64Array
  /** The last place where they can end. */
  readonly last: number
}

function fieldOf(name: string, own: OwnFields): Field {
  return own.get(name) ?? FIELDS.get(name) ?? (name.startsWith('arg_') ? ARGUMENT : ANYTHING)
}

function behindLiteral({ ways, last }: Ends, text: string, literal: string): Ends {
  const next = new Float64Array(ways.length)
  let lastEnd = 0
  for (let at = 0; at <= last; at++) {
    if (!ways[at] || !text.startsWith(literal, at)) continue
    lastEnd = at + literal.length
    next[lastEnd] = ways[at] as number
  }
  return { ways: next, last: lastEnd }
}

function behindField({ ways, last }: Ends, text: string, field: Field, value: string): Ends {
  const next = new Float64Array(ways.length)
  let lastEnd = 0
  // A value that a client chose may be shorter than a well-formed one.
  const least = Math.min(field.least, value.length)
  const canBegin = (from: number): boolean => {
    for (let at = 0; at < least; at++) if (!field.holds(text.charCodeAt(from + at), at)) return false
    return true
  }
  // In how many ways the field can have begun, so that it reaches up to `end`.
  let begun = 0
  for (let end = least; end <= text.length; end++) {
    const from = end - least
    if (ways[from] && canBegin(from)) begun += ways[from] as number
    next[end] = begun
    if (begun) lastEnd = end
    if (begun && !field.holds(text.charCodeAt(end), field.least)) begun = 0
    // It cannot begin any more, so it cannot end after this place.
    if (!begun && from >= last) break
  }
  return { ways: next, last: lastEnd }
}
