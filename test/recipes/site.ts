// The tests of the recipes share this: a server of short-lived links, a browser, and pages that run the code of the guide with the real libraries.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { chromium, type Page } from 'playwright-core'
import { guard } from '../../src/guard.ts'
import { anyOf, type Claims, hmac, sign } from '../../src/index.ts'
import { listener } from '../../src/node.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { renewal } from '../../src/service.ts'
import { built, root } from '../built.ts'
import { find, leftOut } from '../prepare.mjs'

export const hasChromium = !!find('chromium')
export const inChromium = `in Chromium${hasChromium ? '' : `; ${leftOut('chromium')}`}`

const key = { secret: '0123456789abcdef0123456789abcdef' }
const inQuery = hmac(key)
const inPath = hmac(key, { placement: 'path' })
/** Links of the bucket, for uploads. */
export const bucket = s3({ id: 'AKIDEXAMPLE', secret: 'a secret of the tests' }, { region: 'us-east-1' })

/** The code below a heading of a page of the guide: its first fence, or a later one. */
export function fence(page: string, heading: string, index = 0): string {
  const text = readFileSync(join(root, 'docs/guide', page), 'utf8')
  const [, below = ''] = text.split(new RegExp(`^#+ ${heading}\\n`, 'm'))
  const found = [
    ...below
      .split(/^#+ /m, 1)
      .join()
      .matchAll(/^```(?:tsx?|js) ?[^\n]*\n([\s\S]*?)^```/gm),
  ][index]?.[1]
  if (!found) throw new Error(`${page} has no such code below ${heading}`)
  return found
}

/** A script of `entry`, which may import the other files, securelink as it is built, and the packages of the tests. */
export async function bundle(entry: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const sources: Record<string, string> = { './entry.tsx': entry, './renew.ts': fence('renewal.md', 'The page'), ...files }
  const plugin: Plugin = {
    name: 'recipes',
    setup(api) {
      api.onResolve({ filter: /^\.\// }, ({ path, importer, namespace }) => {
        const isRecipe = namespace === 'recipe' || importer === ''
        // A recipe in JavaScript imports renew.js.
        return isRecipe ? { path: path in sources ? path : path.replace(/\.js$/, '.ts'), namespace: 'recipe' } : undefined
      })
      api.onResolve({ filter: /^securelink\// }, ({ path }) => ({ path: join(root, 'dist', `${path.slice('securelink/'.length)}.js`) }))
      api.onLoad({ filter: /.*/, namespace: 'recipe' }, ({ path }) => ({ contents: sources[path] ?? '', loader: 'tsx', resolveDir: root }))
    },
  }
  const { outputFiles } = await build({
    entryPoints: ['./entry.tsx'],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'recipe',
    jsx: 'automatic',
    // React's checks for developers, which call effects twice in StrictMode.
    define: { 'process.env.NODE_ENV': '"development"' },
    plugins: [plugin],
    logLevel: 'silent',
  })
  return outputFiles?.[0]?.text ?? ''
}

/** One request that the server got. */
export interface Seen {
  readonly method: string
  readonly path: string
  /** The request as a whole. */
  readonly url: string
  readonly status: number
  /** How many links a renewal had. */
  readonly links: number
}

/** A server with a guard, a page with a script, and a clock that both follow. */
export interface Site {
  readonly origin: string
  /** The requests for files and renewals, in their order. */
  readonly seen: Seen[]
  /** Milliseconds by which the server is ahead of this machine. */
  ahead: number
  /** Answers other paths. */
  other: (request: Request) => Response | undefined | Promise<Response | undefined>
  /** The files below `/files/`, by their path. */
  readonly files: Map<string, { readonly body: string | Uint8Array; readonly type: string }>
  /** A link that expires in ten minutes. */
  link(path: string, conditions?: { prefix?: string; placement?: 'path' }): Promise<string>
  /** Opens a page with this body and script. Its console and errors are in `complaints`. */
  open(body: string, script: string, prepare?: (page: Page) => Promise<unknown>): Promise<Page>
  readonly complaints: string[]
  /** The requests for files that were refused. */
  refused(): Seen[]
  renewals(): Seen[]
  close(): Promise<void>
}

export async function startSite(): Promise<Site> {
  await built()
  const now = () => new Date(Date.now() + site.ahead)
  const serve = (request: Request, { resource }: Claims): Response => {
    const file = site.files.get(new URL(resource).pathname)
    if (!file) return new Response('', { status: 404 })
    const body = typeof file.body === 'string' ? new TextEncoder().encode(file.body) : file.body
    const headers = { 'content-type': file.type, 'accept-ranges': 'bytes', 'cache-control': 'no-store' }
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('range') ?? '') ?? []
    if (!from) return new Response(Uint8Array.from(body), { headers })
    const part = body.subarray(+from, to ? +to + 1 : undefined)
    const range = `bytes ${from}-${+from + part.length - 1}/${body.length}`
    return new Response(Uint8Array.from(part), { status: 206, headers: { ...headers, 'content-range': range } })
  }
  const guarded = guard(anyOf(inQuery, inPath), serve, { now })
  const renew = renewal(anyOf(inQuery, inPath, bucket), { conditions: { expires: '10m' }, authorize: () => true, now, grace: '1d' })

  let html = ''
  let script = ''
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } })
    if (pathname === '/script.js') return new Response(script, { headers: { 'content-type': 'text/javascript; charset=utf-8' } })
    if (pathname === '/favicon.ico') return new Response(null, { status: 204 })
    const other = await site.other(request)
    if (other) return other
    let links = 0
    if (pathname === '/renew') links = (await request.clone().json()).links.length
    const response = await (pathname === '/renew' ? renew(request) : guarded(request))
    site.seen.push({ method: request.method, path: pathname, url: request.url, status: response.status, links })
    return response
  }

  const server = createServer(listener(answer)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const browser = await chromium.launch({
    executablePath: find('chromium') as string,
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
  })

  const site: Site = {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    seen: [],
    ahead: 0,
    other: () => undefined,
    files: new Map(),
    complaints: [],
    link: (path, { placement, ...conditions } = {}) =>
      sign(placement ? inPath : inQuery, `${site.origin}${path}`, { expires: '10m', ...conditions }, { now }),
    async open(body, code, prepare) {
      html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A recipe</title>${body}<script src="/script.js"></script></html>`
      script = code
      site.seen.length = 0
      site.complaints.length = 0
      site.ahead = 0
      const page = await browser.newPage()
      page.on('pageerror', (error) => site.complaints.push(`${error}`))
      page.on('console', (message) => {
        // React greets developers.
        if (!message.text().includes('React DevTools')) site.complaints.push(message.text())
      })
      // A page whose clock jumps when the test says so, and whose timers go on as they are.
      if (!prepare) await page.addInitScript('{ const now = Date.now; window.ahead = 0; Date.now = () => now.call(Date) + ahead }')
      await prepare?.(page)
      await page.goto(site.origin)
      return page
    },
    refused: () => site.seen.filter(({ path, status }) => path !== '/renew' && status >= 400),
    renewals: () => site.seen.filter(({ path }) => path === '/renew'),
    async close() {
      await browser.close()
      server.close()
      server.closeAllConnections()
    },
  }
  return site
}

const HOUR = 3_600_000

/** An hour passes, for the server and for the page. All links that were made before expire. */
export async function anHourPasses(site: Site, page: Page): Promise<void> {
  site.ahead += HOUR
  await page.evaluate(`ahead = ${site.ahead}`)
}
