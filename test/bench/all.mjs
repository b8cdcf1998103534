// `npm run bench`: every benchmark on every engine that is here. Run it on a quiet machine; numbers are for people, and no test asserts on them.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { find } from '../prepare.mjs'

const engines = [
  ['Node of this system', process.execPath, []],
  ['Node 24', find('node-24'), []],
  ['Deno', find('deno'), ['run', '--no-prompt', '--allow-read']],
  ['Bun', find('bun'), []],
]
const wanted = process.argv[2]
for (const file of readdirSync('test/bench').filter(
  (name) => name.endsWith('.mjs') && !['all.mjs', 'paired.mjs', 'memory.mjs', 'nginx.mjs'].includes(name),
)) {
  if (wanted && !file.startsWith(wanted)) continue
  for (const [name, program, options] of engines) {
    console.log(`\n${file} on ${name}${program ? '' : ': left out, see npm test'}`)
    if (program) spawnSync(program, [...options, `test/bench/${file}`], { stdio: 'inherit' })
  }
}
console.log('\nmemory.mjs')
spawnSync(process.execPath, ['test/bench/memory.mjs'], { stdio: 'inherit' })
console.log('\nnginx.mjs')
spawnSync(process.execPath, ['test/bench/nginx.mjs'], { stdio: 'inherit' })
