// The demo as its users see it: the built command in a process of its own, and every line that it prints.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { built, root } from '../built.ts'

const curl = spawnSync('curl', ['--version']).status === 0
const bin = join(root, 'dist/cli/bin.js')
const file = (path: string) => readFileSync(join(root, 'docs/playground/files', path))
const run = (port: string) =>
  spawn(process.execPath, [bin, 'demo'], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'pipe', 'pipe'] })

/** Everything that it prints up to its last line. */
async function printed(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout as NodeJS.ReadableStream) {
    text += chunk
    if (text.endsWith('on every load.\n')) break
  }
  return text
}

interface Try {
  answers: string
  says: string
  lines: string[]
  links: string[]
}

const tries = (text: string): Try[] =>
  text
    .split('\n# ')
    .slice(1)
    .map((block) => {
      const [first = '', ...lines] = block.split('\n')
      const curls = lines.filter((line) => line.startsWith('curl '))
      return {
        answers: first.slice(0, 15).trim(),
        says: first.slice(15),
        lines: curls,
        links: curls.map((line) => /'(.*)'/.exec(line)?.[1] as string),
      }
    })

/** Runs a line in a shell, as if it had been pasted. */
const paste = (line: string) => {
  const answer = execFileSync('sh', ['-c', `${line} --silent`], { encoding: 'latin1' })
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
}

let child: ChildProcess
let origin: string
let text: string

beforeAll(async () => {
  await built()
  child = run('0')
  text = await printed(child)
  origin = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] as string
}, 120_000)

afterAll(() => child?.kill('SIGKILL'))

test('prints six things to try, in a form that does not change', () => {
  const shape = text
    .replaceAll(origin, 'http://127.0.0.1:8787')
    .replace(/(expires=)\d+/g, '$1…')
    .replace(/(id=)[\w-]{16}/g, '$1…')
    .replace(/(signature=)[\w-]+/g, '$1…')
  expect(shape).toBe(`SecureLink demo on http://127.0.0.1:8787/ (Ctrl-C ends it)

# 200            Opens for an hour
curl -i 'http://127.0.0.1:8787/files/notes.txt?expires=…&signature=…'

# 403            The same link, changed to open another file
curl -i 'http://127.0.0.1:8787/files/lighthouse.png?expires=…&signature=…'

# 200, then 410  Expires in ten seconds
curl -i 'http://127.0.0.1:8787/files/notes.txt?expires=…&signature=…'

# 403            Opens for the address 203.0.113.7 only
curl -i 'http://127.0.0.1:8787/files/notes.txt?expires=…&net=32&signature=…'

# 200            Opens a folder: a playlist and its video
curl -i 'http://127.0.0.1:8787/expires=…,prefix=~2Ffiles~2Fvideo~2F,signature=…/files/video/index.m3u8'
curl -I 'http://127.0.0.1:8787/expires=…,prefix=~2Ffiles~2Fvideo~2F,signature=…/files/video/segment-0.m4s'

# 200, then 410  Opens once
curl -i 'http://127.0.0.1:8787/files/notes.txt?expires=…&uses=1&id=…&signature=…'

The page has new links on every load.
`)
})

// A demo of its own for each, because a link that opens once does so once.
test.concurrent.each(curl ? ['fetch', 'curl'] : ['fetch'])('every line does what it says, with %s', async (way) => {
  const own = run('0')
  try {
    for (const { answers, says, lines, links } of tries(await printed(own))) {
      for (const [i, link] of links.entries()) {
        const statusNow = async () => (way === 'curl' ? paste(lines[i] as string) : (await fetch(link)).status)
        const [first, later] = answers.split(', then ').map(Number)
        expect([says, await statusNow()]).toEqual([says, first])
        if (says.includes('ten seconds')) await wait(Number(/expires=(\d+)/.exec(link)?.[1]) * 1000 - Date.now() + 100)
        expect([says, await statusNow()]).toEqual([says, later ?? first])
      }
    }
  } finally {
    own.kill('SIGKILL')
  }
})

describe('the page', () => {
  let page: string
  const hrefs = () => [...page.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, path = '']) => origin + path.replaceAll('&amp;', '&'))
  beforeAll(async () => {
    page = await (await fetch(`${origin}/`)).text()
  })

  test('has a picture and seven links, each with its answer', async () => {
    const statuses: number[] = []
    for (const link of hrefs()) statuses.push((await fetch(link)).status)
    expect(statuses).toEqual([200, 200, 403, 200, 403, 200, 200, 200])
    expect((await fetch(hrefs().at(-1) as string)).status).toBe(410)
  })
  test('has other links on the next load', async () => {
    expect(await (await fetch(`${origin}/`)).text()).not.toBe(page)
  })
  test('says so when there is no server behind it', () => {
    const plain = readFileSync(join(root, 'docs/playground/index.html'), 'utf8')
    expect(plain).toContain('There is no server behind this page.')
    expect(page).not.toContain('There is no server behind this page.')
  })
  test.each(['', 'playground.js', 'dist/securelink.all.umd.js'])('/%s takes no POST', async (path) => {
    expect((await fetch(`${origin}/${path}`, { method: 'POST', body: 'x' })).status).toBe(405)
  })
  test.each([
    ['playground.js', 'docs/playground/playground.js', 'text/javascript; charset=utf-8'],
    ['playground.css', 'docs/playground/playground.css', 'text/css; charset=utf-8'],
    ['dist/securelink.all.umd.js', 'dist/securelink.all.umd.js', 'text/javascript; charset=utf-8'],
  ])('has its part %s', async (path, source, type) => {
    const response = await fetch(`${origin}/${path}`)
    expect(response.headers.get('content-type')).toBe(type)
    expect(await response.text()).toBe(readFileSync(join(root, source), 'utf8'))
  })
  test('may run its own scripts, and connect to nothing', async () => {
    const { headers } = await fetch(`${origin}/`)
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;/,
    )
  })
})

