// tencentCos against cos-nodejs-sdk-v5: 300 random keys, headers and parameters, the same link byte for byte.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { tencentCos } from '../../src/schemes/tencent-cos.ts'

const require = createRequire(import.meta.url)
const COS = require('cos-nodejs-sdk-v5') as new (options: object) => { getObjectUrl(options: object): string }

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)

const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)
// The package reads the clock, and goes back by a second.
beforeAll(() => void vi.useFakeTimers({ now: now(), toFake: ['Date'] }))
afterAll(() => void vi.useRealTimers())

const characters = (text: string, maxLength: number) => fc.string({ unit: fc.constantFrom(...text), minLength: 1, maxLength })
const key = fc
  .array(characters('aZ09-_.~ +%&=;:@!$\'()*,"<>[]{}|^`üß漢🐈\u0308', 12), { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join('/'))
  // Clients resolve dots.
  .filter((text) => !/(^|\/)\.\.?(\/|$)/.test(text))
const value = characters('aZ09-_.~ +/%&=?#;:@!\'()*,"<>üß漢', 20)
const names = ['response-content-type', 'response-cache-control', 'versionId', 'imageMogr2/thumbnail/200x', 'Prefix']
const headerValue = fc.stringMatching(/^[\w=;/."()][\w =;/."()]{0,20}[\w=;/."()]$/)

test('cos-nodejs-sdk-v5', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        id: fc.stringMatching(/^[A-Za-z\d]{16,36}$/),
        secret: fc.stringMatching(/^[\w/+]{32,40}$/),
        token: fc.option(fc.stringMatching(/^[\w-]{20,60}$/), { nil: undefined }),
        key,
        method: fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE'),
        life: fc.integer({ min: 2, max: 1e8 }),
        headers: fc.dictionary(fc.constantFrom('content-type', 'content-md5', 'x-cos-meta-a', 'x-cos-acl'), headerValue),
        query: fc.dictionary(fc.constantFrom(...names), value),
      }),
      async ({ id, secret, token, key, method, life, headers, query }) => {
        const theirs = new COS({ SecretId: id, SecretKey: secret, ...(token && { SecurityToken: token }) })
        // The package writes parameters in the order of their names, in any case.
        const ordered = Object.fromEntries(Object.entries(query).sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)))
        const link = theirs.getObjectUrl({
          Bucket: 'examplebucket-1250000000',
          Region: 'ap-beijing',
          Key: key,
          Method: method,
          Expires: life,
          Headers: { ...headers },
          Query: { ...query },
          Sign: true,
        })
        const links = tencentCos({ id, secret, ...(token && { sessionToken: token }) })
        const times = { starts: new Date((NOW - 1) * 1000), expires: new Date((NOW - 1 + life) * 1000) }
        expect(await sign(links, link.split('?')[0] as string, { ...times, method, headers, query: ordered }, { now })).toBe(link)
        expect(await verify(links, link, { now, method, headers })).toMatchObject({ ok: true, claims: times })
        expect((await verify(links, link, { now: () => times.expires, method, headers })).reason).toBe('expired')
        expect((await verify(links, link, { now, method: 'PATCH', headers })).reason).toBe('bad_signature')
      },
    ),
    { seed, numRuns: 300 },
  )
})
