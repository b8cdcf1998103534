// Bytes to text and back, beside Node's Buffer, and spellings that are refused.
import { expect, test, vi } from 'vitest'
import { BASE64, BASE64URL, decode, encode, HEX, same } from '../../src/lib/encoding.ts'

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 167 + length * 31) & 255)
const ALPHABETS = [
  ['hex', HEX],
  ['base64', BASE64],
  ['base64url', BASE64URL],
] as const

test.each(ALPHABETS)('%s is what Buffer writes, without padding, and is read back', (name, alphabet) => {
  for (let length = 0; length < 70; length++) {
    const bytes = bytesOf(length)
    const text = encode(bytes, alphabet)
    expect(text).toBe(Buffer.from(bytes).toString(name).replace(/=+$/, ''))
    const into = new Uint8Array(length)
    expect(decode(text, alphabet, into)).toBe(length)
    expect(into).toEqual(bytes)
  }
})

test('of 400,000 bytes, too', () => {
  const bytes = bytesOf(400_000)
  for (const [name, alphabet] of ALPHABETS) {
    const text = encode(bytes, alphabet)
    expect(text === Buffer.from(bytes).toString(name).replace(/=+$/, '')).toBe(true)
  }
})

test('each last character has one spelling: bits that no byte has must be zero', () => {
  for (const [, alphabet] of ALPHABETS.slice(1))
    for (const length of [1, 2]) {
      const text = encode(bytesOf(length), alphabet)
      const spellings = [...alphabet].filter((last) => decode(text.slice(0, -1) + last, alphabet, new Uint8Array(4)) >= 0)
      // Four bits are left over behind one byte, two behind two.
      expect(spellings).toHaveLength(length === 1 ? 4 : 16)
    }
})

test('other characters, other cases, padding and half bytes are refused', () => {
  const into = new Uint8Array(16)
  for (const text of ['A0', '0', '000', 'g0', '0 ', '0\u0130', '\ud83d\ude00']) expect(decode(text, HEX, into), text).toBe(-1)
  for (const text of ['A', 'AAAAA', 'AA==', 'AAA=', 'AA+A', 'AAA/', '****', 'A*AA', 'AA*A', 'AAA*', '\u0100AAA', 'AAAAé'])
    expect(decode(text, BASE64URL, into), text).toBe(-1)
  for (const text of ['AA-A', 'AAA_']) expect(decode(text, BASE64, into), text).toBe(-1)
})

test('same compares whole texts', () => {
  expect(same('', '')).toBe(true)
  expect(same('abc', 'abc')).toBe(true)
  for (const [a, b] of [
    ['abc', 'abd'],
    ['abc', 'bbc'],
    ['abc', 'ab'],
    ['ab', 'abc'],
    ['', 'a'],
    ['a', ''],
    // Differences in two places must not cancel out.
    ['ab', 'ba'],
  ] as const)
    expect(same(a, b), `${a} ${b}`).toBe(false)
})

test('same reads every character of the first text, wherever the two differ', () => {
  const text = 'x'.repeat(40)
  const reading = vi.spyOn(String.prototype, 'charCodeAt')
  const read = [text, `y${text.slice(1)}`, `${text.slice(1)}y`, 'y'.repeat(40), '', text.slice(1), `${text}x`].map((other) => {
    reading.mockClear()
    same(text, other)
    return reading.mock.calls.length
  })
  reading.mockRestore()
  expect(read).toEqual(Array(7).fill(80))
})
