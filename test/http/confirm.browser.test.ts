// confirm: what scanners and people do to a one-time link. And both pages of the package in a real browser: do they work, are they accessible?
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { confirm } from '../../src/http/guard.ts'
import { listener, type NodeInfo } from '../../src/http/node.ts'
import { hmac, LinkError, sign } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { find, leftOut } from '../prepare.mjs'
import { ANYTHING, handler as linkService } from './served.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const store = memoryStore()
const make = (more: object = {}) => confirm(links, { store, redirect: 'https://app.example/welcome', ...more })
const mint = (more: object = {}) => sign(links, 'https://app.example/invite?to=a%3Cb', { expires: '7d', uses: 1, ...more })

test('GET and HEAD show a page and spend nothing, POST spends and goes on', async () => {
  const fetch = make()
  const link = await mint()
  for (const headers of [{}, { 'sec-purpose': 'prefetch' }, { 'user-agent': 'scanner' }] as Record<string, string>[]) {
    const page = await fetch(new Request(link, { headers }))
    expect(page.status).toBe(200)
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
    })
    const html = await page.text()
    expect(html).toContain('<form method="post"><button>')
    // Nothing of the link, so nothing of it can leak from a saved or a cached page.
    expect(html).not.toMatch(/signature|invite|http/)
  }
  const head = await fetch(new Request(link, { method: 'HEAD' }))
  expect([head.status, await head.text()]).toEqual([200, ''])

  const gone = await fetch(new Request(link, { method: 'POST' }))
  expect([gone.status, gone.headers.get('location'), gone.headers.get('referrer-policy')]).toEqual([
    303,
    'https://app.example/welcome',
    'no-referrer',
  ])
  const again = await fetch(new Request(link, { method: 'POST' }))
  expect([again.status, (await again.json()).reason]).toEqual([410, 'used'])
})

