// Mistakes of programmers: each throws a LinkError with its code, the option that is wrong, and a sentence in one grammar. No sentence holds a
// secret, a signature or a link.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { cacheControl, confirm, guard } from '../../src/guard.ts'
import { anyOf, hmac, inspect, LinkError, type LinkErrorCode, redeem, type Scheme, sign, verify } from '../../src/index.ts'
import { listener, middleware } from '../../src/node.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const secret = 'an-extremely-secret-secret-of-44-characters!'
const links = hmac({ id: 'ring-one', secret })
const pictures = pichax({ id: 'px_test_exampleKey', secret })
const url = 'https://cdn.example/private-folder/report.pdf'
const good = await sign(links, url, { expires: '10m' })

// Values that a caller without TypeScript can pass.
const signAnyhow = (scheme: Scheme, address: unknown, conditions?: unknown, options?: object) =>
  sign(scheme, address as string, conditions as { expires: '1h' }, options)
const expiring = (expires: unknown) => () => signAnyhow(links, url, { expires })
const asking = (more: object) => () => signAnyhow(links, url, { expires: '1h', ...more })
const signing = (address: unknown) => () => signAnyhow(links, address, { expires: '1h' })
const verifying = (options: object) => () => verify(links, good, options)

/** The error of a call, thrown at once or through its promise. */
async function mistake(call: () => unknown): Promise<LinkError> {
  let answer: unknown
  try {
    answer = await call()
  } catch (error) {
    expect(error).toBeInstanceOf(LinkError)
    return error as LinkError
  }
  throw new Error(`nothing was thrown: ${JSON.stringify(answer)}`)
}

type Row = [what: string, code: LinkErrorCode, option: string | undefined, call: () => unknown]

/** The two forms of a message about an option. `must be` names the option that `error.option` names. */
function assertGrammar({ message, option }: LinkError): void {
  const name = option?.replace(/[^\w]/g, '\\$&')
  expect(message).toMatch(new RegExp(`^(${name} must be |unknown option '${name}'; |\\S+ links cannot carry the condition '${name}'; )`))
}

async function assertMistake(code: LinkErrorCode, option: string | undefined, call: () => unknown): Promise<void> {
  const error = await mistake(call)
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'LinkError', code, option })
  if (option !== undefined) assertGrammar(error)
  // A sentence on one line, of a length that a log can hold.
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
  // As Amazon's own library names them. The error is about the missing id, because an id that is given under another name says more.
  ['keys of s3 under other names', 'bad_option', 'id', () => s3(plain({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: secret }))],
  ['s3 without keys', 'bad_option', 'id', () => s3(plain(undefined))],
  ['redeem without options', 'bad_option', 'store', () => redeem(links, good, plain(undefined))],
  ['guard without a handler', 'bad_option', 'handler', () => guard(links, plain(undefined))],
  ['guard without a scheme', 'bad_option', 'scheme', () => guard(plain(undefined), handler)],
  ['guard with swapped arguments', 'bad_option', 'scheme', () => guard(plain(handler), plain(links))],
  ['guard with an address in place of a function', 'bad_option', 'ip', () => guard(links, handler, { ip: plain('203.0.113.7') })],
  ['guard with an unknown option', 'bad_option', 'revoke', () => guard(links, handler, plain({ revoke: () => true }))],
  ['confirm without options', 'bad_option', 'options', () => confirm(links, plain(undefined))],
  ['confirm without a scheme', 'bad_option', 'scheme', () => confirm(plain(undefined), { store: memoryStore(), redirect: '/' })],
  [
    'confirm with an address in place of a function',
    'bad_option',
    'ip',
    () => confirm(links, { store: memoryStore(), redirect: '/', ip: plain('203.0.113.7') }),
  ],
  ['cacheControl with a link', 'bad_option', 'verdict', () => cacheControl(plain(good))],
  ['cacheControl with a promise', 'bad_option', 'verdict', () => cacheControl(plain(verify(links, good)))],
  ['cacheControl without arguments', 'bad_option', 'verdict', () => cacheControl(plain(undefined))],
  ['middleware without a scheme', 'bad_option', 'scheme', () => middleware(plain(undefined))],
  ['listener with a scheme', 'bad_option', 'handler', () => listener(plain(links))],
]

