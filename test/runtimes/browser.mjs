// Opens a page in a real browser, and collects the lines that it logs.
//
//   const { lines, again } = await inBrowser('firefox', {
//     html: '<script src="/lib.js"></script><script>log(`ok 1 - ${typeof SecureLink}`); done()</script>',
//     files: { '/lib.js': readFileSync('dist/securelink.umd.js') }
//   })
//
// The browser is chromium, firefox or webkit; find(name) of prepare.mjs says whether it is here. The page has log(line), done() and bail(error),
// comes from http://localhost, so crypto.subtle is there, and reaches the given files (URL path → text or bytes) and nothing else.
// After an error (a script that does not parse, an uncaught error, no done(), a browser that crashes) the last line is `Bail out! why`.
// `again` is true when the browser had to be started twice because it never asked for the page.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { find, leftOut } from '../prepare.mjs'

const loadWithin = 60_000
const doneWithin = 120_000

// The sandbox of Chromium does not start as root or in most containers, and the page is our own.
const chromium =
  '--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

// A fresh Firefox asks the network for updates, settings and portals before it looks at the page.
const firefoxPrefs = `
user_pref('app.normandy.enabled', false)
user_pref('app.update.enabled', false)
user_pref('browser.safebrowsing.downloads.remote.enabled', false)
user_pref('browser.shell.checkDefaultBrowser', false)
user_pref('browser.startup.homepage_override.mstone', 'ignore')
user_pref('datareporting.policy.dataSubmissionEnabled', false)
user_pref('extensions.update.enabled', false)
user_pref('network.captive-portal-service.enabled', false)
user_pref('network.connectivity-service.enabled', false)
user_pref('services.settings.server', 'data:,')
`

const commands = {
  chromium: (path, home, url) => [path, ...chromium.split(' '), `--user-data-dir=${home}`, url],
  firefox: (path, home, url) => [path, '--headless', '--no-remote', '--profile', home, url],
  webkit: (path, _home, url) => ['xvfb-run', '-a', path, '--private', url],
}

// fetch is kept aside because a test may replace it.
const preamble = `<!doctype html><meta charset="utf-8"><title>SecureLink</title><script>
{
  const lines = []
  const send = fetch.bind(globalThis)
  globalThis.log = (text) => { lines.push(...String(text).split('\\n')) }
  globalThis.done = () => send('/done', { method: 'POST', body: JSON.stringify(lines) })
  globalThis.bail = (error) => { log('Bail out! ' + error); done() }
  addEventListener('unhandledrejection', (event) => bail(event.reason))
  addEventListener('error', (event) => {
    if (event.message) bail(event.message)
    else if (event.target.localName === 'script') bail('cannot load ' + event.target.src)
  }, true)
  setTimeout(bail, ${doneWithin}, 'not done within ${doneWithin / 1000} s')
}
</script>
`

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.css': 'text/css' }

export async function inBrowser(name, { html, files = {} }) {
  const path = find(name)
  if (!path) throw new Error(leftOut(name))
  const pages = { '/': preamble + html, ...files }
  const first = await open(name, path, pages)
  if (first.loaded) return { lines: first.lines, again: false }
  const second = await open(name, path, pages)
  return { lines: second.lines, again: true }
}

async function open(name, path, pages) {
  let loaded = false
  let answer
  const answered = new Promise((resolve) => (answer = resolve))
  const bail = (why) => answer([`Bail out! ${name} ${why}`.trimEnd()])

  const server = createServer(async (request, response) => {
    loaded = true
    const pathname = request.url.split('?')[0]
    if (request.method === 'POST' && pathname === '/done') {
      const chunks = await request.toArray()
      response.end()
      answer(JSON.parse(Buffer.concat(chunks).toString()))
    } else if (Object.hasOwn(pages, pathname)) {
      response.setHeader('content-type', `${types[extname(pathname) || '.html'] ?? 'application/octet-stream'}; charset=utf-8`)
      response.end(pages[pathname])
    } else {
      response.writeHead(404).end()
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  // Everything that a browser writes goes into one folder, which is removed; proxies and display of this machine do not concern it.
  const home = await mkdtemp(join(tmpdir(), 'securelink-'))
  await writeFile(join(home, 'user.js'), firefoxPrefs)
  const [command, ...args] = commands[name](path, home, `http://localhost:${server.address().port}/`)
  const browser = spawn(command, args, {
    detached: true, // makes a process group, which can be stopped as one
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'], // the last one is only held: it ends when the whole group has ended
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, XDG_RUNTIME_DIR: home, NO_AT_BRIDGE: '1', LANG: 'C.UTF-8' },
  })
  const closed = new Promise((resolve) => browser.once('close', resolve))
  const killNow = () => kill(browser, 'SIGKILL')
  process.once('exit', killNow)

  let complaints = ''
  browser.stdio[3].resume()
  browser.stderr.on('data', (data) => (complaints = (complaints + data).slice(-2000)))
  browser.on('error', (error) => bail(`does not start: ${error.message}`))
  browser.on('exit', (code, signal) => bail(`ended with ${code ?? signal} before the page was done\n${complaints}`))
  const timers = [
    setTimeout(() => loaded || bail(`did not ask for the page within ${loadWithin / 1000} s\n${complaints}`), loadWithin),
    // Unless it is stuck in a loop, the page gives up after a time, and reports how far it came.
    setTimeout(() => bail(`was not done within ${doneWithin / 1000} s`), doneWithin + 5_000),
  ]

  const lines = await answered
  timers.map(clearTimeout)
  await stop(browser, closed)
  process.off('exit', killNow)
  server.close()
  server.closeAllConnections()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
  return { loaded, lines }
}

// Asks it to end first, because an X server that is killed leaves its lock behind.
async function stop(browser, closed) {
  kill(browser, 'SIGTERM')
  await Promise.race([closed, wait(3000, undefined, { ref: false })])
  kill(browser, 'SIGKILL')
  for (const stream of browser.stdio) stream?.destroy() // a stray child may still hold the other end
}

function kill({ pid }, signal) {
  try {
    if (pid) process.kill(-pid, signal)
  } catch {
    // All have ended.
  }
}
