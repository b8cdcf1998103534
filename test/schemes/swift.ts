// Starts OpenStack Swift with its S3 interface: a storage that verifies presigned URLs. It uses free ports and a temporary folder.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { freePort } from '../prepare.mjs'

export interface Swift {
  /** `http://127.0.0.1:12345` */
  readonly origin: string
  stop(): Promise<void>
}

/** The account and user of tempauth, and their key. */
export const CREDENTIALS: { readonly id: string; readonly secret: string } = { id: 'test:tester', secret: 'testing-secret' }

const BACKENDS = ['account', 'container', 'object'] as const

/** Starts the four servers, and memcached for tempauth. Resolves once the proxy answers. */
export async function startSwift(proxy: string): Promise<Swift> {
  const folder = mkdtempSync(join(tmpdir(), 'securelink-swift-'))
  const children: ChildProcess[] = []
  let log = ''
  const start = (program: string, args: string[]) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += `${basename(program)}: ${text}`))
    children.push(child)
  }
  const stop = async () => {
    const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    for (const child of running) child.kill('SIGKILL')
    await Promise.all(running.map((child) => once(child, 'exit')))
    rmSync(folder, { recursive: true, force: true })
  }

  try {
    mkdirSync(join(folder, 'devices/one'), { recursive: true })
    const common = (port: number) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${folder}
devices = ${folder}/devices
mount_check = false
disable_fallocate = true
`
    const builder = proxy.replace('swift-proxy-server', 'swift-ring-builder')
    for (const name of BACKENDS) {
      const port = await freePort()
      const ring = join(folder, `${name}.builder`)
      for (const words of [['create', '1', '1', '1'], ['add', `r1z1-127.0.0.1:${port}/one`, '1'], ['rebalance']])
        execFileSync(builder, [ring, ...words], { stdio: 'pipe' })
      const config = join(folder, `${name}.conf`)
      writeFileSync(config, `${common(port)}[pipeline:main]\npipeline = ${name}-server\n[app:${name}-server]\nuse = egg:swift#${name}\n`)
      start(proxy.replace('proxy', name), [config])
    }
    const [port, cache] = [await freePort(), await freePort()]
    start('memcached', ['-l', '127.0.0.1', '-p', `${cache}`, '-U', '0', '-u', userInfo().username])
    writeFileSync(
      join(folder, 'proxy.conf'),
      `${common(port)}[pipeline:main]
pipeline = catch_errors cache s3api tempauth copy slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cache}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_${CREDENTIALS.id.replace(':', '_')} = ${CREDENTIALS.secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
`,
    )
    start(proxy, [join(folder, 'proxy.conf')])
    const origin = `http://127.0.0.1:${port}`
    for (let i = 0; ; i++) {
      const response = await fetch(`${origin}/info`).catch(() => undefined)
      await response?.arrayBuffer()
      if (response) return { origin, stop }
      if (i > 150 || children.some(({ exitCode }) => exitCode !== null)) throw new Error(`Swift did not start:\n${log.slice(-4000)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Is there a configuration with a hash suffix? Swift's servers refuse to start without one. Debian's package has one. */
export const configured = (): boolean =>
  existsSync('/etc/swift/swift.conf') && /swift_hash_path_suffix/.test(readFileSync('/etc/swift/swift.conf', 'utf8'))
