// setCookies: cookies of each vendor go through the jar of a client, and open what the link opens.
import { generateKeyPairSync } from 'node:crypto'
import { CookieJar } from 'tough-cookie'
import { expect, test } from 'vitest'
import { setCookies } from '../../src/guard.ts'
import { anyOf, hmac, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { cloudCdn } from '../../src/schemes/cloud-cdn.ts'
import { cloudfront } from '../../src/schemes/cloudfront.ts'
import { mediaCdn } from '../../src/schemes/media-cdn.ts'

const ORIGIN = 'https://media.example.com'
const NOW = new Date('2026-01-01T00:00:00Z')
const now = () => NOW
const at = { now }
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

const SCHEMES: Record<string, { scheme: Scheme; names: string[] }> = {
  akamai: { scheme: akamai({ secret: 'aabbccddeeff00112233445566778899' }), names: ['__token__'] },
  'akamai, as hdntl': { scheme: akamai({ secret: 'aabbccddeeff0011' }, { tokenName: 'hdntl', algorithm: 'sha1' }), names: ['hdntl'] },
  cloudinary: { scheme: akamai({ secret: 'aabbccddeeff0011' }, { vendor: 'cloudinary' }), names: ['__cld_token__'] },
  uploadcare: { scheme: akamai({ secret: 'aabbccddeeff0011' }, { vendor: 'uploadcare' }), names: ['token'] },
  cloudfront: {
    scheme: cloudfront({ id: 'K2JCJMDEHXQW5F', secret: pem }),
    names: ['CloudFront-Policy', 'CloudFront-Key-Pair-Id', 'CloudFront-Signature'],
  },
  'cloudfront with SHA-256': {
    scheme: cloudfront({ id: 'K2JCJMDEHXQW5F', secret: pem }, { algorithm: 'SHA256' }),
    names: ['CloudFront-Policy', 'CloudFront-Key-Pair-Id', 'CloudFront-Signature', 'CloudFront-Hash-Algorithm'],
  },
  'cloud-cdn': {
    scheme: cloudCdn({ id: 'my-key', secret: 'nZtRohdNF9m3cKM24IcK4w==' }, { placement: 'cookie' }),
    names: ['Cloud-CDN-Cookie'],
  },
  'media-cdn': { scheme: mediaCdn({ secret: 'g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=' }), names: ['Edge-Cache-Cookie'] },
}

test.each(Object.entries(SCHEMES))('%s: one token for a folder, in the jar of a client', async (_, { scheme, names }) => {
  const link = await sign(scheme, `${ORIGIN}/videos/7/main.m3u8`, { expires: new Date('2026-01-01T06:00:00Z'), prefix: '/videos/7/' }, at)
  const headers = setCookies(scheme, link, at)
  expect(headers.map((header) => header.slice(0, header.indexOf('=')))).toEqual(names)
  for (const header of headers)
    expect(header).toMatch(
      /^[^;\s]+; Path=\/videos\/7\/; Expires=Thu, 01 Jan 2026 06:00:00 GMT; Max-Age=21600; Secure; HttpOnly; SameSite=Lax$/,
    )

  const jar = new CookieJar()
  // The jar goes by its own clock for Max-Age, and sees none of ours.
  for (const header of headers) await jar.setCookie(header, `${ORIGIN}/login`)
  const reasonFor = async (url: string, time = NOW) => {
    const cookie = await jar.getCookieString(url)
    return (await verify(scheme, new Request(url, { headers: cookie ? { cookie } : {} }), { now: () => time })).reason
  }
  expect(await reasonFor(`${ORIGIN}/videos/7/part-1.ts`)).toBeUndefined()
  expect(await reasonFor(`${ORIGIN}/videos/7/deeper/part-1.ts?a=b`)).toBeUndefined()
  expect(await reasonFor(`${ORIGIN}/videos/7/part-1.ts`, new Date('2026-01-01T06:00:00Z'))).toBe('expired')
  expect(await reasonFor(`${ORIGIN}/videos/8/part-1.ts`)).toBe('unsigned')
  expect(await reasonFor('http://media.example.com/videos/7/part-1.ts')).toBe('unsigned')
  expect(await reasonFor('https://other.example.com/videos/7/part-1.ts')).toBe('unsigned')

  // A client that sends it elsewhere is refused by the token itself.
  const cookie = headers.map((header) => header.slice(0, header.indexOf(';'))).join('; ')
  expect((await verify(scheme, `${ORIGIN}/videos/8/part-1.ts`, { ...at, headers: { cookie } })).reason).toBe('wrong_path')
})

test('a cookie for all hosts of a domain, on another site, for scripts', async () => {
  const links = akamai({ secret: 'aabbccddeeff0011' })
  const link = new URL(await sign(links, `${ORIGIN}/`, { expires: '1h', prefix: '/' }, at))
  const options = { ...at, domain: 'example.com', sameSite: 'None', httpOnly: false, partitioned: true } as const
  const [header = '', ...others] = setCookies(links, link, options)
  expect(others).toEqual([])
  expect(header).toMatch(/; Path=\/; Domain=example\.com; Expires=[^;]+; Max-Age=3600; Secure; SameSite=None; Partitioned$/)
  const jar = new CookieJar()
  await jar.setCookie(header, `${ORIGIN}/login`)
  expect(await jar.getCookieString('https://cdn.example.com/a/b')).toMatch(/^__token__=exp=/)
  expect(setCookies(links, link, { ...at, secure: false })[0]).toMatch(/HttpOnly; SameSite=Lax$/)
})

test.each([
  ['/videos', '/videos'],
  ['/v~1.0_a-b/', '/v~1.0_a-b/'],
  // Browsers compare the text, and these have several spellings.
  ['/vidéos/7/', '/'],
  ['/a/b c/', '/a/'],
  ["/a/it's/7/", '/a/'],
])('the path for the prefix %s is %s', async (prefix, path) => {
  const links = mediaCdn({ secret: 'g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=' })
  const link = await sign(links, `${ORIGIN}${prefix}`, { expires: '1h', prefix }, at)
  expect(setCookies(links, link, at)[0]).toContain(`; Path=${path}; `)
})

test('links of anyOf, with the keys left out', async () => {
  const link = await sign((SCHEMES['media-cdn'] as { scheme: Scheme }).scheme, `${ORIGIN}/a/`, { expires: '1h', prefix: '/a/' }, at)
  const readers = anyOf(hmac([]), akamai([]), mediaCdn([]))
  expect(setCookies(readers, link, at)[0]).toMatch(/^Edge-Cache-Cookie=/)
})

test('a link without a prefix needs a path', async () => {
  const links = cloudfront({ id: 'K2JCJMDEHXQW5F', secret: pem })
  const link = await sign(links, `${ORIGIN}/a.png`, { expires: '1h' }, at)
  expect(() => setCookies(links, link, at)).toThrow('path must be given for a link without a prefix')
  const headers = setCookies(links, link, { ...at, path: '/a.png' })
  expect(headers.map((header) => header.split('=')[0])).toEqual(['CloudFront-Expires', 'CloudFront-Key-Pair-Id', 'CloudFront-Signature'])
  const cookie = headers.map((header) => header.slice(0, header.indexOf(';'))).join('; ')
  expect((await verify(links, `${ORIGIN}/a.png`, { ...at, headers: { cookie } })).ok).toBe(true)
})

test('a link with one second left makes a cookie, and one with less does not', async () => {
  const links = akamai({ secret: 'aabbccddeeff0011' })
  const link = await sign(links, `${ORIGIN}/a/`, { expires: '1h', prefix: '/a/' }, at)
  const left = (milliseconds: number) => setCookies(links, link, { now: () => new Date(+NOW + 3_600_000 - milliseconds) })
  expect(left(1000)[0]).toContain('; Max-Age=1; ')
  expect(() => left(999)).toThrow('link must be one that is not expired')
})

test('mistakes name their option', async () => {
  const links = akamai({ secret: 'aabbccddeeff0011' })
  const link = await sign(links, `${ORIGIN}/a/`, { expires: '1h', prefix: '/a/' }, at)
  const thrown = (...given: unknown[]): string | undefined => {
    try {
      setCookies(...(given as [Scheme, string]))
    } catch (error) {
      if (error instanceof LinkError) return `${error.code} ${error.option}`
      throw error
    }
    return undefined
  }
  expect(thrown(undefined, link)).toBe('bad_option scheme')
  expect(thrown(hmac([]), link)).toBe('bad_option scheme')
  for (const text of ['', '/a/', `${ORIGIN}/a/`, `${link}&__token__=x`, `${link}"`, `${ORIGIN}/?__token__=a;b`, undefined])
    expect(thrown(links, text, at), text).toBe('bad_option link')
  expect(thrown(links, link, { now: () => new Date('2026-01-01T01:00:00Z') })).toBe('bad_option link')
  const long = await sign(links, `${ORIGIN}/a/`, { expires: '1h', prefix: '/a/', data: 'x'.repeat(5000) }, at)
  expect(thrown(links, long, at)).toBe('bad_option link')
  // Its name and its value together have 4,096 characters, and then one more.
  const withData = (length: number) => sign(links, `${ORIGIN}/a/`, { expires: '1h', prefix: '/a/', data: 'x'.repeat(length) }, at)
  const lengthOf = (cookie = '') => cookie.split(';', 1)[0]?.replace('=', '').length as number
  const room = 4096 - lengthOf(setCookies(links, await withData(1), at)[0]) + 1
  expect(lengthOf(setCookies(links, await withData(room), at)[0])).toBe(4096)
  expect(thrown(links, await withData(room + 1), at)).toBe('bad_option link')
  // The separators of a link are signed, so it cannot become a cookie.
  const inQuery = cloudCdn({ id: 'my-key', secret: 'nZtRohdNF9m3cKM24IcK4w==' })
  const url = await sign(inQuery, `${ORIGIN}/a/`, { expires: '1h', prefix: '/a/' }, at)
  expect(() => setCookies(inQuery, url, at)).toThrow("cloudCdn needs placement: 'cookie'")
  expect(() => setCookies(anyOf(links, inQuery), url, at)).toThrow("cloudCdn needs placement: 'cookie'")
  expect(() => setCookies(links, url, at)).toThrow(/ fits into a cookie$/)
  for (const [option, values] of Object.entries({
    domain: [7, '', 'a b', 'a;b', 'a..b'],
    path: [7, '', 'a', 'a/b', '/a;b', '/a b', '/\n'],
    secure: ['yes', null],
    httpOnly: [1],
    partitioned: ['no'],
    sameSite: ['lax', null],
    max: ['1h'],
  }))
    for (const value of values) expect(thrown(links, link, { ...at, [option]: value }), `${option} ${value}`).toBe(`bad_option ${option}`)
  expect(thrown(links, link, { ...at, sameSite: 'None', secure: false })).toBe('bad_option secure')
})
