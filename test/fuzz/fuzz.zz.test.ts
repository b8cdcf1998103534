// Two fuzzers. One sends ten thousand random texts to everything that reads requests: nothing throws, and no text is accepted. The other one changes
// links by their structure, and asks an oracle about each verdict; test/fuzz/run.mjs runs it for longer.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { guard } from '../../src/guard.ts'
import { anyOf, hmac, inspect, redeem, type Scheme, sign, type Visited, verify } from '../../src/index.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { fuzz } from '../fuzz/fuzz.ts'
import { fault } from '../fuzz/oracle.ts'
import { type Issued, type Key, type Profile, signer, type Visit } from '../fuzz/profile.ts'
import { FROM_VECTORS, PROFILES, VERIFIERS, WRITTEN } from '../fuzz/profiles.ts'
import { targetOf } from '../fuzz/readings.ts'

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261122)

const NOW = new Date('2030-01-01T00:00:00Z')
const LATER = new Date('2031-01-01T00:00:00Z')
const now = (): Date => NOW
const keys = [{ id: 'a', secret: '0123456789abcdef0123456789abcdef' }, { secret: 'another secret that is 32 bytes long' }]

const query = hmac(keys)
const inPath = hmac(keys, { placement: 'path', purpose: 'x', ignore: ['utm_*'] })
const renamed = hmac(keys, { origin: true, parameters: { expires: 'e', signature: 's', id: 'i' }, ignore: ['*'] })
const images = pichax({ id: 'a', secret: 'b' })
const bucket = s3({ id: 'a', secret: 'b' })
const google = gcs({ id: 'a', secret: 'b' })
const schemes: readonly Scheme[] = [
  query,
  inPath,
  renamed,
  images,
  bucket,
  google,
  anyOf(query, images, anyOf(inPath, renamed)),
  hmac(keys[1] ?? []),
]

const store = memoryStore({ now })
const guards = schemes.map((scheme) => guard(scheme, () => new Response('in'), { now, store }))

/** Shows a text to everything; it must be refused by all. */
async function refused(text: string, visited: Visited = text): Promise<void> {
  for (const [i, scheme] of schemes.entries()) {
    const verdicts = await Promise.all([verify(scheme, visited, { now }), redeem(scheme, visited, { now, store })])
    for (const { ok, status, reason } of verdicts) {
      if (ok || !reason || !(status >= 400)) throw new Error(`${scheme.name} accepts ${JSON.stringify(text)}`)
    }
    const says = inspect(scheme, text)
    if (says?.unverified.expires && Number.isNaN(+says.unverified.expires))
      throw new Error(`${scheme.name} reads no date in ${JSON.stringify(text)}`)
    // A server can pass requests that `new Request()` refuses.
    const request = visited instanceof Request ? visited : ({ url: text, method: 'GET', headers: new Headers() } as Request)
    const response = await guards[i]?.(request)
    if (!response || response.status < 400) throw new Error(`${scheme.name} lets in ${JSON.stringify(text)}`)
  }
}

