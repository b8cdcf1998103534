// cloudfront against @aws-sdk/cloudfront-signer and aws-cloudfront-sign: 300 random URLs and conditions each.
import { generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import { getSignedCookies, getSignedUrl } from '@aws-sdk/cloudfront-signer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { cloudfront } from '../../src/schemes/cloudfront.ts'

const require = createRequire(import.meta.url)
const older = require('aws-cloudfront-sign') as {
  getSignedUrl(url: string, options: object): string
  getSignedCookies(url: string, options: object): Record<string, string>
}

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const numRuns = 300
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const secret = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string
const id = 'K2JCJMDEHXQW5F'
// aws-cloudfront-sign asks the machine's clock.
const NOW = Math.floor(Date.now() / 1000)
const now = () => new Date(NOW * 1000)
const date = (seconds: number) => new Date(seconds * 1000)

// Escapes that encodeURIComponent writes: the SDK writes all others anew. A `'` in a query becomes %27.
const character = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[\w\-.~!'()]$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).map(escaped) },
)
function escaped(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, 'x')).replace(/%[01].|%7F|\*/gi, 'x')
}
const text = fc.array(character, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''))
const isDots = (segment: string) => /^(\.|%2E){1,2}$/i.test(segment)
const path = fc
  .array(
    text.filter((segment) => !isDots(segment)),
    { minLength: 1, maxLength: 4 },
  )
  .map((segments) => `/${segments.join('/')}`)
const value = text.map((part) => part.replaceAll("'", '%27'))
const query = fc.array(fc.tuple(value, value), { maxLength: 3 }).map((pairs) => pairs.map((pair) => pair.join('=')).join('&'))
const url = fc
  .tuple(fc.constantFrom('https://d111111abcdef8.cloudfront.net', 'http://cdn.example:8080'), path, query)
  .map(([origin, path, query]) => origin + path + (query && `?${query}`))
const cases = fc.record({
  url,
  expires: fc.integer({ min: NOW + 3600, max: 2147483646 }),
  starts: fc.option(fc.integer({ min: NOW - 1000, max: NOW }), { nil: undefined }),
  ip: fc.option(
    fc.oneof(
      fc.ipV4(),
      fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 })).map(([ip, bits]) => `${ip}/${bits}`),
    ),
    { nil: undefined },
  ),
  algorithm: fc.constantFrom('SHA1' as const, 'SHA256' as const),
})
const known = (values: object) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

test('@aws-sdk/cloudfront-signer: the same link, and it verifies; and so do its cookies', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ url, expires, starts, ip, algorithm }) => {
      const links = cloudfront({ id, secret }, { algorithm })
      const theirs = {
        url,
        keyPairId: id,
        privateKey: secret,
        dateLessThan: date(expires).toISOString(),
        algorithm,
        ...known({ dateGreaterThan: starts && date(starts).toISOString(), ipAddress: ip }),
      }
      const link = await sign(links, url, { expires: date(expires), ...known({ starts: starts && date(starts), ip }) }, { now })
      expect(link).toBe(getSignedUrl(theirs))
      const from = ip?.split('/')[0]
      const verdict = await verify(cloudfront({ id, secret }), link, { now, ip: from })
      expect(verdict).toMatchObject({ ok: true, claims: { resource: url, expires: date(expires), keyId: id } })
      const cookie = Object.entries(getSignedCookies(theirs))
        .map((pair) => pair.join('='))
        .join('; ')
      expect(await verify(links, url, { now, ip: from, headers: { cookie } })).toMatchObject({ ok: true, claims: { resource: url } })
    }),
    { numRuns, seed },
  )
})

test('aws-cloudfront-sign: the same policy and signature, and its links and cookies verify', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ url: written, expires, ip }) => {
      // It prints the query anew, in its own form.
      const url = written.replace(/\?.*/, '')
      const links = cloudfront({ id, secret })
      const options = {
        keypairId: id,
        privateKeyString: secret,
        expireTime: expires * 1000,
        ...known({ ipRange: ip && (ip.includes('/') ? ip : `${ip}/32`) }),
      }
      const theirs = older.getSignedUrl(url, options)
      const ours = new URL(await sign(links, url, { expires: date(expires), ...known({ ip }) }, { now }))
      expect(new URL(theirs).searchParams.get('Signature')).toBe(ours.searchParams.get('Signature'))
      if (ip) expect(new URL(theirs).searchParams.get('Policy')).toBe(ours.searchParams.get('Policy'))
      const from = ip?.split('/')[0]
      expect(await verify(links, theirs, { now, ip: from })).toMatchObject({ ok: true, claims: { resource: url, expires: date(expires) } })
      const cookie = Object.entries(older.getSignedCookies(url, options))
        .map((pair) => pair.join('='))
        .join('; ')
      expect((await verify(links, url, { now, ip: from, headers: { cookie } })).ok).toBe(true)
    }),
    { numRuns, seed },
  )
})
