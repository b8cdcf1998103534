// Stores with clients that record what they are sent: no server is needed, and no clock is waited for.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { denoKvStore } from '../../src/stores/deno-kv.ts'
import { durableObjectStore, LinkUses } from '../../src/stores/durable-object.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { sqlStore } from '../../src/stores/sql.ts'
import { standIn } from './deno-kv-stand-in.ts'

const START = Date.UTC(2030, 0, 1)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const later = new Date(START + 10 * MINUTE)

beforeEach(() => {
  vi.useFakeTimers({ now: START })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets promises settle, and runs the timers of the next milliseconds. */
const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds)

test.each<[string, () => unknown, string]>([
  ['memoryStore', () => memoryStore({ max: 0 }), 'max must be a whole number from 1'],
  ['denoKvStore', () => denoKvStore(undefined as never), 'kv must be an open database, such as await Deno.openKv()'],
  ['denoKvStore', () => denoKvStore(standIn(), { prefix: ['a', 7] as never }), "prefix must be a list of texts, such as ['securelink']"],
  ['redisStore', () => redisStore(undefined as never), 'client must be a client of redis or ioredis'],
  ['redisStore', () => redisStore({ eval: 'text' } as never), 'client must be a client of redis or ioredis'],
  ['redisStore', () => redisStore(redis().client, { prefix: 7 as never }), "prefix must be text, such as 'securelink:'"],
  ['redisStore', () => redisStore(redis().client, { retain: '1' as never }), 'retain must be a duration with its unit'],
  [
    'durableObjectStore',
    () => durableObjectStore({ get: () => undefined } as never),
    'namespace must be the binding of a Worker to a Durable Object, such as env.LINK_USES',
  ],
  ['sqlStore', () => sqlStore({} as never), 'database must be a pool of pg, a client of postgres, or a database of SQLite'],
  ['sqlStore', () => sqlStore(pg().client, { retain: '1' as never }), 'retain must be a duration with its unit'],
  ['sqlStore', () => sqlStore(pg().client, { timeout: '1' as never }), 'timeout must be a duration with its unit'],
  ...['1uses', 'uses;', 'a.b.c', 'a-b', '.uses', 'app.', ''].map((table): [string, () => unknown, string] => [
    `sqlStore with the table '${table}'`,
    () => sqlStore(pg().client, { table }),
    "table must be a name of letters, digits and '_', such as 'securelink_uses' or 'app.link_uses'",
  ]),
])('%s names the wrong option, and the rule for it', (_name, make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: 'bad_option', message: expect.stringContaining(message) }))
})

describe('memoryStore', () => {
  test('remembers 100,000 links by default', () => {
    const store = memoryStore()
    for (let i = 0; i < 100_000; i++) void store.take(`${i}`, later, 1)
    expect(() => store.take('one more', later, 1)).toThrow('memoryStore is full: it remembers 100000 links')
  })

  test('when it is full, it has room again as soon as a link that came after its last sweep may be forgotten', () => {
    const store = memoryStore({ max: 2, retain: '0s' })
    const at = (minutes: number) => new Date(START + minutes * MINUTE)
    void store.take('a', at(10), 1)
    void store.take('b', at(600), 1)
    vi.setSystemTime(at(10))
    // This sweeps: `a` goes, and `b` is the next to go.
    expect(store.take('c', at(20), 1)).toBe(true)
    expect(() => store.take('d', at(600), 1)).toThrow('full')
    vi.setSystemTime(at(20))
    expect(store.take('d', at(600), 1)).toBe(true)
  })
})

test('memoryStore remembers a use for a day by default, to the millisecond', () => {
  const store = memoryStore()
  void store.take('a', later, 1)
  void store.take('b', later, 1)
  const at = (milliseconds: number) => new Date(START + milliseconds)
  vi.setSystemTime(at(DAY - 1))
  expect(store.take('a', at(DAY), 1)).toBe(false)
  vi.setSystemTime(at(DAY))
  expect(store.take('b', at(2 * DAY), 1)).toBe(true)
})

