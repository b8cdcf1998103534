// The playground in a real Chromium, from the file system and from the built demo: what a visitor does, and that nothing leaves the page.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { built, root } from './built.ts'
import { find, leftOut } from './prepare.mjs'

const executablePath = find('chromium')
const screenshots = join(root, 'build/screenshots')
const file = pathToFileURL(join(root, 'docs/playground/index.html')).href
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
const desktop = { width: 1280, height: 900 }
const phone = { width: 390, height: 844 }

let browser: Browser
let demo: ChildProcess
let served: string

beforeAll(async () => {
  if (!executablePath) return
  await built()
  mkdirSync(screenshots, { recursive: true })
  demo = spawn(process.execPath, [join(root, 'dist/cli/bin.js'), 'demo'], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const chunk of demo.stdout as NodeJS.ReadableStream) {
    served = /http:\/\/127\.0\.0\.1:\d+\//.exec(`${chunk}`)?.[0] as string
    if (served) break
  }
  browser = await chromium.launch({ executablePath, args: flags.split(' ') })
}, 180_000)

afterAll(async () => {
  await browser?.close()
  demo?.kill('SIGKILL')
})

interface Opened {
  page: Page
  context: BrowserContext
  /** Everything that the page asked for, in order. */
  requests: string[]
  /** Everything on its console, and every error. */
  complaints: string[]
}

interface How {
  scheme?: 'light' | 'dark'
  viewport?: { width: number; height: number }
  before?: (context: BrowserContext) => Promise<unknown>
}

async function open(url: string, { scheme = 'light', viewport = desktop, before }: How = {}): Promise<Opened> {
  const context = await browser.newContext({ colorScheme: scheme, viewport, timezoneId: 'UTC', hasTouch: viewport === phone })
  await before?.(context)
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(`${error}`))
  await page.goto(url, { waitUntil: 'load' })
  await page.waitForFunction(() => document.querySelector('#status')?.textContent)
  return { page, context, requests, complaints }
}

const link = (page: Page) => page.locator('#link').inputValue()
const verdict = async (page: Page): Promise<string> => {
  await page.locator('#verify').click()
  return page.locator('#verdict .word').innerText()
}
const sign = async (page: Page, conditions: Record<string, string>): Promise<string> => {
  for (const [name, value] of Object.entries(conditions)) await page.locator(`#condition-${name}`).fill(value)
  await page.locator('#sign').click()
  await page.waitForFunction(() => document.querySelector('#signed')?.textContent)
  return page.locator('#signed').innerText()
}
const parts = (page: Page) =>
  page
    .locator('#parts li')
    .evaluateAll((items) => items.map((item) => [...item.children].map((child) => child.textContent).slice(0, 3) as string[]))

const here = { skip: !executablePath, timeout: 120_000 }
const why = executablePath ? '' : `; ${leftOut('chromium')}`

