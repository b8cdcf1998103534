// imagekit under attack: the part of the path in front of what is signed.
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { imagekit } from '../../src/schemes/imagekit.ts'

const links = imagekit({ secret: 'dummy-key' })
const now = () => new Date('2030-01-01T00:00:00Z')

// Nobody signs the first segment. A server that decodes %2F would leave its folder.
test.each(['..%2F..%2Fetc', '..%5C', '..;x', '.hidden', 'a%2Fb', '%64emo', 'a;b', '...'])('%s is not an endpoint', async (segment) => {
  const link = await sign(links, 'https://ik.imagekit.io/demo/a.png', { expires: '1h' }, { now })
  expect((await verify(links, link.replace('/demo/', '/other/'), { now })).ok).toBe(true)
  expect((await verify(links, link.replace('/demo/', `/${segment}/`), { now })).ok).toBe(false)
})
