// Keys in every scheme: byte secrets are copied, views other than Uint8Array are refused, keys can be looked up, secrets can stay elsewhere, and no
// link outlives its key.
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import { keyring, type SecretKey } from '../../src/core/keys.ts'
import { guard } from '../../src/guard.ts'
import { hmac, inspect, type Keyring, LinkError, type RemoteSecret, type Scheme, sign, verify } from '../../src/index.ts'
import { azure } from '../../src/schemes/azure.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'

const NOW = new Date('2030-01-01T00:00:00Z')
const at = { now: () => NOW }
const IN_A_MINUTE = new Date(+NOW + 60_000)
const TEXT = '0123456789abcdef0123456789abcdef'
const BYTES = new TextEncoder().encode(TEXT)
// azure signs for hosts of Azure only, and s3 and gcs refuse them.
const fileFor = ({ name }: Scheme) => (name === 'azure' ? 'https://myaccount.blob.core.windows.net/c/a.txt' : 'https://files.test/c/a.txt')

// Each scheme with what `sign` needs for a link of it.
const schemes: [name: string, make: (secret: SecretKey['secret']) => Scheme, conditions: object][] = [
  ['hmac', (secret) => hmac({ secret }), {}],
  ['pichax', (secret) => pichax({ id: 'a', secret }), { id: 'b' }],
  ['s3', (secret) => s3({ id: 'a', secret }, { region: 'eu-central-1' }), {}],
  ['gcs', (secret) => gcs({ id: 'a', secret }), {}],
  ['azure', (secret) => azure({ id: 'myaccount', secret }), { permissions: 'r' }],
  ['nginx', (secret) => nginx({ secret }) as unknown as Scheme, { ip: '203.0.113.7' }],
  ['nginxHmac', (secret) => nginxHmac({ secret }) as unknown as Scheme, {}],
]

const signed = (scheme: Scheme, conditions: object) =>
  sign(scheme, fileFor(scheme), { expires: '1h', ...conditions } as { expires: '1h' }, at)
const opens = async (scheme: Scheme, link: string) => (await verify(scheme, link, { ...at, ip: '203.0.113.7' })).ok

/** Callers overwrite their secrets with it. Not zero, because s3 and gcs refuse control characters. */
const WIPED = 'x'.charCodeAt(0)

/** A byte secret that its owner wipes once the scheme is made. */
const wiped: [name: string, secret: () => Uint8Array][] = [
  ['a Uint8Array', () => Uint8Array.from(BYTES)],
  ['a Buffer of its own', () => Buffer.from(BYTES.slice().buffer)],
  ['a Buffer of the pool', () => Buffer.from(BYTES)],
  ['a view into a larger buffer', () => view(new Uint8Array(100))],
  ['a Buffer into a larger buffer', () => view(Buffer.alloc(100))],
  ['a subclass of Uint8Array', () => new (class Secret extends Uint8Array {})(BYTES)],
  ['a Uint8Array over shared memory', () => view(new Uint8Array(new SharedArrayBuffer(100)))],
  ['a Uint8Array of another realm', () => runInNewContext('Uint8Array.from(bytes)', { bytes: [...BYTES] })],
]

function view(buffer: Uint8Array): Uint8Array {
  buffer.fill(255)
  buffer.set(BYTES, 7)
  return buffer.subarray(7, 7 + BYTES.length)
}

