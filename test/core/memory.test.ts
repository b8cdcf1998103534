// linkMemory: which links cost no HMAC, and which ones still need one. The tests count calls of WebCrypto, and measure no time.
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import type { Visit } from '../../src/core/scheme.ts'
import { guard } from '../../src/guard.ts'
import { anyOf, type Claims, hmac, LinkError, linkMemory, redeem, type Scheme, type SecretKey, sign, verify } from '../../src/index.ts'
import { jwt } from '../../src/schemes/jwt.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const secret = 'a secret of 32 bytes or more, from a vault'
const key = { id: '2026-11', secret }
const links = hmac(key)
const url = 'https://cdn.example/film.mp4?lang=en'
const expires = '1h'

let computed: MockInstance
beforeEach(() => {
  computed = vi.spyOn(crypto.subtle, 'verify')
})
afterEach(() => vi.restoreAllMocks())

/** How often WebCrypto compares a signature in the course of this. */
async function hmacsOf(work: () => Promise<unknown>): Promise<number> {
  const before = computed.mock.calls.length
  await work()
  return computed.mock.calls.length - before
}

describe('a remembered link', () => {
  test('costs one HMAC, and its verdict stays the same', async () => {
    const memory = linkMemory()
    const link = await sign(links, url, { expires, id: 'x', prefix: '/', starts: new Date(1_750_000_000_000) })
    const first = await verify(links, link, { memory })
    expect(first).toMatchObject({ ok: true, scheme: 'hmac', claims: { id: 'x', keyId: '2026-11' } })
    expect(await hmacsOf(async () => expect(await verify(links, link, { memory })).toEqual(first))).toBe(0)
    expect(await hmacsOf(async () => expect(await verify(links, new Request(link), { memory })).toEqual(first))).toBe(0)
    expect(memory.size).toBe(1)
  })

  test('is checked for time, method, path and revocation each time', async () => {
    const memory = linkMemory()
    const link = await sign(links, url, { expires, method: 'PUT', id: 'x' })
    expect((await verify(links, link, { memory, method: 'PUT' })).ok).toBe(true)
    expect((await verify(links, link, { memory })).reason).toBe('wrong_method')
    expect((await verify(links, link, { memory, method: 'PUT', revoked: ({ id }) => id === 'x' })).reason).toBe('revoked')
    expect((await verify(links, link, { memory, method: 'PUT', now: () => new Date(Date.now() + 3_700_000) })).reason).toBe('expired')
    expect((await verify(links, link, { memory, method: 'PUT', now: () => new Date(Date.now() + 3_700_000), tolerance: '5m' })).ok).toBe(
      true,
    )
    expect((await verify(links, link, { memory, method: 'PUT' })).ok).toBe(true)
    expect(computed).toHaveBeenCalledTimes(1)
  })

  test('has its uses counted each time', async () => {
    const [memory, store] = [linkMemory(), memoryStore()]
    const link = await sign(links, url, { expires, uses: 2 })
    const reasons: unknown[] = []
    for (let i = 0; i < 3; i++) reasons.push((await redeem(links, link, { memory, store })).reason)
    expect(reasons).toEqual([undefined, undefined, 'used'])
    expect((await verify(links, link, { memory })).reason).toBe('needs_redeem')
    expect(computed).toHaveBeenCalledTimes(1)
  })

  test('is valid until its key ends, as without a memory', async () => {
    const memory = linkMemory()
    const ending = { ...key, expires: new Date(Date.now() + 1_000_000) }
    const link = await sign(hmac(key), url, { expires })
    const scheme = hmac(ending)
    const verdict = await verify(scheme, link, { memory })
    expect(verdict.claims?.expires).toEqual(ending.expires)
    expect((await verify(scheme, link, { memory })).claims?.expires).toEqual(ending.expires)
    expect((await verify(scheme, link, { memory, now: () => new Date(Date.now() + 1_100_000) })).reason).toBe('key_expired')
    expect(computed).toHaveBeenCalledTimes(1)
  })
})

