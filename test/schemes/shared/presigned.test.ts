// Tests the parts that s3 and gcs write for their own options: signed parameters and headers, tokens, and the place in the credential.
import { expect, test } from 'vitest'
import { sign, verify } from '../../../src/index.ts'
import { gcs } from '../../../src/schemes/gcs.ts'
import { s3 } from '../../../src/schemes/s3.ts'

const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const NOW = new Date('2013-05-24T00:00:00Z')
const at = { now: () => NOW }
const URL_ = 'https://examplebucket.s3.amazonaws.com/test.txt'
const parametersOf = (link: string) => Object.fromEntries(new URL(link).searchParams)

test('the example of the documentation', async () => {
  const link = await sign(s3(KEY), URL_, { expires: '1d' }, at)
  expect(parametersOf(link)).toEqual({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
    'X-Amz-Date': '20130524T000000Z',
    'X-Amz-Expires': '86400',
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Signature': 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  })
})

test('parameters of the option query are in the link, escaped, and signed', async () => {
  const query = { 'response-content-disposition': 'attachment; filename="ä b.txt"', versionId: '3' }
  const link = await sign(s3(KEY), URL_, { expires: '1d', query }, at)
  expect(parametersOf(link)).toMatchObject(query)
  expect(link).toContain('?response-content-disposition=attachment%3B%20filename%3D%22%C3%A4%20b.txt%22&versionId=3&X-Amz-Algorithm=')
  expect(await verify(s3(KEY), link, at)).toMatchObject({ ok: true })
  expect(await verify(s3(KEY), link.replace('versionId=3', 'versionId=4'), at)).toMatchObject({ reason: 'bad_signature' })
  expect(await sign(s3(KEY), URL_, { expires: '1d', query: {} }, at)).toBe(await sign(s3(KEY), URL_, { expires: '1d' }, at))
})

test('headers are signed by their names in lower case and in order, and a request must have them', async () => {
  const headers = { 'X-Amz-Meta-B': 'two', 'content-type': 'text/plain' }
  const link = await sign(s3(KEY), URL_, { expires: '1d', method: 'PUT', headers }, at)
  expect(parametersOf(link)['X-Amz-SignedHeaders']).toBe('content-type;host;x-amz-meta-b')
  const request = (more: Record<string, string>) => verify(s3(KEY), link, { ...at, method: 'PUT', headers: more })
  expect(await request({ ...headers, host: 'examplebucket.s3.amazonaws.com' })).toMatchObject({ ok: true })
  expect(await request({ ...headers, 'content-type': 'text/html' })).toMatchObject({ reason: 'bad_signature' })
  expect(await request({ 'content-type': 'text/plain' })).toMatchObject({ reason: 'bad_signature' })
})

test('a link lives at most seven days, from a start or from now', async () => {
  const lived = async (conditions: object) =>
    Number(parametersOf(await sign(s3(KEY), URL_, { expires: '7d', ...conditions }, at))['X-Amz-Expires'])
  expect(await lived({})).toBe(604_800)
  expect(await lived({ expires: '1s' })).toBe(1)
  expect(await lived({ starts: new Date(+NOW + 3600_000) })).toBe(604_800 - 3600)
  await expect(lived({ expires: new Date(+NOW + 604_801_000) })).rejects.toMatchObject({ code: 'bad_option', option: 'expires' })
  // Between two seconds both ends are rounded; a second less is still a week.
  const half = { now: () => new Date(+NOW + 500) }
  const link = await sign(s3(KEY), URL_, { expires: new Date(+NOW + 500 + 604_800_000) }, half)
  expect(parametersOf(link)).toMatchObject({ 'X-Amz-Date': '20130524T000000Z', 'X-Amz-Expires': '604800' })
  const aMillisecondLater = { now: () => new Date(+NOW + 1) }
  const nearly = await sign(s3(KEY), URL_, { expires: new Date(+NOW + 1 + 604_800_000) }, aMillisecondLater)
  expect(parametersOf(nearly)).toMatchObject({ 'X-Amz-Date': '20130524T000000Z', 'X-Amz-Expires': '604800' })
})

test('a session token is in the link and covered', async () => {
  const session = s3({ ...KEY, sessionToken: 'a/token+of=sts' })
  const link = await sign(session, URL_, { expires: '1h' }, at)
  expect(parametersOf(link)).toMatchObject({ 'X-Amz-Security-Token': 'a/token+of=sts' })
  expect(await verify(session, link, at)).toMatchObject({ ok: true })
  expect(await verify(session, link.replace('of%3Dsts', 'of%3Dstx'), at)).toMatchObject({ ok: false })
})

test('gcs has its own names, and refuses those of Amazon', async () => {
  const storage = gcs({ id: 'GOOGTS7C7FUP3AIRVEXAMPLE', secret: KEY.secret })
  const url = 'https://storage.googleapis.com/bucket/cat.jpeg'
  const link = await sign(storage, url, { expires: '1h' }, at)
  expect(parametersOf(link)).toMatchObject({
    'X-Goog-Algorithm': 'GOOG4-HMAC-SHA256',
    'X-Goog-Credential': 'GOOGTS7C7FUP3AIRVEXAMPLE/20130524/auto/storage/goog4_request',
    'X-Goog-Expires': '3600',
    'X-Goog-SignedHeaders': 'host',
  })
  for (const option of ['headers', 'query'] as const)
    await expect(sign(storage, url, { expires: '1h', [option]: { 'X-Amz-Meta-A': '1' } }, at), option).rejects.toMatchObject({
      code: 'bad_option',
      option,
      message: `${option} must be free of names of another vendor, which begin with X-Amz- or X-Goog-`,
    })
  await expect(sign(storage, `${url}?x-amz-acl=1`, { expires: '1h' }, at)).rejects.toMatchObject({ code: 'bad_option', option: 'url' })
})

test('the facts of the schemes say what a signature covers', () => {
  const covers = ['method', 'host', 'path', 'query', 'starts', 'expires', 'headers', 'key']
  expect(s3(KEY)).toMatchObject({ covers, carries: ['starts', 'method'], own: ['headers', 'query'], reads: ['method', 'headers'] })
  expect(gcs(KEY).covers).toEqual(covers)
})

test('a header may have an empty value', async () => {
  const headers = { 'x-amz-meta-a': '' }
  const link = await sign(s3(KEY), URL_, { expires: '1d', headers }, at)
  expect(await verify(s3(KEY), link, { ...at, headers })).toMatchObject({ ok: true })
  expect(await verify(s3(KEY), link, { ...at, headers: { 'x-amz-meta-a': 'b' } })).toMatchObject({ reason: 'bad_signature' })
})

const FOREIGN = 'free of names of another vendor, which begin with X-Amz- or X-Goog-'
const TOO_LONG = 'short enough for a link of at most 16384 characters'
test.each<[what: string, option: string, rule: string, url: string, conditions: object]>([
  ['two methods', 'method', 'one method, because a presigned URL opens only one', URL_, { method: ['GET', 'PUT'] }],
  ['a path', 'url', 'one that begins with https:// or http://', '/test.txt', {}],
  ['another scheme', 'url', 'one that begins with https:// or http://', 'wss://examplebucket.s3.amazonaws.com/', {}],
  ['a fragment', 'url', 'free of a fragment: write the # of a key as %23', `${URL_}#top`, {}],
  ['a broken escape', 'url', 'free of broken escapes: write the % of a key as %25', `${URL_}%`, {}],
  ['an escaped climb', 'url', "without the segments '.' and '..', even after an escaped slash", `${URL_}%2F..%2Fa`, {}],
  ['a host beyond ASCII', 'url', 'one with a host of ASCII characters, as the href of a URL object has it', 'https://bücket.example/a', {}],
  ['a parameter of Google', 'url', FOREIGN, `${URL_}?X-Goog-Date=1`, {}],
  ['a header of Google', 'headers', FOREIGN, URL_, { headers: { 'x-goog-acl': '1' } }],
  ['an added parameter of Google', 'query', FOREIGN, URL_, { query: { 'X-Goog-Date': '1' } }],
  ['a name that no header has', 'headers', 'names and values of ASCII characters that HTTP allows', URL_, { headers: { 'a b': '1' } }],
  ['a line break in a header', 'headers', 'names and values of ASCII characters that HTTP allows', URL_, { headers: { a: '1\n2' } }],
  ['the header host', 'headers', 'without host, and without a name that occurs twice', URL_, { headers: { Host: 'a.example' } }],
  ['a header twice', 'headers', 'without host, and without a name that occurs twice', URL_, { headers: { 'x-a': '1', 'X-A': '2' } }],
  ['a signature', 'query', 'without parameters that the link adds, such as its signature', URL_, { query: { 'X-Amz-Signature': '1' } }],
  ['a value that is too long', 'query', TOO_LONG, URL_, { query: { a: 'x'.repeat(16_384) } }],
  ['more than a week', 'expires', 'at most 7 days after the start of the link', URL_, { expires: '8d' }],
])('%s is refused: %s must be %s', async (_what, option, rule, url, conditions) => {
  const refused = sign(s3(KEY), url, { expires: '1h', ...conditions } as { expires: '1h' }, at)
  await expect(refused).rejects.toMatchObject({ code: 'bad_option', option, message: `${option} must be ${rule}` })
})

test('the hash of the body, which the storage compares, takes the place of UNSIGNED-PAYLOAD', async () => {
  // Computed with Python's hmac and hashlib after Amazon's page, by a program that also gives the signature of the page's example.
  const hash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const signatureOf = async (conditions: object) =>
    parametersOf(await sign(s3(KEY), URL_, { expires: '1d', ...conditions } as { expires: '1d' }, at))['X-Amz-Signature']
  expect(await signatureOf({ query: { 'X-Amz-Content-Sha256': hash } })).toBe(
    '8430a93d165b5250986b15506f0da344aa46fed9af04904168724fe39ce19d94',
  )
  expect(await signatureOf({ method: 'PUT', headers: { 'X-Amz-Content-Sha256': hash } })).toBe(
    'cdb168ea537766b0cd3589c2fa7370fcf50d18450d3ca6acf26ad09d2d3415ed',
  )
})

test('Google signs an IPv6 host without its port, and with all of its groups', async () => {
  const signatureOf = async (host: string) =>
    parametersOf(await sign(gcs(KEY), `http://${host}/bucket/a.txt`, { expires: '1h' }, at))['X-Goog-Signature']
  expect(await signatureOf('[::1]:4443')).toBe(await signatureOf('[::1]'))
  expect(await signatureOf('[::1]:4443')).not.toBe(await signatureOf('[::2]:4443'))
})

test('text that is too long for a link is malformed', () => {
  expect(s3(KEY).read(`${URL_}?X-Amz-Signature=${'0'.repeat(16_384)}`)).toBe('malformed')
})