const hour = { expires: '1h' } as const
const keys: Row[] = [
  ['an empty keyring signs', 'no_key', 'keys', () => sign(hmac([]), url, hour)],
  ['an empty keyring verifies', 'no_key', 'keys', () => verify(hmac([]), good)],
  ['an empty keyring redeems', 'no_key', 'keys', () => redeem(hmac([]), good, { store: memoryStore() })],
  ['an empty keyring of pichax signs', 'no_key', 'keys', () => sign(pichax([]), url, { ...hour, id: '7' })],
  ['an expired key signs', 'no_key', 'keys', () => sign(hmac({ secret, expires: new Date(Date.now() - day) }), url, hour)],
  ['a key that starts tomorrow signs', 'no_key', 'keys', () => sign(hmac({ secret, starts: new Date(Date.now() + day) }), url, hour)],
  [
    'a lookup without a key for signing',
    'no_key',
    'keys',
    () =>
      sign(
        hmac(() => undefined),
        url,
        hour,
      ),
  ],
  [
    'a lookup that answers with an empty keyring',
    'no_key',
    'keys',
    () =>
      sign(
        hmac(async () => []),
        url,
        hour,
      ),
  ],
  [
    'a lookup that answers with a short secret',
    'weak_key',
    'secret',
    () =>
      sign(
        hmac(() => ({ secret: 'hunter2' })),
        url,
        hour,
      ),
  ],
  [
    'a lookup that answers with a bare secret',
    'bad_option',
    'keys',
    () =>
      sign(
        hmac(() => plain(secret)),
        url,
        hour,
      ),
  ],
  ['a key with an invalid date', 'bad_option', 'expires', () => hmac({ secret, expires: new Date('soon') })],
  ['31 characters', 'weak_key', 'secret', () => hmac({ secret: 'umlaut'.padEnd(31, 'x') })],
  ['15 umlauts, which are 30 bytes', 'weak_key', 'secret', () => hmac({ secret: 'ä'.repeat(15) })],
  ['31 bytes', 'weak_key', 'secret', () => hmac({ secret: new Uint8Array(31) })],
  ['a CryptoKey of 31 bytes', 'weak_key', 'secret', async () => hmac({ secret: await cryptoKey('SHA-256', 31) })],
  ['an empty secret', 'weak_key', 'secret', () => hmac({ secret: '' })],
  ['an empty secret for pichax', 'weak_key', 'secret', () => pichax({ id: 'px', secret: '' })],
  ['a key without a secret', 'weak_key', 'secret', () => hmac({} as { secret: string })],
  ['a secret that is undefined', 'weak_key', 'secret', () => hmac({ secret: undefined as unknown as string })],
  ['the second key of a keyring is short', 'weak_key', 'secret', () => hmac([{ secret }, { secret: 'hunter2' }])],
  [
    'a CryptoKey for another hash signs',
    'bad_option',
    'secret',
    async () => sign(hmac({ secret: await cryptoKey('SHA-512', 64) }), url, hour),
  ],
  [
    'a CryptoKey for another hash verifies',
    'bad_option',
    'secret',
    async () => verify(hmac({ id: 'ring-one', secret: await cryptoKey('SHA-512', 64) }), good),
  ],
  [
    'a CryptoKey for encryption',
    'bad_option',
    'secret',
    async () => hmac({ secret: await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']) }),
  ],
  ['a number for the id of a key', 'bad_option', 'id', () => hmac({ id: 7 as unknown as string, secret })],
  ['a misspelt option', 'bad_option', 'purposes', () => hmac({ secret }, { purposes: 'mail' } as object)],
  ['an option of another scheme', 'bad_option', 'algorithm', () => hmac({ secret }, { algorithm: 'sha256' } as object)],
  ['a placement in capitals', 'bad_option', 'placement', () => hmac({ secret }, { placement: 'Path' as 'path' })],
  ['a single name for ignore', 'bad_option', 'ignore', () => hmac({ secret }, { ignore: 'utm_*' as unknown as string[] })],
  ['a parameter whose name needs escapes', 'bad_option', 'parameters', () => hmac({ secret }, { parameters: { id: 'a b' } })],
  ['a parameter without a name', 'bad_option', 'parameters', () => hmac({ secret }, { parameters: { id: '' } })],
  ['two parameters of one name', 'bad_option', 'parameters', () => hmac({ secret }, { parameters: { id: 'expires' } })],
  ['a misspelt parameter', 'bad_option', 'expiry', () => hmac({ secret }, { parameters: { expiry: 'e' } as object })],
  ['a pichax key without id', 'bad_option', 'id', () => pichax({ secret } as { id: string; secret: string })],
  ['anyOf with keys in place of schemes', 'bad_option', 'scheme', () => anyOf({ secret } as unknown as Scheme)],
  ['anyOf with an object that only reads', 'bad_option', 'scheme', () => anyOf({ read: () => 'unsigned' } as unknown as Scheme)],
  ['anyOf with an object that only writes', 'bad_option', 'scheme', () => anyOf({ write: () => ({}) } as unknown as Scheme)],
  ['anyOf without schemes', 'bad_option', 'scheme', () => anyOf(undefined as unknown as Scheme)],
]

function cryptoKey(hash: string, bytes: number): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new Uint8Array(bytes), { name: 'HMAC', hash }, false, ['sign', 'verify'])
}

