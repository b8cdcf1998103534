// demo: a local server that has its files behind signed links, and prints links to try.
/// <reference types="node" />
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { anyOf } from '../core/any-of.ts'
import type { Claims } from '../core/claims.ts'
import { sign } from '../core/sign.ts'
import { cacheControl } from '../http/cache-control.ts'
import { guard } from '../http/guard.ts'
import { listener } from '../http/node/listener.ts'
import type { NodeInfo } from '../http/node/request.ts'
import { hmac } from '../schemes/hmac.ts'
import { memoryStore } from '../stores/memory.ts'
import type { Io } from './io.ts'
import { Failed, Misuse } from './options.ts'

// Both src/cli and dist/cli are two folders below the checkout.
const read = (path: string): Promise<Uint8Array<ArrayBuffer> | undefined> =>
  readFile(new URL(`../../docs/playground/${path}`, import.meta.url)).catch(() => undefined)

/** `npm start` runs this. It ends with the signal. */
export async function demo(args: readonly string[], { env, stdout, signal }: Io): Promise<number> {
  const { PORT = '' } = env
  if (args.length > 0) throw new Misuse('demo takes no arguments')
  if (!/^\d{0,5}$/.test(PORT) || Number(PORT) > 65_535) throw new Misuse('PORT must be a number from 0 to 65535')
  const port = PORT === '' ? 8787 : Number(PORT)
  const page = await read('index.html')
  if (!page) throw new Failed('there is no docs/playground here; the demo runs in a checkout of the repository')

  // A new key for every start, in memory only, so old links do not open a new demo.
  const key = { secret: crypto.getRandomValues(new Uint8Array(32)) }
  const links = hmac(key)
  const folderLinks = hmac(key, { placement: 'path' })
  const server = createServer(listener(handlerOf(new TextDecoder().decode(page), links, folderLinks)))

  return new Promise((resolve, reject) => {
    const end = () => {
      server.close()
      server.closeAllConnections()
      resolve(0)
    }
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const why = code === 'EADDRINUSE' ? 'is taken' : code === 'EACCES' ? 'is not allowed' : `cannot be opened (${message})`
      reject(new Failed(`port ${port} ${why}; PORT=8080 npm start takes another one, PORT=0 a free one`))
    })
    server.listen(port, '127.0.0.1', async () => {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      stdout.write(report(origin, await linksToTry(links, folderLinks)))
    })
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })
}

/** The page, its parts, and the files behind links. */
function handlerOf(page: string, links: Links, folderLinks: Links): (request: Request, info: NodeInfo) => Promise<Response> {
  const files = guard<[NodeInfo]>(anyOf(links, folderLinks), serveFile, {
    ip: (_request, { remoteAddress }) => remoteAddress,
    store: memoryStore(),
  })
  return async (request, info) => {
    const { pathname } = new URL(request.url)
    if (/^\/(?:files\/|expires=)/.test(pathname)) return files(request, info)
    const part = Object.hasOwn(PARTS, pathname) && PARTS[pathname]
    if (pathname !== '/' && !part) return text(404, 'There is nothing at this address.')
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'This page can only be read.', { allow: 'GET, HEAD' })
    if (part) return servePart(...part)
    const picture = await sign(links, '/files/lighthouse.png', { expires: '1h' })
    return new Response(fill(page, await linksToTry(links, folderLinks), picture), { headers: PAGE_HEADERS })
  }
}

type Links = ReturnType<typeof hmac>

/** Something to try: what the link opens, its answers, and the paths to request. */
interface Try {
  readonly says: string
  readonly answers: string
  readonly paths: readonly string[]
}

async function linksToTry(links: Links, folderLinks: Links): Promise<Try[]> {
  const notes = '/files/notes.txt'
  const opens = await sign(links, notes, { expires: '1h' })
  const changed = opens.replace('notes.txt', 'lighthouse.png')
  const short = await sign(links, notes, { expires: '10s' })
  const bound = await sign(links, notes, { expires: '1h', ip: '203.0.113.7' })
  const playlist = await sign(folderLinks, '/files/video/index.m3u8', { expires: '1h', prefix: '/files/video/' })
  const segment = playlist.replace('index.m3u8', 'segment-0.m4s')
  const once = await sign(links, notes, { expires: '1h', uses: 1 })
  return [
    { says: 'Opens for an hour', answers: '200', paths: [opens] },
    { says: 'The same link, changed to open another file', answers: '403', paths: [changed] },
    { says: 'Expires in ten seconds', answers: '200, then 410', paths: [short] },
    { says: 'Opens for the address 203.0.113.7 only', answers: '403', paths: [bound] },
    { says: 'Opens a folder: a playlist and its video', answers: '200', paths: [playlist, segment] },
    { says: 'Opens once', answers: '200, then 410', paths: [once] },
  ]
}

