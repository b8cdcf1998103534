// Requests that no client sends. In every scheme they are malformed, before any signature is computed.
import { describe, expect, test, vi } from 'vitest'
import { anyOf, hmac, inspect, LinkError, type Reading, redeem, type Scheme, sign, verify } from '../../src/index.ts'
import { azure } from '../../src/schemes/azure.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { recorded } from '../conformance/suite.ts'

const secret = '0123456789abcdef0123456789abcdef'
const key = { id: 'a', secret }
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const IP = '203.0.113.7'
// azure signs for hosts of Azure only, and s3 and gcs refuse those.
const hostFor = ({ name }: Scheme) => (name === 'azure' ? 'https://myaccount.blob.core.windows.net' : 'https://files.test')
const FOLDER = '/videos/7/'
const FILE = `${FOLDER}a.ts`

const links = hmac(key)
const inPath = hmac(key, { placement: 'path' })
const pictures = pichax(key)

// Each scheme with what `sign` needs for a link of it.
const schemes: [name: string, scheme: Scheme, conditions: object][] = [
  ['hmac', links, {}],
  ['hmac with a prefix', links, { prefix: '/' }],
  ['hmac with its token in the path', inPath, {}],
  ['pichax', pictures, { id: 'b' }],
  ['s3', s3(key, { region: 'eu-central-1' }), {}],
  ['gcs', gcs(key), {}],
  ['azure', azure({ id: 'myaccount', secret: 'YSBrZXkgZm9yIGV4YW1wbGVzLCAzMiBieXRlcyBsb25n' }), { permissions: 'r' }],
  ['nginx', nginx(key) as unknown as Scheme, { ip: IP }],
  ['nginx with its token in the path', nginx(key, { placement: 'path', expression: '$secure_link_expires$rest $secret' }) as Scheme, {}],
  ['nginxHmac', nginxHmac(key) as unknown as Scheme, {}],
  ['anyOf', anyOf(links, pictures) as unknown as Scheme, {}],
]

async function answers(scheme: Scheme, request: string | URL | Request): Promise<(string | undefined)[]> {
  const options = { ...at, ip: IP }
  const verdicts = [await verify(scheme, request, options), await redeem(scheme, request, { ...options, store: memoryStore(at) })]
  for (const { claims, ok, reason } of verdicts) if (!ok && reason === 'malformed') expect(claims).toBeUndefined()
  return verdicts.map(({ ok, reason }) => (ok ? 'ok' : reason))
}

/** Inserts text before the last segment of the path. */
const before = (link: string, text: string) => link.replace('a.ts', `${text}a.ts`)
const query = (link: string, text: string) => `${link}${link.includes('?') ? '&' : '?'}${text}`

const NEVER_SENT: [what: string, change: (link: string) => string][] = [
  ['an empty fragment', (link) => `${link}#`],
  ['a fragment', (link) => `${link}#top`],
  ['a fragment with parameters, which Fastify reads', (link) => `${link}#&c=2&a=3`],
  ['a fragment in front of the query', (link) => link.replace('a.ts', 'a.ts#')],
  ...[0, 9, 10, 13, 27, 127].map((code): [string, (link: string) => string] => [
    `character ${code} in the path`,
    (link) => before(link, String.fromCharCode(code)),
  ]),
  ['a line feed in the query', (link) => query(link, 'b=\n')],
  ['a line feed at the end', (link) => `${link}\n`],
  ...['./', '../', 'x/../', '%2e/', '%2E%2e/', '.%2E/', '%2e./', '/../', 'x/..;/'].map((dots): [string, (link: string) => string] => [
    `the segments ${dots}`,
    (link) => before(link, dots),
  ]),
  ['two dots at the end of the path', (link) => link.replace('a.ts', 'a.ts/..')],
  ['a backslash for a slash', (link) => link.replace('7/a.ts', '7\\a.ts')],
  ['a backslash in a name', (link) => before(link, '\\')],
  ['half a surrogate pair in the path', (link) => before(link, '\ud83d')],
  ['half a surrogate pair in the query', (link) => query(link, 'b=\ude00')],
]

