// Compares presigned URLs with those of the vendors' packages, for 2,000 random keys, parameters and headers each. The packages write parameters in
// other orders, so URLs are compared as sets of parameters, with the signature among them. Where packages differ from each other, a test says how.
import { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig, UploadPartCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { AwsClient } from 'aws4fetch'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { s3 } from '../../src/schemes/s3.ts'

// The variable SEED chooses other random cases.
const seed = Number(process.env['SEED'] ?? 20261122)
const numRuns = 2000

const NOW = new Date('2030-01-01T00:00:00Z')
const now = () => NOW
const date = '20300101T000000Z'

const OURS = /^X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Security-Token|Signature)=/
const parts = (url: string): string[] => url.split(/[?&]/).sort()
/** The URL that was signed: without the parameters that make it a link. */
const unsigned = (url: string): string =>
  url
    .split(/(?=[?&])/)
    .filter((part) => !OURS.test(part.slice(1)))
    .join('')
    .replace(/^([^?&]*)&/, '$1?')

const text = (maxLength: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength }) },
    {
      weight: 4,
      arbitrary: fc.string({
        unit: fc.constantFrom(...`aZ09-_.~ +/%&=?#;:@!$'()*,"<>[]{}|\\^\`üß漢🐈\u0308\u0000\n`),
        minLength: 1,
        maxLength,
      }),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength }) },
  )
const dots = /(^|\/)\.\.?(\/|$)/
const key = fc.oneof(
  { weight: 30, arbitrary: text(40) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('a//b', '/a', '//', 'a/', ' ', '+', '%', '%2F', 'a b+c', '...', 'a/.../b', '.a', 'e\u0301', '\u00e9'),
  },
  { weight: 1, arbitrary: text(1000) },
)
const life = fc.integer({ min: 1, max: 604_800 })
const region = fc.constantFrom('us-east-1', 'eu-central-1', 'auto')
// Values that a header can hold. Spaces are among them, because canonical headers have fewer.
const headerValue = fc
  .string({ unit: fc.constantFrom(...'aZ09 =;,/."()'), minLength: 1, maxLength: 30 })
  .filter((value) => value.trim() !== '')
const credentials = fc.record({
  id: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
  secret: fc.stringMatching(/^[\w/+]{40}$/),
  sessionToken: fc.option(fc.base64String({ minLength: 40, maxLength: 400 }).filter(Boolean), { nil: undefined }),
})
type Credentials = { id: string; secret: string; sessionToken?: string | undefined }
const keyOf = ({ id, secret, sessionToken }: Credentials) => ({ id, secret, ...(sessionToken && { sessionToken }) })

const ends = (seconds: number) => new Date(+NOW + seconds * 1000)

describe('@aws-sdk/s3-request-presigner', () => {
  const clientOf = ({ id, secret, sessionToken }: Credentials, region: string, forcePathStyle: boolean, endpoint: string | undefined) =>
    new S3Client({
      region,
      credentials: { accessKeyId: id, secretAccessKey: secret, ...(sessionToken && { sessionToken }) },
      forcePathStyle,
      ...(endpoint && { endpoint }),
      // Its default adds parameters that other storages refuse.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  const endpoint = fc.constantFrom(undefined, 'https://account.r2.cloudflarestorage.com', 'http://127.0.0.1:9000', 'http://storage.test:80')

  test('downloads: keys, response overrides, versions, sessions, endpoints', async () => {
    const cases = fc.record({
      key,
      life,
      region,
      credentials,
      pathStyle: fc.boolean(),
      endpoint,
      type: fc.option(text(20)),
      disposition: fc.option(text(40)),
      version: fc.option(text(20)),
    })
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        fc.pre(!dots.test(given.key))
        // R2 has one region, and sign refuses another.
        fc.pre(!given.endpoint?.includes('.r2.') || given.region !== 'eu-central-1')
        const client = clientOf(given.credentials, given.region, given.pathStyle, given.endpoint)
        const theirs = await getSignedUrl(
          client,
          new GetObjectCommand({
            Bucket: 'my-bucket',
            Key: given.key,
            ...(given.type && { ResponseContentType: given.type }),
            ...(given.disposition && { ResponseContentDisposition: given.disposition }),
            ...(given.version && { VersionId: given.version }),
          }),
          { expiresIn: given.life, signingDate: NOW },
        )
        const scheme = s3(keyOf(given.credentials), { region: given.region })
        const ours = await sign(scheme, unsigned(theirs), { expires: ends(given.life) }, { now })
        expect(parts(ours)).toEqual(parts(theirs))
        expect(await verify(scheme, theirs, { now })).toMatchObject({ ok: true })
      }),
      { numRuns, seed },
    )
  }, 300_000)

  test('uploads: signed headers', async () => {
    const cases = fc.record({ key, life, credentials, type: headerValue, owner: fc.option(headerValue) })
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        fc.pre(!dots.test(given.key))
        const client = clientOf(given.credentials, 'eu-west-1', false, undefined)
        const names = new Set(['content-type', 'x-amz-meta-owner'])
        const theirs = await getSignedUrl(
          client,
          new PutObjectCommand({
            Bucket: 'my-bucket',
            Key: given.key,
            ContentType: given.type,
            ...(given.owner && { Metadata: { owner: given.owner } }),
          }),
          { expiresIn: given.life, signingDate: NOW, signableHeaders: names, unhoistableHeaders: names },
        )
        const headers = { 'Content-Type': given.type, ...(given.owner && { 'X-Amz-Meta-Owner': given.owner }) }
        const scheme = s3(keyOf(given.credentials), { region: 'eu-west-1' })
        const ours = await sign(scheme, unsigned(theirs), { expires: ends(given.life), method: 'PUT', headers }, { now })
        expect(parts(ours)).toEqual(parts(theirs))
        const upload = new Request(theirs, { method: 'PUT', headers, body: 'x' })
        expect(await verify(scheme, upload, { now })).toMatchObject({ ok: true })
      }),
      { numRuns, seed },
    )
  }, 300_000)
})

