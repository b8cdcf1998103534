// nginx and nginxHmac: options and URLs that they refuse, NGINX's view of a request, and texts that can be split in several ways.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { split } from '../../src/lib/url.ts'
import { type NginxOptions, nginx } from '../../src/schemes/nginx.ts'
import { type NginxHmacOptions, nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { directive } from '../../src/schemes/shared/nginx-expression.ts'
import { bytesOf, isToken, nginxRequest, textOf } from '../../src/schemes/shared/nginx-request.ts'

const key = { secret: 'a-secret-word' }

/** One hour, or never, if the links of the scheme have no expiry. */
const hourOf = ({ expiry }: Scheme): { expires: '1h' } => ({ expires: expiry === 'none' ? ('never' as '1h') : '1h' })

interface Refusal {
  readonly code: string
  readonly option: string | undefined
  readonly message: string
}

async function refusal(work: () => unknown): Promise<Refusal> {
  try {
    await work()
  } catch (error) {
    if (error instanceof LinkError) return { code: error.code, option: error.option, message: error.message }
    throw error
  }
  throw new Error('it was not refused')
}

describe('wrong options', () => {
  test.each<[NginxOptions, option: string, rule: RegExp]>([
    [{ expression: '$secure_link_expires$uri word' }, 'expression', /with \$secret/],
    [{ expression: 'secure_link_md5 "$secure_link_expires$uri $secret' }, 'expression', /a line secure_link_md5/],
    [{ expression: 'secure_link $arg_md5,$arg_expires;' }, 'expression', /a line secure_link_md5/],
    [{ expression: 'secure_link_secret word;' }, 'expression', /with \$secret/],
    [{ expression: '$uri$ $secret' }, 'expression', /NGINX variables/],
    [{ expression: '$uri$cookie_user $secret' }, 'expression', /without \$cookie_user, .* only NGINX knows/],
    [{ expression: '$args $secret' }, 'expression', /without \$args, which holds the token/],
    [{ expression: '$request_uri $secret' }, 'expression', /holds the token/],
    [{ expression: '$uri$arg_MD5 $secret' }, 'expression', /without \$arg_md5, which holds the token/],
    [{ expression: '$uri $secret', placement: 'path' }, 'expression', /without \$uri, which holds the token/],
    [{ expression: 'secure_link $tok,$exp; secure_link_md5 "$uri $secret";' }, 'expression', /a line secure_link of parameters/],
    [{ expression: 'secure_link $arg_a,$arg_b; secure_link_md5 "$uri $secret";', parameters: { md5: 'c' } }, 'parameters', /left out/],
    [{ parameters: { md5: 'a-b' } }, 'parameters', /letters, digits and _/],
    [{ parameters: { md5: 'Expires' } }, 'parameters', /two distinct names/],
    [{ expression: '$uri $secret', variables: { secret: 'x' } }, 'variables', /only NGINX knows/],
    [{ location: '/p/' }, 'location', /only with a token in the path/],
    [{ expression: 'secure_link_secret $secret;', location: '/p' }, 'location', /between slashes/],
    [{ expression: 'secure_link_secret $secret;', location: '/../' }, 'location', /between slashes/],
    [{ placement: 'header' as 'path' }, 'placement', /'query' or 'path'/],
    [{ ambiguous: 'false' as unknown as boolean }, 'ambiguous', /true or false/],
    [{ forever: true } as NginxOptions, 'forever', /^unknown option 'forever'; nginx\(\) takes expression, /],
  ])('nginx %j', async (options, option, rule) => {
    const { message, ...facts } = await refusal(() => nginx(key, options))
    expect(facts).toEqual({ code: 'bad_option', option })
    expect(message).toMatch(rule)
  })

  test.each<[object, option: string, rule: RegExp]>([
    [{ algorithm: 'md5' }, 'algorithm', /sha1, sha256, sha384 or sha512/],
    [{ algorithm: 'sha3-256' }, 'algorithm', /WebCrypto/],
    [{ algorithm: 'constructor' }, 'algorithm', /WebCrypto/],
    [{ message: 'secure_link_hmac_message "$uri"; secure_link_hmac_algorithm sm3;' }, 'algorithm', /WebCrypto/],
    [{ message: 'secure_link_hmac_message "$uri"; secure_link_hmac_algorithm sha1;', algorithm: 'sha1' }, 'algorithm', /left out/],
    [{ message: 'secure_link_hmac_message "$uri"; secure_link_hmac_secret "x";' }, 'message', /the secret is the key/],
    [{ message: 'secure_link_hmac "$arg_st,$arg_ts,$arg_e";' }, 'message', /a line secure_link_hmac_message/],
    [{ message: 'secure_link_hmac "$arg_st,$cookie_ts"; secure_link_hmac_message "$uri";' }, 'message', /of parameters/],
    [{ parameters: { timestamp: '' } }, 'parameters', /distinct names/],
    [{ message: '$uri|$arg_st' }, 'message', /holds the token/],
    [{ message: '$uri|$time_iso8601' }, 'message', /only NGINX knows/],
    [{ message: '$uri|$' }, 'message', /NGINX variables/],
    [{ parameters: { token: 'ts' } }, 'parameters', /distinct names/],
    [{ timestamp: '+0000' }, 'timestamp', /an offset/],
    [{ timestamp: '+24:00' }, 'timestamp', /an offset/],
    [{ timestamp: 'iso' }, 'timestamp', /an offset/],
    [{ trailing: 1 }, 'trailing', /true or false/],
    [{ purpose: 'x' }, 'purpose', /nginxHmac\(\) takes message, /],
  ])('nginxHmac %j', async (options, option, rule) => {
    const { message, ...facts } = await refusal(() => nginxHmac(key, options as NginxHmacOptions))
    expect(facts).toEqual({ code: 'bad_option', option })
    expect(message).toMatch(rule)
  })

  test('a CryptoKey for nginx, and empty secrets', async () => {
    const secret = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
    expect(await refusal(() => nginx({ secret }))).toMatchObject({
      option: 'secret',
      message: expect.stringMatching(/CryptoKey of WebCrypto is for HMAC/),
    })
    expect((await refusal(() => nginx({ secret: '' }))).code).toBe('weak_key')
    expect((await refusal(() => nginxHmac({ secret: new Uint8Array() }))).code).toBe('weak_key')
  })
})

describe('sign refuses', () => {
  const hour = { expires: '1h' }
  const never = { expires: 'never' }
  type Any = Scheme<'ip' | 'method', object>
  const made = (options: NginxOptions = {}) => nginx(key, options) as unknown as Any
  const hmacs = (options: NginxHmacOptions = {}) => nginxHmac(key, options) as unknown as Any
  const plain = made({ expression: '$secure_link_expires$uri $secret' })
  const argument = made({ expression: '$secure_link_expires $arg_user $uri $secret' })
  const methods = made({ expression: '$secure_link_expires$request_method$uri $secret' })
  const host = made({ expression: '$secure_link_expires$host$uri $secret' })
  const old = made({ expression: 'secure_link_secret $secret;' })
  const path = made({ expression: '$secure_link_expires$rest $secret', placement: 'path' })
  const fixed = made({ expression: '$secure_link_expires$rest $secret', placement: 'path', location: '/q/' })
  const unmerged = made({ expression: '$secure_link_expires$uri $secret', mergeSlashes: false })
  const withFunction = made({ expression: '$secure_link_expires$raw $secret', variables: { raw: ({ path }) => path } })
  const oneField = hmacs({ message: 'secure_link_hmac $arg_st; secure_link_hmac_message $uri;' })

  test.each<[string, Any, url: string, conditions: object, code: string, option: string, rule: RegExp]>([
    ['no address', made(), '/a', hour, 'bad_option', 'ip', /given/],
    ['a network', made(), '/a', { ...hour, ip: '203.0.113.0/24' }, 'bad_option', 'ip', /not a network/],
    ['an address that is not in the expression', plain, '/a', { ...hour, ip: '203.0.113.7' }, 'unsupported_condition', 'ip', /'ip'/],
    ['a method that is not in the expression', plain, '/a', { ...hour, method: 'PUT' }, 'unsupported_condition', 'method', /'method'/],
    ['two methods', methods, '/a', { ...hour, method: ['GET', 'PUT'] }, 'bad_option', 'method', /one method/],
    ['no host', host, '/a', hour, 'bad_option', 'url', /absolute/],
    ['a host that is sent in another form', host, 'https://bücher.test/a', hour, 'bad_option', 'url', /as it is sent/],
    ['a link', plain, `/a?md5=${'A'.repeat(22)}&expires=1`, hour, 'already_signed', 'url', /already/],
    ['a parameter of that name', plain, '/a?md5=x', hour, 'bad_option', 'url', /'md5'/],
    ['a parameter of that name in capitals', plain, '/a?EXPIRES=', hour, 'bad_option', 'url', /'expires'/],
    ['a parameter of that name in escapes, which NGINX does not decode', plain, '/a?%6Dd5=x', hour, 'bad_option', 'url', /'md5'/],
    ['an expiry for secure_link_secret', old, '/p/a', hour, 'unsupported_condition', 'expires', /'never'/],
    ['an expiry that is not covered', made({ expression: '$uri $secret' }), '/p/a', hour, 'unsupported_condition', 'expires', /'never'/],
    ['no expiry where there is one', plain, '/a', never, 'unsupported_condition', 'expires', /always expire/],
    ['one segment', old, '/p', never, 'bad_option', 'url', /at least another/],
    ['no link', old, '/p/', never, 'bad_option', 'url', /percent-encoded/],
    ['an unencoded character', old, '/p/ü', never, 'bad_option', 'url', /percent-encoded/],
    ['a quote in a query', old, "/p/a?b='", never, 'bad_option', 'url', /percent-encoded/],
    ['dots', old, '/p/a/%2E./b', never, 'bad_option', 'url', /segments/],
    ['a link in the path', old, `/p/${'a'.repeat(32)}/b`, never, 'already_signed', 'url', /already/],
    ['dots behind a token', path, '/p/a/../b', hour, 'bad_option', 'url', /segments/],
    ['one segment for a token', path, '/p', hour, 'bad_option', 'url', /at least another/],
    ['a token in the path', path, `/p/${'A'.repeat(22)}/1/b`, hour, 'already_signed', 'url', /already/],
    ['another first segment than that of location', fixed, '/p/a', hour, 'bad_option', 'url', /location/],
    ['two slashes behind the first segment', old, '/p//evil.example/x', never, 'bad_option', 'url', /two slashes/],
    ['two slashes in front', unmerged, 'https://files.test//evil.example/x', hour, 'bad_option', 'url', /two slashes/],
    ['dots in any spelling', plain, '/a%2F%2e./b', hour, 'bad_option', 'url', /segments/],
    ['dots at the end', hmacs(), '/a/%2E%2E', hour, 'bad_option', 'url', /segments/],
    ['a raw backslash', plain, '/a\\b', hour, 'bad_option', 'url', /url/],
    ['bytes that a function cannot get', withFunction, '/%FF', hour, 'bad_option', 'url', /UTF-8/],
    ['a quote in a signed parameter', argument, "/a?user='", hour, 'bad_option', 'url', /percent-encoded/],
    ['an unencoded character in a signed parameter', argument, '/a?user=ü', hour, 'bad_option', 'url', /percent-encoded/],
    ['%00', hmacs(), '/%00', hour, 'bad_option', 'url', /%00/],
    ['an hmac link', hmacs(), `/a?st=${'A'.repeat(43)}&ts=1&e=1`, hour, 'already_signed', 'url', /already/],
    ['a parameter of an hmac link', hmacs(), '/a?E=1', hour, 'bad_option', 'url', /'e'/],
    ['a message without the lifetime', hmacs({ message: '$uri|$arg_ts' }), '/a', hour, 'unsupported_condition', 'expires', /'never'/],
    ['a message without the time of signing', hmacs({ message: '$uri|$arg_e' }), '/a', hour, 'unsupported_condition', 'expires', /'never'/],
    ['a message of one field, and an expiry', oneField, '/a', hour, 'unsupported_condition', 'expires', /'never'/],
    [
      'a message with an address, and none',
      hmacs({ message: '$uri|$arg_ts|$arg_e|$remote_addr' }),
      '/a',
      hour,
      'bad_option',
      'ip',
      /given/,
    ],
  ])('%s', async (_, scheme, url, conditions, code, option, rule) => {
    const { message, ...facts } = await refusal(() => sign(scheme, url, conditions as { expires: '1h' }))
    expect(facts).toEqual({ code, option })
    expect(message).toMatch(rule)
    expect(message).not.toContain(key.secret)
  })

  test('a key with an end, for links that never expire', async () => {
    const ending = { ...key, expires: new Date('2099-01-01T00:00:00Z') }
    const links = nginx(ending, { expression: 'secure_link_secret $secret;' })
    expect(await refusal(() => sign(links, '/p/a', { expires: 'never' }))).toMatchObject({ code: 'bad_option', option: 'keys' })
    // Here the link can end with the key.
    const link = await sign(nginxHmac(ending), '/a', { expires: 'never' })
    expect(inspect(nginxHmac([]), link)?.unverified.expires).toEqual(ending.expires)
  })

  test('but not a path that only looks like a link', async () => {
    expect((await verify(path, await sign(path, '/p/movie/2026/b', { expires: '1h' }))).ok).toBe(true)
  })
})

test('an empty keyring reads, and neither signs nor verifies', async () => {
  const link = `/a?md5=${'A'.repeat(22)}&expires=1900000000`
  expect(inspect(nginx([]), link)?.unverified).toEqual({ resource: '/a', expires: new Date(1_900_000_000_000) })
  expect((await refusal(() => verify(nginx([]), link))).code).toBe('no_key')
  expect((await refusal(() => sign(nginx([]), '/a', { expires: '1h', ip: '::1' }))).code).toBe('no_key')
  expect((await refusal(() => verify(nginxHmac([]), `/a?st=${'A'.repeat(43)}&ts=1&e=0`))).code).toBe('no_key')
})

test('bytes as a secret are those bytes', async () => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const bytes = { secret: new TextEncoder().encode('süß') }
  for (const make of [nginx, nginxHmac] as unknown as ((keys: object) => Scheme<'ip'>)[]) {
    const conditions = make === (nginx as unknown) ? { expires: '1h' as const, ip: '::1' } : { expires: '1h' as const }
    expect(await sign(make(bytes), '/a', conditions, { now })).toBe(await sign(make({ secret: 'süß' }), '/a', conditions, { now }))
  }
  const odd = nginx({ secret: new Uint8Array([255, 0, 36, 38]) }, { expression: '$secure_link_expires$uri$secret' })
  expect((await verify(odd, await sign(odd, '/a', { expires: '1h' }))).ok).toBe(true)
})

