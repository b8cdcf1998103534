// guard and cacheControl in process: each refusal, each header of a prefetch, and what caches are told.
import { describe, expect, test } from 'vitest'
import { cacheControl, guard } from '../../src/guard.ts'
import { type Claims, hmac, LinkError, type Scheme, sign, type UseStore, verify } from '../../src/index.ts'
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
  test('and hands over the request, the claims and whatever the runtime has', async () => {
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

  test('what the handler throws, it throws', async () => {
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
  test('a link that was revoked: 410, the handler does not run, and no use is consumed', async () => {
    const taken: string[] = []
    const store: UseStore = { take: (id) => taken.push(id) > 0 }
    const asked: Claims[] = []
    const revoked = (claims: Claims) => asked.push(claims) > 0
    const fetch = guard(links, never, { store, revoked })
    expect(await ask(fetch, await mint({ uses: 1, id: 'u-7' }))).toMatchObject({ status: 410, reason: 'revoked' })
    expect(asked).toMatchObject([{ id: 'u-7', resource: URL_OF_FILE }])
    expect(taken).toEqual([])
    // Only a link that is valid otherwise is asked for.
    expect(await ask(fetch, (await mint()).replace('b.txt', 'c.txt'))).toMatchObject({ reason: 'bad_signature' })
    expect(asked).toHaveLength(1)
  })

  test.each([
    [undefined, 'GET, HEAD'],
    ['GET', 'GET, HEAD'],
    [['PUT', 'GET'], 'GET, HEAD, PUT'],
    ['POST', 'POST'],
  ])('another method than %s, and says which ones there are', async (method, allow) => {
    const { status, reason, headers } = await ask(guard(links, never), await mint(method && { method }), { method: 'DELETE' })
    expect([status, reason, headers.get('allow')]).toEqual([405, 'wrong_method', allow])
  })

  test('with a problem document that is not cached, and HEAD without it', async () => {
    const fetch = guard(links, never)
    const { headers, text } = await ask(fetch, URL_OF_FILE)
    expect(Object.fromEntries(headers)).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    expect(JSON.parse(text)).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail: 'This address opens with a signed link only.',
      reason: 'unsigned',
    })
    expect(await ask(fetch, URL_OF_FILE, { method: 'HEAD' })).toMatchObject({ status: 403, text: '' })
  })

  test('with the status of the scheme, where it has one of its own', async () => {
    const other: Scheme = { ...links, status: { unsigned: 410, malformed: 418 } }
    const { status, text } = await ask(guard(other, never), URL_OF_FILE)
    expect([status, JSON.parse(text).title]).toEqual([410, 'Gone'])
    const odd = await ask(guard(other, never), `${URL_OF_FILE}#x`)
    expect([odd.status, JSON.parse(odd.text).title]).toEqual([418, 'Refused'])
  })

  test('in words of your own', async () => {
    const fetch = guard(links, never, { refuse: ({ reason }, request) => new Response(`${request.method} ${reason}`, { status: 404 }) })
    const answer = await fetch(new Request(URL_OF_FILE))
    expect([answer.status, await answer.text()]).toEqual([404, 'GET unsigned'])
    // A fragment is not part of a request; see below.
    expect(await (await fetch(new Request(`${await mint()}#x`))).text()).toBe('GET malformed')
  })

  // A runtime that reads the request line with a URL parser resolves `..` by itself. It leaves these, and passes a `#` on.
  test.each([
    'b.txt?QUERY#',
    'b.txt?QUERY#&c=2&a=3',
    'b.txt#?QUERY',
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

describe('guard with a store', () => {
  const file = () => new Response('the file')

  test('a visit consumes a use, and without a store no visit does', async () => {
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

  test('headers that only look like those of a prefetch do not keep a visit out', async () => {
    const headers = { 'sec-purpose': 'navigate', 'x-prefetch': 'prefetch', 'sec-fetch-mode': 'navigate' }
    expect(await ask(guard(links, file, { store: memoryStore() }), await mint({ uses: 1 }), { headers })).toMatchObject({ status: 200 })
  })

  test('a prefetch of a link without a number of uses opens it', async () => {
    const fetch = guard(links, file, { store: memoryStore() })
    expect(await ask(fetch, await mint(), { headers: { purpose: 'prefetch' } })).toMatchObject({ status: 200 })
  })

  test('that is down: 503, the handler does not run, and HEAD has no body', async () => {
    const store: UseStore = { take: () => Promise.reject(new Error('away')) }
    const { status, headers, text } = await ask(guard(links, never, { store }), await mint({ uses: 1 }))
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([503, 'application/problem+json', 'no-store'])
    expect(JSON.parse(text)).toMatchObject({ title: 'Service Unavailable', status: 503 })
    // A link without a number of uses needs no store.
    expect(await ask(guard(links, file, { store }), await mint())).toMatchObject({ status: 200 })
  })
})

test.each<[string, () => unknown]>([
  ['no scheme', () => guard(undefined as never, never)],
  ['no handler', () => guard(links, undefined as never)],
  ['an address in place of a function', () => guard(links, never, { ip: '203.0.113.7' as never })],
  ['an option that there is not', () => guard(links, never, { revoke: () => true } as never)],
])('guard throws for %s', (_name, call) => {
  expect(call).toThrow(LinkError)
  expect(call).toThrow(expect.objectContaining({ code: 'bad_option' }))
})

test('an unknown option is named only where it looks like a name: others may be secrets', () => {
  const named = (name: string) => {
    try {
      guard(links, never, { [name]: 1 } as never)
    } catch (error) {
      return String(error)
    }
    return ''
  }
  expect(named('revoke')).toContain("'revoke'")
  for (const secret of ['a-token-of-32-characters-or-more-Zk3vQ8', 'Zk3vQ81xLw', 'AbcdefghijklmnopqrstuvwxyzAbcdef'])
    expect(named(secret)).toMatch(/^LinkError: guard has no such option/)
})

describe('cacheControl', () => {
  const now = () => new Date('2030-01-01T12:00:00.500Z')
  const claims = (more: object = {}): Claims => ({ resource: '/x', expires: new Date('2030-01-01T12:10:00Z'), ...more })

  test.each<[string, object, object, string]>([
    ['as long as the link lives, rounded down', {}, {}, 'private, max-age=599'],
    ['shared caches, if asked for', {}, { shared: true }, 'public, max-age=599'],
    ['a link that is bound to an address stays private', { ip: '/24' }, { shared: true }, 'private, max-age=599'],
    ['no longer than max', {}, { max: '1m' }, 'private, max-age=60'],
    ['max is rounded down', {}, { max: '1.999s' }, 'private, max-age=1'],
    ['a max beyond the link does not prolong it', {}, { max: '1d' }, 'private, max-age=599'],
    ['a max of nothing', {}, { max: '0s' }, 'no-store'],
    ['a link with a number of uses', { uses: 5 }, { shared: true }, 'no-store'],
    ['a link that has just expired', { expires: now() }, {}, 'no-store'],
    ['a link with less than a second left', { expires: new Date(+now() + 999) }, {}, 'no-store'],
    ['a link with one second left', { expires: new Date(+now() + 1000) }, {}, 'private, max-age=1'],
  ])('%s', (_name, more, options, expected) => {
    expect(cacheControl(claims(more), { now, ...options })).toBe(expected)
  })

  test('of verdicts', async () => {
    const link = await sign(links, URL_OF_FILE, { expires: '10m', ip: '203.0.113.0/24' }, { now })
    const verdict = await verify(links, link, { now, ip: '203.0.113.7' })
    expect(verdict.ok).toBe(true)
    expect(cacheControl(verdict, { now, shared: true })).toBe('private, max-age=600')
    expect(cacheControl(await verify(links, link, { now }), { now })).toBe('no-store')
    expect(cacheControl(await verify(links, URL_OF_FILE), { now, shared: true })).toBe('no-store')
  })

  test('by the clock of this machine', () => {
    expect(cacheControl(claims({ expires: new Date(Date.now() + 3_600_500) }), { max: '59m' })).toBe('private, max-age=3540')
    expect(cacheControl(claims({ expires: new Date(0) }))).toBe('no-store')
  })

  test.each<[unknown, object?]>([
    [Promise.resolve()],
    [undefined],
    ['https://files.example/a.txt?signature=secret'],
    [claims(), { max: 60 }],
    [claims(), { now: () => 0 }],
  ])('%s, %j is a mistake, and nothing of it is repeated', (given, options) => {
    expect(() => cacheControl(given as never, options as never)).toThrow(LinkError)
    expect(() => cacheControl(given as never, options as never)).toThrow(expect.not.stringContaining('secret') as never)
  })
})
