// recognise: how long a link takes, over the links of test/recognise/recognise.json, scheme by scheme. It measures the built file, in processor time, so that
// the figures on a busy machine are nearly the same.
import { readFileSync } from 'node:fs'
import { recognise } from '../../dist/recognise.js'

const cases = JSON.parse(readFileSync(new URL('../recognise/recognise.json', import.meta.url), 'utf8'))
const urls = new Map()
for (const one of cases) urls.set(one.scheme ?? 'none', [...(urls.get(one.scheme ?? 'none') ?? []), one])

function measure(list, rounds) {
  const start = process.cpuUsage()
  for (let i = 0; i < rounds; i++) for (const { url } of list) recognise(url)
  return process.cpuUsage(start).user / rounds / list.length
}

measure(cases, 200)
const best = (list, rounds) => Math.min(...Array.from({ length: 5 }, () => measure(list, rounds)))
console.log(`${cases.length} links: ${best(cases, 100).toFixed(2)} µs each`)
for (const [scheme, list] of [...urls].sort(([a], [b]) => (a < b ? -1 : 1)))
  console.log(
    `  ${scheme.padEnd(18)} ${best(list, Math.ceil(20_000 / list.length))
      .toFixed(2)
      .padStart(6)} µs`,
  )
