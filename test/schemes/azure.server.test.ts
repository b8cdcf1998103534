// azure beside a real server: Azurite, Azure's emulator, opens a link exactly when verify accepts it. The tests at the end name the exceptions.
import { type ChildProcess, spawn } from 'node:child_process'
import { get } from 'node:http'
import { createRequire } from 'node:module'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { type AzureConditions, type AzureOptions, azure } from '../../src/schemes/azure.ts'

// The account that every Azurite has. It is public.
const account = 'devstoreaccount1'
const secret = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const links = azure({ id: account, secret }, { pathStyle: true })
const VERSIONS = ['2015-04-05', '2018-11-09', '2020-02-10', '2020-12-06', '2025-07-05', '2026-04-06']
const text = 'The quick brown fox'

let server: ChildProcess
let home = ''

beforeAll(async () => {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const flags = ['--skipApiVersionCheck', '--disableTelemetry', '--inMemoryPersistence', '--silent', '--blobPort', '0']
  server = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const origin = await new Promise<string>((resolve, reject) => {
    let printed = ''
    server.stdout?.on('data', (part) => {
      const [, found] = /listens on (http:\S+)/.exec((printed += part)) ?? []
      if (found) resolve(found)
    })
    server.on('exit', () => reject(new Error(`Azurite ended: ${printed}`)))
  })
  home = `${origin}/${account}`
  const container = await sign(links, `${home}/files?restype=container`, {
    expires: '1h',
    permissions: 'c',
    services: 'b',
    resourceTypes: 'c',
  })
  expect((await fetch(container, { method: 'PUT' })).status).toBe(201)
  await put('/files/a.txt')
})

afterAll(() => server?.kill())

async function put(path: string, type = 'text/plain'): Promise<void> {
  const link = await sign(links, home + path, { expires: '1h', permissions: 'cw' })
  const sent = { method: 'PUT', body: text, headers: { 'content-type': type, 'x-ms-blob-type': 'BlockBlob' } }
  expect((await fetch(link, sent)).status).toBe(201)
}

/** The answer of Azurite, after a check that Azurite and verify both accept the request, or both refuse it. */
async function request(link: string, init: RequestInit = {}, scheme = links): Promise<{ status: number; reason: string; body: string }> {
  const response = await fetch(link, init)
  const body = await response.text()
  const verdict = await verify(scheme, link, { method: init.method ?? 'GET' })
  expect([verdict.ok, verdict.reason, link, body]).toEqual([response.status < 400, verdict.reason, link, body])
  return { status: response.status, reason: verdict.reason ?? 'ok', body }
}

/** The SAS of a link, at another URL: an account SAS does not cover the path. */
const moved = (link: string, path: string): string => `${home}${path}${path.includes('?') ? '&' : '?'}${link.slice(link.indexOf('sv='))}`

const signed = (path: string, own: AzureConditions = {}, options: AzureOptions = {}) =>
  sign(azure({ id: account, secret }, { pathStyle: true, ...options }), home + path, { expires: '1h', ...own })

test('a download, whole and in part, and HEAD', async () => {
  const link = await signed('/files/a.txt')
  expect(await request(link)).toEqual({ status: 200, reason: 'ok', body: text })
  expect(await request(link, { headers: { range: 'bytes=4-8' } })).toEqual({ status: 206, reason: 'ok', body: 'quick' })
  expect(await request(link, { method: 'HEAD' })).toMatchObject({ status: 200 })
})

test('an upload with a content type', async () => {
  const link = await signed('/files/new.txt', { permissions: 'wc' })
  const sent = { method: 'PUT', body: text, headers: { 'content-type': 'text/x-story', 'x-ms-blob-type': 'BlockBlob' } }
  expect(await request(link, sent)).toMatchObject({ status: 201 })
  expect((await fetch(await signed('/files/new.txt'))).headers.get('content-type')).toBe('text/x-story')
  expect(await request(link)).toMatchObject({ status: 403, reason: 'wrong_method' })
  expect(await request(await signed('/files/new.txt', { permissions: 'd' }), { method: 'DELETE' })).toMatchObject({ status: 202 })
})

