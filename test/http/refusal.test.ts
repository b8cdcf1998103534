// Refusals: a page for people, a problem document for programs, the words of both, and the option refuse.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { confirm, guard, type RefusalReason, type RefusalWords } from '../../src/guard.ts'
import { hmac, LinkError, sign, type UseStore } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const links = hmac({ id: 'k', secret: '0123456789abcdef0123456789abcdef' })
const url = 'https://files.example/a/b.txt'
const never = () => {
  throw new Error('the handler ran')
}
// The header of Chromium when a user opens an address.
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8'
const page = { headers: { accept: BROWSER } }

test.each([
  [BROWSER, true],
  ['text/html', true],
  ['TEXT/HTML', true],
  ['text/html;level=1, */*; q=0.01', true],
  ['application/json;q=0.5, text/html;q=0.9', true],
  ['text/html, application/json', true],
  // curl, fetch, and images.
  ['*/*', false],
  ['', false],
  ['text/*', false],
  ['image/avif,image/webp,*/*;q=0.8', false],
  ['application/json, text/plain, */*', false],
  ['application/problem+json', false],
  ['application/json, text/html;q=0.9', false],
  ['application/problem+json, text/html;q=0.9', false],
  ['text/html;q=0', false],
  ['text/html; q=x', false],
])('Accept: %s: a page is %s', async (accept, isPage) => {
  const answer = await guard(links, never)(new Request(url, { headers: { accept } }))
  expect(answer.headers.get('content-type')).toBe(isPage ? 'text/html; charset=utf-8' : 'application/problem+json')
  expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('vary')]).toEqual([403, 'no-store', 'accept'])
})

/** One request for each reason. */
const requests: Record<RefusalReason, () => Promise<Response>> = (() => {
  const at = () => new Date('2030-01-01T00:00:00Z')
  const mint = (more: object = {}) => sign(links, url, { expires: '10m', ...more }, { now: at })
  const open = async (link: string | Promise<string>, options: object = {}, init: RequestInit = {}) =>
    guard(links, never, { now: at, words, ...options })(new Request(await link, { headers: { accept }, ...init }))
  const other = hmac({ id: 'other', secret: 'fedcba9876543210fedcba9876543210' })
  const short = { id: 'k', secret: '0123456789abcdef0123456789abcdef', expires: new Date('2029-12-31T23:59:59Z') }
  const store: UseStore = { take: () => false }
  const failing: UseStore = { take: () => Promise.reject(new Error('away')) }
  return {
    unsigned: () => open(url),
    malformed: () => open(`${url}?expires=soon&signature=x`),
    unknown_key: () => open(sign(other, url, { expires: '10m' }, { now: at })),
    bad_signature: async () => open((await mint()).replace('b.txt', 'c.txt')),
    wrong_path: async () => open((await mint({ prefix: '/a/' })).replace('/a/', '/c/')),
    wrong_method: () => open(mint(), {}, { method: 'PUT' }),
    wrong_ip: () => open(mint({ ip: '203.0.113.7' })),
    expired: () => open(sign(links, url, { expires: '1s' }, { now: () => new Date('2029-12-31') })),
    key_expired: async () => guard(hmac(short), never, { now: at, words })(new Request(await mint(), { headers: { accept } })),
    too_early: () => open(mint({ starts: '5m' })),
    revoked: () => open(mint(), { revoked: () => true }),
    needs_redeem: () => open(mint({ uses: 1 })),
    used: () => open(mint({ uses: 1 }), { store }),
    unavailable: () => open(mint({ uses: 1 }), { store: failing }),
  }
})()
let words: RefusalWords = {}
let accept = BROWSER

describe.each(Object.entries(requests) as [RefusalReason, () => Promise<Response>][])('the page for %s', (reason, send) => {
  test('has a title and a sentence, and nothing of the link', async () => {
    words = {}
    const answer = await send()
    const html = await answer.text()
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/)
    const [, title = '', text = ''] = /<h1>(.*)<\/h1>\n<p>(.*)<\/p>/.exec(html) ?? []
    expect(title).toMatch(/^[A-Z].{10,}[^.]$/)
    expect(text).toMatch(/^[A-Z].{10,}\.$/)
    expect(html).not.toMatch(/<script|<form|signature|files\.example|b\.txt/)
  })

  test('takes words of your own', async () => {
    words = { refused: { [reason]: { text: 'Rufen Sie uns an.' }, other: { title: 'falsch' } }, language: 'de' }
    const html = await (await send()).text()
    expect(html).toContain('<html lang="de">')
    expect(html).toContain('<p>Rufen Sie uns an.</p>')
    expect(html).not.toContain('falsch')
  })

  test('takes the words of `other`, if it has none of its own', async () => {
    words = { refused: { other: { title: 'Geht nicht', text: 'Bitte fragen Sie nach.' } } }
    const html = await (await send()).text()
    expect(html).toContain('<h1>Geht nicht</h1>\n<p>Bitte fragen Sie nach.</p>')
  })
})

