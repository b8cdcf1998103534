// The expiry boundary, to the millisecond.
import { expect, test } from 'vitest'
import { hmac, type Scheme, sign, verify } from '../../src/index.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { schemes } from '../conformance/vectors/index.ts'

const secret = 'a secret of 32 bytes or more, from a vault'
const expires = new Date('2030-01-01T00:00:00Z')

async function isOpen(links: Scheme, late: number): Promise<boolean> {
  const link = await sign(links, 'https://cdn.example/a', { expires }, { now: () => new Date(+expires - 60_000) })
  const verdict = await verify(links, link, { now: () => new Date(+expires + late) })
  expect(verdict.ok || verdict.reason === 'expired').toBe(true)
  return verdict.ok
}

test('a link ends with the beginning of the second of its expiry', async () => {
  const links = hmac({ secret })
  expect([await isOpen(links, -1), await isOpen(links, 0)]).toEqual([true, false])
})

test('a link that NGINX would open in the whole second of its expiry ends with the end of that second', async () => {
  const links = nginx({ secret }, { expression: '$secure_link_expires$uri $secret' }) as unknown as Scheme
  expect([await isOpen(links, 0), await isOpen(links, 999), await isOpen(links, 1000)]).toEqual([true, true, false])
})

test.each(schemes.map(({ vectors: { scheme }, make, vectors }) => [scheme, make, vectors] as const))(
  '%s has no default expiry',
  async (_name, make, { testGroups }) => {
    const { keys, options, tests } = testGroups.find((group) =>
      group.tests.some(({ conditions }) => conditions),
    ) as (typeof testGroups)[number]
    const { url, conditions } = tests.find((vector) => vector.conditions) as (typeof tests)[number]
    const scheme = make(keys, options) as unknown as Scheme
    const { expires: _, starts: __, ...others } = conditions as Record<string, unknown>
    for (const asked of [others, { ...others, expires: undefined }, { ...others, expires: null }, { ...others, expires: '' }])
      await expect(sign(scheme, url as string, asked as never)).rejects.toMatchObject({ name: 'LinkError', option: 'expires' })
  },
)
