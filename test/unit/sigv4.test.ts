// What s3 and gcs refuse to sign, and what needs more than a link to show: kinds of secrets, remembered keys, requests through the guard.
import { describe, expect, test, vi } from 'vitest'
import { guard } from '../../src/guard.ts'
import { anyOf, type Duration, hmac, inspect, sign, verify } from '../../src/index.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { s3 } from '../../src/schemes/s3.ts'

const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const NOW = new Date('2013-05-24T00:00:00Z')
const at = { now: () => NOW }
const URL_ = 'https://examplebucket.s3.amazonaws.com/test.txt'
const expires = new Date('2013-05-25T00:00:00Z')
// The example of the documentation.
const SIGNATURE = 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'
const bucket = s3(KEY)

const code = (work: () => unknown) =>
  Promise.resolve()
    .then(work)
    .then(
      () => 'signed',
      ({ code, message }) => code ?? message,
    )

describe('refused with bad_option', () => {
  test.each([
    ['a path', '/test.txt', {}],
    ['a host in another alphabet', 'https://bücher.example/a', {}],
    ['dots', 'https://h.test/a/../b', {}],
    ['dots with escapes', 'https://h.test/a/%2e%2E/b', {}],
    ['dots behind an escaped slash', 'https://h.test/a%2F..%2Fb', {}],
    ['an escape that is none', 'https://h.test/100%', {}],
    ['an escape that is no UTF-8', 'https://h.test/%FF', {}],
    ['the same in the query', 'https://h.test/?a=%FF', {}],
    ['one of ours in the URL', `${URL_}?X-Amz-Date=20130524T000000Z`, {}],
    ['one of ours in the query', URL_, { query: { 'X-Amz-Expires': '1' } }],
    ['two methods', URL_, { method: ['GET', 'PUT'] }],
    ['eight days', URL_, { expires: '8d' }],
    ['seven days and a second', URL_, { expires: '604801s' }],
    ['a week from a start in the past', URL_, { expires: '7d', starts: new Date(+NOW - 1000) }],
    ['the header host', URL_, { headers: { Host: 'x' } }],
    ['a header twice', URL_, { headers: { 'Content-Type': 'a', 'content-type': 'a' } }],
    ['a header with a line break', URL_, { headers: { a: 'b\nc' } }],
    ['a header that is not ASCII', URL_, { headers: { a: 'ü' } }],
    ['a name that is none', URL_, { headers: { 'a b': 'c' } }],
    ['a header that is no text', URL_, { headers: { a: 1 } }],
    ['a parameter that is no text', URL_, { query: { a: undefined } }],
    ['half a surrogate pair', URL_, { query: { a: '\ud83d' } }],
  ])('%s', async (_, url, conditions) => {
    expect(await code(() => sign(bucket, url, { expires, ...conditions } as never, at))).toBe('bad_option')
  })

  test('keys and options', async () => {
    expect(await code(() => s3({ secret: 'x' } as never))).toBe('bad_option')
    expect(await code(() => s3({ ...KEY, secret: '' }))).toBe('weak_key')
    expect(await code(() => s3(KEY, { region: '' }))).toBe('bad_option')
    expect(await code(() => s3(KEY, { region: 'a/b' }))).toBe('bad_option')
    expect(await code(() => gcs(KEY, { algorithm: 'GOOG4-RSA-SHA256' as never }))).toBe('bad_option')
  })
})

test('other codes', async () => {
  expect(await code(async () => sign(bucket, await sign(bucket, URL_, { expires }, at), { expires }, at))).toBe('already_signed')
  expect(await code(() => sign(bucket, URL_, { expires, ip: '203.0.113.7' } as never, at))).toBe('unsupported_condition')
  expect(await code(() => sign(s3([]), URL_, { expires }, at))).toBe('no_key')
  expect(await code(async () => verify(s3([]), await sign(bucket, URL_, { expires }, at), at))).toBe('no_key')
  vi.stubGlobal('crypto', {})
  expect(await code(() => sign(s3({ ...KEY }), URL_, { expires }, at))).toBe('no_webcrypto')
  vi.unstubAllGlobals()
})

// One at a time they took minutes, and a link service takes them from its callers.
test('too many query parameters are refused, and soon', async () => {
  const query = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`p${i}`, 'x']))
  expect(await code(() => sign(bucket, URL_, { expires, query }, at))).toBe('bad_option')
})

test('a secret as text, as bytes, and as a CryptoKey of AWS4 and the secret', async () => {
  const bytes = new TextEncoder().encode(KEY.secret)
  const raw = new TextEncoder().encode(`AWS4${KEY.secret}`)
  const imported = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  for (const secret of [KEY.secret, bytes, imported]) {
    const link = await sign(s3({ ...KEY, secret }), URL_, { expires }, at)
    expect(link.slice(-64)).toBe(SIGNATURE)
    expect((await verify(s3({ ...KEY, secret }), link, at)).ok).toBe(true)
  }
})

