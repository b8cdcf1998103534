// climbs: paths that servers read in several ways.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { climbs } from '../../src/lib/climbs.ts'
import { hasDotSegment } from '../../src/lib/request-target.ts'

describe('climbs', () => {
  test.each([
    '/..',
    '/.',
    '/a/../b',
    '/a/./b',
    '/a/%2e%2E/b',
    '/a/..;/b',
    '/a/..;x=1',
    // Decoded late: the slash, the backslash, and what ends a path.
    '/a/..%2fb',
    '/a/x%2F..%2Fb',
    '/a%5C..%5cb',
    '/a/..\\b',
    '/a/..%3bx',
    '/a/..%3Fx',
    '/a/..%23x',
    // Decoded twice, or more often.
    '/a/%252e%252e/b',
    '/a/%25252e./b',
    '/a/%25%32%65%25%32%65/b',
    '/a/..%25%32%66b',
  ])('%s', (path) => expect(climbs(path)).toBe(true))

  test.each(['/', '/a', '/a.b', '/...', '/.a', '/a..', '/a..%2fb', '/a/b%2fc', '/%2e%2e%2e/b', '/a//b', '/a%25b', '/..a%2f', '/%2E%2Ea'])(
    'and not %s',
    (path) => expect(climbs(path)).toBe(false),
  )

  test('every path with a dot segment', () => {
    const piece = fc.constantFrom('/', '.', '..', '%2e', '%2F', '%5C', '%25', '32', '65', ';', 'a', '\\')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = `/${pieces.join('')}`
        if (hasDotSegment(path)) expect(climbs(path)).toBe(true)
      }),
      { seed: 9112, numRuns: 5000 },
    )
  })
})
