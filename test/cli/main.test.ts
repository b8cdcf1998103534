// The command in this process: what it writes on a terminal and into a pipe, line by line, and what it says about wrong options.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { hmac, type Scheme, sign } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { gcsRsa } from '../../src/schemes/gcs-rsa.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { s3v2 } from '../../src/schemes/s3v2.ts'
import { tencentCos } from '../../src/schemes/tencent-cos.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const STORAGE_KEY = { id: 'AKIAMADEUPEXAMPLE000', secret: SECRET }
const PEM = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const NOW = '2030-01-01T00:00:00Z'
const now = () => new Date(NOW)
const links = hmac({ id: '2026-11', secret: SECRET })
const folder = mkdtempSync(join(tmpdir(), 'securelink-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Given {
  readonly keys?: string | undefined
  readonly stdin?: readonly (string | Uint8Array)[]
  /** Whether standard output and standard error are terminals. */
  readonly terminal?: { readonly stdout?: boolean; readonly stderr?: boolean }
  readonly signal?: AbortSignal
}

async function run(args: readonly string[], { keys = `2026-11:${SECRET}`, stdin = [], terminal = {}, signal }: Given = {}) {
  const written = { out: [] as string[], errors: [] as string[] }
  const exit = await main(args, {
    stdin: Readable.from(stdin.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))),
    stdout: { write: (text) => written.out.push(text), isTTY: terminal.stdout === true },
    stderr: { write: (text) => written.errors.push(text), isTTY: terminal.stderr === true },
    env: { SECURELINK_KEYS: keys },
    signal: signal ?? new AbortController().signal,
  })
  return { exit, out: written.out.join(''), errors: written.errors.join(''), writes: written.out.length }
}

