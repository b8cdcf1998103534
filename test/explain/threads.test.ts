// Questions that people asked in public, rebuilt with made-up keys and names: explain gives the answer of the thread.
import { createHash, createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { type Scheme, sign } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { azure } from '../../src/schemes/azure.ts'
import { cloudCdn } from '../../src/schemes/cloud-cdn.ts'
import { cloudfront } from '../../src/schemes/cloudfront.ts'
import { imgix } from '../../src/schemes/imgix.ts'
import { imgproxy } from '../../src/schemes/imgproxy.ts'
import { jwt } from '../../src/schemes/jwt.ts'
import { laravel } from '../../src/schemes/laravel.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { symfony } from '../../src/schemes/symfony.ts'
import { thumbor } from '../../src/schemes/thumbor.ts'

const NOW = new Date('2030-01-01T00:00:00Z')
const now = () => NOW
const SECRET = 'made/Up+Secret0123456789abcdefABCDEFghij'
const bucket = s3({ id: 'AKIAMADEUPEXAMPLE000', secret: SECRET })

const codes = async (links: Scheme, link: string, options: ExplainOptions = {}) =>
  (await explain(links, link, { now, bound: 1000, ...options })).mistakes.map(({ code }) => code)

describe('SignatureDoesNotMatch', () => {
  // https://github.com/aws/aws-sdk-js/issues/457: getSignedUrl('headBucket'), and the request was made with GET.
  test('a link for HEAD that is opened with GET', async () => {
    const link = await sign(bucket, 'https://bucket.s3.eu-central-1.amazonaws.com/', { expires: '15m', method: 'HEAD' }, { now })
    const { mistakes } = await explain(bucket, link, { now })
    expect(mistakes.map(({ code }) => code)).toEqual(['method'])
    expect(mistakes[0]?.sentence).toContain('signed for HEAD')
  })

  // https://github.com/rustfs/rustfs/issues/5840 and https://github.com/minio/minio/issues/6146: HEAD with a link for GET.
  test('a link for GET that is opened with HEAD', async () => {
    const link = await sign(bucket, 'https://files.example/bucket/a.png', { expires: '15m' }, { now })
    expect(await codes(bucket, link, { method: 'HEAD' })).toEqual(['method'])
  })

  // https://github.com/aws/aws-sdk-go-v2/issues/1134: "You must ensure that you are also including the signed headers".
  test('curl uploads without the headers that were signed', async () => {
    const url = 'https://bucket.s3.eu-central-1.amazonaws.com/test.txt'
    const headers = { 'content-type': 'application/octet-stream' }
    const link = await sign(bucket, url, { expires: '15m', method: 'PUT', headers }, { now })
    expect(await codes(bucket, link, { method: 'PUT' })).toEqual(['header_not_sent'])
    // With a value that nobody can guess, the answer is the same.
    const unusual = await sign(bucket, url, { expires: '15m', method: 'PUT', headers: { 'x-amz-meta-title': 'anything' } }, { now })
    expect(await codes(bucket, unusual, { method: 'PUT' })).toEqual(['header_not_sent'])
  })

  // https://github.com/iksteen/aws-request-signer/pull/13: "content_hash needs to be UNSIGNED-PAYLOAD rather than the hash of an empty string".
  test('the hash of an empty body in place of UNSIGNED-PAYLOAD', async () => {
    const query =
      'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAMADEUPEXAMPLE000%2F20300101%2Feu-central-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20300101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host'
    const host = 'bucket.s3.eu-central-1.amazonaws.com'
    const empty = createHash('sha256').update('').digest('hex')
    const request = `GET\n/a.png\n${query}\nhost:${host}\n\nhost\n${empty}`
    const text = `AWS4-HMAC-SHA256\n20300101T000000Z\n20300101/eu-central-1/s3/aws4_request\n${createHash('sha256').update(request).digest('hex')}`
    let key: string | Buffer = `AWS4${SECRET}`
    for (const word of ['20300101', 'eu-central-1', 's3', 'aws4_request']) key = createHmac('sha256', key).update(word).digest()
    const link = `https://${host}/a.png?${query}&X-Amz-Signature=${createHmac('sha256', key).update(text).digest('hex')}`
    expect(await codes(bucket, link)).toEqual(['payload_hash'])
  })

  // https://github.com/TaitoUnited/full-stack-template/issues/205: NGINX passes $host, which has no port.
  test('a proxy drops the port from Host', async () => {
    const link = await sign(bucket, 'http://localhost:9000/bucket/a.png', { expires: '15m', method: 'PUT' }, { now })
    expect(await codes(bucket, link.replace(':9000', ''), { method: 'PUT' })).toEqual(['port'])
  })

  // https://github.com/minio/minio/issues/10222 and https://github.com/minio/minio-js/issues/833: signed inside of Docker, opened outside.
  test('the internal name of the storage was replaced by the public one', async () => {
    const link = await sign(bucket, 'http://minio:9000/bucket/a.png', { expires: '15m' }, { now })
    expect(await codes(bucket, link.replace('http://minio:9000', 'https://files.example'))).toEqual(['internal_host'])
  })

  // https://github.com/minio/minio/issues/6546: the storage is behind the path /dash/store/ of a proxy.
  test('a proxy adds a path', async () => {
    const link = await sign(bucket, 'https://files.example/bucket/a.jpg', { expires: '15m' }, { now })
    expect(await codes(bucket, link.replace('/bucket', '/dash/store/bucket'))).toEqual(['mounted_path'])
  })

  const object = 'https://bucket.s3.eu-central-1.amazonaws.com/a.png'

  // https://github.com/aws/aws-sdk-js/issues/2945: the header was sent, and written in another way.
  test('a signed Content-Disposition that is sent with quotes', async () => {
    const headers = { 'content-disposition': 'attachment;filename=fileName.xlsx' }
    const link = await sign(bucket, object, { expires: '15m', method: 'PUT', headers }, { now })
    const sent = { 'content-disposition': 'attachment; filename="fileName.xlsx"' }
    expect(await codes(bucket, link, { method: 'PUT', headers: sent })).toEqual(['header_not_sent'])
  })

  // https://github.com/estivensh/aws-kmp/issues/63: "If the token is manually appended …, the signature is not correct".
  test('a session token that was appended to the link', async () => {
    const id = 'ASIAMADEUPEXAMPLE000'
    const link = await sign(s3({ id, secret: SECRET, sessionToken: 'token' }), object, { expires: '15m' }, { now })
    const without = await sign(s3({ id: 'AKIA', secret: SECRET }), object, { expires: '15m' }, { now })
    expect(link).toContain('Security-Token')
    const holder = s3({ id: 'AKIA', secret: SECRET, sessionToken: 'token' })
    expect(await codes(holder, `${without}&X-Amz-Security-Token=token`)).toEqual(['session_token'])
  })

  // https://github.com/minio/minio/issues/3672: the server sees a path, its own Host, and X-Forwarded-Host.
  test('a path with the Host of a proxy', async () => {
    const link = await sign(bucket, 'https://s3.example/bucket/a.png', { expires: '15m' }, { now })
    const headers = { host: 'localhost:9000', 'x-forwarded-host': 's3.example' }
    expect(await codes(bucket, link.replace('https://s3.example', ''), { headers })).toEqual(['forwarded_host'])
  })

  // https://github.com/Backblaze/b2-sdk-python/issues/136, https://github.com/googleapis/google-cloud-node/issues/1976
  test.each(['AWSAccessKeyId=ID', 'GoogleAccessId=app%40example.iam.gserviceaccount.com'])('a link of Version 2: %s', async (id) => {
    const link = `https://s3.us-west-002.backblazeb2.com/b/a?${id}&Signature=gEPp9je72g01htiu5VZJPMZA344%3D&Expires=1893457200`
    expect(await codes(bucket, link)).toEqual(['older_version'])
  })
})

describe('a valid link that the storage refuses', () => {
  const object = 'https://account.r2.cloudflarestorage.com/bucket/pet.json'

  // https://github.com/penpot/penpot/issues/10776, https://github.com/edgurgel/httpoison/issues/262: "Only one auth mechanism allowed".
  test('with a header Authorization', async () => {
    const link = await sign(bucket, object, { expires: '15m' }, { now })
    const { verdict, mistakes } = await explain(bucket, link, { now, headers: { authorization: 'Token made-up' } })
    expect(verdict.ok).toBe(true)
    expect(mistakes.map(({ code }) => code)).toEqual(['two_credentials'])
    expect(await codes(bucket, link)).toEqual([])
  })

  // https://github.com/crafter-station/petdex/issues/465: the SDK signs the checksum of an empty body.
  test('with the checksum of an empty body', async () => {
    const query = { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-sdk-checksum-algorithm': 'CRC32' }
    const link = await sign(bucket, object, { expires: '15m', method: 'PUT', query }, { now })
    expect(await codes(bucket, link, { method: 'PUT' })).toEqual(['checksum_of_nothing'])
  })

  // https://github.com/uswitch/kiam/issues/261: InvalidAccessKeyId, because the key is temporary and the link has no token.
  test('with a temporary key and no token', async () => {
    const id = 'ASIAMADEUPEXAMPLE000'
    const link = await sign(s3({ id, secret: SECRET, sessionToken: 'token' }), object, { expires: '15m' }, { now })
    expect(await codes(s3({ id, secret: SECRET }), link)).toEqual([])
    expect(await codes(s3({ id, secret: SECRET }), await signedWithout(id))).toEqual(['session_token'])
  })

  /** A link without a token, which sign refuses to make. */
  async function signedWithout(id: string): Promise<string> {
    const host = 'account.r2.cloudflarestorage.com'
    const query =
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${id}%2F20300101%2Fauto%2Fs3%2Faws4_request` +
      '&X-Amz-Date=20300101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host'
    const request = `GET\n/a\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`
    const text = `AWS4-HMAC-SHA256\n20300101T000000Z\n20300101/auto/s3/aws4_request\n${createHash('sha256').update(request).digest('hex')}`
    let key: string | Buffer = `AWS4${SECRET}`
    for (const word of ['20300101', 'auto', 's3', 'aws4_request']) key = createHmac('sha256', key).update(word).digest()
    return `https://${host}/a?${query}&X-Amz-Signature=${createHmac('sha256', key).update(text).digest('hex')}`
  }
})

describe('AuthenticationFailed', () => {
  const secret = 'YSBrZXkgZm9yIGV4YW1wbGVzLCAzMiBieXRlcyBsb25n'
  const storage = azure({ id: 'account', secret })
  const host = 'https://account.blob.core.windows.net'
  const signature = (lines: readonly string[]) =>
    encodeURIComponent(createHmac('sha256', Buffer.from(secret, 'base64')).update(lines.join('\n')).digest('base64'))

  // https://github.com/Azure/api-management-policy-snippets/issues/122: signatures with a "+" fail, and all others work.
  test('a signature with a "+" that is not escaped', async () => {
    const links = await Promise.all(Array.from({ length: 9 }, (_, at) => sign(storage, `${host}/c/${at}.txt`, { expires: '15m' }, { now })))
    const link = links.find((each) => each.includes('%2B')) as string
    expect(await codes(storage, link.replaceAll('%2B', '+'))).toEqual(['signature_plus'])
  })

  // https://github.com/Azure/azure-storage-azcopy/issues/265: st=2019-04-09T18A08A52Z and sig=…U0D, from a batch file.
  test('a link in a batch file', async () => {
    const starts = new Date('2029-12-31T18:08:52Z')
    for (let at = 0; at < 4; at++) {
      const link = await sign(storage, `${host}/c/${at}.txt`, { expires: '15m', permissions: 'rwd', starts }, { now })
      expect(await codes(storage, link.replace(/%\d/g, ''))).toEqual(['percent_eaten'])
    }
    const link = await sign(bucket, 'https://bucket.s3.eu-central-1.amazonaws.com/a', { expires: '15m' }, { now })
    expect(await codes(bucket, link.replace(/%\d/g, ''))).toEqual(['percent_eaten'])
  })

  // https://github.com/Azure/azure-storage-azcopy/issues/384: se=2019-05-17T21:18Z has no seconds, and the client adds them.
  test('seconds that were added to one of the times', async () => {
    const signed = signature([
      'r',
      '2029-12-31T13:18:11Z',
      '2030-01-01T21:18Z',
      '/blob/account/c/a.gz',
      '',
      '',
      '',
      '2018-03-28',
      '',
      '',
      '',
      '',
      '',
    ])
    const link = `${host}/c/a.gz?st=2029-12-31T13%3A18%3A11Z&se=2030-01-01T21%3A18Z&sp=r&sv=2018-03-28&sr=b&sig=${signed}`
    expect(await codes(storage, link.replace('21%3A18Z', '21%3A18%3A00Z'))).toEqual(['azure_time'])
    expect(await codes(storage, link)).toEqual([])
  })

  // https://github.com/tclahr/uac/issues/389: "If you add a filename to the SAS URL", it works.
  test('a link for a container that is used without the name of a blob', async () => {
    const link = await sign(storage, `${host}/c`, { expires: '15m', permissions: 'cw', resource: 'c' }, { now })
    const { mistakes } = await explain(storage, link, { now, method: 'PUT' })
    expect(mistakes[0]?.sentence).toBe('The permissions of the link, cw, open no method at this URL, and the request is PUT.')
    expect(mistakes[0]?.remedy).toContain('append the name of a blob')
    expect(await codes(storage, link.replace('/c?', '/c/out.gz?'), { method: 'PUT' })).toEqual([])
  })

  test('a permission that is missing', async () => {
    const link = await sign(storage, `${host}/c/a`, { expires: '15m', permissions: 'w' }, { now })
    const { mistakes } = await explain(storage, link, { now })
    expect(mistakes[0]?.remedy).toBe("Sign the link with the permission r, such as permissions: 'r'.")
  })
})

describe('links that arrive damaged', () => {
  // https://github.com/Azure/azure-storage-azcopy/issues/265 and many others: no quotes around the link.
  test('a shell ends the link at its first "&"', async () => {
    const link = await sign(bucket, 'https://bucket.s3.eu-central-1.amazonaws.com/a', { expires: '15m' }, { now })
    expect(await codes(bucket, link.split('&', 1)[0] as string)).toEqual(['cut_at_ampersand'])
  })

  const secret = 'base64:hL6yrMlQmZLd8VRkHGYTZ5b3tEnVNsTkqBzm0XCKWbY='
  const routes = laravel({ secret })

  // https://github.com/laravel/framework/issues/41659: rewrite /api/(.*)$ /api/index.php?/$1
  test('a rewrite rule puts the path into the query', async () => {
    const link = await sign(routes, 'https://app.example/api/url', { expires: '15m' }, { now })
    expect(await codes(routes, link.replace('/api/url?', '/api/index.php?/api/url&'))).toEqual(['front_controller'])
  })

  // https://github.com/OpnForm/OpnForm/pull/1234: an empty X-Forwarded-Host.
  test('a URL without a host', async () => {
    const link = await sign(routes, 'https://app.example/a', { expires: '15m' }, { now })
    expect(await codes(routes, link.replace('app.example', ''))).toEqual(['no_host'])
    expect(await codes(routes, link.replace('https://app.example', ''))).toEqual(['host_missing'])
  })

  // https://github.com/symfony/symfony/pull/29679: http://example.com/path?foo=bar#fragment?_hash=…
  test('parameters behind a fragment', async () => {
    expect(await codes(symfony({ secret: 'a secret' }), 'https://app.example/a?b=1#part?_hash=made-up')).toEqual(['fragment'])
  })

  // https://github.com/imgix/imgix-python/issues/21: %2520 of a proxied URL arrives as %20.
  test('an inner escape that was decoded', async () => {
    const links = imgix({ secret: 'token' })
    const link = await sign(links, 'https://a.imgix.net/http%3A%2F%2Ffiles.example%2Fa%2520b.jpg', { expires: '15m' }, { now })
    expect(await codes(links, link.replace('%2520', '%20'))).toEqual(['path_decoded'])
  })
})

describe('tokens that cannot be read', () => {
  const seconds = 1893457200
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const pages = cloudfront({ id: 'K2JCJMDEHXQW5F', secret: pem })
  const safe = (bytes: Buffer) => bytes.toString('base64').replace(/[+=/]/g, (each) => ({ '+': '-', '=': '_', '/': '~' })[each] as string)
  const rsa = (text: string) => safe(createSign('SHA1').update(text).sign(privateKey))
  const policyWith = (time: unknown, more = '') =>
    `{"Statement":[{"Resource":"https://d1.cloudfront.net/*","Condition":{"DateLessThan":{"AWS:EpochTime":${JSON.stringify(time)}}}}${more}]}`
  const custom = (policy: string) =>
    `https://d1.cloudfront.net/a?Policy=${safe(Buffer.from(policy))}&Signature=${rsa(policy)}&Key-Pair-Id=K2JCJMDEHXQW5F`

  // https://github.com/jasonsims/aws-cloudfront-sign/issues/43 and 38: milliseconds, text, and several statements.
  test.each([
    ['a time in milliseconds', policyWith(seconds * 1000), 'milliseconds'],
    ['a time as a string', policyWith(`${seconds}`), 'policy_form'],
    ['a fraction', policyWith(seconds + 0.5), 'policy_form'],
    ['several statements', policyWith(seconds, ',{"Resource":"*"}'), 'policy_form'],
    ['no expiry', '{"Statement":[{"Resource":"*","Condition":{}}]}', 'policy_form'],
    ['an unknown condition', policyWith(seconds).replace('"Condition":{', '"Condition":{"StringLike":{},'), 'policy_form'],
  ])('a policy with %s', async (_, policy, code) => {
    expect(await codes(pages, custom(policy))).toEqual([code])
    expect(await codes(pages, 'https://d1.cloudfront.net/a', { headers: { cookie: cookiesWith(safe(Buffer.from(policy))) } })).toEqual([
      code,
    ])
  })

  const cookiesWith = (policy: string) =>
    `CloudFront-Policy=${policy}; CloudFront-Signature=${rsa('x')}; CloudFront-Key-Pair-Id=K2JCJMDEHXQW5F`

  // https://github.com/aws/aws-sdk-js-v3/issues/4516: getSignedCookies() returns no policy, and the page sets the cookie all the same.
  test('a cookie with the text "undefined"', async () => {
    const { mistakes } = await explain(pages, 'https://d1.cloudfront.net/a', { now, headers: { cookie: cookiesWith('undefined') } })
    expect(mistakes).toMatchObject([{ code: 'no_value', parameter: 'CloudFront-Policy' }])
    expect(mistakes[0]?.sentence).toMatch(/^The cookie CloudFront-Policy has the text "undefined"/)
  })

  // https://github.com/aws/aws-sdk-js/issues/2870: cookies for a folder, with an expiry in place of the policy.
  test('a canned policy with a pattern', async () => {
    const cookie = `CloudFront-Expires=${seconds}; CloudFront-Signature=${rsa(policyWith(seconds))}; CloudFront-Key-Pair-Id=K2JCJMDEHXQW5F`
    expect(await codes(pages, 'https://d1.cloudfront.net/foo/bar.jpg', { headers: { cookie } })).toEqual(['canned_pattern'])
  })

  // https://github.com/jasonsims/aws-cloudfront-sign/issues/35: new Date().getTime() / 1000 has a fraction.
  test('a fraction of a second', async () => {
    const link = `https://d1.cloudfront.net/a?Expires=${seconds}.5&Signature=${rsa('x')}&Key-Pair-Id=K2JCJMDEHXQW5F`
    expect(await codes(pages, link)).toEqual(['fraction'])
  })

  // https://github.com/imgproxy/imgproxy/issues/688: signature-truncated.php, and a server that expects the whole signature.
  test('a truncated signature', async () => {
    const key = { secret: '943b421c9eb07c830af81030552c8600', salt: '520f986b998545b4785e0defbc4f3c12' }
    const url = 'https://img.example/rs:fit:300:300/plain/https://files.example/cat.jpg'
    const link = await sign(imgproxy(key, { signatureSize: 8 }), url, { expires: 'never' }, { now })
    expect(await codes(imgproxy(key), link)).toEqual(['signature_length'])
    expect(await codes(imgproxy(key), link.replace(/\/[\w-]{11}\//, `/${'ab'.repeat(32)}/`))).toEqual(['signature_hex'])
  })

  // https://github.com/GoogleCloudPlatform/python-docs-samples/issues/11796: hmac_sha1_hex and hmac_sha1_base64 of Perl.
  test.each([
    ['hex', 'hex', 'signature_hex'],
    ['base64', 'base64', 'signature_alphabet'],
    ['base64url', 'base64url', 'signature_padding'],
  ] as const)('Cloud CDN: a signature in %s', async (_, encoding, code) => {
    const secret = 'nZtRohdNF9m3cKM24IcK4w=='
    // One whose base64 has a "/" or a "+".
    const urls = Array.from({ length: 50 }, (_, at) => `https://cdn.example/${at}?Expires=${seconds}&KeyName=key`)
    const mac = (url: string, as: 'hex' | 'base64' | 'base64url') =>
      createHmac('sha1', Buffer.from(secret, 'base64')).update(url).digest(as)
    const url = urls.find((each) => /[+/]/.test(mac(each, 'base64'))) as string
    expect(await codes(cloudCdn({ id: 'key', secret }), `${url}&Signature=${mac(url, encoding)}`)).toEqual([code])
  })

  // https://github.com/thumbor/thumbor/issues/1234: "when the signature contains + or /"; encoding it did not help.
  test('Thumbor: plain base64, escaped', async () => {
    const links = thumbor({ secret: 'key' })
    const mac = (path: string) => createHmac('sha1', 'key').update(path).digest('base64')
    const path = Array.from({ length: 50 }, (_, at) => `50x50/${at}.jpg`).find((each) => mac(each).includes('/')) as string
    expect(await codes(links, `https://img.example/${encodeURIComponent(mac(path))}/${path}`)).toEqual(['signature_alphabet'])
    expect(await codes(links, `https://img.example/unsafe/${path}`)).toEqual(['unsafe'])
  })

  // https://github.com/kaltura/nginx-vod-module/issues/423: st=1475400252000~exp=1475400258000
  test('Akamai: times in milliseconds, and another name', async () => {
    const token = `st=${seconds}000~exp=${seconds}000~acl=/*~hmac=${'ab'.repeat(32)}`
    expect(await codes(akamai({ secret: 'abcdef' }), `https://cdn.example/a?__token__=${token}`)).toEqual(['milliseconds'])
    expect(await codes(akamai({ secret: 'abcdef' }), `https://cdn.example/a?hdnea=${token}`)).toEqual(['other_names'])
  })

  // https://github.com/tsndr/cloudflare-worker-jwt/issues/71 and others.
  test.each([
    ['milliseconds', { exp: seconds * 1000 }, 'milliseconds'],
    ['a string', { exp: `${seconds}` }, 'jwt_expiry'],
    ['nothing', {}, 'jwt_expiry'],
  ])('a JSON Web Token with %s as its expiry', async (_, payload, code) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const secret = 'a secret of 32 bytes or more, from a vault'
    const text = `${part({ alg: 'HS256' })}.${part(payload)}`
    const link = `https://cdn.example/a?token=${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
    expect(await codes(jwt({ secret }), link)).toEqual([code])
    const other = `${part({ alg: 'RS256' })}.${part({ exp: seconds })}`
    const foreign = `https://cdn.example/a?token=${other}.${createHmac('sha256', secret).update(other).digest('base64url')}`
    expect(await codes(jwt({ secret }), foreign)).toEqual(['jwt_algorithm'])
  })
})

const md5 = (text: string) => createHash('md5').update(text).digest('base64')
const base64url = (text: string) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

describe('secure_link', () => {
  const expires = 1893457200

  // https://github.com/arut/nginx-rtmp-module/issues/1349: md5($file.$time." key") with $file = "logo.png", and $uri begins with a slash.
  test('a file name in place of the path', async () => {
    const links = nginx({ secret: 'key' }, { expression: 'secure_link $arg_st,$arg_e; secure_link_md5 "$uri$arg_e $secret";' })
    const link = `http://cdn.example/logo.png?st=${base64url(md5(`logo.png${expires} key`))}&e=${expires}`
    expect(await codes(links, link)).toEqual(['path_without_slash'])
  })

  // https://github.com/kaltura/nginx-vod-module/issues/658: the PHP has path, expiry and address; the expression has the expiry first.
  test('the fields in another order', async () => {
    const links = nginx(
      { secret: '12345' },
      { expression: 'secure_link $arg_st,$arg_e; secure_link_md5 "$secure_link_expires$uri$remote_addr $secret";' },
    )
    const link = `http://localhost:88/stream/abcdefg123?st=${base64url(md5(`/stream/abcdefg123${expires}203.0.113.7 12345`))}&e=${expires}`
    const { mistakes } = await explain(links, link, { now, ip: '203.0.113.7' })
    expect(mistakes.map(({ code }) => code)).toEqual(['field_order'])
    expect(mistakes[0]?.line).toBe('secure_link_md5 "$uri$secure_link_expires$remote_addr $secret";')
  })

  // https://mailman.nginx.org/pipermail/nginx/2010-September/022405.html: a token of plain base64, with its slash and padding.
  test('base64 in place of base64url', async () => {
    const links = nginx({ secret: 'b' }, { expression: '$secure_link_expires$uri$secret' })
    const name = Array.from({ length: 99 }, (_, at) => `/a/${at}`).find((path) => md5(`${expires}${path}b`).includes('/'))
    const link = `http://127.0.0.1:8182${name}?md5=${encodeURIComponent(md5(`${expires}${name}b`))}&expires=${expires}`
    expect(await codes(links, link)).toEqual(['signature_alphabet'])
  })
})
