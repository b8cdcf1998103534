// Links for the token recipe of Fastly that were made wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { fastly } from '../../src/schemes/fastly.ts'

const SECRET = 'iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24='
const PATH = '/foo/b%C3%BC.html'
const EXPIRES = 1_893_459_600
const decoded = Buffer.from(SECRET, 'base64')
const mac = (text: string, key: Buffer | string = decoded) => createHmac('sha1', key).update(text).digest('hex')
const link = (signature: string, query = '') => `https://www.example.com${PATH}?${query}token=${EXPIRES}_${signature}`

test.each([
  ['secret_base64_not_decoded', link(mac(PATH + EXPIRES, SECRET))],
  ['field_order', link(mac(EXPIRES + PATH))],
  ['field_order', link(mac(`${PATH}_${EXPIRES}`))],
  ['no_expiry', link(mac(PATH))],
  ['path_not_encoded', link(mac(decodeURIComponent(PATH) + EXPIRES))],
  ['path_without_slash', link(mac(PATH.slice(1) + EXPIRES))],
  ['whole_url', link(mac(`https://www.example.com${PATH}${EXPIRES}`))],
  ['query_in_path', link(mac(`${PATH}?v=1${EXPIRES}`), 'v=1&')],
])('%s', async (code, url) => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const { verdict, mistakes } = await explain(fastly({ secret: SECRET }), url, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
