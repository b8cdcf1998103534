// sign refuses what the storage could not open. Each case is from a public report; the link would have had a right signature.
import { expect, test } from 'vitest'
import { LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { azure } from '../../src/schemes/azure.ts'
import { imagekit } from '../../src/schemes/imagekit.ts'
import { imgix } from '../../src/schemes/imgix.ts'
import { s3 } from '../../src/schemes/s3.ts'

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
