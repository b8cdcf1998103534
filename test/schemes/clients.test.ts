// A link opens in a browser, which escapes some characters of a URL before it sends it, and others in a query than in a path.
// https://github.com/aws/aws-sdk-js/issues/2308: "Chrome, Safari and Firefox get access denied, because those automatically encode ' as %27".
import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { hmac, type Scheme, sign, verify } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { bunny } from '../../src/schemes/bunny.ts'
import { cloudCdn } from '../../src/schemes/cloud-cdn.ts'
import { cloudflareImages } from '../../src/schemes/cloudflare-images.ts'
import { cloudfront } from '../../src/schemes/cloudfront.ts'
import { cloudinary } from '../../src/schemes/cloudinary.ts'
import { imagekit } from '../../src/schemes/imagekit.ts'
import { imgix } from '../../src/schemes/imgix.ts'
import { imgproxy } from '../../src/schemes/imgproxy.ts'
import { keycdn } from '../../src/schemes/keycdn.ts'
import { laravel } from '../../src/schemes/laravel.ts'
import { qiniu } from '../../src/schemes/qiniu.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { s3v2 } from '../../src/schemes/s3v2.ts'
import { signed } from '../../src/schemes/signed.ts'
import { symfony } from '../../src/schemes/symfony.ts'
import { thumbor } from '../../src/schemes/thumbor.ts'
import { upyun } from '../../src/schemes/upyun.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const secret = 'a secret of 32 bytes or more, from a vault'
const id = 'K2JCJMDEHXQW5F'
const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

const SCHEMES: readonly (Scheme | readonly [scheme: Scheme, folder: string])[] = [
  hmac({ secret }),
  akamai({ secret: '52a152a152a152a152a152a152a1' }),
  bunny({ secret }),
  cloudCdn({ id: 'key', secret: 'nZtRohdNF9m3cKM24IcK4w==' }),
  cloudflareImages({ secret }),
  cloudfront({ id, secret: privateKey }),
  [cloudinary({ secret }), 'https://res.cloudinary.com/demo/image/upload'],
  imagekit({ secret }, { urlEndpoint: 'https://cdn.example/' }),
  imgix({ secret }),
  [imgproxy({ secret: '943b', salt: '520f' }), 'https://cdn.example/w:100/plain/https://files.example'],
  keycdn({ secret }),
  laravel({ secret }),
  qiniu({ id, secret }),
  s3({ id, secret }),
  s3v2({ id, secret }),
  signed({ secret }),
  symfony({ secret }),
  thumbor({ secret }),
  upyun({ secret }),
]

// `#` ends a URL, a `%` begins an escape, a `\` is a slash to browsers, and `?` begins the query.
const CHARACTERS = [...Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)), 'é', '中', '😀'].filter(
  (character) => !'#%\\?'.includes(character),
)

test.each(
  SCHEMES.map((each) => ('name' in each ? ([each.name, each, 'https://cdn.example/b'] as const) : ([each[0].name, ...each] as const))),
)('%s: a browser sends what was signed, for each character in path and query', async (_, scheme, folder) => {
  const refused: string[] = []
  for (const character of CHARACTERS) {
    // The packages of imgix leave it in a query, and our links are theirs. The page says to escape it before signing.
    if (character === "'" && scheme.name === 'imgix') continue
    for (const url of [`${folder}/a${character}b.png`, `${folder}/a.png?name=a${character}b`]) {
      // Some schemes refuse some characters, and say so.
      const link = await sign(scheme, url, { expires: scheme.expiry === 'none' ? 'never' : '1h' } as never, { now }).catch(() => undefined)
      if (link === undefined) continue
      for (const sent of [link, new URL(link).href]) if (!(await verify(scheme, sent, { now })).ok) refused.push(sent)
    }
  }
  expect(refused).toEqual([])
})