// A whole second: expiries are rounded up.
const present = new Date(1_900_000_000_000)
const WRONG_NUMBERS = [3600, 1_900_000_000, 1_900_000_000_000, Number.NaN, Infinity, 0, -1]
const WRONG_DURATIONS = [
  ...['10 minutes', '10', '1900000000', '', ' 10m', '10m ', '10M', '-10m', '+10m', '1e3s', '.5h', '10m30s', '1w', '٣m', '\n', '10m\n', 'm'],
  'Never',
]
const WRONG_VALUES: unknown[] = [undefined, null, true, {}, [], ['10m'], { valueOf: () => 9e12 }]
const expiries: Row[] = [
  ...WRONG_NUMBERS.map((n): Row => [`the number ${n}`, 'bad_option', 'expires', expiring(n)]),
  ...WRONG_DURATIONS.map((text): Row => [`the string ${JSON.stringify(text)}`, 'bad_option', 'expires', expiring(text)]),
  ...WRONG_VALUES.map((value): Row => [`the value ${JSON.stringify(value)}`, 'bad_option', 'expires', expiring(value)]),
  ['a bigint', 'bad_option', 'expires', expiring(1_900_000_000n)],
  ['an invalid Date', 'bad_option', 'expires', expiring(new Date('tomorrow'))],
  ['a Date of a minute ago', 'bad_option', 'expires', expiring(new Date(Date.now() - 60_000))],
  ['a Date before 1970', 'bad_option', 'expires', expiring(new Date(-1))],
  ['a Date after the year 5138', 'bad_option', 'expires', expiring(new Date(100_000_000_000_000))],
  ['milliseconds, taken for a number of days', 'bad_option', 'expires', expiring('999999999d')],
  ['the present', 'bad_option', 'expires', () => sign(links, url, { expires: present }, { now: () => present })],
  [
    'a duration of zero between two seconds',
    'bad_option',
    'expires',
    () => sign(links, url, { expires: '0s' }, { now: () => new Date(1_900_000_000_500) }),
  ],
  ['a duration of zero', 'bad_option', 'expires', () => sign(links, url, { expires: '0s' }, { now: () => present })],
  ['never, with links that always expire', 'unsupported_condition', 'expires', expiring('never')],
]

