// The link service: the cases of service.ts in process and on every server; its description, its options, and 20,000 random bodies.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { build } from 'esbuild'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { hmac, LinkError, type Scheme, verify } from '../../src/index.ts'
import { listener } from '../../src/node.ts'
import { alibabaCdn } from '../../src/schemes/alibaba-cdn.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { s3v2 } from '../../src/schemes/s3v2.ts'
import { tencentCos } from '../../src/schemes/tencent-cos.ts'
import { bearer, pythonRoutes, type ServiceOptions, service } from '../../src/service.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { root } from '../built.ts'
import { find, freePort, leftOut } from '../prepare.mjs'
import { cases, type Send } from './cases.ts'
import { ANYTHING, handler, LIMITED, SECRET, VERIFIER } from './served.ts'

const temporary = mkdtempSync(join(tmpdir(), 'securelink-service-'))
const module = join(temporary, 'served.mjs')
const children: ChildProcess[] = []

beforeAll(async () => {
  mkdirSync(temporary, { recursive: true })
  const entry = join(root, 'test/service/served.ts')
  await build({ entryPoints: [entry], outfile: module, bundle: true, format: 'esm', target: 'es2022', platform: 'neutral' })
})
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(temporary, { recursive: true, force: true })
})

const servers: Record<string, { program: () => string | undefined; args: (port: number) => string[] }> = {
  deno: {
    program: () => find('deno'),
    args: (port) => ['serve', '--no-prompt', '--no-remote', '--no-config', '--host', '127.0.0.1', '--port', `${port}`, module],
  },
  bun: {
    program: () => find('bun'),
    args: (port) => {
      const file = join(temporary, 'bun.mjs')
      writeFileSync(
        file,
        `import served from './served.mjs'\nexport default { fetch: served.fetch, hostname: '127.0.0.1', port: ${port} }\n`,
      )
      return ['--no-install', file]
    },
  },
  workerd: {
    program: () => find('workerd'),
    args: (port) => {
      const file = join(temporary, 'served.capnp')
      writeFileSync(
        file,
        `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "main.mjs", esModule = "export { default } from './served.mjs'"),
      (name = "served.mjs", esModule = embed "served.mjs"),
    ],
    compatibilityDate = "2026-10-01",
    compatibilityFlags = ["no_nodejs_compat"],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`,
      )
      return ['serve', file]
    },
  },
}

/** Starts a server, and gives what it prints. */
async function start(name: string): Promise<{ send: Send; printed: () => string }> {
  const port = await freePort()
  const { program, args } = servers[name] as (typeof servers)[string]
  const env = { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' }
  const child = spawn(program() as string, args(port), { env, cwd: temporary, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text))
  const send: Send = (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init)
  for (let tries = 0; ; tries++) {
    const health = await send('/healthz').catch(() => undefined)
    if (health?.status === 200) break
    if (tries > 200 || child.exitCode !== null) throw new Error(`${name} does not start: ${printed}`)
    await wait(50)
  }
  return { send, printed: () => printed }
}

const inProcess: Send = (path, init) => handler(new Request(`https://links.example${path}`, init))

describe('in process', () => {
  test.each(cases)('$name', ({ run }) => run(inProcess))
})

describe('node', () => {
  const server = createHttpServer(listener(handler))
  let origin = ''
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })
  test.each(cases)('$name', ({ run }) => run((path, init) => fetch(origin + path, init)))
})

describe.each(Object.keys(servers))('%s', (name) => {
  const there = servers[name]?.program()
  let started: Awaited<ReturnType<typeof start>>
  if (there) beforeAll(async () => void (started = await start(name)), 60_000)
  for (const { name: title, run } of cases) test.skipIf(!there)(there ? title : leftOut(name as 'deno'), () => run(started.send))
  test.skipIf(!there)('and prints no secret', () => {
    for (const secret of [SECRET, ANYTHING, LIMITED, VERIFIER, 'signature']) expect(started.printed()).not.toContain(secret)
  })
})

const secret = '0123456789abcdef0123456789abcdef'
const links = hmac({ secret })
const allowed: ServiceOptions = { authorize: () => true }

