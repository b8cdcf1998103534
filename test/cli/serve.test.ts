// The command `securelink serve` as its callers meet it: the built command under Node, Deno and Bun, over real sockets, with a real Redis.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { hmac, sign, verify } from '../../src/index.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { built, root } from '../built.ts'
import { find, leftOut } from '../prepare.mjs'

const secret = 'the-secret-of-the-tests-0123456789abcdef'
const token = 'the-token-of-the-tests-Zk3vQ8-0123456789'
const links = hmac({ id: 'k', secret })
const bin = join(root, 'dist/cli/bin.js')

const ENGINES: Record<string, { program: string | undefined; args: string[]; part?: string }> = {
  node: { program: process.execPath, args: [] },
  deno: { program: find('deno'), args: ['run', '-A', '--no-prompt'], part: 'deno' },
  bun: { program: find('bun'), args: [], part: 'bun' },
}

const children: ChildProcess[] = []
const folder = mkdtempSync(join(tmpdir(), 'securelink-serve-'))
beforeAll(built, 120_000)
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Line {
  event: string
  time: string
  [name: string]: unknown
}

interface Started {
  child: ChildProcess
  url: string
  port: number
  /** What it has printed so far. */
  printed: { stdout: string; stderr: string }
  log(event?: string): Line[]
  // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes
  ask(path: string, body: unknown, headers?: Record<string, string>): Promise<{ status: number; answer: any }>
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | string>
}

function run(engine: string, args: string[], { env = {}, command = bin }: { env?: Record<string, string>; command?: string } = {}) {
  const { program, args: before } = ENGINES[engine] as (typeof ENGINES)[string]
  const child = spawn(program as string, [...before, command, ...args], {
    env: { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1', SECURELINK_KEYS: `k:${secret}`, SECURELINK_API_TOKEN: token, ...env },
    // Where no client of Redis is installed.
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text) => (printed[name] += text))
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  return { child, printed, ended }
}

async function start(engine: string, args: string[] = [], options: Parameters<typeof run>[2] = {}): Promise<Started> {
  const { child, printed, ended } = run(engine, ['serve', '--port', '0', ...args], options)
  const log = (event?: string): Line[] =>
    printed.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
      .filter((line) => !event || line.event === event)
  const gone = ended.then((code) => {
    throw new Error(`it ended with ${code}: ${printed.stderr}`)
  })
  gone.catch(() => undefined)
  while (!printed.stdout.includes('"started"')) await Promise.race([wait(20), gone])
  const { url } = log('started')[0] as unknown as { url: string }
  const ask: Started['ask'] = async (path, body, headers = {}) => {
    const all = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers }
    const response = await fetch(url + path, { method: 'POST', headers: all, body: JSON.stringify(body) })
    return { status: response.status, answer: await response.json() }
  }
  return { child, url, port: Number(new URL(url).port), printed, log, ask, ended }
}