const signature = 'A'.repeat(43)
const hex = '0'.repeat(64)
const presigned = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20300101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20300101T000000Z&X-Amz-Expires=9&X-Amz-SignedHeaders=host&X-Amz-Signature=${hex}`
// Pieces of links, and text that breaks parsers.
const token = fc.constantFrom(
  ...[
    '/',
    '//',
    '?',
    '&',
    '=',
    '#',
    ',',
    '%',
    '%%',
    '%2F',
    '%zz',
    '%C3',
    '%00',
    '%ff',
    '~',
    '~2F',
    '~zz',
    '+',
    ' ',
    '..',
    '/../',
    '\\',
    '@',
    ':',
    '.',
  ],
  ...[
    '\0',
    '\n',
    '\t',
    '\r\n',
    '\u007f',
    '\u2028',
    '\ufeff',
    '\ud800',
    '\udc00',
    '😀',
    'ä',
    'e\u0301',
    '\u202e',
    '\uffff',
    '__proto__',
    'constructor',
  ],
  ...[
    'https://',
    'http://h',
    'https://u:p@h/',
    'javascript:',
    'data:,',
    '//h/x',
    'file:///',
    'a',
    '0',
    '-1',
    '1e9',
    '1.5',
    '1900000000',
    '99999999999',
  ],
  ...[
    'expires=',
    'e=',
    'signature=',
    's=',
    'key=',
    'key=a',
    'id=',
    'i=',
    'uses=1',
    'net=24',
    'net=999',
    'starts=',
    'method=GET',
    'prefix=/',
    'utm_x=',
  ],
  ...[
    '/expires=',
    'expires=1900000000',
    '&expires=1900000000',
    ',expires=1900000000',
    `signature=${signature}`,
    `&s=${signature}`,
    `&signature=${hex}`,
  ],
  ...[
    `/expires=1900000000,signature=${signature}/`,
    `?expires=1900000000&signature=${signature}`,
    `?id=x&expires=1900000000&key=a&signature=${hex}`,
  ],
  ...[
    `?${presigned}`,
    presigned,
    presigned.replaceAll('X-Amz', 'X-Goog').replace('AWS4', 'GOOG4').replace('%2Fs3%2Faws4', '%2Fstorage%2Fgoog4'),
    presigned.replace('SignedHeaders=host', 'SignedHeaders=host%3Ba%20b%3B%0A'),
    presigned.replace('SignedHeaders=host', `SignedHeaders=host${'%3Bconstructor%3B__proto__%3Baccept'.repeat(50)}`),
    'X-Amz-Algorithm=',
    'X-Amz-Signature=%',
    '&X-Amz-Date=20300101T000000Z',
    '&X-Amz-Expires=',
    'X-Amz-Credential=a%2F',
  ],
  ...[`expires=1900000000&uses=1&id=\ud800&signature=${signature}`, `expires=1900000000&id=%ED%A0%80&signature=${signature}`],
)
const tokens = fc.array(token, { maxLength: 20 }).map((all) => all.join(''))
const strings = fc.oneof(
  { weight: 3, arbitrary: tokens },
  { weight: 3, arbitrary: tokens.map((text) => `/${text}`) },
  { weight: 2, arbitrary: fc.tuple(tokens, tokens).map(([path, query]) => `/${path}?expires=1900000000&${query}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('/', '/a?', ''), fc.string({ unit: 'binary-ascii' })).map((both) => both.join('')) },
)

const long = [
  '&',
  '%',
  '=',
  '?',
  '/',
  '/..',
  ',',
  '~',
  '+',
  '#',
  '\ud800',
  '😀',
  '%41',
  '%C3',
  'a=b&',
  'expires=1&',
  'key=a&',
  '/expires=1,',
  ':',
  '[',
  '@',
]

describe(`fuzz, SEED=${seed}`, () => {
  test('ten thousand random texts', { timeout: 120_000 }, async () => {
    const batch = fc.array(strings, { minLength: 20, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(batch, async (batch) => void (await Promise.all(batch.map((text) => refused(text))))),
      { numRuns: 7500, endOnFailure: true },
    )
  })

  test('very long texts', { timeout: 120_000 }, async () => {
    for (const piece of long) {
      for (const size of [16_000, 16_384, 100_000]) {
        const text = piece.repeat(Math.ceil(size / piece.length)).slice(0, size)
        for (const whole of [text, `/${text}`, `/a?${text}`, `/a?expires=1900000000&signature=${signature}&${text}`]) await refused(whole)
      }
    }
  })

  test('links that are cut off, at either end, and links with something in their signature', { timeout: 120_000 }, async () => {
    const links = await Promise.all([
      sign(query, '/a/b?c=d', { expires: LATER }, { now }),
      sign(query, '/a/b?c=d', { expires: LATER, uses: 1, method: 'GET', prefix: '/a' }, { now }),
      sign(query, '/a', { expires: LATER, ip: '203.0.113.0/24' }, { now }),
      sign(inPath, '/a', { expires: LATER, id: 'ä/😀' }, { now }),
      sign(renamed, 'https://files.test/a?b', { expires: LATER }, { now }),
      sign(images, '/a?src=b', { expires: LATER, id: 'user 42' }, { now }),
    ])
    for (const link of links) {
      for (let at = 1; at < link.length; at++) {
        await refused(link.slice(0, -at))
        await refused(link.slice(at))
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...links), token, fc.nat(40), async (link, token, at) => {
        // Behind the tenth character of the signature.
        const start = link.search(/\b(signature|s)=/) + 20
        await refused(link.slice(0, start + (at % 20)) + token + link.slice(start + (at % 20)))
      }),
      { numRuns: 30000 },
    )
  })

  test('as URL and as Request, where they can be made', { timeout: 120_000 }, async () => {
    let made = 0
    await fc.assert(
      fc.asyncProperty(strings, async (text) => {
        if (!URL.canParse(text, 'https://files.test')) return
        made++
        const url = new URL(text, 'https://files.test')
        await refused(url.href, url)
        if (/^https?:/.test(url.protocol) && !url.username && !url.password) await refused(url.href, new Request(url))
      }),
      { numRuns: 15000 },
    )
    expect(made).toBeGreaterThan(500)
  })
})

