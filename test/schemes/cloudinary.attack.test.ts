// cloudinary under attack: links that make a slow expression wait.
import { expect, test } from 'vitest'
import { verify } from '../../src/index.ts'
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
