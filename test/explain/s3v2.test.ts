// explain names the mistakes that people make with Signature Version 2. Each link is made wrongly by node:crypto.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { type S3V2Options, s3v2 } from '../../src/schemes/s3v2.ts'

const id = 'AKIAMADEUPEXAMPLE000'
const secret = 'made/Up+Secret0123456789abcdefABCDEFghij'
const NOW = new Date('2030-01-01T00:00:00Z')
const EXPIRES = 1_893_460_000
const HOST = 'https://bucket.s3.amazonaws.com'

const linkOf = (text: string, url: string, name = 'AWSAccessKeyId') => {
  const signature = encodeURIComponent(createHmac('sha1', secret).update(text).digest('base64'))
  return `${url}${url.includes('?') ? '&' : '?'}${name}=${id}&Expires=${EXPIRES}&Signature=${signature}`
}
const front = `GET\n\n\n${EXPIRES}\n`

test.each<[code: string, text: string, url: string, request?: ExplainOptions, options?: S3V2Options]>([
  ['bucket_left_out', `${front}/a.txt`, `${HOST}/a.txt`],
  ['bucket_added', `${front}/bucket/a.txt`, 'https://bucket.s3.example/a.txt'],
  ['content_type', `PUT\n\nimage/png\n${EXPIRES}\n/bucket/a.png`, `${HOST}/a.png`, { method: 'PUT' }],
  ['content_type', `PUT\n\n\n${EXPIRES}\n/bucket/a.png`, `${HOST}/a.png`, { method: 'PUT', headers: { 'content-type': 'image/webp' } }],
  ['headers_block', `${front}\n/bucket/a.txt`, `${HOST}/a.txt`],
  ['headers_block', `PUT\n\n\n${EXPIRES}\n/bucket/a.txt`, `${HOST}/a.txt`, { method: 'PUT', headers: { 'x-amz-acl': 'private' } }],
  ['token_left_out', `${front}/bucket/a.txt`, `${HOST}/a.txt?x-amz-security-token=T%2Foken`],
  [
    'parameter_encoded',
    `${front}/bucket/a.txt?response-content-disposition=attachment%3B%20filename%3Da.txt`,
    `${HOST}/a.txt?response-content-disposition=attachment%3B%20filename%3Da.txt`,
  ],
  ['query_in_path', `${front}/bucket/a.txt?v=1`, `${HOST}/a.txt?v=1`],
  ['path_encoded', `${front}/bucket/a%20b.txt`, 'https://bucket.oss-cn-hangzhou.aliyuncs.com/a%20b.txt', {}, { vendor: 'oss' }],
  ['path_not_encoded', `${front}/bucket/a b.txt`, `${HOST}/a%20b.txt`],
  ['method', `HEAD\n\n\n${EXPIRES}\n/bucket/a.txt`, `${HOST}/a.txt`],
])('%s', async (code, text, url, request = {}, options = {}) => {
  const link = linkOf(text, url, options.vendor === 'oss' ? 'OSSAccessKeyId' : 'AWSAccessKeyId')
  const { verdict, mistakes } = await explain(s3v2({ id, secret }, options), link, { ...request, now: () => NOW })
  expect([verdict.ok, mistakes.map((mistake) => mistake.code)]).toEqual([false, [code]])
})