test.each(VERSIONS)('version %s: a blob, a container, the account', async (version) => {
  for (const own of [{}, { resource: 'c' }, { services: 'b', resourceTypes: 'o' }] as const) {
    const link = await signed('/files/a.txt', own, { version })
    expect(await request(link), link).toMatchObject({ status: 200, body: text })
    const other = link.replace(/(sig=(?:%2[BF])*)(.)/, (_, front, character) => `${front}${character === 'A' ? 'B' : 'A'}`)
    expect(await request(other)).toMatchObject({ status: 403, reason: 'bad_signature' })
  }
})

test('a list of the blobs takes l, of the containers an account SAS', async () => {
  const list = '/files?restype=container&comp=list'
  expect((await request(await signed(list, { resource: 'c', permissions: 'l' }))).body).toContain('<Name>a.txt</Name>')
  expect(await request(await signed(list, { resource: 'c', permissions: 'r' }))).toMatchObject({ status: 403, reason: 'wrong_method' })
  expect((await request(await signed('/?comp=list', { permissions: 'l', services: 'b', resourceTypes: 's' }))).body).toContain('files')
  const service = await signed('/?comp=list', { permissions: 'l', services: 'b', resourceTypes: 's' })
  expect(await request(moved(service, list))).toMatchObject({ reason: 'wrong_path' })
  expect(await request(await signed('/files/a.txt', { services: 'q', resourceTypes: 'sco' }))).toMatchObject({ reason: 'wrong_path' })
})

test('a service SAS does not delete its container', async () => {
  const link = await signed('/files?restype=container', { resource: 'c', permissions: 'd' })
  expect(await request(link, { method: 'DELETE' })).toMatchObject({ status: 403, reason: 'wrong_method' })
})

test.each([
  ['/files/a%20b.txt'],
  ['/files/a+b.txt'],
  ['/files/a%252Fb.txt'],
  ['/files/100%25.txt'],
  ['/files/%E5%9B%BE%E7%89%87/%C3%BC.png'],
  ['/files/d/e/f.txt'],
  [`/files/a!b*c'd(e).txt`],
  ['/files/a%26b%3Dc%2Cd%3Be%40f.txt'],
  ['/files/~tilde_-.txt'],
  [`/files/${'k'.repeat(900)}`],
])('the blob %s', async (path) => {
  await put(path)
  expect(await request(await signed(path))).toMatchObject({ status: 200, body: text })
})

test('response headers and all other parameters are signed', async () => {
  const link = await sign(links, `${home}/files/a.txt`, {
    expires: '1h',
    starts: new Date(Date.now() - 60_000),
    protocol: 'https,http',
    cacheControl: 'no-store',
    contentDisposition: `attachment; filename="ü b.txt"`,
    contentEncoding: 'identity',
    contentLanguage: 'de',
    contentType: 'text/x-other; charset=utf-8',
  })
  expect(await request(link)).toMatchObject({ status: 200 })
  expect((await fetch(link)).headers.get('content-type')).toBe('text/x-other; charset=utf-8')
  for (const name of ['st', 'se', 'sp', 'spr', 'sr', 'sv', 'rscc', 'rscd', 'rscl', 'rsct', 'sig']) {
    const without = link.replace(new RegExp(`&${name}=[^&]*`), '')
    if (without !== link) expect(await request(without), name).toMatchObject({ status: 403 })
  }
  expect(await request(link.replace('sp=r', 'sp=rw'))).toMatchObject({ reason: 'bad_signature' })
  expect(await request(link.replace('a.txt', 'b.txt'))).toMatchObject({ reason: 'bad_signature' })
})

test('an expired link, one that is not valid yet, and one for https only', async () => {
  const before = { now: () => new Date(Date.now() - 120_000) }
  const old = await sign(links, `${home}/files/a.txt`, { expires: '1m' }, before)
  expect(await request(old)).toMatchObject({ status: 403, reason: 'expired' })
  const future = await sign(links, `${home}/files/a.txt`, { expires: '2h', starts: '1h' })
  expect(await request(future)).toMatchObject({ status: 403, reason: 'too_early' })
  // The emulator has no https here, and `sign` refuses http for such a link.
  const secure = await sign(links, `${home.replace('http:', 'https:')}/files/a.txt`, { expires: '1h', protocol: 'https' })
  expect(await request(secure.replace('https:', 'http:'))).toMatchObject({ status: 403, reason: 'wrong_path' })
})

