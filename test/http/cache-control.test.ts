// cacheControl: caches keep no answer longer than its link is valid.
import { describe, expect, test } from 'vitest'
import { cacheControl } from '../../src/guard.ts'
import { type Claims, hmac, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { nginx } from '../../src/schemes/nginx.ts'

const links = hmac({ id: 'k', secret: '0123456789abcdef0123456789abcdef' })
const URL_OF_FILE = 'https://files.example/a/b.txt'
// The expiry of links that never expire.
const ENDLESS = new Date(99_999_999_999_000)

describe('cacheControl', () => {
  const now = () => new Date('2030-01-01T12:00:00.500Z')
  const claims = (more: object = {}): Claims => ({ resource: '/x', expires: new Date('2030-01-01T12:10:00Z'), ...more })

  test.each<[string, object, object, string]>([
    ['until the link expires, rounded down', {}, {}, 'private, max-age=599'],
    ['shared caches, if asked for', {}, { shared: true }, 'public, max-age=599'],
    ['a link that is bound to an address stays private', { ip: '/24' }, { shared: true }, 'private, max-age=599'],
    ['no longer than max', {}, { max: '1m' }, 'private, max-age=60'],
    ['max is rounded down', {}, { max: '1.999s' }, 'private, max-age=1'],
    ['a max beyond the expiry of the link changes nothing', {}, { max: '1d' }, 'private, max-age=599'],
    ['a max of nothing', {}, { max: '0s' }, 'no-store'],
    ['a link that is bound to headers stays private', { signedHeaders: ['x-tenant'] }, { shared: true }, 'private, max-age=599'],
    ['a link with a number of uses', { uses: 5 }, { shared: true }, 'no-store'],
    ['a link that has just expired', { expires: now() }, {}, 'no-store'],
    ['a link with less than a second left', { expires: new Date(+now() + 999) }, {}, 'no-store'],
    ['a link with one second left', { expires: new Date(+now() + 1000) }, {}, 'private, max-age=1'],
    ['a link that never expires: a year', { expires: ENDLESS, endless: true }, {}, 'private, max-age=31536000'],
    ['a link that never expires, and a max', { expires: ENDLESS, endless: true }, { max: '1h' }, 'private, max-age=3600'],
    ['a link that expires in ten years: a year', { expires: new Date('2040-01-01') }, {}, 'private, max-age=31536000'],
    ['a max of more than a year', { expires: ENDLESS, endless: true }, { max: '4000d' }, 'private, max-age=31536000'],
    ['claims without an expiry', { expires: undefined }, { shared: true }, 'no-store'],
    ['claims with an invalid date', { expires: new Date(Number.NaN) }, {}, 'no-store'],
    ['claims with an invalid date, and a max', { expires: new Date(Number.NaN) }, { max: '1h' }, 'no-store'],
  ])('%s', (_name, more, options, expected) => {
    expect(cacheControl(claims(more), { now, ...options })).toBe(expected)
  })

  test('of verdicts', async () => {
    const link = await sign(links, URL_OF_FILE, { expires: '10m', ip: '203.0.113.0/24' }, { now })
    const verdict = await verify(links, link, { now, ip: '203.0.113.7' })
    expect(verdict.ok).toBe(true)
    // A duration counts from the second that has begun half a second ago.
    expect(cacheControl(verdict, { now, shared: true })).toBe('private, max-age=599')
    expect(cacheControl(await verify(links, link, { now }), { now })).toBe('no-store')
    expect(cacheControl(await verify(links, URL_OF_FILE), { now, shared: true })).toBe('no-store')
  })

  test('of links that never expire, with the real scheme', async () => {
    const forever = nginx({ secret: 'secret' }, { expression: '$uri $secret', parameters: { expires: '' } } as never)
    const verdict = await verify(forever, await sign(forever as Scheme, '/a.txt', { expires: 'never' }))
    expect(verdict).toMatchObject({ ok: true })
    expect(cacheControl(verdict)).toBe('private, max-age=31536000')
  })

  test('by the clock of this machine', () => {
    expect(cacheControl(claims({ expires: new Date(Date.now() + 3_600_500) }), { max: '59m' })).toBe('private, max-age=3540')
    expect(cacheControl(claims({ expires: new Date(0) }))).toBe('no-store')
  })

  test('the message about a promise says what to do, and that about other values does not', () => {
    const messageFor = (given: unknown) => {
      try {
        return cacheControl(given as never)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(messageFor(Promise.resolve())).toBe('verdict must be a verdict, or claims; await the promise first')
    expect(messageFor({})).toBe('verdict must be a verdict, or claims')
  })

  test.each<[unknown, object?]>([
    [Promise.resolve()],
    [undefined],
    ['https://files.example/a.txt?signature=secret'],
    [claims(), { max: 60 }],
    [claims(), { now: () => 0 }],
    [claims(), { shared: 'yes' }],
    [claims(), { maximum: '1h' }],
  ])('%s, %j is a mistake, and the message repeats nothing of it', (given, options) => {
    expect(() => cacheControl(given as never, options as never)).toThrow(LinkError)
    expect(() => cacheControl(given as never, options as never)).toThrow(expect.not.stringContaining('secret') as never)
  })
})
