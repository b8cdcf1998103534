// Makes dist/ when it is missing or older than its source: once, even if several test files ask at the same time.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The top of the project. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const last = join(root, 'dist/securelink.all.umd.js') // what the build writes last into dist
const lock = join(root, 'build/.building')
const time = (path: string) => (existsSync(path) ? statSync(path).mtimeMs : 0)

function fresh(): boolean {
  const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((name) => join(root, 'src', name))
  const settings = ['rollup.config.mjs', 'tsconfig.json'].map((name) => join(root, name))
  return [...source, ...settings].every((path) => time(path) <= time(last))
}

export async function built(): Promise<void> {
  mkdirSync(join(root, 'build'), { recursive: true })
  // A lock that is ten minutes old was left by a process that crashed.
  for (; existsSync(lock) && Date.now() - time(lock) < 600_000; ) await wait(200)
  if (fresh()) return
  rmSync(lock, { recursive: true, force: true })
  try {
    mkdirSync(lock)
  } catch {
    return built() // another process was faster
  }
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['node_modules/rollup/dist/bin/rollup', '-c'], {
      cwd: root,
      encoding: 'utf8',
    })
    // The bundle of the conformance suite comes after dist, and is not asked for here.
    if (status !== 0 && !fresh()) throw new Error(`rollup -c ended with ${status}\n${stdout}\n${stderr}`)
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}
