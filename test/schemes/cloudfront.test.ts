// cloudfront: keys in all forms, cookies, covers, and options.
import { createSign, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { type CloudfrontKey, type CloudfrontOptions, cloudfront } from '../../src/schemes/cloudfront.ts'
import vectors from '../conformance/vectors/cloudfront.json' with { type: 'json' }
import { thrown } from './shared/thrown.ts'

const HOST = 'https://d111111abcdef8.cloudfront.net'
const URL_ = `${HOST}/a/image.jpg?size=1`
const id = 'K2JCJMDEHXQW5F'
const now = () => new Date('2026-01-01T00:00:00Z')
const expires = new Date('2026-01-01T01:00:00Z')
const at = { now }
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'spki' | 'sec1') => key.export({ type, format: 'pem' } as never) as unknown as string
const secret = pem(rsa.privateKey, 'pkcs8')
const publicKey = pem(rsa.publicKey, 'spki')
const links = cloudfront({ id, secret })

const reason = async (keys: CloudfrontKey | CloudfrontKey[], link: string, options: object = at) =>
  (await verify(cloudfront(keys), link, { ...at, ...options })).reason ?? 'ok'

describe('keys', () => {
  test('RSA keys under 1024 bits are refused', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1023 })
    expect(await thrown(() => cloudfront({ id, secret: pem(short.privateKey, 'pkcs8') }))).toBe('weak_key secret')
    expect(await thrown(() => cloudfront({ id, publicKey: pem(short.publicKey, 'spki') }))).toBe('weak_key publicKey')
  })

  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' }
  const raw = (key: KeyObject, type: 'pkcs8' | 'spki') => new Uint8Array(key.export({ type, format: 'der' } as never) as unknown as Buffer)
  const cryptoKey = (extractable: boolean, hash = 'SHA-1') =>
    crypto.subtle.importKey('pkcs8', raw(rsa.privateKey, 'pkcs8'), { ...algorithm, hash }, extractable, ['sign'])
  const openKey = (hash = 'SHA-1') => crypto.subtle.importKey('spki', raw(rsa.publicKey, 'spki'), { ...algorithm, hash }, true, ['verify'])

  test.each<[string, () => Promise<CloudfrontKey> | CloudfrontKey]>([
    ['PKCS #8', () => ({ id, secret })],
    ['PKCS #1', () => ({ id, secret: pem(rsa.privateKey, 'pkcs1') })],
    ['line breaks written as \\n', () => ({ id, secret: secret.replaceAll('\n', '\\n') })],
    ['text around it', () => ({ id, secret: `Bag Attributes\n${secret}\nmore` })],
    ['a CryptoKey that can be extracted', async () => ({ id, secret: await cryptoKey(true) })],
    ['a CryptoKey that cannot, with its public key', async () => ({ id, secret: await cryptoKey(false), publicKey })],
    ['a public CryptoKey', async () => ({ id, secret, publicKey: await openKey() })],
    ['a public CryptoKey for another hash', async () => ({ id, secret, publicKey: await openKey('SHA-256') })],
    [
      'a remote key',
      () => ({
        id,
        secret: { sign: async (bytes: Uint8Array) => new Uint8Array(createSign('SHA1').update(bytes).sign(secret)) },
        publicKey: pem(rsa.publicKey, 'pkcs1'),
      }),
    ],
  ])('%s signs as openssl does, and verifies', async (_, make) => {
    const key = await make()
    const link = await sign(cloudfront(key), URL_, { expires }, at)
    expect(link).toBe(await sign(links, URL_, { expires }, at))
    expect(await reason(key, link)).toBe('ok')
    expect(await reason({ id, publicKey }, link)).toBe('ok')
    expect(await reason({ id, secret: publicKey }, link)).toBe('ok')
    expect(await reason(key, link.replace('image', 'imagf'))).toBe('bad_signature')
  })

  test.each(['pkcs8', 'sec1'] as const)('ECDSA, %s: openssl verifies what is signed, and the other way round', async (type) => {
    for (const algorithm of ['SHA1', 'SHA256'] as const) {
      const key = { id, secret: pem(ec.privateKey, type) }
      // Many, because the numbers in a signature have different lengths.
      for (let i = 0; i < 40; i++) {
        const link = await sign(cloudfront(key, { algorithm }), `${HOST}/${i}`, { expires }, at)
        const policy = `{"Statement":[{"Resource":"${HOST}/${i}","Condition":{"DateLessThan":{"AWS:EpochTime":1767229200}}}]}`
        const text = /Signature=([^&]+)/.exec(link)?.[1] as string
        const base64 = (signature: string) => signature.replace(/[-_~]/g, (c) => ({ '-': '+', _: '=', '~': '/' })[c] as string)
        expect(createVerify(algorithm).update(policy).verify(ec.publicKey, base64(text), 'base64')).toBe(true)
        expect(await reason({ id, secret: pem(ec.publicKey, 'spki') }, link)).toBe('ok')
        const theirs = createSign(algorithm).update(policy).sign(ec.privateKey, 'base64')
        const safe = theirs.replace(/[+=/]/g, (c) => ({ '+': '-', '=': '_', '/': '~' })[c] as string)
        expect(await reason(key, link.replace(text, safe))).toBe('ok')
      }
    }
  })

  test('a key that only verifies does not sign', async () => {
    expect(await thrown(() => sign(cloudfront({ id, publicKey }), URL_, { expires }, at))).toBe('no_key secret')
    expect(await thrown(() => sign(cloudfront([]), URL_, { expires }, at))).toBe('no_key keys')
    expect(inspect(cloudfront([]), await sign(links, URL_, { expires }, at))?.unverified.expires).toEqual(expires)
  })

  test('a key that only signs does not verify', async () => {
    const link = await sign(links, URL_, { expires }, at)
    expect(await thrown(() => verify(cloudfront({ id, secret: { sign: async () => new Uint8Array() } }), link, at))).toBe(
      'no_key publicKey',
    )
    const hidden = await cryptoKey(false)
    expect(await thrown(() => verify(cloudfront({ id, secret: hidden }), link, at))).toBe('bad_option publicKey')
  })

  test('keys that are wrong', async () => {
    const encrypted = rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) as string
    const p384 = pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'pkcs8')
    const hmac = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
    for (const wrong of ['text', '-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----', encrypted, p384, hmac as CryptoKey])
      expect(await thrown(() => cloudfront({ id, secret: wrong }))).toBe('bad_option secret')
    expect(await thrown(() => cloudfront({ id, secret, publicKey: secret }))).toBe('bad_option publicKey')
    expect(await thrown(() => cloudfront({ id }))).toBe('weak_key secret')
    expect(await thrown(() => cloudfront({ secret } as never))).toBe('bad_option id')
    expect(await thrown(() => cloudfront(null as never))).toBe('bad_option keys')
    const other = cloudfront({ id, secret: await cryptoKey(true, 'SHA-256') })
    expect(await thrown(() => sign(other, URL_, { expires }, at))).toBe('bad_option secret')
  })

  test('messages do not repeat a key', () => {
    const cut = secret.slice(0, 400)
    expect(() => cloudfront({ id, secret: cut })).toThrow(
      /^secret must be a key of RSA or P-256, in PEM that is not encrypted, or a CryptoKey$/,
    )
  })

  test('keys are looked up', async () => {
    const asked: unknown[] = []
    const found = cloudfront((name) => {
      asked.push(name)
      return name === undefined || name === id ? { id, secret } : undefined
    })
    const link = await sign(found, URL_, { expires }, at)
    expect((await verify(found, link, at)).ok).toBe(true)
    expect((await verify(found, link.replace(id, 'K3'), at)).reason).toBe('unknown_key')
    expect(asked).toEqual([undefined, id, 'K3'])
  })
})