/** A request whose body has not come yet. */
async function half({ port }: Started, body: string): Promise<{ socket: Socket; answer: () => string }> {
  let answer = ''
  const socket = connect(port, '127.0.0.1')
    .on('data', (chunk) => (answer += chunk))
    .on('error', () => undefined)
  socket.write(
    `POST /sign HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  // Until it is under way.
  await wait(300)
  return { socket, answer: () => answer }
}

const body = JSON.stringify({ url: '/a', expires: '1h' })

/** Until it holds. */
async function until(holds: () => unknown): Promise<void> {
  for (let tries = 0; tries < 300 && !(await holds()); tries++) await wait(30)
  expect(await holds()).toBeTruthy()
}

const named = Object.entries(ENGINES).map(([name, { program, part }]) => ({
  engine: name,
  able: !!program,
  shown: program ? name : leftOut(part as string),
}))

describe.each(named)('$shown', ({ engine, able }) => {
  const it = test.skipIf(!able)

  it('signs, verifies and redeems, and logs no link', async () => {
    const server = await start(engine, [
      '--store',
      'memory:',
      '--max-ttl',
      '7d',
      '--allow',
      'https://cdn.example/files/',
      '--limit',
      '5000',
    ])
    const { ask, url } = server
    const { status, answer } = await ask('/sign', { url: 'https://cdn.example/files/a.pdf?page=2', expires: '10m', uses: 1 })
    expect(status).toBe(200)
    const { link } = answer
    expect(await verify(links, link)).toMatchObject({ ok: false, reason: 'needs_redeem' })
    expect((await ask('/verify', { link })).answer.reason).toBe('needs_redeem')
    const three = await ask('/verify', { links: [{ link }, { link: `${link}x` }, { link: '/none' }] })
    expect(three.answer.verdicts.map(({ reason }: { reason: string }) => reason)).toEqual(['needs_redeem', expect.any(String), 'unsigned'])
    expect((await ask('/redeem', { link })).answer.ok).toBe(true)
    expect((await ask('/redeem', { link })).answer.reason).toBe('used')
    expect((await ask('/inspect', { link })).answer.unverified.uses).toBe(1)
    // Requests that are not allowed.
    expect((await ask('/sign', { url: 'https://cdn.example/files/a.pdf', expires: '8d' })).status).toBe(403)
    expect((await ask('/sign', { url: 'https://cdn.example/other/a.pdf', expires: '1d' })).status).toBe(403)
    expect(
      (await ask('/sign', { url: 'https://cdn.example/files/a.pdf', expires: '1d' }, { authorization: `Bearer ${token}x` })).status,
    ).toBe(401)
    expect((await ask('/sign', { url: `https://cdn.example/files/${'a'.repeat(5000)}`, expires: '1d' })).status).toBe(413)
    expect((await ask('/sign', { url: 'https://cdn.example/files/a', expires: 10 })).status).toBe(422)
    // Pages, and links in the place of a route.
    for (const path of ['/healthz', '/openapi.json', '/docs']) expect((await fetch(url + path)).status).toBe(200)
    const { pathname, search } = new URL(link)
    for (const path of [
      pathname + search,
      `/sign${search}`,
      `/healthz${search}`,
      `/x/${encodeURIComponent(link)}`,
      `//${token}`,
      `/${secret}`,
    ])
      expect((await fetch(url + path)).status).toBeGreaterThanOrEqual(200)

    await until(() => server.log('request').length === 20)
    const lines = server.log()
    expect(lines[0]).toEqual({ time: expect.any(String), event: 'started', url, schemes: ['hmac'], redeem: true })
    expect(lines[1]).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      event: 'request',
      method: 'POST',
      route: '/sign',
      status: 200,
      ms: expect.any(Number),
      address: '127.0.0.1',
      links: 1,
    })
    expect(lines.slice(1).map(({ method, route, status, links }) => `${method} ${route} ${status} ${links ?? '-'}`)).toEqual([
      'POST /sign 200 1',
      'POST /verify 200 1',
      'POST /verify 200 3',
      'POST /redeem 200 1',
      'POST /redeem 200 1',
      'POST /inspect 200 1',
      'POST /sign 403 1',
      'POST /sign 403 1',
      'POST /sign 401 -',
      'POST /sign 413 -',
      'POST /sign 422 -',
      'GET /healthz 200 -',
      'GET /openapi.json 200 -',
      'GET /docs 200 -',
      'GET * 404 -',
      'GET /sign 405 -',
      'GET /healthz 200 -',
      'GET * 404 -',
      // Two slashes at the start are not a request that clients send.
      'GET * 400 -',
      'GET * 404 -',
    ])
    expect(server.printed.stderr).toBe('')
    for (const hidden of [token, secret, 'signature', 'expires', 'files', 'page=2', search.slice(1, 20)])
      expect(server.printed.stdout).not.toContain(hidden)
  })

  it('after SIGTERM it finishes the requests in progress, and ends with 0', async () => {
    const server = await start(engine)
    const idle = connect(server.port, '127.0.0.1').on('error', () => undefined)
    const { socket, answer } = await half(server, body)
    server.child.kill('SIGTERM')
    await until(() => server.log('stopping').length)
    expect(server.log('stopping')[0]).toMatchObject({ underWay: 1 })
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
    socket.write(body)
    expect(await server.ended).toBe(0)
    expect(answer()).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer()).toMatch(/^connection: close\r$/im)
    expect(await verify(links, /"link":"(.*?)"/.exec(answer())?.[1] as string)).toMatchObject({ ok: true })
    expect(server.printed.stderr).toBe('')
    idle.destroy()
  })

  it('a client that pipelines requests and disconnects leaves no request running', async () => {
    const server = await start(engine)
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined)
    const refused = 'POST /sign HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer of-nobody\r\nContent-Length: 0\r\n\r\n'
    socket.write(refused + 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(500))
    await until(() => server.log('request').length)
    socket.resetAndDestroy()
    await wait(300)
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    expect(server.log('stopping')[0]).toMatchObject({ underWay: 0 })
  })

  it('a second signal ends it at once', async () => {
    const server = await start(engine)
    const { socket } = await half(server, body)
    server.child.kill('SIGINT')
    await until(() => server.log('stopping').length)
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe('SIGTERM')
    socket.destroy()
  })

  it('a request that takes too long is cut off', async () => {
    const server = await start(engine, ['--timeout', '1s'])
    const { socket, answer } = await half(server, body)
    const head = connect(server.port, '127.0.0.1').on('error', () => undefined)
    head.resume().write('POST /sign HTTP/1.1\r\nHo')
    await Promise.all([socket, head].map(async (one) => one.closed || (await once(one, 'close'))))
    expect(answer()).toMatch(/^(HTTP\/1\.1 408 |$)/)
    expect((await server.ask('/sign', { url: '/a', expires: '1h' })).status).toBe(200)
  })

  it('it ends as by SIGPIPE when the log is not read any more', async () => {
    const server = await start(engine)
    server.child.stdout?.destroy()
    await fetch(`${server.url}/healthz`).catch(() => undefined)
    expect(await server.ended).toBe(141)
    expect(server.printed.stderr).toBe('')
  })

  it('a port that is taken is named, with the way to another one', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { printed, ended } = run(engine, ['serve', '--port', `${port}`])
    expect(await ended).toBe(1)
    expect(printed).toEqual({
      stdout: '',
      stderr: `securelink serve: port ${port} of 127.0.0.1 is taken; --port takes another one, --port 0 a free one\n`,
    })
    other.close()
  })

  it('without a token of 32 characters it does not start, and says how to make one', async () => {
    for (const bad of ['', 'short', 'with-a-colon-0123456789:0123456789abcdef', `${token} short`]) {
      const { printed, ended } = run(engine, ['serve', '--port', '0'], { env: { SECURELINK_API_TOKEN: bad } })
      expect(await ended).toBe(2)
      expect(printed.stdout).toBe('')
      const [, code = ''] = /this makes one: node -p "(.*)"\n$/.exec(printed.stderr) ?? []
      expect(execFileSync(process.execPath, ['-p', code], { encoding: 'utf8' })).toMatch(/^[\w-]{43}\n$/)
      if (bad) expect(printed.stderr).not.toContain(bad)
    }
  })
})

