// Links of the package signed that were made wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { signed } from '../../src/schemes/signed.ts'

const SECRET = 'secret string'
const URL_ = 'https://app.example/b%C3%BC?a=1'
const TEXT = `${URL_}&signed=r_7-e_1893459600`
const sha1 = (...texts: string[]) => createHash('sha1').update(texts.join('')).digest('hex')
const link = (hash: string, text = TEXT) => `${text}-${hash}`

test.each([
  ['fields_not_signed', link(sha1(URL_, SECRET))],
  ['secret_first', link(sha1(SECRET, TEXT))],
  ['host_not_signed', link(sha1(TEXT.slice('https://app.example'.length), SECRET))],
  ['scheme', link(sha1(TEXT.replace('https', 'http'), SECRET))],
  ['added_parameters', `${link(sha1(TEXT, SECRET))}&utm_source=x`],
  ['secret_line_break', link(sha1(TEXT, SECRET, '\n'))],
])('%s', async (code, url) => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const { verdict, mistakes } = await explain(signed({ secret: SECRET }), url, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
