// imgproxy: options and keys, URLs that cannot be signed, and changes of one character at every place of its links.
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, sign, verify } from '../../src/index.ts'
import { type ImgproxyKey, type ImgproxyOptions, imgproxy } from '../../src/schemes/imgproxy.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: '943b421c9eb07c830af81030552c8600', salt: '520f986b998545b4785e0defbc4f3c12' }
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const SOURCE = '/plain/https://files.example/cat.jpg'

describe('wrong keys and options', () => {
  test.each<[ImgproxyKey, ImgproxyOptions, option: string, code?: string]>([
    [{ secret: 'xyz', salt: 'ff' }, {}, 'secret'],
    [{ secret: 'abc', salt: 'ff' }, {}, 'secret'],
    [{ secret: '', salt: 'ff' }, {}, 'secret', 'weak_key'],
    [{ secret: 'ff' }, {}, 'salt'],
    [{ secret: 'ff', salt: '' }, {}, 'salt'],
    [{ secret: 'ff', salt: 'no hex' }, {}, 'salt'],
    [{ secret: 'ff', salt: 7 as unknown as string }, {}, 'salt'],
    [key, { signatureSize: 0 }, 'signatureSize'],
    [key, { signatureSize: 33 }, 'signatureSize'],
    [key, { signatureSize: 1.5 }, 'signatureSize'],
    [key, { pathPrefix: 'images' }, 'pathPrefix'],
    [key, { pathPrefix: '/images/' }, 'pathPrefix'],
    [key, { pathPrefix: '/..' }, 'pathPrefix'],
    [key, { size: 8 } as ImgproxyOptions, 'size'],
  ])('%j %j', (key, options, option, code = 'bad_option') => {
    expect(() => imgproxy(key, options)).toThrow(expect.objectContaining({ code, option }))
  })
})

test('a salt is copied: wiping the buffer does not make it a salt of zeros, not even before the first key is looked up', async () => {
  const bytes = Buffer.from(key.salt, 'hex')
  const inOptions = imgproxy(async () => ({ secret: key.secret }), { salt: bytes })
  const inKey = imgproxy({ secret: key.secret, salt: bytes })
  bytes.fill(0)
  const url = `/w:1${SOURCE}`
  const link = await sign(imgproxy(key), url, { expires: '1h' }, at)
  for (const links of [inOptions, inKey]) {
    expect(await sign(links, url, { expires: '1h' }, at)).toBe(link)
    expect((await verify(links, link, at)).ok).toBe(true)
  }
})

test.each<[what: string, url: string, expires: '1h' | 'never', options?: ImgproxyOptions]>([
  ['a query', `/w:1${SOURCE}?v=1`, '1h'],
  ['an expiry that is another one', `/exp:1900000000${SOURCE}`, '1h'],
  ['an expiry, and never', `/exp:1900000000${SOURCE}`, 'never'],
  ['two expiries', `/exp:1900000000/expires:1900000000${SOURCE}`, '1h'],
  ['a spelling that imgproxy changes', '/w%3A1/plain/https://files.example/cat.jpg', '1h'],
  ['one slash behind a scheme', '/w:1/plain/https:/files.example/cat.jpg', '1h'],
  ['a colon before a slash in a source', '/w:1/plain/https://files.example/a:/cat.jpg', '1h'],
  ['options without a source', '/w:1', '1h'],
  ['an empty source', '/w:1/', '1h'],
  ['another prefix', `/w:1${SOURCE}`, '1h', { pathPrefix: '/images' }],
  ['a signature of the builder that has no key', `/insecure/w:1${SOURCE}`, '1h'],
  ['dot segments', '/plain/https://files.example/../cat.jpg', '1h'],
])('sign refuses %s', async (_, url, expires, options) => {
  await expect(sign(imgproxy(key, options), `https://img.example${url}`, { expires }, at)).rejects.toThrow(LinkError)
})

