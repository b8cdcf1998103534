// The lifetime of links, in every scheme: a duration counts from the present second, and no link outlives the key that signed it.
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, type Scheme, type SecretKey, sign } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { alibabaCdn } from '../../src/schemes/alibaba-cdn.ts'
import { azure } from '../../src/schemes/azure.ts'
import { cloudflare } from '../../src/schemes/cloudflare.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { jwt } from '../../src/schemes/jwt.ts'
import { mediaCdn } from '../../src/schemes/media-cdn.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { s3v2 } from '../../src/schemes/s3v2.ts'
import { tencentCdn } from '../../src/schemes/tencent-cdn.ts'
import { tencentCos } from '../../src/schemes/tencent-cos.ts'
import { type Entry, schemes, type Vector } from '../conformance/vectors/index.ts'

const NOW = 1_893_456_000
const HOUR = 3600
/** Instants of one second, in milliseconds. */
const INSTANTS = [0, 1, 500, 999]

interface Sample {
  readonly name: string
  readonly vector: Vector
  readonly url: string
  readonly conditions: Readonly<Record<string, unknown>>
  /** In milliseconds since 1970, at the beginning of a second. */
  readonly present: number
  /** The scheme, with other dates of its first key. */
  make(dates?: Pick<SecretKey, 'expires'>): Scheme
}

/** The URL and conditions of every vector that is signed. */
function* samplesOf({ make, vectors }: Entry): Generator<Sample> {
  for (const { keys, options, inspectOnly, tests } of vectors.testGroups) {
    if (inspectOnly) continue
    for (const vector of tests) {
      const { url, conditions, signedAt } = vector
      if (url === undefined || !conditions || !signedAt || conditions.expires === 'never') continue
      const { expires: _, starts: __, ...others } = conditions as Readonly<Record<string, unknown>> & { expires: string; starts?: string }
      yield {
        name: vectors.scheme,
        vector,
        url,
        // A link of some uses would get a random id.
        conditions: others['uses'] && !others['id'] ? { ...others, id: 'x' } : others,
        present: Math.floor(Date.parse(signedAt) / 1000) * 1000,
        make: (dates) => make({ ...withoutDates(keys[0] ?? {}), ...dates }, options),
      }
    }
  }
}

const withoutDates = ({ starts: _, expires: __, ...key }: object & { starts?: unknown; expires?: unknown }) => key

/** The link, or `undefined` if the conditions do not fit the lifetime or the key. */
async function linkOf(scheme: Scheme, { url, conditions }: Sample, expires: unknown, present: number): Promise<string | undefined> {
  try {
    return await sign(scheme, url, { ...conditions, expires } as never, { now: () => new Date(present) })
  } catch (error) {
    if (error instanceof LinkError) return undefined
    throw error
  }
}

