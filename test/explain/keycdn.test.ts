// Links of KeyCDN that were made wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import type { Scheme } from '../../src/index.ts'
import { keycdn } from '../../src/schemes/keycdn.ts'

const SECRET = 'securetokenkey'
const HOST = 'https://zone-1.kxcdn.com'
const PATH = '/b%C3%BC.jpg'
const EXPIRE = 1_893_459_600
const md5 = (text: string) => createHash('md5').update(text).digest('base64url')
const hex = (text: string) => createHash('md5').update(text).digest('hex')
const link = (token: string, query = '') => `${HOST}${PATH}?${query}token=${token}&expire=${EXPIRE}`
const image = (token: string) => `${HOST}${PATH}?width=4&flip=1&token=${token}`

const access = keycdn({ secret: SECRET })
const images = keycdn({ secret: SECRET }, { imageProcessing: true })

test.each<[string, Scheme, string]>([
  ['field_order', access, link(md5(SECRET + PATH + EXPIRE))],
  ['field_order', access, link(md5(PATH + EXPIRE + SECRET))],
  ['field_order', access, link(md5(`${EXPIRE}${PATH} ${SECRET}`))],
  ['no_expiry', access, link(md5(PATH + SECRET))],
  ['path_not_encoded', access, link(md5(decodeURIComponent(PATH) + SECRET + EXPIRE))],
  ['path_without_slash', access, link(md5(PATH.slice(1) + SECRET + EXPIRE))],
  ['whole_url', access, link(md5(HOST + PATH + SECRET + EXPIRE))],
  ['option', access, link(md5(`${PATH}v=1${SECRET}${EXPIRE}`), 'v=1&')],
  ['secret_line_break', access, link(md5(`${PATH}${SECRET}\n${EXPIRE}`))],
  ['signature_hex', access, link(hex(PATH + SECRET + EXPIRE))],
  ['field_order', images, image(md5(`${SECRET}${PATH}width=4&flip=1`))],
  ['question_mark', images, image(md5(`${PATH}?width=4&flip=1${SECRET}`))],
  ['query_left_out', images, image(md5(PATH + SECRET))],
])('%s', async (code, scheme, url) => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const { verdict, mistakes } = await explain(scheme, url, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
