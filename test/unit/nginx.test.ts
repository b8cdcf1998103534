// What nginx and nginxHmac refuse, in sentences without secrets, and NGINX's view of paths, directives and tokens.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { printAddress } from '../../src/lib/address.ts'
import { arrayOf, bytesOf, directive, see, textOf, tokenOf } from '../../src/schemes/shared/nginx-request.ts'
import { split } from '../../src/lib/url.ts'
import { type NginxOptions, nginx } from '../../src/schemes/nginx.ts'
import { type NginxHmacOptions, nginxHmac } from '../../src/schemes/nginx-hmac.ts'

const key = { secret: 'a-secret-word' }

async function refusal(work: () => unknown): Promise<[code: string, message: string]> {
  try {
    await work()
  } catch (error) {
    if (error instanceof LinkError) return [error.code, error.message]
    throw error
  }
  throw new Error('it was not refused')
}

describe('options that cannot be', () => {
  test.each<[NginxOptions, RegExp]>([
    [{ expression: '$secure_link_expires$uri word' }, /\$secret/],
    [{ expression: 'secure_link_md5 "$secure_link_expires$uri $secret' }, /a line secure_link_md5/],
    [{ expression: 'secure_link $arg_md5,$arg_expires;' }, /a line secure_link_md5/],
    [{ expression: 'secure_link_secret word;' }, /\$secret/],
    [{ expression: '$uri$ $secret' }, /NGINX variables/],
    [{ expression: '$uri$cookie_user $secret' }, /\$cookie_user, which only NGINX knows/],
    [{ expression: '$args $secret' }, /\$args, which holds the token/],
    [{ expression: '$request_uri $secret' }, /holds the token/],
    [{ expression: '$uri$arg_MD5 $secret' }, /\$arg_md5, which holds the token/],
    [{ expression: '$uri $secret', placement: 'path' }, /\$uri, which holds the token/],
    [{ expression: 'secure_link $tok,$exp; secure_link_md5 "$uri $secret";' }, /a line secure_link of parameters/],
    [{ expression: 'secure_link $arg_a,$arg_b; secure_link_md5 "$uri $secret";', parameters: { md5: 'c' } }, /leave out/],
    [{ parameters: { md5: 'a-b' } }, /letters, digits and _/],
    [{ parameters: { md5: 'Expires' } }, /two names/],
    [{ expression: '$uri $secret', variables: { secret: 'x' } }, /only NGINX knows/],
    [{ location: '/p/' }, /only with a token in the path/],
    [{ expression: 'secure_link_secret $secret;', location: '/p' }, /between slashes/],
    [{ expression: 'secure_link_secret $secret;', location: '/../' }, /between slashes/],
  ])('nginx %j', async (options, sentence) => {
    const [code, message] = await refusal(() => nginx(key, options))
    expect(code).toBe('bad_option')
    expect(message).toMatch(sentence)
  })

  test.each<[object, RegExp]>([
    [{ algorithm: 'md5' }, /sha1, sha256, sha384 or sha512/],
    [{ algorithm: 'sha3-256' }, /WebCrypto/],
    [{ algorithm: 'constructor' }, /WebCrypto/],
    [{ message: 'secure_link_hmac_message "$uri"; secure_link_hmac_algorithm sm3;' }, /WebCrypto/],
    [{ message: 'secure_link_hmac_message "$uri"; secure_link_hmac_secret "x";' }, /the secret is the key/],
    [{ message: 'secure_link_hmac "$arg_st,$arg_ts,$arg_e";' }, /a line secure_link_hmac_message/],
    [{ message: 'secure_link_hmac "$arg_st,$cookie_ts"; secure_link_hmac_message "$uri";' }, /of parameters/],
    [{ parameters: { timestamp: '' } }, /distinct names/],
    [{ message: '$uri|$arg_st' }, /holds the token/],
    [{ message: '$uri|$time_iso8601' }, /only NGINX knows/],
    [{ message: '$uri|$' }, /NGINX variables/],
    [{ parameters: { token: 'ts' } }, /distinct names/],
    [{ timestamp: '+0000' }, /an offset/],
    [{ timestamp: '+24:00' }, /an offset/],
    [{ timestamp: 'iso' }, /an offset/],
  ])('nginxHmac %j', async (options, sentence) => {
    const [code, message] = await refusal(() => nginxHmac(key, options as NginxHmacOptions))
    expect(code).toBe('bad_option')
    expect(message).toMatch(sentence)
  })

  test('a CryptoKey for nginx, and secrets that are none', async () => {
    const secret = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
    expect((await refusal(() => nginx({ secret })))[1]).toMatch(/WebCrypto has no MD5/)
    expect((await refusal(() => nginx({ secret: '' })))[0]).toBe('weak_key')
    expect((await refusal(() => nginxHmac({ secret: new Uint8Array() })))[0]).toBe('weak_key')
  })
})

