// Node, Deno and Bun: one comparison, printed as JSON.
import { run } from './run.mjs'

const [name, rounds] = process.argv.slice(2)
console.log(JSON.stringify(await run(name, { rounds: rounds && Number(rounds) })))
process.exit()
