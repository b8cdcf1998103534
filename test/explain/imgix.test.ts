// Mistakes with signed URLs of imgix, made with node:crypto.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { imgix } from '../../src/schemes/imgix.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const TOKEN = 'FOO123barBAZ'
const links = imgix({ secret: TOKEN })
const PATH = '/users/my%20cat.png'
const QUERY = 'w=400&h=300&expires=1900000000'
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

test.each<[code: string, signed: string, path?: string, query?: string]>([
  ['secret_behind', `${PATH}?${QUERY}${TOKEN}`],
  ['secret_behind', `${TOKEN}:${PATH}?${QUERY}`],
  ['expiry_not_signed', `${TOKEN}${PATH}?w=400&h=300`],
  ['query_sorted', `${TOKEN}${PATH}?expires=1900000000&h=300&w=400`],
  ['question_mark', `${TOKEN}${PATH}?`, PATH, ''],
  ['question_mark', `${TOKEN}${PATH}${QUERY}`],
  ['query_left_out', `${TOKEN}${PATH}`],
  ['path_without_slash', `${TOKEN}${PATH.slice(1)}?${QUERY}`],
  ['whole_url', `${TOKEN}https://demo.imgix.net${PATH}?${QUERY}`],
  ['path_not_encoded', `${TOKEN}/users/my cat.png?${QUERY}`],
  ['path_not_encoded', `${TOKEN}/https://files.example/a.png?${QUERY}`, '/https%3A%2F%2Ffiles.example%2Fa.png'],
  ['secret_line_break', `${TOKEN}\n${PATH}?${QUERY}`],
])('%s: %s', async (code, signed, path = PATH, query = QUERY) => {
  const signature = md5(signed)
  const { mistakes, verdict } = await explain(links, `https://demo.imgix.net${path}?${query && `${query}&`}s=${signature}`, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
  for (const secret of [TOKEN, signature]) expect(JSON.stringify(mistakes)).not.toContain(secret)
})

test('s is not the last parameter, or has another form', async () => {
  const signature = md5(`${TOKEN}${PATH}?${QUERY}`)
  const first = await explain(links, `https://demo.imgix.net${PATH}?s=${signature}&${QUERY}`, { now })
  expect(first.mistakes.map(({ code }) => code)).toEqual(['signature_not_last'])
  const long = await explain(links, `https://demo.imgix.net${PATH}?s=${signature}${signature}`, { now })
  expect(long.mistakes[0]?.remedy).toContain('32 hex digits')
})
