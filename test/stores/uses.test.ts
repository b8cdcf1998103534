// How long a use is remembered, for several links of one id, and for verifiers of different tolerance: in memoryStore, in denoKvStore, and in a store
// that does no more than the contract requires. redis.server.test.ts tests the same of redisStore.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { guard } from '../../src/guard.ts'
import { hmac, LinkError, redeem, sign, type UseStore } from '../../src/index.ts'
import { denoKvStore } from '../../src/stores/deno-kv.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { type RedisStoreOptions, redisStore } from '../../src/stores/redis.ts'
import { standIn } from './deno-kv-stand-in.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const START = Date.UTC(2030, 0, 1)
const HOUR = 3_600_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
})
afterEach(() => {
  vi.useRealTimers()
})
const at = (milliseconds: number) => vi.setSystemTime(START + milliseconds)

type Options = Pick<RedisStoreOptions, 'retain'>
const stores: Record<string, (options?: Options) => UseStore> = {
  memoryStore,
  denoKvStore: (options) => denoKvStore(standIn(), options),
}

/** No more than the contract requires: it forgets exactly at `until`. */
function leastStore(): UseStore {
  const used = new Map<string, { count: number; until: number }>()
  return {
    take(id, until, uses) {
      if (+until <= Date.now()) return false
      const known = used.get(id)
      const entry = known && known.until > Date.now() ? known : { count: 0, until: 0 }
      entry.until = Math.max(entry.until, +until)
      used.set(id, entry)
      return entry.count < uses && ++entry.count > 0
    },
  }
}

describe.each(Object.entries(stores))('%s', (_name, make) => {
  // Each with a store of its own, because a refused request makes the store remember longer.
  test.each([0, 10 * 60_000 - 1, 10 * 60_000, 16 * 60_000, HOUR - 1])(
    'two links of one id share their uses, after %d ms',
    async (later) => {
      const store = make()
      const [short, long] = await Promise.all([
        sign(links, '/a', { expires: '10m', uses: 1, id: 'order-7' }),
        sign(links, '/a', { expires: '1h', uses: 1, id: 'order-7' }),
      ])
      expect(await redeem(links, short, { store })).toMatchObject({ ok: true })
      at(later)
      expect(await redeem(links, long, { store })).toMatchObject({ reason: 'used' })
    },
  )

  test('links that are signed later share them, too, up to a day after the last use', async () => {
    const store = make()
    const mint = () => sign(links, '/a', { expires: '10m', uses: 2, id: 'order-7' })
    expect(await redeem(links, await mint(), { store })).toMatchObject({ ok: true })
    at(23 * HOUR)
    expect(await redeem(links, await mint(), { store })).toMatchObject({ ok: true })
    at(46 * HOUR)
    expect(await redeem(links, await mint(), { store })).toMatchObject({ reason: 'used' })
    // Here is the limit. The refused request was not a use, so the last one was more than a day ago. Deno KV forgets within another day.
    at(72 * HOUR)
    expect(await redeem(links, await mint(), { store })).toMatchObject({ ok: true })
  })

  test('retain sets how long that is', async () => {
    const store = make({ retain: '7d' })
    const mint = () => sign(links, '/a', { expires: '10m', uses: 1, id: 'order-7' })
    expect(await redeem(links, await mint(), { store })).toMatchObject({ ok: true })
    at(7 * 24 * HOUR - 1)
    expect(await redeem(links, await mint(), { store })).toMatchObject({ reason: 'used' })
    expect(() => make({ retain: 7 as never })).toThrow(LinkError)
    expect(() => make({ retain: 'a week' as never })).toThrow(/^retain must be a duration with its unit/)
  })

  test('a link that is valid for longer is remembered until it expires', async () => {
    const store = make()
    const link = await sign(links, '/a', { expires: '30d', uses: 1 })
    expect(await redeem(links, link, { store })).toMatchObject({ ok: true })
    at(30 * 24 * HOUR - 1)
    expect(await redeem(links, link, { store })).toMatchObject({ reason: 'used' })
  })

  test('a use of a link whose `until` is past is not taken', async () => {
    const store = make()
    for (const until of [new Date(START), new Date(START - 1), new Date(0), new Date(Number.NaN)])
      expect(await store.take('a', until, 1)).toBe(false)
    expect(await store.take('a', new Date(START + 1), 1)).toBe(true)
  })
})

