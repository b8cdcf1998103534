// memoryStore: counts atomically, forgets no use of a valid link, and throws when it is full.
import { describe, expect, test } from 'vitest'
import { hmac, LinkError, redeem, sign } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const at = (second: number) => new Date(1_900_000_000_000 + second * 1000)

/** A store whose clock the test sets, and which forgets as early as it may. uses.test.ts tests `retain`. */
function withClock(max?: number) {
  const clock = { second: 0 }
  const store = memoryStore({ now: () => at(clock.second), retain: '0s', ...(max !== undefined && { max }) })
  return { clock, take: (id: string, until = 60, uses = 1) => store.take(id, at(until), uses) as boolean }
}

describe('memoryStore counts', () => {
  test('true as often as there are uses, then false', () => {
    const { take } = withClock()
    expect([1, 2, 3, 4, 5].map(() => take('a', 60, 3))).toEqual([true, true, true, false, false])
  })

  test('no use of a link that has expired by its own clock: it could not remember that', () => {
    const { clock, take } = withClock()
    clock.second = 60
    expect([take('a', 60), take('a', 59), take('b', Number.NaN), take('c', 61)]).toEqual([false, false, false, true])
  })

  test('each id by itself', () => {
    const { take } = withClock()
    expect([take('a'), take('b'), take('a'), take('b'), take('')]).toEqual([true, true, false, false, true])
  })

  test('the names of properties that every object has are ids like others', () => {
    const { take } = withClock()
    expect(['__proto__', 'constructor', 'toString'].flatMap((id) => [take(id), take(id)])).toEqual([true, false, true, false, true, false])
  })

  test('at once: of a hundred simultaneous requests, as many succeed as there are uses', async () => {
    const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
    const store = memoryStore()
    const link = await sign(links, '/invite', { expires: '1h', uses: 7 })
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => redeem(links, link, { store })))
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(7)
    expect(new Set(verdicts.map(({ reason }) => reason))).toEqual(new Set([undefined, 'used']))
  })

  test('each store counts for itself', () => {
    expect([withClock().take('a'), withClock().take('a')]).toEqual([true, true])
  })
})

describe('memoryStore remembers', () => {
  test('until the link expires, to the millisecond', () => {
    const { clock, take } = withClock()
    take('a', 60)
    clock.second = 59.999
    expect(take('a', 60)).toBe(false)
    clock.second = 60
    expect(take('a', 120)).toBe(true)
    expect(take('a', 120)).toBe(false)
  })

  test('until the later of two links with one id expires', () => {
    const { clock, take } = withClock()
    take('a', 60)
    expect(take('a', 600)).toBe(false)
    clock.second = 300
    expect(take('a', 600)).toBe(false)
    expect(take('a', 400)).toBe(false)
    clock.second = 599
    expect(take('a', 600)).toBe(false)
  })

  test('by a clock that it reads at every use', () => {
    const { clock, take } = withClock(1)
    take('a', 10)
    expect(() => take('b', 10)).toThrow()
    clock.second = 10
    expect(take('b', 20)).toBe(true)
  })
})

describe('memoryStore is full', () => {
  test('of valid links: it throws', () => {
    const { take } = withClock(2)
    take('a')
    take('b')
    expect(() => take('c')).toThrow(/full/)
    expect(() => take('c')).toThrow(/full/)
    expect([take('a'), take('b')]).toEqual([false, false])
  })

  test('and still counts the links that it knows', () => {
    const { take } = withClock(1)
    take('a', 60, 2)
    expect(() => take('b')).toThrow(/full/)
    expect([take('a', 60, 2), take('a', 60, 2)]).toEqual([true, false])
  })

  test('and its error names no link', () => {
    const { take } = withClock(1)
    take('secret-id-1')
    expect(() => take('secret-id-2')).toThrow(expect.not.stringContaining('secret-id') as unknown as Error)
    try {
      take('secret-id-2')
    } catch (error) {
      expect(String(error)).not.toContain('secret-id')
    }
  })

  test('of expired links: it forgets them', () => {
    const { clock, take } = withClock(3)
    take('a', 10)
    take('b', 20)
    take('c', 600)
    clock.second = 10
    expect(take('d', 600)).toBe(true)
    expect(() => take('e', 600)).toThrow(/full/)
    clock.second = 20
    expect(take('e', 600)).toBe(true)
    expect(() => take('f', 600)).toThrow(/full/)
    expect([take('c', 600), take('d', 600), take('e', 600)]).toEqual([false, false, false])
  })

  test('over many rounds it forgets no valid link and keeps no expired one', () => {
    const { clock, take } = withClock(50)
    const valid = new Map<string, number>()
    let seed = 1
    const random = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below
    for (let round = 0; round < 3000; round++) {
      clock.second += random(3)
      for (const [id, until] of valid) if (until <= clock.second) valid.delete(id)
      const id = `link ${random(120)}`
      const until = valid.get(id) ?? clock.second + 1 + random(60)
      if (valid.size === 50 && !valid.has(id)) {
        expect(() => take(id, until)).toThrow(/full/)
      } else {
        expect(take(id, until)).toBe(!valid.has(id))
        valid.set(id, until)
      }
    }
  })
})

test.each([0, -1, 1.5, Number.NaN, Infinity, '10' as unknown as number])('memoryStore({ max: %s }) throws', (max) => {
  expect(() => memoryStore({ max })).toThrow(LinkError)
  expect(() => memoryStore({ max })).toThrow(expect.objectContaining({ code: 'bad_option' }))
})

test('unknown options are refused, and the known ones are listed', () => {
  expect(() => memoryStore({ maximum: 7 } as never)).toThrow("unknown option 'maximum'; memoryStore() takes max, retain, now")
})
