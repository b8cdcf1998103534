// imgproxy beside its official URL builder: the same link, byte for byte, for 300 random sources and options.
import { generateImageInfoUrl, generateImageUrl } from '@imgproxy/imgproxy-node'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Conditions, sign, verify } from '../../src/index.ts'
import { imgproxy } from '../../src/schemes/imgproxy.ts'

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)

const hex = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex'))
// Characters that every client sends as they are: the builder signs all others raw, and imgproxy then gets them escaped.
const source = fc
  .stringMatching(/^[\w.~!$&'()*+,;=:@|%-]{1,9}(?:\/[\w.~!$&()*+,;=:-]{1,9}){0,3}$/)
  .map((path) => `https://files.example/${path.replaceAll('%', '%25')}`)
const dots = /\/\.{1,2}([/;]|$)/
const options = fc.record(
  {
    width: fc.integer({ min: 1, max: 5000 }),
    height: fc.integer({ min: 1, max: 5000 }),
    resize: fc.record({
      type: fc.constantFrom('fit' as const, 'fill' as const),
      width: fc.integer({ min: 1, max: 9 }),
      height: fc.constant(300),
    }),
    quality: fc.integer({ min: 1, max: 100 }),
    blur: fc.integer({ min: 1, max: 9 }),
    background: fc.constantFrom('ff00ff', 'abc'),
    format: fc.constantFrom('webp' as const, 'png' as const),
    gravity: fc.constantFrom({ type: 'sm' as const }, { type: 'fp' as const, x: 0.5, y: 0.25 }),
    cachebuster: fc.constantFrom('abc', '123'),
    preset: fc.constantFrom(['a'], ['a', 'b']),
    expires: fc.integer({ min: NOW + 1, max: NOW + 1e6 }),
    watermark: fc.constant({ opacity: 0.5 }),
  },
  { requiredKeys: [] },
)

test('generateImageUrl and generateImageInfoUrl', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        key: hex,
        salt: hex,
        source: source.filter((url) => !dots.test(url) && !url.slice('https://'.length).includes(':/')),
        displayAs: fc.constantFrom('plain' as const, 'base64' as const, 'encrypted' as const),
        options,
        endpoint: fc.constantFrom('https://img.example', 'https://img.example/images'),
        info: fc.boolean(),
      }),
      async ({ key, salt, source, displayAs, options, endpoint, info }) => {
        const url = { value: source, displayAs }
        const encryption = { encryptKey: '1eb5b0e971ad7f45324c1bb15c947cb207c43152fa5c6c7f35c4f36e0c18e0f1', encryptIV: '00'.repeat(16) }
        const { expires } = options
        const own = info ? { palette: 6, ...(expires && { expires }) } : options
        const theirs = (pair: object) =>
          (info ? generateImageInfoUrl : generateImageUrl)({ endpoint, url, options: own as never, ...encryption, ...pair })
        const expected = theirs({ key, salt })
        const pathPrefix = `${endpoint.slice('https://img.example'.length)}${info ? '/info' : ''}`
        const links = imgproxy({ secret: key, salt }, { pathPrefix })
        const conditions: Conditions<never, 'optional'> = { expires: expires ? new Date(expires * 1000) : 'never' }
        // Without a key the builder writes the word "insecure" in place of the signature.
        const unsigned = theirs({}).replace('/insecure', '')
        expect(await sign(links, unsigned, conditions, { now })).toBe(expected)

        const verdict = await verify(links, expected, { now })
        expect(verdict).toMatchObject({ ok: true, claims: expires ? { expires: conditions.expires } : { endless: true } })
        // The same without the expiry, which sign adds.
        if (verdict.ok) {
          const added = await sign(links, verdict.claims.resource, conditions, { now })
          expect(
            added
              .replace(/^.*\/[\w-]{43}\//, '')
              .split('/')
              .sort(),
          ).toEqual(
            expected
              .replace(/^.*\/[\w-]{43}\//, '')
              .split('/')
              .sort(),
          )
          expect((await verify(links, added, { now })).ok).toBe(true)
        }
        if (expires) expect((await verify(links, expected, { now: () => new Date((expires + 1) * 1000) })).reason).toBe('expired')
      },
    ),
    { seed, numRuns: 300 },
  )
})
