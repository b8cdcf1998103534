// s3 and gcs: which URLs and keys they refuse to sign with, kinds of secrets, remembered keys, hostile links, and requests through the guard.
import { describe, expect, test, vi } from 'vitest'
import { guard } from '../../../src/guard.ts'
import { anyOf, type Duration, hmac, inspect, type LinkError, type Scheme, sign, verify } from '../../../src/index.ts'
import { gcs } from '../../../src/schemes/gcs.ts'
import { s3 } from '../../../src/schemes/s3.ts'

const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const NOW = new Date('2013-05-24T00:00:00Z')
const at = { now: () => NOW }
const URL_ = 'https://examplebucket.s3.amazonaws.com/test.txt'
const expires = new Date('2013-05-25T00:00:00Z')
// The example of the documentation.
const SIGNATURE = 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'
const bucket = s3(KEY)

const code = (work: () => unknown) =>
  Promise.resolve()
    .then(work)
    .then(
      () => 'signed',
      ({ code, message }) => code ?? message,
    )

describe('s3 refuses with bad_option', () => {
  test.each([
    ['a path', '/test.txt', {}],
    ['a host in another alphabet', 'https://bücher.example/a', {}],
    ['dots', 'https://h.test/a/../b', {}],
    ['dots with escapes', 'https://h.test/a/%2e%2E/b', {}],
    ['dots behind an escaped slash', 'https://h.test/a%2F..%2Fb', {}],
    ['a % that begins no escape', 'https://h.test/100%', {}],
    ['an escape that is not UTF-8', 'https://h.test/%FF', {}],
    ['an escape that is not UTF-8, in the query', 'https://h.test/?a=%FF', {}],
    ['a parameter of the link in the URL', `${URL_}?X-Amz-Date=20130524T000000Z`, {}],
    ['a parameter of the link in the option query', URL_, { query: { 'X-Amz-Expires': '1' } }],
    ['two methods', URL_, { method: ['GET', 'PUT'] }],
    ['eight days', URL_, { expires: '8d' }],
    ['seven days and a second', URL_, { expires: '604801s' }],
    ['a week from a start in the past', URL_, { expires: '7d', starts: new Date(+NOW - 1000) }],
    ['the header host', URL_, { headers: { Host: 'x' } }],
    ['a header twice', URL_, { headers: { 'Content-Type': 'a', 'content-type': 'a' } }],
    ['a header with a line break', URL_, { headers: { a: 'b\nc' } }],
    ['a header that is not ASCII', URL_, { headers: { a: 'ü' } }],
    ['a name that no header can have', URL_, { headers: { 'a b': 'c' } }],
    ['a header that is not text', URL_, { headers: { a: 1 } }],
    ['a parameter that is not text', URL_, { query: { a: undefined } }],
    ['half a surrogate pair', URL_, { query: { a: '\ud83d' } }],
    ['a Headers object, which has no properties to sign', URL_, { headers: new Headers({ a: 'b' }) }],
    ['a Map of headers', URL_, { headers: new Map([['a', 'b']]) }],
    ['URLSearchParams', URL_, { query: new URLSearchParams('a=b') }],
    ['dots at the end', 'https://h.test/a/..', {}],
    ['one dot at the end', 'https://h.test/a/.', {}],
    ['dots at the end, behind an escaped slash', 'https://h.test/a%2F%2e.', {}],
    ['an s3:// address', 's3://bucket/key', {}],
    ['a gs:// address', 'gs://bucket/object', {}],
    ['an ftp:// address', 'ftp://h.test/key', {}],
    ['a # that is not escaped', 'https://h.test/my file#1.png', {}],
    ['a # at the end', 'https://h.test/c#', {}],
    ['a header of another vendor', URL_, { headers: { 'X-Goog-Acl': 'private' } }],
    ['a parameter of another vendor', URL_, { query: { 'x-goog-meta-a': 'b' } }],
    ['a parameter of another vendor in the URL', `${URL_}?X-Goog-Signature=00`, {}],
    ['a website endpoint', 'http://bucket.s3-website-us-east-1.amazonaws.com/a', {}],
    ['another website endpoint', 'http://bucket.s3-website.eu-central-1.amazonaws.com/a', {}],
    ['a Multi-Region Access Point', 'https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/a', {}],
    ['the console', 'https://us-east-1.console.aws.amazon.com/s3/object/bucket', {}],
    ['the public address of an R2 bucket', 'https://pub-0123456789abcdef.r2.dev/a', {}],
    ['a storage account of Azure', 'https://account.blob.core.windows.net/container/a', {}],
  ])('%s', async (_, url, conditions) => {
    expect(await code(() => sign(bucket, url, { expires, ...conditions } as never, at))).toBe('bad_option')
  })

  test('wrong keys and options', async () => {
    expect(await code(() => s3({ secret: 'x' } as never))).toBe('bad_option')
    expect(await code(() => s3({ ...KEY, secret: '' }))).toBe('weak_key')
    expect(await code(() => s3(KEY, { region: '' }))).toBe('bad_option')
    expect(await code(() => s3(KEY, { region: 'a/b' }))).toBe('bad_option')
    expect(await code(() => gcs(KEY, { algorithm: 'GOOG4-RSA-SHA256' as never }))).toBe('bad_option')
    expect(await code(() => gcs(KEY, { location: 'a/b' }))).toBe('bad_option')
    expect(() => s3(KEY, { regions: 'eu-central-1' } as never)).toThrow("unknown option 'regions'; s3() takes region, service")
    expect(() => gcs(KEY, { region: 'eu-central-1' } as never)).toThrow("unknown option 'region'; gcs() takes algorithm, location")
    expect(() => s3({ accessKeyId: 'a', secretAccessKey: 'b' } as never)).toThrow(/^id must be .*{ id, secret }$/)
  })
})