test('a stored access policy', async () => {
  const expires = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000)
  const client = new BlobServiceClient(home, new StorageSharedKeyCredential(account, secret)).getContainerClient('files')
  const policy = { startsOn: new Date(Date.now() - 60_000), expiresOn: expires, permissions: 'r' }
  await client.setAccessPolicy(undefined, [{ id: 'readers', accessPolicy: policy }])
  const starts = policy.startsOn
  const scheme = azure(
    { id: account, secret },
    { pathStyle: true, policies: { readers: { permissions: 'r', starts, expires }, gone: { permissions: 'r', expires } } },
  )
  const link = await sign(scheme, `${home}/files/a.txt`, { expires, identifier: 'readers' })
  expect(link).not.toMatch(/[?&]s[ept]=/)
  expect(await request(link, {}, scheme)).toMatchObject({ status: 200, body: text })
  // Azurite has no policy of this name: deleting a policy revokes its links.
  expect((await fetch(await sign(scheme, `${home}/files/a.txt`, { expires, identifier: 'gone' }))).status).toBe(403)
})

test.each(['2018-11-09', '2020-02-10', '2020-12-06', '2025-07-05'])('a user delegation key, version %s', async (version) => {
  const { getUserDelegationKeyValue } = createRequire(import.meta.url)('azurite/dist/src/blob/utils/utils.js')
  const iso = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
  const delegation = {
    signedObjectId: '11111111-2222-3333-4444-555555555555',
    signedTenantId: '66666666-7777-8888-9999-000000000000',
    signedStartsOn: iso(Date.now() - 3_600_000),
    signedExpiresOn: iso(Date.now() + 7_200_000),
    signedService: 'b',
    signedVersion: '2022-11-02',
  }
  const { signedObjectId, signedTenantId, signedStartsOn, signedExpiresOn, signedVersion } = delegation
  // Azurite derives its keys from the parameters of the link.
  const value = getUserDelegationKeyValue(signedObjectId, signedTenantId, signedStartsOn, signedExpiresOn, signedVersion)
  const scheme = azure({ id: account, secret: value, delegation }, { pathStyle: true, version })
  const link = await sign(scheme, `${home}/files/a.txt`, { expires: '1h' })
  expect(inspect(links, link)?.unverified.keyId).toBe(signedObjectId)
  expect(await request(link, {}, scheme)).toMatchObject({ status: 200, body: text })
  expect(await request(link.replace('sp=r', 'sp=rw'), {}, scheme)).toMatchObject({ reason: 'bad_signature' })
})

test('the root container, by its name', async () => {
  const container = await signed('/$root?restype=container', { permissions: 'c', services: 'b', resourceTypes: 'c' })
  expect((await fetch(container, { method: 'PUT' })).status).toBe(201)
  await put('/$root/top.txt')
  expect(await request(await signed('/$root/top.txt'))).toMatchObject({ status: 200 })
})

test('a request for a container itself needs its restype', async () => {
  const own = { resource: 'c', permissions: 'rl' } as const
  expect(await request(await signed('/files?comp=list', own))).toMatchObject({ status: 400, reason: 'wrong_method' })
  expect(await request(await signed('/files', own))).toMatchObject({ status: 400, reason: 'wrong_method' })
  expect(await request(await signed('/files?restype=container&comp=list', own))).toMatchObject({ status: 200 })
})

test('permissions out of order, twice and unknown are refused', async () => {
  const link = await signed('/files/a.txt', { permissions: 'rw' })
  for (const sp of ['wr', 'rr', 'read', 'rz'])
    expect(await request(link.replace('sp=rw', `sp=${sp}`))).toMatchObject({ status: 403, reason: 'malformed' })
})

test('a URL with spaces and umlauts becomes a link that opens', async () => {
  const path = '/files/a b ü.txt'
  await put(path)
  const link = await signed(path)
  expect(link).toMatch(/^[!-~]+$/)
  expect(await request(link)).toMatchObject({ status: 200, body: text })
})

