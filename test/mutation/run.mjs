// Mutation testing: makes one small change in src at a time, and runs the fast tests. A change that no test notices has survived.
//
//   node test/mutation/run.mjs --area=core --count=150 --seed=1
//   node test/mutation/run.mjs --area=hmac --again=build/mutation/hmac.json   the survivors of a run once more
//   node test/mutation/run.mjs --area=http --servers                            with the tests that start a server in this process
//   node test/mutation/run.mjs --area=explain --without='accusations|vendors'   without some slow tests
//
// Library and tests are bundled once, and a mutant is the bundle with one change in its text, so that most take a fraction of a second. Tests that need
// a server, a browser or a vendor's package are left out. The results are in build/mutation/<area>.json.
import { fork } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AREAS } from './areas.mjs'
import { bundled, expand, regionOf, root, SLOW, vectorTests } from './bundle.mjs'
import { mutantsOf } from './mutants.mjs'

const string = { type: 'string' }
const flag = { type: 'boolean' }
const { values } = parseArgs({
  options: {
    area: string,
    count: string,
    seed: string,
    again: string,
    workers: string,
    file: string,
    hasty: flag,
    servers: flag,
    without: string,
  },
})
const area = AREAS[values.area]
if (!area) throw new Error(`--area must be one of ${Object.keys(AREAS).join(', ')}`)
const seed = Number(values.seed ?? 1)
const count = Number(values.count ?? 150)
const workers = Number(values.workers ?? 2)

const isSlow = (file) =>
  (values.without && new RegExp(values.without).test(file)) ||
  (SLOW.test(file) && !(values.servers && /\.server\./.test(file)) && !(area.dom && /\.dom\./.test(file)))
const tests = expand('test', area.tests, '.test.ts').filter(
  (file) => !isSlow(file) && !expand('test', area.quick ?? [], '.test.ts').includes(file),
)
const sources = expand('src', area.files, '.ts').filter((file) => !values.file || file.includes(values.file))

/** Numbers from a seed (mulberry32). */
function random(from) {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function sample(all, size) {
  const next = random(seed)
  const shuffled = [...all]
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    ;[shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]]
  }
  return shuffled.slice(0, size)
}

const first = JSON.stringify(area.first)
const isFirst = `(scheme) => ${first}.includes(scheme)`
const isOther = `(scheme) => !${first}.includes(scheme) && ${area.schemes === 'all' || `${JSON.stringify(area.schemes)}.includes(scheme)`}`
const needed = area.schemes === 'all' ? undefined : [...area.first, ...area.schemes]

