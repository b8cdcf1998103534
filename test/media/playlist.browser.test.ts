// Pages that play media, in Chromium: keepFresh on a video, a sound and an image; HLS playlists with signed segments, and with one prefix link.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { guard } from '../../src/guard.ts'
import { anyOf, type Claims, hmac, sign } from '../../src/index.ts'
import { signPlaylist } from '../../src/media.ts'
import { listener } from '../../src/node.ts'
import { built, root } from '../built.ts'
import { find, leftOut } from '../prepare.mjs'

const key = { secret: '0123456789abcdef0123456789abcdef' }
const links = hmac(key)
const inPath = hmac(key, { placement: 'path' })
const folder = join(root, 'docs/playground/files')
const file = (name: string) => readFileSync(join(folder, name))
// The video as one file. Its segments are fragments of an MP4.
const movie = Buffer.concat(['init.mp4', ...[0, 1, 2, 3, 4].map((i) => `segment-${i}.m4s`)].map((name) => file(`video/${name}`)))

const requests: { path: string; link: string; status: number }[] = []
let server: Server
let origin = ''
let browser: Browser
let page: Page
let problems: string[] = []

function serve(request: Request, { resource }: Claims): Response {
  const { pathname } = new URL(resource)
  const bytes = pathname === '/movie.mp4' ? movie : pathname === '/broken.png' ? undefined : file(pathname.replace('/files/', ''))
  if (!bytes) return new Response('', { status: 404 })
  const headers = {
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    'content-type': pathname.endsWith('png') ? 'image/png' : 'video/mp4',
  }
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('range') ?? '') ?? []
  if (!from) return new Response(Uint8Array.from(bytes), { headers })
  const part = bytes.subarray(+from, to ? +to + 1 : undefined)
  const range = `bytes ${from}-${+from + part.length - 1}/${bytes.length}`
  return new Response(Uint8Array.from(part), { status: 206, headers: { ...headers, 'content-range': range } })
}
const guarded = guard(anyOf(links, inPath), serve)

/** The page that the server returns for `/`. It can load the built library and hls.js. */
let html = ''
const BUILT: Record<string, string> = { '/min.js': 'dist/securelink.min.js', '/hls.js': 'node_modules/hls.js/dist/hls.min.js' }

beforeAll(async () => {
  if (!find('chromium')) return
  await built()
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/') return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } })
    if (BUILT[pathname])
      return new Response(Uint8Array.from(readFileSync(join(root, BUILT[pathname]))), { headers: { 'content-type': 'text/javascript' } })
    if (pathname === '/favicon.ico') return new Response(null, { status: 204 })
    if (pathname === '/renew') {
      requests.push({ path: pathname, link: searchParams.get('path') ?? '', status: 200 })
      return new Response(await sign(links, `${origin}${searchParams.get('path')}`, { expires: `${+(searchParams.get('life') ?? 60)}s` }))
    }
    if (pathname === '/signed.m3u8') {
      const signed = await signPlaylist(links, file('video/index.m3u8').toString(), {
        base: `${origin}/files/video/index.m3u8`,
        expires: '1h',
      })
      return new Response(signed, { headers: { 'content-type': 'application/vnd.apple.mpegurl' } })
    }
    const response = await guarded(request)
    requests.push({ path: pathname.split('/').pop() ?? '', link: request.url, status: response.status })
    return response
  }
  server = createServer(listener(answer)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://localhost:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch({
    executablePath: find('chromium') as string,
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
  })
}, 120_000)

afterEach(() => page?.close())
afterAll(async () => {
  await browser?.close()
  server?.close()
  server?.closeAllConnections()
})

