// azure: mistakes of programmers, and requests that no vector has.
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { Reading, Visit } from '../../src/core/scheme.ts'
import { anyOf, hmac, inspect, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { type AzureConditions, type AzureKey, azure } from '../../src/schemes/azure.ts'

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
const files = 'https://myaccount.file.core.windows.net'
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
  ['a version that does not exist', 'bad_option', () => azure(key, { version: 'newest' })],
  ['an empty keyring', 'no_key', () => asking({}, azure([]))],
  ['uses', 'unsupported_condition', () => asking({ uses: 1 })],
  ['method', 'unsupported_condition', () => asking({ method: 'PUT' })],
  ['prefix', 'unsupported_condition', () => asking({ prefix: '/private-folder/' })],
  ...['', 'z', 'rr', 'rl', 'R', 7].map((permissions): [string, string, () => unknown] => [
    `permissions ${permissions}`,
    'bad_option',
    () => asking({ permissions }),
  ]),
  ['the word read, whose letters would allow to delete', 'bad_option', () => asking({ permissions: 'read' })],
  ['a letter that the version does not know', 'bad_option', () => asking({ permissions: 'rx' }, since('2018-11-09'))],
  ['a version of a blob, in an old version', 'bad_option', () => asking({ resource: 'bv' }, since('2018-11-09'), `${url}?versionid=1`)],
  ['a directory, in an old version', 'bad_option', () => asking({ resource: 'd' }, since('2019-12-12'))],
  ['a scope, in an old version', 'bad_option', () => asking({ encryptionScope: 's' }, since('2020-10-02'))],
  ['a resource that does not exist', 'bad_option', () => asking({ resource: 'x' })],
  ['a snapshot without its time', 'bad_option', () => asking({ resource: 'bs' })],
  ['a blob, for a URL with a snapshot', 'bad_option', () => asking({}, links, `${url}?snapshot=2029-01-01T00:00:00.0000000Z`)],
  ['a directory that is the container', 'bad_option', () => asking({ resource: 'd' }, links, `${home}/private-folder`)],
  ['a directory deeper than the URL', 'bad_option', () => asking({ resource: 'd', directoryDepth: 2 })],
  ['a depth without a directory', 'bad_option', () => asking({ directoryDepth: 1 })],
  ['a protocol that does not exist', 'bad_option', () => asking({ protocol: 'http' })],
  ['headers of the request, without a delegation key', 'bad_option', () => asking({ requestHeaders: { a: 'b' } })],
  ['headers that are a list', 'bad_option', () => asking({ requestHeaders: 'a,b' }, bound)],
  ['no headers', 'bad_option', () => asking({ requestHeaders: {} }, bound)],
  ['a header whose name has a colon', 'bad_option', () => asking({ requestHeaders: { 'a:b': 'c' } }, bound)],
  ['a header with a line break', 'bad_option', () => asking({ requestHeaders: { a: 'b\nc' } }, bound)],
  ['a header with a space at its end', 'bad_option', () => asking({ requestHeaders: { a: 'b ' } }, bound)],
  ['a header that is not ASCII', 'bad_option', () => asking({ requestHeaders: { a: 'ü' } }, bound)],
  ['a parameter with a line break', 'bad_option', () => asking({ requestQueryParameters: { a: 'b\nc' } }, bound)],
  ['a parameter without a value', 'bad_option', () => asking({ requestQueryParameters: { a: undefined } }, bound)],
  ['headers that differ only in case', 'bad_option', () => asking({ requestHeaders: { 'x-a': '1', 'X-A': '2' } }, bound)],
  ['parameters that differ only in case', 'bad_option', () => asking({ requestQueryParameters: { 'x-a': '', 'x-A': '' } }, bound)],
  ["one of the link's own parameters", 'bad_option', () => asking({ requestQueryParameters: { Sp: 'r' } }, bound)],
  ['an IPv6 address', 'bad_option', () => asking({ ip: '2001:db8::1' })],
  ['the IPv6 network of all addresses', 'bad_option', () => asking({ ip: '::/0' })],
  ['ip and ipRange', 'bad_option', () => asking({ ip: '203.0.113.7', ipRange: '203.0.113.7' })],
  ['a range backwards', 'bad_option', () => asking({ ipRange: '203.0.113.9-203.0.113.5' })],
  ['a network for a range', 'bad_option', () => asking({ ipRange: '203.0.113.0/24' })],
  ['a line break', 'bad_option', () => asking({ contentDisposition: 'a\nb' })],
  ['an object for text', 'bad_option', () => asking({ contentType: {} })],
  ['services alone', 'bad_option', () => asking({ services: 'b' })],
  ['resourceTypes that do not exist', 'bad_option', () => asking({ services: 'b', resourceTypes: 'x' })],
  ['an account SAS with a response header', 'bad_option', () => asking({ services: 'b', resourceTypes: 'o', contentType: 'a/b' })],
  ['an account SAS for a resource', 'bad_option', () => asking({ services: 'b', resourceTypes: 'o', resource: 'c' })],
  [
    'an account SAS with a delegation key',
    'bad_option',
    () => asking({ services: 'b', resourceTypes: 'o' }, azure({ ...key, delegation })),
  ],
  ['a condition for delegation keys, with an account key', 'bad_option', () => asking({ correlationId: 'c' })],
  ['a policy with a delegation key', 'bad_option', () => asking({ identifier: 'q' }, azure({ ...key, delegation }, { policies }))],
  ['a policy that is not in the options', 'bad_option', () => asking({ identifier: 'p' })],
  ['a policy by the name of a property of every object', 'bad_option', () => asking({ identifier: 'toString' })],
  [
    'another expiry than the policy has',
    'bad_option',
    () => sign(azure(key, { policies }), url, { expires: new Date(+expires + 1000), identifier: 'p' }, { now }),
  ],
  ['permissions, beside those of the policy', 'bad_option', () => asking({ identifier: 'q', permissions: 'r' }, azure(key, { policies }))],
  ['starts, beside that of the policy', 'bad_option', () => asking({ identifier: 'q', starts: now() }, azure(key, { policies }))],
  ['the account instead of something in it', 'bad_option', () => asking({}, links, `${home}/`)],
  ['a path with dot segments', 'bad_option', () => asking({}, links, `${home}/private-folder/%2e%2e/x`)],
  ['a line break in the path', 'bad_option', () => asking({}, links, `${home}/private-folder/%0A`)],
  ['a path that is not UTF-8', 'bad_option', () => asking({}, links, `${home}/private-folder/%ff`)],
  ['another account in the path', 'bad_option', () => asking({}, azure(key, { pathStyle: true }))],
  ['a parameter of the link', 'bad_option', () => asking({}, links, `${url}?st=1`)],
  ['a link', 'already_signed', async () => asking({}, links, await asking({}))],
  // Letters and resources before the version that brought them.
  ...Object.entries({
    y: '2018-11-09',
    t: '2019-10-10',
    m: '2019-12-12',
    e: '2019-12-12',
    o: '2019-12-12',
    p: '2019-12-12',
    i: '2020-06-12',
  }).map(([letter, before]): [string, string, () => unknown] => [
    `the letter ${letter} before its version`,
    'bad_option',
    () => asking({ permissions: `r${letter}` }, since(before)),
  ]),
  ['the letter f before its version', 'bad_option', () => asking({ resource: 'c', permissions: 'rf' }, since('2019-10-10'))],
  ['a snapshot before its version', 'bad_option', () => asking({ resource: 'bs' }, since('2018-11-08'), `${url}?snapshot=1`)],
  ['a resource that ends like one that exists', 'bad_option', () => asking({ resource: 'xb' })],
  [
    'a file by a delegation key before its version',
    'bad_option',
    () => asking({ resource: 'f' }, azure({ ...key, delegation }, { version: '2025-05-05' }), `${files}/s/a.txt`),
  ],
  [
    'a blob by a delegation key before its version',
    'bad_option',
    () => asking({}, azure({ ...key, delegation }, { version: '2018-11-08' })),
  ],
  // Links that could open nothing.
  ['the host of another account', 'bad_option', () => asking({}, links, 'https://other.blob.core.windows.net/private-folder/report.pdf')],
  [
    'the host of another account in capitals',
    'bad_option',
    () => asking({}, links, 'https://OTHER.BLOB.core.windows.net/private-folder/a'),
  ],
  ['the host of queues', 'bad_option', () => asking({}, links, 'https://myaccount.queue.core.windows.net/private-folder/a')],
  ['the host of tables', 'bad_option', () => asking({}, links, 'https://myaccount.table.core.windows.net/private-folder')],
  ['the host of a static website', 'bad_option', () => asking({}, links, 'https://myaccount.z6.web.core.windows.net/private-folder/a')],
  ['the host of files for a blob', 'bad_option', () => asking({}, links, `${files}/private-folder/a`)],
  ['the host of blobs for a file', 'bad_option', () => asking({ resource: 'f' })],
  ['an account SAS for another service than the host has', 'bad_option', () => asking({ services: 'f', resourceTypes: 'o' })],
  ...['127.0.0.1:10000', 'localhost:10000', 'azurite:10000', '[::1]:10000', 'host.docker.internal:10000'].map(
    (host): [string, string, () => unknown] => [
      `the emulator at ${host} without pathStyle`,
      'bad_option',
      () => asking({}, links, `http://${host}/myaccount/private-folder/report.pdf`),
    ],
  ),
  ["a host of Azure's with pathStyle", 'bad_option', () => asking({}, azure(key, { pathStyle: true }), `${home}/myaccount/a`)],
  ['a % that begins no escape', 'bad_option', () => asking({}, links, `${home}/private-folder/100%.txt`)],
  ['a # in a name', 'bad_option', () => asking({}, links, `${home}/private-folder/my file#1.png`)],
  ['a backslash in a name', 'bad_option', () => asking({}, links, `${home}/private-folder/a%5Cb.txt`)],
  ['a URL of another kind', 'bad_option', () => asking({}, links, 'az://private-folder/report.pdf')],
  ['a container in capitals', 'bad_option', () => asking({}, links, `${home}/Private/report.pdf`)],
  ['a blob without a name', 'bad_option', () => asking({}, links, `${home}/private-folder/`)],
  ['a directory without a name', 'bad_option', () => asking({ resource: 'd' }, links, `${home}/private-folder//a.txt`)],
  ['a file without its share', 'bad_option', () => asking({ resource: 'f' }, links, `${files}/private-folder`)],
  ['a file without a name', 'bad_option', () => asking({ resource: 'f' }, links, `${files}/private-folder/`)],
  ['a file of a snapshot', 'bad_option', () => asking({ resource: 'f' }, links, `${files}/private-folder/a?sharesnapshot=1`)],
  ['protocol https for a URL with http', 'bad_option', () => asking({ protocol: 'https' }, links, url.replace('https', 'http'))],
  ['restype twice', 'bad_option', () => asking({}, links, `${url}?restype=container&RESTYPE=x`)],
  ['a parameter of the link in capitals', 'bad_option', () => asking({}, links, `${url}?SE=1`)],
  // Credentials as files and shells contain them.
  ...['\n', ' ', '\r\n', '\t', '"', "'"].flatMap((odd): [string, string, () => unknown][] => [
    [`a secret and ${JSON.stringify(odd)}`, 'bad_option', () => azure({ ...key, secret: secret + odd })],
    [`${JSON.stringify(odd)} and a secret`, 'bad_option', () => azure({ ...key, secret: odd + secret })],
    [`an account and ${JSON.stringify(odd)}`, 'bad_option', () => azure({ ...key, id: `myaccount${odd}` })],
    [
      `an object id and ${JSON.stringify(odd)}`,
      'bad_option',
      () => azure({ ...key, delegation: { ...delegation, signedObjectId: `o${odd}` } }),
    ],
    [
      `a date and ${JSON.stringify(odd)}`,
      'bad_option',
      () => azure({ ...key, delegation: { ...delegation, signedExpiresOn: `2030-01-05T00:00:00Z${odd}` } }),
    ],
  ]),
  ['an account with a slash, which would be read as a container', 'bad_option', () => azure({ ...key, id: 'my/account' })],
  ['an account in capitals', 'bad_option', () => azure({ ...key, id: 'MyAccount' })],
  ['an account that is a number', 'bad_option', () => azure({ ...key, id: 7 as unknown as string })],
  ['no keys', 'bad_option', () => azure(undefined as unknown as AzureKey)],
  [
    'an invalid Date of a delegation key',
    'bad_option',
    () => azure({ ...key, delegation: { ...delegation, signedExpiresOn: new Date(Number.NaN) } }),
  ],
  // The links of such a policy would never expire.
  ['an invalid Date of a policy', 'bad_option', () => azure(key, { policies: { p: { expires: new Date(Number.NaN) } } })],
  ['a policy with a word', 'bad_option', () => azure(key, { policies: { p: { permissions: 'read' } } })],
  ['a secret of 16-bit words', 'bad_option', () => azure({ ...key, secret: new Uint16Array(32) as unknown as Uint8Array })],
])('%s: %s', async (_, code, call) => {
  let error: unknown
  try {
    await call()
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(LinkError)
  expect(error).toMatchObject({ code, message: expect.stringMatching(/^\S+( \S+){3,}$/), option: expect.stringMatching(/./) })
  for (const word of [secret, secret.slice(0, 9), 'private-folder', home]) expect(`${error}`).not.toContain(word)
})

test('a network becomes an address or a range, which is what Azure takes', async () => {
  const sip = async (ip: string) => new URL(await asking({ ip })).searchParams.get('sip')
  expect(await sip('203.0.113.7')).toBe('203.0.113.7')
  expect(await sip('::ffff:203.0.113.7')).toBe('203.0.113.7')
  expect(await sip('203.0.113.7/24')).toBe('203.0.113.0-203.0.113.255')
  expect(await sip('203.0.113.7/31')).toBe('203.0.113.6-203.0.113.7')
  expect(await sip('203.0.113.7/9')).toBe('203.0.0.0-203.127.255.255')
  expect(await sip('0.0.0.0/0')).toBe('0.0.0.0-255.255.255.255')
})

test('a secret as text, as bytes and as a CryptoKey is the same key', async () => {
  const bytes = new Uint8Array(Buffer.from(secret, 'base64'))
  const imported = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
  const signed = await Promise.all([secret, bytes, imported].map((secret) => asking({}, azure({ id: 'myaccount', secret }))))
  expect(new Set(signed).size).toBe(1)
})

test('an empty keyring reads links, and cannot verify', async () => {
  const link = await asking({})
  expect(inspect(azure([]), link)).toEqual({ scheme: 'azure', unverified: { resource: url, expires } })
  await expect(verify(azure([]), link)).rejects.toMatchObject({ code: 'no_key' })
})

test('in anyOf, each scheme reads its own links', async () => {
  const both = anyOf(hmac({ secret: '0123456789abcdef0123456789abcdef' }), links)
  expect(await verify(both, await asking({}), { now })).toMatchObject({ ok: true, scheme: 'azure' })
  expect(await verify(both, await sign(both, url, { expires }, { now }), { now })).toMatchObject({ ok: true, scheme: 'hmac' })
})

test('a changed link is refused or means the same, and no text throws', async () => {
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
      const verdicts = await Promise.all(schemes.map((scheme) => verify(scheme, changed, { now, ip: '203.0.113.7' })))
      const [good] = verdicts.filter(({ ok }) => ok)
      // An accepted link must be for the resource that was signed, in another spelling, or for something below it.
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

test.each([
  'https://myaccount.blob.core.windows.net',
  'https://myaccount.dfs.core.windows.net',
  'https://MYACCOUNT.blob.core.windows.net:443',
  'https://myaccount-secondary.blob.core.windows.net',
  'https://myaccount.privatelink.blob.core.windows.net',
  'https://myaccount.z41.blob.storage.azure.net',
  'https://myaccount.blob.core.usgovcloudapi.net',
  'http://myaccount.blob.localhost:10000',
  'https://files.example',
  'https://other.files.example',
  'https://queue.example',
  'https://my.file.example',
  '',
])('a link for the host %j is valid', async (host) => {
  const link = await asking({}, links, `${host}/private-folder/report.pdf`)
  expect(await verify(links, link, { now })).toMatchObject({ ok: true })
})

test('sign escapes spaces and letters beyond ASCII, as clients do, and nothing else', async () => {
  const link = await asking({}, links, `${home}/private-folder/a b/ü+%20(1)'.txt?x=y z`)
  expect(link.split('&sv=')[0]).toBe(`${home}/private-folder/a%20b/%C3%BC+%20(1)'.txt?x=y%20z`)
  expect(link).toMatch(/^[!-~]+$/)
  expect(await verify(links, link, { now })).toMatchObject({ ok: true })
})

test('bytes of a secret are copied, of a Buffer and of a view into a larger buffer', async () => {
  const expected = await asking({})
  const bytes = Buffer.from(secret, 'base64')
  const larger = new Uint8Array(100)
  larger.set(bytes, 30)
  for (const given of [Buffer.from(bytes), larger.subarray(30, 30 + bytes.length)]) {
    const scheme = azure({ id: 'myaccount', secret: given })
    given.fill(0)
    expect(await asking({}, scheme)).toBe(expected)
    expect(await verify(scheme, expected, { now })).toMatchObject({ ok: true })
  }
})

// All combinations of the parts that a string to sign might leave out. The test treats each signature as valid, so only the strings decide.
test('links with the same string to sign open the same resource', async () => {
  const paths = [
    '/x',
    '/x/',
    '/x/y',
    '/x/y/',
    '/x//y',
    '/x%2Fy',
    '/x/y/z',
    '/x/y%2Fz',
    '/x%2Fy/z',
    '/$root',
    '/$root/x',
    '/$root/x/y',
    '//x',
    '//x/y',
    '/x%5Cy',
    '/',
  ]
  const versions = ['2015-04-05', '2018-11-08', '2018-11-09', '2019-10-10', '2020-02-10', '2020-12-06', '2025-07-05', '2026-04-06']
  const kinds = ['b', 'bs', 'bv', 'c', 'd', 'f', 's', 'xb', 'bx', ''].flatMap((sr) =>
    sr === 'd' ? ['d&sdd=0', 'd&sdd=1', 'd&sdd=2', 'd'] : sr === 'b' ? ['b', 'b&sdd=1'] : [sr],
  )
  const queries = [
    '',
    'snapshot=T',
    'SNAPSHOT=T',
    'versionid=T',
    'sharesnapshot=T',
    'snapshot=T&versionid=T',
    'versionid=T&snapshot=U',
    'snapshot=T&sharesnapshot=T',
  ]
  const seen = new Map<string, string>()
  let opened = 0
  for (const scheme of [links, bound])
    for (const version of versions)
      for (const kind of kinds)
        for (const path of paths)
          for (const query of queries) {
            const [sr = ''] = kind.split('&')
            const delegated = scheme === bound ? delegatedQuery : ''
            const host = sr === 'f' || sr === 's' ? files : home
            const link = `${host}${path}?${query}&sv=${version}&se=2030-01-02&sr=${kind}&sp=r${delegated}&sig=${'A'.repeat(43)}%3D`
            const read = scheme.read(link)
            if (typeof read === 'string' || 'malformed' in read || read.opens === false) continue
            const text = await toSignOf(scheme, read, link)
            if (text === undefined) continue
            opened++
            const { resource, prefix } = { ...read.claims, ...read.proves?.(visitOf(link), 0) }
            // As Azure reads the request, and not as the claims say it.
            const names = decodeURIComponent(path.slice(1)).split('/')
            const depth = sr === 'd' ? 1 + Number(kind.slice(-1)) : 1
            const whole = 'cds'.includes(sr)
            const root = sr[0] === 'b' && names.length === 1 ? ['$root'] : []
            const copy = whole ? '' : query
            const thing = `${host} ${JSON.stringify([...root, ...(whole ? names.slice(0, depth) : names)])} ${whole ? 'and below' : copy.toLowerCase()}`
            expect([link, seen.get(text) ?? thing]).toEqual([link, thing])
            seen.set(text, thing)
            expect(prefix !== undefined, link).toBe(whole)
            expect(resource.includes('?'), link).toBe(sr === 'bs' || sr === 'bv')
          }
  expect(opened).toBeGreaterThan(1000)
})

const delegatedQuery = '&skoid=o&sktid=t&skt=2029-12-31T00:00:00Z&ske=2030-01-05T00:00:00Z&sks=b&skv=2022-11-02'

const visitOf = (url: string): Visit => ({
  url,
  method: 'GET',
  ip: undefined,
  headers: undefined,
  header: () => undefined,
  network: () => undefined,
})

/** The string to sign of a link, with the first key that can have signed it; `undefined` if no signature could be good. */
async function toSignOf(scheme: Scheme, reading: Reading, link: string): Promise<string | undefined> {
  const [key] = (await scheme.keys()).filter((key) => reading.signedBy?.(key))
  return key && ((await reading.toSign(visitOf(link), key)) as string | undefined)
}

test('long queries cost no exceptions, and only the values of known parameters are decoded', async () => {
  const calls = { decoded: 0, thrown: 0 }
  const original = globalThis.decodeURIComponent
  const counted = vi.spyOn(globalThis, 'decodeURIComponent').mockImplementation((text) => {
    calls.decoded++
    try {
      return original(text)
    } catch (error) {
      calls.thrown++
      throw error
    }
  })
  /** How often something was decoded, in reading and verifying. */
  const work = async (query: string): Promise<number> => {
    Object.assign(calls, { decoded: 0, thrown: 0 })
    const text = `/c/b?sig=${'A'.repeat(43)}%3D&sv=2026-04-06&sr=b&sp=r&se=2030-01-02&srq=a,b,c${query}`
    expect(text.length).toBeLessThan(16_384)
    inspect(links, text)
    inspect(azure({ ...key, delegation }), text)
    await verify(links, text, { now })
    return calls.decoded
  }
  try {
    for (const piece of ['&%', '&a', '&%61', '&%zz=%zz', '&%73%76=%', '&s%65=%', '&comp=%', '&%ff', '&a=%', '&sip=%ff%', '&SE', '&=%'])
      for (const size of [4000, 8000, 16_000]) {
        // Three readings decode the value of each of the link's parameters, and its path.
        expect(await work(piece.repeat(size / piece.length)), piece).toBeLessThan(40)
        expect(calls.thrown, piece).toBe(0)
      }
  } finally {
    counted.mockRestore()
  }
})

test('names of parameters are compared without case, as by Azure', async () => {
  const [address, query = ''] = (await asking({ starts: now(), ip: '203.0.113.7' })).split('?')
  const capitals = `${address}?${query.replace(/(^|&)\w+/g, (name) => name.toUpperCase())}`
  expect(capitals).toContain('&SIG=')
  expect(await verify(links, capitals, { now, ip: '203.0.113.7' })).toMatchObject({ ok: true, claims: { resource: url } })
  expect(await verify(links, `${capitals}&se=2030-01-02`, { now })).toMatchObject({ reason: 'malformed' })
})

test('values of comp and restype are compared without case, as by Azure', async () => {
  const list = await asking({ resource: 'c', permissions: 'l' }, links, `${home}/private-folder`)
  const blob = await asking({ permissions: 'r' }, links, `${home}/private-folder`)
  for (const [restype, comp] of [
    ['container', 'list'],
    ['Container', 'LIST'],
    ['CONTAINER', 'List'],
  ]) {
    expect(await verify(links, `${list}&restype=${restype}&comp=${comp}`, { now })).toMatchObject({ ok: true })
    // A blob without a container is in $root. With this parameter, Azure reads the container of that name.
    expect(await verify(links, `${blob}&restype=${restype}`, { now })).toMatchObject({ reason: 'wrong_method' })
    expect(await verify(links, `${blob}&restype=${restype}&comp=${comp}`, { now })).toMatchObject({ reason: 'wrong_method' })
  }
  expect(await verify(links, blob, { now })).toMatchObject({ ok: true })
})

test('a resource that does not exist is malformed, also when a policy has the permissions', () => {
  const scheme = azure(key, { policies: { p: { permissions: 'r', expires } } })
  const of = (sr: string) => scheme.read(`${url}?sv=2026-04-06&si=p&sr=${sr}&sig=${'A'.repeat(43)}%3D`)
  expect(of('b')).toMatchObject({ claims: { expires } })
  for (const sr of ['xb', 'bx', 'bss', 'B', 'q', 'constructor']) expect(of(sr), sr).toEqual({ malformed: 'sr' })
})

test('a text longer than any link is not taken apart', () => {
  expect(links.read(`${url}?${'&sv=1'.repeat(4000)}`)).toBe('malformed')
})

const ACCOUNT_SAS = { services: 'b', resourceTypes: 'o' }

test('a delegation key before its version is malformed, of a blob and of a file', async () => {
  for (const [resource, address, first] of [['b', url, '2018-11-09'] as const, ['f', `${files}/s/a.txt`, '2025-07-05'] as const]) {
    const link = await asking({ resource }, bound, address)
    const reading = (version: string) => bound.read(link.replace(/sv=[\d-]+/, `sv=${version}`))
    expect(reading(first)).toMatchObject({ claims: { keyId: 'o' } })
    expect(reading(`${first.slice(0, -1)}${Number(first.slice(-1)) - 1}`)).toEqual({ malformed: 'skoid' })
  }
})

test.each<[change: string, parameter: string, own: object, changed: (link: string) => string]>([
  ['a version too old', 'sv', {}, (link) => link.replace('sv=2026-04-06', 'sv=2014-02-14')],
  ['a version that is not a date', 'sv', {}, (link) => link.replace('sv=2026-04-06', 'sv=new')],
  ['no version', 'sv', {}, (link) => link.replace('sv=2026-04-06&', '')],
  ['no expiry', 'se', {}, (link) => link.replace(/se=[^&]*&/, '')],
  ['an expiry that is not a date', 'se', {}, (link) => link.replace(/se=[^&]*/, 'se=2030-02-30')],
  ['an expiry twice', 'se', {}, (link) => `${link}&SE=2031-01-01`],
  ['a start that is not a date', 'st', {}, (link) => `${link}&st=now`],
  ['an empty start', 'st', {}, (link) => `${link}&st=`],
  ['no permissions', 'sp', {}, (link) => link.replace('sp=r&', '')],
  ['permissions out of order', 'sp', {}, (link) => link.replace('sp=r', 'sp=wr')],
  ['no signature', 'sig', {}, (link) => link.replace(/&sig=.*/, '')],
  ['a signature without padding', 'sig', {}, (link) => link.replace('%3D', '')],
  ['a signature that cannot be decoded', 'sig', {}, (link) => link.replace('%3D', '%zz')],
  ['no resource', 'sr', {}, (link) => link.replace('sr=b&', '')],
  ['a resource before its version', 'sr', {}, (link) => link.replace('sr=b', 'sr=bv&versionid=T').replace('2026-04-06', '2018-11-09')],
  ['a resource for an account SAS', 'ss', ACCOUNT_SAS, (link) => `${link}&sr=b`],
  ['no types of resources', 'srt', ACCOUNT_SAS, (link) => link.replace('srt=o&', '')],
  ['a type of resource twice', 'srt', ACCOUNT_SAS, (link) => link.replace('srt=o', 'srt=oo')],
  ['a directory without its depth', 'sdd', {}, (link) => link.replace('sr=b', 'sr=d')],
  ['a depth without a directory', 'sdd', {}, (link) => `${link}&sdd=1`],
  ['a range backwards', 'sip', {}, (link) => `${link}&sip=203.0.113.9-203.0.113.5`],
  ['a policy that is not in the options', 'si', {}, (link) => `${link}&si=other`],
  ['a parameter that the version does not sign', 'ses', {}, (link) => `${link}&ses=scope`.replace('2026-04-06', '2020-10-02')],
  ['a header, without a delegation key', 'srh', {}, (link) => `${link}&srh=a`],
  ['a snapshot that is not there', 'snapshot', {}, (link) => link.replace('sr=b', 'sr=bs')],
  ['a parameter of the request twice', 'comp', {}, (link) => `${link}&comp=tags&COMP=list`],
])('malformed names the parameter: %s', async (_, parameter, own, changed) => {
  const link = await asking(own)
  expect(changed(link)).not.toBe(link)
  expect(await verify(links, changed(link), { now })).toMatchObject({ reason: 'malformed', status: 403, parameter })
})

test('malformed names the parameter: dates of a delegation key', async () => {
  const link = await asking({}, bound)
  for (const name of ['skt', 'ske']) {
    const changed = link.replace(new RegExp(`${name}=[^&]*`), `${name}=soon`)
    expect(await verify(bound, changed, { now })).toMatchObject({ reason: 'malformed', parameter: name })
  }
})

test('malformed names the parameter: what a policy says, and the link says again', async () => {
  const scheme = azure(key, { policies: { all: { permissions: 'r', starts: now(), expires } } })
  const link = await asking({ identifier: 'all' }, scheme)
  for (const [name, value] of Object.entries({ se: '2030-01-02', st: '2030-01-01', sp: 'r' }))
    expect(await verify(scheme, `${link}&${name}=${value}`, { now })).toMatchObject({ reason: 'malformed', parameter: name })
})

test('a link never outlives its delegation key', async () => {
  const end = new Date(delegation.signedExpiresOn)
  const link = await sign(bound, url, { expires: new Date(+end + 86_400_000) }, { now })
  expect(new URL(link).searchParams.get('se')).toBe(delegation.signedExpiresOn)
  expect(await verify(bound, link, { now })).toMatchObject({ ok: true, claims: { expires: end } })
  expect(await verify(bound, link, { now: () => end })).toMatchObject({ reason: 'expired' })
  await expect(sign(bound, url, { expires: '1h' }, { now: () => end })).rejects.toMatchObject({ code: 'no_key' })
  await expect(sign(bound, url, { expires }, { now: () => new Date('2029-12-30') })).rejects.toMatchObject({ code: 'no_key' })
})

test('the dates of a key make its delegation shorter, and never longer', async () => {
  const [starts, end] = [new Date('2030-01-01T12:00:00Z'), new Date('2030-01-03T00:00:00Z')]
  const shorter = azure({ ...key, delegation, starts, expires: end })
  await expect(asking({}, shorter)).rejects.toMatchObject({ code: 'no_key' })
  const link = await sign(shorter, url, { expires: '6d' }, { now: () => starts })
  expect(new URL(link).searchParams.get('se')).toBe('2030-01-03T00:00:00Z')
  const longer = azure({ ...key, delegation, starts: new Date('2029-01-01'), expires: new Date('2031-01-01') })
  expect(await sign(longer, url, { expires: '6d' }, { now })).toContain('&se=2030-01-05T00%3A00%3A00Z&')
})

test('a link that another tool signed for longer than its delegation key is key_expired', async () => {
  const end = new Date(delegation.signedExpiresOn)
  const longer = (await asking({}, bound)).replace(/se=[^&]*/, 'se=2031-01-01')
  const text = (await toSignOf(bound, bound.read(longer) as Reading, longer)) as string
  const signature = createHmac('sha256', Buffer.from(secret, 'base64')).update(text).digest('base64')
  const link = longer.replace(/sig=.*/, `sig=${encodeURIComponent(signature)}`)
  expect(inspect(bound, link)?.unverified.expires).toEqual(end)
  expect(await verify(bound, link, { now })).toMatchObject({ ok: true, claims: { expires: end } })
  expect(await verify(bound, link, { now: () => end })).toMatchObject({ reason: 'key_expired', status: 403 })
  expect(await verify(bound, link, { now: () => new Date('2031-01-01') })).toMatchObject({ reason: 'expired' })
})

test('the expiry of a policy needs a key that lasts as long', async () => {
  const before = new Date(+expires - 1000)
  const short = { ...key, expires: before }
  const scheme = azure(short, { policies })
  await expect(asking({ identifier: 'p', permissions: 'r' }, scheme)).rejects.toMatchObject({ code: 'bad_option', option: 'expires' })
  const both = azure([short, key], { policies })
  expect(await verify(both, await asking({ identifier: 'p' }, both), { now })).toMatchObject({ ok: true, claims: { expires: before } })
})

test('keys can be looked up: by the object id of a delegation key, or without an id', async () => {
  const asked: unknown[] = []
  const delegated = { ...key, delegation }
  const scheme = azure((id) => {
    asked.push(id)
    return id === 'o' ? delegated : id === undefined ? key : undefined
  })
  expect(await verify(scheme, await asking({}, bound), { now })).toMatchObject({ ok: true, claims: { keyId: 'o' } })
  expect(await verify(scheme, await asking({}), { now })).toMatchObject({ ok: true })
  const other = azure({ ...key, delegation: { ...delegation, signedObjectId: 'p' } })
  expect(await verify(scheme, await asking({}, other), { now })).toMatchObject({ reason: 'unknown_key' })
  expect(asked).toEqual(['o', undefined, 'p'])
})

test('a secret may stay elsewhere, for signing', async () => {
  const imported = await crypto.subtle.importKey('raw', Buffer.from(secret, 'base64'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const remote = { sign: async (message: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.sign('HMAC', imported, message)) }
  expect(await asking({}, azure({ id: 'myaccount', secret: remote }))).toBe(await asking({}))
})

test('unknown options are refused, and the known ones listed', () => {
  expect(() => azure(key, { policy: {} } as object)).toThrow("unknown option 'policy'; azure() takes version, pathStyle, policies")
  expect(() => azure(key, { policies: { p: { permission: 'r' } } } as object)).toThrow(
    "unknown option 'permission'; a policy of azure() takes permissions, starts, expires",
  )
})

test.each<[option: string, own: object]>([
  ['permissions', { permissions: 'z' }],
  ['resource', { resource: 'x' }],
  ['directoryDepth', { resource: 'd', directoryDepth: 0 }],
  ['protocol', { protocol: 'http' }],
  ['ip', { ip: '2001:db8::1' }],
  ['ipRange', { ipRange: '203.0.113.0/24' }],
  ['identifier', { identifier: 'other' }],
  ['resourceTypes', { services: 'b' }],
  ['services', { services: 'x', resourceTypes: 'o' }],
  ['contentType', { ...ACCOUNT_SAS, contentType: 'a/b' }],
  ['correlationId', { correlationId: 'c' }],
  ['requestHeaders', { requestHeaders: { a: 'b' } }],
])('the error names the option %s', async (option, own) => {
  await expect(asking(own)).rejects.toMatchObject({ code: 'bad_option', option, message: expect.stringMatching(`^${option} must be `) })
})

test('each kind of link is valid, and its claims leave out what is not signed', async () => {
  const cases: [AzureConditions, string, string][] = [
    [{ resource: 'c', permissions: 'l' }, `${home}/private-folder?restype=container&comp=list`, `${home}/private-folder`],
    [{ resource: 'f' }, `${files}/share/dir/a.txt`, `${files}/share/dir/a.txt`],
    [{ resource: 's' }, `${files}/share/dir/a.txt`, `${files}/share/dir/a.txt`],
    [{ resource: 'bs' }, `${url}?x=1&snapshot=T`, `${url}?snapshot=T`],
    [{ services: 'b', resourceTypes: 'o' }, `${url}?x=1`, url],
  ]
  for (const [own, address, resource] of cases) {
    const link = await asking(own, links, address)
    expect(await verify(links, link, { now })).toMatchObject({ ok: true, claims: { resource } })
    expect(inspect(links, link)?.unverified.resource).toBe(address)
  }
})
