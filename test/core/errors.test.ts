// Mistakes of programmers: each throws a LinkError with its code and a sentence, and no sentence holds a secret, a signature or a link.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { cacheControl, confirm, guard } from '../../src/guard.ts'
import { listener, middleware } from '../../src/node.ts'
import { anyOf, hmac, inspect, LinkError, type LinkErrorCode, redeem, type Scheme, sign, verify } from '../../src/index.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const secret = 'an-extremely-secret-secret-of-44-characters!'
const links = hmac({ id: 'ring-one', secret })
const pictures = pichax({ id: 'px_test_exampleKey', secret })
const url = 'https://cdn.example/private-folder/report.pdf'
const good = await sign(links, url, { expires: '10m' })

// Whatever a plain JavaScript caller may hand over.
const signAnyhow = (scheme: Scheme, address: unknown, conditions?: unknown, options?: object) =>
  sign(scheme, address as string, conditions as { expires: '1h' }, options)
const expiring = (expires: unknown) => () => signAnyhow(links, url, { expires })
const asking = (more: object) => () => signAnyhow(links, url, { expires: '1h', ...more })
const signing = (address: unknown) => () => signAnyhow(links, address, { expires: '1h' })
const verifying = (options: object) => () => verify(links, good, options)

/** The error, wherever it comes from: thrown at once or by the promise. */
async function mistake(call: () => unknown): Promise<LinkError> {
  let answer: unknown
  try {
    answer = await call()
  } catch (error) {
    expect(error).toBeInstanceOf(LinkError)
    return error as LinkError
  }
  throw new Error(`no mistake: ${JSON.stringify(answer)}`)
}

type Row = [what: string, code: LinkErrorCode, call: () => unknown]

async function hold(code: LinkErrorCode, call: () => unknown): Promise<void> {
  const error = await mistake(call)
  expect(error).toBeInstanceOf(Error)
  expect(error.code).toBe(code)
  expect(error.name).toBe('LinkError')
  // A sentence: some words, on one line, of a length that a log bears.
  expect(error.message).toMatch(/^\S+( \S+){3,}$/)
  expect(error.message.length).toBeLessThan(250)
  const signature = good.split('signature=')[1] as string
  for (const text of [secret, 'umlaut', 'private-folder', 'cdn.example', 'hunter2', signature])
    expect(`${error}${error.cause ?? ''}`).not.toContain(text)
}

const day = 86_400_000
const handler = () => new Response('the file')
const plain = (value: unknown) => value as never
const handlers: Row[] = [
  // As Amazon's own library names them; there is no id, which says more than that there is no secret.
  ['keys of s3 under other names', 'bad_option', () => s3(plain({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: secret }))],
  ['no keys of s3', 'bad_option', () => s3(plain(undefined))],
  ['redeem has no options', 'bad_option', () => redeem(links, good, plain(undefined))],
  ['guard has no handler', 'bad_option', () => guard(links, plain(undefined))],
  ['guard has no scheme', 'bad_option', () => guard(plain(undefined), handler)],
  ['guard has its arguments the wrong way round', 'bad_option', () => guard(plain(handler), plain(links))],
  ['guard gets an address where it takes a function', 'bad_option', () => guard(links, handler, { ip: plain('203.0.113.7') })],
  ['guard gets an option that there is not', 'bad_option', () => guard(links, handler, plain({ revoke: () => true }))],
  ['confirm has no options', 'bad_option', () => confirm(links, plain(undefined))],
  ['confirm has no scheme', 'bad_option', () => confirm(plain(undefined), { store: memoryStore(), redirect: '/' })],
  [
    'confirm gets an address where it takes a function',
    'bad_option',
    () => confirm(links, { store: memoryStore(), redirect: '/', ip: plain('203.0.113.7') }),
  ],
  ['cacheControl gets the link', 'bad_option', () => cacheControl(plain(good))],
  ['cacheControl gets a promise', 'bad_option', () => cacheControl(plain(verify(links, good)))],
  ['cacheControl gets nothing', 'bad_option', () => cacheControl(plain(undefined))],
  ['middleware has no scheme', 'bad_option', () => middleware(plain(undefined))],
  ['listener gets a scheme', 'bad_option', () => listener(plain(links))],
]

