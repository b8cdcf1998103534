// From the Python SecureLink to this one: a client of its API, in Python, works with `securelink serve`, and the links open in NGINX as its README
// configures it.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { built, root } from '../built.ts'
import { find, leftOut } from '../prepare.mjs'
import { start } from '../schemes/nginx.mjs'

const python = find('python')
if (!python) console.warn(leftOut('python'))
if (!find('nginx')) console.warn(leftOut('nginx'))

const TOKEN = 'the-API_KEY-of-the-clients-pR7uW2mA09cTt5'
const client = fileURLToPath(new URL('securelink_client.py', import.meta.url))
const here = dirname(client)

interface Body {
  readonly url: string
  readonly clientip?: string | null
  readonly expire_seconds?: number | string | null
  readonly change?: Record<string, string>
  readonly more?: unknown
}
interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: any JSON
  readonly body: any
}
type Step = readonly ['generate' | 'validate', Body]

/** Runs the client with these steps. */
async function run(url: string, steps: readonly Step[], env: Record<string, string> = {}): Promise<Answer[]> {
  const settings = { PATH: process.env['PATH'] ?? '', SECURELINK_URL: url, API_KEY: TOKEN, ...env }
  const child = execFile(python as string, [client], { env: settings, encoding: 'utf8' })
  let [printed, complained] = ['', '']
  child.stdout?.on('data', (text) => (printed += text))
  child.stderr?.on('data', (text) => (complained += text))
  child.stdin?.end(JSON.stringify(steps))
  const [code] = await once(child, 'close')
  expect([code, complained]).toEqual([0, ''])
  return JSON.parse(printed)
}

interface Served {
  readonly url: string
  /** The output of the commands before it. */
  readonly printed: string
  /** Ends it, and gives what it has logged. */
  stop(): Promise<string>
}

/** Starts the command, as users who move would. */
function serve(scheme: string, secret: string): Promise<Served> {
  const command = `exec securelink serve --scheme ${scheme} --securelink-api --port 0`
  return type(command, { SECURELINK_KEYS: secret, SECURELINK_API_TOKEN: TOKEN })
}

