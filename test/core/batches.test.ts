// signAll and signIn: order, errors, what is copied, and how many links are under way.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { anyOf, hmac, inspect, LinkError, sign, signAll, signIn, verify } from '../../src/index.ts'
import { pichax } from '../../src/schemes/pichax.ts'

const secret = 'a secret of 32 bytes or more, from a vault'
const links = hmac({ id: '2026-11', secret })
const now = () => new Date(1_795_000_000_250)
const expires = '1h'

afterEach(() => vi.restoreAllMocks())

/** Counts the calls of WebCrypto that are under way. */
function watchWebCrypto(): { most: number; calls: number } {
  const seen = { most: 0, calls: 0 }
  const original = crypto.subtle.sign.bind(crypto.subtle)
  let underWay = 0
  vi.spyOn(crypto.subtle, 'sign').mockImplementation(async (...args) => {
    seen.calls++
    seen.most = Math.max(seen.most, ++underWay)
    const signature = await original(...args)
    underWay--
    return signature
  })
  return seen
}

describe('signAll', () => {
  const urls = Array.from({ length: 300 }, (_, i) => `https://cdn.example/${i}.jpg`)

  test('makes the links that sign makes, in order', async () => {
    const expected: string[] = []
    for (const url of urls) expected.push(await sign(links, url, { expires }, { now }))
    expect(await signAll(links, urls, { expires }, { now })).toEqual(expected)
    expect(
      await signAll(
        links,
        urls.map((url) => new URL(url)),
        { expires },
        { now },
      ),
    ).toEqual(expected)
    expect(await signAll(links, [], { expires })).toEqual([])
  })

  test('runs a bounded number at once', async () => {
    const seen = watchWebCrypto()
    await signAll(links, urls, { expires })
    expect(seen.calls).toBe(300)
    expect(seen.most).toBeGreaterThan(1)
    expect(seen.most).toBeLessThanOrEqual(64)
  })

  test('counts all durations from one second', async () => {
    let second = 0
    const clock = vi.fn(() => new Date(1_795_000_000_000 + 1000 * second++))
    const made = await signAll(links, urls, { expires }, { now: clock })
    expect(new Set(made.map((link) => inspect(links, link)?.unverified.expires?.getTime())).size).toBe(1)
    expect(clock).toHaveBeenCalledTimes(1)
  })

  test('gives each link with uses an id of its own', async () => {
    const made = await signAll(links, ['/a', '/a', '/a'], { expires, uses: 1 })
    expect(new Set(made.map((link) => inspect(links, link)?.unverified.id)).size).toBe(3)
  })

  test('names the URL that is wrong, and starts no more', async () => {
    const seen = watchWebCrypto()
    const wrong = [...urls.slice(0, 3), 'nowhere', ...urls]
    const error: unknown = await signAll(links, wrong, { expires }).catch((error) => error)
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({ code: 'bad_option', option: 'urls[3]' })
    expect((error as LinkError).message).toMatch(/^urls\[3\] must be an absolute URL/)
    await new Promise((done) => setTimeout(done, 20))
    expect(seen.calls).toBeLessThanOrEqual(64)
  })

  test('refuses wrong arguments as sign does', async () => {
    await expect(signAll(links, '/a' as never, { expires })).rejects.toThrow('urls must be a list of URLs')
    await expect(signAll(links, ['/a'], {} as never)).rejects.toMatchObject({ option: 'expires' })
    await expect(signAll(links, ['/a'], { expires }, { soon: true } as never)).rejects.toMatchObject({ option: 'soon' })
  })
})