describe(`changed links, SEED=${seed}`, () => {
  test('every accepted request is explained by the grant of its signature: 20,000 requests of all schemes', {
    timeout: 120_000,
  }, async () => {
    const report = await fuzz({ seed, inputs: 20_000, profiles: WRITTEN, examples: 1 })
    expect([...report.kinds.keys()], JSON.stringify(report.findings[0], null, 1)).toEqual([])
    // A fuzzer whose links are all refused would find nothing.
    expect(report.accepted).toBeGreaterThan(2000)
    expect(report.trusted).toBeGreaterThan(400)
    for (const { label } of WRITTEN) expect([label, report.byProfile.get(label)?.accepted]).not.toEqual([label, undefined])
  })

  // A few requests each, so that a new scheme is covered from its vectors. test/fuzz/run.mjs runs more.
  test.each(FROM_VECTORS.map((profile) => [profile.label, profile] as const))('%s', async (label, profile) => {
    const report = await fuzz({ seed, inputs: 320, profiles: [profile], examples: 1 })
    expect([...report.kinds.keys()], JSON.stringify(report.findings[0], null, 1)).toEqual([])
    expect(report.byProfile.get(label)?.accepted).toBeGreaterThan(0)
  })

  test('a seed makes the same requests again', async () => {
    const [one, two] = [await fuzz({ seed: 7, inputs: 2000, examples: 0 }), await fuzz({ seed: 7, inputs: 2000, examples: 0 })]
    expect([two.accepted, two.trusted, two.signed]).toEqual([one.accepted, one.trusted, one.signed])
  })
})

test('an unknown word in covers is named', async () => {
  const pichaxProfile = PROFILES.find(({ label }) => label === 'pichax alone') as Profile
  const { scheme } = pichaxProfile
  const profile: Profile = { ...pichaxProfile, scheme: { ...scheme, covers: [...scheme.covers, 'weather' as 'path'] } }
  const verifier = { label: 'weather', scheme: profile.scheme, members: [profile] }
  const link = await sign(scheme, '/a', { expires: LATER, id: 'x' } as never, { now })
  const target = targetOf(link)
  const signature = profile.signatureOf(target)
  const conditions = { expires: LATER, id: 'x' }
  const issued: Issued = { profile, url: '/a', conditions, link, target, signature, key: profile.ring[0] as Key, end: +LATER }
  const request: Visit = { url: link, target, method: 'GET', ip: undefined, headers: {}, now: +NOW, tolerance: 0 }
  expect(fault(await verify(scheme, link, { now }), verifier, request, [issued])).toBe("covers: the oracle has no check for 'weather'")
})

test('the key that signs, and the end of its link', () => {
  const early = { secret: 'a', expires: new Date(+NOW + 10_500) }
  const later = { secret: 'b', starts: new Date(+NOW + 1) }
  const longer = { secret: 'c', expires: new Date(+NOW + 60_000) }
  const asked = (seconds: number) => ({ expires: new Date(+NOW + seconds * 1000) })
  expect(signer([early, later, longer], asked(10), +NOW)).toEqual({ key: early, end: +NOW + 10_000 })
  expect(signer([early, later, longer], asked(11), +NOW)).toEqual({ key: longer, end: +NOW + 11_000 })
  expect(signer([early, later, longer], asked(61), +NOW)).toEqual({ key: early, end: +NOW + 10_000 })
  expect(signer([early, later, longer], { expires: 'never' }, +NOW)).toEqual({ key: early, end: +NOW + 10_000 })
  expect(signer([{ secret: 'd' }], { expires: 'never' }, +NOW)).toEqual({ key: { secret: 'd' }, end: 99_999_999_999_000 })
  expect(signer([later], asked(10), +NOW)).toBe(undefined)
})

