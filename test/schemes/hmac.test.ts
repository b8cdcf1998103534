// hmac: what it says about itself, and which parameter a refusal names.
import { expect, test, vi } from 'vitest'
import { keyring } from '../../src/core/keys.ts'
import { hmac, type LinkError, sign, verify } from '../../src/index.ts'

const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
const NOW = new Date('2027-01-15T08:00:00Z')
const at = { now: () => NOW }

test('covers scheme and host, and a purpose, only when it has them', () => {
  expect(links.covers).toEqual(['path', 'query', 'method', 'ip', 'starts', 'expires', 'prefix', 'uses', 'id', 'key'])
  expect(hmac([], { origin: true }).covers).toEqual(['scheme', 'host', ...links.covers])
  expect(hmac([], { purpose: 'mail' }).covers).toEqual([...links.covers, 'purpose'])
})

test.each(['/a?exp%20ires=1', '/a?expires%20=1', '/a?x%5Bid%5D=1', '/a?x%20id=1', '/a?%5Bid=1'])(
  '%s has no parameter that a server reads as one of the link',
  async (url) => {
    const link = await sign(links, url, { expires: '1h' }, at)
    expect(await verify(links, link, at)).toMatchObject({ ok: true })
  },
)

test.each(['%20id=1', '%20%20id=1', '%20id%5B%5D=1', 'id%5B%5D=1', 'id%5Bx=1', 'id%00x=1'])(
  '%s is read as id by some servers, so sign refuses it, and verify names it',
  async (piece) => {
    const refused: LinkError = await sign(links, `/a?${piece}`, { expires: '1h' }, at).catch((error) => error)
    expect(refused).toMatchObject({ code: 'bad_option', option: 'url' })
    const link = await sign(links, '/a', { expires: '1h' }, at)
    const name = piece.slice(0, -2)
    expect(await verify(links, `${link}&${piece}`, at)).toMatchObject({ reason: 'malformed', parameter: name })
    // The first one is named.
    expect(await verify(links, `${link}&${piece}&%20uses=1`, at)).toMatchObject({ reason: 'malformed', parameter: name })
  },
)

test('a refusal names the first parameter that occurs twice, by its own name', async () => {
  const renamed = hmac({ secret: 'a secret of 32 bytes or more, from a vault' }, { parameters: { expires: 'e', signature: 's', id: 'i' } })
  const link = await sign(renamed, '/a', { expires: '1h', id: 'x' }, at)
  expect(await verify(renamed, `${link}&i=y&e=1`, at)).toMatchObject({ reason: 'malformed', parameter: 'i' })
  expect(await verify(renamed, link.replace(/e=\d+&/, ''), at)).toMatchObject({ reason: 'malformed', parameter: 'e' })
  expect(await verify(renamed, link.slice(0, -1), at)).toMatchObject({ reason: 'malformed', parameter: 's' })
})

test('a short secret is refused with the number of bytes that it needs', () => {
  expect(() => hmac({ secret: 'x'.repeat(31) })).toThrow('secret must be at least 32 bytes long')
  expect(() => keyring({ secret: new Uint8Array(0) })).toThrow(/^secret must be given, and not empty$/)
})

test('a prefix that is not UTF-8 opens nothing', async () => {
  const refused = await sign(links, '/%FF/a', { expires: '1h', prefix: '/%FF/' }, at).catch((error: LinkError) => error)
  expect(refused).toMatchObject({ code: 'bad_option', option: 'prefix', message: expect.stringMatching(/^prefix must be UTF-8, /) })
})

test.each(['', ',GET', 'GET,', 'GET,,PUT', 'get', 'GET PUT', '1'])('a link that names the methods %j is malformed', async (methods) => {
  const link = await sign(links, '/a', { expires: '1h', method: ['GET', 'PUT'] }, at)
  const changed = link.replace('method=GET%2CPUT', `method=${encodeURIComponent(methods)}`)
  expect(changed).not.toBe(link)
  expect(await verify(links, changed, at)).toMatchObject({ reason: 'malformed', parameter: 'method' })
})

test('behind more parameters than parsers take, the first fault is named', async () => {
  const link = await sign(links, '/a', { expires: '1h' }, at)
  const many = '&x=1'.repeat(1001)
  expect(await verify(links, `${link}${many}`, at)).toMatchObject({ reason: 'malformed', parameter: 'expires' })
  expect(await verify(links, `${link}&id%5B%5D=1${many}`, at)).toMatchObject({ reason: 'malformed', parameter: 'id%5B%5D' })
})

