// s3v2: its options, the buckets that hosts name, and changes of one character at every place of its links.
import { describe, expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { type S3V2Key, type S3V2Options, s3v2 } from '../../src/schemes/s3v2.ts'
import { VENDORS } from '../../src/schemes/shared/s3v2-vendors.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key: S3V2Key = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const now = () => new Date('2030-01-01T00:00:00Z')
const at = { now }
const hour = { expires: '1h' } as const
const HOSTS = {
  s3: 'https://bucket.s3.amazonaws.com',
  oss: 'https://bucket.oss-cn-hangzhou.aliyuncs.com',
  obs: 'https://bucket.obs.cn-north-4.myhuaweicloud.com',
} as const
const names = ['s3', 'oss', 'obs'] as const

describe('wrong options', () => {
  test.each<[S3V2Options, option: string]>([
    [{ vendor: 'gcs' as 's3' }, 'vendor'],
    [{ vendor: 'toString' as 's3' }, 'vendor'],
    [{ bucket: 'a/b' }, 'bucket'],
    [{ bucket: 7 as unknown as string }, 'bucket'],
    [{ bucket: '' }, 'bucket'],
    [{ pathStyle: 'yes' as unknown as boolean }, 'pathStyle'],
    [{ bucket: 'a', pathStyle: true }, 'pathStyle'],
    [{ region: 'us-east-1' } as S3V2Options, 'region'],
  ])('%j', (options, option) => {
    expect(() => s3v2(key, options)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test.each<[object, option: string]>([
    [{ secret: 'x' }, 'id'],
    [{ id: 'a', secret: 'x\n' }, 'secret'],
    [{ id: ' a', secret: 'x' }, 'id'],
    [{ id: 'a', secret: 'x', sessionToken: '"t"' }, 'sessionToken'],
  ])('the key %j', (wrong, option) => {
    expect(() => s3v2(wrong as S3V2Key)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test.each<[url: string, conditions: object, option: string, vendor?: 'oss']>([
    ['/a.txt', {}, 'url'],
    ['ftp://bucket.s3.amazonaws.com/a', {}, 'url'],
    [`${HOSTS.s3}/a#b`, {}, 'url'],
    [`${HOSTS.s3}/%ff`, {}, 'url'],
    [`${HOSTS.s3}/a/%2E%2E/b`, {}, 'url'],
    [`${HOSTS.oss}/a%3Facl`, {}, 'url', 'oss'],
    [`${HOSTS.s3}/a?versionId=1&versionId=2`, {}, 'url'],
    [`${HOSTS.s3}/a?versionId=%ff`, {}, 'url'],
    [`${HOSTS.s3}/a`, { query: { 'response-content-type': 'a&versionId=1' } }, 'query'],
    [`${HOSTS.s3}/a`, { query: { v: '1' } }, 'query'],
    [`${HOSTS.s3}/a`, { query: { 'x-amz-security-token': '1' } }, 'query'],
    [`${HOSTS.s3}/a?versionId=1`, { query: { versionId: '1' } }, 'query'],
    [`${HOSTS.s3}/a`, { headers: { range: 'bytes=0-1' } }, 'headers'],
    [`${HOSTS.s3}/a`, { headers: { 'x-oss-acl': 'private' } }, 'headers'],
    [`${HOSTS.s3}/a`, { headers: { 'content-type': 'ü' } }, 'headers'],
    [`${HOSTS.s3}/a`, { headers: { 'x-amz-meta-a': '1', 'X-Amz-Meta-A': '2' } }, 'headers'],
    // It would open requests without the header, too.
    [`${HOSTS.s3}/a`, { headers: { 'content-type': ' ' } }, 'headers'],
    [`${HOSTS.s3}/a`, { headers: { 'content-type': 'a/b', 'Content-Type': 'c/d' } }, 'headers'],
    [`${HOSTS.s3}/a`, { headers: { 'x-amz-meta-a': 'a\nx-amz-acl:public-read' } }, 'headers'],
    [`${HOSTS.s3}/a`, { method: ['GET', 'PUT'] }, 'method'],
  ])('%s with %j', async (url, conditions, option, vendor = 's3' as never) => {
    const wrong = expect.objectContaining({ code: 'bad_option', option })
    await expect(sign(s3v2(key, { vendor }), url, { ...hour, ...conditions }, at)).rejects.toThrow(wrong)
  })
})

describe('the bucket', () => {
  const opens = async (options: S3V2Options, signed: string, requested: string) => {
    const links = s3v2(key, options)
    const link = await sign(links, signed, hour, at)
    return (await verify(links, requested + link.slice(link.indexOf('?')), at)).ok
  }

  test.each<[vendor: 's3' | 'oss' | 'obs', host: string]>([
    ['s3', 'bucket.s3.amazonaws.com'],
    ['s3', 'bucket.s3.eu-central-1.amazonaws.com'],
    ['s3', 'bucket.s3-us-west-2.amazonaws.com:443'],
    ['s3', 'BUCKET.s3.dualstack.us-west-2.amazonaws.com'],
    ['s3', 'bucket.s3.cn-north-1.amazonaws.com.cn'],
    ['oss', 'bucket.oss-cn-hangzhou-internal.aliyuncs.com'],
    ['oss', 'bucket.oss-accelerate.aliyuncs.com'],
    ['oss', 'bucket.cn-hangzhou.oss.aliyuncs.com'],
    ['obs', 'bucket.obs.eu-west-101.myhuaweicloud.eu'],
  ])('of %s: %s names it', async (vendor, host) => {
    const path =
      vendor === 'obs' ? 'obs.cn-north-4.myhuaweicloud.com' : vendor === 'oss' ? 'oss-cn-hangzhou.aliyuncs.com' : 's3.amazonaws.com'
    expect(await opens({ vendor }, `https://${path}/bucket/a.txt`, `https://${host}/a.txt`)).toBe(true)
    expect(await opens({ vendor }, `https://${path}/other/a.txt`, `https://${host}/a.txt`)).toBe(false)
  })

  test('with dots in its name', async () => {
    expect(await opens({}, 'https://s3.amazonaws.com/my.s3.bucket/a', 'https://my.s3.bucket.s3.amazonaws.com/a')).toBe(true)
  })

  test('of a domain of your own', async () => {
    expect(await opens({ bucket: 'bucket' }, `${HOSTS.s3}/a`, 'https://files.example/a')).toBe(true)
    expect(await opens({}, `${HOSTS.s3}/a`, 'https://files.example/a')).toBe(false)
    expect(await opens({}, `${HOSTS.s3}/a`, 'https://files.example/bucket/a')).toBe(true)
  })

  test('of a forged host, before a server of your own', async () => {
    const forged = 'https://a.s3.amazonaws.com/b.txt'
    expect(await opens({}, 'https://files.example/a/b.txt', forged)).toBe(true)
    expect(await opens({ pathStyle: true }, 'https://files.example/a/b.txt', forged)).toBe(false)
    expect(await opens({ bucket: 'a' }, 'https://files.example/k', 'https://s3.amazonaws.com/a/k')).toBe(false)
    const links = s3v2(key, { bucket: 'bucket' })
    await expect(sign(links, 'https://other.s3.amazonaws.com/a', hour, at)).rejects.toThrow(expect.objectContaining({ option: 'bucket' }))
    const other = await sign(s3v2(key), 'https://other.s3.amazonaws.com/a', hour, at)
    expect((await verify(links, other, at)).reason).toBe('bad_signature')
  })

  test('of a host that only ends like one of the vendor', async () => {
    expect(await opens({}, `${HOSTS.s3}/a`, 'https://bucket.s3.amazonaws.com.evil.example/a')).toBe(false)
    expect(await opens({}, `${HOSTS.s3}/a`, 'https://bucket.evils3.amazonaws.com/a')).toBe(false)
  })
})

test('a link is refused where a storage would read more than was signed', async () => {
  const links = s3v2(key)
  const link = await sign(links, `${HOSTS.s3}/a`, { ...hour, method: 'PUT', headers: { 'x-amz-meta-a': '1' } }, at)
  const put = (headers: Record<string, string>, url = link) => verify(links, url, { ...at, method: 'PUT', headers })
  expect((await put({ 'x-amz-meta-a': '1' })).ok).toBe(true)
  expect((await put({ 'X-Amz-Meta-A': ' 1 ' })).ok).toBe(true)
  expect((await put({})).reason).toBe('bad_signature')
  expect((await put({ 'x-amz-meta-a': '2' })).reason).toBe('bad_signature')
  expect((await put({ 'x-amz-meta-a': '1', 'x-amz-copy-source': '/other/object' })).reason).toBe('bad_signature')
  expect((await put({}, `${link}&x-amz-meta-a=1`)).ok).toBe(true)
  expect((await put({ 'x-amz-meta-a': '1' }, `${link}&x-amz-meta-a=1`)).reason).toBe('bad_signature')
  expect((await put({}, `${link}&x-amz-meta-a=1%0Ax-amz-acl%3Apublic-read`)).reason).toBe('malformed')
})

test('the method and headers of a Request are used', async () => {
  const links = s3v2(key, { vendor: 'oss' })
  const conditions = { ...hour, method: 'PUT', headers: { 'content-type': 'text/plain' } }
  const link = await sign(links, `${HOSTS.oss}/a b.txt`, conditions, at)
  const request = (type: string) => new Request(link, { method: 'PUT', body: 'x', headers: { 'content-type': type } })
  expect((await verify(links, request('text/plain'), at)).claims).toMatchObject({
    resource: `${HOSTS.oss}/a%20b.txt`,
    methods: ['PUT'],
    keyId: key.id,
  })
  expect((await verify(links, request('text/html'), at)).reason).toBe('bad_signature')
})

// The part of the claims that the signature covers. Of the host, only the bucket is covered, and of the parameters, only sub-resources.
const covered = (claims: { readonly resource: string; readonly expires: Date; readonly keyId?: string } | undefined) => [
  claims?.resource.replace(/^https?:\/\/(bucket)?[^/]*/, '$1'),
  Number(claims?.expires),
  claims?.keyId,
]
const URLS = [
  '/f/x',
  '/f/x/y.pdf?versionId=1',
  '/%C3%BC%20b?response-content-type=text%2Fplain&acl',
  '//a',
  '/a?uploads',
  '/7?b=c&partNumber=2',
  '/',
]

test('one changed character, at every place of 21 links: refused, or in the endpoint or a parameter that is not covered', async () => {
  for (const vendor of names)
    for (const url of URLS) {
      const links = s3v2(key, { vendor })
      const link = await sign(links, HOSTS[vendor] + url, hour, at)
      const { claims } = await verify(links, link, at)
      // These links are long: every other change is at every place, too.
      for (const { changed } of tampered(link).filter((_, at) => at % 2 === 0)) {
        const verdict = await verify(links, changed, at)
        if (verdict.ok) expect([...covered(verdict.claims), changed]).toEqual([...covered(claims), changed])
      }
    }
})

test('each sub-resource of each vendor is covered', async () => {
  for (const vendor of names) {
    const links = s3v2(key, { vendor })
    for (const name of VENDORS[vendor].subresources) {
      if (name === VENDORS[vendor].securityToken) continue
      const link = await sign(links, `${HOSTS[vendor]}/a?${name}=1`, hour, at)
      expect((await verify(links, link, at)).claims?.resource).toBe(`${HOSTS[vendor]}/a?${name}=1`)
      for (const changed of [link.replace(`${name}=1`, `${name}=2`), link.replace(`${name}=1&`, ''), `${link}&${name}=1`])
        expect((await verify(links, changed, at)).ok, changed).toBe(false)
    }
  }
})

test('hosts that expressions could take long for', async () => {
  for (const vendor of names)
    for (const host of [`s3${'-'.repeat(200)}.example`, `oss${'-a'.repeat(100)}.example`, `obs${'.a'.repeat(100)}`, 'a.'.repeat(120)]) {
      const link = `https://${host}/a?${VENDORS[vendor].keyId}=${key.id}&Expires=1893459600&Signature=${'A'.repeat(27)}%3D`
      expect((await verify(s3v2(key, { vendor }), link, at)).reason).toBe('bad_signature')
    }
})

test('nothing throws on any text', async () => {
  for (const vendor of names) {
    const links = s3v2(key, { vendor })
    const { keyId } = VENDORS[vendor]
    const whole = `${keyId}=${key.id}&Expires=1893459600&Signature=${'A'.repeat(27)}%3D`
    for (const text of oddTexts(
      [keyId, 'Expires=', 'Signature=', whole, HOSTS[vendor], 'acl', 'x-amz-a=1', 'versionId='],
      700,
      randomly(7),
    )) {
      inspect(links, text)
      expect((await verify(links, text, at)).ok, text).toBe(false)
    }
    const long = `https://${'a.'.repeat(8000)}s3.amazonaws.com/a?${whole}`
    expect((await verify(links, long.slice(0, 16_000), at)).ok).toBe(false)
  }
})

test('a host header with a path in it names no bucket', async () => {
  const links = s3v2({ id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' })
  const now = () => new Date('2030-01-01T00:00:00Z')
  const link = await sign(links, 'https://bucket.s3.amazonaws.com/videos/a', { expires: '1h' }, { now })
  const query = link.slice(link.indexOf('?'))
  expect((await verify(links, `/videos/a${query}`, { now, headers: { host: 'bucket.s3.amazonaws.com' } })).ok).toBe(true)
  const headers = { host: 'bucket/videos.s3.amazonaws.com' }
  expect((await verify(links, `/a${query}`, { now, headers })).reason).toBe('bad_signature')
})