test('the key of a day is derived once, also for a scheme that is made anew, and forgotten after 16 days', async () => {
  const real = crypto.subtle.importKey.bind(crypto.subtle)
  const importKey = vi.spyOn(crypto.subtle, 'importKey').mockImplementation(real as never)
  const key = { ...KEY }
  const day = (n: number) => ({ now: () => new Date(+NOW + n * 86_400_000) })
  const signed = (n: number) => sign(s3(key), URL_, { expires: '1h' }, day(n))
  await signed(0)
  expect(importKey).toHaveBeenCalledTimes(5)
  await signed(0)
  expect((await verify(s3(key), await signed(0), day(0))).ok).toBe(true)
  expect(importKey).toHaveBeenCalledTimes(5)
  for (let n = 1; n <= 40; n++) await signed(n)
  expect(importKey).toHaveBeenCalledTimes(5 + 40 * 5)
  await signed(40)
  expect(importKey).toHaveBeenCalledTimes(5 + 40 * 5)
  importKey.mockRestore()
})

test('a hash of the body, as a header or as a parameter, stands where UNSIGNED-PAYLOAD stands', async () => {
  const hash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const header = await sign(bucket, URL_, { expires, method: 'PUT', headers: { 'x-amz-content-sha256': hash } }, at)
  const good = { ...at, method: 'PUT', headers: { 'x-amz-content-sha256': hash } }
  expect((await verify(bucket, header, good)).ok).toBe(true)
  expect((await verify(bucket, header, { ...good, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })).ok).toBe(false)
  const said = await sign(bucket, URL_, { expires, query: { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' } }, at)
  expect((await verify(bucket, said, at)).ok).toBe(true)
})

test.each([
  ['s3', bucket],
  ['gcs', gcs(KEY)],
])('%s: a visit that is a path has its host from the header, in the form in which it was signed', async (_, scheme) => {
  for (const origin of ['https://Files.test', 'http://127.0.0.1:4443', 'http://[::1]:4443']) {
    const path = (await sign(scheme, `${origin}/bucket/a.txt`, { expires }, at)).slice(origin.length)
    const visit = async (headers: Record<string, string>) => (await verify(scheme, path, { ...at, headers })).reason ?? 'ok'
    expect(await visit({ host: origin.slice(origin.indexOf('//') + 2) }), origin).toBe('ok')
    expect(await visit({ host: 'other.test' }), origin).toBe('bad_signature')
    expect(await visit({}), origin).toBe('bad_signature')
  }
})

test('claims: what was signed; without a key, what stands there', async () => {
  const link = await sign(bucket, 'https://ExampleBucket.s3.amazonaws.com:443/a%2Fb c+%7Ed?z&a=1+2', { expires }, at)
  const { claims } = await verify(bucket, link, at)
  const resource = 'https://examplebucket.s3.amazonaws.com/a/b%20c%2B~d?a=1%202&z='
  expect(claims).toEqual({ resource, expires, starts: NOW, methods: ['GET'], keyId: KEY.id })
  expect(inspect(s3([]), link)?.unverified).toEqual({
    resource: 'https://ExampleBucket.s3.amazonaws.com:443/a%2Fb c+%7Ed?z&a=1+2',
    expires,
    starts: NOW,
    keyId: KEY.id,
  })
})

test('aligned links are identical for a window, and never too long', async () => {
  const minted = (minute: number, expires: Duration) =>
    sign(bucket, URL_, { expires, align: '1h' }, { now: () => new Date(+NOW + minute * 60_000 + 1) })
  expect(await minted(10, '15m')).toBe(await minted(40, '15m'))
  expect(await minted(10, '15m')).not.toBe(await minted(50, '15m'))
  expect(await code(() => minted(10, '7d'))).toBe('bad_option')
  const long = await sign(bucket, URL_, { expires: '5d', align: '3d' }, { now: () => new Date('2013-05-26T12:00:00Z') })
  expect(long).toContain('X-Amz-Expires=604800')
})

test('signed in the middle of a second, a link is good at once', async () => {
  const now = () => new Date(+NOW + 999)
  for (const expires of ['1s', '15m', '7d'] as const)
    expect((await verify(bucket, await sign(bucket, URL_, { expires }, { now }), { now })).ok).toBe(true)
})

test('the guard takes headers and method from the request, and answers as S3 does', async () => {
  const fetch = guard(bucket, (_, { resource, methods }) => new Response(`${methods} ${resource}`), at)
  const headers = { 'content-type': 'image/png' }
  const upload = await sign(bucket, URL_, { expires, method: 'PUT', headers }, at)
  const put = (type: string) => fetch(new Request(upload, { method: 'PUT', headers: { 'content-type': type }, body: 'x' }))
  expect(await (await put('image/png')).text()).toBe(`PUT ${URL_}`)
  expect((await put('text/html')).status).toBe(403)
  const get = await sign(bucket, URL_, { expires }, at)
  expect((await fetch(new Request(get))).status).toBe(200)
  expect((await fetch(new Request(get, { method: 'HEAD' }))).status).toBe(403)
  expect((await guard(bucket, () => new Response(), { now: () => expires })(new Request(get))).status).toBe(403)
  expect((await fetch(new Request(get.replace('Expires=86400', 'Expires=0')))).status).toBe(400)
})

test('in anyOf, beside others', async () => {
  const google = gcs({ ...KEY, id: 'GOOG1EXAMPLE' })
  const interop = gcs({ ...KEY, id: 'GOOG1EXAMPLE' }, { algorithm: 'AWS4-HMAC-SHA256' })
  const links = anyOf(bucket, google, interop, hmac({ secret: '0123456789abcdef0123456789abcdef' }))
  for (const [scheme, name] of [
    [bucket, 's3'],
    [google, 'gcs'],
    [interop, 'gcs'],
  ] as const)
    expect(await verify(links, await sign(scheme, URL_, { expires }, at), at)).toMatchObject({ ok: true, scheme: name })
})
