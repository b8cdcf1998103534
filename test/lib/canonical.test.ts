// The form that hmac signs: against a slow model that decodes and encodes everything, and how much work a hostile query makes.
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { hmac, inspect, sign, verify } from '../../src/index.ts'
import { asSent, canonicalPath, canonicalQuery, canonicalText } from '../../src/lib/canonical.ts'
import { hasDotSegment } from '../../src/lib/request-target.ts'
import { decodeValue, isDecodable, split } from '../../src/lib/url.ts'

const seed = Number(process.env['SEED'] ?? 20261126)

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return
  }
}
const encoded = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** docs/spec.md, section 4, without a fast path. */
function slowPath(path: string): string {
  if (path.includes('\\') || decoded(path) === undefined) return path
  return path.replace(/[^/;]+/g, (part) => encoded(decoded(part) as string))
}

function slowQuery(query: string): string {
  const pieces = query.slice(1).split('&')
  const lateName = pieces.some((piece) => piece.includes('=') && /(\]|%5d)=/i.test(piece.slice(piece.indexOf('=') + 1)))
  if (query.includes(';') || decoded(query) === undefined || lateName || pieces.length > 1000) return query
  const parameters = pieces
    .filter((piece) => piece !== '')
    .map((piece) => {
      const [, name = '', value = ''] = /^([^=]*)=?(.*)$/.exec(piece.replaceAll('+', ' ')) as unknown as string[]
      return { name: decoded(name) as string, value: decoded(value) as string }
    })
  const orders = parameters.map(({ name }) => /[a-z0-9]+/i.exec(name)?.[0].toLowerCase() ?? '')
  const keep = parameters.some(({ name }) => /^[^a-z0-9]*[[\]\0]/i.test(name))
  const sequence = parameters.map((_, i) => i)
  if (!keep) sequence.sort((a, b) => ((orders[a] as string) < (orders[b] as string) ? -1 : orders[a] === orders[b] ? a - b : 1))
  const printed = sequence.map((i) => `${encoded(parameters[i]?.name as string)}=${encoded(parameters[i]?.value as string)}`)
  return printed.length > 0 ? `?${printed.join('&')}` : ''
}

const PIECES = ['a', 'b', 'A', 'Z9', '0', '-', '.', '_', '~', '=', '=', '&', '&', '+', ';', '[', ']', '@', '!', '"', '%20', '%2f', '%2F', '%5D', '%5d', '%5B', '%00', '%7e', '%7E', '%61', '%C3%A9', '%c3%a9', '%F0%9F%8E%AC', '%FF', '%', '%2', '%zz', '%ED%A0%80', '%C1%A1', '%F4%90%80%80', '%25', '%3D', '%26', '\\', '?', '/'] // biome-ignore format: a list
const plainer = fc.constantFrom(...PIECES.slice(0, 16), '%20', '%2F', '%5D', '%5B')
const text = (piece: fc.Arbitrary<string>) => fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
const some = fc.oneof(text(fc.constantFrom(...PIECES)), text(plainer))

describe(`against a slow model, SEED=${seed}`, () => {
  test('queries', () => {
    fc.assert(
      fc.property(some, (query) => canonicalQuery(query && `?${query}`) === slowQuery(query && `?${query}`)),
      { seed, numRuns: 40_000 },
    )
  })

  test('paths', () => {
    fc.assert(
      fc.property(some, (path) => canonicalPath(`/${path}`) === slowPath(`/${path}`)),
      { seed, numRuns: 20_000 },
    )
  })

  test('what can be decoded', () => {
    fc.assert(
      fc.property(some, (text) => isDecodable(text) === (decoded(text) !== undefined) && decodeValue(text) === decoded(text)),
      { seed, numRuns: 20_000 },
    )
    // All escapes of one to four bytes with an odd one among them.
    for (let byte = 0; byte < 256; byte++)
      for (const rest of ['', '%80', '%BF', '%80%80', '%A0%80', '%9F%BF', '%80%80%80', '%90%80%80', '%8F%BF%BF']) {
        const escaped = `a%${byte.toString(16).padStart(2, '0')}${rest}b`
        expect(isDecodable(escaped), escaped).toBe(decoded(escaped) !== undefined)
      }
  })

  test('a browser sends the path and the query of a link as they stand', () => {
    const pieces = fc.constantFrom(
      ...PIECES.filter((piece) => piece !== '\\'),
      'ü',
      ' ',
      '<',
      '>',
      '`',
      '{',
      '|',
      '}',
      '^',
      "'",
      '🎬',
      '\u2028',
    )
    fc.assert(
      fc.property(text(pieces), text(pieces), (path, query) => {
        const url = `/x${path.replaceAll('?', '')}x?x${query}x`
        fc.pre(!hasDotSegment(split(url).path))
        const sent = asSent(url, split(url))
        const { pathname, search } = new URL(sent, 'https://app.example')
        return pathname + search === sent && /^[!-~]*$/.test(sent)
      }),
      { seed, numRuns: 10_000 },
    )
  })
})