const WRONG_USES = [0, -1, 1.5, Number.NaN, Infinity, 1e9, '1', true]
const WRONG_METHODS = ['', ' ', 'G ET', 'POST,GET', 'GET,GET', 'G\nET', [], [''], ['GET', 'é']]
const WRONG_ADDRESSES = [
  ...['', 'localhost', '203.0.113', '203.0.113.256', '203.0.113.07', '203.0.113.7/33', '203.0.113.7/', '203.0.113.7/-1'],
  ...['2001:db8::/129', '2001:db8:::1', '1::2::3'],
]
const WRONG_PREFIXES = [
  ...['', 'private-folder/', '/other/', '/private-folder/report', '/private-folder/report.pdf/', '/private', '/private-folder/?'],
  ...['/#', '/\n', '/\\'],
]
const WRONG_ALIGNMENTS = ['0s', '1.5s', '10 minutes', 60, new Date(9e12)]
const conditions: Row[] = [
  ['an id that is a number', 'bad_option', 'id', asking({ id: 7 })],
  ['ip with pichax', 'unsupported_condition', 'ip', () => signAnyhow(pictures, url, { ...hour, id: '7', ip: '203.0.113.7' })],
  ['uses with pichax', 'unsupported_condition', 'uses', () => signAnyhow(pictures, url, { ...hour, id: '7', uses: 1 })],
  ['foo with hmac', 'bad_option', 'foo', asking({ foo: 1 })],
  ['a misspelt condition', 'bad_option', 'methods', asking({ methods: 'GET' })],
  ['expire in place of expires', 'bad_option', 'expire', () => signAnyhow(links, url, { expire: '1h' })],
  ['pichax without id', 'bad_option', 'id', () => signAnyhow(pictures, url, hour)],
  ['pichax with an empty id', 'bad_option', 'id', () => signAnyhow(pictures, url, { ...hour, id: '' })],
  ['an empty id', 'bad_option', 'id', asking({ id: '' })],
  ['an address that is not known', 'bad_option', 'ip', asking({ ip: undefined })],
  ['uses that are undefined', 'bad_option', 'uses', asking({ uses: undefined })],
  ['half a surrogate pair in an id', 'bad_option', 'id', asking({ id: '\ud83d' })],
  ...WRONG_USES.map((uses): Row => [`uses: ${JSON.stringify(uses)} (${uses})`, 'bad_option', 'uses', asking({ uses })]),
  ...WRONG_METHODS.map((method): Row => [`method: ${JSON.stringify(method)}`, 'bad_option', 'method', asking({ method })]),
  ...WRONG_ADDRESSES.map((ip): Row => [`ip: ${JSON.stringify(ip)}`, 'bad_option', 'ip', asking({ ip })]),
  ...WRONG_PREFIXES.map((prefix): Row => [`prefix: ${JSON.stringify(prefix)}`, 'bad_option', 'prefix', asking({ prefix })]),
  [
    'a prefix that the URL climbs out of',
    'bad_option',
    'prefix',
    () => sign(links, '/private-folder/..%2Fetc', { ...hour, prefix: '/private-folder/' }),
  ],
  ['starts after expires', 'bad_option', 'starts', asking({ starts: '2h' })],
  ['starts with expires', 'bad_option', 'starts', asking({ starts: present, expires: present })],
  ['starts before 1970', 'bad_option', 'starts', asking({ starts: new Date(-1) })],
  ['starts: a number', 'bad_option', 'starts', asking({ starts: 1_900_000_000 })],
  ['starts: an invalid Date', 'bad_option', 'starts', asking({ starts: new Date('x') })],
  ...WRONG_ALIGNMENTS.map((align): Row => [`align: ${align}`, 'bad_option', 'align', asking({ align })]),
]

