// googleMaps: what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { googleMaps } from '../../src/schemes/google-maps.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const links = googleMaps({ secret: 'vNIXE0xscrmjlyV-12Nj_BvUPaw=' })
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const never = { expires: 'never' } as const

test('a secret that is not base64url, and a URL without a query, are refused', async () => {
  expect(() => googleMaps({ secret: 'not base64!' })).toThrow(expect.objectContaining({ code: 'bad_option', option: 'secret' }))
  for (const url of ['/maps/api/staticmap', '/maps/api/staticmap?'])
    await expect(sign(links, url, never, at)).rejects.toThrow(expect.objectContaining({ code: 'bad_option', option: 'url' }))
})

test('one changed character, at every place of 20 links: refused, or in the host', async () => {
  const pathOf = (url = '') => url.replace(/^https?:\/\/[^/]*/, '')
  for (const path of ['/maps/api/staticmap', '/a', '/a%20b/%C3%BC', '/a//b;c=1', '/-/'])
    for (const query of ['?key=K', '?v=1&client=C', '?center=a+b&z=%41&key=K', '?a&&key=K']) {
      const link = await sign(links, `https://maps.googleapis.com${path}${query}`, never, at)
      const { claims } = await verify(links, link, at)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (!verdict.ok) continue
        expect(pathOf(changed)).toBe(pathOf(link))
        expect(pathOf(verdict.claims.resource)).toBe(pathOf(claims?.resource))
      }
    }
})

test('nothing throws on any text', async () => {
  const pieces = ['signature=', `signature=${'A'.repeat(27)}=`, '%73ignature=', '%3D', 'key=K', 'https://maps.googleapis.com/a']
  for (const text of oddTexts(pieces, 2000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
