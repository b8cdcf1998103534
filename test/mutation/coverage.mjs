// Coverage of src by the fast tests, as V8 counts it, without a package: node test/mutation/coverage.mjs
//
// Lines are lines of the bundle, which has no types and no comments. Branches are the blocks that V8 counts: functions, and the parts of a function
// that run a different number of times. Tests that need a server, a browser or a vendor's package are left out.
//
// With --dom it measures src/client by its tests in happy-dom. --only=post,media measures these folders by their own tests, and with --servers also by
// those that start a server.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { bundled, expand, regionOf, root, SLOW, vectorTests } from './bundle.mjs'
import { run } from './vitest.mjs'

const { values } = parseArgs({ options: { dom: { type: 'boolean' }, servers: { type: 'boolean' }, only: { type: 'string' } } })
const FOLDERS = [
  ...['core', 'lib', 'http', 'http/node', 'media', 'post', 'schemes', 'schemes/shared', 'stores', 'recognise', 'recognise/rules'],
  ...['explain', 'explain/rules', 'explain/tables', 'service', 'client'],
]
const only = values.dom ? ['client'] : values.only?.split(',')
const folders = only ?? FOLDERS
const hasTests = (folder) => !/\/(rules|tables)$/.test(folder)
const testFiles = expand(
  'test',
  folders.filter(hasTests).map((folder) => `${folder}/*`),
  '.test.ts',
)
const isLeftOut = values.dom ? /\.browser\./ : values.servers ? /\.(browser|vendors|dom)\./ : SLOW
const isChosen = (file) => !isLeftOut.test(file)
const tests = testFiles.filter(isChosen)
const parts = [
  ...(only ? [] : [{ name: 'vectors', contents: vectorTests('() => true') }]),
  ...tests.map((file) => ({ name: file, contents: `import '${root}${file}'` })),
]
const text = await bundled(parts, { fewer: true })
mkdirSync(`${root}build/mutation`, { recursive: true })
const path = `${root}build/mutation/coverage-bundle.mjs`
writeFileSync(path, text)

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
if (values.dom) {
  const { builtinEnvironments } = await import('vitest/runtime')
  await builtinEnvironments['happy-dom'].setup(globalThis, {})
}
await import(path)
const report = await run([], { all: true })
const { result } = await session.post('Profiler.takePreciseCoverage')
const { functions } = result.find(({ url }) => url === pathToFileURL(path).href)
for (const { failed, message } of report.failures) console.log(`failed, so the numbers are too low: ${failed}: ${message}`)

// The innermost range of a place counts.
const ranges = functions.flatMap(({ ranges }) => ranges).sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
const missed = new Uint8Array(text.length)
for (const { startOffset, endOffset, count } of ranges) missed.fill(count === 0 ? 1 : 0, startOffset, endOffset)

function measure(file) {
  const region = regionOf(text, file)
  if (!region) return undefined
  const blocks = ranges.filter(({ startOffset, endOffset }) => startOffset >= region.start && endOffset <= region.end)
  const sum = { lines: 0, lineHits: 0, blocks: blocks.length, blockHits: blocks.filter(({ count }) => count > 0).length, missing: [] }
  let at = region.start
  for (const line of text.slice(region.start, region.end).split('\n')) {
    const first = at + line.search(/\S/)
    if (/[\w]/.test(line)) {
      sum.lines++
      if (missed[first]) sum.missing.push(line.trim())
      else sum.lineHits++
    }
    at += line.length + 1
  }
  const gaps = blocks
    .filter(({ count }) => count === 0)
    .map(({ startOffset, endOffset }) => text.slice(startOffset, endOffset).replace(/\s+/g, ' ').slice(0, 140))
  return { ...sum, gaps }
}

const total = { lines: 0, lineHits: 0, blocks: 0, blockHits: 0 }
const percent = (hits, all) => `${((100 * hits) / all).toFixed(1)} %`
const details = {}
console.log(`${report.tests} tests`)
for (const folder of folders) {
  const files = readdirSync(`${root}src/${folder}`)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${folder}/${name}`)
  const measured = files.map((file) => ({ file, ...measure(file) })).filter(({ lines }) => lines)
  const sum = (key) => measured.reduce((total, each) => total + each[key], 0)
  for (const { file, gaps } of measured) if (gaps.length > 0) details[file] = gaps
  for (const key of Object.keys(total)) total[key] += sum(key)
  const unloaded = files.length - measured.length
  console.log(
    `${folder.padEnd(16)} lines ${percent(sum('lineHits'), sum('lines')).padStart(8)}  blocks ${percent(sum('blockHits'), sum('blocks')).padStart(8)}  ${measured.length} files${unloaded ? `, ${unloaded} with types only or not loaded` : ''}`,
  )
}
console.log(`all: lines ${percent(total.lineHits, total.lines)}, blocks ${percent(total.blockHits, total.blocks)}`)
writeFileSync(`${root}build/mutation/coverage.json`, JSON.stringify(details, null, 1))
console.log('what did not run is in build/mutation/coverage.json')
process.exit()
