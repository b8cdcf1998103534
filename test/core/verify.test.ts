// verify: the address of the request, and the claims of a verdict.
import { describe, expect, test } from 'vitest'
import { hmac, type Scheme, sign, verify } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'

const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
const tokens = akamai({ secret: 'aabbccddeeff00112233445566778899' })

describe('the address of a request', () => {
  const bound: [name: string, scheme: Scheme][] = [
    ['hmac, whose links do not show it', links as unknown as Scheme],
    ['akamai, whose links show it', tokens as unknown as Scheme],
  ]

  // Frameworks have `null` where a connection is closed already.
  test.each(bound)('%s: null is an address that is not known', async (_name, scheme) => {
    const link = await sign(scheme, '/a', { expires: '1h', ip: '203.0.113.7' } as { expires: '1h' }, at)
    for (const ip of [null, undefined])
      expect(await verify(scheme, link, { ...at, ip: ip as undefined })).toMatchObject({ reason: 'wrong_ip' })
    expect(await verify(scheme, link, { ...at, ip: '203.0.113.7' })).toMatchObject({ ok: true })
  })

  test('is claimed with the length of its network, and an IPv4 address in IPv6 as IPv4', async () => {
    const claimed = async (network: string, ip: string) => {
      const link = await sign(links, '/a', { expires: '1h', ip: network }, at)
      return (await verify(links, link, { ...at, ip })).claims?.ip
    }
    expect(await claimed('203.0.113.0/24', '203.0.113.7')).toBe('203.0.113.7/24')
    for (const front of ['::ffff:', '::FFFF:']) expect(await claimed('203.0.113.0/24', `${front}203.0.113.7`)).toBe('203.0.113.7/24')
    expect(await claimed('2001:db8::/32', '2001:db8::7')).toBe('2001:db8::7/32')
  })
})

test('an address that the link itself shows is claimed as it is, beside a second signature', async () => {
  const odd: Scheme = {
    ...(links as unknown as Scheme),
    algorithm: { digest: () => new Uint8Array([1]), encoding: 'hex' },
    read: (url) => ({
      claims: { resource: url, expires: new Date('2031-01-01T00:00:00Z'), ip: '203.0.113.0/24' },
      signature: '01',
      toSign: () => '',
      address: { signature: '01', toSign: () => '' },
    }),
  }
  expect((await verify(odd, '/a', { ...at, ip: '203.0.113.7' })).claims?.ip).toBe('203.0.113.0/24')
})

test('a scheme that tells its keys in a way of its own tries no others', async () => {
  const tried: unknown[] = []
  const picky: Scheme = {
    ...(links as unknown as Scheme),
    algorithm: { digest: () => new Uint8Array([1]), encoding: 'hex' },
    keys: () => ['a', 'b', 'c'].map((id) => ({ id, secret: id })),
    read: (url) => ({
      claims: { resource: url, expires: new Date('2031-01-01T00:00:00Z'), keyId: 'B' },
      signature: '02',
      signedBy: ({ id }) => id?.toUpperCase() === 'B',
      toSign(_visit, { id }) {
        tried.push(id)
        return ''
      },
    }),
  }
  expect(await verify(picky, '/a', at)).toMatchObject({ reason: 'bad_signature' })
  expect(tried).toEqual(['b'])
})

test('claims have no names for what the link does not say', async () => {
  const link = await sign(links, '/a', { expires: '1h' }, at)
  const { claims = {} } = await verify(links, link, at)
  expect(Object.keys(claims).sort()).toEqual(['expires', 'resource'])
})