describe.each(schemes)('%s', (_name, scheme, conditions) => {
  const host = hostFor(scheme)
  const signed = (url: string) => sign(scheme, url, { expires: '1h', ...conditions } as { expires: '1h' }, at)

  test.each(NEVER_SENT)('%s', async (_what, change) => {
    const link = await signed(host + FILE)
    expect(await answers(scheme, link)).toEqual(['ok', 'ok'])
    const changed = change(link)
    expect(changed).not.toBe(link)
    // Some changes hide the link from the scheme, which then reads a URL without a link.
    expect([
      ['malformed', 'malformed'],
      ['unsigned', 'unsigned'],
    ]).toContainEqual(await answers(scheme, changed))
    if (typeof scheme.read(changed) === 'object') expect(await answers(scheme, changed)).toEqual(['malformed', 'malformed'])
  })

  test.each(NEVER_SENT)('%s, in a URL without a link', async (_what, change) => {
    const text = change(host + FILE)
    if (scheme.read(text) === 'unsigned') expect(await answers(scheme, text)).toEqual(['unsigned', 'unsigned'])
  })

  test('no string to sign is made for them', async () => {
    const link = await signed(host + FILE)
    const strings: unknown[] = []
    const watched = recorded(scheme, strings)
    expect((await answers(watched, link))[0]).toBe('ok')
    expect(strings).not.toEqual([])
    strings.length = 0
    for (const [, change] of NEVER_SENT) expect((await answers(watched, change(link)))[0]).not.toBe('ok')
    expect(strings).toEqual([])
  })

  test('a URL or a Request with a fragment', async () => {
    const link = await signed(host + FILE)
    for (const text of [link, `${link}#top`]) {
      const reason = text === link ? 'ok' : 'malformed'
      expect(await answers(scheme, new URL(text))).toEqual([reason, reason])
      expect(await answers(scheme, new Request(text))).toEqual([reason, reason])
    }
  })

  test('sign leaves a fragment at the end for the client, or refuses it where the vendor has names with a #', async () => {
    const refused = signed(`${host}${FILE}#top`)
    if (['s3', 'gcs', 'azure'].includes(scheme.name))
      return expect(refused).rejects.toMatchObject({ name: 'LinkError', code: 'bad_option', option: 'url' })
    const link = await signed(`${host}${FILE}#top`)
    expect(link.endsWith('#top')).toBe(true)
    expect(link.indexOf('#')).toBe(link.length - 4)
    expect(inspect(scheme, link)).toEqual(inspect(scheme, link.slice(0, -4)))
    expect(inspect(scheme, link)).toBeDefined()
    expect(await answers(scheme, link.slice(0, -4))).toEqual(['ok', 'ok'])
  })

  test.each(['/..', '/.', '/a/../b', '/a/%2e%2E/b', '/a/.%2e', '/a/./b', '/a/..?b', '/a/..#b', '/a/..;/b'])(
    'sign refuses %s',
    async (path) => {
      for (const url of [host + path, path])
        await expect(signed(url)).rejects.toMatchObject({ name: 'LinkError', code: 'bad_option', message: /without the segments/ })
    },
  )

  test('sign refuses a path that a URL parser takes for a host, and its link is malformed', async () => {
    for (const url of ['//evil.example/x', '//', '//evil.example'])
      await expect(signed(url)).rejects.toMatchObject({ name: 'LinkError', code: 'bad_option', message: /two slashes/ })
    const link = (await signed(`${host}${FILE}`)).slice(host.length)
    const found = scheme.read(`//evil.example${link}`) === 'unsigned' ? 'unsigned' : 'malformed'
    expect(await answers(scheme, `//evil.example${link}`)).toEqual([found, found])
    expect(inspect(scheme, `//evil.example${link}`)).toBeUndefined()
  })
})

test.each(['/a/..', '/%2e%2e/', '/a/../', '/.', '/a/%2E/', '/..;/'])(
  'sign refuses the prefix %s, which would open more than it says',
  async (prefix) => {
    const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
    await expect(sign(links, '/a/b', { expires: '1h', prefix })).rejects.toMatchObject({ name: 'LinkError', code: 'bad_option' })
  },
)

