// docs/guide/renewal.md: its code for pages, with React, TanStack Query and a service worker, while links expire.
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bundle, fence, hasChromium, inChromium, type Site, startSite } from './site.ts'

const PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
const PICTURES = 100
const picture = (i: number) => `/files/${i}.svg`
const ROOT = '<div id="root"></div>'

let site: Site
let page: Page

beforeAll(async () => {
  if (!hasChromium) return
  site = await startSite()
  for (let i = 0; i < PICTURES; i++) site.files.set(picture(i), { body: PICTURE, type: 'image/svg+xml' })
  for (const name of ['a', 'b']) site.files.set(`/files/${name}.txt`, { body: `the file ${name}`, type: 'text/plain' })
}, 120_000)
afterEach(() => page?.close())
afterAll(() => site?.close())

/** Timers that a test can wind forward. */
const withTimers = (opened: Page) => opened.clock.install()

/** Time passes, for the server and for the page, and the timers that are due by then are called. */
async function pass(seconds: number): Promise<void> {
  site.ahead += seconds * 1000
  await page.clock.fastForward(seconds * 1000)
}

const until = (condition: string) => page.waitForFunction(condition, undefined, { timeout: 20_000, polling: 50 })
const renewals = () => site.renewals().map(({ links, status }) => [links, status])

function nothingWasRefused(): void {
  expect(site.refused()).toEqual([])
  expect(site.complaints).toEqual([])
}

// How the pages of the tests use the code of the guide.
const APP = `
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
const root = createRoot(document.getElementById('root'))
export const show = (what) => root.render(<StrictMode>{what}</StrictMode>)
// StrictMode mounts components twice, and TanStack Query would ask twice.
export const showOnce = (what) => root.render(what)
`

