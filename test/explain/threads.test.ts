// Questions that people asked in public, rebuilt with made-up keys and names: explain gives the answer of the thread.
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { type Scheme, sign } from '../../src/index.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { s3 } from '../../src/schemes/s3.ts'

const NOW = new Date('2030-01-01T00:00:00Z')
const now = () => NOW
const SECRET = 'made/Up+Secret0123456789abcdefABCDEFghij'
const bucket = s3({ id: 'AKIAMADEUPEXAMPLE000', secret: SECRET })

const codes = async (links: Scheme, link: string, options: ExplainOptions = {}) =>
  (await explain(links, link, { now, ...options })).mistakes.map(({ code }) => code)

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
