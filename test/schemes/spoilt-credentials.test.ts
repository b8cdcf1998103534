// Credentials that were spoilt by copying: no vendor has such characters in what it hands out, and a link would have a wrong signature.
// https://github.com/boto/boto3/issues/2187 and many others end with "there was a line break in my secret".
import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { LinkError } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { alibabaCdn } from '../../src/schemes/alibaba-cdn.ts'
import { azure } from '../../src/schemes/azure.ts'
import { bunny } from '../../src/schemes/bunny.ts'
import { bytescale } from '../../src/schemes/bytescale.ts'
import { cloudCdn } from '../../src/schemes/cloud-cdn.ts'
import { cloudflare } from '../../src/schemes/cloudflare.ts'
import { cloudflareImages } from '../../src/schemes/cloudflare-images.ts'
import { cloudfront } from '../../src/schemes/cloudfront.ts'
import { cloudinary } from '../../src/schemes/cloudinary.ts'
import { fastly } from '../../src/schemes/fastly.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { gcsRsa } from '../../src/schemes/gcs-rsa.ts'
import { googleMaps } from '../../src/schemes/google-maps.ts'
import { imagekit } from '../../src/schemes/imagekit.ts'
import { imgix } from '../../src/schemes/imgix.ts'
import { imgproxy } from '../../src/schemes/imgproxy.ts'
import { keycdn } from '../../src/schemes/keycdn.ts'
import { mediaCdn } from '../../src/schemes/media-cdn.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'
import { qiniu } from '../../src/schemes/qiniu.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { s3v2 } from '../../src/schemes/s3v2.ts'
import { tencentCdn } from '../../src/schemes/tencent-cdn.ts'
import { tencentCos } from '../../src/schemes/tencent-cos.ts'
import { thumbor } from '../../src/schemes/thumbor.ts'
import { upyun } from '../../src/schemes/upyun.ts'

const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const text = 'made/Up+Secret0123456789abcdefABCDEFghij'
const base64 = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const hex = 'aabbccddeeff00112233445566778899'
const session = { id: 'MADEUPEXAMPLE', secret: text, sessionToken: 'token' }
const maxAge = '1h'

type Key = Readonly<Record<string, string>>
type Case = readonly [name: string, make: (key: never) => unknown, key: Key]

const CASES: readonly Case[] = [
  ['akamai', akamai, { secret: hex }],
  ['alibaba-cdn', (key: never) => alibabaCdn(key, { maxAge }), { secret: text }],
  ['azure', azure, { id: 'pictures7', secret: base64 }],
  ['bunny', bunny, { secret: text }],
  ['bunny with md5', (key: never) => bunny(key, { algorithm: 'md5' }), { secret: text }],
  ['bytescale', bytescale, { id: 'BMCyGyFk', secret: base64 }],
  ['cloud-cdn', cloudCdn, { id: 'my-key', secret: base64 }],
  ['cloudflare', (key: never) => cloudflare(key, { maxAge }), { secret: text }],
  ['cloudflare-images', cloudflareImages, { secret: text }],
  ['cloudfront', (key: { id: string }) => cloudfront({ ...key, secret: pem }), { id: 'K2JCJMDEHXQW5F' }],
  ['cloudinary', cloudinary, { secret: text }],
  ['fastly', fastly, { secret: base64 }],
  ['gcs', gcs, { id: 'GOOG1EXAMPLE', secret: text }],
  ['gcs-rsa', (key: { id: string }) => gcsRsa({ ...key, secret: pem }), { id: 'robot@project.iam.gserviceaccount.com' }],
  ['google-maps', googleMaps, { secret: base64 }],
  ['imagekit', imagekit, { secret: text }],
  ['imgix', imgix, { secret: text }],
  ['imgproxy', imgproxy, { secret: hex, salt: hex }],
  ['keycdn', keycdn, { secret: text }],
  ['media-cdn', mediaCdn, { secret: base64 }],
  ['oss-v4', ossV4, session],
  ['qiniu', qiniu, { id: 'MADEUPEXAMPLE', secret: text }],
  ['s3', s3, session],
  ['s3v2', s3v2, session],
  ['tencent-cdn', (key: never) => tencentCdn(key, { maxAge }), { secret: text }],
  ['tencent-cos', tencentCos, session],
  ['thumbor', thumbor, { secret: text }],
  ['upyun', upyun, { secret: text }],
]

const SPOILT: Readonly<Record<string, (text: string) => string>> = {
  'a line break at the end': (text) => `${text}\n`,
  'a line break of Windows': (text) => `${text}\r\n`,
  'a line break written as \\n': (text) => `${text}\\n`,
  'a line break inside': (text) => `${text.slice(0, 4)}\n${text.slice(4)}`,
  'a space in front': (text) => ` ${text}`,
  'a space behind': (text) => `${text} `,
  'a no-break space': (text) => `${text}\u00a0`,
  'a zero-width space': (text) => `${text}\u200b`,
  'a byte order mark': (text) => `\ufeff${text}`,
  'a NUL': (text) => `${text}\0`,
  'a tab': (text) => `${text}\t`,
  quotes: (text) => `"${text}"`,
  'single quotes': (text) => `'${text}'`,
  'quotes of a word processor': (text) => `“${text}”`,
}

test.each(CASES)('%s refuses credentials that were spoilt by copying', (_, make, key) => {
  expect(() => make(key as never)).not.toThrow()
  for (const field of Object.keys(key)) {
    for (const [how, spoil] of Object.entries(SPOILT)) {
      const spoilt = { ...key, [field]: spoil(key[field] as string) }
      const error = thrownBy(() => make(spoilt as never))
      expect(error, `${field}: ${how}`).toBeInstanceOf(LinkError)
      expect(error, `${field}: ${how}`).toMatchObject({ code: 'bad_option', option: field })
      expect((error as LinkError).message).not.toContain(key[field])
    }
  }
})

test('bytes are checked as text, because vendors hand out text', () => {
  const secret = new TextEncoder().encode(`${text}\n`)
  for (const make of [imgix, imagekit, bunny, cloudinary, s3v2, s3])
    expect(() => make({ id: 'MADEUPEXAMPLE', secret } as never)).toThrow(expect.objectContaining({ option: 'secret' }))
})

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}