describe('inspect', () => {
  const shown = async (link: string, ...more: string[]) => (await run(['inspect', '--now', NOW, ...more, link])).out

  test('has a row for everything that the link says', async () => {
    const conditions = {
      expires: '90m',
      starts: '1s',
      method: ['PUT', 'POST'],
      ip: '203.0.113.7',
      prefix: '/v/',
      uses: 3,
      id: 'invite-7',
    } as const
    const link = await sign(links, 'https://cdn.example/v/a.ts', conditions, { now })
    expect(await shown(link)).toBe(
      `scheme      hmac
opens       everything below /v/
expires     2030-01-01T01:30:00.000Z (in 1h 30m)
starts      2030-01-01T00:00:01.000Z
method      POST, PUT
address     one network of 32 bits; the link does not show which
uses        3
id          invite-7
key         2026-11
covered     query, method, ip, starts, expires, prefix, uses, id, key
not covered host, the path below the prefix
            nothing here is verified

`,
    )
  })

  test('leaves out what the link does not say', async () => {
    const link = await sign(hmac({ secret: SECRET }), '/a', { expires: '1d' }, { now })
    const rows = (await shown(link)).split('\n').map((row) => row.slice(0, 12).trim())
    expect(rows).toEqual(['scheme', 'opens', 'expires', 'method', 'covered', 'not covered', '', '', ''])
  })

  test.each([
    [0, '0s ago'],
    [1, 'in 1s'],
    [59, 'in 59s'],
    [60, 'in 1m'],
    [3599, 'in 59m 59s'],
    [3600, 'in 1h'],
    [86_400, 'in 1d'],
    [90_061, 'in 1d 1h'],
    [86_460, 'in 1d 1m'],
    [-1, '1s ago'],
    [-86_399, '23h 59m ago'],
  ])('%i seconds before the expiry: %s', async (left, words) => {
    const expires = new Date(+now() + left * 1000).toISOString()
    const link = `/a?expires=${+now() / 1000 + left}&signature=${'A'.repeat(43)}`
    expect(await shown(link)).toContain(`expires     ${expires} (${words})\n`)
    expect(JSON.parse(await shown(link, '--json'))).toMatchObject({ scheme: 'hmac', secondsLeft: left })
  })

  test('says that a method is signed, if the link does not show it', async () => {
    const bucket = s3({ id: 'AKIAMADEUPEXAMPLE000', secret: SECRET })
    const conditions = { expires: '10m', method: 'PUT', headers: { 'content-type': 'image/png' } } as const
    const link = await sign(bucket, 'https://b.s3.amazonaws.com/a.png', conditions, { now })
    const text = await shown(link)
    expect(text).toContain('method      signed, not shown in the link\n')
    expect(text).toContain('headers     content-type\n')
    expect(JSON.parse(await shown(link, '--json'))).toMatchObject({ notShown: ['method'] })
    const plain = await sign(links, '/a', { expires: '10m' }, { now })
    expect(await shown(plain)).toContain('method      GET, HEAD\n')
    expect(JSON.parse(await shown(plain, '--json'))).not.toHaveProperty('notShown')
  })

  // Links of vendors and of their SDKs, from the vectors of the schemes.
  test.each<[string, string, string, object]>([
    [
      'Google Cloud Storage, signed with RSA',
      `https://storage.googleapis.com/test-bucket/test-object?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=test-iam-credentials%40dummy-project-id.iam.gserviceaccount.com%2F20190201%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20190201T090000Z&X-Goog-Expires=10&X-Goog-SignedHeaders=host&X-Goog-Signature=${'0a'.repeat(256)}`,
      'scheme      gcs (--scheme gcs-rsa)\n',
      { scheme: 'gcs', notShown: ['method'] },
    ],
    [
      'Amazon S3, Version 2',
      'https://awsexamplebucket1.us-west-1.s3.amazonaws.com/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620',
      'scheme      s3 (--scheme s3v2)\n',
      { scheme: 's3', notShown: ['method'] },
    ],
    [
      'OSS, Version 1',
      'https://b.oss-cn-hangzhou.aliyuncs.com/a?OSSAccessKeyId=k&Expires=1900000000&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D',
      'scheme      oss (--scheme s3v2)\n',
      { scheme: 'oss', notShown: ['method'] },
    ],
    [
      'COS',
      `https://examplebucket-1250000000.cos.ap-beijing.myqcloud.com/a.txt?q-sign-algorithm=sha1&q-ak=AKID&q-sign-time=1767225600;1767229200&q-key-time=1767225600;1767229200&q-header-list=host&q-url-param-list=&q-signature=${'0'.repeat(40)}`,
      'scheme      cos (--scheme tencent-cos)\n',
      { scheme: 'cos', notShown: ['method'] },
    ],
    [
      'Cloudinary, with a token',
      `https://res.cloudinary.com/demo/image/upload/a.jpg?__cld_token__=exp=1900000000~acl=%2fimage%2f*~hmac=${'0'.repeat(64)}`,
      'covered     expires, prefix\n',
      { scheme: 'cloudinary', covers: ['expires', 'prefix'] },
    ],
    [
      'NGINX, whose usual expression has the address',
      `https://h.test/a?md5=${'A'.repeat(22)}&expires=1900000000`,
      'address     signed, not shown in the link\n',
      { scheme: 'nginx', notShown: ['ip'], covers: expect.arrayContaining(['ip']) },
    ],
    [
      'Bunny, which can sign an address',
      `https://z.b-cdn.net/v.mp4?token=HS256-${'A'.repeat(43)}&expires=1900000000`,
      'address     perhaps signed, not shown in the link\n',
      { scheme: 'bunny', covers: ['path', 'query', 'expires'] },
    ],
    // These schemes need the lifetime, which the link does not show.
    ...(['cloudflare', 'alibaba-cdn', 'tencent-cdn'] as const).map((scheme): [string, string, string, object] => {
      const token = { cloudflare: `verify=1767225600-${'A'.repeat(43)}%3D`, 'alibaba-cdn': 'auth_key', 'tencent-cdn': 'sign' }[scheme]
      const link = `https://h.test/a?${token}${scheme === 'cloudflare' ? '' : `=1767225600-0-0-${'0'.repeat(32)}`}`
      return [scheme, link, 'expires     not shown in the link\n', { scheme }]
    }),
  ])('reads %s without --scheme', async (_, link, row, json) => {
    const { exit, out, errors } = await run(['inspect', '--now', NOW, link])
    expect([exit, errors]).toEqual([0, ''])
    expect(out).toContain(row)
    expect(JSON.parse(await shown(link, '--json'))).toMatchObject(json)
  })

  test('of a vendor with two algorithms, the malformed parameter is named, and not the algorithm', async () => {
    const link =
      'https://storage.googleapis.com/b/o?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a%2F20190201%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20190201T090000Z&X-Goog-Expires=10&X-Goog-SignedHeaders=host&X-Goog-Signature=xyz'
    const { exit, out } = await run(['inspect', link])
    expect([exit, out]).toEqual([1, 'malformed: the parameter X-Goog-Signature of this gcs-rsa link cannot be read\n'])
  })

  test.each<[scheme: string, storage: Scheme, url: string, headers: string | undefined]>([
    ['gcs', gcs(STORAGE_KEY), 'https://storage.googleapis.com/b/a', 'content-type'],
    ['gcs-rsa', gcsRsa({ id: 'robot@project.iam.gserviceaccount.com', secret: PEM }), 'https://storage.googleapis.com/b/a', 'content-type'],
    // The signatures of these cover content-type without a list in the link.
    ['s3v2', s3v2(STORAGE_KEY), 'https://b.s3.amazonaws.com/a', undefined],
    ['s3v2', s3v2(STORAGE_KEY, { vendor: 'oss' }), 'https://b.oss-cn-hangzhou.aliyuncs.com/a', undefined],
    ['s3v2', s3v2(STORAGE_KEY, { vendor: 'obs' }), 'https://b.obs.cn-north-4.myhuaweicloud.com/a', undefined],
    ['oss-v4', ossV4(STORAGE_KEY), 'https://b.oss-cn-hangzhou.aliyuncs.com/a', undefined],
    ['tencent-cos', tencentCos(STORAGE_KEY), 'https://b-125.cos.ap-beijing.myqcloud.com/a', 'content-type'],
  ])('says that a method is signed in an upload link of %s, which it recognises by itself', async (name, storage, url, headers) => {
    const conditions = { expires: '10m', method: 'PUT', headers: { 'content-type': 'image/png' } }
    const link = await sign(storage, url, conditions as never, { now })
    const text = await shown(link)
    expect(text).toMatch(new RegExp(`^scheme .*\\b${name}\\b`, 'm'))
    expect(text).toContain('method      signed, not shown in the link\n')
    expect(/^headers +(.*)$/m.exec(text)?.[1]).toBe(headers)
    expect(JSON.parse(await shown(link, '--json'))).toMatchObject({ notShown: ['method'] })
  })

  test('shows a link of Amazon with SigV4A, which no scheme of this package reads', async () => {
    const credential = 'X-Amz-Credential=AKIAMADEUPEXAMPLE000%2F20300101%2Fs3%2Faws4_request&X-Amz-Region-Set=%2A'
    const time = 'X-Amz-Date=20300101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host'
    const point = 'https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/a.png'
    const link = `${point}?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&${credential}&${time}&X-Amz-Signature=30${'45'.repeat(70)}`
    expect(await shown(link)).toContain('expires     2030-01-01T00:10:00.000Z (in 10m)\n')
  })

  test('shows the payload of a token as JSON, and control characters as such', async () => {
    const edge = akamai({ secret: 'aabbccddeeff00112233445566778899' })
    const link = await sign(edge, 'https://edge.example/a', { expires: '10m', data: 'x\u001b[2Jy' } as never, { now })
    expect(await shown(link)).toMatch(/\ndata +"x\\u001b\[2Jy"\n/)
    const id = await sign(links, '/a', { expires: '10m', id: 'a\u001b[2J\u009bb' }, { now })
    expect(await shown(id)).toContain('id          a\ufffd[2J\ufffdb\n')
  })

  test('a parameter that is covered by its name is listed only if the link has it', async () => {
    const options = ['--scheme', 'hmac', '--options', '{"ignore":["utm"]}']
    const link = await sign(hmac({ secret: SECRET }, { ignore: ['utm'] }), '/a?q=1', { expires: '10m' }, { now })
    expect(await shown(link, ...options)).toContain('covered     path, query, method, expires\n')
  })

  test('one line that cannot be read makes the exit code 1, and the others are shown', async () => {
    const link = await sign(links, '/a', { expires: '10m' }, { now })
    const { exit, out } = await run(['inspect', '--json', '--now', NOW], { stdin: [`/x\n${link}\n/a?expires=soon&signature=1\n`] })
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(exit).toBe(1)
    expect(lines).toMatchObject([{ reason: 'unsigned' }, { scheme: 'hmac' }, { reason: 'malformed', parameter: 'expires' }])
  })
})

