// listener over real sockets: the Request that a fetch handler gets from node:http, and the answer that the client gets from the handler.
import { once } from 'node:events'
import { Agent, createServer, type Server, request as send } from 'node:http'
import http2 from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { listener } from '../../../src/node.ts'

type Handler = Parameters<typeof listener>[0]

const servers: Server[] = []

async function serve(handler: Handler): Promise<string> {
  const server = createServer(listener(handler)).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
  vi.restoreAllMocks()
})

/** Sends these bytes, and returns everything that comes back until the server closes. */
async function raw(origin: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.write(Buffer.from(text, 'latin1'))
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

/** The URL that the handler got for this target and this Host line, or the status. */
async function seen(target: string, host = 'Host: files.example'): Promise<string> {
  const origin = await serve((request) => new Response(`url=${request.url}`))
  const answer = await raw(origin, `GET ${target} HTTP/1.1\r\n${host}${host && '\r\n'}Connection: close\r\n\r\n`)
  return /url=\S+/.exec(answer)?.[0] ?? answer.slice(9, 12)
}

const nothing = () => undefined

/** A promise, and the function that resolves it. */
function signal<T = void>() {
  let settle: (value: T) => void = nothing
  const promise = new Promise<T>((resolve) => (settle = resolve))
  return { promise, resolve: settle }
}

test.each([
  ['/a/b.txt?x=1&y=%7e|^', 'url=http://files.example/a/b.txt?x=1&y=%7e|^'],
  ['/a//b', 'url=http://files.example/a//b'],
  ['/a?\\', 'url=http://files.example/a?\\'],
  // request-target.server.test.ts shows the files that these could open.
  ['//evil.example/x', '400'],
  ['///evil.example', '400'],
  ['/\\evil.example/x', '400'],
  ['/a/../b', '400'],
  ['/@evil.example', 'url=http://files.example/@evil.example'],
  ['/a%2Fb%2f%41', 'url=http://files.example/a%2Fb%2f%41'],
  ['/?', 'url=http://files.example/?'],
  ['/caf\xc3\xa9', '400'],
  ['http://other.example:81/x?y', '400'],
  ['http://user@other.example/x', '400'],
  ['ftp://other.example/x', '400'],
  ['*', '400'],
])('the target %s', async (target, expected) => {
  expect(await seen(target)).toBe(expected)
})

test.each([
  ['Host: files.example:8080', 'url=http://files.example:8080/x'],
  ['Host: [::1]:80', 'url=http://[::1]/x'],
  ['Host: 127.0.0.1', 'url=http://127.0.0.1/x'],
  ['', '400'],
  ['Host:', '400'],
  ['Host: files.example/evil', '400'],
  ['Host: user@files.example', '400'],
  ['Host: a b', '400'],
  ['Host: a,b', '400'],
  ['Host: files.example:99999', '400'],
  ['Host: files.example:x', '400'],
  ['Host: [::1', '400'],
  ['Host: files.example\r\nHost: other.example', '400'],
])('the header %s', async (host, expected) => {
  expect(await seen('/x', host)).toBe(expected)
})

test('requests of HTTP/2 are answered with 400', async () => {
  const server = http2.createServer(listener(() => new Response('never')) as never).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const [headers] = await once(client.request({ ':path': '/' }), 'response')
  expect(headers[':status']).toBe(400)
  client.destroy()
  server.close()
})

test('HTTP/1.0 without a Host is answered with 400', async () => {
  const origin = await serve(() => new Response('never'))
  expect(await raw(origin, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\n\r\nThe Host header, /)
})

test('a method that the class Request refuses is answered with 400', async () => {
  const origin = await serve(() => new Response('never'))
  expect(await raw(origin, 'TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
})

test('method, headers with all their values, and the address arrive', async () => {
  const origin = await serve((request, { remoteAddress }) =>
    Response.json([request.method, request.headers.get('x-many'), request.headers.get('cookie'), remoteAddress, request.body]),
  )
  const lines = 'Host: a\r\nX-Many: 1\r\nx-many: 2\r\nCookie: a=1\r\nCookie: b=2\r\nConnection: close\r\n\r\n'
  expect(await raw(origin, `DELETE / HTTP/1.1\r\n${lines}`)).toContain('["DELETE","1, 2","a=1; b=2","127.0.0.1",null]')
})

test('status, its text and headers arrive, each cookie on a line of its own', async () => {
  const headers = new Headers({ 'x-a': 'b' })
  headers.append('set-cookie', 'a=1; Path=/')
  headers.append('set-cookie', 'b=2')
  const origin = await serve(() => new Response('body', { status: 418, statusText: 'Short and stout', headers }))
  const response = await fetch(origin)
  expect([response.status, response.statusText, response.headers.get('x-a')]).toEqual([418, 'Short and stout', 'b'])
  expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2'])
  expect(await response.text()).toBe('body')
})

test('answers without a body', async () => {
  const origin = await serve((request) => new Response(null, { status: Number(new URL(request.url).pathname.slice(1)) }))
  for (const status of [200, 204, 304]) {
    const response = await fetch(`${origin}/${status}`)
    expect([response.status, await response.text()]).toEqual([status, ''])
  }
})

test('a body of one chunk has its length in the header, and a longer or slower one is sent in chunks', async () => {
  const encoder = new TextEncoder()
  // The DOM's types lack it.
  const streamFrom = (ReadableStream as unknown as { from(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): ReadableStream }).from
  const streamOf = (...chunks: string[]) => streamFrom(chunks.map((chunk) => encoder.encode(chunk)))
  const slow = async function* () {
    yield encoder.encode('caf')
    await wait(20)
    yield encoder.encode('\u00e9')
  }
  const bodies: Record<string, () => Response> = {
    '/text': () => new Response('caf\u00e9'),
    '/bytes': () => new Response(encoder.encode('caf\u00e9')),
    '/one': () => new Response(streamOf('caf\u00e9')),
    '/two': () => new Response(streamOf('caf', '\u00e9')),
    '/slow': () => new Response(streamFrom(slow())),
    '/empty': () => new Response(''),
  }
  const origin = await serve(({ url }) => bodies[new URL(url).pathname]?.() ?? new Response(null, { status: 404 }))
  const seen: Record<string, unknown> = {}
  for (const path of Object.keys(bodies)) {
    const response = await fetch(origin + path)
    seen[path] = [response.headers.get('content-length'), response.headers.get('transfer-encoding'), await response.text()]
  }
  const chunked = [null, 'chunked', 'caf\u00e9']
  const short = ['5', null, 'caf\u00e9']
  expect(seen).toEqual({ '/text': short, '/bytes': short, '/one': short, '/two': chunked, '/slow': chunked, '/empty': ['0', null, ''] })
})

test('HEAD gets the headers, and the body is cancelled', async () => {
  const cancelled = signal()
  const origin = await serve(
    (request) =>
      new Response(new ReadableStream({ cancel: () => cancelled.resolve() }), {
        headers: { 'content-length': '5', 'x-method': request.method },
      }),
  )
  const response = await fetch(origin, { method: 'HEAD' })
  expect([response.headers.get('content-length'), response.headers.get('x-method')]).toEqual(['5', 'HEAD'])
  expect(await response.text()).toBe('')
  await cancelled.promise
})

test('a body is streamed both ways while it is being sent', async () => {
  const origin = await serve((request) => new Response(request.body))
  const outgoing = send(origin, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
  outgoing.write('one')
  const [incoming] = await once(outgoing, 'response')
  const chunks = incoming[Symbol.asyncIterator]()
  expect(String((await chunks.next()).value)).toBe('one')
  outgoing.end('two')
  expect(String((await chunks.next()).value)).toBe('two')
  expect((await chunks.next()).done).toBe(true)
})

test('a body of 20 MB arrives whole and comes back whole', async () => {
  const body = new Uint8Array(20 << 20).map((_, i) => i % 251)
  const origin = await serve((request) => new Response(request.body))
  const answer = await (await fetch(origin, { method: 'PUT', body })).arrayBuffer()
  expect(Buffer.compare(Buffer.from(answer), body)).toBe(0)
})

test('the headers come before the first byte of a slow body', async () => {
  const first = signal<ReadableStreamDefaultController>()
  const origin = await serve(() => new Response(new ReadableStream({ start: (controller) => first.resolve(controller) })))
  const response = await fetch(origin)
  const controller = await first.promise
  controller.enqueue(new TextEncoder().encode('late'))
  controller.close()
  expect(await response.text()).toBe('late')
})

test('a client that does not read stops the body, and one that disconnects cancels it', async () => {
  let pulled = 0
  const cancelled = signal()
  const origin = await serve(
    ({ signal }) =>
      new Response(
        new ReadableStream({
          pull(controller) {
            pulled++
            controller.enqueue(new Uint8Array(1 << 16))
          },
          cancel: () => {
            expect(signal.aborted).toBe(true)
            cancelled.resolve()
          },
        }),
      ),
  )
  const socket = connect(Number(new URL(origin).port), '127.0.0.1').pause()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  for (let before = -1; before !== pulled || pulled === 0; ) {
    before = pulled
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  // The buffers of the kernel hold some megabytes; an endless body would have filled them many times over.
  expect(pulled).toBeLessThan(1000)
  socket.destroy()
  await cancelled.promise
})

test('a handler that does not read stops the upload', async () => {
  const origin = await serve(async (request) => {
    const reader = (request.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await new Promise(nothing)
    return new Response()
  })
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${200 << 20}\r\n\r\n`)
  socket.write(new Uint8Array(100 << 20))
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(socket.writableLength).toBeGreaterThan(0)
  expect(socket.bytesWritten - socket.writableLength).toBeLessThan(50 << 20)
  socket.destroy()
})

test('request.signal aborts when the client disconnects, and stderr stays empty', async () => {
  const error = vi.spyOn(console, 'error')
  const started = signal()
  const aborted = signal()
  const origin = await serve(({ signal }) => {
    started.resolve()
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => {
        aborted.resolve()
        reject(signal.reason)
      }),
    )
  })
  const leave = new AbortController()
  const answer = fetch(origin, { signal: leave.signal }).catch((error) => error.name)
  await started.promise
  leave.abort()
  expect(await answer).toBe('AbortError')
  await aborted.promise
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(error).not.toHaveBeenCalled()
})

test('request.signal does not abort after a complete answer', async () => {
  const signals: AbortSignal[] = []
  const origin = await serve((request) => {
    signals.push(request.signal)
    return new Response('all')
  })
  await (await fetch(origin)).text()
  await (await fetch(origin)).text()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
})

test('an upload that breaks off fails in the handler', async () => {
  const failed = signal<unknown>()
  const started = signal()
  const origin = await serve(async (request) => {
    started.resolve()
    await request.text().catch(failed.resolve)
    return new Response()
  })
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf')
  await started.promise
  socket.destroy()
  expect(await failed.promise).toBeInstanceOf(Error)
})

test.each<[string, Handler]>([
  ['throws', () => Promise.reject(new Error('broken'))],
  [
    'throws at once',
    () => {
      throw new Error('broken')
    },
  ],
  ['returns undefined', () => undefined as unknown as Response],
  [
    'returns a Response twice',
    (() => {
      const response = new Response('once')
      void response.text()
      return () => response
    })(),
  ],
  ['returns Response.error()', () => Response.error()],
  ['returns a header that Node does not send', () => new Response('x', { headers: { 'x-a': '1', 'x-b': '\x01' } })],
])('a handler that %s is answered with 500, and stderr has no URL', async (_, handler) => {
  const error = vi.spyOn(console, 'error').mockImplementation(nothing)
  const response = await fetch(`${await serve(handler)}/path?signature=secret`)
  expect([response.status, response.statusText, response.headers.get('x-a')]).toEqual([500, 'Internal Server Error', null])
  expect(await response.text()).toBe('The server failed to answer this request.\n')
  expect(error).toHaveBeenCalledOnce()
  expect(error.mock.calls[0]?.[0]).toBe('Answering a GET request failed:')
  expect(error.mock.calls[0]?.[1]).toBeInstanceOf(Error)
  expect(JSON.stringify(error.mock.calls)).not.toMatch(/secret|path/)
})

const broken = (chunks: number, delay: number) => {
  let count = 0
  return new ReadableStream({
    pull: async (controller) => {
      if (count++ < chunks) return controller.enqueue(new Uint8Array(9))
      if (delay) await wait(delay)
      controller.error(new Error('broken'))
    },
  })
}

test('a body that fails midway ends the connection, so that no client takes it for complete', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(nothing)
  const origin = await serve(() => new Response(broken(1, 30)))
  const response = await fetch(origin)
  expect(response.status).toBe(200)
  await expect(response.arrayBuffer()).rejects.toThrow()
  expect(error).toHaveBeenCalledOnce()
})

test('a body that fails right after its first bytes ends the connection, too', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(nothing)
  const origin = await serve(() => new Response(broken(1, 0)))
  await expect(fetch(origin).then((response) => response.arrayBuffer())).rejects.toThrow()
  expect(error).toHaveBeenCalledOnce()
})

test('a body that fails before its first bytes is answered with 500', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(nothing)
  const origin = await serve(() => new Response(broken(0, 0), { headers: { etag: '"1"' } }))
  const response = await fetch(origin)
  expect(response.status).toBe(500)
  expect(response.headers.get('etag')).toBeNull()
  expect(error).toHaveBeenCalledOnce()
})

test('requests follow each other on one connection, whether their bodies were read or not', async () => {
  const sockets = new Set<unknown>()
  const half = async (request: Request) => {
    const reader = request.body?.getReader()
    await reader?.read()
  }
  const origin = await serve(async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/half') await half(request)
    if (pathname === '/cancel') await request.body?.cancel()
    if (pathname === '/whole') await request.text()
    // Node's client keeps a connection after HEAD only when the length is known.
    return new Response(pathname, { headers: { 'content-length': `${pathname.length}` } })
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const path of ['/whole', '/half', '/cancel', '/none', '/whole', '/head', '/whole']) {
    const outgoing = send(origin + path, { agent, method: path === '/head' ? 'HEAD' : 'PUT' })
    outgoing.on('socket', (socket) => sockets.add(socket))
    outgoing.end(path === '/head' ? undefined : Buffer.alloc(300_000))
    const [incoming] = await once(outgoing, 'response')
    let text = ''
    for await (const chunk of incoming) text += chunk
    expect(text).toBe(path === '/head' ? '' : path)
  }
  expect(sockets.size).toBe(1)
  agent.destroy()
})

test('pipelined requests are answered in order', async () => {
  const origin = await serve(async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/1') await new Promise((resolve) => setTimeout(resolve, 50))
    return new Response(`<${pathname}>`)
  })
  const answer = await raw(origin, 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(answer.match(/<.*>/g)).toEqual(['</1>', '</2>'])
})

test('a pipelined request starts when the earlier ones are answered, and not at all when the client has disconnected', async () => {
  const started: string[] = []
  const first = signal()
  const aborted = signal()
  const origin = await serve(({ url, signal }) => {
    started.push(new URL(url).pathname)
    first.resolve()
    signal.addEventListener('abort', () => aborted.resolve())
    return new Response(new ReadableStream())
  })
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
  await first.promise
  socket.destroy()
  await aborted.promise
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(started).toEqual(['/1'])
})

test('answers Expect: 100-continue', async () => {
  const origin = await serve(async (request) => new Response(await request.text()))
  const outgoing = send(origin, { method: 'POST', headers: { expect: '100-continue', 'content-length': 4 } })
  outgoing.flushHeaders()
  await once(outgoing, 'continue')
  outgoing.end('body')
  const [incoming] = await once(outgoing, 'response')
  expect(String((await once(incoming, 'data'))[0])).toBe('body')
})
