// s3v2 against ali-oss and esdk-obs-nodejs: 300 random keys, headers and parameters each, the same link byte for byte.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { s3v2 } from '../../src/schemes/s3v2.ts'

const require = createRequire(import.meta.url)
const OSS = require('ali-oss') as new (options: object) => { signatureUrl(name: string, options: object): string }
const ObsClient = require('esdk-obs-nodejs') as new (
  options: object,
) => Record<'createSignedUrlSync' | 'createV4SignedUrlSync', (options: object) => { SignedUrl: string }>

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const numRuns = 300

const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)
// Both packages read the clock.
beforeAll(() => void vi.useFakeTimers({ now: now(), toFake: ['Date'] }))
afterAll(() => void vi.useRealTimers())

const credentials = fc.record({
  id: fc.stringMatching(/^[A-Z\d]{16,20}$/),
  secret: fc.stringMatching(/^[\w/+]{30,40}$/),
  token: fc.option(fc.stringMatching(/^[\w/+=]{20,60}$/), { nil: undefined }),
})
const key = fc
  .array(fc.string({ unit: fc.constantFrom(...'aZ09-_.~ +%&=;:@!$(),"<>[]{}|^`üß漢🐈\u0308'), minLength: 1, maxLength: 12 }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((segments) => segments.join('/'))
  // Clients resolve dots.
  .filter((text) => !/(^|\/)\.\.?(\/|$)/.test(text))
// Clients escape `'` in different ways, and the packages leave some of `!'()*` as they are.
const value = fc.string({ unit: fc.constantFrom(...'aZ09-_.~ +/%&=?#;:@,"<>üß漢'), minLength: 1, maxLength: 20 })
const method = fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE')
const life = fc.integer({ min: 1, max: 1e8 })
const headerValue = fc.stringMatching(/^[\w=;/."()][\w =;/."()]{0,20}[\w=;/."()]$/)
const headers = (prefix: string) =>
  fc.dictionary(fc.constantFrom('content-type', 'content-md5', `${prefix}meta-a`, `${prefix}meta-b`, `${prefix}acl`), headerValue)
const query = (...names: string[]) => fc.dictionary(fc.constantFrom('response-content-type', 'response-cache-control', ...names), value)

test('ali-oss', async () => {
  // The package warns of tokens that nobody renews.
  const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        credentials,
        key,
        method,
        life,
        headers: headers('x-oss-'),
        response: query(),
        process: fc.option(value, { nil: undefined }),
      }),
      async ({ credentials: { id, secret, token }, key, method, life, headers, response, process }) => {
        const theirs = new OSS({
          region: 'oss-cn-hangzhou',
          bucket: 'examplebucket',
          secure: true,
          accessKeyId: id,
          accessKeySecret: secret,
          ...(token && { stsToken: token }),
        })
        const names = Object.entries(response).map(([name, value]) => [name.replace('response-', ''), value])
        const link = theirs.signatureUrl(key, {
          expires: life,
          method,
          ...headers,
          ...(names.length > 0 && { response: Object.fromEntries(names) }),
          ...(process && { process }),
        })
        const links = s3v2({ id, secret, ...(token && { sessionToken: token }) }, { vendor: 'oss' })
        const signed = await sign(
          links,
          link.split('?')[0] as string,
          {
            expires: new Date((NOW + life) * 1000),
            method,
            headers,
            query: { ...(process && { 'x-oss-process': process }), ...response },
          },
          { now },
        )
        expect(signed).toBe(link)
        expect((await verify(links, link, { now, method, headers })).ok).toBe(true)
        expect((await verify(links, link, { now: () => new Date((NOW + life) * 1000), method, headers })).reason).toBe('expired')
        expect((await verify(links, link, { now, method: 'PATCH', headers })).reason).toBe('bad_signature')
      },
    ),
    { seed, numRuns },
  )
  warn.mockRestore()
})

test('esdk-obs-nodejs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ credentials, key, method, life, headers: headers('x-obs-'), query: query('versionId', 'attname', 'x-image-process') }),
      async ({ credentials: { id, secret, token }, key, method, life, headers, query }) => {
        const theirs = new ObsClient({
          access_key_id: id,
          secret_access_key: secret,
          server: 'https://obs.cn-north-4.myhuaweicloud.com',
          ...(token && { security_token: token }),
        })
        // The constructor reads its credentials later.
        await Promise.resolve()
        const { SignedUrl: link } = theirs.createSignedUrlSync({
          Bucket: 'examplebucket',
          Key: key,
          Method: method,
          Expires: life,
          Headers: { ...headers },
          QueryParams: { ...query },
        })
        const links = s3v2({ id, secret, ...(token && { sessionToken: token }) }, { vendor: 'obs' })
        // The package writes parameters in the order of their names.
        const ordered = Object.fromEntries(Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1)))
        const conditions = { expires: new Date((NOW + life) * 1000), method, headers, query: ordered }
        const signed = await sign(links, link.split('?')[0] as string, conditions, { now })
        const parts = (url: string) => url.split(/[?&]/).sort()
        // Except that a token comes before a parameter whose name is greater.
        expect(token ? parts(signed) : signed).toEqual(token ? parts(link) : link)
        expect((await verify(links, link, { now, method, headers })).ok).toBe(true)
        expect((await verify(links, link, { now: () => new Date((NOW + life) * 1000), method, headers })).reason).toBe('expired')
        expect((await verify(links, link, { now, method: 'PATCH', headers })).reason).toBe('bad_signature')
      },
    ),
    { seed, numRuns },
  )
})

test('the V4 links of esdk-obs-nodejs are those of the scheme s3', async () => {
  const theirs = new ObsClient({
    access_key_id: 'UDSIAMSTUBTEST000002',
    secret_access_key: 'obs/Secret+0123456789abcdefgh',
    server: 'https://obs.cn-north-4.myhuaweicloud.com',
    region: 'cn-north-4',
  })
  await Promise.resolve()
  const QueryParams = { versionId: 'x/y' }
  const { SignedUrl: link } = theirs.createV4SignedUrlSync({ Bucket: 'examplebucket', Key: 'a b/ü.txt', Expires: 3600, QueryParams })
  const links = s3({ id: 'UDSIAMSTUBTEST000002', secret: 'obs/Secret+0123456789abcdefgh' }, { region: 'cn-north-4' })
  const url = 'https://examplebucket.obs.cn-north-4.myhuaweicloud.com:443/a%20b/%C3%BC.txt?versionId=x%2Fy'
  expect(await sign(links, url, { expires: '1h' }, { now })).toBe(link)
  expect((await verify(links, link, { now })).ok).toBe(true)
})
