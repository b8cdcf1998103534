// guard in process: each refusal, each header of a prefetch, and the store.
import { describe, expect, test } from 'vitest'
import { guard, type Refusal } from '../../src/guard.ts'
import { type Claims, hmac, LinkError, type Scheme, sign, type UseStore } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const links = hmac({ id: 'k', secret: '0123456789abcdef0123456789abcdef' })
const URL_OF_FILE = 'https://files.example/a/b.txt'
const mint = (more: object = {}, url = URL_OF_FILE) => sign(links, url, { expires: '10m', ...more })
const never = () => {
  throw new Error('the handler ran')
}

/** Sends a request through a guard: the status, and the reason if it was refused. */
async function ask(fetch: (request: Request) => Promise<Response>, url: string, init?: RequestInit) {
  const answer = await fetch(new Request(url, init))
  const text = await answer.text()
  return { status: answer.status, reason: answer.ok || !text ? undefined : JSON.parse(text).reason, headers: answer.headers, text }
}

describe('guard lets a valid link in', () => {
  test('and hands over the request, the claims and the arguments of the runtime', async () => {
    const fetch = guard(
      links,
      (request, { resource, keyId }, info: { address: string }) => Response.json([request.method, resource, keyId, info]),
      {
        ip: (_request, info) => info.address,
      },
    )
    const answer = await fetch(new Request(await mint({ ip: '203.0.113.7' })), { address: '203.0.113.7' })
    expect(await answer.json()).toEqual(['GET', URL_OF_FILE, 'k', { address: '203.0.113.7' }])
    expect((await fetch(new Request(await mint({ ip: '203.0.113.7' })), { address: '203.0.113.8' })).status).toBe(403)
  })

  test('errors of the handler are thrown on', async () => {
    await expect(guard(links, never)(new Request(await mint()))).rejects.toThrow('the handler ran')
  })

  test('tolerance and now are those of verify', async () => {
    const link = await mint()
    const later = () => new Date(Date.now() + 601_000)
    const fetch = (more: object) => guard(links, () => new Response('in'), { now: later, ...more })
    expect(await ask(fetch({}), link)).toMatchObject({ status: 410, reason: 'expired' })
    expect(await ask(fetch({ tolerance: '1m' }), link)).toMatchObject({ status: 200 })
  })
})

