// Schemes whose vendors have no package that signs, against recipes_reference.py: 300 random links each, the same byte for byte.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Scheme, sign, verify } from '../../src/index.ts'
import { bytescale } from '../../src/schemes/bytescale.ts'
import { fastly } from '../../src/schemes/fastly.ts'
import { keycdn } from '../../src/schemes/keycdn.ts'
import { upyun } from '../../src/schemes/upyun.ts'
import { find, leftOut } from '../prepare.mjs'
import { isClean } from './clean-secret.ts'

const python = find('python') as string | undefined
if (!python) console.warn(leftOut('python'))
const reference = fileURLToPath(new URL('recipes_reference.py', import.meta.url))

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const NOW = 1_767_225_600

// As clients send them: what they would escape is escaped.
const path = fc
  .array(fc.stringMatching(/^(?:[\w\-.~!$()*+,;=:@]|%[2-7][\dA-Fa-f]){1,12}$/), { minLength: 1, maxLength: 3 })
  .map((segments) => `/${segments.join('/')}`)
  .filter((text) => !/\/(\.|%2E){1,2}(\/|;|$)/i.test(text))
const query = fc.option(fc.stringMatching(/^\?[a-c]{1,3}=[\w\-.~!$()*+,;:@/?]{0,6}(&[d-f]{1,3}(=(?:\w|%20){0,4})?)?$/), { nil: '' })
const base64 = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const secret = fc.string({ minLength: 1, unit: 'grapheme' }).filter(isClean)
const common = {
  origin: fc.constantFrom('https://cdn.example', 'http://127.0.0.1:9000', 'https://a-b.c.test:8443'),
  path,
  query,
  expires: fc.integer({ min: NOW + 1, max: NOW + 1e8 }),
}

/** 300 cases of one scheme, each with the link that Python made. */
function draw<Case extends object>(scheme: string, model: fc.Arbitrary<Case>): [Case, string][] {
  const cases = fc.sample(model, { seed, numRuns: 300 })
  const input = JSON.stringify(cases.map((one) => ({ scheme, ...one })))
  const links = JSON.parse(execFileSync(python as string, [reference], { input, encoding: 'utf8' })) as string[]
  return cases.map((one, i) => [one, links[i] as string])
}

interface Case {
  readonly origin: string
  readonly path: string
  readonly query: string
  readonly expires: number
}

/** The same link, byte for byte; it is valid until its expiry, and not for another path. */
async function compare({ origin, path, query, expires }: Case, theirs: string, scheme: Scheme) {
  const ours = await sign(scheme, origin + path + query, { expires: new Date(expires * 1000) }, { now: () => new Date(NOW * 1000) })
  expect(ours).toBe(theirs)
  const answer = async (url: string, seconds: number) => (await verify(scheme, url, { now: () => new Date(seconds * 1000) })).reason ?? 'ok'
  expect(await answer(theirs, expires - 1), theirs).toBe('ok')
  expect(await answer(theirs, expires), theirs).toBe('expired')
  expect(await answer(theirs.replace(origin, `${origin}/x`), NOW), theirs).toBe('bad_signature')
}

describe.skipIf(!python)('300 random links each', () => {
  test('fastly', async () => {
    for (const [{ secret, ...each }, link] of draw('fastly', fc.record({ ...common, secret: base64 })))
      await compare(each, link, fastly({ secret }))
  })

  test('keycdn', async () => {
    for (const [{ secret: key, ...each }, link] of draw('keycdn', fc.record({ ...common, secret })))
      await compare(each, link, keycdn({ secret: key }))
  })

  test('keycdn, images', async () => {
    const image = fc.tuple(path, fc.constantFrom('.jpg', '.png', '.webp')).map((parts) => parts.join(''))
    const now = () => new Date(NOW * 1000)
    for (const [{ secret: key, origin, ...each }, link] of draw('keycdn-images', fc.record({ ...common, path: image, secret }))) {
      const links = keycdn({ secret: key }, { imageProcessing: true })
      expect(await sign(links, origin + each.path + each.query, { expires: 'never' }, { now })).toBe(link)
      expect(await verify(links, link, { now })).toMatchObject({ ok: true })
      expect(await verify(links, link.replace(origin, `${origin}/x`), { now })).toMatchObject({ reason: 'bad_signature' })
    }
  })

  test('bytescale', async () => {
    const model = fc.record({ ...common, secret: base64, id: fc.stringMatching(/^\w{1,12}$/) })
    for (const [{ secret, id, ...each }, link] of draw('bytescale', model)) await compare(each, link, bytescale({ id, secret }))
  })

  test('upyun', async () => {
    const plain = path.filter((text) => !/%(2f|5c|00)/i.test(text))
    for (const [{ secret: key, ...each }, link] of draw('upyun', fc.record({ ...common, path: plain, secret })))
      await compare(each, link, upyun({ secret: key }))
  })
})
