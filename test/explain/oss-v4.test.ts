// explain names the mistakes that people make with V4 links of OSS. Each link is made wrongly by node:crypto.
import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { sign } from '../../src/index.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'

const id = 'LTAI5tEXAMPLE'
const secret = 'yourAccessKeySecretEXAMPLE'
const ORIGIN = 'https://examplebucket.oss-cn-hangzhou.aliyuncs.com'
const SCOPE = '20300101/cn-hangzhou/oss/aliyun_v4_request'
const now = () => new Date('2030-01-01T00:00:00Z')
const links = ossV4({ id, secret })

const OWN = [
  `x-oss-credential=${encodeURIComponent(`${id}/${SCOPE}`)}`,
  'x-oss-date=20300101T000000Z',
  'x-oss-expires=3600',
  'x-oss-signature-version=OSS4-HMAC-SHA256',
]
const derived = (prefix: string) =>
  SCOPE.split('/').reduce<string | Buffer>((key, word) => createHmac('sha256', key).update(word).digest(), prefix + secret)

/** A link whose canonical request is this one. */
function linkOf(target: string, canonical: string, key = derived('aliyun_v4')) {
  const text = `OSS4-HMAC-SHA256\n20300101T000000Z\n${SCOPE}\n${createHash('sha256').update(canonical).digest('hex')}`
  const joint = target.includes('?') ? '&' : '?'
  return `${ORIGIN}${target}${joint}${OWN.join('&')}&x-oss-signature=${createHmac('sha256', key).update(text).digest('hex')}`
}
const request = (path: string, query = OWN.join('&'), headers = '') => `GET\n${path}\n${query}\n${headers}\n\nUNSIGNED-PAYLOAD`
const good = linkOf('/a.txt', request('/examplebucket/a.txt'))

test.each<[code: string, link: string, request?: ExplainOptions]>([
  ['bucket_left_out', linkOf('/a.txt', request('/a.txt'))],
  ['key_not_derived', linkOf('/a.txt', request('/examplebucket/a.txt'), secret)],
  ['key_not_derived', linkOf('/a.txt', request('/examplebucket/a.txt'), derived(''))],
  ['key_not_derived', linkOf('/a.txt', request('/examplebucket/a.txt'), derived('AWS4'))],
  ['query_not_sorted', linkOf('/a.txt?z=1&b=2', request('/examplebucket/a.txt', `z=1&b=2&${OWN.join('&')}`))],
  ['path_not_encoded', linkOf('/a%20b.txt', request('/examplebucket/a b.txt'))],
  ['headers_block', linkOf('/a.txt', request('/examplebucket/a.txt').replace('\n\n\n', '\n\n'))],
  ['header_not_signed', good, { headers: { 'content-type': 'text/plain' } }],
  ['header_not_signed', good, { headers: { 'content-type': 'text/plain', 'x-oss-meta-a': '1' } }],
])('%s', async (code, link, options) => {
  const { verdict, mistakes } = await explain(links, link, { now, ...options })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})

test('the canonical request is the one whose hash is signed', async () => {
  const query = { 'response-content-type': 'text/plain', acl: '' }
  const link = await sign(links, `${ORIGIN}/a b/ü.txt`, { expires: '1h', query, headers: { 'x-custom': '1' } }, { now })
  const { canonicalRequest, stringToSign } = await explain(links, link, { now, headers: { 'x-custom': '1' } })
  const hash = createHash('sha256')
    .update(canonicalRequest as string)
    .digest('hex')
  expect(stringToSign?.split('\n')[3]).toBe(hash)
})
