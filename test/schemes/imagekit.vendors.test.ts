// imagekit beside ImageKit's library for Node: the same URL, byte for byte, for 300 random paths and options.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Conditions, sign, verify } from '../../src/index.ts'
import { imagekit } from '../../src/schemes/imagekit.ts'
import { isClean } from './clean-secret.ts'

const ImageKit = createRequire(import.meta.url)('imagekit') as new (options: object) => { url(options: object): string }

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)

const text = fc.string({ unit: fc.constantFrom(...`aZ09-_.~ +/=;:@!$'()*,"<>[]{}|%&üß漢🐈`), maxLength: 10 })
const path = text
  .map((folder) => `x${folder}/cat.png`)
  // Clients resolve dots, as the library does.
  .filter((name) => !/\/(\.|%2e){1,2}([/;]|$)/i.test(name))
const step = fc.record(
  {
    width: fc.integer({ min: 1, max: 5000 }),
    height: fc.constant(300),
    rotation: fc.constant('auto'),
    blur: fc.constant(5),
    defaultImage: fc.constant('/folder/file.jpg/'),
    raw: fc.constant('l-text,i-a b,l-end'),
    effectSharpen: fc.constant('-'),
  },
  { requiredKeys: [] },
)

test('signed URLs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        privateKey: fc.string({ minLength: 1, maxLength: 30 }).filter(isClean),
        urlEndpoint: fc.constantFrom('https://ik.imagekit.io/demo/', 'https://images.example/', 'https://ik.imagekit.io/demo/folder/'),
        path,
        bySource: fc.boolean(),
        queryParameters: fc.dictionary(fc.constantFrom('v', 'version', 'a b'), text, { maxKeys: 3 }),
        transformation: fc.array(step, { maxLength: 2 }),
        transformationPosition: fc.constantFrom('path', 'query'),
        expireSeconds: fc.option(fc.integer({ min: 100, max: 1e6 }), { nil: undefined }),
      }),
      async ({ privateKey, urlEndpoint, path, bySource, expireSeconds, ...options }) => {
        const client = new ImageKit({ publicKey: 'public', privateKey, urlEndpoint })
        const place = bySource ? { src: urlEndpoint + path } : { path }
        const theirs = (more: object) => client.url({ ...place, ...options, ...more })
        const expected = theirs({ signed: true, ...(expireSeconds && { expireSeconds }) })
        const time = /[?&]ik-t=(\d+)/.exec(expected)?.[1]
        expect(time !== undefined).toBe(expireSeconds !== undefined)
        const conditions: Conditions<never, 'optional'> = { expires: time ? new Date(+time * 1000) : 'never' }
        const links = imagekit({ secret: privateKey }, { urlEndpoint })
        expect(await sign(links, theirs({}), conditions)).toBe(expected)

        expect(await verify(links, expected)).toMatchObject({
          ok: true,
          claims: time ? { expires: conditions.expires } : { endless: true },
        })
        expect((await verify(links, new URL(expected))).ok).toBe(true)
        expect((await verify(links, expected.replace('cat.png', 'dog.png'))).reason).toBe('bad_signature')
        if (time) expect((await verify(links, expected, { now: () => new Date(+time * 1000) })).reason).toBe('expired')
      },
    ),
    { seed, numRuns: 300 },
  )
})
