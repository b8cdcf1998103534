// redisStore with a real Redis and both clients: four processes at once, Redis killed and started again, and Redis away.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createClient, RESP_TYPES } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { hmac, LinkError, redeem, sign } from '../../src/index.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { built } from '../built.ts'
import { find, freePort, leftOut } from '../prepare.mjs'
import { redeemers } from './redeemers.ts'

const program = find('redis')
const secret = '0123456789abcdef0123456789abcdef'
const links = hmac({ secret })
const folder = mkdtempSync(join(tmpdir(), 'securelink-redis-'))
const processes: ChildProcess[] = []
let port = 0
let server: ChildProcess
let plain: Redis

async function startRedis(): Promise<void> {
  const settings = { port, bind: '127.0.0.1', dir: folder, appendonly: 'yes', appendfsync: 'always', save: '', daemonize: 'no' }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`])
  server = spawn(program as string, args, { stdio: 'ignore' })
  processes.push(server)
  for (let tries = 0; tries < 200; tries++) {
    const there = await plain.ping().catch(() => undefined)
    if (there === 'PONG') return
    await wait(50)
  }
  throw new Error('Redis does not start')
}

async function killRedis(): Promise<void> {
  const gone = once(server, 'exit')
  server.kill('SIGKILL')
  await gone
}

const quiet = () => undefined

if (program) {
  beforeAll(async () => {
    await built()
    port = await freePort()
    plain = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50, maxRetriesPerRequest: 1 }).on('error', quiet)
    await startRedis()
  }, 120_000)
  afterAll(() => {
    plain.disconnect()
    for (const child of processes) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
}

const mint = (uses: number) => sign(links, 'https://app.example/invite', { expires: '1h', uses })

describe.each(['ioredis', 'node-redis'])('%s', (kind) => {
  test.skipIf(!program)(
    program ? '200 at once from four processes: one succeeds, and n of n uses' : leftOut('redis'),
    async () => {
      const { ask, stop } = await redeemers(kind, port, secret, processes)
      expect(await ask({ link: await mint(1), count: 50 })).toEqual({ ok: 1, used: 199 })
      expect(await ask({ link: await mint(7), count: 50 })).toEqual({ ok: 7, used: 193 })
      stop()
    },
    60_000,
  )

  test.skipIf(!program)(
    program ? 'Redis is killed and started again in between' : leftOut('redis'),
    async () => {
      const { ask, stop } = await redeemers(kind, port, secret, processes)
      const [one, some, fresh] = await Promise.all([mint(1), mint(5), mint(3)])
      expect(await ask({ link: one, count: 50 })).toEqual({ ok: 1, used: 199 })
      // Two of five uses.
      const store = redisStore(plain)
      for (const _ of [1, 2]) expect(await redeem(links, some, { store })).toMatchObject({ ok: true })
      await killRedis()
      // While Redis is away, no link opens and no use is consumed.
      expect(await ask({ link: one, count: 5, guarded: true })).toEqual({ 503: 20 })
      expect(await ask({ link: fresh, count: 25, guarded: true })).toEqual({ 503: 100 })
      expect(await ask({ link: fresh, count: 25 })).toEqual({ failed: 100 })
      await startRedis()
      // Until every process has found it again.
      for (let tries = 0; (await ask({ link: await mint(9), count: 1 }))['failed'] && tries < 100; tries++) await wait(50)
      await wait(300)
      expect(await ask({ link: one, count: 50 })).toEqual({ used: 200 })
      expect(await ask({ link: some, count: 50 })).toEqual({ ok: 3, used: 197 })
      expect(await ask({ link: fresh, count: 50 })).toEqual({ ok: 3, used: 197 })
      stop()
    },
    90_000,
  )

  test.skipIf(!program)(
    program ? 'Redis is killed in the middle: no link opens too often' : leftOut('redis'),
    async () => {
      const { ask, stop } = await redeemers(kind, port, secret, processes)
      const link = await mint(3)
      let entered = 0
      const storm = (async () => {
        for (let round = 0; round < 6; round++) entered += (await ask({ link, count: 50 }))['ok'] ?? 0
      })()
      await wait(5)
      await killRedis()
      await startRedis()
      await storm
      for (let tries = 0; tries < 100; tries++) {
        const { ok = 0, failed = 0 } = await ask({ link, count: 5 })
        entered += ok
        if (!failed) break
        await wait(50)
      }
      // A use whose answer got lost with the connection is given back, unless too many others came after it.
      expect(entered).toBeGreaterThanOrEqual(1)
      expect(entered).toBeLessThanOrEqual(3)
      stop()
    },
    90_000,
  )

  test.skipIf(!program)(
    program ? 'a key is kept until the last link of its id expires, at least for retain, and for an hour more' : leftOut('redis'),
    async () => {
      const client =
        kind === 'ioredis'
          ? plain
          : await createClient({ socket: { host: '127.0.0.1', port } })
              .on('error', quiet)
              .connect()
      const store = redisStore(client, { prefix: `test:${kind}:`, retain: '0s' })
      const life = async (id = 'a') => Math.round((await plain.pttl(`test:${kind}:${id}`)) / 60_000)
      const minutes = (count: number) => new Date(Date.now() + count * 60_000)
      expect(await store.take('a', minutes(10), 2)).toBe(true)
      expect(await life()).toBe(70)
      expect(await store.take('a', minutes(5), 2)).toBe(true)
      expect(await life()).toBe(70)
      expect(await store.take('a', minutes(20), 2)).toBe(false)
      expect(await life()).toBe(80)
      // No use of an expired link is taken, and nothing is written.
      for (const until of [new Date(0), minutes(-1), new Date(Number.NaN)]) {
        expect(await store.take('a', until, 3)).toBe(false)
        expect(await store.take('never', until, 3)).toBe(false)
      }
      expect(await life()).toBe(80)
      expect(await plain.exists(`test:${kind}:never`)).toBe(0)
      expect(await store.take('b', new Date('5000-01-01'), 1)).toBe(true)
      expect(await store.take('b', new Date('5000-01-01'), 1)).toBe(false)
      // By default a use is remembered for a day, even if its link is valid for minutes only.
      const longer = redisStore(client, { prefix: `test:${kind}:` })
      expect(await longer.take('d', minutes(10), 1)).toBe(true)
      expect(await life('d')).toBe(25 * 60)
      expect(await longer.take('d', minutes(60), 1)).toBe(false)
      expect(await life('d')).toBe(25 * 60)
      expect(await longer.take('e', minutes(3 * 24 * 60), 1)).toBe(true)
      expect(await life('e')).toBe(73 * 60)
      // A value that another program wrote is not counted.
      await plain.set(`test:${kind}:c`, 'something else')
      await expect(store.take('c', minutes(1), 1)).rejects.toThrow()
      if ('destroy' in client) client.destroy()
    },
    30_000,
  )
})

describe('clocks and answers', () => {
  afterEach(() => {
    vi.useRealTimers()
  })
  let start = 0
  beforeEach(() => {
    start = Date.now()
  })
  const set = (hours: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 })

  test.skipIf(!program)(
    program ? 'two links of one id share their uses, even when the shorter one has expired' : leftOut('redis'),
    async () => {
      const store = redisStore(plain)
      const [short, long] = await Promise.all([
        sign(links, '/a', { expires: '1s', uses: 1, id: 'order-7' }),
        sign(links, '/a', { expires: '1h', uses: 1, id: 'order-7' }),
      ])
      expect(await redeem(links, short, { store })).toMatchObject({ ok: true })
      expect(await plain.pttl('securelink:order-7')).toBeGreaterThan(23 * 3_600_000)
      expect(await redeem(links, long, { store })).toMatchObject({ reason: 'used' })
    },
  )

  test.skipIf(!program)(program ? 'a redeemer whose clock is ahead does not make Redis forget early' : leftOut('redis'), async () => {
    const store = redisStore(plain, { retain: '0s', prefix: 'clock:' })
    set(3)
    expect(await store.take('ahead', new Date(start + 3.5 * 3_600_000), 1)).toBe(true)
    expect(await plain.pttl('clock:ahead')).toBeGreaterThan(3.5 * 3_600_000)
  })

  test.skipIf(!program)(
    program ? 'a redeemer whose clock is behind opens no link that Redis may have forgotten' : leftOut('redis'),
    async () => {
      const store = redisStore(plain, { retain: '0s', prefix: 'clock:' })
      set(-3)
      // For this verifier the link is valid for two hours more. It expired an hour ago, so Redis may have forgotten it by now, margin included.
      const link = await sign(links, '/a', { expires: '1h', uses: 1, id: 'behind' })
      expect(await redeem(links, link, { store })).toMatchObject({ ok: false, reason: 'used' })
      expect(await store.take('behind', new Date(start - 3_600_000), 1)).toBe(false)
      // A valid link is remembered by the clock of Redis alone.
      expect(await store.take('on', new Date(start + 600_000), 1)).toBe(true)
      expect(Math.round((await plain.pttl('clock:on')) / 60_000)).toBe(70)
    },
  )

  test.skipIf(!program)(program ? 'ioredis with text in place of numbers' : leftOut('redis'), async () => {
    const client = new Redis({ host: '127.0.0.1', port, stringNumbers: true })
    const store = redisStore(client)
    const later = new Date(start + 60_000)
    expect([await store.take('text', later, 1), await store.take('text', later, 1)]).toEqual([true, false])
    client.disconnect()
  })

  test.skipIf(!program)(program ? 'node-redis with types of its own' : leftOut('redis'), async () => {
    const client = await createClient({ socket: { host: '127.0.0.1', port } })
      .on('error', quiet)
      .connect()
    const store = redisStore(client.withTypeMapping({ [RESP_TYPES.NUMBER]: String }) as never)
    const later = new Date(start + 60_000)
    expect([await store.take('mapped', later, 1), await store.take('mapped', later, 1)]).toEqual([true, false])
    client.destroy()
  })
})

describe('a client that loses answers', () => {
  /** Runs the real scripts, and spoils the first answer. */
  const faulty = (spoil: (answer: Promise<unknown>) => Promise<unknown>) => {
    let first = true
    return {
      isReady: true,
      eval(script: string, { keys: [key = ''], arguments: rest }: { keys: string[]; arguments: string[] }) {
        const answer = plain.eval(script, 1, key, ...rest)
        if (!first) return answer
        first = false
        return spoil(answer)
      },
    }
  }
  const later = new Date(Date.now() + 3_600_000)

  test.skipIf(!program)(program ? 'a late answer consumes no use' : leftOut('redis'), async () => {
    const client = faulty(async (answer) => {
      await wait(200)
      return answer
    })
    const store = redisStore(client, { timeout: '0.05s' })
    await expect(store.take('late', later, 1)).rejects.toThrow('in time')
    await wait(400)
    expect([await store.take('late', later, 1), await store.take('late', later, 1)]).toEqual([true, false])
  })

  test.skipIf(!program)(program ? 'a lost answer consumes no use' : leftOut('redis'), async () => {
    const client = faulty((answer) => answer.then(() => Promise.reject(new Error('the socket closed'))))
    const store = redisStore(client)
    await expect(store.take('lost', later, 1)).rejects.toThrow('closed')
    await wait(100)
    expect([await store.take('lost', later, 1), await store.take('lost', later, 1)]).toEqual([true, false])
  })

  test.skipIf(!program)(program ? 'several late answers at once consume no uses' : leftOut('redis'), async () => {
    // All of them arrive when Redis answers again, before the first is given back.
    let free: (_: unknown) => void = quiet
    const stuck = new Promise((resolve) => (free = resolve))
    const client = {
      isReady: true,
      async eval(script: string, { keys: [key = ''], arguments: rest }: { keys: string[]; arguments: string[] }) {
        await stuck
        return plain.eval(script, 1, key, ...rest)
      },
    }
    const store = redisStore(client, { timeout: '0.05s' })
    const takes = await Promise.allSettled(Array.from({ length: 5 }, () => store.take('stuck', later, 3)))
    expect(takes.map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
    free(true)
    await wait(300)
    const after = redisStore(plain)
    expect(await Promise.all([1, 2, 3, 4].map(() => after.take('stuck', later, 3)))).toEqual([true, true, true, false])
  })

  test.skipIf(!program)(program ? 'a take that is sent twice counts once' : leftOut('redis'), async () => {
    const twice = {
      isReady: true,
      async eval(script: string, { keys: [key = ''], arguments: rest }: { keys: string[]; arguments: string[] }) {
        await plain.eval(script, 1, key, ...rest)
        return plain.eval(script, 1, key, ...rest)
      },
    }
    const store = redisStore(twice)
    expect([await store.take('twice', later, 2), await store.take('twice', later, 2), await store.take('twice', later, 2)]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('nothing is sent to a client that is not connected', async () => {
    const never = () => Promise.reject(new Error('asked'))
    for (const client of [
      { isReady: false, eval: never },
      { status: 'reconnecting', eval: never },
      { status: 'end', eval: never },
    ])
      await expect(redisStore(client).take('x', later, 1)).rejects.toThrow('cannot be reached')
    expect(() => redisStore({} as never)).toThrow(LinkError)
  })
})
