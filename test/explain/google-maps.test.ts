// Requests for Google Maps that were signed wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { googleMaps } from '../../src/schemes/google-maps.ts'

const SECRET = 'vNIXE0xscrmjlyV-12Nj_BvUPaw='
const decoded = Buffer.from(SECRET, 'base64url')
const HOST = 'https://maps.googleapis.com'
const PATH = '/maps/api/staticmap'
const TEXT = `${PATH}?center=Z%C3%BCrich&key=KEY`
const base64 = (text: string, key: Buffer | string = decoded) => createHmac('sha1', key).update(text).digest('base64')
const mac = (text: string, key?: string) => base64(text, key).replaceAll('+', '-').replaceAll('/', '_')
const link = (signature: string) => `${HOST}${TEXT}&signature=${signature}`
// One whose signature has a `/` and a `+`.
const special = Array.from({ length: 500 }, (_, i) => `${TEXT}&v=${i}`).find((text) => /\+.*\/|\/.*\+/.test(base64(text))) as string

test.each([
  ['secret_base64_not_decoded', link(mac(TEXT, SECRET))],
  ['whole_url', link(mac(HOST + TEXT))],
  ['query_left_out', link(mac(PATH))],
  ['text_encoded', link(mac(decodeURIComponent(TEXT)))],
  ['signature_alphabet', `${HOST}${special}&signature=${base64(special)}`],
  ['signature_padding', link(mac(TEXT).slice(0, -1))],
  ['signature_not_last', `${link(mac(`${TEXT}&x=1`))}&x=1`],
  ['added_parameters', `${link(mac(TEXT))}&utm_source=x`],
])('%s', async (code, url) => {
  const { verdict, mistakes } = await explain(googleMaps({ secret: SECRET }), url)
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