describe('another question', () => {
  test('another link of the same resource, and a forged one, are computed', async () => {
    const memory = linkMemory()
    const link = await sign(links, url, { expires })
    await verify(links, link, { memory })
    const forged = link.replace('film', 'paid')
    for (let i = 0; i < 2; i++)
      expect(await hmacsOf(async () => expect((await verify(links, forged, { memory })).reason).toBe('bad_signature'))).toBe(1)
    const respelt = link.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    expect((await verify(links, respelt, { memory })).reason).toBe('bad_signature')
    expect(memory.size).toBe(1)
  })

  test('another scheme, purpose or keyring under the same memory', async () => {
    const memory = linkMemory()
    const link = await sign(links, url, { expires })
    expect((await verify(links, link, { memory })).ok).toBe(true)
    const others = [
      hmac(key, { purpose: 'unsubscribe' }),
      hmac(key, { origin: true }),
      hmac({ ...key, secret: `${secret}!` }),
      hmac([{ id: 'other', secret }]),
    ]
    for (const other of others) expect((await verify(other, link, { memory })).ok).toBe(false)
    expect((await verify(links, link, { memory })).ok).toBe(true)
    expect((await verify(hmac(key), link, { memory })).ok).toBe(true)
  })

  test('a member of anyOf is found again, and is not found once it is gone', async () => {
    const memory = linkMemory()
    const fresh = hmac({ id: '2026-11', secret: `${secret}, the new one` })
    const link = await sign(links, url, { expires })
    expect((await verify(anyOf(fresh, links), link, { memory })).ok).toBe(true)
    expect(await hmacsOf(async () => expect((await verify(anyOf(fresh, links), link, { memory })).ok).toBe(true))).toBe(0)
    expect((await verify(fresh, link, { memory })).reason).toBe('bad_signature')
  })

  test('a link of 2,048 characters is remembered, and a longer one is not', async () => {
    const memory = linkMemory()
    const rest = (await sign(links, '/', { expires })).length
    const ofLength = (length: number) => sign(links, `/${'x'.repeat(length - rest)}`, { expires })
    const [longest, tooLong] = [await ofLength(2048), await ofLength(2049)]
    expect([longest.length, tooLong.length]).toEqual([2048, 2049])
    for (const link of [tooLong, longest]) await verify(links, link, { memory })
    expect(memory.size).toBe(1)
    expect(await hmacsOf(() => verify(links, longest, { memory }))).toBe(0)
    expect(await hmacsOf(() => verify(links, tooLong, { memory }))).toBe(1)
  })

  test('a request from a wrong address is not remembered', async () => {
    const memory = linkMemory()
    const link = await sign(links, url, { expires, ip: '203.0.113.0/24' })
    for (const ip of ['198.51.100.7', undefined]) expect((await verify(links, link, { memory, ip })).reason).toBe('wrong_ip')
    expect(memory.size).toBe(0)
  })

  test('an address that differs', async () => {
    const memory = linkMemory()
    const link = await sign(links, url, { expires, ip: '203.0.113.0/24' })
    const from = (ip?: string) => verify(links, link, { memory, ip })
    expect((await from('203.0.113.7')).claims?.ip).toBe('203.0.113.7/24')
    expect(await hmacsOf(() => from('203.0.113.7'))).toBe(0)
    expect((await from('198.51.100.7')).reason).toBe('wrong_ip')
    expect((await from()).reason).toBe('wrong_ip')
    expect((await from('203.0.113.8')).claims?.ip).toBe('203.0.113.8/24')
    expect((await from('203.0.113.7')).claims?.ip).toBe('203.0.113.7/24')
  })

  test('a method that differs, where the string to sign has it', async () => {
    const memory = linkMemory()
    const scheme = nginxHmac({ secret }, { message: '$request_method|$uri|$arg_ts|$arg_e' })
    const link = await sign(scheme, url, { expires, method: 'PUT' })
    expect((await verify(scheme, link, { memory, method: 'PUT' })).ok).toBe(true)
    expect(await hmacsOf(() => verify(scheme, link, { memory, method: 'PUT' }))).toBe(0)
    expect((await verify(scheme, link, { memory, method: 'DELETE' })).reason).toBe('bad_signature')
    expect((await verify(scheme, link, { memory })).reason).toBe('bad_signature')
  })

  test('a scheme sees the headers of the request through the memory', async () => {
    const memory = linkMemory()
    const bucket = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret }, { region: 'us-east-1' })
    const upload = { expires: '15m', method: 'PUT' } as const
    const link = await sign(bucket, 'https://examplebucket.s3.us-east-1.amazonaws.com/a.txt', upload)
    // It would turn the upload into a copy of another file.
    const headers = { 'x-amz-copy-source': '/examplebucket/private.txt' }
    expect((await verify(bucket, link, { memory, method: 'PUT', headers })).reason).toBe('bad_signature')
    expect((await verify(bucket, link, { memory, method: 'PUT', headers: { 'content-type': 'text/plain' } })).ok).toBe(true)
  })

  test.each<[string, (visit: Visit) => unknown]>([
    ['all headers', ({ headers }) => headers],
    ['one header', ({ header }) => header('x-a')],
  ])('a link whose string to sign depends on %s is not remembered', async (_what, look) => {
    const memory = linkMemory()
    const watching: Scheme = {
      ...(links as unknown as Scheme),
      read(...given) {
        const reading = links.read(...given)
        if (typeof reading === 'string' || 'malformed' in reading) return reading
        return {
          ...reading,
          toSign(visit, key) {
            look(visit)
            return reading.toSign(visit, key)
          },
        }
      },
    }
    const link = await sign(links, url, { expires })
    expect((await verify(watching, link, { memory, headers: { 'x-a': '1' } })).ok).toBe(true)
    expect(memory.size).toBe(0)
  })

  test('links that depend on headers are not remembered', async () => {
    const memory = linkMemory()
    const bucket = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret }, { region: 'us-east-1' })
    const link = await sign(bucket, 'https://examplebucket.s3.us-east-1.amazonaws.com/a.txt', {
      expires: '15m',
      headers: { 'x-amz-meta-color': 'blue' },
    })
    const blue = { memory, headers: { 'x-amz-meta-color': 'blue' } }
    expect((await verify(bucket, link, blue)).ok).toBe(true)
    expect(memory.size).toBe(0)
    expect((await verify(bucket, link, { memory, headers: { 'x-amz-meta-color': 'red' } })).reason).toBe('bad_signature')
  })
})

