// laravel: its options, and changes of one character at every place of its links.
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, sign, verify } from '../../src/index.ts'
import { type LaravelOptions, laravel } from '../../src/schemes/laravel.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: 'base64:hL6yrMlQmZLd8VRkHGYTZ5b3tEnVNsTkqBzm0XCKWbY=' }
const at = { now: () => new Date('2030-01-01T00:00:00Z') }

describe('wrong options and URLs', () => {
  test.each<[LaravelOptions, option: string]>([
    [{ absolute: 'yes' as unknown as boolean }, 'absolute'],
    [{ ignore: ['expires'] }, 'ignore'],
    [{ ignore: ['a=b'] }, 'ignore'],
    [{ ignoreQuery: [] } as LaravelOptions, 'ignoreQuery'],
  ])('%j', (options, option) => {
    expect(() => laravel(key, options)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test.each<[LaravelOptions, url: string]>([
    [{}, '/f/x'],
    [{ absolute: false }, '/'],
    [{ absolute: false }, 'https://app.example'],
    [{}, 'https://app.example/f?expires[]=1'],
    [{}, 'https://app.example/f?%20signature=1'],
    [{}, 'https://app.example/f?expires%00=1'],
    [{}, 'https://app.example/f?expires=1'],
  ])('%j, %s', async (options, url) => {
    await expect(sign(laravel(key, options), url, { expires: '1h' }, at)).rejects.toThrow(LinkError)
  })
})

test('every refusal is a 403, except for the method', async () => {
  const links = laravel(key)
  const link = await sign(links, 'https://app.example/f', { expires: '1h' }, at)
  const status = async (url: string, options = {}) => (await verify(links, url, { ...at, ...options })) as { status?: number }
  expect((await status(`${link}0`)).status).toBe(403)
  expect((await status(link, { now: () => new Date('2031-01-01') })).status).toBe(403)
  expect((await status(link, { revoked: () => true })).status).toBe(403)
  expect((await status(link, { method: 'DELETE' })).status).toBe(405)
})

const URLS = ['/f/x', '/f/x/y.pdf?a=1&b=2', '/unsubscribe/7?user=7', '/ü/b?q=a%20b&r[]=1&r[]=2', '/f?z=1&a=']
const KINDS = [{}, { absolute: false }].flatMap((options) => [
  { options, expires: '1h' as const },
  { options, expires: 'never' as const },
])

test('one changed character, at every place of 20 links: refused, or the same URL to Laravel', async () => {
  let accepted = 0
  for (const { options, expires } of KINDS)
    for (const url of URLS) {
      const links = laravel(key, options)
      const link = await sign(links, `https://app.example${url}`, { expires }, at)
      const { claims } = await verify(links, link, at)
      for (const { changed } of tampered(link)) {
        const verdict = await verify(links, changed, at)
        if (!verdict.ok) continue
        accepted++
        // Relative links do not cover scheme and host.
        const hostless = (text: string | undefined) => ('absolute' in options ? text?.replace(/^https?:\/\/[^/]*/, '') : text)
        expect(hostless(verdict.claims.resource), changed).toBe(hostless(claims?.resource))
        expect(verdict.claims.expires).toEqual(claims?.expires)
      }
    }
  expect(accepted).toBeGreaterThan(100)
})

test('nothing throws on any text', async () => {
  const links = laravel(key, { ignore: ['a'] })
  const pieces = [
    'expires=1900000000',
    'expires',
    'signature=',
    '0'.repeat(64),
    `signature=${'0'.repeat(64)}`,
    'https://app.example',
    '+expires=1',
  ]
  for (const text of oddTexts(pieces, 3000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
  const slashes = await verify(links, `https://app.example${'/'.repeat(16_000)}?signature=${'0'.repeat(64)}`, at)
  expect(slashes.ok).toBe(false)
})