const json = (body: unknown, path = '/sign') =>
  new Request(`https://links.example${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const good = { url: 'https://cdn.example/x', expires: '10m' }

describe('options', () => {
  test.each([
    ['no authorize', () => service(links, {} as ServiceOptions), 'authorize', 'authorize must be a function that decides'],
    ['no options', () => service(links, undefined as unknown as ServiceOptions), 'authorize', 'authorize must be'],
    ['no scheme', () => service({}, allowed), 'schemes', 'schemes must be a scheme'],
    ['a value that is not a scheme', () => service({ a: {} as Scheme }, allowed), 'schemes', 'schemes must be a scheme'],
    ['schemes forgotten', () => service(undefined as never, allowed), 'schemes', 'schemes must be a scheme'],
    ['a store without take', () => service(links, { ...allowed, store: {} as never }), 'store', 'store must be an object with take('],
    ['a limit of 0', () => service(links, { ...allowed, limit: 0 }), 'limit', 'limit must be a whole number of bytes'],
    ['revoked as a list', () => service(links, { ...allowed, revoked: [] as never }), 'revoked', 'revoked must be a function'],
    [
      'a tolerance without a unit',
      () => service(links, { ...allowed, tolerance: '5' as never }),
      'tolerance',
      'tolerance must be a duration',
    ],
    [
      'a misspelt option',
      () => service(links, { ...allowed, revoke: () => true } as never),
      'revoke',
      "unknown option 'revoke'; service() takes authorize, store, limit, report, revoked, now, tolerance",
    ],
    ['no tokens', () => bearer([]), 'tokens', 'tokens must be at least one token'],
    ['a short token', () => bearer('short'), 'token', 'token must be at least 32 letters'],
    ['a token that is undefined', () => bearer([undefined as never]), 'token', 'token must be at least 32 letters'],
    ['a token with spaces', () => bearer('this is a token of more than 32 characters'), 'token', 'token must be at least 32 letters'],
    ['a place with a query', () => bearer(ANYTHING, { allow: ['https://cdn.example/?x'] }), 'allow', 'allow must be a list of URLs'],
    ['a place without a scheme', () => bearer(ANYTHING, { allow: ['cdn.example'] }), 'allow', 'allow must be a list of URLs'],
    ['a place with a dot segment', () => bearer(ANYTHING, { allow: ['/a/../'] }), 'allow', 'allow must be a list of URLs'],
    [
      'a limit that may be a secret',
      () => bearer([{ token: ANYTHING, [LIMITED]: true } as never]),
      undefined,
      'unknown option; bearer() takes',
    ],
    [
      'a misspelt limit',
      () => bearer([{ token: ANYTHING, allowed: ['https://cdn.example/'] } as never]),
      'allowed',
      "unknown option 'allowed'; bearer() takes token, allow, longest, schemes, verbs, conditions",
    ],
    ['a misspelt limit for all', () => bearer(ANYTHING, { maxTtl: '1d' } as never), 'maxTtl', "unknown option 'maxTtl'"],
    ['a lifetime without a unit', () => bearer(ANYTHING, { longest: '1' as '1d' }), 'longest', 'longest must be a duration'],
    // Each of these would limit nothing, or less than was meant.
    ['allow as text', () => bearer(ANYTHING, { allow: 'https://cdn.example/' as never }), 'allow', 'allow must be a list'],
    ['verbs as text', () => bearer(ANYTHING, { verbs: 'verify' as never }), 'verbs', 'verbs must be a list'],
    ['schemes as text', () => bearer(ANYTHING, { schemes: 'nginx-hmac' as never }), 'schemes', 'schemes must be a list'],
    ['verbs as null', () => bearer([{ token: ANYTHING, verbs: null as never }]), 'verbs', 'verbs must be a list'],
    ['routes without a handler', () => pythonRoutes(undefined as never, { scheme: links }), 'fetch', 'fetch must be the handler'],
    [
      'routes without a scheme',
      () => pythonRoutes(service(links, allowed), {} as never),
      'scheme',
      'scheme must be a scheme with its keys',
    ],
    [
      'routes with an empty name',
      () => pythonRoutes(service(links, allowed), { scheme: links, name: '' }),
      'name',
      'name must be the name',
    ],
    [
      'routes with a limit of 0',
      () => pythonRoutes(service(links, allowed), { scheme: links, limit: 0 }),
      'limit',
      'limit must be a whole number',
    ],
    [
      'routes with a misspelt option',
      () => pythonRoutes(service(links, allowed), { scheme: links, nam: 'x' } as never),
      'nam',
      "unknown option 'nam'",
    ],
  ])('%s', (_, make, option, sentence) => {
    expect(make).toThrow(LinkError)
    expect(make).toThrow(sentence)
    expect(make).toThrow(expect.objectContaining({ option }))
    for (const secret of [ANYTHING, LIMITED]) expect(make).not.toThrow(secret)
  })

  test('one scheme needs no name, and has one', async () => {
    const one = service(links, allowed)
    expect((await one(json(good))).status).toBe(200)
    expect((await one(json({ ...good, scheme: 'hmac' }))).status).toBe(200)
    expect((await one(json({ ...good, scheme: 'other' }))).status).toBe(422)
  })

  test('authorize sees what is wanted, and decides', async () => {
    const seen: unknown[] = []
    const now = () => new Date('2030-01-01T00:00:00Z')
    const decide = service(links, {
      now,
      authorize(request, wanted) {
        seen.push(request.headers.get('x-user'), wanted)
        return wanted.links[0]?.url !== 'https://cdn.example/no'
      },
    })
    expect((await decide(json({ ...good, align: '1h', uses: 2 }))).status).toBe(200)
    expect(seen[1]).toMatchObject({
      verb: 'sign',
      now: now(),
      links: [
        { scheme: 'hmac', url: good.url, expires: new Date('2030-01-01T01:00:00Z'), conditions: { expires: '10m', align: '1h', uses: 2 } },
      ],
    })
    expect((await decide(json({ ...good, url: 'https://cdn.example/no' }))).status).toBe(403)
  })

  test('a limit that is undefined is left out', async () => {
    const authorize = bearer([{ token: ANYTHING, allow: undefined as never }], { allow: ['https://cdn.example/files/'] })
    const request = json(good)
    request.headers.set('authorization', `Bearer ${ANYTHING}`)
    expect((await service(links, { authorize })(request)).status).toBe(403)
  })

  test("with allow: ['/'], a path that begins with two slashes is a host to browsers, and is refused", async () => {
    const fetch = service(links, { authorize: bearer(ANYTHING, { allow: ['/'] }) })
    const status = async (asked: object) => {
      const request = json({ expires: '10m', ...asked })
      request.headers.set('authorization', `Bearer ${ANYTHING}`)
      return (await fetch(request)).status
    }
    expect(await status({ url: '/x' })).toBe(200)
    expect(await status({ url: '/x//evil.example' })).toBe(200)
    // `sign` refuses it, in every spelling that a URL parser makes two slashes of.
    for (const url of ['//evil.example/x', '///evil.example/x', '//evil.example', '/\\evil.example/x', '\\\\evil.example/x'])
      expect(await status({ url }), url).toBe(422)
    expect(await status({ url: 'https://evil.example/x' })).toBe(403)
  })

  test('with allow, a parameter that storages read as a header is a condition, too', async () => {
    const url = 'https://bucket.s3.amazonaws.com/files/a'
    const ask = async (more: object, conditions?: string[]) => {
      const authorize = bearer(ANYTHING, { allow: ['https://bucket.s3.amazonaws.com/files/'], ...(conditions && { conditions }) })
      const request = json({ url, expires: '10m', method: 'PUT', ...more })
      request.headers.set('authorization', `Bearer ${ANYTHING}`)
      return (await service(s3({ id: 'AKIA', secret: 'secret' }), { authorize })(request)).status
    }
    expect(await ask({ url: `${url}?partNumber=1` })).toBe(200)
    for (const name of ['x-amz-copy-source', 'X-Amz-Copy-Source', '%78-amz%2dcopy-source', 'a=b&x-amz-acl'])
      expect(await ask({ url: `${url}?${name}=%2Fbucket%2Fsecret.txt` }), name).toBe(403)
    expect(await ask({ query: { 'x-amz-copy-source': '/bucket/secret.txt' } })).toBe(403)
    expect(await ask({ url: `${url}?x-amz-acl=private` }, ['query'])).toBe(200)
  })

  test.each([
    ['x-image-process=image/resize,w_1&x-image-save-object=keys.txt', 'obs'],
    ['name=keys.txt&rename', 'obs'],
    ['rename=', 'obs'],
    ['x-oss-process', 'oss'],
    ['X-Cos-Copy-Source=bucket/keys.txt', 'cos'],
  ])('with allow, %s is refused, with which a link of %s writes or reads a file elsewhere', async (query, name) => {
    const key = { id: 'AK', secret: 'secret' }
    const schemes = { obs: s3v2(key, { vendor: 'obs' }), oss: ossV4(key, { region: 'cn-hangzhou' }), cos: tencentCos(key) }
    const fetch = service(schemes, { authorize: bearer(ANYTHING, { allow: ['https://files.example/bucket/files/'] }) })
    const ask = async (url: string) => {
      const request = json({ scheme: name, url, expires: '10m', method: 'POST' })
      request.headers.set('authorization', `Bearer ${ANYTHING}`)
      return (await fetch(request)).status
    }
    expect(await ask('https://files.example/bucket/files/a.jpg?versionId=1&renamed=1')).toBe(200)
    expect(await ask(`https://files.example/bucket/files/a.jpg?${query}`)).toBe(403)
  })

  test('any other answer of authorize than true refuses', async () => {
    for (const odd of [{ user: 7 }, 'yes', 1, { status: 200, detail: 'Good.' }, null, undefined, Number.NaN]) {
      const authorize = (() => odd) as unknown as ServiceOptions['authorize']
      const early = Object.assign(() => true, { early: authorize }) as unknown as ServiceOptions['authorize']
      for (const one of [authorize, early]) {
        const answer = await service(links, { authorize: one })(json(good))
        if (one === early && (odd ?? undefined) === undefined) continue
        expect(answer.status).toBe(403)
        expect((await answer.json()).detail).toMatch(/^You may not/)
      }
    }
  })

  test('without a store there is no redeem', async () => {
    const none = service(links, allowed)
    const answer = await none(json({ link: '/x' }, '/redeem'))
    expect(answer.status).toBe(404)
    expect((await answer.json()).detail).toBe('This service has no store, so it cannot redeem links.')
    expect((await (await none(new Request('https://l.example/openapi.json'))).json()).paths).not.toHaveProperty('/redeem')
  })

  test('a store that is down', async () => {
    const told: unknown[] = []
    const real = memoryStore()
    let takes = 0
    const store = {
      take(id: string, until: Date, uses: number) {
        if (++takes === 2) throw new Error('down: redis://:password@host')
        return real.take(id, until, uses)
      },
    }
    const shaky = service(links, { ...allowed, store, report: (error, verb) => told.push([verb, (error as Error).message]) })
    const { links: signed } = await (await shaky(json({ links: Array(3).fill({ ...good, uses: 1 }) }))).json()
    const answer = await shaky(json({ links: signed.map(({ link }: { link: string }) => ({ link })) }, '/redeem'))
    expect(answer.status).toBe(503)
    const text = await answer.text()
    // The answer says which uses are consumed. Only the operator learns why the rest is not known.
    // The order in which links reach the store depends on threads.
    expect(
      JSON.parse(text)
        .verdicts.map((verdict: { ok: boolean } | null) => verdict?.ok ?? null)
        .sort(),
    ).toEqual([null, true, true])
    expect(text).not.toContain('password')
    expect(told).toEqual([['redeem', 'down: redis://:password@host']])
  })

  test.each([
    ['an empty keyring', hmac([]), 503],
    ['a scheme that breaks', { ...links, write: () => Promise.reject(new TypeError(`broken by ${secret}`)) } as Scheme, 500],
  ])('%s', async (_, scheme, status) => {
    const lines: unknown[] = []
    const spy = vi.spyOn(console, 'error').mockImplementation((...line) => void lines.push(line.join(' ')))
    const answer = await service(scheme, allowed)(json(good))
    spy.mockRestore()
    expect(answer.status).toBe(status)
    expect(await answer.text()).not.toContain(secret)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^The link service failed to sign: \w+$/)
  })

  test("a scheme's own conditions are any JSON, and the scheme may stumble over them", async () => {
    const scheme = {
      ...links,
      own: ['headers'],
      write({ own }: { own: { headers: { a: { b: string } } } }) {
        const text = own.headers.a.b.trim()
        return { toSign: text, link: () => `/x?${text}` }
      },
    } as unknown as Scheme
    const answer = await service(scheme, allowed)(json({ ...good, headers: { a: 7 } }))
    expect([answer.status, (await answer.json()).errors[0].field]).toEqual([422, 'headers'])
    const limited = service(scheme, { authorize: bearer(ANYTHING, { allow: ['https://cdn.example'] }) })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${ANYTHING}` }
    const body = JSON.stringify({ ...good, headers: { a: { b: '' } } })
    const denied = await limited(new Request('https://l.example/sign', { method: 'POST', headers, body }))
    expect([denied.status, (await denied.json()).errors[0].field]).toEqual([403, 'headers'])
  })

  test('a body is counted while it arrives, also one whose length is missing or wrong', async () => {
    const small = service(links, { ...allowed, limit: 100 })
    let pulled = 0
    const body = new ReadableStream({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(60).fill(32))
      },
    })
    const init = { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': '7' }, body, duplex: 'half' }
    expect((await small(new Request('https://l.example/sign', init as RequestInit))).status).toBe(413)
    expect(pulled).toBeLessThan(5)
  })

  test('a body that breaks off', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' } as RequestInit
    expect((await service(links, allowed)(new Request('https://l.example/sign', init))).status).toBe(400)
  })

  test('the expiry in the answer is that of the link, which ends with its key', async () => {
    const now = () => new Date('2030-01-01T00:00:00Z')
    const ending = hmac({ id: 'k', secret, expires: new Date('2030-01-01T00:05:00Z') })
    const fetch = service({ ending, links }, { ...allowed, now })
    const asked = ['ending', 'links', 'ending'].map((scheme, i) => ({ ...good, scheme, expires: i === 2 ? '1m' : '10m' }))
    const answer = await (await fetch(json({ links: asked }))).json()
    expect(answer.links.map(({ expires }: { expires: string }) => expires.slice(14, 19))).toEqual(['05:00', '10:00', '01:00'])
    for (const { link, expires } of answer.links) expect(link).toContain(`expires=${Date.parse(expires) / 1000}&`)
  })

  test('the expiry in the answer is that of a link whose format has minutes only', async () => {
    const minutes = alibabaCdn({ secret }, { maxAge: '30m', type: 'B' }) as unknown as Scheme
    const fetch = service({ minutes, links }, { ...allowed, now: () => new Date('2030-01-01T00:00:30Z') })
    const asked = ['minutes', 'links', 'minutes'].map((scheme) => ({ url: `${good.url}#top`, scheme, expires: '10m' }))
    const answer = await (await fetch(json({ links: asked }))).json()
    expect(answer.links.map(({ expires }: { expires: string }) => expires.slice(14, 19))).toEqual(['11:00', '10:30', '11:00'])
  })

  test("'never' is for schemes with links that never expire, and longer than every limit", async () => {
    const endless = nginx({ secret }, { expression: '$uri $secret' })
    const limited = bearer(ANYTHING, { longest: '9999d' })
    const ask = async (scheme: Scheme, authorize: ServiceOptions['authorize'] = () => true) => {
      const request = json({ ...good, expires: 'never' })
      request.headers.set('authorization', `Bearer ${ANYTHING}`)
      const answer = await service(scheme, { authorize })(request)
      const { expires, errors } = await answer.json()
      return [answer.status, expires ?? errors[0].field]
    }
    expect(await ask(endless)).toEqual([200, '5138-11-16T09:46:39.000Z'])
    expect(await ask(endless, limited)).toEqual([403, 'expires'])
    expect(await ask(links)).toEqual([422, 'expires'])
  })

  test('it signs the same links as sign', async () => {
    const { link } = await (await service(links, allowed)(json(good))).json()
    expect(await verify(links, link)).toMatchObject({ ok: true })
  })
})

