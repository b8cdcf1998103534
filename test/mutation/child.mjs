// Runs the bundles that run.mjs sends, one after another. A mutant that breaks the process is noticed by run.mjs.
import { reset, run } from './vitest.mjs'

if (process.argv[2] === 'dom') {
  const { builtinEnvironments } = await import('vitest/runtime')
  await builtinEnvironments['happy-dom'].setup(globalThis, {})
}

process.on('disconnect', () => process.exit())
process.on('message', async ({ path, skip, first }) => {
  reset()
  let report
  try {
    await import(path)
    report = await run(skip, { first })
  } catch (error) {
    report = { failed: 'import', message: String(error?.message ?? error).slice(0, 300) }
  }
  process.send(report)
})
