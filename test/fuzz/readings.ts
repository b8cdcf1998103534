// How servers read a request. The oracle compares what they read in a request with what they read in the link that was signed.
//
// Nothing here comes from src/: the parsers are those of Node, Express and Fastify, or short models of a server's documented behaviour.
import { createRequire } from 'node:module'
import { BlockList, isIP } from 'node:net'
import { parse as nodeParse } from 'node:querystring'
import { isDeepStrictEqual } from 'node:util'

const require = createRequire(import.meta.url)
const qs = require('qs') as { parse(query: string, options: object): object }
const fastify = require('fast-querystring') as { parse(query: string): object }

/** A request target, taken apart. Joined in this order the parts give the same string. */
export interface Target {
  readonly origin: string
  readonly path: string
  /** Without its `?`. `undefined` if there is no `?`. */
  readonly query: string | undefined
  /** With its `#`, or empty. */
  readonly fragment: string
}

export function targetOf(url: string): Target {
  const origin = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''
  const hash = url.indexOf('#')
  const end = hash < 0 ? url.length : hash
  const mark = url.indexOf('?')
  const pathEnd = mark < 0 || mark > end ? end : mark
  return {
    origin,
    path: url.slice(origin.length, pathEnd) || '/',
    query: pathEnd < end ? url.slice(pathEnd + 1, end) : undefined,
    fragment: url.slice(end),
  }
}

/** The bytes of a string with each escape decoded once, one character for each byte. A `%` that begins no escape stays. */
export function bytesOf(text: string): string {
  const bytes = /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
  return bytes.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** As {@link bytesOf}, with `+` read as a space: a form's rule. */
export const formBytes = (text: string): string => bytesOf(text.replaceAll('+', ' '))

const broken = (text: string): boolean => /%(?![\da-f]{2})/i.test(text)

export const segmentsOf = (path: string): string[] => path.split('/').map(bytesOf)

/** `$uri`: decoded once, slashes merged, dot segments resolved. `undefined` if NGINX answers with 400. */
export function nginxUri(path: string, mergeSlashes = true): string | undefined {
  if (broken(path) || /%00/.test(path)) return
  const kept: string[] = []
  const segments = bytesOf(path).split('/').slice(1)
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '..') {
      if (kept.pop() === undefined) return
    } else if (segment !== '.' && (segment || last || !mergeSlashes)) kept.push(segment)
    if (last && (segment === '.' || segment === '..')) kept.push('')
  }
  return `/${kept.join('/')}`
}

/** What a client makes of a path before it sends it, by the WHATWG URL standard. */
function sent(path: string): string[] | string {
  try {
    return segmentsOf(new URL(`http://server.test${path}`).pathname)
  } catch {
    return path
  }
}

/** How servers read a path. Two paths are the same only if all of these read the same. */
export const PATHS: Readonly<Record<string, (path: string) => readonly unknown[]>> = {
  // Express, Fastify, werkzeug: split, then decoded; dot segments stay.
  segments: segmentsOf,
  // Tomcat and others: a `;` ends the name of the segment.
  tomcat: (path) => path.split('/').map((segment) => bytesOf(segment.split(';', 1)[0] as string)),
  // Browsers, and servers that pass the target through `new URL`: `\` is a slash, dot segments are resolved.
  url: (path) => [sent(path)].flat(),
}

const groups = (pieces: readonly string[], nameOf: (name: string) => string, decode = formBytes): Record<string, unknown> => {
  const found: Record<string, unknown[]> = Object.create(null)
  for (const piece of pieces) {
    if (!piece) continue
    const [name = ''] = piece.split('=', 1)
    const decoded = decode(name)
    const group = nameOf(decoded)
    found[group] ??= []
    found[group].push([decoded, decode(piece.slice(name.length + 1))])
  }
  return found
}

const pieces = (query: string): string[] => query.split('&')

