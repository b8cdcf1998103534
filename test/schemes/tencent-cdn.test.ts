// tencentCdn: its options, random links, and changes of one character at every place of its links.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { type TencentCdnOptions, tencentCdn } from '../../src/schemes/tencent-cdn.ts'
import { randomly } from './shared/tamper.ts'
import { expectCovered, expectRefused } from './shared/timestamp-tokens.ts'

const key = { secret: 'dimtm5evg50ijsx2hvuwyfoiu65' }
const NOW = 1_893_456_000
const at = { now: () => new Date(NOW * 1000) }
const day = { maxAge: '24h' } as const

describe('wrong options', () => {
  test.each<[TencentCdnOptions, option: string]>([
    [undefined as unknown as TencentCdnOptions, 'maxAge'],
    [{ maxAge: '0s' }, 'maxAge'],
    [{ ...day, type: 'F' as 'A' }, 'type'],
    [{ ...day, type: 'constructor' as 'A' }, 'type'],
    [{ ...day, algorithm: 'sha1' as 'md5' }, 'algorithm'],
    [{ ...day, signParam: 'a-b' }, 'signParam'],
    [{ ...day, timeParam: '' }, 'timeParam'],
    [{ ...day, signParam: 't' }, 'timeParam'],
    [{ ...day, timeFormat: 'iso' as 'dec' }, 'timeFormat'],
    [{ ...day, placement: 'query' } as TencentCdnOptions, 'placement'],
  ])('%j', (options, option) => {
    expect(() => tencentCdn(key, options)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test('an expiry later than maxAge; in type B, up to the minute', async () => {
    const late = expect.objectContaining({ code: 'bad_option', option: 'expires' })
    await expect(sign(tencentCdn(key, day), '/a', { expires: '25h' }, at)).rejects.toThrow(late)
    const seven = { now: () => new Date((NOW + 7) * 1000) }
    const links = tencentCdn(key, { ...day, type: 'B' })
    expect((await verify(links, await sign(links, '/a', { expires: '24h' }, seven), seven)).claims?.expires).toEqual(
      new Date((NOW + 60 + 86_400) * 1000),
    )
    await expect(sign(links, '/a', { expires: new Date((NOW + 86_461) * 1000) }, seven)).rejects.toThrow(late)
  })
})

const random = randomly(20261127)
const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

/** The links as Tencent's pages describe them. */
function asDescribed({ type, algorithm, timeFormat }: TencentCdnOptions, path: string, query: string, time: number, rand: string): string {
  const hash = (text: string) =>
    createHash(algorithm as string)
      .update(text)
      .digest('hex')
  const minute = new Date((time + 8 * 3600) * 1000).toISOString().replace(/\D/g, '').slice(0, 12)
  const joint = query ? '&' : '?'
  if (type === 'A') return `${path}${query}${joint}sign=${time}-${rand}-0-${hash(`${path}-${time}-${rand}-0-${key.secret}`)}`
  if (type === 'B') return `/${minute}/${hash(key.secret + minute + path)}${path}${query}`
  const hex = time.toString(16)
  if (type === 'C') return `/${hash(key.secret + path + hex)}/${hex}${path}${query}`
  const written = timeFormat === 'hex' ? hex : time
  return `${path}${query}${joint}sign=${hash(`${key.secret}${path}${written}`)}&t=${written}`
}

test("300 random links are those of Tencent's pages", async () => {
  for (let i = 0; i < 300; i++) {
    const text = Array.from({ length: random() * 12 }, () => of([...'ab1-._~/()*!+,;=:@&$', '%20', '%C3%BC', '%2F'])).join('')
    const path = `/p${text.replace(/\/\./g, '/')}`
    const query = of(['', '?w=1', '?w=1&h='])
    const options = {
      maxAge: '1h',
      type: of(['A', 'B', 'C', 'D'] as const),
      algorithm: of(['md5', 'sha256'] as const),
      timeFormat: of(['dec', 'hex'] as const),
    } as const
    const rand = of(['0', 'im1acp76sx9sdqe601v'])
    const time = NOW - Math.floor(random() * 59) * 60
    const links = tencentCdn(key, options)
    const link = asDescribed(options, path, query, time, rand)
    const conditions = { expires: new Date((time + 3600) * 1000), ...(options.type === 'A' && { rand }) }
    expect(await sign(links, path + query, conditions, at)).toBe(link)
    expect((await verify(links, link, at)).claims).toMatchObject({ resource: path, expires: conditions.expires })
    expect((await verify(links, link, { now: () => conditions.expires })).reason).toBe('expired')
  }
})

const URLS = ['/f/x', '/f/x/y.pdf?a=1&b=2', '/images/12345', '/%C3%BC/b?q=a+b', '/6955b900']
const KINDS: readonly TencentCdnOptions[] = [
  day,
  { ...day, algorithm: 'sha256' },
  { ...day, type: 'B' },
  { ...day, type: 'C' },
  { ...day, type: 'D' },
  { ...day, type: 'D', timeFormat: 'hex' },
]

test('one changed character, at every place of 30 links: refused, or in the host or in parameters that are not covered', async () => {
  for (const options of KINDS) for (const url of URLS) await expectCovered(tencentCdn(key, options), url)
})

test('nothing throws on any text', async () => {
  for (const options of KINDS) {
    const hash = 'a'.repeat(32)
    const pieces = [
      'sign=',
      `sign=1893456000-0-0-${hash}`,
      `/203001010800/${hash}/a`,
      `/${hash}/6955b900/a`,
      't=',
      `sign=${hash}&t=1893456000`,
      hash,
    ]
    await expectRefused(tencentCdn(key, options), pieces, 700)
  }
})
