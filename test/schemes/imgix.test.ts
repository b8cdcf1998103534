// imgix: keys, and changes of one character at every place of its links.
import { expect, test } from 'vitest'
import { inspect, LinkError, sign, verify } from '../../src/index.ts'
import { imgix } from '../../src/schemes/imgix.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: 'FOO123bar' }
const links = imgix(key)
const at = { now: () => new Date('2030-01-01T00:00:00Z') }

test('keys are text or bytes, because the digest is over the secret', async () => {
  const secret = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
  expect(() => imgix({ secret })).toThrow(expect.objectContaining({ code: 'bad_option', option: 'secret' }))
  expect(() => imgix({ secret: '' })).toThrow(expect.objectContaining({ code: 'weak_key' }))
  const bytes = imgix({ secret: new TextEncoder().encode(key.secret) })
  expect((await verify(bytes, await sign(links, '/a', { expires: '1h' }, at), at)).ok).toBe(true)
})

test.each(['/a?s=1', '/a?%73', '/a?expires=1', '/a/../b', 'https://demo.imgix.net/a?s=6797c24146142d5b40bde3141fd3600c'])(
  'sign refuses %s',
  async (url) => {
    await expect(sign(links, url, { expires: '1h' }, at)).rejects.toThrow(LinkError)
  },
)

test('an expired link is a 404, and other refusals are a 403', async () => {
  const link = await sign(links, '/a', { expires: '1h' }, at)
  const status = async (url: string, options = {}) => ((await verify(links, url, { ...at, ...options })) as { status?: number }).status
  expect(await status(link, { now: () => new Date('2031-01-01') })).toBe(404)
  expect(await status(link, { revoked: () => true })).toBe(404)
  expect(await status(link.replace('/a', '/b'))).toBe(403)
  expect(await status(`${link}0`)).toBe(403)
  expect(await status('/a')).toBe(403)
  expect(await status(link, { method: 'PUT' })).toBe(405)
})

const URLS = [
  '/a.png',
  '/users/1.png?w=400&h=300',
  '/http%3A%2F%2Ffiles.example%2Fa.png?w=1',
  '/ü/a b.png?txt=%C3%BC+b&trim',
  '/a?rect=1,2&x[]=1&x[]=2',
]

test('one changed character, at every place of 20 links: refused, or in the host', async () => {
  let accepted = 0
  for (const expires of ['1h', 'never', '2h', '3h'] as const)
    for (const url of URLS) {
      const link = await sign(links, `https://demo.imgix.net${url}`, { expires }, at)
      for (const { changed, at: place } of tampered(link)) {
        if (!(await verify(links, changed, at)).ok) continue
        accepted++
        expect(place, changed).toBeLessThan('https://demo.imgix.net'.length)
      }
    }
  expect(accepted).toBeGreaterThan(100)
})

test('nothing throws on any text', async () => {
  const pieces = ['s=', `s=${'0'.repeat(32)}`, 's', '%73=', 'expires=1900000000', 'expires', 'https://demo.imgix.net']
  for (const text of oddTexts(pieces, 3000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
