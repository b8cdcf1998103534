// sqlStore with a real PostgreSQL and both clients: four processes at once, the server killed and started again. With SQLite in four engines at once.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { hmac, LinkError, redeem, sign } from '../../src/index.ts'
import { sqlStore } from '../../src/stores/sql.ts'
import { built, root } from '../built.ts'
import { find, freePort, leftOut } from '../prepare.mjs'
import { redeemers } from './redeemers.ts'

const program = find('postgres')
const secret = '0123456789abcdef0123456789abcdef'
const links = hmac({ secret })
const folder = mkdtempSync(join(tmpdir(), 'securelink-sql-'))
const data = join(folder, 'data')
const processes: ChildProcess[] = []
const quiet = () => undefined
let port = 0
let server: ChildProcess
let pool: pg.Pool

// PostgreSQL refuses to run as root, so root lends it the user that Debian's package makes.
const asUser =
  process.getuid?.() === 0 && program
    ? { uid: Number(execFileSync('id', ['-u', 'postgres'])), gid: Number(execFileSync('id', ['-g', 'postgres'])) }
    : {}

async function startPostgres(): Promise<void> {
  const args = ['-D', data, '-p', `${port}`, '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`]
  for (let tries = 0; tries < 200; tries++) {
    // Processes of a killed server may hold its memory for a moment. Then the new one ends at once, and is started again.
    if (!server || server.exitCode !== null || server.signalCode !== null) {
      server = spawn(program as string, args, { stdio: 'ignore', ...asUser })
      processes.push(server)
    }
    if (await pool.query('SELECT 1').catch(quiet)) return
    await wait(50)
  }
  throw new Error('PostgreSQL does not start')
}

async function killPostgres(): Promise<void> {
  const gone = once(server, 'exit')
  server.kill('SIGKILL')
  await gone
}

if (program) {
  beforeAll(async () => {
    await built()
    port = await freePort()
    chmodSync(folder, 0o777)
    const initdb = join(dirname(program), 'initdb')
    execFileSync(initdb, ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '-E', 'UTF8'], { stdio: 'ignore', ...asUser })
    pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres' }).on('error', quiet)
    await startPostgres()
    await sqlStore(pool).createTable()
  }, 120_000)
  afterAll(async () => {
    await pool.end().catch(quiet)
    for (const child of processes) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
}

const mint = (uses: number) => sign(links, 'https://app.example/invite', { expires: '1h', uses })
const needsPostgres = (name: string) => (program ? name : leftOut('postgres'))
const minutes = (count: number) => new Date(Date.now() + count * 60_000)

describe.each(['pg', 'postgres'])('PostgreSQL with %s', (kind) => {
  test.skipIf(!program)(
    needsPostgres('exactly n of 200 requests from four processes succeed; also when the server is killed in between'),
    async () => {
      const { ask, stop } = await redeemers(kind, port, secret, processes)
      expect(await ask({ link: await mint(1), count: 50 })).toEqual({ ok: 1, used: 199 })
      const [one, some, fresh] = await Promise.all([mint(1), mint(5), mint(3)])
      expect(await ask({ link: one, count: 50 })).toEqual({ ok: 1, used: 199 })
      // Two of five uses.
      const store = sqlStore(pool)
      for (const _ of [1, 2]) expect(await redeem(links, some, { store })).toMatchObject({ ok: true })
      await killPostgres()
      // While the server is away, no link opens and no use is consumed.
      expect(await ask({ link: one, count: 5, guarded: true })).toEqual({ 503: 20 })
      expect(await ask({ link: fresh, count: 5 })).toEqual({ failed: 20 })
      await startPostgres()
      // Until every connection of every process has found it again: with fewer requests, a driver would not use all of them.
      for (let tries = 0; (await ask({ link: await mint(9), count: 50 }))['failed'] && tries < 100; tries++) await wait(50)
      await wait(500)
      expect(await ask({ link: one, count: 50 })).toEqual({ used: 200 })
      expect(await ask({ link: some, count: 50 })).toEqual({ ok: 3, used: 197 })
      expect(await ask({ link: fresh, count: 50 })).toEqual({ ok: 3, used: 197 })
      stop()
    },
    90_000,
  )

  test.skipIf(!program)(
    needsPostgres('the server is killed in the middle: no link opens too often'),
    async () => {
      const { ask, stop } = await redeemers(kind, port, secret, processes)
      const link = await mint(3)
      let entered = 0
      const storm = (async () => {
        for (let round = 0; round < 6; round++) entered += (await ask({ link, count: 50 }))['ok'] ?? 0
      })()
      await wait(5)
      await killPostgres()
      await startPostgres()
      await storm
      for (let tries = 0; tries < 100; tries++) {
        const { ok = 0, failed = 0 } = await ask({ link, count: 5 })
        entered += ok
        if (!failed) break
        await wait(50)
      }
      expect(entered).toBeLessThanOrEqual(3)
      stop()
    },
    90_000,
  )

  test.skipIf(!program)(
    needsPostgres('a row is kept until the last link of its id expires, at least for retain, and for an hour more'),
    async () => {
      const sql = kind === 'postgres' ? postgres({ host: '127.0.0.1', port, user: 'postgres', max: 2, onnotice: quiet }) : undefined
      const table = `uses_of_${kind}`
      const store = sqlStore(sql ?? pool, { table, retain: '0s' })
      await Promise.all([store.createTable(), sqlStore(pool, { table }).createTable()])
      const life = async (id = 'a') => {
        const { rows } = await pool.query(`SELECT forget_at FROM ${table} WHERE id = $1`, [id])
        return Math.round((Number(rows[0]?.forget_at) - Date.now()) / 60_000)
      }
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
      expect(await life('never')).toBeNaN()
      expect(await store.take('b', new Date('5000-01-01'), 1)).toBe(true)
      expect(await store.take('b', new Date('5000-01-01'), 1)).toBe(false)
      // By default a use is remembered for a day, even if its link is valid for minutes only.
      const longer = sqlStore(pool, { table })
      expect(await longer.take('d', minutes(10), 1)).toBe(true)
      expect(await life('d')).toBe(25 * 60)
      // A use that may be forgotten counts no more, whether its row is still there or not.
      await pool.query(`UPDATE ${table} SET forget_at = 0 WHERE id IN ('a', 'd')`)
      expect(await longer.take('d', minutes(10), 1)).toBe(true)
      expect(await longer.take('d', minutes(10), 1)).toBe(false)
      await longer.sweep()
      expect(await life('a')).toBeNaN()
      expect(await life('d')).toBe(25 * 60)
      // Ids are whatever text the application chose.
      const id = `'; DROP TABLE ${table}; -- "é"`
      expect([await store.take(id, minutes(1), 1), await store.take(id, minutes(1), 1)]).toEqual([true, false])
      await sql?.end()
    },
  )
})

describe('clocks and lost answers', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test.skipIf(!program)(needsPostgres('the clock of the database decides, not that of the process'), async () => {
    const store = sqlStore(pool, { retain: '0s' })
    const start = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: start - 3 * 3_600_000 })
    expect(await store.take('behind', new Date(start - 3_600_000), 1)).toBe(false)
    vi.setSystemTime(start + 3 * 3_600_000)
    expect(await store.take('ahead', new Date(start + 600_000), 1)).toBe(true)
  })

  const faulty = (spoil: (answer: Promise<{ rows: unknown[] }>) => Promise<{ rows: unknown[] }>) => {
    let first = true
    return {
      query(text: string, values: unknown[]) {
        const answer = pool.query(text, values)
        if (!first) return answer
        first = false
        return spoil(answer)
      },
    }
  }

  test.skipIf(!program)(needsPostgres('a late answer consumes no use'), async () => {
    const store = sqlStore(
      faulty((answer) => wait(200).then(() => answer)),
      { timeout: '0.05s' },
    )
    await expect(store.take('late', minutes(60), 1)).rejects.toThrow('in time')
    await wait(500)
    expect([await sqlStore(pool).take('late', minutes(60), 1), await sqlStore(pool).take('late', minutes(60), 1)]).toEqual([true, false])
  })

  test.skipIf(!program)(needsPostgres('a lost answer consumes no use, and a refused request gives none back'), async () => {
    const lost = () => sqlStore(faulty((answer) => answer.then(() => Promise.reject(new Error('the socket closed')))))
    await expect(lost().take('lost', minutes(60), 1)).rejects.toThrow('closed')
    await wait(300)
    expect(await sqlStore(pool).take('lost', minutes(60), 1)).toBe(true)
    await expect(lost().take('lost', minutes(60), 1)).rejects.toThrow('closed')
    await wait(300)
    expect(await sqlStore(pool).take('lost', minutes(60), 1)).toBe(false)
  })

  test('options with wrong values, and unknown ones', () => {
    const client = { query: () => Promise.resolve({ rows: [] }) }
    expect(() => sqlStore({} as never)).toThrow(LinkError)
    expect(() => sqlStore(undefined as never)).toThrow('database must be')
    expect(() => sqlStore(client, { table: 'uses; DROP TABLE users' })).toThrow('table must be a name')
    expect(() => sqlStore(client, { retain: 7 as never })).toThrow('retain must be a duration with its unit')
    expect(() => sqlStore(client, { ttl: '1d' } as never)).toThrow("unknown option 'ttl'; sqlStore() takes table, retain, timeout")
  })
})

