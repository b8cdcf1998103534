// middleware in Express 5, Fastify 5 and Polka, and the guard in Hono: a folder behind signed links, over real sockets.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request as send } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { GuardOptions } from '../../../src/guard.ts'
import { hmac, type Scheme, sign, type UseStore } from '../../../src/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { frameworks, underToken } from './frameworks.mjs'

type Started = { port: number; close(): unknown }
type Start = (folder: string, links: Scheme, options: GuardOptions) => Promise<Started>

const folder = mkdtempSync(join(tmpdir(), 'securelink-frameworks-'))
mkdirSync(join(folder, 'other'))
writeFileSync(join(folder, 'a b.txt'), '0123456789')
writeFileSync(join(folder, 'b.txt'), 'another file')
writeFileSync(join(folder, 'secret.txt'), 'behind the door')
writeFileSync(join(folder, 'other/c.txt'), 'the third')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const links = hmac({ id: 'k', secret: '0123456789abcdef0123456789abcdef' })
const real = memoryStore()
let down = false
const store: UseStore = {
  take(...use) {
    if (down) throw new Error('away')
    return real.take(...use)
  },
}

/** Sends a target as it is, not normalised. */
function raw(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
  return new Promise((resolve, reject) => {
    const request = send({ host: '127.0.0.1', port, path, method, headers, agent: false }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
    })
    request.on('error', reject)
    request.end(body)
  })
}