describe('cookies', () => {
  // As the page says: the parameters of a link, with CloudFront- in front.
  const cookiesOf = (link: string) => (link.split('?')[1] as string).replaceAll('&', '; ').replace(/(?<=^|; )/g, 'CloudFront-')
  const cookies = async (url: string, conditions: object, options: CloudfrontOptions = {}) =>
    cookiesOf(await sign(cloudfront({ id, secret }, options), url, { expires, ...conditions }, at))

  test('open what the link opens', async () => {
    const canned = await cookies(`${HOST}/a.jpg`, {})
    const custom = await cookies(`${HOST}/v/a.jpg`, { prefix: '/v/' }, { algorithm: 'SHA256' })
    expect(custom).toContain('CloudFront-Hash-Algorithm=SHA256')
    const refusal = (url: string, cookie: string) => reason({ id, publicKey }, url, { headers: { cookie } })
    expect(await refusal(`${HOST}/a.jpg`, `x=y; ${canned}`)).toBe('ok')
    expect(await refusal(`${HOST}/b.jpg`, canned)).toBe('bad_signature')
    expect(await refusal(`${HOST}/v/1/2.ts?Expires=1`, custom)).toBe('ok')
    expect(await refusal(`${HOST}/w/2.ts`, custom)).toBe('wrong_path')
    expect(await refusal(`${HOST}/a.jpg`, `${canned}; CloudFront-Expires=1`)).toBe('malformed')
    expect(await refusal(`${HOST}/a.jpg`, canned.replace(/CloudFront-Signature=[^;]*/, ''))).toBe('malformed')
    expect(await refusal(`${HOST}/a.jpg`, 'x=y')).toBe('unsigned')
    // The URL comes first.
    const link = await sign(links, `${HOST}/a.jpg`, { expires }, at)
    expect(await refusal(link.replace('a.jpg', 'b.jpg'), custom)).toBe('bad_signature')
    const verdict = await verify(links, `${HOST}/a.jpg`, { ...at, headers: { cookie: canned.replace('Key-Pair-Id', 'Key') } })
    expect(verdict).toMatchObject({ reason: 'malformed', parameter: 'CloudFront-Key-Pair-Id' })
  })
})

