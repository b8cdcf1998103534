// Mistakes with links of imgproxy, made with node:crypto.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { imgproxy } from '../../src/schemes/imgproxy.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const KEY = '943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881'
const SALT = '520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5'
const PATH = '/rs:fit:300:300/plain/https://files.example/my%20cat.jpg'
const ORIGIN = 'https://img.example'
const hex = (digits: string) => Buffer.from(digits, 'hex')
const mac = (key: Buffer | string, ...pieces: (Buffer | string)[]) => {
  const hmac = createHmac('sha256', key)
  for (const piece of pieces) hmac.update(piece)
  return hmac.digest('base64url')
}
const links = imgproxy({ secret: KEY, salt: SALT })

test.each<[codes: string, signature: string, path?: string]>([
  ['salt_missing', mac(hex(KEY), PATH)],
  ['salt_missing', mac(hex(KEY), PATH, hex(SALT))],
  ['salt_not_decoded', mac(hex(KEY), SALT, PATH)],
  ['salt_not_decoded secret_hex_not_decoded', mac(KEY, SALT, PATH)],
  ['secret_hex_not_decoded', mac(KEY, hex(SALT), PATH)],
  ['salt_for_key', mac(hex(SALT), hex(KEY), PATH)],
  ['path_without_slash', mac(hex(KEY), hex(SALT), PATH.slice(1))],
  ['source_only', mac(hex(KEY), hex(SALT), '/plain/https://files.example/my%20cat.jpg')],
  ['source_only', mac(hex(KEY), hex(SALT), 'https://files.example/my%20cat.jpg')],
  ['source_only', mac(hex(KEY), hex(SALT), '/rs:fit:300:300')],
  ['path_not_encoded', mac(hex(KEY), hex(SALT), PATH.replace('%20', ' '))],
  ['query_in_path', mac(hex(KEY), hex(SALT), `${PATH}?v=1`), `${PATH}?v=1`],
  ['signature_padding', `${mac(hex(KEY), hex(SALT), PATH)}=`],
])('%s', async (codes, signature, path = PATH) => {
  const { mistakes, verdict } = await explain(links, `${ORIGIN}/${signature}${path}`, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map(({ code }) => code).sort()).toEqual(codes.split(' '))
  const texts = JSON.stringify(mistakes)
  for (const secret of [KEY, SALT, signature]) expect(texts).not.toContain(secret)
})

test('another signature size', async () => {
  const link = `${ORIGIN}/${mac(hex(KEY), hex(SALT), PATH).slice(0, 16)}${PATH}`
  const { mistakes } = await explain(links, link, { now, make: [imgproxy, { secret: KEY, salt: SALT }, {}] })
  expect(mistakes.map(({ sentence }) => sentence)).toEqual([
    'Signer and verifier have different options: the link was signed with signatureSize: 12.',
  ])
})

test('the string to sign shows the number of bytes of a salt that is not UTF-8', async () => {
  const { stringToSign, mistakes } = await explain(links, `${ORIGIN}/${'A'.repeat(43)}${PATH}`, { now })
  expect(stringToSign).toBe(`<32 bytes>${PATH}`)
  expect(mistakes).toEqual([])
})
