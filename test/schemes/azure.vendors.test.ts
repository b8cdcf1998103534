// azure beside Azure's own library: both write the same parameters in the same order with the same signature, and verify accepts the library's links.
import {
  AccountSASPermissions,
  BlobSASPermissions,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { type AzureConditions, azure } from '../../src/schemes/azure.ts'

const account = 'myaccount'
const secret = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const credential = new StorageSharedKeyCredential(account, secret)
const home = `https://${account}.blob.core.windows.net`
const NOW = new Date('2030-01-01T00:00:00Z')
const now = () => NOW

const delegation = {
  signedObjectId: '11111111-2222-3333-4444-555555555555',
  signedTenantId: '66666666-7777-8888-9999-000000000000',
  signedStartsOn: new Date('2029-12-31T00:00:00Z'),
  signedExpiresOn: new Date('2030-01-05T00:00:00Z'),
  signedService: 'b',
  signedVersion: '2022-11-02',
  value: secret,
}

const VERSIONS = ['2015-04-05', '2017-07-29', '2018-11-09', '2020-02-10', '2020-12-06', '2022-11-02', '2025-07-05', '2026-04-06']

// Not drawn, because sign refuses them on purpose: control characters, the segments . and .., which clients resolve before they send, and \,
// which Azure's servers read as a slash.
const odd = [
  '+',
  ' ',
  '%',
  '%2F',
  '/',
  '//',
  '.',
  '..a',
  '~',
  "!*'()",
  '&=?#',
  ':@;,$',
  '\\',
  '[]{}|^`"<>',
  'ü',
  'u\u0308',
  '图',
  '🎬',
  '\u00a0',
  '\u200b',
]
const text = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) }, fc.constantFrom(...odd)), { maxLength: 12 })
  .map((parts) => parts.join('').replace(/[\p{Cc}\p{Surrogate}]/gu, ''))
const long = fc.integer({ min: 200, max: 1000 }).map((length) => 'k'.repeat(length))
const name = fc.oneof({ weight: 20, arbitrary: text }, long).map((text) => `n${text}`)
const blobName = name
  .map((name) => name.replaceAll('\\', '-'))
  .filter((name) => !`/${name}/`.split('/').some((segment) => segment === '.' || segment === '..'))
  // Azure drops a dot at the end, so sign refuses it.
  .filter((name) => !name.endsWith('.'))
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const containerName = fc.stringMatching(/^[a-z\d][a-z\d-]{2,30}$/)
const seconds = fc.integer({ min: 60, max: 300_000 }).map((seconds) => new Date(+NOW + seconds * 1000))
const octet = fc.integer({ min: 0, max: 127 })
const dotted = fc.tuple(octet, octet, octet, octet)
const ipRange = fc.tuple(dotted, fc.boolean()).map(([[a, b, c, d], wide]) => ({
  start: `${a}.${b}.${c}.${d}`,
  ...(wide && { end: `${a}.${b}.${c + 100}.${d}` }),
}))
// No two names differ only in case: Azure compares them without case, so sign refuses them.
const pairs = (value: fc.Arbitrary<string>) =>
  fc
    .uniqueArray(fc.tuple(fc.stringMatching(/^x-[A-Za-z\d_.-]{1,9}$/), value), {
      minLength: 1,
      maxLength: 3,
      selector: ([name]) => name.toLowerCase(),
    })
    .map(Object.fromEntries)
const letters = (all: string) => fc.subarray([...all], { minLength: 1 })

const common = {
  startsOn: maybe(seconds),
  expiresOn: seconds.map((date) => new Date(+date + 400_000_000)),
  protocol: maybe(fc.constantFrom(SASProtocol.Https, SASProtocol.HttpsAndHttp)),
  ipRange: maybe(ipRange),
}
const blobs = fc.record({
  ...common,
  version: fc.constantFrom(...VERSIONS),
  containerName,
  blobName: maybe(blobName),
  permissions: letters('racwd'),
  delegated: fc.boolean(),
  encryptionScope: maybe(name),
  cacheControl: maybe(name),
  contentDisposition: maybe(name),
  contentEncoding: maybe(name),
  contentLanguage: maybe(name),
  contentType: maybe(name),
  requestHeaders: maybe(pairs(fc.stringMatching(/^[!-~]([ -~]{0,9}[!-~])?$/))),
  requestQueryParameters: maybe(pairs(text)),
})
const accounts = fc.record({
  ...common,
  version: fc.constantFrom(...VERSIONS),
  permissions: letters('rwdlacup'),
  services: letters('bqtf'),
  resourceTypes: letters('sco'),
})

