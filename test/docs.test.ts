// Runs the documentation: every ts and js fence of README.md and docs/, and every @example of src/, is a module that compiles and runs, and prints the
// text of the comment after its console.log. A fence that cannot run says why: ```ts no-run needs a bucket of yours
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { transformSync } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { sign } from '../src/index.ts'
import { nginx } from '../src/schemes/nginx.ts'
import { nginxHmac } from '../src/schemes/nginx-hmac.ts'
import { pichax } from '../src/schemes/pichax.ts'
import { built, root } from './built.ts'

interface Fence {
  /** `README.md:12` */
  readonly at: string
  readonly language: string
  /** What follows the language. */
  readonly info: string
  readonly text: string
}

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const list = (folder: string, end: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort()

const pages = ['README.md', 'docs/llms.txt', ...list('docs', '.md').filter((path) => !path.startsWith('docs/api/'))]

/** The fences of a Markdown text, without the indentation of the fence. */
function fences(path: string, text: string): Fence[] {
  const found: Fence[] = []
  let open: { mark: string; indent: number; line: number; language: string; info: string; lines: string[] } | undefined
  for (const [i, line] of text.split('\n').entries()) {
    const [, indent = '', mark = '', language = '', info = ''] = /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)\s*([^`]*)$/.exec(line) ?? []
    if (!open) {
      if (mark) open = { mark, indent: indent.length, line: i + 1, language, info, lines: [] }
    } else if (mark.startsWith(open.mark) && !language) {
      found.push({ at: `${path}:${open.line}`, language: open.language, info: open.info, text: open.lines.join('\n') })
      open = undefined
    } else {
      open.lines.push(line.slice(open.indent))
    }
  }
  if (open) throw new Error(`${path}:${open.line} opens a fence that nothing closes`)
  return found
}

/** Doc comments as Markdown, with every other line empty, so that lines keep their numbers. */
function comments(source: string): string {
  let inside = false
  return source
    .split('\n')
    .map((line) => {
      if (/^\s*\/\*\*/.test(line)) inside = true
      const text = inside ? line.replace(/^\s*(\/\*\*|\*(?!\/)) ?/, '').replace(/\*\/.*$/, '') : ''
      if (line.includes('*/')) inside = false
      return text
    })
    .join('\n')
}

const all = [
  ...pages.flatMap((path) => fences(path, read(path))),
  ...list('src', '.ts').flatMap((path) => fences(path, comments(read(path)))),
]
const modules = all.filter(
  ({ language, info }) => ['ts', 'js', 'typescript', 'javascript', 'mts', 'mjs'].includes(language) && !/^no-run /.test(info),
)
const folder = join(root, 'build/snippets')
const file = ({ at, language }: Fence) =>
  join(folder, `${at.replaceAll('/', '-').replace(/\.(md|ts|txt):/, '-')}.${/^(js|mjs|javascript)$/.test(language) ? 'js' : 'ts'}`)

const SHOWN = /console\.log\((.*)\) \/\/ (.+)$/gm

// Printed by a console of its own, because a snippet may replace ours.
const SHOW = `
import { format } from 'node:util'
const due = new Set(EXPECTED)
globalThis.show = (at, expected, ...values) => {
  due.delete(at)
  const printed = format(...values)
  if (printed !== expected) throw new Error('line ' + at + ' printed ' + printed + ', and the comment says ' + expected)
}
process.on('exit', (code) => {
  if (code === 0 && due.size > 0) {
    console.error('never reached: line ' + [...due].join())
    process.exitCode = 1
  }
})
`

beforeAll(async () => {
  await built()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const fence of modules) {
    // A snippet without imports becomes a module through `export {}`.
    writeFileSync(file(fence), `${fence.text}\nexport {}\n`)
    const lineOf = (offset: number) => fence.text.slice(0, offset).split('\n').length
    const expected = [...fence.text.matchAll(SHOWN)].map(({ index }) => lineOf(index))
    const asked = fence.text.replace(
      SHOWN,
      (_, values, comment, offset) => `show(${lineOf(offset)}, ${JSON.stringify(comment.trim())}, ${values})`,
    )
    const { code } = transformSync(asked, { loader: 'ts', target: 'es2022' })
    const base = file(fence).replace(/\.[jt]s$/, '')
    writeFileSync(`${base}.show.mjs`, SHOW.replace('EXPECTED', JSON.stringify(expected)))
    writeFileSync(`${base}.run.mjs`, `import './${basename(base)}.show.mjs'\n${code}`)
  }
}, 120_000)

test('there is something to run', () => expect(modules.length).toBeGreaterThan(20))

test('a fence is left out only with a reason', () => {
  const odd = all.filter(({ language, info }) => /^(ts|js|mts|mjs)$/.test(language) && info && !/^no-run \w+ \w+/.test(info))
  expect(odd.map(({ at, info }) => `${at}: ${info}`)).toEqual([])
})

test('every @example has a fence', () => {
  for (const path of list('src', '.ts'))
    expect(comments(read(path)).match(/@example(?!\s+```(ts|js)( no-run [^\n]+)?\n)/g), path).toBeNull()
})

