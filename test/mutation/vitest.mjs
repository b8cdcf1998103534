// Stands in for vitest in the bundle of a mutation run: collects the tests, runs them one after another, and stops at the first that fails.
// `expect` and `vi` are vitest's own.
globalThis.__vitest_worker__ ??= {
  config: { fakeTimers: { toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] } },
}
const vitest = await import('vitest')
export const { expect, vi } = vitest

const newSuite = (name, parent) => ({ name, parent, tests: [], beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] })
const files = []
let current

/** Forgets the tests of the last bundle. */
export function reset() {
  files.length = 0
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
}

/** Begins a test file. */
export function file(name) {
  current = newSuite(name)
  files.push(current)
}

function register(name, work, options) {
  current.tests.push({ name: String(name), work: typeof work === 'function' ? work : options })
}

const rowsOf = (rows) => (Array.isArray(rows) ? [...rows] : [])
// As vitest does it: rows are lists of arguments only if all of them are lists.
const argumentsOf = (row, rows) => (rows.every(Array.isArray) ? row : [row])

function variants(define) {
  const skip = Object.assign(() => undefined, { each: () => () => undefined, skipIf: () => skip, runIf: () => skip })
  define.each = (rows) => (name, work, options) => {
    for (const row of rowsOf(rows))
      define(`${name} ${String(argumentsOf(row, rowsOf(rows))[0]).slice(0, 60)}`, () =>
        call(work, options)(...argumentsOf(row, rowsOf(rows))),
      )
  }
  define.for = (rows) => (name, work, options) => {
    for (const row of rowsOf(rows)) define(name, (...rest) => call(work, options)(row, ...rest))
  }
  define.skip = skip
  define.todo = () => undefined
  define.skipIf = (condition) => (condition ? skip : define)
  define.runIf = (condition) => (condition ? define : skip)
  define.concurrent = define
  define.sequential = define
  return define
}
const call = (work, options) => (typeof work === 'function' ? work : options)

export const test = variants((name, work, options) => register(name, work, options))
test.fails = variants((name, work, options) =>
  register(name, async (...rest) => {
    const failed = await Promise.resolve()
      .then(() => call(work, options)(...rest))
      .then(
        () => false,
        () => true,
      )
    if (!failed) throw new Error('should have failed')
  }),
)
export const it = test
export const describe = variants((name, work, options) => {
  const outer = current
  current = newSuite(name, outer)
  outer.tests.push(current)
  call(work, options)()
  current = outer
})
const hook = (kind) => (work) => current[kind].push(work)
export const beforeAll = hook('beforeAll')
export const afterAll = hook('afterAll')
export const beforeEach = hook('beforeEach')
export const afterEach = hook('afterEach')

async function runSuite(suite, outer, report) {
  for (const work of suite.beforeAll) {
    const after = await work()
    if (typeof after === 'function') suite.afterAll.push(after)
  }
  try {
    const chain = [...outer, suite]
    for (const one of suite.tests) {
      if (one.tests) await runSuite(one, chain, report)
      else await runTest(one, chain, report)
    }
  } finally {
    for (const work of suite.afterAll) await work()
  }
}

async function runTest({ name, work }, chain, report) {
  report.count++
  report.name = [...chain.map((suite) => suite.name), name].join(' > ')
  const finish = []
  try {
    for (const suite of chain) for (const before of suite.beforeEach) await before()
    await work({
      expect,
      onTestFinished: (done) => finish.push(done),
      skip: () => undefined,
      signal: new AbortController().signal,
      task: { name },
    })
  } finally {
    for (const suite of [...chain].reverse()) for (const after of suite.afterEach) await after()
    for (const done of finish) await done()
  }
}

/**
 * Runs everything but the files of `skip`, those of `first` before the others; answers with the number of tests, and the first failure. With `all`, only
 * the file of a failure ends.
 */
export async function run(skip = [], { all = false, first = [] } = {}) {
  const report = { count: 0, name: '' }
  const times = {}
  const failures = []
  const isFirst = ({ name }) => first.includes(name)
  const ordered = [...files.filter(isFirst), ...files.filter((suite) => !isFirst(suite))]
  for (const suite of ordered.filter(({ name }) => !skip.includes(name))) {
    const start = performance.now()
    try {
      await runSuite(suite, [], report)
    } catch (error) {
      const failure = { failed: `${suite.name}: ${report.name}`, message: String(error?.message ?? error).slice(0, 300) }
      if (!all) return { tests: report.count, ...failure }
      failures.push(failure)
    }
    times[suite.name] = Math.round(performance.now() - start)
  }
  return { tests: report.count, times, failures }
}