const late = (file) => /property|memory|covers|schemes|requests|\.server\./.test(file)
// Slow tests of one module, and the modules for which they run.
const ONLY_FOR = [
  { tests: /core\/memory/, sources: /core\/memory/ },
  { tests: /lib\/address/, sources: /lib\/address/ },
  { tests: /lib\/canonical/, sources: /lib\/(canonical|url)|schemes/ },
  { tests: /lib\/request-target/, sources: /lib\/(request-target|url|longest|normalise)/ },
  { tests: /lib\/within/, sources: /lib\/(within|url)/ },
  { tests: /property/, sources: /lib\/(canonical|url|encoding|normalise)|hmac/ },
  { tests: /covers/, sources: /schemes/ },
  { tests: /http\/|media\//, sources: /lib|http|media|core\/(verify|verdict|errors|claims)/ },
  { tests: /other vectors/, sources: /lib|core\/(verify|crypto|grant|sign|scheme|any-of)|schemes/ },
]

// With `all`, a scheme has its own vectors and tests, which run only for its own file and for what schemes share.
const names = area.schemes === 'all' ? expand('src', ['schemes/*'], '.ts').map((file) => /([^/]+)\.ts$/.exec(file)[1]) : []
const schemeIn = (file, folder) => names.find((name) => new RegExp(`^${folder}schemes/${name}\\.`).test(file))
const isOfOther = (name, file) => {
  const own = schemeIn(file, 'src/')
  const other = name.startsWith('vectors of ') ? name.slice('vectors of '.length) : schemeIn(name, 'test/')
  return own !== undefined && other !== undefined && own !== other
}

const quick = expand('test', area.quick ?? [], '.test.ts')
const PARTS = [
  ...quick.map((file) => ({ name: file, contents: `import '${root}${file}'` })),
  { name: 'vectors', contents: vectorTests(isFirst) },
  ...names.map((name) => ({ name: `vectors of ${name}`, contents: vectorTests(`(scheme) => scheme === ${JSON.stringify(name)}`) })),
  ...tests.filter((file) => !late(file)).map((file) => ({ name: file, contents: `import '${root}${file}'` })),
  ...(names.length > 0 ? [] : [{ name: 'other vectors', contents: vectorTests(isOther) }]),
  ...tests.filter(late).map((file) => ({ name: file, contents: `import '${root}${file}'` })),
]

const folder = `${root}build/mutation/`
mkdirSync(folder, { recursive: true })
const bundle = await bundled(PARTS, { needed, fewer: true })

/** The mutants of a source file, in its part of the bundle: without types, and with the places of the bundle. */
function mutantsIn(file) {
  const region = regionOf(bundle, file)
  if (!region) return []
  const text = bundle.slice(region.start, region.end)
  return mutantsOf(file, text).map((mutant) => ({
    ...mutant,
    id: `${file} ${mutant.start} ${mutant.text}`,
    before: text.slice(mutant.start, mutant.end),
    context: text.split('\n')[mutant.line - 1].trim(),
    start: mutant.start + region.start,
    end: mutant.end + region.start,
  }))
}

const all = sources.flatMap(mutantsIn)
const again = values.again && new Set(JSON.parse(readFileSync(values.again, 'utf8')).survivors.map(({ id }) => id))
const chosen = again ? all.filter(({ id }) => again.has(id)) : sample(all, count)

/** A process that runs bundles, one after another. It is replaced after a mutant that hangs or breaks it, and every so often. */
function runner(number) {
  let child
  let runs = 0
  function stop() {
    child?.kill('SIGKILL')
    child = undefined
  }
  return {
    stop,
    async run(mutant, limit) {
      if (!child || runs >= 40) {
        stop()
        child = fork(`${root}test/mutation/child.mjs`, area.dom ? ['dom'] : [], { cwd: root, stdio: 'ignore' })
        runs = 0
      }
      const text = mutant ? bundle.slice(0, mutant.start) + mutant.text + bundle.slice(mutant.end) : bundle
      const path = `${folder}${values.area}-${number}-${runs++}.mjs`
      writeFileSync(path, text)
      const skip = PARTS.map(({ name }) => name).filter((name) => !(mutant ? matters(name, mutant.file) : inBaseline(name)))
      // A test that is named after the mutant's file is the likeliest to fail.
      const base = mutant && /([^/]+)\.ts$/.exec(mutant.file)[1]
      const first = PARTS.map(({ name }) => name).filter((name) => name.includes(`/${base}.`))
      const result = await new Promise((resolve) => {
        const finish = (answer) => {
          clearTimeout(timer)
          child.removeAllListeners()
          resolve(answer)
        }
        const timer = setTimeout(() => finish({ failed: 'timeout' }), limit)
        child.once('message', finish)
        child.once('exit', () => finish({ failed: 'it ended early' }))
        child.send({ path, skip, first })
      })
      rmSync(path, { force: true })
      if (['timeout', 'it ended early'].includes(result.failed)) stop()
      return result
    },
  }
}

const matters = (name, file) => !isOfOther(name, file) && (ONLY_FOR.find(({ tests }) => tests.test(name))?.sources ?? /./).test(file)

// With --hasty only the first tests are tried without a mutant, for a machine that others use as well.
const inBaseline = (name) => !values.hasty || name === 'vectors' || quick.includes(name)

const pool = Array.from({ length: workers }, (_, i) => runner(i))
const began = performance.now()
const baseline = await pool[0].run(undefined, 600_000)
const took = performance.now() - began
if (baseline.failed) throw new Error(`the tests fail without a mutant: ${JSON.stringify(baseline)}`)
console.log(
  `${values.area}: ${all.length} possible mutants in ${sources.length} files; ${baseline.tests} tests in ${(took / 1000).toFixed(1)} s`,
)
console.log(JSON.stringify(baseline.times))

const results = []
const queue = [...chosen]
await Promise.all(
  pool.map(async (one) => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const { failed, message } = await one.run(mutant, values.hasty ? 90_000 : took * 2 + 10_000)
      results.push({ ...mutant, survived: !failed, by: failed, message })
      if (!failed)
        console.log(`survived ${mutant.file} ${mutant.kind}: ${short(mutant.before)} -> ${short(mutant.text)}   | ${short(mutant.context)}`)
      if (results.length % 50 === 0) console.log(`… ${results.length} of ${chosen.length}`)
      write()
    }
  }),
)

function short(text) {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 130 ? `${line.slice(0, 130)}…` : line
}

function write() {
  const survivors = results.filter(({ survived }) => survived)
  const summary = {
    area: values.area,
    seed,
    possible: all.length,
    mutants: results.length,
    killed: results.length - survivors.length,
    survivors,
    results,
  }
  writeFileSync(`${folder}${values.area}.json`, JSON.stringify(summary, null, 1))
}

const survived = results.filter((result) => result.survived).length
const by = (word) => results.filter(({ by }) => by === word).length
console.log(
  `${values.area}: ${results.length} mutants, ${results.length - survived} killed (${by('timeout')} by timeout, ${by('it ended early')} ended the process, ${by('import')} at import), ${survived} survived: ${((100 * (results.length - survived)) / results.length).toFixed(1)} %`,
)
for (const one of pool) one.stop()
process.exit()