describe('denoKvStore', () => {
  test('an id has as many uses as its link says, and a refused take changes nothing', async () => {
    const kv = standIn()
    const store = denoKvStore(kv)
    const takes: unknown[] = []
    for (let i = 0; i < 4; i++) takes.push(await store.take('a', later, 2))
    expect(takes).toEqual([true, true, false, false])
    expect(kv.data.get('securelink,a')).toMatchObject({ version: 2, value: { count: 2, until: START + DAY } })
    // A link of the same id that lives longer keeps the entry for longer, and takes no use.
    expect(await store.take('a', new Date(START + 3 * DAY), 2)).toBe(false)
    expect(kv.data.get('securelink,a')).toMatchObject({ value: { count: 2, until: START + 3 * DAY }, expireIn: 4 * DAY })
  })

  test('an entry lives for a day longer than its link, and than retain', async () => {
    const kv = standIn()
    await denoKvStore(kv, { retain: '1h' }).take('long', new Date(START + 2 * HOUR), 1)
    await denoKvStore(kv, { retain: '1h' }).take('short', later, 1)
    await denoKvStore(kv).take('default', later, 1)
    const lives = [...kv.data].map(([key, { expireIn }]) => [key, expireIn])
    expect(lives).toEqual([
      ['securelink,long', 2 * HOUR + DAY],
      ['securelink,short', HOUR + DAY],
      ['securelink,default', 2 * DAY],
    ])
  })
})

/** A client of `redis` that answers with `answers`, one after the other, and then with 1. */
function redis(...answers: unknown[]) {
  const sent: { keys: string[]; arguments: string[] }[] = []
  const client = {
    isReady: true,
    async eval(_script: string, options: { keys: string[]; arguments: string[] }) {
      sent.push(options)
      return answers.length > 0 ? answers.shift() : 1
    },
  }
  return { client, sent }
}

describe('redisStore', () => {
  test('sends the key, the number of uses, the expiry and retain in milliseconds', async () => {
    const { client, sent } = redis()
    await redisStore(client).take('a', later, 3)
    await redisStore(client, { prefix: 'links:', retain: '1.5s' }).take('a', later, 1)
    const facts = sent.map(({ keys, arguments: [uses, until, , retain] }) => ({ keys, uses, until, retain }))
    expect(facts).toEqual([
      { keys: ['securelink:a'], uses: '3', until: `${+later}`, retain: `${DAY}` },
      { keys: ['links:a'], uses: '1', until: `${+later}`, retain: '1500' },
    ])
    // Each take has a name of its own, by which it can be given back.
    const names = sent.map(({ arguments: [, , name] }) => name)
    expect(names).toEqual([expect.stringMatching(/^[\w-]{16}$/), expect.stringMatching(/^[\w-]{16}$/)])
    expect(new Set(names).size).toBe(2)
  })

  test('ioredis gets the number of keys', async () => {
    const calls: unknown[][] = []
    const client = { status: 'ready', eval: async (...rest: unknown[]) => calls.push(rest) }
    expect(await redisStore(client as never).take('a', later, 1)).toBe(true)
    expect(calls[0]?.slice(1, 4)).toEqual([1, 'securelink:a', '1'])
  })

  test.each(['close', 'reconnecting', 'disconnecting', 'end', 'not ready'])('nothing is sent by a client that is %s', async (status) => {
    const calls: unknown[] = []
    const evaluate = async (...rest: unknown[]) => calls.push(rest)
    const client = status === 'not ready' ? { isReady: false, eval: evaluate } : { status, eval: evaluate }
    await expect(redisStore(client as never).take('a', later, 1)).rejects.toThrow('redisStore: Redis cannot be reached')
    expect(calls).toEqual([])
  })

  test('nothing is sent for an invalid date', async () => {
    const { client, sent } = redis()
    expect(await redisStore(client).take('a', new Date(Number.NaN), 1)).toBe(false)
    expect(sent).toEqual([])
  })

  test.each([
    [undefined, 2000],
    ['5s', 5000],
  ] as const)('with the timeout %s it waits for %i ms, and gives the use back when the answer comes', async (timeout, patience) => {
    let answer = (_: unknown) => undefined as unknown
    const { client, sent } = redis(new Promise((resolve) => (answer = resolve)))
    const outcomes: unknown[] = []
    const store = redisStore(client, timeout ? { timeout } : {})
    Promise.resolve(store.take('a', later, 1)).then(
      (taken) => outcomes.push(taken),
      (error) => outcomes.push(error.message),
    )
    await pass(patience - 1)
    expect(outcomes).toEqual([])
    await pass(1)
    expect(outcomes).toEqual(['redisStore: Redis did not answer in time'])
    expect(sent).toHaveLength(1)
    answer(1)
    await pass()
    // The same key, and the name of the take.
    expect(sent[1]).toEqual({ keys: ['securelink:a'], arguments: [sent[0]?.arguments[2]] })
  })
})

