// confirm in process: the requests of mail scanners and of people to a one-time link. confirm.browser.test.ts opens its page in a browser.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { confirm, type Refusal } from '../../src/guard.ts'
import { hmac, LinkError, sign } from '../../src/index.ts'
import type { NodeInfo } from '../../src/node.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const store = memoryStore()
const make = (more: object = {}) => confirm(links, { store, redirect: 'https://app.example/welcome', ...more })
const mint = (more: object = {}) => sign(links, 'https://app.example/invite?to=a%3Cb', { expires: '7d', uses: 1, ...more })

test('GET and HEAD show a page and consume nothing; POST consumes a use and redirects', async () => {
  const fetch = make()
  const link = await mint()
  for (const headers of [{}, { 'sec-purpose': 'prefetch' }, { 'user-agent': 'scanner' }] as Record<string, string>[]) {
    const page = await fetch(new Request(link, { headers }))
    expect(page.status).toBe(200)
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
    })
    const html = await page.text()
    expect(html).toContain('<form method="post"><button>')
    // The page holds nothing of the link, so a saved or cached page cannot leak it.
    expect(html).not.toMatch(/signature|invite|http/)
  }
  const head = await fetch(new Request(link, { method: 'HEAD' }))
  expect([head.status, await head.text()]).toEqual([200, ''])

  const gone = await fetch(new Request(link, { method: 'POST' }))
  expect(gone.status).toBe(303)
  expect(Object.fromEntries(gone.headers)).toEqual({
    location: 'https://app.example/welcome',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex',
  })
  const again = await fetch(new Request(link, { method: 'POST' }))
  expect([again.status, (await again.json()).reason]).toEqual([410, 'used'])
})