describe('files', () => {
  const link = (name: string) =>
    tries(text)
      .flatMap(({ links }) => links)
      .find((one) => one.includes(name)) as string

  test.each([
    ['notes.txt', 'text/plain; charset=utf-8'],
    ['video/index.m3u8', 'application/vnd.apple.mpegurl'],
    ['video/segment-0.m4s', 'video/mp4'],
  ])('%s comes whole, as %s', async (name, type) => {
    const response = await fetch(link(name))
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('cache-control')).toMatch(/^private, max-age=\d+$/)
    expect(Buffer.from(await response.arrayBuffer())).toEqual(file(name))
  })

  test('a player finds all segments beside the playlist', async () => {
    const playlist = link('index.m3u8')
    const lines = (await (await fetch(playlist)).text()).split('\n')
    const names = lines.flatMap((line) => /^#EXT-X-MAP:URI="(.*)"|^([^#].*)/.exec(line)?.slice(1).filter(Boolean) ?? [])
    expect(names).toHaveLength(6)
    for (const name of names) {
      const response = await fetch(new URL(name, playlist))
      expect(response.status).toBe(200)
      expect(Buffer.from(await response.arrayBuffer())).toEqual(file(`video/${name}`))
    }
  })

  const { length } = file('notes.txt')
  test.each([
    ['bytes=0-3', 206, 0, 4],
    ['bytes=4-', 206, 4, length],
    ['bytes=0-', 206, 0, length],
    ['bytes=-5', 206, length - 5, length],
    ['bytes=-99999', 206, 0, length],
    ['bytes=3-99999', 206, 3, length],
    ['bytes=5-3', 200, 0, length],
    ['bytes=0-1,3-4', 200, 0, length],
    ['bytes=-', 200, 0, length],
    ['lines=1-2', 200, 0, length],
    ['bytes=99999-', 416, 0, 0],
    ['bytes=-0', 416, 0, 0],
  ])('Range: %s is answered with %i', async (range, status, start, end) => {
    const response = await fetch(link('notes.txt'), { headers: { range } })
    expect(response.status).toBe(status)
    const expected = { 200: null, 206: `bytes ${start}-${end - 1}/${length}`, 416: `bytes */${length}` }[status]
    expect(response.headers.get('content-range')).toBe(expected)
    if (status !== 416) expect(Buffer.from(await response.arrayBuffer())).toEqual(file('notes.txt').subarray(start, end))
  })
  test('If-Range asks for the whole file', async () => {
    expect((await fetch(link('notes.txt'), { headers: { range: 'bytes=0-3', 'if-range': '"x"' } })).status).toBe(200)
  })

  // The folder's link does not lead out of the folder, however the way out is spelled. Sent raw, because fetch resolves dots itself.
  test.each([
    '../notes.txt',
    '%2e%2e/notes.txt',
    '..%2fnotes.txt',
    '..%5cnotes.txt',
    '../../index.html',
    '../../../../package.json',
    '....//x',
    '%00',
    '',
    '.',
  ])('the path %j opens nothing', async (path) => {
    const { pathname, port } = new URL(link('index.m3u8'))
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET ${pathname.replace('index.m3u8', path)} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
    let answer = ''
    for await (const chunk of socket) answer += chunk
    expect(answer).toMatch(/^HTTP\/1\.1 40[034] /)
  })
  test.each(['/files/notes.txt', '/files/', '/files/../files/notes.txt'])('%s without a link is answered with 403', async (path) => {
    expect((await fetch(origin + path)).status).toBe(403)
  })
  test.each(['/favicon.ico', '/files', '/index.html', '/toString', '/dist/index.js', '/dist/cli/bin.js'])(
    '%s is answered with 404',
    async (path) => {
      expect((await fetch(origin + path)).status).toBe(404)
    },
  )
})

describe('the process', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it with 0, also with connections open', async (name) => {
    const own = run('0')
    const port = Number(/:(\d+)/.exec(await printed(own))?.[1])
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    await once(socket, 'connect')
    own.kill(name)
    expect(await once(own, 'exit')).toEqual([0, null])
  })
  test('a port that is taken is named, with the way to another one', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const own = run(`${port}`)
    let stderr = ''
    own.stderr.on('data', (chunk) => (stderr += chunk))
    expect(await once(own, 'close')).toEqual([1, null])
    expect(stderr).toBe(`securelink demo: port ${port} is taken; PORT=8080 npm start takes another one, PORT=0 a free one\n`)
    server.close()
  })
})

describe('main', () => {
  const call = async (argv: string[], env: Record<string, string> = {}) => {
    const out = { stdout: '', stderr: '' }
    const write = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (out[name] += text) })
    const code = await main(argv, {
      stdin: process.stdin,
      stdout: write('stdout'),
      stderr: write('stderr'),
      env,
      signal: AbortSignal.abort(),
    })
    return { code, ...out }
  }
  test.each([
    [['toString'], {}, `securelink: unknown verb 'toString'; securelink --help lists the verbs\n`],
    [['demo', 'x'], {}, 'securelink demo: demo takes no arguments\n'],
    [['demo'], { PORT: 'x' }, 'securelink demo: PORT must be a number from 0 to 65535\n'],
    [['demo'], { PORT: '65536' }, 'securelink demo: PORT must be a number from 0 to 65535\n'],
  ])('%j with %j is misuse: 2', async (argv, env, sentence) => {
    expect(await call(argv, env)).toEqual({ code: 2, stdout: '', stderr: sentence })
  })
})
