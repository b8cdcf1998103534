// Properties of hmac over random links: a changed link is refused or means the same, no two grants share a string to sign, and every signed link
// is valid.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Claims,
  type Conditions,
  type HmacOptions,
  hmac,
  redeem,
  type Scheme,
  type SecretKey,
  sign,
  type Verdict,
  verify,
} from '../../src/index.ts'
import { asSent, canonicalPath, canonicalQuery } from '../../src/lib/canonical.ts'
import { BASE64URL } from '../../src/lib/encoding.ts'
import { below, normalise, normalOrigin, normalPath } from '../../src/lib/normalise.ts'
import { hasDotSegment } from '../../src/lib/request-target.ts'
import { isDecodable, split } from '../../src/lib/url.ts'
import { memoryStore } from '../../src/stores/memory.ts'

// SEED=… chooses other cases. The name of the suite shows it.
const seed = Number(process.env['SEED'] ?? 20261122)
let cases = 0

const NOW = new Date('2030-01-01T00:00:00Z')
const now = (): Date => NOW
const KEYS: readonly SecretKey[] = [
  { secret: '0123456789abcdef0123456789abcdef' },
  { id: '2026-11', secret: 'another secret that is 32 bytes long' },
]

// Characters, and pieces that have a meaning for some parser.
const PIECES = ['a', 'b', 'Z', '0', '.', '..', '-', '_', '~', '%', '%2F', '%2f', '%41', '%7e', '%zz', '%25', '%2e', '%0A', '%C3%A4']
const RAW = ['ä', '😀', '|', '^', ' ', '+', "'", '"', '(', ')', '*', '!', ',', ';', ':', '@', '$', '[', ']', '{', '}', '`', '<', '>']
const text = (pieces: readonly string[], maxLength = 6): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...pieces), { maxLength }).map((all) => all.join(''))
const segment = text([...PIECES, ...RAW])
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
const name = fc.constantFrom('a', 'b', 'page', '%61', 'ä', 'utm_source', 'fbclid', 'x.y', '[]', '')
const query = fc
  .array(fc.tuple(name, fc.option(text([...PIECES, ...RAW, '/', '?', '=', '\\'])), fc.constantFrom('', '&')), { maxLength: 4 })
  .map((all) => all.map(([name, value, more]) => name + (value === null ? '' : `=${value}`) + more).join('&'))
const origin = fc.constantFrom('', 'https://files.test', 'HTTPS://Files.Test:443', 'http://127.0.0.1:8080')
// Without spaces at the end, paths that look like hosts, and dot segments, because sign refuses these.
const url = fc
  .tuple(origin, path, fc.option(query), fc.option(fc.constantFrom('top', 'a?b#c')))
  .map(([origin, path, query, fragment]) => origin + path + (query === null ? '' : `?${query}`) + (fragment === null ? '' : `#${fragment}`))
  .filter((url) => !/\s$/.test(url) && !url.startsWith('//') && !hasDotSegment(split(url).path))

const word = text(['a', 'B', '7', ' ', '\n', '%', '%0A', '&', '=', ',', '/', '~', '+', 'ä', '😀', '#']).filter((word) => word !== '')
const options: fc.Arbitrary<HmacOptions> = fc.record(
  {
    placement: fc.constantFrom('query', 'path'),
    origin: fc.boolean(),
    purpose: word,
    ignore: fc.constantFrom([], ['utm_*'], ['utm_*', 'fbclid']),
    parameters: fc.constantFrom({}, { id: 'link_id', key: 'k' }, { expires: 'e', signature: 's', starts: 'expires' }),
  },
  { requiredKeys: [] },
)

const seconds = fc.integer({ min: 1, max: 99_999 })
const later = (seconds: number): Date => new Date(+NOW + seconds * 1000)
const IPS = ['203.0.113.7', '203.0.113.0/24', '::ffff:203.0.113.7', '2001:db8::1', '2001:db8::/31', '0.0.0.0/0'] as const
const conditions = fc.record(
  {
    expires: seconds.map((seconds) => later(seconds)),
    starts: seconds.map((seconds) => later(-seconds)),
    method: fc.constantFrom('GET', 'PUT', 'get', ['POST', 'GET'], ['GET', 'POST', 'GET']),
    ip: fc.constantFrom(...IPS),
    prefix: fc.nat(4),
    uses: fc.integer({ min: 1, max: 3 }),
    id: word,
  },
  { requiredKeys: ['expires'] },
)

