// Chromium for tests: pages of a handler, what they complain of, and whether they are accessible.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, test } from 'vitest'
import { listener } from '../src/node.ts'
import { find, leftOut } from './prepare.mjs'

const program = find('chromium')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A page, and what happened on it. */
export interface Opened {
  readonly page: Page
  /** Errors of scripts, of the content security policy, and of requests. */
  readonly complaints: string[]
  /** The paths that it fetched. */
  readonly fetched: string[]
}

/** Starts Chromium for the tests of a file, and stops it after them. */
export function inChromium() {
  let browser: Browser
  const servers: Server[] = []
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

  return {
    /** Serves a fetch handler, and gives its origin. */
    async serve(handler: Parameters<typeof listener>[0]): Promise<string> {
      const server = createServer(listener(handler)).listen(0, '127.0.0.1')
      servers.push(server)
      await once(server, 'listening')
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },

    async open(url: string, options: { javaScriptEnabled?: boolean } = {}): Promise<Opened> {
      const page = await (await browser.newContext({ bypassCSP: false, ...options })).newPage()
      const complaints: string[] = []
      const fetched: string[] = []
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      page.on('pageerror', ({ message }) => complaints.push(message))
      page.on('request', (request) => fetched.push(new URL(request.url()).pathname))
      await page.goto(url)
      return { page, complaints, fetched }
    },
  }
}

/** What axe finds on a page. */
export async function violations(page: Page): Promise<string[]> {
  // The page's policy does not hold for the scripts of the browser's tools.
  await page.evaluate(axe)
  const found = await page.evaluate('axe.run().then(({ violations }) => violations.map(({ id, help }) => id + ": " + help))')
  return found as string[]
}

/** A test that needs Chromium. */
export function browserTest(name: string, run: () => Promise<void>): void {
  test.skipIf(!program)(program ? name : leftOut('chromium'), run, 60_000)
}