describe.each(['file', 'demo'])(`from the %s${why}`, (from) => {
  const url = () => (from === 'file' ? file : served)

  test('signs, inspects, verifies, tampers, expires, with no request and nothing on the console', here, async () => {
    const { page, context, requests, complaints } = await open(url())
    const loaded = [...requests]
    await context.setOffline(true)

    // An example stands there from the start.
    expect(await link(page)).toMatch(/^https:\/\/cdn\.example\/report\.pdf\?page=2&expires=\d+&key=playground&signature=[\w-]{43}$/)
    expect(await verdict(page)).toBe('Accepted')

    expect(await sign(page, { expires: '1h', ip: '203.0.113.0/24', method: 'PUT', id: 'a b' })).toContain('Signed.')
    expect(await parts(page)).toEqual([
      ['origin', 'not covered', 'https://cdn.example'],
      ['path', 'covered', '/report.pdf'],
      ['page', 'covered', '2'],
      ['expires', 'covered', expect.stringMatching(/^\d+$/)],
      ['method', 'covered', 'PUT'],
      ['net', 'covered', '24'],
      ['id', 'covered', 'a b'],
      ['key', 'covered', 'playground'],
      ['signature', 'signature', expect.stringMatching(/^[\w-]{86}$/)],
    ])
    expect(await page.locator('#anatomy').innerText()).toBe(await link(page))
    expect(await page.locator('#left').innerText()).toMatch(/^(1 hour|59 minutes( \d+ seconds?)?) left$/)
    expect(await verdict(page)).toBe('Refused: wrong_method')
    await page.locator('#visit-method').fill('put')
    expect(await page.locator('#verdict').innerText()).toBe('')
    expect(await verdict(page)).toBe('Refused: wrong_ip')
    await page.locator('#visit-ip').fill('203.0.113.9')
    expect(await verdict(page)).toBe('Accepted')
    expect(await page.locator('#verdict dl').innerText()).toMatch(/203\.0\.113\.9\/24/)
    await page.locator('#visit-now').fill('2099-01-01T00:00:00')
    expect(await verdict(page)).toBe('Refused: expired')
    expect(await page.locator('#verdict').innerText()).toContain('Status 410')
    await page.locator('#visit-now').fill('')

    await page.locator('#tamper').click()
    expect(await link(page)).toContain('/report.pdx?')
    expect(await verdict(page)).toBe('Refused: bad_signature')
    expect(await page.locator('#verdict').innerText()).toContain('Status 403')

    // Another key, and back to a good link.
    await page.locator('#visit-method').fill('')
    await sign(page, { expires: '2s', ip: '', method: '', id: '' })
    expect(await verdict(page)).toBe('Accepted')
    await page.locator('#left.dead').waitFor()
    expect(await page.locator('#status').innerText()).toBe('The link has just expired.')
    expect(await verdict(page)).toBe('Refused: expired')

    // Uses are counted in the page.
    await sign(page, { expires: '1h', uses: '1' })
    expect(await verdict(page)).toBe('Refused: needs_redeem')
    await page.locator('#redeem').click()
    await page.getByText('Accepted', { exact: true }).waitFor()
    await page.locator('#redeem').click()
    await page.getByText('Refused: used', { exact: true }).waitFor()

    await sign(page, { uses: '', starts: '30m' })
    expect(await page.locator('#left').innerText()).toMatch(/^Opens in /)
    expect(await verdict(page)).toBe('Refused: too_early')
    await page.locator('#generate').click()
    expect(await verdict(page)).toBe('Refused: bad_signature')

    expect(requests).toEqual(loaded)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('switches schemes, by hand and by what is pasted', here, async () => {
    const { page, requests, complaints, context } = await open(url())
    const loaded = [...requests]
    await page.locator('#scheme').selectOption('pichax')
    expect(await page.locator('#condition-ip').count()).toBe(0)
    await sign(page, { id: 'user-42' })
    expect(await link(page)).toMatch(/&id=user-42&expires=\d+&key=playground&signature=[\da-f]{64}$/)
    expect(await verdict(page)).toBe('Accepted')
    expect(await page.locator('#covers').innerText()).toContain('Anyone can change: origin, path, page')
    await page.locator('#tamper').click()
    expect(await verdict(page)).toBe('Accepted')
    const picture = await link(page)

    // A token in the path, other names, a purpose: signer and verifier must agree.
    await page.locator('#scheme').selectOption('hmac')
    await page.locator('#options-box summary').click()
    await page.locator('#option-placement').selectOption('path')
    await page.locator('#option-purpose').fill('video')
    await page.locator('#option-parameters').fill('key=k')
    await page.locator('#option-origin').check()
    await page.locator('#option-ignore').fill('utm_*')
    await page.locator('#url').fill('https://cdn.example/videos/7/index.m3u8?utm_source=x')
    await sign(page, { id: '', prefix: '/videos/7/' })
    expect(await link(page)).toMatch(
      /^https:\/\/cdn\.example\/expires=\d+,prefix=~2Fvideos~2F7~2F,k=playground,signature=[\w-]{43}\/videos\/7\//,
    )
    expect(await parts(page)).toEqual([
      ['origin', 'covered', 'https://cdn.example'],
      ['expires', 'covered', expect.stringMatching(/^\d+$/)],
      ['prefix', 'covered', '/videos/7/'],
      ['k', 'covered', 'playground'],
      ['signature', 'signature', expect.anything()],
      ['path', 'covered', '/videos/7/index.m3u8'],
      ['utm_source', 'not covered', 'x'],
    ])
    await page.locator('#link').fill((await link(page)).replace('index.m3u8', '1.ts'))
    expect(await verdict(page)).toBe('Accepted')
    await page.locator('#option-purpose').fill('')
    expect(await verdict(page)).toBe('Refused: bad_signature')

    await page.locator('#link').fill(picture)
    expect(await page.locator('#scheme').inputValue()).toBe('pichax')
    expect(await page.locator('#status').innerText()).toContain('A link of pichax')
    await page.locator('#link').fill(`https://h.example/a/expires=1/x?expires=1900000000&signature=${'A'.repeat(43)}`)
    expect(await page.locator('#scheme').inputValue()).toBe('hmac')
    expect(await page.locator('#anatomy .k-time').allInnerTexts()).toEqual(['expires=1900000000'])
    expect(await page.locator('#anatomy .k-signature').allInnerTexts()).toEqual([`signature=${'A'.repeat(43)}`])
    // The placement follows the link, so that the next link is signed and verified like it.
    expect(await page.locator('#option-placement').inputValue()).toBe('query')
    await page.locator('#link').fill('https://h.example/plain')
    expect(await page.locator('#status').innerText()).toBe('No signed link that this page knows.')
    expect(await page.locator('#legend').isVisible()).toBe(false)
    await page.locator('#link').fill('https://h.example/?expires=x&signature=y')
    expect(await page.locator('#status').innerText()).toContain('malformed')
    expect(await verdict(page)).toBe('Refused: malformed')
    await page.locator('#link').fill('')
    expect(await page.locator('#status').innerText()).toBe('Nothing here yet.')
    expect(requests).toEqual(loaded)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('hostile text is shown as text', here, async () => {
    const { page, requests, complaints, context } = await open(url())
    const loaded = [...requests]
    const before = await page.locator('*').count()
    const hostile = [
      '<img src=x onerror=alert(1)>',
      'javascript:alert(1)',
      `https://h.example/<script>alert(1)</script>?expires=1900000000&signature=${'A'.repeat(43)}&id="><svg/onload=alert(1)>`,
      `https://h.example/\u202egpj.exe?expires=1900000000&key=%E2%80%AE&signature=${'A'.repeat(43)}`,
      '?%=%&%zz=\ud800&__proto__=1&constructor=2&=',
      'x'.repeat(100_000),
      `/?${'a=1&'.repeat(4000)}`,
      'data:text/html,<script>alert(1)</script>',
    ]
    for (const text of hostile) {
      await page.locator('#link').fill(text)
      expect(await page.locator('#status').innerText()).not.toBe('')
      expect(await page.locator('main img:not([src^="files/"], [src^="/files/"]), main script, main svg').count()).toBe(0)
      expect(await page.locator('#reading').innerText()).not.toContain('\u202e')
      await verdict(page)
    }
    await page.locator('#link').fill(`https://h.example/a?expires=1900000000&signature=${'A'.repeat(43)}`)
    await page.locator('#secret').fill('short')
    expect(await verdict(page)).toBe('No verdict')
    expect(await page.locator('#verdict').innerText()).toContain('weak_key')
    expect(await sign(page, {})).toContain('weak_key')
    await page.locator('#generate').click()
    await page.locator('#url').fill('javascript:alert(1)')
    expect(await sign(page, {})).toContain('bad_option')
    await page.locator('#url').fill('/a')
    expect(await sign(page, { expires: 'soon' })).toContain('bad_option')
    expect(await sign(page, { expires: '600' })).toContain('expires must be')
    expect(await page.locator('#code').innerText()).toContain("expires: '600'")
    expect(await page.locator('*').count()).toBeLessThan(before + 40)
    expect(requests).toEqual(loaded)
    expect(complaints).toEqual([])
    await context.close()
  })

  test.each([
    ['desktop', 'light', desktop],
    ['desktop', 'dark', desktop],
    ['phone', 'light', phone],
    ['phone', 'dark', phone],
  ] as const)('axe finds nothing on a %s in %s, and nothing is wider than the screen', here, async (device, scheme, viewport) => {
    const { page, complaints, context } = await open(url(), { scheme, viewport })
    await page.locator('#options-box summary').click()
    const violations = async () => {
      await page.evaluate(axe)
      return page.evaluate(async () => {
        // biome-ignore lint/suspicious/noExplicitAny: axe is a global of the page
        const { violations } = await (globalThis as any).axe.run(document, { resultTypes: ['violations'], preload: false })
        // biome-ignore lint/suspicious/noExplicitAny: as above
        return violations.map(({ id, nodes }: any) => `${id}: ${nodes.map(({ html }: any) => html).join(' ')}`)
      })
    }
    await sign(page, { ip: '203.0.113.7', starts: '1m', id: 'x' })
    expect(await verdict(page)).toBe('Refused: wrong_ip')
    expect(await violations()).toEqual([])
    await sign(page, { ip: '', starts: '' })
    expect(await verdict(page)).toBe('Accepted')
    await page.locator('#options-box summary').click()
    expect(await violations()).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width)
    await page.screenshot({ path: join(screenshots, `playground-${from}-${device}-${scheme}.png`), fullPage: true })
    expect(complaints).toEqual([])
    await context.close()
  })
})

test(`every scheme of the bundle is on the list${why}`, here, async () => {
  const { page, context } = await open(file)
  const schemes = readdirSync(join(root, 'src/schemes'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.replace('.ts', ''))
  expect(await page.locator('#scheme option').allInnerTexts()).toEqual(expect.arrayContaining(schemes))
  expect(await page.locator('#scheme option').count()).toBe(schemes.length)
  await context.close()
})

test(`the code for each runtime holds the link and no secret${why}`, here, async () => {
  const { page, context } = await open(file, { before: (context) => context.grantPermissions(['clipboard-read', 'clipboard-write']) })
  await sign(page, { id: "it's" })
  const secret = await page.locator('#secret').inputValue()
  for (const [name, says] of [
    ['Node', "import { hmac, sign, verify } from 'securelink'"],
    ['Deno', "from 'npm:securelink'"],
    ['Bun', 'Bun.env.LINK_SECRET'],
    ['Worker', 'guard(links, '],
    ['Browser', 'securelink@0.1.0/dist/securelink.min.js'],
    ['curl', `curl -i '${await link(page)}'`],
  ] as const) {
    await page.getByRole('button', { name, exact: true }).click()
    const code = await page.locator('#code').innerText()
    expect(code).toContain(says)
    expect(code).not.toContain(secret)
    await page.locator('#copy').click()
    await page.getByText('Copied.').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code)
  }
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version).toBe('0.1.0')
  await page.getByRole('button', { name: 'Node', exact: true }).click()
  expect(await page.locator('#code').innerText()).toContain(`{ expires: '10m', id: 'it\\'s' }`)

  // What is copied runs: here with the package itself, which knows its own name.
  const run = async () => {
    const path = join(root, 'build/copied.mjs')
    writeFileSync(path, await page.locator('#code').innerText())
    return spawnSync(process.execPath, [path], { env: { ...process.env, LINK_SECRET: secret }, encoding: 'utf8' })
  }
  expect(await run()).toMatchObject({ stdout: 'true\n', stderr: '' })
  await page.locator('#option-ignore').evaluate((input: HTMLInputElement) => {
    input.value = 'utm_*'
    input.dispatchEvent(new Event('input', { bubbles: true }))
  })
  await page.locator('#condition-uses').fill('1')
  await page.locator('#condition-ip').fill('203.0.113.0/24')
  await page.locator('#visit-ip').fill('203.0.113.9')
  expect(await run()).toMatchObject({ stdout: 'true\n', stderr: '' })
  await page.locator('#scheme').selectOption('pichax')
  expect(await run()).toMatchObject({ stdout: 'true\n', stderr: '' })
  await page.getByRole('button', { name: 'Worker', exact: true }).click()
  expect(await run()).toMatchObject({ stdout: '', stderr: '' })
  await context.close()
})

test(`the demo's links go into the playground${why}`, here, async () => {
  const { page, context, complaints } = await open(served)
  await page.getByRole('button', { name: 'Look at it: Opens a folder' }).click()
  expect(await link(page)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/expires=\d+,prefix=/)
  expect(await page.locator('#status').innerText()).toContain('A link of hmac')
  expect(await page.locator('#link').evaluate((one) => one === document.activeElement)).toBe(true)
  expect(await verdict(page)).toBe('Refused: bad_signature')
  expect(complaints).toEqual([])
  await context.close()
})

test(`works with the keyboard alone${why}`, here, async () => {
  const { page, context } = await open(file)
  const reached: string[] = []
  await page.locator('#link').focus()
  for (let i = 0; i < 60; i++) {
    reached.push(await page.evaluate(() => document.activeElement?.id ?? ''))
    await page.keyboard.press('Tab')
  }
  for (const id of [
    'scheme',
    'key-id',
    'secret',
    'generate',
    'url',
    'condition-expires',
    'sign',
    'visit-ip',
    'verify',
    'redeem',
    'code',
    'copy',
  ])
    expect(reached).toContain(id)
  // All examples are one stop of the tab key.
  expect(reached.indexOf('scheme') - reached.indexOf('link')).toBeLessThan(12)
  const first = page.locator('#examples button').first()
  await first.focus()
  const focused = () => page.evaluate(() => document.activeElement?.textContent)
  const names = await page.locator('#examples button').allTextContents()
  await page.keyboard.press('ArrowRight')
  expect(await focused()).toBe(names[1])
  await page.keyboard.press('End')
  expect(await focused()).toBe(names.at(-1))
  await page.keyboard.press('ArrowRight')
  expect(await focused()).toBe(names[0])
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Enter')
  expect(await page.locator('#scheme').inputValue()).toBe(names.at(-1))
  // Without the example's key and time.
  await page.reload()
  await page.locator('#condition-expires').fill('5m')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('#signed')?.textContent)
  await page.locator('#visit-ip').focus()
  await page.keyboard.press('Enter')
  await page.getByText('Accepted', { exact: true }).waitFor()
  await context.close()
})

test(`says so without crypto.subtle, and still reads${why}`, here, async () => {
  const { page, context, complaints } = await open(file, {
    before: (context) => context.addInitScript(() => Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })),
  })
  expect(await page.locator('#no-webcrypto').isVisible()).toBe(true)
  await page.locator('#link').fill(`https://h.example/a?expires=1900000000&signature=${'A'.repeat(43)}`)
  expect(await page.locator('#until').innerText()).toBe('until 17 Mar 2030, 17:46:40')
  expect(await verdict(page)).toBe('No verdict')
  expect(await page.locator('#verdict').innerText()).toContain('no_webcrypto')
  expect(complaints).toEqual([])
  await context.close()
})

