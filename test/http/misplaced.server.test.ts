// Handlers that were put where they do not fit: createServer(guard(…)) and others. Each request ends, and the programmer reads what to write instead.
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { confirm, guard } from '../../src/guard.ts'
import { hmac, LinkError, sign, verify } from '../../src/index.ts'
import { listener, middleware } from '../../src/node.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const file = () => new Response('the file')
const invite = () => confirm(links, { store: memoryStore(), handler: file })
const closing: (() => unknown)[] = []
// Errors that nothing catches would end the process.
const uncaught: unknown[] = []
const note = (error: unknown) => void uncaught.push(error)
let stderr: unknown[] = []

beforeEach(() => {
  stderr = []
  vi.spyOn(console, 'error').mockImplementation((...values) => void stderr.push(...values))
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const close of closing.splice(0)) await close()
  process.off('unhandledRejection', note)
  expect(uncaught.splice(0)).toEqual([])
})

async function serving(handler: RequestListener): Promise<string> {
  const server: Server = createServer(handler).listen(0, '127.0.0.1')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Opens a valid link. A request that hangs fails. */
async function open(origin: string): Promise<Response> {
  return fetch(await sign(links, `${origin}/a.txt`, { expires: '10m' }), { signal: AbortSignal.timeout(5000) })
}

/** What a programmer has seen: on stderr, or in the error handler of the framework. */
const told = () => stderr.map((value) => (value instanceof LinkError ? `${value.option}: ${value.message}` : `${value}`)).join('\n')

const anyway = (handler: unknown) => handler as RequestListener

test.each<[string, RequestListener, RegExp]>([
  [
    'createServer(guard(…))',
    anyway(guard(links, file)),
    /request must be a Request; on Node, write createServer\(listener\(guard\(…\)\)\)/,
  ],
  ['createServer(confirm(…))', anyway(invite()), /request must be a Request; on Node, write createServer\(listener\(confirm\(…\)\)\)/],
  ['createServer(middleware(links))', anyway(middleware(links)), /next must be a function .*; without a framework write createServer\(/],
  ['listener(middleware(links))', listener(middleware(links) as never), /req and res must be the request and the response of node:http;/],
  ['listener(app) with an Express app', listener(express() as never), /^Answering a GET request failed:/],
  ['listener(handler) without an answer', listener((() => undefined) as never), /handler must return a Response;/],
  ['a guarded handler without an answer', listener(guard(links, (() => undefined) as never)), /handler must return a Response;/],
])('%s: 500, and stderr names the remedy', async (_name, handler, sentence) => {
  const answer = await open(await serving(handler))
  expect([answer.status, await answer.text()]).toEqual([500, 'The server failed to answer this request.\n'])
  expect([answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual(['text/plain; charset=utf-8', 'no-store'])
  expect(told()).toMatch(sentence)
  expect(told()).not.toMatch(/signature=|0123456789abcdef/)
})

test.each<[string, (app: express.Express) => unknown, RegExp]>([
  ['app.use(guard(…))', (app) => app.use(guard(links, file) as never), /request must be a Request; .*app\.use\(middleware\(links\)\)/],
  [
    'app.all(path, confirm(…))',
    (app) => app.all('/a.txt', invite() as never),
    /request must be a Request; .*app\.all\(path, listener\(confirm\(…\)\)\)/,
  ],
  [
    'verify(links, req)',
    (app) => app.use((req, res) => verify(links, req as never).then(() => res.end('no error'))),
    /request must be a string, a URL or a Request; for requests of Node and Express use securelink\/node/,
  ],
])('Express: %s: 500, and the error handler gets the remedy', async (_name, mount, sentence) => {
  const app = express()
  mount(app)
  app.use((error: Error, _req: unknown, res: express.Response, _next: unknown) => {
    stderr.push(error)
    res.status(500).end('handled')
  })
  const answer = await open(await serving(app))
  expect([answer.status, await answer.text()]).toEqual([500, 'handled'])
  expect(told()).toMatch(sentence)
})

test.each<[string, (app: Hono) => unknown, RegExp]>([
  [
    'app.use(guard(…))',
    (app) => app.use(guard(links, file) as never),
    /request must be a Request; with Hono, call guard\(…\)\(c\.req\.raw\)/,
  ],
  ['app.use(middleware(links))', (app) => app.use(middleware(links) as never), /with Hono use guard\(links, handler\)/],
])('Hono: %s: 500, and the error handler gets the remedy', async (_name, mount, sentence) => {
  const app = new Hono()
  mount(app)
  app.onError((error, c) => {
    stderr.push(error)
    return c.text('handled', 500)
  })
  const answer = await open(await serving(listener((request) => app.fetch(request))))
  expect([answer.status, await answer.text()]).toEqual([500, 'handled'])
  expect(told()).toMatch(sentence)
})

test.each<[string, (app: ReturnType<typeof fastify>) => unknown, RegExp]>([
  ['get(path, guard(…))', (app) => app.get('/a.txt', guard(links, file) as never), /request must be a Request;/],
  [
    'preHandler: middleware(links)',
    (app) => app.get('/a.txt', { preHandler: middleware(links) as never }, () => 'the file'),
    /with Fastify register @fastify\/middie/,
  ],
])('Fastify: %s: 500, and the error handler gets the remedy', async (_name, mount, sentence) => {
  const app = fastify()
  mount(app)
  app.setErrorHandler((error, _request, reply) => {
    stderr.push(error)
    return reply.status(500).send('handled')
  })
  closing.push(() => app.close())
  const answer = await open(await app.listen({ port: 0, host: '127.0.0.1' }))
  expect([answer.status, await answer.text()]).toEqual([500, 'handled'])
  expect(told()).toMatch(sentence)
})

test('a Request is wanted, and nothing can be answered: the promise fails', async () => {
  for (const wrong of [
    undefined,
    null,
    'https://files.example/a.txt',
    new URL('https://files.example/a.txt'),
    { url: '/a.txt', headers: {} },
  ])
    await expect(guard(links, file)(wrong as never)).rejects.toThrow('request must be a Request; ')
})

test.each<[string, () => unknown, string]>([
  ['listener()', () => listener(undefined as never), 'handler must be a fetch handler, such as guard(links, handler)'],
  ['listener(links)', () => listener(links as never), 'handler must be a fetch handler'],
  ['middleware()', () => middleware(undefined as never), 'scheme must be a scheme with its keys'],
  ['middleware(handler)', () => middleware(file as never), 'scheme must be a scheme with its keys'],
  [
    'middleware(links, handler)',
    () => middleware(links, { handler: file } as never),
    "unknown option 'handler'; middleware() takes revoked,",
  ],
])('%s throws', (_name, call, message) => {
  expect(call).toThrow(LinkError)
  expect(call).toThrow(message)
})
