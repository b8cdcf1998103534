// anyOf: of several refusals, the one of the scheme that got furthest answers.
import { describe, expect, test } from 'vitest'
import { anyOf, hmac, type Scheme, sign, verify } from '../../src/index.ts'

const secret = '0123456789abcdef0123456789abcdef'
const other = 'another secret that is 32 bytes long'
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const named = (suffix: string, key = secret) =>
  hmac({ id: 'a', secret: key }, { parameters: { expires: `e${suffix}`, signature: `s${suffix}`, key: `k${suffix}` } })

test('its name has those of its members, also of the members of members', () => {
  const [one, two, three] = [named('1'), named('2'), { ...(named('3') as unknown as Scheme), name: 'third' }]
  expect(anyOf(one, two).name).toBe('anyOf(hmac,hmac)')
  expect(anyOf(one, anyOf(three as never, two)).name).toBe('anyOf(hmac,third,hmac)')
})

describe('the refusal of anyOf', () => {
  const one = named('1')
  const two = named('2')

  test('is that of the first of two schemes that got equally far', async () => {
    const both = '/a?e1=soon&s1=x&e2=soon&s2=x'
    expect(await verify(anyOf(one, two), both, at)).toEqual({ ok: false, reason: 'malformed', status: 400, parameter: 'e1' })
    expect(await verify(anyOf(two, one), both, at)).toEqual({ ok: false, reason: 'malformed', status: 400, parameter: 'e2' })
  })

  test('has the status of that scheme', async () => {
    const teapot: Scheme = { ...(two as Scheme), status: { malformed: 418 } }
    const both = '/a?e1=soon&s1=x&e2=soon&s2=x'
    expect(await verify(anyOf(one, teapot), both, at)).toMatchObject({ status: 400 })
    expect(await verify(anyOf(teapot, one), both, at)).toMatchObject({ status: 418 })
  })

  test('is that of the scheme that got further, in either order', async () => {
    const unknown = (await sign(two, '/a', { expires: '1h' }, at)).replace('k2=a', 'k2=b')
    const forged = await sign(named('2', other), '/a', { expires: '1h' }, at)
    for (const schemes of [anyOf(one, two), anyOf(two, one)]) {
      expect(await verify(schemes, forged, at)).toMatchObject({ reason: 'bad_signature' })
      // The link is malformed to one of them, and a bad signature says more.
      expect(await verify(schemes, forged.replace('?', '?e1=soon&s1=x&'), at)).toMatchObject({ reason: 'bad_signature' })
      // The link is unsigned to one of them.
      expect(await verify(schemes, unknown, at)).toMatchObject({ reason: 'unknown_key' })
      expect(await verify(schemes, unknown.replace('?', '?e1=soon&s1=x&'), at)).toMatchObject({ reason: 'unknown_key' })
      expect(await verify(schemes, '/a?e1=soon&s1=x', at)).toMatchObject({ reason: 'malformed' })
    }
  })
})