describe('guard refuses', () => {
  test('a revoked link: 410, the handler does not run, and no use is consumed', async () => {
    const taken: string[] = []
    const store: UseStore = { take: (id) => taken.push(id) > 0 }
    const asked: Claims[] = []
    const revoked = (claims: Claims) => asked.push(claims) > 0
    const fetch = guard(links, never, { store, revoked })
    expect(await ask(fetch, await mint({ uses: 1, id: 'u-7' }))).toMatchObject({ status: 410, reason: 'revoked' })
    expect(asked).toMatchObject([{ id: 'u-7', resource: URL_OF_FILE }])
    expect(taken).toEqual([])
    // `revoked` is asked only about links that are valid otherwise.
    expect(await ask(fetch, (await mint()).replace('b.txt', 'c.txt'))).toMatchObject({ reason: 'bad_signature' })
    expect(asked).toHaveLength(1)
  })

  test.each([
    [undefined, 'GET, HEAD'],
    ['GET', 'GET, HEAD'],
    [['PUT', 'GET'], 'GET, HEAD, PUT'],
    ['POST', 'POST'],
  ])('another method than %s, and lists the allowed ones', async (method, allow) => {
    const { status, reason, headers } = await ask(guard(links, never), await mint(method ? { method } : {}), { method: 'DELETE' })
    expect([status, reason, headers.get('allow')]).toEqual([405, 'wrong_method', allow])
  })

  test('with a problem document that is not cached, and without a body for HEAD', async () => {
    const fetch = guard(links, never)
    const { headers, text } = await ask(fetch, URL_OF_FILE)
    expect(Object.fromEntries(headers)).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    expect(JSON.parse(text)).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail: 'This address needs a signed link.',
      reason: 'unsigned',
    })
    expect(await ask(fetch, URL_OF_FILE, { method: 'HEAD' })).toMatchObject({ status: 403, text: '' })
  })

  test('with the status of the scheme, where it has one of its own', async () => {
    const other: Scheme = { ...links, status: { unsigned: 410, malformed: 418 } }
    const { status, text } = await ask(guard(other, never), URL_OF_FILE)
    expect([status, JSON.parse(text).title]).toEqual([410, 'Gone'])
    const odd = await ask(guard(other, never), `${await mint()}#x`)
    expect([odd.status, JSON.parse(odd.text).title]).toEqual([418, 'Refused'])
  })

  test('with an answer of your own', async () => {
    const fetch = guard(links, never, { refuse: ({ reason }, request) => new Response(`${request.method} ${reason}`, { status: 404 }) })
    const answer = await fetch(new Request(URL_OF_FILE))
    expect([answer.status, await answer.text()]).toEqual([404, 'GET unsigned'])
    // Clients do not send a fragment; see below.
    expect(await (await fetch(new Request(`${await mint()}#x`))).text()).toBe('GET malformed')
  })

  // A runtime that parses the request line as a URL resolves `..`. It leaves these as they are, and passes a `#` on.
  test.each([
    'b.txt?QUERY#',
    'b.txt?QUERY#&c=2&a=3',
    '..%2fb.txt?QUERY',
    'x/..%5Cb.txt?QUERY',
    '..;/b.txt?QUERY',
    '%252e%252e/b.txt?QUERY',
    'x/..%2f?QUERY',
  ])('a request that no client sends: /a/%s', async (target) => {
    const link = await mint({ prefix: '/a/', uses: 1, id: target }, 'https://files.example/a/')
    const url = link.replace(/\?.*/, target).replace('QUERY', link.slice(link.indexOf('?') + 1))
    const store = memoryStore()
    expect(await ask(guard(links, never), url)).toMatchObject({ status: 400, reason: 'malformed' })
    expect(await ask(guard(links, never, { store }), url)).toMatchObject({ status: 400, reason: 'malformed' })
    // No use was consumed.
    expect(
      await ask(
        guard(links, () => new Response('in'), { store }),
        link,
      ),
    ).toMatchObject({ status: 200 })
  })
})

test('a link after a # is not part of the request', async () => {
  const link = await mint()
  expect(await ask(guard(links, never), link.replace('?', '#?'))).toMatchObject({ status: 403, reason: 'unsigned' })
})

test('a refusal does not repeat a name that the request made up', async () => {
  const request = new Request(`https://h.test/a?id%5Bmade-up%5D=1&expires=1900000000&signature=${'A'.repeat(43)}`)
  const text = await (await guard(links, () => new Response())(request)).text()
  expect(JSON.parse(text)).toMatchObject({ reason: 'malformed' })
  expect(text).not.toContain('made-up')
})

test('the problem document names the parameter that cannot be read', async () => {
  const { text } = await ask(guard(links, never), `${URL_OF_FILE}?expires=soon&signature=x`)
  expect(JSON.parse(text)).toMatchObject({ reason: 'malformed', parameter: 'expires' })
})

