// allOf: several tokens in one request, all of which must be valid.
import { describe, expect, test } from 'vitest'
import { allOf } from '../../src/all-of.ts'
import { guard } from '../../src/guard.ts'
import { anyOf, type Claims, hmac, inspect, LinkError, linkMemory, redeem, type Scheme, sign, verify } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { mediaCdn } from '../../src/schemes/media-cdn.ts'
import { s3v2 } from '../../src/schemes/s3v2.ts'
import { signed as signedPackage } from '../../src/schemes/signed.ts'
import { symfony } from '../../src/schemes/symfony.ts'
import { tencentCdn } from '../../src/schemes/tencent-cdn.ts'
import { tampered } from '../schemes/shared/tamper.ts'

const NOW = new Date('2026-01-01T00:00:00Z')
const at = { now: () => NOW }
const later = (seconds: number) => ({ now: () => new Date(+NOW + seconds * 1000) })
const short = akamai({ secret: 'aabbccddeeff00112233445566778899' }, { tokenName: 'hdnts' })
const long = akamai({ secret: '00112233445566778899aabbccddeeff' }, { tokenName: 'hdntl' })
const both = allOf(short, long)
const URL_ = 'https://edge.example/videos/7/main.m3u8'

/** A link with a short token for one URL, and a long one for its folder. */
async function signed(url = URL_): Promise<string> {
  return sign(long, await sign(short, url, { expires: '30s' }, at), { expires: '6h', prefix: '/videos/' }, at)
}

const reasonFor = async (link: string, options: object = at, scheme: Scheme = both) => (await verify(scheme, link, options)).reason

test('both tokens in the query', async () => {
  const link = await signed()
  expect(await verify(both, link, at)).toEqual({
    ok: true,
    scheme: 'allOf(akamai,akamai)',
    claims: { resource: '/videos/7/main.m3u8', expires: new Date('2026-01-01T00:00:30Z') },
  })
  expect(await reasonFor(link, later(30))).toBe('expired')
  // One of them alone.
  expect(await reasonFor(await sign(short, URL_, { expires: '30s' }, at))).toBe('unsigned')
  expect(await reasonFor(await sign(long, URL_, { expires: '6h', prefix: '/videos/' }, at))).toBe('unsigned')
  // One for elsewhere.
  expect(await reasonFor(link.replace('main', 'part'))).toBe('bad_signature')
  expect(await reasonFor(await sign(long, await sign(short, URL_, { expires: '30s' }, at), { expires: '6h', acl: '/audio/*' }, at))).toBe(
    'wrong_path',
  )
  expect(await reasonFor(link, { ...at, method: 'POST' })).toBe('wrong_method')
})

test('a short one in the query, a long one in a cookie', async () => {
  const link = await sign(short, `${URL_}?quality=7`, { expires: '30s' }, at)
  const folder = await sign(long, 'https://edge.example/videos/', { expires: '6h', prefix: '/videos/' }, at)
  const cookie = folder.slice(folder.indexOf('?') + 1)
  const request = new Request(link, { headers: { cookie } })
  const verdict = await verify(both, request, at)
  expect(verdict.claims?.resource).toBe('/videos/7/main.m3u8?quality=7')
  expect(await reasonFor(link)).toBe('unsigned')
  expect(await reasonFor(link, { ...at, headers: { cookie: `${cookie}0` } })).toBe('malformed')
  expect(await reasonFor(link, { ...at, headers: { cookie } })).toBeUndefined()
  expect((await verify(both, request, later(31))).reason).toBe('expired')
})

