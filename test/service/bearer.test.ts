// bearer: the places that a token may sign for, and the form of tokens.
import { describe, expect, test } from 'vitest'
import { bearer } from '../../src/service.ts'

const TOKEN = 'a-token-for-these-tests-of-40-characters'
const request = new Request('https://links.example/v1/sign', { headers: { authorization: `Bearer ${TOKEN}` } })
const now = new Date('2030-01-01T00:00:00Z')

/** The decision about a link for this URL, with a token for these places. */
function decision(allow: string[], url: string, conditions: Record<string, unknown> = {}) {
  const link = { scheme: 'hmac', url, expires: new Date(+now + 1000), conditions }
  return bearer(TOKEN, { allow })(request, { verb: 'sign', links: [link], now } as never)
}

describe('a token for some places', () => {
  test.each([
    [['/'], '/a'],
    [['/'], '/a//b'],
    [['/files/'], '/files/a'],
    [['https://cdn.example/files/'], 'https://cdn.example/files/a'],
    [['https://cdn.example/'], 'https://CDN.example:443//a'],
  ])('%j: %s may be signed', (allow, url) => expect(decision(allow, url)).toBe(true))

  test.each([
    // Browsers read a host in it.
    [['/'], '//evil.example/a'],
    [['/'], '//'],
    [['/files/'], '/files/../a'],
    [['/files/'], '/files/..%2Fa'],
    // Servers that decode twice, or cut off what follows an escaped mark, leave the folder.
    [['/files/'], '/files/%252e%252e/a'],
    [['/files/'], '/files/..%3Bx/a'],
    [['/files/'], '/files/..%3Fa'],
    [['/files/'], '/files/..%23a'],
    [['/files/'], '/filesystem'],
    [['/'], 'https://cdn.example/a'],
    [['https://cdn.example/'], '/a'],
    [['https://cdn.example/'], 'http://cdn.example/a'],
    [['https://cdn.example/'], 'https://cdn.example.evil.example/a'],
  ])('%j: %s may not be signed', (allow, url) => {
    expect(decision(allow, url)).toMatchObject({ status: 403, index: 0, field: 'url' })
  })

  test('a prefix must lie in them, too', () => {
    expect(decision(['/files/'], '/files/a', { prefix: '/files/' })).toBe(true)
    for (const prefix of ['/', '/filesystem/', '/files/../', '/files/..%2F', '/files/%252e%252e/'])
      expect(decision(['/files/'], '/files/a', { prefix }), prefix).toMatchObject({ status: 403, field: 'prefix' })
  })
})

test.each(['', 'x'.repeat(31), `${TOKEN} `, ` ${TOKEN}`, `${TOKEN}\n`, `${TOKEN}=a`, 'ä'.repeat(32)])('%j is not a token', (token) => {
  expect(() => bearer(token)).toThrow(expect.objectContaining({ code: 'weak_key', option: 'token' }))
})