describe('explain', () => {
  test('takes the address, the method and the tolerance of the request', async () => {
    const link = await sign(links, '/a', { expires: '10m', method: 'PUT', ip: '203.0.113.7' }, { now })
    const late = ['explain', '--now', '2030-01-01T00:10:20Z', link]
    const request = ['--method', 'PUT', '--ip', '203.0.113.7']
    expect((await run([...late, ...request, '--tolerance', '30s'])).out).toMatch(/^ok hmac\n/)
    expect((await run([...late, ...request])).out).toMatch(/^refused expired\n/)
    expect((await run([...late, '--ip', '203.0.113.7', '--tolerance', '30s'])).out).toMatch(/^refused wrong_method\n/)
    expect((await run([...late, '--method', 'PUT', '--tolerance', '30s'])).out).toMatch(/^refused wrong_ip\n/)
  })

  test('writes the strings of a valid link, with the canonical request where only its hash is signed', async () => {
    const keys = JSON.stringify({ id: 'AKIAMADEUPEXAMPLE000', secret: SECRET })
    const bucket = s3({ id: 'AKIAMADEUPEXAMPLE000', secret: SECRET })
    const link = await sign(bucket, 'https://b.s3.amazonaws.com/a.png', { expires: '10m' }, { now })
    const args = ['explain', '--scheme', 's3', '--now', NOW, link]
    const { stringToSign, canonicalRequest } = JSON.parse((await run([...args, '--json'], { keys })).out)
    const indented = (text: string) => text.replace(/^(?=.)/gm, '  ')
    const texts = [stringToSign, canonicalRequest].map(indented)
    expect((await run(args, { keys })).out).toBe(
      `ok s3\n\nstring to sign of the verifier:\n${texts[0]}\n\ncanonical request of the verifier:\n${texts[1]}\n\n`,
    )
  })

  test('writes what it has tried if it knows no mistake, and the signature that it expects', async () => {
    const link = `/a?expires=1893456600&signature=${'A'.repeat(43)}`
    const args = ['explain', '--bound', '50', '--now', NOW, link]
    const { tried, expected, stringToSign } = JSON.parse((await run([...args, '--json'])).out)
    expect(tried).toBe(50)
    expect((await run(args)).out).toBe(`refused bad_signature

None of the known mistakes made this signature, among 50 that were tried. It may have been made with another secret, or for another URL.

string to sign of the verifier:
${stringToSign.replace(/^(?=.)/gm, '  ')}

expected signature (valid, so keep it to yourself): ${expected}

`)
  })

  test('writes lines that are too long for two columns one below the other, with a mark below the difference', async () => {
    const path = `/files/${'x'.repeat(70)}`
    const link = (await sign(links, path.toUpperCase(), { expires: '10m' }, { now })).replace(path.toUpperCase(), path)
    const { stringToSign, signed, mistakes } = JSON.parse((await run(['explain', '--json', '--now', NOW, link])).out)
    expect(mistakes).toMatchObject([{ code: 'path_case' }])
    const [ours, theirs] = [stringToSign.split('\n'), signed.split('\n')] as [string[], string[]]
    const at = ours.findIndex((line) => line.includes(path))
    const [left = '', right = ''] = [ours[at], theirs[at]]
    const { out } = await run(['explain', '--now', NOW, link])
    const column = ' '.repeat(56)
    expect(out).toContain(`\n  ${'verifier'.padEnd(56)} | signer\n  ${ours[0]?.padEnd(56)} | ${theirs[0]}\n`)
    expect(out).toContain(`\n> ${left}\n  ${column} | ${right}\n  ${' '.repeat(left.indexOf('files'))}^\n`)
    expect(out.match(/^>/gm)).toHaveLength(1)
  })
})

