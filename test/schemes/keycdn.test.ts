// keycdn: options, what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { expect, test } from 'vitest'
import { inspect, type Scheme, sign, verify } from '../../src/index.ts'
import { type KeycdnOptions, keycdn } from '../../src/schemes/keycdn.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: 'securetokenkey' }
const links = keycdn(key)
const images = keycdn(key, { imageProcessing: true })
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const refused = (option: string, code = 'bad_option') => expect.objectContaining({ code, option })

test('wrong options and keys are refused', async () => {
  expect(() => keycdn(key, { imageProcessing: 'yes' } as unknown as KeycdnOptions)).toThrow(refused('imageProcessing'))
  expect(() => keycdn(key, { images: true } as KeycdnOptions)).toThrow(refused('images'))
  expect(() => keycdn({ secret: '' })).toThrow(refused('secret', 'weak_key'))
  const hmacKey = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  expect(() => keycdn({ secret: hmacKey })).toThrow(refused('secret'))
})

test('links of images never expire, and others do', async () => {
  await expect(sign(links as Scheme, '/a.jpg', { expires: 'never' }, at)).rejects.toThrow(refused('expires', 'unsupported_condition'))
  await expect(sign(images as Scheme, '/a.jpg', { expires: '1h' }, at)).rejects.toThrow(refused('expires', 'unsupported_condition'))
})

test.each(['/a', '/a.jpgb', '/a.jpg?=1', '/a.jpg?w', '/a.jpg/', '/a.jp?gx=1', '/a.jpgx.png?=1', '/a.jpgb=/c.png?w=1'])(
  'a URL of an image whose "?" could be elsewhere is refused: %s',
  async (url) => {
    await expect(sign(images, url, { expires: 'never' }, at)).rejects.toThrow(refused('url'))
  },
)

test('one changed character, at every place of 20 links: refused, or in the host or in parameters that are not covered', async () => {
  const pathOf = (url = '') => url.replace(/^https?:\/\/[^/]*/, '')
  for (const path of ['/a.jpg', '/video/1.png', '/a%20b/%C3%BC.gif', '/a//b;c=1.webp', '/x.jpg/y.jpeg'])
    for (const query of ['', '?v=1', '?v=1&w=', '?q=a+b&z=%41'])
      for (const scheme of [links, images] as Scheme[]) {
        const asked = { expires: scheme === links ? '1h' : 'never' } as const
        const link = await sign(scheme, `https://zone-1.kxcdn.com${path}${query}`, asked, at)
        const { claims } = await verify(scheme, link, at)
        for (const { changed } of tampered(link)) {
          const verdict = await verify(scheme, changed, at)
          if (!verdict.ok) continue
          const own = pathOf(verdict.claims.resource)
          expect([own, +verdict.claims.expires]).toEqual([pathOf(claims?.resource), +(claims?.expires ?? 0)])
          if (scheme === images) expect(pathOf(changed)).toBe(pathOf(link))
        }
      }
})

test('nothing throws on any text', async () => {
  const pieces = [
    'token=',
    'token',
    'A'.repeat(22),
    'expire=1893459600',
    `token=${'A'.repeat(22)}`,
    '%74oken=',
    '.jpg',
    'https://a.example',
  ]
  for (const scheme of [links, images] as Scheme[])
    for (const text of oddTexts(pieces, 1500, randomly(7))) {
      inspect(scheme, text)
      expect((await verify(scheme, text, at)).ok, text).toBe(false)
    }
})
