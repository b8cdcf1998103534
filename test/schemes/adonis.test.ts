// adonis: options, what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { adonis } from '../../src/schemes/adonis.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const APP_KEY = 'Yq2w7c0pVb9XkT4nLs8RzE1uGmHd6JfA'
const links = adonis({ secret: APP_KEY })
const login = adonis({ secret: APP_KEY }, { purpose: 'login' })
const URL_ = 'https://app.example/resource'
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const bad = (option: string, code = 'bad_option') => expect.objectContaining({ code, option })

/** A token for any fields, made with Node's crypto. */
function tokenOf(fields: object, key = APP_KEY): string {
  const payload = Buffer.from(JSON.stringify(fields)).toString('base64url')
  return `${payload}.${createHmac('sha256', createHash('sha256').update(key).digest()).update(payload).digest('base64url')}`
}

test('wrong options and keys are refused', async () => {
  expect(() => adonis({ secret: APP_KEY }, { purpose: '' })).toThrow(bad('purpose'))
  expect(() => adonis({ secret: APP_KEY }, { purpose: 1 as never })).toThrow(bad('purpose'))
  expect(() => adonis({ secret: APP_KEY }, { purpose: '\ud800' })).toThrow(bad('purpose'))
  expect(() => adonis({ secret: APP_KEY }, { expiresIn: '1h' } as never)).toThrow(expect.objectContaining({ code: 'bad_option' }))
  expect(() => adonis({ secret: 'fifteen letters' })).toThrow(bad('secret', 'weak_key'))
  const key = await crypto.subtle.importKey('raw', new Uint8Array(32), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  expect(() => adonis({ secret: key })).toThrow(bad('secret'))
})

test('a secret in bytes is the same key as its text', async () => {
  const link = await sign(links, URL_, { expires: '1h' }, at)
  expect(await verify(adonis({ secret: new TextEncoder().encode(APP_KEY) }), link, at)).toMatchObject({ ok: true })
})

// Queries that AdonisJS prints in another form than they have, by the parser and printer qs with its options.
const CHANGED_BY_QS = ['a', 'a=1&&b=2', '=1', 'a=1,2', 'a=1&a=2', 'a%5Bb%5D=1', 'a[]=1', 'a=x+y', 'a=%2f', 'a=%41', 'a=%ff', 'a=b=c']
const DROPPED_BY_QS = ['toString=1', '__proto__=1', 'hasOwnProperty=1', '2=a&1=b', 'x=1&1=b']

test.each([...CHANGED_BY_QS, ...DROPPED_BY_QS])('the query %s is not signed, and not taken from other signers', async (query) => {
  await expect(sign(links, `${URL_}?${query}`, { expires: '1h' }, at)).rejects.toThrow(bad('url'))
  const link = `/b?${query}&signature=${tokenOf({ message: `/b?${query}` })}`
  expect((await verify(links, link, at)).ok).toBe(false)
})

test('more parameters than qs reads are refused', async () => {
  const pieces = (count: number) => Array.from({ length: count }, (_, at) => `a${at}=1`).join('&')
  const link = await sign(links, `/b?${pieces(999)}`, { expires: '1h' }, at)
  expect(await verify(links, link, at)).toMatchObject({ ok: true })
  await expect(sign(links, `/b?${pieces(1000)}`, { expires: '1h' }, at)).rejects.toThrow(bad('url'))
})

// Node's url.parse, with which AdonisJS reads the URL of a request, escapes characters in these paths, or takes a part of them for a host.
test.each(['///b', '//user@host/b', "/it's@b", '/x^@b', '/{id}', '/a|b'])('the path %s is not taken from other signers', async (path) => {
  const link = `https://app.example${path}?signature=${tokenOf({ message: path })}`
  expect((await verify(links, link, at)).reason).toBe('bad_signature')
})

test.each(['///b', '//user@host/b'])('the path %s is not signed', async (path) => {
  await expect(sign(links, `https://app.example${path}`, { expires: '1h' }, at)).rejects.toThrow(bad('url'))
})

test("a ' is escaped by sign in path and query, and taken from AdonisJS in a path", async () => {
  expect(await sign(links, "/it's?a='", { expires: '1h' }, at)).toMatch(/^\/it%27s\?a=%27&/)
  expect(await verify(links, `/it's?signature=${tokenOf({ message: "/it's" })}`, at)).toMatchObject({ ok: true })
  expect(await verify(links, `/b?a='&signature=${tokenOf({ message: "/b?a='" })}`, at)).toMatchObject({ reason: 'bad_signature' })
})

test('what AdonisJS signs for other ends than links is malformed', async () => {
  for (const fields of [
    { message: 7 },
    { message: { id: 7 } },
    { purpose: 'login' },
    { message: '/b', purpose: null },
    ['/b'],
    { message: '/b', expiryDate: 1_893_459_600 },
  ])
    expect(await verify(links, `/b?signature=${tokenOf(fields)}`, at)).toMatchObject({ reason: 'malformed', parameter: 'signature' })
})

test('fields in another order or beyond those of AdonisJS are a bad_signature', async () => {
  const expiryDate = '2030-01-01T01:00:00.000Z'
  for (const fields of [
    { expiryDate, message: '/b' },
    { message: '/b', expiryDate, id: 7 },
  ])
    expect(await verify(links, `/b?signature=${tokenOf(fields)}`, at)).toMatchObject({ reason: 'bad_signature' })
})

test('claims keep the milliseconds of an expiry', async () => {
  const link = `/b?signature=${tokenOf({ message: '/b', expiryDate: '2030-01-01T00:00:00.123Z' })}`
  expect(await verify(links, link, at)).toMatchObject({ ok: true, claims: { expires: new Date('2030-01-01T00:00:00.123Z') } })
  expect(await verify(links, link, { now: () => new Date('2030-01-01T00:00:00.123Z') })).toMatchObject({ reason: 'expired' })
})

test('a link of one purpose does not open another, or none', async () => {
  const [none, one] = [await sign(links, URL_, { expires: '1h' }, at), await sign(login, URL_, { expires: '1h' }, at)]
  expect(await verify(login, one, at)).toMatchObject({ ok: true })
  const crossed = [verify(login, none, at), verify(links, one, at), verify(adonis({ secret: APP_KEY }, { purpose: 'Login' }), one, at)]
  for (const { reason } of await Promise.all(crossed)) expect(reason).toBe('bad_signature')
})

test('one changed character, at every place of 20 links, is refused behind scheme and host', async () => {
  const start = 'https://app.example'.length
  for (const path of ['/b', '/a-b_c.mp4', '/v/1', '/a%20b/%C3%BC', '/a//b;c=1'])
    for (const query of ['', '?v=1', '?q=a%20b&z=', '?a-b=c_d&e=%2F']) {
      const link = await sign(login, `https://app.example${path}${query}`, { expires: query ? '1h' : 'never' }, at)
      expect(await verify(login, link, at), link).toMatchObject({ ok: true })
      expect(await verify(login, `http://other.example${link.slice(start)}`, at), link).toMatchObject({ ok: true })
      for (const { changed } of tampered(link.slice(start))) expect((await verify(login, changed, at)).ok, changed).toBe(false)
    }
})

test('nothing throws on any text', async () => {
  const token = tokenOf({ message: '/a' })
  const pieces = [
    'signature=',
    token,
    token.slice(0, -1),
    `${token}.x`,
    'signature=bnVsbA.',
    'signature[a]=',
    '%73ignature=',
    'https://app.example/a',
  ]
  for (const text of oddTexts(pieces, 2000, randomly(7))) {
    inspect(login, text)
    expect((await verify(login, text, at)).ok, text).toBe(false)
  }
})

test('a request of 16,000 half surrogate pairs is refused, and nothing is thrown', async () => {
  const link = await sign(links, '/users', { expires: '10m' })
  for (const odd of ['\ud800', '\u0001', '\u{10ffff}']) {
    const request = link.replace('/users', `/users${odd.repeat(16_000 / odd.length)}`)
    expect((await verify(links, request)).reason).toMatch(/malformed|bad_signature/)
  }
})
