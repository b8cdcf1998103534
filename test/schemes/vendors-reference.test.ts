// pichax, nginx, nginx-hmac and gcs against vendors_reference.py: 500 random links each, the same byte for byte. Links of s3 and azure are compared
// with the vendors' own libraries.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Scheme, sign, verify } from '../../src/index.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { find, leftOut } from '../prepare.mjs'
import { isClean } from './clean-secret.ts'

const python = find('python')
if (!python) console.warn(leftOut('python'))
const reference = fileURLToPath(new URL('vendors_reference.py', import.meta.url))

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261122)

const encode = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
const text = (maxLength: number) =>
  fc.string({
    unit: fc.constantFrom(...`aZ09-_.~ +/%&=?#;:@!$'()*,"<>[]{}|\\^\`üß漢🐈\u0308\u00a0\u200b`, '%2F', '%25'),
    minLength: 1,
    maxLength,
  })
// Characters that need no escape may have one, in upper or lower case, and those that can stand unescaped may do so.
const spelled = (name: string, how: number) =>
  [...name]
    .map((each, i) => {
      const odd = (how >> (i % 20)) & 1
      if (each === '/' || (odd && /[!$'()*,;:@&=+]/.test(each))) return each
      if (odd && /[A-Za-z\d_~-]/.test(each)) return `%${each.charCodeAt(0).toString(16)}`
      return odd ? encode(each).toLowerCase() : encode(each)
    })
    .join('')
// `sign` refuses dot segments, also those with a `;` behind them, which Java servers resolve.
const dots = /(^|\/|%2F)\.\.?(\/|%2F|;|$)/
const now = fc.integer({ min: 1_700_000_000, max: 1_900_000_000 })
const common = {
  secret: text(70),
  origin: fc.constantFrom('https://h.test', 'http://127.0.0.1:9000', 'http://[::1]:9000', 'https://a-b.c.test:8443'),
  name: text(40)
    .map((name) => `/${name}`)
    .filter((name) => !dots.test(name)),
  how: fc.integer({ min: 0, max: 2 ** 20 }),
  now,
  life: fc.integer({ min: 1, max: 604_800 }),
}
const pairs = fc.array(fc.tuple(text(6), fc.option(text(12), { nil: '' })), { maxLength: 3 })
const header = fc.string({ unit: fc.constantFrom(...'aZ09 =;,/."()'), minLength: 1, maxLength: 30 }).filter((value) => value.trim() !== '')
const ip = fc.oneof(fc.ipV4(), fc.constantFrom('::1', '2001:db8::1', '2001:db8:0:1::', '::ffff:127.0.0.1'))

interface Case {
  readonly scheme: string
  readonly origin: string
  readonly path: string
  readonly query: string
  readonly now: number
  readonly expires: number
}
type Drawn = Omit<Case, 'path' | 'query' | 'expires' | 'scheme'> & { name: string; how: number; life: number; pairs?: string[][] }

/** 500 cases, and the reference's link for each. */
function draw<T extends Drawn>(scheme: string, model: fc.Arbitrary<T>): [T & Case, string][] {
  const cases = fc.sample(model, { numRuns: 500, seed }).map((drawn) => {
    const query = drawn.pairs?.map(([name = '', value = '']) => `${encode(name)}=${encode(value)}`).join('&')
    return {
      ...drawn,
      scheme,
      path: spelled(drawn.name, drawn.how),
      query: query ? `?${query}` : '',
      expires: drawn.now + drawn.life,
    }
  })
  const links: string[] = JSON.parse(
    execFileSync(python as string, [reference], { input: JSON.stringify(cases), maxBuffer: 2 ** 26 }).toString(),
  )
  return cases.map((each, i) => [each, links[i] as string])
}

async function compare(
  { origin, path, query, now, expires }: Case,
  theirs: string,
  scheme: unknown,
  conditions: object,
  visit: object = {},
) {
  const at = (seconds: number) => ({ now: () => new Date(seconds * 1000) })
  const asked = { ...conditions, expires: new Date(expires * 1000) }
  expect(await sign(scheme as Scheme, origin + path + query, asked as never, at(now))).toBe(theirs)
  const answer = async (url: string, seconds: number) => (await verify(scheme as Scheme, url, { ...visit, ...at(seconds) })).reason ?? 'ok'
  expect(await answer(theirs, expires - 1), theirs).toBe('ok')
  // To NGINX a link is still valid in the second of its expiry.
  expect(await answer(theirs, expires + 1), theirs).toBe('expired')
  expect(await answer(`${origin}/x${path}${theirs.slice(origin.length + path.length)}`, now), theirs).toBe(
    (scheme as Scheme).name === 'pichax' ? 'ok' : 'bad_signature',
  )
}

describe.skipIf(!python)('500 random links each', () => {
  test('pichax', async () => {
    // pichax refuses secrets with line breaks, quotes or white space around them, which copying leaves behind.
    const secret = common.secret.filter((drawn) => !/^[\s"']|[\s"']$|\p{Cc}/u.test(drawn))
    const model = fc.record({ ...common, secret, key: fc.stringMatching(/^[\w-]{1,20}$/), id: text(20) })
    for (const [each, link] of draw('pichax', model))
      await compare(each, link, pichax({ id: each.key, secret: each.secret }), { id: each.id })
  })

  test('nginx', async () => {
    for (const [each, link] of draw('nginx', fc.record({ ...common, ip })))
      await compare(each, link, nginx({ secret: each.secret }), { ip: each.ip }, { ip: each.ip })
  })

  test('nginx-hmac', async () => {
    const algorithm = fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512')
    // With a separator of the message in the path, `sign` refuses.
    const name = common.name.filter((path) => !path.includes('|'))
    for (const [each, link] of draw('nginx-hmac', fc.record({ ...common, name, algorithm, iso: fc.boolean() })))
      await compare(each, link, nginxHmac({ secret: each.secret }, { algorithm: each.algorithm, timestamp: each.iso ? 'Z' : 'unix' }), {})
  })

  test('gcs', async () => {
    const model = fc
      .record({
        ...common,
        secret: common.secret.filter(isClean),
        pairs,
        key: fc.stringMatching(/^GOOG1[A-Z\d]{20}$/),
        vendor: fc.constantFrom('GOOG4', 'AWS4'),
        method: fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE'),
        headers: fc.dictionary(fc.constantFrom('Content-Type', 'x-goog-acl', 'Range'), header, { noNullPrototype: true }),
      })
      // The interoperability mode takes no header of Google's.
      .filter(({ vendor, headers }) => vendor === 'GOOG4' || !('x-goog-acl' in headers))
    for (const [{ method, headers, ...each }, link] of draw('gcs', model)) {
      const scheme = gcs({ id: each.key, secret: each.secret }, { algorithm: `${each.vendor}-HMAC-SHA256` })
      await compare(each, link, scheme, { method, headers }, { method, headers })
    }
  })
})