// People, shells and tests read this output: each line is a call of `curl` or a comment.
function report(origin: string, tries: readonly Try[]): string {
  const blocks = tries.map(({ says, answers, paths }) => {
    // A segment of video is not text for a terminal, so only its headers are requested.
    const lines = paths.map((path) => `curl ${path.endsWith('.m4s') ? '-I' : '-i'} '${origin}${path}'\n`)
    return `\n# ${answers.padEnd(15)}${says}\n${lines.join('')}`
  })
  return `SecureLink demo on ${origin}/ (Ctrl-C ends it)\n${blocks.join('')}\nThe page has new links on every load.\n`
}

/** Replaces the sentence that there are no links with links to try. */
function fill(page: string, tries: readonly Try[], picture: string): string {
  const anchor = (path: string, label: string) => `<a href="${path.replaceAll('&', '&amp;')}">${label}</a>`
  const items = tries.map(({ says, answers, paths: [path = '', ...more] }) => {
    const anchors = [anchor(path, says), ...more.map((other) => anchor(other, other.slice(other.lastIndexOf('/') + 1)))]
    const status = `<b${answers.startsWith('200') ? ' class="good"' : ''}>${answers}</b>`
    const button = `<button type="button" data-link="${path.replaceAll('&', '&amp;')}" aria-label="Look at it: ${says}">Look at it</button>`
    return `<li><span>${anchors.join(', ')}</span> ${status} ${button}</li>`
  })
  return page
    .replace('files/lighthouse.png', picture.replaceAll('&', '&amp;'))
    .replace(/<!-- links -->[\s\S]*<!-- \/links -->/, `<ul class="links" aria-describedby="about">\n${items.join('\n')}\n</ul>`)
}

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

// The files that the page loads: their paths relative to docs/playground, and their types. The page loads the bundle by a path that also works in a
// checkout.
const PARTS: Record<string, readonly [path: string, type: string]> = {
  '/playground.css': ['playground.css', 'text/css; charset=utf-8'],
  '/playground.js': ['playground.js', 'text/javascript; charset=utf-8'],
  '/examples.js': ['examples.js', 'text/javascript; charset=utf-8'],
  '/dist/securelink.all.umd.js': ['../../dist/securelink.all.umd.js', 'text/javascript; charset=utf-8'],
}

async function servePart(path: string, type: string): Promise<Response> {
  const bytes = await read(path)
  if (!bytes) return text(404, 'There is no such file.')
  return new Response(bytes, { headers: { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } })
}

const TYPES: Record<string, string> = {
  png: 'image/png',
  txt: 'text/plain; charset=utf-8',
  m3u8: 'application/vnd.apple.mpegurl',
  mp4: 'video/mp4',
  m4s: 'video/mp4',
}

/** A file below `files/`, whole or in part. */
async function serveFile(request: Request, claims: Claims): Promise<Response> {
  // Accepts only names of plain characters that do not begin with a dot, so a path needs no decoding and cannot leave the folder.
  const [, path, type = ''] = /^\/(files(?:\/\w[\w-]*)*\/\w[\w-]*\.(\w+))$/.exec(new URL(claims.resource).pathname) ?? []
  const bytes = path && (await read(path))
  if (!bytes) return text(404, 'There is no such file.')
  const { length } = bytes
  const part = range(request, length)
  const [start, end] = part ?? [0, length]
  if (start >= end) return text(416, 'The file is shorter than that.', { 'content-range': `bytes */${length}` })
  return new Response(bytes.subarray(start, end), {
    status: part ? 206 : 200,
    headers: {
      'content-type': TYPES[type] ?? 'application/octet-stream',
      'content-length': `${end - start}`,
      ...(part && { 'content-range': `bytes ${start}-${end - 1}/${length}` }),
      'accept-ranges': 'bytes',
      'cache-control': cacheControl(claims),
      'x-content-type-options': 'nosniff',
    },
  })
}

/**
 * The part that the request asks for (RFC 9110, section 14.2). `undefined` for the whole file: without a range, for several, or for one that cannot
 * be read.
 */
function range({ headers }: Request, length: number): [start: number, end: number] | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(headers.get('range') ?? '') ?? []
  // The demo sends no validators that If-Range could match.
  if (!(first || last) || headers.has('if-range') || (first && last && +last < +first)) return
  return first ? [+first, last ? Math.min(+last + 1, length) : length] : [Math.max(0, length - +last), length]
}

function text(status: number, sentence: string, headers: Record<string, string> = {}): Response {
  const fixed = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  return new Response(`${sentence}\n`, { status, headers: { ...fixed, ...headers } })
}