test('a keyring that is looked up', async () => {
  const links = nginx(async () => key, { expression: '$secure_link_expires$uri $secret' })
  expect((await verify(links, await sign(links, '/a', { expires: '1h' }))).ok).toBe(true)
})

test('covers, requires, reads and expiry follow from the expression', () => {
  const path = { expression: '$rest$args $secret', placement: 'path' } as const
  expect(nginx(key)).toMatchObject({ covers: ['path', 'ip', 'expires'], requires: ['ip'], reads: ['ip'], expiry: 'required' })
  expect(nginx(key, { expression: '$arg_user$host $secret' })).toMatchObject({ covers: ['?user', 'host'], requires: [], expiry: 'none' })
  expect(nginx(key, { expression: '$request_method$arg_expires $secret' })).toMatchObject({
    covers: ['method', 'expires'],
    reads: ['method'],
  })
  expect(nginx(key, { expression: 'secure_link_secret $secret;' })).toMatchObject({ covers: ['query'], expiry: 'none', parameters: [] })
  expect(nginx(key, { expression: 'secure_link_secret $secret;', location: '/p/' }).covers).toEqual(['path', 'query'])
  expect(nginx(key, path)).toMatchObject({ covers: ['query'], expiry: 'none', parameters: [] })
  expect(nginx(key, { ...path, location: '/p/' }).covers).toEqual(['query', 'path'])
  expect(nginxHmac(key)).toMatchObject({ covers: ['path', 'expires'], expiry: 'optional', requires: [] })
  expect(nginxHmac(key, { message: '$uri|$arg_ts|$arg_user' })).toMatchObject({ covers: ['path', '?user'], expiry: 'none' })
})