describe('signIn', () => {
  const match = 'https://cdn.example/'
  const of = (path: string) => sign(links, `https://cdn.example${path}`, { expires }, { now })

  test('signs the strings that match, and copies the rest', async () => {
    const date = new Date()
    const value = {
      title: 'see https://cdn.example/1.jpg',
      'https://cdn.example/': null,
      pictures: [
        { src: 'https://cdn.example/1.jpg', width: 3 },
        { src: 'https://cdn.example.org/2.jpg' },
        'https://cdn.example/3.jpg?a=1#t=2',
      ],
      nothing: [],
      date,
    }
    const before = JSON.stringify(value)
    const signed = await signIn(links, value, { match, expires }, { now })
    expect(signed).toEqual({
      ...value,
      pictures: [{ src: await of('/1.jpg'), width: 3 }, { src: 'https://cdn.example.org/2.jpg' }, await of('/3.jpg?a=1#t=2')],
    })
    expect(signed.date).toBe(date)
    expect(JSON.stringify(value)).toBe(before)
    expect(Object.keys(signed)).toEqual(Object.keys(value))
    expect(await signIn(links, 'https://cdn.example/a', { match, expires }, { now })).toBe(await of('/a'))
    expect(await signIn(links, null, { match, expires })).toBe(null)
  })

  test('renews links, with their fragment', async () => {
    const old = await sign(links, 'https://cdn.example/a?page=2#p', { expires: '1s' }, { now: () => new Date(1_700_000_000_000) })
    const { link } = await signIn(links, { link: old }, { match, expires }, { now })
    expect(link).toBe(await of('/a?page=2#p'))
    expect(await signIn(links, { link }, { match, expires }, { now })).toEqual({ link })
  })

  test('moves links of another scheme to the first one of anyOf', async () => {
    const former = pichax({ id: 'k', secret: 'old' })
    const old = await sign(former, 'https://cdn.example/a', { expires, id: 'x' })
    const renewed = await signIn(anyOf(links, former), [old], { match, expires }, { now })
    expect(renewed).toEqual([await of('/a')])
  })

  test('matches by several beginnings, by paths, and by a function', async () => {
    const value = { a: '/media/1', b: '/other/1', c: '//media/1', d: 'https://cdn.example/1' }
    const signedKeys = async (match: Parameters<typeof signIn>[2]['match']) => {
      const signed = await signIn(links, value, { match, expires })
      return (Object.keys(value) as (keyof typeof value)[]).filter((key) => signed[key] !== value[key])
    }
    expect(await signedKeys('/media/')).toEqual(['a'])
    expect(await signedKeys(['/', 'https://cdn.example/'])).toEqual(['a', 'b', 'd'])
    const paths: unknown[] = []
    expect(
      await signedKeys((text, path) => {
        paths.push(path)
        return path[0] === 'b' && text.startsWith('/')
      }),
    ).toEqual(['b'])
    expect(paths).toEqual([['a'], ['b'], ['c'], ['d']])
  })

  test('a member __proto__ stays a member', async () => {
    const value = JSON.parse('{"__proto__":{"polluted":"https://cdn.example/a"},"b":1}')
    const signed = await signIn(links, value, { match, expires }, { now })
    expect(JSON.stringify(signed)).toBe(JSON.stringify(value).replace('https://cdn.example/a', await of('/a')))
    expect(signed.polluted).toBeUndefined()
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('names the place of a URL that is wrong', async () => {
    const value = { items: ['https://cdn.example/1', { 'the src': 'https://cdn.example/a/../b' }] }
    const error = await signIn(links, value, { match, expires }).catch((error) => error)
    expect(error).toMatchObject({ code: 'bad_option', option: 'value.items[1]["the src"]' })
    expect(error.message).toMatch(/^value\.items\[1\]\["the src"\] must be without the segments/)
    for (const [key, place] of [
      ['Items', 'value.Items'],
      ['a', 'value.a'],
      ['$_1', 'value.$_1'],
      ['1a', 'value["1a"]'],
      ['', 'value[""]'],
    ] as const)
      await expect(signIn(links, { [key]: 'https://cdn.example/a/../b' }, { match, expires })).rejects.toMatchObject({ option: place })
  })

  test('cycles and extreme depths are refused, and wide values are not', async () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    await expect(signIn(links, circle, { match, expires })).rejects.toThrow('value must be JSON of at most 1000 levels')
    const deep = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)
    await expect(signIn(links, deep, { match, expires })).rejects.toMatchObject({ option: 'value' })
    const seen = watchWebCrypto()
    const wide = await signIn(
      links,
      Array.from({ length: 500 }, (_, i) => `https://cdn.example/${i}`),
      { match, expires },
    )
    expect((await verify(links, wide[499] as string)).ok).toBe(true)
    expect(seen).toMatchObject({ calls: 500 })
    expect(seen.most).toBeLessThanOrEqual(64)
  })

  test.each([
    '/media/..%2Fkeys.txt',
    '/media/a/..%5c..%5ckeys.txt',
    '/media/%2e%2e%2Fkeys.txt',
    '/media/a%2F..',
    '/media/..%252Fkeys.txt',
    '/media/%252e%252e/keys.txt',
  ])('leaves %s unsigned: servers that decode it first would serve a file outside of the folder', async (url) => {
    expect(await signIn(links, { url }, { match: '/media/', expires })).toEqual({ url })
  })

  test('refuses a match that would sign more than is meant', async () => {
    expect(await signIn(links, ['HTTPS://CDN.example/a'], { match: 'HTTPS://CDN.example/', expires })).not.toEqual([
      'HTTPS://CDN.example/a',
    ])
    const rule = "the beginning of URLs up to a slash, such as 'https://cdn.example/', a list of these, or a function"
    for (const wrong of [undefined, '', 'https://cdn.example', 'cdn.example/', [], [''], [match, 'https://cdn.example'], /https/, 5])
      await expect(signIn(links, [], { match: wrong as never, expires })).rejects.toMatchObject({
        code: 'bad_option',
        option: 'match',
        message: `match must be ${rule}`,
      })
    for (const missing of [undefined, null, '1h'])
      await expect(signIn(links, [], missing as never)).rejects.toMatchObject({
        code: 'bad_option',
        option: 'conditions',
        message: "conditions must be an object such as { match: 'https://cdn.example/', expires: '10m' }",
      })
    await expect(signIn(links, ['https://cdn.example/a'], { match } as never)).rejects.toMatchObject({ option: 'expires' })
  })
})
