// Starts NGINX with the configuration of docs/guide/nginx.md, on a free port and in a folder of its own. The rest of the configuration is unchanged.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { find, freePort } from '../prepare.mjs'

const page = fileURLToPath(new URL('../../docs/guide/nginx.md', import.meta.url))

/** The nginx fences of a section of the page: whole configurations, and parts that belong into their `server`. */
export function fencesOf(heading) {
  const [, section = ''] = readFileSync(page, 'utf8').split(`\n## ${heading}\n`)
  const fences = [...section.split(/\n## /)[0].matchAll(/^```nginx\n(.*?)^```$/gms)].map(([, text]) => text)
  return { whole: fences.filter((text) => /^http \{/m.test(text)), parts: fences.filter((text) => !/^http \{/m.test(text)) }
}

/** Puts lines at the end of the configuration's only `server`. */
export const withLocations = (config, ...locations) => config.replace(/\n {2}\}\n\}\n$/, `\n${locations.join('\n')}\n  }\n}\n`)

const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

/**
 * Starts NGINX. `files` are written below the folder: `etc/` stands for /etc/nginx/, `srv/` for /srv/, and `log/` for /var/log/nginx/. `http` are
 * lines for the `http` block. `log()` returns the error log; `stop()` stops NGINX and removes the folder.
 */
export async function start(config, { files = {}, http = '', env = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'securelink-nginx-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const write = (name, text) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')
  const conf = config
    .replaceAll('/etc/nginx/', `${folder}/etc/`)
    .replaceAll('/srv/', `${folder}/srv/`)
    .replaceAll('/var/log/nginx/', `${folder}/log/`)
    .replace('load_module modules/ngx_http_js_module.so', `load_module ${find('njs')}`)
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace(/^http \{/m, `http {\n${temporary}\n${http}`)
  // Workers run as nobody unless they are told otherwise, and could not write here.
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  write('nginx.conf', `daemon off;\n${user}pid ${folder}/pid;\nerror_log ${folder}/log/error.log warn;\n${conf}`)
  write('log/error.log', '')
  for (const [name, text] of Object.entries(files)) write(name, text)
  const log = () => readFileSync(join(folder, 'log/error.log'), 'utf8')

  const child = spawn(find('nginx'), ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'log/error.log')], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  const stop = async () => {
    agent.destroy()
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  for (let i = 0; i < 100 && child.exitCode === null; i++) {
    if (await answers(port)) return { port, folder, log, stop, visit: (path, options) => visit(path, { agent, port, ...options }) }
    await wait(50)
  }
  const errors = log()
  await stop()
  throw new Error(`NGINX did not start: ${errors}`)
}

/** Sends a path as it is. It may have any byte, as UTF-8, that a request line can have. */
function visit(path, options) {
  return new Promise((resolve, reject) => {
    const wire = Buffer.from(path).toString('latin1')
    const sent = request({ host: '127.0.0.1', path: wire, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

// The characters that NGINX escapes in a decoded path before it forwards it: controls, spaces, `#`, `%`, `?`, others that no URL has, and bytes beyond
// ASCII.
const ESCAPED = /[\0- "#%<>?\\^`{|}\x7f-\xff]/g

/** The path that `proxy_pass http://app/f/` forwards below `location /f/`: decoded, slashes merged, escaped again. Throws where NGINX answers 400. */
export function nginxPath(path) {
  if (/%(?![\da-f]{2})|%00/i.test(path)) throw new Error('NGINX answers 400')
  const decoded = path.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  const merged = decoded.replace(/\/+/g, '/')
  if (/\/\.\.?(\/|$)/.test(merged)) throw new Error('NGINX resolves dot segments')
  return merged.replace(ESCAPED, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
