// durableObjectStore in workerd with objects on disk, which is killed and started again; and LinkUses with a stand-in for its storage.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { build } from 'esbuild'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { hmac, LinkError, sign } from '../../src/index.ts'
import { durableObjectStore, LinkUses } from '../../src/stores/durable-object.ts'
import { find, freePort, leftOut } from '../prepare.mjs'

const workerd = find('workerd')
const folder = mkdtempSync(join(tmpdir(), 'securelink-object-'))
const secret = '0123456789abcdef0123456789abcdef'
const processes: ChildProcess[] = []
afterAll(() => {
  for (const child of processes) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const WORKER = `
import { hmac, redeem } from './src/index.ts'
import { durableObjectStore } from './src/stores/durable-object.ts'
export { LinkUses } from './src/stores/durable-object.ts'
export default {
  async fetch(request, env) {
    const { link, count } = await request.json()
    const store = durableObjectStore(env.LINK_USES)
    const links = hmac({ secret: '${secret}' })
    const visit = () => redeem(links, link, { store }).then(({ ok, reason }) => (ok ? 'ok' : reason))
    return Response.json(await Promise.all(Array.from({ length: count }, visit)))
  },
}`

const CONFIG = (port: number) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "${folder}/objects", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [(className = "LinkUses", uniqueKey = "link-uses", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "LINK_USES", durableObjectNamespace = "LinkUses")],
);`

async function start(port: number): Promise<() => void> {
  const child = spawn(workerd as string, ['serve', join(folder, 'config.capnp')], { stdio: 'ignore' })
  processes.push(child)
  for (let tries = 0; tries < 200; tries++) {
    if (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' }).catch(() => undefined)) return () => child.kill('SIGKILL')
    await wait(50)
  }
  throw new Error('workerd does not start')
}

test.skipIf(!workerd)(
  workerd ? 'exactly n of 200 requests succeed, also after workerd was killed and started again' : leftOut('workerd'),
  async () => {
    const port = await freePort()
    mkdirSync(join(folder, 'objects'))
    writeFileSync(join(folder, 'config.capnp'), CONFIG(port))
    await build({
      stdin: { contents: WORKER, resolveDir: join(import.meta.dirname, '../..') },
      bundle: true,
      format: 'esm',
      outfile: join(folder, 'worker.js'),
    })
    let kill = await start(port)
    const mint = (uses: number) => sign(hmac({ secret }), 'https://app.example/invite', { expires: '1h', uses })
    const ask = async (link: string, count: number) => {
      const answers = (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify({ link, count }) }).then(
        (response) => response.json(),
      )) as string[]
      return { ok: answers.filter((one) => one === 'ok').length, used: answers.filter((one) => one === 'used').length }
    }
    const [one, some] = [await mint(1), await mint(7)]
    const together = await Promise.all([1, 2, 3, 4].map(() => ask(one, 50)))
    expect(together.reduce((sum, { ok }) => sum + ok, 0)).toBe(1)
    expect(together.reduce((sum, { used }) => sum + used, 0)).toBe(199)
    expect(await ask(some, 4)).toEqual({ ok: 4, used: 0 })
    kill()
    kill = await start(port)
    expect(await ask(one, 10)).toEqual({ ok: 0, used: 10 })
    expect(await ask(some, 10)).toEqual({ ok: 3, used: 7 })
    kill()
  },
  60_000,
)

const START = Date.UTC(2030, 0, 1)
const HOUR = 3_600_000
afterEach(() => {
  vi.useRealTimers()
})

/** Objects in memory, one for each id. Their requests come one after the other, as in a Worker. */
function namespace() {
  const alarms = new Map<string, number>()
  const objects = new Map<string, { data: Map<string, unknown>; object: LinkUses }>()
  const idFromName = (name: string) => name
  const get = (id: string) => {
    const data = new Map<string, unknown>()
    const storage = {
      get: async (key: string) => data.get(key),
      put: async (key: string, value: unknown) => void data.set(key, value),
      setAlarm: async (time: number) => void alarms.set(id, time),
      deleteAll: async () => data.clear(),
    }
    const known = objects.get(id) ?? { data, object: new LinkUses({ storage }) }
    objects.set(id, known)
    return { fetch: (url: string, init: { method: string; body: string }) => known.object.fetch(new Request(url, init)) }
  }
  return { alarms, objects, idFromName, get }
}

test('an object remembers until the last link of its id expires, at least for retain, and for an hour more', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const binding = namespace()
  const store = durableObjectStore(binding, { retain: '0s' })
  const at = (minutes: number) => new Date(START + minutes * 60_000)
  const alarm = (id = 'a') => ((binding.alarms.get(id) ?? Number.NaN) - START) / 60_000
  expect(await store.take('a', at(10), 2)).toBe(true)
  expect(alarm()).toBe(70)
  expect(await store.take('a', at(5), 2)).toBe(true)
  expect(alarm()).toBe(70)
  expect(await store.take('a', at(20), 2)).toBe(false)
  expect(alarm()).toBe(80)
  for (const until of [at(0), at(-1), new Date(Number.NaN)]) expect(await store.take('never', until, 3)).toBe(false)
  expect(alarm('never')).toBeNaN()
  expect(await durableObjectStore(binding).take('b', at(10), 1)).toBe(true)
  expect(alarm('b')).toBe(25 * 60)
  // An early alarm, such as one that the runtime repeats, forgets nothing.
  await binding.objects.get('b')?.object.alarm()
  expect(await store.take('b', at(10), 1)).toBe(false)
  vi.setSystemTime(START + 25 * HOUR)
  await binding.objects.get('b')?.object.alarm()
  expect(binding.objects.get('b')?.data.size).toBe(0)
  expect(await store.take('b', at(26 * 60), 1)).toBe(true)
})

test('a lost answer is asked for again, and counts once; two in a row throw', async () => {
  const binding = namespace()
  let lost = 1
  const faulty = {
    ...binding,
    get: (id: string) => ({
      fetch: async (url: string, init: { method: string; body: string }) => {
        const answer = await binding.get(id).fetch(url, init)
        if (lost-- > 0) throw new Error('the object moved')
        return answer
      },
    }),
  }
  const store = durableObjectStore(faulty)
  const later = new Date(Date.now() + HOUR)
  expect([await store.take('a', later, 1), await store.take('a', later, 1)]).toEqual([true, false])
  lost = 2
  await expect(store.take('b', later, 1)).rejects.toThrow('the object moved')
})

test('options with wrong values, and unknown ones', () => {
  expect(() => durableObjectStore({} as never)).toThrow(LinkError)
  expect(() => durableObjectStore(undefined as never)).toThrow('namespace must be the binding')
  expect(() => durableObjectStore(namespace(), { retain: 7 as never })).toThrow('retain must be a duration with its unit')
  expect(() => durableObjectStore(namespace(), { ttl: '1d' } as never)).toThrow("unknown option 'ttl'; durableObjectStore() takes retain")
})
