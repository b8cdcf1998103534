// Faults that an audit of the first version found. Each test failed before its fix.
import { expect, test } from 'vitest'
import { cacheControl } from '../../src/guard.ts'
import { anyOf, hmac, redeem, sign, verify } from '../../src/index.ts'
import { pichax } from '../../src/schemes/pichax.ts'

const secret = '0123456789abcdef0123456789abcdef'
const zeros = hmac({ secret: new Uint8Array(32) })

test('a byte secret is copied: wiping the buffer afterwards does not make a key of zeros', async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  const links = hmac({ secret: bytes })
  bytes.fill(0)
  const forged = await sign(zeros, '/admin', { expires: '10m' })
  expect(await verify(links, forged)).toMatchObject({ ok: false, reason: 'bad_signature' })
})

test.each([0, Number.NaN, '', null, false, 1, new Date(Number.NaN)])('the date %j of a key is refused', (date) => {
  for (const name of ['starts', 'expires'])
    expect(() => hmac({ secret, [name]: date })).toThrow(expect.objectContaining({ code: 'bad_option', option: name }))
})

test('a link that was signed without its origin is refused by a verifier that covers the origin', async () => {
  const link = await sign(hmac({ secret }), '/x', { expires: '10m' })
  expect(await verify(hmac({ secret }, { origin: true }), link)).toMatchObject({ reason: 'bad_signature' })
})

test('anyOf within anyOf reads the links of all its schemes', async () => {
  const [a, b] = ['a', 'b'].map((purpose) => hmac({ secret }, { purpose })) as [ReturnType<typeof hmac>, ReturnType<typeof hmac>]
  const c = pichax({ id: 'k', secret })
  const links = [
    await sign(a, '/x', { expires: '1h' }),
    await sign(b, '/x', { expires: '1h' }),
    await sign(c, '/x', { expires: '1h', id: 'i' }),
  ]
  for (const nested of [anyOf(a, anyOf(b, c)), anyOf(anyOf(a, b), c)])
    for (const link of links) expect(await verify(nested, link)).toMatchObject({ ok: true })
})

test('a link is cached no longer than its key is valid', async () => {
  const links = hmac({ secret, expires: new Date(1_900_000_010_000) })
  const now = () => new Date(1_900_000_000_000)
  const verdict = await verify(links, await sign(links, '/x', { expires: '1d' }, { now }), { now })
  expect(verdict.claims?.expires).toEqual(new Date(1_900_000_010_000))
  expect(cacheControl(verdict, { now })).toBe('private, max-age=10')
})

test('a store that answers with anything but true refuses the link', async () => {
  const links = hmac({ secret })
  const link = await sign(links, '/x', { expires: '1h', uses: 1 })
  expect(await redeem(links, link, { store: { take: () => 'no' as unknown as boolean } })).toMatchObject({ reason: 'used' })
})

test('redeem throws what the store throws, at once or later, and so opens nothing', async () => {
  const links = hmac({ secret })
  const link = await sign(links, '/x', { expires: '1h', uses: 1 })
  const fail = () => {
    throw new Error('the store is away')
  }
  for (const take of [fail, async () => fail(), () => Promise.reject(new Error('the store is away'))])
    await expect(redeem(links, link, { store: { take } })).rejects.toThrow('the store is away')
})

test('a refused request consumes no use, whatever the reason', async () => {
  const start = Date.parse('2030-01-01T00:00:00Z')
  const after = (minutes: number) => ({ now: () => new Date(start + minutes * 60_000) })
  const key = { secret, id: 'k' }
  const conditions = { expires: '1h', starts: new Date(start + 60_000), uses: 1, ip: '203.0.113.7', prefix: '/a/' } as const
  const link = await sign(hmac(key), '/a/b', conditions, after(0))
  const ending = hmac({ ...key, expires: new Date(start + 600_000) })
  const taken: string[] = []
  const store = { take: (id: string) => taken.push(id) > 0 }
  const asked = async (scheme: typeof ending, url: string, options: object) =>
    (await redeem(scheme, url, { ip: '203.0.113.7', ...options, store })).reason
  const links = hmac(key)
  expect([
    await asked(links, link.replace(/.$/, ''), after(5)),
    await asked(hmac({ secret, id: 'other' }), link, after(5)),
    await asked(links, link.replace('uses=1', 'uses=2'), after(5)),
    await asked(links, link.replace('/a/b', '/c'), after(5)),
    await asked(links, link, { ...after(5), method: 'PUT' }),
    await asked(links, link, { ...after(5), ip: '203.0.113.8' }),
    await asked(links, link, after(60)),
    await asked(ending, link, after(10)),
    await asked(links, link, after(0)),
    await asked(links, link, { ...after(5), revoked: () => true }),
  ]).toEqual([
    'malformed',
    'unknown_key',
    'bad_signature',
    'wrong_path',
    'wrong_method',
    'wrong_ip',
    'expired',
    'key_expired',
    'too_early',
    'revoked',
  ])
  expect(taken).toEqual([])
  expect(await asked(links, link, after(5))).toBeUndefined()
  expect(taken).toHaveLength(1)
})

test("the dates in claims are copies: a change to them does not change the key's", async () => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const at = (seconds: number) => new Date(+now() + seconds * 1000)
  const secret = '0123456789abcdef0123456789abcdef'
  const link = await sign(hmac({ secret }), '/a', { expires: '1h' }, { now })
  const links = hmac({ secret, starts: at(-60), expires: at(60) })
  const { claims } = await verify(links, link, { now })
  expect([claims?.starts, claims?.expires]).toEqual([at(-60), at(60)])
  claims?.starts?.setFullYear(2000)
  claims?.expires.setFullYear(2100)
  expect((await verify(links, link, { now: () => at(-61) })).reason).toBe('too_early')
  expect((await verify(links, link, { now: () => at(60) })).reason).toBe('key_expired')
})
