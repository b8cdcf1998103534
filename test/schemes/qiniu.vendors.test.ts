// qiniu against the package qiniu: 300 random names and queries, the same link byte for byte.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { qiniu } from '../../src/schemes/qiniu.ts'
import { isClean } from './clean-secret.ts'

const vendor = createRequire(import.meta.url)('qiniu') as {
  auth: { digest: { Mac: new (accessKey: string, secretKey: string) => object } }
  rs: { BucketManager: new (mac: object, config: object) => { privateDownloadUrl(domain: string, name: string, deadline: number): string } }
  conf: { Config: new () => object }
}

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)

// The package escapes letters and spaces, and leaves a few characters that some clients escape.
const name = fc
  .string({ unit: fc.constantFrom(...'aZ09-_.~!$()*+,;=:@/ ü图🐈[]', '%7C', '%c3%bc', '%'), minLength: 1, maxLength: 20 })
  .filter((text) => !/(^|\/)(\.|%2E){1,2}(\/|;|$)|^\s|\s$/i.test(text))
const query = fc.constantFrom('', '?imageView2/1/w/200', '?attname=ü b.jpg', '?a&b=%c3&&c=1+2')
const key = fc.record({ id: fc.stringMatching(/^[\w-]{1,40}$/), secret: fc.string({ minLength: 1, unit: 'grapheme' }).filter(isClean) })

test('qiniu', async () => {
  const model = fc.record({ name, query, key, expires: fc.integer({ min: NOW + 1, max: NOW + 1e8 }) })
  await fc.assert(
    fc.asyncProperty(model, async ({ name, query, key, expires }) => {
      const mac = new vendor.auth.digest.Mac(key.id, key.secret)
      const bucket = new vendor.rs.BucketManager(mac, new vendor.conf.Config())
      const link = bucket.privateDownloadUrl('https://files.example', name + query, expires)
      const links = qiniu(key)
      expect(await sign(links, `https://files.example/${name}${query}`, { expires: new Date(expires * 1000) }, { now })).toBe(link)
      expect(await verify(links, link, { now })).toMatchObject({ ok: true })
      expect(await verify(links, link.replace('files', 'others'), { now })).toMatchObject({ reason: 'bad_signature' })
    }),
    { numRuns: 300, seed },
  )
})
