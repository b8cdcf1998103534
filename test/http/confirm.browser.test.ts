// The pages of confirm and guard in a real browser: do they work, with one click and with two, and are they accessible?
import { expect } from 'vitest'
import { confirm, guard } from '../../src/guard.ts'
import { hmac, sign, type UseStore } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { browserTest, inChromium, violations } from '../chromium.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const { serve, open } = inChromium()

/** Complaints, without those about statuses, which are expected here. */
const unexpected = (complaints: readonly string[]) => complaints.filter((text) => !/favicon|status of (40|41|50)/.test(text))

/** A store that takes as long as the test says, and counts the requests. */
function slowStore() {
  const real = memoryStore()
  let proceed: () => void = () => undefined
  const released = new Promise<void>((resolve) => (proceed = resolve))
  let takes = 0
  const store: UseStore = {
    async take(...use) {
      takes++
      await released
      return real.take(...use)
    },
  }
  return { store, release: () => proceed(), takes: () => takes }
}

browserTest('a person presses the button', async () => {
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
  expect(unexpected(complaints)).toEqual([])
  await page.context().close()
})

browserTest('a person clicks twice: one request is sent, and the page shows its answer', async () => {
  const { store, release, takes } = slowStore()
  const origin = await serve(confirm(links, { store, handler: () => new Response('welcome') }))
  const { page, complaints } = await open(await sign(links, `${origin}/invite`, { expires: '1h', uses: 1 }))
  // Clicks of the mouse, which do not wait until the button is enabled.
  const { x, y, width, height } = (await page.locator('button').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  await page.mouse.dblclick(x + width / 2, y + height / 2)
  await page.mouse.click(x + width / 2, y + height / 2)
  release()
  await page.locator('body', { hasText: 'welcome' }).waitFor()
  expect(takes()).toBe(1)
  expect(unexpected(complaints)).toEqual([])
  await page.context().close()
})

browserTest('without scripts, the button works, too', async () => {
  const origin = await serve(confirm(links, { store: memoryStore(), handler: () => new Response('welcome') }))
  const { page } = await open(await sign(links, `${origin}/invite`, { expires: '1h', uses: 1 }), { javaScriptEnabled: false })
  await page.locator('button').click()
  await page.waitForURL(/invite/)
  expect(await page.locator('body').innerText()).toContain('welcome')
  await page.context().close()
})

browserTest('a person comes back to a used link, reads what to do, and does it', async () => {
  const words = { refused: { used: { text: 'You are in already. Log in.', next: { text: 'Log in', url: '/login' } } } }
  const invite = confirm(links, { store: memoryStore(), handler: () => new Response('welcome'), words })
  const origin = await serve((request) => (request.url.endsWith('/login') ? new Response('your name?') : invite(request)))
  const { page, complaints } = await open(await sign(links, `${origin}/invite`, { expires: '1h', uses: 1 }))
  await page.locator('button').click()
  await page.locator('body', { hasText: 'welcome' }).waitFor()
  await page.goBack()
  expect(await page.locator('button').isDisabled()).toBe(false)
  await page.locator('button').click()
  await page.locator('h1', { hasText: 'This link has been used' }).waitFor()
  expect(await page.textContent('main')).toContain('You are in already. Log in.')
  expect(await violations(page)).toEqual([])
  await page.getByRole('link', { name: 'Log in' }).click()
  await page.locator('body', { hasText: 'your name?' }).waitFor()
  expect(unexpected(complaints)).toEqual([])
  await page.context().close()
})

browserTest('words in Arabic are shown from right to left', async () => {
  const words = { language: 'ar', title: 'افتح الرابط', text: 'يعمل هذا الرابط مرة واحدة فقط.', button: 'متابعة' }
  const origin = await serve(confirm(links, { store: memoryStore(), redirect: '/', words }))
  const { page } = await open(await sign(links, `${origin}/invite`, { expires: '1h', uses: 1 }))
  expect(await page.evaluate(`getComputedStyle(document.querySelector('p')).direction`)).toBe('rtl')
  await page.context().close()
})

browserTest('a person opens an expired link and gets a page; a program gets a problem document', async () => {
  const origin = await serve(guard(links, () => new Response('the file')))
  const old = { now: () => new Date('2020-01-01') }
  const link = await sign(links, `${origin}/a.txt`, { expires: '10m' }, old)
  const { page, complaints } = await open(link)
  expect(await page.textContent('h1')).toBe('This link has expired')
  expect(await violations(page)).toEqual([])
  expect(unexpected(complaints)).toEqual([])
  expect((await fetch(link).then((answer) => answer.json())).reason).toBe('expired')
  await page.context().close()
})
