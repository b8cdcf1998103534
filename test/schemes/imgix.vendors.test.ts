// imgix beside @imgix/js-core and imgix-url-builder: the same URL, byte for byte, for 300 random paths and parameters each.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { buildURL } from 'imgix-url-builder'
import { buildSignedURL } from 'imgix-url-builder/node'
import { expect, test } from 'vitest'
import { type Conditions, sign, verify } from '../../src/index.ts'
import { imgix } from '../../src/schemes/imgix.ts'
import { isClean } from './clean-secret.ts'

const ImgixClient = createRequire(import.meta.url)('@imgix/js-core') as new (
  options: object,
) => { buildURL(path: string, parameters: object): string }

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)

const text = fc.string({ unit: fc.constantFrom(...`aZ09-_.~ +/=?#;:@!$'()*,"<>[]{}|%&üß漢🐈`), maxLength: 10 })
const file = fc.stringMatching(/^[a-z0-9]{1,5}\.png$/)
const parameters = fc.dictionary(fc.constantFrom('w', 'h', 'txt', 'txt64', 'mark', 'rect', 'fm', 'blend64'), text, { maxKeys: 4 })
const given = fc.record({
  token: fc.string({ minLength: 1, maxLength: 30 }).filter(isClean),
  folder: text.filter((path) => !/(^|\/)\.{1,2}([/;]|$)/.test(path) && !path.startsWith('/')),
  file,
  parameters,
  expires: fc.option(fc.integer({ min: NOW + 1, max: NOW + 1e6 }), { nil: undefined }),
})
const conditionsOf = (expires: number | undefined): Conditions<never, 'optional'> => ({
  expires: expires ? new Date(expires * 1000) : 'never',
})

async function compare(token: string, unsigned: string, expected: string, expires: number | undefined): Promise<void> {
  const links = imgix({ secret: token })
  expect(await sign(links, unsigned, conditionsOf(expires), { now })).toBe(expected)
  expect((await verify(links, expected, { now })).ok).toBe(true)
  // Browsers escape it in a query, and the packages do not.
  if (!expected.includes("'")) expect((await verify(links, new URL(expected), { now })).ok).toBe(true)
  const changed = expected.replace(/\.png/, '.jpg')
  expect((await verify(links, changed, { now })).reason).toBe('bad_signature')
  if (expires) expect((await verify(links, expected, { now: () => new Date(expires * 1000) })).reason).toBe('expired')
}

test('@imgix/js-core', async () => {
  await fc.assert(
    fc.asyncProperty(given, fc.boolean(), async ({ token, folder, file, parameters, expires }, isProxied) => {
      const path = isProxied ? `https://files.example/${folder}/${file}` : `${folder}/${file}`
      const client = (secureURLToken?: string) =>
        new ImgixClient({ domain: 'demo.imgix.net', includeLibraryParam: true, ...(secureURLToken && { secureURLToken }) })
      const all = { ...parameters, ...(expires && { expires }) }
      await compare(token, client().buildURL(path, parameters), client(token).buildURL(path, all), expires)
    }),
    { seed, numRuns: 300 },
  )
})

test('imgix-url-builder', async () => {
  await fc.assert(
    fc.asyncProperty(given, async ({ token, folder, file, parameters, expires }) => {
      const url = `https://demo.imgix.net/x${folder.replace(/[?#]/g, '-')}/${file}`
      const all = { ...parameters, ...(expires && { expires }) }
      await compare(token, buildURL(url, parameters), buildSignedURL(url, token, all as never), expires)
    }),
    { seed, numRuns: 300 },
  )
})