describe('keys', () => {
  test('a key that is taken off the keyring ends its links at once, and one that comes back is another key', async () => {
    const memory = linkMemory()
    const ring: SecretKey[] = [key]
    const scheme = hmac(() => ring)
    const link = await sign(scheme, url, { expires })
    expect((await verify(scheme, link, { memory })).ok).toBe(true)
    expect(await hmacsOf(async () => expect((await verify(scheme, link, { memory })).ok).toBe(true))).toBe(0)
    ring.pop()
    expect((await verify(scheme, link, { memory })).reason).toBe('unknown_key')
    ring.push({ ...key, secret: `${secret}, but another` })
    expect((await verify(scheme, link, { memory })).reason).toBe('bad_signature')
    ring[0] = key
    expect((await verify(scheme, link, { memory })).ok).toBe(true)
  })

  test('the lookup gets the id that the link names', async () => {
    const memory = linkMemory()
    const asked: unknown[] = []
    const scheme = hmac(async (id) => {
      asked.push(id)
      return key
    })
    const link = await sign(scheme, url, { expires })
    await verify(scheme, link, { memory })
    await verify(scheme, link, { memory })
    expect(asked).toEqual([undefined, '2026-11', '2026-11'])
    expect(computed).toHaveBeenCalledTimes(1)
  })

  test('no secret can be reached from a memory', async () => {
    const memory = linkMemory()
    await verify(links, await sign(links, url, { expires }), { memory })
    const { inspect } = await import('node:util')
    const { Session } = await import('node:inspector/promises')
    expect(inspect(memory, { depth: 9, showHidden: true })).not.toContain(secret)
    expect(JSON.stringify(memory)).not.toContain(secret)
    // The private fields, too, which only a debugger shows.
    const session = new Session()
    session.connect()
    Object.assign(globalThis, { rememberedLinks: memory })
    const { result } = await session.post('Runtime.evaluate', { expression: 'rememberedLinks' })
    const shown: string[] = []
    const walk = async (objectId: string, depth: number): Promise<void> => {
      const found = await session.post('Runtime.getProperties', { objectId, ownProperties: true })
      shown.push(JSON.stringify(found))
      const {
        result,
        internalProperties = [],
        privateProperties = [],
      } = found as typeof found & { privateProperties?: typeof found.result }
      const next = [
        ...result.filter(({ name }) => !name.startsWith('__')),
        ...internalProperties.filter(({ name }) => name === '[[Entries]]'),
        ...privateProperties,
      ]
      for (const { value } of next) if (depth > 0 && value?.objectId && value.type !== 'function') await walk(value.objectId, depth - 1)
    }
    await walk(result.objectId as string, 5)
    session.disconnect()
    Reflect.deleteProperty(globalThis, 'rememberedLinks')
    expect(shown.join()).toContain('2026-11')
    expect(shown.join()).not.toContain(secret)
  })
})

