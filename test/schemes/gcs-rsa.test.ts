// gcs-rsa: remote keys, several keys of an account, covers, and options.
import { createSign, createVerify, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { gcsRsa } from '../../src/schemes/gcs-rsa.ts'
import vectors from '../conformance/vectors/gcs-rsa.json' with { type: 'json' }
import { thrown } from './shared/thrown.ts'

const id = 'signer@example-project.iam.gserviceaccount.com'
const URL_ = 'https://storage.googleapis.com/bucket/a/b.jpg'
const now = () => new Date('2026-01-01T00:00:00Z')
const at = { now }
const conditions = { expires: new Date('2026-01-01T01:00:00Z') }
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const secret = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string
const links = gcsRsa({ id, secret })

test('a remote key, such as signBlob of IAM, gets the string to sign', async () => {
  const asked: string[] = []
  const signBlob = async (bytes: Uint8Array) => {
    asked.push(new TextDecoder().decode(bytes))
    return new Uint8Array(createSign('SHA256').update(bytes).sign(secret))
  }
  const remote = gcsRsa({ id, secret: { sign: signBlob }, publicKey })
  const link = await sign(remote, URL_, conditions, at)
  expect(asked).toHaveLength(1)
  expect(asked[0]).toMatch(/^GOOG4-RSA-SHA256\n20260101T000000Z\n20260101\/auto\/storage\/goog4_request\n[\da-f]{64}$/)
  expect(link).toBe(await sign(links, URL_, conditions, at))
  const signature = link.slice(link.indexOf('X-Goog-Signature=') + 'X-Goog-Signature='.length)
  expect(
    createVerify('SHA256')
      .update(asked[0] as string)
      .verify(publicKey, signature, 'hex'),
  ).toBe(true)
  for (const scheme of [remote, links, gcsRsa({ id, publicKey }), gcsRsa({ id, secret: publicKey })])
    expect((await verify(scheme, link, at)).ok).toBe(true)
})

test('keys of other sizes', async () => {
  const large = generateKeyPairSync('rsa', { modulusLength: 3072 })
  const scheme = gcsRsa({ id, secret: large.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string })
  const link = await sign(scheme, URL_, conditions, at)
  expect((await verify(scheme, link, at)).ok).toBe(true)
  expect((await verify(links, link, at)).reason).toBe('bad_signature')
  expect(
    (
      await verify(
        gcsRsa([
          { id, publicKey },
          { id, publicKey: large.publicKey.export({ type: 'spki', format: 'pem' }) as string },
        ]),
        link,
        at,
      )
    ).ok,
  ).toBe(true)
})

test('RSA keys under 2048 bits are refused, in every form', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 2047 })
  const pem = (type: 'pkcs1' | 'pkcs8') => short.privateKey.export({ type, format: 'pem' }) as string
  const openPem = (type: 'pkcs1' | 'spki') => short.publicKey.export({ type, format: 'pem' }) as string
  const cryptoKey = await crypto.subtle.importKey(
    'pkcs8',
    new Uint8Array(short.privateKey.export({ type: 'pkcs8', format: 'der' })),
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    true,
    ['sign'],
  )
  for (const weak of [pem('pkcs1'), pem('pkcs8'), openPem('pkcs1'), openPem('spki'), cryptoKey])
    expect(await thrown(() => gcsRsa({ id, secret: weak }))).toBe('weak_key secret')
  for (const weak of [openPem('pkcs1'), openPem('spki')])
    expect(await thrown(() => gcsRsa({ id, secret, publicKey: weak }))).toBe('weak_key publicKey')
  // Looked up, a weak key is found when a link is signed.
  expect(
    await thrown(() =>
      sign(
        gcsRsa(async () => ({ id, secret: pem('pkcs8') })),
        URL_,
        conditions,
        at,
      ),
    ),
  ).toBe('weak_key secret')
})

test('a key that is cut off is not imported, whatever its length says', async () => {
  const [begin, body, end] = secret.split(/(?<=KEY-----\n)|(?=-----END)/) as [string, string, string]
  const cut = `${begin}${body.replaceAll('\n', '').slice(0, 400)}\n${end}`
  expect(await thrown(() => sign(gcsRsa({ id, secret: cut }), URL_, conditions, at))).toBe('bad_option secret')
})

test('links for HMAC keys and for RSA keys are not mixed up', async () => {
  const hmac = gcs({ id: 'GOOG1EXAMPLE', secret: 'a secret' })
  expect((await verify(links, await sign(hmac, URL_, conditions, at), at)).reason).toBe('malformed')
  expect((await verify(hmac, await sign(links, URL_, conditions, at), at)).reason).toBe('malformed')
})

test('one changed character is refused, but in scheme and port', async () => {
  for (let i = 0; i < 20; i++) {
    const link = await sign(links, `https://storage.googleapis.com:8443/bucket/${i}.jpg?a=${i}`, conditions, at)
    for (const [place, is] of [...link].entries()) {
      const changed = link.slice(0, place) + (/\d/.test(is) ? (+is + 1) % 10 : is === 'x' ? 'y' : 'x') + link.slice(place + 1)
      const verdict = await verify(links, changed, at)
      if (verdict.ok) expect(changed.replace(/^https?:\/\/([^/:]+):\d+/, '$1')).toBe(link.replace(/^https:\/\/([^/:]+):\d+/, '$1'))
      if (verdict.ok) expect(verdict.claims.resource).not.toContain('8443')
    }
  }
})

test('keys and options that are wrong', async () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  expect(await thrown(() => gcsRsa({ id, secret: ec }))).toBe('bad_option secret')
  expect(await thrown(() => gcsRsa({ secret } as never))).toBe('bad_option id')
  expect(await thrown(() => gcsRsa({ id }))).toBe('weak_key secret')
  expect(await thrown(() => gcsRsa({ id, secret }, { location: 'a/b' }))).toBe('bad_option location')
  expect(await thrown(() => gcsRsa({ id, secret }, { algorithm: 'x' } as never))).toBe('bad_option algorithm')
  expect(await thrown(() => sign(gcsRsa({ id, publicKey }), URL_, conditions, at))).toBe('no_key secret')
  expect(await thrown(() => sign(links, 'https://storage.cloud.google.com/bucket/a', conditions, at))).toBe('bad_option url')
  expect(await thrown(() => sign(links, URL_, { expires: '8d' }, at))).toBe('bad_option expires')
})

test('every reason has a vector', () => {
  const results = new Set(vectors.testGroups.flatMap(({ tests }) => tests.map(({ result }) => result)))
  expect([...results].sort()).toEqual([...vectors.reasons].sort())
})