test('its policy lets its own style in', async () => {
  const page = await make()(new Request(await mint()))
  const [, style = ''] = /<style>(.*)<\/style>/s.exec(await page.text()) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  expect(page.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`,
  )
})

test('a handler, its arguments, and words of your own', async () => {
  const fetch = confirm<[NodeInfo]>(links, {
    store,
    handler: (request, claims, info: NodeInfo) => new Response(`${request.method} ${claims.id} ${info.remoteAddress}`),
    ip: (_request, info) => info.remoteAddress,
    words: { language: 'de', title: 'Einladung <1> & "2"', text: 'Sie gilt einmal.', button: 'Annehmen' },
  })
  const link = await mint({ id: 'u-7', ip: '203.0.113.7' })
  const there = { remoteAddress: '203.0.113.7' }
  const html = await (await fetch(new Request(link), there)).text()
  expect(html).toContain('<html lang="de">')
  expect(html).toContain('<h1>Einladung &#60;1&#62; &#38; &#34;2&#34;</h1>')
  expect((await fetch(new Request(link), { remoteAddress: '203.0.113.8' })).status).toBe(403)
  expect((await fetch(new Request(link, { method: 'POST' }), { remoteAddress: '203.0.113.8' })).status).toBe(403)
  expect(await (await fetch(new Request(link, { method: 'POST' }), there)).text()).toBe('POST u-7 203.0.113.7')
})

test('refusals', async () => {
  const fetch = make()
  const link = await mint()
  for (const method of ['GET', 'POST']) {
    expect((await fetch(new Request('https://app.example/invite', { method }))).status).toBe(403)
    expect((await fetch(new Request(link.replace('uses=1', 'uses=9'), { method }))).status).toBe(403)
    const late = confirm(links, { store, redirect: '/', now: () => new Date('2090-01-01') })
    expect((await late(new Request(link, { method }))).status).toBe(410)
    const own = make({ refuse: ({ reason }: { reason: string }) => new Response(reason, { status: 418 }) })
    expect((await own(new Request('https://app.example/invite', { method }))).status).toBe(418)
  }
  const other = await fetch(new Request(link, { method: 'PUT' }))
  expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
  // Nothing of all this was spent.
  expect((await fetch(new Request(link, { method: 'POST' }))).status).toBe(303)
})

test('a store that is down', async () => {
  const down = {
    take() {
      throw new Error('away')
    },
  }
  const fetch = confirm(links, { store: down, handler: () => new Response('in') })
  const link = await mint()
  expect((await fetch(new Request(link))).status).toBe(200)
  const answer = await fetch(new Request(link, { method: 'POST' }))
  expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'application/problem+json'])
})

test('options', () => {
  expect(() => confirm(links, { redirect: '/' } as never)).toThrow(LinkError)
  expect(() => confirm(links, { store })).toThrow(LinkError)
  expect(() => confirm(links, { store, redirect: '/', handler: () => new Response() })).toThrow(LinkError)
  expect(() => confirm(links, { store, redirect: '/', revoke: () => true } as never)).toThrow("confirm has no option 'revoke'")
})

const program = find('chromium')
describe('in Chromium', () => {
  let browser: Browser
  const servers: Server[] = []
  const serve = async (handler: Parameters<typeof listener>[0]) => {
    const server = createServer(listener(handler)).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  if (program)
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] })
    }, 60_000)
  afterAll(async () => {
    await browser?.close()
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  })

  /** Opens a page, and notes what the browser complains of and fetches. */
  async function open(url: string) {
    const context = await browser.newContext({ bypassCSP: false })
    const page = await context.newPage()
    const complaints: string[] = []
    const fetched: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('request', (request) => fetched.push(new URL(request.url()).pathname))
    await page.goto(url)
    return { page, complaints, fetched }
  }

  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  type Page = Awaited<ReturnType<typeof open>>['page']
  async function violations(page: Page): Promise<string[]> {
    // What the browser's tools evaluate is not held by the page's policy.
    await page.evaluate(axe)
    const found = await page.evaluate('axe.run().then(({ violations }) => violations.map(({ id, help }) => id + ": " + help))')
    return found as string[]
  }

  test.skipIf(!program)(
    program ? 'a person presses the button' : leftOut('chromium'),
    async () => {
      const origin = await serve(confirm(links, { store: memoryStore(), handler: (_request, { id }) => new Response(`welcome ${id}`) }))
      const link = await sign(links, `${origin}/invite`, { expires: '1h', uses: 1, id: 'u-7' })
      const { page, complaints, fetched } = await open(link)
      expect(await violations(page)).toEqual([])
      expect(await page.title()).toBe('Open your link')
      expect(fetched.filter((path) => path !== '/favicon.ico')).toEqual(['/invite'])
      // With the keyboard alone.
      await page.keyboard.press('Tab')
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
      expect(await page.textContent('body')).toContain('welcome u-7')
      expect(complaints.filter((text) => !/favicon|status of 40/.test(text))).toEqual([])
      await page.context().close()
    },
    60_000,
  )

  test.skipIf(!program)(
    program ? 'somebody tries the service on its page' : leftOut('chromium'),
    async () => {
      const origin = await serve(linkService)
      const { page, complaints, fetched } = await open(`${origin}/docs`)
      await page.waitForSelector('main:not([aria-busy])')
      expect(fetched.filter((path) => path !== '/favicon.ico')).toEqual(['/docs', '/openapi.json'])
      expect(await violations(page)).toEqual([])
      expect(await page.locator('section').count()).toBe(7)
      const section = page.getByRole('region', { name: 'POST /sign' })
      await section.getByRole('button').click()
      await section.getByText('Status 401').waitFor()
      await page.getByLabel('Token').fill(ANYTHING)
      await section.getByRole('button').click()
      await section.getByText('Status 200').waitFor()
      const { link } = JSON.parse((await section.getByLabel('Answer of').textContent()) ?? '')
      expect(link).toMatch(/^https:\/\/cdn\.example\/report\.pdf\?expires=/)
      // The line for the terminal works with a variable in place of the token.
      expect(await section.getByLabel('The same with curl').textContent()).not.toContain(ANYTHING)
      await section.getByLabel('Body').fill('{ "scheme": "files", "url": 7, "expires": "10m" }')
      await section.getByRole('button').click()
      await section.getByText('Status 422').waitFor()
      const other = page.getByRole('region', { name: 'POST /generate-secure-md5-link/' })
      await other.getByText('Fields', { exact: true }).click()
      await other.getByRole('rowheader', { name: 'expire_seconds' }).waitFor()
      await other.getByRole('button').click()
      await other.getByText('Status 200').waitFor()
      expect(await other.getByLabel('Answer of').textContent()).toContain('"secure_url": "https://cdn.example/secure/report.pdf?md5=')
      expect(await violations(page)).toEqual([])
      expect(complaints.filter((text) => !/favicon|status of 4/.test(text))).toEqual([])
      await page.context().close()
    },
    60_000,
  )
})
