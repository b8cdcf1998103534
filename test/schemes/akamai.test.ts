// akamai: options, tokens in cookies and headers, and what a changed character does.
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Condition } from '../../src/core/conditions.ts'
import { inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { type AkamaiOptions, akamai } from '../../src/schemes/akamai.ts'
import { matchesPattern, prefixOf } from '../../src/schemes/shared/edge-token.ts'

const secret = 'aabbccddeeff00112233445566778899'
const now = () => new Date('2026-01-01T00:00:00Z')
const expires = new Date('2026-01-01T01:00:00Z')
const links = akamai({ secret })

const asking = (own: object, scheme: Scheme<Condition> = links, url = 'https://edge.example/a/b.ts') =>
  sign(scheme, url, { expires, ...own }, { now })
/** A token with any text, signed. */
const token = (text: string) => `${text}~hmac=${createHmac('sha256', Buffer.from(secret, 'hex')).update(text).digest('hex')}`

test.each<[what: string, code: string, call: () => unknown]>([
  ['a secret that is not hex', 'bad_option', () => akamai({ secret: 'aabbzz' })],
  ['a secret of half a byte', 'bad_option', () => akamai({ secret: 'aab' })],
  ['an empty secret', 'weak_key', () => akamai({ secret: '' })],
  ['an unknown option', 'bad_option', () => akamai({ secret }, { escape: true } as AkamaiOptions)],
  ['an unknown vendor', 'bad_option', () => akamai({ secret }, { vendor: 'toString' as 'akamai' })],
  ['SHA-512', 'bad_option', () => akamai({ secret }, { algorithm: 'sha512' as 'sha1' })],
  ['an empty salt', 'bad_option', () => akamai({ secret }, { salt: '' })],
  ['a name with a space', 'bad_option', () => akamai({ secret }, { tokenName: 'a b' })],
  ['one delimiter for both', 'bad_option', () => akamai({ secret }, { fieldDelimiter: '!' })],
  ['a letter as delimiter', 'bad_option', () => akamai({ secret }, { fieldDelimiter: 'a' })],
  ['an ACL and a prefix', 'bad_option', () => asking({ acl: '/a/*', prefix: '/a/' })],
  ['an empty list', 'bad_option', () => asking({ acl: [] })],
  ['an empty pattern', 'bad_option', () => asking({ acl: ['/a/*', ''] })],
  ['a pattern with the delimiter of fields', 'bad_option', () => asking({ acl: '/~a/*' })],
  ['a pattern with the delimiter of patterns, in a list', 'bad_option', () => asking({ acl: ['/a!/*'] })],
  ['a pattern with a &', 'bad_option', () => asking({ acl: '/a&b' })],
  ['a prefix with a wildcard', 'bad_option', () => asking({ prefix: '/a*' }, links, 'https://edge.example/a*/b')],
  ['a network', 'bad_option', () => asking({ ip: '203.0.113.0/24' })],
  ['a number as data', 'bad_option', () => asking({ data: 7 })],
  ['uses', 'unsupported_condition', () => asking({ uses: 1 })],
  ['an id with Cloudinary', 'unsupported_condition', () => asking({ id: 'x' }, akamai({ secret }, { vendor: 'cloudinary' }))],
  [
    'an address with Uploadcare',
    'unsupported_condition',
    () => asking({ ip: '203.0.113.7' }, akamai({ secret }, { vendor: 'uploadcare' })),
  ],
  ['a wildcard in the path with Uploadcare', 'bad_option', () => asking({}, akamai({ secret }, { vendor: 'uploadcare' }), '/a*')],
])('%s throws %s', async (_, code, call) => {
  const error = await (async () => call())().catch((error: LinkError) => error)
  expect(error).toBeInstanceOf(LinkError)
  expect((error as LinkError).code).toBe(code)
  expect((error as LinkError).message).not.toContain(secret)
})

describe('in a cookie or a header', () => {
  const folder = token('exp=1767229200~acl=/a/*')
  const one = createHmac('sha256', Buffer.from(secret, 'hex')).update('exp=1767229200~url=/a/x?q=1').digest('hex')
  const asked = async (url: string, headers: Record<string, string>) => {
    const verdict = await verify(links, url, { now, headers })
    return verdict.reason ?? verdict.claims
  }

  test.each([
    ['a cookie among others', '/a/x?q=1', { cookie: `a=b; __token__=${folder}; c=d` }, { resource: '/a/x', expires, prefix: '/a/' }],
    [
      'a cookie that a library has escaped',
      '/a/x',
      { cookie: `__token__=${encodeURIComponent(folder)}` },
      { resource: '/a/x', expires, prefix: '/a/' },
    ],
    ['a header', '/a/x', { __token__: folder }, { resource: '/a/x', expires, prefix: '/a/' }],
    ['a cookie for one URL', '/a/x?q=1', { cookie: `__token__=exp=1767229200~hmac=${one}` }, { resource: '/a/x?q=1', expires }],
    ['a cookie for one URL, at another', '/a/x?q=2', { cookie: `__token__=exp=1767229200~hmac=${one}` }, 'bad_signature'],
    ['a cookie for another path', '/b', { cookie: `__token__=${folder}` }, 'wrong_path'],
    ['two cookies', '/a/x', { cookie: `__token__=${folder}; __token__=${folder}` }, 'malformed'],
    ['another cookie', '/a/x', { cookie: `x__token__=${folder}` }, 'unsigned'],
    ['the token in the query counts', '/a/x?__token__=x', { cookie: `__token__=${folder}` }, 'malformed'],
  ])('%s', async (_, url, headers, expected) => {
    expect(await asked(url, headers as Record<string, string>)).toEqual(expected)
  })
})

test('a value cannot become a field', async () => {
  for (const options of [
    {},
    { escapeEarly: true },
    { fieldDelimiter: ',' },
    { fieldDelimiter: '!', aclDelimiter: '|', escapeEarly: true },
  ]) {
    const scheme = akamai({ secret }, options)
    const id = 'x~exp=9999999999,exp=9999999999!exp=9999999999|&#%41+ü'
    const verdict = await verify(scheme, await asking({ id, data: id }, scheme), { now })
    expect(verdict.claims).toMatchObject({ id, data: id, expires })
  }
})

test("delimiters of one's own, as akamai-edgeauth 0.2.0 writes them", async () => {
  const scheme = akamai({ secret }, { fieldDelimiter: '|', aclDelimiter: ',' })
  const link = await asking({ acl: ['/a', '/b'] }, scheme, 'https://edge.example/a')
  const mac = 'a081dc8d8e6991b7c2e5aacf8212d831849732dcf29d62751914589d8364a035'
  expect(link).toBe(`https://edge.example/a?__token__=exp=1767229200|acl=/a,/b|hmac=${mac}`)
  expect((await verify(scheme, link, { now })).ok).toBe(true)
  expect((await verify(scheme, link.replaceAll('|', '%7C'), { now })).ok).toBe(true)
})

test('the fields of a token for a URL are not those of one with an ACL', async () => {
  const link = await asking({}, links, 'https://edge.example/a~acl=/*')
  expect((await verify(links, link, { now })).ok).toBe(true)
  const moved = link.replace('/a~acl=/*', '/a').replace('exp=1767229200', 'exp=1767229200~acl=/*')
  expect((await verify(links, moved, { now })).reason).toBe('bad_signature')
})

test('clients may print a link in their own way', async () => {
  const link = await asking({ prefix: '/ä b/', id: 'ü' }, links, 'https://edge.example/ä b/ü.ts?x=1')
  const url = new URL(link)
  expect((await verify(links, url.href, { now })).ok).toBe(true)
  url.searchParams.append('utm', '1')
  expect((await verify(links, url.href, { now })).ok).toBe(true)
})

test('patterns take no exponential time', () => {
  expect(matchesPattern(`/${'*a'.repeat(2000)}b`, `/${'a'.repeat(8000)}`)).toBe(false)
  expect(matchesPattern('/*/x/*', '/a/x/x/b')).toBe(true)
  expect(matchesPattern('*', '')).toBe(true)
  expect(matchesPattern('?', '')).toBe(false)
  expect([['/a/*'], ['/a', '/a/*'], ['/*'], ['/a*'], ['/a/*', '/b/*'], ['/?/*'], ['*']].map(prefixOf)).toEqual([
    '/a/',
    '/a',
    '/',
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

const KINDS: readonly [AkamaiOptions, object][] = [
  [{}, {}],
  [
    { escapeEarly: true, salt: 'salt' },
    { ip: '2001:db8::1', starts: now(), id: 'a/b', data: 'x=y' },
  ],
  [{ ignoreQueryString: true }, { id: 'user-42' }],
  [{ vendor: 'cloudinary' }, { ip: '2001:db8::1' }],
  [{}, { prefix: '/videos/1/', starts: now() }],
  [{ vendor: 'cloudinary' }, { acl: ['/videos/1/*', '/x/*'] }],
  [{ vendor: 'uploadcare' }, {}],
]

test('a changed character is refused, or is in a part that is not covered', async () => {
  for (const [i, [options, own]] of [...KINDS, ...KINDS, ...KINDS].entries()) {
    const scheme = akamai({ secret }, options)
    const path = `/videos/1/${i}.ts`
    const link = await asking(own, scheme, `https://edge.example${path}?q=${i}`)
    const wide = 'prefix' in own || 'acl' in own
    const claims = (await verify(scheme, link, { now, ip: '2001:db8::1' })).claims
    for (let at = 0; at < link.length; at++) {
      const changed = `${link.slice(0, at)}${link[at] === 'x' ? 'y' : 'x'}${link.slice(at + 1)}`
      const verdict = await verify(scheme, changed, { now, ip: '2001:db8::1' })
      const query = link.indexOf('?')
      const uncovered =
        at < 'https://edge.example'.length ||
        (wide && at >= link.indexOf('/1/') + 3 && at < query) ||
        (at > query && at < link.indexOf('&') && (wide || options.ignoreQueryString || options.vendor !== undefined))
      if (!uncovered) expect(`${changed} ${verdict.ok}`).toBe(`${changed} false`)
      // No claim says more than what is covered.
      if (verdict.ok && !wide) expect(verdict.claims).toEqual(claims)
    }
  }
})

test('any text is read, and nothing throws', async () => {
  const texts = [
    '',
    '?',
    '__token__',
    '\ud800',
    '~hmac=',
    '%',
    '%zz~hmac=',
    `exp=1~hmac=${'0'.repeat(64)}`,
    '=~=~hmac=',
    '__proto__=1~hmac=',
    'acl~hmac=',
  ]
  for (const options of [{}, { escapeEarly: true }, { vendor: 'cloudinary' }, { vendor: 'uploadcare' }] as AkamaiOptions[]) {
    const scheme = akamai({ secret }, { ...options, tokenName: '__token__' })
    for (const text of texts) {
      for (const url of [text, `/a?__token__=${text}`, `https://edge.example/\ud800?__token__=${token(`exp=1767229200${text}`)}`]) {
        expect((await verify(scheme, url, { now })).ok).toBe(false)
        inspect(scheme, url)
        await verify(scheme, '/a', { now, headers: { cookie: text.replace(/[^ -~]/g, ''), __token__: text.replace(/[^ -~]/g, '') } })
      }
    }
  }
})
