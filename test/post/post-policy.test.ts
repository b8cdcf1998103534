// postPolicy and verifyPost: Amazon's published example, Google's conformance tests, every reason, every field, and mistakes of callers.
import { expect, test } from 'vitest'
import { anyOf, hmac } from '../../src/index.ts'
import { type PostConditions, postPolicy, type VerifyPostOptions, verifyPost } from '../../src/post-policy.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { gcsRsa } from '../../src/schemes/gcs-rsa.ts'
import { s3 } from '../../src/schemes/s3.ts'
import rsaVectors from '../conformance/vectors/gcs-rsa.json' with { type: 'json' }
import { thrown } from '../schemes/shared/thrown.ts'
import google from './google-post-policies.json' with { type: 'json' }

const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const bucket = s3(KEY)
const URL_ = 'https://examplebucket.s3.eu-central-1.amazonaws.com/'
const NOW = new Date('2026-01-01T00:00:00Z')
const at = { now: () => NOW }
const later = (seconds: number) => ({ now: () => new Date(+NOW + seconds * 1000) })
const file = { size: 500, name: 'cat.png' }
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the storages' variable
const conditions: PostConditions = {
  key: 'users/42/${filename}',
  expires: '15m',
  contentLengthRange: [1, 1000],
  fields: { 'Content-Type': { startsWith: 'image/' }, acl: 'private', 'x-amz-meta-user': '42' },
}
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the storages' variable

async function posted(more: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const { fields } = await postPolicy(bucket, URL_, conditions, at)
  return { ...fields, 'Content-Type': 'image/png', ...more, file }
}

async function reasonFor(form: Record<string, unknown> | FormData, options: VerifyPostOptions = at, url = URL_, scheme = bucket) {
  const { ok, reason, field, claims } = await verifyPost(scheme, url, form, options)
  expect(claims !== undefined).toBe(ok || !['unsigned', 'malformed', 'unknown_key', 'bad_signature'].includes(reason))
  return ok ? 'ok' : [reason, field].filter(Boolean).join(' ')
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html, whose policy has line breaks of Windows.
const EXAMPLE = `{ "expiration": "2015-12-30T12:00:00.000Z",
  "conditions": [
    {"bucket": "sigv4examplebucket"},
    ["starts-with", "$key", "user/user1/"],
    {"acl": "public-read"},
    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
    ["starts-with", "$Content-Type", "image/"],
    {"x-amz-meta-uuid": "14365123651274"},
    {"x-amz-server-side-encryption": "AES256"},
    ["starts-with", "$x-amz-meta-tag", ""],

    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
    {"x-amz-date": "20151229T000000Z" }
  ]
}`.replaceAll('\n', '\r\n')

test("Amazon's published example", async () => {
  const form = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the storages' variable
    key: 'user/user1/${filename}',
    acl: 'public-read',
    success_action_redirect: 'http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html',
    'Content-Type': 'image/jpeg',
    'x-amz-meta-uuid': '14365123651274',
    'x-amz-server-side-encryption': 'AES256',
    'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Date': '20151229T000000Z',
    'x-amz-meta-tag': '',
    Policy: Buffer.from(EXAMPLE).toString('base64'),
    'X-Amz-Signature': '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
    file,
  }
  const url = 'http://sigv4examplebucket.s3.amazonaws.com/'
  const now = { now: () => new Date('2015-12-30T11:59:59Z') }
  const verdict = await verifyPost(bucket, url, form, now)
  expect(verdict).toMatchObject({ ok: true, scheme: 's3', upload: { bucket: 'sigv4examplebucket', key: 'user/user1/cat.png', size: 500 } })
  expect(verdict.claims?.expires).toEqual(new Date('2015-12-30T12:00:00Z'))
  expect(await reasonFor(form, { now: () => new Date('2015-12-30T12:00:00Z') }, url)).toBe('expired')
  expect(await reasonFor({ ...form, 'X-Amz-Signature': form['X-Amz-Signature'].replace('8', '9') }, now, url)).toBe('bad_signature')
  expect(await reasonFor({ ...form, 'Content-Type': 'text/html' }, now, url)).toBe('wrong_field content-type')
})

