// The vocabulary of the fuzzer: texts that formats are made of, and texts that parsers read in different ways.
import type { Random } from './random.ts'

export const NOW: number = Date.UTC(2030, 0, 1)
/** The scale of all times: grants end within days. */
export const DAY = 86_400_000

const PLAIN = ['a', 'b', 'c', 'files', 'admin', 'report.pdf', 'link', 'v1', '1', '12', '27.0.0.1', 'x-y_z~']
const ODD = [
  ...['%2F', '%2f', '%5C', '%7C', '|', ';', '%3B', '%25', '%41', '%7e', '%20', '+', '%2B', '@', '%40', ':', '%3A', '!', "'", '(', '*'],
  ...[
    '%C3%A9',
    '%FF',
    '%ED%A0%80',
    '%EF%BF%BD',
    '%00',
    '%0A',
    '%0a',
    '%09',
    '%7F',
    '%',
    '%4',
    '%zz',
    '=',
    '%3D',
    '[',
    ']',
    '%5D',
    'x]=y',
    ',',
    '%2C',
    '~2F',
    '$',
    '&',
  ],
  ...['..', '.', '%2e%2e', '%2E', '..;', '...', '\\', '{}', '<', '"', '^', '`'],
]
/** What sign must refuse or escape, and what no client sends. */
const WILD = ['ä', 'é', '😀', '\ud800', '\udc00', '\ufffd', '\u0130', ' ', '\t', '\n', '\0', '\u007f', '\u00a0', '\u2028', '\ufeff']

const NUMBERS = [
  '0',
  '1',
  '60',
  '600',
  '01',
  '1893456000',
  '1893456600',
  '1924992000',
  '4102444800',
  '99999999999',
  '1893456000000',
  '-1',
  '1e9',
  '0x10',
  '1.5',
]
const DATES = [
  '2030-01-01T00:00:00Z',
  '2031-01-01T00:00:00Z',
  '2099-01-01T00:00:00Z',
  '20300101T000000Z',
  '2099-12-31',
  '2030-01-01T02:00:00+02:00',
]

/** Names that some scheme gives a meaning to, or that only look like one. */
export const NAMES: readonly string[] = [
  ...['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key', 'signature', 'e', 's', 'i', 'st', 'ts', 'md5', 'user'],
  ...[
    'Expires',
    'EXPIRES',
    'Signature',
    'MD5',
    'expires[]',
    'expires[0]',
    'id[a]',
    ' expires',
    'expires ',
    'expires.x',
    'a',
    'b',
    'a[b]',
    'a.b',
    'a_b',
    'A',
  ],
  ...['utm_source', 'utm_', 'utm_x[y]', 'fbclid', 'é', '_', '[', '%5B', '', '__proto__', 'constructor'],
  ...[
    'sv',
    'sr',
    'sp',
    'se',
    'st',
    'sig',
    'sip',
    'spr',
    'si',
    'sdd',
    'ss',
    'srt',
    'rscd',
    'rsct',
    'srh',
    'srq',
    'comp',
    'restype',
    'snapshot',
    'versionid',
    'COMP',
    'RESTYPE',
    'Comp',
    'Snapshot',
  ],
  ...[
    'X-Amz-Algorithm',
    'X-Amz-Expires',
    'X-Amz-Date',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
    'X-Amz-Credential',
    'X-Amz-Security-Token',
  ],
  ...['x-amz-expires', 'X-Goog-Signature', 'X-Goog-Expires', 'X-Amz-Content-Sha256', 'response-content-type', 'src', 'params'],
]

/** Values that such names can have. */
const VALUES = [
  ...[
    'GET',
    'HEAD',
    'PUT',
    'DELETE',
    'GET,PUT',
    'get',
    '24',
    '32',
    '128',
    '/',
    '/a',
    '/files',
    'list',
    'LIST',
    'container',
    'CONTAINER',
    'service',
    'tags',
    'blobs',
    'acl',
  ],
  ...[
    'b',
    'c',
    'd',
    'f',
    's',
    'bs',
    'bv',
    'r',
    'rl',
    'racwdl',
    'https',
    'https,http',
    'sco',
    'bfqt',
    '203.0.113.7',
    'host',
    'host;a=b',
    'host%3Ba%3Db',
    'host%3Bconstructor',
  ],
]

