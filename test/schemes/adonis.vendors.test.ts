// adonis against AdonisJS: 300 random URLs and options, the same link byte for byte, each verifies the other's, and what AdonisJS refuses is refused.
import { EncryptionFactory } from '@adonisjs/encryption/factories'
import { RequestFactory, RouterFactory } from '@adonisjs/http-server/factories'
import { MessageVerifier } from '@boringnode/encryption/message_verifier'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { adonis } from '../../src/schemes/adonis.ts'

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const NOW = 1_893_456_000
const ORIGIN = 'https://app.example'

afterEach(() => {
  vi.useRealTimers()
})

/** An application of AdonisJS 6. */
function application(secret: string) {
  const encryption = new EncryptionFactory().merge({ secret }).create()
  const router = new RouterFactory().merge({ encryption }).create()
  return {
    router,
    /** Does it take a request? The request has the link without scheme and host. */
    takes: (link: string, purpose?: string) =>
      new RequestFactory()
        .merge({ url: link.slice(ORIGIN.length), encryption })
        .create()
        .hasValidSignature(purpose),
  }
}

const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined })
const model = fc.record({
  secret: fc.string({ minLength: 16, maxLength: 40, unit: 'grapheme' }),
  // AdonisJS signs the path as it is given, so it is given as clients send it.
  segments: fc.array(fc.stringMatching(/^([\w.~!$&()*+,;=:@-]|%C3%BC|%2f){1,12}$/), { minLength: 1, maxLength: 4 }),
  query: fc.dictionary(fc.stringMatching(/^[a-zü][\w.~&=+% -]{0,8}$/), fc.string({ maxLength: 12, unit: 'grapheme' }), { maxKeys: 4 }),
  purpose: some(fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' })),
  seconds: some(fc.integer({ min: 1, max: 1e8 })),
  // Another request for the link: with a changed character, another purpose, or later.
  place: fc.nat(),
  otherPurpose: fc.constantFrom(undefined, undefined, undefined, 'login'),
  late: fc.boolean(),
})

test('adonis', async () => {
  let [taken, refused] = [0, 0]
  vi.useFakeTimers({ now: NOW * 1000, toFake: ['Date'] })
  await fc.assert(
    fc.asyncProperty(model, async ({ secret, segments, query, purpose, seconds, place, otherPurpose, late }) => {
      // `sign` refuses dot segments, which clients resolve, and URLs that are links already.
      fc.pre(!/(\/|%2f)\.\.?(;|\/|%2f|$)/.test(`/${segments.join('/')}`) && !('signature' in query))
      const { router, takes } = application(secret)
      const links = adonis({ secret }, purpose === undefined ? {} : { purpose })
      const options = { qs: query, prefixUrl: ORIGIN, disableRouteLookup: true }
      const url = router.makeUrl('/*', segments, options)
      const theirs = router.makeSignedUrl('/*', segments, {
        ...options,
        ...(seconds !== undefined && { expiresIn: `${seconds}s` }),
        ...(purpose !== undefined && { purpose }),
      })
      const at = { now: () => new Date(NOW * 1000) }
      expect(await sign(links, url, { expires: seconds === undefined ? 'never' : `${seconds}s` }, at)).toBe(theirs)
      expect(await verify(links, theirs, at)).toMatchObject({ ok: true })
      expect(takes(theirs, purpose)).toBe(true)

      // AdonisJS 7 has another package for the token.
      const token = new URL(theirs).searchParams.get('signature') as string
      expect(new MessageVerifier([secret]).unsign(token, purpose)).toBe(url.slice(ORIGIN.length))

      const start = ORIGIN.length + 1
      const where = start + (place % (theirs.length - start))
      const changed = place % 2 ? theirs : `${theirs.slice(0, where)}${theirs[where] === 'x' ? 'y' : 'x'}${theirs.slice(where + 1)}`
      const then = new Date(late && seconds ? (NOW + seconds) * 1000 + 1 : NOW * 1000)
      vi.setSystemTime(then)
      const asked = otherPurpose ?? purpose
      const vendorTakes = takes(changed, asked)
      const { ok } = await verify(adonis({ secret }, asked === undefined ? {} : { purpose: asked }), changed, { now: () => then })
      vi.setSystemTime(NOW * 1000)
      if (!vendorTakes) expect(ok, changed).toBe(false)
      if (ok) taken++
      else refused++
    }),
    { numRuns: 300, seed },
  )
  expect(taken).toBeGreaterThan(30)
  expect(refused).toBeGreaterThan(30)
})
