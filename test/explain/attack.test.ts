// explain under attack: the work for long links of one character.
import { expect, test, vi } from 'vitest'
import { compared } from '../../src/explain/spelling.ts'
import { explain } from '../../src/explain.ts'
import { hmac } from '../../src/index.ts'

test('of a path with many slashes, a few shorter ones are tried', async () => {
  const links = hmac({ secret: 'a secret of 32 bytes or more, for tests' })
  const url = `/${'a/'.repeat(4000)}?expires=1900000000&signature=${'A'.repeat(43)}`
  const join = vi.spyOn(Array.prototype, 'join')
  const { verdict } = await explain(links, url, { bound: 20, now: () => new Date('2030-01-01T00:00:00Z') })
  const { length } = join.mock.calls
  join.mockRestore()
  expect(verdict.reason).toBe('bad_signature')
  expect(length).toBeLessThan(1000)
})

test('a signature of many = takes as many steps, and not their square', () => {
  const received = `${'='.repeat(200_000)}x`
  expect(compared(received, 'A'.repeat(43), { hmac: 'SHA-256', encoding: 'base64url' })).toBe(undefined)
})