test('a batch does not keep calling a store that is down', async () => {
  let asked = 0
  const store = {
    take: async () => {
      asked++
      await wait(20)
      throw new Error('down')
    },
  }
  const fetch = service(links, { ...allowed, store, report: () => undefined })
  const wanted = Array.from({ length: 500 }, (_, i) => ({ ...good, url: `${good.url}${i}`, uses: 1 }))
  const signed = await (await fetch(json({ links: wanted }))).json()
  const asking = { links: signed.links.map(({ link }: { link: string }) => ({ link })) }
  expect((await fetch(json(asking, '/redeem'))).status).toBe(503)
  expect(asked).toBe(64)
})

test('no scheme reads a link that is too long', async () => {
  let read = 0
  const counted: Scheme = {
    ...links,
    read(url) {
      read++
      return links.read(url)
    },
  }
  const fetch = service(counted, { ...allowed, store: memoryStore() })
  for (const path of ['/verify', '/redeem', '/inspect']) {
    const answer = await fetch(json({ link: `/?${'&%'.repeat(450_000)}` }, path))
    const { errors } = await answer.json()
    expect([answer.status, errors]).toEqual([422, [{ field: 'link', detail: 'link must be at most 16384 characters long.' }]])
    expect((await fetch(json({ link: `/${'x'.repeat(16_383)}` }, path))).status).toBe(200)
  }
  expect(read).toBe(3)
})