interface Minting {
  readonly url: string
  readonly options: HmacOptions
  readonly conditions: Conditions
  readonly key: SecretKey
}

const minting: fc.Arbitrary<Minting> = fc
  .tuple(url, options, conditions, fc.constantFrom(...KEYS))
  .map(([url, options, { prefix, ...conditions }, key]) => {
    // sign refuses to cover the origin of a URL that has none.
    const { origin, ...others } = options
    const { origin: from, path } = split(url)
    const fitting: HmacOptions = { ...others, ...(from && origin && { origin }) }
    // The prefix has some of the folders of the URL's path, with or without the last slash.
    const own = normalPath(path)
    const folder =
      prefix === undefined
        ? undefined
        : own
            .split('/')
            .slice(0, prefix + 1)
            .join('/') || '/'
    // A prefix must be UTF-8.
    const fits = folder !== undefined && below(own, folder) && isDecodable(own)
    return {
      url,
      options: fitting,
      key,
      conditions: { ...conditions, ...(conditions.uses && !conditions.id && { id: 'x' }), ...(fits && { prefix: folder }) },
    }
  })

function visit(scheme: Scheme, link: string, { conditions: { method, ip, uses } }: Minting): Promise<Verdict> {
  const options = { now, method: [method ?? 'HEAD'].flat()[0] as string, ...(ip && { ip: ip.replace(/\/.*/, '') }) }
  return uses ? redeem(scheme, link, { ...options, store: memoryStore({ now }) }) : verify(scheme, link, options)
}

interface Mutation {
  readonly kind:
    | 'flip'
    | 'next'
    | 'case'
    | 'drop'
    | 'double'
    | 'insert'
    | 'swap'
    | 'cut'
    | 'drop parameter'
    | 'double parameter'
    | 'swap parameters'
    | 'move parameter'
  readonly from: number
  readonly to: number
  readonly piece: string
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(
    'next',
    'case',
    'flip',
    'flip',
    'drop',
    'double',
    'insert',
    'swap',
    'cut',
    'drop parameter',
    'double parameter',
    'swap parameters',
    'move parameter',
  ),
  from: fc.nat(),
  to: fc.nat(),
  piece: fc.constantFrom(...PIECES, ...RAW, '/', '?', '#', '&', '=', '\\', '\n', '\ud800', 'A', '1', '-'),
})

/** Changes a link somewhere after its first `fixed` characters. */
function mutate(link: string, { kind, from, to, piece }: Mutation, fixed: number): string {
  const length = link.length - fixed
  const [at, end] = [fixed + (from % length), fixed + (to % length)].sort((a, b) => a - b) as [number, number]
  const before = link.slice(0, at)
  const character = link[at] as string
  const after = link.slice(at + 1)
  if (kind === 'flip') return before + piece + after
  // The next character of base64url. At the end of a signature it means the same bytes.
  if (kind === 'next') return before + (BASE64URL[(BASE64URL.indexOf(character) + 1) % 64] as string) + after
  if (kind === 'case') return before + (character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase()) + after
  if (kind === 'drop') return before + after
  if (kind === 'double') return before + character + character + after
  if (kind === 'insert') return before + piece + character + after
  if (kind === 'cut') return before + link.slice(end)
  if (kind === 'swap') return at === end ? link : before + link[end] + link.slice(at + 1, end) + character + link.slice(end + 1)

  // Parameters of the query or of the token in the path, each with the separator before it.
  const parts = link.slice(fixed).split(/(?=[?&,])/)
  const [a, b] = [from % parts.length, to % parts.length]
  const [one, other] = [parts[a] as string, parts[b] as string]
  if (kind === 'drop parameter') parts.splice(a, 1)
  else if (kind === 'double parameter') parts.splice(b, 0, one)
  else if (kind === 'swap parameters') [parts[a], parts[b]] = [other, one]
  else parts.splice(b, 0, ...parts.splice(a, 1))
  return link.slice(0, fixed) + parts.join('')
}

// The meaning of a link, without the path below a prefix and an origin that is not covered. Those may change.
function meaning({ resource, ...claims }: Claims, { origin }: HmacOptions): string {
  const parts = split(resource)
  return JSON.stringify([origin ? parts.origin : '', claims.prefix ? '' : parts.path, parts.query, claims])
}

async function signed({ url, options, conditions, key }: Minting): Promise<{ scheme: Scheme; link: string }> {
  const scheme = hmac(key, options)
  return { scheme, link: await sign(scheme, url, conditions, { now }) }
}