describe('claims.resource never names another host', () => {
  const resource = async (scheme: Scheme, url: string) => {
    const verdict = await verify(scheme, url, at)
    return verdict.ok ? new URL(verdict.claims.resource, 'https://cdn.example').host : verdict.reason
  }

  test('a link for everything, with two slashes in front', async () => {
    const link = await sign(links, '/a', { expires: '1h', prefix: '/' }, at)
    expect(await resource(links, link)).toBe('cdn.example')
    expect(await resource(links, link.replace('/a?', '/evil.example/a?'))).toBe('cdn.example')
    for (const front of ['//evil.example/a?', '///evil.example/a?', '/\\evil.example/a?', '\\\\evil.example/a?'])
      expect(await resource(links, link.replace('/a?', front)), front).toBe('malformed')
  })

  test('a link for everything, with two slashes after the token', async () => {
    const link = await sign(inPath, '/a', { expires: '1h', prefix: '/' }, at)
    expect(await resource(inPath, link)).toBe('cdn.example')
    expect(await resource(inPath, link.replace(/\/a$/, '//evil.example/a'))).toBe('malformed')
    expect(inspect(inPath, link.replace(/\/a$/, '//evil.example/a'))).toBeUndefined()
    // Also before the signature is checked.
    const forged = link.replace(/signature=.{9}/, 'signature=AAAAAAAAA').replace(/\/a$/, '//evil.example/a')
    expect(await resource(inPath, forged)).toBe('malformed')
    // An absolute URL has a host already.
    expect(await resource(inPath, `https://cdn.example${link.replace(/\/a$/, '//evil.example/a')}`)).toBe('cdn.example')
  })

  test('two slashes after a host are signed', async () => {
    const link = await sign(links, 'https://cdn.example//a', { expires: '1h' }, at)
    expect(await resource(links, link)).toBe('cdn.example')
  })

  test('a scheme whose normal form begins with two slashes', async () => {
    const claims = { resource: '/a', expires: new Date('2031-01-01T00:00:00Z') }
    const odd: Scheme = {
      name: 'odd',
      carries: [],
      covers: [],
      parameters: [],
      algorithm: { hmac: 'SHA-256', encoding: 'hex' },
      keys: () => [key],
      write: () => ({ toSign: 'odd', link: (signature) => `/a?${signature}` }),
      read: (url) => ({
        claims,
        signature: url.slice('/a?'.length),
        toSign: () => 'odd',
        proves: () => ({ resource: '//evil.example/a' }),
      }),
    }
    // printf odd | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
    const link = '/a?d54ef2bb4befe8d56e2ab8124ca7bd1668745b4553272a1388f1cfb1b1f11b6c'
    expect(await verify(odd, link, at)).toEqual({ ok: false, reason: 'malformed', status: 400 })
    // The same scheme with another normal form, so that the signature is valid.
    expect(
      await verify({ ...odd, read: (url) => ({ ...(odd.read(url) as Reading), proves: () => ({ resource: '/b' }) }) }, link, at),
    ).toMatchObject({
      ok: true,
      claims: { resource: '/b' },
    })
  })
})

describe('an escaped climb out of a prefix', () => {
  // The slash in front of the dots is escaped, so these are not dot segments. Servers that decode it late would leave the folder.
  test.each(['/foo/%2F..', '/foo/%5C..', '/foo/a%2F..', '/foo/a%5C..', '/foo/%2f..%2fbar', '/foo/..%2F', '/foo/..%5Cbar'])(
    '%s is outside',
    async (path) => {
      for (const scheme of [links, inPath]) {
        const link = await sign(scheme, '/foo/a', { expires: '1h', prefix: '/foo/' }, at)
        expect(await verify(scheme, link.replace('/foo/a', path), at)).toMatchObject({ reason: 'wrong_path' })
        await expect(sign(scheme, path, { expires: '1h', prefix: '/foo/' }, at)).rejects.toMatchObject({ code: 'bad_option' })
      }
    },
  )
})

describe('lengths', () => {
  const overhead = async (scheme: Scheme, conditions: object) =>
    (await sign(scheme, '/', { expires: '1h', ...conditions } as { expires: '1h' }, at)).length

  test.each<[string, Scheme, object]>([
    ['hmac', links, {}],
    ['hmac with its token in the path', inPath, {}],
    ['pichax', pictures, { id: 'b' }],
    ['anyOf', anyOf(links, pictures) as unknown as Scheme, {}],
  ])('a link of %s has at most 16,384 characters', async (_name, scheme, conditions) => {
    const room = 16_384 - (await overhead(scheme, conditions))
    const signed = (length: number) => sign(scheme, `/${'x'.repeat(length)}`, { expires: '1h', ...conditions } as { expires: '1h' }, at)
    const longest = await signed(room)
    expect(longest.length).toBe(16_384)
    expect(await answers(scheme, longest)).toEqual(['ok', 'ok'])
    await expect(signed(room + 1)).rejects.toMatchObject({ name: 'LinkError', code: 'bad_option' })
    // The signature of pichax does not cover the path, so it is valid for this longer link, too.
    expect(await answers(scheme, longest.replace('/x', '/xx'))).toEqual(['malformed', 'malformed'])
    expect(await answers(scheme, `${longest}&`)).toEqual(['malformed', 'malformed'])
  })

  test('strings to sign that do not fit the shared buffer of 4,096 bytes', async () => {
    const url = (last: string) => `/a?q=${'x'.repeat(5999)}${last}`
    for (const scheme of [links, inPath]) {
      const link = await sign(scheme, url('y'), { expires: '1h' }, at)
      expect(await answers(scheme, link)).toEqual(['ok', 'ok'])
      expect(await answers(scheme, link.replace(url('y').slice(-6000), url('z').slice(-6000)))).toEqual(['bad_signature', 'bad_signature'])
    }
    // UTF-8 takes up to three bytes a unit, so 1,400 units may not fit. pichax signs its id as it is.
    const id = '€'.repeat(1400)
    const link = await sign(pictures, '/a', { expires: '1h', id: `${id}y` }, at)
    expect(await answers(pictures, link)).toEqual(['ok', 'ok'])
    expect(await answers(pictures, link.replace('y&expires', 'z&expires'))).toEqual(['bad_signature', 'bad_signature'])
  })
})