describe.each(Object.entries(frameworks) as [string, Start][])('%s', (name, start) => {
  let started: Started
  beforeAll(async () => {
    started = await start(folder, links, { store })
  })
  afterAll(() => started.close())

  const get = (path: string, headers?: Record<string, string>, method?: string, body?: string) =>
    raw(started.port, path, headers, method, body)
  const link = (path: string, more: object = {}) => sign(links, path, { expires: '10m', ...more })

  test('a valid link opens its file, and no other', async () => {
    const path = await link('/files/a%20b.txt?download=1')
    expect(await get(path)).toMatchObject({ status: 200, text: '0123456789' })
    const query = path.slice(path.indexOf('?'))
    expect(await get(`/files/b.txt${query}`)).toMatchObject({ status: 403 })
    expect(await get(path.replace('download=1', 'download=2'))).toMatchObject({ status: 403 })
    const plain = await get('/files/a%20b.txt')
    expect(plain).toMatchObject({ status: 403, headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' } })
    expect(JSON.parse(plain.text).reason).toBe('unsigned')
    const old = await sign(links, '/files/b.txt', { expires: new Date(1_600_000_000_000) }, { now: () => new Date(1_500_000_000_000) })
    expect(await get(old)).toMatchObject({ status: 410 })
    expect(await get(await link('/files/none.txt'))).toMatchObject({ status: 404 })
  })

  test('parts of a file, and HEAD', async () => {
    const path = await link('/files/a%20b.txt')
    expect(await get(path, { range: 'bytes=2-5' })).toMatchObject({
      status: 206,
      text: '2345',
      headers: { 'content-range': 'bytes 2-5/10' },
    })
    expect(await get('/files/a%20b.txt', { range: 'bytes=2-5' })).toMatchObject({ status: 403 })
    expect(await get(path, {}, 'HEAD')).toMatchObject({ status: 200, text: '' })
    expect(await get('/files/b.txt', {}, 'HEAD')).toMatchObject({ status: 403, text: '' })
    expect(await get(path, {}, 'DELETE')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  })

  test('a folder, and no way out of it', async () => {
    const path = await link('/files/other/', { prefix: '/files/other/' })
    const query = path.slice(path.indexOf('?'))
    expect(await get(`/files/other/c.txt${query}`)).toMatchObject({ status: 200, text: 'the third' })
    for (const way of ['../secret.txt', '%2e%2e/secret.txt', '..%2fsecret.txt', '..%5csecret.txt', '/../secret.txt', './../secret.txt'])
      expect((await get(`/files/other/${way}${query}`)).text, way).not.toBe('behind the door')
    expect((await get(`/files/b.txt${query}`)).status).toBe(403)
  })

  test('a link for a path elsewhere opens nothing here, however it is spelled', async () => {
    const path = await link('/secret.txt')
    const query = path.slice(path.indexOf('?'))
    for (const way of ['/files/../secret.txt', '/files/%2e%2e/secret.txt', '/files/./../secret.txt', '//files/../../secret.txt']) {
      const { status, text } = await get(way + query)
      expect([status >= 400, text === 'behind the door'], way).toEqual([true, false])
    }
  })

  test('paths that servers read in different ways are answered with 400', async () => {
    // To RFC 3986 the first is /files/b.txt, and to servers that merge slashes it is /b.txt.
    const path = await link('/files/b.txt')
    const query = path.slice(path.indexOf('?'))
    for (const way of [
      '/files//../b.txt',
      '/files/./b.txt',
      '/files/x/../b.txt',
      '/files/x/..;/b.txt',
      '/files/%252e%252e/b.txt',
      '/files/%25%32%65%25%32%65/b.txt',
    ])
      expect((await get(way + query)).status, way).toBe(400)
    expect((await get(`/files/%62.txt${query}`)).text).toBe('another file')
  })

  test('links for an address', async () => {
    expect(await get(await link('/files/b.txt', { ip: '127.0.0.0/8' }))).toMatchObject({ status: 200 })
    expect(await get(await link('/files/b.txt', { ip: '203.0.113.7' }))).toMatchObject({ status: 403 })
    // Clients can send any header. Only Express was told to trust the one of this proxy.
    const told = await get(await link('/files/b.txt', { ip: '203.0.113.7' }), { 'x-forwarded-for': '203.0.113.7' })
    expect(told.status).toBe(name === 'express' ? 200 : 403)
  })

  test('links with a number of uses', async () => {
    const path = await link('/files/b.txt', { uses: 1 })
    expect(await get(path, {}, 'HEAD')).toMatchObject({ status: 403 })
    down = true
    expect(await get(path)).toMatchObject({ status: 503 })
    down = false
    expect(await get(path)).toMatchObject({ status: 200, text: 'another file' })
    expect(await get(path)).toMatchObject({ status: 410 })
  })

  test('the claims and the URL that the next handler gets', async () => {
    const path = await link('/who?b=2&a=1', { id: 'u-7' })
    const { claims, url, originalUrl } = JSON.parse((await get(path)).text)
    expect(claims).toMatchObject({ id: 'u-7', keyId: 'k' })
    if (name === 'hono') return
    // Without the path of the mount, as the framework has it, and without the link's parameters.
    expect(url).toBe(name === 'fastify' ? url : '/?a=1&b=2')
    if (name !== 'fastify') expect(originalUrl).toBe(path)
  })

  test('the body is left for the handler', async () => {
    const path = await link('/body', { method: 'POST' })
    const text = JSON.stringify({ text: 'x'.repeat(50_000) })
    expect(await get(path, { 'content-type': 'application/json' }, 'POST', text)).toMatchObject({ status: 200, text })
    expect(await get('/body', { 'content-type': 'application/json' }, 'POST', text)).toMatchObject({ status: 403 })
  })

  test('a Host header that makes no URL', async () => {
    const spy = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    expect((await get(await link('/files/b.txt'), { host: 'a b' })).status).toBe(400)
    expect(spy).not.toHaveBeenCalled()
    spy.mockRestore()
  })
})

test('a token in the path, where the framework takes the token for the mount', async () => {
  const inPath = hmac({ secret: '0123456789abcdef0123456789abcdef' }, { placement: 'path' })
  const { port, close }: Started = await underToken(folder, inPath)
  const path = await sign(inPath, '/other/', { expires: '10m', prefix: '/other/' })
  const token = path.slice(0, path.indexOf('/', 1))
  expect(await raw(port, `${token}/other/c.txt`)).toMatchObject({ status: 200, text: 'the third' })
  // As long as the token, so that cutting by its length would leave another file.
  const long = 'x'.repeat(token.length - '/other/'.length)
  expect(await raw(port, `${token}/other/${long}/secret.txt`)).toMatchObject({ status: 404 })
  close()
})
