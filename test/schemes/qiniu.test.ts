// qiniu: keys, what sign refuses, changes of one character at every place of its links, and text that is not a link.
import { expect, test } from 'vitest'
import { inspect, sign, verify } from '../../src/index.ts'
import { type QiniuKey, qiniu } from '../../src/schemes/qiniu.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const links = qiniu({ id: 'MY_ACCESS_KEY', secret: 'MY_SECRET_KEY' })
const at = { now: () => new Date('2030-01-01T00:00:00Z') }

test('keys without an access key, and paths without a host, are refused', async () => {
  expect(() => qiniu({ secret: 'a' } as QiniuKey)).toThrow(expect.objectContaining({ code: 'bad_option', option: 'id' }))
  expect(() => qiniu({ id: 'a:b', secret: 'a' })).toThrow(expect.objectContaining({ code: 'bad_option', option: 'id' }))
  await expect(sign(links, '/a', { expires: '1h' }, at)).rejects.toThrow(expect.objectContaining({ code: 'bad_option', option: 'url' }))
})

test('one changed character, at every place of 20 links, is refused', async () => {
  for (const path of ['/b', '/a.mp4', '/video/1', '/a%20b/%C3%BC', '/a//b;c=1'])
    for (const query of ['', '?v=1', '?imageView2/1/w/200', '?q=a+b&z=%41']) {
      const link = await sign(links, `https://files.example${path}${query}`, { expires: '1h' }, at)
      for (const { changed } of tampered(link)) expect((await verify(links, changed, at)).ok, changed).toBe(false)
    }
})

test('nothing throws on any text', async () => {
  const pieces = [
    'e=1893459600',
    '&token=',
    `token=MY_ACCESS_KEY:${'A'.repeat(27)}=`,
    'MY_ACCESS_KEY:',
    '%74oken=',
    'https://files.example/a',
  ]
  for (const text of oddTexts(pieces, 2000, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
})