describe.skipIf(!hasChromium)(inChromium, () => {
  test('a hundred pictures of React whose links are about to expire cause one call of renew', async () => {
    const entry = `import { show } from './app.tsx'
      import { Photo } from './photo.tsx'
      export const photos = (links) => show(links.map((link) => <Photo key={link} link={link} />))`
    const script = await bundle(entry, { './app.tsx': APP, './photo.tsx': fence('renewal.md', 'React') })
    page = await site.open(`<style>img { width: 8px; height: 8px }</style>${ROOT}`, script, withTimers)
    const links = await Promise.all(Array.from({ length: PICTURES }, (_, i) => site.link(picture(i))))
    await page.evaluate((all) => (globalThis as unknown as { recipe: { photos(links: string[]): void } }).recipe.photos(all), links)
    const loaded = `[...document.images].filter((image) => image.complete && image.naturalWidth).length === ${PICTURES}`
    await until(loaded)
    expect(renewals()).toEqual([])

    await pass(585)
    await until(`[...document.images].every(({ src }) => !${JSON.stringify(links)}.includes(src)) && ${loaded}`)
    expect(renewals()).toEqual([[PICTURES, 200]])

    // Pictures that have left the page are not renewed any more.
    await page.evaluate('recipe.photos([])')
    await until('document.images.length === 0')
    await pass(3600)
    expect(renewals()).toHaveLength(1)
    nothingWasRefused()
  }, 60_000)

  test('the hook of React renews its link before the expiry, and ends with its component', async () => {
    const entry = `import { show } from './app.tsx'
      import { useFreshLink } from './hook.tsx'
      export const rendered = []
      function Download({ link }) {
        const fresh = useFreshLink(link)
        rendered.push(fresh)
        return <a href={fresh}>Download</a>
      }
      export const download = (link) => show(link && <Download link={link} />)`
    const script = await bundle(entry, { './app.tsx': APP, './hook.tsx': fence('renewal.md', 'React', 1) })
    page = await site.open(ROOT, script, withTimers)
    const [first, other] = await Promise.all([site.link('/files/a.txt'), site.link('/files/b.txt')])
    const href = () => page.evaluate<string>('document.links[0].href')
    await page.evaluate(`recipe.download('${first}')`)
    await until('document.links.length')
    await pass(300)
    expect([await href(), renewals()]).toEqual([first, []])

    await pass(280)
    await until(`document.links[0].href !== '${first}'`)
    expect(renewals()).toEqual([[1, 200]])
    expect(await page.evaluate('fetch(document.links[0].href).then((response) => response.text())')).toBe('the file a')

    // Another link is shown at once.
    await page.evaluate(`{ recipe.rendered.length = 0; recipe.download('${other}') }`)
    await until('recipe.rendered.length')
    const rendered = await page.evaluate<string[]>('recipe.rendered')
    expect(rendered.filter((link) => !link.includes('/b.txt'))).toEqual([])

    // It is renewed, too, because it is as old as the first one.
    await until(`document.links[0].href !== '${other}'`)
    await page.evaluate('recipe.download()')
    await until('document.links.length === 0')
    await pass(3600)
    expect(renewals()).toHaveLength(2)
    nothingWasRefused()
  }, 60_000)

  test('TanStack Query asks for a new link 30 seconds before the expiry, and not sooner', async () => {
    const entry = `import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
      import { showOnce } from './app.tsx'
      import { photo, picture } from './queries.ts'
      export const client = new QueryClient()
      function Photo() {
        const { data } = useQuery(photo('7'))
        const { data: blob } = useQuery({ ...picture(data?.link ?? ''), enabled: !!data })
        return <p>{blob?.size}</p>
      }
      export const open = () => showOnce(<QueryClientProvider client={client}><Photo /></QueryClientProvider>)
      export const close = () => showOnce(null)`
    const script = await bundle(entry, { './app.tsx': APP, './queries.ts': fence('renewal.md', 'TanStack Query') })
    let asked = 0
    site.other = async ({ url }) => {
      if (!url.endsWith('/api/photos/7')) return undefined
      asked++
      return Response.json({ link: await site.link(picture(7)) })
    }
    page = await site.open(ROOT, script, withTimers)
    const opensAgain = async () => {
      await page.evaluate('recipe.close()')
      await until(`!document.querySelector('p')`)
      // Queries without components are kept for five minutes.
      await pass(290)
      await page.evaluate('recipe.open()')
      await until(`document.querySelector('p')?.textContent === '${PICTURE.length}' && !recipe.client.isFetching()`)
    }
    await page.evaluate('recipe.open()')
    await until(`document.querySelector('p')?.textContent === '${PICTURE.length}'`)
    expect(asked).toBe(1)
    await opensAgain()
    expect(asked).toBe(1)
    await opensAgain()
    expect(asked).toBe(2)
    const keys = await page.evaluate('recipe.client.getQueryCache().getAll().map(({ queryKey }) => queryKey)')
    expect(keys).toEqual([
      ['photo', '7'],
      ['picture', `${site.origin}${picture(7)}`],
    ])
    // The picture may have renewed the old link before the new one came. No expired link was sent.
    nothingWasRefused()
  }, 60_000)

  test.each(['Service worker', 'Workbox'])(
    '%s: from the cache whatever the signature, and a link is renewed before a file is loaded',
    async (recipe) => {
      // Files of the test are on the origin of the page.
      const code = fence('renewal.md', recipe).replace('https://cdn.example/', `${site.origin}/files/`)
      const worker = await bundle(`import './worker.js'`, { './worker.js': code })
      site.other = ({ url }) =>
        url.endsWith('/worker.js') ? new Response(worker, { headers: { 'content-type': 'text/javascript' } }) : undefined
      page = await site.open('', '')
      await page.evaluate(`navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready).then(() => undefined)`)
      await page.reload()
      const load = (link: string) => page.evaluate<string>(`fetch('${link}').then((response) => response.text())`)
      const loads = () => site.seen.filter(({ path }) => path.startsWith('/files/')).map(({ path }) => path)

      const first = await site.link('/files/a.txt')
      site.ahead = 5000
      const second = await site.link('/files/a.txt')
      site.ahead = -3_600_000
      const [expired, unknown] = [await site.link('/files/a.txt'), await site.link('/files/b.txt')]
      site.ahead = 0
      expect(new Set([first, second, expired]).size).toBe(3)
      const keys = `caches.open('files').then((cache) => cache.keys()).then((requests) => requests.map(({ url }) => url))`
      for (const link of [first, second, expired]) {
        expect(await load(link)).toBe('the file a')
        // Workbox answers before it has written to the cache.
        await expect.poll(() => page.evaluate(keys)).toEqual([`${site.origin}/files/a.txt`])
      }
      expect([loads(), renewals()]).toEqual([['/files/a.txt'], []])

      expect(await load(unknown)).toBe('the file b')
      expect([loads(), renewals()]).toEqual([['/files/a.txt', '/files/b.txt'], [[1, 200]]])
      await expect.poll(() => page.evaluate(keys)).toEqual([`${site.origin}/files/a.txt`, `${site.origin}/files/b.txt`])

      // A range is not kept, because the Cache API takes whole files only. Workbox has a plugin of its own for ranges.
      const range = `fetch('${first}', { headers: { range: 'bytes=4-7' } }).then((response) => response.text())`
      if (recipe === 'Service worker') expect(await page.evaluate(range)).toBe('file')
      nothingWasRefused()
    },
    60_000,
  )

  test('a download link and an iframe load after their first links have expired', async () => {
    const script = await bundle(`export * from './pages.ts'`, { './pages.ts': fence('renewal.md', 'Downloads and iframes') })
    page = await site.open('<a download="a.txt">Download</a><iframe title="b"></iframe>', script, withTimers)
    const [first, other] = await Promise.all([site.link('/files/a.txt'), site.link('/files/b.txt')])
    await page.evaluate(`{ recipe.download(document.querySelector('a'), '${first}') }`)
    await pass(3600)
    await until(`document.querySelector('a').href !== '${first}'`)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('a')])
    expect(await download.failure()).toBe(null)

    await page.evaluate(`recipe.show(document.querySelector('iframe'), '${other}')`)
    await expect
      .poll(() =>
        page
          .frames()[1]
          ?.evaluate('document.body.innerText')
          .catch(() => ''),
      )
      .toBe('the file b')
    expect(renewals()).toEqual([
      [1, 200],
      [1, 200],
    ])
    nothingWasRefused()
  }, 60_000)
})
