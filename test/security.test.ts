// docs/SECURITY.md: each guarantee names the tests that hold it, and these exist. Those that have no better place are here.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { hmac, inspect, LinkError, sign, verify } from '../src/index.ts'
import { WRITTEN } from './fuzz/profiles.ts'
import { Random } from './fuzz/random.ts'
import { targetOf } from './fuzz/readings.ts'
import { NOW } from './fuzz/words.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'docs/SECURITY.md'), 'utf8')

/** The guarantees of a page: their words in bold, and the tests that they name. */
function guaranteesOf(text: string): { words: string; tests: { file: string; name: string }[] }[] {
  const [, section = ''] = /^## What SecureLink guarantees\n(.*?)^## /ms.exec(text) ?? []
  return section
    .split(/^\* /m)
    .slice(1)
    .map((bullet) => ({
      words: /\*\*(.*?)\*\*/s.exec(bullet)?.[1]?.replace(/\s+/g, ' ') ?? bullet,
      tests: [...bullet.replace(/\s+/g, ' ').matchAll(/`(test\/[\w./-]+)` "([^"]+)"/g)].map(([, file = '', name = '']) => ({ file, name })),
    }))
}

/** Has a file a test of that name? In vector files these are the comments. */
function hasTest(file: string, name: string): boolean {
  if (!existsSync(join(root, file))) return false
  const source = readFileSync(join(root, file), 'utf8')
  if (file.endsWith('.json')) return source.includes(`"comment": ${JSON.stringify(name)}`)
  const quoted = [`'${name.replaceAll("'", "\\'")}'`, `"${name}"`, `\`${name}\``]
  return quoted.some((text) => new RegExp(`(?<=\\(\\s*)${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`).test(source))
}

describe('docs/SECURITY.md', () => {
  const guarantees = guaranteesOf(page)

  test('has guarantees', () => expect(guarantees.length).toBeGreaterThan(12))

  test.each(guarantees)('$words', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0)
    for (const { file, name } of tests) expect(`${file} "${name}" ${hasTest(file, name) ? 'exists' : 'is not there'}`).toContain('exists')
  })

  test('every test that it names is named among the guarantees', () => {
    const named = [...page.matchAll(/`test\/[\w./-]+`\s+"/g)]
    expect(guarantees.flatMap(({ tests }) => tests)).toHaveLength(named.length)
  })

  test('it names every scheme in its table', () => {
    for (const scheme of new Set(WRITTEN.map(({ scheme }) => scheme.name))) expect(page).toContain(`](schemes/${scheme}.md) |`)
  })

  test('a test that is not there is noticed', () => {
    expect(hasTest('test/security.test.ts', 'has guarantees')).toBe(true)
    expect(hasTest('test/security.test.ts', 'has no guarantees')).toBe(false)
    expect(hasTest('test/nothing.test.ts', 'has guarantees')).toBe(false)
    expect(guaranteesOf('## What SecureLink guarantees\n\n* **A.** B.\n\n## C\n')).toEqual([{ words: 'A.', tests: [] }])
  })
})

describe('guarantees', () => {
  const now = () => new Date(NOW)
  const expires = new Date(NOW + 3_600_000)

  /** A link of each scheme, with the grant that it was made from. */
  async function links() {
    const made: { profile: (typeof WRITTEN)[number]; link: string; url: string; conditions: object }[] = []
    for (const profile of WRITTEN) {
      const random = new Random(1)
      for (let tries = 0; tries < 100 && made.at(-1)?.profile !== profile; tries++) {
        const { url, conditions } = profile.grant(random)
        const link = await sign(profile.scheme, url, conditions as never, { now }).catch(() => '')
        if (link) made.push({ profile, link, url, conditions })
      }
    }
    expect(made).toHaveLength(WRITTEN.length)
    return made
  }

  afterEach(() => vi.restoreAllMocks())

  test('secrets are imported once, and as not extractable', async () => {
    const imported = vi.spyOn(crypto.subtle, 'importKey')
    const scheme = hmac({ secret: crypto.getRandomValues(new Uint8Array(32)) })
    const link = await sign(scheme, '/a', { expires }, { now })
    expect(imported).toHaveBeenCalledTimes(1)
    await verify(scheme, link, { now })
    expect(imported).toHaveBeenCalledTimes(1)
    for (const { profile, link } of await links()) await verify(profile.scheme, link, { now })
    for (const [, , , extractable] of imported.mock.calls) expect(extractable).toBe(false)
  })

  test('imported keys are remembered by the key object, in a WeakMap only', async () => {
    const secret = 'a secret of its own for this test, with 32 bytes'
    const inWeakMaps = vi.spyOn(WeakMap.prototype, 'set')
    const inMaps = vi.spyOn(Map.prototype, 'set')
    const inSets = vi.spyOn(Set.prototype, 'add')
    await sign(hmac({ secret }), '/a', { expires }, { now })
    const isOwn = (value: unknown): boolean => value === secret || (value as { secret?: unknown } | null)?.secret === secret
    const keysOf = (calls: unknown[][]) => calls.filter((values) => values.some(isOwn)).map(([key]) => typeof key)
    expect(keysOf(inWeakMaps.mock.calls)).toEqual(['object'])
    expect(keysOf([...inMaps.mock.calls, ...inSets.mock.calls])).toEqual([])
  })

  test('of an address, an hmac link shows the number of bits', async () => {
    const scheme = hmac({ secret: '0123456789abcdef0123456789abcdef' })
    const [one, two] = await Promise.all(['203.0.113.0/24', '198.51.100.0/24'].map((ip) => sign(scheme, '/a', { expires, ip }, { now })))
    expect(one).not.toBe(two)
    const unsigned = (link = '') => link.replace(/signature=[\w-]+/, '')
    expect(unsigned(one)).toBe(unsigned(two))
    expect(inspect(scheme, one as string)?.unverified.ip).toBe('/24')
  })

  test('errors and refusals repeat no secret, no signature and no link', async () => {
    for (const { profile, link, url, conditions } of await links()) {
      const signature = profile.signatureOf(targetOf(link))
      // Also not a part of the signature.
      const secrets = [link, signature, signature.slice(2, 14), '0123456789abcdef', 'another secret', 'secret of', 'YSBrZXk', 'YSBsZXk']
      const said: string[] = []
      const wrong: [string, object][] = [
        [link, conditions],
        [`${link}\n`, conditions],
        [`x${link}`, conditions],
        ...['expires', 'starts', 'align', 'method', 'ip', 'prefix', 'uses', 'headers'].map((name): [string, object] => [
          url,
          { ...conditions, [name]: signature },
        ]),
      ]
      for (const [wrongUrl, asked] of wrong)
        await sign(profile.scheme, wrongUrl, asked as never, { now }).then(
          (made) => expect(made.startsWith(wrongUrl)).toBe(true),
          (error) => {
            expect(error).toBeInstanceOf(LinkError)
            said.push(String(error))
          },
        )
      const changes = [
        link.replace(/[\w-]{9}$/, 'AAAAAAAAA').replace(signature, signature.toUpperCase()),
        link.replace(/.$/, ''),
        link.replace(/.{3}$/, ''),
        `${link}x`,
        `${link}#`,
        link + link.replace(/^.*\?/, '&'),
      ]
      for (const change of changes) {
        const refused = await verify(profile.scheme, change, { now })
        if (!refused.claims) said.push(JSON.stringify(refused))
      }
      expect(said.length).toBeGreaterThan(0)
      for (const text of said) for (const secret of secrets) expect(text).not.toContain(secret)
    }
  })
})