describe.each(Object.entries({ ...stores, 'memoryStore with retain 0s': () => memoryStore({ retain: '0s' }), leastStore }))(
  '%s behind two guards of different tolerance',
  (_name, make) => {
    test.each(['0s', '1m', '5m', '1d'] as const)('a one-time link opens once, with %s and then with five minutes', async (tolerance) => {
      const outcome = async (later: number) => {
        at(0)
        const store = make()
        const [strict, lenient] = ([tolerance, '5m'] as const).map((tolerance) =>
          guard(links, () => Response.json({}), { store, tolerance }),
        ) as [ReturnType<typeof guard>, ReturnType<typeof guard>]
        const link = await sign(links, 'https://app.example/invite', { expires: '10m', uses: 1 })
        at(600_000 - 1)
        expect((await strict(new Request(link))).status).toBe(200)
        at(later)
        return (await (await lenient(new Request(link))).json()).reason
      }
      for (const later of [600_000, 660_000, 900_000 - 1]) expect(await outcome(later), `${later} ms later`).toBe('used')
      expect(await outcome(900_000)).toBe('expired')
    })
  },
)

test('the store gets the same `until` for every tolerance', async () => {
  const told: number[] = []
  const store: UseStore = { take: (_id, until) => told.push(+until) > 0 }
  const link = await sign(links, '/a', { expires: '10m', uses: 1 })
  for (const tolerance of ['0s', '1m', '5m', '1d'] as const) await redeem(links, link, { store, tolerance })
  expect(new Set(told)).toEqual(new Set([START + 900_000]))
})

describe('redisStore without a Redis', () => {
  const answering = (answer: unknown) => {
    const sent: string[] = []
    const client = {
      isReady: true,
      eval(_script: string, { arguments: [first = ''] }: { keys: string[]; arguments: string[] }) {
        sent.push(first)
        return Promise.resolve(answer)
      },
    }
    return { store: redisStore(client), sent }
  }
  const later = new Date(START + HOUR)

  // ioredis has an option for text in place of numbers, and node-redis can map every type to another.
  test.each([[1], ['1'], [1n], [Buffer.from('1')]])('%s is a use', async (answer) => {
    expect(await answering(answer).store.take('a', later, 1)).toBe(true)
  })
  test.each([[0], ['0'], [0n], [Buffer.from('0')]])('%s is not a use', async (answer) => {
    expect(await answering(answer).store.take('a', later, 1)).toBe(false)
  })
  test.each([[undefined], [null], ['OK'], ['QUEUED'], [true], [2], [[1, 1]], [{}]])(
    '%s is an answer of something else: it throws, and gives the use back',
    async (answer) => {
      const { store, sent } = answering(answer)
      await expect(store.take('a', later, 1)).rejects.toThrow(
        'redisStore: Redis sent an answer that the script of this store does not give',
      )
      await new Promise((resolve) => setImmediate(resolve))
      expect(sent).toHaveLength(2)
    },
  )
  test('options with wrong values, and unknown ones', () => {
    const client = { isReady: true, eval: () => Promise.resolve(1) }
    expect(() => redisStore(client, { retain: 7 as never })).toThrow(LinkError)
    expect(() => redisStore(client, { timeout: 7 as never })).toThrow('timeout must be a duration with its unit')
    expect(() => redisStore(client, { ttl: '1d' } as never)).toThrow("unknown option 'ttl'; redisStore() takes prefix, retain, timeout")
    expect(() => denoKvStore(standIn(), { ttl: '1d' } as never)).toThrow("unknown option 'ttl'; denoKvStore() takes prefix, retain")
    expect(() => denoKvStore(standIn(), { prefix: 'links' as never })).toThrow('prefix must be a list of texts')
  })
})