describe('gcs refuses', () => {
  test.each([
    ['a gs:// address', 'gs://bucket/object', {}],
    ['the address for browsers with a Google account', 'https://storage.cloud.google.com/bucket/a', {}],
    ['the console', 'https://console.cloud.google.com/storage/browser/bucket', {}],
    ['the JSON API', 'https://storage.googleapis.com/storage/v1/b/bucket/o/a?alt=media', {}],
    ['uploads of the JSON API', 'https://storage.googleapis.com/upload/storage/v1/b/bucket/o', {}],
    ['the older host of the JSON API', 'https://www.googleapis.com/storage/v1/b/bucket/o/a', {}],
    ['Firebase', 'https://firebasestorage.googleapis.com/v0/b/bucket/o/a', {}],
    ['Amazon S3', 'https://bucket.s3.amazonaws.com/a', {}],
    ['a header of Amazon', 'https://storage.googleapis.com/bucket/a', { headers: { 'x-amz-acl': 'private' } }],
    ['a parameter of Amazon', 'https://storage.googleapis.com/bucket/a', { query: { 'X-Amz-Meta-A': 'b' } }],
  ])('%s', async (_, url, conditions) => {
    expect(await code(() => sign(gcs(KEY), url, { expires, ...conditions } as never, at))).toBe('bad_option')
  })

  test('headers of Google in the interoperability mode, where it takes those of Amazon', async () => {
    const interop = gcs(KEY, { algorithm: 'AWS4-HMAC-SHA256' })
    const signed = (headers: Record<string, string>) =>
      code(() => sign(interop, 'https://storage.googleapis.com/bucket/a', { expires, headers }, at))
    expect(await signed({ 'x-goog-acl': 'private' })).toBe('bad_option')
    expect(await signed({ 'x-amz-acl': 'private' })).toBe('signed')
  })
})

