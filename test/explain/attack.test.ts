// explain under attack: the work for long links of one character.
import { expect, test, vi } from 'vitest'
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
