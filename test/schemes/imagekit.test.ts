// imagekit: options, URLs that cannot be signed, and changes of one character at every place of its links.
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, sign, verify } from '../../src/index.ts'
import { type ImagekitOptions, imagekit } from '../../src/schemes/imagekit.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: 'private_key' }
const links = imagekit(key, { urlEndpoint: 'https://ik.imagekit.io/demo' })
const at = { now: () => new Date('2030-01-01T00:00:00Z') }

describe('wrong options', () => {
  test.each<[ImagekitOptions, option: string]>([
    [{ urlEndpoint: 'demo' }, 'urlEndpoint'],
    [{ urlEndpoint: 'https://ik.imagekit.io/demo?a' }, 'urlEndpoint'],
    [{ urlEndpoint: 'https://ik.imagekit.io/../demo' }, 'urlEndpoint'],
    [{ urlEndpoint: 7 as unknown as string }, 'urlEndpoint'],
    [{ endpoint: 'https://ik.imagekit.io/demo' } as ImagekitOptions, 'endpoint'],
  ])('%j', (options, option) => {
    expect(() => imagekit(key, options)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })
})

test.each<[what: string, url: string, expires: Date | 'never', now?: () => Date]>([
  ['an expiry of eleven digits', '/demo/a', new Date('2300-01-01')],
  ['an expiry of nine digits', '/demo/a', new Date(9e11), () => new Date(8e11)],
  ['the time that means never', '/demo/a', new Date(9_999_999_999_000)],
  ['another endpoint', 'https://ik.imagekit.io/other/a', 'never'],
  ['an endpoint that begins alike', 'https://ik.imagekit.io/demoa', 'never'],
  ['a parameter of the link', '/demo/a?ik-t=1', 'never'],
  ['a parameter of the link, escaped', '/demo/a?ik%2ds=1', 'never'],
  ['dot segments', '/demo/../a', 'never'],
])('sign refuses %s', async (_, url, expires, now = at.now) => {
  await expect(sign(links, url, { expires }, { now })).rejects.toThrow(LinkError)
})

test('the endpoint with and without a slash at its end, and as a path', async () => {
  const link = await sign(links, 'https://ik.imagekit.io/demo/a.png', { expires: '1h' }, at)
  for (const urlEndpoint of ['https://ik.imagekit.io/demo/', '/demo', 'https://images.example/demo'])
    expect((await verify(imagekit(key, { urlEndpoint }), link, at)).ok).toBe(true)
  expect((await verify(imagekit(key), link, at)).ok).toBe(true)
  expect((await verify(imagekit(key, { urlEndpoint: 'https://ik.imagekit.io' }), link, at)).reason).toBe('bad_signature')
})

test('no digit moves between URL and expiry', async () => {
  for (const digit of [1, 9]) {
    const link = await sign(links, `/demo/a?v=${digit}`, { expires: '1h' }, at)
    const moved = link.replace(/v=(\d)&ik-t=/, 'v=&ik-t=$1')
    expect((await verify(links, moved, at)).reason).toBe('malformed')
    expect((await verify(links, link.replace(/&ik-t=(\d)/, '$1&ik-t='), at)).reason).toBe('malformed')
  }
})

const URLS = [
  '/a.png',
  '/tr:w-300,h-200/folder/a.png?v=1',
  '/ü/a b.png?v=%C3%BC+b&trim',
  '/https://files.example/a.png',
  "/a!b*c'd(e).png?x[]=1",
]

test('one changed character, at every place of 20 links: refused, or in the host, or the same parameters', async () => {
  let accepted = 0
  for (const expires of ['1h', 'never', '2h', '3h'] as const)
    for (const url of URLS) {
      const link = await sign(links, `https://ik.imagekit.io/demo${url}`, { expires }, at)
      for (const { changed, at: place } of tampered(link)) {
        if (!(await verify(links, changed, at)).ok) continue
        accepted++
        expect(place, changed).toBeLessThan('https://ik.imagekit.io'.length)
      }
    }
  expect(accepted).toBeGreaterThan(100)
})

test('nothing throws on any text', async () => {
  const pieces = ['ik-s=', `ik-s=${'0'.repeat(40)}`, 'ik-t=1900000000', 'ik-t', 'ik%2Ds=', '/demo/', 'https://ik.imagekit.io/demo/']
  for (const scheme of [links, imagekit(key)])
    for (const text of oddTexts(pieces, 1000, randomly(7))) {
      inspect(scheme, text)
      expect((await verify(scheme, text, at)).ok, text).toBe(false)
    }
})

test.each([
  ['ik-t', 'ik-t=soon&ik-s=SIGNATURE'],
  ['ik-t', 'ik-t=9999999999&ik-s=SIGNATURE'],
  ['ik-t', 'ik-t=189389880&ik-s=SIGNATURE'],
  ['ik-t', 'ik-t=1893898800&ik-t=1893898800&ik-s=SIGNATURE'],
  ['ik-s', 'ik-t=1893898800'],
  ['ik-s', 'ik-t=1893898800&ik-s=x'],
  ['ik-s', 'ik-t=1893898800&ik-s=SIGNATURE0'],
])('a link names the parameter %s that cannot be read: %s', (parameter, query) => {
  const url = `https://ik.imagekit.io/demo/a.png?${query.replace('SIGNATURE', '0'.repeat(40))}`
  expect(links.read(url)).toEqual({ malformed: parameter })
})