describe('guard with a store', () => {
  const file = () => new Response('the file')

  test('a request consumes a use, and without a store no request does', async () => {
    const link = await mint({ uses: 2 })
    const fetch = guard(links, file, { store: memoryStore() })
    expect(await ask(guard(links, never), link)).toMatchObject({ status: 403, reason: 'needs_redeem' })
    expect(await ask(fetch, link)).toMatchObject({ status: 200 })
    expect(await ask(fetch, link)).toMatchObject({ status: 200 })
    expect(await ask(fetch, link)).toMatchObject({ status: 410, reason: 'used' })
  })

  test.each<[string, RequestInit]>([
    ['HEAD', { method: 'HEAD' }],
    ['sec-purpose: prefetch', { headers: { 'sec-purpose': 'prefetch' } }],
    ['sec-purpose: prefetch;prerender', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
    ['purpose: prefetch', { headers: { purpose: 'prefetch' } }],
    ['x-purpose: preview', { headers: { 'x-purpose': 'preview' } }],
    ['x-moz: prefetch', { headers: { 'x-moz': 'prefetch' } }],
    ['purpose: Prerender', { headers: { purpose: 'Prerender' } }],
  ])('%s opens nothing and consumes nothing', async (_name, init) => {
    const link = await mint({ uses: 1 })
    const store = memoryStore()
    expect(await ask(guard(links, never, { store }), link, init)).toMatchObject({ status: 403 })
    expect(await ask(guard(links, file, { store }), link)).toMatchObject({ status: 200 })
  })

  test('headers that only look like those of a prefetch do not refuse a request', async () => {
    const headers = { 'sec-purpose': 'navigate', 'x-prefetch': 'prefetch', 'sec-fetch-mode': 'navigate' }
    expect(await ask(guard(links, file, { store: memoryStore() }), await mint({ uses: 1 }), { headers })).toMatchObject({ status: 200 })
  })

  test('a prefetch of a link without a number of uses opens it', async () => {
    const fetch = guard(links, file, { store: memoryStore() })
    expect(await ask(fetch, await mint(), { headers: { purpose: 'prefetch' } })).toMatchObject({ status: 200 })
  })

  test('that fails: 503, and the handler does not run', async () => {
    const store: UseStore = { take: () => Promise.reject(new Error('away')) }
    const { status, reason, headers, text } = await ask(guard(links, never, { store }), await mint({ uses: 1 }))
    expect([status, reason, headers.get('content-type')]).toEqual([503, 'unavailable', 'application/problem+json'])
    expect(headers.get('cache-control')).toBe('no-store')
    expect(JSON.parse(text)).toMatchObject({
      title: 'Service Unavailable',
      status: 503,
      detail: 'The server cannot check right now whether the link has been used; try again later.',
    })
    // A link without a number of uses needs no store.
    expect(await ask(guard(links, file, { store }), await mint())).toMatchObject({ status: 200 })
  })

  test('that fails: refuse is asked, too, and gets the error', async () => {
    const error = new Error('away')
    const seen: Refusal[] = []
    const refuse = (refusal: Refusal) => {
      seen.push(refusal)
      return new Response('{}', { status: refusal.status })
    }
    const fetch = guard(links, never, { store: { take: () => Promise.reject(error) }, refuse })
    expect(await ask(fetch, await mint({ uses: 1 }))).toMatchObject({ status: 503 })
    expect(seen).toEqual([{ ok: false, reason: 'unavailable', status: 503, error }])
  })
})

test.each<[string, () => unknown, string]>([
  ['no scheme', () => guard(undefined as never, never), 'scheme must be a scheme with its keys'],
  ['swapped arguments', () => guard(never as never, links as never), 'scheme must be a scheme with its keys'],
  ['no handler', () => guard(links, undefined as never), 'handler must be a function (request, claims) => Response'],
  ['options that are null', () => guard(links, never, null as never), 'options must be an object'],
  ['an address in place of a function', () => guard(links, never, { ip: '203.0.113.7' as never }), 'ip must be a function'],
  ['a store that is a promise', () => guard(links, never, { store: Promise.resolve() as never }), 'store must be an object with take('],
  ['a memory that is a number', () => guard(links, never, { memory: 100 as never }), 'memory must be made by linkMemory()'],
  ['a tolerance without a unit', () => guard(links, never, { tolerance: 60 as never }), 'tolerance must be a duration with its unit'],
  ['a date for now', () => guard(links, never, { now: new Date() as never }), 'now must be a function that returns a Date'],
  ['a list for revoked', () => guard(links, never, { revoked: [] as never }), 'revoked must be a function'],
  ['a refuse that is a text', () => guard(links, never, { refuse: 'no' as never }), 'refuse must be a function'],
  [
    'an unknown option',
    () => guard(links, never, { revoke: () => true } as never),
    "unknown option 'revoke'; guard() takes revoked, now, tolerance, memory, ip, store, refuse, words",
  ],
])('guard throws for %s', (_name, call, message) => {
  expect(call).toThrow(LinkError)
  expect(call).toThrow(expect.objectContaining({ code: 'bad_option', message: expect.stringContaining(message) }))
})

test('an unknown option of more than 40 characters is not named: it may be a secret', () => {
  const call = () => guard(links, never, { 'Zk3vQ8-0123456789abcdefghijklmnopqrstuvwxy': 1 } as never)
  expect(call).toThrow(expect.objectContaining({ message: expect.stringMatching(/^unknown option; guard\(\) takes revoked, /) }))
})
