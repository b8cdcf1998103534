// matches: text that is not a signature never matches, whatever was compared before it.
import { expect, test, vi } from 'vitest'
import { matches, readyKey } from '../../src/core/crypto.ts'
import type { Algorithm } from '../../src/core/scheme.ts'

const key = { secret: 'a key' }

// printf text | openssl dgst -sha512 -hmac 'a key'
test.each<[string, Algorithm, string]>([
  ['SHA-256 in hex', { hmac: 'SHA-256', encoding: 'hex' }, '6cc450f782529af43ac5b1716d15d1806ddd0f88ca77401f591c7bb34437852f'],
  [
    'SHA-512 in hex',
    { hmac: 'SHA-512', encoding: 'hex' },
    '21ac8624783838b2f9a04457492f424eb49c54372f8471944d8a0bddaba8a9f4cf5c14e4a34d28b2d202991c1a2a248fcce51817c5b273a867b797d4375de581',
  ],
  ['SHA-256 in base64', { hmac: 'SHA-256', encoding: 'base64' }, 'bMRQ94JSmvQ6xbFxbRXRgG3dD4jKd0AfWRx7s0Q3hS8='],
  ['SHA-256 in base64url', { hmac: 'SHA-256', encoding: 'base64url' }, 'bMRQ94JSmvQ6xbFxbRXRgG3dD4jKd0AfWRx7s0Q3hS8'],
])('%s', async (_name, algorithm, signature) => {
  const ready = await readyKey(key, algorithm)
  const isGood = (text: string) => matches(ready, algorithm, 'text', text)
  const without = (place: number) => `${signature.slice(0, place)}!${signature.slice(place + 1)}`
  const wrong = ['', '!', without(0), without(20), `${signature}0`, `${signature}00`, signature.slice(1), signature.slice(0, -1)]
  // Each one directly after a signature that matches, because both are read into one buffer.
  for (const text of [...wrong, signature.toUpperCase(), `${signature}=`, ` ${signature}`]) {
    expect(await isGood(signature)).toBe(true)
    expect(await isGood(text), text).toBe(false)
  }
  expect(await matches(ready, algorithm, 'Text', signature)).toBe(false)
})

test.each<Algorithm>([
  { hmac: 'SHA-256', encoding: 'hex' },
  { hmac: 'SHA-512', encoding: 'base64' },
  { hmac: 'SHA-1', encoding: 'base64url' },
])('%j: the platform compares, also a signature that cannot match', async (algorithm) => {
  const ready = await readyKey({ secret: 'a key' }, algorithm)
  const computing = vi.spyOn(crypto.subtle, 'sign')
  const comparing = vi.spyOn(crypto.subtle, 'verify')
  for (const signature of ['', '!', 'ab', 'A'.repeat(43), 'a'.repeat(64), 'A'.repeat(200)]) {
    await matches(ready, algorithm, 'text', signature)
    expect([computing.mock.calls.length, comparing.mock.calls.length], signature).toEqual([0, 1])
    comparing.mockClear()
  }
  vi.restoreAllMocks()
})
