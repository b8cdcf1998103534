// bunny: options, what is refused to sign, and what a changed character does.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Condition } from '../../src/core/conditions.ts'
import { anyOf, inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { type BunnyOptions, bunny } from '../../src/schemes/bunny.ts'

const secret = 'SecurityKey'
const now = () => new Date('2026-01-01T00:00:00Z')
const expires = new Date('2026-01-01T01:00:00Z')
const links = bunny({ secret })
const old = bunny({ secret }, { algorithm: 'sha256' })
const basic = bunny({ secret }, { algorithm: 'md5' })

const asking = (own: object = {}, scheme: Scheme<Condition> = links, url = 'https://z.b-cdn.net/a/b.ts') =>
  sign(scheme, url, { expires, ...own }, { now })

test.each<[what: string, code: string, call: () => unknown]>([
  ['an empty secret', 'weak_key', () => bunny({ secret: '' })],
  ['an unknown option', 'bad_option', () => bunny({ secret }, { hash: 'md5' } as BunnyOptions)],
  ['an unknown algorithm', 'bad_option', () => bunny({ secret }, { algorithm: 'toString' as 'md5' })],
  ['a token of MD5 in the path', 'bad_option', () => bunny({ secret }, { algorithm: 'md5', placement: 'path' })],
  ['an expiry of nine digits', 'bad_option', () => sign(links, '/a', { expires: new Date(9e11) }, { now: () => new Date(8e11) })],
  ['an expiry of eleven digits', 'bad_option', () => asking({ expires: new Date('2300-01-01T00:00:00Z') })],
  ['a network', 'bad_option', () => asking({ ip: '203.0.113.0/24' })],
  ['an IPv6 network of 32 bits', 'bad_option', () => asking({ ip: '2001:db8::/32' })],
  ['a network with SHA-256', 'bad_option', () => asking({ ip: '2001:db8::/64' }, old)],
  ['a country that is no code', 'bad_option', () => asking({ countriesAllowed: 'Canada' })],
  ['no countries', 'bad_option', () => asking({ countriesBlocked: [] })],
  ['a limit of zero', 'bad_option', () => asking({ limit: 0 })],
  ['countries and ignored parameters', 'bad_option', () => asking({ countriesAllowed: 'CA', ignoreParams: true })],
  ['a limit with SHA-256', 'bad_option', () => asking({ limit: 5 }, old)],
  ['a prefix with MD5', 'unsupported_condition', () => asking({ prefix: '/a/' }, basic)],
  ['uses', 'unsupported_condition', () => asking({ uses: 1 })],
  ["the link's own parameter", 'bad_option', () => asking({}, links, '/a?limit=5')],
  ['a parameter that is there twice', 'bad_option', () => asking({}, links, '/a?x=1&x=2')],
  ['a parameter that cannot be decoded', 'bad_option', () => asking({}, links, '/a?x=%zz')],
  ['a & in a value', 'bad_option', () => asking({}, links, '/a?x=1%26y')],
  ['a = in a name', 'bad_option', () => asking({}, links, '/a?x%3Dy=1')],
  ['a parameter that begins with a digit', 'bad_option', () => asking({}, links, '/a?2024=1')],
  ["digits and a '=' in the path", 'bad_option', () => asking({}, links, '/a4102444800x=')],
  ["digits and a '=' in the path, with SHA-256", 'bad_option', () => asking({}, old, '/a4102444800x%3D')],
  ["digits and a '=' in the prefix", 'bad_option', () => asking({ prefix: '/4102444800x=/' }, links, '/4102444800x=/a')],
  ['an expiry in the name of a parameter', 'bad_option', () => asking({}, links, '/a?x1767229200y=1')],
  ['%2F with SHA-256', 'bad_option', () => asking({}, old, '/a%2Fb')],
])('%s throws %s', async (_, code, call) => {
  const error = await (async () => call())().catch((error: LinkError) => error)
  expect(error).toBeInstanceOf(LinkError)
  expect((error as LinkError).code).toBe(code)
  expect((error as LinkError).message).not.toContain(secret)
})

test('what only Bunny can check is in the claims', async () => {
  const link = await asking({ countriesAllowed: ['CA', 'US'], countriesBlocked: 'RU', limit: 500 })
  const { claims } = await verify(links, link, { now })
  expect(claims?.data).toEqual({ countriesAllowed: ['CA', 'US'], countriesBlocked: ['RU'], limit: 500 })
})

// Path, expiry and parameters are signed without separators: the end of a path must not become the expiry and a parameter of a shorter path.
test.each<[algorithm: 'hs256' | 'sha256', url: string, shorter: string, own?: object]>([
  ['hs256', '/u/a.pdf4102444800x=', '/u/a.pdf?token=TOKEN&x=1767229200&expires=4102444800'],
  ['sha256', '/u/a.pdf4102444800x=', '/u/a.pdf?token=TOKEN&x=1767229200&expires=4102444800'],
  ['sha256', '/u/a.pdf4102444800x%3D', '/u/a.pdf?token=TOKEN&x=1767229200&expires=4102444800'],
  ['hs256', '/u/a.pdf4102444800x?y=1', '/u/a.pdf?token=TOKEN&x1767229200y=1&expires=4102444800'],
  ['sha256', '/u/a.pdf4102444800x?y=1', '/u/a.pdf?token=TOKEN&x1767229200y=1&expires=4102444800'],
  ['hs256', '/u/a.pdf4102444800x?=1', '/u/a.pdf?token=TOKEN&x1767229200=1&expires=4102444800'],
  ['hs256', '/u/a.pdf?x=4102444800', '/u/a.pdf1767229200x=?token=TOKEN&expires=4102444800'],
  ['sha256', '/u/a.pdf?x=4102444800', '/u/a.pdf1767229200x=?token=TOKEN&expires=4102444800'],
  ['hs256', '/u/4102444800/', '/u/?token=TOKEN&%2F1767229200token_ignore_params=true&expires=4102444800', { ignoreParams: true }],
  [
    'hs256',
    '/u/4102444800x/',
    '/u/?token=TOKEN&x%2F1767229200token_path=/u/4102444800x/&expires=4102444800',
    { prefix: '/u/4102444800x/' },
  ],
])('%s: a link for %s does not open %s', async (algorithm, url, shorter, own = {}) => {
  const scheme = bunny({ secret }, { algorithm })
  const link = await asking(own, scheme, url).catch(() => undefined)
  const token = /token=([^&]+)/.exec(link ?? '')?.[1]
  if (token) expect((await verify(scheme, shorter.replace('TOKEN', token), { now })).ok).toBe(false)
  // A long number in a path is no harm.
  expect((await verify(scheme, await asking({}, scheme, '/user/9876543210/a.png?v=1700000000'), { now })).ok).toBe(true)
})

test('an address does not pass for the end of an expiry and a parameter', async () => {
  // The four bytes of this address are `0abc`.
  const ip = '48.97.98.99'
  const link = await asking({}, links, '/v.mp4?abcx=1')
  const moved = link.replace('/v.mp4', '/v.mp').replace('HS256-', 'HS256-1-').replace('abcx=', 'x=').replace('1767229200', '4176722920')
  expect((await verify(links, moved, { now, ip })).reason).toBe('bad_signature')
  await expect(asking({ ip }, links, '/v.mp?x=1')).rejects.toMatchObject({ code: 'bad_option', option: 'ip' })
  expect((await verify(links, await asking({ ip }, links, '/v.mp'), { now, ip })).ok).toBe(true)
})

test('ignored parameters stay where they were', async () => {
  const link = await asking({ ignoreParams: true }, links, '/a?x=1&x=2')
  expect(link).toMatch(/^\/a\?x=1&x=2&token=HS256-[\w-]{43}&token_ignore_params=true&expires=1767229200$/)
  expect((await verify(links, link.replace('x=1', 'x=3'), { now })).claims?.resource).toBe('/a')
  const inPath = await asking({ ignoreParams: true }, bunny({ secret }, { placement: 'path' }), '/a?x=1')
  expect(inPath).toMatch(/^\/bcdn_token=HS256-[\w-]{43}&token_ignore_params=true&expires=1767229200\/a\?x=1$/)
  expect((await verify(links, inPath, { now })).ok).toBe(true)
})

test('generations are told apart, and anyOf reads all', async () => {
  const all = anyOf(links, old, basic)
  for (const scheme of [links, old, basic]) {
    const link = await asking({}, scheme)
    expect((await verify(all, link, { now })).ok).toBe(true)
    for (const other of [links, old, basic]) if (other !== scheme) expect((await verify(other, link, { now })).reason).toBe('malformed')
  }
})

test('an address with its length is signed, too', async () => {
  for (const scheme of [links, old, basic]) {
    for (const [ip, asked] of [
      ['203.0.113.7', '203.0.113.7/32'],
      ['2001:db8::7', '[2001:db8::7]'],
      ['2001:db8::7', '2001:DB8:0::7/128'],
      ['203.0.113.7', '::ffff:203.0.113.7'],
    ] as const) {
      const link = await asking({ ip: asked }, scheme)
      expect((await verify(scheme, link, { now, ip })).ok, asked).toBe(true)
      expect((await verify(scheme, link, { now, ip: '198.51.100.1' })).ok, asked).toBe(false)
      expect((await verify(scheme, link, { now })).ok, asked).toBe(false)
    }
  }
})

test('a wrong limit is named', async () => {
  const link = await asking({ limit: 500 })
  expect(await verify(links, link.replace('limit=500', 'limit=x'), { now })).toMatchObject({ reason: 'malformed', parameter: 'limit' })
})

test('parameter names only parameters of the link', async () => {
  const link = await asking({}, links, '/a?x=1')
  for (const text of ['x=1&x=2', 'x=%zz', '%=1', '%&y=1']) {
    const verdict = await verify(links, link.replace('x=1', text), { now })
    expect(verdict).toEqual({ ok: false, reason: 'malformed', status: 403 })
  }
  expect(await verify(links, `${link}&expires=1`, { now })).toMatchObject({ reason: 'malformed', parameter: 'expires' })
})

const KINDS: readonly [BunnyOptions, object][] = [
  [{}, {}],
  [{}, { ip: '203.0.113.7', limit: 500, countriesAllowed: 'CA,US' }],
  [{}, { prefix: '/videos/1/' }],
  [{ placement: 'path' }, { prefix: '/videos/1/', ip: '203.0.113.7' }],
  [{}, { ignoreParams: true }],
  [{ algorithm: 'sha256' }, { ip: '203.0.113.7' }],
  [{ algorithm: 'sha256', placement: 'path' }, { countriesBlocked: 'RU' }],
  [{ algorithm: 'md5' }, {}],
]

test('a changed character is refused, or is in a part that is not covered', async () => {
  for (const [i, [options, own]] of [...KINDS, ...KINDS, ...KINDS].entries()) {
    const scheme = bunny({ secret }, options)
    const link = await asking(own, scheme, `https://z.b-cdn.net/videos/1/${i}.ts?q=${i}`)
    const wide = 'prefix' in own
    const ignored = 'ignoreParams' in own || options.algorithm === 'md5'
    const path = link.indexOf(`/${i}.ts`) + 1
    for (let at = 'https://z.b-cdn.net'.length; at < link.length; at++) {
      const changed = `${link.slice(0, at)}${link[at] === 'x' ? 'y' : 'x'}${link.slice(at + 1)}`
      const uncovered =
        (wide && at >= path && at < path + `${i}.ts`.length) || (ignored && at > link.indexOf('?') && at < link.indexOf('&'))
      const verdict = await verify(scheme, changed, { now, ip: '203.0.113.7' })
      if (!uncovered) expect(`${changed} ${verdict.ok}`).toBe(`${changed} false`)
    }
  }
})

test('random links verify, in the spellings of clients', async () => {
  const text = fc.string({ unit: fc.constantFrom(...`aZ09-_.~ +/=?#;:@!$'()*,"<>[]{}|üß漢🐈`), maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(links, old, bunny({ secret }, { placement: 'path' })), text, text, async (scheme, name, value) => {
      const url = new URL('https://z.b-cdn.net/videos/1')
      url.pathname += name.replaceAll('.', '')
      url.searchParams.set('q', value)
      if (/%(2f|5c)/i.test(url.pathname)) return
      const link = await asking({}, scheme, url.href)
      expect((await verify(scheme, link, { now })).ok).toBe(true)
      expect((await verify(scheme, new URL(link), { now })).ok).toBe(true)
    }),
    { numRuns: 300, seed: Number(process.env['SEED'] ?? 20261122) },
  )
})

test('any text is read, and nothing throws', async () => {
  const texts = [
    '',
    '?',
    'token',
    '\ud800',
    '%',
    '%zz',
    'token=HS256-',
    'expires=1',
    '/bcdn_token=',
    '/bcdn_token=%',
    '__proto__=1',
    '=',
    '&&=&',
  ]
  const token = `token=HS256-1-${'A'.repeat(43)}&expires=1767229200`
  for (const scheme of [links, old, basic]) {
    for (const text of texts) {
      for (const url of [text, `/a?${text}`, `/bcdn_${token}&${text}/a`, `/\ud800?${token}&${text}`, `/%ff?${token}&token_path=${text}`]) {
        expect((await verify(scheme, url, { now, ip: text })).ok).toBe(false)
        inspect(scheme, url)
      }
    }
  }
})
