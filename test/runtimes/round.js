// One round, the same in every engine: the suite, or the check of what all engines minted before. Resolves to the number of failures.
import * as suite from '../../build/conformance.js'
import minted from '../../build/minted.js'

export async function round(log) {
  if (minted) return suite.accept(minted, log)
  const failed = await suite.run(log)
  if (suite.mint) log(`# minted ${JSON.stringify(await suite.mint())}`)
  return failed
}