describe('covers', () => {
  const changed = (link: string) =>
    [...link].map((is, i) => link.slice(0, i) + (/\d/.test(is) ? (+is + 1) % 10 : is === 'x' ? 'y' : 'x') + link.slice(i + 1))

  test('no character of a link with a canned policy can be changed', async () => {
    for (let i = 0; i < 10; i++) {
      const link = await sign(links, `${HOST}/${'abcdefghij'.slice(i)}/b.jpg?q=${i}`, { expires }, at)
      for (const other of changed(link)) if ((await verify(links, other, at)).ok) expect(other).toBe('refused')
    }
  })

  test('of a custom policy, what the claims do not name can be changed', async () => {
    for (let i = 0; i < 10; i++) {
      const condition = [{ prefix: '/v/' }, { resource: `${HOST}/v/*.jpg*` }, { starts: now() }][i % 3] as object
      const link = await sign(links, `${HOST}/v/${i}/b.jpg?q=${i}`, { expires, ...condition }, at)
      const good = await verify(links, link, at)
      for (const other of changed(link)) {
        const verdict = await verify(links, other, at)
        if (!verdict.ok) continue
        // The query is free, and so is the path as far as the pattern has a `*`; a `?` of the pattern's stands for any character.
        expect(verdict.claims.expires).toEqual(good.claims?.expires)
        expect(verdict.claims.resource).toMatch(/^https:\/\/d111111abcdef8\.cloudfront\.net\/v\//)
        if ('starts' in condition) expect(verdict.claims.resource).not.toContain('?')
        if (!('starts' in condition)) expect(verdict.claims.resource).not.toContain('q=')
      }
    }
  })
})

test('nothing throws on any text', async () => {
  const texts = [
    'Policy=',
    'Policy=bnVsbA__',
    'Policy=W10_',
    'Policy=%zz',
    'Signature=A',
    'Key-Pair-Id',
    'Policy=_w__&Signature=AAAA&Key-Pair-Id=K',
    'Expires',
  ]
  const policies = [
    '[]',
    '{}',
    '{"Statement":[]}',
    '{"Statement":[null]}',
    '{"Statement":[{"Condition":null}]}',
    '{"Statement":[{"Condition":{"DateLessThan":null}}]}',
    '{"Statement":[{"Resource":7,"Condition":{"DateLessThan":{"AWS:EpochTime":1}}}]}',
    '{"Statement":{"length":1}}',
    '{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1},"IpAddress":[]}}]}',
  ]
  const encoded = policies.map(
    (text) => `Policy=${btoa(text).replace(/=/g, '_').replace(/\//g, '~').replace(/\+/g, '-')}&Signature=AAAA&Key-Pair-Id=${id}`,
  )
  for (const query of [...texts, ...encoded])
    for (const url of [`/a?${query}`, `${HOST}/a?${query}`, query, `?${query}`])
      expect(await reason({ id, publicKey }, url)).toMatch(/unsigned|malformed|bad_signature/)
  for (const cookie of encoded.map((text) => text.replaceAll('&', ';').replace(/(Policy|Signature|Key)/g, 'CloudFront-$1')))
    expect(await reason({ id, publicKey }, '/a', { headers: { cookie } })).toBe('malformed')
})

test('conditions and options that are wrong', async () => {
  const signing = (url: string, conditions: object) => thrown(() => sign(links, url, { expires, ...conditions }, at))
  expect(await signing('/a', {})).toBe('bad_option url')
  expect(await signing(`${HOST}/a?`, {})).toBe('bad_option url')
  expect(await signing(`${HOST}/a?b&&c`, {})).toBe('bad_option url')
  expect(await signing(`${HOST}/a*`, {})).toBe('bad_option url')
  expect(await signing(`${HOST}/a*`, { ip: '203.0.113.7' })).toBe('bad_option url')
  expect(await signing(URL_, { ip: '2001:db8::1' })).toBe('bad_option ip')
  expect(await signing(URL_, { prefix: '/a' })).toBe('bad_option prefix')
  expect(await signing(`${HOST}/%61/b`, { prefix: '/a/' })).toBe('bad_option prefix')
  expect(await signing(URL_, { prefix: '/a/', resource: '*' })).toBe('bad_option resource')
  expect(await signing(URL_, { resource: `${HOST}/b/*` })).toBe('bad_option resource')
  expect(await signing(URL_, { resource: 7 })).toBe('bad_option resource')
  expect(await signing(`${URL_}&Policy=x`, {})).toBe('bad_option url')
  expect(await signing(await sign(links, URL_, { expires }, at), {})).toBe('already_signed url')
  expect(await thrown(() => cloudfront({ id, secret }, { algorithm: 'MD5' } as never))).toBe('bad_option algorithm')
  expect(await thrown(() => cloudfront({ id, secret }, { hash: 'SHA1' } as never))).toBe('bad_option hash')
})

test('a pattern for all hosts, and a path that begins with two slashes', async () => {
  const link = await sign(links, `${HOST}//a`, { expires, resource: '*' }, at)
  expect((await verify(links, link, at)).claims?.resource).toBe(`${HOST}//a`)
})

test('every reason has a vector', () => {
  const results = new Set(vectors.testGroups.flatMap(({ tests }) => tests.map(({ result }) => result)))
  expect([...results].sort()).toEqual([...vectors.reasons].sort())
})