describe('several', () => {
  test('schemes, each with keys and options of its own', async () => {
    const file = join(folder, 'keys.json')
    const px = { id: 'px_test', secret: 'example_secret_0123456789' }
    writeFileSync(file, JSON.stringify({ files: [{ id: 'k', secret }], pichax: px }))
    const { ask } = await start('node', [
      ...['--scheme', 'files=hmac', '--scheme', 'pichax', '--keys', file],
      ...['--options', JSON.stringify({ files: { purpose: 'downloads' } })],
    ])
    const one = await ask('/sign', { scheme: 'files', url: '/a', expires: '1h' })
    expect(await verify(hmac({ id: 'k', secret }, { purpose: 'downloads' }), one.answer.link)).toMatchObject({ ok: true })
    const other = await ask('/sign', { scheme: 'pichax', url: '/a', expires: '1h', id: 'u' })
    expect(await verify(pichax(px), other.answer.link)).toMatchObject({ ok: true })
    expect((await ask('/sign', { url: '/a', expires: '1h' })).status).toBe(422)
    // Without a store there is no /redeem.
    expect((await ask('/redeem', { scheme: 'files', link: one.answer.link })).status).toBe(404)
  })

  test('tokens, so that they can be changed', async () => {
    const { ask } = await start('node', [], { env: { SECURELINK_API_TOKEN: `${token}\n${token}-2` } })
    for (const [given, status] of [
      [token, 200],
      [`${token}-2`, 200],
      [`${token}-3`, 401],
    ])
      expect((await ask('/sign', { url: '/a', expires: '1h' }, { authorization: `Bearer ${given}` })).status).toBe(status)
  })
})