describe('@aws-sdk/s3-request-presigner: endpoints, and conditions of uploads', () => {
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
  const key = { id: credentials.accessKeyId, secret: credentials.secretAccessKey }
  const config: S3ClientConfig = { credentials, requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }
  const clientOf = (more: S3ClientConfig) => new S3Client({ ...config, ...more })

  test.each<[string, S3ClientConfig, string]>([
    ['virtual-hosted', { region: 'eu-central-1' }, 'my-bucket'],
    ['path style', { region: 'eu-central-1', forcePathStyle: true }, 'my-bucket'],
    ['the first region', { region: 'us-east-1' }, 'my-bucket'],
    ['dual stack', { region: 'ap-southeast-2', useDualstackEndpoint: true }, 'my-bucket'],
    ['FIPS', { region: 'us-east-2', useFipsEndpoint: true }, 'my-bucket'],
    ['FIPS and dual stack', { region: 'us-west-1', useFipsEndpoint: true, useDualstackEndpoint: true }, 'my-bucket'],
    ['GovCloud', { region: 'us-gov-west-1' }, 'my-bucket'],
    ['China', { region: 'cn-north-1' }, 'my-bucket'],
    ['the European Sovereign Cloud', { region: 'eusc-de-east-1' }, 'my-bucket'],
    ['an access point', { region: 'us-west-2' }, 'arn:aws:s3:us-west-2:123456789012:accesspoint/my-ap'],
    [
      'an access point, dual stack',
      { region: 'us-west-2', useDualstackEndpoint: true },
      'arn:aws:s3:us-west-2:123456789012:accesspoint/my-ap',
    ],
    ['Object Lambda', { region: 'us-west-2' }, 'arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/my-ap'],
    [
      'an endpoint in a VPC',
      { region: 'us-east-2', endpoint: 'https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-2.vpce.amazonaws.com' },
      'my-bucket',
    ],
  ])('%s: region and service come from the host', async (_, config, Bucket) => {
    const theirs = await getSignedUrl(clientOf(config), new GetObjectCommand({ Bucket, Key: 'a b/c' }), { expiresIn: 60, signingDate: NOW })
    const scheme = s3(key)
    expect(parts(await sign(scheme, unsigned(theirs), { expires: '1m' }, { now }))).toEqual(parts(theirs))
    expect(await verify(scheme, theirs, { now })).toMatchObject({ ok: true })
    // The storage would refuse another region than that of the host.
    await expect(sign(s3(key, { region: 'sa-east-1' }), unsigned(theirs), { expires: '1m' }, { now })).rejects.toThrow(/region must be/)
  })

  test('a host of S3 acceleration names no region, so the option does', async () => {
    const client = clientOf({ region: 'eu-central-1', useAccelerateEndpoint: true })
    const theirs = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'my-bucket', Key: 'a' }), { expiresIn: 60, signingDate: NOW })
    const scheme = s3(key, { region: 'eu-central-1' })
    expect(parts(await sign(scheme, unsigned(theirs), { expires: '1m' }, { now }))).toEqual(parts(theirs))
    expect(await verify(scheme, theirs, { now })).toMatchObject({ ok: true })
  })

  test('a directory bucket, with the session of CreateSession and the other name for its token', async () => {
    const session = { id: 'ASIAIOSFODNN7EXAMPLE', secret: 'session secret', sessionToken: 'TESTSESSION/TOKEN+=' }
    const answer = `<CreateSessionResult><Credentials><SessionToken>${session.sessionToken}</SessionToken><SecretAccessKey>${session.secret}</SecretAccessKey><AccessKeyId>${session.id}</AccessKeyId><Expiration>2030-01-01T00:05:00Z</Expiration></Credentials></CreateSessionResult>`
    const requestHandler = {
      handle: async () => ({ response: { statusCode: 200, headers: {}, body: Readable.from([Buffer.from(answer)]) } }),
    }
    const client = clientOf({ region: 'us-west-2', requestHandler: requestHandler as never })
    const theirs = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'b--usw2-az1--x-s3', Key: 'a' }), {
      expiresIn: 60,
      signingDate: NOW,
    })
    expect(theirs).toContain('X-Amz-S3session-Token=TESTSESSION%2FTOKEN%2B%3D')
    const scheme = s3({ ...session, expires: new Date('2030-01-01T00:05:00Z') })
    const url = unsigned(theirs).replace(/X-Amz-S3session-Token=[^&]*&?/, '')
    expect(parts(await sign(scheme, url, { expires: '1m' }, { now }))).toEqual(parts(theirs))
    expect(await verify(scheme, theirs, { now })).toMatchObject({ ok: true })
  })

  test.each<[string, PutObjectCommand | UploadPartCommand, Record<string, string>]>([
    ['a part of a multipart upload', new UploadPartCommand({ Bucket: 'my-bucket', Key: 'a', PartNumber: 7, UploadId: 'x.y_z-' }), {}],
    ['an exact length', new PutObjectCommand({ Bucket: 'my-bucket', Key: 'a', ContentLength: 7 }), { 'content-length': '7' }],
    [
      'a checksum',
      new PutObjectCommand({ Bucket: 'my-bucket', Key: 'a', ChecksumSHA256: 'I+ptQhLqNQ8AH0GW/KwQp7Ui6VfxQYOKuC8Lh4rd/7A=' }),
      { 'x-amz-checksum-sha256': 'I+ptQhLqNQ8AH0GW/KwQp7Ui6VfxQYOKuC8Lh4rd/7A=' },
    ],
    [
      'a key of the customer (SSE-C)',
      new PutObjectCommand({
        Bucket: 'my-bucket',
        Key: 'a',
        SSECustomerAlgorithm: 'AES256',
        SSECustomerKey: 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
      }),
      {
        'x-amz-server-side-encryption-customer-algorithm': 'AES256',
        'x-amz-server-side-encryption-customer-key': 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
        // The MD5 of the key, by openssl.
        'x-amz-server-side-encryption-customer-key-md5': 'hRasmdxgYDKV3nvbahU1MA==',
      },
    ],
  ])('%s', async (_, command, headers) => {
    const names = new Set(Object.keys(headers))
    const theirs = await getSignedUrl(clientOf({ region: 'us-east-1' }), command as PutObjectCommand, {
      expiresIn: 60,
      signingDate: NOW,
      signableHeaders: names,
      unhoistableHeaders: names,
    })
    for (const name of names) expect(theirs).toContain(name)
    const scheme = s3(key)
    expect(parts(await sign(scheme, unsigned(theirs), { expires: '1m', method: 'PUT', headers }, { now }))).toEqual(parts(theirs))
    expect(await verify(scheme, theirs, { now, method: 'PUT', headers })).toMatchObject({ ok: true })
  })
})