describe('lines', () => {
  const verified = (stdin: readonly (string | Uint8Array)[], given: Given = {}, ...more: string[]) =>
    run(['verify', '--now', NOW, ...more], { stdin, ...given })

  test('come in pieces of any size, with either line break, and with white space around them', async () => {
    const link = await sign(links, 'https://cdn.example/a', { expires: '10m' }, { now })
    const bytes = new TextEncoder().encode(`${link}\r\n\n  /é\t\n${link}`)
    for (const size of [1, 7, bytes.length]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size))
      const { out, exit } = await verified(pieces)
      expect(out.split('\n').map((line) => line.slice(0, 7))).toEqual(['ok hmac', 'refused', 'ok hmac', ''])
      expect(exit).toBe(1)
    }
  })

  test('the answers keep the order of the lines, also of many', async () => {
    const urls = Array.from({ length: 1300 }, (_, i) => `/${i}`)
    const { out, exit, writes } = await run(['sign', '--expires', '10m', '--now', NOW], { stdin: [urls.join('\n')] })
    expect(exit).toBe(0)
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => line.replace(/\?.*/, '')),
    ).toEqual(urls)
    // Written in batches, and not a line at a time.
    expect(writes).toBeLessThan(10)
  })

  test('a wrong line is named by its number, with empty lines counted, and keeps its place', async () => {
    const { out, errors, exit } = await run(['sign', '--expires', '10m'], { stdin: ['/1\n\nnot a url\n/4'] })
    expect(exit).toBe(2)
    expect(errors).toMatch(/^securelink sign: line 3: url must be [^\n]+\n$/)
    expect(out.split('\n').map((line) => line.slice(0, 2))).toEqual(['/1', '', '/4', ''])
  })

  test('`-` means standard input, and a file is read in its place', async () => {
    const file = join(folder, 'urls.txt')
    writeFileSync(file, '/from/file\n')
    const signed = async (...args: string[]) => (await run(['sign', '--expires', '10m', ...args], { stdin: ['/from/stdin'] })).out
    expect(await signed('-')).toMatch(/^\/from\/stdin\?/)
    expect(await signed()).toMatch(/^\/from\/stdin\?/)
    expect(await signed('--file', file)).toMatch(/^\/from\/file\?/)
    expect(await signed('/from/argument')).toMatch(/^\/from\/argument\?/)
  })

  test('nothing more is read after the signal', async () => {
    const ended = new AbortController()
    ended.abort()
    const { out, exit } = await verified(['/a\n/b\n'], { signal: ended.signal })
    expect([out, exit]).toEqual(['', 0])
  })

  test('without a link the exit code is 2, because 0 would say that a link is valid', async () => {
    for (const verb of ['verify', 'redeem', 'inspect', 'explain']) {
      const { exit, errors } = await run([verb, ...(verb === 'redeem' ? ['--store', 'memory:'] : [])], { stdin: ['\n \r\n'] })
      expect([exit, errors]).toEqual([2, `securelink ${verb}: a link must be given: as an argument, in a file, or on standard input\n`])
    }
    expect((await run(['sign', '--expires', '10m'])).exit).toBe(0)
  })

  test('a folder in place of a file is misuse', async () => {
    expect(await run(['verify', '--file', folder])).toMatchObject({
      exit: 2,
      errors: 'securelink verify: --file must be a file that can be read (EISDIR)\n',
    })
  })

  test('bytes that are not UTF-8: no such URL is signed, and none is cut off at the end of a link', async () => {
    const bytes = (text: string) => Buffer.from(text, 'latin1')
    const { exit, out, errors } = await run(['sign', '--expires', '10m'], { stdin: [bytes('/m\u00e4rz.pdf\n/april.pdf\n')] })
    expect([exit, errors]).toEqual([2, 'securelink sign: line 1: url must be in UTF-8\n'])
    expect(out).toMatch(/^\n\/april\.pdf\?/)
    const link = await sign(links, '/a', { expires: '10m' }, { now })
    for (const end of ['\u00c3', '\u00c3\n']) expect((await verified([bytes(link + end)])).exit).toBe(1)
  })

  // PowerShell 5 writes files like that.
  test('UTF-16 with a byte order mark, in a file of links and in one of keys', async () => {
    const link = await sign(links, 'https://cdn.example/\u00e4', { expires: '10m' }, { now })
    const [file, keys] = [join(folder, 'utf16.txt'), join(folder, 'utf16-keys.txt')]
    writeFileSync(file, `\ufeff${link}\r\n${link}\r\n`, 'utf16le')
    writeFileSync(keys, `\ufeff2026-11:${SECRET}\r\n`, 'utf16le')
    const { out, exit } = await run(['verify', '--now', NOW, '--file', file, '--keys', keys], { keys: '' })
    expect([out.match(/^ok hmac/gm)?.length, exit]).toEqual([2, 0])
  })

  test('a full pipe is waited for', async () => {
    let drained = 0
    const once = (_event: 'drain', listener: (value: unknown) => void) => setImmediate(() => listener(drained++))
    const urls = Array.from({ length: 1100 }, (_, i) => `/${i}`).join('\n')
    const exit = await main(['sign', '--expires', '10m'], {
      stdin: Readable.from([Buffer.from(urls)]),
      stdout: { write: () => false, once },
      stderr: { write: () => true },
      env: { SECURELINK_KEYS: SECRET },
      signal: new AbortController().signal,
    })
    expect([exit, drained]).toEqual([0, 3])
  })
})

