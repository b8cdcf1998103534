// symfony under attack: the work for a long query.
import { expect, test, vi } from 'vitest'
import { phpQuery } from '../../src/schemes/shared/php-query.ts'

// Each `[]` is one more than the last number. Looking at all numbers before it takes quadratic time.
test('of a query with many `a[]`, each name is looked at once', () => {
  const keys = vi.spyOn(Map.prototype, 'keys')
  const { values } = phpQuery(`?${'a[]&'.repeat(4000)}`)
  expect(keys).not.toHaveBeenCalled()
  keys.mockRestore()
  expect((values.get('a') as Map<string, string>).size).toBe(4000)
})

test('`[]` counts on from the highest number', () => {
  const { values } = phpQuery('?a[7]=x&a[]=y&a[3]=z&a[b]=1&a[]=2&c[]=3')
  expect([...(values.get('a') as Map<string, string>)].join(' ')).toBe('7,x 8,y 3,z b,1 9,2')
  expect([...(values.get('c') as Map<string, string>)].join(' ')).toBe('0,3')
})