describe('the end of a long text is signed, too', () => {
  // Azure has no names of more than 1,024 characters.
  const covering = schemes.filter(
    ([name, { covers }, conditions]) => covers.includes('path') && !('prefix' in conditions) && name !== 'azure',
  )

  // Signatures, digests and hashes of requests are computed from one buffer of 4,096 bytes, where that is long enough.
  test.each(covering)('%s: a path of 6,000 characters, and its last one', async (_name, scheme, conditions) => {
    const path = (last: string) => `/videos/${'x'.repeat(6000)}${last}`
    const link = await sign(scheme, hostFor(scheme) + path('y'), { expires: '1h', ...conditions } as { expires: '1h' }, at)
    expect(await answers(scheme, link)).toEqual(['ok', 'ok'])
    expect(await answers(scheme, link.replace(path('y'), path('z')))).toEqual(['bad_signature', 'bad_signature'])
  })
})

test('a start within the first second of 1970 is refused, because rounded down it would be no start', async () => {
  const starting = (milliseconds: number) => sign(links, '/a', { expires: '1h', starts: new Date(milliseconds) }, at)
  for (const milliseconds of [0, 1, 500, 999])
    await expect(starting(milliseconds), `${milliseconds}`).rejects.toMatchObject({ name: 'LinkError', code: 'bad_option' })
  expect(await starting(1000)).toContain('starts=1&')
  expect(await starting(1999)).toContain('starts=1&')
})

describe('headers', () => {
  const expires = new Date('2031-01-01T00:00:00Z')
  const asking = (names: readonly string[], seen: unknown[]): Scheme => ({
    ...links,
    read: (url) => ({
      claims: { resource: url, expires },
      signature: 'A'.repeat(43),
      toSign({ header }) {
        for (const name of names) seen.push(header(name))
        return undefined
      },
    }),
  })

  test('a name that is not a token is that of a header that the request lacks', async () => {
    const names = [
      '',
      ' ',
      'a b',
      'a=b',
      'a:',
      'a\n',
      '\0',
      'ä',
      '(',
      '"',
      '@',
      '\ud83d',
      'a,b',
      '__proto__',
      'constructor',
      "~!#$%&'*+-.^_`|",
    ]
    for (const headers of [{ 'x-a': '1' }, undefined]) {
      const seen: unknown[] = []
      const scheme = asking([...names, 'x-a', 'X-A', 'x-b'], seen)
      expect(await verify(scheme, '/a', { ...at, ...(headers && { headers }) })).toMatchObject({ reason: 'bad_signature' })
      expect(seen).toEqual([...names.map(() => undefined), headers?.['x-a'], headers?.['x-a'], undefined])
      await verify(scheme, new Request('https://cdn.example/a', { headers: { 'x-a': '2' } }), at)
      expect(seen.slice(-3)).toEqual(['2', '2', undefined])
    }
  })

  test.each<[string, unknown]>([
    ['a name with a space', { 'hunter2 x': 'a' }],
    ['an empty name', { '': 'hunter2' }],
    ['a value with a line break', { authorization: 'hunter2\nx' }],
    ['a value beyond Latin-1', { authorization: 'hunter2 €' }],
    ['pairs of three', [['hunter2', 'a', 'b']]],
    ['a text', 'hunter2'],
  ])('%s throws, and the error does not repeat it', async (_what, headers) => {
    for (const work of [
      () => verify(links, '/a', { headers: headers as HeadersInit }),
      () => redeem(links, '/a', { headers: headers as HeadersInit, store: memoryStore() }),
    ]) {
      const error = await work().then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(error).toBeInstanceOf(LinkError)
      expect(error).toMatchObject({ code: 'bad_option', option: 'headers' })
      const { message, cause, stack } = error as LinkError
      expect(`${message} ${cause} ${stack}`).not.toContain('hunter2')
    }
  })
})

