// covers says exactly what a signature covers: one changed character, at the places of 20 links of each vendor's scheme.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Scheme, sign, verify } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { bunny } from '../../src/schemes/bunny.ts'
import { cloudCdn } from '../../src/schemes/cloud-cdn.ts'
import { cloudflare } from '../../src/schemes/cloudflare.ts'
import { cloudflareImages } from '../../src/schemes/cloudflare-images.ts'
import { cloudfront } from '../../src/schemes/cloudfront.ts'
import { gcsRsa } from '../../src/schemes/gcs-rsa.ts'
import { jwt } from '../../src/schemes/jwt.ts'
import { laravel } from '../../src/schemes/laravel.ts'
import { mediaCdn } from '../../src/schemes/media-cdn.ts'
import { symfony } from '../../src/schemes/symfony.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const elliptic = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const secret = 'a secret of 32 bytes or more, for tests'

/** A scheme, and conditions under which its links open more than their own URL. */
const SCHEMES: readonly (readonly [scheme: Scheme, wide?: object])[] = [
  [akamai({ secret: 'aabbccddeeff00112233445566778899' }), { prefix: '/v/' }],
  [bunny({ secret }), { prefix: '/v/' }],
  [bunny({ secret }, { placement: 'path' }), { prefix: '/v/' }],
  [bunny({ secret }, { algorithm: 'md5' })],
  [cloudCdn({ id: 'my-key', secret: 'nZtRohdNF9m3cKM24IcK4w==' }), { prefix: '/v/' }],
  [mediaCdn({ secret: 'nZtRohdNF9m3cKM24IcK4w==' }), { pathGlobs: '/v/*' }],
  [laravel({ secret })],
  [laravel({ secret }, { absolute: false })],
  [symfony({ secret })],
  [cloudflare({ secret }, { maxAge: '1h' })],
  [cloudflare({ secret }, { maxAge: '1h', query: true })],
  [cloudflareImages({ secret })],
  [jwt({ secret })],
  [cloudfront({ id: 'K1', secret: elliptic }), { prefix: '/v/' }],
  [gcsRsa({ id: 'app@project.example', secret: rsa })],
]

type Part = 'scheme' | 'host' | 'path' | 'query' | 'own'

/** Each link with one changed character, and the part that it is in: of the query, also whether the parameter is the link's own. */
function* changed(link: string, file: string, { parameters }: Scheme): Generator<{ part: Part; url: string }> {
  yield { part: 'scheme', url: link.replace('https:', 'http:') }
  const origin = 'https://files.example'
  const mark = link.indexOf('?') < 0 ? link.length : link.indexOf('?')
  const path = link.indexOf(file)
  let own = false
  for (let at = 'https://'.length; at < link.length; at++) {
    const is = link[at] as string
    if (at > mark && (is === '&' || at === mark + 1)) {
      const name = link.slice(is === '&' ? at + 1 : at).split('=', 1)[0] as string
      own = parameters.includes(name)
    }
    const part = at < origin.length ? 'host' : at < path ? 'own' : at < mark ? 'path' : own || at === mark ? 'own' : 'query'
    // Of long tokens and RSA signatures, some characters.
    if (part === 'own' && at % 3 && link.length > 300) continue
    yield { part, url: link.slice(0, at) + (/\d/.test(is) ? (+is + 1) % 10 : is === 'x' ? 'y' : 'x') + link.slice(at + 1) }
  }
}

describe.each(SCHEMES.map(([scheme, wide], at) => ({ scheme, wide, title: `${at} ${scheme.name}` })))('$title', ({ scheme, wide }) => {
  test('a part that covers names cannot be changed, and every other part can', async () => {
    const accepted = { narrow: new Set<Part>(), wide: new Set<Part>() }
    for (let i = 0; i < 20; i++) {
      const isWide = wide !== undefined && i % 4 === 3
      const link = await sign(scheme, `https://files.example/v/${i}.ts?q=${i}`, { expires: '1h', ...(isWide && wide) } as never, { now })
      for (const { part, url } of changed(link, `/v/${i}.ts`, scheme)) {
        const { ok } = await verify(scheme, url, { now })
        if (part === 'own') expect(`${url} ${ok}`).toBe(`${url} false`)
        else if (ok) accepted[isWide ? 'wide' : 'narrow'].add(part)
      }
    }
    for (const part of ['scheme', 'host', 'path', 'query'] as const) {
      const isCovered = scheme.covers.includes(part)
      if (isCovered) expect([part, accepted.narrow.has(part)]).toEqual([part, false])
      else expect([part, accepted.narrow.has(part) || accepted.wide.has(part)]).toEqual([part, true])
    }
  })

  // Signatures and digests are computed from one buffer of 4,096 bytes, where that is long enough.
  const covered = (['path', 'query'] as const).filter((part) => scheme.covers.includes(part))
  test.each(covered)('the end of a long %s is covered, too', async (part) => {
    const long = `${'x'.repeat(5000)}a`
    const url = part === 'path' ? `https://files.example/v/${long}` : `https://files.example/v/a.ts?q=${long}`
    const link = await sign(scheme, url, { expires: '1h' } as never, { now })
    expect(await verify(scheme, link, { now })).toMatchObject({ ok: true })
    expect(link).toContain(long)
    expect((await verify(scheme, link.replace(long, `${'x'.repeat(5000)}b`), { now })).ok).toBe(false)
  })

  // Servers that decode `%2F` or `%5C` late would leave the folder.
  const wides = wide ? [wide] : []
  test.each(wides)('a folder does not open an escaped climb out of it', async (conditions) => {
    const link = await sign(scheme, 'https://files.example/v/a.ts', { expires: '1h', ...conditions } as never, { now })
    expect(await verify(scheme, link.replace('/v/a.ts', '/v/b.ts'), { now })).toMatchObject({ ok: true })
    for (const path of ['/v/%2F..', '/v/%5C..', '/v/a%2F..', '/v/a%5c..', '/v/%2f..%2fw', '/v/..%2F', '/v/..%5Cw'])
      expect(`${path} ${(await verify(scheme, link.replace('/v/a.ts', path), { now })).ok}`).toBe(`${path} false`)
  })
})
