// fetchLink in browsers, with a server of another origin: links, renewals and refusals over the network.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guard } from '../../src/guard.ts'
import { hmac, sign } from '../../src/index.ts'
import { listener } from '../../src/node.ts'
import { built, root } from '../built.ts'
import { find, leftOut } from '../prepare.mjs'
import { inBrowser } from '../runtimes/browser.mjs'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const revoked = new Set<string>()
let server: Server
let origin = ''
let minified: Uint8Array
// How many requests the server saw, by path.
const count: Record<string, number> = {}
const seen = (name: string) => (count[name] = (count[name] ?? 0) + 1)

// The headers with which a page can read the clock of another origin.
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Date', 'cache-control': 'no-store' }
const files = guard(links, (request) => new Response(`file ${new URL(request.url).pathname}`, { headers: CORS }), {
  revoked: ({ id }) => revoked.has(id ?? ''),
  refuse: ({ status }) => new Response('', { status, headers: CORS }),
})

beforeAll(async () => {
  await built()
  minified = readFileSync(join(root, 'dist/securelink.min.js'))
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    seen(pathname)
    if (pathname.startsWith('/files/')) return files(request)
    // Renewals: after a pause, /renew/NAME answers with a link to /files/NAME.
    const [, action, name] = pathname.split('/')
    if (action === 'renew') {
      await new Promise((resolve) => setTimeout(resolve, 100))
      return new Response(await sign(links, `${origin}/files/${name}`, { expires: '10m' }), { headers: CORS })
    }
    if (action === 'hang') {
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
      seen('/hung up')
    }
    if (action === 'count') return new Response(`${count[searchParams.get('of') ?? ''] ?? 0}`, { headers: CORS })
    return new Response('', { status: action === 'plain' ? 200 : 500, headers: CORS })
  }
  server = createServer(listener(answer)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}, 120_000)

afterAll(() => {
  server?.close()
  server?.closeAllConnections()
})

describe.each(['chromium', 'firefox', 'webkit'] as const)('%s', (browser) => {
  test.skipIf(!find(browser))(
    `renews once for 50, with a wrong clock, aborts, and says why${find(browser) ? '' : `; ${leftOut(browser)}`}`,
    async () => {
      for (const name in count) delete count[name]
      revoked.clear()
      const address = (name: string) => `${origin}/files/${name}`
      const dying = await sign(links, address('dying'), { expires: '20s' })
      const good = await sign(links, address('good'), { expires: '10m' })
      const gone = await sign(links, address('gone'), { expires: '10m', id: browser })
      const dead = await sign(links, address('dead'), { expires: '1s' }, { now: () => new Date(Date.now() - 60_000) })
      revoked.add(browser)

      const html = `<script type="module">
  import { fetchLink, freshLinks, keepFresh, serverClock } from '/min.js'
  const api = '${origin}'
  const text = async (path, init) => (await fetch(api + path, init)).text()
  const seen = (of) => text('/count?of=' + encodeURIComponent(of))
  const renew = (link, signal) => text('/renew/' + new URL(link).pathname.split('/').pop(), { signal })
  const code = (error) => (error instanceof DOMException ? error.name : error.code)
  const main = async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => fetchLink('${dying}', { renew: (...all) => renew(...all) })))
    log('50 callers ' + new Set(await Promise.all(all.map((response) => response.text()))).size + ' ' + (await seen('/renew/dying')) + ' ' + (await seen('/files/dying')))

    const refused = await fetchLink('${gone}', { renew })
    log('revoked ' + refused.status + ' ' + (await seen('/renew/gone')) + ' ' + (await seen('/files/gone')))

    for (const hours of [3, -3]) {
      const told = []
      const clock = serverClock({ now: () => new Date(Date.now() + hours * 3_600_000), changed: (offset) => told.push(Math.round(offset / 3_600_000)) })
      await fetchLink(api + '/plain', { clock })
      log('clock ' + told + ' ' + (await fetchLink('${good}', { clock })).status + ' ' + (await fetchLink('${dead}', { clock }).catch(code)))
    }
    log('dead ' + (await fetchLink('${dead}').catch(code)) + ' ' + (await seen('/files/dead')))

    const controller = new AbortController()
    setTimeout(() => controller.abort(), 100)
    const hang = (link, signal) => text('/hang', { signal })
    log('abort ' + (await fetchLink('${dead}', { renew: hang, signal: controller.signal }).catch(code)) + ' ' + (await seen('/files/dead')))

    const calls = []
    const link = (seconds) => 'https://h.test/' + Math.random() + '?expires=' + Math.ceil(Date.now() / 1000 + seconds) + '&signature=' + 'A'.repeat(43)
    const together = freshLinks({ early: '1s', renew: async (olds) => calls.push(olds.length) && olds.map(() => link(600)) })
    const stopped = together.get(link(0), { signal: AbortSignal.abort() }).catch(code)
    await Promise.all(Array.from({ length: 100 }, () => together.get(link(0))))
    log('freshLinks ' + calls + ' ' + (await stopped))
    const elements = Array.from({ length: 100 }, () => document.createElement('a'))
    const first = link(3)
    for (const [i, element] of elements.entries()) {
      document.body.append(element)
      keepFresh(element, first.replace('?', i + '?'), { early: '1s', renew: together.renew })
    }
    while (elements.some(({ href }) => href.includes(first.slice(-60)))) await new Promise((resolve) => setTimeout(resolve, 50))
    log('keepFresh ' + (calls.length <= 3) + ' ' + calls.slice(1).reduce((sum, length) => sum + length, 0))

    const fail = async () => { throw new RangeError('the server says ' + (await fetch(api + '/fail')).status) }
    const error = await fetchLink('${dead}', { renew: fail }).catch((error) => error)
    log('failed ' + error.code + ' ' + error.cause.name + ' ' + error.cause.message)
    for (let i = 0; i < 50 && (await seen('/hung up')) === '0'; i++) await new Promise((resolve) => setTimeout(resolve, 50))
    log('hung up ' + (await seen('/hung up')))
  }
  main().then(done, bail)
</script>`
      const { lines } = await inBrowser(browser, { html, files: { '/min.js': minified } })
      expect(lines).toEqual([
        '50 callers 1 1 50',
        'revoked 200 1 2',
        'clock -3 200 expired_link',
        'clock 3 200 expired_link',
        'dead expired_link 0',
        'abort AbortError 0',
        'freshLinks 100 AbortError',
        'keepFresh true 100',
        'failed renewal_failed RangeError the server says 500',
        'hung up 1',
      ])
    },
    300_000,
  )
})
