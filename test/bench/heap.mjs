// The heap of Node before and after a million different links are signed, verified and remembered. The memory is full before it begins.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { hmac, linkMemory, sign, verify } from '../../dist/index.js'
import { secret } from './urls.mjs'
import { roll } from './workers.mjs'

const count = Number(process.argv[2])
const MAX = 10_000

// Memory that has not been collected yet is not a leak.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
function heap() {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

const links = hmac({ secret })
const memory = linkMemory({ max: MAX })
const remember = (from) => async (i) => {
  const { ok } = await verify(links, await sign(links, `/file/${from + i}`, { expires: '1h' }), { memory })
  if (!ok) throw new Error('a link does not verify')
}

await roll(remember(0), 2 * MAX, 64)
const before = heap()
await roll(remember(2 * MAX), count, 64)
console.log(JSON.stringify({ links: count, max: MAX, remembered: memory.size, before, after: heap() }))
