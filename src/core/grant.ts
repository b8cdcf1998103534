// Checks what the caller of `sign` asked for, once for all schemes, and turns it into a grant: plain data in one form.
import { parseNetwork } from '../lib/address.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import { below, normal } from '../lib/normalise.ts'
import { hasDotSegment, isWebOrigin, looksLikeHost } from '../lib/request-target.ts'
import { firstOf, LONGEST, type Parts, split } from '../lib/url.ts'
import type { Conditions } from './conditions.ts'
import { assertOption, LinkError, unknownOption } from './errors.ts'
import type { Grant, Scheme } from './scheme.ts'
import { ENDLESS, secondsOf, timeOf } from './time.ts'

/** Conditions as they arrive at run time, with the scheme's own among them. */
export type AskedConditions = Omit<Conditions, 'expires'> & { readonly expires?: unknown } & Readonly<Record<string, unknown>>

const STANDARD = ['starts', 'method', 'ip', 'prefix', 'uses', 'id']

/** Checks a URL and its conditions. Throws a `LinkError` for everything that cannot become a link of this scheme. */
export function grantOf(scheme: Scheme, url: string, asked: AskedConditions, now: number): Grant {
  assertCarried(scheme, asked)
  const parts = split(url)
  assertUrl(url, parts)
  assertUnsigned(scheme, url, parts)

  const window = asked.align === undefined ? 1 : secondsOf(asked.align, 'align')
  assertOption(window > 0 && window % 1 === 0, 'align', 'a duration of whole seconds')
  const expires = expiryOf(scheme, asked.expires, window, now)
  const starts = asked.starts === undefined ? undefined : Math.floor(timeOf(asked.starts, now, 'starts'))
  assertOption(starts === undefined || (starts > 0 && starts < (expires ?? ENDLESS)), 'starts', 'a time before expires')
  const { ip, uses } = asked
  const network = ip === undefined ? undefined : parseNetwork(ip)
  assertOption(ip === undefined || network, 'ip', "an address such as '203.0.113.7', or a network such as '203.0.113.0/24'")
  assertOption(uses === undefined || (Number.isInteger(uses) && uses > 0 && uses < 1e9), 'uses', 'a whole number from 1')

  return {
    url,
    parts,
    now,
    expires,
    starts,
    window,
    methods: methodsOf(asked.method),
    ip,
    network,
    prefix: prefixOf(asked.prefix, parts.path),
    uses,
    // Stores count the uses by the id.
    id: asked.id ?? (uses === undefined ? undefined : randomId()),
    own: asked,
  }
}

/** Only conditions that the scheme's links can carry, each with a value, and all that it requires. */
function assertCarried(scheme: Scheme, asked: AskedConditions): void {
  assertOption(typeof asked === 'object' && asked !== null, 'conditions', "an object such as { expires: '10m' }")
  const { carries, own = [], requires = [] } = scheme
  for (const name in asked) {
    if (name === 'expires' || name === 'align') continue
    if (!own.includes(name) && !carries.includes(name)) throw uncarried(scheme, name)
    const value = asked[name]
    // Also refused when it is undefined: an address that is not known must not make a link for everybody.
    assertOption(value !== undefined && value !== null && value !== '' && value !== false, name, 'left out, or given a value')
    assertOption(typeof value !== 'string' || !/\p{Surrogate}/u.test(value), name, 'well-formed text')
  }
  assertOption(asked.id === undefined || own.includes('id') || typeof asked.id === 'string', 'id', 'text')
  for (const name of requires) assertOption(asked[name] !== undefined, name, `given: ${scheme.name} links require it`)
}

function uncarried({ name: scheme, carries, own = [] }: Scheme, name: string): LinkError {
  const carried = ['expires', 'align', ...carries, ...own]
  if (STANDARD.includes(name)) {
    const message = `${scheme} links cannot carry the condition '${name}'; they carry ${carried.join(', ')}`
    return new LinkError('unsupported_condition', message, { option: name })
  }
  return unknownOption(name, carried, `sign() with ${scheme} links`)
}