/** A pool of `pg` that answers with `answer` to each statement. */
function pg(answer: (text: string) => unknown[] | Promise<unknown[]> = () => [{ granted: 1 }]) {
  const sent: { text: string; values: unknown[] }[] = []
  const client = {
    async query(text: string, values: unknown[]) {
      sent.push({ text, values })
      return { rows: await answer(text) }
    },
  }
  const count = (word: string) => sent.filter(({ text }) => text.includes(word)).length
  return { client, sent, count }
}

describe('sqlStore', () => {
  test.each([
    ['a number', [{ granted: 1 }], true],
    // Clients can be set to return numbers as strings or big integers.
    ['a string', [{ granted: '1' }], true],
    ['a big integer', [{ granted: 1n }], true],
    ['zero', [{ granted: 0 }], false],
    ['no row', [], false],
    ['a row without the column', [{}], false],
  ])('with %s, a take is answered', async (_name, rows, taken) => {
    expect(await sqlStore(pg(() => rows).client).take('a', later, 1)).toBe(taken)
  })

  test('the table of the option is the one that every statement names', async () => {
    for (const [options, table] of [
      [{}, 'securelink_uses'],
      [{ table: 'App.link_uses2' }, 'App.link_uses2'],
    ] as const) {
      const { client, sent } = pg()
      const store = sqlStore(client, options)
      await store.createTable()
      await store.take('a', later, 2)
      await store.sweep()
      expect(sent.map(({ text }) => text.trim().split(/ AS | \(| WHERE /)[0])).toEqual([
        `CREATE TABLE IF NOT EXISTS ${table}`,
        `INSERT INTO ${table}`,
        `DELETE FROM ${table}`,
      ])
      expect(sent[1]?.values).toEqual(['a', expect.stringMatching(/^[\w-]{16}$/), `${+later}`, '2', `${DAY}`])
    }
  })

  test("one of 1,000 takes deletes the rows that may be forgotten, and its failure is nobody's problem", async () => {
    const { client, count } = pg((text) => (text.includes('DELETE') ? Promise.reject(new Error('locked')) : [{ granted: 1 }]))
    const store = sqlStore(client)
    for (let i = 0; i < 999; i++) await store.take(`${i}`, later, 1)
    expect(count('DELETE')).toBe(0)
    for (let i = 999; i < 2999; i++) expect(await store.take(`${i}`, later, 1)).toBe(true)
    expect(count('DELETE')).toBe(2)
  })

  test('two processes that create the table at once: the one that fails tries once more', async () => {
    let failures = 1
    const { client, sent } = pg(() => (failures-- > 0 ? Promise.reject(new Error('duplicate key')) : []))
    await sqlStore(client).createTable()
    expect(sent).toHaveLength(2)
    failures = 2
    await expect(sqlStore(client).createTable()).rejects.toThrow('duplicate key')
  })

  test('a use whose answer is lost is given back, with pauses for a database that restarts', async () => {
    let failures = 5
    const { client, sent, count } = pg(() => (failures-- > 0 ? Promise.reject(new Error('the socket closed')) : []))
    await expect(sqlStore(client).take('a', later, 1)).rejects.toThrow('the socket closed')
    const tries: number[] = []
    for (const pause of [0, 250, 1000, 4000, 15_000]) {
      await pass(pause)
      tries.push(count('UPDATE securelink_uses SET taken = taken - 1'))
    }
    expect(tries).toEqual([1, 2, 3, 4, 5])
    // The id, and the name of the take.
    expect(sent.at(-1)?.values).toEqual(sent[0]?.values.slice(0, 2))
    await pass(60_000)
    expect(count('UPDATE securelink_uses')).toBe(5)
  })

  test('it stops when the use is given back', async () => {
    let failures = 1
    const { client, count } = pg(() => (failures-- > 0 ? Promise.reject(new Error('the socket closed')) : []))
    await expect(sqlStore(client).take('a', later, 1)).rejects.toThrow('the socket closed')
    await pass(60_000)
    expect(count('UPDATE securelink_uses')).toBe(1)
  })

  test.each([
    [undefined, 2000],
    ['5s', 5000],
  ] as const)('with the timeout %s it waits for %i ms, and for the late answer before it gives the use back', async (timeout, patience) => {
    let free = (_: unknown[]) => undefined as unknown
    let first = true
    const { client, count } = pg(() => {
      if (!first) return []
      first = false
      return new Promise<unknown[]>((resolve) => (free = resolve))
    })
    const outcomes: unknown[] = []
    const store = sqlStore(client, timeout ? { timeout } : {})
    Promise.resolve(store.take('a', later, 1)).catch((error) => outcomes.push(error.message))
    await pass(patience - 1)
    expect(outcomes).toEqual([])
    await pass(1)
    expect(outcomes).toEqual(['sqlStore: the database did not answer in time'])
    await pass(60_000)
    expect(count('UPDATE securelink_uses')).toBe(0)
    free([{ granted: 1 }])
    await pass()
    expect(count('UPDATE securelink_uses')).toBe(1)
  })

  test('SQLite gets a statement with its values in order, and one that returns nothing is run', () => {
    const calls: [string, string, unknown[]][] = []
    const database = {
      prepare: (text: string) => ({
        all: (...values: unknown[]) => {
          calls.push(['all', text, values])
          return [{ granted: 1 }]
        },
        run: (...values: unknown[]) => calls.push(['run', text, values]),
      }),
      // Databases of Bun have this method, too.
      query: () => {
        throw new Error('asked as if it were PostgreSQL')
      },
    }
    const store = sqlStore(database as never)
    void store.createTable()
    void store.take('a', later, 2)
    expect(calls.map(([method]) => method)).toEqual(['run', 'all'])
    const [, text = '', values = []] = calls[1] ?? []
    expect(text.split('?')).toHaveLength(values.length + 1)
    expect(values[0]).toBe('a')
    expect(values.filter((value) => value === +later)).toHaveLength(3)
    expect(text).not.toMatch(/:[a-z]|\$\d/)
  })
})

describe('durableObjectStore', () => {
  /** A binding whose objects answer with `answer`. */
  const binding = (answer: () => Response | Promise<Response>) => {
    const asked: { url: string; body: Record<string, unknown> }[] = []
    const stub = {
      async fetch(url: string, { body }: { body: string }) {
        asked.push({ url, body: JSON.parse(body) })
        return answer()
      },
    }
    return { asked, namespace: { idFromName: (name: string) => name, get: () => stub } }
  }

  test('sends the expiry, the number of uses and retain in milliseconds', async () => {
    const { asked, namespace } = binding(() => Response.json(true))
    expect(await durableObjectStore(namespace).take('a', later, 3)).toBe(true)
    await durableObjectStore(namespace, { retain: '1.5s' }).take('a', later, 1)
    const name = expect.stringMatching(/^[\w-]{16}$/)
    expect(asked.map(({ body }) => body)).toEqual([
      { name, until: +later, uses: 3, retained: DAY },
      { name, until: +later, uses: 1, retained: 1500 },
    ])
  })

  test('nothing is sent for an invalid date', async () => {
    const { asked, namespace } = binding(() => Response.json(true))
    expect(await durableObjectStore(namespace).take('a', new Date(Number.NaN), 1)).toBe(false)
    expect(asked).toEqual([])
  })

  test('an object that answers with an error opens no link', async () => {
    const { asked, namespace } = binding(() => Response.json(true, { status: 500 }))
    await expect(durableObjectStore(namespace).take('a', later, 1)).rejects.toThrow('durableObjectStore: the object answered 500')
    // Only a lost answer is asked for again.
    expect(asked).toHaveLength(1)
    for (const odd of [1, 'true', null, {}])
      expect(await durableObjectStore(binding(() => Response.json(odd)).namespace).take('a', later, 1)).toBe(false)
  })

  test('an object remembers the names of its last 64 takes, so that each of them can be repeated', async () => {
    const data = new Map<string, unknown>()
    const storage = {
      get: async (key: string) => data.get(key),
      put: async (key: string, value: unknown) => void data.set(key, value),
      setAlarm: async () => undefined,
      deleteAll: async () => data.clear(),
    }
    const object = new LinkUses({ storage })
    const take = async (name: string) => {
      const body = JSON.stringify({ name, until: +later, uses: 65, retained: 0 })
      return (await object.fetch(new Request('https://link-uses/take', { method: 'POST', body }))).json()
    }
    for (let i = 0; i < 65; i++) expect(await take(`name ${i}`)).toBe(true)
    // All uses are taken. The last 64 takes get their answer again, and the first one is forgotten.
    for (let i = 1; i < 65; i++) expect(await take(`name ${i}`)).toBe(true)
    expect(await take('name 0')).toBe(false)
  })
})
