// An algorithm with a signer of its own: what it gets, and what counts as a signature.
import { describe, expect, test } from 'vitest'
import { compute, matches, spell } from '../../src/core/crypto.ts'
import type { SecretKey } from '../../src/core/keys.ts'
import type { Algorithm, Encoding } from '../../src/core/scheme.ts'

// Not a signature that protects anything: it repeats the message, backwards.
const asked: { key: SecretKey; message: Uint8Array; signature?: Uint8Array }[] = []
const algorithm = (encoding: Encoding): Algorithm => ({
  encoding,
  signer: {
    async sign(key, message) {
      asked.push({ key, message })
      return message.slice().reverse()
    },
    async verify(key, message, signature) {
      asked.push({ key, message, signature })
      return `${message.slice().reverse()}` === `${signature}`
    },
  },
})
const key: SecretKey = { secret: 'a key' }

describe.each(['hex', 'base64', 'base64url'] as const)('%s', (encoding) => {
  test('signatures of any length are spelled and read', async () => {
    for (const message of ['a', 'ab', 'abc', 'abcd', 'ü'.repeat(300), 'x'.repeat(5000)]) {
      const signature = spell(await compute(key, algorithm(encoding), message), algorithm(encoding))
      expect(await matches(key, algorithm(encoding), message, signature)).toBe(true)
      expect(await matches(key, algorithm(encoding), `${message}!`, signature)).toBe(false)
    }
  })

  test('other spellings are refused before the signer is asked', async () => {
    asked.length = 0
    for (const signature of ['', '=', 'A', 'A===', 'AA=', 'AB==', ' ', '!!!!', 'Ä', '\u{1f600}'])
      expect(await matches(key, algorithm(encoding), 'a', signature)).toBe(false)
    expect(asked).toEqual([])
  })
})

test('messages are copies: the next message does not change them', async () => {
  asked.length = 0
  const signing = compute(key, algorithm('hex'), 'first')
  await Promise.all([signing, compute(key, algorithm('hex'), 'other')])
  expect(asked.map(({ message }) => new TextDecoder().decode(message))).toEqual(['first', 'other'])
})

test('a secret that stays elsewhere signs in place of the signer', async () => {
  const remote: SecretKey = { secret: { sign: async () => Uint8Array.of(1, 2) } }
  expect(spell(await compute(remote, algorithm('hex'), 'a'), algorithm('hex'))).toBe('0102')
})
