// URLs taken apart and put together as text.
import { expect, test, vi } from 'vitest'
import {
  append,
  compare,
  decodeValue,
  encodeValue,
  endOf,
  firstOf,
  isDecodable,
  LONGEST,
  piecesOf,
  placeOf,
  plainOf,
  split,
  takeParameters,
} from '../../src/lib/url.ts'

const PLAIN = { plain: true }

test.each([
  ['https://cdn.example/a/b.pdf?x=1&y=', { origin: 'https://cdn.example', path: '/a/b.pdf', query: '?x=1&y=', fragment: '', ...PLAIN }],
  ['http://cdn.example:8080/a', { origin: 'http://cdn.example:8080', path: '/a', query: '', fragment: '', ...PLAIN }],
  ['/a;b?x=%20%40', { origin: '', path: '/a;b', query: '?x=%20%40', fragment: '', ...PLAIN }],
  ['https://cdn.example:443/a', { origin: 'https://cdn.example:443', path: '/a', query: '', fragment: '' }],
  ['http://cdn.example:80/a', { origin: 'http://cdn.example:80', path: '/a', query: '', fragment: '' }],
  ['https://CDN.example/a', { origin: 'https://CDN.example', path: '/a', query: '', fragment: '' }],
  ['https://cdn.example', { origin: 'https://cdn.example', path: '/', query: '', fragment: '' }],
  ['https://cdn.example?x=1', { origin: 'https://cdn.example', path: '/', query: '?x=1', fragment: '' }],
  ['https://cdn.example#x?y', { origin: 'https://cdn.example', path: '/', query: '', fragment: '#x?y' }],
  ['/a?x=1#y', { origin: '', path: '/a', query: '?x=1', fragment: '#y' }],
  ['/a?x=%7e', { origin: '', path: '/a', query: '?x=%7e', fragment: '' }],
  ['/a?x=%41', { origin: '', path: '/a', query: '?x=%41', fragment: '' }],
  ['/a?x', { origin: '', path: '/a', query: '?x', fragment: '' }],
  ['/a%20b', { origin: '', path: '/a%20b', query: '', fragment: '' }],
  ['/.a', { origin: '', path: '/.a', query: '', fragment: '' }],
  ['//host/a', { origin: '', path: '//host/a', query: '', fragment: '' }],
  ['/a?x=1\n', { origin: '', path: '/a', query: '?x=1\n', fragment: '' }],
  ['https://user@cdn.example/a', { origin: 'https://user', path: '@cdn.example/a', query: '', fragment: '' }],
  ['git+ssh://h.example/a', { origin: 'git+ssh://h.example', path: '/a', query: '', fragment: '' }],
  ['https://a.example\\b/c', { origin: 'https://a.example', path: '\\b/c', query: '', fragment: '' }],
  ['1http://a.example/b', { origin: '', path: '1http://a.example/b', query: '', fragment: '' }],
  ['not a URL', { origin: '', path: 'not a URL', query: '', fragment: '' }],
  ['', { origin: '', path: '', query: '', fragment: '' }],
])('split: %s', (url, parts) => expect(split(url)).toEqual(parts))

test('split does not read a URL that is too long', () => {
  const longest = `/${'a'.repeat(LONGEST - 1)}`
  expect(split(longest)).toMatchObject({ path: longest, plain: true })
  expect(split(`${longest}a`)).toMatchObject({ path: '' })
  expect(split(`${longest}a`).plain).toBeUndefined()
})

test('places and pieces', () => {
  expect([endOf('a=b=c', '='), endOf('a=b=c', '=', 2), endOf('abc', '=')]).toEqual([1, 3, 3])
  expect(piecesOf('?a&b=1&&c')).toEqual(['a', 'b=1', '', 'c'])
  expect(piecesOf('?')).toEqual([''])
  expect(piecesOf('?a&')).toEqual(['a', ''])
  expect(piecesOf('')).toEqual([])
  expect(placeOf('sig', ['exp', 'sig', 'signature'])).toBe(1)
  expect([placeOf('si', ['exp', 'sig']), placeOf('SIG', ['exp', 'sig'])]).toEqual([-1, -1])
})