describe('the oracle names the field of a verdict that no grant explains', async () => {
  const profile = PROFILES.find(({ label }) => label === 'hmac origin') as (typeof PROFILES)[number]
  const verifier = VERIFIERS.find(({ members }) => members[0] === profile && members.length === 1) as (typeof VERIFIERS)[number]
  const conditions = { expires: LATER, method: 'PUT', ip: '203.0.113.0/24', starts: NOW }
  const link = await sign(profile.scheme, 'https://files.test/a/b?c=d', conditions as never, { now })
  const target = targetOf(link)
  const issued: Issued = {
    profile,
    url: 'https://files.test/a/b?c=d',
    conditions,
    link,
    target,
    signature: profile.signatureOf(target),
    key: profile.ring[0] as Key,
    end: +LATER,
  }
  const granted: Visit = { url: link, target, method: 'PUT', ip: '203.0.113.9', headers: {}, now: +NOW, tolerance: 0 }
  const verdict = await verify(profile.scheme, link, { now, method: 'PUT', ip: '203.0.113.9' })
  const at = (from: string, to: string): Partial<Visit> => ({ url: link.replace(from, to), target: targetOf(link.replace(from, to)) })

  test.each<[string, Partial<Visit>]>([
    ['nothing', {}],
    ['path (segments)', at('/a/b', '/a/c')],
    ['path (segments)', at('/a/b', '/a%2Fb')],
    ['query (form)', at('c=d', 'c=e')],
    ['query (form)', at('c=d', 'c=d&c=e')],
    ['scheme', at('https:', 'http:')],
    ['host', at('files.test', 'files.test:8443')],
    ['claims.resource names another host', at('files.test', 'evil.example')],
    ['claims.resource names another host', at('https://files.test', '')],
    ['ip', { ip: '203.0.114.9' }],
    ['ip', { ip: undefined }],
    ['method', { method: 'GET' }],
    ['early', { now: +NOW - 1 }],
    ['expires: it is over', { now: +LATER }],
    ['signature: no grant has it', at('signature=', 'signature=A')],
    ['signature: a second spelling', at(issued.signature, `%${issued.signature.charCodeAt(0).toString(16)}${issued.signature.slice(1)}`)],
    ['form: fragment', at('&key', '&key#')],
    ['form: dot segment', at('/a/b', '/x/%2e./a/b')],
    ['form: control character', at('/a/b', '/a/\tb')],
  ])('%s', (field, changes) => {
    expect(verdict.ok).toBe(true)
    const visit = { ...granted, ...changes }
    // The oracle compares signatures exactly, so one in lower case belongs to no grant.
    if (field === 'signature: no grant has it') visit.url = visit.url.replace(issued.signature, issued.signature.toLowerCase())
    expect(fault(verdict, verifier, visit, [issued]) ?? 'nothing').toBe(field)
  })

  test('claims', () => {
    if (!verdict.ok) throw new Error(verdict.reason)
    const other = (changes: object) => fault({ ...verdict, claims: { ...verdict.claims, ...changes } }, verifier, granted, [issued])
    expect(other({ expires: NOW })).toBe('claims.expires')
    expect(other({ endless: true })).toBe('claims.endless')
    expect(other({ keyId: 'b' })).toBe('claims.keyId')
    expect(other({ methods: ['GET'] })).toBe('claims.methods')
    expect(other({ resource: 'https://files.test/other' })).toBe('claims.resource path (segments)')
    expect(other({ resource: '//evil.example/a/b?c=d' })).toBe('claims.resource names another host')
    expect(other({ uses: 2 })).toBe('claims.uses')
    expect(other({ id: 'x' })).toBe('claims.id')
    expect(fault({ ok: false, reason: 'expired', status: 410, claims: verdict.claims }, verifier, granted, [issued])).toBe(
      'expired, but it is in time',
    )
    expect(fault({ ok: false, reason: 'malformed', status: 400, claims: verdict.claims } as never, verifier, granted, [issued])).toMatch(
      /claims without/,
    )
    const malformed = (parameter: string) => ({ ok: false, reason: 'malformed', status: 400, parameter }) as const
    expect(fault(malformed('expires'), verifier, granted, [issued])).toBe(undefined)
    expect(fault(malformed('weather'), verifier, granted, [issued])).toBe('verdict: its parameter')
  })

  test('a link does not outlive its key', () => {
    if (!verdict.ok) throw new Error(verdict.reason)
    const endingOn = (expires: Date) => {
      const ending: Profile = { ...profile, ring: [{ ...(profile.ring[0] as Key), expires }] }
      return fault(verdict, { ...verifier, members: [ending] }, granted, [{ ...issued, profile: ending }])
    }
    expect(endingOn(new Date(+LATER + 1))).toBe(undefined)
    expect(endingOn(NOW)).toBe('key: it is over')
    expect(endingOn(new Date(+NOW + 1))).toBe('claims.expires is later than the end of the key')
    const foreign: Profile = { ...profile, ring: [{ id: 'a', secret: 'x' }] }
    expect(fault(verdict, { ...verifier, members: [foreign] }, granted, [issued])).toBe('key: it is not on the keyring')
  })
})