describe('runs', () => {
  const run = promisify(execFile)
  test.each(modules.map((fence) => [fence.at, fence] as const))('%s', async (_at, fence) => {
    const env = { PATH: process.env['PATH'], NO_COLOR: '1', LINK_SECRET: 'a secret of 32 bytes or more, from a vault' }
    const done = run(process.execPath, [file(fence).replace(/\.[jt]s$/, '.run.mjs')], { cwd: folder, timeout: 20_000, env })
    const complaint = await done.then(
      () => '',
      ({ stderr, message, killed }) => (killed ? 'did not end within 20 s' : stderr || message),
    )
    expect(complaint).toBe('')
  })
})

test('compiles', () => {
  const settings = {
    extends: '../../tsconfig.json',
    compilerOptions: {
      rootDir: '../..',
      types: ['node'],
      skipLibCheck: true,
      noPropertyAccessFromIndexSignature: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      declaration: false,
      isolatedDeclarations: false,
      allowJs: true,
      checkJs: true,
    },
    include: ['*.ts', '*.js'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    encoding: 'utf8',
    cwd: root,
  })
  expect(stdout).toBe('')
}, 120_000)

// The commands of the pages, each with its test. It is run here, or another file runs it.
const runsIn = (path: string, text: string) => () => expect(read(path)).toContain(text)
const CURL = `curl http://127.0.0.1:8788/sign -H "Authorization: Bearer $SECURELINK_API_TOKEN" -H 'Content-Type: application/json'    -d '{"url":"https://cdn.example/files/a.pdf","expires":"10m"}'`
const COMMANDS: Record<string, (command: string) => unknown> = {
  'npm ci': runsIn('.ci/run', 'npm ci'),
  'npm test': runsIn('.ci/run', 'npm test'),
  'npm run build': runsIn('test/all.mjs', 'npm run --silent build'),
  'npm run check': runsIn('test/all.mjs', 'npm run --silent check'),
  'npm run docs': runsIn('test/all.mjs', 'npm run --silent docs'),
  'npm run test:everywhere': runsIn('test/all.mjs', 'node test/runtimes/all.mjs'),
  'npm run format': () => expect(JSON.parse(read('package.json')).scripts.format).toContain('biome check --write'),
  'npm pack': runsIn('test/package.test.ts', `'npm', ['pack'`),
  'npm start': async () => {
    const { start } = JSON.parse(read('package.json')).scripts
    expect(start).toMatch(/^npm run --silent build && node dist\/\S+/)
    const [path = '', ...args] = start.split(' && node ')[1].split(' ')
    // It serves until it is stopped, at the address that it prints.
    const server = spawn(process.execPath, [join(root, path), ...args], { env: { ...process.env, PORT: '0' }, timeout: 20_000 })
    const ended = once(server, 'exit')
    let printed = ''
    for await (const text of server.stdout.setEncoding('utf8')) if (/http:\/\/\S+\s/.test((printed += text))) break
    const [address = ''] = printed.match(/http:\/\/[^\s/]+/) ?? []
    expect((await fetch(address)).status).toBe(200)
    server.kill()
    expect(await ended).toEqual([0, null])
  },
  [`node -p "crypto.randomBytes(32).toString('base64url')"`]: () =>
    expect(execFileSync(process.execPath, ['-p', `crypto.randomBytes(32).toString('base64url')`], { encoding: 'utf8' }).trim()).toMatch(
      /^[\w-]{43}$/,
    ),
  [`export SECURELINK_KEYS='{"secret":"the SECRET_KEY that NGINX has"}'`]: runsIn(
    'test/service/python-routes.server.test.ts',
    'the page types',
  ),
  'npx securelink serve --scheme nginx --securelink-api': runsIn('test/service/python-routes.server.test.ts', 'the page types'),
  'export SECURELINK_KEYS=$(npx securelink keygen)': () =>
    expect(execFileSync(process.execPath, [join(root, 'dist/cli/bin.js'), 'keygen'], { encoding: 'utf8' })).toMatch(
      /^\d{4}-\d\d:[\w-]{43}\n$/,
    ),
  [`export SECURELINK_API_TOKEN=$(node -p "crypto.randomBytes(32).toString('base64url')")`]: () =>
    expect(execFileSync(process.execPath, ['-p', `crypto.randomBytes(32).toString('base64url')`], { encoding: 'utf8' })).toMatch(
      /^[\w-]{43}\n$/,
    ),
  'npx securelink serve --max-ttl 7d --allow https://cdn.example/files/': (command) => served(command, healthy),
  'npm install redis': () => expect(JSON.parse(read('package.json')).devDependencies).toHaveProperty('redis'),
  'npx securelink serve --store redis://127.0.0.1:6379': (command) => served(command, healthy),
  [CURL]: (command) =>
    served('npx securelink serve', (port) => {
      const env = { ...process.env, SECURELINK_API_TOKEN: 'the-token-of-the-tests-Zk3vQ8-0123456789' }
      const answer = execFileSync('sh', ['-c', `${command.replace('8788', port)} --silent`], { encoding: 'utf8', env })
      expect(JSON.parse(answer).link).toMatch(/^https:\/\/cdn\.example\/files\/a\.pdf\?expires=/)
    }),
  [`printf 'user-42:1900000000' | openssl dgst -sha256 -hmac 'example_secret_0123456789'`]: async () => {
    const command = `printf 'user-42:1900000000' | openssl dgst -sha256 -hmac 'example_secret_0123456789'`
    const [hex = ''] = execFileSync('sh', ['-c', command], { encoding: 'utf8' }).match(/[\da-f]{64}/) ?? []
    const links = pichax({ id: 'px', secret: 'example_secret_0123456789' })
    expect(await sign(links, '/', { expires: new Date(1_900_000_000_000), id: 'user-42' })).toContain(`signature=${hex}`)
    expect(read('docs/schemes/pichax.md')).toContain(hex)
  },
  [`printf '2147483647/s/link127.0.0.1 secret' | openssl md5 -binary | openssl base64 | tr +/ -_ | tr -d =`]: async (command) => {
    const token = execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim()
    const link = await sign(nginx({ secret: 'secret' }), '/s/link', { expires: new Date(2_147_483_647_000), ip: '127.0.0.1' })
    expect(link).toContain(`md5=${token}&`)
    expect(read('docs/schemes/nginx.md')).toContain(token)
  },
  [`printf '/files/a b.txt|1767225600|60' | openssl dgst -sha256 -hmac 'my_secret_key' -binary | openssl base64 | tr +/ -_ | tr -d =`]:
    async (command) => {
      const token = execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim()
      const links = nginxHmac({ secret: 'my_secret_key' })
      const link = await sign(links, '/files/a%20b.txt', { expires: '60s' }, { now: () => new Date(1_767_225_600_000) })
      expect(link).toContain(`st=${token}&`)
      expect(read('docs/schemes/nginx-hmac.md')).toContain(token)
    },
}

