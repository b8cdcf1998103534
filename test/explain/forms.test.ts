// Mistakes that have many forms: each form of a secret, a host, a path or an option that the signer may have had is recognised.
import { describe, expect, test } from 'vitest'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { hmac, type Scheme, sign } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { bunny } from '../../src/schemes/bunny.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { symfony } from '../../src/schemes/symfony.ts'

const now = () => new Date('2030-01-01T00:00:00Z')
const ID = 'AKIAMADEUPEXAMPLE000'
const S = 'MadeUpSecret0123456789abcdefABCDEFghijKLMNOP'
const BUCKET = 'https://bucket.s3.eu-central-1.amazonaws.com/a.png'

/** The codes of the mistakes in a link. */
async function codes(verifier: Scheme, link: string, options: ExplainOptions = {}): Promise<readonly string[]> {
  const { verdict, mistakes } = await explain(verifier, link, { now, ...options })
  expect(verdict.ok).toBe(false)
  return mistakes.map(({ code }) => code)
}

/** A character that is not seen in the name of a test, in a form that is. */
const visible = (text: string) => JSON.stringify(text).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)

const texts: Record<string, readonly (readonly [signer: string, verifier?: string])[]> = {
  secret_line_break: [[`${S}\n`], [`${S}\r\n`], [`${S}\r`]],
  secret_not_trimmed: [
    [S, ` ${S}`],
    [S, `${S}\n`],
    [S, `\t${S} `],
    [` ${S}`, ` ${S}\r\n`],
  ],
  secret_white_space: [[`${S} `], [` ${S}`], [`${S}\t`], [`\ufeff${S}`]],
  secret_quotes: [[`"${S}"`], [`'${S}'`], [`\`${S}\``], [S, `"${S}"`], [S, `'${S}'`], [S, `\`${S}\``]],
  secret_encoded: (['base64', 'hex', 'base64url'] as const).map((encoding) => [Buffer.from(`${S}x`).toString(encoding), `${S}x`]),
  secret_id: [[ID]],
  secret_with_id: [[`${ID}:${S}`], [`${ID}${S}`], [`${S}${ID}`], [S, `web-1.old:${S}`]],
  secret_missing: ['undefined', 'null', 'None', 'false', '[object Object]', 'changeme'].map((word) => [word]),
  secret_comment: [
    [S, `${S}#rest`],
    [S, `${S}  #rest\nand more`],
  ],
  secret_expanded: [
    [S, `${S}$word`],
    [`a${S}`, `a\\${S}`],
    [`${S}\nx`, `${S}\\nx`],
    [`${S}$!`, `${S}$$!`],
  ],
  secret_part: [
    [S.slice(0, -1)],
    [S.slice(1)],
    [S, `${S}==`],
    ...[32, 16, 24, 64, 20, 40, 8, 10, 12, 48, 72].map((length) => [`${S}${S}`.slice(0, length), `${S}${S}`] as const),
    // A "#" and a "$word" are mistakes of their own, and so is an id in front of a colon.
    ...['=', '.', '_', '-', ' ', '/'].flatMap((mark) => [[`${S}1`, `${S}1${mark}2${S}`] as const, [`2${S}`, `${S}1${mark}2${S}`] as const]),
    [`${S}+`, `${S}+:2${S}`],
    [`2${S}`, `${S}+:2${S}`],
  ],
  secret_case: [[S.toLowerCase()], [S.toUpperCase()]],
  secret_escaped: [
    [`${S}/+`, `${S}%2F%2B`],
    [`${S}%2F%3F`, `${S}/?`],
    [`${S} x`, `${S}+x`],
  ],
  secret_normal_form: [
    [`${S}\u00e9`, `${S}e\u0301`],
    [`${S}e\u0301`, `${S}\u00e9`],
  ],
}

describe.each(Object.entries(texts))('%s', (code, pairs) => {
  test.each(pairs.map(([signer, verifier = S]) => ({ signer, verifier, title: `${visible(signer)} for ${visible(verifier)}` })))(
    '$title',
    async ({ signer, verifier }) => {
      const link = await sign(symfony({ secret: signer }), 'https://cdn.example/a', { expires: '10m' }, { now })
      expect(await codes(symfony({ id: ID, secret: verifier }), link)).toEqual([code])
    },
  )
})

describe('a secret of bytes, and its text', () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => (i * 37 + 251) % 256)
  const buffer = Buffer.from(bytes)
  const [base64, base64url, hex] = [buffer.toString('base64'), buffer.toString('base64url'), buffer.toString('hex')]
  test.each<[string, string | Uint8Array, string | Uint8Array]>([
    ['secret_base64', bytes, base64],
    ['secret_base64', bytes, ` ${base64}\n`],
    ['secret_base64', bytes, base64url],
    ['secret_hex', bytes, hex],
    ['secret_hex', bytes, hex.toUpperCase()],
    ['secret_base64_not_decoded', base64, bytes],
    ['secret_base64_not_decoded', base64.replace(/=+$/, ''), bytes],
    ['secret_base64_not_decoded', base64url, bytes],
    ['secret_base64_not_decoded', base64.replaceAll('+', '-').replaceAll('/', '_'), bytes],
    ['secret_hex_not_decoded', hex, bytes],
    ['secret_hex_not_decoded', hex.toUpperCase(), bytes],
    ['secret_part', bytes.slice(0, 32), bytes],
    ['secret_normal_form', Buffer.from(`${S}\u00e9\u00ff`, 'latin1'), `${S}\u00e9\u00ff`],
  ])('%s', async (code, signer, verifier) => {
    expect(base64).toMatch(/[+/].*=$/)
    const link = await sign(hmac({ secret: signer }), 'https://cdn.example/a', { expires: '10m' }, { now })
    expect(await codes(hmac({ secret: verifier }), link)).toEqual([code])
  })
})

