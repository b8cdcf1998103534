// googleMaps against @googlemaps/url-signature: 300 random requests, the same link byte for byte.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { googleMaps } from '../../src/schemes/google-maps.ts'

const { signUrl } = createRequire(import.meta.url)('@googlemaps/url-signature') as { signUrl(url: string, secret: string): URL }

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const now = () => new Date('2026-01-01T00:00:00Z')

const path = fc.constantFrom('/maps/api/staticmap', '/maps/api/streetview', '/maps/api/geocode/json', '/a%20b/ü')
// The package leaves `|` and others unescaped, which some clients escape. Those are escaped here, and letters are not.
const value = fc.string({ unit: fc.constantFrom(...'aZ09-_.~+,:;@/?!$()* ü漢🐈[]', '%7C', '%20', '%c3%bc'), maxLength: 12 })
const parameters = fc.array(fc.tuple(fc.constantFrom('center', 'markers', 'path', 'size', 'zoom'), value), { maxLength: 4 })
const secret = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_'))

test('@googlemaps/url-signature', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record({ path, parameters, secret }), async ({ path, parameters, secret }) => {
      const query = [...parameters, ['key', 'KEY']].map(([name, text]) => `${name}=${text}`).join('&')
      const url = `https://maps.googleapis.com${path}?${query}`
      const link = signUrl(url, secret).href
      const links = googleMaps({ secret })
      expect(await sign(links, url, { expires: 'never' }, { now })).toBe(link)
      expect(await verify(links, link, { now })).toMatchObject({ ok: true })
      expect(await verify(links, link.replace('key=KEY', 'key=OTHER'), { now })).toMatchObject({ reason: 'bad_signature' })
    }),
    { numRuns: 300, seed },
  )
})
