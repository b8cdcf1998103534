// Signs and verifies a million links in a loop; the heap must be where it was.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { hmac, sign, verify } from '../../dist/index.js'

// What has not been collected yet is no leak.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const heap = () => {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}
for (let i = 0; i < 20_000; i++) await verify(links, await sign(links, `/warm/${i}`, { expires: '1h' }))
const before = heap()
for (let i = 0; i < 1_000_000; i += 64)
  await Promise.all(Array.from({ length: 64 }, (_, k) => sign(links, `/file/${i + k}`, { expires: '1h' })))
const after = heap()
console.log(`heap before ${before.toFixed(1)} MB, after a million links ${after.toFixed(1)} MB`)
if (after > before + 2) process.exitCode = 1
