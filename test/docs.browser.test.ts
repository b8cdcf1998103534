// The pages of docs/guide/browser.md, saved as files and opened in Chromium. The built files stand for the CDN, with the hashes that the pages name.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { built, root } from './built.ts'
import { find, leftOut } from './prepare.mjs'

const pages = () =>
  [...readFileSync(join(root, 'docs/guide/browser.md'), 'utf8').matchAll(/^```html\n([\s\S]*?)^```/gm)].map(([, html = '']) => html)
const folder = mkdtempSync(join(tmpdir(), 'securelink-pages-'))
let browser: Browser

beforeAll(async () => {
  if (!find('chromium')) return
  await built()
  browser = await chromium.launch({ executablePath: find('chromium') as string, args: ['--no-sandbox', '--disable-gpu'] })
}, 120_000)
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Opens a page from the file system, and returns its text and its errors. */
async function open(html: string, change = (text: string) => text): Promise<{ text: string; problems: string[] }> {
  const path = join(folder, 'page.html')
  writeFileSync(path, html)
  const page = await browser.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(`${error}`))
  page.on('console', (message) => problems.push(message.text()))
  await page.route(/^https?:/, async (route) => {
    const [, name] = /^https:\/\/cdn\.jsdelivr\.net\/npm\/securelink@[\d.]+\/dist\/(securelink\.\w+\.js)$/.exec(route.request().url()) ?? []
    if (!name) return route.abort()
    const body = change(readFileSync(join(root, 'dist', name), 'utf8'))
    await route.fulfill({ body, contentType: 'text/javascript', headers: { 'access-control-allow-origin': '*' } })
  })
  await page.goto(pathToFileURL(path).href, { waitUntil: 'networkidle' })
  const text = await page.evaluate<string>('document.body.innerText')
  await page.close()
  return { text, problems }
}

describe.skipIf(!find('chromium'))(
  `pages from a CDN${find('chromium') ? '' : `; ${leftOut('chromium')}`}`,
  () => {
    test('there are two: a script and a module', () => {
      const [script, module] = pages()
      expect(script).toContain('securelink.umd.js')
      expect(module).toContain('type="module"')
      expect(pages()).toHaveLength(2)
    })

    test.each([0, 1])('page %d works when it is opened', async (i) => {
      const { text, problems } = await open(pages()[i] as string)
      expect(problems).toEqual([])
      expect(text).toMatch(/The report.* is valid for \d+ more days/)
      expect(text).toMatch(/The photo.* has expired/)
      if (i === 1) expect(text).toContain('(hmac)')
    })

    test.each([0, 1])('page %d does not run a file of another hash', async (i) => {
      const { text, problems } = await open(pages()[i] as string, (text) => `${text}\n`)
      expect(problems.join('\n')).toMatch(/integrity|hash|SecureLink is not defined/i)
      expect(text).not.toContain('has expired')
    })
  },
  60_000,
)