test("the texts in a scheme's own conditions have a limit, too", async () => {
  let written = 0
  const own: Scheme = {
    ...links,
    own: ['headers'],
    write(grant, key) {
      written++
      return links.write(grant, key)
    },
  }
  const fetch = service(own, allowed)
  const long = 'x'.repeat(16_385)
  for (const headers of [long, [long], { a: long }, { a: [long] }]) {
    const answer = await fetch(json({ ...good, headers }))
    expect([answer.status, (await answer.json()).errors[0].field]).toEqual([422, 'headers'])
  }
  expect(written).toBe(0)
  expect((await fetch(json({ ...good, headers: { a: long.slice(1), b: [7, null, true] } }))).status).toBe(200)
  // The engine parses lists within lists however deep they are, but calls of functions within calls it ends.
  const { headers, method } = json(good)
  const deep = '['.repeat(400_000) + ']'.repeat(400_000)
  const body = JSON.stringify({ ...good, headers: 0 }).replace('"headers":0', `"headers":${deep}`)
  const answer = await fetch(new Request('https://links.example/sign', { method, headers, body }))
  expect(answer.status).toBe(200)
})

test('two slashes at the start are another path', async () => {
  // Over a socket, `listener` answers 400 before the service is asked.
  const fetch = service(links, allowed)
  for (const path of ['//sign', '//healthz']) expect((await fetch(json(good, path))).status).toBe(404)
})

