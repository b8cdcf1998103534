// sign refuses what the storage could not open. Each case is from a public report; the link would have had a right signature.
import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { LinkError, type Scheme, sign, verify } from '../../src/index.ts'
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
import { imagekit } from '../../src/schemes/imagekit.ts'
import { imgix } from '../../src/schemes/imgix.ts'
import { keycdn } from '../../src/schemes/keycdn.ts'
import { mediaCdn } from '../../src/schemes/media-cdn.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'
import { qiniu } from '../../src/schemes/qiniu.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { s3v2 } from '../../src/schemes/s3v2.ts'
import { tencentCdn } from '../../src/schemes/tencent-cdn.ts'
import { tencentCos } from '../../src/schemes/tencent-cos.ts'
import { upyun } from '../../src/schemes/upyun.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const secret = 'made/Up+Secret0123456789abcdefABCDEFghij'
const key = { id: 'AKIAMADEUPEXAMPLE000', secret }
const account = azure({ id: 'account', secret: 'YSBrZXkgZm9yIGV4YW1wbGVzLCAzMiBieXRlcyBsb25n' })
const asking = (scheme: Scheme, url: string, own: object = {}) => sign(scheme, url, { expires: '15m', ...own } as never, { now })

test.each<[report: string, option: string, scheme: Scheme, url: string]>([
  // "For all Regions that launched after March 20, 2019, Amazon S3 returns an HTTP 400 Bad Request error."
  ['boto/boto3 issues 3015 and 2864', 'url', s3(key, { region: 'af-south-1' }), 'https://bucket.s3.amazonaws.com/a.pdf'],
  ['boto/boto3 issue 2187', 'url', s3(key, { region: 'me-south-1' }), 'https://s3.amazonaws.com/bucket/a.pdf'],
  ['uswitch/kiam issue 261', 'sessionToken', s3({ id: 'ASIAMADEUPEXAMPLE000', secret }), 'https://bucket.s3.eu-west-1.amazonaws.com/a'],
  // "Configure your SDK to use the non-CDN endpoint, then modify the hostname in the URL."
  ['ShieldBattery/ShieldBattery issue 591', 'url', s3(key), 'https://space.nyc3.cdn.digitaloceanspaces.com/a.png'],
  // "The backend uses the filename without any trailing periods to verify."
  ['Azure/azure-storage-ruby issue 191', 'url', account, 'https://account.blob.core.windows.net/uploads/hashed/test.'],
  ['imgix/js-core issue 24', 'url', imgix({ secret: 'token' }), 'https://a.imgix.net/download copy #1-[mike].png'],
  [
    'the same, for ImageKit',
    'url',
    imagekit({ secret: 'key' }, { urlEndpoint: 'https://ik.imagekit.io/a/' }),
    'https://ik.imagekit.io/a/b#1.png',
  ],
])('%s', async (_, option, scheme, url) => {
  const error = await asking(scheme, url).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(LinkError)
  expect(error).toMatchObject({ code: 'bad_option', option })
})

test('what is near to these can be signed', async () => {
  for (const [scheme, url] of [
    [s3(key, { region: 'eu-north-1' }), 'https://bucket.s3.amazonaws.com/a.pdf'],
    [s3(key), 'https://bucket.s3.af-south-1.amazonaws.com/a.pdf'],
    [s3(key, { region: 'nyc3' }), 'https://space.nyc3.digitaloceanspaces.com/a.png'],
    [s3({ id: 'ASIAMADEUPEXAMPLE000', secret, sessionToken: 'token' }), 'https://bucket.s3.eu-west-1.amazonaws.com/a'],
    [account, 'https://account.blob.core.windows.net/uploads/.hidden/a.b'],
    [imgix({ secret: 'token' }), 'https://a.imgix.net/download%20copy%20%231.png'],
  ] as const)
    expect((await verify(scheme, await asking(scheme, url), { now })).ok).toBe(true)
})

// https://learn.microsoft.com/rest/api/storageservices/append-block: add or write.
test('the permission a of Azure appends blocks, and writes nothing else', async () => {
  const link = await asking(account, 'https://account.blob.core.windows.net/logs/a.txt', { permissions: 'a' })
  const put = async (query: string) => (await verify(account, link + query, { now, method: 'PUT' })).reason
  expect(await put('&comp=appendblock')).toBe(undefined)
  expect(await put('')).toBe('wrong_method')
  expect(await put('&comp=block')).toBe('wrong_method')
})