test('the dual tokens of Media CDN, with two keysets', async () => {
  const quick = mediaCdn({ secret: 'g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=' })
  const slow = mediaCdn({ secret: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' }, { tokenName: 'edge-cache-token', cookieName: 'Long' })
  const dual = allOf(quick, slow)
  const link = await sign(slow, await sign(quick, URL_, { expires: '30s' }, at), { expires: '6h', pathGlobs: '/videos/*' }, at)
  expect(await reasonFor(link, at, dual)).toBeUndefined()
  expect(await reasonFor(link, at, allOf(slow, quick))).toBeUndefined()
  expect(await reasonFor(link.replace('edge-cache-token', 'x'), at, dual)).toBe('unsigned')
  expect(await reasonFor(link, at, allOf(quick, mediaCdn({ secret: 'AAAA' }, { tokenName: 'edge-cache-token', cookieName: 'Long' })))).toBe(
    'bad_signature',
  )
})

test('schemes that sign the whole URL, in the order in which they signed', async () => {
  const inner = symfony({ secret: 'a secret' })
  const link = await sign(short, await sign(inner, `${URL_}?a=b`, { expires: '1h' }, at), { expires: '30s' }, at)
  expect(await reasonFor(link, at, allOf(inner, short))).toBeUndefined()
  expect(await reasonFor(link, at, allOf(short, inner))).toBe('bad_signature')
})

test('claims are the narrower ones', async () => {
  const starts = new Date('2025-12-31T23:59:00Z')
  const a = await sign(short, `${URL_}?a=b`, { expires: '6h', prefix: '/videos/7/', ip: '203.0.113.7', id: 'session' }, at)
  const link = await sign(long, a, { expires: '1h', prefix: '/videos/', starts, data: 'x', id: 'other' }, at)
  const { claims } = await verify(both, link, { ...at, ip: '203.0.113.7' })
  expect(claims).toEqual({
    resource: '/videos/7/main.m3u8',
    expires: new Date('2026-01-01T01:00:00Z'),
    starts,
    prefix: '/videos/7/',
    ip: '203.0.113.7',
    id: 'session',
    data: 'x',
  })
  expect(await reasonFor(link, { ...at, ip: '203.0.113.8' })).toBe('wrong_ip')
  // Each token can be revoked.
  const revoked: unknown[] = []
  const asked = { ...at, ip: '203.0.113.7', revoked: ({ id }: { id?: string }) => revoked.push(id) === 2 }
  expect(await reasonFor(link, asked)).toBe('revoked')
  expect(revoked).toEqual(['session', 'other'])
})

test('of a network and a range of addresses, the network is claimed', async () => {
  // Claims as `azure` has them for a range, and as `nginxHmac` has them for a network.
  const at203 = (ip: string) => ({ ...both, combine: undefined, parameters: [ip], carries: [], ...claiming({ ip }) }) as unknown as Scheme
  const [network, wider, range] = [at203('203.0.113.0/28'), at203('203.0.113.0/24'), at203('203.0.113.1-203.0.113.9')]
  const ipOf = async (...schemes: Scheme[]) => (await verify(allOf(...schemes), '/a', { ...at, ip: '203.0.113.7' })).claims?.ip
  expect(await ipOf(network, range)).toBe('203.0.113.0/28')
  expect(await ipOf(range, network)).toBe('203.0.113.0/28')
  expect(await ipOf(wider, network)).toBe('203.0.113.0/28')
  expect(await ipOf(network, wider)).toBe('203.0.113.0/28')
  expect(await ipOf(range, at203('203.0.113.1-203.0.113.255'))).toBe('203.0.113.1-203.0.113.9')
  expect(await ipOf(wider, at203('203.0.113.7'))).toBe('203.0.113.7')
})

let schemesSoFar = 0

/** The parts of a scheme whose links are all valid, with these claims and a signature of their own. */
function claiming(claims: Partial<Claims>): Partial<Scheme> {
  schemesSoFar += 1
  const bytes = new Uint8Array([schemesSoFar])
  const digest = () => bytes
  const signature = Buffer.from(bytes).toString('hex')
  return {
    algorithm: { digest, encoding: 'hex' },
    keys: () => [{ secret: 'x' }],
    read: (url) => ({ claims: { resource: url, expires: new Date(+NOW + 1000), ...claims }, signature, toSign: () => '' }),
  }
}

test('methods are those that both tokens open', async () => {
  const uploads = signedPackage({ secret: 'a secret of 32 bytes or more, from a vault' })
  const onePut = s3v2({ id: 'AKIAIOSFODNN7EXAMPLE', secret: 'secret' })
  const url = 'https://bucket.s3.amazonaws.com/a'
  const asUploads = { expires: '1h', method: ['PUT', 'POST'] } as const
  const asPut = { expires: '1h', method: 'PUT' } as const
  const links = [
    { scheme: allOf(uploads, onePut), link: await sign(onePut, await sign(uploads, url, asUploads, at), asPut, at) },
    { scheme: allOf(onePut, uploads), link: await sign(uploads, await sign(onePut, url, asPut, at), asUploads, at) },
  ]
  for (const { scheme, link } of links) {
    expect((await verify(scheme, link, { ...at, method: 'PUT' })).claims?.methods).toEqual(['PUT'])
    expect((await verify(scheme, link, { ...at, method: 'POST' })).ok).toBe(false)
  }
})

test.each<[first: string[] | undefined, second: string[] | undefined, both: string[] | undefined]>([
  [undefined, undefined, undefined],
  [['PUT', 'GET'], undefined, ['PUT', 'GET']],
  [undefined, ['GET'], ['GET']],
  [['GET', 'PUT'], ['GET', 'POST'], ['GET']],
  // A link for GET opens HEAD.
  [['HEAD', 'GET', 'PUT'], ['GET'], ['HEAD', 'GET']],
])('of links for %j and %j, both open %j', async (first, second, opened) => {
  const opening = (methods: string[] | undefined, parameter: string) =>
    ({ ...both, combine: undefined, carries: [], parameters: [parameter], ...claiming(methods ? { methods } : {}) }) as Scheme
  const { claims } = await verify(allOf(opening(first, 'a'), opening(second, 'b')), '/a', at)
  expect(claims?.methods).toEqual(opened)
})

test('two links that never expire are endless together, and one of them alone is not', async () => {
  const endless = { expires: new Date(99_999_999_999_000), endless: true as const }
  const claimed = async (...claims: Partial<Claims>[]) => {
    const schemes = claims.map((each, i) => ({ ...both, combine: undefined, parameters: [`${i}`], ...claiming(each) }) as Scheme)
    return (await verify(allOf(...schemes), '/a', at)).claims
  }
  expect(await claimed(endless, endless)).toEqual({ resource: '/a', ...endless })
  for (const claims of [
    [endless, {}],
    [{}, endless],
  ])
    expect(await claimed(...claims)).toEqual({ resource: '/a', expires: new Date(+NOW + 1000) })
})

test('the later start, and all signed headers, are claimed', async () => {
  const [early, late] = [new Date(+NOW - 2000), new Date(+NOW - 1000)]
  const claimed = async (...claims: Partial<Claims>[]) => {
    const schemes = claims.map((each, i) => ({ ...both, combine: undefined, parameters: [`${i}`], ...claiming(each) }) as Scheme)
    return (await verify(allOf(...schemes), '/a', at)).claims
  }
  expect((await claimed({ starts: early }, { starts: late }))?.starts).toEqual(late)
  expect((await claimed({ starts: late }, { starts: early }))?.starts).toEqual(late)
  expect((await claimed({}, { starts: early }))?.starts).toEqual(early)
  expect((await claimed({ starts: early }, {}))?.starts).toEqual(early)
  expect((await claimed({ signedHeaders: ['a', 'b'] }, { signedHeaders: ['b', 'c'] }))?.signedHeaders).toEqual(['a', 'b', 'c'])
  expect((await claimed({}, { signedHeaders: ['c'] }))?.signedHeaders).toEqual(['c'])
})

test('with guard, redeem and a memory', async () => {
  const fetch = guard(both, (_, { resource }) => new Response(resource), at)
  expect(await (await fetch(new Request(await signed()))).text()).toBe('/videos/7/main.m3u8')
  expect((await fetch(new Request(URL_))).status).toBe(403)
  const store = { take: () => Promise.reject(new Error('no link has a number of uses')) }
  expect((await redeem(both, await signed(), { ...at, store })).ok).toBe(true)
  const memory = linkMemory()
  for (const seconds of [0, 29, 30])
    expect(await reasonFor(await signed(), { ...later(seconds), memory })).toBe(seconds < 30 ? undefined : 'expired')
  expect(await reasonFor(await sign(short, URL_, { expires: '30s' }, at), { ...at, memory })).toBe('unsigned')
})

test('one changed character is refused, but in scheme and host, which Akamai does not cover, and for an empty parameter', async () => {
  const link = await signed()
  for (const { changed, at: place } of tampered(link)) {
    const verdict = await verify(both, changed, at)
    if (!verdict.ok) continue
    expect(verdict.claims.resource, changed).toBe('/videos/7/main.m3u8')
    expect(place < 'https://edge.example'.length || changed.includes('&&'), changed).toBe(true)
  }
})

test('one valid token is not accepted in place of all', async () => {
  const one = await sign(short, URL_, { expires: '30s' }, at)
  expect(inspect(both, one)).toBeUndefined()
  expect(await reasonFor(one, at, { ...both, schemes: [both, long] } as Scheme)).toBe('unsigned')
})

describe('schemes with one key', () => {
  const secret = 'g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8='

  test('one cookie is not two tokens', async () => {
    const [one, two] = [mediaCdn({ secret }, { tokenName: 'short' }), mediaCdn({ secret }, { tokenName: 'long' })]
    const link = await sign(one, URL_, { expires: '6h', pathGlobs: '/videos/*' }, at)
    const cookie = `Edge-Cache-Cookie=${link.slice(link.indexOf('?short=') + '?short='.length)}`
    expect(await verify(one, URL_, { ...at, headers: { cookie } })).toMatchObject({ ok: true })
    expect(await verify(allOf(one, two), URL_, { ...at, headers: { cookie } })).toEqual({ ok: false, reason: 'unsigned', status: 403 })
  })

  test('one token in the path is not two', async () => {
    const [one, two] = [tencentCdn({ secret }, { maxAge: '1h', type: 'B' }), tencentCdn({ secret }, { maxAge: '1h', type: 'B' })]
    const link = await sign(one, URL_, { expires: '1h' }, at)
    expect(await reasonFor(link, at, one)).toBe(undefined)
    expect(await reasonFor(link, at, allOf(one, two))).toBe('unsigned')
  })

  test('a token that is copied to a second parameter is not two', async () => {
    const [one, two] = [akamai({ secret: 'aabb' }, { tokenName: 'hdnts' }), akamai({ secret: 'aabb' }, { tokenName: 'hdntl' })]
    const link = await sign(two, URL_, { expires: '6h', prefix: '/videos/' }, at)
    const token = link.slice(link.indexOf('hdntl=') + 'hdntl='.length)
    for (const copied of [`${link}&hdnts=${token}`, `${link}&hdnts=${token.replaceAll('=', '%3D').replaceAll('~', '%7E')}`])
      expect(await reasonFor(copied, at, allOf(one, two))).toBe('unsigned')
  })
})

test('mistakes name their option', async () => {
  const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
  expect(() => allOf(short)).toThrow(/^schemes must be two or more$/)
  expect(() => allOf(short, anyOf(long))).toThrow(/^schemes must be without anyOf and allOf$/)
  for (const list of [() => anyOf(both, short), () => anyOf(long, both)])
    expect(list).toThrow(/^schemes must be without allOf: call verify\(\) with it and with the others in turn$/)
  expect(() => allOf(short, links)).toThrow(/^schemes must be without hmac, whose links can have a number of uses$/)
  expect(() => allOf(short, short)).toThrow(/^schemes must be ones that read parameters of their own$/)
  for (const schemes of [[], [short], [short, undefined], [short, short], [short, links], [short, anyOf(long, links)], [short, both]])
    expect(() => allOf(...(schemes as Scheme[])), `${schemes.length}`).toThrow(LinkError)
  await expect(sign(both, URL_, { expires: '1h' })).rejects.toMatchObject({
    code: 'bad_option',
    option: 'scheme',
    message: 'scheme must be one that signs: call sign() with each of the schemes',
  })
})