const keys: Row[] = [
  ['an empty ring signs', 'no_key', () => sign(hmac([]), url, { expires: '1h' })],
  ['an empty ring verifies', 'no_key', () => verify(hmac([]), good)],
  ['an empty ring redeems', 'no_key', () => redeem(hmac([]), good, { store: memoryStore() })],
  ['an empty pichax ring signs', 'no_key', () => sign(pichax([]), url, { expires: '1h', id: '7' })],
  ['a key whose time is over signs', 'no_key', () => sign(hmac({ secret, expires: new Date(Date.now() - day) }), url, { expires: '1h' })],
  [
    'a key whose time is yet to come signs',
    'no_key',
    () => sign(hmac({ secret, starts: new Date(Date.now() + day) }), url, { expires: '1h' }),
  ],
  [
    'a key that expires at an invalid date signs',
    'bad_option',
    () => sign(hmac({ secret, expires: new Date('soon') }), url, { expires: '1h' }),
  ],
  ['31 characters', 'weak_key', () => hmac({ secret: 'umlaut'.padEnd(31, 'x') })],
  ['15 umlauts, which are 30 bytes', 'weak_key', () => hmac({ secret: 'ä'.repeat(15) })],
  ['31 bytes', 'weak_key', () => hmac({ secret: new Uint8Array(31) })],
  ['a CryptoKey of 31 bytes', 'weak_key', async () => hmac({ secret: await cryptoKey('SHA-256', 31) })],
  ['an empty secret', 'weak_key', () => hmac({ secret: '' })],
  ['an empty secret for pichax', 'weak_key', () => pichax({ id: 'px', secret: '' })],
  ['no secret', 'weak_key', () => hmac({} as { secret: string })],
  ['a secret that is not there', 'weak_key', () => hmac({ secret: undefined as unknown as string })],
  ['the second key of the ring', 'weak_key', () => hmac([{ secret }, { secret: 'hunter2' }])],
  [
    'a CryptoKey for another hash signs',
    'bad_option',
    async () => sign(hmac({ secret: await cryptoKey('SHA-512', 64) }), url, { expires: '1h' }),
  ],
  [
    'a CryptoKey for another hash verifies',
    'bad_option',
    async () => verify(hmac({ id: 'ring-one', secret: await cryptoKey('SHA-512', 64) }), good),
  ],
  [
    'a CryptoKey that is none for HMAC',
    'bad_option',
    async () =>
      sign(hmac({ secret: await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']) }), url, { expires: '1h' }),
  ],
  ['a number for the id of a key', 'bad_option', () => hmac({ id: 7 as unknown as string, secret })],
  ['a misspelt option', 'bad_option', () => hmac({ secret }, { purposes: 'mail' } as object)],
  ['an option of another scheme', 'bad_option', () => hmac({ secret }, { algorithm: 'sha256' } as object)],
  ['a placement in capitals', 'bad_option', () => hmac({ secret }, { placement: 'Path' as 'path' })],
  ['ignore: one name', 'bad_option', () => hmac({ secret }, { ignore: 'utm_*' as unknown as string[] })],
  ['a parameter with an odd name', 'bad_option', () => hmac({ secret }, { parameters: { id: 'a b' } })],
  ['two parameters of one name', 'bad_option', () => hmac({ secret }, { parameters: { id: 'expires' } })],
  ['no conditions', 'bad_option', () => signAnyhow(links, url, undefined as unknown as object)],
  ['nothing visits', 'bad_option', () => verify(links, undefined as unknown as string)],
  ['the ip of a visit is a number', 'bad_option', () => verify(links, good, { ip: 7 as unknown as string })],
  ['a pichax key without id', 'bad_option', () => pichax({ secret } as { id: string; secret: string })],
  ['anyOf with keys instead of schemes', 'bad_option', () => anyOf({ secret } as unknown as Scheme)],
  ['anyOf without schemes', 'bad_option', () => anyOf(undefined as unknown as Scheme)],
]

function cryptoKey(hash: string, bytes: number): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new Uint8Array(bytes), { name: 'HMAC', hash }, false, ['sign', 'verify'])
}

// A whole second: expiries are rounded up.
const present = new Date(1_900_000_000_000)
const expiries: Row[] = [
  ...[3600, 1_900_000_000, 1_900_000_000_000, Number.NaN, Infinity, 0, -1].map((n): Row => [`the number ${n}`, 'bad_option', expiring(n)]),
  ...[
    '10 minutes',
    '10',
    '1900000000',
    '',
    ' 10m',
    '10m ',
    '10M',
    '-10m',
    '+10m',
    '1e3s',
    '.5h',
    '10m30s',
    '1w',
    '٣m',
    '\n',
    '10m\n',
    'm',
  ].map((text): Row => [`the text ${JSON.stringify(text)}`, 'bad_option', expiring(text)]),
  ...[undefined, null, true, {}, [], ['10m'], { valueOf: () => 9e12 }].map(
    (value): Row => [`the value ${JSON.stringify(value)}`, 'bad_option', expiring(value)],
  ),
  ['a bigint', 'bad_option', expiring(1_900_000_000n)],
  ['an invalid Date', 'bad_option', expiring(new Date('tomorrow'))],
  ['a Date of a minute ago', 'bad_option', expiring(new Date(Date.now() - 60_000))],
  ['a Date before 1970', 'bad_option', expiring(new Date(-1))],
  ['a Date after the year 5138', 'bad_option', expiring(new Date(100_000_000_000_000))],
  ['milliseconds, taken for a number of days', 'bad_option', expiring('999999999d')],
  ['the present moment', 'bad_option', () => sign(links, url, { expires: present }, { now: () => present })],
  [
    'no time at all between two seconds',
    'bad_option',
    () => sign(links, url, { expires: '0s' }, { now: () => new Date(1_900_000_000_500) }),
  ],
  ['no time at all', 'bad_option', () => sign(links, url, { expires: '0s' }, { now: () => present })],
]

const conditions: Row[] = [
  ['ip with pichax', 'unsupported_condition', () => signAnyhow(pictures, url, { expires: '1h', id: '7', ip: '203.0.113.7' })],
  ['uses with pichax', 'unsupported_condition', () => signAnyhow(pictures, url, { expires: '1h', id: '7', uses: 1 })],
  ['foo with hmac', 'unsupported_condition', asking({ foo: 1 })],
  ['a misspelt condition', 'unsupported_condition', asking({ methods: 'GET' })],
  ['expire instead of expires', 'unsupported_condition', () => signAnyhow(links, url, { expire: '1h' })],
  ['a condition with a long name', 'unsupported_condition', asking({ ['x'.repeat(10_000)]: 1 })],
  ['pichax without id', 'bad_option', () => signAnyhow(pictures, url, { expires: '1h' })],
  ['pichax with an empty id', 'bad_option', () => signAnyhow(pictures, url, { expires: '1h', id: '' })],
  ['an empty id', 'bad_option', asking({ id: '' })],
  ['an address that is not known', 'bad_option', asking({ ip: undefined })],
  ['uses that are undefined', 'bad_option', asking({ uses: undefined })],
  ['half a surrogate pair in an id', 'bad_option', asking({ id: '\ud83d' })],
  ...[0, -1, 1.5, Number.NaN, Infinity, 1e9, '1', true].map(
    (uses): Row => [`uses: ${JSON.stringify(uses)} (${uses})`, 'bad_option', asking({ uses })],
  ),
  ...['', ' ', 'G ET', 'POST,GET', 'GET,GET', 'G\nET', [], [''], ['GET', 'é']].map(
    (method): Row => [`method: ${JSON.stringify(method)}`, 'bad_option', asking({ method })],
  ),
  ...[
    '',
    'localhost',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.07',
    '203.0.113.7/33',
    '203.0.113.7/',
    '203.0.113.7/-1',
    '2001:db8::/129',
    '2001:db8:::1',
    '1::2::3',
  ].map((ip): Row => [`ip: ${JSON.stringify(ip)}`, 'bad_option', asking({ ip })]),
  ...[
    '',
    'private-folder/',
    '/other/',
    '/private-folder/report',
    '/private-folder/report.pdf/',
    '/private',
    '/private-folder/?',
    '/#',
    '/\n',
    '/\\',
  ].map((prefix): Row => [`prefix: ${JSON.stringify(prefix)}`, 'bad_option', asking({ prefix })]),
  [
    'a prefix that the URL climbs out of',
    'bad_option',
    () => sign(links, '/private-folder/..%2Fetc', { expires: '1h', prefix: '/private-folder/' }),
  ],
  ['starts after expires', 'bad_option', asking({ starts: '2h' })],
  ['starts with expires', 'bad_option', asking({ starts: present, expires: present })],
  ['starts before 1970', 'bad_option', asking({ starts: new Date(-1) })],
  ['starts: a number', 'bad_option', asking({ starts: 1_900_000_000 })],
  ['starts: an invalid Date', 'bad_option', asking({ starts: new Date('x') })],
  ...['0s', '1.5s', '10 minutes', 60, new Date(9e12)].map((align): Row => [`align: ${align}`, 'bad_option', asking({ align })]),
]

const urls: Row[] = [
  ...[
    '',
    'report.pdf',
    './report.pdf',
    '?page=2',
    '#top',
    'cdn.example/x',
    'https:',
    'https://',
    'https:/x',
    'mailto:a@cdn.example',
    'data:,private-folder',
  ].map((text): Row => [`${JSON.stringify(text)} is no absolute URL and no path`, 'bad_option', signing(text)]),
  ...['https://hunter2@cdn.example/', 'https://name:hunter2@cdn.example/x', 'https://cdn.example@hunter2/x'].map(
    (text): Row => [`${text} has a user name`, 'bad_option', signing(text)],
  ),
  ...[0, 9, 10, 13, 31, 127].map(
    (code): Row => [`character ${code}`, 'bad_option', signing(`/private-folder/${String.fromCharCode(code)}x`)],
  ),
  ['a line feed in the query', 'bad_option', signing('/x?a=\nb')],
  ...[0, 1, 27, 127].map((code): Row => [`character ${code} at the end`, 'bad_option', signing(`/x${String.fromCharCode(code)}`)]),
  ['a line feed in the fragment', 'bad_option', signing('/x#\n')],
  ['a space in front', 'bad_option', signing(' /x')],
  ['a space at the end', 'bad_option', signing('/x ')],
  ['a backslash in the path', 'bad_option', signing('/private-folder\\report.pdf')],
  ['a backslash for a slash', 'bad_option', signing('https:\\\\cdn.example/x')],
  ['a backslash in the host', 'bad_option', signing('https://cdn.example\\@hunter2/x')],
  ['the first half of a surrogate pair', 'bad_option', signing('/private-folder/\ud83d')],
  ['the second half of a surrogate pair', 'bad_option', signing('/private-folder/\ude00')],
  ['half a surrogate pair in the query', 'bad_option', signing('/x?q=\ud83d')],
  ['16385 characters', 'bad_option', signing(`/${'x'.repeat(16_384)}`)],
  ['16384 characters, and no room for the parameters', 'bad_option', signing(`/${'x'.repeat(16_383)}`)],
  ['a number', 'bad_option', signing(7)],
  ['nothing', 'bad_option', signing(undefined)],
  ['a link', 'already_signed', signing(good)],
  [
    'a pichax link',
    'already_signed',
    async () => signAnyhow(pictures, await sign(pictures, url, { expires: '1h', id: '7' }), { expires: '1h', id: '7' }),
  ],
  [
    'a link with its token in the path',
    'already_signed',
    async () => signAnyhow(inPath, await sign(inPath, url, { expires: '1h' }), { expires: '1h' }),
  ],
  ['a link through anyOf', 'already_signed', () => signAnyhow(anyOf(links, pictures), good, { expires: '1h' })],
  ...['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key', 'signature', '%69d', 'e%78pires'].map(
    (name): Row => [`a parameter ${name} of its own`, 'bad_option', signing(`${url}?${name}=7`)],
  ),
  ...['id', 'expires', 'key', 'signature'].map(
    (name): Row => [
      `a parameter ${name} of its own, for pichax`,
      'bad_option',
      () => signAnyhow(pictures, `${url}?${name}=7`, { expires: '1h', id: '7' }),
    ],
  ),
]
const inPath = hmac({ secret }, { placement: 'path' })

const options: Row[] = [
  ...['5 minutes', '', '-1s', 60, 0, null, {}].map(
    (tolerance): Row => [`tolerance: ${JSON.stringify(tolerance)}`, 'bad_option', verifying({ tolerance })],
  ),
  // Seconds would open what has long expired.
  ...[() => 1_700_000_000, () => new Date('x'), () => undefined, () => '2030-01-01'].map(
    (now): Row => [`now: ${now}`, 'bad_option', verifying({ now })],
  ),
  ['now of sign', 'bad_option', () => signAnyhow(links, url, { expires: '1h' }, { now: () => 1_700_000_000 })],
  ['a visit that is a number', 'bad_option', () => verify(links, 7 as unknown as string)],
  ['a visit that is any object', 'bad_option', () => verify(links, { address: good } as unknown as string)],
  ['redeem without store', 'bad_option', () => redeem(links, good, {} as { store: ReturnType<typeof memoryStore> })],
  [
    'redeem with a store that cannot take',
    'bad_option',
    () => redeem(links, good, { store: new Map() as unknown as ReturnType<typeof memoryStore> }),
  ],
  ['two parameters of one name', 'bad_option', () => hmac({ secret }, { parameters: { id: 'key' } })],
  ['a parameter without name', 'bad_option', () => hmac({ secret }, { parameters: { id: '' } })],
  ['a parameter with a name that needs escapes', 'bad_option', () => hmac({ secret }, { parameters: { id: 'a b' } })],
]

const tables = { keys, expiries, conditions, urls, options, handlers }
for (const [name, rows] of Object.entries(tables)) describe(name, () => test.each(rows)('%s: %s', (_what, code, call) => hold(code, call)))

// The compiler sees these. What counts at run time is that they throw, and that nothing is signed.
describe('values of a wrong kind', () => {
  test.each([
    ['no conditions', () => signAnyhow(links, url)],
    ['null for conditions', () => signAnyhow(links, url, null)],
    ['method: 7', asking({ method: 7 })],
    ['prefix: 7', asking({ prefix: 7 })],
    ['ip: 7', asking({ ip: 7 })],
    ['id: {}', asking({ id: {} })],
    // Dropped in silence, these would make a link that opens for more visits than were meant.
    ...['starts', 'method', 'ip', 'prefix', 'uses', 'id'].flatMap((name) =>
      [null, false, 0].map((value) => [`${name}: ${value}`, asking({ [name]: value })]),
    ),
    ['no visit', () => verify(links, undefined as unknown as string)],
    ['a visit that is null', () => verify(links, null as unknown as string)],
    ['no options for redeem', () => redeem(links, good, undefined as unknown as { store: ReturnType<typeof memoryStore> })],
    ['now: a Date', verifying({ now: present })],
    ['no scheme', () => signAnyhow(undefined as unknown as Scheme, url, { expires: '1h' })],
    ['no keys', () => signAnyhow(hmac(undefined as unknown as []), url, { expires: '1h' })],
  ] as [string, () => unknown][])('%s', async (_what, call) => {
    const error: Error = await (async () => call())().then(
      (answer) => expect.fail(`no mistake: ${JSON.stringify(answer)}`),
      (error) => error,
    )
    expect(error).toBeInstanceOf(Error)
    for (const text of [secret, 'private-folder']) expect(`${error}`).not.toContain(text)
  })
})

describe('no crypto.subtle', () => {
  afterEach(() => vi.unstubAllGlobals())

  test.each([
    ['no subtle, as on a page over plain http', { getRandomValues: (bytes: Uint8Array) => bytes }],
    ['no crypto', undefined],
  ])('%s', async (_what, stub) => {
    vi.stubGlobal('crypto', stub)
    await hold('no_webcrypto', () => sign(hmac({ secret }), url, { expires: '1h' }))
    await hold('no_webcrypto', () => verify(hmac({ id: 'ring-one', secret }), good))
    // Reading needs none, and neither does a refusal that comes before the signature.
    expect(inspect(hmac([]), good)?.unverified.resource).toBe(url)
    expect(await verify(links, url)).toMatchObject({ reason: 'unsigned' })
  })

  test('a key of an earlier moment does not hide it', async () => {
    vi.stubGlobal('crypto', {})
    await hold('no_webcrypto', () => verify(links, good))
  })
})

describe('no mistake', () => {
  test.each([
    ['20 umlauts are 40 bytes', () => sign(hmac({ secret: 'ä'.repeat(20) }), url, { expires: '1h' })],
    ['16 umlauts are 32 bytes', () => sign(hmac({ secret: 'ä'.repeat(16) }), url, { expires: '1h' })],
    ['32 bytes', () => sign(hmac({ secret: new Uint8Array(32) }), url, { expires: '1h' })],
    ['a CryptoKey', async () => sign(hmac({ secret: await cryptoKey('SHA-256', 32) }), url, { expires: '1h' })],
    ['a fraction', () => sign(links, url, { expires: '1.5h' })],
    ['a fragment', signing('/x#top')],
    ['a backslash in the query', signing('/x?a=\\')],
    ['a space inside', signing('/a b')],
    ['a character of two units', signing('/😀')],
    ['a URL object', signing(new URL(url))],
    ['a tolerance above the cap', verifying({ tolerance: '1h' })],
  ] as [string, () => unknown][])('%s', (_what, call) => expect((async () => call())()).resolves.toBeTruthy())

  test('an address that is none is only a wrong one: a visitor may have sent it', async () => {
    const link = await sign(links, url, { expires: '1h', ip: '203.0.113.7' })
    for (const ip of ['', 'unknown', '203.0.113.7, 10.0.0.1', '\0'])
      expect(await verify(links, link, { ip })).toMatchObject({ reason: 'wrong_ip' })
  })

  test('printing a scheme shows no secret', () => {
    const { inspect: print } = process.getBuiltinModule('node:util')
    for (const scheme of [links, pictures, anyOf(links, pictures)]) {
      expect(JSON.stringify(scheme)).not.toContain(secret)
      expect(print(scheme, { depth: 9, showHidden: true })).not.toContain(secret)
    }
  })
})
