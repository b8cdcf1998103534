// Keys that a function looks up: which links they open, and which not.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { guard } from '../../src/guard.ts'
import { hmac, inspect, type Keyring, type SecretKey, sign, verify } from '../../src/index.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { pichax } from '../../src/schemes/pichax.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const hour = { expires: '1h' } as const
const ALICE = { id: 'alice', secret: '0123456789abcdef0123456789abcdef' }
const BOB = { id: 'bob', secret: 'another secret that is 32 bytes long' }
const tenants = new Map<string | undefined, Keyring<SecretKey>>([
  [undefined, ALICE],
  ['alice', [ALICE]],
  ['bob', [BOB]],
])

afterEach(() => vi.restoreAllMocks())

describe('a lookup of many tenants', () => {
  const asked: (string | undefined)[] = []
  const links = hmac(async (id) => {
    asked.push(id)
    return tenants.get(id)
  })
  const reasonOf = async (link: string) => (await verify(links, link, { now })).reason

  test('the function gets the key id of the link, and undefined to sign', async () => {
    asked.length = 0
    const link = await sign(links, '/a', hour, { now })
    expect((await verify(links, link, { now })).ok).toBe(true)
    expect(asked).toEqual([undefined, 'alice'])
  })

  test('a tenant cannot sign for another one', async () => {
    const link = await sign(hmac(BOB), '/a', hour, { now })
    expect((await verify(links, link, { now })).claims?.keyId).toBe('bob')
    const forged = await sign(hmac({ ...BOB, id: 'alice' }), '/a', hour, { now })
    expect(await reasonOf(forged)).toBe('bad_signature')
    // Without an id the link is tried with the keys that sign.
    expect(await reasonOf(await sign(hmac({ secret: BOB.secret }), '/a', hour, { now }))).toBe('bad_signature')
    expect(await reasonOf(link.replace('key=bob', 'key=alice'))).toBe('bad_signature')
  })

  test('an id that is not known is refused, and inspect asks nobody', async () => {
    const link = await sign(hmac({ ...BOB, id: 'constructor' }), '/a', hour, { now })
    expect(await reasonOf(link)).toBe('unknown_key')
    asked.length = 0
    expect(inspect(links, link)?.unverified.keyId).toBe('constructor')
    expect(asked).toEqual([])
  })
})

test.each<[string, Keyring<SecretKey> | undefined | null]>([
  ['nothing', undefined],
  ['null', null],
  ['an empty keyring', []],
  ['the key of another id', ALICE],
  ['a key without an id', { secret: BOB.secret }],
])('a lookup that answers with %s opens nothing', async (_what, found) => {
  const link = await sign(hmac(BOB), '/a', hour, { now })
  const verdict = await verify(
    hmac(() => found as Keyring<SecretKey>),
    link,
    { now },
  )
  expect(verdict).toEqual({ ok: false, reason: 'unknown_key', status: 403 })
})

test('a lookup that fails opens nothing: verify and guard throw its error', async () => {
  const failure = new Error('the database is down')
  const links = hmac(() => Promise.reject(failure))
  const link = await sign(hmac(BOB), 'https://files.test/a', hour, { now })
  await expect(verify(links, link, { now })).rejects.toBe(failure)
  const handler = vi.fn(() => new Response('in'))
  await expect(guard(links, handler, { now })(new Request(link))).rejects.toBe(failure)
  expect(handler).not.toHaveBeenCalled()
})

describe.each([
  ['hmac', hmac, {}],
  ['pichax', pichax, { id: 'x' }],
  ['nginx', (keys: never) => nginx(keys, { expression: '$secure_link_expires$uri $secret' }), {}],
] as const)('%s: a list that the caller edits', (_name, make, conditions) => {
  const schemeOf = (keys: unknown) => (make as (keys: unknown) => ReturnType<typeof hmac>)(keys)

  test('a key that is taken off the list opens nothing from then on', async () => {
    const list: SecretKey[] = [BOB, ALICE]
    const links = schemeOf(() => list)
    const link = await sign(schemeOf(ALICE), '/a', { ...hour, ...conditions } as never, { now })
    expect((await verify(links, link, { now })).ok).toBe(true)
    list.pop()
    expect((await verify(links, link, { now })).ok).toBe(false)
  })

  test('a key that is put on the list opens its links', async () => {
    const list: SecretKey[] = [BOB]
    const links = schemeOf(() => list)
    const link = await sign(schemeOf(ALICE), '/a', { ...hour, ...conditions } as never, { now })
    expect((await verify(links, link, { now })).ok).toBe(false)
    list.push(ALICE)
    expect((await verify(links, link, { now })).ok).toBe(true)
  })
})

test('the keys of a list that comes back are copied and imported once', async () => {
  const importKey = vi.spyOn(crypto.subtle, 'importKey')
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const list = [{ id: 'a', secret }]
  const links = hmac(() => list)
  const link = await sign(links, '/a', hour, { now })
  secret.fill(0)
  for (let n = 0; n < 3; n++) expect((await verify(links, link, { now })).ok).toBe(true)
  expect(importKey).toHaveBeenCalledTimes(1)
})