test('a value of the option variables covers nothing of the request', async () => {
  const links = nginx(key, { expression: '$secure_link_expires $uri $host $arg_user $secret', variables: { HOST: 'cdn', arg_User: 'bob' } })
  expect(links.covers).toEqual(['path', 'expires'])
  const link = await sign(links, '/a?user=alice', { expires: '1h' })
  expect((await verify(links, link)).claims?.resource).toBe('/a')
  const whole = nginx(key, { expression: '$secure_link_expires$rest?$args $secret', placement: 'path', variables: { args: 'x=1' } })
  expect((await verify(whole, await sign(whole, '/p/a?x=2', { expires: '1h' }))).claims?.resource).toBe('/a')
})

describe('links that never expire', () => {
  const now = () => new Date('2026-01-01T00:00:00Z')
  const endless = { ok: true, claims: { expires: new Date('5138-11-16T09:46:39Z'), endless: true } }

  test.each<[string, Scheme, url: string, link: RegExp]>([
    ['secure_link_secret', nginx(key, { expression: 'secure_link_secret $secret;' }), '/p/a', /^\/p\/[\da-f]{32}\/a$/],
    ['an expression without an expiry', nginx(key, { expression: '$uri $secret' }), '/a', /&expires=99999999999$/],
    ['the same in the path', nginx(key, { expression: '$rest $secret', placement: 'path' }), '/p/a', /\/99999999999\/a$/],
    ['one field', nginx(key, { expression: 'secure_link $arg_md5; secure_link_md5 "$uri $secret";' }), '/a', /^\/a\?md5=[\w-]{22}$/],
    ['nginxHmac, whose lifetime of 0 is unlimited', nginxHmac(key), '/a', /&ts=1767225600&e=0$/],
    ['nginxHmac without the time of signing', nginxHmac(key, { message: '$uri|$arg_e' }), '/a', /&ts=1767225600&e=0$/],
  ])('%s', async (_, scheme, url, form) => {
    const link = await sign(scheme as Scheme<never, object, 'none'>, url, { expires: 'never' }, { now })
    expect(link).toMatch(form)
    expect(await verify(scheme, link, { now: () => new Date('2999-01-01T00:00:00Z') })).toMatchObject(endless)
  })

  test('NGINX wants an expiry in the link, also where it is not in the digest', async () => {
    const links = nginx(key, { expression: '$uri $secret' })
    const token = createHash('md5').update(`/a ${key.secret}`).digest('base64url')
    expect(await sign(links, '/a', { expires: 'never' })).toBe(`/a?md5=${token}&expires=99999999999`)
  })
})