const shownBy = (scheme: Scheme, link: string): number | undefined => {
  const expires = inspect(scheme, link.replace(/#.*/, ''))?.unverified.expires
  return expires && +expires
}

describe.each(schemes.filter((entry) => [...samplesOf(entry)].length > 0))('$vectors.scheme', (entry) => {
  test('a duration gives the same link in all of a second', async () => {
    let links = 0
    for (const sample of samplesOf(entry)) {
      const scheme = sample.make()
      const made = await Promise.all(INSTANTS.map((later) => linkOf(scheme, sample, '1h', sample.present + later)))
      expect(new Set(made).size, sample.vector.comment).toBe(1)
      if (made[0]) links++
    }
    expect(links).toBeGreaterThan(0)
  })

  test('no link shows an expiry after the end of its key', async () => {
    let links = 0
    for (const sample of samplesOf(entry)) {
      for (const [instant, lasts] of [
        [0, 600_000],
        [500, 601_999],
        [999, 1001],
        [0, 90_500],
        [30_001, 60_000],
      ] as const) {
        const end = sample.present + lasts
        const scheme = sample.make({ expires: new Date(end) })
        const link = await linkOf(scheme, sample, '1h', sample.present + instant)
        const shown = link && shownBy(scheme, link)
        if (!shown) continue
        links++
        expect(shown, `${sample.vector.comment}: ${link}`).toBeLessThanOrEqual(end)
        expect(shown).toBeGreaterThan(sample.present + instant)
      }
    }
    if (entry.vectors.scheme !== 'cloudflare') expect(links).toBeGreaterThan(0)
  })
})

describe("'1h' is 3,600 seconds in what a link shows", () => {
  const secret = 'aabbccddeeff00112233445566778899'
  const key = { id: 'a', secret }
  const hour = { maxAge: '1h' } as const
  const bucket = 'https://bucket.oss-cn-hangzhou.aliyuncs.com/a.txt'
  test.each<[name: string, scheme: unknown, url: string, shown: string]>([
    ['s3', s3(key), 'https://bucket.s3.eu-central-1.amazonaws.com/a.txt', 'X-Amz-Date=20300101T000000Z&X-Amz-Expires=3600&'],
    ['gcs', gcs(key), 'https://storage.googleapis.com/bucket/a.txt', 'X-Goog-Date=20300101T000000Z&X-Goog-Expires=3600&'],
    ['oss-v4', ossV4(key), bucket, 'x-oss-expires=3600'],
    [
      'tencent-cos',
      tencentCos(key),
      'https://bucket-1250000000.cos.ap-beijing.myqcloud.com/a.txt',
      `q-sign-time=${NOW};${NOW + HOUR}&q-key-time=${NOW};${NOW + HOUR}&`,
    ],
    [
      'azure',
      azure({ id: 'account', secret: btoa(secret) }),
      'https://account.blob.core.windows.net/c/a.txt',
      'se=2030-01-01T01%3A00%3A00Z',
    ],
    ['cloudflare', cloudflare(key, hour), '/a.txt', `verify=${NOW}-`],
    ['alibaba-cdn, type A', alibabaCdn(key, hour), '/a.txt', `auth_key=${NOW}-`],
    ['alibaba-cdn, type B', alibabaCdn(key, { ...hour, type: 'B' }), '/a.txt', '/203001010800/'],
    ['alibaba-cdn, type C', alibabaCdn(key, { ...hour, type: 'C' }), '/a.txt', `/${NOW.toString(16).toUpperCase()}/`],
    ['tencent-cdn, type A', tencentCdn(key, hour), '/a.txt', `sign=${NOW}-`],
    ['tencent-cdn, type D', tencentCdn(key, { ...hour, type: 'D' }), '/a.txt', `t=${NOW}`],
    ['akamai', akamai({ secret }), '/a.txt', `exp=${NOW + HOUR}~`],
    ['media-cdn', mediaCdn({ id: 'keys', secret }), '/a.txt', `Expires=${NOW + HOUR}`],
    ['nginx-hmac', nginxHmac(key), '/a.txt', `ts=${NOW}&e=3600`],
  ])('%s', async (_name, scheme, url, shown) => {
    for (const later of INSTANTS)
      expect(await sign(scheme as Scheme, url, { expires: '1h' }, { now: () => new Date(NOW * 1000 + later) })).toContain(shown)
  })

  test('jwt', async () => {
    for (const later of INSTANTS) {
      const link = await sign(jwt(key), '/storage/v1/object/sign/a/b', { expires: '1h' }, { now: () => new Date(NOW * 1000 + later) })
      expect(inspect(jwt(key), link)?.unverified.data).toMatchObject({ iat: NOW, exp: NOW + HOUR })
    }
  })
})

test.each([
  ['the SDKs', 'expiration'],
  ['STS of Amazon and of Alibaba', 'Expiration'],
  ['COS', 'expiredTime'],
  ['OBS', 'expires_at'],
  ['a typing error', 'expiry'],
])('the end of a session, by the name of %s, is refused with the right name', (_whose, name) => {
  const key = { id: 'a', secret: 'b', sessionToken: 'c', [name]: '2030-01-01T01:00:00Z' }
  for (const make of [s3, gcs, ossV4, s3v2, tencentCos] as unknown as ((key: unknown) => Scheme)[])
    expect(() => make(key)).toThrow(
      expect.objectContaining({
        option: name,
        message: `${name} must be given as the key's expires, a Date: { expires: credentials.${name} }`,
      }),
    )
})

test('the end of a session as text is refused, because a link would not end with it', () => {
  const key = { id: 'a', secret: 'b', sessionToken: 'c', expires: '2030-01-01T01:00:00Z' as unknown as Date }
  for (const make of [s3, ossV4, s3v2, tencentCos] as unknown as ((key: unknown) => Scheme)[])
    expect(() => make(key)).toThrow('expires must be a valid Date')
})

describe('a time of minutes', () => {
  const at = (seconds: number) => ({ now: () => new Date((NOW + seconds) * 1000) })
  const ending = (seconds: number) => alibabaCdn({ secret: 'a', expires: new Date((NOW + seconds) * 1000) }, { maxAge: '30m', type: 'B' })

  test('is rounded up, or down if the link would outlive its key', async () => {
    const expiryOf = async (seconds: number, keyEnd: number) => {
      const links = ending(keyEnd)
      return (shownBy(links as unknown as Scheme, await sign(links, '/a', { expires: `${seconds}s` }, at(0))) as number) / 1000 - NOW
    }
    expect(await expiryOf(90, 600)).toBe(120)
    expect(await expiryOf(90, 120)).toBe(120)
    expect(await expiryOf(90, 119)).toBe(60)
    expect(await expiryOf(900, 610)).toBe(600)
  })

  test('a key that ends before the next minute signs nothing', async () => {
    await expect(sign(ending(59), '/a', { expires: '1h' }, at(0))).rejects.toMatchObject({ code: 'bad_option', option: 'keys' })
    await expect(sign(ending(119), '/a', { expires: '1h' }, at(60))).rejects.toMatchObject({ code: 'bad_option', option: 'keys' })
  })
})