describe.each(schemes)('%s', (_name, make, conditions) => {
  test.each(wiped)('%s: wiping the buffer afterwards does not change the key', async (_what, secretOf) => {
    const secret = secretOf()
    const links = make(secret)
    secret.fill(WIPED)
    // A key is imported at its first use, which is after its buffer was wiped.
    const link = await signed(links, conditions)
    expect(await opens(make(Uint8Array.from(BYTES)), link)).toBe(true)
    expect(await opens(links, await signed(make(Uint8Array.from(BYTES)), conditions))).toBe(true)
    const other = make(new Uint8Array(BYTES.length).fill(WIPED))
    expect(await opens(links, await signed(other, conditions))).toBe(false)
    expect(await opens(other, link)).toBe(false)
  })

  test.each<[string, unknown]>([
    ['a Uint16Array', new Uint16Array(64)],
    ['an Int8Array', new Int8Array(64)],
    ['a Uint8ClampedArray', new Uint8ClampedArray(64)],
    ['a Float64Array', new Float64Array(64)],
    ['a DataView', new DataView(new ArrayBuffer(64))],
    ['an ArrayBuffer', new ArrayBuffer(64)],
    ['a SharedArrayBuffer', new SharedArrayBuffer(64)],
    ['an array of bytes', [...BYTES]],
    ['an array of text', ['0123456789abcdef0123456789abcdef']],
    ['an object with a length', { length: 64 }],
    ['a number', 64],
    ['a function', Math.max],
  ])('%s is not a secret', (_what, secret) => {
    const refused = (() => {
      try {
        make(secret as string)
      } catch (error) {
        return error
      }
      return undefined
    })()
    expect(refused).toBeInstanceOf(LinkError)
    expect(refused).toMatchObject({
      code: 'bad_option',
      option: 'secret',
      message: 'secret must be a string, a Uint8Array, an HMAC CryptoKey, or an object with sign()',
    })
  })

  test.each<[string, unknown]>([
    ['undefined, as an environment variable that is not set', process.env['NO_SUCH_SECRET']],
    ['null', null],
    ['an empty string', ''],
    ['no bytes', new Uint8Array(0)],
  ])('%s: the message says that the secret is missing', (_what, secret) => {
    const missing = expect.objectContaining({ code: 'weak_key', option: 'secret', message: 'secret must be given, and not empty' })
    expect(() => make(secret as string)).toThrow(missing)
  })
})

test('a short secret is refused with the number of bytes that it needs', () => {
  expect(() => keyring({ secret: 'abc' }, { shortest: 4 })).toThrow(/^secret must be at least 4 bytes long$/)
  expect(() => keyring({ secret: 'a' }, { shortest: 2 })).toThrow(/^secret must be at least 2 bytes long$/)
})

test('the keyring keeps the bytes of the secret, and not the buffer around them', async () => {
  const [key] = await keyring({ secret: view(Buffer.alloc(100)) })()
  const secret = key?.secret as Uint8Array
  expect(secret).toEqual(BYTES)
  expect(secret.buffer.byteLength).toBe(BYTES.length)
})

describe('half a surrogate pair', () => {
  const secret = '0123456789abcdef0123456789abcdef'
  test.each<[string, () => unknown]>([
    ['in the purpose of hmac', () => hmac({ secret }, { purpose: 'a\ud83d' })],
    [
      'in the purpose of hmac, at its end, with a key whose id would complete it',
      () => hmac({ id: '\ude00', secret }, { purpose: '\ud83d' }),
    ],
    ['in a key id of hmac', () => hmac({ id: '\ud83d', secret })],
    ['in the id of the second key', () => hmac([{ secret }, { id: 'a\ude00b', secret }])],
    ['in a key id of pichax', () => pichax({ id: '\ud83d', secret })],
    ['in a key id of s3', () => s3({ id: '\ud83d', secret }, { region: 'eu-central-1' })],
  ])('%s', (_what, make) => {
    expect(make).toThrow(LinkError)
    expect(make).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })

  test('a whole surrogate pair is accepted', async () => {
    const links = hmac({ id: '😀', secret }, { purpose: '😀' })
    expect(await verify(links, await sign(links, '/a', { expires: '1h' }))).toMatchObject({ ok: true, claims: { keyId: '😀' } })
  })
})

