// What nginx and nginxHmac refuse, in sentences without secrets, and NGINX's view of paths, directives and tokens.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { printAddress } from '../../src/lib/address.ts'
import { directive, see, textOf, tokenOf } from '../../src/schemes/shared/nginx-request.ts'
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
    [{ message: 'secure_link_hmac "$arg_st"; secure_link_hmac_message "$uri";' }, /of parameters/],
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
    ['a token in the path', path, `/p/${'a'.repeat(22)}/1/b`, hour, 'already_signed', /already/],
    ['%00', hmacs(), '/%00', hour, 'bad_option', /400/],
    ['an hmac link', hmacs(), '/a?st=x&ts=1&e=1', hour, 'already_signed', /'st'/],
    ['a parameter of an hmac link', hmacs(), '/a?E=1', hour, 'bad_option', /'e'/],
    ['a message without the lifetime', hmacs({ message: '$uri|$arg_ts' }), '/a', hour, 'bad_option', /forever/],
    ['a message without the moment', hmacs({ message: '$uri|$arg_e' }), '/a', hour, 'bad_option', /forever/],
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
  expect(nginx(key, { expression: 'secure_link_secret $secret;' }).covers).toEqual(['path', 'query'])
  expect(nginxHmac(key).covers).toEqual(['path', '?ts', '?e'])
})

test('slashes as they are, when they are not merged', () => {
  const uri = (path: string, merge: boolean) => see(split(path), merge)?.uri
  for (const [path, kept, merged] of [
    ['/a//b/', '/a//b/', '/a/b/'],
    ['//', '//', '/'],
    ['/a//../b', '/a/b', '/b'],
    ['/a/..//b', '//b', '/b'],
    ['//..', '/', undefined],
    ['/a/.//.', '/a//', '/a/'],
    ['/..', undefined, undefined],
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
  expect(tokenOf(`${'A'.repeat(21)}B`, 16, 24)).toBe('A'.repeat(22))
  expect(tokenOf(`${'A'.repeat(22)}=?`, 16, 24)).toBe('A'.repeat(22))
  expect(tokenOf('_'.repeat(64), 48, 66)).toBe('_'.repeat(64))
  for (const text of ['', '='.repeat(22), 'A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(22)}===`, `${'A'.repeat(21)}+`])
    expect(tokenOf(text, 16, 24), text).toBeUndefined()
})

test('bytes that are text come back as text', () => {
  expect(textOf('/a%41 b')).toBe('/a%41 b')
  expect(textOf('\xc3\xbc')).toBe('ü')
  expect(textOf('a\xff')).toEqual(new Uint8Array([97, 255]))
})

test('what is no address is not printed', () => {
  for (const text of ['', 'unix:', '1.2.3', '01.2.3.4', ':::', '1::2::3', '2001:db8::/32']) expect(printAddress(text), text).toBeUndefined()
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
    expect(signed).toBeGreaterThan(1500)
  })
})
