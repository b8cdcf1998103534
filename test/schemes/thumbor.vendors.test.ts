// thumbor against thumbor-lite: 300 random images and options, the same link byte for byte.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { thumbor } from '../../src/schemes/thumbor.ts'
import { isClean } from './clean-secret.ts'

/** The methods of the package that choose options; each returns the builder. */
interface Builder {
  setImagePath(path: string): Builder
  buildUrl(): string
  [option: string]: (...values: never[]) => unknown
}
const Thumbor = createRequire(import.meta.url)('thumbor-lite') as new (key: string | undefined, server: string) => Builder

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const now = () => new Date('2026-01-01T00:00:00Z')

const size = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.constant('orig'))
const crop = fc.tuple(...[1, 2, 3, 4].map(() => fc.nat(999)))
const filter = fc.constantFrom('quality(80)', 'brightness(-20)', 'fill(ff0000)', 'watermark(my.server.com/w.png,10,-10,50)', 'format(webp)')
const option = fc.oneof<fc.Arbitrary<readonly [string, readonly unknown[]]>[]>(
  fc.tuple(fc.constantFrom('resize', 'fitIn'), fc.tuple(size, size)),
  fc.tuple(fc.constantFrom('flipHorizontally', 'flipVertically'), fc.constant([])),
  fc.tuple(fc.constantFrom('smartCrop', 'metaDataOnly'), fc.tuple(fc.boolean())),
  fc.tuple(fc.constant('halign'), fc.tuple(fc.constantFrom('left', 'center', 'right'))),
  fc.tuple(fc.constant('valign'), fc.tuple(fc.constantFrom('top', 'middle', 'bottom'))),
  fc.tuple(fc.constant('crop'), crop),
  fc.tuple(fc.constant('filter'), fc.tuple(filter)),
)
// Characters that a URL can have. The package leaves the others to clients, and then its links are not valid.
const segment = fc
  .stringMatching(/^(?:[\w\-!$()*+,;=:@~]|[\w.]|%[2-7E][\dA-F]){1,12}$/)
  .filter((text) => !/^(\.|%2E){1,2}(;|$)/i.test(text))
const image = fc
  .tuple(fc.constantFrom('', 'my.server.com/', 'https://my.server.com/'), fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([host, segments, query]) => `${host}${segments.join('/')}${query ? '?v=1&w=' : ''}`)

test('thumbor-lite', async () => {
  const model = fc.record({
    key: fc.string({ minLength: 1, unit: 'grapheme' }).filter(isClean),
    options: fc.array(option, { maxLength: 5 }),
    image,
  })
  await fc.assert(
    fc.asyncProperty(model, async ({ key, options, image }) => {
      const build = (key: string | undefined) => {
        const builder = new Thumbor(key, 'https://thumbor.example').setImagePath(image)
        for (const [name, values] of options) builder[name]?.(...(values as never[]))
        return builder.buildUrl()
      }
      const link = build(key)
      const links = thumbor({ secret: key })
      expect(await sign(links, build(undefined).replace('/unsafe/', '/'), { expires: 'never' }, { now })).toBe(link)
      expect(await verify(links, link, { now })).toMatchObject({ ok: true })
      expect((await verify(links, link.replace(/.$/, '~'), { now })).ok).toBe(link.endsWith('~'))
    }),
    { numRuns: 300, seed },
  )
})
