// bytescale: keys, what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { type BytescaleKey, bytescale } from '../../src/schemes/bytescale.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const secret = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const links = bytescale({ id: 'BMCyGyFk', secret })
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const refused = (option: string, code = 'bad_option') => expect.objectContaining({ code, option })

test('keys without an id, or not in base64, are refused', () => {
  expect(() => bytescale({ secret } as BytescaleKey)).toThrow(refused('id'))
  expect(() => bytescale({ id: 'a.b', secret })).toThrow(refused('id'))
  expect(() => bytescale({ id: 'a', secret: 'not base64!' })).toThrow(refused('secret'))
  expect(() => bytescale({ id: 'a', secret: '' })).toThrow(refused('secret', 'weak_key'))
})

test('a path without a host, and an expiry of eleven digits, are refused', async () => {
  await expect(sign(links, '/a', { expires: '1h' }, at)).rejects.toThrow(refused('url'))
  const late = new Date('2290-01-01T00:00:00Z')
  await expect(sign(links, 'https://upcdn.io/a', { expires: late }, at)).rejects.toThrow(refused('expires'))
})

test('a link that never expires ends with its key', async () => {
  const ending = bytescale({ id: 'a', secret, expires: new Date('2031-01-01T00:00:00Z') })
  expect(await sign(ending, 'https://upcdn.io/a', { expires: 'never' }, at)).toContain('?exp=1924992000&sig=1.a.')
})

test('one changed character, at every place of 20 links: refused, or https for http', async () => {
  for (const path of ['/b', '/a.mp4', '/video/1', '/a%20b/%C3%BC', '/a//b;c=1'])
    for (const query of ['', '?v=1', '?v=1&w', '?q=a+b&z=%41']) {
      const expires = query.length > 4 ? 'never' : '1h'
      const link = await sign(links, `https://upcdn.io${path}${query}`, { expires }, at)
      const { claims } = await verify(links, link, at)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (!verdict.ok) continue
        expect(changed).toBe(link.replace(/^https/, 'http'))
        expect(verdict.claims).toEqual({ ...claims, resource: claims?.resource.replace(/^https/, 'http') })
      }
    }
})

test('nothing throws on any text', async () => {
  const pieces = ['exp=inf', 'exp=1893459600', '&sig=', `sig=1.BMCyGyFk.${'A'.repeat(43)}`, 'sig=1.', '%65xp=', 'https://upcdn.io/a']
  for (const text of oddTexts(pieces, 2000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