/** The values that parameters of formats can have, by name. */
export const CHOICES: Readonly<Record<string, readonly string[]>> = {
  sr: ['b', 'bs', 'bv', 'c', 'd', 'f', 's', 'B', 'q', ''],
  sdd: ['0', '1', '2', '3', '01', '-1'],
  sp: ['r', 'rl', 'l', 'racwdl', 'rw', 'w', 'd', 'x', 'rdx', 'rt', 'R'],
  spr: ['https', 'https,http', 'http'],
  ss: ['b', 'f', 'bf', 'btqf'],
  srt: ['s', 'c', 'o', 'sco'],
  sv: ['2015-04-05', '2018-11-09', '2019-10-10', '2020-02-10', '2020-12-06', '2025-07-05', '2026-04-06'],
  si: ['partners', 'writers', 'toString', '__proto__'],
  comp: ['list', 'tags', 'acl', 'blobs', 'metadata', 'List'],
  restype: ['container', 'share', 'service', 'directory', 'Container'],
  method: ['GET', 'PUT', 'HEAD', 'GET,PUT', 'PUT,GET', 'GET,GET', 'get', 'DELETE,GET,POST,PUT'],
  net: ['0', '1', '24', '31', '32', '64', '128', '032', '129'],
  uses: ['1', '2', '3', '999999999', '01', '0'],
  prefix: ['%2F', '/', '/a', '%2Fa%2F', '%2F%2F', '//', '/..', '/a/../'],
  key: ['a', 'b', 'c', '', '%61'],
  'X-Amz-Algorithm': ['AWS4-HMAC-SHA256', 'GOOG4-HMAC-SHA256', 'AWS4-HMAC-SHA1'],
  'X-Amz-Expires': ['1', '604800', '604801', '0', '01', '86400'],
  'X-Goog-Expires': ['1', '604800', '604801', '0', '01', '86400'],
  'X-Amz-Date': ['20300101T000000Z', '20300102T000000Z', '20291231T000000Z', '20300101T000001Z'],
  'X-Amz-SignedHeaders': ['host', 'content-type%3Bhost', 'host%3Bx-amz-acl', 'host%3Bhost', 'Host', 'host;a', 'host%3Ba%3Db'],
  ts: ['1893456000', '2030-01-01T00:00:00Z', '2099-01-01T00:00:00Z', '2099-01-01T00:00:00Zx', '2099-1-1T0:0:0Z', '1'],
  e: ['0', '1', '60', '00', '99999999999', ''],
}

export const token = (random: Random, wild = 0.02): string =>
  random.chance(wild)
    ? random.pick(WILD)
    : random.chance(0.3)
      ? random.pick(ODD)
      : random.chance(0.1)
        ? random.pick(random.chance(0.5) ? NUMBERS : DATES)
        : random.pick(PLAIN)

export const value = (random: Random): string => {
  const kind = random.below(5)
  if (kind === 0) return random.pick(NUMBERS)
  if (kind === 1) return random.pick(DATES)
  if (kind === 2) return random.pick(VALUES)
  return random.several(0, 3, () => token(random)).join('')
}

/** Text that reads as several signed fields of a scheme with its separator between them: links must keep such text apart from real fields. */
export function lookalike(random: Random, separator: string): string {
  return random.several(1, 3, () => separator + random.pick(random.chance(0.5) ? DATES : random.chance(0.5) ? NUMBERS : PLAIN)).join('')
}

