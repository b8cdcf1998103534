// confirm: what scanners and people do to a one-time link, in process. confirm.browser.test.ts has its page in a real browser.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { confirm } from '../../src/guard.ts'
import type { NodeInfo } from '../../src/http/node.ts'
import { hmac, LinkError, sign } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const store = memoryStore()
const make = (more: object = {}) => confirm(links, { store, redirect: 'https://app.example/welcome', ...more })
const mint = (more: object = {}) => sign(links, 'https://app.example/invite?to=a%3Cb', { expires: '7d', uses: 1, ...more })

test('GET and HEAD show a page and spend nothing, POST spends and goes on', async () => {
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
    // Nothing of the link, so nothing of it can leak from a saved or a cached page.
    expect(html).not.toMatch(/signature|invite|http/)
  }
  const head = await fetch(new Request(link, { method: 'HEAD' }))
  expect([head.status, await head.text()]).toEqual([200, ''])

  const gone = await fetch(new Request(link, { method: 'POST' }))
  expect([gone.status, gone.headers.get('location'), gone.headers.get('referrer-policy')]).toEqual([
    303,
    'https://app.example/welcome',
    'no-referrer',
  ])
  const again = await fetch(new Request(link, { method: 'POST' }))
  expect([again.status, (await again.json()).reason]).toEqual([410, 'used'])
})

test('its policy lets its own style in', async () => {
  const page = await make()(new Request(await mint()))
  const [, style = ''] = /<style>(.*)<\/style>/s.exec(await page.text()) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  expect(page.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`,
  )
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
  // Nothing of all this was spent.
  expect((await fetch(new Request(link, { method: 'POST' }))).status).toBe(303)
})

test('a store that is down', async () => {
  const down = {
    take() {
      throw new Error('away')
    },
  }
  const fetch = confirm(links, { store: down, handler: () => new Response('in') })
  const link = await mint()
  expect((await fetch(new Request(link))).status).toBe(200)
  const answer = await fetch(new Request(link, { method: 'POST' }))
  expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'application/problem+json'])
})

test('options', () => {
  expect(() => confirm(links, { redirect: '/' } as never)).toThrow(LinkError)
  expect(() => confirm(links, { store })).toThrow(LinkError)
  expect(() => confirm(links, { store, redirect: '/', handler: () => new Response() })).toThrow(LinkError)
  expect(() => confirm(links, { store, redirect: '/', revoke: () => true } as never)).toThrow("confirm has no option 'revoke'")
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

test('a link without a number of uses shows the page and goes on as often as one likes', async () => {
  const fetch = make()
  const link = await sign(links, 'https://app.example/invite', { expires: '7d' })
  expect((await fetch(new Request(link))).status).toBe(200)
  for (const _ of [1, 2]) expect((await fetch(new Request(link, { method: 'POST' }))).status).toBe(303)
})

test('a link that was revoked shows no button', async () => {
  const fetch = make({ revoked: ({ id }: { id?: string }) => id === 'gone' })
  const link = await mint({ id: 'gone' })
  for (const method of ['GET', 'POST']) expect((await fetch(new Request(link, { method }))).status).toBe(410)
  expect((await fetch(new Request(await mint({ id: 'other' })))).status).toBe(200)
})

test('refusals of HEAD have no body, and a PUT is told what there is', async () => {
  const fetch = make()
  const refused = await fetch(new Request('https://app.example/invite', { method: 'HEAD' }))
  expect([refused.status, await refused.text()]).toEqual([403, ''])
  const put = await fetch(new Request(await mint(), { method: 'PUT' }))
  expect((await put.json()).detail).toBe('This address takes GET and POST.')
})

test('a redirect that cannot be a header is a mistake at the start, and not after the use is consumed', () => {
  for (const redirect of [
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