test('slashes as they are, when they are not merged, and no dot segments', () => {
  const uri = (path: string, merge: boolean) => nginxRequest(split(path), '', merge)?.uri
  for (const [path, kept, merged] of [
    ['/a//b/', '/a//b/', '/a/b/'],
    ['/a%2F/b', '/a//b', '/a/b'],
    ['//', undefined, '/'],
    ['/%2Fa', undefined, '/a'],
    ['/a..', '/a..', '/a..'],
    ['/a../..b', '/a../..b', '/a../..b'],
    ['/...', '/...', '/...'],
    ['/a//../b', undefined, undefined],
    ['/a/.', undefined, undefined],
    ['/a%2F..', undefined, undefined],
    ['/a/%2e%2E/b', undefined, undefined],
    ['/a\\b', undefined, undefined],
  ] as const)
    expect([uri(path, false), uri(path, true)], path).toEqual([kept, merged])
})

test('directives', () => {
  expect(directive(`a "b c";`, 'a')).toBe('b c')
  expect(directive(`x 1; a 'b "c" \\' \\\\ \\n\\d';`, 'a')).toBe(`b "c" ' \\ \n\\d`)
  expect(directive('a b$c;', 'a')).toBe('b$c')
  expect(directive('aa b; # a c;\n  # a d;\n a\t"e"', 'a')).toBe('c')
  expect(directive('  # a d;\n a\t"e"', 'a')).toBe('e')
  expect(directive('a_b c;', 'a')).toBeUndefined()
})