const rsaKey = (rsaVectors as { testGroups: { keys: { id: string; secret: string }[] }[] }).testGroups[0]?.keys[0]

test.each(google.tests)("Google's conformance test: $description", async ({ policyInput: input, policyOutput: output }) => {
  const { bucket, object, timestamp, expiration } = input
  const now = () => new Date(timestamp)
  const { startsWith: [startsWith = '', value = ''] = [], contentLengthRange } = (input.conditions ?? {}) as {
    startsWith?: string[]
    contentLengthRange?: [number, number]
  }
  const scheme = gcsRsa(rsaKey as { id: string; secret: string })
  const post = await postPolicy(
    scheme,
    output.url,
    {
      key: object,
      expires: new Date(+new Date(timestamp) + expiration * 1000),
      fields: { ...(input.fields as Record<string, string>), ...(startsWith && { [startsWith.slice(1)]: { startsWith: value } }) },
      ...(contentLengthRange && { contentLengthRange }),
      bucket,
    },
    { now },
  )
  expect(Buffer.from(post.fields['policy'] as string, 'base64').toString()).toBe(asAscii(output.expectedDecodedPolicy))
  expect(post).toEqual({ url: output.url, fields: output.fields })

  const form = { ...output.fields, ...(startsWith && { acl: 'public-read' }), file: { size: 250 } }
  const verdict = await verifyPost(scheme, output.url, form, { now, bucket })
  expect(verdict).toMatchObject({ ok: true, scheme: 'gcs-rsa', upload: { bucket, key: object } })
  expect((await verifyPost(scheme, output.url, { ...form, key: `${object}x` }, { now, bucket })).reason).toBe('wrong_field')
})