/** Types commands, of which the last one serves. */
async function type(commands: string, more: Record<string, string> = {}): Promise<Served> {
  const env = { PATH: `${folder}:${process.env['PATH']}`, ...more }
  const child = spawn('sh', ['-ec', commands], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (log += text))
  const ended = once(child, 'close')
  while (!/^\{.*\n/m.test(log))
    await Promise.race([once(child.stdout, 'data'), ended.then(() => Promise.reject(new Error('it has ended')))])
  const [, printed = '', started = ''] = /^(.*?)\n?(\{.*)\n/s.exec(log) ?? []
  const { url } = JSON.parse(started)
  const stop = async () => {
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    return log
  }
  return { url, printed, stop }
}

const folder = mkdtempSync(join(tmpdir(), 'securelink-from-'))
let old: Served
beforeAll(async () => {
  await built()
  writeFileSync(join(folder, 'securelink'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/bin.js')}' "$@"\n`)
  chmodSync(join(folder, 'securelink'), 0o755)
  old = await serve('nginx', 'secret')
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterAll(async () => {
  const log = await old.stop()
  expect(log).toContain('"route":"/generate-secure-md5-link/"')
  for (const word of ['md5', 'a.pdf', TOKEN, 'defaultkey']) expect(log.replaceAll('/generate-secure-md5-link/', '')).not.toContain(word)
})

describe.skipIf(!python)('docs/guide/from-securelink.md', () => {
  const page = readFileSync(join(root, 'docs/guide/from-securelink.md'), 'utf8')
  const fences = (language: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text)

  test('the client of the page works against what the page types', async () => {
    const [commands = '', another] = fences('sh')
    const [client = '', other] = fences('python')
    expect([another, other]).toEqual([undefined, undefined])
    // The token that was made is shown to the client, and the port is a free one.
    const typed = commands.trimEnd().replace(/^npx (.*)/m, (_, line) => `echo "$SECURELINK_API_TOKEN"\nexec ${line} --port 0`)
    expect(typed).toContain('exec')
    const { url, printed, stop } = await type(typed)
    // `requests`, or what the client brings in its place.
    const run = `import sys\nfrom securelink_client import requests\nsys.modules['requests'] = requests\n${client}`
    const env = { PATH: process.env['PATH'], SECURELINK_URL: url, API_KEY: printed, PYTHONPATH: here, PYTHONDONTWRITEBYTECODE: '1' }
    const { stdout } = await promisify(execFile)(python as string, ['-c', run], { env })
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1\/secure\/report\.pdf\?md5=[\w-]{22}&expires=\d{10}\n$/)
    expect((await stop()).split('\n').slice(1).join()).not.toContain(printed)
  })
})

const url = 'http://127.0.0.1/secure/a.pdf'
const link = '{link}'

// Each step, the status that SecureLink 0.1.0 (e4a21cb, FastAPI 0.142.2) gave when the same client was run against it, and ours: where they
// differ, docs/guide/from-securelink.md says why.
const STEPS: readonly (readonly [theirs: number, ours: number, told: RegExp | undefined, step: Step])[] = [
  [200, 200, undefined, ['generate', { url, clientip: '127.0.0.1', expire_seconds: 60 }]],
  [200, 200, /valid/, ['validate', { url: link, clientip: '127.0.0.1' }]],
  [200, 200, /valid/, ['validate', { url: link }]],
  [400, 200, /valid/, ['validate', { url: link, clientip: null }]],
  [400, 403, /bad_signature/, ['validate', { url: link, clientip: '10.44.0.1' }]],
  [400, 403, /unsigned/, ['validate', { url }]],
  [400, 403, /bad_signature/, ['validate', { url: link, change: { secure: 'other' } }]],
  [400, 403, /malformed/, ['validate', { url: link, change: { 'expires=': 'expires=abc' } }]],
  [200, 403, /bad_signature/, ['validate', { url: link, change: { 'a.pdf': 'a.pdf;anything' } }]],
  [200, 200, undefined, ['generate', { url: `${url}#top` }]],
  [400, 200, /valid/, ['validate', { url: link }]],
  [200, 200, undefined, ['generate', { url, clientip: null }]],
  [400, 200, /valid/, ['validate', { url: link }]],
  [200, 200, undefined, ['generate', { url, expire_seconds: '60', more: 1 }]],
  [400, 200, undefined, ['generate', { url, expire_seconds: null }]],
  [200, 422, /expire_seconds/, ['generate', { url, expire_seconds: -5 }]],
  [400, 422, /expire_seconds/, ['generate', { url, expire_seconds: 99_999_999_999_999 }]],
  [422, 422, /expire_seconds/, ['generate', { url, expire_seconds: 'abc' }]],
  [200, 422, /already|parameter/, ['generate', { url: `${url}?md5=x&expires=1` }]],
  [200, 422, /url/, ['generate', { url: 'not a url' }]],
  [200, 200, undefined, ['generate', { url: `${url}?download` }]],
  [200, 200, /valid/, ['validate', { url: link }]],
]

describe.skipIf(!python)('a client of the Python SecureLink', () => {
  test.each([
    ['as it is', {}],
    ['without requests', { WITHOUT_REQUESTS: '1' }],
  ])('%s', async (_, env) => {
    const answers = await run(
      old.url,
      STEPS.map(([, , , step]) => step),
      env,
    )
    for (const [i, [, status, told, step]] of STEPS.entries()) {
      const { status: got, body } = answers[i] as Answer
      const text = JSON.stringify(body)
      expect(got, `${JSON.stringify(step)} ${text}`).toBe(status)
      if (told) expect(text).toMatch(told)
      if (status === 200 && step[0] === 'generate') expect(Object.keys(body)).toEqual(['secure_url'])
      if (status === 200 && step[0] === 'validate') expect(body).toEqual({ message: 'The secure link is valid.' })
      if (status === 403) expect(body.detail).toBe('Invalid or expired secure link.')
      // FastAPI's clients look for this one.
      if (status > 200) expect(typeof body.detail).toBe('string')
    }
  })

  test('with the default key of its server, or another', async () => {
    for (const API_KEY of ['defaultkey', `${TOKEN}x`]) {
      const [answer] = await run(old.url, [['generate', { url }]], { API_KEY })
      expect(answer).toMatchObject({ status: 401, body: { detail: expect.stringMatching(/token/) } })
    }
  })

  test('gets better links without being changed: they cover the query', async () => {
    const better = await serve('hmac', '2026-11:0123456789abcdef0123456789abcdef')
    const answers = await run(better.url, [
      ['generate', { url: `${url}?user=42`, clientip: '127.0.0.1', expire_seconds: 60 }],
      ['validate', { url: link, clientip: '127.0.0.1' }],
      ['validate', { url: link, clientip: '127.0.0.1', change: { 'user=42': 'user=1' } }],
      ['validate', { url: link, clientip: '10.44.0.1' }],
    ])
    expect(answers.map(({ status, body }) => body.reason ?? status)).toEqual([200, 200, 'bad_signature', 'wrong_ip'])
    await better.stop()
  })
})

// The configuration of SecureLink's README.
const README = `
events {}

http {
  server {
    listen 80;
    root /srv/www;

    location ^~ /secure/ {
      secure_link $arg_md5,$arg_expires;
      secure_link_md5 "$secure_link_expires$uri$remote_addr secret";

      if ($secure_link = "") {
        return 403;
      }

      if ($secure_link = "0") {
        return 410;
      }

      return 200;
    }
  }
}
`

describe.skipIf(!python || !find('nginx'))("the links in NGINX, configured as SecureLink's README has it", () => {
  // biome-ignore lint/suspicious/noExplicitAny: nginx.mjs has no types
  let server: any
  beforeAll(async () => {
    server = await start(README)
  })
  afterAll(() => server?.stop())

  const PATHS = [
    '/secure/a.pdf',
    '/secure/',
    '/secure/a%20b.txt',
    '/secure/%C3%BC?page=2',
    '/secure/a//b',
    '/secure/a;b',
    '/secure/x?download',
  ]
  test('open, and are refused as validate refuses them', async () => {
    const generate = (path: string): Step => ['generate', { url: `http://127.0.0.1${path}`, clientip: '127.0.0.1', expire_seconds: 60 }]
    const answers = await run(old.url, PATHS.map(generate))
    const links = answers.map(({ body }) => body.secure_url.slice('http://127.0.0.1'.length) as string)
    for (const [i, link] of links.entries()) {
      expect(link).not.toBe(PATHS[i])
      expect((await server.visit(link)).status, link).toBe(200)
      expect((await server.visit(PATHS[i])).status).toBe(403)
      expect((await server.visit(link.replace('/secure/', '/secure/other'))).status).toBe(403)
    }
    const [forAnother] = await run(old.url, [['generate', { url, clientip: '10.44.0.1' }]])
    expect((await server.visit(forAnother?.body.secure_url.slice('http://127.0.0.1'.length))).status).toBe(403)
  })

  test('expire there and here', async () => {
    const [{ body: made } = { body: {} }] = await run(old.url, [['generate', { url, expire_seconds: 1 }]])
    const path = made.secure_url.slice('http://127.0.0.1'.length)
    expect([200, 410]).toContain((await server.visit(path)).status)
    // At the expiry boundary the link is still valid.
    await wait(3100)
    expect((await server.visit(path)).status).toBe(410)
    const [expired, forged] = await run(old.url, [
      ['validate', { url: made.secure_url }],
      ['validate', { url: made.secure_url, change: { 'a.pdf': 'b.pdf' } }],
    ])
    expect(expired).toMatchObject({ status: 403, body: { reason: 'expired' } })
    expect(forged).toMatchObject({ status: 403, body: { reason: 'bad_signature' } })
  })
})
