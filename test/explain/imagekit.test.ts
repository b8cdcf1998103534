// Mistakes with signed URLs of ImageKit, made with node:crypto.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { imagekit } from '../../src/schemes/imagekit.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const KEY = 'private_dummyKey0123456789'
const ENDPOINT = 'https://ik.imagekit.io/demo'
const links = imagekit({ secret: KEY }, { urlEndpoint: ENDPOINT })
const RESOURCE = 'tr:w-300/my%20cat.png?v=1'
const TIME = 1_900_000_000
const sign = (text: string, hash = 'sha1', key = KEY) => createHmac(hash, key).update(text).digest('hex')

test.each<[code: string, signature: string, expires?: boolean]>([
  ['endpoint_signed', sign(`/${RESOURCE}${TIME}`)],
  ['endpoint_signed', sign(`${ENDPOINT}/${RESOURCE}${TIME}`)],
  ['endpoint_signed', sign(`demo/${RESOURCE}${TIME}`)],
  ['endpoint_signed', sign(`/demo/${RESOURCE}9999999999`), false],
  ['expiry_not_signed', sign(RESOURCE)],
  ['expiry_not_signed', sign(RESOURCE), false],
  ['expiry_not_signed', sign(`${RESOURCE}9999999999`)],
  ['expiry_parameter', sign(`${RESOURCE}&ik-t=${TIME}`)],
  ['expiry_parameter', sign(`${RESOURCE}&ik-t=${TIME}${TIME}`)],
  ['field_order', sign(`${TIME}${RESOURCE}`)],
  ['field_order', sign(`${RESOURCE}:${TIME}`)],
  ['query_left_out', sign(`tr:w-300/my%20cat.png${TIME}`)],
  ['secret_line_break', sign(RESOURCE + TIME, 'sha1', `${KEY}\n`)],
])('%s', async (code, signature, expires = true) => {
  const { mistakes, verdict } = await explain(links, `${ENDPOINT}/${RESOURCE}${expires ? `&ik-t=${TIME}` : ''}&ik-s=${signature}`, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
  for (const secret of [KEY, signature]) expect(JSON.stringify(mistakes)).not.toContain(secret)
})

test('an expiry of another form', async () => {
  const link = `${ENDPOINT}/${RESOURCE}&ik-t=3600&ik-s=${sign(`${RESOURCE}3600`)}`
  const { mistakes } = await explain(links, link, { now })
  expect(mistakes[0]).toMatchObject({ parameter: 'ik-t', remedy: expect.stringContaining('ten digits') })
})
