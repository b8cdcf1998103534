// Two implementations of docs/spec.md compared, SecureLink and securelink.py: on every vector, and on thousands of random grants.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Conditions, type Duration, type HmacOptions, hmac, LinkError, redeem, sign, type Verdict, verify } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { find, leftOut } from '../prepare.mjs'

// Times are ISO strings here, as in the vectors and in the messages between the two processes.
interface Key {
  id?: string
  secret: string
  starts?: string
  expires?: string
}
interface Wish {
  expires: string
  starts?: string
  align?: Duration
  method?: string | string[]
  ip?: string
  prefix?: string
  uses?: number
  id?: string
}
interface Visit {
  url?: string
  method?: string
  ip?: string
  now: string
  tolerance?: Duration
  revoked?: true
  redeemed?: number
}
interface Answer {
  result: string
  claims?: Record<string, unknown>
}
interface Vector extends Answer {
  id: number
  comment: string
  url?: string
  conditions?: Wish
  signedAt?: string
  link: string
  visit: Visit
}
interface Group {
  options: HmacOptions
  keys: Key[]
  tests: Vector[]
}
interface Grant {
  options: HmacOptions
  keys: Key[]
  url: string
  now: string
  visitor?: string
  same: boolean
  method?: string
  conditions: Wish
}
type Question =
  | { op: 'sign'; settings: object; url: string; conditions: Wish; now: string }
  | { op: 'verify'; settings: object; url: string; visit: Visit }

const python = find('python')
if (!python) console.warn(leftOut('python'))

const { testGroups } = JSON.parse(readFileSync(new URL('../conformance/vectors/hmac.json', import.meta.url), 'utf8')) as {
  testGroups: Group[]
}
const vectors = testGroups.flatMap(({ options, keys, tests }) => tests.map((vector) => ({ options, keys, vector })))

// SecureLink's answers, in the form that Python gives them.

const iso = (date: Date) => date.toISOString().replace('.000Z', 'Z')

function scheme(options: HmacOptions, keys: Key[]) {
  return hmac(
    keys.map(({ starts, expires, ...key }) => ({
      ...key,
      ...(starts && { starts: new Date(starts) }),
      ...(expires && { expires: new Date(expires) }),
    })),
    options,
  )
}

function signed(options: HmacOptions, keys: Key[], url: string, wish: Wish, now: string) {
  const conditions = { ...wish, expires: new Date(wish.expires), ...(wish.starts && { starts: new Date(wish.starts) }) } as Conditions
  return sign(scheme(options, keys), url, conditions, { now: () => new Date(now) })
}

async function verified(options: HmacOptions, keys: Key[], url: string, visit: Visit): Promise<Answer> {
  const { now, revoked, redeemed, method, ip, tolerance } = visit
  const common = {
    now: () => new Date(now),
    ...(revoked && { revoked: () => true }),
    ...(method !== undefined && { method }),
    ...(ip !== undefined && { ip }),
    ...(tolerance && { tolerance }),
  }
  let taken = redeemed ?? 0
  const store = { take: (_id: string, _until: Date, uses: number) => taken++ < uses }
  const links = scheme(options, keys)
  const verdict = await (redeemed === undefined ? verify(links, url, common) : redeem(links, url, { ...common, store }))
  const result = verdict.ok ? 'ok' : verdict.reason
  if (!verdict.claims) return { result }
  const claims = Object.entries(verdict.claims).filter(([, value]) => value !== undefined)
  return { result, claims: Object.fromEntries(claims.map(([name, value]) => [name, value instanceof Date ? iso(value) : value])) }
}

const expected = ({ result, claims }: Answer): Answer => (claims ? { result, claims } : { result })

