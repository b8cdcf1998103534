// pichax: keys that were copied with characters too many.
import { expect, test } from 'vitest'
import { LinkError } from '../../src/index.ts'
import { pichax } from '../../src/schemes/pichax.ts'

const good = { id: 'px_test_exampleKey', secret: 'example_secret_0123456789' }

test.each([
  ['a line break behind the secret', { secret: `${good.secret}\n` }, 'secret'],
  ['a space in front of the secret', { secret: ` ${good.secret}` }, 'secret'],
  ['quotes around the secret', { secret: `"${good.secret}"` }, 'secret'],
  ['a line break behind the id', { id: `${good.id}\r\n` }, 'id'],
  ['quotes around the id', { id: `'${good.id}'` }, 'id'],
])('%s', (_, change, option) => {
  const make = () => pichax({ ...good, ...change })
  expect(make).toThrow(LinkError)
  expect(make).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  expect(make).not.toThrow(new RegExp(good.secret))
})

test('a key as the console shows it', () => expect(() => pichax(good)).not.toThrow())
