// hmac links behind NGINX. With a URI in `proxy_pass`, NGINX decodes the path and escapes it again. Without one, it passes the request on unchanged.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hmac, sign, verify } from '../../src/index.ts'
import { split } from '../../src/lib/url.ts'
import { find, leftOut } from '../prepare.mjs'
import { nginxPath, start } from './nginx.mjs'

const suite = find('nginx') ? describe : describe.skip
if (!find('nginx')) test.skip(leftOut('nginx'))

suite("requests that NGINX's proxy_pass passes on", () => {
  const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
  const link = (url: string) => sign(links, url, { expires: '10m' })
  let app: Server
  let nginx: Awaited<ReturnType<typeof start>>

  beforeAll(async () => {
    app = createServer(async (request, response) => {
      const verdict = await verify(links, `${request.url}`)
      response.setHeader('x-url', `${request.url}`)
      response.statusCode = verdict.status ?? 200
      response.end(verdict.reason ?? 'ok')
    }).listen(0, '127.0.0.1')
    await once(app, 'listening')
    const { port } = app.address() as AddressInfo
    nginx = await start(`events {}
http {
  access_log off;
  large_client_header_buffers 4 64k;
  server {
    listen 80;
    location /f/ { proxy_pass http://127.0.0.1:${port}/f/; }
    location /g/ { proxy_pass http://127.0.0.1:${port}; }
  }
}
`)
  }, 60_000)

  afterAll(async () => {
    await nginx?.stop()
    app?.close()
  })

  test.each([
    ['/f/Q%26A%2B.pdf', '/f/Q&A+.pdf'],
    ['/f/a@b:c,(d)!.txt', '/f/a@b:c,(d)!.txt'],
    ['/f/%40%3A%2C%28%29%21%24%2A%3D', '/f/@:,()!$*='],
    ['/f/100% {of} "it" | <a>^`', '/f/100%25%20%7Bof%7D%20%22it%22%20%7C%20%3Ca%3E%5E%60'],
    ['/f/größe/🎬.mp4', '/f/gr%C3%B6%C3%9Fe/%F0%9F%8E%AC.mp4'],
    ['/f/%7euser/%41', '/f/~user/A'],
    ['/f/what%3F%23', '/f/what%3F%23'],
    ['/f/a%5Cb', '/f/a%5Cb'],
    ['/f/%FF', '/f/%FF'],
    ['/f/a;b', '/f/a;b'],
  ])('%s verifies', async (url, handedOn) => {
    for (const query of ['', '?e=u@x&q=a b&t=(1:2)/&flag']) {
      const answer = await nginx.visit(await link(url + query))
      expect([answer.body, split(`${answer.headers['x-url']}`).path]).toEqual(['ok', handedOn])
    }
    const unchanged = `${await link(url.replace('/f/', '/g/'))}&more=1`
    expect((await nginx.visit(unchanged)).headers['x-url']).toBe(unchanged)
  })

  test.each([
    ['a slash that was escaped', '/f/a%2Fb', '/f/a/b'],
    ['slashes that are merged', '/f/a//b', '/f/a/b'],
    ['a semicolon that was escaped', '/f/a%3Bb', '/f/a;b'],
  ])('%s is another path, so the signature is bad', async (_, url, handedOn) => {
    const answer = await nginx.visit(await link(url))
    expect([answer.body, split(`${answer.headers['x-url']}`).path]).toEqual(['bad_signature', handedOn])
    expect((await nginx.visit(await link(url.replace('/f/', '/g/')))).body).toBe('ok')
  })

  test('500 random paths are passed on as nginxPath of nginx.mjs computes, and those that mean the same verify', async () => {
    const pieces = [
      'a',
      '%41',
      '%2F',
      '%3B',
      ';',
      '/',
      '//',
      '@',
      '%40',
      '+',
      '%2B',
      '%26',
      '&',
      '%20',
      '%22',
      '%7B',
      '|',
      "'",
      '*',
      '.',
      '%2e',
      '%25',
      '%FF',
      '%C3%BC',
      '(',
      ':',
      '%00',
      '%5C',
      '^',
      '[',
      '%7f',
    ]
    const paths = fc.sample(
      fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 }).map((some) => `/f/x${some.join('')}x`),
      { numRuns: 500, seed: 20261126 },
    )
    let verified = 0
    for (const path of paths) {
      // sign refuses dot segments.
      const signed = await link(path).catch(() => '')
      if (!signed) continue
      const own = split(signed).path
      let expected: string | undefined
      try {
        expected = nginxPath(own)
      } catch {
        // NGINX answers 400, or resolves a dot segment that appears when it decodes the path.
      }
      const answer = await nginx.visit(signed)
      if (expected === undefined) continue
      expect(split(`${answer.headers['x-url']}`).path, own).toBe(expected)
      const isOtherPath = /%2F|%3B|\/\//i.test(own)
      // A path that is not UTF-8 must not change, byte for byte.
      const isOwnForm = /%FF/.test(own) && own !== expected
      expect(answer.body, own).toBe(isOtherPath || isOwnForm ? 'bad_signature' : 'ok')
      if (answer.body === 'ok') verified++
    }
    expect(verified).toBeGreaterThan(150)
  })
})