async function open(text: string): Promise<void> {
  requests.length = 0
  problems = []
  html = `<!doctype html><meta charset="utf-8"><title>test</title>${text}`
  page = await browser.newPage()
  page.on('pageerror', (error) => problems.push(`${error}`))
  // The timers that are set. A removed element must not leave one.
  await page.addInitScript(`{
    const [set, clear] = [setTimeout.bind(window), clearTimeout.bind(window)]
    window.due = new Set()
    window.setTimeout = (run, wait, ...all) => { const id = set(() => { due.delete(id); run(...all) }, wait); due.add(id); return id }
    window.clearTimeout = (id) => { due.delete(id); clear(id) }
  }`)
  await page.goto(origin)
}

const renewals = () => requests.filter(({ path }) => path === '/renew').length
const refusals = () => requests.filter(({ status }) => status >= 400)
const link = (path: string, life: number) => sign(links, `${origin}${path}`, { expires: `${life}s` })
const HELP = `<script type="module">
  import { keepFresh } from '/min.js'
  window.keepFresh = keepFresh
  window.renewer = (path, life) => async (_link, signal) => (await fetch('/renew?path=' + path + '&life=' + life, { signal })).text()
  window.ready = true
</script>`
const ready = () => page.waitForFunction('window.ready')

describe.skipIf(!find('chromium'))(`in Chromium${find('chromium') ? '' : `; ${leftOut('chromium')}`}`, () => {
  test('a video plays to its end while its link expires three times, and goes on at its position', async () => {
    await open(`<video id="v" muted width="320"></video>${HELP}`)
    await ready()
    await page.evaluate(`{
      const video = document.getElementById('v')
      window.samples = []
      window.sources = new Set()
      setInterval(() => {
        sources.add(video.src)
        // A new source is at 0 for a moment, before it is told where to go on. From there, it would soon be at 0.05 and so on.
        if (video.readyState > 1 && !video.seeking && video.currentTime > 0) samples.push(video.currentTime)
      }, 50)
      video.addEventListener('ended', () => { window.ended = true })
      video.playbackRate = 1
      keepFresh(video, '${await link('/movie.mp4', 3)}', { renew: renewer('/movie.mp4', 3), early: '1s' })
      video.play()
    }`)
    await page.waitForFunction('window.ended', undefined, { timeout: 60_000 })
    const { samples, sources } = (await page.evaluate('({ samples, sources: [...sources] })')) as { samples: number[]; sources: string[] }
    // Every link was valid for at most four of the ten seconds.
    expect(sources.length).toBeGreaterThanOrEqual(4)
    expect(samples.filter((time, i) => time < (samples[i - 1] ?? 0) - 0.25)).toEqual([])
    expect(samples.filter((time, i) => time > (samples[i - 1] ?? 0) + 1.5)).toEqual([])
    expect(samples.at(-1)).toBeGreaterThan(9.5)
    expect(refusals()).toEqual([])
    expect(problems).toEqual([])
  }, 120_000)

  test('a video whose <source> fails goes on with a new link', async () => {
    await open(`<video id="v" muted><source id="s"></video>${HELP}`)
    await ready()
    const dead = await sign(links, `${origin}/movie.mp4`, { expires: '60s' })
    // It does not show that it is wrong, and the server refuses it.
    const bad = dead.replace(/.$/, (end) => (end === 'A' ? 'B' : 'A'))
    await page.evaluate(`keepFresh(document.getElementById('s'), '${bad}', { renew: renewer('/movie.mp4', 60) })`)
    await page.waitForFunction(`document.getElementById('v').readyState > 1`, undefined, { timeout: 20_000 })
    expect(renewals()).toBe(1)
  }, 60_000)

  test('a <source> of a type that the browser does not play causes no renewals, and the next one plays on', async () => {
    await open(`<video id="v" muted><source id="x" type="video/x-unknown"><source id="s" type="video/mp4"></video>${HELP}`)
    await ready()
    const [other, movie] = [await link('/files/lighthouse.png', 60), await link('/movie.mp4', 60)]
    await page.evaluate(`{
      const video = document.getElementById('v')
      keepFresh(document.getElementById('x'), '${other}', { renew: renewer('/files/lighthouse.png', 60) })
      keepFresh(document.getElementById('s'), '${movie}', { renew: renewer('/movie.mp4', 60) })
      video.play().catch(() => undefined)
    }`)
    await page.waitForFunction(`document.getElementById('v').currentTime > 1`, undefined, { timeout: 10_000 })
    expect(renewals()).toBe(0)
  }, 60_000)

  test('a video that was told to play and whose link is refused plays on with the new link, and `renewed` is called', async () => {
    await open(`<video id="v" muted></video>${HELP}`)
    await ready()
    const good = await sign(links, `${origin}/movie.mp4`, { expires: '60s' })
    const bad = good.replace(/.$/, (end) => (end === 'A' ? 'B' : 'A'))
    await page.evaluate(`{
      const video = document.getElementById('v')
      window.told = []
      keepFresh(video, '${bad}', { renew: renewer('/movie.mp4', 60), renewed: (link) => told.push(link === video.src) })
      // Chromium pauses it, and then reports the error.
      video.addEventListener('error', () => { window.pausedAtError = video.paused })
      video.play().catch(() => undefined)
    }`)
    await page.waitForFunction(`document.getElementById('v').currentTime > 0.5`, undefined, { timeout: 20_000 })
    expect(await page.evaluate('[pausedAtError, told]')).toEqual([true, [true]])
    expect(renewals()).toBe(1)
  }, 60_000)

  test('a video that was not told to play stays paused with the new link', async () => {
    await open(`<video id="v" muted></video>${HELP}`)
    await ready()
    const good = await sign(links, `${origin}/movie.mp4`, { expires: '60s' })
    const bad = good.replace(/.$/, (end) => (end === 'A' ? 'B' : 'A'))
    await page.evaluate(`keepFresh(document.getElementById('v'), '${bad}', { renew: renewer('/movie.mp4', 60) })`)
    await page.waitForFunction(`document.getElementById('v').readyState > 1`, undefined, { timeout: 20_000 })
    expect(await page.evaluate(`document.getElementById('v').paused`)).toBe(true)
  }, 60_000)

  test('a script from renew does not get into an href', async () => {
    await open(`<a id="a">link</a>${HELP}`)
    await ready()
    const first = await link('/files/notes.txt', 2)
    await page.evaluate(`{
      window.told = []
      const renew = () => 'java\\nscript:window.owned=1'
      keepFresh(document.getElementById('a'), '${first}', { renew, early: '1s', failed: ({ code }) => told.push(code) })
    }`)
    await page.waitForFunction('told.length', undefined, { timeout: 20_000 })
    expect(await page.evaluate(`document.getElementById('a').href`)).toBe(first)
  }, 60_000)

  test('an image off the screen is not renewed until it is on the screen', async () => {
    await open(`<img id="near"><div style="height: 5000px"></div><img id="far">${HELP}`)
    await ready()
    const image = '/files/lighthouse.png'
    await page.evaluate(`{
      keepFresh(document.getElementById('near'), '${await link(`${image}?near`, 2)}', { renew: renewer('${image}%3Fnear', 60), early: '1s' })
      keepFresh(document.getElementById('far'), '${await link(`${image}?far`, 2)}', { renew: renewer('${image}%3Ffar', 60), early: '1s' })
    }`)
    await page.waitForTimeout(4000)
    const renewed = () => requests.filter(({ path }) => path === '/renew').map(({ link }) => link)
    expect(renewed()).toEqual([`${image}?near`])
    await page.evaluate(`document.getElementById('far').scrollIntoView()`)
    await expect.poll(renewed, { timeout: 10_000 }).toEqual([`${image}?near`, `${image}?far`])
    expect(await page.evaluate(`document.getElementById('far').src`)).toContain('expires=')
  }, 60_000)

  test('a removed element leaves no timer, also in a shadow tree; a moved element keeps its timer', async () => {
    await open(`<main></main><aside></aside>${HELP}`)
    await ready()
    const url = await link('/files/lighthouse.png', 60)
    const timers = (await page.evaluate(`(async () => {
      const main = document.querySelector('main')
      const soon = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      const renew = renewer('/files/lighthouse.png', 60)
      const before = new Set(due)
      const left = () => [...due].filter((id) => !before.has(id)).length
      const counts = []
      for (const name of ['img', 'video', 'audio', 'a']) {
        const element = main.appendChild(document.createElement(name))
        element.preload = 'none'
        keepFresh(element, '${url}', { renew })
        await soon()
        counts.push(left())
        document.querySelector('aside').append(element)
        await soon()
        counts.push(left())
        element.remove()
        await soon()
        counts.push(left())
      }
      const shadow = main.attachShadow({ mode: 'closed' })
      const inner = shadow.appendChild(document.createElement('div'))
      keepFresh(inner.appendChild(document.createElement('a')), '${url}', { renew })
      await soon()
      counts.push(left())
      inner.remove()
      await soon()
      counts.push(left())
      const stop = keepFresh(main.parentElement.appendChild(document.createElement('a')), '${url}', { renew })
      counts.push(left())
      stop()
      counts.push(left())
      return counts
    })()`)) as number[]
    expect(timers).toEqual([...[1, 1, 0], ...[1, 1, 0], ...[1, 1, 0], ...[1, 1, 0], 1, 0, 1, 0])
    expect(problems).toEqual([])
  }, 60_000)

  test('a renewal that fails is tried again with pauses, and `failed` is called', async () => {
    await open(`<a id="a">link</a>${HELP}`)
    await ready()
    await page.evaluate(`{
      window.told = []
      let calls = 0
      const good = renewer('/files/notes.txt', 60)
      const renew = (...all) => { if (++calls < 2) throw new Error('not yet'); return good(...all) }
      keepFresh(document.getElementById('a'), '${await link('/files/notes.txt', 2)}', { renew, early: '1s', failed: (error) => told.push(error.code + ': ' + error.cause.message) })
    }`)
    await expect.poll(renewals, { timeout: 15_000 }).toBe(1)
    expect(await page.evaluate('told')).toEqual(['renewal_failed: not yet'])
  }, 60_000)

  describe('hls.js plays the demo', () => {
    const player = (address: string) => `<video id="v" muted></video><script src="/hls.js"></script><script>
      const video = document.getElementById('v')
      window.errors = []
      const hls = new Hls({ enableWorker: false })
      hls.on(Hls.Events.ERROR, (_, { details, response }) => errors.push(details + ' ' + response?.code))
      hls.on(Hls.Events.MANIFEST_PARSED, () => video.play())
      video.addEventListener('ended', () => { window.ended = true })
      // Faster, to save time. All of it is loaded.
      video.addEventListener('playing', () => { video.playbackRate = 4 })
      hls.loadSource('${address}')
      hls.attachMedia(video)
    </script>`

    async function plays(address: string): Promise<void> {
      await open(player(address))
      await page.waitForFunction('window.ended', undefined, { timeout: 60_000 })
      expect(await page.evaluate('errors')).toEqual([])
      expect(refusals()).toEqual([])
      const loaded = new Set(requests.map(({ path }) => path))
      for (const name of ['init.mp4', 'segment-0.m4s', 'segment-4.m4s']) expect(loaded).toContain(name)
    }

    test('through signed segments', () => plays('/signed.m3u8'), 90_000)

    test('through one prefix link in the path', async () => {
      const one = await sign(inPath, `${origin}/files/video/index.m3u8`, { expires: '1h', prefix: '/files/video/' })
      await plays(one)
      expect(new Set(requests.map(({ link }) => new URL(link).pathname.split('/')[1])).size).toBe(1)
    }, 90_000)
  })
})
