// Typical mistakes with vendors' schemes: each link is made wrongly with node:crypto, and explain names the mistake first. For random signatures it names
// none.
import { createHash, createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import type { Scheme } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { bunny } from '../../src/schemes/bunny.ts'
import { cloudCdn } from '../../src/schemes/cloud-cdn.ts'
import { cloudflare } from '../../src/schemes/cloudflare.ts'
import { cloudflareImages } from '../../src/schemes/cloudflare-images.ts'
import { cloudfront } from '../../src/schemes/cloudfront.ts'
import { jwt } from '../../src/schemes/jwt.ts'
import { laravel } from '../../src/schemes/laravel.ts'
import { mediaCdn } from '../../src/schemes/media-cdn.ts'
import { symfony } from '../../src/schemes/symfony.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const END = 1893459600

type Key = string | Buffer
const mac = (key: Key, text: string, hash = 'sha256') => createHmac(hash, key).update(text).digest()
const hex = (key: Key, text: string, hash?: string) => mac(key, text, hash).toString('hex')
const base64url = (key: Key, text: string, hash?: string) => mac(key, text, hash).toString('base64url')

/** A link that was made wrongly, and the code of its mistake. */
interface Case {
  readonly code: string
  readonly link: string
  readonly options?: ExplainOptions
}
const wrong = (code: string, link: string, options?: ExplainOptions): Case => ({ code, link, ...(options && { options }) })

const HEX_KEY = 'aabbccddeeff00112233445566778899'
const HEX_BYTES = Buffer.from(HEX_KEY, 'hex')
const EDGE = 'https://edge.example'

function ofAkamai(): readonly Case[] {
  const link = (token: string, sign: (token: string) => string, path = '/v/a.ts') => `${EDGE}${path}?__token__=${token}~hmac=${sign(token)}`
  const token = `exp=${END}`
  const forAcl = `exp=${END}~acl=/v/*`
  return [
    wrong(
      'secret_hex_not_decoded',
      link(token, (text) => hex(HEX_KEY, `${text}~url=/v/a.ts`)),
    ),
    wrong(
      'url_left_out',
      link(token, (text) => hex(HEX_BYTES, text)),
    ),
    wrong(
      'whole_url',
      link(token, (text) => hex(HEX_BYTES, `${text}~url=${EDGE}/v/a.ts`)),
    ),
    wrong(
      'token_escaped',
      link(forAcl, (text) => hex(HEX_BYTES, text.replace('/v/*', '%2fv%2f*'))),
    ),
    wrong(
      'token_escaped',
      link(`exp=${END}~acl=%2fv%2f*`, (text) => hex(HEX_BYTES, text.replaceAll('%2f', '/'))),
    ),
    wrong(
      'token_escaped',
      link(token, (text) => hex(HEX_BYTES, `${text}~url=%2fv%2fa.ts`)),
    ),
    wrong('query_left_out', link(token, (text) => hex(HEX_BYTES, `${text}~url=/v/a.ts`)).replace('?', '?q=1&')),
    wrong(
      'option',
      link(forAcl, (text) => hex(HEX_BYTES, text, 'sha1')),
      { make: [akamai, { secret: HEX_KEY }] },
    ),
    wrong(
      'parameter_form',
      link(forAcl, (text) => hex(HEX_BYTES, text, 'sha1')),
    ),
  ]
}

const BASE64_KEY = 'g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8='
const BASE64_BYTES = Buffer.from(BASE64_KEY, 'base64url')

function ofMediaCdn(): readonly Case[] {
  const link = (token: string, signature: string) => `https://media.example/v/a.ts?hdnts=${token}~hmac=${signature}`
  const full = `FullPath~Expires=${END}`
  const prefix = Buffer.from('https://media.example/v/').toString('base64url')
  return [
    wrong('secret_base64_not_decoded', link(full, hex(BASE64_KEY, full.replace('FullPath', 'FullPath=/v/a.ts')))),
    wrong('full_path', link(full, hex(BASE64_BYTES, full))),
    wrong('whole_url', link(full, hex(BASE64_BYTES, full.replace('FullPath', 'FullPath=https://media.example/v/a.ts')))),
    wrong(
      'field_not_encoded',
      link(`URLPrefix=${prefix}~Expires=${END}`, hex(BASE64_BYTES, `URLPrefix=https://media.example/v/~Expires=${END}`)),
    ),
    wrong(
      'header_values',
      link(`PathGlobs=/v/*~Expires=${END}~Headers=x-app`, hex(BASE64_BYTES, `PathGlobs=/v/*~Expires=${END}~Headers=x-app`)),
      {
        headers: { 'x-app': 'player' },
      },
    ),
    wrong('option', link(`PathGlobs=/v/*~Expires=${END}`, hex(BASE64_BYTES, `PathGlobs=/v/*~Expires=${END}`, 'sha1')), {
      make: [mediaCdn, { secret: BASE64_KEY }],
    }),
  ]
}

const NAMED = { id: 'my-key', secret: 'nZtRohdNF9m3cKM24IcK4w==' }
const NAMED_BYTES = Buffer.from(NAMED.secret, 'base64')

function ofCloudCdn(): readonly Case[] {
  const fields = `Expires=${END}&KeyName=my-key`
  const url = `https://cdn.example/v/a.ts?${fields}`
  const link = (url: string, key: Key, text: string, hash = 'sha1') => `${url}&Signature=${base64url(key, text, hash)}=`
  const prefixed = `URLPrefix=${Buffer.from('https://cdn.example/v/').toString('base64url')}&${fields}`
  return [
    wrong('secret_base64_not_decoded', link(url, NAMED.secret, url)),
    wrong('path_for_url', link(url, NAMED_BYTES, `/v/a.ts?${fields}`)),
    wrong('http_for_https', link(url.replace('https:', 'http:'), NAMED_BYTES, url)),
    wrong('fields_left_out', link(url, NAMED_BYTES, `https://cdn.example/v/a.ts?Expires=${END}`)),
    wrong('fields_left_out', link(url, NAMED_BYTES, 'https://cdn.example/v/a.ts')),
    wrong('prefix_or_url', link(`https://cdn.example/v/a.ts?${prefixed}`, NAMED_BYTES, `https://cdn.example/v/a.ts?${prefixed}`)),
    wrong('secret_id', link(url, 'my-key', url)),
  ]
}

const BUNNY_KEY = 'made-up-0123-4567-89ab-cdefmadeup00'

function ofBunny(): readonly Case[] {
  const url = (token: string, more = '') => `https://z.b-cdn.net/v/a.ts?token=${token}${more}&expires=${END}`
  const link = (text: string, more?: string) => url(`HS256-${base64url(BUNNY_KEY, text)}`, more)
  const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
  return [
    wrong('field_order', link(`${END}/v/a.ts`)),
    wrong('plain_hash', url(`HS256-${sha256(`${BUNNY_KEY}/v/a.ts${END}`)}`)),
    wrong('query_left_out', link(`/v/a.ts${END}`, '&a=1&b=2')),
    wrong('query_left_out', link(`/v/a.ts${END}b=2&a=1`, '&a=1&b=2')),
    wrong('query_left_out', link(`/v/a.ts${END}countries=a%2Cb`, '&countries=a%2Cb')),
    wrong('token_path', link(`/v/a.ts${END}token_path=/v/`, '&token_path=%2Fv%2F')),
    wrong('token_path', link(`/v/${END}`, '&token_path=%2Fv%2F')),
    wrong('whole_url', link(`https://z.b-cdn.net/v/a.ts${END}`)),
    wrong('option', url(sha256(`${BUNNY_KEY}/v/a.ts${END}`)), { make: [bunny, { secret: BUNNY_KEY }] }),
    wrong('parameter_form', url(sha256(`${BUNNY_KEY}/v/a.ts${END}`))),
  ]
}

function ofOldBunny(): readonly Case[] {
  const url = (token: string) => `https://z.b-cdn.net/v/a.ts?token=${token}&expires=${END}`
  const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
  return [
    wrong('hmac_for_hash', url(base64url(BUNNY_KEY, `/v/a.ts${END}`))),
    wrong('field_order', url(sha256(`/v/a.ts${END}${BUNNY_KEY}`))),
    wrong('field_order', url(sha256(`${BUNNY_KEY}${END}/v/a.ts`))),
  ]
}

const RULE_KEY = 'a made-up key of the rule'
const ISSUED = END - 10_800

function ofCloudflare(): readonly Case[] {
  const url = (signature: string, path = '/v/a.ts') => `https://dl.example${path}?verify=${ISSUED}-${signature}`
  const link = (text: string, hash?: string) => url(encodeURIComponent(mac(RULE_KEY, text, hash).toString('base64')))
  const plus = ['/a', '/b', '/c', '/d', '/e', '/f', '/g', '/h'].find((path) =>
    mac(RULE_KEY, path + ISSUED)
      .toString('base64')
      .includes('+'),
  ) as string
  return [
    wrong('field_order', link(`/v/a.ts@${ISSUED}`)),
    wrong('field_order', link(`${ISSUED}/v/a.ts`)),
    wrong('whole_url', link(`https://dl.example/v/a.ts${ISSUED}`)),
    wrong('whole_url', link(`dl.example/v/a.ts${ISSUED}`)),
    wrong('signature_plus', url(mac(RULE_KEY, plus + ISSUED).toString('base64'), plus)),
    wrong('option', url(base64url(RULE_KEY, `/v/a.ts${ISSUED}`)), { make: [cloudflare, { secret: RULE_KEY }, { maxAge: '3h' }] }),
    wrong('query_in_path', link(`/v/a.ts?q=1${ISSUED}`).replace('?', '?q=1&')),
  ]
}

function ofImages(): readonly Case[] {
  const path = '/cheeW4oKsx5ljh8e8BoL2A/bc27a117/mobile'
  const link = (text: string) => `https://imagedelivery.net${path}?exp=${END}&sig=${hex(RULE_KEY, text)}`
  return [
    wrong('expiry_left_out', link(path)),
    wrong('field_order', link(`bc27a117mobile${END}`)),
    wrong('whole_url', link(`https://imagedelivery.net${path}?exp=${END}`)),
    wrong('text_line_break', link(`${path}?exp=${END}\n`)),
  ]
}

const APP_KEY = 'base64:hL6yrMlQmZLd8VRkHGYTZ5b3tEnVNsTkqBzm0XCKWbY='

function ofLaravel(): readonly Case[] {
  const url = `https://app.example/u/7?expires=${END}&to=news`
  const link = (url: string, key: Key, text: string) => `${url}&signature=${hex(key, text)}`
  return [
    wrong('app_key', link(url, Buffer.from(APP_KEY.slice(7), 'base64'), url)),
    wrong('app_key', link(url, APP_KEY.slice(7), url)),
    wrong('http_for_https', link(url.replace('https:', 'http:'), APP_KEY, url)),
    wrong('path_for_url', link(url, APP_KEY, `/u/7?expires=${END}&to=news`)),
    wrong('expiry_left_out', link(url, APP_KEY, 'https://app.example/u/7?to=news')),
    wrong('query_not_sorted', link(`https://app.example/u/7?to=news&expires=${END}`, APP_KEY, url)),
    wrong('query_left_out', link(url, APP_KEY, 'https://app.example/u/7')),
    wrong('added_parameters', `${link(url, APP_KEY, url)}&utm_source=mail`),
  ]
}

const APP_SECRET = '0123456789abcdef0123456789abcdef'

function ofSymfony(): readonly Case[] {
  const link = (query: string, text: string, key: Key = APP_SECRET) =>
    `https://app.example/d?${query}&_hash=${encodeURIComponent(mac(key, text).toString('base64'))}`
  const expiry = `_expiration=${END}`
  return [
    wrong('query_not_sorted', link(`z=1&a=2&${expiry}`, `https://app.example/d?z=1&a=2&${expiry}`)),
    wrong('query_not_sorted', link(`a=2&${expiry}`, `https://app.example/d?a=2&${expiry}`)),
    wrong('space_encoding', link(`${expiry}&q=a+b`, `https://app.example/d?${expiry}&q=a%20b`)),
    wrong('path_for_url', link(`${expiry}&q=1`, `/d?${expiry}&q=1`)),
    wrong('expiry_left_out', link(`${expiry}&q=1`, 'https://app.example/d?q=1')),
    wrong('http_for_https', link(`${expiry}&q=1`, `https://app.example/d?${expiry}&q=1`).replace('https:', 'http:')),
    wrong('secret_hex', link(`${expiry}&q=1`, `https://app.example/d?${expiry}&q=1`, Buffer.from(APP_SECRET, 'hex'))),
    wrong('signature_hex', `https://app.example/d?${expiry}&q=1&_hash=${hex(APP_SECRET, `https://app.example/d?${expiry}&q=1`)}`),
  ]
}

const JWT_SECRET = Buffer.alloc(40, 7).toString('base64')

function ofJwt(): readonly Case[] {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const [header, payload] = [part({ alg: 'HS256', typ: 'JWT' }), part({ url: 'avatars/cat.jpg', iat: END - 3600, exp: END })]
  const url = 'https://project.supabase.co/storage/v1/object/sign/avatars/cat.jpg?token='
  const link = (text: string, key: Key = JWT_SECRET, hash?: string) => `${url}${header}.${payload}.${base64url(key, text, hash)}`
  const other = part({ alg: 'HS512', typ: 'JWT' })
  return [
    wrong('secret_base64', link(`${header}.${payload}`, Buffer.alloc(40, 7))),
    wrong('jwt_parts', link(payload)),
    wrong('other_hash', link(`${header}.${payload}`, JWT_SECRET, 'sha512')),
    wrong('option', `${url}${other}.${payload}.${base64url(JWT_SECRET, `${other}.${payload}`, 'sha512')}`, {
      make: [jwt, { secret: JWT_SECRET }],
    }),
    wrong('jwt_algorithm', `${url}${other}.${payload}.${base64url(JWT_SECRET, `${other}.${payload}`, 'sha512')}`),
  ]
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = (key: typeof publicKey) => key.export({ type: 'spki', format: 'pem' }) as string
const KEY_PAIRS = [
  { id: 'K2JCJMDEHXQW5F', secret: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string },
  { id: 'KOTHER', secret: other.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string },
]
const PUBLIC_KEYS = [
  { id: 'K2JCJMDEHXQW5F', publicKey: pem(publicKey) },
  { id: 'KOTHER', publicKey: pem(other.publicKey) },
]

function ofCloudfront(): readonly Case[] {
  const resource = 'https://d1.cloudfront.net/v/a.ts'
  const policy = (resource: string) => `{"Statement":[{"Resource":"${resource}","Condition":{"DateLessThan":{"AWS:EpochTime":${END}}}}]}`
  const rsa = (text: string, hash = 'RSA-SHA1', key = privateKey) => createSign(hash).update(text).sign(key, 'base64')
  const safe = (text: string) => text.replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~')
  const link = (signature: string, more = '') => `${resource}?${more}Expires=${END}&Key-Pair-Id=K2JCJMDEHXQW5F&Signature=${signature}`
  const spaced = policy(resource).replaceAll('":', '": ').replace('"https: ', '"https:').replaceAll(',"', ', "')
  return [
    wrong('another_key', link(safe(rsa(policy(resource), 'RSA-SHA1', other.privateKey)))),
    wrong('signature_alphabet', link(encodeURIComponent(rsa(policy(resource))))),
    wrong('signature_alphabet', link(rsa(policy(resource)))),
    wrong('hash_algorithm', link(safe(rsa(policy(resource), 'RSA-SHA256')))),
    wrong('policy_spaces', link(safe(rsa(spaced)))),
    wrong('path_for_url', link(safe(rsa(policy('/v/a.ts'))))),
    wrong('http_for_https', link(safe(rsa(policy(resource)))).replace('https:', 'http:')),
    wrong('query_left_out', link(safe(rsa(policy(resource))), 'size=large&')),
  ]
}

const SCHEMES: readonly { scheme: Scheme; cases: readonly Case[] }[] = [
  { scheme: akamai({ secret: HEX_KEY }), cases: ofAkamai() },
  { scheme: mediaCdn({ secret: BASE64_KEY }), cases: ofMediaCdn() },
  { scheme: cloudCdn(NAMED), cases: ofCloudCdn() },
  { scheme: bunny({ secret: BUNNY_KEY }), cases: ofBunny() },
  { scheme: bunny({ secret: BUNNY_KEY }, { algorithm: 'sha256' }), cases: ofOldBunny() },
  { scheme: cloudflare({ secret: RULE_KEY }, { maxAge: '3h' }), cases: ofCloudflare() },
  { scheme: cloudflareImages({ secret: RULE_KEY }), cases: ofImages() },
  { scheme: laravel({ secret: APP_KEY }), cases: ofLaravel() },
  { scheme: symfony({ secret: APP_SECRET }), cases: ofSymfony() },
  { scheme: jwt({ secret: JWT_SECRET }), cases: ofJwt() },
  { scheme: cloudfront(KEY_PAIRS), cases: ofCloudfront() },
  { scheme: cloudfront(PUBLIC_KEYS), cases: ofCloudfront() },
]

describe.each(SCHEMES.map((one, at) => ({ ...one, title: `${at} ${one.scheme.name}` })))('$title', ({ scheme, cases }) => {
  test.each(cases.map((one, at) => ({ ...one, at })))('$at $code', async ({ code, link, options }) => {
    const { mistakes, verdict } = await explain(scheme, link, { now, ...options })
    expect(verdict.ok).toBe(false)
    expect(mistakes[0]?.code, JSON.stringify(mistakes)).toBe(code)
  })

  test('a random signature gets no mistake', async () => {
    // Hex stays hex, and base64 stays base64.
    const link = cases.find(({ code }) => !['parameter_form', 'jwt_algorithm', 'option'].includes(code))?.link as string
    for (const seed of [1, 2, 3]) {
      const noise = createHash('sha512').update(`${seed}`).digest('hex')
      const forged = link.replace(
        /(?<=(?:hmac=|ignature=|sig=|HS256-|[?]token=(?!HS256|[^&]*\.)|token=[^.]*\.[^.]*\.|_hash=|verify=\d+-))[^&=]{12}/,
        noise.slice(0, 12),
      )
      expect(forged).not.toBe(link)
      const { mistakes, verdict, tried } = await explain(scheme, forged, { now })
      if (verdict.reason !== 'malformed') expect(mistakes).toEqual([])
      expect(tried).toBeLessThanOrEqual(5000)
    }
  })
})
