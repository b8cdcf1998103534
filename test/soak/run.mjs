// Load for a long time: does memory grow, is anything answered wrongly? Not a part of npm test.
//
//   node test/soak/run.mjs --seconds=600                  the service, then the NGINX check
//   node test/soak/run.mjs --seconds=600 --only=service
//
// Each request has an answer that it must get, refusals among them. Prints memory before and after, wrong answers, and latencies.
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { rollup } from 'rollup'
import { njs } from '../../src/njs/es5.mjs'
import { find } from '../prepare.mjs'
import { fencesOf, start } from '../schemes/nginx.mjs'
import { load } from './load.mjs'

const string = { type: 'string' }
const { values } = parseArgs({ options: { seconds: string, connections: string, only: string } })
const seconds = Number(values.seconds ?? 600)
const connections = Number(values.connections ?? 8)
const root = fileURLToPath(new URL('../..', import.meta.url))
process.chdir(root)

const secret = 'the secret of November, with 32 or more'
const token = 'a-token-of-32-characters-or-more-Zk3vQ8'
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`

mkdirSync('build', { recursive: true })
const library = `${root}build/soak.mjs`
await build({
  stdin: {
    contents: ['index', 'service', 'node', 'stores/memory'].map((name) => `export * from './src/${name}.ts'`).join('\n'),
    resolveDir: root,
  },
  outfile: library,
  bundle: true,
  format: 'esm',
  platform: 'node',
  logLevel: 'error',
})
const { hmac, sign } = await import(pathToFileURL(library))
const keys = { id: '2026-11', secret }
const scheme = hmac(keys)

const nothing = () => undefined

function print(title, result, memory) {
  console.log(`\n${title}: ${result.requests} requests in ${result.seconds} s, ${result.perSecond}/s, ${connections} connections`)
  console.log(`latency: p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms, p99.9 ${result.p999.toFixed(1)} ms`)
  console.log(`requests by kind: ${JSON.stringify(result.kinds)}`)
  console.log(`wrong answers: ${JSON.stringify(result.wrong)}`)
  for (const line of memory) console.log(line)
  if (Object.keys(result.wrong).length > 0 || result.requests === 0) process.exitCode = 1
}

async function soakService() {
  const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), [library, secret, token], { execArgv: ['--expose-gc'] })
  const [{ port }] = await once(child, 'message')
  const memory = async () => {
    child.send('memory')
    const [answer] = await once(child, 'message')
    return answer
  }
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const post = (kind, path, content, check, more = {}) => ({
    kind,
    method: 'POST',
    path,
    headers: { ...headers, ...more },
    body: typeof content === 'string' ? content : JSON.stringify(content),
    check,
  })
  const status = (wanted) => (answer) => (answer.status === wanted ? undefined : `status ${answer.status}`)
  const says = (pattern) => (answer) => status(200)(answer) ?? (pattern.test(answer.text) ? undefined : 'another answer')
  const files = (i) => `https://cdn.example/reports/${i}/annual-report.pdf?page=${i % 7}`
  let i = 0
  const KINDS = [
    () => post('sign', '/sign', { url: files(i), expires: '10m' }, says(/"link":"https:/)),
    async () => post('verify', '/verify', { link: await sign(scheme, files(i), { expires: '10m' }) }, says(/"ok":true/)),
    async () =>
      post('verify a changed link', '/verify', { link: `${await sign(scheme, files(i), { expires: '10m' })}&x=1` }, says(/bad_signature/)),
    async () => post('redeem', '/redeem', { link: await sign(scheme, files(i), { expires: '1m', uses: 1 }) }, says(/"ok":true/)),
    () =>
      post(
        'a batch of 20',
        '/sign',
        { links: Array.from({ length: 20 }, (_, n) => ({ url: files(i * 20 + n), expires: '10m' })) },
        says(/"link":"https:/),
      ),
    () => post('not JSON', '/sign', '{"url":', status(400)),
    () => post('a wrong token', '/sign', { url: files(i), expires: '10m' }, status(401), { authorization: 'Bearer wrong' }),
    () => post('a URL that is not allowed', '/sign', { url: 'https://other.example/', expires: '10m' }, status(403)),
  ]
  const next = () => KINDS[i++ % KINDS.length]()

  // Warm first: code that is compiled and connections that are open are no growth.
  await load({ port, connections, seconds: Math.min(20, seconds / 5), next, sample: nothing })
  const before = await memory()
  const heaps = []
  const result = await load({ port, connections, seconds, next, sample: async () => heaps.push((await memory()).heapUsed) })
  const after = await memory()
  child.disconnect()
  print('service', result, [
    `heap after garbage collection: ${megabytes(before.heapUsed)} before, ${megabytes(after.heapUsed)} after; in between ${heaps.map((heap) => (heap / 2 ** 20).toFixed(1)).join(' ')}`,
    `resident: ${megabytes(before.rss)} before, ${megabytes(after.rss)} after; errors reported: ${after.reports}`,
  ])
}

async function soakNginx() {
  if (!find('nginx') || !find('njs')) return console.log('left out: nginx with njs')
  const bundle = await rollup({ input: 'src/njs.ts', plugins: [njs] })
  const { output } = await bundle.generate({ format: 'es' })
  const path = '/files/reports/2026/annual-report.pdf'
  const config = fencesOf('hmac inside NGINX')
    .whole[0].replace(/^ *(access_log|log_format).*\n/gm, '')
    .replace('events {}', 'worker_processes 1;\nevents {}')
  const server = await start(config, {
    http: 'access_log off; keepalive_requests 100000000;',
    files: { [`srv/www${path}`]: 'a small file', 'etc/securelink.js': output[0].code, 'etc/securelink-keys.json': JSON.stringify([keys]) },
  })
  const master = readFileSync(`${server.folder}/pid`, 'utf8').trim()
  const resident = () => {
    const [worker] = execFileSync('ps', ['--ppid', master, '-o', 'pid='], { encoding: 'utf8' }).trim().split(/\s+/)
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker}/status`, 'utf8'))[1]) * 1024
  }
  const status = (wanted) => (answer) => (answer.status === wanted ? undefined : `status ${answer.status}`)
  let i = 0
  const short = await sign(scheme, path, { expires: '1s' })
  await wait(2100)
  const KINDS = [
    async () => ({ kind: 'valid', path: await sign(scheme, `${path}?n=${i}`, { expires: '10m' }), check: status(200) }),
    async () => ({ kind: 'valid, with address', path: await sign(scheme, path, { expires: '10m', ip: '127.0.0.1' }), check: status(200) }),
    async () => ({
      kind: 'valid, below a prefix',
      path: await sign(scheme, path, { expires: '10m', prefix: '/files/' }),
      check: status(200),
    }),
    async () => ({ kind: 'another address', path: await sign(scheme, path, { expires: '10m', ip: '203.0.113.7' }), check: status(403) }),
    async () => ({ kind: 'changed', path: `${await sign(scheme, path, { expires: '10m' })}&x=${i}`, check: status(403) }),
    () => ({ kind: 'expired', path: short, check: status(410) }),
    () => ({ kind: 'unsigned', path, check: status(403) }),
  ]
  const next = () => KINDS[i++ % KINDS.length]()
  try {
    await load({ port: server.port, connections, seconds: Math.min(20, seconds / 5), next, sample: nothing })
    const before = resident()
    const between = []
    const result = await load({ port: server.port, connections, seconds, next, sample: () => between.push(resident()) })
    const errors = server
      .log()
      .trim()
      .split('\n')
      .filter((line) => line && !/\[(warn|notice)\]/.test(line))
    print('nginx', result, [
      `resident: ${megabytes(before)} before, ${megabytes(resident())} after; in between ${between.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' ')}`,
      `lines in the error log: ${errors.length}${errors[0] ? `, the first: ${errors[0].slice(0, 200)}` : ''}`,
    ])
  } finally {
    await server.stop()
  }
}

if (values.only !== 'nginx') await soakService()
if (values.only !== 'service') await soakNginx()
process.exit()
