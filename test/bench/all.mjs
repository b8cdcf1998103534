// `npm run bench`: measures in every engine that is here, and prints. With `--write` it also writes docs/benchmarks.md. No test asserts on times.
//
//   npm run bench -- --only=sign,verify   some of the parts
//   npm run bench -- --rounds=101         more rounds than 41
//   node test/bench/all.mjs --again       the page of the last results once more, without measuring
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { COMPARISONS } from './comparisons.mjs'
import { engines as enginesHere, enginesLeftOut } from './engines.mjs'
import { page } from './page.mjs'
import { sizes } from './sizes.mjs'
import { versions } from './versions.mjs'

const NODE_ONLY = ['heap', 'service']
const PRINTED = ['recognise', 'nginx']
const ALL = [...Object.keys(COMPARISONS), ...NODE_ONLY, 'sizes', ...PRINTED]

const RESULTS = 'build/bench.json'

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string', default: '41' },
  },
})
const only = values.only?.split(',') ?? ALL
if (only.some((part) => !ALL.includes(part))) throw new Error(`--only must be of ${ALL.join(', ')}`)
if (values.write && only !== ALL) throw new Error('--write must be without --only: the page has all parts')

const results = values.again ? JSON.parse(readFileSync(RESULTS, 'utf8')) : await measure(only, Number(values.rounds))
const text = page(results)
console.log(text)
console.log(enginesLeftOut().join('\n'))
if (values.write) writeFileSync('docs/benchmarks.md', text)
else if (!values.again)
  for (const part of PRINTED.filter((each) => only.includes(each)))
    spawnSync(process.execPath, [`test/bench/${part}.mjs`], { stdio: 'inherit' })

async function measure(parts, rounds) {
  const load = () => loadavg()[0].toFixed(1)
  const before = load()
  // First, because sizes need a build of all schemes, and an old build would end the run after all else was measured.
  const bytes = parts.includes('sizes') ? await sizes() : undefined
  const engines = []
  for (const engine of await enginesHere()) engines.push(await measureIn(engine, parts, rounds))
  const machine = {
    date: new Date().toISOString().slice(0, 10),
    cores: cpus().length,
    cpu: cpus()[0].model,
    load: { before, after: load() },
  }
  const results = { engines, sizes: bytes, versions: versions(), machine, rounds }
  mkdirSync('build', { recursive: true })
  writeFileSync(RESULTS, JSON.stringify(results))
  return results
}

async function measureIn(engine, parts, rounds) {
  const { name, version } = engine
  const result = { name, version, comparisons: {} }
  for (const part of parts) {
    if (!COMPARISONS[part] && !(engine.node && NODE_ONLY.includes(part))) continue
    console.error(`${part} in ${name}`)
    if (part === 'heap') result.heap = await engine.run('heap.mjs', '1000000')
    else if (part === 'service') result.service = await engine.run('service.mjs', `${rounds}`)
    else result.comparisons[part] = await engine.compare(part, rounds)
  }
  return result
}