test('Azurite does not open the names that sign refuses', async () => {
  const link = await signed('/files/a.txt')
  for (const name of ['100%.txt', 'a%5Cb.txt']) {
    await expect(signed(`/files/${name}`)).rejects.toMatchObject({ code: 'bad_option' })
    const forged = link.replace('a.txt', name)
    expect((await fetch(forged)).ok).toBe(false)
    expect((await verify(links, forged)).ok).toBe(false)
  }
})

test('an account SAS opens containers or objects, as its resource types say', async () => {
  const list = '/files?restype=container&comp=list'
  const objects = { permissions: 'rl', services: 'b', resourceTypes: 'o' }
  expect(await request(moved(await signed('/files/a.txt', objects), list))).toMatchObject({ status: 403, reason: 'wrong_path' })
  const containers = { ...objects, resourceTypes: 'c' }
  const blob = '/files/a.txt?restype=container'
  expect(await request(moved(await signed(list, containers), blob))).toMatchObject({ status: 403, reason: 'wrong_path' })
  // So sign refuses these URLs.
  for (const [url, own] of [
    [list, objects],
    [blob, containers],
  ] as const)
    await expect(signed(url, own)).rejects.toMatchObject({ code: 'bad_option', option: 'resourceTypes' })
})

test('the host of Azurite may name the account, without pathStyle', async () => {
  const local = azure({ id: account, secret })
  const { port } = new URL(home)
  const link = await sign(local, `http://${account}.blob.localhost:${port}/files/a.txt`, { expires: '1h' })
  expect(await verify(local, link)).toMatchObject({ ok: true })
  // Azurite reads the account from the header, so no resolver has to know the name.
  const answer = await new Promise<number | undefined>((resolve, reject) => {
    const { pathname, search, host } = new URL(link)
    get({ host: '127.0.0.1', port, path: pathname + search, headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
  expect(answer).toBe(200)
  await expect(sign(local, `${home}/files/a.txt`, { expires: '1h' })).rejects.toMatchObject({ code: 'bad_option' })
})

// The exceptions: Azurite and verify differ.
test('names of parameters in capitals: Azure and verify know them, and Azurite does not', async () => {
  const list = '/files?RESTYPE=container&COMP=list'
  const link = await signed(list, { resource: 'c', permissions: 'rl' })
  expect((await fetch(link)).status).toBe(400)
  expect((await verify(links, link)).ok).toBe(true)
  expect((await verify(links, await signed(list, { resource: 'c', permissions: 'r' }))).reason).toBe('wrong_method')
})

test('a raw + in the signature is a space', async () => {
  let link = ''
  for (let i = 0; !link.includes('%2B'); i++) link = await signed('/files/a.txt', { contentLanguage: `${i}` })
  expect(await request(link.replaceAll('%2B', '+'))).toMatchObject({ status: 403, reason: 'malformed' })
})

test('Azurite ignores the address, and verify checks it', async () => {
  const link = await sign(links, `${home}/files/a.txt`, { expires: '1h', ip: '203.0.113.0/24' })
  expect((await fetch(link)).status).toBe(200)
  expect((await verify(links, link, { ip: '127.0.0.1' })).reason).toBe('wrong_ip')
  expect((await verify(links, link, { ip: '203.0.113.255' })).ok).toBe(true)
})

test('%2F is a slash for Azurite everywhere, and for verify only in names of blobs', async () => {
  const blob = (await signed('/files/a.txt')).replace('files/a', 'files%2Fa')
  expect(await request(blob)).toMatchObject({ status: 200, reason: 'ok' })
  const container = (await signed('/files/a.txt', { resource: 'c' })).replace('files/a', 'files%2Fa')
  expect((await fetch(container)).status).toBe(200)
  expect((await verify(links, container)).reason).toBe('bad_signature')
})

test('a link for a blob with a versionid: Azurite ignores it, and verify refuses', async () => {
  const link = await signed('/files/a.txt')
  expect(await request(`${link}&snapshot=2029-01-01T00:00:00.0000000Z`)).toMatchObject({ status: 403, reason: 'bad_signature' })
  expect((await fetch(`${link}&versionid=2029-01-01T00:00:00.0000000Z`)).status).toBe(200)
  expect((await verify(links, `${link}&versionid=2029-01-01T00:00:00.0000000Z`)).reason).toBe('bad_signature')
})