describe('keys that are looked up', () => {
  const SECRETS: Record<string, string> = { acme: 'the secret of the tenant acme, 32 b', globex: 'the secret of the tenant globex, 3' }
  const FIRST = 'acme'
  /** Knows two tenants, and signs for the first one. */
  const tenants = (asked: (string | undefined)[] = []) => {
    const lookup = (id = FIRST) => (SECRETS[id] ? { id, secret: SECRETS[id] } : undefined)
    return hmac((id) => {
      asked.push(id)
      return lookup(id)
    })
  }

  test('the lookup gets the key id of the link, and undefined when a link is to be signed', async () => {
    const asked: (string | undefined)[] = []
    const links = tenants(asked)
    const link = await sign(links, '/a', { expires: '1h' }, at)
    expect(asked).toEqual([undefined])
    expect(await verify(links, link, at)).toMatchObject({ ok: true, claims: { keyId: FIRST } })
    const other = await sign(hmac({ id: 'globex', secret: SECRETS['globex'] as string }), '/a', { expires: '1h' }, at)
    expect(await verify(links, other, at)).toMatchObject({ ok: true, claims: { keyId: 'globex' } })
    expect(asked).toEqual([undefined, FIRST, 'globex'])
  })

  test('an id that is not known is unknown_key, and one tenant cannot sign for another', async () => {
    const links = tenants()
    const secret = SECRETS['globex'] as string
    const foreign = await sign(hmac({ id: 'initech', secret }), '/a', { expires: '1h' }, at)
    expect(await verify(links, foreign, at)).toMatchObject({ ok: false, reason: 'unknown_key' })
    const forged = await sign(hmac({ id: FIRST, secret }), '/a', { expires: '1h' }, at)
    expect(await verify(links, forged, at)).toMatchObject({ ok: false, reason: 'bad_signature' })
    const nameless = await sign(hmac({ secret }), '/a', { expires: '1h' }, at)
    expect(await verify(links, nameless, at)).toMatchObject({ ok: false, reason: 'bad_signature' })
  })

  test('a lookup may answer later and with several keys, and its failure is the failure of verify', async () => {
    const key = { id: 'a', secret: SECRETS['acme'] as string }
    const link = await sign(hmac(key), '/a', { expires: '1h' }, at)
    expect(
      (
        await verify(
          hmac(async () => [{ id: 'b', secret: SECRETS['globex'] as string }, key]),
          link,
          at,
        )
      ).ok,
    ).toBe(true)
    const failing = hmac(() => Promise.reject(new Error('the vault is down')))
    await expect(verify(failing, link, at)).rejects.toThrow('the vault is down')
  })

  test('a link that cannot be read asks for no key', async () => {
    const asked: (string | undefined)[] = []
    const links = tenants(asked)
    expect(await verify(links, '/a', at)).toMatchObject({ reason: 'unsigned' })
    expect(await verify(links, '/a?expires=x&signature=y', at)).toMatchObject({ reason: 'malformed' })
    expect(asked).toEqual([])
  })

  test('a keyring that comes back is imported once', async () => {
    const imports = vi.spyOn(crypto.subtle, 'importKey')
    const key = { id: 'a', secret: SECRETS['acme'] as string }
    const links = hmac(() => key)
    const link = await sign(links, '/a', { expires: '1h' }, at)
    for (let i = 0; i < 3; i++) expect((await verify(links, link, at)).ok).toBe(true)
    expect(imports).toHaveBeenCalledTimes(1)
    imports.mockRestore()
  })

  test.each<[string, Keyring<SecretKey> | undefined | null]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty keyring', []],
    ['the key of another id', { id: 'globex', secret: SECRETS['acme'] as string }],
    ['a key without an id', { secret: SECRETS['acme'] as string }],
  ])('a lookup that answers with %s opens nothing', async (_what, found) => {
    const link = await sign(tenants(), '/a', { expires: '1h' }, at)
    const links = hmac(() => found as Keyring<SecretKey>)
    expect(await verify(links, link, at)).toEqual({ ok: false, reason: 'unknown_key', status: 403 })
  })

  test.each(['constructor', 'toString', '__proto__'])('a lookup in an object: the id %s is unknown', async (id) => {
    const key = { id, secret: SECRETS['acme'] as string }
    const link = await sign(hmac(key), '/a', { expires: '1h' }, at)
    const keys: Record<string, SecretKey> = { acme: key }
    for (const lookup of [(name = '') => keys[name], async (name = '') => keys[name]])
      expect(await verify(hmac(lookup), link, at)).toEqual({ ok: false, reason: 'unknown_key', status: 403 })
  })

  test.each([
    ['ended', (key: { expires: Date }) => key.expires.setTime(Date.now() - 1000), 'key_expired'],
    ['ended with another date', (key: { expires: Date }) => (key.expires = new Date(Date.now() - 1000)), 'key_expired'],
    ['given another secret', (key: { secret: unknown }) => (key.secret = 'another secret of 32 bytes or more'), 'bad_signature'],
    ['given another id', (key: { id: string }) => (key.id = 'b'), 'unknown_key'],
  ] as const)('a key object that is %s opens nothing as before', async (_change, change, reason) => {
    for (const secret of [TEXT, BYTES]) {
      const key = { id: 'a', secret, expires: new Date(Date.now() + 3_600_000) }
      const links = hmac(() => key)
      const link = await sign(links, '/f', { expires: '10m' })
      expect((await verify(links, link)).ok).toBe(true)
      change(key as never)
      expect((await verify(links, link)).reason).toBe(reason)
    }
  })

  test('a key object without dates that is given another secret opens nothing as before', async () => {
    const key = { secret: TEXT }
    const links = hmac(() => key)
    const link = await sign(links, '/f', { expires: '10m' })
    key.secret = 'another secret of 32 bytes or more'
    expect((await verify(links, link)).reason).toBe('bad_signature')
  })

  test('a lookup that fails opens nothing behind a guard', async () => {
    const link = await sign(tenants(), 'https://files.test/a', { expires: '1h' }, at)
    const handler = vi.fn(() => new Response('in'))
    const guarded = guard(
      hmac(() => Promise.reject(new Error('the vault is down'))),
      handler,
      at,
    )
    await expect(guarded(new Request(link))).rejects.toThrow('the vault is down')
    expect(handler).not.toHaveBeenCalled()
  })

  test.each(schemes)('%s: a key that is taken off the list of a lookup opens nothing from then on', async (_name, make, conditions) => {
    const [key] = (await make(BYTES).keys()) as [SecretKey]
    const list: SecretKey[] = [key]
    const links = (lookedUpSchemes[_name] as (keys: unknown) => Scheme)(list)
    const link = await signed(links, conditions)
    expect(await opens(links, link)).toBe(true)
    list[0] = ((await make(BYTES.slice().reverse()).keys()) as [SecretKey])[0]
    expect(await opens(links, link)).toBe(false)
    list.push(key)
    expect(await opens(links, link)).toBe(true)
  })

  test('a lookup is asked for each request, also if it returns a new list each time', async () => {
    const [first, second] = [{ secret: BYTES }, { secret: BYTES.slice().reverse() }] as [SecretKey, SecretKey]
    let valid = [first]
    const links = hmac(() => [...valid])
    const link = await signed(links, {})
    expect(await opens(links, link)).toBe(true)
    valid = [second]
    expect(await opens(links, link)).toBe(false)
    valid = [second, first]
    expect(await opens(links, link)).toBe(true)
  })

  test.each(schemes)('%s takes a lookup', async (_name, make, conditions) => {
    const [key] = (await make(BYTES).keys()) as SecretKey[]
    const lookup = lookedUpSchemes[_name] as (key: SecretKey) => Scheme
    expect(await opens(lookup(key as SecretKey), await signed(make(BYTES), conditions))).toBe(true)
    expect(await opens(make(BYTES), await signed(lookup(key as SecretKey), conditions))).toBe(true)
  })
})

