// Explanations of links with a valid signature that are refused: each reason has a sentence and a remedy.
import { expect, test } from 'vitest'
import type { Attempt } from '../../src/explain/attempt.ts'
import { explainRefusal, explainUnknownKey } from '../../src/explain/refused.ts'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { type Claims, hmac, sign } from '../../src/index.ts'

const NOW = new Date('2030-01-01T00:00:00Z')
const now = () => NOW
const SECRET = 'a made-up secret of 40 characters or so.'
const links = hmac({ id: 'new', secret: SECRET })

async function explained(conditions: object, options: ExplainOptions = {}, scheme = links) {
  const link = await sign(links, '/files/a.txt', { expires: '10m', ...conditions }, { now })
  const { mistakes } = await explain(scheme, link, { now, ...options })
  expect(mistakes).toHaveLength(1)
  expect(mistakes[0]?.remedy).toMatch(/\.$/)
  return `${mistakes[0]?.code}: ${mistakes[0]?.sentence}`
}
const later = (seconds: number) => ({ now: () => new Date(+NOW + seconds * 1000) })

test.each<[string, object, ExplainOptions]>([
  ['wrong_method: The link opens PUT, and the request is GET.', { method: 'PUT' }, {}],
  ['wrong_method: The link opens GET and HEAD, and the request is DELETE.', {}, { method: 'DELETE' }],
  ['wrong_ip: The link is for another address or network than that of the request.', { ip: '203.0.113.7' }, { ip: '203.0.113.8' }],
  ['wrong_ip: The link is for one address or network, and the verifier did not get the address of the request.', { ip: '203.0.113.7' }, {}],
  ['expired: The link expired 0 s ago, at 2030-01-01T00:10:00.000Z.', {}, later(600)],
  ['expired: The link expired 119 s ago, at 2030-01-01T00:10:00.000Z.', {}, later(719)],
  ['expired: The link expired 2 min ago, at 2030-01-01T00:10:00.000Z.', {}, later(720)],
  ['expired: The link expired 120 min ago, at 2030-01-01T00:10:00.000Z.', {}, later(600 + 7199)],
  ['expired: The link expired 2 h ago, at 2030-01-01T00:10:00.000Z.', {}, later(600 + 7200)],
  ['expired: The link expired 48 h ago, at 2030-01-01T00:10:00.000Z.', {}, later(600 + 172_799)],
  ['expired: The link expired 2 days ago, at 2030-01-01T00:10:00.000Z.', {}, later(600 + 172_800)],
  ['too_early: The link is not valid until 2030-01-01T00:05:00.000Z, in 5 min.', { starts: '5m' }, {}],
  ['revoked: The function revoked returned true for the link.', {}, { revoked: () => true }],
  ['needs_redeem: The link can be redeemed once, and verify() consumes no uses.', { uses: 1 }, {}],
  ['needs_redeem: The link can be redeemed 3 times, and verify() consumes no uses.', { uses: 3 }, {}],
])('%s', async (sentence, conditions, options) => expect(await explained(conditions, options)).toBe(sentence))

test('a key that has ended, and one that has not begun', async () => {
  const ended = hmac({ id: 'new', secret: SECRET, expires: new Date(+NOW - 1000) })
  expect(await explained({}, {}, ended)).toBe('key_expired: The link has not expired, but the key that signed it has.')
  const coming = hmac({ id: 'new', secret: SECRET, starts: new Date(+NOW + 3_600_000) })
  expect(await explained({}, {}, coming)).toBe('too_early: The link is not valid until 2030-01-01T01:00:00.000Z, in 60 min.')
})

test('another path, with a prefix and without one', async () => {
  const link = await sign(links, '/files/a.txt', { expires: '10m', prefix: '/files/' }, { now })
  const { mistakes } = await explain(links, link.replace('/files/', '/other/'), { now })
  expect(mistakes[0]?.sentence).toBe('The link opens /files/ and everything below it, and the request is for another path.')

  const claims: Claims = { resource: '/a', expires: NOW }
  const refusal = { claims, attempt: { method: 'GET', ip: undefined } as Attempt, now: +NOW, address: undefined }
  expect(explainRefusal('wrong_path', refusal).sentence).toBe('The link does not open this URL.')
  expect(explainRefusal('too_early', refusal).sentence).toBe('The link is not valid yet.')
  expect(explainRefusal('used', refusal).sentence).toBe('All uses of the link are consumed.')
  expect(explainRefusal('wrong_ip', { ...refusal, address: '203.0.113.7' }).sentence).toContain('203.0.113.7, which a header')
})

test('an unknown key', () => {
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ id, secret: SECRET }))
  const sentence = (...given: Parameters<typeof explainUnknownKey>) => explainUnknownKey(...given).sentence
  expect(sentence('x', keys)).toBe("The link names the key 'x', which is not on the keyring of 'a', 'b', 'c', 'd', 'e'.")
  expect(sentence('x', [{ secret: SECRET }])).toBe("The link names the key 'x', which is not on the keyring, whose keys have no ids.")
  expect(sentence(undefined, [])).toBe('The link names a key, which is not on the keyring.')
  expect(sentence('x'.repeat(41), [])).toBe(`The link names the key '${'x'.repeat(40)}', which is not on the keyring.`)
})