/** Only URLs that arrive as they were signed. */
function assertUrl(url: string, { origin, path, plain }: Parts): void {
  if (plain) return
  assertOption(url.length <= LONGEST, 'url', TOO_LONG)
  assertOption(isPath(path), 'url', "an absolute URL without credentials, or a path that starts with '/'")
  // Clients drop control characters and outer spaces, and replace half a surrogate pair.
  assertOption(/^[!-~]*$/.test(url) || !ALTERED.test(url), 'url', 'free of control characters and of outer spaces')
  // Clients resolve dots before they send, so the link would be for another path than the request, or lose the token before it.
  assertOption(isWebOrigin(origin), 'url', 'one that begins with https:// or http://, with at most one port')
  assertOption(!hasDotSegment(path), 'url', "without the segments '.' and '..', in any spelling")
  assertOption(!looksLikeHost(url), 'url', 'without two slashes at its start: clients would take what follows for a host')
}

const TOO_LONG = `at most ${LONGEST} characters long`
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
const ALTERED = /[\0-\x1f\x7f]|\s$|\p{Surrogate}/u

const isPath = (path: string): boolean => path[0] === '/' && !/[?#\\]/.test(path)

/** The URL must not be a link already, nor have a parameter that the link adds. */
function assertUnsigned(scheme: Scheme, url: string, parts: Parts): void {
  const inPath = scheme.parameters.length === 0
  if (!parts.query && !inPath) return
  const taken = firstOf(scheme.parameters, parts.query)
  if (!taken && !inPath) return
  const reading = scheme.read(url)
  const isLink = typeof reading === 'object' && 'claims' in reading
  assertOption(!isLink, 'url', 'unsigned; this one is a link already', 'already_signed')
  assertOption(!taken, 'url', `without the parameter '${taken}', which the link adds`)
  assertOption(reading === 'unsigned', 'url', 'without a token in its path, which the link adds')
}

/** The expiry in seconds, rounded up to the window. `undefined`: never. */
function expiryOf(scheme: Scheme, when: unknown, window: number, now: number): number | undefined {
  const { expiry = 'required', name } = scheme
  if (when === 'never') {
    assertOption(expiry !== 'required', 'expires', `a time; ${name} links always expire`, 'unsupported_condition')
    return undefined
  }
  assertOption(expiry !== 'none', 'expires', `'never'; ${name} links have no expiry`, 'unsupported_condition')
  const end = timeOf(when, now, 'expires')
  const expires = Math.ceil(end / window) * window
  // A duration is rounded up first: it counts from the beginning of the present second, so the end of '0.5s' may be past.
  const last = when instanceof Date ? end : Math.ceil(end)
  assertOption(last * 1000 > now && expires <= ENDLESS, 'expires', 'a time in the future, before the year 5138')
  return expires
}

function methodsOf(method: unknown): readonly string[] | undefined {
  if (method === undefined) return undefined
  const names = [method].flat().map((name) => `${name}`.toUpperCase())
  assertOption(names.length > 0 && names.every((name) => /^[A-Z-]+$/.test(name)), 'method', "a name such as 'PUT', or a list of names")
  return [...new Set(names)].sort()
}

function prefixOf(folder: unknown, path: string): string | undefined {
  if (folder === undefined) return undefined
  const good = typeof folder === 'string' && isPath(folder) && !hasDotSegment(folder)
  assertOption(good, 'prefix', "a path that starts with '/', without the segments '.' and '..'")
  // Neither has dot segments, so the normal form is that of the text.
  const prefix = normal(folder)
  assertOption(below(normal(path), prefix), 'prefix', 'a path that the path of url lies in')
  return prefix
}

/** Sixteen characters that nobody can guess. */
function randomId(): string {
  return encode(crypto.getRandomValues(new Uint8Array(12)), BASE64URL)
}
