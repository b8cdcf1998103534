// req.url behind middleware, in Express: the proved URL, even for links that cover only a part of it.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { anyOf, hmac, type Scheme, sign } from '../../../src/index.ts'
import { middleware } from '../../../src/node.ts'
import { type NginxOptions, nginx } from '../../../src/schemes/nginx.ts'
import { pichax } from '../../../src/schemes/pichax.ts'

const key = { secret: '0123456789abcdef0123456789abcdef' }
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

type Handler = (req: { url: string }, res: { end(text: string): void }, next: () => void) => void

/** `req.url` behind a middleware that is mounted at a path, or its status. */
async function urlBehind(scheme: Scheme, target: string, mount = '/', inFront: Handler = (_req, _res, next) => next()): Promise<string> {
  const app = express()
    .use(inFront)
    .use(mount, middleware(scheme), ((req, res) => res.end(req.url)) as Handler)
  const server = createServer(app).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${target}`)
  return answer.ok ? answer.text() : `${answer.status}`
}

const signed = async (scheme: Scheme, url: string, more: object = {}) => sign(scheme, url, { expires: '10m', ...more } as never)
const nginxWith = (options: NginxOptions) => nginx(key, options as never) as unknown as Scheme
const mounts = ['/', '/hls'] as const
const at = (mount: string, path: string) => (mount === '/' ? path : path.slice(mount.length))

describe.each(mounts)('mounted at %s', (mount) => {
  test.each<[string, Scheme, string, string]>([
    ['hmac: path and query', hmac(key), '/hls/a%20b.txt?b=2&a=1', '/hls/a%20b.txt?a=1&b=2'],
    ['hmac: ignored parameters are left out', hmac(key, { ignore: ['utm_*'] }), '/hls/a?utm_x=1&a=1', '/hls/a?a=1'],
    ['pichax: no link parameters', pichax({ id: 'k', secret: 'secret' }) as Scheme, '/hls/a.png?w=1', '/hls/a.png?w=1'],
    [
      'nginx: arguments that are not covered are left out',
      nginxWith({ expression: '$secure_link_expires$uri $secret' }),
      '/hls/a?b=1',
      '/hls/a',
    ],
    [
      'nginx: one argument is covered',
      nginxWith({ expression: '$secure_link_expires$uri|$arg_b $secret' }),
      '/hls/a?c=2&b=1',
      '/hls/a?b=1',
    ],
    ['nginx: slashes are merged, as they are signed', nginxWith({ expression: '$secure_link_expires$uri $secret' }), '/hls//a', '/hls/a'],
    ['nginx: the path is not covered', nginxWith({ expression: '$secure_link_expires $secret' }), '/hls/a%20b.ts?b=1', '/hls/a%20b.ts'],
    ['nginx: bytes that are not text', nginxWith({ expression: '$secure_link_expires$uri $secret' }), '/hls/%ff%41', '/hls/%FFA'],
  ])('%s', async (_name, scheme, url, expected) => {
    const own = scheme.name === 'pichax' ? { id: 'u' } : {}
    expect(await urlBehind(scheme, await signed(scheme, url, own), mount)).toBe(at(mount, expected))
  })

  test.each<[string, NginxOptions]>([
    ['with its location', { expression: '$secure_link_expires$rest $secret', placement: 'path', location: '/hls/' }],
    ['without its location', { expression: '$secure_link_expires$rest $secret', placement: 'path' }],
    ['whose path is not covered', { expression: '$secure_link_expires $secret', placement: 'path', location: '/hls/' }],
  ])('nginx: a token in the path, %s', async (_name, options) => {
    const scheme = nginxWith(options)
    const link = await signed(scheme, '/hls/a/b.ts?c=1')
    expect(link).toMatch(/^\/hls\/[\w-]{22}\/\d+\/a\/b\.ts/)
    expect(await urlBehind(scheme, link, mount)).toBe(at(mount, '/hls/a/b.ts'))
    expect(await urlBehind(anyOf(hmac(key), scheme), link, mount)).toBe(at(mount, '/hls/a/b.ts'))
    // The scheme that signed the link takes its token out of the path, also where a client makes it look like a link of the other scheme.
    const disguised = `${link}&expires=1900000000&signature=${'A'.repeat(43)}`
    expect(await urlBehind(anyOf(hmac(key), scheme), disguised, mount)).toBe(at(mount, '/hls/a/b.ts'))
    const another = nginxWith({ expression: '$secure_link_expires$uri $secret' })
    for (const target of [link, `${link}&md5=${'A'.repeat(22)}&expires=1900000000`])
      expect(await urlBehind(anyOf(another, scheme), target, mount)).toBe(at(mount, '/hls/a/b.ts'))
  })
})

test('hmac: a token in the path, before the mount and in its place', async () => {
  const scheme = hmac(key, { placement: 'path' })
  const link = await signed(scheme, '/hls/a.ts')
  expect(await urlBehind(scheme, link)).toBe('/hls/a.ts')
  expect(await urlBehind(scheme, link, '/:token')).toBe('/hls/a.ts')
  expect(await urlBehind(scheme, link, '/:token/hls')).toBe('/a.ts')
})

test('a path that is not covered can be exchanged, as with NGINX; one that is covered cannot', async () => {
  const open = nginxWith({ expression: '$secure_link_expires $secret' })
  const whole = nginxWith({ expression: '$secure_link_expires$uri $secret' })
  expect(await urlBehind(open, (await signed(open, '/a.txt')).replace('a.txt', 'b.txt'))).toBe('/b.txt')
  expect(await urlBehind(whole, (await signed(whole, '/a.txt')).replace('a.txt', 'b.txt'))).toBe('403')
})

test('behind a handler that rewrites req.url, its path and the covered query', async () => {
  const rewrite: Handler = (req, _res, next) => {
    req.url = req.url.replace(/^\/old\//, '/new/files/')
    next()
  }
  const scheme = hmac(key, { ignore: ['utm_*'] })
  expect(await urlBehind(scheme, await signed(scheme, '/old/a.txt?utm_x=1&b=2'), '/', rewrite)).toBe('/new/files/a.txt?b=2')
  expect(await urlBehind(scheme, await signed(scheme, '/old/a.txt?utm_x=1&b=2'), '/new', rewrite)).toBe('/files/a.txt?b=2')
  const path = nginxWith({ expression: '$secure_link_expires$uri $secret' })
  expect(await urlBehind(path, `${await signed(path, '/old/a.txt')}&admin=1`, '/', rewrite)).toBe('/new/files/a.txt')
  const whole: Handler = (req, _res, next) => {
    req.url = '/new?of=handler'
    next()
  }
  expect(await urlBehind(scheme, await signed(scheme, '/old/a.txt?utm_x=1&b=2'), '/', whole)).toBe('/new?of=handler')
})