describe('the signer meant another address than the one that the verifier sees', () => {
  const links = hmac({ secret: S }, { origin: true })
  const PUBLIC = 'https://files.example'
  const ports = [':443', ':80', ':8080', ':3000', ':9000', ':8443', ':8000', ':5000', ':4566', ':10000']
  test.each<[code: string, signed: string, seen: string]>([
    ...ports.map((port): [string, string, string] => ['port', `${PUBLIC}${port}/a`, `${PUBLIC}:7777/a`]),
    ['port', `${PUBLIC}/a`, `${PUBLIC}:7777/a`],
    ['http_for_https', `${PUBLIC}/a`, 'http://files.example/a'],
    ['http_for_https', 'http://files.example/a', `${PUBLIC}/a`],
    ['www', 'https://www.files.example/a', `${PUBLIC}/a`],
    ['www', `${PUBLIC}/a`, 'https://www.files.example/a'],
    ['trailing_slash', `${PUBLIC}/a/`, `${PUBLIC}/a`],
    ['trailing_slash', `${PUBLIC}/a`, `${PUBLIC}/a/`],
    ['index_file', `${PUBLIC}/a/index.html`, `${PUBLIC}/a/`],
    ['merged_slashes', `${PUBLIC}/a/b`, `${PUBLIC}/a//b`],
    ['merged_slashes', `${PUBLIC}/x/a//b`, `${PUBLIC}/x/a/b`],
    ['path_case', `${PUBLIC}/a/b`, `${PUBLIC}/A/b`],
    ['path_case', `${PUBLIC}/A/B`, `${PUBLIC}/a/B`],
  ])('%s: %s, seen as %s', async (code, signed, seen) => {
    const link = await sign(links, signed, { expires: '10m' }, { now })
    expect(await codes(links, seen + link.slice(link.indexOf('?')))).toEqual([code])
  })

  test.each([
    'minio:9000',
    'localhost:9000',
    'localhost',
    '127.0.0.1:9000',
    'localhost:4566',
    'localstack:4566',
    's3:9000',
    'localhost:3000',
    'localhost:8080',
  ])('internal_host: signed for %s, and rewritten to the public host', async (host) => {
    const bucket = s3({ id: ID, secret: S }, { region: 'eu-central-1' })
    const link = await sign(bucket, `http://${host}/bucket/a.png`, { expires: '10m' }, { now })
    const { mistakes } = await explain(bucket, link.replace(`http://${host}`, 'https://files.example'), { now })
    expect(mistakes).toMatchObject([{ code: 'internal_host', sentence: expect.stringContaining(`signed for ${host},`) }])
  })

  test.each(['GET', 'PUT', 'HEAD', 'POST', 'DELETE'])('method: signed for %s, and sent as PATCH', async (method) => {
    const bucket = s3({ id: ID, secret: S })
    const link = await sign(bucket, BUCKET, { expires: '10m', method }, { now })
    expect(await codes(bucket, link, { method: 'PATCH' })).toEqual(['method'])
  })
})

describe('other options of the factory', () => {
  const algorithms = ['hs256', 'sha256', 'md5'] as const
  test.each(algorithms.flatMap((signer) => algorithms.filter((other) => other !== signer).map((verifier) => [signer, verifier] as const)))(
    'bunny: signed with %s, and verified with %s',
    async (signer, verifier) => {
      const keys = { secret: S }
      const link = await sign(bunny(keys, { algorithm: signer }) as Scheme, 'https://cdn.example/a', { expires: '10m' }, { now })
      const scheme = bunny(keys, { algorithm: verifier }) as Scheme
      const make = [bunny, keys, { algorithm: verifier }] as const
      const { mistakes } = await explain(scheme, link, { now, make: make as never })
      const sentence = `Signer and verifier have different options: the link was signed with algorithm: "${signer}".`
      expect(mistakes).toMatchObject([{ code: 'option', sentence }])
    },
  )
})

test('a time in milliseconds is named with its parameter, or with its field of a token', async () => {
  const sentence = async (scheme: Scheme, link: string) => (await explain(scheme, link, { now })).mistakes[0]?.sentence
  const edge = akamai({ secret: 'aabbccddeeff00112233445566778899' })
  const token = await sign(edge, 'https://edge.example/a', { expires: '10m' }, { now })
  expect(await sentence(edge, token.replace(/exp=\d+/, '$&000'))).toBe('The field exp is a time in milliseconds.')
  const links = hmac({ secret: S })
  const link = await sign(links, '/a', { expires: '10m' }, { now })
  expect(await sentence(links, link.replace(/expires=\d+/, '$&000'))).toBe('The parameter expires is a time in milliseconds.')
})
