import { expect, test, vi } from 'vitest'
import { within } from '../../src/lib/within.ts'

test('the value or the error of a promise that settles in time, and no timer is left', async () => {
  vi.useFakeTimers()
  expect(await within(Promise.resolve(7), 10, 'late')).toBe(7)
  await expect(within(Promise.reject(new Error('broken')), 10, 'late')).rejects.toThrow('broken')
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

test('an error with a code when it takes longer', async () => {
  await expect(within(new Promise(() => undefined), 10, 'it is late')).rejects.toMatchObject({ message: 'it is late', code: 'ETIMEDOUT' })
})
