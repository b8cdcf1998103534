// grantOf: the conditions that a scheme cannot carry.
import { expect, test } from 'vitest'
import { hmac, type Scheme, sign } from '../../src/index.ts'
import { imagekit } from '../../src/schemes/imagekit.ts'
import { jwt } from '../../src/schemes/jwt.ts'

const bare = imagekit({ secret: 'private_key' }) as unknown as Scheme
const STANDARD = { starts: '1s', method: 'GET', ip: '203.0.113.7', prefix: '/a/', uses: 1, id: 'x' }

test.each(Object.entries(STANDARD))('a scheme that carries no conditions says so about %s', async (option, value) => {
  const refused = sign(bare, '/demo/a.png', { expires: '1h', [option]: value } as { expires: '1h' })
  await expect(refused).rejects.toMatchObject({
    code: 'unsupported_condition',
    option,
    message: `imagekit links cannot carry the condition '${option}'; they carry expires, align`,
  })
})

test("a part of a second is rounded up, so '0.5s' lasts until the next one", async () => {
  const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
  for (const milliseconds of [0, 200, 700, 999]) {
    const now = () => new Date(1_900_000_000_000 + milliseconds)
    expect(await sign(links, '/a', { expires: '0.5s' }, { now })).toContain('?expires=1900000001&')
  }
})

test.each(['starts', 'expires'])('%s: the beginning of 1970 is not a time', async (option) => {
  const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
  const conditions = { expires: '1h', [option]: new Date(0) } as { expires: '1h' }
  await expect(sign(links, '/a', conditions)).rejects.toMatchObject({ option, message: `${option} must be a valid Date after 1970` })
})

test('a URL with half a token in its path is refused', async () => {
  const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' }, { placement: 'path' })
  await expect(sign(links, '/expires=soon/a', { expires: '1h' })).rejects.toMatchObject({
    code: 'bad_option',
    option: 'url',
    message: 'url must be without a token in its path, which the link adds',
  })
})

test('a scheme with an id of its own decides itself what an id is', async () => {
  const links: Scheme = {
    ...(jwt({ secret: 'a secret of 32 bytes or more, from a vault' }) as unknown as Scheme),
    own: ['id'],
    carries: [],
  }
  const asked: unknown[] = []
  const watched: Scheme = {
    ...links,
    write(grant, key) {
      asked.push((grant.own as { id?: unknown }).id)
      return links.write({ ...grant, id: undefined, own: {} }, key)
    },
  }
  await sign(watched, 'https://cdn.example/a', { expires: '1h', id: ['x', 'y'] } as unknown as { expires: '1h' })
  expect(asked).toEqual([['x', 'y']])
})
