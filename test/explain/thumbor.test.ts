// Links of Thumbor that were made wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { thumbor } from '../../src/schemes/thumbor.ts'

const SECRET = 'my-security-key'
const HOST = 'https://thumbor.example'
const mac = (text: string, secret = SECRET) => `${createHmac('sha1', secret).update(text).digest('base64url')}=`
const hash = (text: string) => createHash('sha1').update(text).digest('base64url')
const IMAGE = '300x200/smart/my.server.com/b%C3%BC.jpg'
const signed = (text: string, image = IMAGE) => `${HOST}/${mac(text)}/${image}`
const inBase64 = (text: string) => createHmac('sha1', SECRET).update(text).digest('base64')
// One whose signature has a `/` and a `+`.
const special = Array.from({ length: 500 }, (_, i) => `${i}x200/a.jpg`).find((text) => /\+.*\/|\/.*\+/.test(inBase64(text))) as string

test.each([
  ['slash_in_front', signed(`/${IMAGE}`)],
  ['path_not_encoded', signed(decodeURIComponent(IMAGE))],
  ['options_left_out', signed('my.server.com/b%C3%BC.jpg')],
  ['options_left_out', signed('smart/my.server.com/b%C3%BC.jpg')],
  ['whole_url', signed(`${HOST}/${IMAGE}`)],
  ['query_left_out', signed(IMAGE, `${IMAGE}?v=1`)],
  ['added_parameters', signed(IMAGE, `${IMAGE}?utm_source=x`)],
  ['signature_padding', signed(IMAGE).replace('=/', '/')],
  ['signature_alphabet', `${HOST}/${inBase64(special)}/${special}`],
  ['secret_line_break', `${HOST}/${mac(IMAGE, `${SECRET}\n`)}/${IMAGE}`],
  ['plain_hash', `${HOST}/${hash(SECRET + IMAGE)}=/${IMAGE}`],
])('%s', async (code, link) => {
  const { verdict, mistakes } = await explain(thumbor({ secret: SECRET }), link)
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
