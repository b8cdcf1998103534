// Node, Deno and Bun: one round, and a failure of the process when a case fails.
import { round } from './round.js'

if (await round(console.log)) throw new Error('some cases failed')
