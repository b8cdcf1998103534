// The normal form of RFC 3986, with the examples of its sections 5.2.4 and 5.4 and 6.2.2.
import { expect, test } from 'vitest'
import { below, normal, normalise, normalOrigin, normalPath, normalQuery } from '../../src/lib/normalise.ts'

test.each([
  ['/%7Efoo/%7e', '/~foo/~'],
  ['/%2f/%2F', '/%2F/%2F'],
  ['/a%c3%a4/ä', '/a%C3%A4/%C3%A4'],
  ['/100%/%zz', '/100%25/%25zz'],
  ["/it's", '/it%27s'],
  ['/😀', '/%F0%9F%98%80'],
  ['/\ud800x', '/%EF%BF%BDx'],
  ['/a|b^c', '/a%7Cb%5Ec'],
  ['/-._~!$&()*+,;=:@/?', '/-._~!$&()*+,;=:@/?'],
])('normal: %s', (text, expected) => expect(normal(text)).toBe(expected))

test.each([
  ['/a/b/c/./../../g', '/a/g'],
  ['/mid/content=5/../6', '/mid/6'],
  ['/b/c/g;x=1/../y', '/b/c/y'],
  ['/../../g', '/g'],
  ['/b/c/..', '/b/'],
  ['/b/c/.', '/b/c/'],
  ['/b/c/g.', '/b/c/g.'],
  ['/b/c/..g', '/b/c/..g'],
  ['/b/%2e%2E/c', '/c'],
  ['/a//./b', '/a//b'],
  ['/', '/'],
  ['/..', '/'],
])('normalPath: %s', (path, expected) => expect(normalPath(path)).toBe(expected))

test.each([
  ['', ''],
  ['?a=%7e', '?a=~'],
  ['?b=2&a=1', '?a=1&b=2'],
  ['?b=2&a=2&a=1', '?a=2&a=1&b=2'],
  ['?b&a=x=y', '?a=x=y&b'],
  ['?B=1&a=2', '?B=1&a=2'],
])('normalQuery: %s', (query, expected) => expect(normalQuery(query)).toBe(expected))

test.each([
  ['HTTPS://Cdn.Example:443', 'https://cdn.example'],
  ['http://cdn.example:80', 'http://cdn.example'],
  ['http://cdn.example:443', 'http://cdn.example:443'],
  ['https://cdn.example:80', 'https://cdn.example:80'],
  ['https://cdn.example:8443', 'https://cdn.example:8443'],
  // A letter that is not of A to Z stays: toLowerCase() would make another host of some.
  ['https://İ.example/A', 'https://İ.example/a'],
])('normalOrigin: %s', (origin, expected) => expect(normalOrigin(origin)).toBe(expected))

test('normalise brings every part into normal form, and drops the fragment', () => {
  const parts = { origin: 'HTTPS://A.example', path: '/x/../%7e', query: '?b&a', fragment: '#top' }
  expect(normalise(parts)).toEqual({ origin: 'https://a.example', path: '/~', query: '?a&b', fragment: '' })
})

test.each([
  ['/foo', '/foo', true],
  ['/foo/bar', '/foo', true],
  ['/foo/bar', '/foo/', true],
  ['/foobar', '/foo', false],
  ['/foo', '/foo/', false],
  ['/foo/../bar', '/foo/', false],
  ['/foo/..', '/foo/', false],
  ['/foo/..;/bar', '/foo/', false],
  ['/foo/..%2Fbar', '/foo/', false],
  ['/foo/a%5C..%5Cbar', '/foo/', false],
  ['/foo/..bar', '/foo/', true],
  ['/foo/a..', '/foo/', true],
])('below: %s in %s: %s', (path, prefix, expected) => expect(below(path, prefix)).toBe(expected))