// @smithy/signature-v4 and botocore sign such URLs without a warning, and the storage refuses the links.
test('the errors for a # and a % in a key say how to write them', async () => {
  await expect(sign(bucket, 'https://h.test/my file#1.png', { expires }, at)).rejects.toThrow(/write the # of a key as %23/)
  await expect(sign(bucket, 'https://h.test/100%.png', { expires }, at)).rejects.toThrow(/write the % of a key as %25/)
})

test('spaces and characters beyond ASCII are escaped as clients escape them, and the escaped URL is signed', async () => {
  const raw = await sign(bucket, 'https://h.test/bucket/a b/ü🐈.png?versionId=a b&x=é', { expires }, at)
  const escaped = 'https://h.test/bucket/a%20b/%C3%BC%F0%9F%90%88.png?versionId=a%20b&x=%C3%A9'
  expect(raw).toBe(await sign(bucket, escaped, { expires }, at))
  expect(raw.startsWith(escaped)).toBe(true)
  expect(new URL(raw).href).toBe(raw)
})

describe('the region', () => {
  const regionOf = async (url: string, options?: { region?: string; service?: string }) => {
    const scheme = s3(KEY, options)
    const link = await sign(scheme, url, { expires }, at)
    expect((await verify(scheme, link, at)).ok).toBe(true)
    return /\d{8}%2F([\w-]+%2F[\w-]+)%2Faws4_request/.exec(link)?.[1]?.replace('%2F', ' ')
  }

  // https://docs.aws.amazon.com/general/latest/gr/s3.html and the pages of the other vendors
  test.each([
    ['https://b.s3.eu-central-1.amazonaws.com/k', 'eu-central-1 s3'],
    ['https://B.S3.EU-CENTRAL-1.amazonaws.com/k', 'eu-central-1 s3'],
    ['https://s3.us-gov-west-1.amazonaws.com/b/k', 'us-gov-west-1 s3'],
    ['https://b.s3-us-west-2.amazonaws.com/k', 'us-west-2 s3'],
    ['https://s3-fips-us-gov-west-1.amazonaws.com/b/k', 'us-gov-west-1 s3'],
    ['https://b.s3.dualstack.ap-southeast-2.amazonaws.com/k', 'ap-southeast-2 s3'],
    ['https://b.s3-fips.dualstack.us-east-2.amazonaws.com/k', 'us-east-2 s3'],
    ['https://s3.cn-north-1.amazonaws.com.cn/b/k', 'cn-north-1 s3'],
    ['https://b.s3.eusc-de-east-1.amazonaws.eu/k', 'eusc-de-east-1 s3'],
    ['https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-2.vpce.amazonaws.com/b/k', 'us-east-2 s3'],
    ['https://ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com/k', 'us-west-2 s3'],
    ['https://ap-123456789012.op-01234567890123456.s3-outposts.us-west-2.amazonaws.com/k', 'us-west-2 s3-outposts'],
    ['https://ap-123456789012.s3-object-lambda.us-west-2.amazonaws.com/k', 'us-west-2 s3-object-lambda'],
    ['https://b--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com/k', 'us-west-2 s3express'],
    ['https://account.r2.cloudflarestorage.com/b/k', 'auto s3'],
    ['https://account.eu.r2.cloudflarestorage.com/b/k', 'auto s3'],
    ['https://b.s3.us-west-004.backblazeb2.com/k', 'us-west-004 s3'],
    ['https://s3.eu-central-1.wasabisys.com/b/k', 'eu-central-1 s3'],
    ['https://b.s3.fr-par.scw.cloud/k', 'fr-par s3'],
    // Hosts that name no region.
    ['https://b.s3.amazonaws.com/k', 'us-east-1 s3'],
    ['https://eu-west-1.s3.amazonaws.com/k', 'us-east-1 s3'],
    ['https://b.s3-accelerate.amazonaws.com/k', 'us-east-1 s3'],
    ['https://b.s3-external-1.amazonaws.com/k', 'us-east-1 s3'],
    ['http://127.0.0.1:9000/b/k', 'us-east-1 s3'],
    ['http://[::1]:9000/b/k', 'us-east-1 s3'],
    ['http://localhost/b/k', 'us-east-1 s3'],
    ['http://minio:9000/b/k', 'us-east-1 s3'],
    ['https://s3.eu-central-1.example.com/b/k', 'us-east-1 s3'],
  ])('of %s: %s', async (url, expected) => {
    expect(await regionOf(url)).toBe(expected)
  })

  test('of the options must be the one that the host names', async () => {
    const frankfurt = 'https://b.s3.eu-central-1.amazonaws.com/k'
    expect(await regionOf(frankfurt, { region: 'eu-central-1' })).toBe('eu-central-1 s3')
    expect(await regionOf('https://b.s3.amazonaws.com/k', { region: 'eu-central-1' })).toBe('eu-central-1 s3')
    expect(await regionOf('http://localhost:9000/b/k', { region: 'mars-1' })).toBe('mars-1 s3')
    // Cloudflare takes it as another name for 'auto', https://developers.cloudflare.com/r2/api/s3/api/
    expect(await regionOf('https://account.r2.cloudflarestorage.com/b/k', { region: 'us-east-1' })).toBe('us-east-1 s3')
    for (const [url, options] of [
      [frankfurt, { region: 'us-east-1' }],
      [frankfurt, { service: 's3express' }],
      ['https://b--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com/k', { service: 's3' }],
      ['https://account.r2.cloudflarestorage.com/b/k', { region: 'eu-central-1' }],
      ['https://s3.us-west-004.backblazeb2.com/b/k', { region: 'us-east-1' }],
    ] as const)
      expect(await code(() => regionOf(url, options)), url).toBe('bad_option')
    await expect(regionOf(frankfurt, { region: 'us-east-1' })).rejects.toThrow(/eu-central-1/)
  })

  test('comes from the header host when the request is a path', async () => {
    const link = await sign(bucket, 'https://b.s3.eu-central-1.amazonaws.com/k', { expires }, at)
    const path = link.slice(link.indexOf('/k'))
    expect((await verify(bucket, path, { ...at, headers: { host: 'B.s3.eu-central-1.amazonaws.com' } })).ok).toBe(true)
    expect((await verify(bucket, path, { ...at, headers: { host: 'b.s3.eu-central-2.amazonaws.com' } })).reason).toBe('bad_signature')
  })
})

describe('credentials that were copied with quotes or white space are refused', () => {
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  const dirty = (text: string) => [
    `${text}\n`,
    `${text}\r\n`,
    ` ${text}`,
    `${text}\t`,
    `\ufeff${text}`,
    `"${text}"`,
    `'${text}'`,
    `a\nb${text}`,
  ]
  test.each([
    ['s3', s3],
    ['gcs', gcs],
  ])('%s', (_, make) => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    for (const key of [
      ...dirty('AKIAIOSFODNN7EXAMPLE').map((id) => ({ id, secret })),
      ...dirty(secret).flatMap((each) => [
        { id: 'AKIA', secret: each },
        { id: 'AKIA', secret: bytes(each) },
      ]),
      ...(make === s3 ? dirty('IQoJb3JpZ2lu').map((sessionToken) => ({ id: 'AKIA', secret, sessionToken })) : []),
      { id: 'AKIA', secret, sessionToken: 7 as unknown as string },
    ]) {
      let error: LinkError | undefined
      try {
        make(key)
      } catch (thrown) {
        error = thrown as LinkError
      }
      expect(error?.code, JSON.stringify(key)).toBe('bad_option')
      expect(error?.message).not.toMatch(/wJalr|AKIA|IQoJ/)
    }
  })

  test('other secrets are taken: storages that people run themselves have secrets of all kinds', () => {
    for (const secret of ['pass word', "it's", 'a"b', 'ü', 'x'.repeat(200), '==', '\\'])
      expect(() => s3({ id: 'test:tester', secret })).not.toThrow()
    expect(() => s3({ ...KEY, sessionToken: undefined } as never)).not.toThrow()
  })

  test('the error for the name expiration says that the end of a session is called expires', () => {
    expect(() => s3({ ...KEY, expiration: new Date() } as never)).toThrow(/expires: credentials.expiration/)
  })
})

