// Links of AdonisJS that were made wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { adonis } from '../../src/schemes/adonis.ts'

const APP_KEY = 'Yq2w7c0pVb9XkT4nLs8RzE1uGmHd6JfA'
const HASHED = createHash('sha256').update(APP_KEY).digest()
const expiryDate = '2030-01-01T01:00:00.000Z'
const FIELDS = { message: '/b?a=1&c=x%20y', purpose: 'login', expiryDate }
const base64url = (text: string) => Buffer.from(text).toString('base64url')
const mac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest('base64url')
const signedJson = (text: string) => `${base64url(text)}.${mac(HASHED, base64url(text))}`
const signed = (fields: object) => signedJson(JSON.stringify({ ...FIELDS, ...fields }))
const link = (token: string, target = FIELDS.message) => `https://app.example${target}&signature=${token}`

const JSON_TEXT = JSON.stringify(FIELDS)

test.each([
  ['app_key_not_hashed', link(`${base64url(JSON_TEXT)}.${mac(APP_KEY, base64url(JSON_TEXT))}`)],
  ['json_signed', link(`${base64url(JSON_TEXT)}.${mac(HASHED, JSON_TEXT)}`)],
  ['host_signed', link(signed({ message: `https://app.example${FIELDS.message}` }))],
  ['another_url', link(signed({ message: '/c?a=1' }))],
  ['parameters_not_signed', link(signed({ message: '/b' }))],
  ['reordered', link(signed({ message: '/b?c=x%20y&a=1' }))],
  ['query_changed', link(signed({ message: '/b?a=1&c=x+y' }))],
  ['query_form', link(signed({ message: '/b?a=1&a=2' }), '/b?a=1&a=2')],
  ['query_form', link(signed({ message: '/b?a=1,2' }), '/b?a=1,2')],
  ['json_form', link(signedJson(JSON_TEXT.replaceAll(',"', ', "')))],
  ['purpose', link(signed({ purpose: undefined }))],
  ['purpose', link(signed({ purpose: 'reset' }))],
  ['secret_line_break', link(`${base64url(JSON_TEXT)}.${mac(createHash('sha256').update(`${APP_KEY}\n`).digest(), base64url(JSON_TEXT))}`)],
])('%s', async (code, url) => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const { verdict, mistakes } = await explain(adonis({ secret: APP_KEY }, { purpose: 'login' }), url, { now })
  expect(verdict).toMatchObject({ ok: false, reason: 'bad_signature' })
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
