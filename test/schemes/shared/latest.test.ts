import { expect, test } from 'vitest'
import { withLatest } from '../../../src/schemes/shared/latest.ts'

test('the latest answer is remembered, and only that one', () => {
  const asked: string[] = []
  const upper = withLatest((text: string) => {
    asked.push(text)
    return text.toUpperCase()
  })
  expect(['a', 'a', 'b', 'b', 'a'].map(upper)).toEqual(['A', 'A', 'B', 'B', 'A'])
  expect(asked).toEqual(['a', 'b', 'a'])
})

test('undefined is an argument and an answer like any other', () => {
  let calls = 0
  const nothing = withLatest((_: string | undefined) => {
    calls++
  })
  nothing(undefined)
  nothing(undefined)
  expect(calls).toBe(1)
})

test('an error is not remembered as an answer', () => {
  const odd = withLatest((number: number) => {
    if (number % 2 === 0) throw new Error('even')
    return number
  })
  expect(odd(1)).toBe(1)
  expect(() => odd(2)).toThrow('even')
  expect(() => odd(2)).toThrow('even')
  expect(odd(1)).toBe(1)
})