test('a link expires with the session that signed it, and an expired session signs nothing', async () => {
  const session = s3({ ...KEY, sessionToken: 'IQoJb3JpZ2lu', expires: new Date(+NOW + 3_600_000) })
  const link = await sign(session, URL_, { expires: '50m' }, at)
  expect(link).toContain('X-Amz-Security-Token=IQoJb3JpZ2lu')
  expect(await code(() => sign(session, URL_, { expires: '50m' }, { now: () => new Date(+NOW + 3_600_000) }))).toBe('no_key')
  expect(await sign(session, URL_, { expires: '1d' }, at)).toContain('&X-Amz-Expires=3600&')
})

test('a link of another session is refused, where the key has a session token', async () => {
  const session = s3({ ...KEY, sessionToken: 'IQoJb3JpZ2lu' })
  const link = await sign(session, URL_, { expires: '50m' }, at)
  const reasonWith = async (key: object, url = link) => (await verify(s3({ ...KEY, ...key }), url, at)).reason
  expect(await reasonWith({ sessionToken: 'IQoJb3JpZ2lu' })).toBeUndefined()
  // The same access key id and secret, with a token that the storage would not take.
  expect(await reasonWith({ sessionToken: 'IQoJb3JpZ2lX' })).toBe('bad_signature')
  expect(await reasonWith({ sessionToken: 'IQoJb3JpZ2lu' }, await sign(s3(KEY), URL_, { expires: '50m' }, at))).toBe('bad_signature')
  // A verifier that does not know the tokens of sessions.
  expect(await reasonWith({})).toBeUndefined()
})

test('a look-up finds the credentials of a session, and each link is checked with those of its own', async () => {
  const sessions = new Map(['ASIAONE', 'ASIATWO'].map((id) => [id, { id, secret: `secret of ${id}`, sessionToken: `token of ${id}` }]))
  const asked: (string | undefined)[] = []
  const links = s3(async (id) => {
    asked.push(id)
    return sessions.get(id ?? '')
  })
  for (const key of sessions.values()) {
    const link = await sign(s3(key), URL_, { expires: '50m' }, at)
    expect((await verify(links, link, at)).claims?.keyId).toBe(key.id)
    expect((await verify(links, link.replace(key.id, key.id === 'ASIAONE' ? 'ASIATWO' : 'ASIAONE'), at)).reason).toBe('bad_signature')
    expect((await verify(links, link.replace(key.id, 'ASIATHREE'), at)).reason).toBe('unknown_key')
    sessions.set(key.id, { ...key, sessionToken: 'a newer one' })
    expect((await verify(links, link, at)).reason).toBe('bad_signature')
  }
  expect(asked).toEqual(['ASIAONE', 'ASIATWO', 'ASIATHREE', 'ASIAONE', 'ASIATWO', 'ASIAONE', 'ASIATHREE', 'ASIATWO'])
})

test('a link to a directory bucket has the session token under another name', async () => {
  const express = s3({ ...KEY, sessionToken: 'TOKEN' })
  const link = await sign(express, 'https://b--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com/k', { expires }, at)
  expect(link).toContain('X-Amz-S3session-Token=TOKEN')
  expect(link).not.toContain('Security-Token')
  expect((await verify(express, link, at)).claims?.resource).not.toContain('Token')
  expect((await verify(express, link.replace('=TOKEN', '=T0KEN'), at)).reason).toBe('bad_signature')
})

test('other mistakes have codes of their own', async () => {
  expect(await code(async () => sign(bucket, await sign(bucket, URL_, { expires }, at), { expires }, at))).toBe('already_signed')
  expect(await code(() => sign(bucket, URL_, { expires, ip: '203.0.113.7' } as never, at))).toBe('unsupported_condition')
  expect(await code(() => sign(s3([]), URL_, { expires }, at))).toBe('no_key')
  expect(await code(async () => verify(s3([]), await sign(bucket, URL_, { expires }, at), at))).toBe('no_key')
  vi.stubGlobal('crypto', {})
  expect(await code(() => sign(s3({ ...KEY }), URL_, { expires }, at))).toBe('no_webcrypto')
  vi.unstubAllGlobals()
})

// Appended one by one they took minutes, and a link service takes them from its callers.
test('too many query parameters are refused', async () => {
  const query = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`p${i}`, 'x']))
  expect(await code(() => sign(bucket, URL_, { expires, query }, at))).toBe('bad_option')
})

// Counts the calls and the URIErrors of decodeURIComponent. Each URIError costs as much time as ten links.
async function decoding(work: () => unknown): Promise<{ calls: number; thrown: number }> {
  const real = decodeURIComponent
  const count = { calls: 0, thrown: 0 }
  vi.stubGlobal('decodeURIComponent', (text: string) => {
    count.calls++
    try {
      return real(text)
    } catch (error) {
      count.thrown++
      throw error
    }
  })
  try {
    await work()
  } finally {
    vi.unstubAllGlobals()
  }
  return count
}

