// signed against the package signed: 300 random URLs and options, the same link byte for byte, and what the package refuses is refused.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { signed } from '../../src/schemes/signed.ts'

type Options = { exp?: number; addr?: string; method?: string | string[] }
const { Signature } = createRequire(import.meta.url)('signed') as {
  Signature: new (
    options: object,
  ) => { sign(url: string, options: Options): string; verify(url: string, request: { method?: string; addr?: string }): string }
}

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const NOW = 1_893_456_000
const now = () => new Date(NOW * 1000)

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** The package answers with the URL, or throws. */
const accepts = (vendor: InstanceType<typeof Signature>, link: string, request: { method: string; addr: string }): boolean => {
  try {
    return Boolean(vendor.verify(link, request))
  } catch {
    return false
  }
}

const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined })
const model = fc.record({
  // The package signs the URL as it is given, so it is given as clients send it.
  path: fc.array(fc.constantFrom(...'aZ09-_.~!$()*+,;=:@', '/b', '%C3%BC', '%2f'), { maxLength: 12 }).map((parts) => `/x${parts.join('')}`),
  query: fc.constantFrom('', '?', '?a=1', '?a-b=c_d&signe=x', '?a&b=%c3&&c=1+2'),
  secret: fc.string({ minLength: 1, unit: 'grapheme' }),
  hash: fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512' as const),
  random: fc.integer({ min: 1, max: 9_999_999_999 }),
  exp: some(fc.integer({ min: NOW + 1, max: NOW + 1e8 })),
  addr: some(fc.oneof(fc.ipV4(), fc.constantFrom('::1', '2001:db8::7', '::ffff:192.0.2.1'))),
  method: some(fc.subarray(['DELETE', 'GET', 'HEAD', 'POST', 'PUT'], { minLength: 1 })),
  other: fc.record({ method: fc.constantFrom('GET', 'HEAD', 'POST'), addr: fc.constantFrom('192.0.2.200', '::1'), late: fc.boolean() }),
})

test('signed', async () => {
  let [taken, refused] = [0, 0]
  await fc.assert(
    fc.asyncProperty(model, async ({ path, query, secret, hash, random, exp, addr, method, other }) => {
      vi.spyOn(Math, 'random').mockReturnValue((random + 0.5) / 1e10)
      const vendor = new Signature({ secret, hash })
      const url = `https://app.example${path}${query}`
      const theirs = vendor.sign(url, { ...(exp && { exp }), ...(addr && { addr }), ...(method && { method }) })
      const links = signed({ secret }, { hash })
      const conditions = { ...(addr && { ip: addr }), ...(method && { method }), id: `${random}` }
      expect(await sign(links, url, { expires: exp ? new Date(exp * 1000) : 'never', ...conditions }, { now })).toBe(theirs)

      const request = { method: method?.[0] ?? 'GET', addr: addr ?? '192.0.2.1' }
      expect(await verify(links, theirs, { now, method: request.method, ip: request.addr })).toMatchObject({ ok: true })
      expect(await verify(links, theirs.replace('app', 'apq'), { now, method: request.method, ip: request.addr })).toMatchObject({
        reason: 'bad_signature',
      })

      // Another request: the package's refusals are refused.
      const then = other.late && exp ? exp * 1000 + 1 : NOW * 1000
      vi.useFakeTimers({ now: then, toFake: ['Date'] })
      const vendorTakes = accepts(vendor, theirs, other)
      vi.useRealTimers()
      const { ok } = await verify(links, theirs, { now: () => new Date(then), method: other.method, ip: other.addr })
      if (!vendorTakes) expect(ok).toBe(false)
      if (ok) taken++
      else refused++
    }),
    { numRuns: 300, seed },
  )
  expect(taken).toBeGreaterThan(15)
  expect(refused).toBeGreaterThan(15)
})