describe('headers of the request', () => {
  const bucket = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret })
  const fetch = service(bucket, allowed)
  const verdict = async (more: object): Promise<unknown> => {
    const asked = { url: 'https://b.s3.amazonaws.com/a.png', expires: '15m', method: 'PUT', headers: { 'content-type': 'image/png' } }
    const { link } = await (await fetch(json(asked))).json()
    const { ok, errors, reason } = await (await fetch(json({ link, method: 'PUT', ...more }, '/verify'))).json()
    return errors?.[0] ?? reason ?? ok
  }

  test('a link that covers some is valid with them, and only with them', async () => {
    expect(await verdict({ headers: { 'Content-Type': 'image/png', 'x-other': '' } })).toBe(true)
    expect(await verdict({ headers: { 'content-type': 'image/jpeg' } })).toBe('bad_signature')
    expect(await verdict({ headers: {} })).toBe('bad_signature')
    expect(await verdict({})).toBe('bad_signature')
  })

  test.each([
    ['a text', 'content-type: image/png', 'headers'],
    ['a list', [['content-type', 'image/png']], 'headers'],
    ['a name with a space', { 'content type': 'image/png' }, 'headers.content type'],
    ['no name', { '': 'image/png' }, 'headers'],
    ['a value as a number', { 'content-type': 7 }, 'headers.content-type'],
    ['a line break', { 'content-type': 'image/png\r\nx: y' }, 'headers.content-type'],
    ['letters that headers do not have', { 'content-type': 'ü' }, 'headers.content-type'],
  ])('%s', async (_, headers, field) => {
    expect(await verdict({ headers })).toMatchObject({ field })
  })
})

