// Forms beside the vendors' own libraries: the same policies and signatures as @aws-sdk/s3-presigned-post and @google-cloud/storage write, and
// botocore's forms verify.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { S3Client } from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import { Storage } from '@google-cloud/storage'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { postPolicy, verifyPost } from '../../src/post-policy.ts'
import { gcsRsa } from '../../src/schemes/gcs-rsa.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { find } from '../prepare.mjs'

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)

const python = find('python')
const boto = python && hasBoto(python)

function hasBoto(python: string): boolean {
  try {
    execFileSync(python, ['-c', 'import botocore'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

afterEach(() => vi.useRealTimers())

// Without quotes and line breaks in credentials, which s3() refuses.
const word = fc.stringMatching(/^[A-Za-z\d+/]{16,40}$/)
const text = fc.string({ unit: fc.constantFrom(...'aZ09 -_.~/$%&"\'\\<>=;,(){}ü漢🐈'), minLength: 1, maxLength: 20 })
const key = text.filter((drawn) => !/(^|[/\\])\.\.?([/\\]|$)/.test(drawn))
const field = fc.constantFrom('acl', 'Content-Type', 'Cache-Control', 'success_action_status', 'x-amz-meta-a', 'tagging')
const drawn = {
  id: word,
  secret: word,
  bucket: fc.stringMatching(/^[a-z][a-z\d]{3,10}-[a-z\d]{1,9}$/),
  key,
  intoFolder: fc.boolean(),
  now: fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
  seconds: fc.integer({ min: 1, max: 604_800 }),
  range: fc.option(fc.tuple(fc.nat(1000), fc.nat(1000)).map(([min, more]) => [min, min + more] as const)),
  exact: fc.dictionary(field, text, { maxKeys: 3 }),
  // A comma would end an item of a list of content types.
  begun: fc.dictionary(
    field,
    fc.oneof(
      text.map((drawn) => drawn.replaceAll(',', '')),
      fc.constant(''),
    ),
    { maxKeys: 2 },
  ),
}
const s3Case = fc.record({
  ...drawn,
  region: fc.constantFrom('us-east-1', 'eu-central-1', 'us-gov-west-1'),
  sessionToken: fc.option(word, { nil: undefined }),
  style: fc.constantFrom('virtual', 'path'),
})
type Drawn = Pick<typeof s3Case extends fc.Arbitrary<infer T> ? T : never, keyof typeof drawn>

/** Our conditions and those of the vendors' libraries, for one case. */
function askedFor({ key, intoFolder, seconds, range, exact, begun }: Drawn, now: Date) {
  const name = intoFolder ? `uploads/${key.replaceAll('/', '')}/\${filename}`.replace(/\/\.\.?\//, '/') : key
  const only = Object.fromEntries(Object.entries(begun).filter(([field]) => !(field in exact)))
  return {
    ours: {
      key: name,
      expires: new Date(Math.floor(+now / 1000) * 1000 + seconds * 1000),
      ...(range && { contentLengthRange: range }),
      fields: { ...exact, ...Object.fromEntries(Object.entries(only).map(([field, startsWith]) => [field, { startsWith }])) },
    },
    theirs: [
      ...Object.entries(only).map(([field, value]) => ['starts-with', `$${field}`, value]),
      ...(range ? [['content-length-range', ...range]] : []),
    ],
    /** The fields that the page adds, and a file. */
    filledIn: { ...only, file: { size: range?.[0] ?? 7, name: 'cat.png' } },
  }
}

type Asked = ReturnType<typeof askedFor>

test('300 forms of @aws-sdk/s3-presigned-post', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  for (const each of fc.sample(s3Case, { numRuns: 300, seed })) {
    const { id, secret, sessionToken, region, style, bucket, seconds, exact } = each
    const now = new Date(each.now)
    vi.setSystemTime(now)
    const { ours, theirs, filledIn } = askedFor(each, now)
    const credentials = { accessKeyId: id, secretAccessKey: secret, ...(sessionToken && { sessionToken }) }
    const client = new S3Client({ region, credentials, forcePathStyle: style === 'path' })
    const expected = await createPresignedPost(client, {
      Bucket: bucket,
      Key: ours.key,
      Fields: exact,
      Conditions: theirs as never,
      Expires: seconds,
    })

    const scheme = s3({ id, secret, ...(sessionToken && { sessionToken }) })
    const post = await postPolicy(scheme, expected.url, ours)
    // The SDK adds a field with the name of the bucket, which the URL has already.
    const { bucket: _, ...fields } = expected.fields
    expect(post).toEqual({ url: expected.url, fields })
    for (const form of [fields, expected.fields])
      expect(await verifyPost(scheme, expected.url, { ...form, ...filledIn })).toMatchObject({ ok: true, upload: { bucket } })
  }
})

test('100 forms of @google-cloud/storage', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const id = 'signer@example-project.iam.gserviceaccount.com'
  const storage = new Storage({ projectId: 'p', credentials: { client_email: id, private_key: secret } })
  const scheme = gcsRsa({ id, secret })
  for (const each of fc.sample(fc.record({ ...drawn, hosted: fc.boolean() }), { numRuns: 100, seed })) {
    const now = new Date(each.now)
    vi.setSystemTime(now)
    const { ours, theirs, filledIn } = askedFor({ ...each, intoFolder: false }, now)
    const [expected] = await storage.bucket(each.bucket).file(ours.key).generateSignedPostPolicyV4({
      expires: ours.expires,
      conditions: theirs,
      fields: each.exact,
      virtualHostedStyle: each.hosted,
    })
    expect(await postPolicy(scheme, expected.url, ours)).toEqual(expected)
    expect(await verifyPost(scheme, expected.url, { ...expected.fields, ...filledIn })).toMatchObject({
      ok: true,
      upload: { bucket: each.bucket },
    })
  }
})

test.skipIf(!boto)(`300 forms of botocore${boto ? '' : '; left out: pip install botocore'}`, async () => {
  const now = new Date()
  // Half an hour at least, because botocore goes by the real clock.
  const cases = fc.sample(s3Case, { numRuns: 300, seed }).map((each) => ({ ...each, seconds: 1800 + each.seconds }))
  const asked = cases.map((each) => askedFor(each, now))
  const input = cases.map(({ exact, seconds, bucket, style, ...each }, i) => {
    const { key } = (asked[i] as Asked).ours
    const folder = key.replace(/\$\{filename\}$/, '')
    const host = `s3.${each.region}.amazonaws.com`
    return {
      ...each,
      key,
      url: style === 'path' ? `https://${host}/${bucket}` : `https://${bucket}.${host}/`,
      fields: exact,
      // Botocore's client names the bucket and the key, and nothing names the fields by itself.
      conditions: [
        ...Object.entries(exact).map(([name, value]) => ({ [name]: value })),
        ...(asked[i] as Asked).theirs,
        { bucket },
        folder === key ? { key } : ['starts-with', '$key', folder],
      ],
      expiresIn: seconds,
    }
  })
  const reference = fileURLToPath(new URL('boto_posts.py', import.meta.url))
  const posts = JSON.parse(execFileSync(python as string, [reference], { input: JSON.stringify(input), encoding: 'utf8' }))
  for (const [i, { id, secret, sessionToken, bucket }] of cases.entries()) {
    const { url, fields } = posts[i]
    const form = { ...fields, ...(asked[i] as Asked).filledIn }
    const scheme = s3({ id, secret, ...(sessionToken && { sessionToken }) })
    const verdict = await verifyPost(scheme, url, form, { tolerance: '5m' })
    expect(verdict).toMatchObject({ ok: true, upload: { bucket } })
    expect((await verifyPost(scheme, url, { ...form, 'x-amz-meta-other': 'a' }, { tolerance: '5m' })).reason).toBe('wrong_field')
  }
})