test(`the one line for a CDN works, and without a library the page says what is missing${why}`, here, async () => {
  const page = readFileSync(join(root, 'docs/playground/index.html'), 'utf8')
  const [cdn = '', address = ''] = /<script defer src="(https:[^"]+)"><\/script>/.exec(page) ?? []
  const changed = page.replace('<script defer src="../../dist/securelink.all.umd.js"></script>', cdn)
  expect(changed).not.toBe(page)
  const origin = 'http://localhost:1'
  const type = { html: 'text/html', css: 'text/css', js: 'text/javascript' }
  const serve = (html: string) => async (context: BrowserContext) => {
    await context.route('**', (route) => route.fulfill({ status: 404 }))
    await context.route(`${origin}/`, (route) => route.fulfill({ body: html, contentType: 'text/html' }))
    for (const name of ['playground.css', 'playground.js', 'examples.js'])
      await context.route(`${origin}/${name}`, (route) =>
        route.fulfill({ path: join(root, 'docs/playground', name), contentType: name.endsWith('css') ? type.css : type.js }),
      )
    await context.route(address, (route) => route.fulfill({ path: join(root, 'dist/securelink.all.umd.js'), contentType: type.js }))
  }
  const good = await open(`${origin}/`, { before: serve(changed) })
  expect(await verdict(good.page)).toBe('Accepted')
  expect(good.requests.filter((url) => url.startsWith('https:'))).toEqual([address])
  await good.context.close()

  const context = await browser.newContext()
  await serve(page)(context)
  const bare = await context.newPage()
  await bare.goto(`${origin}/`)
  await bare.getByText('The SDK is missing').waitFor()
  expect(await bare.locator('#sign').isDisabled()).toBe(true)
  await context.close()
})