describe('the routes of the Python SecureLink', () => {
  const GENERATE = '/generate-secure-md5-link/'
  const VALIDATE = '/validate-secure-link/'
  const url = 'https://cdn.example/secure/x?user=42'
  /** A service of one scheme, with these routes. */
  const routes = (scheme: Scheme, options = allowed) => pythonRoutes(service(scheme, options), { scheme })

  test('exist only in the wrapper', async () => {
    const off = service(links, allowed)
    for (const path of [GENERATE, VALIDATE]) expect((await off(json({ url }, path))).status).toBe(404)
    const { paths, components } = await (await off(new Request('https://l.example/openapi.json'))).json()
    expect(Object.keys(paths)).toEqual(['/sign', '/verify', '/inspect', '/healthz'])
    expect(components.schemas).not.toHaveProperty('ToGenerate')
    expect((await routes(links)(json({ url }, GENERATE))).status).toBe(200)
  })

  test('authorize sees signing and verifying, like any other', async () => {
    const seen: unknown[] = []
    const now = () => new Date('2030-01-01T00:00:00Z')
    const old = nginx({ secret })
    const decide = pythonRoutes(service({ a: links, b: old }, { now, authorize: (_, wanted) => !!seen.push(wanted) }), {
      scheme: old,
      name: 'b',
    })
    const { secure_url } = await (await decide(json({ url, expire_seconds: 60 }, GENERATE))).json()
    expect((await decide(json({ url: secure_url, clientip: '203.0.113.7' }, VALIDATE))).status).toBe(403)
    const expires = new Date('2030-01-01T00:01:00Z')
    expect(seen).toMatchObject([
      { verb: 'sign', now: now(), links: [{ scheme: 'b', url, expires, conditions: { expires: '60s', ip: '127.0.0.1' } }] },
      { verb: 'verify', now: now(), links: [{ scheme: 'b', url: secure_url, conditions: { ip: '203.0.113.7' } }] },
    ])
  })

  test('authorize may refuse in words of its own', async () => {
    const authorize = () => ({ status: 403 as const, detail: 'Not today.', field: 'links[' })
    const answer = await routes(links, { authorize })(json({ url }, GENERATE))
    expect([answer.status, (await answer.json()).detail]).toEqual([403, 'Not today.'])
  })

  test('hmac links cover the query and the host, which the expression of NGINX does not', async () => {
    const ask = async (scheme: Scheme, change: (link: string) => string) => {
      const served = routes(scheme)
      const { secure_url } = await (await served(json({ url }, GENERATE))).json()
      return (await served(json({ url: change(secure_url) }, VALIDATE))).status
    }
    const whole = hmac({ secret }, { origin: true })
    for (const [from, to] of [
      ['user=42', 'user=1'],
      ['cdn.example', 'evil.example'],
    ] as const) {
      const change = (link: string) => link.replace(from, to)
      // NGINX would open it, so this says so.
      expect(await ask(nginx({ secret }), change)).toBe(200)
      expect(await ask(whole, change)).toBe(403)
    }
    expect(await ask(whole, (link) => link)).toBe(200)
  })

  test('an empty clientip makes a link for every address, where the scheme can', async () => {
    const open = nginx({ secret }, { expression: '$secure_link_expires$uri $secret' })
    for (const scheme of [links, open]) {
      const served = routes(scheme)
      const { secure_url } = await (await served(json({ url, clientip: '' }, GENERATE))).json()
      for (const clientip of ['', '203.0.113.7', null])
        expect((await served(json({ url: secure_url, clientip }, VALIDATE))).status, scheme.name).toBe(200)
    }
    // Nothing is dropped in silence.
    const answer = await routes(open)(json({ url, clientip: '203.0.113.7' }, GENERATE))
    expect([answer.status, (await answer.json()).errors[0]]).toEqual([
      422,
      { field: 'clientip', detail: 'clientip must be empty, because links of this scheme cannot carry an address.' },
    ])
    expect((await routes(open)(json({ url }, GENERATE))).status).toBe(200)
  })

  test('the options now, tolerance and revoked hold for them', async () => {
    let present = Date.parse('2030-01-01T00:00:00Z')
    const now = () => new Date(present)
    const served = routes(nginx({ secret }), { ...allowed, now, tolerance: '5s', revoked: ({ resource }) => resource.includes('gone') })
    const sign = async (url: string) => (await (await served(json({ url }, GENERATE))).json()).secure_url
    const reasonOf = async (url: string) => {
      const answer = await (await served(json({ url }, VALIDATE))).json()
      return answer.reason ?? answer.message
    }
    const link = await sign('/secure/x')
    expect(await reasonOf(await sign('/secure/gone'))).toBe('revoked')
    present += 25_999
    expect(await reasonOf(link)).toBe('The secure link is valid.')
    present += 1
    expect(await reasonOf(link)).toBe('expired')
    expect(await reasonOf(link.replace('/x', '/y'))).toBe('bad_signature')
  })

  test('a lifetime does not change in the night when the clocks change', async () => {
    const zone = process.env['TZ']
    process.env['TZ'] = 'America/New_York'
    try {
      for (const night of ['2030-03-10T06:30:00Z', '2030-11-03T05:30:00Z', '2030-11-03T06:30:00Z']) {
        const served = routes(nginx({ secret }), { ...allowed, now: () => new Date(night) })
        const { secure_url } = await (await served(json({ url, expire_seconds: 7200 }, GENERATE))).json()
        expect(secure_url).toMatch(new RegExp(`&expires=${Date.parse(night) / 1000 + 7200}$`))
      }
    } finally {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    }
  })

  test('the body of an unknown caller is not read, and a large one is not read to its end', async () => {
    let pulled = 0
    const ask = (token: string, limit = 1_000_000) => {
      const served = pythonRoutes(service(links, { authorize: bearer(ANYTHING) }), { scheme: links, limit })
      const body = new ReadableStream(
        {
          pull(controller) {
            pulled++
            controller.enqueue(new Uint8Array(60).fill(32))
          },
        },
        { highWaterMark: 0 },
      )
      const headers = { authorization: `Bearer ${token}` }
      return served(new Request(`https://l.example${GENERATE}`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit))
    }
    expect((await ask(LIMITED)).status).toBe(401)
    expect(pulled).toBe(0)
    expect((await ask(ANYTHING, 100)).status).toBe(413)
    expect(pulled).toBeLessThan(5)
  })

  test('without a valid key they say so', async () => {
    const told: unknown[] = []
    const report = (_: unknown, verb: string) => told.push(verb)
    const none = routes(nginx([]), { ...allowed, report })
    expect((await none(json({ url }, GENERATE))).status).toBe(503)
    expect((await none(json({ url: `${url}&md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647` }, VALIDATE))).status).toBe(503)
    expect(told).toEqual(['sign', 'verify'])
  })
})

