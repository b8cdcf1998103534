// cloudflare: its options, the age of links, and changes of one character at every place of its links.
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { type CloudflareOptions, cloudflare } from '../../src/schemes/cloudflare.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: 'my secret symmetric key' }
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const day = { maxAge: '24h' } as const

describe('wrong options', () => {
  test.each<[CloudflareOptions, option: string]>([
    [undefined as unknown as CloudflareOptions, 'maxAge'],
    [{} as CloudflareOptions, 'maxAge'],
    [{ maxAge: '0s' }, 'maxAge'],
    [{ maxAge: '1.5s' }, 'maxAge'],
    [{ maxAge: 60 as unknown as '1m' }, 'maxAge'],
    [{ ...day, parameter: 'a b' }, 'parameter'],
    [{ ...day, query: 'yes' as unknown as boolean }, 'query'],
    [{ ...day, encoding: 'hex' as 'base64' }, 'encoding'],
    [{ ...day, flags: 's' } as CloudflareOptions, 'flags'],
  ])('%j', (options, option) => {
    expect(() => cloudflare(key, options)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test('an expiry later than maxAge, also after rounding', async () => {
    const late = expect.objectContaining({ code: 'bad_option', option: 'expires' })
    await expect(sign(cloudflare(key, day), '/a', { expires: '25h' }, at)).rejects.toThrow(late)
    const seven = { now: () => new Date('2030-01-01T00:00:07Z') }
    await expect(sign(cloudflare(key, { maxAge: '1m' }), '/a', { expires: '1m', align: '1m' }, seven)).rejects.toThrow(late)
  })
})

const random = randomly(20261127)
const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

test("300 random links are those of Node's HMAC", async () => {
  for (let i = 0; i < 300; i++) {
    const text = Array.from({ length: random() * 12 }, () => of([...'ab1-._~/()*!+,;=:@&$', '%20', '%C3%BC'])).join('')
    const path = `/p${text.replace(/\/\./g, '/')}`
    const query = of(['', '?w=1', '?w=1&h='])
    const options = { maxAge: '1h', query: of([true, false]), encoding: of(['base64', 'base64url'] as const) } as const
    const age = Math.floor(random() * 3600)
    const issued = 1_893_456_000 - age
    const mac = createHmac('sha256', key.secret)
      .update(`${path}${options.query ? query : ''}${issued}`)
      .digest(options.encoding)
    const link = `${path}${query}${query ? '&' : '?'}verify=${issued}-${encodeURIComponent(mac)}`
    expect(await sign(cloudflare(key, options), path + query, { expires: new Date((issued + 3600) * 1000) }, at)).toBe(link)
    expect((await verify(cloudflare(key, options), link, at)).ok).toBe(true)
  }
})

const URLS = ['/f/x', '/f/x/y.pdf?a=1&b=2', '/images/12345', '/%C3%BC/b?q=a+b', '/f?z=1&a=']
const KINDS = [
  day,
  { ...day, query: true },
  { ...day, encoding: 'base64url' as const },
  { ...day, encoding: 'base64url' as const, query: true },
]

test('one changed character, at every place of 20 links: refused, or in the host or in parameters that are not covered', async () => {
  const pathOf = (text: string | undefined) => text?.replace(/^https?:\/\/[^/]*/, '')
  for (const options of KINDS)
    for (const url of URLS) {
      const links = cloudflare(key, options)
      const link = await sign(links, `https://app.example${url}`, { expires: '24h' }, at)
      const { claims } = await verify(links, link, at)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (verdict.ok)
          expect([pathOf(verdict.claims.resource), +verdict.claims.expires, changed]).toEqual([
            pathOf(claims?.resource),
            +(claims?.expires ?? 0),
            changed,
          ])
      }
    }
})

test('nothing throws on any text', async () => {
  for (const options of KINDS) {
    const links = cloudflare(key, options)
    const pieces = [
      'verify=',
      'verify',
      '1893456000-',
      `1893456000-${'A'.repeat(43)}`,
      `verify=1893456000-${'A'.repeat(43)}%3D`,
      'https://app.example',
    ]
    for (const text of oddTexts(pieces, 1000, randomly(7))) {
      inspect(links, text)
      expect((await verify(links, text, at)).ok, text).toBe(false)
    }
  }
})
