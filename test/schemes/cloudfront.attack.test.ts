// cloudfront under attack: signatures of one policy in another form, patterns, and policies that keep explain busy.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { sign, verify } from '../../src/index.ts'
import { cloudfront } from '../../src/schemes/cloudfront.ts'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const links = cloudfront({ id: 'K1', secret: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string })
const HOST = 'https://d111111abcdef8.cloudfront.net'
const expires = new Date('2030-06-01T00:00:00Z')
const now = () => new Date('2030-01-01T00:00:00Z')
const encoded = (policy: string) => btoa(policy).replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~')

// A canned policy is the same text as a custom one for the same URL, and there `*` stands for any characters.
test('sign refuses a `*` in every URL, because somebody could send a canned policy as a custom one', async () => {
  await expect(sign(links, `${HOST}/a*b.txt`, { expires }, { now })).rejects.toMatchObject({ code: 'bad_option', option: 'url' })
})

test('a canned policy that is sent as a custom one opens another character for its `?`, and nothing else', async () => {
  const link = await sign(links, `${HOST}/a?b=1`, { expires }, { now })
  const policy = `{"Statement":[{"Resource":"${HOST}/a?b=1","Condition":{"DateLessThan":{"AWS:EpochTime":${+expires / 1000}}}}]}`
  const custom = `Policy=${encoded(policy)}${link.slice(link.indexOf('&Key-Pair-Id'))}`
  expect(await verify(links, `${HOST}/axb=1?${custom}`, { now })).toMatchObject({ ok: true, claims: { resource: `${HOST}/axb=1` } })
  expect(await verify(links, `${HOST}/a?b=1&${custom}`, { now })).toMatchObject({ ok: true })
  for (const other of ['a?b=2&', 'a?c=1&', 'a?b=1&c=2&', 'a?']) {
    expect((await verify(links, `${HOST}/${other}${custom}`, { now })).reason).toBe('wrong_path')
  }
})

describe('a `*` of a pattern does not stand for the `?` of a query, except at its end', () => {
  test.each([
    ['/v/*.mp4', '/v/a.mp4', 'ok'],
    ['/v/*.mp4', '/v/secret.txt?x=.mp4', 'wrong_path'],
    ['/v/*.mp4', '/v/a.mp4?x', 'wrong_path'],
    ['/v/*.mp4*', '/v/a.mp4?x=1', 'ok'],
    ['/v/*.mp4*', '/v/secret.txt?x=.mp4', 'wrong_path'],
    ['/v/*.mp4?v=*', '/v/a.mp4?v=1', 'ok'],
    ['/v/*.mp4?v=*', '/v/secret.txt?x=.mp4?v=1', 'wrong_path'],
    ['/v/*', '/v/a?b?c', 'ok'],
  ])('%s and %s', async (pattern, url, reason) => {
    const link = await sign(links, `${HOST}${pattern.replaceAll('*', '1')}`, { expires, resource: HOST + pattern }, { now })
    const own = link.slice(link.indexOf('Policy='))
    const verdict = await verify(links, `${HOST}${url}${url.includes('?') ? '&' : '?'}${own}`, { now })
    expect(verdict.reason ?? 'ok').toBe(reason)
  })
})

// A regular expression searched all quotes after each space: 3,000 spaces took minutes.
test('spaces in a policy do not keep explain busy', async () => {
  const policy = `{"Statement":[{"Resource":"${' '.repeat(8000)}","Condition":{"DateLessThan":{"AWS:EpochTime":1900000000}}}]}`
  const { verdict } = await explain(links, `${HOST}/a?Policy=${encoded(policy)}&Signature=AAAA&Key-Pair-Id=K1`, { now, bound: 20 })
  expect(verdict.reason).toBe('bad_signature')
})

// A raw request can have any text as its Host, and servers that verify the path alone pass it on.
test('a Host with a path in it does not make one path look like another', async () => {
  const canned = await sign(links, `${HOST}/videos/a`, { expires }, { now })
  const custom = await sign(links, `${HOST}/videos/a`, { expires, prefix: '/videos/' }, { now })
  const { host } = new URL(HOST)
  for (const link of [canned, custom]) {
    const query = new URL(link).search
    expect((await verify(links, `/videos/a${query}`, { now, headers: { host } })).ok).toBe(true)
    for (const odd of [
      `${host}/videos`,
      `${host}/videos/?x=`,
      `${host}/videos/#`,
      `${host}\\videos`,
      `u@${host}`,
      `${host}:1:443`,
      `${host} `,
    ])
      expect((await verify(links, `/a${query}`, { now, headers: { host: odd } })).ok).toBe(false)
    for (const odd of [`u@${host}`, `${host}:443:443`, `x/../../${host}`])
      expect((await verify(links, `/videos/a${query}`, { now, headers: { host: odd } })).ok).toBe(false)
  }
})
