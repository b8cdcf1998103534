// Signed URLs of Google Cloud Storage that were made wrongly with node:crypto, with HMAC keys and with the RSA keys of service accounts.
import { createHash, createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { gcsRsa } from '../../src/schemes/gcs-rsa.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
type Key = string | Buffer
const mac = (key: Key, text: string) => createHmac('sha256', key).update(text).digest()
const hex = (key: Key, text: string) => mac(key, text).toString('hex')
interface Case {
  readonly code: string
  readonly link: string
  readonly options: ExplainOptions
}
const wrong = (code: string, link: string, options: ExplainOptions = {}): Case => ({ code, link, options })

const GCS_KEY = { id: 'GOOG1EMADEUPEXAMPLE', secret: 'bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ' }
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ACCOUNT = { id: 'app@project.iam.gserviceaccount.com', publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string }

/** Signs as the page of Cloud Storage describes it. */
function googleLink(
  algorithm: string,
  id: string,
  sign: (text: string, scope: string) => string,
  changes: { region?: string; path?: string } = {},
) {
  const { region = 'auto', path = '/bucket/a.txt' } = changes
  const scope = `20300101/${region}/storage/goog4_request`
  const query = [
    `X-Goog-Algorithm=${algorithm}`,
    `X-Goog-Credential=${encodeURIComponent(`${id}/${scope}`)}`,
    'X-Goog-Date=20300101T000000Z',
    'X-Goog-Expires=600',
    'X-Goog-SignedHeaders=host',
  ].join('&')
  const canonical = ['GET', path, query, 'host:storage.googleapis.com\n', 'host', 'UNSIGNED-PAYLOAD'].join('\n')
  const text = [algorithm, '20300101T000000Z', scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  return `https://storage.googleapis.com/bucket/a.txt?${query}&X-Goog-Signature=${sign(text, scope)}`
}
const googleKey = (secret: Key, scope: string) =>
  scope.split('/').reduce<Key>((key, word) => mac(key, word), Buffer.concat([Buffer.from('GOOG4'), Buffer.from(secret)]))

function ofGcs(): readonly Case[] {
  const link = (secret: string, changes?: object) =>
    googleLink('GOOG4-HMAC-SHA256', GCS_KEY.id, (text, scope) => hex(googleKey(secret, scope), text), changes)
  return [
    wrong('secret_line_break', link(`${GCS_KEY.secret}\n`)),
    wrong(
      'secret_base64',
      googleLink('GOOG4-HMAC-SHA256', GCS_KEY.id, (text, scope) => hex(googleKey(Buffer.from(GCS_KEY.secret, 'base64'), scope), text)),
    ),
    wrong('region', link(GCS_KEY.secret, { region: 'europe-west3' })),
    wrong(
      'key_not_derived',
      googleLink('GOOG4-HMAC-SHA256', GCS_KEY.id, (text) => hex(GCS_KEY.secret, text)),
    ),
    wrong('method', link(GCS_KEY.secret), { method: 'PUT' }),
  ]
}

function ofGcsRsa(): readonly Case[] {
  const link = (hash: string, changes?: object, key = privateKey) =>
    googleLink('GOOG4-RSA-SHA256', ACCOUNT.id, (text) => createSign(hash).update(text).sign(key, 'hex'), changes)
  return [wrong('region', link('RSA-SHA256', { region: 'europe-west3' })), wrong('method', link('RSA-SHA256'), { method: 'PUT' })]
}

describe.each([
  { title: 'gcs', scheme: gcs(GCS_KEY), cases: ofGcs() },
  { title: 'gcs-rsa', scheme: gcsRsa(ACCOUNT), cases: ofGcsRsa() },
])('$title', ({ scheme, cases }) => {
  test.each(cases)('$code', async ({ code, link, options }) => {
    const { mistakes, verdict } = await explain(scheme, link, { now, ...options })
    expect(verdict.reason).toBe('bad_signature')
    expect(mistakes[0]?.code, JSON.stringify(mistakes)).toBe(code)
  })

  test('a random signature gets no mistake', async () => {
    const { link } = cases[0] as Case
    const noise = createHash('sha256').update('noise').digest('hex')
    const { mistakes, tried } = await explain(scheme, link.replace(/(?<=Signature=).{12}/, noise.slice(0, 12)), { now })
    expect(mistakes).toEqual([])
    expect(tried).toBeLessThanOrEqual(5000)
  })
})

test('the canonical request is the one whose hash is signed, and a public key gives no expected signature', async () => {
  const link = googleLink('GOOG4-RSA-SHA256', ACCOUNT.id, (text) => createSign('RSA-SHA256').update(text).sign(privateKey, 'hex'))
  const { verdict, stringToSign, canonicalRequest = '', expected } = await explain(gcsRsa(ACCOUNT), link, { now })
  expect(verdict.ok).toBe(true)
  expect(stringToSign?.endsWith(createHash('sha256').update(canonicalRequest).digest('hex'))).toBe(true)
  expect(expected).toBe(undefined)
})