describe('SecureLink agrees with every vector', () => {
  test.each(vectors)('$vector.id $vector.comment', async ({ options, keys, vector }) => {
    const { url, conditions, signedAt, link, visit } = vector
    if (url !== undefined && conditions && signedAt) expect(await signed(options, keys, url, conditions, signedAt)).toBe(link)
    expect(await verified(options, keys, visit.url ?? link, visit)).toEqual(expected(vector))
  })

  test('a link of three uses is valid three times', async () => {
    const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
    const store = memoryStore()
    const link = await sign(links, '/report.pdf', { expires: '1h', uses: 3 })
    const verdicts: Verdict[] = []
    for (let n = 0; n < 4; n++) verdicts.push(await redeem(links, link, { store }))
    expect(verdicts.map((verdict) => (verdict.ok ? 'ok' : verdict.reason))).toEqual(['ok', 'ok', 'ok', 'used'])
  })
})

// One Python process for all tests. It answers each line with a line, in order.

describe.skipIf(!python)('securelink.py', () => {
  let child: ChildProcess
  let lines: AsyncIterator<string>

  beforeAll(() => {
    child = spawn(python as string, [fileURLToPath(new URL('hmac/securelink.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] })
    lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  })

  afterAll(() => {
    child.stdin?.end()
  })

  async function ask(question: Question) {
    child.stdin?.write(`${JSON.stringify(question)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error('securelink.py has ended')
    return JSON.parse(value)
  }

  test.each(vectors)('$vector.id $vector.comment', async ({ options, keys, vector }) => {
    const { url, conditions, signedAt, link, visit } = vector
    const settings = { ...options, keys }
    if (url !== undefined && conditions && signedAt) {
      expect(await ask({ op: 'sign', settings, url, conditions, now: signedAt })).toEqual({ link })
    }
    expect(await ask({ op: 'verify', settings, url: visit.url ?? link, visit })).toEqual(expected(vector))
  })

  // [what is wrong, url, conditions, options]
  const hour = { expires: '2027-01-15T09:00:00Z' }
  test.each<[string, string, Wish, HmacOptions?]>([
    ['the expiry is now', '/', { expires: '2027-01-15T08:00:00Z' }],
    ['the expiry is past', '/', { expires: '2001-01-01T00:00:00Z' }],
    ['the expiry is past, and rounded up it is in the future', '/', { expires: '2027-01-15T07:59:59Z', align: '7d' }],
    ['the expiry has twelve digits', '/', { expires: '5138-11-16T09:46:40Z' }],
    ['the start is the expiry', '/', { ...hour, starts: hour.expires }],
    ['the start is 1970', '/', { ...hour, starts: '1970-01-01T00:00:00Z' }],
    ['the URL has a parameter of the link', '/?key=1', hour],
    ['the URL has one, escaped', '/?%6bey=1', hour],
    ['the URL has one, without a value', '/?id', hour],
    ['the URL has one, empty', '/?expires=', hour],
    ['the URL has one, with a broken escape', '/?key=%zz', hour],
    ['the URL has one under its new name', '/?e=1', hour, { parameters: { expires: 'e' } }],
    ['the URL has one for PHP', '/?id[]=1', hour],
    ['the URL has one for PHP, with a space in front', '/?%20key=1', hour],
    ['the URL has a token in its path', '/expires=1/', hour, { placement: 'path' }],
    ['the URL has an empty token in its path', '/expires=/', hour, { placement: 'path' }],
    ['a line feed', '/a\nb', hour],
    ['a control character at the end', '/a\0', hour],
    ['the last control character at the end', '/a\x7f', hour],
    ['a backslash', 'https://cdn.example\\a', hour],
    ['a backslash in the path', '/a\\b', hour],
    ['a user name', 'https://user@cdn.example/', hour],
    ['half a surrogate pair', '/\ud83c', hour],
    ['white space in front', ' /', hour],
    ['white space at the end', '/ ', hour],
    ['a relative URL', 'report.pdf', hour],
    ['a segment ..', '/a/../b', hour],
    ['a segment .', '/a/.', hour],
    ['an escaped segment ..', '/a/%2E%2e/b', hour],
    ['a segment ..;', '/a/..;x/b', hour],
    ['a segment .. after the token', '/a/..', hour, { placement: 'path' }],
    ['two slashes in front', '//evil.example/a', hour],
    ['a host beyond ASCII', 'https://bücher.example/a', hour],
    ['a URL that is too long once it is escaped', `/${'ü'.repeat(3000)}`, hour],
    ['a scheme without //', 'mailto:somebody', hour],
    ['no URL', '', hour],
    ['the path is not below the prefix', '/videos2/', { ...hour, prefix: '/videos' }],
    ['the path leaves the prefix', '/videos/..%2fa', { ...hour, prefix: '/videos/' }],
    ['the prefix is not absolute', '/videos/', { ...hour, prefix: 'videos' }],
    ['the prefix has a query', '/videos/', { ...hour, prefix: '/?' }],
    ['the prefix is not UTF-8', '/%FF/a', { ...hour, prefix: '/%FF/' }],
    ['the path is not UTF-8, and its escapes are not those of the prefix', '/%76ideos/%FF', { ...hour, prefix: '/videos/' }],
    ['an empty id', '/', { ...hour, id: '' }],
    ['uses of zero', '/', { ...hour, uses: 0 }],
    ['a fraction of a use', '/', { ...hour, uses: 0.5 }],
    ['too many uses', '/', { ...hour, uses: 1e9 }],
    ['a method with a comma and a space', '/', { ...hour, method: 'GET,PUT ' }],
    ['two methods in one', '/', { ...hour, method: 'GET,PUT' }],
    ['a name in place of an address', '/', { ...hour, ip: 'localhost' }],
    ['half of the brackets', '/', { ...hour, ip: '[2001:db8::1' }],
    ['a network that is too long', '/', { ...hour, ip: '203.0.113.0/33' }],
    ['a mapped network that is too short', '/', { ...hour, ip: '::ffff:203.0.113.0/95' }],
  ])('both refuse to sign: %s', async (_, url, conditions, options = {}) => {
    const keys = [{ secret: '0123456789abcdef0123456789abcdef' }]
    const now = '2027-01-15T08:00:00Z'
    expect(await ask({ op: 'sign', settings: { ...options, keys }, url, conditions, now })).toEqual({ error: expect.any(String) })
    await expect(signed(options, keys, url, conditions, now)).rejects.toThrow(LinkError)
  })

  // Half surrogate pairs. They are not in the vectors, because some JSON parsers refuse them.
  test.each<[string, string, Wish, (link: string) => string]>([
    ['in the path, where U+FFFD was signed', '/\ufffd', hour, (link) => link.replace('%EF%BF%BD', '\ud83c')],
    ['in the query, where U+FFFD was signed', '/?\ufffd', hour, (link) => link.replace('%EF%BF%BD', '\udfac')],
    ['two in the wrong order', '/🎬', hour, (link) => link.replace('%F0%9F%8E%AC', '\udfac\ud83c')],
    ['in a name', '/', hour, (link) => `${link}&%20\ud83c=1`],
    ['in a host that is not covered', 'https://xn--zn7c.example/', hour, (link) => link.replace('xn--zn7c', '\ud83c')],
    ['in id', '/', { ...hour, id: 'a' }, (link) => link.replace('id=a', 'id=\ud83c')],
    ['in id, with an escape', '/', { ...hour, id: 'a' }, (link) => link.replace('id=a', 'id=%20\ud83c')],
    ['in id, where U+FFFD was signed', '/', { ...hour, id: '\ufffd' }, (link) => link.replace('%EF%BF%BD', '\ud83c')],
    ['in key', '/', hour, (link) => `${link}&key=\ud83c`],
    ['in prefix', '/', hour, (link) => `${link}&prefix=/\ud83c`],
    ['in the signature', '/', hour, (link) => `${link.slice(0, -1)}\ud83c`],
  ])('half a surrogate pair: %s', async (_, url, conditions, change) => {
    const keys = [{ secret: '0123456789abcdef0123456789abcdef' }]
    const visit = { now: '2027-01-15T08:00:00Z' }
    const link = change(await signed({}, keys, url, conditions, visit.now))
    expect(await ask({ op: 'verify', settings: { keys }, url: link, visit })).toEqual({ result: 'malformed' })
    expect(await verified({}, keys, link, visit)).toEqual({ result: 'malformed' })
  })

  // Random grants, of pieces that engines, languages and servers are known to treat differently.

  const oneOf = <const T>(...values: T[]) => fc.constantFrom(...values)
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 })
  const clean = <T>(value: unknown): T => JSON.parse(JSON.stringify(value))

  const nasty = fc.oneof(
    oneOf(
      '|',
      '^',
      ' ',
      "'",
      '(',
      ')',
      '!',
      '*',
      '~',
      '%7E',
      '%7e',
      '%2F',
      '%2f',
      '%5C',
      '%zz',
      '%',
      '%%',
      '%25',
      '%2',
      '+',
      '%20',
      '%00',
      '%0a',
      '%FF',
    ),
    oneOf(
      'ü',
      '%C3%BC',
      'ß',
      '🎬',
      '%F0%9F%8E%AC',
      '\ufeff',
      '\u2028',
      'u\u0308',
      'İ',
      '..',
      '.',
      '%2e',
      '...',
      'expires',
      '%65xpires',
      '"',
      '<',
      '`',
      '{',
      '[',
      '\u0085',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }).map((text) => text.replace(/[\p{Cc}\p{Cs}\\/?#&=@]/gu, '-')),
  )
  const word = fc.array(nasty, { maxLength: 4 }).map((pieces) => pieces.join(''))
  const path = fc
    .array(
      fc.oneof(
        { weight: 5, arbitrary: word },
        { weight: 2, arbitrary: oneOf('', 'videos', 'a;b') },
        { weight: 1, arbitrary: oneOf('..', 'videos') },
      ),
      {
        maxLength: 5,
      },
    )
    .map((segments) => `/${segments.join('/')}`)
  const piece = fc.oneof(
    word,
    fc.tuple(fc.oneof(word, oneOf('a', 'a', 'b', 'utm_x', '%75tm_', 'fbclid', 'Z')), word).map(([name, value]) => `${name}=${value}`),
    oneOf('', '=', 'a', 'a=', 'a=1?b', 'x/y', 'a\\b', 'q=@', 'a[b]=1', '[a]=1', 'A=2', 'a.b', 'é[]=1', 'q=x]=y', 'a;b=1', '_[a]=2'),
  )
  const query = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('&'))
  const base = oneOf(
    '',
    '',
    'https://cdn.example',
    'HTTPS://CDN.Example:443',
    'http://localhost:8080',
    'http://[2001:DB8::1]:80',
    'https://xn--bcher-kva.example:80',
  )
  const url = fc
    .record({ base, path, query: maybe(query), fragment: maybe(word) })
    .map(
      ({ base, path, query, fragment }) =>
        `${base}${path}${query === undefined ? '' : `?${query}`}${fragment === undefined ? '' : `#${fragment}`}`,
    )

  const second = (from: number, to: number) => fc.integer({ min: from, max: to }).map((n) => iso(new Date(n * 1000)))
  const v4 = fc.tuple(oneOf(203, 10), oneOf(0, 255), fc.nat(255), fc.nat(255)).map((bytes) => bytes.join('.'))
  const v6 = fc.tuple(oneOf('2001:db8:', '2001:DB8:0:', 'fe80:', ''), fc.nat(0xffff)).map(([head, tail]) => `${head}:${tail.toString(16)}`)
  const address = fc.oneof(
    v4,
    v6,
    v4.map((text) => `::ffff:${text}`),
  )
  const ip = fc.oneof(
    address,
    fc.tuple(v4, fc.nat(32)).map((parts) => parts.join('/')),
    fc.tuple(v6, fc.nat(128)).map((parts) => parts.join('/')),
  )
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 6 })
  const method = oneOf('GET', 'HEAD', 'POST', 'PUT', 'M-SEARCH')

  const key = fc.record({
    id: maybe(text),
    secret: oneOf('0123456789abcdef0123456789abcdef', 'ein Geheimnis aus zweiunddreißig B', `${'\u0000'.repeat(31)}\u00ff`),
  })
  const options = fc.record({
    purpose: maybe(text),
    origin: maybe(fc.boolean()),
    ignore: maybe(fc.subarray(['utm_*', 'fbclid', 'a', 'ü*'])),
    parameters: maybe(
      oneOf({ expires: 'e', signature: 's' }, { method: 'm.x', key: '_k-', net: 'expire' }, { expires: 'signature', signature: 'expires' }),
    ),
    placement: maybe(oneOf('path', 'query')),
  })
  const grant = fc
    .record({
      options,
      keys: fc.array(key, { minLength: 1, maxLength: 3 }),
      url,
      now: second(1_700_000_000, 1_800_000_000),
      visitor: maybe(address),
      same: fc.boolean(),
      method: maybe(method),
      conditions: fc.record({
        expires: second(1_800_000_001, 99_999_999_999),
        starts: maybe(second(1, 1_800_000_000)),
        align: maybe(oneOf<Duration>('1s', '90s', '15m', '1h', '7d')),
        method: maybe(fc.oneof(method, fc.array(method, { minLength: 1, maxLength: 3 }))),
        ip: maybe(ip),
        prefix: maybe(oneOf('/', '/', '/', '/', '/videos', '/videos/', '/./videos/', '/%76ideos')),
        uses: maybe(fc.integer({ min: 1, max: 999_999_999 })),
        id: maybe(text),
      }),
    })
    .map((one) => clean<Grant>(one))
    // Without an id each signer would make a random one, and the two links would differ.
    .map((one) => (one.conditions.uses ? { ...one, conditions: { ...one.conditions, id: one.conditions.id ?? 'id' } } : one))

  const attempt = async (promise: Promise<string>) =>
    promise.catch((error) => {
      if (error instanceof LinkError) return undefined
      throw error
    })

  test('random grants make the same link, and both verify it with the same claims', { timeout: 120_000 }, async () => {
    let links = 0
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(grant, async ({ options, keys, url, now, visitor, same, method, conditions }) => {
        const settings = { ...options, keys }
        const ours = await attempt(signed(options, keys, url, conditions, now))
        const theirs: { link?: string; error?: string } = await ask({ op: 'sign', settings, url, conditions, now })
        expect(ours).toBe(theirs.link)
        if (ours === undefined) return
        links++

        const bound = same ? conditions.ip?.split('/')[0] : visitor
        const visit = clean<Visit>({
          ip: bound,
          method: same ? [conditions.method].flat()[0] : method,
          now: conditions.starts ?? now,
          redeemed: same ? 0 : undefined,
        })
        // Clients do not send the fragment.
        const sent = ours.replace(/#.*/s, '')
        const answer = await verified(options, keys, sent, visit)
        expect(await ask({ op: 'verify', settings, url: sent, visit })).toEqual(answer)
        if (same && answer.result === 'ok') accepted++
      }),
      { numRuns: 66000, seed: 2026 },
    )
    expect(links).toBeGreaterThan(2000)
    expect(accepted).toBeGreaterThan(500)
  })

  // Edits of the requested URL. Both implementations must give the same answer, whatever the edit is.
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(3),
    put: fc.oneof(word, piece, oneOf('/', '?', '#', '&', '\ud83c', '\n', '&&', ',', '~7E', '~', '%3D')),
  })

  test('both give the same answer to a changed link', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        grant,
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        async ({ options, keys, url, now, visitor, method, conditions }, edits) => {
          const link = await attempt(signed(options, keys, url, conditions, now))
          if (link === undefined) return
          const visited = edits.reduce((text, { at, cut, put }) => {
            const index = Math.floor(at * text.length)
            return text.slice(0, index) + put + text.slice(index + cut)
          }, link)
          const visit = clean<Visit>({ ip: visitor, method, now })
          expect(await ask({ op: 'verify', settings: { ...options, keys }, url: visited, visit })).toEqual(
            await verified(options, keys, visited, visit),
          )
        },
      ),
      { numRuns: 45000, seed: 2027 },
    )
  })
})