describe('aws4fetch', () => {
  test('keys, parameters, headers, methods, sessions', async () => {
    const cases = fc.record({
      key,
      life,
      region,
      credentials,
      method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD'),
      query: fc.array(fc.tuple(text(10), fc.oneof(fc.constant(''), text(30))), { maxLength: 4 }),
      headers: fc.dictionary(fc.stringMatching(/^[a-z]{1,3}-[a-z\d]{1,8}$/), headerValue, { maxKeys: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        fc.pre(!dots.test(given.key))
        const { id, secret, sessionToken } = given.credentials
        const scheme = s3(keyOf(given.credentials), { region: given.region })
        const path = encodeURIComponent(given.key).replaceAll('%2F', '/')
        const query = given.query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
        const client = new AwsClient({
          accessKeyId: id,
          secretAccessKey: secret,
          ...(sessionToken && { sessionToken }),
          service: 's3',
          region: given.region,
        })
        const url = new URL(`https://my-bucket.s3.test:8443/${path}${query && `?${query}`}`)
        const asked = new URL(url)
        asked.searchParams.set('X-Amz-Expires', `${given.life}`)
        const { method, headers } = given
        const theirs = (await client.sign(asked.href, { method, headers, aws: { signQuery: true, datetime: date } })).url
        // aws4fetch prints parameters as forms do, with + for a space. For a URL in this form, both links are the same.
        const conditions = { expires: ends(given.life), method, headers }
        const printed = await sign(scheme, unsigned(theirs), conditions, { now })
        expect(parts(printed)).toEqual(parts(theirs))
        expect((await sign(scheme, url, conditions, { now })).slice(-64)).toBe(theirs.slice(-64))
        expect(await verify(scheme, theirs, { now, method, headers })).toMatchObject({ ok: true })
      }),
      { numRuns, seed },
    )
  }, 300_000)
})

describe('where the packages differ from each other', () => {
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
  const scheme = s3({ id: credentials.accessKeyId, secret: credentials.secretAccessKey })
  const fetching = new AwsClient({ ...credentials, service: 's3', region: 'us-east-1' })
  const sdk = new S3Client({ region: 'us-east-1', credentials, endpoint: 'https://s3.test', forcePathStyle: true })
  const theirs = async (path: string) =>
    (await fetching.sign(`https://s3.test${path}?X-Amz-Expires=60`, { aws: { signQuery: true, datetime: date } })).url
  const ours = (path: string) => sign(scheme, `https://s3.test${path}`, { expires: ends(60) }, { now })

  test('a + in a path is a space to aws4fetch, and a plus to S3, the SDK and s3()', async () => {
    expect((await theirs('/bucket/a+b')).slice(-64)).toBe((await ours('/bucket/a%20b')).slice(-64))
    expect((await ours('/bucket/a+b')).slice(-64)).toBe((await ours('/bucket/a%2Bb')).slice(-64))
    const url = await getSignedUrl(sdk, new GetObjectCommand({ Bucket: 'bucket', Key: 'a+b' }), { expiresIn: 60, signingDate: NOW })
    expect(url).toContain('/a%2Bb?')
  })

  test('dot segments: aws4fetch resolves them, the SDK signs a URL that clients cannot send, and s3() refuses', async () => {
    expect(await theirs('/bucket/a/../b')).toContain('/bucket/b?')
    const url = await getSignedUrl(sdk, new GetObjectCommand({ Bucket: 'bucket', Key: 'a/../b' }), { expiresIn: 60, signingDate: NOW })
    expect(url).toContain('/bucket/a/../b?')
    expect(new Request(url).url).toContain('/bucket/b?')
    await expect(ours('/bucket/a/../b')).rejects.toMatchObject({ code: 'bad_option' })
    await expect(ours('/bucket/a/%2E%2e')).rejects.toMatchObject({ code: 'bad_option' })
  })

  test('more than seven days: aws4fetch signs, and the SDK, S3 and s3() refuse', async () => {
    const long = await fetching.sign('https://s3.test/a?X-Amz-Expires=604801', { aws: { signQuery: true, datetime: date } })
    expect(await verify(scheme, long.url, { now })).toMatchObject({ reason: 'malformed', status: 400 })
    const command = new GetObjectCommand({ Bucket: 'bucket', Key: 'a' })
    await expect(getSignedUrl(sdk, command, { expiresIn: 604_801, signingDate: NOW })).rejects.toThrow(/one week/)
    await expect(sign(scheme, 'https://s3.test/a', { expires: ends(604_801) }, { now })).rejects.toMatchObject({ code: 'bad_option' })
  })

  test('checksums: the SDK adds parameters by default, which are covered like all others', async () => {
    const url = await getSignedUrl(sdk, new PutObjectCommand({ Bucket: 'bucket', Key: 'a', Body: 'x' }), {
      expiresIn: 60,
      signingDate: NOW,
    })
    expect(url).toContain('x-amz-checksum-crc32=')
    // The SDK knows the body, so it signs the length.
    const options = { now, method: 'PUT', headers: { 'content-length': '1' } }
    expect(await verify(scheme, url, options)).toMatchObject({ ok: true })
    expect(await verify(scheme, url.replace('checksum-crc32=', 'checksum-crc32=A'), options)).toMatchObject({ ok: false })
  })
})
