// explain beyond the search: links that cannot be read, refusals with a valid signature, options, and how large the entry is.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { type ExplainOptions, explain, type Table } from '../../src/explain.ts'
import { anyOf, hmac, type Scheme, sign } from '../../src/index.ts'
import { azure } from '../../src/schemes/azure.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { s3 } from '../../src/schemes/s3.ts'

const NOW = new Date('2030-01-01T00:00:00Z')
const now = () => NOW
const SECRET = 'a made-up secret of 40 characters or so.'
const links = hmac({ id: 'new', secret: SECRET })
const URL_ = 'https://cdn.example/files/report.pdf?v=2'
const link = await sign(links, URL_, { expires: '10m' }, { now })

const codes = async (scheme: Scheme, url: string, options: ExplainOptions = {}) =>
  (await explain(scheme, url, { now, ...options })).mistakes.map(({ code }) => code)

test('a valid link has no mistakes, and the strings are there', async () => {
  const answer = await explain(links, link, { now })
  expect(answer).toMatchObject({ verdict: { ok: true }, mistakes: [] })
  expect(answer.stringToSign).toMatch(/^SecureLink hmac v1\n/)
  expect(link.endsWith(answer.expected as string)).toBe(true)
})

test('a string to sign with the secret in it shows <secret>', async () => {
  const expression = '$secure_link_expires$uri $secret'
  const other = nginx({ secret: 'enigma' }, { expression })
  const { stringToSign } = await explain(other, await sign(other, URL_, { expires: '10m' }, { now }), { now })
  expect(stringToSign).toBe(`${+NOW / 1000 + 600}/files/report.pdf <secret>`)
})

test('the canonical request of s3 is the one whose hash is signed', async () => {
  const bucket = s3({ id: 'AKIAMADEUPEXAMPLE000', secret: SECRET })
  const url = 'https://bucket.s3.eu-central-1.amazonaws.com/a%20b/%C3%BC.png?partNumber=1&uploadId=x%2Fy'
  const signed = await sign(bucket, url, { expires: '10m', method: 'PUT', headers: { 'content-type': 'image/png' } }, { now })
  const { canonicalRequest, stringToSign } = await explain(bucket, signed, { now, method: 'PUT', headers: { 'content-type': 'image/png' } })
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonicalRequest))
  expect(stringToSign?.split('\n').at(-1)).toBe(Buffer.from(hash).toString('hex'))
})

describe('malformed', () => {
  const storage = s3({ id: 'AKIAMADEUPEXAMPLE000', secret: SECRET })
  const account = azure({ id: 'myaccount', secret: 'YSBrZXkgZm9yIGV4YW1wbGVzLCAzMiBieXRlcyBsb25n' })
  test.each<[string, Scheme, string]>([
    ['parameter_missing', links, link.replace(/&signature=.*/, '')],
    ['parameter_empty', links, link.replace(/expires=\d+/, 'expires=')],
    ['parameter_escape', links, link.replace(/key=new/, 'key=%zz')],
    ['milliseconds', links, link.replace(/expires=\d+/, 'expires=1893456000000')],
    ['white_space', links, link.replace(/expires=\d+/, 'expires=%20189345600')],
    ['parameter_form', links, link.replace(/expires=\d+/, 'expires=soon')],
    ['date_for_seconds', links, link.replace(/expires=\d+/, 'expires=2030-01-01')],
    ['parameter_twice', links, link.replace('&expires', '&expires=1893499999&expires').replace(/signature=.{9}/, 'signature=AAAAAAAAA')],
    ['dot_segments', links, link.replace('/files/', '/files/../')],
    ['backslash', links, link.replace('/files/', '/files\\')],
    ['fragment', links, `${link}#page=2`],
    ['not_a_url', links, link.replace('https://', 'https:/user@')],
    ['too_long', links, `${link}&x=${'y'.repeat(20_000)}`],
    [
      'time_for_duration',
      storage,
      'https://b.s3.eu-central-1.amazonaws.com/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAMADEUPEXAMPLE000%2F20300101%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20300101T000000Z&X-Amz-Expires=1893459600&X-Amz-SignedHeaders=host&X-Amz-Signature=00',
    ],
    ['parameter_form', account, 'https://myaccount.blob.core.windows.net/c/b?sv=2022-11-02&sr=b&sp=wr&se=2031-01-01T00:00:00Z&sig=x'],
  ])('%s', async (code, scheme, url) => expect(await codes(scheme, url)).toEqual([code]))

  test('says what the parameter would have to look like', async () => {
    const { mistakes } = await explain(links, link.replace(/expires=\d+/, 'expires=2030-01-01'), { now })
    expect(mistakes[0]).toMatchObject({
      parameter: 'expires',
      remedy: 'expires must be a time in seconds since 1970, of at most eleven digits.',
    })
    const renamed = hmac({ secret: SECRET }, { parameters: { expires: 'until' } })
    const other = await explain(renamed, 'https://cdn.example/a?until=soon&signature=x', { now })
    expect(other.mistakes[0]?.remedy).toContain('until must be a time in seconds')
  })
})

