// denoKvStore in Deno with its own database, four processes at once on one file; and on a stand-in, under contention.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hmac, LinkError, sign } from '../../src/index.ts'
import { denoKvStore } from '../../src/stores/deno-kv.ts'
import { built, root } from '../built.ts'
import { find, leftOut } from '../prepare.mjs'
import { standIn } from './deno-kv-stand-in.ts'

const deno = find('deno')
const folder = mkdtempSync(join(tmpdir(), 'securelink-kv-'))
const secret = '0123456789abcdef0123456789abcdef'
beforeAll(built, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = `
import { hmac, redeem } from '${root}dist/index.js'
import { denoKvStore } from '${root}dist/stores/deno-kv.js'
const [file, link, count] = Deno.args
const kv = await Deno.openKv(file)
const store = denoKvStore(kv)
const links = hmac({ secret: '${secret}' })
const visit = () => redeem(links, link, { store }).then(({ ok, reason }) => ok ? 'ok' : reason, ({ message }) => message)
console.log(JSON.stringify(await Promise.all(Array.from({ length: Number(count) }, visit))))
kv.close()
`

// Written once. To write it again would empty it for a moment, in which an earlier process may read it.
const file = join(folder, 'redeem.mjs')
writeFileSync(file, script)

function run(link: string, count: number): Promise<string[]> {
  const args = ['run', '--no-prompt', '--no-remote', '--no-config', '--unstable-kv', `--allow-read=${folder}`, `--allow-write=${folder}`]
  const child = spawn(deno as string, [...args, file, join(folder, 'kv.sqlite'), link, `${count}`], {
    env: { ...process.env, NO_COLOR: '1' },
  })
  let [output, complaint] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (complaint += text))
  return new Promise((resolve, reject) => {
    child.on('close', (code) =>
      code === 0 && output ? resolve(JSON.parse(output)) : reject(new Error(`ended with ${code}: ${complaint}`)),
    )
  })
}

test.skipIf(!deno)(
  deno ? '200 at once: one succeeds, and n of n uses; also after a restart' : leftOut('deno'),
  async () => {
    const links = hmac({ secret })
    for (const uses of [1, 7]) {
      const link = await sign(links, 'https://app.example/invite', { expires: '1h', uses })
      const answers = await run(link, 200)
      expect(answers.filter((one) => one === 'ok')).toHaveLength(uses)
      expect(answers.filter((one) => one === 'used')).toHaveLength(200 - uses)
      expect(await run(link, 2)).toEqual(['used', 'used'])
    }
  },
  60_000,
)

test.skipIf(!deno)(
  deno ? 'four processes on one file: it counts right, and throws when the file is locked' : leftOut('deno'),
  async () => {
    const link = await sign(hmac({ secret }), 'https://app.example/invite', { expires: '1h', uses: 7 })
    const answers = (await Promise.all([1, 2, 3, 4].map(() => run(link, 50)))).flat()
    // The file is not a server: SQLite lets one process write at a time, and the others get an error that it is locked.
    expect(new Set(answers)).not.toContain(undefined)
    expect(answers.filter((one) => !['ok', 'used', 'database is locked'].includes(one))).toEqual([])
    const more = await run(link, 50)
    expect([...answers, ...more].filter((one) => one === 'ok')).toHaveLength(7)
  },
  60_000,
)

test('it counts under contention, and remembers until the last link of an id expires, and a day more', async () => {
  const kv = standIn()
  const store = denoKvStore(kv, { prefix: ['links', 'used'], retain: '0s' })
  const minutes = (count: number) => new Date(Date.now() + count * 60_000)
  const taken = await Promise.all(Array.from({ length: 100 }, () => store.take('a', minutes(10), 3)))
  expect(taken.filter(Boolean)).toHaveLength(3)
  const life = () => Math.round((kv.data.get('links,used,a')?.expireIn ?? 0) / 60_000)
  expect(life()).toBe(1450)
  expect(await store.take('a', minutes(20), 3)).toBe(false)
  expect(life()).toBe(1460)
  expect(await store.take('a', minutes(5), 4)).toBe(true)
  expect(life()).toBe(1460)
  // A refused request is written only if its link expires later: otherwise it would make the writes of others fail.
  const version = kv.data.get('links,used,a')?.version
  expect(await store.take('a', minutes(15), 4)).toBe(false)
  expect(kv.data.get('links,used,a')?.version).toBe(version)
  // By default a use is remembered for a day, even if its link is valid for minutes only.
  expect(await denoKvStore(kv, { prefix: ['links', 'used'] }).take('b', minutes(5), 1)).toBe(true)
  expect(Math.round((kv.data.get('links,used,b')?.expireIn ?? 0) / 60_000)).toBe(2880)
})

test('an error of the database is thrown on', async () => {
  const kv = { ...standIn(), get: () => Promise.reject(new Error('away')) }
  await expect(denoKvStore(kv).take('a', new Date(Date.now() + 60_000), 1)).rejects.toThrow('away')
  expect(() => denoKvStore({} as never)).toThrow(LinkError)
})
