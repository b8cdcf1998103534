// Token links of Upyun that were made wrongly, with Node's crypto alone: each mistake is named, and nothing else.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { upyun } from '../../src/schemes/upyun.ts'

const SECRET = 'mark520'
const HOST = 'https://files.example'
const PATH = '/dir/b%C3%BC.jpg'
const NAME = decodeURIComponent(PATH)
const E = 1_893_459_600
const middle = (text: string) => createHash('md5').update(text).digest('hex').slice(12, 20)
const link = (text: string, query = '') => `${HOST}${PATH}?${query}_upt=${middle(text)}${E}`

test.each([
  ['field_order', link(`${SECRET}${E}${NAME}`)],
  ['field_order', link(`${SECRET}&${NAME}&${E}`)],
  ['path_encoded', link(`${SECRET}&${E}&${PATH}`)],
  ['path_without_slash', link(`${SECRET}&${E}&${NAME.slice(1)}`)],
  ['whole_url', link(`${SECRET}&${E}&${HOST}${NAME}`)],
  ['query_in_path', link(`${SECRET}&${E}&${NAME}?v=1`, 'v=1&')],
  ['folder', link(`${SECRET}&${E}&/dir/`)],
  ['folder', link(`${SECRET}&${E}&${NAME}`, '_upp=1&')],
  ['secret_line_break', link(`${SECRET}\n&${E}&${NAME}`)],
])('%s', async (code, url) => {
  const now = () => new Date('2030-01-01T00:00:00Z')
  const { verdict, mistakes } = await explain(upyun({ secret: SECRET }), url, { now })
  expect(verdict.ok).toBe(false)
  expect(mistakes.map((mistake) => mistake.code)).toEqual([code])
})
