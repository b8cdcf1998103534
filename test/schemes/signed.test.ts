// signed: options, what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { signed } from '../../src/schemes/signed.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const links = signed({ secret: 'secret string' })
const relative = signed({ secret: 'secret string' }, { absolute: false })
const URL_ = 'https://app.example/resource'
const at = { now: () => new Date('2030-01-01T00:00:00Z') }
const bad = (option: string) => expect.objectContaining({ code: 'bad_option', option })

test('wrong options and keys are refused', async () => {
  expect(() => signed({ secret: 'a' }, { hash: 'md5' as 'sha1' })).toThrow(bad('hash'))
  expect(() => signed({ secret: 'a' }, { hash: 'toString' as 'sha1' })).toThrow(bad('hash'))
  expect(() => signed({ secret: 'a' }, { absolute: 1 as never })).toThrow(bad('absolute'))
  expect(() => signed({ secret: 'a' }, { ttl: 5 } as never)).toThrow(expect.objectContaining({ code: 'bad_option' }))
  const key = await crypto.subtle.importKey('raw', new Uint8Array(32), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])
  expect(() => signed({ secret: key })).toThrow(bad('secret'))
})

test.each([
  ['url', '/a', {}],
  ['ip', URL_, { ip: '192.0.2.0/24' }],
  ['ip', URL_, { ip: 'fe80::1%eth0' }],
  ['id', URL_, { id: 'a-b' }],
  // In a link it stands for no id, so nobody could revoke it.
  ['id', URL_, { id: '0' }],
  ['id', URL_, { id: '' }],
  ['method', URL_, { method: 'M-SEARCH' }],
  ['url', `${URL_}?signed=1`, {}],
])('sign refuses a grant that the format cannot hold: %s', async (option, url, conditions) => {
  await expect(sign(links, url, { expires: '1h', ...conditions }, at)).rejects.toThrow(bad(option))
})

test('a fragment stays behind the link and is not signed', async () => {
  const link = await sign(links, `${URL_}#page=2`, { expires: '1h' }, at)
  expect(link).toMatch(/-[\da-f]{40}#page=2$/)
  expect(await verify(links, link.replace(/#.*/, ''), at)).toMatchObject({ ok: true })
})

test('the fields are those of the last parameter, and not of a URL in its value', async () => {
  const granted = `${URL_}?signed=r_1&next=/a?signed=r_2-e_1900000000`
  const hash = createHash('sha1').update(`${granted}secret string`).digest('hex')
  expect(await verify(links, `${granted}-${hash}`, at)).toMatchObject({ reason: 'malformed', parameter: 'signed' })
})

test('one changed character, at every place of 20 links, is refused', async () => {
  for (const path of ['/b', '/a-b_c.mp4', '/v/1', '/a%20b/%C3%BC', '/a//b;c=1'])
    for (const [query, conditions] of [
      ['', {}],
      ['?v=1', { method: ['GET', 'HEAD'] }],
      ['?q=a+b&z=%41', { ip: '192.0.2.7' }],
      ['?a-b=c_d', { id: 'x7', ip: '::1', method: ['GET', 'PUT'] }],
    ] as const) {
      const link = await sign(links, `https://app.example${path}${query}`, { expires: '1h', ...conditions }, at)
      const ip = 'ip' in conditions ? conditions.ip : '192.0.2.1'
      expect(await verify(links, link, { ...at, ip }), link).toMatchObject({ ok: true })
      for (const { changed } of tampered(link)) expect((await verify(links, changed, { ...at, ip })).ok, changed).toBe(false)
    }
})

test('absolute: false leaves scheme and host open, and nothing else', async () => {
  const link = await sign(relative, `${URL_}?a=1`, { expires: '1h' }, at)
  const start = 'https://app.example'.length
  expect(await verify(relative, link.slice(start), at)).toMatchObject({ ok: true })
  expect(await verify(relative, `http://other.example${link.slice(start)}`, at)).toMatchObject({ ok: true })
  for (const { changed } of tampered(link.slice(start))) expect((await verify(relative, changed, at)).ok, changed).toBe(false)
})

test('nothing throws on any text', async () => {
  const pieces = [
    'signed=',
    'signed=r_1',
    '-e_1893459600',
    '-a_',
    '::1',
    '-m_GET',
    `-${'a'.repeat(40)}`,
    '%73igned=',
    'https://app.example/a',
  ]
  for (const text of oddTexts(pieces, 2000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
