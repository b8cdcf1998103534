// azure: what a programmer can get wrong, and visits that no vector has.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyOf, hmac, inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { type AzureKey, azure } from '../../src/schemes/azure.ts'

const secret = 'YSBrZXkgZm9yIGV4YW1wbGVzLCAzMiBieXRlcyBsb25n'
const key = { id: 'myaccount', secret }
const links = azure(key)
const home = 'https://myaccount.blob.core.windows.net'
const url = `${home}/private-folder/report.pdf`
const expires = new Date('2030-01-02T03:04:05Z')
const now = () => new Date('2030-01-01T00:00:00Z')
const delegation = {
  signedObjectId: 'o',
  signedTenantId: 't',
  signedStartsOn: '2029-12-31T00:00:00Z',
  signedExpiresOn: '2030-01-05T00:00:00Z',
  signedService: 'b',
  signedVersion: '2022-11-02',
}

const asking = (own: object, scheme: Scheme = links, address = url) =>
  sign(scheme, address, { expires, ...own } as { expires: Date }, { now })
const since = (version: string) => azure(key, { version })
const bound = azure({ ...key, delegation })
const policies = { p: { expires }, q: { permissions: 'r', starts: new Date('2029-12-01T00:00:00Z') } }

test.each<[what: string, code: string, call: () => unknown]>([
  ['a key without account', 'bad_option', () => azure({ secret } as AzureKey)],
  ['an empty secret', 'weak_key', () => azure({ id: 'a', secret: '' })],
  ['no secret', 'weak_key', () => azure({ id: 'a' } as AzureKey)],
  ...['not base64!', 'YQ', 'YQ=', 'YQ===', '====', 'YR==', 'YWJj\n', '-_-_'].map((secret): [string, string, () => unknown] => [
    `secret ${secret}`,
    'bad_option',
    () => azure({ id: 'a', secret }),
  ]),
  ['a delegation key without dates', 'bad_option', () => azure({ ...key, delegation: { ...delegation, signedStartsOn: '' } })],
  ['a version before 2015-04-05', 'bad_option', () => azure(key, { version: '2014-02-14' })],
  ['a version that is none', 'bad_option', () => azure(key, { version: 'newest' })],
  ['an empty ring', 'no_key', () => asking({}, azure([]))],
  ['uses', 'unsupported_condition', () => asking({ uses: 1 })],
  ['method', 'unsupported_condition', () => asking({ method: 'PUT' })],
  ['prefix', 'unsupported_condition', () => asking({ prefix: '/private-folder/' })],
  ...['', 'z', 'rr', 'rl', 'R', 7].map((permissions): [string, string, () => unknown] => [
    `permissions ${permissions}`,
    'bad_option',
    () => asking({ permissions }),
  ]),
  ['a word, whose letters allow deleting', 'bad_option', () => asking({ permissions: 'read' })],
  ['a letter that the version does not know', 'bad_option', () => asking({ permissions: 'rx' }, since('2018-11-09'))],
  ['a version of a blob, in an old version', 'bad_option', () => asking({ resource: 'bv' }, since('2018-11-09'), `${url}?versionid=1`)],
  ['a directory, in an old version', 'bad_option', () => asking({ resource: 'd' }, since('2019-12-12'))],
  ['a scope, in an old version', 'bad_option', () => asking({ encryptionScope: 's' }, since('2020-10-02'))],
  ['a resource that is none', 'bad_option', () => asking({ resource: 'x' })],
  ['a snapshot without its time', 'bad_option', () => asking({ resource: 'bs' })],
  ['a blob, and the URL has a snapshot', 'bad_option', () => asking({}, links, `${url}?snapshot=2029-01-01T00:00:00.0000000Z`)],
  ['a directory that is the container', 'bad_option', () => asking({ resource: 'd' }, links, `${home}/private-folder`)],
  ['a directory deeper than the URL', 'bad_option', () => asking({ resource: 'd', directoryDepth: 2 })],
  ['a depth without a directory', 'bad_option', () => asking({ directoryDepth: 1 })],
  ['a protocol that is none', 'bad_option', () => asking({ protocol: 'http' })],
  ['headers of the request, without a delegation key', 'bad_option', () => asking({ requestHeaders: { a: 'b' } })],
  ['headers that are a list', 'bad_option', () => asking({ requestHeaders: 'a,b' }, bound)],
  ['no headers', 'bad_option', () => asking({ requestHeaders: {} }, bound)],
  ['a header whose name has a colon', 'bad_option', () => asking({ requestHeaders: { 'a:b': 'c' } }, bound)],
  ['a header with a line break', 'bad_option', () => asking({ requestHeaders: { a: 'b\nc' } }, bound)],
  ['a header with a space at its end', 'bad_option', () => asking({ requestHeaders: { a: 'b ' } }, bound)],
  ['a header that is not ASCII', 'bad_option', () => asking({ requestHeaders: { a: 'ü' } }, bound)],
  ['a parameter with a line break', 'bad_option', () => asking({ requestQueryParameters: { a: 'b\nc' } }, bound)],
  ['a parameter without a value', 'bad_option', () => asking({ requestQueryParameters: { a: undefined } }, bound)],
  ['an IPv6 address', 'bad_option', () => asking({ ip: '2001:db8::1' })],
  ['an IPv6 network with the digits of none', 'bad_option', () => asking({ ip: '::/0' })],
  ['ip and ipRange', 'bad_option', () => asking({ ip: '203.0.113.7', ipRange: '203.0.113.7' })],
  ['a range backwards', 'bad_option', () => asking({ ipRange: '203.0.113.9-203.0.113.5' })],
  ['a network for a range', 'bad_option', () => asking({ ipRange: '203.0.113.0/24' })],
  ['a line break', 'bad_option', () => asking({ contentDisposition: 'a\nb' })],
  ['an object for text', 'bad_option', () => asking({ contentType: {} })],
  ['services alone', 'bad_option', () => asking({ services: 'b' })],
  ['resourceTypes that are none', 'bad_option', () => asking({ services: 'b', resourceTypes: 'x' })],
  ['an account SAS with a response header', 'bad_option', () => asking({ services: 'b', resourceTypes: 'o', contentType: 'a/b' })],
  ['an account SAS for a resource', 'bad_option', () => asking({ services: 'b', resourceTypes: 'o', resource: 'c' })],
  [
    'an account SAS with a delegation key',
    'bad_option',
    () => asking({ services: 'b', resourceTypes: 'o' }, azure({ ...key, delegation })),
  ],
  ['what takes a delegation key', 'bad_option', () => asking({ correlationId: 'c' })],
  ['a policy with a delegation key', 'bad_option', () => asking({ identifier: 'q' }, azure({ ...key, delegation }, { policies }))],
  ['a policy that nobody has told of', 'bad_option', () => asking({ identifier: 'p' })],
  ['a policy by the name of a property of every object', 'bad_option', () => asking({ identifier: 'toString' })],
  [
    'another expiry than the policy has',
    'bad_option',
    () => sign(azure(key, { policies }), url, { expires: new Date(+expires + 1000), identifier: 'p' }, { now }),
  ],
  ['permissions, and the policy has some', 'bad_option', () => asking({ identifier: 'q', permissions: 'r' }, azure(key, { policies }))],
  ['starts, and the policy has one', 'bad_option', () => asking({ identifier: 'q', starts: now() }, azure(key, { policies }))],
  ['the account instead of something in it', 'bad_option', () => asking({}, links, `${home}/`)],
  ['. and ..', 'bad_option', () => asking({}, links, `${home}/private-folder/%2e%2e/x`)],
  ['a line break in the path', 'bad_option', () => asking({}, links, `${home}/private-folder/%0A`)],
  ['a path that is no UTF-8', 'bad_option', () => asking({}, links, `${home}/private-folder/%ff`)],
  ['another account in the path', 'bad_option', () => asking({}, azure(key, { pathStyle: true }))],
  ['a parameter of the link', 'bad_option', () => asking({}, links, `${url}?st=1`)],
  ['a link', 'already_signed', async () => asking({}, links, await asking({}))],
])('%s: %s', async (_, code, call) => {
  let error: unknown
  try {
    await call()
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(LinkError)
  expect(error).toMatchObject({ code, message: expect.stringMatching(/^\S+( \S+){3,}$/) })
  for (const word of [secret, 'private-folder', home]) expect(`${error}`).not.toContain(word)
})

test('every network is a range that Azure can say', async () => {
  const sip = async (ip: string) => new URL(await asking({ ip })).searchParams.get('sip')
  expect(await sip('203.0.113.7')).toBe('203.0.113.7')
  expect(await sip('::ffff:203.0.113.7')).toBe('203.0.113.7')
  expect(await sip('203.0.113.7/24')).toBe('203.0.113.0-203.0.113.255')
  expect(await sip('203.0.113.7/31')).toBe('203.0.113.6-203.0.113.7')
  expect(await sip('203.0.113.7/9')).toBe('203.0.0.0-203.127.255.255')
  expect(await sip('0.0.0.0/0')).toBe('0.0.0.0-255.255.255.255')
})

test('a key as text, as bytes and as a CryptoKey is the same', async () => {
  const bytes = new Uint8Array(Buffer.from(secret, 'base64'))
  const imported = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
  const signed = await Promise.all([secret, bytes, imported].map((secret) => asking({}, azure({ id: 'myaccount', secret }))))
  expect(new Set(signed).size).toBe(1)
})

test('an empty ring reads, and verifies nothing', async () => {
  const link = await asking({})
  expect(inspect(azure([]), link)).toEqual({ scheme: 'azure', unverified: { resource: url, expires } })
  await expect(verify(azure([]), link)).rejects.toMatchObject({ code: 'no_key' })
})

test('beside another scheme, each reads its own', async () => {
  const both = anyOf(hmac({ secret: '0123456789abcdef0123456789abcdef' }), links)
  expect(await verify(both, await asking({}), { now })).toMatchObject({ ok: true, scheme: 'azure' })
  expect(await verify(both, await sign(both, url, { expires }, { now }), { now })).toMatchObject({ ok: true, scheme: 'hmac' })
})

test('nothing that is changed gets in, and nothing throws', async () => {
  const own = { permissions: 'r', starts: now(), ip: '203.0.113.0/24', protocol: 'https', contentDisposition: 'attachment' }
  const schemes = [links, azure(key, { pathStyle: true }), azure({ ...key, delegation })] as const
  const made = await Promise.all([
    asking(own),
    asking({ ...own, resource: 'c' }),
    asking({ ...own, resource: 'd' }),
    asking({ services: 'b', resourceTypes: 'sco' }),
    asking(own, schemes[2]),
  ])
  const piece = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.constantFrom('%', '%zz', '%0A', '&', '=', '/', '..', '%2F', '%2e', '&sr=c', '&sp=rw', '&se=2031-01-01', '&sdd=1', '&si=p', '\ud83d'),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...made), fc.nat(), fc.nat(3), piece, async (link, at, cut, text) => {
      const from = url.length - 20 + (at % (link.length - url.length + 20))
      const changed = link.slice(0, from) + text + link.slice(from + cut)
      const visits = await Promise.all(schemes.map((scheme) => verify(scheme, changed, { now, ip: '203.0.113.7' })))
      const [good] = visits.filter(({ ok }) => ok)
      // What is let in all the same must be what was signed, in another spelling, or below it.
      if (!good?.ok) return
      expect(good.claims.expires).toEqual(expires)
      const read = inspect(azure([]), changed)?.unverified
      expect(read?.methods).toEqual(good.claims.methods)
      const { pathname } = new URL(good.claims.resource)
      if (link.includes('sr=c')) expect(pathname).toMatch(/^\/private-folder(\/|$)/)
      else if (link.includes('sr=')) expect(decodeURIComponent(pathname)).toMatch(/^\/private-folder\/report.pdf(\/|$)/)
    }),
    { numRuns: 5000 },
  )
})