test(`the example of each scheme is accepted, and what it covers is known${why}`, here, async () => {
  const { page, context, complaints } = await open(file)
  const examples = await page.evaluate('EXAMPLES')
  for (const { scheme, key } of examples as { scheme: string; key?: object }[]) {
    await page.locator('#examples').getByRole('button', { name: scheme, exact: true }).click()
    expect(await page.locator('#status').innerText(), scheme).toMatch(/^A link of /)
    expect(await page.locator('#covers').innerText(), scheme).toContain('covers: ')
    if (key) expect(await verdict(page), scheme).toBe('Accepted')
  }
  // The bar needs a start to measure against, and most links have none.
  await page.getByRole('button', { name: 's3', exact: true }).click()
  expect(await page.locator('#bar').isVisible()).toBe(true)
  await page.getByRole('button', { name: 'laravel', exact: true }).click()
  expect(await page.locator('#bar').isVisible()).toBe(false)
  await page.getByRole('button', { name: 'azure', exact: true }).click()
  // Azure signs the account, which is only a part of the host.
  expect((await parts(page)).filter(([, covered]) => covered === 'not known').map(([name]) => name)).toEqual(['origin'])
  expect(complaints).toEqual([])
  await context.close()
})

test(`finds the mistake behind a signature that does not match${why}`, here, async () => {
  const { page, context, complaints } = await open(file)
  await page.locator('#option-purpose').evaluate((input: HTMLInputElement) => {
    input.value = 'invoice'
    input.dispatchEvent(new Event('input', { bubbles: true }))
  })
  expect(await verdict(page)).toBe('Refused: bad_signature')
  await page.locator('#verdict .mistakes').waitFor()
  expect(await page.locator('#verdict .mistakes').innerText()).toContain('purpose')
  await page.locator('#explain').click()
  await page.getByText('String to sign', { exact: true }).waitFor()
  expect(await page.locator('#verdict pre').first().innerText()).toContain('SecureLink hmac v1')
  await page.locator('#link').fill((await link(page)).replaceAll('&', '&amp;'))
  await page.locator('#unescape').click()
  expect(await link(page)).not.toContain('&amp;')
  expect(await page.locator('#escaped').isVisible()).toBe(false)
  expect(complaints).toEqual([])
  await context.close()
})