const NOT_ABSOLUTE = [
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
]
const WITH_CREDENTIALS = ['https://hunter2@cdn.example/', 'https://name:hunter2@cdn.example/x', 'https://cdn.example@hunter2/x']
const CHANGED_BY_CLIENTS = {
  ...Object.fromEntries([0, 9, 10, 13, 31, 127].map((code) => [`character ${code}`, `/private-folder/${String.fromCharCode(code)}x`])),
  ...Object.fromEntries([0, 1, 27, 127].map((code) => [`character ${code} at the end`, `/x${String.fromCharCode(code)}`])),
  'a line feed in the query': '/x?a=\nb',
  'a line feed in the fragment': '/x#\n',
  'a space in front': ' /x',
  'a space at the end': '/x ',
  'a backslash in the path': '/private-folder\\report.pdf',
  'a backslash for a slash': 'https:\\\\cdn.example/x',
  'a backslash in the host': 'https://cdn.example\\@hunter2/x',
  'the first half of a surrogate pair': '/private-folder/\ud83d',
  'the second half of a surrogate pair': '/private-folder/\ude00',
  'half a surrogate pair in the query': '/x?q=\ud83d',
  '16,385 characters': `/${'x'.repeat(16_384)}`,
  '16,384 characters, and no room for the parameters': `/${'x'.repeat(16_383)}`,
}
const inPath = hmac({ secret }, { placement: 'path' })
const OWN_NAMES = ['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key', 'signature', '%69d', 'e%78pires']
const urls: Row[] = [
  ['another scheme', 'bad_option', 'url', signing('ftp://cdn.example/private-folder/a')],
  ['two slashes at its start', 'bad_option', 'url', signing('//cdn.example/private-folder/a')],
  ['a dot segment', 'bad_option', 'url', signing('/private-folder/../a')],
  [
    'a path that is not UTF-8, with a prefix',
    'bad_option',
    'prefix',
    () => signAnyhow(links, '/%FF/a', { expires: '1h', prefix: '/%FF/' }),
  ],
  ...NOT_ABSOLUTE.map((text): Row => [`${JSON.stringify(text)}, neither absolute nor a path`, 'bad_option', 'url', signing(text)]),
  ['a data: URL', 'bad_option', 'url', signing('data:,private-folder')],
  ...WITH_CREDENTIALS.map((text): Row => [`${text}, with credentials`, 'bad_option', 'url', signing(text)]),
  ...Object.entries(CHANGED_BY_CLIENTS).map(([what, text]): Row => [what, 'bad_option', 'url', signing(text)]),
  ['a number', 'bad_option', 'url', signing(7)],
  ['undefined', 'bad_option', 'url', signing(undefined)],
  ['a link', 'already_signed', 'url', signing(good)],
  [
    'a pichax link',
    'already_signed',
    'url',
    async () => signAnyhow(pictures, await sign(pictures, url, { ...hour, id: '7' }), { ...hour, id: '7' }),
  ],
  ['a link with its token in the path', 'already_signed', 'url', async () => signAnyhow(inPath, await sign(inPath, url, hour), hour)],
  ['half a token in its path', 'bad_option', 'url', () => signAnyhow(inPath, 'https://cdn.example/expires=soon/private-folder/a', hour)],
  ['a link, with anyOf', 'already_signed', 'url', () => signAnyhow(anyOf(links, pictures), good, hour)],
  ...OWN_NAMES.map((name): Row => [`a parameter ${name} of the URL's own`, 'bad_option', 'url', signing(`${url}?${name}=7`)]),
  ...['id', 'expires', 'key', 'signature'].map(
    (name): Row => [
      `a parameter ${name} of the URL's own, with pichax`,
      'bad_option',
      'url',
      () => signAnyhow(pictures, `${url}?${name}=7`, { ...hour, id: '7' }),
    ],
  ),
]

const WRONG_TOLERANCES = ['5 minutes', '', '-1s', 60, 0, null, {}]
// A number of seconds, read as milliseconds, would open links that have long expired.
const WRONG_CLOCKS = [() => 1_700_000_000, () => new Date('x'), () => undefined, () => '2030-01-01']
const options: Row[] = [
  ...WRONG_TOLERANCES.map(
    (tolerance): Row => [`tolerance: ${JSON.stringify(tolerance)}`, 'bad_option', 'tolerance', verifying({ tolerance })],
  ),
  ...WRONG_CLOCKS.map((now): Row => [`now: ${now}`, 'bad_option', 'now', verifying({ now })]),
  ['now of sign', 'bad_option', 'now', () => signAnyhow(links, url, hour, { now: () => 1_700_000_000 })],
  ['a request that is undefined', 'bad_option', 'request', () => verify(links, undefined as unknown as string)],
  ['a request that is a number', 'bad_option', 'request', () => verify(links, 7 as unknown as string)],
  ['a request that is an object without a URL', 'bad_option', 'request', () => verify(links, { address: good } as unknown as string)],
  ['an address that is a number', 'bad_option', 'ip', () => verify(links, good, { ip: 7 as unknown as string })],
  ['redeem without a store', 'bad_option', 'store', () => redeem(links, good, {} as { store: ReturnType<typeof memoryStore> })],
  [
    'redeem with a Map for a store',
    'bad_option',
    'store',
    () => redeem(links, good, { store: new Map() as unknown as ReturnType<typeof memoryStore> }),
  ],
]