/** The link as a client sends it: without the fragment. */
async function sent(minted: Minting): Promise<{ scheme: Scheme; link: string }> {
  const { scheme, link } = await signed(minted)
  return { scheme, link: link.replace(/#.*/, '') }
}

/** The scheme, which puts each string to sign with its signature on a list. */
function watched(scheme: Scheme, compared: string[]): Scheme {
  return {
    ...scheme,
    read(url, header) {
      const reading = scheme.read(url, header)
      if (typeof reading === 'string' || 'malformed' in reading) return reading
      const { address, signature } = reading
      const toSign: typeof reading.toSign = (visit, key) => {
        const string = reading.toSign(visit, key)
        compared.push(`${string}\n${signature}`, `${address?.toSign(visit)}\n${address?.signature}`)
        return string
      }
      return { ...reading, toSign }
    },
  }
}

async function survives(minted: Minting, mutations: readonly Mutation[], fixed: (link: string) => number): Promise<void> {
  const { scheme, link } = await sent(minted)
  const read = async (link: string) => {
    const texts: string[] = []
    const verdict = await visit(watched(scheme, texts), link, minted)
    return { link, texts, verdict }
  }
  const good = await read(link)
  if (!good.verdict.ok) throw new Error(`${good.verdict.reason}: ${link}`)
  const { claims } = good.verdict
  const mutants = [...new Set(mutations.map((mutation) => mutate(link, mutation, fixed(link))))].filter((mutant) => mutant !== link)
  cases += mutants.length
  for (const { link: mutant, texts, verdict } of await Promise.all(mutants.map(read))) {
    if (!verdict.ok) continue
    const same = texts.join() === good.texts.join() && meaning(verdict.claims, minted.options) === meaning(claims, minted.options)
    const { prefix, resource } = verdict.claims
    const inside = prefix === undefined || prefix === '/' || `${split(resource).path}/`.startsWith(prefix.replace(/\/?$/, '/'))
    if (!same || !inside) throw new Error(`accepted with another meaning:\n${mutant}\n${link}`)
  }
}

// A failure is not shrunk, because the error names the link.
const mutations = fc.array(mutation, { minLength: 60, maxLength: 60 })

describe(`properties, SEED=${seed}`, () => {
  test('a changed link is refused, or means the same', { timeout: 120_000 }, async () => {
    // The origin is not covered, so it is not changed.
    const fixed = (link: string) => split(link).origin.length
    await fc.assert(
      fc.asyncProperty(minting, mutations, (minted, mutations) => survives(minted, mutations, fixed)),
      { seed, numRuns: 900, endOnFailure: true },
    )
  })

  test('with the origin covered, also where scheme and host are changed', { timeout: 120_000 }, async () => {
    const absolute = minting.map((minted) => ({
      ...minted,
      url: split(minted.url).origin ? minted.url : `https://files.test${minted.url}`,
      options: { ...minted.options, origin: true },
    }))
    await fc.assert(
      fc.asyncProperty(absolute, mutations, (minted, mutations) => survives(minted, mutations, () => 0)),
      { seed, numRuns: 600, endOnFailure: true },
    )
  })

  test('every signed link is valid, in both placements and with all options', { timeout: 120_000 }, async () => {
    const batch = fc.array(minting, { minLength: 20, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(batch, async (batch) => {
        cases += batch.length
        await Promise.all(
          batch.map(async (minted) => {
            const { scheme, link } = await signed(minted)
            const verdict = await visit(scheme, (await sent(minted)).link, minted)
            if (!verdict.ok) throw new Error(`${verdict.reason}: ${link}`)
            // The rest of the URL is kept byte for byte, as clients send it.
            const url = asSent(minted.url, split(minted.url))
            const { origin, path, query, fragment } = split(url)
            const [head, tail] =
              minted.options.placement === 'path' ? [`${origin}/`, path + query + fragment] : [origin + path + query, fragment]
            expect(link.startsWith(head) && link.endsWith(tail), link).toBe(true)
          }),
        )
      }),
      { seed, numRuns: 500, endOnFailure: true },
    )
  })

  test('two different grants never share a string to sign', { timeout: 120_000 }, async () => {
    // Half of them from few values, so that there are grants which differ in one thing.
    const near: fc.Arbitrary<Minting> = fc.record({
      url: fc.constantFrom(
        '/a',
        '/a/b',
        '/a/b?b',
        '/a/b?b=1&b=2',
        '/a/b?b=2&b=1',
        '/a/b?b=1%26b=2',
        '/a/b?c&b',
        '/a/b?b&c',
        '/a/b?',
        '/a/b%3Fb',
        '/a/b%0Ab',
        '/a/%62',
      ),
      options: fc.record({ purpose: fc.constantFrom('x', 'x\n', 'x\ny', 'x%0A') }, { requiredKeys: [] }),
      conditions: fc.record(
        {
          expires: fc.constantFrom(later(1), later(2)),
          starts: fc.constant(later(-1)),
          method: fc.constantFrom('GET', 'PUT', ['GET', 'PUT']),
          ip: fc.constantFrom(...IPS),
          prefix: fc.constantFrom('/', '/a'),
          id: fc.constantFrom('x', 'x\n', 'x\ny', '1', '2026-11'),
          uses: fc.constantFrom(1, 2),
        },
        { requiredKeys: ['expires', 'id'] },
      ),
      key: fc.constantFrom(...KEYS),
    })
    const meanings = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(fc.oneof(minting, near), async (minted) => {
        cases++
        const { url, options, conditions, key } = minted
        const scheme = hmac(key, options)
        const texts: string[] = []
        let said: unknown
        const noted: Scheme = {
          ...scheme,
          async write(grant, key) {
            const { origin, path } = split(asSent(url, split(url)))
            const { id, uses, starts, expires, methods, network, prefix } = { ...grant, id: conditions.id }
            said = [
              options.purpose,
              options.origin ? normalOrigin(origin) : '',
              prefix ? canonicalPath(prefix) : canonicalPath(path),
              queryOf(url, options),
              id,
              key.id,
              uses,
              starts,
              expires,
              methods,
              network,
              !prefix,
            ]
            const draft = await scheme.write(grant, key)
            texts.push((draft.addressToSign ?? draft.toSign) as string)
            return draft
          },
        }
        await sign(noted, url, conditions, { now })
        const [text, meaning] = [texts.at(-1) as string, JSON.stringify(said)]
        expect(text.split('\n').length).toBe(conditions.ip ? 14 : 13)
        expect(meanings.get(text) ?? meaning).toBe(meaning)
        meanings.set(text, meaning)
      }),
      { seed, numRuns: 20_000 },
    )
    expect(new Set(meanings.values()).size).toBe(meanings.size)
  })

  test('the normal form of a normal form is the same', () => {
    const anything = fc.oneof(
      url,
      fc.tuple(path, query).map(([path, query]) => `${path}?${query}`),
      fc.string({ unit: 'binary' }).map((text) => `/${text}`),
    )
    fc.assert(
      fc.property(anything, (url) => {
        cases++
        const { path } = split(url)
        expect(normalPath(normalPath(path))).toBe(normalPath(path))
        expect(asSent(asSent(url, split(url)), split(asSent(url, split(url))))).toBe(asSent(url, split(url)))
        const once = normalise(split(url))
        expect(normalise(once)).toEqual(once)
        // The form that hmac signs, of the URL that it signs.
        const sent = split(asSent(url, split(url)))
        const [canonical, pieces] = [canonicalPath(sent.path), canonicalQuery(sent.query)]
        expect([canonicalPath(canonical), canonicalQuery(pieces)]).toEqual([canonical, pieces])
        expect(canonical + pieces).toMatch(/^[!-~]*$/)
        if (isDecodable(sent.path)) expect(canonical).toMatch(/^(%[\dA-F]{2}|[\w\-.~/;])*$/)
        // Clients escape nothing in it, and resolve no segment.
        expect(once.path + once.query).toMatch(/^(%[\dA-F]{2}|[\w\-.~!$&()*+,;=:@/?])*$/)
        expect(once.path).not.toMatch(/\/\.\.?(\/|$)/)
      }),
      { seed, numRuns: 12_000 },
    )
  })

  test('there were more than a hundred thousand cases', () => {
    expect(cases).toBeGreaterThan(100_000)
  })
})

// The query as the signature covers it, without ignored parameters.
function queryOf(url: string, { ignore = [] }: HmacOptions): string {
  const sent = split(asSent(url, split(url)))
  const ignored = (name: string) =>
    (ignore.includes('fbclid') && name === 'fbclid') || (ignore.includes('utm_*') && name.startsWith('utm_'))
  const kept = sent.query
    .slice(1)
    .split('&')
    .filter((piece) => piece.includes(';') || !ignored(piece.split('=')[0] as string))
    .join('&')
  return canonicalQuery(kept && `?${kept}`)
}