test('salts are those of the keys, or the one of the options; bytes and hex are the same', async () => {
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
  const link = await sign(imgproxy(key), SOURCE, { expires: '1h' }, at)
  for (const links of [
    imgproxy({ secret: key.secret.toUpperCase() }, { salt: key.salt.toUpperCase() }),
    imgproxy({ secret: bytes(key.secret), salt: bytes(key.salt) }, { salt: 'ff' }),
    imgproxy([{ secret: 'aa', salt: 'bb' }, key]),
  ])
    expect((await verify(links, link, at)).ok).toBe(true)
  expect((await verify(imgproxy({ ...key, salt: 'ff' }), link, at)).reason).toBe('bad_signature')
  // A salt does not belong to another key of the list.
  expect(
    (
      await verify(
        imgproxy([
          { ...key, salt: 'ff' },
          { secret: 'aa', salt: key.salt },
        ]),
        link,
        at,
      )
    ).reason,
  ).toBe('bad_signature')
})

test('a truncated signature with an expiry', async () => {
  const links = imgproxy(key, { signatureSize: 8 })
  const link = await sign(links, SOURCE, { expires: '1h' }, at)
  expect(link).toMatch(/^\/[\w-]{11}\/exp:1893459600\/plain\//)
  expect((await verify(links, link, at)).ok).toBe(true)
  expect((await verify(imgproxy(key), link, at)).reason).toBe('malformed')
})

test('an expired link is a 404, and other refusals are a 403', async () => {
  const links = imgproxy(key)
  const link = await sign(links, SOURCE, { expires: '1h' }, at)
  const status = async (url: string, options = {}) => (await verify(links, url, { ...at, ...options })) as { status?: number }
  expect((await status(link, { now: () => new Date('2031-01-01') })).status).toBe(404)
  expect((await status(link, { revoked: () => true })).status).toBe(404)
  expect((await status(link.replace('cat', 'dog'))).status).toBe(403)
  expect((await status(link.slice(0, 9) + link.slice(10))).status).toBe(403)
  expect((await status(link, { method: 'PUT' })).status).toBe(405)
})

const URLS = [
  SOURCE,
  `/w:300/h:200${SOURCE}`,
  '/rs:fit:300:300/aHR0cDovL2ltZy5leGFtcGxl/LmNvbS9jYXQuanBn.png',
  '/w:1/plain/local:///ü/b%20c.jpg@webp',
  '/w:1/-/bl:5/enc/abcdef',
]
const KINDS = [{}, { signatureSize: 12 }, { pathPrefix: '/images' }].flatMap((options) => [
  { options, expires: '1h' as const },
  { options, expires: 'never' as const },
])

test('one changed character, at every place of 30 links: refused, or outside of the path, or the same path to imgproxy', async () => {
  let accepted = 0
  for (const { options, expires } of KINDS)
    for (const url of URLS) {
      const links = imgproxy(key, options)
      const link = await sign(links, `https://img.example${'pathPrefix' in options ? options.pathPrefix : ''}${url}`, { expires }, at)
      const { claims } = await verify(links, link, at)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (!verdict.ok) continue
        accepted++
        // The host is not covered, and the query is ignored.
        const path = (text = '') => text.replace(/^https?:\/\/[^/]*/, '')
        expect(path(verdict.claims.resource), changed).toBe(path(claims?.resource))
        expect(verdict.claims.expires).toEqual(claims?.expires)
      }
    }
  expect(accepted).toBeGreaterThan(100)
})

test('nothing throws on any text', async () => {
  const links = imgproxy(key)
  const signature = 'A'.repeat(43)
  const pieces = [
    `/${signature}`,
    signature,
    '/plain/',
    'plain/',
    'exp:1900000000/',
    'exp:',
    '/w:1/',
    'http:/x',
    '%3A',
    'https://img.example',
    '/-/',
    ':',
  ]
  for (const text of oddTexts(pieces, 3000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
