// explain names the mistakes that people make with presigned URLs of Tencent COS. Each link is made wrongly by node:crypto.
import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { sign } from '../../src/index.ts'
import { tencentCos } from '../../src/schemes/tencent-cos.ts'

const id = 'AKIDEXAMPLE0123456789abcdef'
const secret = 'cos/Secret+0123456789abcdef'
const TIME = '1893456000;1893459600'
const HOST = 'examplebucket-1250000000.cos.ap-beijing.myqcloud.com'
const now = () => new Date('2030-01-01T00:00:00Z')
const links = tencentCos({ id, secret })

const hmac = (key: string | Buffer, text: string) => createHmac('sha1', key).update(text)

function linkOf(httpString: string, target: string, { headers = 'host', parameters = '', key }: Record<string, string | Buffer> = {}) {
  const text = `sha1\n${TIME}\n${createHash('sha1').update(httpString).digest('hex')}\n`
  const signature = hmac(key ?? hmac(secret, TIME).digest('hex'), text).digest('hex')
  const lists = `q-header-list=${headers}&q-url-param-list=${parameters}`
  const joint = target.includes('?') ? '&' : '?'
  return `https://${HOST}${target}${joint}q-sign-algorithm=sha1&q-ak=${id}&q-sign-time=${TIME}&q-key-time=${TIME}&${lists}&q-signature=${signature}`
}
const codes = async (link: string, request: ExplainOptions = {}) =>
  (await explain(links, link, { now, ...request })).mistakes.map(({ code }) => code)

const host = `host=${HOST}`
const typed = { headers: 'content-type;host' }

test.each<[code: string, link: string, request?: ExplainOptions]>([
  ['sign_key_bytes', linkOf(`get\n/a.txt\n\n${host}\n`, '/a.txt', { key: hmac(secret, TIME).digest() })],
  ['path_encoded', linkOf(`get\n/a%20b.txt\n\n${host}\n`, '/a%20b.txt')],
  ['method_case', linkOf(`GET\n/a.txt\n\n${host}\n`, '/a.txt')],
  ['values_not_encoded', linkOf(`get\n/a.txt\nx=a/b\n${host}\n`, '/a.txt?x=a%2Fb', { parameters: 'x' })],
  [
    'values_not_encoded',
    linkOf(`put\n/a.png\n\ncontent-type=image/png&${host}\n`, '/a.png', typed),
    { method: 'PUT', headers: { 'content-type': 'image/png' } },
  ],
  ['query_not_sorted', linkOf(`get\n/a.txt\ny=1&x=2\n${host}\n`, '/a.txt?y=1&x=2', { parameters: 'x;y' })],
  ['line_missing', linkOf(`get\n/a.txt\n\n${host}`, '/a.txt')],
  ['line_missing', linkOf(`get\n/a.txt\n${host}\n`, '/a.txt')],
  ['method', linkOf(`put\n/a.txt\n\n${host}\n`, '/a.txt')],
])('%s', async (code, link, request) => expect(await codes(link, request)).toEqual([code]))

test('the canonical request is the HttpString whose hash is signed', async () => {
  const query = { 'response-content-type': 'text/plain', versionId: '1' }
  const link = await sign(links, `https://${HOST}/a b/ü.txt`, { expires: '1h', query }, { now })
  const { canonicalRequest, stringToSign } = await explain(links, link, { now })
  const hash = createHash('sha1')
    .update(canonicalRequest as string)
    .digest('hex')
  expect(stringToSign).toBe(`sha1\n${TIME}\n${hash}\n`)
})
