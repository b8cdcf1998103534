// cloudinary beside Cloudinary's library for Node: the same URL, byte for byte, for 300 random public ids and options.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { cloudinary } from '../../src/schemes/cloudinary.ts'
import { isClean } from './clean-secret.ts'

const { v2 } = createRequire(import.meta.url)('cloudinary') as { v2: { url(id: string, options: object): string } }

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)

const word = fc.stringMatching(/^[\w \-ü漢+,()&=@!'*]{1,12}$/)
const publicId = fc
  .array(word, { minLength: 1, maxLength: 3 })
  .map((words) => words.join('/'))
  // Clients resolve dots, and a folder such as `v2` is a version to Cloudinary.
  .filter((id) => !/(^|\/)(\.{1,2}|v\d+)(\/|$)/.test(id))
const step = fc.record(
  {
    width: fc.integer({ min: 1, max: 5000 }),
    height: fc.constantFrom(100, 'auto', '0.5'),
    crop: fc.constantFrom('fill', 'scale', 'crop'),
    effect: fc.constantFrom('blur:300', 'sepia', 'e_art:zorro'.slice(2)),
    angle: fc.constantFrom(90, 'auto_left'),
    quality: fc.constantFrom('auto', 80),
    fetch_format: fc.constant('auto'),
    radius: fc.constant('max'),
    overlay: fc.constantFrom('logo', { font_family: 'Arial', font_size: 20, text: 'a, b/c 50%ü' }),
    variables: fc.constant([['$size', 10]]),
    if: fc.constant('w_gt_500'),
    flags: fc.constantFrom('lossy', ['progressive', 'attachment:cat']),
    named: fc.constant('thumb'),
  },
  { requiredKeys: [] },
)
const delivery = fc.constantFrom<object>(
  {},
  { type: 'private' },
  { type: 'authenticated' },
  { resource_type: 'video' },
  { resource_type: 'raw', type: 'authenticated' },
  { shorten: true },
  { private_cdn: true },
  { private_cdn: true, url_suffix: 'nice-name' },
  { private_cdn: true, url_suffix: 'nice-name', type: 'authenticated' },
)

test('signed URLs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        secret: fc.string({ minLength: 1, maxLength: 30 }).filter(isClean),
        publicId,
        transformation: fc.array(step, { maxLength: 3 }),
        version: fc.option(fc.integer({ min: 1, max: 2e9 }), { nil: undefined }),
        format: fc.option(fc.constantFrom('jpg', 'webp'), { nil: undefined }),
        delivery,
        signature: fc.constantFrom<object>({}, { signature_algorithm: 'sha256' }, { long_url_signature: true }),
        analytics: fc.boolean(),
      }),
      async ({ secret, publicId, transformation, version, format, delivery, signature, analytics }) => {
        const theirs = (sign_url: boolean) =>
          v2.url(publicId, {
            cloud_name: 'demo',
            api_secret: secret,
            secure: true,
            urlAnalytics: analytics,
            sign_url,
            version,
            format,
            transformation: structuredClone(transformation),
            ...delivery,
            ...signature,
          })
        const links = cloudinary(
          { secret },
          {
            ...('signature_algorithm' in signature && { signatureAlgorithm: 'sha256' }),
            ...('long_url_signature' in signature && { longUrlSignature: true }),
          },
        )
        const link = theirs(true)
        expect(await sign(links, theirs(false), { expires: 'never' })).toBe(link)
        expect((await verify(links, link)).ok).toBe(true)
        expect((await verify(links, link.replace(/[^/?]+(?=(\/nice-name)?(\.\w+)?(\?|$))/, 'other'))).ok).toBe(false)
      },
    ),
    { seed, numRuns: 300 },
  )
})

test('addresses of other servers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.webUrl({ withQueryParameters: true }), fc.boolean(), async (url, long_url_signature) => {
      fc.pre(!/\/\.{1,2}(\/|$|[?;])/.test(url) && !/[^:]\/\//.test(url))
      const theirs = (sign_url: boolean) =>
        v2.url(url, { cloud_name: 'demo', api_secret: 'b', urlAnalytics: false, type: 'fetch', sign_url, long_url_signature })
      const links = cloudinary({ secret: 'b' }, { longUrlSignature: long_url_signature, base: '/demo/image/fetch/' })
      expect(await sign(links, theirs(false), { expires: 'never' })).toBe(theirs(true))
      expect((await verify(links, theirs(true))).ok).toBe(true)
    }),
    { seed, numRuns: 100 },
  )
})
