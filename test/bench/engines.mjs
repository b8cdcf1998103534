// The engines that comparisons run in, and how a file of this folder is run in each.
import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { find, leftOut } from '../prepare.mjs'
import { inBrowser } from '../runtimes/browser.mjs'

const started = promisify(execFile)
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

const programs = [
  { part: 'node', program: process.execPath, args: ['--no-warnings'] },
  { part: 'node-24', program: find('node-24'), args: ['--no-warnings'] },
  { part: 'deno', program: find('deno'), args: ['run', '--no-prompt', '--allow-read', '--allow-env', '--allow-sys'] },
  { part: 'bun', program: find('bun'), args: [] },
]

/** The engines that are here. `isNode` tells which of them run servers with `node:http`. */
export async function engines() {
  const local = await Promise.all(programs.filter(({ program }) => program).map(localEngine))
  const browser = find('chromium') ? [await chromium()] : []
  return [...local, ...browser]
}

/** A line for each engine that is not here. */
export const enginesLeftOut = () => ['node-24', 'deno', 'bun', 'chromium'].filter((part) => !find(part)).map(leftOut)

async function localEngine({ part, program, args }) {
  const node = part.startsWith('node')
  const { stdout } = await started(program, ['--version'])
  const version = /\d+(\.\d+)+/.exec(stdout)[0]
  const run = async (file, ...values) => {
    const options = { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 2 ** 26 }
    const { stdout } = await started(program, [...args, path(file), ...values], options)
    return JSON.parse(stdout)
  }
  const name = node ? `Node ${version.split('.')[0]}` : `${part[0].toUpperCase()}${part.slice(1)}`
  return { name, version, node, run, compare: (name, rounds) => run('local.mjs', name, `${rounds}`) }
}

async function chromium() {
  const { stdout } = await started(find('chromium'), ['--version'])
  const bundle = await bundled('run.mjs')
  async function compare(name, rounds) {
    const html = `<script type="module">
      import('/${basename(bundle.path)}').then(({ run }) => run('${name}', { rounds: ${rounds} }))
        .then((result) => { log(JSON.stringify(result)); done() }, bail)
    </script>`
    const { lines } = await inBrowser('chromium', { html, files: { [`/${basename(bundle.path)}`]: bundle.contents } })
    if (lines.at(-1).startsWith('Bail out!')) throw new Error(lines.at(-1))
    return JSON.parse(lines.at(-1))
  }
  return { name: 'Chromium', version: /[\d.]+/.exec(stdout)[0], node: false, compare }
}

/** A file of this folder as one module for browsers. */
async function bundled(file) {
  const { outputFiles } = await build({
    entryPoints: [path(file)],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
    external: ['signed'],
    write: false,
    outfile: 'run.js',
    logLevel: 'error',
  })
  return { path: 'run.js', contents: outputFiles[0].text }
}
