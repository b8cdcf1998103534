// thumbor: what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { expect, test } from 'vitest'
import { inspect, LinkError, sign, verify } from '../../src/index.ts'
import { thumbor } from '../../src/schemes/thumbor.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const links = thumbor({ secret: 'my-security-key' })
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const never = { expires: 'never' } as const

test('links never expire, so an expiry and a key with an end are refused', async () => {
  const asked = { expires: '1h' } as unknown as typeof never
  await expect(sign(links, '/300x200/a.jpg', asked, at)).rejects.toThrow(expect.objectContaining({ code: 'unsupported_condition' }))
  const ending = thumbor({ secret: 'my-security-key', expires: new Date('2031-01-01') })
  await expect(sign(ending, '/300x200/a.jpg', never, at)).rejects.toThrow(LinkError)
})

test.each(['/', 'https://thumbor.example', 'https://thumbor.example/?a.jpg'])('a URL without an image is refused: %s', async (url) => {
  await expect(sign(links, url, never, at)).rejects.toThrow(expect.objectContaining({ code: 'bad_option', option: 'url' }))
})

test('a link is not signed again', async () => {
  const link = await sign(links, '/300x200/a.jpg', never, at)
  await expect(sign(links, link, never, at)).rejects.toThrow(expect.objectContaining({ code: 'already_signed' }))
})

const IMAGES = [
  'a.jpg',
  '300x200/smart/my.server.com/a.jpg',
  'fit-in/-1x-2/filters:fill(red):quality(80)/b%20c.png',
  'x/a.jpg?v=1',
  'm//n/%C3%BC',
]

test('one changed character, at every place of 20 links: refused, or in the host', async () => {
  const pathOf = (url = '') => url.replace(/^https?:\/\/[^/]*/, '')
  for (const image of IMAGES)
    for (const folder of ['', 'trim/', '1x2:3x4/', 'meta/']) {
      const link = await sign(links, `https://thumbor.example/${folder}${image}`, never, at)
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
  const signature = '8ammJH8D-7tXy6kU3lTvoXlhu4o='
  for (const text of oddTexts([signature, `/${signature}`, `/${signature}/`, '%3D', '300x200', 'https://a.example'], 2000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