test('an address with a space is refused by sign', async () => {
  for (const ip of [': ffff:203.0.113.7', '0: 0000', ' 203.0.113.7', '203.0.113.7 ', ':: 1'])
    await expect(sign(links, '/a', { expires: '1h', ip }, at), ip).rejects.toMatchObject({ name: 'LinkError', code: 'bad_option' })
})

describe('the work for a text that is not a link is bounded', () => {
  /** Counts calls of decodeURIComponent and those that throw. */
  async function counted(work: () => unknown): Promise<{ calls: number; thrown: number }> {
    const real = globalThis.decodeURIComponent
    const counts = { calls: 0, thrown: 0 }
    vi.stubGlobal('decodeURIComponent', (text: string) => {
      counts.calls++
      try {
        return real(text)
      } catch (error) {
        counts.thrown++
        throw error
      }
    })
    try {
      await work()
    } finally {
      vi.unstubAllGlobals()
    }
    return counts
  }

  const pieces = ['&%', '&%61', '&%69', '&%zz', '&%69%', '&%C3', '&%69d=%', '&%69%64=%61', '&signature=%', '&%73ignature=%61']
  const filled = (piece: string, size = 16_000) => `/a?${piece.repeat(size / piece.length)}`

  test.each(pieces)('of 16 kB of %j, pichax decodes at most four values', async (piece) => {
    for (const end of ['', '&expires=1900000000&signature=00']) {
      const { calls } = await counted(() => verify(pictures, filled(piece) + end, at))
      expect(calls).toBeLessThanOrEqual(4)
    }
  })

  test.each(pieces)('of 16 kB of %j, hmac decodes at most its own values, and puts each name into canonical form once', async (piece) => {
    const parameters = 16_000 / piece.length
    for (const end of ['', `&expires=1900000000&signature=${'A'.repeat(43)}`]) {
      const replacing = vi.spyOn(String.prototype, 'replace')
      const { calls, thrown } = await counted(() => verify(links, filled(piece) + end, at))
      const replaced = replacing.mock.calls.length
      replacing.mockRestore()
      expect([calls <= 9, thrown]).toEqual([true, 0])
      expect(replaced).toBeLessThan(parameters + 20)
    }
  })

  test.each(['&%', '&%61', '&%zz'])('of 16 kB of %j, anyOf with eight pichax schemes decodes at most 32 values', async (piece) => {
    const eight = Array.from({ length: 8 }, (_, i) => pichax({ id: `${i}`, secret })) as unknown as Scheme[]
    const [first, ...others] = eight as [Scheme, ...Scheme[]]
    expect((await counted(() => verify(anyOf(first, ...others), filled(piece), at))).calls).toBeLessThanOrEqual(32)
  })

  test('pichax reads its parameters in every spelling of their names, and not those with similar names', () => {
    const expires = '1900000000'
    const signature = '0'.repeat(64)
    const read = (query: string) => pictures.read(`/a?${query}`)
    for (const id of ['id', '%69d', 'i%64', '%69%64'])
      expect(read(`${id}=x&expires=${expires}&k%65y=k&sig%6Eatur%65=${signature}`), id).toMatchObject({
        claims: { id: 'x', keyId: 'k', resource: '/a' },
      })
    for (const id of ['Id', '%49d', '%2569d', 'id%00', '%69', 'id%'])
      expect(read(`${id}=x&expires=${expires}&key=k&signature=${signature}`), id).toEqual({ malformed: 'id' })
  })

  test('texts longer than a link are not read', async () => {
    const read = vi.fn(() => 'unsigned' as const)
    const spied = { ...links, read } as unknown as Scheme
    for (const scheme of [spied, anyOf(spied, spied)]) {
      const text = `/${'x'.repeat(16_384)}`
      expect(await verify(scheme, text, at)).toMatchObject({ reason: 'malformed' })
      expect(inspect(scheme, text)).toBeUndefined()
    }
    expect(read).not.toHaveBeenCalled()
    expect(pictures.read(filled('&%', 1_000_000))).toBe('malformed')
    expect((await counted(() => pictures.read(`${filled('&id=%', 1_000_000)}`))).calls).toBe(0)
  })
})
