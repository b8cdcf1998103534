// Requests per second of NGINX with one worker, each serving the same small file: as it is, behind the stock MD5 module, behind our check, and behind
// an auth_request to an njs handler that does nothing. Takes turns, because a machine is never quiet; needs `wrk`.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { hmac, sign } from '../../dist/index.js'
import { find, leftOut } from '../prepare.mjs'
import { fencesOf, start } from '../schemes/nginx.mjs'

const wrk = (args) => spawnSync('wrk', args, { encoding: 'utf8' })
const missing = [
  ...['nginx', 'njs'].filter((part) => !find(part)).map(leftOut),
  ...(wrk(['--version']).error ? ['left out: wrk (apt-get install wrk)'] : []),
]
if (missing.length > 0) {
  console.log(missing.join('\n'))
  process.exit()
}

const rounds = Number(process.argv[2] ?? 5)
const keys = [{ id: '2026-11', secret: 'the secret of November, with 32 or more' }]
const path = '/files/reports/2026/annual-report.pdf'
const expires = new Date(1_900_000_000_000)
const md5 = createHash('md5').update(`1900000000${path}127.0.0.1 secret`).digest('base64url')
const nothing = 'export default { check: (r) => r.return(204) }'
const ours = fencesOf('hmac inside NGINX').whole[0]
const files = {
  [`srv/www${path}`]: 'a small file',
  'etc/securelink.js': readFileSync('dist/njs/securelink.js', 'utf8'),
  'etc/securelink-keys.json': JSON.stringify(keys),
}
const runs = [
  ['nothing at all', ours.replace(/ *auth_request.*\n/, ''), path],
  ['stock MD5 module', fencesOf('The stock module').whole[0], `${path}?md5=${md5}&expires=1900000000`],
  ['an njs handler that does nothing', ours, path, { 'etc/securelink.js': nothing }],
  ['our check, plain link', ours, await sign(hmac(keys), path, { expires })],
  ['our check, with address', ours, await sign(hmac(keys), path, { expires, ip: '127.0.0.1' })],
  ['our check, all of verify', ours, await sign(hmac(keys), path, { expires, prefix: '/files/' })],
]

const servers = await Promise.all(
  runs.map(async ([name, config, link, other]) => {
    // Logs would be measured, too, and only some of these have one.
    const quiet = config.replace(/^ *(access_log|log_format).*\n/gm, '').replace('events {}', 'worker_processes 1;\nevents {}')
    const server = await start(quiet, { http: 'access_log off; keepalive_requests 100000000;', files: { ...files, ...other } })
    const { status } = await server.visit(link)
    if (status !== 200) throw new Error(`${name} answers ${status}: ${server.log()}`)
    return { name, url: `http://127.0.0.1:${server.port}${link}`, server, rates: [], costs: [] }
  }),
)

// The processor time of the worker, in nanoseconds: it says more than the rate when others want the machine, too.
function spent({ server }) {
  const master = readFileSync(`${server.folder}/pid`, 'utf8').trim()
  const [worker] = execFileSync('ps', ['--ppid', master, '-o', 'pid='], { encoding: 'utf8' }).trim().split(/\s+/)
  return Number(readFileSync(`/proc/${worker}/schedstat`, 'utf8').split(' ')[0])
}

try {
  for (let round = 0; round < rounds; round++)
    for (const one of servers) {
      const before = spent(one)
      const { stdout } = wrk(['-t1', '-c16', '-d2', one.url])
      const [, requests, rate] = /(\d+) requests in[\s\S]*Requests\/sec:\s*([\d.]+)/.exec(stdout) ?? []
      if (!rate || /Non-2xx|errors/.test(stdout)) throw new Error(`${one.name}: ${stdout}`)
      one.rates.push(Number(rate))
      one.costs.push((spent(one) - before) / 1000 / Number(requests))
    }
} finally {
  await Promise.all(servers.map(({ server }) => server.stop()))
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
const base = servers.find(({ name }) => name.includes('does nothing'))
console.log(`${rounds} rounds of 2 s, medians; load ${loadavg()[0].toFixed(1)}`)
for (const { name, rates, costs } of servers) {
  const share = `${((100 * median(rates)) / median(base.rates)).toFixed(0)} %`
  const cheap = `${((100 * median(base.costs)) / median(costs)).toFixed(0)} %`
  console.log(
    `${name.padEnd(34)}${median(rates).toFixed(0).padStart(8)}/s ${share.padStart(6)}  ${median(costs).toFixed(1).padStart(6)} µs ${cheap.padStart(6)}`,
  )
}
