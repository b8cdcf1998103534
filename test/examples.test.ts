// The projects of docs/examples, each started as its README says, with the built package. They import it by its name, because Node and esbuild
// find a package that imports itself.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hmac, sign } from '../src/index.ts'
import { built, root } from './built.ts'
import { find, freePort, leftOut } from './prepare.mjs'

const secret = 'a secret of 32 bytes or more, from a vault'
const examples = join(root, 'docs/examples')
const temporary = mkdtempSync(join(tmpdir(), 'securelink-examples-'))
const children: ChildProcess[] = []

beforeAll(built, 120_000)
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(temporary, { recursive: true, force: true })
})

/** Starts a program, and returns the first address that it prints. */
async function started(command: string, args: readonly string[], options: { cwd: string; env: object }): Promise<string> {
  const child = spawn(command, [...args], { ...options, env: { PATH: process.env['PATH'], ...options.env }, stdio: 'pipe' })
  children.push(child)
  let printed = ''
  child.stderr.on('data', (text) => (printed += text))
  for await (const text of child.stdout) {
    printed += text
    const [address] = /http:\/\/127\.0\.0\.1:\d+[^\s"]*(?=[\s"])/.exec(printed) ?? []
    if (address) return address
  }
  throw new Error(`${command} ended:\n${printed}`)
}

const serverOf = (name: string) =>
  started(process.execPath, ['server.js'], { cwd: join(examples, name), env: { LINK_SECRET: secret, PORT: '0' } })

test('every example has a README, and is in the list', () => {
  const list = readFileSync(join(examples, 'README.md'), 'utf8')
  const folders = readdirSync(examples).filter((name) => name !== 'README.md')
  expect(folders.filter((name) => !existsSync(join(examples, name, 'README.md')))).toEqual([])
  expect(folders.filter((name) => !list.includes(`* [${name}](`))).toEqual([])
})