test('fragments stay, and are fit for a header', async () => {
  const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
  const link = await sign(links, '/a b?q=ü#t=100% ü#x', { expires: '1h' })
  expect(link).toMatch(/^\/a%20b\?q=%C3%BC&expires=\d+&signature=[\w-]{43}#t=100%%20%C3%BC#x$/)
  expect(inspect(links, link)?.unverified.resource).toBe('/a%20b?q=%C3%BC')
  expect((await verify(links, link)).reason).toBe('malformed')
  expect((await verify(links, link.replace(/#.*/, ''))).claims?.resource).toBe('/a%20b?q=%C3%BC')
})

test('a text to sign that is longer than the shared buffer: its last byte counts', async () => {
  const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
  for (const length of [1000, 4000, 6000, 16_000]) {
    const link = await sign(links, `/a?q=${'x'.repeat(length)}y`, { expires: '1h' })
    expect((await verify(links, link)).ok).toBe(true)
    expect((await verify(links, link.replace('xy&', 'xz&'))).reason).toBe('bad_signature')
  }
})

describe('the work that a query of 16 kB makes', () => {
  const links = hmac({ secret: '0123456789abcdef0123456789abcdef' }, { ignore: ['utm_*', 'ü*'] })
  afterEach(() => vi.restoreAllMocks())

  const filled = (piece: string, length = 16_000) =>
    `/a?${piece.repeat(length / piece.length)}&expires=1900000000&id=%61&signature=${'A'.repeat(43)}`

  test.each([
    '&%',
    '&%61',
    '&%zz=',
    '&%FF',
    '&utm_%',
    '%',
    '=',
    ']=',
    '&a]=]=',
    '&%5D=',
    ';',
    '&a;',
    '+',
    '@',
    '&%65xpire',
    '&id',
    '&%69d=%61',
    '&a=%2f',
    '%C3%BC',
  ])('of %s: nothing is thrown, and no more is decoded than the parameters of the link', async (piece) => {
    const decode = vi.spyOn(globalThis, 'decodeURIComponent')
    const verdict = await verify(links, filled(piece))
    expect(['bad_signature', 'malformed']).toContain(verdict.reason)
    expect(decode.mock.results.filter(({ type }) => type === 'throw')).toEqual([])
    expect(decode.mock.calls.length).toBeLessThanOrEqual(9)
  })

  test('a text that is longer than a link is not read', async () => {
    const searched = vi.spyOn(String.prototype, 'split')
    for (const scheme of [links, hmac({ secret: '0123456789abcdef0123456789abcdef' }, { placement: 'path' })]) {
      expect((await verify(scheme, filled('&%', 1_000_000))).reason).toBe('malformed')
      expect(scheme.read(filled('&%', 1_000_000))).toBe('malformed')
    }
    expect(searched.mock.calls.length).toBe(0)
  })

  test('characters are escaped once, however often they come', () => {
    const encode = vi.spyOn(globalThis, 'encodeURIComponent')
    canonicalText('@:/?'.repeat(4000))
    expect(encode.mock.calls.length).toBeLessThanOrEqual(4)
  })
})