test('tokens have one spelling', () => {
  for (const [token, size] of [
    ['A'.repeat(22), 16],
    ['_'.repeat(64), 48],
    [`${'A'.repeat(42)}8`, 32],
  ] as const)
    expect(isToken(token, size)).toBe(true)
  for (const text of [
    '',
    '='.repeat(22),
    'A'.repeat(21),
    'A'.repeat(23),
    `${'A'.repeat(22)}==`,
    `${'A'.repeat(21)}+`,
    `${'A'.repeat(21)}B`,
    `${'A'.repeat(21)}ä`,
  ])
    expect(isToken(text, 16), text).toBe(false)
})

test('bytes that are text come back as text', () => {
  expect(textOf('/a%41 b')).toBe('/a%41 b')
  expect(textOf('\xc3\xbc')).toBe('ü')
  expect(textOf('a\xff')).toEqual(new Uint8Array([97, 255]))
  // Overlong, half a surrogate pair, beyond U+10FFFF, cut off.
  for (const bytes of ['\xc0\xaf', '\xe0\x80\xaf', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xf0\x9f\x98'])
    expect(textOf(bytes)).toEqual(new Uint8Array(Buffer.from(bytes, 'latin1')))
  for (const text of ['\u0000', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'])
    expect(textOf(bytesOf(text))).toBe(text)
})

describe('a text that can be split in two ways', () => {
  const now = () => new Date('2026-01-01T00:00:00Z')
  const hour = { expires: '1h' as const }
  const EVERY = { ip: '27.0.0.1', method: 'GET', now }

  // [expression, URL to sign, its conditions, another link with the same text]. A link is made with the option ambiguous, and its token is put into
  // the other URL.
  const SHIFTED: [expression: string, url: string, conditions: object, shift: (link: string) => string][] = [
    ['$secure_link_expires$uri$arg_user $secret', '/a.txt?user=bob', {}, (link) => link.replace('/a.txt?user=', '/a.tx?user=t')],
    ['$secure_link_expires$arg_a$arg_b$uri $secret', '/a?a=1&b=2', {}, (link) => link.replace('a=1&b=2', 'a=12&b=')],
    [
      '$secure_link_expires|$uri|$arg_user $secret',
      '/a%7Cadmin?user=bob',
      {},
      (link) => link.replace('/a%7Cadmin?user=', '/a?user=admin|'),
    ],
    ['$uri$secure_link_expires $secret', '/users/12', {}, (link) => link.replace('/12', '/1').replace('expires=', 'expires=2')],
    ['$uri$arg_expires $secret', '/users/12', {}, (link) => link.replace('/12', '/1').replace('expires=', 'expires=2')],
    ['$secret$uri$secure_link_expires', '/seg1', {}, (link) => link.replace('seg1', 'seg').replace('expires=', 'expires=1')],
    ['$secure_link_expires$arg_n$uri $secret', '/a?n=9', {}, (link) => link.replace('n=9', 'n=').replace(/(expires=\d+)/, '$19')],
    [
      '$secure_link_expires$host$uri $secret',
      'https://10.0.0.1/a',
      {},
      (link) => link.replace('10.0.0.1', '.0.0.1').replace(/(expires=\d+)/, '$110'),
    ],
    ['$secure_link_expires$remote_addr$uri $secret', '/a', { ip: '127.0.0.1' }, (link) => link.replace(/(expires=\d+)/, '$11')],
    ['$uri$host $secret', 'https://files.test/a', {}, (link) => link.replace('files.test/a', 'iles.test/af')],
  ]

  test.each(SHIFTED)('%s: %s', async (expression, url, conditions, shift) => {
    const open = nginx(key, { expression, ambiguous: true }) as unknown as Scheme<'ip' | 'method'>
    const strict = nginx(key, { expression }) as unknown as Scheme<'ip' | 'method'>
    const link = await sign(open, url, { ...hourOf(open), ...conditions }, { now })
    const other = shift(link)
    expect(other).not.toBe(link)
    // NGINX's own reading, which the option restores.
    expect(await verify(open, other, EVERY)).toMatchObject({ ok: true })
    expect(await verify(strict, other, EVERY)).toMatchObject({ reason: 'bad_signature' })
    expect(await verify(strict, link, { ...EVERY, ...conditions })).toMatchObject({ reason: 'bad_signature' })
    expect(await refusal(() => sign(strict, url, { ...hourOf(strict), ...conditions }, { now }))).toEqual({
      code: 'bad_option',
      option: 'url',
      message: expect.stringMatching(/split into its fields in one way/),
    })
  })

  test.each<[expression: string, url: string, conditions: object]>([
    ['$secure_link_expires$uri$remote_addr $secret', '/video1.mp4', { ip: '127.0.0.1' }],
    ['$secure_link_expires$uri$remote_addr $secret', '/cafe/', { ip: '::1' }],
    ['$secure_link_expires$uri $secret', '/a%20b%7C1%20x', {}],
    ['$secure_link_expires$request_method$uri $secret', '/PUT', { method: 'PUT' }],
    ['$secure_link_expires$host$uri $secret', 'https://files.test/a', {}],
    ['$secure_link_expires$uri $remote_addr $secret', '/a%201.2.3.4', { ip: '127.0.0.1' }],
    ['$secret$uri$secure_link_expires', '/hls/playlist.m3u8/', {}],
    ['$uri$secure_link_expires$secret', '/a.txt', {}],
    ['$secure_link_expires|$host|$uri|$secret', 'https://files.test/a%7Cb', {}],
    ['$secure_link_expires $uri $arg_user $secret', '/a%20b?user=c', {}],
    ['$secure_link_expires$uri$secret$arg_user', '/a?user=bob', {}],
  ])('%s: %s has one split', async (expression, url, conditions) => {
    const links = nginx(key, { expression }) as unknown as Scheme<'ip' | 'method'>
    const link = await sign(links, url, { ...hour, ...conditions }, { now })
    expect(await verify(links, link, { method: 'GET', ...conditions, now })).toMatchObject({ ok: true })
  })

  test('nginxHmac: a time with text behind it, and a path with a separator and a time', async () => {
    const path = '/u/report.pdf%7C2099-01-01T00:00:00Z'
    for (const zone of ['unix', 'Z'] as const) {
      const links = nginxHmac(key, { timestamp: zone })
      expect((await refusal(() => sign(links, path, hour, { now }))).message).toMatch(/one way/)
      const link = await sign(nginxHmac(key, { timestamp: zone, ambiguous: true }), path, hour, { now })
      const attack = link.replace('%7C2099-01-01T00:00:00Z', '').replace('ts=', 'ts=2099-01-01T00:00:00Z|')
      expect(await verify(nginxHmac(key, { trailing: true, ambiguous: true }), attack, { now })).toMatchObject({ ok: true })
      expect(await verify(links, attack, { now })).toMatchObject({ reason: 'malformed' })
      expect(await verify(nginxHmac(key, { trailing: true }), attack, { now })).toMatchObject({ reason: 'bad_signature' })
      expect(await verify(links, link, { now })).toMatchObject({ reason: 'bad_signature' })
    }
  })

  test.each<[message: string, url: string]>([
    ['$uri$arg_ts$arg_e', '/a'],
    ['$uri|$arg_ts$arg_e', '/a'],
    ['$uri/$arg_ts/$arg_e', '/a/b'],
    ['$uri-$arg_ts-$arg_e', '/a-b'],
    ['$uri|$arg_ts|$arg_e|$arg_user', '/a?user=5|c'],
  ])('nginxHmac: %s with %s is refused', async (message, url) => {
    expect((await refusal(() => sign(nginxHmac(key, { message }), url, hour, { now }))).message).toMatch(/one way/)
  })

  // The oracle is the definition: two different grants with one text.
  test('no two of all short links that sign makes share a text', async () => {
    const paths = ['/', '/1', '/12', '/|', '/a|', '/a|1', '/|1|2', '/1|1']
    const values = ['', '1', '2', '|', '1|', '12', 'a']
    for (const expression of [
      '$uri$arg_a$arg_b$secret',
      '$uri|$arg_a|$arg_b$secret',
      '$arg_a|$uri|$arg_b$secret',
      '$uri||$arg_a|$arg_b$secret',
    ]) {
      const links = nginx(key, { expression })
      const tokens = new Map<string, string>()
      let signed = 0
      for (const path of paths)
        for (const a of values)
          for (const b of values) {
            const url = `${path}?a=${a}&b=${b}`
            try {
              const token = /md5=([\w-]+)/.exec(await sign(links, url, hourOf(links), { now }))?.[1] as string
              expect(tokens.get(token), `${expression} ${url}`).toBeUndefined()
              tokens.set(token, url)
              signed++
            } catch (error) {
              if (!(error instanceof LinkError)) throw error
            }
          }
      if (expression.includes('|')) expect(signed).toBeGreaterThan(20)
    }
  })
})

describe('claims of a valid link hold only what the signature covers', () => {
  const at = { now: () => new Date('2026-01-01T00:00:00Z') }
  const resourceOf = async (scheme: Scheme, link: string, visit = {}) => (await verify(scheme, link, { ...at, ...visit })).claims?.resource

  test('a token in the path covers nothing in front of it', async () => {
    for (const options of [
      { expression: 'secure_link_secret $secret;' },
      { expression: '$secure_link_expires$rest $secret', placement: 'path' as const },
    ]) {
      const links = nginx(key, options)
      const link = await sign(links, '/p/link', hourOf(links), at)
      expect(await resourceOf(links, link)).toBe('/link')
      expect(await resourceOf(links, link.replace('/p/', '/admin/'))).toBe('/link')
      expect(inspect(links, link)?.unverified.resource).toBe('/p/link')
      const fixed = nginx(key, { ...options, location: '/p/' })
      expect(await sign(fixed, '/p/link', hourOf(fixed), at)).toBe(link)
      expect(await resourceOf(fixed, link)).toBe('/p/link')
      expect(await verify(fixed, link.replace('/p/', '/admin/'), at)).toMatchObject({ reason: 'unsigned' })
    }
  })

  test('no resource is the name of a host', async () => {
    const old = nginx(key, { expression: 'secure_link_secret $secret;' })
    const link = await sign(old, '/p/evil.example/x', { expires: 'never' }, at)
    expect((await verify(old, link.replace('/p/', '//'), at)).ok).toBe(false)
    for (const mergeSlashes of [true, false]) {
      const path = nginx(key, { expression: '$secure_link_expires$rest $secret', placement: 'path', mergeSlashes })
      for (const url of ['/p//evil.example/x', '/p/%2Fevil.example/x']) {
        const outcome = await sign(path, url, { expires: '1h' }, at).then(
          (link) => resourceOf(path, link),
          (error) => error.code,
        )
        expect(['bad_option', '/evil.example/x']).toContain(outcome)
      }
      const query = nginx(key, { expression: '$secure_link_expires$uri $secret', mergeSlashes })
      const signed = await sign(query, 'https://files.test/evil.example/x', { expires: '1h' }, at)
      const moved = await resourceOf(query, signed.replace('test/', 'test//'))
      expect([undefined, '/evil.example/x']).toContain(moved)
    }
  })

  test('arguments, host and path, when the expression has them', async () => {
    const url = 'https://files.test:8443/a?x=1&User=b%20b&user=c&city=K%C3%B6ln'
    for (const [expression, expected] of [
      ['$secure_link_expires$uri $secret', '/a'],
      ['$secure_link_expires|$uri|$arg_user|$secret', '/a?user=b%20b'],
      ['$secure_link_expires|$uri|$arg_user|$arg_x|$arg_none|$secret', '/a?user=b%20b&x=1'],
      ['$secure_link_expires|$host|$uri|$secret', '/a'],
      ['$secure_link_expires|$arg_x|$secret', '/?x=1'],
      ['$secure_link_expires|$uri|$arg_city|$secret', '/a?city=K%C3%B6ln'],
    ] as const) {
      const links = nginx(key, { expression })
      const link = await sign(links, url, { expires: '1h' }, at)
      expect(await resourceOf(links, link), expression).toBe(expected)
      expect(inspect(links, link)?.unverified.resource).toBe(url)
    }
    const whole = nginx(key, { expression: '$secure_link_expires$rest?$args $secret', placement: 'path' })
    expect(await resourceOf(whole, await sign(whole, '/p/a?x=1', { expires: '1h' }, at))).toBe('/a?x=1')
    const hmacs = nginxHmac(key, { message: '$uri|$arg_ts|$arg_e|$arg_user' })
    expect(await resourceOf(hmacs, await sign(hmacs, url, { expires: '1h' }, at))).toBe('/a?user=b%20b')
  })
})

describe('functions in variables', () => {
  const seen: object[] = []
  const variables = {
    folder: (url: { uri: string }) => {
      seen.push(url)
      return url.uri.replace(/[^/]*$/, '')
    },
  }

  test.each<[string, Scheme, string, object]>([
    [
      'token in the path',
      nginx(key, { expression: '$secure_link_expires $folder $secret', placement: 'path', variables }),
      'https://files.test/hls/a%20b//c%2Fd.ts?x=1#f',
      { origin: 'https://files.test', path: '/hls/a%20b//c%2Fd.ts', query: '?x=1', fragment: '', uri: '/hls/a b/c/d.ts' },
    ],
    [
      'token in the query',
      nginx(key, { expression: '$secure_link_expires $folder $secret', variables }),
      '/ü/b?x=1&',
      { origin: '', path: '/ü/b', query: '?x=1&', fragment: '', uri: '/ü/b' },
    ],
    [
      'nginxHmac',
      nginxHmac(key, { message: '$folder|$arg_ts|$arg_e', variables }),
      '/a%C3%BC/b?',
      { origin: '', path: '/a%C3%BC/b', query: '', fragment: '', uri: '/aü/b' },
    ],
  ])('see the URL without the token, when it is signed and when it is verified: %s', async (_, scheme, url, expected) => {
    seen.length = 0
    const link = await sign(scheme, url, { expires: '1h' })
    expect(await verify(scheme, link.replace(/#.*/, ''))).toMatchObject({ ok: true })
    expect(new Set(seen.map((url) => JSON.stringify(url)))).toEqual(new Set([JSON.stringify(expected)]))
  })

  test('a request for bytes that are not text is malformed', async () => {
    const links = nginx(key, { expression: '$secure_link_expires $folder $secret', variables })
    const link = await sign(links, '/a/b', { expires: '1h' })
    expect(await verify(links, link.replace('/b', '/%FF'))).toMatchObject({ reason: 'malformed' })
  })
})

test('nginxHmac: a link with an empty lifetime is malformed, and one with a lifetime of 0 never expires', async () => {
  const links = nginxHmac(key)
  const at = { now: () => new Date('2026-01-01T00:00:00Z') }
  const link = `/a?st=${'A'.repeat(43)}&ts=1767225600&e=`
  expect(inspect(links, link)).toBeUndefined()
  expect(inspect(links, `${link}0`)?.unverified).toMatchObject({ expires: new Date('5138-11-16T09:46:39Z'), endless: true })
  expect(await verify(links, link, at)).toMatchObject({ reason: 'malformed', parameter: 'e' })
})

describe('slow inputs without a key', () => {
  const schemes = [
    nginx(key),
    nginx(key, { expression: '$secure_link_expires|$rest|$remote_addr|$secret', placement: 'path' }),
    nginx(key, { expression: 'secure_link_secret $secret;' }),
    nginxHmac(key, { message: '$uri|$arg_ts|$arg_e|$arg_user' }),
  ] as unknown as Scheme[]
  const TAILS = [`?md5=${'A'.repeat(22)}&expires=1900000000&st=${'A'.repeat(43)}&ts=1&e=0`]

  /** What reading and checking costs: calls that decode, calls of regular expressions, and exceptions of decoders. */
  async function work(url: string): Promise<{ decoded: number; matched: number; thrown: number }> {
    const count = { decoded: 0, matched: 0, thrown: 0 }
    const decode = globalThis.decodeURIComponent
    const { exec } = RegExp.prototype
    globalThis.decodeURIComponent = (text) => {
      count.decoded++
      try {
        return decode(text)
      } catch (error) {
        count.thrown++
        throw error
      }
    }
    // `test` and `replace` call a patched `exec`, once for each match.
    RegExp.prototype.exec = function (text) {
      count.matched++
      return exec.call(this, text)
    }
    try {
      for (const scheme of schemes) await verify(scheme, url, { ip: '::1' })
    } finally {
      globalThis.decodeURIComponent = decode
      RegExp.prototype.exec = exec
    }
    return count
  }

  test.each(['&%', '&a', '&%FF', '&=', '%FF', '/a', '/%2F', '&ü', ',', '0', '/..'])('%s, 16,000 characters of it', async (piece) => {
    for (const tail of TAILS)
      for (const make of [
        (n: number) => `/a${tail}${piece.repeat(n)}`,
        (n: number) => `/a${piece.startsWith('/') || piece.startsWith('%') ? piece.repeat(n) : ''}${tail}`,
      ]) {
        const most = Math.floor(16_000 / piece.length)
        const whole = await work(make(most))
        const half = await work(make(most / 2))
        expect(whole.thrown).toBe(0)
        expect(whole.decoded).toBeLessThanOrEqual(schemes.length * 2)
        expect(whole.matched).toBeLessThanOrEqual(2 * half.matched)
      }
  })

  test('a text beyond the longest link is not read', async () => {
    expect((await work(`/a${TAILS[0]}${'&a'.repeat(500_000)}`)).matched).toBeLessThan(40)
  })
})

describe('any text', () => {
  const schemes = [
    nginx(key),
    nginx(key, { expression: '$secure_link_expires$host$uri$arg_a$remote_addr $secret', mergeSlashes: false }),
    nginx(key, { expression: '$secure_link_expires$rest$remote_addr $secret', placement: 'path' }),
    nginx(key, { expression: 'secure_link_secret $secret;' }),
    nginxHmac(key, { timestamp: '-06:00', message: '$uri|$arg_ts|$arg_e|$remote_addr' }),
  ] as unknown as Scheme<'ip'>[]
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '.',
      '..',
      '/../',
      '%2F',
      '%2e',
      '%FF',
      '%00',
      '%',
      '%zz',
      '?',
      '&',
      '=',
      'a=',
      'md5=',
      '%C3%BC',
      '\ud83c',
      ',',
    ),
    fc.string({ unit: 'grapheme', maxLength: 3 }),
  )
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))

  test('is read and checked without an exception', async () => {
    const token = fc.constantFrom('', `md5=${'A'.repeat(22)}&expires=1900000000`, `st=${'A'.repeat(43)}&ts=1&e=0`, `${'a'.repeat(32)}/`)
    await fc.assert(
      fc.asyncProperty(text, token, text, async (front, token, back) => {
        for (const url of [front + token + back, `/a/${token}${back}`, `https://h.test/${front}?${token}&${back}`])
          for (const scheme of schemes) expect((await verify(scheme, url, { ip: '::1' })).ok).toBe(false)
      }),
      { numRuns: 500, seed: 2026 },
    )
  })

  test('opens when it is signed, and is refused with a sentence when it cannot be', async () => {
    let signed = 0
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('/a/', '/', 'http://h.test/'), async (path, front) => {
        for (const scheme of schemes) {
          try {
            const conditions = { ...hourOf(scheme), ...(scheme.carries.includes('ip') && { ip: '::1' }) }
            // Without the fragment, which stays in the link: clients do not send it, so `verify` refuses it.
            const link = (await sign(scheme as Scheme, front + path, conditions)).replace(/#.*/s, '')
            signed++
            expect(await verify(scheme, link, { ip: '::1' }), link).toMatchObject({ ok: true })
            // As a client sends it.
            const { href } = new URL(front[0] === '/' ? `http://h.test${link}` : link)
            expect(await verify(scheme, front[0] === '/' ? href.slice('http://h.test'.length) : href, { ip: '::1' }), href).toMatchObject({
              ok: true,
            })
          } catch (error) {
            if (!(error instanceof LinkError)) throw error
          }
        }
      }),
      { numRuns: 1000, seed: 2027 },
    )
    expect(signed).toBeGreaterThan(1200)
  })
})