describe('links that are made to take long', () => {
  const google = gcs(KEY)
  const signed = async (scheme: Scheme) => `${await sign(scheme, 'https://h.test/a.txt', { expires }, at)}&`
  const pieces = ['&%', '&%FF', '&%ff=%', '&a=%C3', '&X-Amz-%zz', '&%ED%A0%80', '&\ud800', '&%f0%80%80%80']

  test.each([
    ['s3', bucket],
    ['gcs', google],
  ] as const)('%s: broken escapes throw nothing, and are decoded once at most', async (_, scheme) => {
    const link = await signed(scheme)
    for (const piece of pieces)
      for (const front of [`${URL_}?`, link, `https://h.test/${piece.repeat(100).replaceAll('&', '/')}?`]) {
        const url = front + piece.repeat(Math.floor((16_384 - front.length) / piece.length))
        const count = await decoding(() => verify(scheme, url, at))
        expect(count.thrown, piece).toBe(0)
        expect(count.calls, piece).toBeLessThan(10)
        expect((await verify(scheme, url, at)).reason).toBe(front === link ? 'malformed' : 'unsigned')
      }
  })

  test('names are decoded only if they have escapes, and only in a link', async () => {
    const link = await signed(bucket)
    for (const piece of ['&a', '&a=b', '&%41', '&%41=%42', '&X-Amz-a']) {
      const many = piece.repeat(3000)
      expect((await decoding(() => verify(bucket, `${URL_}?${many}`, at))).calls, piece).toBe(0)
      if (!piece.includes('%')) expect((await decoding(() => verify(bucket, link + many, at))).calls, piece).toBeLessThan(10)
    }
  })

  test('twice the input is at most twice the work', async () => {
    const link = await signed(bucket)
    for (const piece of ['&%41', '&X-Amz-%41=%42', '&%C3%BC=+']) {
      const [once, twice] = [
        await decoding(() => verify(bucket, link + piece.repeat(500), at)),
        await decoding(() => verify(bucket, link + piece.repeat(1000), at)),
      ]
      expect(once.calls).toBeGreaterThan(499)
      expect(twice.calls).toBeLessThanOrEqual(2 * once.calls)
    }
  })

  test('a URL that is too long for a link is malformed and not taken apart', async () => {
    const long = '&a=%41'.repeat(200_000)
    for (const url of [`${await signed(bucket)}${long}`, `${URL_}?${long}`]) {
      const splitting = vi.spyOn(String.prototype, 'split')
      const verdict = await verify(bucket, url, at)
      const lengths = splitting.mock.contexts.map((text) => `${text}`.length)
      splitting.mockRestore()
      expect(verdict.reason).toBe('malformed')
      expect(Math.max(0, ...lengths)).toBeLessThan(17_000)
    }
  })

  test('16 kB of escapes in one of the parameters are decoded once', async () => {
    const link = await sign(bucket, URL_, { expires }, at)
    for (const name of ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature'])
      for (const escaped of ['%41', '%FF', '%2F', '%3B']) {
        const url = link.replace(`X-Amz-${name}=`, `$&${escaped.repeat(5000)}`)
        const { calls, thrown } = await decoding(async () => expect((await verify(bucket, url, at)).ok).toBe(false))
        expect([calls < 10, thrown], name + escaped).toEqual([true, 0])
      }
  })

  test('a host that is too long for DNS is not searched for a region', async () => {
    const link = (await sign(bucket, 'https://h.test/a', { expires }, at)).replace('h.test', `${'s3.'.repeat(4000)}amazonaws.com`)
    const searching = vi.spyOn(RegExp.prototype, 'exec')
    expect((await verify(bucket, link, at)).reason).toBe('bad_signature')
    const searched = searching.mock.contexts.filter((expression) => `${expression}`.includes('amazonaws'))
    searching.mockRestore()
    expect(searched).toEqual([])
  })
})

// `Headers.get` throws a TypeError for such names.
test('verify does not throw for any name in SignedHeaders', async () => {
  const names = [
    '',
    ' ',
    'a b',
    'a=b',
    'a:b',
    'Headers=a=b',
    'ü',
    '\0',
    'a\n',
    '(',
    'a/b',
    '@',
    '"',
    '%',
    ';',
    ';;',
    '漢',
    '__proto__',
    'constructor',
  ]
  for (let code = 0; code < 256; code++) names.push(`a${String.fromCharCode(code)}b`)
  const headers = { host: 'h.test' }
  for (const [scheme, link] of [
    [bucket, await sign(bucket, 'https://h.test/a', { expires }, at)],
    [gcs(KEY), await sign(gcs(KEY), 'https://h.test/a', { expires }, at)],
  ] as const)
    for (const name of names)
      for (const list of [`host%3B${encodeURIComponent(name)}`, `${encodeURIComponent(name)};host`, encodeURIComponent(name)]) {
        const changed = link.replace('SignedHeaders=host', () => `SignedHeaders=${list}`)
        expect((await verify(scheme, changed, { ...at, headers })).ok, list).toBe(false)
        expect((await verify(scheme, changed, at)).ok, list).toBe(false)
      }
})

test('secrets of bytes are copied, so callers may wipe them', async () => {
  const url = 'https://h.test/a'
  for (const make of [s3, gcs]) {
    const expected = await sign(make(KEY), url, { expires }, at)
    // Zeros are refused as control characters, so a CryptoKey holds them.
    const seed = new TextEncoder().encode(`${make === s3 ? 'AWS4' : 'GOOG4'}${'\0'.repeat(KEY.secret.length)}`)
    const zeros = await crypto.subtle.importKey('raw', seed, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const ofZeros = await sign(make({ ...KEY, secret: zeros }), url, { expires }, at)
    const whole = Buffer.from(`xx${KEY.secret}yy`)
    for (const secret of [Buffer.from(KEY.secret), new TextEncoder().encode(KEY.secret), whole.subarray(2, -2)]) {
      const scheme = make({ id: KEY.id, secret })
      secret.fill(0)
      expect((await verify(scheme, ofZeros, at)).reason).toBe('bad_signature')
      expect(await sign(scheme, url, { expires }, at)).toBe(expected)
      expect((await verify(scheme, expected, at)).ok).toBe(true)
    }
  }
})

test('a path with a segment of one or two dots is malformed, in any spelling', async () => {
  const link = await sign(bucket, 'https://h.test/a/b', { expires }, at)
  for (const path of ['a/..', 'a/.', '..', '.', 'a/%2e%2E', 'a%2F..', 'a/b/.%2e'])
    expect((await verify(bucket, link.replace('a/b', path), at)).reason, path).toBe('malformed')
  for (const path of ['a/...', 'a..', 'a/b.', '.a'])
    expect((await verify(bucket, link.replace('a/b', path), at)).reason, path).toBe('bad_signature')
})

test('a gcs link that is signed for HEAD opens HEAD, and not GET', async () => {
  for (const algorithm of ['GOOG4-HMAC-SHA256', 'AWS4-HMAC-SHA256'] as const) {
    const scheme = gcs(KEY, { algorithm })
    const link = await sign(scheme, 'https://storage.googleapis.com/bucket/a', { expires, method: 'HEAD' }, at)
    expect(await verify(scheme, link, { ...at, method: 'HEAD' })).toMatchObject({ ok: true, claims: { methods: ['HEAD'] } })
    expect((await verify(scheme, link, at)).reason).toBe('bad_signature')
  }
})

describe('headers that the request has and the link does not sign', () => {
  const iap = {
    'X-Goog-IAP-JWT-Assertion': 'e30.e30.e30',
    'x-goog-authenticated-user-email': 'accounts.google.com:a@b.c',
    'X-Goog-Authenticated-User-Id': '1',
  }
  const cloudfront = { 'X-Amz-Cf-Id': '5ZxaxPOoKEPPe3gLsvAMMMdZzcl7GjVYrPFL2Yn88VWbwGLVtiTJFw==' }
  const interop = gcs(KEY, { algorithm: 'AWS4-HMAC-SHA256' })
  test.each([
    ['s3', { ...iap, 'x-goog-acl': 'public-read' }, bucket, 'ok'],
    ['s3', cloudfront, bucket, 'ok'],
    ['s3', { 'X-Amz-Acl': 'public-read' }, bucket, 'bad_signature'],
    ['gcs', { ...cloudfront, 'x-amz-meta-a': 'b' }, gcs(KEY), 'ok'],
    ['gcs', iap, gcs(KEY), 'ok'],
    ['gcs', { 'X-Goog-Acl': 'public-read' }, gcs(KEY), 'bad_signature'],
    ['gcs', { 'x-goog-iap-jwt-assertions': '1' }, gcs(KEY), 'bad_signature'],
    ['gcs in the interoperability mode', { 'X-Amz-Acl': 'public-read' }, interop, 'bad_signature'],
    ['gcs in the interoperability mode', iap, interop, 'ok'],
  ])('%s %j', async (_, headers, scheme, expected) => {
    const link = await sign(scheme, URL_.replace('examplebucket.s3.amazonaws.com', 'files.test'), { expires }, at)
    expect((await verify(scheme, link, { ...at, headers } as never)).reason ?? 'ok').toBe(expected)
  })
})

test("'1h' writes 3600 seconds, also in the middle of a second", async () => {
  const now = () => new Date(+NOW + 999)
  for (const scheme of [bucket, gcs(KEY)])
    for (const [duration, life] of [
      ['1h', 3600],
      ['15m', 900],
      ['1s', 1],
      ['7d', 604_800],
      ['0.5s', 1],
      ['1.1m', 66],
    ] as const)
      expect(await sign(scheme, URL_.replace('examplebucket.s3.amazonaws.com', 'h.test'), { expires: duration }, { now })).toMatch(
        new RegExp(`X-(Amz|Goog)-Expires=${life}&`),
      )
})

test('proved claims hold a port only if it is signed, and a scheme other than http and https is malformed', async () => {
  const google = gcs(KEY)
  const link = await sign(google, 'https://storage.googleapis.com:8443/bucket/a?x=1#'.slice(0, -1), { expires }, at)
  const moved = await verify(google, link.replace(':8443', ':9443'), at)
  expect(moved).toMatchObject({ ok: true, claims: { resource: 'https://storage.googleapis.com/bucket/a?x=1' } })
  const upload = await sign(bucket, 'https://h.test:8443/bucket/a', { expires }, at)
  expect((await verify(bucket, upload, at)).claims?.resource).toBe('https://h.test:8443/bucket/a')
  for (const [scheme, each] of [
    [bucket, upload],
    [google, link],
  ] as const)
    for (const other of ['javascript', 'ftp', 'file', 's3', 'gs', 'ws'])
      expect((await verify(scheme, each.replace('https', other), at)).reason, other).toBe('malformed')
})

test('claims name the signed headers, and only a verdict names the method, which the link does not show', async () => {
  const headers = { 'Content-Type': 'image/png', 'content-length': '7' }
  const link = await sign(bucket, URL_, { expires, method: 'PUT', headers }, at)
  expect(inspect(s3([]), link)?.unverified).toMatchObject({ signedHeaders: ['content-length', 'content-type'] })
  expect(inspect(s3([]), link)?.unverified).not.toHaveProperty('methods')
  const verdict = await verify(bucket, link, { ...at, method: 'PUT', headers })
  expect(verdict.claims).toMatchObject({ signedHeaders: ['content-length', 'content-type'], methods: ['PUT'] })
  expect(inspect(s3([]), await sign(bucket, URL_, { expires }, at))?.unverified).not.toHaveProperty('signedHeaders')
})

test('a secret as text, as bytes, as a CryptoKey of AWS4 and the secret, and as one that stays elsewhere', async () => {
  const bytes = new TextEncoder().encode(KEY.secret)
  const raw = new TextEncoder().encode(`AWS4${KEY.secret}`)
  const imported = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const remote = { sign: async (message: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.sign('HMAC', imported, message)) }
  for (const secret of [KEY.secret, bytes, imported, remote]) {
    const link = await sign(s3({ ...KEY, secret }), URL_, { expires }, at)
    expect(link.slice(-64)).toBe(SIGNATURE)
    expect((await verify(s3({ ...KEY, secret }), link, at)).ok).toBe(true)
  }
})

test('the signing key of a day is derived once, also for a scheme that is made anew, and 16 of them are remembered', async () => {
  const real = crypto.subtle.importKey.bind(crypto.subtle)
  const importKey = vi.spyOn(crypto.subtle, 'importKey').mockImplementation(real as never)
  const key = { ...KEY }
  const day = (n: number) => ({ now: () => new Date(+NOW + n * 86_400_000) })
  const signed = (n: number) => sign(s3(key), URL_, { expires: '1h' }, day(n))
  await signed(0)
  expect(importKey).toHaveBeenCalledTimes(5)
  await signed(0)
  expect((await verify(s3(key), await signed(0), day(0))).ok).toBe(true)
  expect(importKey).toHaveBeenCalledTimes(5)
  for (let n = 1; n <= 40; n++) await signed(n)
  expect(importKey).toHaveBeenCalledTimes(5 + 40 * 5)
  await signed(40)
  expect(importKey).toHaveBeenCalledTimes(5 + 40 * 5)
  importKey.mockRestore()
})

test('a hash of the body, as a header or as a parameter, stands where UNSIGNED-PAYLOAD stands', async () => {
  const hash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const header = await sign(bucket, URL_, { expires, method: 'PUT', headers: { 'x-amz-content-sha256': hash } }, at)
  const good = { ...at, method: 'PUT', headers: { 'x-amz-content-sha256': hash } }
  expect((await verify(bucket, header, good)).ok).toBe(true)
  expect((await verify(bucket, header, { ...good, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })).ok).toBe(false)
  // HTTP drops spaces around a value.
  const spaced = await sign(bucket, URL_, { expires, method: 'PUT', headers: { 'x-amz-content-sha256': ` ${hash} ` } }, at)
  expect((await verify(bucket, spaced, good)).ok).toBe(true)
  const said = await sign(bucket, URL_, { expires, query: { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' } }, at)
  expect((await verify(bucket, said, at)).ok).toBe(true)
})

test.each([
  ['s3', bucket],
  ['gcs', gcs(KEY)],
])('%s: the host of a request that is a path comes from its header', async (_, scheme) => {
  for (const origin of ['https://Files.test', 'http://127.0.0.1:4443', 'http://[::1]:4443']) {
    const path = (await sign(scheme, `${origin}/bucket/a.txt`, { expires }, at)).slice(origin.length)
    const reasonFor = async (headers: Record<string, string>) => (await verify(scheme, path, { ...at, headers })).reason ?? 'ok'
    expect(await reasonFor({ host: origin.slice(origin.indexOf('//') + 2) }), origin).toBe('ok')
    expect(await reasonFor({ host: 'other.test' }), origin).toBe('bad_signature')
    expect(await reasonFor({}), origin).toBe('bad_signature')
  }
})

test('a verdict has the resource as it was signed, and inspect has it as it was written', async () => {
  const link = await sign(bucket, 'https://ExampleBucket.s3.amazonaws.com:443/a%2Fb c+%7Ed?z&a=1+2', { expires }, at)
  const { claims } = await verify(bucket, link, at)
  const resource = 'https://examplebucket.s3.amazonaws.com/a/b%20c%2B~d?a=1%202&z='
  expect(claims).toEqual({ resource, expires, starts: NOW, methods: ['GET'], keyId: KEY.id })
  expect(inspect(s3([]), link)?.unverified).toEqual({
    resource: 'https://ExampleBucket.s3.amazonaws.com:443/a%2Fb%20c+%7Ed?z&a=1+2',
    expires,
    starts: NOW,
    keyId: KEY.id,
  })
})

test('aligned links are identical within a window, and never too long', async () => {
  const minted = (minute: number, expires: Duration) =>
    sign(bucket, URL_, { expires, align: '1h' }, { now: () => new Date(+NOW + minute * 60_000 + 1) })
  expect(await minted(10, '15m')).toBe(await minted(40, '15m'))
  expect(await minted(10, '15m')).not.toBe(await minted(50, '15m'))
  expect(await code(() => minted(10, '7d'))).toBe('bad_option')
  const long = await sign(bucket, URL_, { expires: '5d', align: '3d' }, { now: () => new Date('2013-05-26T12:00:00Z') })
  expect(long).toContain('X-Amz-Expires=604800')
})

test('a link that is signed in the middle of a second is valid at once', async () => {
  const now = () => new Date(+NOW + 999)
  for (const expires of ['1s', '15m', '7d'] as const)
    expect((await verify(bucket, await sign(bucket, URL_, { expires }, { now }), { now })).ok).toBe(true)
})

test('guard takes headers and method from the request, and answers with the statuses of S3', async () => {
  const fetch = guard(bucket, (_, { resource, methods }) => new Response(`${methods} ${resource}`), at)
  const headers = { 'content-type': 'image/png' }
  const upload = await sign(bucket, URL_, { expires, method: 'PUT', headers }, at)
  const put = (type: string) => fetch(new Request(upload, { method: 'PUT', headers: { 'content-type': type }, body: 'x' }))
  expect(await (await put('image/png')).text()).toBe(`PUT ${URL_}`)
  expect((await put('text/html')).status).toBe(403)
  const get = await sign(bucket, URL_, { expires }, at)
  expect((await fetch(new Request(get))).status).toBe(200)
  expect((await fetch(new Request(get, { method: 'HEAD' }))).status).toBe(403)
  expect((await guard(bucket, () => new Response(), { now: () => expires })(new Request(get))).status).toBe(403)
  expect((await fetch(new Request(get.replace('Expires=86400', 'Expires=0')))).status).toBe(400)
})

test('s3 and gcs work in anyOf, beside other schemes', async () => {
  const google = gcs({ ...KEY, id: 'GOOG1EXAMPLE' })
  const interop = gcs({ ...KEY, id: 'GOOG1EXAMPLE' }, { algorithm: 'AWS4-HMAC-SHA256' })
  const url = 'https://files.test/bucket/a.txt'
  const links = anyOf(bucket, google, interop, hmac({ secret: '0123456789abcdef0123456789abcdef' }))
  for (const [scheme, name] of [
    [bucket, 's3'],
    [google, 'gcs'],
    [interop, 'gcs'],
  ] as const)
    expect(await verify(links, await sign(scheme, url, { expires }, at), at)).toMatchObject({ ok: true, scheme: name })
})

test('malformed names the parameter', async () => {
  const link = await sign(bucket, URL_, { expires }, at)
  const parameter = async (url: string) => (await verify(bucket, url, at)).parameter
  for (const name of ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature'].map((end) => `X-Amz-${end}`)) {
    const pair = new RegExp(`${name}=[^&]*`)
    expect(await parameter(link.replace(pair, '')), 'missing').toBe(name)
    expect(await parameter(link.replace(pair, `${name}=`)), 'empty').toBe(name)
    expect(await parameter(link.replace(pair, `${name}=%FF`)), 'undecodable').toBe(name)
    expect(await parameter(link.replace(pair, '$&&$&')), 'twice').toBe(name)
  }
  expect(await parameter(`${link}&X-Amz-Security-Token=`)).toBe('X-Amz-Security-Token')
  expect(await parameter(link.replace('%2F20130524%2F', '%2F20130525%2F'))).toBe('X-Amz-Credential')
})

test('one digest and one HMAC for each link, once the signing key is there', async () => {
  const key = { ...KEY }
  const links = [bucket, s3(key), gcs(key)]
  const calls: string[] = []
  const count = (name: 'digest' | 'sign' | 'verify' | 'importKey') => {
    const real = crypto.subtle[name].bind(crypto.subtle) as (...args: unknown[]) => unknown
    vi.spyOn(crypto.subtle, name).mockImplementation(((...args: unknown[]) => {
      calls.push(name)
      return real(...args)
    }) as never)
  }
  const url = 'https://files.test/a.txt?b=c'
  for (const scheme of links) {
    await sign(scheme, url, { expires }, at)
    for (const name of ['digest', 'sign', 'verify', 'importKey'] as const) count(name)
    const link = await sign(scheme, url, { expires }, at)
    expect(calls.splice(0)).toEqual(['digest', 'sign'])
    expect((await verify(scheme, link, at)).ok).toBe(true)
    expect(calls.splice(0)).toEqual(['digest', 'verify'])
    vi.restoreAllMocks()
  }
})

test('keys can be looked up by the access key id of the link', async () => {
  const asked: (string | undefined)[] = []
  const tenants = s3((id) => {
    asked.push(id)
    return id === undefined || id === KEY.id ? KEY : undefined
  })
  const link = await sign(tenants, URL_, { expires }, at)
  expect(link.slice(-64)).toBe(SIGNATURE)
  expect((await verify(tenants, link, at)).ok).toBe(true)
  expect((await verify(tenants, link.replace(KEY.id, 'AKIAOTHER'), at)).reason).toBe('unknown_key')
  expect(asked).toEqual([undefined, KEY.id, 'AKIAOTHER'])
  expect(
    await code(() =>
      sign(
        s3(() => ({ ...KEY, id: ' AKIA' })),
        URL_,
        { expires },
        at,
      ),
    ),
  ).toBe('bad_option')
})
