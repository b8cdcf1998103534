// cloudCdn: options, cookies, and what a changed character does.
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Condition } from '../../src/core/conditions.ts'
import { inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { type CloudCdnKey, cloudCdn } from '../../src/schemes/cloud-cdn.ts'

const key = { id: 'my-key', secret: 'nZtRohdNF9m3cKM24IcK4w==' }
const now = () => new Date('2026-01-01T00:00:00Z')
const expires = new Date('2026-01-01T01:00:00Z')
const links = cloudCdn(key)
const bytes = Buffer.from(key.secret, 'base64url')
/** As Google's sample in Python: base64url with padding. */
const signatureOf = (text: string) => createHmac('sha1', bytes).update(text).digest('base64').replaceAll('+', '-').replaceAll('/', '_')

const asking = (own: object = {}, scheme: Scheme<Condition> = links, url = 'https://cdn.example/a/b.ts') =>
  sign(scheme, url, { expires, ...own }, { now })

test.each<[what: string, code: string, call: () => unknown]>([
  ['a key without a name', 'bad_option', () => cloudCdn({ secret: key.secret } as CloudCdnKey)],
  ['a name with a &', 'bad_option', () => cloudCdn({ ...key, id: 'a&b' })],
  ['a secret that is not base64url', 'bad_option', () => cloudCdn({ ...key, secret: 'no base64' })],
  ['an empty secret', 'weak_key', () => cloudCdn({ ...key, secret: '' })],
  ['an unknown placement', 'bad_option', () => cloudCdn(key, { placement: 'path' as 'query' })],
  ['a cookie without a prefix', 'bad_option', () => asking({}, cloudCdn(key, { placement: 'cookie' }))],
  ['a path', 'bad_option', () => asking({}, links, '/a')],
  ["the link's own parameter", 'bad_option', () => asking({}, links, 'https://cdn.example/a?Expires=1')],
  ['a link', 'already_signed', async () => asking({}, links, await asking())],
  ['an address', 'unsupported_condition', () => asking({ ip: '203.0.113.7' })],
  ['no expiry', 'unsupported_condition', () => asking({ expires: 'never' })],
])('%s throws %s', async (_, code, call) => {
  const error = await (async () => call())().catch((error: LinkError) => error)
  expect(error).toBeInstanceOf(LinkError)
  expect((error as LinkError).code).toBe(code)
  expect((error as LinkError).message).not.toContain(key.secret)
})

test.each([
  ['Expires', 'x'],
  ['Expires', '-1'],
  ['Expires', '1767229200,1'],
  ['KeyName', 'my-key%00'],
  ['KeyName', ''],
  ['Signature', 'x'],
])('a wrong %s is named: %s', async (name, value) => {
  const link = (await asking()).replace(new RegExp(`${name}=[^&]*`), `${name}=${value}`)
  expect(await verify(links, link, { now })).toMatchObject({ reason: 'malformed', parameter: name })
})

// From the tests of Google's sample in Python.
const PUBLISHED = [
  ['http://35.186.234.33/index.html', 1_549_751_401, 'uImwlOBCPs91mlCyG9vyyZRrNWU='],
  ['http://www.example.com/foo/', 1_549_751_401, 'Z9uYAu73YHioRScZDxnP-TnS274='],
  ['https://media.example.com/segments/', 1_558_131_350, '_qwhz38bxCKdiDqENLIx4ujrw-U='],
] as const
const cookieOf = (prefix: string, end: number, signature: string) =>
  `Cloud-CDN-Cookie=URLPrefix=${Buffer.from(prefix).toString('base64url')}${'='.repeat((3 - (prefix.length % 3)) % 3)}:Expires=${end}:KeyName=my-key:Signature=${signature}`

test.each(PUBLISHED)('the published cookie for %s', async (prefix, end, signature) => {
  const cookie = `a=b; ${cookieOf(prefix, end, signature)}`
  const asked = async (url: string, seconds: number, header = cookie) =>
    (await verify(links, url, { now: () => new Date(seconds * 1000), headers: { cookie: header } })).reason
  expect(await asked(prefix, end - 1)).toBe(undefined)
  expect(await asked(prefix, end)).toBe('expired')
  expect(await asked('https://media.example.com/other', end - 1)).toBe('wrong_path')
  expect(await asked(prefix, end - 1, cookie.replace(`${end}`, `${end + 1}`))).toBe('bad_signature')
  expect(await asked(prefix, end - 1, cookie.replace('Signature', 'signature'))).toBe('malformed')
  expect(await asked(prefix, end - 1, `${cookie}; ${cookie}`)).toBe('malformed')
  expect(await asked(prefix, end - 1, 'a=b')).toBe('unsigned')
})

test.each(PUBLISHED)('signs the published cookie for %s', async (url, end, signature) => {
  const conditions = { expires: new Date(end * 1000), prefix: new URL(url).pathname }
  const cookie = await sign(cloudCdn(key, { placement: 'cookie' }), url, conditions, { now: () => new Date((end - 60) * 1000) })
  expect(cookie).toBe(cookieOf(url, end, signature))
})

test('a changed character is refused, or is in a part that is not covered', async () => {
  for (let i = 0; i < 20; i++) {
    const own = i % 2 ? { prefix: '/videos/1/' } : {}
    const link = await asking(own, links, `https://cdn.example/videos/1/${i}.ts?q=${i}`)
    for (let at = 0; at < link.length; at++) {
      const changed = `${link.slice(0, at)}${link[at] === 'x' ? 'y' : 'x'}${link.slice(at + 1)}`
      const uncovered = i % 2 && at >= link.indexOf('/1/') + 3 && at < link.indexOf('&URLPrefix')
      const { ok } = await verify(links, changed, { now })
      if (!uncovered) expect(`${changed} ${ok}`).toBe(`${changed} false`)
    }
  }
})

test('random links are those of the documented formula, and verify in the spellings of clients', async () => {
  const text = fc.string({ unit: fc.constantFrom(...`aZ09-_~+/%=?&;:@!$'()*,üß漢🐈 `), maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1_767_225_601, max: 3e9 }), fc.boolean(), async (tail, end, scoped) => {
      const url = new URL(`https://cdn.example/x/${tail.replace(/%(?![\dA-F]{2})/g, '')}`).href
      const fields = `Expires=${end}&KeyName=my-key`
      const prefix = Buffer.from('https://cdn.example/x/').toString('base64url')
      const scope = `URLPrefix=${prefix}${'='.repeat(-prefix.length & 3)}&${fields}`
      const whole = `${url}${url.includes('?') ? '&' : '?'}${scoped ? scope : fields}`
      const link = await asking({ expires: new Date(end * 1000), ...(scoped && { prefix: '/x/' }) }, links, url)
      expect(link).toBe(`${whole}&Signature=${signatureOf(scoped ? scope : whole)}`)
      expect((await verify(links, new URL(link), { now })).ok).toBe(!/\/x\/(.*\/)?\.\.(%2F|\/|\?|$)/i.test(link))
    }),
    { numRuns: 300, seed: Number(process.env['SEED'] ?? 20261122) },
  )
})

test('any text is read, and nothing throws', async () => {
  const tail = `Expires=1767229200&KeyName=my-key&Signature=${'A'.repeat(27)}=`
  for (const text of [
    '',
    '?',
    '\ud800',
    '%',
    '%zz',
    '&',
    `${tail}&`,
    `URLPrefix=&${tail}`,
    `URLPrefix=____&${tail}`,
    tail,
    'KeyName=',
    'Signature=%',
  ]) {
    for (const url of [
      text,
      `/a?${text}`,
      `https://cdn.example/\ud800?${text}`,
      `https://cdn.example/%ff?${text}`,
      `https://cdn.example/?${text}`,
    ]) {
      expect((await verify(links, url, { now })).ok).toBe(false)
      inspect(links, url)
      const cookie = `Cloud-CDN-Cookie=${text.replaceAll('&', ':').replace(/[^ -~]/g, '')}`
      expect((await verify(links, url, { now, headers: { cookie } })).ok).toBe(false)
    }
  }
})
