// Mistakes with signed delivery URLs of Cloudinary, made with node:crypto.
import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { cloudinary } from '../../src/schemes/cloudinary.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const SECRET = 'abcdefghijklmnopqrstuvwxyz1'
const PATH = 'c_fill,w_300/cats/my%20tom.jpg'
const FRONT = 'demo/image/authenticated'
const keys = { secret: SECRET }
const sha1 = (text: string) => createHash('sha1').update(text).digest('base64url').slice(0, 8)
const long = (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 32)

test.each<[code: string, signature: string, isLong?: boolean]>([
  ['delivery_type_signed', sha1(`image/authenticated/${PATH}${SECRET}`)],
  ['delivery_type_signed', sha1(`${FRONT}/${PATH}${SECRET}`)],
  ['delivery_type_signed', sha1(`/${PATH}${SECRET}`)],
  ['delivery_type_signed', long(`https://res.cloudinary.com/${FRONT}/${PATH}${SECRET}`), true],
  ['transformation_missing', sha1(`cats/my%20tom.jpg${SECRET}`)],
  ['transformation_missing', sha1(`c_fill,w_300/cats/my%20tom${SECRET}`)],
  ['transformation_missing', long(`c_fill,w_300/v1/cats/my%20tom.jpg${SECRET}`), true],
  ['path_not_encoded', sha1(`c_fill,w_300/cats/my tom.jpg${SECRET}`)],
  ['secret_in_front', sha1(SECRET + PATH)],
  ['secret_in_front', sha1(`${PATH}:${SECRET}`)],
  ['hmac_for_hash', createHmac('sha1', SECRET).update(PATH).digest('base64url').slice(0, 8)],
  ['hmac_for_hash', createHmac('sha256', SECRET).update(PATH).digest('base64url').slice(0, 32), true],
  [
    'signature_hex',
    createHash('sha1')
      .update(PATH + SECRET)
      .digest('hex')
      .slice(0, 8),
  ],
  [
    'signature_hex',
    createHash('sha256')
      .update(PATH + SECRET)
      .digest('hex')
      .slice(0, 32),
    true,
  ],
  ['secret_line_break', sha1(`${PATH}${SECRET}\n`)],
])('%s', async (code, signature, isLong = false) => {
  const links = cloudinary(keys, { longUrlSignature: isLong })
  const { mistakes, verdict } = await explain(links, `https://res.cloudinary.com/${FRONT}/s--${signature}--/${PATH}`, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
  for (const secret of [SECRET, signature]) expect(JSON.stringify(mistakes)).not.toContain(secret)
})

test.each([
  [
    'signatureAlgorithm: "sha256"',
    createHash('sha256')
      .update(PATH + SECRET)
      .digest('base64url')
      .slice(0, 8),
  ],
  ['longUrlSignature: true', long(PATH + SECRET)],
])('another option: %s', async (option, signature) => {
  const link = `https://res.cloudinary.com/${FRONT}/s--${signature}--/${PATH}`
  const { mistakes } = await explain(cloudinary(keys), link, { now, make: [cloudinary, keys, {}] })
  expect(mistakes.map(({ sentence }) => sentence)).toEqual([
    `Signer and verifier have different options: the link was signed with ${option}.`,
  ])
})