/** The fault in a verdict on a request for this URL with the signature of a link, whose claims name this resource. */
async function faultOf(family: string, granted: string, resource: string, more: Partial<Visit> = {}): Promise<string> {
  const { profile, link, issued } = await issuedBy(family, granted)
  const verdict = await verify(profile.scheme, link, { now })
  if (!verdict.ok) throw new Error(verdict.reason)
  const query = link.slice(link.indexOf('?'))
  const url = targetOf(resource).origin + targetOf(resource).path + query
  const visit: Visit = { url, target: targetOf(url), method: 'GET', ip: undefined, headers: {}, now: +NOW, tolerance: 0, ...more }
  const verifier = { label: family, scheme: profile.scheme, members: [profile] }
  return fault({ ...verdict, claims: { ...verdict.claims, resource } }, verifier, visit, [issued]) ?? 'nothing'
}

test.each<[string, string]>([
  ['nothing', '/demo/%E5%9B%BE/a%20b.png?t=%C3%BC'],
  ['claims.resource path', '/demo/%E5%9B%BE/a%20c.png?t=%C3%BC'],
  ['claims.resource path', '/demo/%E5%9B%BE/x/a%20b.png?t=%C3%BC'],
  ['claims.resource path', '/demo/%E5%9B%BE%2520/a%20b.png?t=%C3%BC'],
  ['claims.resource path', '/demo/a%20b.png?t=%C3%BC'],
  ['claims.resource query', '/demo/%E5%9B%BE/a%20b.png?t=%C3%B6'],
  ['claims.resource query', '/demo/%E5%9B%BE/a%20b.png'],
])('the oracle compares a link of imagekit with its URL as clients send it: %s, %s', async (what, target) => {
  expect(await faultOf('imagekit', 'https://ik.imagekit.io/demo/图/a b.png?t=ü', `https://ik.imagekit.io${target}`)).toBe(what)
})

test.each<[string, string]>([
  ['nothing', 'https://s3.amazonaws.com/examplebucket/test.txt'],
  ['nothing', 'https://examplebucket.s3.amazonaws.com/test.txt'],
  ['nothing', 'https://examplebucket.s3.eu-west-1.amazonaws.com/test.txt'],
  ['nothing', 'http://examplebucket.s3.amazonaws.com:443/test.txt'],
  ['claims.resource path', 'https://examplebucket.s3.amazonaws.com/examplebucket/test.txt'],
  ['claims.resource path', 'https://otherbucket.s3.amazonaws.com/test.txt'],
  ['claims.resource path', 'https://s3.amazonaws.com/test.txt'],
  // The host of another vendor names no bucket of this one.
  ['nothing', 'https://examplebucket.obs.cn-north-4.myhuaweicloud.com/examplebucket/test.txt'],
  ['claims.resource path', 'https://examplebucket.obs.cn-north-4.myhuaweicloud.com/test.txt'],
  ['claims.resource path', 'https://examplebucket.s3.amazonaws.com/test.text'],
])('the oracle knows the bucket of an s3v2 link in the host and in the path: %s, %s', async (what, resource) => {
  expect(await faultOf('s3v2', 'https://s3.amazonaws.com/examplebucket/test.txt', resource)).toBe(what)
})

test('the oracle compares the header host where a scheme reads it', async () => {
  const headers = { host: 'other.example' }
  // Signed as a path, and read as a path.
  expect(await faultOf('symfony', '/a/b?x=1', '/a/b?x=1', { headers })).toBe('nothing')
  expect(await faultOf('symfony', 'https://app.example/a?x=1', '/a?x=1')).toBe('scheme')
  expect(await faultOf('gcs-rsa', 'https://storage.googleapis.com/b/a', '/b/a', { headers })).toBe('host')
})

/** A link of a profile that is made from vectors. */
async function issuedBy(family: string, url: string): Promise<{ profile: Profile; link: string; issued: Issued }> {
  const profile = FROM_VECTORS.find((each) => each.family === family) as Profile
  const expires = new Date(+NOW + 86_400_000)
  const conditions = { expires }
  const link = await sign(profile.scheme, url, conditions as never, { now })
  const target = targetOf(link)
  const key = profile.ring[0] as Key
  return { profile, link, issued: { profile, url, conditions, link, target, signature: profile.signatureOf(target), key, end: +expires } }
}