describe('the progress bar', () => {
  const file = join(folder, 'many.txt')
  const lines = Array.from({ length: 1024 }, (_, i) => `/${i}`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  /** A clock that moves on by a second whenever it is read. */
  async function drawn(args: readonly string[], given: Given = {}) {
    let time = +now()
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => (time += 1000))
    const result = await run(['sign', '--expires', '10m', '--now', NOW, ...args], given)
    clock.mockRestore()
    return result.errors
  }
  const terminal = { stderr: true }

  test('shows how much of a file is done, how many lines, and how fast, and then goes away', async () => {
    const errors = await drawn(['--file', file], { terminal })
    const drawings = errors.split('\r')
    const [, half, whole] = drawings
    expect(half).toMatch(/^\[#{12}\.{12}\] {2}49% {2}512 lines, \d+ a second $/)
    expect(whole).toMatch(/^\[#{24}\] 100% {2}1,024 lines, \d+ a second $/)
    expect(drawings.at(-1)).toBe('\u001b[K')
  })

  test('shows the lines alone for standard input, whose length is not known', async () => {
    const errors = await drawn([], { terminal, stdin: [lines.join('\n')] })
    const drawings = errors.split('\r').map((drawing) => drawing.replace(/\d+ a second/, '… a second'))
    expect([...new Set(drawings)]).toEqual(['', '512 lines, … a second ', '1,024 lines, … a second ', '\u001b[K'])
  })

  test('is not drawn into a file, nor between links on a terminal', async () => {
    expect(await drawn(['--file', file])).toBe('')
    expect(await drawn(['--file', file], { terminal: { stderr: true, stdout: true } })).toBe('')
  })
})

describe('keys', () => {
  const made = async (keys: string) => {
    const { out, errors, exit } = await run(['sign', '--expires', '10m', '/a'], { keys })
    return exit === 0 ? /key=([\w-]+)/.exec(out)?.[1] : errors
  }
  test.each([
    [`new:${SECRET}`, 'new'],
    [` new:${SECRET}\n`, 'new'],
    [`new:${SECRET} old:${SECRET}`, 'new'],
    [`new:${SECRET},old:${SECRET}`, 'new'],
    [`new:${SECRET}\n\nold:${SECRET}`, 'new'],
    [SECRET, undefined],
    [JSON.stringify({ id: 'json', secret: SECRET }), 'json'],
    [JSON.stringify([{ id: 'json', secret: SECRET }, { secret: SECRET }]), 'json'],
    [
      JSON.stringify([
        { id: 'late', secret: SECRET, starts: '2999-01-01T00:00:00Z' },
        { id: 'now', secret: SECRET },
      ]),
      'now',
    ],
    [
      JSON.stringify([
        { id: 'gone', secret: SECRET, expires: '2020-01-01T00:00:00Z' },
        { id: 'now', secret: SECRET },
      ]),
      'now',
    ],
  ])('%j', async (keys, id) => expect(await made(keys)).toBe(id))

  test('inspect needs no keys, and white space counts as no keys', async () => {
    const link = await sign(links, '/a', { expires: '10m' }, { now })
    for (const keys of ['', ' \n'])
      expect((await run(['inspect', '--string-to-sign', link], { keys })).out).toMatch(/^SecureLink hmac v1\n/)
  })

  test.each([`"2026-11:${SECRET}"`, `'2026-11:${SECRET}'`, `"b:${SECRET} a:${SECRET}"`, `b:${SECRET} "a:${SECRET}"`])(
    'quotes around keys are refused: %s',
    async (keys) => {
      const { exit, errors } = await run(['sign', '--expires', '10m', '/a'], { keys })
      expect([exit, errors]).toEqual([2, expect.stringMatching(/^securelink sign: the keys must have no quotes around them; [^0-9]*\n$/)])
    },
  )

  test('a comma at the end does not begin another key', async () => {
    expect((await run(['sign', '--expires', '10m', '/a'], { keys: `a:${SECRET},\n` })).out).toContain('key=a&')
  })

  test('a default that everybody knows is refused', async () => {
    const { exit, errors } = await run(['sign', '--scheme', 'nginx', '--expires', '10m', '--ip', '203.0.113.7', '/a'], { keys: 'MySecret' })
    expect([exit, errors]).toEqual([2, expect.stringContaining('MySecret is the default of the Python SecureLink')])
  })
})

describe('options', () => {
  const said = async (...args: string[]) => {
    const { exit, errors, out } = await run(args)
    expect([exit, out]).toEqual([2, ''])
    return errors.trim()
  }

  test.each([
    [['verfy'], "securelink: unknown verb 'verfy'; did you mean verify?"],
    [
      ['sign', '--expires', '-10m', '/a'],
      "securelink sign: --expires must have a value; one that begins with '-' is written as --expires=-…",
    ],
    [['sgn'], "securelink: unknown verb 'sgn'; did you mean sign?"],
    [['inspekt'], "securelink: unknown verb 'inspekt'; did you mean inspect?"],
    [['frobnicate'], "securelink: unknown verb 'frobnicate'; securelink --help lists the verbs"],
    [['constructor'], "securelink: unknown verb 'constructor'; securelink --help lists the verbs"],
    [[], 'securelink: the first argument must be a verb; securelink --help lists the verbs'],
    [['sign', '/a', '--expries', '1h'], 'securelink sign: unknown option --expries; did you mean --expires?'],
    [['sign', '/a', '--ipp', '1'], 'securelink sign: unknown option --ipp; did you mean --ip?'],
    [['keygen', '-x'], 'securelink keygen: unknown option -x; the known ones are --id, --json'],
    [['explain', '--bound', 'x', '/a'], 'securelink explain: --bound must be a whole number'],
    [['explain', '--bound', '-1', '/a'], expect.stringContaining('securelink explain: ')],
    [['explain', '--bound=-1', '/a'], 'securelink explain: --bound must be a whole number'],
    [['verify', '--now', '2030-01-01T00:00', '/a'], 'securelink verify: --now must be a date such as 2030-01-01T00:00:00Z'],
    [['verify', '--now', '2030-02-30', '/a'], 'securelink verify: --now must be a date such as 2030-01-01T00:00:00Z'],
    [
      ['sign', '--expires', '10m', '--starts', 'soon', '/a'],
      'securelink sign: --starts must be a duration such as 10m, or a date such as 2030-01-01',
    ],
    [
      ['verify', '--header', 'a b: c', '/a'],
      'securelink verify: --header must be a name, a colon and a value, such as content-type: image/png',
    ],
    [
      ['verify', '--header', 'a: \u00fc', '/a'],
      'securelink verify: --header must be a name, a colon and a value, such as content-type: image/png',
    ],
    [['sign', '--expires', '10m', '--condition', '=x', '/a'], 'securelink sign: --condition must be name=value'],
    [['sign', '--expires', '10m', '--condition', 'a b=c', '/a'], 'securelink sign: --condition must be name=value'],
    [
      ['redeem', '--store', 'redis://host:99999', '/a'],
      expect.stringContaining('--store must be an address such as redis://127.0.0.1:6379'),
    ],
  ])('%j', async (args, sentence) => expect(await said(...args)).toEqual(sentence))

  test('--method may be repeated, or have several methods', async () => {
    for (const methods of [
      ['--method', 'put', '--method', 'post'],
      ['--method', 'put,post'],
    ]) {
      const { out } = await run(['sign', '--expires', '10m', ...methods, '/a'])
      expect(out).toMatch(/[?&]method=POST(,|%2C)PUT/)
    }
  })

  test('--condition is JSON, or a text', async () => {
    const data = async (value: string) => {
      const keys = 'aabbccddeeff00112233445566778899'
      const args = ['sign', '--scheme', 'akamai', '--expires', '10m', '--condition', `data=${value}`, 'https://edge.example/a']
      return decodeURIComponent(/data=([^~]*)/.exec((await run(args, { keys })).out)?.[1] ?? '')
    }
    expect(await data('plain=text')).toBe('plain=text')
    expect(await data('"quoted"')).toBe('quoted')
    const link = (await run(['sign', '--expires', '10m', '--condition', 'id=', '/a'])).errors
    expect(link).toBe('securelink sign: id must be left out, or given a value\n')
  })

  test('dates may be without a time, and with a zone', async () => {
    for (const [date, seconds] of [
      ['2031-01-01', 1_924_992_000],
      ['2031-01-01T00:00Z', 1_924_992_000],
      ['2031-01-01T01:00:00.5+01:00', 1_924_992_001],
    ])
      expect((await run(['sign', '--expires', `${date}`, '/a'])).out).toMatch(
        new RegExp(`expires=${seconds}|expires=${Number(seconds) - 1}`),
      )
  })
})

test('keygen makes another secret of 256 bits each time, with the month as its id', async () => {
  const secrets = new Set<string>()
  for (const _ of [1, 2, 3]) {
    const { out, exit } = await run(['keygen'])
    const [, month, secret = ''] = /^(\d{4}-\d\d):([\w-]{43})\n$/.exec(out) ?? []
    expect([exit, month]).toEqual([0, new Date().toISOString().slice(0, 7)])
    secrets.add(secret)
  }
  expect(secrets.size).toBe(3)
  expect((await run(['keygen', '--id', 'web_1.a-b'])).out).toMatch(/^web_1\.a-b:/)
})

test('help: for the command, and for each verb', async () => {
  const shown = async (...args: string[]) => {
    const { exit, out, errors } = await run(args)
    expect([exit, errors]).toEqual([0, ''])
    return out
  }
  const whole = await shown('--help')
  expect(await shown('help')).toBe(whole)
  expect(await shown('-h')).toBe(whole)
  expect(await shown('help', 'constructor')).toBe(whole)
  for (const verb of ['keygen', 'sign', 'verify', 'redeem', 'inspect', 'explain', 'serve', 'demo']) {
    expect(whole).toContain(`\n  securelink ${verb} `)
    const text = await shown('help', verb)
    expect(text).toMatch(new RegExp(`^securelink ${verb}`))
    expect(await shown(verb, '--help')).toBe(text)
    expect(await shown(verb, '-h')).toBe(text)
  }
  expect(await shown('--version')).toMatch(/^\d+\.\d+\.\d+/)
})

test('redeem in memory: each use is consumed once, and the address of the store may be in the environment', async () => {
  const link = await sign(links, '/a', { expires: '10m', uses: 2 }, { now })
  const { out, exit } = await run(['redeem', '--store', 'memory:', '--now', NOW], { stdin: [`${link}\n${link}\n${link}\n`] })
  expect([out.split('\n').map((line) => line.slice(0, 12)), exit]).toEqual([['ok hmac unti', 'ok hmac unti', 'refused used', ''], 1])
})