test('firstOf finds a parameter by its name, escaped or not', () => {
  expect(firstOf(['a', 'b'], '?x=1&b=2&a=3')).toBe('b')
  expect(firstOf(['a', 'b'], '?x=1&%61=3')).toBe('a')
  expect(firstOf(['a', 'b'], '?x=a&ab=1&B')).toBeUndefined()
  expect(firstOf(['a'], '?a')).toBe('a')
  expect(firstOf(['a'], '?%zz=1&a=2')).toBe('a')
  expect(firstOf(['a'], '')).toBeUndefined()
})

test('values are escaped and unescaped', () => {
  expect(encodeValue("a b/ä!'()*~-._")).toBe('a%20b%2F%C3%A4%21%27%28%29%2A~-._')
  expect(decodeValue('a%20b%2F%C3%A4+')).toBe('a b/ä+')
  expect(['%', '%4', '%zz', '%FF', '%C3', '%ED%A0%80', '\ud800'].map(decodeValue)).toEqual(Array(7).fill(undefined))
  expect(['%41', '%7e', '%2d', '%2f', '%c3'].map(plainOf)).toEqual(['A', '~', '-', '%2F', '%C3'])
  expect(['', 'abc', '%20', '%E2%82%AC', '%F0%9F%98%80'].every(isDecodable)).toBe(true)
  expect(['%', '%2', '%gg', '%C0%80', '%E0%80%80', '%F4%90%80%80', '%80'].some(isDecodable)).toBe(false)
  expect([compare('a', 'b'), compare('b', 'a'), compare('a', 'a'), compare('B', 'a')]).toEqual([-1, 1, 0, -1])
})

test('append puts pairs at the end of the query, before the fragment', () => {
  expect(append('/a', 'x=1')).toBe('/a?x=1')
  expect(append('/a?b', 'x=1')).toBe('/a?b&x=1')
  expect(append('/a#b?c', 'x=1')).toBe('/a?x=1#b?c')
  expect(append('/a?b#c', 'x=1')).toBe('/a?b&x=1#c')
})

test('takeParameters takes what it is asked for, once, decoded, and leaves the rest as it is', () => {
  expect(takeParameters('?x=%7e&e=1%2B2&&y', ['e', 's'])).toEqual({ values: { e: '1+2' }, others: '?x=%7e&y', twice: undefined })
  expect(takeParameters('?e=1&s=2&s=3&e=4', ['e', 's'])).toEqual({ values: { e: '1', s: '2' }, others: '', twice: 's' })
  expect(takeParameters('?%65=1', ['e']).values).toEqual({ e: '1' })
  expect(takeParameters('?%45=1', ['e'])).toMatchObject({ values: {}, others: '?%45=1' })
  expect(takeParameters('?e=%zz', ['e']).values).toEqual({ e: '' })
  expect(takeParameters('?e', ['e']).values).toEqual({ e: '' })
  expect(takeParameters('?e=a+b', ['e']).values).toEqual({ e: 'a+b' })
  expect(takeParameters('?e=a+b+c', ['e'], { plusIsSpace: true }).values).toEqual({ e: 'a b c' })
  expect(takeParameters('', ['e'])).toEqual({ values: {}, others: '', twice: undefined })
})

test('takeParameters unescapes no name that is too short or too long to be one of its own', () => {
  const replace = vi.spyOn(String.prototype, 'replace')
  try {
    takeParameters(`?${'%61&%&%41%42&'.repeat(1000)}${`${'%61'.repeat(20)}&`.repeat(100)}`, ['Expires', 'Signature'])
    expect(replace).not.toHaveBeenCalled()
    expect(takeParameters('?%45xpire%73=1', ['Expires', 'Signature']).values).toEqual({ Expires: '1' })
    expect(takeParameters('?%45%78%70%69%72%65%73=1', ['Expires', 'Signature']).values).toEqual({ Expires: '1' })
  } finally {
    replace.mockRestore()
  }
})