describe('what sign refuses', () => {
  const hour = { expires: '1h' }
  const made = (options: NginxOptions = {}) => nginx(key, options) as unknown as Scheme<'ip' | 'method'>
  const hmacs = (options: NginxHmacOptions = {}) => nginxHmac(key, options) as unknown as Scheme<'ip' | 'method'>
  const plain = made({ expression: '$secure_link_expires$uri $secret' })
  const methods = '$secure_link_expires$request_method$uri $secret'
  const host = '$secure_link_expires$host$uri $secret'
  const old = made({ expression: 'secure_link_secret $secret;', forever: true })
  const path = made({ expression: '$secure_link_expires$rest $secret', placement: 'path' })

  test.each<[string, Scheme<'ip' | 'method'>, string, object, string, RegExp]>([
    ['no address', made(), '/a', hour, 'bad_option', /take an ip/],
    ['a network', made(), '/a', { ...hour, ip: '203.0.113.0/24' }, 'bad_option', /not a network/],
    ['an address that is not in the recipe', plain, '/a', { ...hour, ip: '203.0.113.7' }, 'unsupported_condition', /'ip'/],
    ['a method that is not in the recipe', plain, '/a', { ...hour, method: 'PUT' }, 'unsupported_condition', /'method'/],
    ['two methods', made({ expression: methods }), '/a', { ...hour, method: ['GET', 'PUT'] }, 'bad_option', /one method/],
    ['no host', made({ expression: host }), '/a', hour, 'bad_option', /absolute URLs/],
    ['a host that is sent in another form', made({ expression: host }), 'https://bücher.test/a', hour, 'bad_option', /as it is sent/],
    ['a link', plain, '/a?md5=x&expires=1', hour, 'already_signed', /'md5'/],
    ['a parameter of that name', plain, '/a?EXPIRES=', hour, 'bad_option', /'expires'/],
    ['no expiry', made({ expression: 'secure_link_secret $secret;' }), '/p/a', hour, 'bad_option', /forever/],
    ['an expiry that is not covered', made({ expression: '$uri $secret' }), '/p/a', hour, 'bad_option', /forever/],
    ['one segment', old, '/p', hour, 'bad_option', /at least another/],
    ['no link', old, '/p/', hour, 'bad_option', /percent-encoded/],
    ['an unencoded character', old, '/p/ü', hour, 'bad_option', /percent-encoded/],
    ['a quote in a query', old, "/p/a?b='", hour, 'bad_option', /percent-encoded/],
    ['dots', old, '/p/a/%2E./b', hour, 'bad_option', /segments/],
    ['a link in the path', old, `/p/${'a'.repeat(32)}/b`, hour, 'already_signed', /already/],
    ['dots behind a token', path, '/p/a/../b', hour, 'bad_option', /segments/],
    ['one segment for a token', path, '/p', hour, 'bad_option', /at least another/],
    ['a token in the path', path, `/p/${'A'.repeat(22)}/1/b`, hour, 'already_signed', /already/],
    ['%00', hmacs(), '/%00', hour, 'bad_option', /%00/],
    ['an hmac link', hmacs(), '/a?st=x&ts=1&e=1', hour, 'already_signed', /'st'/],
    ['a parameter of an hmac link', hmacs(), '/a?E=1', hour, 'bad_option', /'e'/],
    ['a message without the lifetime', hmacs({ message: '$uri|$arg_ts' }), '/a', hour, 'bad_option', /forever/],
    ['a message without the moment', hmacs({ message: '$uri|$arg_e' }), '/a', hour, 'bad_option', /forever/],
    [
      'a path in front of another than location',
      made({ expression: '$secure_link_expires$rest $secret', placement: 'path', location: '/q/' }),
      '/p/a',
      hour,
      'bad_option',
      /location/,
    ],
    ['two slashes behind the first segment', old, '/p//evil.example/x', hour, 'bad_option', /two slashes/],
    [
      'two slashes in front',
      made({ expression: '$secure_link_expires$uri $secret', mergeSlashes: false }),
      'https://files.test//evil.example/x',
      hour,
      'bad_option',
      /two slashes/,
    ],
    ['dots in any spelling', plain, '/a%2F%2e./b', hour, 'bad_option', /segments/],
    ['dots at the end', hmacs(), '/a/%2E%2E', hour, 'bad_option', /segments/],
    ['a raw backslash', plain, '/a\\b', hour, 'bad_option', /url/],
    [
      'bytes that a function cannot get',
      made({ expression: '$secure_link_expires$raw $secret', variables: { raw: ({ path }) => path } }),
      '/%FF',
      hour,
      'bad_option',
      /UTF-8/,
    ],
    [
      'a message of one field, and an expiry',
      hmacs({ message: 'secure_link_hmac $arg_st; secure_link_hmac_message $uri;' }),
      '/a',
      hour,
      'bad_option',
      /forever/,
    ],
    ['a message with an address, and none', hmacs({ message: '$uri|$arg_ts|$arg_e|$remote_addr' }), '/a', hour, 'bad_option', /take an ip/],
  ])('%s', async (_, scheme, url, conditions, code, sentence) => {
    const [got, message] = await refusal(() => sign(scheme, url, conditions as { expires: '1h' }))
    expect([got, message]).toEqual([code, expect.stringMatching(sentence)])
    expect(message).not.toContain(key.secret)
  })

  test('a path that only looks like a link is signed', async () => {
    expect((await verify(path, await sign(path, '/p/movie/2026/b', { expires: '1h' }))).ok).toBe(true)
  })
})

