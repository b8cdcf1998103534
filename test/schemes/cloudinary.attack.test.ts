// cloudinary under attack: links that make a slow expression wait.
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { cloudinary } from '../../src/schemes/cloudinary.ts'

const links = cloudinary({ secret: 'an API secret' })
const FRONT = 'https://res.cloudinary.com/demo/image/upload/s--AAAAAAAA--'

// An expression for the whole path tries every `_` of every segment, which would not end within the age of the universe.
test.each([
  ['names with several _ in many segments', '/$a_b_c'.repeat(2000)],
  ['many parameters in one segment', `/w_1${',$a_b_c'.repeat(2000)}`],
  ['one long name', `/$a${'_'.repeat(16_000)}`],
])('%s do not keep verify busy', async (_, path) => {
  expect((await verify(links, `${FRONT}${path}/x.jpg`)).reason).toBe('bad_signature')
})

// Neither is signed. A server that decodes %2F would leave its folder.
test.each([
  ['cloud name', '/demo/image/upload/', '/..%2Fx/image/upload/'],
  ['cloud name', '/demo/image/upload/', '/%5C../image/upload/'],
  ['cloud name of an image on the root path', '/demo/image/upload/', '/..%2F../'],
  ['suffix', '/demo/image/upload/s--SIGNATURE--/cat.jpg', '/images/s--SIGNATURE--/cat/a%2Fb.jpg'],
  ['suffix', '/demo/image/upload/s--SIGNATURE--/cat.jpg', '/images/s--SIGNATURE--/cat/a%5cb.jpg'],
])('a %s has no escaped slash', async (_, front, other) => {
  const link = await sign(links, 'https://res.cloudinary.com/demo/image/upload/cat.jpg', { expires: 'never' })
  const signature = /s--(.*?)--/.exec(link)?.[1] as string
  const changed = (text: string) => link.replace(front.replace('SIGNATURE', signature), text.replace('SIGNATURE', signature))
  expect((await verify(links, changed(other.replace(/%(2F|5c)/gi, '').replaceAll('..', 'x')))).ok).toBe(true)
  expect((await verify(links, changed(other))).ok).toBe(false)
})
