// Runs the fuzzer for as long as you like: node test/fuzz/run.mjs --inputs 1000000 --seed 7
//
// A scheme without a profile of its own in profiles.ts is run with the keys, URLs and conditions of its vectors.
// --only=nginx takes schemes whose label has that, --world=12 runs one world again, --examples=2 prints so many findings of each kind, and
// --statistics shows what was accepted and what sign refused.
import { mkdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { schemesOfFolder } from '../conformance/folder.mjs'

const string = { type: 'string' }
const { values } = parseArgs({
  options: { inputs: string, seed: string, only: string, world: string, examples: string, statistics: { type: 'boolean' } },
})
const root = fileURLToPath(new URL('../..', import.meta.url))
const outfile = `${root}build/fuzz.mjs`
mkdirSync(`${root}build`, { recursive: true })
// The same module as in vitest.
const virtualSchemes = {
  name: schemesOfFolder.name,
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^virtual:schemes$/ }, ({ path }) => ({ path: schemesOfFolder.resolveId(path), namespace: 'schemes' }))
    onLoad({ filter: /.*/, namespace: 'schemes' }, ({ path }) => ({ contents: schemesOfFolder.load(path), resolveDir: root }))
  },
}
await build({
  plugins: [virtualSchemes],
  entryPoints: [`${root}test/fuzz/fuzz.ts`],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  logLevel: 'error',
})

const { fuzz } = await import(pathToFileURL(outfile))
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const inputs = Number(values.inputs ?? 100_000)
console.log(`seed ${seed}`)
const start = performance.now()
const report = await fuzz({
  seed,
  inputs,
  only: values.only,
  examples: Number(values.examples ?? 1),
  ...(values.world !== undefined && { world: Number(values.world) }),
})
for (const finding of report.findings) console.log(JSON.stringify(finding, null, 1))
for (const [kind, count] of [...report.kinds].sort()) console.log(`${String(count).padStart(8)}  ${kind}`)
if (values.statistics) {
  for (const [label, counts] of [...report.byProfile].sort()) console.log(`${counts.accepted} of ${counts.inputs} accepted: ${label}`)
  for (const [refusal, count] of [...report.refusals].sort((a, b) => b[1] - a[1]).slice(0, 100))
    console.log(`${count} grants refused: ${refusal}`)
}
const { inputs: done, accepted, trusted, signed, refusedGrants, kinds } = report
const seconds = (performance.now() - start) / 1000
console.log(`${done} inputs in ${seconds.toFixed(1)} s: ${accepted} accepted, ${trusted} refused with a good signature`)
console.log(`${signed} links signed, ${refusedGrants} grants refused by sign; ${kinds.size} kinds of findings`)
process.exitCode = kinds.size ? 1 : 0
