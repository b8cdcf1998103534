// The canonical request of Signature Version 4. The rules are those of Amazon's page on signing:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#canonical-request
import { describe, expect, test } from 'vitest'
import {
  canonicalHeaders,
  canonicalParameters,
  canonicalPath,
  canonicalQuery,
  print,
} from '../../../src/schemes/shared/canonical-request.ts'

describe('a query', () => {
  const ordered = (query: string) => canonicalQuery(canonicalParameters(query) ?? [])

  test.each([
    ['', ''],
    ['?', ''],
    ['?&&', ''],
    ['?&a=1&&b=2&', 'a=1&b=2'],
    ['?a', 'a='],
    ['?a=b=c', 'a=b%3Dc'],
    ['?a+b=c+d', 'a%20b=c%20d'],
    ['?a%2Bb=c%2Bd', 'a%2Bb=c%2Bd'],
    ['?a=%7e%2f', 'a=~%2F'],
    ['?b=1&a=2', 'a=2&b=1'],
    ['?B=1&a=2', 'B=1&a=2'],
    ['?a=2&a=1', 'a=1&a=2'],
    ['?a=1&a=2', 'a=1&a=2'],
    ['?a=1&a=1', 'a=1&a=1'],
    ['?c=1&a=3&b=9&a=1&a=2&a=', 'a=&a=1&a=2&a=3&b=9&c=1'],
    ['?a=10&a=9&a=1', 'a=1&a=10&a=9'],
  ])('%s is signed as %s', (query, signed) => expect(ordered(query)).toBe(signed))

  test.each(['?%', '?a=%', '?%zz=1', '?a=%C3', '?a=1&b=%E0%A4'])('%s cannot be signed', (query) =>
    expect(canonicalParameters(query)).toBe(undefined),
  )

  test('keeps its order in the link', () => expect(print(canonicalParameters('?b=1&a=2') ?? [])).toBe('b=1&a=2'))
})

test.each([
  ['/a/b', '/a/b'],
  ['/a b/ü', '/a%20b/%C3%BC'],
  ['/a%2Fb', '/a/b'],
  ['/a+b', '/a%2Bb'],
  ["/a!'()*", '/a%21%27%28%29%2A'],
  ['/a//b/', '/a//b/'],
  ['/...', '/...'],
  ['/.a/..b', '/.a/..b'],
  ['/a/../b', undefined],
  ['/a/.', undefined],
  ['/a%2F..%2Fb', undefined],
  ['/%2e%2e', undefined],
  ['/%', undefined],
  ['a', undefined],
  ['', undefined],
])('the path %s is signed as %s', (path, signed) => expect(canonicalPath(path)).toBe(signed))

test('headers have a line each, without outer spaces and with single ones inside', () => {
  const sent: Record<string, string> = { host: 'a.example', 'x-amz-meta-a': ' one \t two ', 'x-amz-meta-b': '' }
  const lines = (...names: string[]) => canonicalHeaders(names, (name) => sent[name])
  expect(lines()).toBe('')
  expect(lines('host', 'x-amz-meta-a', 'x-amz-meta-b')).toBe('host:a.example\nx-amz-meta-a:one two\nx-amz-meta-b:\n')
  expect(lines('host', 'x-amz-meta-c')).toBe(undefined)
})
