// Finds the outside parts that the tests use (browsers, servers, engines), installs those that are missing, and names those that stay missing.
//
//   find('firefox')                                        '/usr/bin/firefox-esr', or undefined
//   leftOut('firefox')                                     'left out: Firefox (apt-get install firefox-esr)'
//   await freePort()                                       a port of 127.0.0.1 that nothing listens on
//   await prepare({ need: ['firefox', 'nginx', 'njs'] })   the leftOut lines of what is missing even now; all parts when `need` is not given
//
// Run alone (`node test/prepare.mjs [part…]`) it prints these lines.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const runtimes = fileURLToPath(new URL('runtimes', import.meta.url))

// Servers live in sbin, which is not on every user's path.
const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
const program = (...names) => names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
const library = (file) =>
  readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, file))
    .find((path) => existsSync(path))

// Debian keeps the programs of each version of PostgreSQL in a folder of its own.
const postgres = (name) =>
  (existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [])
    .map((version) => join('/usr/lib/postgresql', version, 'bin', name))
    .find((path) => existsSync(path)) ?? program(name)

const readJson = (...path) => JSON.parse(readFileSync(join(runtimes, ...path), 'utf8'))

// An engine of another version than the pinned one counts as missing, so a changed pin is installed.
const engine = (name) => () => {
  const path = join(runtimes, 'node_modules/.bin', name)
  const installed = existsSync(path) && readJson('node_modules', name, 'package.json').version
  return installed === readJson('package.json').devDependencies[name] ? path : undefined
}

const parts = {
  chromium: { name: 'Chromium', debian: ['chromium'], find: () => program('chromium') },
  firefox: { name: 'Firefox', debian: ['firefox-esr'], find: () => program('firefox-esr', 'firefox') },
  webkit: {
    name: 'WebKit',
    debian: ['libwebkit2gtk-4.1-0', 'xvfb', 'xauth'],
    find: () => program('xvfb-run') && program('xauth') && library('webkit2gtk-4.1/MiniBrowser'),
  },
  python: { name: 'Python', debian: ['python3'], find: () => program('python3') },
  php: { name: 'PHP', debian: ['php-cli'], find: () => program('php') },
  nginx: { name: 'NGINX', debian: ['nginx'], find: () => program('nginx') },
  njs: { name: "NGINX's JavaScript", debian: ['libnginx-mod-http-js'], find: () => library('modules/ngx_http_js_module.so') },
  swift: {
    name: 'OpenStack Swift',
    debian: ['swift-proxy', 'swift-account', 'swift-container', 'swift-object', 'memcached'],
    find: () =>
      ['swift-account-server', 'swift-container-server', 'swift-object-server', 'memcached'].every((name) => program(name)) &&
      program('swift-proxy-server'),
  },
  redis: { name: 'Redis', debian: ['redis-server'], find: () => program('redis-server') },
  postgres: { name: 'PostgreSQL', debian: ['postgresql'], find: () => postgres('initdb') && postgres('postgres') },
  'node-24': { name: 'Node 24', find: engine('node') },
  deno: { name: 'Deno', find: engine('deno') },
  bun: { name: 'Bun', find: engine('bun') },
  workerd: { name: 'workerd', find: engine('workerd') },
}

export const find = (part) => parts[part].find()

export function leftOut(part) {
  const { name, debian } = parts[part]
  return `left out: ${name} (${debian ? `apt-get install ${debian.join(' ')}` : 'npm ci --prefix test/runtimes'})`
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

export async function prepare({ need = Object.keys(parts) } = {}) {
  const missing = need.filter((part) => !find(part))
  const debian = missing.flatMap((part) => parts[part].debian ?? [])
  const installs = []
  if (debian.length > 0) installs.push(installDebian(debian))
  if (missing.some((part) => !parts[part].debian)) installs.push(install('engines from npm', ['npm', 'ci'], { cwd: runtimes }))
  await Promise.all(installs)
  return need.filter((part) => !find(part)).map(leftOut)
}

// Debian starts a server as soon as it is installed, unless a policy-rc.d forbids it. The trap takes ours away again.
const debianScript = `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  trap 'exit 1' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
fi
dpkg --configure -a
timeout -k 10 120 apt-get -q -o DPkg::Lock::Timeout=60 update
timeout -k 10 900 apt-get -q -o DPkg::Lock::Timeout=60 install -y --no-install-recommends "$@"
`

async function installDebian(packages) {
  if (!program('apt-get')) return
  const root = process.getuid?.() === 0
  if (!root && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return
  await install(packages.join(' '), [...(root ? [] : ['sudo', '-n']), 'sh', '-c', debianScript, 'sh', ...packages])
}

// Silent when it works. Once more when it does not: it is mostly the network that failed.
async function install(what, command, options) {
  console.log(`installing: ${what}`)
  const { code, output } = await quietly(command, options)
  if (code === 0) return
  console.log(`once more, the first time failed with ${code}`)
  const second = await quietly(command, options)
  if (second.code !== 0) console.log(`${output}\n${second.output}\n${command[0]} failed with ${second.code}`)
}

function quietly([command, ...args], options) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: 20 * 60_000 })
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    child.on('error', (error) => resolve({ code: error.code, output: error.message }))
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }))
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const need = process.argv.slice(2)
  const lines = await prepare(need.length > 0 ? { need } : {})
  console.log(lines.join('\n') || 'nothing is missing')
  process.exitCode = lines.length > 0 && process.env.CI === 'true' ? 1 : 0
}