export function segment(random: Random, separators: readonly string[]): string {
  // Most segments are plain, so that most URLs can be signed by every scheme.
  const text = random.chance(0.6) ? random.pick(PLAIN) : random.several(1, 3, () => token(random)).join('')
  if (!separators.length || random.chance(0.85)) return text
  return text + lookalike(random, random.pick(separators)).replace(/[^\w\-.~:+]/g, (character) => encodeURIComponent(character))
}

export function path(random: Random, separators: readonly string[] = []): string {
  const segments = random
    .several(1, 4, () => segment(random, separators))
    .map((text) => (random.chance(0.9) ? text.replaceAll('/', '') : text))
  return `/${segments.join('/')}${random.chance(0.1) ? '/' : ''}`
}

export const parameter = (random: Random): string => {
  const name = random.pick(NAMES)
  return random.chance(0.08) ? name : `${name}=${value(random)}`
}

export const HOSTS: readonly string[] = [
  'https://files.test',
  'http://files.test',
  'https://files.test:8443',
  'https://evil.example',
  'HTTPS://Files.Test:443',
  'http://10.0.0.1:80',
  'https://fi\ufffdles.test',
  'https://files.test.',
]

export function url(random: Random, options: { host?: boolean; separators?: readonly string[] } = {}): string {
  const host = options.host || random.chance(0.5) ? random.pick(HOSTS.slice(0, random.chance(0.9) ? 5 : HOSTS.length)) : ''
  const names = new Set<string>()
  const query = random
    .several(0, random.chance(0.5) ? 0 : 4, () => parameter(random))
    // Names of the link's own parameters are refused by sign. Some remain, to see that.
    .filter(
      (piece) =>
        random.chance(0.03) ||
        /^(a|b|A|user|utm|fbclid|src|params|é|_|\[|%5B|response|x=|comp|restype|snapshot|versionid|COMP)/.test(piece),
    )
    .filter((piece) => !names.has(piece) && names.add(piece))
  if (random.chance(0.01)) query.push(...Array.from({ length: 1001 }, (_, index) => `p${index % 7}=${index % 13}`))
  const fragment = random.chance(0.02) ? `#${token(random)}` : ''
  return `${host}${path(random, options.separators)}${query.length ? `?${query.join('&')}` : random.chance(0.03) ? '?' : ''}${fragment}`
}

export const ADDRESSES: readonly string[] = [
  '203.0.113.7',
  '203.0.113.8',
  '127.0.0.1',
  '27.0.0.1',
  '2001:db8::7',
  '2001:DB8:0::7',
  '2001:db8::8',
  '::1',
  '::ffff:203.0.113.7',
  '203.0.112.255',
  '1.2.3.4',
  '[2001:db8::7]',
  'fe80::1%eth0',
]
export const ODD_ADDRESSES: readonly string[] = [
  '',
  ' ',
  '203.0.113.07',
  '203.0.113.7 ',
  ': ffff:203.0.113.7',
  '0: 0000',
  ':',
  '::',
  '0.0.0.0',
  '203.0.113',
  '3405803783',
  '0xcb007107',
  '::ffff:cb00:7107',
  '203.0.113.7:80',
  'a',
  '1::2::3',
]
export const METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'PUT',
  'POST',
  'DELETE',
  'OPTIONS',
  'get',
  'Put',
  'GET,PUT',
  'G\u0130T',
  '',
  'PATCH',
]
export const HEADERS: readonly string[] = [
  'content-type',
  'x-amz-acl',
  'x-amz-copy-source',
  'x-amz-content-sha256',
  'x-goog-acl',
  'x-goog-copy-source',
  'if-match',
  'host',
  'x-ms-blob-type',
  'a',
]
export const HEADER_VALUES: readonly string[] = [
  'image/png',
  'text/plain',
  'public-read',
  '/bucket/secret',
  'a  b',
  ' a b ',
  'UNSIGNED-PAYLOAD',
  'e3b0',
  'files.test',
  'evil.example',
  '',
]

/** A whole second from one to seven days after the present. */
export const expiry = (random: Random): Date => new Date(NOW + DAY * (1 + random.below(6)) + 1000 * random.below(4))