describe('SQLite', () => {
  const engines = (['node-24', 'deno', 'bun'] as const).map((part) => ({ part, path: find(part) }))
  const missing = engines.find(({ path }) => !path)

  function run(part: string, path: string, link: string, count: number): Promise<string[]> {
    const file = join(folder, 'uses.sqlite')
    const script = join(root, 'test/stores/redeem-sqlite.mjs')
    const options = part === 'deno' ? ['run', '--no-prompt', '--no-config', '-A'] : part === 'bun' ? ['run'] : ['--no-warnings']
    const child = spawn(path, [...options, script, file, secret, link, `${count}`], { env: { ...process.env, NO_COLOR: '1' } })
    let [output, complaint] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (complaint += text))
    return new Promise((resolve, reject) => {
      child.on('close', (code) =>
        code === 0 && output ? resolve(JSON.parse(output)) : reject(new Error(`ended with ${code}: ${complaint}`)),
      )
    })
  }

  test.skipIf(missing)(
    missing ? leftOut(missing.part) : 'processes that are killed in the middle open no link too often, and leave the file usable',
    async () => {
      await built()
      const node = engines[0]?.path as string
      const link = await mint(7)
      // The first answer tells that the process is at work. Killed, it prints nothing more, so the uses that it took are not seen here.
      const storm = [1, 2, 3, 4].map(async (i) => {
        const script = join(root, 'test/stores/redeem-sqlite.mjs')
        const child = spawn(node, ['--no-warnings', script, join(folder, 'uses.sqlite'), secret, link, '2000'], { stdio: 'ignore' })
        await wait(150 + 40 * i)
        child.kill('SIGKILL')
      })
      await Promise.all(storm)
      const answers = (await Promise.all(engines.map(({ part, path }) => run(part, path as string, link, 50)))).flat()
      expect(answers.filter((one) => one === 'ok').length).toBeLessThanOrEqual(7)
      expect(answers.filter((one) => one !== 'ok' && one !== 'used')).toEqual([])
      expect(await run('node-24', node, link, 5)).toEqual(Array(5).fill('used'))
    },
    60_000,
  )

  test.skipIf(missing)(
    missing ? leftOut(missing.part) : 'exactly n of 200 requests from Node, Deno and Bun on one file succeed',
    async () => {
      await built()
      for (const uses of [1, 7]) {
        const link = await mint(uses)
        const four = [...engines, engines[0] as (typeof engines)[0]]
        const answers = (await Promise.all(four.map(({ part, path }) => run(part, path as string, link, 50)))).flat()
        expect(answers.filter((one) => one === 'ok')).toHaveLength(uses)
        expect(answers.filter((one) => one === 'used')).toHaveLength(200 - uses)
      }
    },
    60_000,
  )
})
