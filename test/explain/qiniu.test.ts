// Links for private buckets of Qiniu that were made wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { qiniu } from '../../src/schemes/qiniu.ts'

const SECRET = 'MY_SECRET_KEY'
const BASE = 'https://files.example/b%C3%BC.jpg'
const TEXT = `${BASE}?e=1893459600`
const base64 = (text: string, key = SECRET) => createHmac('sha1', key).update(text).digest('base64')
const mac = (text: string, key?: string) => base64(text, key).replaceAll('+', '-').replaceAll('/', '_')
const link = (signature: string, text = TEXT) => `${text}&token=MY_ACCESS_KEY:${signature}`
// One whose signature has a `/` and a `+`.
const special = Array.from({ length: 500 }, (_, i) => `${BASE}?v=${i}&e=1893459600`).find((text) =>
  /\+.*\/|\/.*\+/.test(base64(text)),
) as string

test.each([
  ['expiry_not_signed', link(mac(BASE))],
  ['host_not_signed', link(mac(TEXT.slice('https://files.example'.length)))],
  ['scheme', link(mac(TEXT.replace('https', 'http')))],
  ['path_not_encoded', link(mac(decodeURIComponent(TEXT)))],
  ['signature_form', link(base64(special), special)],
  ['signature_form', link(mac(TEXT).slice(0, -1))],
  ['token_not_last', `${link(mac(`${TEXT}&x=1`))}&x=1`],
  ['added_parameters', `${link(mac(TEXT))}&utm_source=x`],
  ['secret_line_break', link(mac(TEXT, `${SECRET}\n`))],
])('%s', async (code, url) => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const { verdict, mistakes } = await explain(qiniu({ id: 'MY_ACCESS_KEY', secret: SECRET }), url, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