// Each storage with hosts that its links do not open: those of other vendors, and its own that take other links.
const AMAZON = 'https://pictures.s3.eu-west-1.amazonaws.com/a.png'
const AZURE = 'https://account.blob.core.windows.net/files/a.png'
const AZURE_IN_CHINA = 'https://account.blob.core.chinacloudapi.cn/files/a.png'
const GOOGLE = 'https://storage.googleapis.com/pictures/a.png'
const GOOGLE_IN_BROWSERS = 'https://pictures.storage.cloud.google.com/a.png'
const ALIBABA = 'https://pictures.oss-cn-hangzhou.aliyuncs.com/a.png'
const TENCENT = 'https://pictures-1250000000.cos.ap-beijing.myqcloud.com/a.png'
const HUAWEI = 'https://pictures.obs.cn-north-4.myhuaweicloud.com/a.png'
const R2 = 'https://abc.r2.cloudflarestorage.com/pictures/a.png'
const B2 = 'https://s3.us-west-004.backblazeb2.com/pictures/a.png'
const SPACES = 'https://pictures.nyc3.digitaloceanspaces.com/a.png'

test.each<[name: string, scheme: Scheme, open: readonly string[], closed: readonly string[]]>([
  [
    's3',
    s3(key),
    [AMAZON, GOOGLE, R2, B2, SPACES, 'https://pictures.s3.cn-north-1.amazonaws.com.cn/a.png', 'https://gateway.storjshare.io/b/a'],
    [
      AZURE,
      AZURE_IN_CHINA,
      GOOGLE_IN_BROWSERS,
      'https://sqs.eu-west-1.amazonaws.com/1/queue',
      'https://pictures.s3.cn-north-1.amazonaws.com/a.png',
      'https://pictures.s3.eu-west-1.amazonaws.com.cn/a.png',
      // "The name of the bucket used for Transfer Acceleration must be DNS-compliant and must not contain periods."
      'https://my.pictures.s3-accelerate.amazonaws.com/a.png',
      'https://s3-accelerate.amazonaws.com/pictures/a.png',
      // Access points and directory buckets have no path style.
      'https://s3-accesspoint.eu-west-1.amazonaws.com/my-access-point/a.png',
      'https://s3express-usw2-az1.us-west-2.amazonaws.com/pictures--usw2-az1--x-s3/a.png',
      'https://pictures--usw2-az1--x-s3.s3express-usw2-az2.us-west-2.amazonaws.com/a.png',
      'https://pictures--usw2-az1--x-s3.s3.us-west-2.amazonaws.com/a.png',
      'https://s3.eu-west-1.amazonaws.com//a.png',
      'https://f004.backblazeb2.com/file/pictures/a.png',
      'https://link.storjshare.io/s/token/pictures/a.png',
    ],
  ],
  [
    'gcs',
    gcs(key),
    [GOOGLE, 'https://pictures.storage.googleapis.com/a.png', 'https://storage.europe-west3.rep.googleapis.com/pictures/a.png'],
    [
      AMAZON,
      AZURE,
      AZURE_IN_CHINA,
      GOOGLE_IN_BROWSERS,
      ALIBABA,
      TENCENT,
      HUAWEI,
      R2,
      B2,
      SPACES,
      'https://project.firebasestorage.app/a.png',
      'https://storage.googleapis.com//a.png',
      'https://storage.europe-west3.rep.googleapis.com/storage/v1/b/pictures/o/a.png',
    ],
  ],
  [
    'azure',
    account,
    [AZURE, AZURE_IN_CHINA, 'https://files.example/files/a.png'],
    [
      AMAZON,
      GOOGLE,
      ALIBABA,
      TENCENT,
      HUAWEI,
      R2,
      B2,
      SPACES,
      'https://blob.core.windows.net/files/a',
      'https://account.core.windows.net/files/a',
    ],
  ],
  [
    's3v2',
    s3v2(key),
    // Of these hosts, s3v2 knows the bucket.
    [AMAZON, GOOGLE, 'https://pictures.storage.googleapis.com/a.png', SPACES],
    [
      AZURE,
      R2,
      B2,
      // Regions after 2014 take Version 4 only.
      'https://pictures.s3.eu-central-1.amazonaws.com/a.png',
      'https://pictures.s3.us-east-2.amazonaws.com/a.png',
      'https://pictures.s3-website-eu-west-1.amazonaws.com/a.png',
      'https://point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/a.png',
    ],
  ],
  [
    's3v2 of OSS',
    s3v2(key, { vendor: 'oss' }),
    [ALIBABA, 'https://pictures.vpc100-oss-cn-hangzhou.aliyuncs.com/a.png'],
    [AMAZON, AZURE, GOOGLE, TENCENT, HUAWEI, 'https://pictures.s3.oss-cn-hangzhou.aliyuncs.com/a.png'],
  ],
  [
    's3v2 of OBS',
    s3v2(key, { vendor: 'obs' }),
    [HUAWEI, 'https://pictures.obs.myhuaweicloud.com/a.png'],
    [AMAZON, AZURE, ALIBABA, 'https://pictures.obs-website.cn-north-4.myhuaweicloud.com/a.png'],
  ],
  [
    'oss-v4',
    ossV4(key),
    [ALIBABA, 'https://pictures.vpc100-oss-cn-hangzhou.aliyuncs.com/a.png'],
    [AMAZON, AZURE, GOOGLE, TENCENT, HUAWEI, 'https://pictures.s3.oss-cn-hangzhou.aliyuncs.com/a.png'],
  ],
  [
    'tencent-cos',
    tencentCos(key),
    [TENCENT, 'https://service.cos.myqcloud.com/', 'https://files.example/a.png'],
    [
      AMAZON,
      AZURE,
      GOOGLE,
      ALIBABA,
      HUAWEI,
      'https://pictures-1250000000.cos-website.ap-beijing.myqcloud.com/a.png',
      // Tencent's package: 'Bucket should format as "test-1250000000".'
      'https://pictures.cos.ap-beijing.myqcloud.com/a.png',
    ],
  ],
])('%s signs for its own hosts, and not for hosts that it does not open', async (_, scheme, open, closed) => {
  for (const url of open) expect((await verify(scheme, await asking(scheme, url), { now })).ok, url).toBe(true)
  for (const url of closed) await expect(asking(scheme, url), url).rejects.toMatchObject({ code: 'bad_option', option: 'url' })
})