const tables = { keys, expiries, conditions, urls, options, handlers }
for (const [name, rows] of Object.entries(tables))
  describe(name, () => test.each(rows)('%s: %s', (_what, code, option, call) => assertMistake(code, option, call)))

test('a condition with a very long name, which may be a secret, is not repeated', async () => {
  const error = await mistake(asking({ ['x'.repeat(10_000)]: 1 }))
  expect(error).toMatchObject({ code: 'bad_option', option: undefined })
  expect(error.message).toBe(`unknown option; sign() with hmac links takes expires, align, starts, method, ip, prefix, uses, id`)
})

test('a name of 32 characters may be a secret, and one of 31 is repeated', async () => {
  const long = 'x'.repeat(32)
  expect(await mistake(asking({ [long]: 1 }))).toMatchObject({ option: undefined, message: expect.not.stringContaining(long) })
  const short = long.slice(1)
  expect(await mistake(asking({ [short]: 1 }))).toMatchObject({ option: short, message: expect.stringContaining(`'${short}'`) })
})

// TypeScript refuses these. Plain JavaScript gets an error, and nothing is signed.
describe('values of a wrong kind', () => {
  test.each([
    ['conditions that are missing', () => signAnyhow(links, url)],
    ['conditions that are null', () => signAnyhow(links, url, null)],
    ['method: 7', asking({ method: 7 })],
    ['prefix: 7', asking({ prefix: 7 })],
    ['ip: 7', asking({ ip: 7 })],
    ['id: {}', asking({ id: {} })],
    // If these were ignored silently, the link would open more requests than intended.
    ...['starts', 'method', 'ip', 'prefix', 'uses', 'id'].flatMap((name) =>
      [null, false, 0].map((value) => [`${name}: ${value}`, asking({ [name]: value })]),
    ),
    ['a request that is missing', () => verify(links, undefined as unknown as string)],
    ['a request that is null', () => verify(links, null as unknown as string)],
    ['redeem without options', () => redeem(links, good, undefined as unknown as { store: ReturnType<typeof memoryStore> })],
    ['now: a Date', verifying({ now: present })],
    ['a scheme that is missing', () => signAnyhow(undefined as unknown as Scheme, url, { expires: '1h' })],
    ['keys that are missing', () => signAnyhow(hmac(undefined as unknown as []), url, { expires: '1h' })],
  ] as [string, () => unknown][])('%s', async (_what, call) => {
    const error: Error = await (async () => call())().then(
      (answer) => expect.fail(`nothing was thrown: ${JSON.stringify(answer)}`),
      (error) => error,
    )
    expect(error).toBeInstanceOf(Error)
    for (const text of [secret, 'private-folder']) expect(`${error}`).not.toContain(text)
  })
})

describe('without crypto.subtle', () => {
  afterEach(() => vi.unstubAllGlobals())

  test.each([
    ['crypto without subtle, as on a page over plain http', { getRandomValues: (bytes: Uint8Array) => bytes }],
    ['no crypto', undefined],
  ])('%s', async (_what, stub) => {
    vi.stubGlobal('crypto', stub)
    await assertMistake('no_webcrypto', undefined, () => sign(hmac({ secret }), url, { expires: '1h' }))
    await assertMistake('no_webcrypto', undefined, () => verify(hmac({ id: 'ring-one', secret }), good))
    // Reading needs no crypto, and neither does a refusal before the signature is checked.
    expect(inspect(hmac([]), good)?.unverified.resource).toBe(url)
    expect(await verify(links, url)).toMatchObject({ reason: 'unsigned' })
  })

  test('a key that was imported before does not hide it', async () => {
    vi.stubGlobal('crypto', {})
    await assertMistake('no_webcrypto', undefined, () => verify(links, good))
  })
})

describe('values that are accepted', () => {
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

  test('only options that take a Date propose one', async () => {
    const duration = "must be a duration with its unit, such as '10m'"
    await expect(verifying({ tolerance: 30 })()).rejects.toThrow(new RegExp(`^tolerance ${duration}$`))
    await expect(signAnyhow(links, url, { expires: '2030-01-01' })).rejects.toThrow(new RegExp(`^expires ${duration}, or a Date$`))
  })

  test('an address that cannot be read is refused as wrong_ip, because a client may have sent it', async () => {
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