const own = (wish: object): AzureConditions => Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined))
const encode = (name: string) => name.split('/').map(encodeURIComponent).join('/')
const rangeOf = (range: { start: string; end?: string } | undefined) => range && (range.end ? `${range.start}-${range.end}` : range.start)
// Both take the letters in any order.
const backwards = (letters: string[]) => [...letters].reverse().join('')

/**
 * Signs what the library has signed, compares, and verifies the library's link.
 *
 * @param end - The expiry of the link, if its key ends before the time that was asked for.
 */
async function compare(
  scheme: ReturnType<typeof azure>,
  url: string,
  theirs: string,
  wish: AzureConditions,
  expires: Date,
  starts: Date | undefined,
  end = expires,
) {
  const ours = await sign(scheme, url, { ...wish, expires, ...(starts && { starts }) }, { now })
  const link = `${url}${url.includes('?') ? '&' : '?'}${theirs}`
  expect(ours).toBe(link)
  const ip = wish.ipRange?.split('-')[0]
  const { requestHeaders: headers = {}, requestQueryParameters = {} } = wish
  const parameters = Object.entries(requestQueryParameters).map(([name, value]) => `&${name}=${encodeURIComponent(value)}`)
  const request = link + parameters.join('')
  const verdict = await verify(scheme, request, { now: () => starts ?? NOW, headers, ...(ip && { ip }) })
  expect(verdict.claims?.expires, verdict.reason).toEqual(end)
}

describe('2,000 random links of each kind', () => {
  test('service SAS and user delegation SAS', async () => {
    await fc.assert(
      fc.asyncProperty(blobs, async ({ delegated, encryptionScope: scope, startsOn, expiresOn, ipRange, permissions, ...values }) => {
        const { version, containerName, blobName, protocol, requestHeaders, requestQueryParameters, ...overrides } = values
        // Delegation begins with 2018-11-09, encryption scopes with 2020-12-06, and links bound to parts of the request with 2026-04-06.
        const user = delegated && version >= '2018-11-09'
        const bound = user && version >= '2026-04-06' ? own({ requestHeaders, requestQueryParameters }) : {}
        const encryptionScope = version >= '2020-12-06' ? scope : undefined
        const Permissions = blobName === undefined ? ContainerSASPermissions : BlobSASPermissions
        const asked = own({ ...overrides, version, containerName, blobName, protocol, ...bound, encryptionScope, startsOn, ipRange }) as {
          containerName: string
        }
        // The library writes any expiry; a link of sign expires with its key.
        const end = user && delegation.signedExpiresOn < expiresOn ? delegation.signedExpiresOn : expiresOn
        const grant = { ...asked, expiresOn: end, permissions: Permissions.parse(permissions.join('')) }
        const made = user ? generateBlobSASQueryParameters(grant, delegation, account) : generateBlobSASQueryParameters(grant, credential)
        const scheme = azure({ id: account, secret, ...(user && { delegation }) }, { version })
        const wish = own({
          ...overrides,
          ...bound,
          protocol,
          encryptionScope,
          permissions: backwards(permissions),
          ipRange: rangeOf(ipRange),
          resource: blobName === undefined ? 'c' : undefined,
        })
        const url = `${home}/${containerName}${blobName === undefined ? '' : `/${encode(blobName)}`}`
        await compare(scheme, url, `${made}`, wish, expiresOn, startsOn, end)
      }),
      { numRuns: 2000 },
    )
  })

  test('account SAS', async () => {
    await fc.assert(
      fc.asyncProperty(accounts, async ({ version, startsOn, expiresOn, protocol, ipRange, permissions, services, resourceTypes }) => {
        const made = generateAccountSASQueryParameters(
          {
            version,
            expiresOn,
            permissions: AccountSASPermissions.parse(permissions.join('')),
            services: services.join(''),
            resourceTypes: resourceTypes.join(''),
            ...(startsOn && { startsOn }),
            ...(protocol && { protocol }),
            ...(ipRange && { ipRange }),
          },
          credential,
        )
        const wish = own({
          permissions: backwards(permissions),
          services: backwards(services),
          resourceTypes: backwards(resourceTypes),
          protocol,
          ipRange: rangeOf(ipRange),
        })
        // `sign` refuses a host of a service that the link is not for.
        const service = { b: 'blob', t: 'table', q: 'queue', f: 'file' }[services[0] as 'b']
        // It also refuses a URL of a type of resource that the link is not for.
        const path = { s: '/', c: '/container?restype=container', o: '/container/blob' }[resourceTypes[0] as 's']
        const url = `https://${account}.${service}.core.windows.net${path}`
        await compare(azure({ id: account, secret }, { version }), url, `${made}`, wish, expiresOn, startsOn)
      }),
      { numRuns: 2000 },
    )
  })
})