/** How servers read a query: values by the name that a handler asks for. */
export const QUERIES: Readonly<Record<string, (query: string) => object>> = {
  // URLSearchParams, Python: names and values, in order for each name.
  form: (query) => {
    const found: Record<string, string[]> = Object.create(null)
    // `URLSearchParams` would drop a `?` in front.
    for (const [name, value] of new URLSearchParams(`&${query}`)) {
      found[name] ??= []
      found[name].push(value)
    }
    return found
  },
  // The simple parser of Express 5, and the first 1,000 parameters only.
  node: (query) => nodeParse(query),
  // The extended parser of Express.
  qs: (query) => qs.parse(query, { allowPrototypes: true }),
  fastify: (query) => fastify.parse(query),
  // PHP: a dot or a space in a name is `_`, and brackets make arrays. Parameters of one variable stay in order.
  php: (query) =>
    groups(pieces(query), (name) =>
      name
        .replace(/^ +/, '')
        .replace(/\0.*/s, '')
        .replace(/(?!^)\[.*/s, '')
        .replace(/[. ]/g, '_'),
    ),
  // Rack 2 and older Pythons: `;` separates, too.
  rack: (query) => groups(query.split(/[&;]/), (name) => name.replace(/(?!^)\[.*/s, '')),
  // ASP.NET and NGINX's $arg_name: names without case.
  aspnet: (query) => groups(pieces(query), (name) => name.toLowerCase()),
  // Go drops a parameter with a broken escape or a `;`.
  go: (query) =>
    groups(
      pieces(query).filter((piece) => !broken(piece) && !piece.includes(';')),
      (name) => name,
    ),
}

/** Does the option `ignore` leave this name uncovered? */
export function isIgnored(name: string, ignore: readonly string[]): boolean {
  return ignore.some((rule) => (rule.endsWith('*') ? name.startsWith(rule.slice(0, -1)) : name === rule))
}

function without(read: object, ignore: readonly string[]): object {
  if (!ignore.length) return read
  return Object.fromEntries(Object.entries(read).filter(([name]) => !isIgnored(name, ignore)))
}

/** The first server that reads two paths differently. */
export function pathDifference(a: string, b: string): string | undefined {
  if (a === b) return
  return Object.keys(PATHS).find((server) => !isDeepStrictEqual(PATHS[server]?.(a), PATHS[server]?.(b)))
}

/** The first server for which a path lies outside a prefix, or climbs out of it. */
export function outside(path: string, prefix: string): string | undefined {
  return Object.keys(PATHS).find((server) => {
    const segments = PATHS[server]?.(path) ?? []
    const folder = [...(PATHS[server]?.(prefix) ?? [])]
    if (folder.at(-1) === '') folder.pop()
    const climbs = segments.some((segment) => String(segment).split(/[/\\]/).includes('..'))
    return climbs || !isDeepStrictEqual(segments.slice(0, folder.length), folder)
  })
}

/** The first server that reads two queries differently, in parameters that `ignore` does not leave uncovered. */
export function queryDifference(a = '', b = '', ignore: readonly string[] = []): string | undefined {
  if (a === b || ignore.includes('*')) return
  return Object.keys(QUERIES).find((server) => {
    const read = QUERIES[server] as (query: string) => object
    return !isDeepStrictEqual(without(read(a), ignore), without(read(b), ignore))
  })
}

/** `$arg_name` of NGINX: the first one, its name without case, as bytes, and nothing decoded. */
export function nginxArgument(query: string | undefined, name: string): string | undefined {
  for (const piece of (query ?? '').split('&')) {
    const end = piece.indexOf('=')
    if (end >= 0 && piece.slice(0, end).toLowerCase() === name) return Buffer.from(piece.slice(end + 1), 'utf8').toString('latin1')
  }
  return
}

/** The first value of a form's parameter. */
export const formValue = (query: string | undefined, name: string): string | undefined =>
  new URLSearchParams(`&${query ?? ''}`).get(name) ?? undefined

/** Scheme, host and port, without the scheme's own port. */
export function normalOrigin(origin: string): string {
  const lower = origin.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return lower.startsWith('https:') ? lower.replace(/:443$/, '') : lower.startsWith('http:') ? lower.replace(/:80$/, '') : lower
}

/** Does a valid address lie in a network (`203.0.113.0/24`, or an address)? */
export function inNetwork(network: string, address: string | undefined): boolean {
  const plain = plainAddress(address ?? '')
  const [base = '', bits] = network.split('/')
  const start = plainAddress(base)
  if (!isIP(plain) || !isIP(start)) return false
  const version = `ipv${isIP(start)}` as 'ipv4' | 'ipv6'
  const list = new BlockList()
  list.addSubnet(start, bits === undefined ? (version === 'ipv4' ? 32 : 128) : Number(bits), version)
  return list.check(plain, `ipv${isIP(plain)}` as 'ipv4' | 'ipv6')
}

/** Does a valid address lie in a range of IPv4 addresses (`203.0.113.5-203.0.113.9`)? */
export function inRange(range: string, address: string | undefined): boolean {
  const plain = plainAddress(address ?? '')
  const [first = '', last = ''] = range.split('-')
  if (!isIP(plain)) return false
  const list = new BlockList()
  list.addRange(first, last)
  return list.check(plain, `ipv${isIP(plain)}` as 'ipv4' | 'ipv6')
}

/** Without the brackets of a URL and the zone. */
export const plainAddress = (address: string): string => address.replace(/^\[(.*)\]$/, '$1').replace(/%[\w.-]+$/, '')

/** The one spelling of an address, to compare two of them as NGINX does. */
export function canonicalAddress(address: string): string | undefined {
  const plain = plainAddress(address)
  if (isIP(plain) === 4) return plain
  if (isIP(plain) !== 6) return
  const { hostname } = new URL(`http://[${plain}]/`)
  // The C libraries print these with the last 32 bits dotted.
  const [, high = '', low = ''] = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(hostname) ?? []
  const bytes = [high, low].flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255])
  return high ? `::ffff:${bytes.join('.')}` : hostname.slice(1, -1)
}

/**
 * A request that a server should not have got: with a scheme that is not of the web, with two ports, with a control character, a dot segment
 * in any spelling, or a fragment.
 */
export function impossible({ origin, path, query, fragment }: Target): string | undefined {
  if (origin && !/^(https?|wss?):\/\/([^:[\]]+|\[[^[\]]*\])(:\d{1,5})?$/i.test(origin)) return 'origin'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
  if (/[\0-\x1f\x7f]/.test(path + (query ?? ''))) return 'control character'
  if (segmentsOf(path).some((segment) => segment === '.' || segment === '..')) return 'dot segment'
  return fragment ? 'fragment' : undefined
}
