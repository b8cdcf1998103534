// ossV4 against ali-oss: 300 random keys, headers and parameters, the same link byte for byte.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'

type Request = { headers?: object; queries?: object }
const OSS = createRequire(import.meta.url)('ali-oss') as new (
  options: object,
) => { signatureUrlV4(method: string, expires: number, request: Request, name: string, additionalHeaders?: string[]): Promise<string> }

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)

const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)
// The package reads the clock.
beforeAll(() => void vi.useFakeTimers({ now: now(), toFake: ['Date'] }))
afterAll(() => void vi.useRealTimers())

// The package leaves some of `!'()*` as they are in the URL, and clients escape `'` in different ways.
const characters = 'aZ09-_.~ +%&=;:@$,"<>[]{}|^`üß漢🐈\u0308'
const name = fc
  .array(fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join('/'))
  // Clients resolve dots.
  .filter((text) => !/(^|\/)\.\.?(\/|$)/.test(text))
// The package signs an empty value with `=`, and OSS without.
const value = fc.string({ unit: fc.constantFrom(...'aZ09-_.~ +/%&=?#;:@,"<>üß漢'), minLength: 1, maxLength: 20 })
const headerValue = fc.stringMatching(/^[\w=;/."()][\w =;/."()]{0,20}[\w=;/."()]$/)
const model = fc.record({
  id: fc.stringMatching(/^[A-Z\d]{16,20}$/),
  secret: fc.stringMatching(/^[\w/+]{30,40}$/),
  token: fc.option(fc.stringMatching(/^[\w/+=]{20,60}$/), { nil: undefined }),
  region: fc.constantFrom('cn-hangzhou', 'us-west-1', 'cn-shanghai-finance-1'),
  domain: fc.constantFrom(undefined, 'pictures.example'),
  name,
  method: fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE', 'POST'),
  life: fc.integer({ min: 1, max: 604_800 }),
  headers: fc.dictionary(
    fc.constantFrom('content-type', 'content-md5', 'x-oss-meta-a', 'x-oss-object-acl', 'range', 'x-custom', 'cache-control'),
    headerValue,
  ),
  query: fc.dictionary(fc.constantFrom('response-content-type', 'versionId', 'x-oss-process', 'a', 'partNumber'), value),
})

test('ali-oss', async () => {
  // The package warns of tokens that nobody renews.
  const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
  await fc.assert(
    fc.asyncProperty(model, async ({ id, secret, token, region, domain, name, method, life, headers, query }) => {
      const theirs = new OSS({
        region: `oss-${region}`,
        bucket: 'examplebucket',
        secure: true,
        accessKeyId: id,
        accessKeySecret: secret,
        ...(token && { stsToken: token }),
        ...(domain && { endpoint: domain, cname: true }),
      })
      const implicit = (header: string) => /^(content-type|content-md5|x-oss-.*)$/.test(header)
      const additional = Object.keys(headers).filter((header) => !implicit(header))
      const link = await theirs.signatureUrlV4(method, life, { headers, queries: query }, name, additional)

      const credentials = { id, secret, ...(token && { sessionToken: token }) }
      const bucket = ossV4(credentials, domain ? { region, bucket: 'examplebucket' } : {})
      const origin = `https://${domain ?? `examplebucket.oss-${region}.aliyuncs.com`}`
      const url = `${origin}/${encodeURIComponent(name).replaceAll('%2F', '/')}`
      const expires = new Date((NOW + life) * 1000)
      expect(await sign(bucket, url, { expires, method, headers, query }, { now })).toBe(link)
      expect(await verify(bucket, link, { now, method, headers })).toMatchObject({ ok: true, claims: { expires, methods: [method] } })
      expect(await verify(bucket, link, { now, method, headers: { ...headers, 'x-oss-meta-c': '1' } })).toMatchObject({
        reason: 'bad_signature',
      })
    }),
    { numRuns: 300, seed },
  )
  warn.mockRestore()
})