describe('openapi.json', () => {
  const api = async () => (await inProcess('/openapi.json')).json()

  test('an OpenAPI validator finds nothing', async () => {
    const validator = new Validator()
    const result = await validator.validate(await api())
    expect(result.errors ?? []).toEqual([])
    expect(result.valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

  // Another implementation of JSON Schema checks the requests and the answers.
  test('it describes the requests and the answers of the service', async () => {
    const { components, paths } = await api()
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'api', components })
    const fits = (name: string, value: unknown) => ajv.validate({ $ref: `api#/components/schemas/${name}` }, value)
    let compared = 0
    const watched: Send = async (path, init) => {
      const response = await inProcess(path, init)
      const name = (schema: { $ref: string }) => schema.$ref.split('/').at(-1) as string
      const namesOf = (schema: { $ref: string; oneOf?: { $ref: string }[] }) => (schema.oneOf ?? [schema]).map(name)
      const { requestBody, responses } = paths[path]?.post ?? {}
      if (!requestBody || init?.method !== 'POST') return response
      const answer = await response.clone().json()
      const schemas = responses[response.status].content
      const { schema } = schemas['application/json'] ?? schemas['application/problem+json']
      const names = namesOf(schema)
      expect(
        names.some((name: string) => fits(name, answer)),
        `${path} ${JSON.stringify(answer)}`,
      ).toBe(true)
      if (response.status === 200) {
        const body = JSON.parse(await new Response(init.body).text())
        const spread =
          'scheme' in body && 'links' in body ? { links: body.links.map((link: object) => ({ scheme: body.scheme, ...link })) } : body
        const asked = namesOf(requestBody.content['application/json'].schema)
        expect(
          asked.some((name: string) => fits(name, spread)),
          `${path} ${init.body}`,
        ).toBe(true)
      }
      compared++
      return response
    }
    for (const { run } of cases) await run(watched)
    expect(compared).toBeGreaterThan(200)
  })

  test('it says how long a link may be', async () => {
    const { schemas } = (await api()).components
    const lengths = [
      ['ToSign', 'url'],
      ['ToSign', 'prefix'],
      ['ToVerify', 'link'],
      ['ToInspect', 'link'],
      ['ToGenerate', 'url'],
      ['ToValidate', 'url'],
    ].map(([shape, field]) => schemas[shape as string].properties[field as string].maxLength)
    expect(lengths).toEqual(Array(6).fill(16_384))
  })

  test('its examples work', async () => {
    const { paths } = await api()
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${ANYTHING}` }
    for (const path of ['/sign', '/verify', '/inspect', '/redeem']) {
      const body = JSON.stringify(paths[path].post.requestBody.content['application/json'].example)
      expect((await inProcess(path, { method: 'POST', headers, body })).status, path).toBe(200)
    }
    const statuses = ['/generate-secure-md5-link/', '/validate-secure-link/'].map(async (path) => {
      const body = JSON.stringify(paths[path].post.requestBody.content['application/json'].example)
      return (await inProcess(path, { method: 'POST', headers, body })).status
    })
    expect(await Promise.all(statuses)).toEqual([200, 403])
  })
})

test('20,000 random bodies: nothing fails on this side, and every refusal is a problem document', async () => {
  const spy = vi.spyOn(console, 'error')
  const seed = Number(process.env['SEED'] ?? 20261122)
  const word = fc.oneof(
    fc.constantFrom(
      'files',
      'images',
      'https://cdn.example/files/x',
      '/x',
      '10m',
      '1d',
      '0s',
      '2090-01-01',
      'GET',
      '203.0.113.7',
      '::1/64',
      '/',
      '',
      '__proto__',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.webUrl(),
  )
  const value = fc.oneof(
    { weight: 4, arbitrary: word },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: fc.double() },
  )
  const fields = [
    'scheme',
    'url',
    'link',
    'expires',
    'align',
    'starts',
    'method',
    'ip',
    'prefix',
    'uses',
    'id',
    'clientip',
    'expire_seconds',
    'toString',
    'links',
  ]
  const item = fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 7 })
  const few = fc.dictionary(fc.constantFrom(...fields.slice(0, -2)), value, { maxKeys: 1 })
  const likely = few.map((more) => ({ scheme: 'files', url: 'https://cdn.example/files/x', expires: '10m', ...more }))
  const visit = few.map((more) => ({ scheme: 'files', link: 'https://cdn.example/x?expires=9&signature=x', ...more }))
  const one = fc.oneof(item, likely, likely, visit)
  const body = fc.oneof(
    one.map((value) => JSON.stringify(value)),
    fc.array(one, { maxLength: 5 }).map((links) => JSON.stringify({ scheme: 'files', links })),
    fc.json(),
    fc.string({ unit: 'binary', maxLength: 60 }),
  )
  const path = fc.constantFrom('/sign', '/sign', '/verify', '/inspect', '/redeem', '/generate-secure-md5-link/', '/validate-secure-link/')
  const token = fc.constantFrom(ANYTHING, ANYTHING, LIMITED)
  const statuses: Record<number, number> = {}
  await fc.assert(
    fc.asyncProperty(path, body, token, async (path, body, token) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
      const response = await inProcess(path, { method: 'POST', headers, body })
      const text = await response.text()
      statuses[response.status] = (statuses[response.status] ?? 0) + 1
      if (response.status >= 500) throw new Error(text)
      if (response.status >= 400 && !JSON.parse(text).detail) throw new Error(text)
      if (/\n +at |\.ts:\d/.test(text)) throw new Error(text)
    }),
    { seed, numRuns: 20_000 },
  )
  expect(spy).not.toHaveBeenCalled()
  // It is no test when nothing gets in.
  expect(statuses[200]).toBeGreaterThan(1000)
  expect(statuses[422]).toBeGreaterThan(1000)
  console.log(`answers by status: ${JSON.stringify(statuses)}`)
}, 120_000)
