// bunny under attack: what the page says about addresses, and one secret in two schemes.
import { expect, test } from 'vitest'
import { anyOf, sign, verify } from '../../src/index.ts'
import { bunny } from '../../src/schemes/bunny.ts'
import { cloudflare } from '../../src/schemes/cloudflare.ts'

const links = bunny({ secret: 'SecurityKey' })
const now = () => new Date('2030-01-01T00:00:00Z')

// Bunny's signers sign the four bytes of an address, and not that there is one. No verifier can tell.
test('the bytes of an address that are text can become part of a parameter', async () => {
  const bound = await sign(links, 'https://zone.example/v.mp4?user=7', { expires: '1h', ip: '97.98.99.100' }, { now })
  expect((await verify(links, bound, { now, ip: '203.0.113.7' })).ok).toBe(false)
  const unbound = bound.replace('HS256-1-', 'HS256-').replace('user=', 'abcduser=')
  expect(await verify(links, unbound, { now })).toMatchObject({ ok: true, claims: { resource: '/v.mp4?abcduser=7' } })
  expect((await verify(links, bound.replace('HS256-1-', 'HS256-'), { now })).reason).toBe('bad_signature')
})

test('a prefix stays where it is: without its name, it is a parameter', async () => {
  const bound = await sign(links, 'https://zone.example/v/1.mp4', { expires: '1h', prefix: '/v/', ip: '97.98.99.100' }, { now })
  const unbound = bound.replace('HS256-1-', 'HS256-').replace('token_path=', 'abcdtoken_path=')
  expect((await verify(links, unbound, { now })).reason).toBe('bad_signature')
})

test('with one secret, a link of bunny is one of cloudflare that lasts longer', async () => {
  const secret = 'one secret for two schemes'
  const [one, other] = [bunny({ secret }), cloudflare({ secret }, { maxAge: '3h', encoding: 'base64url' })]
  const link = await sign(one, 'https://zone.example/v.mp4', { expires: '1h' }, { now })
  const [, signature, expires] = /token=HS256-([\w-]+)&expires=(\d+)/.exec(link) ?? []
  const verdict = await verify(anyOf(one, other), `https://zone.example/v.mp4?verify=${expires}-${signature}`, { now })
  expect(verdict).toMatchObject({ ok: true, scheme: 'cloudflare', claims: { expires: new Date('2030-01-01T04:00:00Z') } })
})
