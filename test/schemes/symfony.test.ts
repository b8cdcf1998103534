// symfony: its options, and changes of one character at every place of its links.
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, sign, verify } from '../../src/index.ts'
import { type SymfonyOptions, symfony } from '../../src/schemes/symfony.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: '0123456789abcdef0123456789abcdef' }
const at = { now: () => new Date('2030-01-01T00:00:00Z') }

describe('wrong options and URLs', () => {
  test.each<[SymfonyOptions, option: string]>([
    [{ encoding: 'hex' as 'base64' }, 'encoding'],
    [{ parameters: { hash: 'a.b' } }, 'parameters'],
    [{ parameters: { hash: '_expiration' } }, 'parameters'],
    [{ hashParameter: '_hash' } as SymfonyOptions, 'hashParameter'],
  ])('%j', (options, option) => {
    expect(() => symfony(key, options)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test.each([
    '/f#top',
    '/f?_hash=1',
    '/f?%20_hash=1',
    '/f?_hash[x]=1',
    '/f?_expiration=1',
    '/f?_expiration[]=1',
    '/f?a[=1',
    '/f?a]=1',
    '/f?a%00b=1',
    '/f?[a]=1',
    `/f?${'a&'.repeat(1000)}b`,
  ])('%s', async (url) => {
    await expect(sign(symfony(key), url, { expires: '1h' }, at)).rejects.toThrow(LinkError)
  })
})

test('parameter names only parameters of the link', async () => {
  const links = symfony(key)
  const link = await sign(links, '/f?a=1', { expires: '1h' }, at)
  for (const text of ['a=1&a=2', 'a[=1', '%5B=1', 'a%00=1'])
    expect(await verify(links, link.replace('a=1', text), at)).toEqual({ ok: false, reason: 'malformed', status: 400 })
  expect(await verify(links, `${link}&_hash=x`, at)).toMatchObject({ reason: 'malformed', parameter: '_hash' })
  expect(await verify(links, `${link}&_expiration=1`, at)).toMatchObject({ reason: 'malformed', parameter: '_expiration' })
})

const URLS = ['/f/x', '/f/x/y.pdf?a=1&b=2', '/download/7?file=7', '/%C3%BC/b?q=a+b&r[]=1&r[]=2', '/f?z=1&a=']
const KINDS = [{}, { encoding: 'base64url' } as const].flatMap((options) => [
  { options, expires: '1h' as const },
  { options, expires: 'never' as const },
])

test('one changed character, at every place of 20 links: refused, or the same URL to PHP', async () => {
  for (const { options, expires } of KINDS)
    for (const url of URLS) {
      const links = symfony(key, options)
      const link = await sign(links, `https://app.example${url}`, { expires }, at)
      const { claims } = await verify(links, link, at)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (verdict.ok) expect([verdict.claims, changed]).toEqual([claims, changed])
      }
    }
})

test('nothing throws on any text', async () => {
  const links = symfony(key)
  const hash = `${'A'.repeat(43)}%3D`
  const pieces = [
    '_expiration=1900000000',
    '_expiration',
    '_hash',
    `_hash=${hash}`,
    hash,
    'https://app.example',
    '+_hash=1',
    '[]',
    '[a]=',
    '%5B',
    '%5D',
  ]
  for (const text of oddTexts(pieces, 3000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
  for (const name of ['[', '[]', '[a]', '%5B', '+', '.', '%', '=']) {
    const long = `/a?q${name.repeat(16_000 / name.length)}&_hash=${hash}`
    expect((await verify(links, long, at)).ok).toBe(false)
  }
})
