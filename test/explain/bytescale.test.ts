// Signed URLs of Bytescale that were made wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { bytescale } from '../../src/schemes/bytescale.ts'

const SECRET = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const decoded = Buffer.from(SECRET, 'base64')
const BASE = 'upcdn.io/W142hJk/image/b%C3%BC.jpg?w=800'
const TEXT = `${BASE}&exp=1893459600`
const mac = (text: string, key: Buffer | string = decoded) => createHmac('sha256', key).update(text).digest('base64url')
const link = (signature: string, id = 'BMCyGyFk') => `https://${TEXT}&sig=1.${id}.${signature}`
const base64 = (text: string) => createHmac('sha256', decoded).update(text).digest('base64')
// One whose signature has a `/` and a `+`.
const special = Array.from({ length: 500 }, (_, i) => `${TEXT}&v=${i}`).find((text) => /\+.*\/|\/.*\+/.test(base64(text))) as string

test.each([
  ['secret_base64_not_decoded', link(mac(TEXT, SECRET))],
  ['scheme_signed', link(mac(`https://${TEXT}`))],
  ['host_not_signed', link(mac(TEXT.slice('upcdn.io'.length)))],
  ['expiry_not_signed', link(mac(BASE))],
  ['path_not_encoded', link(mac(decodeURIComponent(TEXT)))],
  ['signature_form', `https://${special}&sig=1.BMCyGyFk.${base64(special)}`],
  ['signature_form', link(`${mac(TEXT)}%3D`)],
  ['signature_not_last', `${link(mac(`${TEXT}&x=1`))}&x=1`],
  ['added_parameters', `${link(mac(TEXT))}&utm_source=x`],
  ['unknown_key', link(mac(TEXT, 'x'), 'Other')],
])('%s', async (code, url) => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const { verdict, mistakes } = await explain(bytescale({ id: 'BMCyGyFk', secret: SECRET }), url, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
