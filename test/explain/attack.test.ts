// explain under attack: the work for long links of one character.
import { describe, expect, test, vi } from 'vitest'
import { compared } from '../../src/explain/spelling.ts'
import { explain } from '../../src/explain.ts'
import type { Scheme } from '../../src/index.ts'
import { hmac } from '../../src/index.ts'
import { schemes } from '../conformance/vectors/index.ts'

/** A scheme that counts the characters of the links that it reads. */
function counted(scheme: Scheme): { readonly scheme: Scheme; readonly read: () => number } {
  let characters = 0
  const read: Scheme['read'] = (url, header) => {
    characters += url.length
    return scheme.read(url, header)
  }
  return { scheme: { ...scheme, read }, read: () => characters }
}

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

describe('links of 16,384 characters from strangers', () => {
  const DISTINCT = Array.from({ length: 4000 }, (_, i) => `&${i.toString(36)}`).join('')
  const some = schemes
    .map(({ make, vectors }) => [vectors.scheme, make, vectors] as const)
    .filter(([name]) => ['adonis', 'azure', 'hmac', 'imgproxy', 'nginx', 's3'].includes(name))

  test.each(some)('of %s are read a limited number of times', async (_name, make, vectors) => {
    const [group] = vectors.testGroups
    const front = '/a?x=1'
    for (const url of ['&a'.repeat(8000), DISTINCT, '/a'.repeat(8000)].map((end) => (front + end).slice(0, 16_384))) {
      const { scheme, read } = counted(make(group?.keys, group?.options) as Scheme)
      await explain(scheme, url, { bound: 200 })
      // An attempt reads a link up to four times, to replace a signature that cannot be read.
      expect(read()).toBeLessThan(4 * 200 * 400 + 10 * 16_384)
    }
  })

  test('the parameters are compared as often as there are parameters, and not their square', async () => {
    const links = hmac({ secret: 'a secret of 32 bytes or more, for tests' })
    const work = async (count: number): Promise<number> => {
      let elements = 0
      const spies = (['includes', 'findIndex', 'some', 'indexOf', 'slice'] as const).map((method) => {
        const original = Array.prototype[method] as (...args: unknown[]) => unknown
        return vi.spyOn(Array.prototype, method).mockImplementation(function (this: unknown[], ...args: unknown[]) {
          elements += this.length
          return original.apply(this, args) as never
        })
      })
      await explain(links, `/a?${DISTINCT.split('&').slice(0, count).join('&')}`, { bound: 200 })
      for (const spy of spies) spy.mockRestore()
      return elements
    }
    const once = await work(2000)
    expect(await work(4000)).toBeLessThan(2.5 * once)
  })
})
