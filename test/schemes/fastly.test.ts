// fastly: what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { fastly } from '../../src/schemes/fastly.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const links = fastly({ secret: 'iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=' })
const at = { now: () => new Date('2030-01-01T00:00:00Z') }

test('a key that is not base64 is refused', () => {
  const wrong = (code: string) => expect.objectContaining({ code, option: 'secret' })
  expect(() => fastly({ secret: 'not base64!' })).toThrow(wrong('bad_option'))
  expect(() => fastly({ secret: '' })).toThrow(wrong('weak_key'))
})

test('a URL with another token for the VCL is refused', async () => {
  for (const url of ['/a?mytoken=1234567890_x', '/a?v=token=12345678901_x'])
    await expect(sign(links, url, { expires: '1h' }, at)).rejects.toThrow(expect.objectContaining({ code: 'bad_option', option: 'url' }))
  expect(await sign(links, '/a?mytoken=x', { expires: '1h' }, at)).toMatch(/^\/a\?mytoken=x&token=1893459600_[\da-f]{40}$/)
})

test('an expiry of eleven digits is refused', async () => {
  const late = new Date('2290-01-01T00:00:00Z')
  await expect(sign(links, '/a', { expires: late }, at)).rejects.toThrow(expect.objectContaining({ code: 'bad_option', option: 'expires' }))
})

test('one changed character, at every place of 20 links: refused, or in the host or in other parameters', async () => {
  const pathOf = (url = '') => url.replace(/^https?:\/\/[^/]*/, '').replace(/\?.*$/, '') || '/'
  for (const path of ['/', '/a.mp4', '/video/1', '/a%20b/%C3%BC', '/a//b;c=1'])
    for (const query of ['', '?v=1', '?v=1&w', '?q=a+b&z=%41']) {
      const link = await sign(links, `https://www.example.com${path}${query}`, { expires: '1h' }, at)
      const { claims } = await verify(links, link, at)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (!verdict.ok) continue
        expect(pathOf(changed)).toBe(pathOf(link))
        expect([pathOf(verdict.claims.resource), verdict.claims.expires]).toEqual([pathOf(claims?.resource), claims?.expires])
      }
    }
})

test('nothing throws on any text', async () => {
  const pieces = ['token=', 'token', '1893459600_', `token=1893459600_${'0'.repeat(40)}`, '%74oken=', 'https://www.example.com']
  for (const text of oddTexts(pieces, 2000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
