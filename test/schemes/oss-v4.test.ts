// ossV4: options, what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { id: 'LTAI5tEXAMPLE', secret: 'yourAccessKeySecretEXAMPLE' }
const bucket = ossV4(key)
const ORIGIN = 'https://examplebucket.oss-cn-hangzhou.aliyuncs.com'
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const bad = (option: string) => expect.objectContaining({ code: 'bad_option', option })

test('wrong keys and options are refused', () => {
  expect(() => ossV4({ secret: 'a' } as never)).toThrow(bad('id'))
  expect(() => ossV4({ id: 'a', secret: '' })).toThrow(expect.objectContaining({ code: 'weak_key' }))
  expect(() => ossV4(key, { region: 'a/b' })).toThrow(bad('region'))
  expect(() => ossV4(key, { bucket: '' })).toThrow(bad('bucket'))
  expect(() => ossV4(key, { pathStyle: true } as never)).toThrow(expect.objectContaining({ code: 'bad_option' }))
})

test.each([
  ['url', '/a', {}],
  ['url', `${ORIGIN}/a#b`, {}],
  ['url', `${ORIGIN}/a%2F..%2Fb`, {}],
  ['url', `${ORIGIN}/%ff`, {}],
  ['method', `${ORIGIN}/a`, { method: ['GET', 'PUT'] }],
  ['headers', `${ORIGIN}/a`, { headers: { host: 'x' } }],
  ['headers', `${ORIGIN}/a`, { headers: { 'x-a': '1', 'X-A': '2' } }],
  ['headers', `${ORIGIN}/a`, { headers: { 'x-a': 'ü' } }],
  ['query', `${ORIGIN}/a`, { query: { 'x-oss-expires': '1' } }],
  ['expires', `${ORIGIN}/a`, { expires: '8d' }],
  ['region', 'https://pictures.example/a', {}],
  ['region', 'https://examplebucket.oss-accelerate.aliyuncs.com/a', {}],
])('sign refuses a grant that the format cannot hold: %s', async (option, url, conditions) => {
  await expect(sign(bucket, url, { expires: '1h', ...conditions } as { expires: '1h' }, at)).rejects.toThrow(bad(option))
})

test('region and bucket must be those of the host', async () => {
  await expect(sign(ossV4(key, { region: 'us-west-1' }), `${ORIGIN}/a`, { expires: '1h' }, at)).rejects.toThrow(bad('region'))
  await expect(sign(ossV4(key, { bucket: 'other' }), `${ORIGIN}/a`, { expires: '1h' }, at)).rejects.toThrow(bad('url'))
})

test('the order of parameters is not signed, so claims have one order', async () => {
  const link = await sign(bucket, `${ORIGIN}/cat.png?b=0&a=2&a=1`, { expires: '10m' }, at)
  for (const request of [link, link.replace('b=0&a=2&a=1', 'a=1&a=2&b=0')])
    expect(await verify(bucket, request, at)).toMatchObject({ ok: true, claims: { resource: `${ORIGIN}/cat.png?a=1&a=2&b=0` } })
})

test('a host for acceleration takes the region of the option', async () => {
  const links = ossV4(key, { region: 'cn-hangzhou' })
  const link = await sign(links, 'https://examplebucket.oss-accelerate.aliyuncs.com/a', { expires: '1h' }, at)
  expect(link).toContain('%2Fcn-hangzhou%2Foss%2F')
  expect(await verify(links, link, at)).toMatchObject({ ok: true })
  expect(await verify(bucket, link, at)).toMatchObject({ ok: true })
})

test('secrets as bytes sign the same', async () => {
  const bytes = ossV4({ ...key, secret: new TextEncoder().encode(key.secret) })
  const [a, b] = await Promise.all([bucket, bytes].map((links) => sign(links, `${ORIGIN}/a`, { expires: '1h' }, at)))
  expect(a).toBe(b)
})

test('a path of the request is verified with its host header', async () => {
  const link = (await sign(bucket, `${ORIGIN}/a?b=1`, { expires: '1h' }, at)).slice(ORIGIN.length)
  expect(await verify(bucket, link, { ...at, headers: { host: ORIGIN.slice('https://'.length) } })).toMatchObject({ ok: true })
  expect(await verify(bucket, link, { ...at, headers: { host: 'other.oss-cn-hangzhou.aliyuncs.com' } })).toMatchObject({ ok: false })
  expect(await verify(bucket, link, at)).toMatchObject({ reason: 'bad_signature' })
})

/** The parameters of a link by name, with path and bucket, after decoding: a signature covers these, and not their spelling. */
function meaningOf(url: string): string {
  const [, host = '', path = '', query = ''] = /^https:\/\/([^/?]*)([^?]*)\??(.*)$/.exec(url) ?? []
  const decoded = (text: string) => decodeURIComponent(text.replaceAll('+', '%20'))
  const pieces = query.split('&').filter((piece) => piece)
  const pairs = pieces.map((piece) => [decoded(piece.split('=')[0] as string), decoded(piece.replace(/^[^=]*=?/, ''))].join('\0')).sort()
  return [host, decodeURIComponent(path), ...pairs].join('\n')
}

test('one changed character, at every place of 20 links, is refused, or is another spelling', async () => {
  for (const path of ['/b', '/a.mp4', '/video/1', '/a%20b/%C3%BC', '/a//b;c=1'])
    for (const query of ['', '?v=1', '?x-oss-process=image%2Fresize', '?q=a+b&z=%41']) {
      const link = await sign(bucket, `${ORIGIN}${path}${query}`, { expires: '1h' }, at)
      for (const { changed, at: place } of tampered(link)) {
        if (place < ORIGIN.length) continue
        const { ok } = await verify(bucket, changed, at)
        if (ok) expect(meaningOf(changed), changed).toBe(meaningOf(link))
      }
    }
})

test('nothing throws on any text', async () => {
  const pieces = [
    'x-oss-signature-version=OSS4-HMAC-SHA256',
    '&x-oss-credential=LTAI5tEXAMPLE%2F20300101%2Fcn-hangzhou%2Foss%2Faliyun_v4_request',
    '&x-oss-date=20300101T000000Z',
    '&x-oss-expires=3600',
    '&x-oss-additional-headers=',
    'a=b',
    `&x-oss-signature=${'a'.repeat(64)}`,
    `${ORIGIN}/a`,
  ]
  const headers = new Headers({ host: 'x' })
  for (const text of oddTexts(pieces, 2000, randomly(7))) {
    inspect(bucket, text)
    expect((await verify(bucket, text, { ...at, headers })).ok, text).toBe(false)
  }
})

test('a host header with a path in it names no bucket', async () => {
  const links = ossV4({ id: 'LTAI5tEXAMPLE', secret: 'yourAccessKeySecretEXAMPLE' })
  const link = await sign(links, `${ORIGIN}/videos/a`, { expires: '1h' }, at)
  const host = new URL(ORIGIN).host
  const query = link.slice(link.indexOf('?'))
  expect((await verify(links, `/videos/a${query}`, { ...at, headers: { host } })).ok).toBe(true)
  const moved = host.replace('.', '/videos.')
  expect((await verify(links, `/a${query}`, { ...at, headers: { host: moved } })).reason).toBe('bad_signature')
})