test(`a permalink holds the link when the visitor asks for it, and warns while the link is valid${why}`, here, async () => {
  const { page, context, requests } = await open(file)
  expect(page.url()).not.toContain('#')
  await page.locator('#share').click()
  expect(await page.locator('#verdict').innerText()).toContain('This link may still be valid')
  expect(page.url()).not.toContain('#')
  await page.getByRole('button', { name: 'Make the permalink anyway' }).click()
  const shared = await link(page)
  expect(page.url()).toBe(`${file}#link=${encodeURIComponent(shared)}`)
  const other = await open(page.url())
  expect(await link(other.page)).toBe(shared)
  expect(await other.page.locator('#status').innerText()).toContain('A link of hmac')
  // What is behind # is not sent to a server.
  expect(requests.filter((url) => url.includes('signature'))).toEqual([])
  await other.context.close()
  // An expired link needs no warning.
  await page.getByRole('button', { name: 's3', exact: true }).click()
  await page.locator('#share').click()
  expect(await page.locator('#verdict .word').innerText()).toBe('Permalink')
  await context.close()
})

test.each([
  ['desktop', 'light', desktop],
  ['desktop', 'dark', desktop],
  ['phone', 'light', phone],
  ['phone', 'dark', phone],
] as const)(`six vendors' links on a %s in %s, verdict and buttons in sight${why}`, here, async (device, scheme, viewport) => {
  const { page, context, complaints } = await open(file, { scheme, viewport })
  for (const vendor of ['s3', 'azure', 'cloudfront', 'akamai', 'nginx', 'laravel']) {
    await page.locator('#examples').getByRole('button', { name: vendor, exact: true }).click()
    await verdict(page)
    // The anatomy and its verdict come before the table of parts.
    const top = async (id: string) => (await page.locator(id).boundingBox())?.y ?? 0
    expect(await top('#verdict')).toBeLessThan(await top('#parts'))
    expect(await top('#anatomy')).toBeLessThan(await top('#parts'))
    await page.evaluate(axe)
    const violations = await page.evaluate(async () => {
      // biome-ignore lint/suspicious/noExplicitAny: axe is a global of the page
      const { violations } = await (globalThis as any).axe.run(document, { resultTypes: ['violations'], preload: false })
      // biome-ignore lint/suspicious/noExplicitAny: as above
      return violations.map(({ id, nodes }: any) => `${id}: ${nodes.map(({ html }: any) => html).join(' ')}`)
    })
    expect(violations).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width)
    await page.evaluate(() => scrollTo(0, 0))
    await page.screenshot({ path: join(screenshots, `vendor-${vendor}-${device}-${scheme}.png`) })
  }
  expect(complaints).toEqual([])
  await context.close()
})