test('an empty ring reads, and neither signs nor verifies', async () => {
  const link = `/a?md5=${'A'.repeat(22)}&expires=1900000000`
  expect(inspect(nginx([]), link)?.unverified).toEqual({ resource: '/a', expires: new Date(1_900_000_000_000) })
  expect((await refusal(() => verify(nginx([]), link)))[0]).toBe('no_key')
  expect((await refusal(() => sign(nginx([]), '/a', { expires: '1h', ip: '::1' })))[0]).toBe('no_key')
  expect((await refusal(() => verify(nginxHmac([]), `/a?st=${'A'.repeat(43)}&ts=1&e=0`)))[0]).toBe('no_key')
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

test('covers names what the recipe has', () => {
  expect(nginx(key).covers).toEqual(['expires', 'path', 'ip'])
  expect(nginx(key, { expression: '$arg_user$host $secret' }).covers).toEqual(['?user', 'host'])
  expect(nginx(key, { expression: 'secure_link_secret $secret;' }).covers).toEqual(['rest', 'query'])
  expect(nginx(key, { expression: 'secure_link_secret $secret;', location: '/p/' }).covers).toEqual(['path', 'query'])
  expect(nginx(key, { expression: '$rest$args $secret', placement: 'path' }).covers).toEqual(['rest', 'query'])
  expect(nginx(key, { expression: '$rest$args $secret', placement: 'path', location: '/p/' }).covers).toEqual(['path', 'query'])
  expect(nginxHmac(key).covers).toEqual(['path', '?ts', '?e'])
})

test('slashes as they are, when they are not merged, and no dot segments', () => {
  const uri = (path: string, merge: boolean) => see(split(path), '', merge)?.uri
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
    expect(tokenOf(token, size)).toBe(token)
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
    expect(tokenOf(text, 16), text).toBeUndefined()
})

test('bytes that are text come back as text', () => {
  expect(textOf('/a%41 b')).toBe('/a%41 b')
  expect(textOf('\xc3\xbc')).toBe('ü')
  expect(textOf('a\xff')).toEqual(new Uint8Array([97, 255]))
  // Overlong, half a surrogate pair, beyond U+10FFFF, cut off.
  for (const bytes of ['\xc0\xaf', '\xe0\x80\xaf', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xf0\x9f\x98'])
    expect(textOf(bytes)).toEqual(arrayOf(bytes))
  for (const text of ['\u0000', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'])
    expect(textOf(bytesOf(text))).toBe(text)
})

test('what is no address is not printed', () => {
  for (const text of ['', 'unix:', '1.2.3', '01.2.3.4', ':::', '1::2::3', '2001:db8::/32']) expect(printAddress(text), text).toBeUndefined()
})

describe('a text that can be split in two ways', () => {
  const now = () => new Date('2026-01-01T00:00:00Z')
  const hour = { expires: '1h' as const }
  const EVERY = { ip: '27.0.0.1', method: 'GET', now }

  // [expression, what is signed, another URL with the same text]. A link is made with the option ambiguous, and its token is put into the other URL.
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
    const open = nginx(key, { expression, ambiguous: true, forever: true }) as unknown as Scheme<'ip' | 'method'>
    const strict = nginx(key, { expression, forever: true }) as unknown as Scheme<'ip' | 'method'>
    const link = await sign(open, url, { ...hour, ...conditions }, { now })
    const other = shift(link)
    expect(other).not.toBe(link)
    // NGINX's own reading, which the option restores.
    expect(await verify(open, other, EVERY)).toMatchObject({ ok: true })
    expect(await verify(strict, other, EVERY)).toMatchObject({ reason: 'bad_signature' })
    expect(await verify(strict, link, { ...EVERY, ...conditions })).toMatchObject({ reason: 'bad_signature' })
    const [code, message] = await refusal(() => sign(strict, url, { ...hour, ...conditions }, { now }))
    expect([code, message]).toEqual(['bad_option', expect.stringMatching(/split into its fields in one way/)])
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
  ])('%s: %s has one split', async (expression, url, conditions) => {
    const links = nginx(key, { expression }) as unknown as Scheme<'ip' | 'method'>
    const link = await sign(links, url, { ...hour, ...conditions }, { now })
    expect(await verify(links, link, { method: 'GET', ...conditions, now })).toMatchObject({ ok: true })
  })

  test('nginxHmac: a time with text behind it, and a path with a separator and a time', async () => {
    const path = '/u/report.pdf%7C2099-01-01T00:00:00Z'
    for (const zone of ['unix', 'Z'] as const) {
      const links = nginxHmac(key, { timestamp: zone })
      const [, message] = await refusal(() => sign(links, path, hour, { now }))
      expect(message).toMatch(/one way/)
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
    const [, sentence] = await refusal(() => sign(nginxHmac(key, { message }), url, hour, { now }))
    expect(sentence).toMatch(/one way/)
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
      const links = nginx(key, { expression, forever: true })
      const tokens = new Map<string, string>()
      let signed = 0
      for (const path of paths)
        for (const a of values)
          for (const b of values) {
            const url = `${path}?a=${a}&b=${b}`
            try {
              const token = /md5=([\w-]+)/.exec(await sign(links, url, hour, { now }))?.[1] as string
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

describe('claims of a good link hold only what it covers', () => {
  const at = { now: () => new Date('2026-01-01T00:00:00Z') }
  const resourceOf = async (scheme: Scheme, link: string, visit = {}) => (await verify(scheme, link, { ...at, ...visit })).claims?.resource

  test('a token in the path covers nothing in front of it', async () => {
    for (const options of [
      { expression: 'secure_link_secret $secret;', forever: true },
      { expression: '$secure_link_expires$rest $secret', placement: 'path' as const },
    ]) {
      const links = nginx(key, options)
      const link = await sign(links, '/p/link', { expires: '1h' }, at)
      expect(await resourceOf(links, link)).toBe('/link')
      expect(await resourceOf(links, link.replace('/p/', '/admin/'))).toBe('/link')
      expect(inspect(links, link)?.unverified.resource).toBe('/p/link')
      const fixed = nginx(key, { ...options, location: '/p/' })
      expect(await sign(fixed, '/p/link', { expires: '1h' }, at)).toBe(link)
      expect(await resourceOf(fixed, link)).toBe('/p/link')
      expect(await verify(fixed, link.replace('/p/', '/admin/'), at)).toMatchObject({ reason: 'unsigned' })
    }
  })

  test('no resource is the name of a host', async () => {
    const old = nginx(key, { expression: 'secure_link_secret $secret;', forever: true })
    const link = await sign(old, '/p/evil.example/x', { expires: '1h' }, at)
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
    const url = 'https://files.test:8443/a?x=1&User=b%20b&user=c&city=Köln'
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

test('nginxHmac: an empty lifetime is not a link, and a lifetime of 0 never ends', async () => {
  const links = nginxHmac(key, { forever: true })
  const at = { now: () => new Date('2026-01-01T00:00:00Z') }
  const link = `/a?st=${'A'.repeat(43)}&ts=1767225600&e=`
  expect(inspect(links, link)).toBeUndefined()
  expect(inspect(links, `${link}0`)?.unverified.expires.toISOString()).toBe('5138-11-16T09:46:39.000Z')
  expect(await verify(links, link, at)).toMatchObject({ reason: 'malformed' })
})

describe('slow inputs without a key', () => {
  const schemes = [
    nginx(key),
    nginx(key, { expression: '$secure_link_expires|$rest|$remote_addr|$secret', placement: 'path' }),
    nginx(key, { expression: 'secure_link_secret $secret;', forever: true }),
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
    nginx(key, { expression: 'secure_link_secret $secret;', forever: true }),
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
            const conditions = scheme.carries.includes('ip') ? { expires: '1h' as const, ip: '::1' } : { expires: '1h' as const }
            const link = await sign(scheme as Scheme, front + path, conditions)
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