test('callers that change the claims of a verdict do not change the memory', async () => {
  const memory = linkMemory()
  const withData = jwt(key)
  const cases = [
    { scheme: links, link: await sign(links, url, { expires, method: ['GET', 'PUT'], starts: new Date(1_750_000_000_000) }) },
    { scheme: withData, link: await sign(withData, url, { expires, data: { seats: [1] } }) },
  ]
  for (const { scheme, link } of cases) {
    const expected = JSON.stringify((await verify(scheme, link)).claims)
    for (let i = 0; i < 3; i++) {
      const { claims } = await verify(scheme, link, { memory })
      expect(JSON.stringify(claims)).toBe(expected)
      const changed = claims as { -readonly [Name in keyof Claims]: Claims[Name] }
      changed.expires.setFullYear(2100)
      changed.starts?.setFullYear(1999)
      ;(changed.methods as string[] | undefined)?.push('DELETE')
      ;(changed.data as { seats: number[] } | undefined)?.seats.push(2)
      Object.assign(changed, { resource: '/etc/passwd', id: 'other' })
    }
  }
  expect(memory.size).toBe(2)
})

test('a guard with a memory computes one HMAC for many ranges', async () => {
  const memory = linkMemory()
  const fetch = guard(links, (request) => new Response(request.headers.get('range')), { memory })
  const link = await sign(links, url, { expires })
  for (let from = 0; from < 10; from++) {
    const answer = await fetch(new Request(link, { headers: { range: `bytes=${from}-` } }))
    expect(await answer.text()).toBe(`bytes=${from}-`)
  }
  expect((await fetch(new Request(link, { method: 'POST' }))).status).toBe(405)
  expect(computed).toHaveBeenCalledTimes(1)
  expect(() => guard(links, () => new Response(), { memory: {} as never })).toThrow('memory must be made by linkMemory()')
})

describe('bounds', () => {
  test('the least recently used link goes', async () => {
    const memory = linkMemory({ max: 2 })
    const [a, b, c] = (await Promise.all(['/a', '/b', '/c'].map((path) => sign(links, path, { expires })))) as [string, string, string]
    const remembered = async (link: string) => (await hmacsOf(() => verify(links, link, { memory }))) === 0
    expect([await remembered(a), await remembered(b), await remembered(a), await remembered(c)]).toEqual([false, false, true, false])
    expect([await remembered(a), await remembered(c), await remembered(b)]).toEqual([true, true, false])
    expect(memory.size).toBe(2)
  })

  test('a hundred thousand different links leave room for as many as max', async () => {
    computed.mockImplementation(async () => true)
    const memory = linkMemory({ max: 1000 })
    const signature = 'A'.repeat(43)
    for (let i = 0; i < 100_000; i++) await verify(links, `/f/${i}?expires=9000000000&key=2026-11&signature=${signature}`, { memory })
    expect(memory.size).toBe(1000)
  })

  test('links that are refused, and very long ones, take no room', async () => {
    const memory = linkMemory()
    for (const refused of ['/a', '/a?expires=1', `/a?expires=9000000000&key=2026-11&signature=${'A'.repeat(43)}`])
      await verify(links, refused, { memory })
    const ignoring = hmac(key, { ignore: ['utm_*'] })
    const link = await sign(ignoring, url, { expires })
    expect((await verify(ignoring, `${link}&utm_source=${'x'.repeat(3000)}`, { memory })).ok).toBe(true)
    expect(memory.size).toBe(0)
  })

  test('options are checked', async () => {
    for (const max of [0, -1, 1.5, Number.NaN, '5']) expect(() => linkMemory({ max: max as number })).toThrow(LinkError)
    expect(() => linkMemory({ most: 5 } as never)).toThrow("unknown option 'most'; linkMemory() takes max")
    await expect(verify(links, url, { memory: new Map() as never })).rejects.toThrow('memory must be made by linkMemory()')
  })
})