// `recognise` may not be in the bundle; the page takes whatever answers in its place.
test(`shows what recognise says of other links${why}`, here, async () => {
  const { page, context, complaints } = await open(file, {
    before: (context) =>
      context.addInitScript(() => {
        // biome-ignore lint/suspicious/noExplicitAny: the bundle's global, on its way in
        let bundle: any
        const recognise = (url: string) => {
          if (!url.includes('X-Amz-')) return
          const unverified = { resource: url.split('?')[0], expires: new Date(4_000_000_000_000), keyId: 'AKIA' }
          return [
            { scheme: 's3', unverified },
            { scheme: 'another', unverified: { ...unverified, expires: new Date(Number.NaN) } },
          ]
        }
        // The bundle fills the object after it has set it.
        Object.defineProperty(globalThis, 'SecureLink', {
          get: () => bundle && { ...bundle, recognise },
          set: (given) => (bundle = given),
        })
      }),
  })
  await page
    .locator('#link')
    .fill('https://b.example/a?X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-Credential=AKIA&X-Amz-Signature=00')
  expect(await page.locator('#status').innerText()).toBe('A link of s3. This page reads links of s3, but cannot verify them.')
  expect(await verdict(page)).toBe('No verdict')
  expect((await parts(page)).map(([name, covered]) => `${name} ${covered}`)).toEqual([
    'origin covered',
    'path covered',
    'X-Amz-Date covered',
    'X-Amz-Expires covered',
    'X-Amz-Credential covered',
    'X-Amz-Signature signature',
  ])
  expect(await page.locator('#parts').innerText()).toContain('1 Jan 2026, 00:00:00')
  expect(await page.locator('#claims').innerText()).toContain('AKIA')
  expect(await page.locator('#from').innerText()).toBe('signed 1 Jan 2026, 00:00:00')
  await page.locator('#as').selectOption('another')
  expect(await page.locator('#left').innerText()).toBe('Does not show its expiry')
  expect(await page.locator('#covers').innerText()).toContain('does not know')
  expect(complaints).toEqual([])
  await context.close()
})
