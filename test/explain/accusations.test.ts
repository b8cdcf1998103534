// explain names no wrong mistake: for links with a random signature it names none, and for links with one change that change or none.
// EXPLAIN_LINKS sets how many links each test makes; 1,000 were tried.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explain } from '../../src/explain.ts'
import { type Scheme, sign } from '../../src/index.ts'
import { azure } from '../../src/schemes/azure.ts'
import { hmac } from '../../src/schemes/hmac.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'

const LINKS = Number(process.env['EXPLAIN_LINKS'] ?? 20)
const NOW = new Date('2030-01-01T00:00:00Z')
const now = () => NOW
const SECRET = 'made/Up+Secret0123456789abcdefABCDEFghij'

// biome-ignore lint/suspicious/noExplicitAny: conditions of all schemes
const SCHEMES: readonly { links: (secret: string) => Scheme<any, any, any>; url: string; conditions?: object; signature: RegExp }[] = [
  { links: (secret) => hmac({ secret }), url: 'https://cdn.example/files/a.pdf?v=2', signature: /(?<=signature=)[\w-]{43}/ },
  {
    links: (secret) => pichax({ id: 'px', secret }),
    url: 'https://api.example/v1?src=x',
    conditions: { id: 'u' },
    signature: /(?<=signature=)\w{64}/,
  },
  {
    links: (secret) => nginx({ secret }, { expression: '$secure_link_expires$uri $secret' }),
    url: 'https://cdn.example/s/a.txt',
    signature: /(?<=md5=)[\w-]{22}/,
  },
  {
    links: (secret) => s3({ id: 'AKIAMADEUPEXAMPLE000', secret }),
    url: 'https://b.s3.eu-central-1.amazonaws.com/a.png',
    signature: /(?<=Signature=)\w{64}/,
  },
  {
    links: (secret) => azure({ id: 'myaccount', secret: Buffer.from(secret).toString('base64') }),
    url: 'https://myaccount.blob.core.windows.net/c/a.pdf',
    conditions: { permissions: 'r' },
    signature: /(?<=sig=)[\w%]+(?=%3D)/,
  },
]

const linkOf = ({ links, url, conditions }: (typeof SCHEMES)[number], secret = SECRET) =>
  sign(links(secret), url, { expires: '10m', ...conditions } as never, { now })

/** Other characters of the same kind in place of some. */
const shuffled = (text: string, random: number[]): string =>
  text.replace(/[a-z\d]/gi, (character, at: number) => {
    const alphabet = /^[\da-f]{64}$/.test(text) ? '0123456789abcdef' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
    return alphabet[(random[at % random.length] as number) % alphabet.length] ?? character
  })

describe.each(SCHEMES.map((one) => ({ ...one, name: one.links(SECRET).name })))('$name', (one) => {
  const each = Math.ceil(LINKS / SCHEMES.length)

  test('a random signature gets no mistake, within the bound', async () => {
    const link = await linkOf(one)
    const random = fc.array(fc.nat(1e9), { minLength: 64, maxLength: 64 })
    for (const numbers of fc.sample(random, { numRuns: each, seed: 7 })) {
      const forged = link.replace(one.signature, (signature) => shuffled(signature, numbers))
      if (forged === link) continue
      const { mistakes, tried, verdict } = await explain(one.links(SECRET), forged, { now })
      // The last characters of base64 have bits that must be zero, and escapes may be broken: such a signature is malformed.
      if (verdict.reason === 'malformed') expect(mistakes[0]?.code).toMatch(/^parameter_(form|escape)$/)
      else expect(mistakes).toEqual([])
      expect(tried).toBeLessThanOrEqual(5000)
    }
  }, 600_000)

  const CHANGES: readonly { codes: readonly string[]; change: (link: string, word: string) => string }[] = [
    { codes: ['parameters_not_signed', 'added_parameters'], change: (link, word) => `${link}&${word}=1` },
    { codes: ['path_style', 'mounted_path', 'added_parameters'], change: (link, word) => link.replace(/(https:\/\/[^/]+)/, `$1/${word}`) },
    // Nobody can detect another name of the file, or another time.
    { codes: [], change: (link, word) => link.replace(/\/(?:a\.\w+|v1)\?/, `/${word}?`) },
    {
      codes: [],
      change: (link) => link.replace(/(expires|Expires|se)=\d+/, (pair) => pair.replace(/\d$/, (digit) => `${(+digit + 1) % 10}`)),
    },
  ]

  test('one change gets that change or nothing', async () => {
    const words = fc.sample(fc.stringMatching(/^[a-z]{6,12}$/), { numRuns: Math.ceil(each / CHANGES.length), seed: 7 })
    for (const word of words) {
      for (const { codes, change } of CHANGES) {
        const link = await linkOf(one)
        const { verdict, mistakes } = await explain(one.links(SECRET), change(link, word), { now })
        if (verdict.ok || verdict.claims || verdict.reason === 'malformed') continue
        expect(mistakes.length).toBeLessThanOrEqual(1)
        for (const { code } of mistakes) expect(codes).toContain(code)
      }
      const { mistakes } = await explain(one.links(SECRET), await linkOf(one, `${SECRET.slice(0, -3)}${word}`), { now })
      expect(mistakes).toEqual([])
    }
  }, 600_000)
})

test('the bound holds', async () => {
  for (const bound of [0, 1, 7, 100]) {
    for (const one of SCHEMES) {
      const { tried } = await explain(one.links(SECRET), await linkOf(one, 'another secret, of 40 characters or more'), { now, bound })
      // A derived key costs four more than the last signature.
      expect(tried).toBeLessThanOrEqual(bound + 4)
    }
  }
})