test.each([
  ['https://pictures.s3.us-iso-east-1.c2s.ic.gov/a', 'us-iso-east-1'],
  // https://help.ovhcloud.com/csm/en-public-cloud-storage-s3-location
  ['https://s3.gra.io.cloud.ovh.net/pictures/a', 'gra'],
  // https://docs.oracle.com/iaas/Content/Object/Tasks/s3compatibleapi.htm: another region is taken for the home region of the account.
  ['https://space.compat.objectstorage.eu-frankfurt-1.oraclecloud.com/pictures/a', 'eu-frankfurt-1'],
  // https://yandex.cloud/docs/storage/tools/aws-sdk-javascript
  ['https://storage.yandexcloud.net/pictures/a', 'ru-central1'],
])('s3 takes the region from %s', async (url, region) => {
  expect(decodeURIComponent(await asking(s3(key), url))).toContain(`/20300101/${region}/s3/aws4_request`)
})

// Wasabi has these hosts besides those with the name of the region.
test('the name of a country in a host of Wasabi is no region', async () => {
  const link = await asking(s3(key, { region: 'eu-central-1' }), 'https://s3.nl-1.wasabisys.com/pictures/a')
  expect(link).toContain('%2Feu-central-1%2Fs3%2F')
})

test('the region of ossV4 has no oss-, which Alibaba’s package takes', () => {
  for (const region of ['oss-cn-hangzhou', 'cn-hangzhou-internal'])
    expect(() => ossV4(key, { region })).toThrow(expect.objectContaining({ option: 'region' }))
})

