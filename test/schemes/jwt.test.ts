// jwt: its options, and changes of one character at every place of its links.
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, sign, verify } from '../../src/index.ts'
import { type JwtOptions, jwt } from '../../src/schemes/jwt.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: '0123456789abcdef0123456789abcdef' }
const at = { now: () => new Date('2030-01-01T00:00:00Z') }

describe('wrong options and conditions', () => {
  test.each<[JwtOptions, option: string]>([
    [{ parameter: '' }, 'parameter'],
    [{ claim: 'exp' }, 'claim'],
    [{ claim: true as unknown as string }, 'claim'],
    [{ base: 'files' }, 'base'],
    [{ algorithm: 'none' as 'HS256' }, 'algorithm'],
    [{ algorithm: 'toString' as 'HS256' }, 'algorithm'],
    [{ key: 'url' } as JwtOptions, 'key'],
  ])('%j', (options, option) => {
    expect(() => jwt(key, options)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test.each<[JwtOptions, url: string, data: Record<string, unknown> | undefined]>([
    [{ base: '/files/' }, '/other/a', undefined],
    [{}, '/a%2Fb', undefined],
    [{}, '/a%ff', undefined],
    [{}, '/a?token=1', undefined],
    [{}, '/a', { exp: 1 }],
    [{}, '/a', { url: '/b' }],
    [{}, '/storage/v1/render/image/sign/a/b', undefined],
    [{}, '/storage/v1/object/sign/a/b', { scope: 'upload' }],
  ])('%j, %s, %j', async (options, url, data) => {
    await expect(sign(jwt(key, options), url, { expires: '1h', ...(data && { data }) }, at)).rejects.toThrow(LinkError)
  })
})

test('claims.data is the payload', async () => {
  const links = jwt(key)
  const link = await sign(links, '/a', { expires: '1h', data: { user: 7 } }, at)
  expect((await verify(links, link, at)) as object).toMatchObject({
    ok: true,
    claims: { resource: '/a', data: { url: '/a', user: 7, iat: 1_893_456_000 } },
  })
})

const URLS = ['/storage/v1/object/sign/avatars/cat.jpg', '/files/a.pdf?a=1', '/%C3%BC/b', '/f', '/a/b/c?download=']
const KINDS: JwtOptions[] = [{}, { algorithm: 'HS512' }, { claim: 'sub', parameter: 'jwt' }, { base: '/' }]

test('one changed character, at every place of 20 links: refused, or in the host or in parameters that are not covered', async () => {
  const pathOf = (text: string | undefined) => text?.replace(/^https?:\/\/[^/]*/, '')
  for (const options of KINDS)
    for (const url of URLS) {
      const links = jwt(key, options)
      const link = await sign(links, `https://app.example${url}`, { expires: '1h' }, at)
      const { claims } = await verify(links, link, at)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (!verdict.ok) continue
        expect([pathOf(verdict.claims.resource), verdict.claims.data, changed]).toEqual([pathOf(claims?.resource), claims?.data, changed])
      }
    }
})

test('nothing throws on any text', async () => {
  const part = (text: string) => btoa(text).replace(/=/g, '')
  const pieces = [
    'token=',
    part('{"alg":"HS256"}'),
    part('{"exp":1e300}'),
    part('{"exp":{}}'),
    part('null'),
    part('"x"'),
    '.',
    'AAAA',
    'A'.repeat(43),
  ]
  for (const options of [{}, { claim: false } as const]) {
    const links = jwt(key, options)
    for (const text of oddTexts(pieces, 3000, randomly(7))) {
      inspect(links, text)
      expect((await verify(links, text, at)).ok, text).toBe(false)
    }
  }
})
