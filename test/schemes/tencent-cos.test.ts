// tencentCos: wrong conditions, and changes of one character at every place of its links.
import { describe, expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { type CosKey, tencentCos } from '../../src/schemes/tencent-cos.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key: CosKey = { id: 'AKIDEXAMPLE0123456789abcdef', secret: 'cos/Secret+0123456789abcdef' }
const links = tencentCos(key)
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const hour = { expires: '1h' } as const
const O = 'https://examplebucket-1250000000.cos.ap-beijing.myqcloud.com'

describe('wrong', () => {
  test.each<[object, option: string]>([
    [{ secret: 'x' }, 'id'],
    [{ id: 'a', secret: 'x\n' }, 'secret'],
    [{ id: 'a', secret: 'x', sessionToken: ' t' }, 'sessionToken'],
  ])('key %j', (wrong, option) => {
    expect(() => tencentCos(wrong as CosKey)).toThrow(expect.objectContaining({ code: 'bad_option', option }))
  })

  test.each<[url: string, conditions: object, option: string]>([
    ['/a.txt', {}, 'url'],
    [`${O}/a#b`, {}, 'url'],
    [`${O}/%ff`, {}, 'url'],
    [`${O}/a?versionId=1&versionid=2`, {}, 'url'],
    [`${O}/a?x=%ff`, {}, 'url'],
    [`${O}/a`, { query: { 'q-ak': '1' } }, 'query'],
    // Names that a link cannot list: readers would drop the first, and unescape the second.
    [`${O}/a?=1`, {}, 'url'],
    [`${O}/a?a%252Fb=1`, {}, 'url'],
    [`${O}/a`, { query: { '': '1' } }, 'query'],
    [`${O}/a`, { headers: { Host: 'other' } }, 'headers'],
    [`${O}/a`, { headers: { 'content-type': 'ü' } }, 'headers'],
    [`${O}/a`, { headers: { 'a;b': 'c' } }, 'headers'],
    [`${O}/a`, { method: ['GET', 'PUT'] }, 'method'],
  ])('%s with %j', async (url, conditions, option) => {
    const wrong = expect.objectContaining({ code: 'bad_option', option })
    await expect(sign(links, url, { ...hour, ...conditions }, at)).rejects.toThrow(wrong)
  })
})

test('the method and headers of a Request are used', async () => {
  const link = await sign(links, `${O}/a b.txt`, { ...hour, method: 'PUT', headers: { 'content-type': 'text/plain' } }, at)
  const request = (type: string) => new Request(link, { method: 'PUT', body: 'x', headers: { 'content-type': type } })
  expect((await verify(links, request('text/plain'), at)).claims).toMatchObject({
    resource: `${O}/a%20b.txt`,
    methods: ['PUT'],
    signedHeaders: ['content-type'],
    keyId: key.id,
  })
  expect((await verify(links, request('text/html'), at)).reason).toBe('bad_signature')
})

test.each(['100%25=1', 'a%2541=1', '%25zz', '%zz', 'a%2Fb=1'])('a parameter with an escape in its name: %s', async (query) => {
  const verdict = await verify(links, await sign(links, `${O}/a?${query}`, hour, at), at)
  expect(verdict.ok).toBe(true)
})

test('with align, links that are signed within a window are identical', async () => {
  const signed = (now: string) => sign(links, `${O}/a`, { ...hour, align: '10m' }, { now: () => new Date(now) })
  expect(await signed('2030-01-01T00:01:00Z')).toBe(await signed('2030-01-01T00:09:59Z'))
})

const URLS = ['/f/x', '/f/x/y.pdf?versionId=1', '/%C3%BC%20b?response-content-type=text%2Fplain&acl', '/a?uploads', '/']
const KINDS = [{}, { method: 'PUT' }, { headers: { 'content-type': 'a/b' } }, { starts: '1m' }] as const

test('one changed character, at every place of 20 links: refused, or in parameters that are not listed', async () => {
  for (const conditions of KINDS as readonly { headers?: Record<string, string>; method?: string }[])
    for (const url of URLS) {
      const link = await sign(links, O + url, { ...hour, ...conditions }, at)
      const { method = 'GET', headers = {} } = conditions
      const request = { now: () => new Date('2030-01-01T00:02:00Z'), method, headers }
      const { claims } = await verify(links, link, request)
      expect(claims).toBeDefined()
      // These links are long: every third change is at every place, too.
      for (const { changed } of tampered(link).filter((_, at) => at % 3 === 0)) {
        const verdict = await verify(links, changed, request)
        // The protocol is not signed, and names are signed in small letters.
        const resource = verdict.claims?.resource.replace('http:', 'https:')
        if (verdict.ok) expect({ ...verdict.claims, resource, changed }).toEqual({ ...claims, changed })
      }
    }
})

test('nothing throws on any text', async () => {
  const whole = `q-sign-algorithm=sha1&q-ak=${key.id}&q-sign-time=1;9893459600&q-key-time=1;9893459600&q-header-list=host&q-url-param-list=&q-signature=${'a'.repeat(40)}`
  const pieces = ['q-ak=', 'q-signature=', 'q-header-list=host;', 'q-url-param-list=%zz;a%', whole, O, 'a;b', 'a%3bb']
  for (const text of oddTexts(pieces, 1500, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