// biome-ignore lint/suspicious/noExplicitAny: each scheme has a type of key of its own, and gets one of its own keys back
const lookedUpSchemes: Record<string, (key: any) => Scheme> = {
  hmac: (key) => hmac(() => key),
  pichax: (key) => pichax(async () => key),
  s3: (key) => s3(() => key, { region: 'eu-central-1' }),
  gcs: (key) => gcs(() => key),
  azure: (key) => azure(() => key),
  nginx: (key) => nginx(() => key) as unknown as Scheme,
  nginxHmac: (key) => nginxHmac(() => key) as unknown as Scheme,
}

describe('a secret that stays elsewhere', () => {
  /** A key management service: it signs, and shows its key to nobody. */
  const remote = (signed: Uint8Array[] = []): RemoteSecret => ({
    async sign(message) {
      signed.push(message)
      const key = await crypto.subtle.importKey('raw', BYTES, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      return new Uint8Array(await crypto.subtle.sign('HMAC', key, message))
    },
  })
  const REMOTE: [name: string, make: (secret: SecretKey['secret']) => Scheme, conditions: object][] = schemes.filter(([name]) =>
    ['hmac', 'pichax', 'nginxHmac'].includes(name),
  )

  test.each(REMOTE)('%s: it signs the link that the secret itself would sign, and verifies it', async (_name, make, conditions) => {
    const links = make(remote())
    const link = await signed(links, conditions)
    expect(link).toBe(await signed(make(BYTES), conditions))
    expect(await opens(links, link)).toBe(true)
    expect(await opens(links, link.replace(/.{4}$/, 'AAAA'))).toBe(false)
  })

  test('it gets bytes of its own, which later calls do not overwrite', async () => {
    const seen: Uint8Array[] = []
    const links = hmac({ secret: remote(seen) })
    await sign(links, '/a', { expires: '1h' }, at)
    await sign(links, '/b', { expires: '1h' }, at)
    expect(seen.map((bytes) => new TextDecoder().decode(bytes).split('\n')[3])).toEqual(['/a', '/b'])
  })

  test('nginx hashes the secret together with the text, so it refuses a secret that stays elsewhere', () => {
    const sign = () => Promise.resolve(new Uint8Array(32))
    expect(() => nginx({ secret: { sign } })).toThrow(expect.objectContaining({ name: 'LinkError', code: 'bad_option', option: 'secret' }))
  })

  test('a failing service is the failure of sign and verify', async () => {
    const links = hmac({ secret: { sign: () => Promise.reject(new Error('throttled')) } })
    await expect(sign(links, '/a', { expires: '1h' }, at)).rejects.toThrow('throttled')
    const link = await sign(hmac({ secret: BYTES }), '/a', { expires: '1h' }, at)
    await expect(verify(links, link, at)).rejects.toThrow('throttled')
  })
})

describe('a link never outlives its key', () => {
  const secret = '0123456789abcdef0123456789abcdef'
  const later = (minutes: number) => new Date(+NOW + minutes * 60_000)
  const expiryOf = async (links: Scheme, link: string) => (await verify(links, link, { ...at, ip: '203.0.113.7' })).claims?.expires

  test('the first key in time that lasts as long as the link signs', async () => {
    const links = hmac([
      { id: 'ends', secret, expires: later(10) },
      { id: 'lasts', secret },
    ])
    const short = await sign(links, '/a', { expires: '10m' }, at)
    expect(inspect(links, short)?.unverified).toMatchObject({ keyId: 'ends', expires: later(10) })
    const long = await sign(links, '/a', { expires: '11m' }, at)
    expect(inspect(links, long)?.unverified).toMatchObject({ keyId: 'lasts', expires: later(11) })
  })

  test('if no key lasts so long, the first one in time signs, and the link expires with it', async () => {
    const links = hmac([
      { id: 'tomorrow', secret, starts: later(60) },
      { id: 'first', secret, expires: later(10) },
      { id: 'second', secret, expires: later(20) },
    ])
    const link = await sign(links, '/a', { expires: '1h' }, at)
    expect(inspect(links, link)?.unverified).toMatchObject({ keyId: 'first', expires: later(10) })
    expect(await expiryOf(links, link)).toEqual(later(10))
    expect(await verify(links, link, { now: () => later(10) })).toMatchObject({ ok: false, reason: 'expired' })
  })

  test.each(schemes)('%s', async (name, make, conditions) => {
    const [key] = (await make(BYTES).keys()) as SecretKey[]
    const ending = lookedUpSchemes[name]?.({ ...key, expires: later(10) }) as Scheme
    expect(await expiryOf(ending, await signed(ending, conditions))).toEqual(later(10))
  })

  test('align does not move the expiry beyond the key', async () => {
    const links = hmac({ secret, expires: later(10) })
    const link = await sign(links, '/a', { expires: '5m', align: '1h' }, at)
    expect(inspect(links, link)?.unverified.expires).toEqual(later(10))
  })

  test('a start after the end of the key is refused', async () => {
    const links = hmac({ secret, expires: later(10) })
    await expect(sign(links, '/a', { expires: '1h', starts: '20m' }, at)).rejects.toMatchObject({ code: 'bad_option', option: 'starts' })
  })

  test('a link that never expires ends with its key, where its format has an expiry', async () => {
    const links = nginxHmac({ secret, expires: later(10) })
    const link = await sign(links, '/a', { expires: 'never' }, at)
    expect(await expiryOf(links as unknown as Scheme, link)).toEqual(later(10))
  })

  test('a verifier that ends the key earlier ends its links earlier', async () => {
    const end = new Date('2030-01-01T00:10:00Z')
    const link = await sign(hmac({ secret }), '/a', { expires: new Date('2030-01-01T01:00:00Z') }, at)
    const ending = hmac({ secret, expires: end })
    const on = (milliseconds: number) => verify(ending, link, { now: () => new Date(milliseconds) })
    expect(await on(+end - 1)).toMatchObject({ ok: true, claims: { expires: end } })
    expect(await on(+end)).toMatchObject({ ok: false, reason: 'key_expired', status: 410 })
  })

  test('a format without an expiry needs a key without an end', async () => {
    const without = { expression: 'secure_link_secret $secret;' } as const
    const ending = nginx({ secret, expires: later(10) }, without)
    await expect(sign(ending, '/p/a', { expires: 'never' }, at)).rejects.toMatchObject({ code: 'bad_option', option: 'keys' })
    expect(await sign(nginx({ secret }, without), '/p/a', { expires: 'never' }, at)).toMatch(/^\/p\/[\da-f]{32}\/a$/)
  })
})

describe("expires: 'never'", () => {
  const secret = '0123456789abcdef0123456789abcdef'
  const never = { expires: 'never' } as never

  test.each(schemes.filter(([name]) => name !== 'nginxHmac'))('%s links always expire', async (_name, make, conditions) => {
    await expect(sign(make(BYTES), fileFor(make(BYTES)), { ...conditions, ...(never as object) } as never, at)).rejects.toMatchObject({
      name: 'LinkError',
      code: 'unsupported_condition',
      option: 'expires',
    })
  })

  test('a link that never expires says so, with a date that compares and prints', async () => {
    const links = nginxHmac({ secret }) as unknown as Scheme
    const link = await sign(links, '/a', never, at)
    const verdict = await verify(links, link, { now: () => new Date('2999-01-01T00:00:00Z') })
    expect(verdict).toMatchObject({ ok: true, claims: { endless: true, expires: new Date(99_999_999_999_000) } })
    expect(verdict.claims?.expires.toISOString()).toBe('5138-11-16T09:46:39.000Z')
    expect(inspect(links, link)?.unverified).toMatchObject({ endless: true })
    const limited = await sign(links, '/a', { expires: '1h' } as never, at)
    expect((await verify(links, limited, at)).claims).not.toHaveProperty('endless')
  })

  test('a format without an expiry takes nothing else', async () => {
    const links = nginx({ secret }, { expression: 'secure_link_secret $secret;' }) as unknown as Scheme
    await expect(sign(links, '/p/a', { expires: '1h' } as never, at)).rejects.toMatchObject({
      code: 'unsupported_condition',
      option: 'expires',
    })
  })
})

describe('fields of keys', () => {
  test('are copied: a date that is set later, or an id that changes, does not change the keyring', async () => {
    for (const secret of [TEXT, BYTES]) {
      const key = { id: 'a', secret, expires: new Date(IN_A_MINUTE) }
      const links = hmac(key)
      key.id = 'b'
      key.expires.setTime(+NOW + 3_600_000)
      const link = await sign(links, '/f', { expires: '10m' }, at)
      expect(inspect(links, link)).toMatchObject({ unverified: { keyId: 'a', expires: IN_A_MINUTE } })
    }
  })

  test('are read from the getters of a class, too', async () => {
    class Row {
      readonly secret: string | Uint8Array
      constructor(secret: string | Uint8Array) {
        this.secret = secret
      }
      get id(): string {
        return 'a'
      }
      get expires(): Date {
        return IN_A_MINUTE
      }
    }
    for (const secret of [TEXT, BYTES]) {
      const links = hmac(new Row(secret))
      const link = await sign(links, '/f', { expires: '10m' }, at)
      expect(inspect(links, link)).toMatchObject({ unverified: { keyId: 'a', expires: IN_A_MINUTE } })
    }
  })
})
