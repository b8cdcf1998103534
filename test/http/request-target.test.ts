// isOriginForm: targets that clients send to a server.
import { describe, expect, test } from 'vitest'
import { isOriginForm } from '../../src/http/request-target.ts'

describe('isOriginForm', () => {
  test.each(['/', '/?', '/a//b', '/a?x=\\&y=../../z', '/a/...', '/.a/b.', '/%5Cx', '/%2F%2Fx', '/a%00b', '/!$&\'()*+,;=:@|^`{}<>[]"~'])(
    'takes %s',
    (target) => {
      expect(isOriginForm(target)).toBe(true)
    },
  )
  test.each([
    '',
    '*',
    'a',
    'a:80',
    '?',
    '#',
    '/#',
    '/a#b',
    '/?#',
    '/a b',
    '/a\n',
    '/a?\n',
    '\n/a',
    '/\0',
    '/\u{e9}',
    '//',
    '//a',
    '/\\a',
    '/a\\',
    '/..',
    '/.',
    '/a/%2E',
    // Only servers that decode late, or twice, find the dot segments in these.
    '/a/..%2fb',
    '/a/x%5C..',
    '/a/%252e%252e/b',
    '/a/..%3bx/b',
  ])('does not take %j', (target) => {
    expect(isOriginForm(target)).toBe(false)
  })
})
