// mediaCdn: options, cookies, and what a changed character does.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Condition } from '../../src/core/conditions.ts'
import { inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { type MediaCdnOptions, mediaCdn } from '../../src/schemes/media-cdn.ts'

const secret = 'g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8='
const now = () => new Date('2026-01-01T00:00:00Z')
const expires = new Date('2026-01-01T01:00:00Z')
const links = mediaCdn({ secret })
const token = (text: string) => `${text}~hmac=${createHmac('sha256', Buffer.from(secret, 'base64url')).update(text).digest('hex')}`

const asking = (own: object = {}, scheme: Scheme<Condition> = links, url = 'https://media.example/a/b.ts') =>
  sign(scheme, url, { expires, ...own }, { now })

test.each<[what: string, code: string, call: () => unknown]>([
  ['a secret that is not base64url', 'bad_option', () => mediaCdn({ secret: 'no base64' })],
  ['an empty secret', 'weak_key', () => mediaCdn({ secret: '' })],
  ['an unknown option', 'bad_option', () => mediaCdn({ secret }, { salt: 'x' } as MediaCdnOptions)],
  ['Ed25519', 'bad_option', () => mediaCdn({ secret }, { algorithm: 'ed25519' as 'sha1' })],
  ['a name with a space', 'bad_option', () => mediaCdn({ secret }, { tokenName: 'a b' })],
  ['a prefix and patterns', 'bad_option', () => asking({ prefix: '/a/', pathGlobs: '/a/*' })],
  ['a prefix with a wildcard, for a path', 'bad_option', () => asking({ prefix: '/a*' }, links, '/a*/b')],
  ['no patterns', 'bad_option', () => asking({ pathGlobs: [] })],
  ['a pattern with a ~', 'bad_option', () => asking({ pathGlobs: '/~a/*' })],
  ['a comma in a pattern of a list', 'bad_option', () => asking({ pathGlobs: ['/a,/*'] })],
  ['a path with a ~', 'bad_option', () => asking({}, links, '/~a')],
  ['an address and networks', 'bad_option', () => asking({ ip: '203.0.113.7', ipRanges: '203.0.113.0/24' })],
  ['networks that are none', 'bad_option', () => asking({ ipRanges: 'all' })],
  ['no headers', 'bad_option', () => asking({ headers: {} })],
  ['a header with a comma', 'bad_option', () => asking({ headers: { foo: 'a,b' } })],
  ['a header with a space at its end', 'bad_option', () => asking({ headers: { foo: 'a ' } })],
  ['a header with a line break', 'bad_option', () => asking({ headers: { foo: 'a\nb' } })],
  ['a header with a ~', 'bad_option', () => asking({ headers: { foo: 'a~b' } })],
  ['a name of a header with a =', 'bad_option', () => asking({ headers: { 'a=b': 'c' } })],
  ['headers that differ only in case', 'bad_option', () => asking({ headers: { foo: 'a', Foo: 'b' } })],
  ['a header that fetch cannot send', 'bad_option', () => asking({ headers: { foo: '中' } })],
  ['a number as data', 'bad_option', () => asking({ data: 7 })],
  ['uses', 'unsupported_condition', () => asking({ uses: 1 })],
])('%s throws %s', async (_, code, call) => {
  const error = await (async () => call())().catch((error: LinkError) => error)
  expect(error).toBeInstanceOf(LinkError)
  expect((error as LinkError).code).toBe(code)
  expect((error as LinkError).message).not.toContain(secret)
})

test('a cookie', async () => {
  const good = token('PathGlobs=/a/*~Expires=1767229200')
  const asked = async (url: string, cookie: string, scheme = links) => (await verify(scheme, url, { now, headers: { cookie } })).reason
  expect(await asked('/a/b', `x=y; Edge-Cache-Cookie=${good}`)).toBe(undefined)
  expect(await asked('/b', `Edge-Cache-Cookie=${good}`)).toBe('wrong_path')
  expect(await asked('/a/b', `Edge-Cache-Cookie=${good}; Edge-Cache-Cookie=${good}`)).toBe('malformed')
  expect(await asked('/a/b', `hdnts=${good}`)).toBe('unsigned')
  expect(await asked('/a/b', `hdnts=${good}`, mediaCdn({ secret }, { cookieName: 'hdnts' }))).toBe(undefined)
  expect((await verify(links, '/a/b', { now, headers: { hdnts: good } })).reason).toBe('unsigned')
})

test('a prefix of a path becomes patterns, because nothing names the host', async () => {
  const link = await asking({ prefix: '/a' }, links, '/a/b')
  expect(link).toContain('hdnts=PathGlobs=/a,/a/*~')
  expect((await verify(links, link, { now })).claims?.prefix).toBe('/a')
})

test('a path with a ~ could be a shorter one and further fields', async () => {
  const hmac = (text: string) => createHmac('sha256', Buffer.from(secret, 'base64url')).update(text).digest('hex')
  for (const path of ['/a~Data=x', '/a~Expires=9999999999.m3u8']) {
    const link = `${path}?hdnts=FullPath~Expires=1767229200~hmac=${hmac(`FullPath=${path}~Expires=1767229200`)}`
    expect((await verify(links, link, { now })).reason).toBe('bad_signature')
  }
})

test('a value cannot become a field', async () => {
  const id = 'x~Expires=9999999999&#%41+ü'
  expect((await verify(links, await asking({ id, data: id }), { now })).claims).toMatchObject({ id, data: id, expires })
})

const KINDS: readonly object[] = [
  {},
  { prefix: '/videos/1/' },
  { pathGlobs: '/videos/1/*' },
  { ip: '203.0.113.0/24', id: 'user-42' },
  { headers: { foo: 'bar' } },
]

test('a changed character is refused, or is in a part that is not covered', async () => {
  for (let i = 0; i < 20; i++) {
    const own = KINDS[i % KINDS.length] as object
    const scheme = i % 2 ? links : mediaCdn({ secret }, { algorithm: 'sha1' })
    const link = await asking(own, scheme, `https://media.example/videos/1/${i}.ts?q=${i}`)
    const wide = 'prefix' in own || 'pathGlobs' in own
    for (let at = 0; at < link.length; at++) {
      const changed = `${link.slice(0, at)}${link[at] === 'x' ? 'y' : 'x'}${link.slice(at + 1)}`
      const uncovered =
        (!('prefix' in own) && at < 'https://media.example'.length) ||
        (wide && at >= link.indexOf('/1/') + 3 && at < link.indexOf('?')) ||
        (at > link.indexOf('?') && at < link.indexOf('&'))
      const { ok } = await verify(scheme, changed, { now, ip: '203.0.113.7', headers: { foo: 'bar' } })
      if (!uncovered) expect(`${changed} ${ok}`).toBe(`${changed} false`)
    }
  }
})

test('any text is read, and nothing throws', async () => {
  for (const text of [
    '',
    '?',
    '\ud800',
    '%',
    '%zz',
    'FullPath',
    '~hmac=',
    '__proto__=1~hmac=',
    token('Headers=a b~Expires=1767229200'),
    token('FullPath~Expires=1767229200~Headers='),
  ]) {
    for (const url of [
      text,
      `/a?hdnts=${text}`,
      `/\ud800?hdnts=${text}`,
      `/%ff?hdnts=${encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))}`,
    ]) {
      expect((await verify(links, url, { now })).ok).toBe(false)
      inspect(links, url)
      await verify(links, url, { now, headers: { cookie: `Edge-Cache-Cookie=${text.replace(/[^ -~]/g, '')}` } })
    }
  }
})
