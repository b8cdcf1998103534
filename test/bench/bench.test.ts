// Tests for the parts of the benchmarks whose errors would go unnoticed.
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { root } from '../built.ts'
import { COMPARISONS } from './comparisons.mjs'
import { quantiles } from './quantiles.mjs'
import { compare } from './rounds.mjs'
import { withoutWebCrypto } from './stub.mjs'
import { roll } from './workers.mjs'

test('each worker starts its next call when its last one has ended', async () => {
  const waiting: (() => void)[] = []
  const started: number[] = []
  const rolled = roll((i: number) => new Promise<void>((end) => started.push(i) && waiting.push(end)), 5, 2)
  expect(started).toEqual([0, 1])
  waiting[1]?.()
  await Promise.resolve()
  expect(started).toEqual([0, 1, 2])
  for (let i = 0; i < 5; i++) {
    for (const end of waiting) end()
    await Promise.resolve()
  }
  await rolled
  expect(started).toEqual([0, 1, 2, 3, 4])
})

test('the median, its confidence interval, and the 10th and the 90th percentile', () => {
  const numbers = Array.from({ length: 41 }, (_, i) => 40 - i)
  // The ranks 15 and 27 of 41, counted from 1, are those of the usual tables for 95%.
  expect(quantiles(numbers)).toEqual({ median: 20, p10: 4, p90: 36, low: 14, high: 26 })
  expect(quantiles([1])).toEqual({ median: 1, p10: 1, p90: 1, low: 1, high: 1 })
})

test('WebCrypto is there again after the JavaScript share, also after an error', async () => {
  const { sign } = crypto.subtle
  await expect(
    withoutWebCrypto({} as CryptoKey, () => {
      expect(crypto.subtle.sign).not.toBe(sign)
      throw new Error('failed')
    }),
  ).rejects.toThrow('failed')
  expect(crypto.subtle.sign).toBe(sign)
  expect(Object.keys(crypto.subtle)).toEqual([])
})

test('ours runs beside each peer, as many times as there are rounds', async () => {
  const calls: string[] = []
  const named = (name: string) => ({ name, call: () => new Promise<void>((end) => calls.push(name) && setTimeout(end, 4)) })
  const { wall } = await compare(named('ours'), [named('a'), named('b')], { workers: 1, rounds: 3 })
  expect(wall.peers.map(({ name }: { name: string }) => name)).toEqual(['a', 'b'])
  // Behind the first calls, which find out how many calls a run has: three rounds of two pairs of runs.
  const runs = calls.slice(-3 * 2 * 2 * 4).filter((_, i) => i % 4 === 0)
  expect(runs.filter((name) => name === 'ours')).toHaveLength(6)
  for (let i = 0; i < runs.length; i += 2) expect(runs.slice(i, i + 2)).toContain('ours')
})

test('every comparison can be run by its name', () => {
  const files = readdirSync(`${root}/test/bench/comparisons`).map((file) => file.replace('.mjs', ''))
  // These two are for several comparisons.
  expect(Object.keys(COMPARISONS).sort()).toEqual(files.filter((name) => !['bucket', 'links'].includes(name)).sort())
})
