// Runs the steps of `npm test`: every step below, in order, even after one that failed. Then it prints a table, with the sum on the last line.
//
// A step is a name and a command. It says how much it tested with a line `12 passed, 0 failed` on stdout, or with `count`; a step that
// fails without numbers counts as one failure. Each different line `left out: …` on stdout counts as skipped, and fails the step when CI=true.
// `--only=name` runs one step.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const vitestNumbers = 'build/vitest.json'

const steps = [
  { name: 'build', command: 'npm run --silent build', wrong: /\(!\)|warning/i },
  { name: 'check', command: 'npm run --silent check' },
  { name: 'prepare', command: 'node test/prepare.mjs' },
  {
    name: 'vitest',
    command: `npx vitest run --config test/vitest.config.ts --reporter=default --reporter=json --outputFile.json=${vitestNumbers}`,
    count: countVitest,
  },
  { name: 'engines', command: 'node test/runtimes/all.mjs' },
  { name: 'docs', command: 'npm run --silent docs' },
]

function countVitest() {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(vitestNumbers, 'utf8'))
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests }
}

function countLine(output) {
  const [, passed, failed] = output.match(/^(\d+) passed, (\d+) failed$/m) ?? []
  return { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: 0 }
}

function countOf({ count = countLine }, output) {
  try {
    return count(output)
  } catch {
    return { passed: 0, failed: 0, skipped: 0 } // it ended before it wrote its numbers
  }
}

// Shows the output while it comes, and keeps it.
function watch(command) {
  return new Promise((resolve) => {
    const env = { ...process.env, [process.stdout.isTTY ? 'FORCE_COLOR' : 'NO_COLOR']: '1' }
    const child = spawn(command, { cwd: root, env, shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text
        process[name].write(text)
      })
    }
    child.on('close', (code, signal) => resolve({ ...output, code: code ?? signal }))
  })
}

async function run(step) {
  console.log(`\n── ${step.name}: ${step.command}`)
  const start = performance.now()
  const { stdout, stderr, code } = await watch(step.command)
  const { passed, failed, skipped } = countOf(step, stdout)
  const leftOut = stdout.match(/^left out: .+$/gm) ?? []
  const why = []
  if (code !== 0) why.push(`ended with ${code}`)
  if (step.wrong?.test(stderr)) why.push('printed a warning')
  if (leftOut.length > 0 && process.env.CI === 'true') why.push('left something out')
  const seconds = (performance.now() - start) / 1000
  return { name: step.name, passed, failed: why.length > 0 ? Math.max(failed, 1) : failed, skipped, leftOut, why, seconds }
}

const only = process.argv.find((word) => word.startsWith('--only='))?.slice('--only='.length)
const chosen = steps.filter(({ name }) => !only || name === only)
if (chosen.length === 0) {
  console.error(`--only is one of ${steps.map(({ name }) => name).join(', ')}; ${only} is none of them`)
  process.exit(1)
}

process.chdir(root)
mkdirSync('build', { recursive: true })
rmSync(vitestNumbers, { force: true })

const results = []
for (const step of chosen) results.push(await run(step))

console.log()
for (const { name, passed, failed, seconds, why } of results) {
  const numbers = passed + failed > 0 ? `${String(passed).padStart(6)} passed ${String(failed).padStart(4)} failed` : ''
  console.log(
    `${failed > 0 ? 'FAIL' : 'pass'}  ${name.padEnd(10)}${seconds.toFixed(1).padStart(6)} s ${numbers}  ${why.join(', ')}`.trimEnd(),
  )
}
// A part that several steps miss is one part.
const leftOut = new Set(results.flatMap((result) => result.leftOut))
if (leftOut.size > 0) console.log(`\n${[...leftOut].join('\n')}`)

const sum = (key) => results.reduce((total, result) => total + result[key], 0)
const failed = sum('failed')
console.log(`\nTotal: ${sum('passed')} passed, ${failed} failed, ${sum('skipped') + leftOut.size} skipped`)
process.exitCode = failed > 0 ? 1 : 0
