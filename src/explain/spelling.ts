// Signatures in another spelling than that of the scheme, and signatures that lost a part of their text.
import { spell } from '../core/crypto.ts'
import type { Algorithm } from '../core/scheme.ts'
import { BASE64, BASE64URL, decode, HEX, same } from '../lib/encoding.ts'
import type { Mistake } from './mistake.ts'

type Described = Pick<Mistake, 'code' | 'sentence' | 'remedy'>

const described = (code: string, sentence: string, remedy: string): Described => ({ code, sentence, remedy })

const RAW = 'Ask the HMAC function for raw bytes (true as the last argument in PHP, digest() in Python and Node), and encode those.'

const HEX_OF = described('signature_hex', 'The signature is written in hex, and the scheme writes base64.', RAW)
const BASE64_OF = described(
  'signature_base64',
  'The signature is written in base64, and the scheme writes hex.',
  'Write the signature in hex, in lower case.',
)
const OF_HEX = described('signature_base64_of_hex', 'The signature is base64 of the hex text, in place of base64 of the bytes.', RAW)
const CAPITALS = described('signature_case', 'The signature is in upper case.', 'Write hex in lower case.')
export const PADDING: Described = described(
  'signature_padding',
  'The signature has the padding "=" at its end, or lacks it.',
  'Write base64url without padding, and base64 with it.',
)
const ALPHABET = described(
  'signature_alphabet',
  'The signature is in the wrong alphabet: base64 has "+" and "/", base64url has "-" and "_".',
  'Replace "+" by "-" and "/" by "_" for base64url.',
)
export const PLUS: Described = described(
  'signature_plus',
  'A "+" in the signature was read as a space.',
  'Write the "+" of base64 in a URL as %2B.',
)
const LOWER_CASE = described(
  'lower_case',
  'The signature has lost its upper-case letters: a program put the link into lower case.',
  'Send links through programs that keep upper case, or use a scheme with hex signatures.',
)
const CUT_OFF = described(
  'cut_off',
  'The signature is cut off: its end is missing.',
  'Look for a column, a field or a message that is too short for the link.',
)
export const GLUED: Described = described(
  'punctuation',
  'A character of the surrounding sentence has become part of the link, such as a full stop, a bracket or an invisible space.',
  'Put the link on a line of its own, or in "<" and ">".',
)
const LONGER = described('signature_longer', 'There is text after the signature.', 'Pass the link on without anything after it.')

/** Characters at the end of a link that belong to the sentence around it. */
export const PUNCTUATION: RegExp = /(?:[.,;:!?)\]}>'"*\s]|%(?:3E|22|20|29|2C|0A|0D)){1,20}$/i

/** The bytes of a signature in one spelling. */
interface Spelling {
  readonly text: string
  readonly mistake: Described | undefined
}

// Fewer characters could match by chance.
const LEAST = 10

/** Tells whether a signature is the expected one: `true`, a mistake of its spelling, or `undefined`. */
export function compared(received: string, expected: string, algorithm: Algorithm): true | Described | undefined {
  if (same(received, expected)) return true
  const other = spellings(received, algorithm).find(({ text }) => same(text, expected))
  if (other) return other.mistake
  const isLong = received.length >= LEAST
  if (!isLong) return undefined
  if (received.length < expected.length && same(expected.slice(0, received.length), received)) return CUT_OFF
  if (received.length > expected.length && same(received.slice(0, expected.length), expected)) {
    const rest = received.slice(expected.length)
    return /^[^\p{L}\p{N}%]+$/u.test(rest) || rest.replace(PUNCTUATION, '') === '' ? GLUED : LONGER
  }
  return same(received.toLowerCase(), expected.toLowerCase()) ? LOWER_CASE : undefined
}

let latest: { readonly received: string; readonly algorithm: Algorithm; readonly all: readonly Spelling[] } | undefined

/** All readings of the text, written as the scheme writes signatures. One text is compared with thousands, so the answer is remembered. */
function spellings(received: string, algorithm: Algorithm): readonly Spelling[] {
  if (latest?.received === received && latest.algorithm === algorithm) return latest.all
  const all: Spelling[] = []
  const isHex = algorithm.encoding === 'hex'
  const add = (bytes: Uint8Array | undefined, mistake: Described) => {
    if (bytes) all.push({ text: spell(bytes, algorithm), mistake })
  }
  const inBase64 = (text: string) => bytesIn(withoutPadding(text), BASE64)
  const inBase64url = (text: string) => bytesIn(withoutPadding(text), BASE64URL)
  const lower = received.toLowerCase()
  add(bytesIn(lower, HEX), isHex ? CAPITALS : HEX_OF)
  for (const [bytes, alphabet] of [[inBase64(received), 'base64'] as const, [inBase64url(received), 'base64url'] as const]) {
    add(bytes, isHex ? BASE64_OF : alphabet === algorithm.encoding || !/[-_+/]/.test(received) ? PADDING : ALPHABET)
    const inner = bytes && String.fromCharCode(...bytes)
    if (inner && /^[\da-f]{32,128}$/i.test(inner)) add(bytesIn(inner.toLowerCase(), HEX), OF_HEX)
  }
  if (received.includes(' ')) add(inBase64(received.replaceAll(' ', '+')), PLUS)
  latest = { received, algorithm, all }
  return all
}

/** Base64 without its `=`. Not by an expression, which looks for the end from each `=` again: a signature of 16 kB of them took seconds. */
export function withoutPadding(text: string): string {
  let end = text.length
  while (text[end - 1] === '=') end--
  return text.slice(0, end)
}

function bytesIn(text: string, alphabet: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length)
  const length = decode(text, alphabet, bytes)
  return length > 0 ? bytes.slice(0, length) : undefined
}
