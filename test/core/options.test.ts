// Every factory and every verb refuses unknown options, and wrong arguments get a sentence that names the remedy.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { cacheKey, expiresIn, fetchLink, freshLink, freshLinks, keepFresh, serverClock } from '../../src/client.ts'
import { cacheControl, confirm, guard } from '../../src/guard.ts'
import { anyOf, hmac, inspect, LinkError, redeem, type Scheme, sign, verify } from '../../src/index.ts'
import { signPlaylist } from '../../src/media.ts'
import { listener, middleware } from '../../src/node.ts'
import { bearer, pythonRoutes, renewal, service } from '../../src/service.ts'
import { denoKvStore } from '../../src/stores/deno-kv.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { schemes } from '../conformance/vectors/index.ts'

const secret = 'an-extremely-secret-secret-of-44-characters!'
const token = 'the-token-of-these-tests-0123456789-abcdef'
const links = hmac({ secret })
const link = await sign(links, 'https://cdn.example/private-folder/a.txt', { expires: '1h' })
const store = memoryStore()
const handler = () => new Response('the file')
const playlist = '#EXTM3U\n#EXTINF:4,\na.ts\n'

/** Calls a function as JavaScript without types does. */
// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are what is tested
const call = (called: any, ...values: unknown[]) => called(...values)

async function mistake(work: () => unknown): Promise<LinkError> {
  let answer: unknown
  try {
    answer = await work()
  } catch (error) {
    expect(error).toBeInstanceOf(LinkError)
    return error as LinkError
  }
  throw new Error(`nothing was thrown: ${answer}`)
}