function asAscii(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

test('a form that is filled in as it should be', async () => {
  const { url, fields } = await postPolicy(bucket, URL_, conditions, at)
  expect(url).toBe(URL_)
  expect(Object.keys(fields)).toEqual([
    ...['key', 'acl', 'x-amz-meta-user', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'Policy', 'X-Amz-Signature'],
  ])
  expect(JSON.parse(Buffer.from(fields['Policy'] as string, 'base64').toString())).toEqual({
    expiration: '2026-01-01T00:15:00Z',
    conditions: [
      ['starts-with', '$Content-Type', 'image/'],
      ['content-length-range', 1, 1000],
      { acl: 'private' },
      { 'x-amz-meta-user': '42' },
      { bucket: 'examplebucket' },
      { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256' },
      { 'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20260101/eu-central-1/s3/aws4_request' },
      { 'X-Amz-Date': '20260101T000000Z' },
      ['starts-with', '$key', 'users/42/'],
    ],
  })
  const verdict = await verifyPost(bucket, url, await posted(), at)
  expect(verdict).toMatchObject({
    ok: true,
    claims: { expires: new Date('2026-01-01T00:15:00Z'), keyId: KEY.id },
    upload: {
      bucket: 'examplebucket',
      key: 'users/42/cat.png',
      size: 500,
      fields: { acl: 'private', 'content-type': 'image/png', 'x-amz-meta-user': '42' },
    },
  })
})

test('each condition that an upload can break', async () => {
  const { acl, ...withoutAcl } = await posted({ acl: undefined })
  const forms: Record<string, Record<string, unknown>> = {
    ok: await posted({ key: 'users/42/deeper/dog.png' }),
    'wrong_field key': await posted({ key: 'users/43/cat.png' }),
    'wrong_field content-type': await posted({ 'Content-Type': 'text/html' }),
    'wrong_field acl': withoutAcl,
    'wrong_field x-amz-meta-user': await posted({ 'x-amz-meta-user': '43' }),
    'wrong_field x-amz-acl': await posted({ 'x-amz-acl': 'public-read' }),
    'wrong_field bucket': await posted({ bucket: 'otherbucket' }),
    'wrong_size file': { ...(await posted()), file: { ...file, size: 1001 } },
  }
  for (const [expected, form] of Object.entries(forms)) expect(await reasonFor(form)).toBe(expected)
  expect(await reasonFor({ ...(await posted()), file: { size: 0 } })).toBe('wrong_size file')
  expect(await reasonFor({ ...(await posted()), file: '0123456789' })).toBe('ok')
  // A list of content types, as with S3.
  expect(await reasonFor(await posted({ 'Content-Type': 'image/png, image/webp' }))).toBe('ok')
  expect(await reasonFor(await posted({ 'Content-Type': 'image/png, text/html' }))).toBe('wrong_field content-type')
  // No policy needs to be about these.
  expect(await reasonFor(await posted({ 'x-ignore-button': 'Upload', bucket: 'examplebucket' }))).toBe('ok')
  const statuses = await Promise.all([{ acl: 'x' }, { file: 0 }].map(async (more) => verifyPost(bucket, URL_, await posted(more), at)))
  expect(statuses.map(({ status }) => status)).toEqual([403, undefined])
  expect((await verifyPost(bucket, URL_, { ...(await posted()), file: { size: 0 } }, at)).status).toBe(400)
})

test('a line break in a field, which would end a header, breaks the policy', async () => {
  for (const value of ['image/png\r\nset-cookie: a=b', 'image/png\0', 'image/png\x7f'])
    expect(await reasonFor(await posted({ 'Content-Type': value }))).toBe('wrong_field content-type')
  expect(await reasonFor(await posted({ 'x-ignore-comment': 'two\r\nlines' }))).toBe('ok')
})

test('each other reason', async () => {
  const form = await posted()
  const { Policy, ...withoutPolicy } = form
  const { file: _, ...withoutFile } = form
  expect(await reasonFor({ key: 'a', file })).toBe('unsigned')
  expect(await reasonFor(withoutPolicy)).toBe('malformed policy')
  expect(await reasonFor(withoutFile)).toBe('malformed file')
  expect(await reasonFor({ ...form, file: { size: -1 } })).toBe('malformed file')
  expect(await reasonFor({ ...form, POLICY: Policy })).toBe('malformed policy')
  expect(await reasonFor({ ...form, 'X-Amz-Algorithm': 'AWS4-HMAC-SHA1' })).toBe('malformed x-amz-algorithm')
  expect(await reasonFor({ ...form, 'X-Amz-Date': '20260231T000000Z' })).toBe('malformed x-amz-date')
  expect(await reasonFor({ ...form, 'X-Amz-Date': '20260102T000000Z' })).toBe('malformed x-amz-credential')
  expect(await reasonFor({ ...form, 'X-Amz-Signature': 'ff' })).toBe('malformed x-amz-signature')
  expect(await reasonFor({ ...form, 'X-Amz-Signature': 'ff'.repeat(32) })).toBe('bad_signature')
  expect(await reasonFor(form, at, URL_, s3({ ...KEY, secret: 'another' }))).toBe('bad_signature')
  expect(await reasonFor(form, at, URL_, s3({ ...KEY, id: 'another' }))).toBe('unknown_key')
  expect(await reasonFor(form, later(899))).toBe('ok')
  expect(await reasonFor(form, later(900))).toBe('expired')
  expect(await reasonFor(form, { ...later(900), tolerance: '1s' })).toBe('ok')
  expect(await reasonFor(form, later(-1))).toBe('too_early')
  expect(await reasonFor(form, later(10), URL_, s3({ ...KEY, expires: new Date(+NOW + 10_000) }))).toBe('key_expired')
  // The same key, and another bucket or region.
  expect(await reasonFor(form, at, URL_.replace('examplebucket', 'otherbucket'))).toBe('wrong_field bucket')
  expect(await reasonFor(form, at, URL_.replace('eu-central-1', 'us-east-1'))).toBe('bad_signature')
  for (const url of ['', '/', 'not a URL', 'https://', `${URL_}#`, `https://${'a.'.repeat(200)}example/`, `${URL_}?a`, `${URL_}../`])
    expect(await reasonFor(form, at, url)).toBe('malformed')
})

test('a policy with anything that would not be checked is malformed', async () => {
  const { Policy, ...form } = await posted()
  const policy = JSON.parse(Buffer.from(Policy as string, 'base64').toString())
  const reasonOf = (text: string) => reasonFor({ ...form, Policy: Buffer.from(text).toString('base64') })
  expect(await reasonOf(JSON.stringify({ ...policy, version: 2 }))).toBe('malformed policy')
  for (const condition of [
    ['ends-with', '$key', '.png'],
    ['eq', 'key', 'a'],
    ['eq', '$key'],
    ['eq', '$key', 'a', 'b'],
    ['content-length-range', '1', '2'],
    ['content-length-range', -1, 2],
    { a: 'b', c: 'd' },
    { a: 1 },
    {},
    null,
    'key',
  ])
    expect(await reasonOf(JSON.stringify({ ...policy, conditions: [...policy.conditions, condition] }))).toBe('malformed policy')
  for (const text of ['', '{', 'null', '[]', '"a"', '{"conditions":[]}', '{"expiration":"2030-01-01","conditions":[]}'])
    expect(await reasonOf(text), text).toBe('malformed policy')
  // Engines read these dates, too.
  for (const expiration of ['+002030-01-01T00:00:00Z', '2030-01-01T00:00:00', '2030-01-01T00:00:00.0000Z', '2030-01-01T00:00:00Z '])
    expect(await reasonOf(JSON.stringify({ ...policy, expiration })), expiration).toBe('malformed policy')
  for (const odd of ['!', 'e30', 'e30=\n', 'e31=', '/w==', 'A'.repeat(24_000)])
    expect(await reasonFor({ ...form, Policy: odd })).toBe('malformed policy')
  // Policies that can be read, with a signature that does not match.
  expect(await reasonOf(JSON.stringify(policy).replace('1000', '2000'))).toBe('bad_signature')
  expect(await reasonOf(JSON.stringify(policy).replace('users/42/', '\\$\\v'))).toBe('bad_signature')
})

test('a key that clients cannot request is refused, for any name of the file', async () => {
  for (const name of ['..', '.', 'a/..', '..\\..', '\0', '\ud800'])
    expect(await reasonFor({ ...(await posted()), file: { ...file, name } })).toBe('wrong_field key')
  for (const key of ['users/42/../43/cat.png', 'users/42/..', 'users/42/a\\..\\b', ''])
    expect(await reasonFor(await posted({ key }))).toBe('wrong_field key')
  for (const [name, key] of [
    ['/home/me/cat.png', 'cat.png'],
    ['C:\\fakepath\\cat.png', 'cat.png'],
    ['$&.png', '$&.png'],
    ['漢.png', '漢.png'],
  ] as const) {
    const verdict = await verifyPost(bucket, URL_, { ...(await posted()), file: { ...file, name } }, at)
    expect(verdict.ok && verdict.upload.key).toBe(`users/42/${key}`)
  }
})

test('one changed character of a signed field is refused', async () => {
  const form = await posted()
  for (const [name, value] of Object.entries(form)) {
    if (typeof value !== 'string' || name === 'key' || name === 'Content-Type') continue
    // Every character of short fields, and every seventh of a policy.
    for (let place = 0; place < value.length; place += value.length > 200 ? 7 : 1) {
      const changed = value.slice(0, place) + (value[place] === 'a' ? 'b' : 'a') + value.slice(place + 1)
      expect(await reasonFor({ ...form, [name]: changed }), `${name} ${changed}`).not.toBe('ok')
    }
    expect(await reasonFor({ ...form, [name]: `${value} ` }), name).not.toBe('ok')
  }
})

test('FormData, in which fields after the file do not count', async () => {
  const { fields } = await postPolicy(bucket, URL_, conditions, at)
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) data.append(name, value)
  data.append('content-type', 'image/png')
  data.append('file', new File(['meow'], 'cat.png'))
  data.append('acl', 'public-read')
  const sent = await new Request(URL_, { method: 'POST', body: data }).formData()
  const verdict = await verifyPost(bucket, URL_, sent, at)
  expect(verdict).toMatchObject({ ok: true, upload: { key: 'users/42/cat.png', size: 4, fields: { acl: 'private' } } })

  const late = new FormData()
  late.append('file', new File(['meow'], 'cat.png'))
  for (const [name, value] of Object.entries(fields)) late.append(name, value)
  expect(await reasonFor(late)).toBe('unsigned')
  data.append('file', 'x')
  const twice = new FormData()
  for (const [name, value] of [...Object.entries(fields), ['acl', 'public-read']] as const) twice.append(name, value)
  twice.append('file', new File(['meow'], 'cat.png'))
  expect(await reasonFor(twice)).toBe('malformed acl')
})

test('the session token stands in the form, and must be that of the key', async () => {
  const session = s3({ ...KEY, sessionToken: 'IQoJb3JpZ2lu', expires: new Date(+NOW + 60_000) })
  const { url, fields } = await postPolicy(session, URL_, { key: 'a', expires: '1h' }, at)
  expect(fields['X-Amz-Security-Token']).toBe('IQoJb3JpZ2lu')
  const form = { ...fields, file }
  const verdict = await verifyPost(session, url, form, at)
  expect(verdict.claims?.expires).toEqual(new Date(+NOW + 60_000))
  expect(verdict.ok && verdict.upload.fields).toEqual({})
  expect(await reasonFor(form, at, url, s3(KEY))).toBe('ok')
  expect(await reasonFor(form, at, url, s3({ ...KEY, sessionToken: 'another' }))).toBe('bad_signature')
  const { fields: plain } = await postPolicy(bucket, URL_, { key: 'a', expires: '1h' }, at)
  expect(await reasonFor({ ...plain, file }, at, url, session)).toBe('bad_signature')
})

test('keys of HMAC with gcs, and several schemes', async () => {
  const links = gcs({ id: 'GOOG1EXAMPLE', secret: 'bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ' })
  const url = 'https://storage.googleapis.com/example-bucket/'
  const { fields } = await postPolicy(links, url, { key: 'a', expires: '1h' }, at)
  expect(fields['x-goog-algorithm']).toBe('GOOG4-HMAC-SHA256')
  expect(fields['x-goog-credential']).toBe('GOOG1EXAMPLE/20260101/auto/storage/goog4_request')
  expect(await reasonFor({ ...fields, file }, at, url, links as never)).toBe('ok')
  const all = anyOf(links, bucket, hmac({ secret: 'a secret of 32 bytes or more, from a vault' }))
  expect((await postPolicy(all, url, { key: 'a', expires: '1h' }, at)).fields).toEqual(fields)
  expect(await verifyPost(all, URL_, await posted(), at)).toMatchObject({ ok: true, scheme: 's3' })
  expect(await verifyPost(all, url, { ...fields, file }, at)).toMatchObject({ ok: true, scheme: 'gcs' })
  expect((await verifyPost(all, URL_, await posted({ acl: 'x' }), at)).reason).toBe('wrong_field')
  expect((await verifyPost(all, URL_, { file }, at)).reason).toBe('unsigned')
})

test.each([
  ['https://examplebucket.s3.amazonaws.com', undefined, 'examplebucket'],
  ['https://a.b.s3.us-west-2.amazonaws.com/', undefined, 'a.b'],
  ['https://examplebucket.s3-accelerate.amazonaws.com/', undefined, 'examplebucket'],
  ['https://s3.us-west-2.amazonaws.com/examplebucket', undefined, 'examplebucket'],
  ['https://examplebucket.s3.wasabisys.com/', undefined, 'examplebucket'],
  ['http://127.0.0.1:9000/examplebucket/', undefined, 'examplebucket'],
  ['https://uploads.example/', 'examplebucket', 'examplebucket'],
  ['https://uploads.example/examplebucket', 'examplebucket', 'examplebucket'],
])('the bucket of %s, with the option %s', async (url, option, expected) => {
  const named = option === undefined ? {} : { bucket: option }
  const { fields } = await postPolicy(bucket, url, { key: 'a', expires: '1h', ...named }, at)
  const verdict = await verifyPost(bucket, new URL(url), { ...fields, file }, { ...at, ...named })
  expect(verdict.ok && verdict.upload.bucket).toBe(expected)
})

test('a form never outlives its key', async () => {
  const { fields } = await postPolicy(s3({ ...KEY, expires: new Date(+NOW + 60_000) }), URL_, { key: 'a', expires: '1h' }, at)
  expect(Buffer.from(fields['Policy'] as string, 'base64').toString()).toContain('"expiration":"2026-01-01T00:01:00Z"')
  expect(await thrown(() => postPolicy(s3([]), URL_, conditions, at))).toBe('no_key keys')
})

test('the widest values of a form', async () => {
  const accepted = async (more: Partial<PostConditions>) => {
    const { fields } = await postPolicy(bucket, URL_, { key: 'a', expires: '1h', ...more }, at)
    return Buffer.from(fields['Policy'] as string, 'base64').toString()
  }
  expect(await accepted({ contentLengthRange: [0, 0] })).toContain('["content-length-range",0,0]')
  expect(await accepted({ expires: '7d' })).toContain('"expiration":"2026-01-08T00:00:00Z"')
  expect(await accepted({ key: 'a'.repeat(1024) })).toContain('a'.repeat(1024))
  const tooLate = new Date(+NOW + 604_800_001)
  expect(await thrown(() => postPolicy(bucket, URL_, { key: 'a', expires: tooLate }, at))).toBe('bad_option expires')
})

test('keys can be looked up', async () => {
  const looked = s3(async (id) => (id === undefined || id === KEY.id ? KEY : undefined))
  expect(await postPolicy(looked, URL_, conditions, at)).toEqual(await postPolicy(bucket, URL_, conditions, at))
  expect(await reasonFor(await posted(), at, URL_, looked)).toBe('ok')
})

test('of several faults, the first is named', async () => {
  const fields = Object.entries(await posted()).filter(([name]) => name !== 'file')
  const reasonOf = async (...more: [string, unknown][]) => {
    const { reason, field } = await verifyPost(bucket, URL_, Object.fromEntries([...fields, ...more]), at)
    return `${reason} ${field}`
  }
  expect(await reasonOf(['ACL', 'private'], ['file', 7])).toBe('malformed acl')
  expect(await reasonOf(['file', 7], ['ACL', 'private'])).toBe('malformed file')
  expect(await reasonOf(['file', { size: -1 }])).toBe('malformed file')
  expect(await reasonOf(['file', file], ['File', file])).toBe('malformed file')
})

test('mistakes of callers name their option', async () => {
  const post = (more: object, url: unknown = URL_, scheme: unknown = bucket) =>
    thrown(() => postPolicy(scheme as never, url as never, { ...conditions, ...more } as never, at))
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the storages' variable
  for (const key of [
    undefined,
    '',
    7,
    '${filename}',
    'a/${filename}.png',
    'a/${filename}/${filename}',
    'a/../b',
    'a\nb',
    '\ud800',
    'a'.repeat(1025),
  ])
    expect(await post({ key }), `${key}`).toBe('bad_option key')
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the storages' variable
  for (const expires of [undefined, 7, '0s', '8d', 'never', new Date('2025-01-01'), new Date(Number.NaN)])
    expect(await post({ expires })).toBe('bad_option expires')
  for (const contentLengthRange of [[2, 1], [0], [-1, 2], [0.5, 2], ['1', '2'], 7, { min: 1, max: 2 }])
    expect(await post({ contentLengthRange })).toBe('bad_option contentLengthRange')
  for (const fields of [
    7,
    new Map([['acl', 'private']]),
    { acl: 7 },
    { acl: { startWith: 'a' } },
    { acl: { startsWith: 7 } },
    { acl: { startsWith: 'a', eq: 'b' } },
    { acl: 'a\nb' },
    { acl: '\udfff' },
    { key: 'a' },
    { bucket: 'a' },
    { File: 'a' },
    { policy: 'a' },
    { 'X-AMZ-DATE': 'a' },
    { acl: 'a', ACL: 'b' },
    { 'x-ignore-a': 'b' },
    { 'a b': 'c' },
    JSON.parse('{"__proto__": "a"}'),
  ])
    expect(await post({ fields }), JSON.stringify(fields)).toBe('bad_option fields')
  expect(await post({ bucket: 'a/b' })).toBe('bad_option bucket')
  expect(await post({ contentLength: [1, 2] })).toBe('bad_option contentLength')
  for (const url of [
    '/examplebucket',
    'https://h.test/',
    'https://h.test/a/b',
    `${URL_}cat.png`,
    `${URL_}?a=b`,
    `${URL_}#a`,
    'https://u:p@h.test/a',
  ])
    expect(await post({}, url), url).toBe('bad_option url')
  for (const url of [
    'https://account.r2.cloudflarestorage.com/bucket',
    'https://b--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com/',
    'https://bucket.s3.us-west-004.backblazeb2.com/',
  ])
    expect(await post({}, url), url).toBe('bad_option url')
  await expect(postPolicy(bucket, 'https://account.r2.cloudflarestorage.com/bucket', conditions)).rejects.toThrow(
    /R2 has no POST; sign a PUT/,
  )
  expect(await post({}, URL_, hmac({ secret: 'a secret of 32 bytes or more, from a vault' }))).toBe('bad_option scheme')
  const interoperable = gcs({ id: 'GOOG1EXAMPLE', secret: 'secret' }, { algorithm: 'AWS4-HMAC-SHA256' })
  expect(await post({}, 'https://storage.googleapis.com/b/', interoperable)).toBe('bad_option scheme')
  expect(await post({}, URL_, null)).toBe('bad_option scheme')
  expect(await thrown(() => postPolicy(bucket, URL_, undefined as never))).toBe('bad_option conditions')
  expect(await thrown(() => postPolicy(bucket, URL_, conditions, { when: 1 } as never))).toBe('bad_option when')
  expect(await thrown(() => verifyPost(bucket, URL_, {}, { ip: '' } as never))).toBe('bad_option ip')
  expect(await thrown(() => verifyPost(bucket, URL_, undefined as never))).toBe('bad_option form')
  expect(await thrown(() => verifyPost(bucket, URL_, {}, { tolerance: 5 } as never))).toBe('bad_option tolerance')
  expect(await thrown(() => verifyPost(hmac([]), URL_, {}))).toBe('bad_option scheme')
})

test('odd forms get a verdict, and no exception', async () => {
  const form = await posted()
  const odd = [undefined, null, 0, 1, '', 'x', '\ud800', [], {}, new Date(), Symbol.iterator, { size: Number.NaN }]
  for (const name of [...Object.keys(form), 'x-amz-security-token', '__proto__', 'constructor'])
    for (const value of odd) {
      const { ok } = await verifyPost(bucket, URL_, { ...form, [name]: value }, at)
      // Any text fits behind users/42/, and text is a file, too.
      if (name !== 'key' && name !== 'file') expect(ok, `${name} ${String(value)}`).toBe(false)
    }
  for (const pairs of [[], [['a', 'b']], [[Symbol.iterator, 7]], [['file', null]]] as never[][])
    expect((await verifyPost(bucket, URL_, pairs, at)).ok).toBe(false)
})