test('the content security policy allows the style and the script of the page, and nothing else', async () => {
  const page = await make()(new Request(await mint()))
  const html = await page.text()
  const [style, script] = [/<style>(.*)<\/style>/s, /<script>(.*)<\/script>/s].map((element) => {
    const [, text = ''] = element.exec(html) ?? []
    return createHash('sha256').update(text).digest('base64')
  })
  expect(page.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; script-src 'sha256-${script}'; frame-ancestors 'none'`,
  )
})

test('without words of your own, the page tells people in English what to do', async () => {
  const html = await (await make()(new Request(await mint()))).text()
  expect(html).toContain('<html lang="en">')
  expect(html).toContain('<title>Open your link</title>')
  expect(html).toContain('<h1>Open your link</h1>\n<p>This link works only once. Press the button to use it.</p>')
  expect(html).toContain('<button>Continue</button>')
})

test('a handler, its arguments, and words of your own', async () => {
  const fetch = confirm<[NodeInfo]>(links, {
    store,
    handler: (request, claims, info: NodeInfo) => new Response(`${request.method} ${claims.id} ${info.remoteAddress}`),
    ip: (_request, info) => info.remoteAddress,
    words: { language: 'de', title: 'Einladung <1> & "2"', text: 'Sie gilt einmal.', button: 'Annehmen' },
  })
  const link = await mint({ id: 'u-7', ip: '203.0.113.7' })
  const there = { remoteAddress: '203.0.113.7' }
  const html = await (await fetch(new Request(link), there)).text()
  expect(html).toContain('<html lang="de">')
  expect(html).toContain('<h1>Einladung &#60;1&#62; &#38; &#34;2&#34;</h1>')
  expect((await fetch(new Request(link), { remoteAddress: '203.0.113.8' })).status).toBe(403)
  expect((await fetch(new Request(link, { method: 'POST' }), { remoteAddress: '203.0.113.8' })).status).toBe(403)
  expect(await (await fetch(new Request(link, { method: 'POST' }), there)).text()).toBe('POST u-7 203.0.113.7')
})

test('refusals', async () => {
  const fetch = make()
  const link = await mint()
  for (const method of ['GET', 'POST']) {
    expect((await fetch(new Request('https://app.example/invite', { method }))).status).toBe(403)
    expect((await fetch(new Request(link.replace('uses=1', 'uses=9'), { method }))).status).toBe(403)
    const late = confirm(links, { store, redirect: '/', now: () => new Date('2090-01-01') })
    expect((await late(new Request(link, { method }))).status).toBe(410)
    const own = make({ refuse: ({ reason }: { reason: string }) => new Response(reason, { status: 418 }) })
    expect((await own(new Request('https://app.example/invite', { method }))).status).toBe(418)
  }
  const other = await fetch(new Request(link, { method: 'PUT' }))
  expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
  // None of these requests consumed the use.
  expect((await fetch(new Request(link, { method: 'POST' }))).status).toBe(303)
})

test('a store that fails: 503 for the POST, and refuse is asked', async () => {
  const store = {
    take() {
      throw new Error('away')
    },
  }
  const options = { store, handler: () => new Response('in') }
  const link = await mint()
  const fetch = confirm(links, options)
  expect((await fetch(new Request(link))).status).toBe(200)
  const answer = await fetch(new Request(link, { method: 'POST' }))
  expect([answer.status, answer.headers.get('content-type'), (await answer.json()).reason]).toEqual([
    503,
    'application/problem+json',
    'unavailable',
  ])
  const own = confirm(links, { ...options, refuse: ({ reason }) => new Response(reason, { status: 418 }) })
  expect(await (await own(new Request(link, { method: 'POST' }))).text()).toBe('unavailable')
})

test('another method: 405, and refuse is asked', async () => {
  const link = await mint()
  const seen: Refusal[] = []
  const refuse = (refusal: Refusal) => {
    seen.push(refusal)
    return undefined
  }
  const answer = await make({ refuse })(new Request(link, { method: 'PUT' }))
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
  expect(await answer.json()).toMatchObject({ reason: 'wrong_method', detail: 'This address takes GET, HEAD, POST.' })
  expect(seen).toEqual([{ ok: false, reason: 'wrong_method', status: 405 }])
})

test('people who use a link a second time get a page with the words of the application', async () => {
  const words = {
    language: 'de',
    refused: {
      used: { title: 'Schon benutzt', text: 'Sie sind dabei & können sich anmelden.', next: { text: 'Anmelden', url: '/login?a=1&b=2' } },
    },
  }
  const fetch = make({ words })
  const link = await mint()
  const submit = () => fetch(new Request(link, { method: 'POST', headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } }))
  expect((await submit()).status).toBe(303)
  const page = await submit()
  expect([page.status, page.headers.get('content-type'), page.headers.get('cache-control')]).toEqual([
    410,
    'text/html; charset=utf-8',
    'no-store',
  ])
  const html = await page.text()
  expect(html).toContain('<html lang="de">')
  expect(html).toContain('<h1>Schon benutzt</h1>\n<p>Sie sind dabei &#38; können sich anmelden.</p>')
  expect(html).toContain('<p><a href="/login?a=1&#38;b=2">Anmelden</a></p>')
  expect(html).not.toContain('<form')
})

test.each<[string, object, string]>([
  ['no store', { store: undefined, redirect: '/' }, 'store must be an object with take(id, until, uses), such as memoryStore()'],
  ['neither redirect nor handler', {}, 'redirect must be given, or else handler: one of the two'],
  ['redirect and handler', { redirect: '/', handler: () => new Response() }, 'redirect must be given, or else handler: one of the two'],
  ['a handler that is a text', { handler: '/' }, 'handler must be a function'],
  [
    'an unknown option',
    { redirect: '/', revoke: () => true },
    "unknown option 'revoke'; confirm() takes revoked, now, tolerance, memory, ip, refuse, words,",
  ],
  [
    'an unknown word',
    { redirect: '/', words: { heading: 'x' } },
    "unknown option 'heading'; the option words of confirm() takes title, text,",
  ],
  ['a button without text', { redirect: '/', words: { button: '' } }, 'button must be text that is not empty'],
  ['a title that is a number', { redirect: '/', words: { title: 7 } }, 'title must be plain text'],
])('confirm throws for %s', (_name, options, message) => {
  const call = () => confirm(links, { store, ...options } as never)
  expect(call).toThrow(LinkError)
  expect(call).toThrow(expect.objectContaining({ code: 'bad_option', message: expect.stringContaining(message) }))
})

test('confirm throws without options', () => {
  expect(() => confirm(links, undefined as never)).toThrow('options must be an object such as { store, redirect }')
})

test.each(['invite?QUERY#x', '..%2finvite?QUERY', 'x/..;/invite?QUERY'])('a request that no client sends: /%s', async (target) => {
  const fetch = make()
  const link = await mint({ prefix: '/' })
  const query = link.slice(link.indexOf('?') + 1)
  for (const method of ['GET', 'HEAD', 'POST']) {
    const url = `https://app.example/${target.replace('QUERY', query)}`
    expect((await fetch(new Request(url, { method }))).status).toBe(400)
    const own = make({ refuse: ({ reason }: { reason: string }) => new Response(reason, { status: 418 }) })
    expect((await own(new Request(url, { method }))).status).toBe(418)
  }
  expect((await fetch(new Request(link, { method: 'POST' }))).status).toBe(303)
})

test('a link without a number of uses shows the page, and redirects every time', async () => {
  const fetch = make()
  const link = await sign(links, 'https://app.example/invite', { expires: '7d' })
  expect((await fetch(new Request(link))).status).toBe(200)
  for (const _ of [1, 2]) expect((await fetch(new Request(link, { method: 'POST' }))).status).toBe(303)
})

test('a revoked link shows no button', async () => {
  const fetch = make({ revoked: ({ id }: { id?: string }) => id === 'gone' })
  const link = await mint({ id: 'gone' })
  for (const method of ['GET', 'POST']) expect((await fetch(new Request(link, { method }))).status).toBe(410)
  expect((await fetch(new Request(await mint({ id: 'other' })))).status).toBe(200)
})

test('a refused HEAD has no body', async () => {
  const fetch = make()
  for (const accept of ['*/*', 'text/html']) {
    const refused = await fetch(new Request('https://app.example/invite', { method: 'HEAD', headers: { accept } }))
    expect([refused.status, await refused.text()]).toEqual([403, ''])
  }
})

test('a redirect that cannot be a header throws at once, and not after the use is consumed', () => {
  for (const redirect of [
    '',
    'https://app.example/\n',
    'https://app.example/a b',
    'https://app.example/\u{1f512}',
    new URL('https://app.example/\u{1f512}'),
  ]) {
    const call = () => confirm(links, { store, redirect })
    if (redirect instanceof URL) expect(call).not.toThrow()
    else expect(call).toThrow(expect.objectContaining({ code: 'bad_option', message: expect.not.stringContaining('app.example') }))
  }
})