test('node-download', async () => {
  const link = await serverOf('node-download')
  const whole = await fetch(link)
  expect(await whole.text()).toBe(readFileSync(join(examples, 'node-download/README.md'), 'utf8'))
  expect(whole.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''Read%20me.md`)
  expect(whole.headers.get('cache-control')).toMatch(/^private, max-age=\d+$/)
  const part = await fetch(link, { headers: { range: 'bytes=2-5' } })
  expect([part.status, await part.text()]).toEqual([206, 'A do'])
  const rest = await fetch(link, { headers: { range: 'bytes=2-', 'if-range': '"another"' } })
  expect(rest.status).toBe(200)
  await rest.text()
  expect((await fetch(link, { headers: { range: 'bytes=99999-' } })).status).toBe(416)
  expect((await fetch(link, { method: 'HEAD' })).headers.get('content-length')).toBe(`${whole.headers.get('content-length')}`)
  expect((await fetch(link.replace('readme', 'server'))).status).toBe(403)
})

test('express', async () => {
  const { link } = (await (await fetch(await serverOf('express'), { method: 'POST' })).json()) as { link: string }
  expect(await (await fetch(link)).text()).toBe(readFileSync(join(examples, 'express/README.md'), 'utf8'))
  expect((await fetch(link, { headers: { range: 'bytes=2-5' } })).status).toBe(206)
  expect((await fetch(link.replace('README.md', 'server.js'))).status).toBe(403)
})

test('hono', async () => {
  const { link } = (await (await fetch(await serverOf('hono'), { method: 'POST' })).json()) as { link: string }
  expect(await (await fetch(link)).text()).toMatch(/^The report [\w-]{36}$/m)
  expect((await fetch(link.replace('/reports/', '/reports/x'))).status).toBe(403)
})

// A bucket with one object stands for R2. It answers as R2 does, with the part of the object that the range names.
const WORKER = `
import worker from './docs/examples/worker/worker.js'
export { LinkUses } from './docs/examples/worker/worker.js'

const FILES = {
  async get(key, { range, onlyIf }) {
    const text = '0123456789'
    if (key !== 'reports/7.txt') return null
    const file = { size: text.length, httpEtag: '"1"', writeHttpMetadata: (headers) => headers.set('content-type', 'text/plain') }
    if (onlyIf.get('if-none-match') === '"1"') return file
    const [, from, to] = /^bytes=(\\d*)-(\\d*)$/.exec(range.get('range') ?? '') ?? []
    if (from === undefined) return { ...file, range: { offset: 0, length: 10 }, body: new Response(text).body }
    if (from === '') return { ...file, range: { suffix: Number(to) }, body: new Response(text.slice(-to)).body }
    const length = Number(to || 9) + 1 - from
    return { ...file, range: { offset: Number(from), length }, body: new Response(text.substr(from, length)).body }
  },
}
export default { fetch: (request, env) => worker.fetch(request, { ...env, FILES }) }
`

const CONFIG = (port: number) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["no_nodejs_compat"],
  durableObjectNamespaces = [(className = "LinkUses", uniqueKey = "link-uses")],
  durableObjectStorage = (inMemory = void),
  bindings = [
    (name = "LINK_USES", durableObjectNamespace = "LinkUses"),
    (name = "LINK_SECRET", text = "${secret}"),
  ],
);`

const workerd = find('workerd')

test.skipIf(!workerd)(workerd ? 'worker, in workerd' : `worker; ${leftOut('workerd')}`, async () => {
  const settings = readFileSync(join(examples, 'worker/wrangler.toml'), 'utf8')
  for (const name of ['main = "worker.js"', 'binding = "FILES"', 'name = "LINK_USES"', 'class_name = "LinkUses"'])
    expect(settings).toContain(name)

  const port = await freePort()
  await build({ stdin: { contents: WORKER, resolveDir: root }, bundle: true, format: 'esm', outfile: join(temporary, 'worker.js') })
  writeFileSync(join(temporary, 'config.capnp'), CONFIG(port))
  const child = spawn(workerd as string, ['serve', '--control-fd=3', join(temporary, 'config.capnp')], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  children.push(child)
  // It says on this channel that it listens.
  await once(child.stdio[3] as NodeJS.ReadableStream, 'data')

  const links = hmac({ id: '2026-11', secret })
  const url = `http://127.0.0.1:${port}/reports/7.txt`
  const link = await sign(links, url, { expires: '10m' })
  const answer = async (address: string, headers = {}) => {
    const response = await fetch(address, { headers })
    return [response.status, response.headers.get('content-range'), response.ok ? await response.text() : '']
  }
  expect(await answer(link)).toEqual([200, null, '0123456789'])
  expect(await answer(link, { range: 'bytes=2-5' })).toEqual([206, 'bytes 2-5/10', '2345'])
  expect(await answer(link, { range: 'bytes=-3' })).toEqual([206, 'bytes 7-9/10', '789'])
  expect(await answer(link, { range: 'bytes=-99' })).toEqual([206, 'bytes 0-9/10', '0123456789'])
  expect(await answer(link, { 'if-none-match': '"1"' })).toEqual([304, null, ''])
  expect(await answer(url)).toEqual([403, null, ''])
  expect(await answer(await sign(links, url.replace('7.txt', '8.txt'), { expires: '10m' }))).toEqual([404, null, ''])
  const single = await sign(links, url, { expires: '10m', uses: 1 })
  expect((await answer(single))[0]).toBe(200)
  expect((await answer(single))[0]).toBe(410)
})

// Building the image needs Docker and its registry, so only the command of the image runs here, in a folder like that of the image.
test('service-docker, without Docker', async () => {
  const text = readFileSync(join(examples, 'service-docker/Dockerfile'), 'utf8')
  const [, entry = ''] = /^ENTRYPOINT (\[.*\])$/m.exec(text) ?? []
  const [, check = ''] = /^HEALTHCHECK CMD (\[.*\])$/m.exec(text) ?? []
  mkdirSync(join(temporary, 'node_modules'))
  symlinkSync(root, join(temporary, 'node_modules/securelink'))
  const env = { SECURELINK_KEYS: '0123456789abcdef0123456789abcdef', SECURELINK_API_TOKEN: 'the-token-of-the-tests-Zk3vQ8-0123456789' }
  // All addresses of the machine, in the container only.
  const [command, ...args] = [...(JSON.parse(entry.replace('0.0.0.0', '127.0.0.1')) as string[]), '--port', '0', '--max-ttl', '7d']
  const address = await started(command as string, args, { cwd: temporary, env })
  const [program, ...words] = (JSON.parse(check) as string[]).map((word) => word.replace('http://127.0.0.1:8788', address))
  const [code] = await once(spawn(program as string, words), 'exit')
  expect(code).toBe(0)
})

const browser = find('chromium')

test.skipIf(!browser)(browser ? 'browser, in Chromium' : `browser; ${leftOut('chromium')}`, async () => {
  const window = await chromium.launch({ executablePath: browser as string, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    const page = await window.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(`${error}`))
    await page.route(/^https?:/, async (route) => {
      expect(route.request().url()).toMatch(/^https:\/\/cdn\.jsdelivr\.net\/npm\/securelink@[\d.]+\/dist\/securelink\.min\.js$/)
      const body = readFileSync(join(root, 'dist/securelink.min.js'), 'utf8')
      await route.fulfill({ body, contentType: 'text/javascript', headers: { 'access-control-allow-origin': '*' } })
    })
    await page.goto(pathToFileURL(join(examples, 'browser/index.html')).href)
    const says = async (link: string) => {
      await page.fill('#link', link)
      return page.textContent('#answer')
    }
    expect(await says(await sign(hmac({ secret }), 'https://cdn.example/a.pdf', { expires: '10m' }))).toMatch(/^hmac.*: valid for \d+ more/)
    expect(await says(`https://cdn.example/a.pdf?expires=1600000000&signature=${'A'.repeat(43)}`)).toMatch(/^hmac.*: it has expired/)
    expect(await says('https://cdn.example/a.pdf')).toBe('This is not a link that I know.')
    expect(problems).toEqual([])
  } finally {
    await window.close()
  }
})
