// upyun: what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { upyun } from '../../src/schemes/upyun.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const links = upyun({ secret: 'mark520' })
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const refused = (option: string) => expect.objectContaining({ code: 'bad_option', option })

test.each<[string, string, object]>([
  ['url', '/a%2Fb', {}],
  ['url', '/a%ff', {}],
  ['url', '/dir/', {}],
  ['url', '/', {}],
  ['prefix', '/dir/a', { prefix: '/dir' }],
  ['prefix', `${'/a'.repeat(21)}/b`, { prefix: `${'/a'.repeat(21)}/` }],
])('%s: %s with %j is refused', async (option, url, own) => {
  await expect(sign(links, url, { expires: '1h', ...own }, at)).rejects.toThrow(refused(option))
})

test('a CryptoKey is refused', async () => {
  const secret = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  expect(() => upyun({ secret })).toThrow(refused('secret'))
})

test('one changed character, at every place of 20 links: refused, or in a part that is not covered', async () => {
  const pathOf = (url = '') => decodeURIComponent(url.replace(/^https?:\/\/[^/]*/, ''))
  for (const path of ['/a.mp4', '/video/1', '/a%20b/%C3%BC', '/a/b;c=1', '/x/y/z'])
    for (const [query, prefix] of [
      ['', undefined],
      ['?v=1', undefined],
      ['', '/'],
      ['?q=a+b', path.replace(/[^/]*$/, '')],
    ] as const) {
      const link = await sign(links, `https://files.example${path}${query}`, { expires: '1h', ...(prefix && { prefix }) }, at)
      const { claims } = await verify(links, link, at)
      expect(claims?.prefix).toBe(prefix)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (!verdict.ok) continue
        expect([verdict.claims.prefix, verdict.claims.expires], changed).toEqual([claims?.prefix, claims?.expires])
        if (!prefix) expect(pathOf(verdict.claims.resource)).toBe(pathOf(claims?.resource))
      }
    }
})

test('nothing throws on any text', async () => {
  const pieces = ['_upt=', '_upp=1', '_upp=', '_upt=bcc3b8331893459600', 'bcc3b833', '%5Fupt=', 'https://files.example/dir/']
  for (const text of oddTexts(pieces, 2000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