describe('unsigned', () => {
  test.each([
    ['no_parameters', 'https://cdn.example/a.txt'],
    ['other_parameters', 'https://cdn.example/a.txt?token=1'],
    ['other_scheme', 'https://h.example/a.jpg?Expires=1900000000&KeyName=k&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    // NGINX's secure_link also has a parameter `expires`.
    ['other_scheme', 'https://cdn.example/s/a.txt?md5=2tLPqPFYKyDRcRhKy2nfHQ&expires=1900000000'],
    ['html_escaped', 'https://cdn.example/a.txt?v=1&amp;expires=1900000000&amp;signature=x'],
  ])('%s', async (code, url) => expect(await codes(links, url)).toEqual([code]))
})

describe('a good signature', () => {
  test.each<[string, { readonly expires: '10m' }, ExplainOptions]>([
    ['expired', { expires: '10m' }, { now: () => new Date('2030-01-01T00:11:00Z') }],
    ['too_early', { expires: '10m', starts: '5m' } as never, {}],
    ['wrong_method', { expires: '10m' }, { method: 'POST' }],
    ['wrong_ip', { expires: '10m', ip: '203.0.113.7' } as never, { ip: '10.0.0.1' }],
    ['needs_redeem', { expires: '10m', uses: 1 } as never, {}],
    ['revoked', { expires: '10m' }, { revoked: () => true }],
  ])('%s', async (code, conditions, options) => {
    expect(await codes(links, await sign(links, URL_, conditions, { now }), options)).toEqual([code])
  })
  test('wrong_ip names the header that has the address', async () => {
    const bound = await sign(links, URL_, { expires: '10m', ip: '203.0.113.7' }, { now })
    const { mistakes } = await explain(links, bound, { now, ip: '10.0.0.1', headers: { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' } })
    expect(mistakes[0]?.sentence).toContain('203.0.113.7')
  })
  test('unknown_key names the ids', async () => {
    const { mistakes } = await explain(hmac({ id: 'old', secret: `${SECRET}2` }), link, { now })
    expect(mistakes[0]?.sentence).toBe("The link names the key 'new', which is not on the keyring of 'old'.")
  })
  test('unknown_key tells that the keys have no ids', async () => {
    const { mistakes } = await explain(hmac({ secret: `${SECRET}2` }), link, { now })
    expect(mistakes[0]?.sentence).toBe("The link names the key 'new', which is not on the keyring, whose keys have no ids.")
  })
})

describe('options', () => {
  test.each<[object, object, string]>([
    [{}, { origin: true }, 'option'],
    [{ origin: true }, {}, 'option'],
    [{}, { parameters: { expires: 'until' } }, 'option'],
    [{}, { purpose: 'download' }, 'purpose'],
    [{ placement: 'path' }, {}, 'option'],
  ])('the signer has %j and the verifier has %j', async (signer, verifier, code) => {
    const keys = { secret: SECRET }
    const url = await sign(hmac(keys, signer), URL_, { expires: '10m' }, { now })
    expect(await codes(hmac(keys, verifier), url, { make: [hmac, keys, verifier] })).toEqual([code])
  })
  test('ignored parameters', async () => {
    const keys = { secret: SECRET }
    const url = await sign(hmac(keys, { ignore: ['session'] }), 'https://cdn.example/a?session=1&v=2', { expires: '10m' }, { now })
    expect(await codes(hmac(keys), url, { make: [hmac, keys] })).toEqual(['option'])
  })
  test('anyOf explains the member that can read the link', async () => {
    const expression = '$secure_link_expires$uri $secret'
    const both = anyOf(links, nginx({ secret: 'one' }, { expression }))
    const url = await sign(nginx({ secret: 'one\n' }, { expression }), URL_, { expires: '10m' }, { now })
    expect(await codes(both, url)).toEqual(['secret_line_break'])
  })
  test('a table of the caller', async () => {
    const table: Table = {
      schemes: ['hmac'],
      rules: [
        {
          code: 'old_version',
          kind: 'text',
          sentence: 'The signer is an old one.',
          remedy: 'Update it.',
          variants: () => [{ patch: { rewrite: (text) => text.replace('v1', 'v0') } }],
        },
      ],
    }
    const { stringToSign = '' } = await explain(links, link, { now })
    const { createHmac } = await import('node:crypto')
    const old = createHmac('sha256', SECRET).update(stringToSign.replace('v1', 'v0')).digest('base64url')
    expect(await codes(links, link.replace(/signature=.*/, `signature=${old}`), { tables: [table] })).toEqual(['old_version'])
  })
  test.each([{ bound: -1 }, { make: hmac }, { tables: {} }, { bounds: 1 }])('%j throws', async (options) => {
    await expect(explain(links, link, options as never)).rejects.toThrow(/must be|unknown option/)
  })
})

test('no text makes it throw', async () => {
  for (const text of [
    '',
    '?',
    '\ud800',
    'https://cdn.example/\ud800?expires=1893456600&signature=%ud800',
    `${link}&%=\udfff`,
    link.replace('v=2', 'v=\ud800%ff&amp;x'),
    link.replace('v=2', 'v=\u{1f600}%ud83d&x\u00ff=https://xn--/?%zz&u=aHR0c=%'),
    link.replace('v=2', '\x18%18&a\x01[1]=%u,%2C&%C3%A9e%CC%81&/%'),
  ]) {
    const { verdict } = await explain(links, text, { now })
    expect(verdict.ok).toBe(false)
  }
})

test('the entry adds at most 8 kB to the core, minified and compressed; tables and words are loaded on demand', async () => {
  const src = fileURLToPath(new URL('../../src/', import.meta.url))
  const sizeOf = async (contents: string) => {
    const { outputFiles, metafile } = await build({
      stdin: { contents, resolveDir: src, loader: 'ts', sourcefile: 'entry.ts' },
      bundle: true,
      minify: true,
      splitting: true,
      format: 'esm',
      target: 'es2022',
      outdir: '/out',
      metafile: true,
      write: false,
    })
    // The entry, and what it imports at once.
    const loaded = new Set<string>()
    const load = (path: string) => {
      if (loaded.has(path)) return
      loaded.add(path)
      for (const { path: next, kind } of metafile.outputs[path]?.imports ?? []) if (kind === 'import-statement') load(next)
    }
    for (const [path, { entryPoint }] of Object.entries(metafile.outputs))
      if (entryPoint?.includes('entry.ts') || entryPoint === '<stdin>') load(path)
    expect(loaded.size).toBeGreaterThan(0)
    const texts = outputFiles
      .filter(({ path }) => [...loaded].some((one) => path.endsWith(one.replace(/^.*\//, '/'))))
      .map(({ text }) => text)
    return gzipSync(texts.join(''), { level: 9 }).length
  }
  const core = `export { verify, sign, hmac } from './index.ts'`
  const extra = (await sizeOf(`${core}; export { explain } from './explain.ts'`)) - (await sizeOf(core))
  expect(extra).toBeLessThan(8000)
})

test('the page of mistakes has every code', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/guide/why-refused.md', import.meta.url)), 'utf8')
  const folder = fileURLToPath(new URL('../../src/explain/', import.meta.url))
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const codes = sources.flatMap((name) =>
    [...readFileSync(`${folder}${name}`, 'utf8').matchAll(/(?:code: |described\(\s*|fault\(\s*)'(\w+)'/g)].map((found) => found[1]),
  )
  expect(codes.length).toBeGreaterThan(80)
  expect([...new Set(codes)].filter((code) => !page.includes(`\`${code}\``))).toEqual([])
})
