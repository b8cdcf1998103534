// Both pages of the package in a real browser: do they work, are they accessible?
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { confirm } from '../../src/guard.ts'
import { listener } from '../../src/node.ts'
import { hmac, sign } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { find, leftOut } from '../prepare.mjs'
import { ANYTHING, handler as linkService } from './served.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })

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
