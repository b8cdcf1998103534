// Links that were made wrongly by Python, PHP and openssl (make_mistakes.py) and by the SDK of Amazon: each mistake is named, and nothing else.
import { readFileSync } from 'node:fs'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { describe, expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import type { Scheme } from '../../src/index.ts'
import { azure } from '../../src/schemes/azure.ts'
import { hmac } from '../../src/schemes/hmac.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'

// biome-ignore lint/suspicious/noExplicitAny: keys and options of all schemes
const FACTORIES: Record<string, (keys: any, options?: any) => Scheme> = { hmac, pichax, nginx, 'nginx-hmac': nginxHmac, s3, azure }

const cases = JSON.parse(readFileSync(new URL('mistakes.json', import.meta.url), 'utf8')) as {
  readonly codes: readonly string[]
  readonly by: string
  readonly scheme: string
  readonly keys: readonly { id?: string; secret: string }[]
  readonly options: object
  readonly link: string
  readonly request: { readonly method?: string; readonly ip?: string; readonly headers?: Record<string, string> }
}[]

const NOW = new Date('2030-01-01T00:01:00Z')
const tried: number[] = []

test.each(cases.map((one, at) => ({ ...one, title: `${at} ${one.scheme} by ${one.by}: ${one.codes.join(' and ')}` })))(
  '$title',
  async ({ codes, scheme, keys, options, link, request }) => {
    const factory = FACTORIES[scheme] as (typeof FACTORIES)[string]
    const answer = await explain(factory(keys, options), link, { ...request, now: () => NOW } as ExplainOptions)
    expect(answer.verdict.ok).toBe(false)
    expect(answer.mistakes.map(({ code }) => code).sort()).toEqual([...codes].sort())
    if (codes.length === 1) tried.push(answer.tried)
    // Texts hold no secret and no signature.
    const texts = JSON.stringify(answer.mistakes)
    for (const { secret } of keys) if (secret.length > 8) expect(texts).not.toContain(secret)
    if (answer.expected) expect(texts).not.toContain(answer.expected)
  },
)

describe('the SDK of Amazon', () => {
  const credentials = { accessKeyId: 'AKIAMADEUPEXAMPLE000', secretAccessKey: 'made/Up+Secret0123456789abcdefABCDEFghij' }
  const bucket = s3({ id: credentials.accessKeyId, secret: credentials.secretAccessKey })
  const client = (settings: object = {}) =>
    new S3Client({ region: 'eu-central-1', credentials, requestChecksumCalculation: 'WHEN_REQUIRED', ...settings })
  const object = { Bucket: 'bucket', Key: 'a b.png' }
  const get = new GetObjectCommand(object)
  const at = { signingDate: NOW, expiresIn: 900 }
  const codes = async (link: string, request: ExplainOptions = {}) => {
    const { mistakes } = await explain(bucket, link, { now: () => NOW, ...request })
    return mistakes.map(({ code }) => code)
  }

  test('another region, at the endpoint of the right one', async () => {
    const wrong = client({ region: 'us-east-1', endpoint: 'https://s3.eu-central-1.amazonaws.com' })
    expect(await codes(await getSignedUrl(wrong, get, at))).toEqual(['region'])
  })
  test('the host is replaced after signing', async () => {
    const link = await getSignedUrl(client({ region: 'us-east-1', endpoint: 'http://minio:9000', forcePathStyle: true }), get, at)
    expect(await codes(link.replace('http://minio:9000', 'https://files.example'))).toEqual(['internal_host'])
  })
  test('the port is lost at a proxy', async () => {
    const link = await getSignedUrl(client({ region: 'us-east-1', endpoint: 'http://localhost:9000', forcePathStyle: true }), get, at)
    expect(await codes(link.replace(':9000', ''))).toEqual(['port'])
  })
  test('the bucket in the path in place of the host', async () => {
    const link = await getSignedUrl(client({ forcePathStyle: true }), get, at)
    expect(await codes(link.replace('//s3.eu-central-1.amazonaws.com/bucket', '//bucket.s3.eu-central-1.amazonaws.com'))).toEqual([
      'path_style',
    ])
  })
  test('a link for HEAD that is used with GET', async () => {
    expect(await codes(await getSignedUrl(client(), new HeadObjectCommand(object), at))).toEqual(['method'])
  })
  test('an upload without the content type that was signed', async () => {
    const put = new PutObjectCommand({ ...object, ContentType: 'application/pdf' })
    const link = await getSignedUrl(client(), put, { ...at, signableHeaders: new Set(['content-type']) })
    expect(await codes(link, { method: 'PUT' })).toEqual(['header_not_sent'])
    expect(await codes(link, { method: 'PUT', headers: { 'content-type': 'application/pdf' } })).toEqual([])
  })
  test('another region and another method', async () => {
    const wrong = client({ region: 'us-west-2', endpoint: 'https://s3.eu-central-1.amazonaws.com' })
    expect((await codes(await getSignedUrl(wrong, new PutObjectCommand(object), at))).sort()).toEqual(['method', 'region'])
  })
})

describe('the whole list', () => {
  test('has at least 60 mistakes, 8 of them double', () => {
    expect(cases.length).toBeGreaterThanOrEqual(60)
    expect(cases.filter(({ codes }) => codes.length > 1).length).toBeGreaterThanOrEqual(8)
  })
  test('a single mistake is found within 500 signatures, as the median', () => {
    const sorted = [...tried].sort((a, b) => a - b)
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(500)
  })
})
