// alibabaCdn: its options, random links, Alibaba's signer in Python, and changes of one character at every place of its links.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { type AlibabaCdnOptions, alibabaCdn } from '../../src/schemes/alibaba-cdn.ts'
import { randomly } from './shared/tamper.ts'
import { expectCovered, expectRefused } from './shared/timestamp-tokens.ts'

const key = { secret: 'aliyuncdnexp1234' }
const NOW = 1_893_456_000
const at = { now: () => new Date(NOW * 1000) }
const day = { maxAge: '24h' } as const
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

describe('wrong options', () => {
  test.each<[AlibabaCdnOptions, option: string]>([
    [undefined as unknown as AlibabaCdnOptions, 'maxAge'],
    [{} as AlibabaCdnOptions, 'maxAge'],
    [{ maxAge: '0s' }, 'maxAge'],
    [{ maxAge: '1.5s' }, 'maxAge'],
    [{ ...day, type: 'D' as 'A' }, 'type'],
    [{ ...day, type: 'toString' as 'A' }, 'type'],
    [{ ...day, placement: 'query' }, 'placement'],
    [{ ...day, type: 'C', placement: 'cookie' as 'query' }, 'placement'],
    [{ ...day, parameter: 'x' } as AlibabaCdnOptions, 'parameter'],
  ])('%j', (options, option) => {
    expect(() => alibabaCdn(key, options)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test.each<[AlibabaCdnOptions, conditions: object, option: string]>([
    [day, { rand: 'a-b' }, 'rand'],
    [day, { rand: '' }, 'rand'],
    [day, { uid: 'a-b' }, 'uid'],
    [day, { expires: new Date(1e12) }, 'expires'],
    [{ ...day, type: 'C' }, { expires: new Date(0x1_0002_0000 * 1000) }, 'expires'],
    [{ ...day, type: 'B' }, { expires: new Date('+010000-01-05T00:00:00Z') }, 'expires'],
  ])('%j with %j', async (options, conditions, option) => {
    const wrong = expect.objectContaining({ code: 'bad_option', option })
    await expect(sign(alibabaCdn(key, options), '/a', { expires: '1h', ...conditions }, { now: () => new Date(0) })).rejects.toThrow(wrong)
  })

  test('rand and uid are of type A', async () => {
    const links = alibabaCdn(key, { ...day, type: 'B' })
    await expect(sign(links, '/a', { expires: '1h', rand: '7' }, at)).rejects.toThrow(expect.objectContaining({ option: 'rand' }))
  })

  test('a CryptoKey is refused, because the digest needs the secret', async () => {
    const secret = await crypto.subtle.importKey('raw', new Uint8Array(16), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])
    expect(() => alibabaCdn({ secret }, day)).toThrow(expect.objectContaining({ code: 'bad_option', option: 'secret' }))
  })
})

/** The links as https://help.aliyun.com/en/cdn/user-guide/url-signing-examples makes them, with `exp` as the time. */
function alibabasExample(type: string, path: string, query: string, exp: number, rand: string, uid: string): string {
  const minute = new Date((exp + 8 * 3600) * 1000).toISOString().replace(/\D/g, '').slice(0, 12)
  const hex = exp.toString(16).toUpperCase()
  if (type === 'A')
    return `${path}${query}${query ? '&' : '?'}auth_key=${exp}-${rand}-${uid}-${md5(`${path}-${exp}-${rand}-${uid}-${key.secret}`)}`
  if (type === 'B') return `/${minute}/${md5(key.secret + minute + path)}${path}${query}`
  return `/${md5(key.secret + path + hex)}/${hex}${path}${query}`
}

const random = randomly(20261127)
const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

test("300 random links are those of Alibaba's example", async () => {
  for (let i = 0; i < 300; i++) {
    const text = Array.from({ length: random() * 12 }, () => of([...'ab1-._~/()*!+,;=:@&$', '%20', '%C3%BC', '%2F'])).join('')
    const path = `/p${text.replace(/\/\./g, '/')}`
    const query = of(['', '?w=1', '?w=1&h='])
    const type = of(['A', 'B', 'C'] as const)
    const [rand, uid] = type === 'A' ? [of(['0', 'a1B2']), of(['0', 'u_1'])] : ['0', '0']
    const exp = NOW + Math.floor(random() * 2000) * (type === 'B' ? 60 : 1)
    const links = alibabaCdn(key, { type, maxAge: '1h' })
    const link = alibabasExample(type, path, query, exp, rand, uid)
    const conditions = { expires: new Date((exp + 3600) * 1000), ...(type === 'A' && { rand, uid }) }
    expect(await sign(links, path + query, conditions, at)).toBe(link)
    expect((await verify(links, link, at)).claims).toMatchObject({ resource: path, expires: conditions.expires })
    expect((await verify(links, link, { now: () => conditions.expires })).reason).toBe('expired')
  }
})

test('rand names the link, for revoking it', async () => {
  const links = alibabaCdn(key, day)
  const link = await sign(links, '/a', { expires: '1h', rand: '477b3bbc', uid: 'u7' }, at)
  expect((await verify(links, link, at)).claims).toMatchObject({ id: '477b3bbc', data: { uid: 'u7' } })
  const revoked = ({ id }: { readonly id?: string }) => id === '477b3bbc'
  expect((await verify(links, link, { ...at, revoked })).reason).toBe('revoked')
})

const URLS = ['/f/x', '/f/x/y.pdf?a=1&b=2', '/images/12345', '/%C3%BC/b?q=a+b', '/6955B900']
const KINDS: readonly AlibabaCdnOptions[] = [day, { ...day, type: 'B' }, { ...day, type: 'C' }, { ...day, type: 'C', placement: 'query' }]

test('one changed character, at every place of 20 links: refused, or in the host or in parameters that are not covered', async () => {
  for (const options of KINDS) for (const url of URLS) await expectCovered(alibabaCdn(key, options), url)
})

test('nothing throws on any text', async () => {
  for (const options of KINDS) {
    const hash = 'a'.repeat(32)
    const pieces = [
      'auth_key=',
      `auth_key=1893456000-0-0-${hash}`,
      `/203001010800/${hash}/a`,
      `/${hash}/6955B900/a`,
      'KEY1=',
      `KEY1=${hash}&KEY2=6955B900`,
      hash,
    ]
    await expectRefused(alibabaCdn(key, options), pieces, 1000)
  }
})