describe('unknown options', () => {
  const TAKERS: [taker: string, work: (options: object) => unknown][] = [
    ['sign()', (options) => call(sign, links, '/a', { expires: '1h' }, options)],
    ['sign() with hmac links', (options) => call(sign, links, '/a', { expires: '1h', ...options })],
    ['verify()', (options) => call(verify, links, link, options)],
    ['redeem()', (options) => call(redeem, links, link, { store, ...options })],
    ['guard()', (options) => call(guard, links, handler, options)],
    ['confirm()', (options) => call(confirm, links, { store, redirect: '/', ...options })],
    ['cacheControl()', async (options) => call(cacheControl, await verify(links, link), options)],
    ['middleware()', (options) => call(middleware, links, options)],
    ['service()', (options) => call(service, links, { authorize: bearer(token), ...options })],
    ['renewal()', (options) => call(renewal, links, { authorize: () => true, conditions: { expires: '10m' }, ...options })],
    ['bearer()', (options) => call(bearer, token, options)],
    ['bearer()', (options) => call(bearer, [{ token, ...options }])],
    ['pythonRoutes()', (options) => call(pythonRoutes, service(links, { authorize: bearer(token) }), { scheme: links, ...options })],
    ['memoryStore()', (options) => call(memoryStore, options)],
    ['redisStore()', (options) => call(redisStore, { eval: () => 1 }, options)],
    ['denoKvStore()', (options) => call(denoKvStore, { atomic: () => undefined }, options)],
    ['expiresIn()', (options) => call(expiresIn, link, options)],
    ['serverClock()', (options) => call(serverClock, options)],
    ['freshLink()', (options) => call(freshLink, link, { renew: () => link, ...options })],
    ['freshLinks()', (options) => call(freshLinks, { renew: () => [link], ...options })],
    ['cacheKey()', (options) => call(cacheKey, link, options)],
    ['signPlaylist() with hmac links', (options) => call(signPlaylist, links, playlist, { base: '/', expires: '1h', ...options })],
  ]

  test.each(TAKERS)('%s refuses them, and lists the known ones', async (taker, work) => {
    const error = await mistake(() => work({ misspelt: true }))
    expect(error).toMatchObject({ code: 'bad_option', option: 'misspelt' })
    const [start, known = ''] = error.message.split(`; ${taker} takes `)
    expect(start).toBe("unknown option 'misspelt'")
    expect(known).toMatch(/^\w+(, \w+)*$/)
  })

  test('fetchLink passes the options of fetch on, and refuses names that are nearly its own', async () => {
    const fetch = async (_link: unknown, init: RequestInit) => Response.json(init)
    const response = await call(fetchLink, link, { fetch, credentials: 'omit', integrity: 'sha256-x' })
    expect(await response.json()).toEqual({ credentials: 'omit', integrity: 'sha256-x' })
    for (const option of ['renews', 'Renew', 'schema', 'clocks'])
      expect(await mistake(() => call(fetchLink, link, { fetch, [option]: () => link }))).toMatchObject({ code: 'bad_option', option })
  })

  // Factories of schemes that take options, found in the folder.
  const factories = schemes.filter(({ vectors: { scheme } }) => {
    const source = readFileSync(new URL(`../../src/schemes/${scheme}.ts`, import.meta.url), 'utf8')
    return /^export function [^{]*\boptions\b/m.test(source)
  })

  test.each(factories.map((entry) => [entry.vectors.scheme, entry] as const))('the factory of %s', async (_name, { make, vectors }) => {
    const [group] = vectors.testGroups
    const error = await mistake(() =>
      make(
        group?.keys.map(({ starts: _, expires: __, ...key }) => key),
        { ...group?.options, misspelt: true },
      ),
    )
    expect(error).toMatchObject({ code: 'bad_option', option: 'misspelt' })
    expect(error.message).toMatch(/^unknown option 'misspelt'; \w+\(\) takes \w+/)
  })

  test('there are factories with options', () => expect(factories.length).toBeGreaterThan(4))

  test('every scheme of the folder has vectors, so that no factory is left out', () => {
    const files = readdirSync(new URL('../../src/schemes/', import.meta.url)).filter((name) => name.endsWith('.ts'))
    expect(schemes.map(({ vectors }) => `${vectors.scheme}.ts`).sort()).toEqual(files.sort())
  })
})

/** A request of Node's own server, or of Express, which inherits from it. */
const nodeRequest = Object.assign(new IncomingMessage(new Socket()), { url: '/a.txt', originalUrl: '/a.txt', method: 'GET' })

const SCHEME_FIRST = 'scheme must be a scheme with its keys, such as hmac({ secret }), as the first argument'

describe('wrong arguments get a sentence that names the remedy', () => {
  const hour = { expires: '1h' }
  const now = new Date()
  const ROWS: [what: string, work: () => unknown, message: string][] = [
    ["sign('secret', url)", () => call(sign, secret, '/a'), SCHEME_FIRST],
    ['sign(url, conditions)', () => call(sign, '/a', hour), SCHEME_FIRST],
    ['sign(url, links, conditions)', () => call(sign, '/a', links, hour), SCHEME_FIRST],
    ['sign({ secret }, url)', () => call(sign, { secret }, '/a', hour), SCHEME_FIRST],
    ['sign(hmac, url)', () => call(sign, hmac, '/a', hour), SCHEME_FIRST],
    ['sign(links)', () => call(sign, links), 'url must be a string or a URL, as the second argument: sign(scheme, url, conditions)'],
    [
      'sign(links, conditions, url)',
      () => call(sign, links, hour, '/a'),
      'url must be a string or a URL, as the second argument: sign(scheme, url, conditions)',
    ],
    ['sign(links, url)', () => call(sign, links, '/a'), "conditions must be an object such as { expires: '10m' }"],
    ["sign(links, url, '1h')", () => call(sign, links, '/a', '1h'), "conditions must be an object such as { expires: '10m' }"],
    [
      'sign with now: new Date()',
      () => call(sign, links, '/a', hour, { now }),
      'now must be a function that returns a Date, such as () => new Date()',
    ],
    [
      'verify with now: new Date()',
      () => call(verify, links, link, { now }),
      'now must be a function that returns a Date, such as () => new Date()',
    ],
    ['verify(link)', () => call(verify, link), SCHEME_FIRST],
    ['verify(link, links)', () => call(verify, link, links), SCHEME_FIRST],
    ['verify(links)', () => call(verify, links), 'request must be a string, a URL or a Request'],
    [
      'verify with a link that was not awaited',
      () => call(verify, links, sign(links, '/a', { expires: '1h' })),
      'request must be a string, a URL or a Request; await the promise first',
    ],
    [
      'verify with a request of Node or Express',
      () => call(verify, links, nodeRequest),
      'request must be a string, a URL or a Request; for requests of Node and Express use securelink/node',
    ],
    [
      'redeem with a request of Node or Express',
      () => call(redeem, links, nodeRequest, { store }),
      'request must be a string, a URL or a Request; for requests of Node and Express use securelink/node',
    ],
    ['redeem(links, link)', () => call(redeem, links, link), 'store must be an object with take(id, until, uses), such as memoryStore()'],
    [
      'redeem(links, link, store)',
      () => call(redeem, links, link, store),
      'store must be an object with take(id, until, uses), such as memoryStore()',
    ],
    [
      'redeem with memoryStore itself',
      () => call(redeem, links, link, { store: memoryStore }),
      'store must be an object with take(id, until, uses), such as memoryStore()',
    ],
    ['inspect(link)', () => call(inspect, link), SCHEME_FIRST],
    ['inspect(link, links)', () => call(inspect, link, links), SCHEME_FIRST],
    ['inspect(links)', () => call(inspect, links), 'url must be a string or a URL, as the second argument: inspect(scheme, url)'],
    ['anyOf([a, b])', () => call(anyOf, [links, links]), SCHEME_FIRST],
    ["hmac('secret')", () => call(hmac, secret), 'keys must be an object such as { id, secret }, or a list of such objects'],
    ["hmac(['secret'])", () => call(hmac, [secret]), 'keys must be an object such as { id, secret }, or a list of such objects'],
    ['hmac()', () => call(hmac), 'keys must be an object such as { id, secret }, or a list of such objects'],
    ['guard(handler, links)', () => call(guard, handler, links), SCHEME_FIRST],
    ['guard(links)', () => call(guard, links), 'handler must be a function (request, claims) => Response, as the second argument'],
    [
      'createServer(guard(…)): called without a response',
      () => call(guard(links, handler), nodeRequest),
      'request must be a Request; on Node, write createServer(listener(guard(…))), and with Express app.use(middleware(links)), both from securelink/node',
    ],
    ['cacheControl(verify(…)) without await', () => call(cacheControl, verify(links, link)), 'verdict must be '],
    ['keepFresh without an element', () => call(keepFresh, undefined, link, { renew: handler }), 'element must be '],
  ]

  test.each(ROWS)('%s', async (_what, work, message) => {
    const error = await mistake(work)
    expect(error.code).toBe('bad_option')
    if (message.endsWith(' ')) expect(error.message.startsWith(message), error.message).toBe(true)
    else expect(error.message).toBe(message)
    expect(error.message.startsWith(`${error.option} must be `)).toBe(true)
    for (const text of [secret, 'private-folder', 'signature=']) expect(`${error}`).not.toContain(text)
  })

  // A server that is put together in the wrong way answers, and does not leave the client waiting.
  test.each<[string, unknown]>([
    ['createServer(guard(…))', guard(links, handler)],
    ['createServer(confirm(…))', confirm(links, { store, redirect: '/' })],
    ['createServer(middleware(…))', middleware(links)],
  ])('%s answers 500', async (_what, wrong) => {
    const { error } = console
    const printed: unknown[] = []
    console.error = (value: unknown) => printed.push(value)
    const server = createServer(wrong as Parameters<typeof createServer>[1])
    try {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as { port: number }
      expect((await fetch(`http://127.0.0.1:${port}/a.txt`)).status).toBe(500)
      expect(`${printed}`).toMatch(/^LinkError: \w+ must be .*(listener|without a framework write)/)
    } finally {
      console.error = error
      server.closeAllConnections()
      server.close()
    }
  })

  test('listener(links)', async () => {
    expect(await mistake(() => call(listener, links))).toMatchObject({
      option: 'handler',
      message: 'handler must be a fetch handler, such as guard(links, handler)',
    })
  })
})

test('the schemes of anyOf are checked, too', async () => {
  const error = await mistake(() => anyOf(links, { secret } as unknown as Scheme))
  expect(error).toMatchObject({ code: 'bad_option', option: 'scheme' })
})