test('programs get a sentence for each reason, and no two reasons have the same', async () => {
  words = {}
  accept = 'application/json'
  const sentences: string[] = []
  for (const [reason, send] of Object.entries(requests)) {
    const answer = await send()
    const { detail, ...more } = await answer.json()
    expect(more).toMatchObject({ reason, status: answer.status, title: expect.stringMatching(/^[A-Z][A-Za-z ]+$/) })
    expect(detail).toMatch(/^[A-Z].{10,}\.$/)
    sentences.push(detail)
  }
  accept = BROWSER
  expect(new Set(sentences).size).toBe(Object.keys(requests).length)
})

test('the content security policy of a refusal allows its style and nothing else', async () => {
  words = {}
  const answer = await requests.expired()
  const [, style = ''] = /<style>(.*)<\/style>/s.exec(await answer.text()) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  expect(answer.headers.get('content-security-policy')).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'`)
})

test('markup in words is text', async () => {
  const words = { language: '"><x>', refused: { unsigned: { title: '<b>', text: '&amp;', next: { text: '<i>', url: '/?"&' } } } }
  const html = await (await guard(links, never, { words })(new Request(url, page))).text()
  expect(html).not.toMatch(/<x>|<b>|<i>|&amp;|\?"/)
})

test('the next step may be a URL object', async () => {
  const words = { refused: { unsigned: { next: { text: 'Log in', url: new URL('https://app.example/login?a=1&b=2') } } } }
  const answer = await guard(links, never, { words })(new Request(url, page))
  expect(await answer.text()).toContain('<p><a href="https://app.example/login?a=1&#38;b=2">Log in</a></p>')
  const script = { refused: { unsigned: { next: { text: 'x', url: new URL('javascript:alert(1)') } } } }
  expect(() => guard(links, never, { words: script })).toThrow('next must be an object')
})

test('refuse answers some reasons, and leaves the others to the default', async () => {
  const fetch = guard(links, never, {
    refuse: ({ reason }) => (reason === 'unsigned' ? new Response('log in', { status: 401 }) : undefined),
  })
  expect((await fetch(new Request(url))).status).toBe(401)
  const damaged = await fetch(new Request(`${url}?expires=1&signature=x`))
  expect([damaged.status, (await damaged.json()).reason]).toEqual([400, 'malformed'])
})

test('a 405 has Allow, on a page, too', async () => {
  const answer = await requests.wrong_method()
  expect([answer.status, answer.headers.get('allow'), answer.headers.get('content-type')]).toEqual([
    405,
    'GET, HEAD',
    'text/html; charset=utf-8',
  ])
  const confirmed = confirm(links, { store: memoryStore(), redirect: '/' })
  const other = await confirmed(new Request(url, { ...page, method: 'PUT' }))
  expect([other.status, other.headers.get('allow'), other.headers.get('content-type')]).toEqual([
    405,
    'GET, HEAD, POST',
    'text/html; charset=utf-8',
  ])
})

test.each<[string, unknown, string]>([
  ['text', 'Nein', "words must be an object such as { language: 'de', refused }"],
  ['an unknown word', { lang: 'de' }, "unknown option 'lang'; the option words of guard() takes language, refused"],
  ['an unknown reason', { refused: { gone: {} } }, "unknown option 'gone'; the option refused of guard() takes unsigned, malformed,"],
  ['a page that is text', { refused: { used: 'Nein' } }, 'refused must be an object of pages'],
  ['a page with an unknown word', { refused: { used: { body: 'x' } } }, "unknown option 'body'; a page of the option refused"],
  ['a title that is a number', { refused: { used: { title: 7 } } }, 'title must be plain text'],
  ['a text that is a number', { refused: { used: { text: 7 } } }, 'text must be plain text'],
  ['a next step that runs a script', { refused: { used: { next: { text: 'x', url: 'javascript:alert(1)' } } } }, 'next must be an object'],
  ['a next step that is text', { refused: { used: { next: '/login' } } }, 'next must be an object'],
])('words that are %s throw', (_name, words, message) => {
  const call = () => guard(links, never, { words: words as never })
  expect(call).toThrow(LinkError)
  expect(call).toThrow(message)
})
