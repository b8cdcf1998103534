// Which texts a client can send as the target of a request, against the URL parser of the engine.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasDotSegment, isHost, isRequestTarget } from '../../src/lib/request-target.ts'

const seed = Number(process.env['SEED'] ?? 9112)

const yes = [
  '/',
  '/a',
  '/a/b.txt?c=d',
  '/?',
  'https://cdn.example',
  'https://cdn.example/a',
  'https://cdn.example?a',
  'https://[2001:db8::1]:8443/a',
  'HTTP://CDN.EXAMPLE/a',
  'http://cdn.example:80/a',
  'ws://cdn.example/a',
  'WSS://cdn.example:8443/a',
  // Two slashes are a host only where the text has none.
  'https://cdn.example//a//b',
  '/a//b',
  '/a/',
  // Names with dots that are not segments of dots.
  '/.a',
  '/..a',
  '/a.',
  '/a..',
  '/...',
  '/.well-known/x',
  '/a/b..c/d',
  '/%2e%2e%2e',
  '/%2ea',
  // A server that decodes slashes late may climb here. That is outside the prefix of a link (wrong_path), and in any other link signed.
  '/a/%2F..',
  '/a/%5C..',
  '/a/b%2F..%2Fc',
  '/a/..%2Fb',
  '/a%2F../b',
  // Dots and backslashes mean nothing in a query.
  '/a?../..',
  '/a?b=/../c',
  '/a?b=\\',
  // Texts that clients escape before they send.
  '/a b?c d',
  '/ä/😀?ü',
  '/%zz/%',
]

const no = [
  // A client keeps the fragment to itself.
  '/a#',
  '/a#b',
  '/a?b#c',
  '/#/../b',
  'https://cdn.example#a',
  'https://cdn.example/a?b#&c=2&a=3',
  // Control characters.
  ...[0, 1, 9, 10, 13, 27, 31, 127].flatMap((code) => {
    const character = String.fromCharCode(code)
    return [`/a${character}b`, `/a?b${character}`, `${character}/a`, `https://cdn.example/${character}`]
  }),
  // Dot segments.
  ...['.', '..', '%2e', '%2E', '.%2e', '%2E.', '%2e%2E', '..;', '.;', '..;a=b', '%2e%2e;x'].flatMap((dots) => [
    `/${dots}`,
    `/${dots}/`,
    `/${dots}/a`,
    `/a/${dots}`,
    `/a/${dots}/b`,
    `/a//${dots}/b`,
    `/a/${dots}?b`,
    `https://cdn.example/${dots}`,
    `https://cdn.example/a/${dots}/b?c`,
  ]),
  // Spaces at the end, which URL parsers drop.
  '/a ',
  '/a/.. ',
  '/a/..  ?b',
  'https://cdn.example/a/%2e%2e ?b=c',
  '/a/b%5C.. ?b',
  // Backslashes, which many servers and all browsers read as slashes.
  '/a\\b',
  '/\\cdn.example/a',
  '\\a',
  '/a\\..\\b',
  'https://cdn.example/a\\b',
  'https://cdn.example\\a',
  // Paths that are a host to a URL parser.
  '//cdn.example/a',
  '//',
  '///a',
  '//cdn.example?a',
  // Half surrogate pairs.
  '/\ud83d',
  '/\ude00',
  '/\ude00\ud83d',
  '/a?b=\ud83dc',
  'https://\ud83d.example/a',
  // Schemes other than those of the web, and hosts with two ports, of which a normal form would drop one.
  ...['javascript', 'ftp', 'file', 'blob', 'httpss', 'xhttp', 'ws2'].map((scheme) => `${scheme}://cdn.example/a`),
  'https://cdn.example:8443:443/a',
  'http://cdn.example:80:80/a',
  'https://[2001:db8::1]:8443:443/a',
  'https://2001:db8::1/a',
  'https://cdn.example:port/a',
  'https://cdn.example:/a',
  // Other forms of request targets, and texts that are none.
  '',
  '*',
  'cdn.example:443',
  'a/b',
  '?a',
  '#a',
  'https:',
  'https://',
  'https:/a',
  'https://user@cdn.example/a',
  'mailto:a@cdn.example',
  // Longer than a link.
  `/${'a'.repeat(16_384)}`,
]

test.each(yes)('%j can be sent', (url) => expect(isRequestTarget(url)).toBe(true))
test.each(no)('%j cannot be sent', (url) => expect(isRequestTarget(url)).toBe(false))

test.each(['cdn.example', 'CDN.example:8443', '127.0.0.1', '[::1]:80', 'localhost'])('%j is a host', (host) =>
  expect(isHost(host)).toBe(true),
)
test.each([
  '',
  'cdn.example/',
  'cdn.example/videos',
  'cdn.example?x=',
  'cdn.example#',
  'cdn.example\\a',
  'user@cdn.example',
  'cdn.example a',
  'cdn.example:1:443',
  '/cdn.example',
])('%j is not a host', (host) => expect(isHost(host)).toBe(false))

test('16,384 characters can be sent', () => expect(isRequestTarget(`/${'a'.repeat(16_383)}`)).toBe(true))

const piece = fc.constantFrom(
  '/',
  '/',
  '//',
  '\\',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2F',
  '%5C',
  ';',
  '?',
  '#',
  'a',
  'b.c',
  '@',
  ':',
  '\t',
  'ä',
  '%',
  '\ud83d',
)
const path = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`)

test('a path that can be sent is, for the parser of the engine, the same path on the same host', () => {
  let sendable = 0
  fc.assert(
    fc.property(path, (path) => {
      if (!isRequestTarget(path)) return
      sendable++
      const url = new URL(path, 'https://cdn.example')
      expect(url.host).toBe('cdn.example')
      expect(url.hash).toBe('')
      // Nothing was resolved or cut off: as many segments, and each one decodes to what it was.
      const front = path.replace(/\?.*/, '')
      const decoded = (text: string) => text.replace(/ä/g, '%C3%A4').split('/')
      expect(decoded(url.pathname)).toEqual(decoded(front))
    }),
    { seed, numRuns: 10_000 },
  )
  expect(sendable).toBeGreaterThan(1000)
})

test('each path that the parser of the engine shortens has a dot segment', () => {
  fc.assert(
    fc.property(path, (path) => {
      const front = path.replace(/[?#].*/, '').replace(/[\t\\]/g, '')
      const { pathname } = new URL(`https://cdn.example${front}`)
      if (pathname.split('/').length < front.split('/').length) expect(hasDotSegment(front)).toBe(true)
    }),
    { seed, numRuns: 10_000 },
  )
})

test('any text is accepted or refused, without an exception', () => {
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
  fc.assert(
    fc.property(fc.oneof(path, fc.string({ unit })), (text) => {
      expect(typeof isRequestTarget(text)).toBe('boolean')
    }),
    { seed, numRuns: 5000 },
  )
})
