// Runs the conformance suite on every engine, then lets every engine verify the links that all of them signed. Needs build/conformance.js.
//
// That bundle exports run(log) → number of failures, writing TAP; and, when there is an exchange, mint() → a JSON value and
// accept(minted: all these values, log) → number of failures. build/minted.js is written here: it distinguishes the rounds.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { find, leftOut } from '../prepare.mjs'
import { inBrowser } from './browser.mjs'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const bundle = path('../../build/conformance.js')
const minted = path('../../build/minted.js')
const processWithin = 120_000

// Slowest first, so that the quick ones fill the gaps. Deno is given no permission and may fetch nothing.
const engines = {
  firefox: page('firefox'),
  webkit: page('webkit'),
  chromium: page('chromium'),
  node: local(() => process.execPath, path('local.mjs')),
  'node-24': local(() => find('node-24'), path('local.mjs')),
  deno: local(() => find('deno'), 'run', '--no-prompt', '--no-remote', '--no-npm', path('local.mjs')),
  bun: local(() => find('bun'), '--no-install', path('local.mjs')),
  workerd: local(() => find('workerd'), 'test', path('workerd.capnp')),
}

function local(program, ...args) {
  return { program, round: () => inProcess(program(), args) }
}

function page(name) {
  return {
    program: () => find(name),
    async round() {
      const html = `<script type="module">
        import('/test/runtimes/round.js').then(({ round }) => round(log)).then((failed) => (failed ? bail('some cases failed') : done()), bail)
      </script>`
      const files = {
        '/test/runtimes/round.js': await readFile(path('round.js')),
        '/build/conformance.js': await readFile(bundle),
        '/build/minted.js': await readFile(minted),
      }
      const { lines, again } = await inBrowser(name, { html, files })
      return { lines, note: again ? 'started twice' : '' }
    },
  }
}

function inProcess(program, args) {
  return new Promise((resolve) => {
    let output = ''
    let complaints = ''
    const env = { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' }
    delete env.FORCE_COLOR
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: processWithin, killSignal: 'SIGKILL' })
    child.stdout.setEncoding('utf8').on('data', (data) => (output += data))
    child.stderr.setEncoding('utf8').on('data', (data) => (complaints += data))
    child.on('error', (error) => (complaints += error.message))
    child.on('close', (code, signal) => {
      const lines = output.split('\n')
      if (code !== 0) lines.push(`Bail out! ended with ${code ?? signal}\n${complaints.slice(-2000)}`.trimEnd())
      resolve({ lines })
    })
  })
}

// Reads the numbers of a round, and describes what is wrong with it. Only complete TAP counts: as many cases as planned, and at least one.
function read({ lines, note = '' }) {
  const ok = lines.filter((line) => line.startsWith('ok ')).length
  const failures = lines.flatMap((line, at) => (line.startsWith('not ok ') ? [[line, ...details(lines, at + 1)].join('\n')] : []))
  const plan = Number(lines.find((line) => line.startsWith('1..'))?.slice(3))
  const cases = ok + failures.length
  const wrong = lines.filter((line) => line.startsWith('Bail out!'))
  // A process that ends with 1 after a failing case has said all there is to say.
  if (failures.length > 0 && cases === plan) wrong.length = 0
  else if (wrong.length === 0 && ok === 0) wrong.push('no case was ok')
  else if (wrong.length === 0 && cases !== plan) wrong.push(`${cases} cases ran, ${plan} were planned`)
  if (wrong.length > 0 && cases > 0) wrong.push(`the last case was: ${lines.findLast((line) => /^(not )?ok /.test(line))}`)
  const own = lines.find((line) => line.startsWith('# minted '))
  return { ok, cases, failures, wrong, note, minted: own && wrong.length === 0 ? JSON.parse(own.slice('# minted '.length)) : undefined }
}

// The indented lines below a `not ok`.
function details(lines, from) {
  const end = lines.findIndex((line, at) => at >= from && !line.startsWith(' '))
  return lines.slice(from, end < 0 ? undefined : end)
}

async function everywhere(names, values) {
  await writeFile(minted, `export default ${JSON.stringify(values)}\n`)
  const waiting = [...names]
  const results = {}
  const worker = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      const start = performance.now()
      const result = read(await engines[name].round())
      results[name] = { ...result, seconds: (performance.now() - start) / 1000 }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker))

  // An engine that ran fewer cases than others has left some out without saying so.
  const most = Math.max(...names.map((name) => results[name].cases))
  for (const { wrong, cases } of Object.values(results)) {
    if (cases < most && wrong.length === 0) wrong.push(`${cases} cases ran, ${most} elsewhere`)
  }
  return results
}

function table(title, names, results) {
  console.log(`\n${title}`)
  for (const name of names) {
    const { ok, failures, wrong, note, seconds } = results[name]
    const verdict = failures.length + wrong.length > 0 ? 'FAIL' : 'pass'
    const numbers = `${String(ok).padStart(6)} ok ${String(failures.length).padStart(4)} not ok ${seconds.toFixed(1).padStart(6)} s`
    console.log(`${verdict}  ${name.padEnd(10)}${numbers}  ${note}`.trimEnd())
  }
  for (const name of names) {
    const { failures, wrong } = results[name]
    const shown = [...wrong, ...failures.slice(0, 20)]
    if (failures.length > 20) shown.push(`and ${failures.length - 20} more`)
    if (shown.length > 0) console.log(`\n${name}:\n${shown.join('\n')}`)
  }
}

// Browsers are killed on exit, which a signal alone does not cause.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

if (!existsSync(bundle)) {
  console.error('build/conformance.js is missing; npx rollup -c makes it')
  process.exit(1)
}

const names = Object.keys(engines).filter((name) => engines[name].program())
const absent = Object.keys(engines).filter((name) => !names.includes(name))

const suite = await everywhere(names, null)
const able = names.filter((name) => suite[name].minted !== undefined)
if (able.length > 0) {
  for (const { wrong, minted } of Object.values(suite)) if (minted === undefined && wrong.length === 0) wrong.push('minted nothing')
}
table(`suite (node is ${process.version})`, names, suite)
const rounds = [suite]

if (able.length > 0) {
  const exchange = await everywhere(
    able,
    able.map((name) => suite[name].minted),
  )
  table('exchange: every engine judges what all engines minted', able, exchange)
  rounds.push(exchange)
}

const results = rounds.flatMap((round) => Object.values(round))
const passed = results.reduce((sum, { ok }) => sum + ok, 0)
const failed = results.reduce((sum, { failures, wrong }) => sum + failures.length + Math.min(wrong.length, 1), 0)
console.log()
for (const name of absent) console.log(leftOut(name))
console.log(`${passed} passed, ${failed} failed`)
if (failed > 0 || (absent.length > 0 && process.env.CI === 'true')) process.exitCode = 1