test.each<[option: string, value: unknown, rule: string]>([
  ['purpose', 7, 'well-formed text'],
  ['purpose', 'half of a pair: \ud83d', 'well-formed text'],
  ['origin', 'true', 'true or false'],
  ['ignore', 'utm_*', "a list of names, each with a '*' at its end or without"],
  ['ignore', ['\ud83d'], "a list of names, each with a '*' at its end or without"],
  ['parameters', { id: 'a b' }, "distinct names of letters, digits, '_', '.' and '-'"],
  ['placement', 'cookie', "'query' or 'path'"],
])('a wrong %s is named, with the rule for it: %j', (option, value, rule) => {
  const make = () => hmac([], { [option]: value })
  expect(make).toThrow(expect.objectContaining({ code: 'bad_option', option, message: `${option} must be ${rule}` }))
})

test('a host beyond ASCII is refused, because clients send it in another spelling', async () => {
  const refused = sign(links, 'https://пример.рф/a', { expires: '1h' }, at)
  await expect(refused).rejects.toMatchObject({
    code: 'bad_option',
    option: 'url',
    message: 'url must be one with an ASCII host, such as xn--p1ai.example',
  })
})

test('only a * at the end of an ignored name stands for other characters', async () => {
  const scheme = hmac({ secret: 'a secret of 32 bytes or more, from a vault' }, { ignore: ['a*b', 'c*d*'] })
  const link = await sign(scheme, '/a', { expires: '1h' }, at)
  for (const ignored of ['a*b=1', 'c*d=1', 'c*dx=1'])
    expect(await verify(scheme, `${link}&${ignored}`, at), ignored).toMatchObject({ ok: true })
  for (const signed of ['ab=1', 'axb=1', 'cd=1', 'cxd=1', 'a*bx=1', 'c*=1'])
    expect(await verify(scheme, `${link}&${signed}`, at), signed).toMatchObject({ reason: 'bad_signature' })
})

test('a URL without a host is refused with origin: true', async () => {
  const scheme = hmac({ secret: 'a secret of 32 bytes or more, from a vault' }, { origin: true })
  await expect(sign(scheme, '/a', { expires: '1h' }, at)).rejects.toMatchObject({
    option: 'url',
    message: 'url must be absolute with origin: true',
  })
})

test('text that is too long for a link is malformed', () => {
  expect(links.read(`/a?expires=1&signature=${'x'.repeat(16_384)}`)).toBe('malformed')
})

test.each(['05', 'x5', '5x', '0', '-1', '1000000000', ''])('a link that may be used %j times is malformed', async (uses) => {
  const link = await sign(links, '/a', { expires: '1h', uses: 5, id: 'x' }, at)
  expect(await verify(links, link.replace('uses=5', `uses=${uses}`), at)).toMatchObject({ reason: 'malformed', parameter: 'uses' })
})

test('a token in the path: the first fault is named', async () => {
  const inPath = hmac({ secret: 'a secret of 32 bytes or more, from a vault' }, { placement: 'path' })
  const link = await sign(inPath, '/a', { expires: '1h', id: 'x' }, at)
  const named = async (id: string) => (await verify(inPath, link.replace(',id=x,', `,${id},`), at)).parameter
  expect(await named('id=x,id=y')).toBe('id')
  expect(await named('id=x,odd=1')).toBe('expires')
  expect(await named('id=x,id=y,odd=1')).toBe('id')
})

test('more parameters than parsers take stay in their order', async () => {
  const others = Array.from({ length: 1001 }, (_, i) => `p${i % 7}=${i}`)
  const link = await sign(links, `/a?${others.join('&')}`, { expires: '1h' }, at)
  expect(await verify(links, link, at)).toMatchObject({ ok: true })
  // Parsers would take another one of these two.
  const swapped = link.replace('p0=0&p1=1&', 'p1=1&p0=0&')
  expect(swapped).not.toBe(link)
  expect(await verify(links, swapped, at)).toMatchObject({ reason: 'bad_signature' })
})

test('of thousands of pieces behind a link, only the first one is decoded', async () => {
  const links = hmac({ secret: 'a secret of 32 bytes or more, for tests' })
  const link = await sign(links, '/a?x=1', { expires: '10m' })
  const replace = vi.spyOn(String.prototype, 'replace')
  const { reason } = await verify(links, link + '&%'.repeat(8000))
  const { length } = replace.mock.calls
  replace.mockRestore()
  expect(reason).toBe('malformed')
  expect(length).toBeLessThan(100)
})