/** Starts what `npx securelink serve …` starts, on a free port. */
async function served(command: string, use: (port: string) => unknown): Promise<void> {
  const words = command.split(' ').slice(2)
  const env = {
    ...process.env,
    SECURELINK_KEYS: '0123456789abcdef0123456789abcdef',
    SECURELINK_API_TOKEN: 'the-token-of-the-tests-Zk3vQ8-0123456789',
  }
  const server = spawn(process.execPath, [join(root, 'dist/cli/bin.js'), ...words, '--port', '0'], { env, timeout: 20_000 })
  const ended = once(server, 'exit')
  let printed = ''
  const port = await new Promise<string>((resolve) =>
    server.stdout.on('data', (text) => {
      const [, port] = /"url":"http:\/\/127\.0\.0\.1:(\d+)".*\n/.exec((printed += text)) ?? []
      if (port) resolve(port)
    }),
  )
  await use(port)
  server.kill()
  expect(await ended).toEqual([0, null])
}

const healthy = async (port: string) => expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)

// The page of the command is one session in a folder of its own, so all of it runs there.
const SESSION = 'docs/guide/command-line.md'

test('the command line, as its page types it', () => {
  const place = join(folder, 'session')
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place)
  // npx runs the command of the package that is installed.
  writeFileSync(join(place, 'npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${join(root, 'dist/cli/bin.js')}' "$@"\n`, {
    mode: 0o755,
  })
  const script = all.filter(({ at, language }) => at.startsWith(SESSION) && language === 'sh').map(({ text }) => text)
  const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', script.join('\n')], {
    cwd: place,
    encoding: 'utf8',
    env: { PATH: `${place}:${process.env['PATH']}` },
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  // After the rotation the old link is still valid, and the new key signs.
  expect(stdout.match(/^ok hmac until /gm)).toHaveLength(5)
  expect(readFileSync(join(place, 'links.txt'), 'utf8').match(/&key=2026-12&/g)).toHaveLength(2)
})

// test/adding-a-scheme.test.ts follows this page from its first line to its last.
const FOLLOWED = 'docs/adding-a-scheme.md'

const shells = all
  .filter(({ at }) => !at.startsWith(SESSION) && !at.startsWith(FOLLOWED))
  .filter(({ language }) => ['sh', 'bash', 'shell', 'console'].includes(language))
const knows = ({ text }: Fence) => text.trim() in COMMANDS
const openssl = shells.filter((fence) => fence.at.startsWith('docs/schemes/') && fence.text.includes('openssl') && !knows(fence))

describe('openssl, as the pages of schemes type it', () => {
  test.each(openssl.map((fence) => [fence.at, fence.text] as const))('%s', (_at, text) => {
    const place = join(folder, 'openssl')
    mkdirSync(place, { recursive: true })
    if (text.includes('private_key.pem')) spawnSync('openssl', ['genrsa', '-out', 'private_key.pem', '2048'], { cwd: place })
    const { status, stdout, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', text], { cwd: place, encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/[\w+/=~-]{20,}/)
  })
})

const commands = new Set(
  shells
    .filter((fence) => !openssl.includes(fence))
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split(/\n| && /))
    .map((line) => line.replace(/^\s*(\$ )?|\s+# .*$|\s+$/g, ''))
    .filter((line) => line && !line.startsWith('#')),
)

describe('commands', () => {
  test.each([...commands])('%s', async (command) => {
    expect(Object.keys(COMMANDS), 'a command that the table in this test does not know').toContain(command)
    await COMMANDS[command]?.(command)
  })
})

describe('links between pages', () => {
  // As GitHub names headings.
  const anchors = (path: string) =>
    read(path)
      .replace(/^(`{3,})[\s\S]*?^\1/gm, '')
      .split('\n')
      .filter((line) => /^#+ /.test(line))
      .map((line) =>
        line
          .replace(/^#+ /, '')
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, '')
          .replace(/\s/g, '-'),
      )

  test.each(pages)('%s', (page) => {
    const text = read(page).replace(/^(`{3,})[\s\S]*?^\1/gm, '')
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path ? join(dirname(page), path) : page
      expect(existsSync(join(root, file)) || file.startsWith('docs/api'), `${page} links to ${target}`).toBe(true)
      if (anchor && file.endsWith('.md')) expect(anchors(file), `${page} links to ${target}`).toContain(anchor)
    }
  })
})
