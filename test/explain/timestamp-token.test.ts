// explain names the mistakes that people make with the tokens of Alibaba's and Tencent's networks. Each link is made wrongly by node:crypto.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import type { Scheme } from '../../src/index.ts'
import { type AlibabaCdnOptions, alibabaCdn } from '../../src/schemes/alibaba-cdn.ts'
import { type TencentCdnOptions, tencentCdn } from '../../src/schemes/tencent-cdn.ts'

const K = 'dimtm5evg50ijsx2hvuwyfoiu65'
const T = 1_893_456_000
const HEX = T.toString(16)
const MINUTE = '203001010800'
const O = 'https://cdn.example'
const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const now = () => new Date(T * 1000)

const alibaba = (options: Partial<AlibabaCdnOptions> = {}) => alibabaCdn({ secret: K }, { maxAge: '1h', ...options })
const tencent = (options: Partial<TencentCdnOptions> = {}) => tencentCdn({ secret: K }, { maxAge: '1h', ...options })

test.each<[code: string, scheme: Scheme, link: string]>([
  ['field_order', alibaba(), `${O}/a.txt?auth_key=${T}-0-0-${md5(`${K}-/a.txt-${T}-0-0`)}`],
  ['field_order', alibaba(), `${O}/a.txt?auth_key=${T}-7-u-${md5(`/a.txt-${T}-u-7-${K}`)}`],
  ['field_order', alibaba({ type: 'B' }), `${O}/${MINUTE}/${md5(`${K}/a.txt${MINUTE}`)}/a.txt`],
  ['field_order', alibaba({ type: 'C' }), `${O}/${md5(`${K}${HEX}/a.txt`)}/${HEX}/a.txt`],
  ['field_order', tencent({ type: 'D' }), `${O}/a.txt?sign=${md5(`/a.txt${T}${K}`)}&t=${T}`],
  ['no_secret', tencent(), `${O}/a.txt?sign=${T}-0-0-${md5(`/a.txt-${T}-0-0`)}`],
  ['time_spelling', tencent({ type: 'C' }), `${O}/${md5(`${K}/a.txt${T}`)}/${HEX}/a.txt`],
  ['time_spelling', alibaba({ type: 'C' }), `${O}/${md5(`${K}/a.txt${HEX}`)}/${HEX.toUpperCase()}/a.txt`],
  ['query_in_path', alibaba(), `${O}/a.txt?v=1&auth_key=${T}-0-0-${md5(`/a.txt?v=1-${T}-0-0-${K}`)}`],
  ['path_without_slash', tencent({ type: 'D' }), `${O}/a.txt?sign=${md5(`${K}a.txt${T}`)}&t=${T}`],
  ['whole_url', alibaba(), `${O}/a.txt?auth_key=${T}-0-0-${md5(`${O}/a.txt-${T}-0-0-${K}`)}`],
  ['path_not_encoded', alibaba(), `${O}/a%20b.txt?auth_key=${T}-0-0-${md5(`/a b.txt-${T}-0-0-${K}`)}`],
  ['secret_line_break', alibaba(), `${O}/a.txt?auth_key=${T}-0-0-${md5(`/a.txt-${T}-0-0-${K}\n`)}`],
])('%s', async (code, scheme, link) => {
  const { verdict, mistakes } = await explain(scheme, link, { now })
  expect([verdict.ok, mistakes.map((mistake) => mistake.code)]).toEqual([false, [code]])
})
