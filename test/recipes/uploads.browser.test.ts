// docs/guide/uploads.md: an upload in parts, to a server that stores them as S3 does. It is interrupted, and goes on with new links.
import { createHash, randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sign, signAll, verify } from '../../src/index.ts'
import { bucket, bundle, fence, hasChromium, inChromium, type Site, startSite } from './site.ts'

const PARTS = 6
const SIZE = 200_000
const FILE = randomBytes(PARTS * SIZE - 1234)

let site: Site
let page: Page

// The storage: the parts that it took, and the requests that it refused.
const stored = new Map<number, Buffer>()
const requests: { part: number; link: string; status: number }[] = []
/** The request for this part gets no answer, as when the network is gone. */
let hangsAt = 0

async function storage(request: Request): Promise<Response | undefined> {
  const { pathname, searchParams } = new URL(request.url)
  if (pathname === '/file') return new Response(Uint8Array.from(FILE))
  if (pathname !== '/films/7.mp4') return undefined
  const part = Number(searchParams.get('partNumber'))
  const now = () => new Date(Date.now() + site.ahead)
  const { ok } = await verify(bucket, request.url, { method: request.method, now })
  const body = Buffer.from(await request.arrayBuffer())
  if (part === hangsAt) await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
  const status = ok ? 200 : 403
  requests.push({ part, link: request.url, status })
  if (!ok) return new Response('<Error><Code>AccessDenied</Code></Error>', { status })
  stored.set(part, body)
  return new Response('', { headers: { etag: `"${createHash('md5').update(body).digest('hex')}"` } })
}

beforeAll(async () => {
  if (!hasChromium) return
  site = await startSite()
  site.other = storage
}, 120_000)
afterAll(() => site?.close())

const script = () => bundle(`export { upload } from './upload.ts'`, { './upload.ts': fence('uploads.md', 'Uploads in parts', 1) })

// The code that an application's page adds: it keeps the parts, and shows the progress.
const start = (parts: string) => `(async () => {
  window.parts = ${parts}
  window.sent = []
  const file = await (await fetch('/file')).blob()
  const save = (parts) => localStorage.setItem('parts', JSON.stringify(parts))
  window.done = recipe.upload(file, parts, { size: ${SIZE}, progress: (count) => sent.push(count), save }).then(() => 'done', String)
})()`

test.skipIf(!hasChromium)(
  `${inChromium}, an upload goes on after an interruption in which its links expire`,
  async () => {
    page = await site.open('', await script())
    const url = `${site.origin}/films/7.mp4`
    const addresses = Array.from({ length: PARTS }, (_, i) => `${url}?partNumber=${i + 1}&uploadId=upload-1`)
    const links = await signAll(bucket, addresses, { expires: '10m', method: 'PUT' })
    hangsAt = 4
    await page.evaluate(start(JSON.stringify(links.map((link) => ({ link })))))
    await page.waitForFunction(`sent.at(-1) === ${hangsAt * SIZE}`, undefined, { timeout: 20_000, polling: 50 })
    const before = (await page.evaluate('sent')) as number[]
    expect([...stored.keys()]).toEqual([1, 2, 3])

    // The page is closed and opened again, an hour later.
    await page.reload()
    hangsAt = 0
    site.ahead += 3_600_000
    await page.evaluate(`ahead = ${site.ahead}`)
    requests.length = 0
    await page.evaluate(start(`JSON.parse(localStorage.getItem('parts'))`))
    expect(await page.evaluate('done')).toBe('done')

    // The parts that were stored are not sent again, and each of the others was renewed before it was sent.
    expect(requests.map(({ part, status }) => [part, status])).toEqual([
      [4, 200],
      [5, 200],
      [6, 200],
    ])
    expect(requests.filter(({ link }) => links.includes(link))).toEqual([])
    expect(site.renewals().map(({ links, status }) => [links, status])).toEqual([
      [1, 200],
      [1, 200],
      [1, 200],
    ])
    expect(Buffer.concat([1, 2, 3, 4, 5, 6].map((part) => stored.get(part) as Buffer)).equals(FILE)).toBe(true)

    // The progress grows, from the first byte to the last one.
    const after = (await page.evaluate('sent')) as number[]
    for (const sent of [before, after]) expect(sent).toEqual([...sent].sort((a, b) => a - b))
    expect(after[0]).toBeGreaterThan(3 * SIZE)
    expect(after.at(-1)).toBe(FILE.length)
    const etags = (await page.evaluate(`parts.map(({ etag }) => etag)`)) as string[]
    expect(etags).toEqual(
      [1, 2, 3, 4, 5, 6].map(
        (part) =>
          `"${createHash('md5')
            .update(stored.get(part) as Buffer)
            .digest('hex')}"`,
      ),
    )
    expect(site.complaints).toEqual([])

    // A link that the storage refuses, although the page takes it for valid, is renewed, and the part is sent once more.
    requests.length = 0
    const ofThePage = new Date(Date.now() + site.ahead)
    const link = await sign(bucket, addresses[0] ?? '', { expires: '10m', method: 'PUT' }, { now: () => ofThePage })
    site.ahead += 3_600_000
    await page.evaluate(start(JSON.stringify([{ link }])))
    expect(await page.evaluate('done')).toBe('done')
    expect(requests.map(({ part, status }) => [part, status])).toEqual([
      [1, 403],
      [1, 200],
    ])
  },
  60_000,
)