test('requests that are not done after ten seconds are cut off, and the exit code is 1', async () => {
  const server = await start('node')
  const { socket } = await half(server, body)
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(1)
  socket.destroy()
})

// Whichever client is installed where the package is.
const CLIENTS = ['redis', 'ioredis'] as const

/** The command in a project that has one client, or none. */
function project(client?: string): string {
  const home = join(folder, client ?? 'none')
  const here = join(home, 'node_modules/securelink')
  mkdirSync(here, { recursive: true })
  cpSync(join(root, 'dist'), join(here, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(here, 'package.json'))
  if (client) symlinkSync(join(root, 'node_modules', client), join(home, 'node_modules', client))
  return join(here, 'dist/cli/bin.js')
}

test('without a client of Redis it says which one to install', async () => {
  const { printed, ended } = run('node', ['serve', '--store', 'redis://127.0.0.1'], { command: project() })
  expect(await ended).toBe(2)
  expect(printed.stderr).toBe(
    'securelink serve: a client of Redis must be installed for --store redis://…; this installs one: npm install redis\n',
  )
})

const program = find('redis')
const password = 'p@ss:word/of-redis'
const openssl = spawnSync('openssl', ['version']).status === 0

describe.each(CLIENTS)(program ? 'Redis through %s' : leftOut('redis'), (client) => {
  let port = 0
  let tls = 0
  let redis: ChildProcess
  let command = ''
  const data = join(folder, `data-${client}`)

  const address = (more = '') => `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}/1${more}`
  async function startRedis(): Promise<void> {
    const settings = {
      ...{ port, bind: '127.0.0.1', dir: data, appendonly: 'yes', appendfsync: 'always', save: '', requirepass: password },
      ...(openssl && { 'tls-port': tls, 'tls-cert-file': 'cert.pem', 'tls-key-file': 'key.pem', 'tls-auth-clients': 'no' }),
    }
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`])
    redis = spawn(program as string, args, { stdio: ['ignore', 'pipe', 'ignore'], cwd: data })
    let text = ''
    for await (const chunk of redis.stdout as NodeJS.ReadableStream) if (/Ready to accept/.test((text += chunk))) return
    throw new Error(`Redis does not start: ${text}`)
  }
  async function killRedis(): Promise<void> {
    const gone = redis.exitCode === null && redis.signalCode === null && once(redis, 'exit')
    redis.kill('SIGKILL')
    await gone
  }

  beforeAll(async () => {
    if (!program) return
    await built()
    command = project(client)
    mkdirSync(data)
    const probes = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')]
    await Promise.all(probes.map((probe) => once(probe, 'listening')))
    ;[port = 0, tls = 0] = probes.map((probe) => (probe.address() as AddressInfo).port)
    for (const probe of probes) probe.close()
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
    const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', 'key.pem', '-out', 'cert.pem']
    if (openssl) execFileSync('openssl', [...made, ...names], { cwd: data, stdio: 'ignore' })
  }, 120_000)
  afterEach(() => redis?.kill('SIGKILL'))

  const mint = (uses: number) => sign(links, '/invite', { expires: '1h', uses })

  test.skipIf(!program).each(named.filter(({ able }) => able))(
    'with $engine: 503 while it is down, no use consumed, and it works when it is back',
    async ({ engine }) => {
      const server = await start(engine, [], { command, env: { SECURELINK_STORE: address() } })
      const { ask, log, child, ended, printed } = server
      const [one, two] = await Promise.all([mint(1), mint(2)])
      const redeem = async (link: string) => {
        const { status, answer } = await ask('/redeem', { link })
        return status === 200 ? answer.reason || 'ok' : status
      }
      const back = () => until(async () => (await redeem('/')) === 'unsigned' && log('store').at(-1)?.['detail'] === 'Redis is back')

      // Down from the start.
      expect(log()[0]).toMatchObject({ event: 'store', detail: 'Redis cannot be reached (ECONNREFUSED)' })
      for (const link of [one, two, one, two]) expect(await redeem(link)).toBe(503)
      expect((await ask('/verify', { link: one })).answer.reason).toBe('needs_redeem')
      expect((await ask('/sign', { url: '/a', expires: '1h' })).status).toBe(200)
      await startRedis()
      await back()
      expect([await redeem(one), await redeem(one), await redeem(two)]).toEqual(['ok', 'used', 'ok'])

      // Killed.
      await killRedis()
      await until(async () => log('store').length === 3)
      for (const link of [one, two, two, two]) expect(await redeem(link)).toBe(503)
      await startRedis()
      await until(() => log('store').length === 4)
      await back()
      expect([await redeem(one), await redeem(two), await redeem(two)]).toEqual(['used', 'ok', 'used'])

      // Hung: it accepts commands and does not answer.
      const three = await mint(3)
      redis.kill('SIGSTOP')
      expect(await Promise.all([1, 2, 3, 4].map(() => redeem(three)))).toEqual([503, 503, 503, 503])
      redis.kill('SIGCONT')
      await wait(300)
      expect(await Promise.all([1, 2, 3, 4].map(() => redeem(three)))).toEqual(expect.arrayContaining(['ok', 'ok', 'ok', 'used']))
      const batch = await ask('/redeem', { links: [{ link: three }, { link: await mint(1) }] })
      expect(batch.answer.verdicts.map(({ ok }: { ok: boolean }) => ok)).toEqual([false, true])

      // The verb, on the same store.
      const once = await mint(1)
      const verb = async (link: string, store = address()) => {
        const { printed, ended } = run(engine, ['redeem', link], { command, env: { SECURELINK_STORE: store } })
        return [await ended, printed.stdout.split(' until')[0], printed.stderr]
      }
      expect(await verb(once)).toEqual([0, 'ok hmac', ''])
      expect(await verb(once)).toEqual([1, 'refused used\n', ''])
      expect(await redeem(once)).toBe('used')

      await killRedis()
      expect(await verb(once)).toEqual([1, '', 'securelink redeem: Redis cannot be reached (ECONNREFUSED)\n'])
      child.kill('SIGTERM')
      expect(await ended).toBe(0)
      expect(printed.stderr).toBe('')
      for (const hidden of [password, encodeURIComponent(password), token, secret, 'signature', '/invite'])
        expect(printed.stdout).not.toContain(hidden)
    },
    60_000,
  )

  test.skipIf(!program)('a wrong password is logged, and nothing opens', async () => {
    await startRedis()
    const { ask, log, child, ended } = await start('node', [], { command, env: { SECURELINK_STORE: `redis://:wrong@127.0.0.1:${port}` } })
    expect(log('store')[0]).toMatchObject({ detail: expect.stringMatching(/^Redis cannot be reached \((WRONGPASS|NOAUTH)\)$/) })
    expect((await ask('/redeem', { link: await mint(1) })).status).toBe(503)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  test.skipIf(!program || !openssl)('rediss: is Redis over TLS', async () => {
    await startRedis()
    const run = (name: string, env = {}) =>
      start('node', [], { command, env: { SECURELINK_STORE: `rediss://:${encodeURIComponent(password)}@${name}:${tls}`, ...env } })
    const good = await run('localhost', { NODE_EXTRA_CA_CERTS: join(data, 'cert.pem') })
    const link = await mint(1)
    expect((await good.ask('/redeem', { link })).answer.ok).toBe(true)
    // Without the certificate, it may be any server.
    const bad = await run('localhost')
    expect((await bad.ask('/redeem', { link })).status).toBe(503)
  })
})