test('an account SAS of Azure is for the type of its URL', async () => {
  const home = 'https://account.blob.core.windows.net'
  const made = (path: string, resourceTypes: string, permissions = 'rl') =>
    asking(account, home + path, { services: 'b', resourceTypes, permissions })
  for (const [path, types] of [
    ['/', 's'],
    ['/?comp=list', 's'],
    ['/files?restype=container&comp=list', 'c'],
    ['/files', 'co'],
    ['/files/a.png', 'o'],
    ['/$root/a.png', 'o'],
  ] as const) {
    expect((await verify(account, await made(path, types), { now })).reason, path).toBeUndefined()
    const others = [...'sco'].filter((letter) => !types.includes(letter)).join('')
    await expect(made(path, others), path).rejects.toMatchObject({ option: 'resourceTypes' })
  }
  // Azure takes it for a blob in $root.
  await expect(made('/files', 'o')).rejects.toMatchObject({ option: 'url' })
})

test('a secondary of Azure cannot be written', async () => {
  const url = 'https://account-secondary.blob.core.windows.net/files/a.png'
  await expect(asking(account, url, { permissions: 'cw' })).rejects.toMatchObject({ option: 'permissions' })
  expect(await asking(account, url, { permissions: 'rw' })).toContain('sp=rw')
})

const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const maxAge = '1h'

// A distribution has a host of its own; the bucket behind it does not know the links.
test.each<[name: string, scheme: Scheme, path?: string]>([
  ['cloudfront', cloudfront({ id: 'K2JCJMDEHXQW5F', secret: pem })],
  ['cloud-cdn', cloudCdn({ id: 'my-key', secret: 'nZtRohdNF9m3cKM24IcK4w==' })],
  ['media-cdn', mediaCdn({ secret: 'g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=' })],
  ['akamai', akamai({ secret: 'aabbccddeeff00112233445566778899' })],
  ['alibaba-cdn', alibabaCdn({ secret }, { maxAge })],
  ['bunny', bunny({ secret })],
  ['bytescale', bytescale({ id: 'BMCyGyFk', secret: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' })],
  ['cloudflare', cloudflare({ secret }, { maxAge })],
  ['cloudflare-images', cloudflareImages({ secret })],
  ['cloudinary', cloudinary({ secret }), '/demo/image/upload/a.png'],
  ['fastly', fastly({ secret: 'iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=' })],
  ['imagekit', imagekit({ secret })],
  ['imgix', imgix({ secret })],
  ['keycdn', keycdn({ secret })],
  ['qiniu', qiniu({ id: 'MADEUP', secret })],
  ['tencent-cdn', tencentCdn({ secret }, { maxAge })],
  ['upyun', upyun({ secret })],
])('%s does not sign for the host of a bucket', async (_, scheme, path = '/pictures/a.png') => {
  const conditions = { expires: scheme.expiry === 'none' ? 'never' : '15m' }
  for (const url of [AMAZON, AZURE, GOOGLE, ALIBABA, R2, B2, SPACES])
    await expect(asking(scheme, new URL(url).origin + path, conditions), url).rejects.toMatchObject({ code: 'bad_option', option: 'url' })
  expect((await verify(scheme, await asking(scheme, `https://cdn.example${path}`, conditions), { now })).ok).toBe(true)
})

// It would sign the key `who`, as `my file#1.png` would sign `my file`.
test('a ? of a key must be escaped', async () => {
  for (const [scheme, home] of [
    [s3(key), 'https://pictures.s3.eu-west-1.amazonaws.com'],
    [s3v2(key), 'https://pictures.s3.eu-west-1.amazonaws.com'],
    [gcs(key), 'https://storage.googleapis.com/pictures'],
    [account, 'https://account.blob.core.windows.net/files'],
    [ossV4(key), 'https://pictures.oss-cn-hangzhou.aliyuncs.com'],
    [tencentCos(key), 'https://pictures-1250000000.cos.ap-beijing.myqcloud.com'],
  ] as const) {
    for (const name of ['who?.png', 'who? me.tar.gz', 'who?&me.png'])
      await expect(asking(scheme, `${home}/${name}`), name).rejects.toMatchObject({ code: 'bad_option', option: 'url' })
    for (const name of ['who%3F.png', 'who.png?acl', 'who.png?a=b.png']) {
      const link = await asking(scheme, `${home}/${name}`)
      expect((await verify(scheme, link, { now })).ok, name).toBe(true)
    }
  }
})
