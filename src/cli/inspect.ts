// inspect: shows the claims of links, without a key. Nothing is verified.
/// <reference types="node" />
import type { UnverifiedClaims } from '../core/claims.ts'
import { inspect as inspectLink } from '../core/inspect.ts'
import type { Covered, Scheme } from '../core/scheme.ts'
import { recognise } from '../recognise/reader.ts'
import type { Io } from './io.ts'
import { eachLine, fileOf, LINES } from './lines.ts'
import { parse, type Values } from './options.ts'
import { nowOf, REQUEST } from './request.ts'
import { KEYED, schemeNames, schemeOf } from './scheme.ts'
import { stringsToSign } from './string-to-sign.ts'

const OPTIONS = { ...KEYED, ...LINES, ...REQUEST, now: { type: 'string' }, 'string-to-sign': { type: 'boolean' } } as const

/** Writes the claims of each link, or its string to sign. */
export async function inspect(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, OPTIONS)
  const now = nowOf(values).now?.() ?? new Date()
  const schemes = schemesFor(values)
  let exit = 0
  const fail = (answer: Unread): string => {
    exit = 1
    const { reason, parameter, sentence } = answer
    return values['json'] ? `${JSON.stringify({ reason, parameter })}\n` : `${reason}: ${sentence}\n`
  }
  await eachLine({ rest, file: fileOf(values) }, io, async (link) => {
    const seen = await readingOf(link, values, schemes)
    if ('reason' in seen) return fail(seen)
    if (!values['string-to-sign']) return values['json'] ? jsonOf(seen, now) : describe(seen, now)
    const answer = await stringsToSign(link, seen.scheme, seen.names, values, io)
    return 'reason' in answer ? fail(answer) : answer.text
  })
  return exit
}

/** A link that was read. */
interface Seen {
  /** Schemes or vendors whose links look like this. */
  readonly names: readonly string[]
  readonly claims: UnverifiedClaims
  /** The scheme, if it is one of this package. */
  readonly scheme: Scheme | undefined
  /** Its expiry is in milliseconds, and vendors expect seconds. */
  readonly milliseconds: boolean
}

/** Why a text cannot be shown as a link. `incomplete`: the options do not describe the request that the string to sign depends on. */
interface Unread {
  readonly reason: 'unsigned' | 'malformed' | 'incomplete'
  readonly parameter?: string | undefined
  readonly sentence: string
}

/** A scheme of this package, by its name for `--scheme`, with its options. */
interface Candidate {
  readonly name: string
  readonly options?: object
}

/** The schemes whose links are recognised by the name of the vendor, in the order in which they are tried. */
const SCHEMES_OF_VENDOR: Readonly<Record<string, readonly Candidate[]>> = {
  s3: [{ name: 's3' }, { name: 's3v2' }],
  gcs: [{ name: 'gcs' }, { name: 'gcs-rsa' }],
  oss: [{ name: 'oss-v4' }, { name: 's3v2', options: { vendor: 'oss' } }],
  obs: [{ name: 's3v2', options: { vendor: 'obs' } }],
  cos: [{ name: 'tencent-cos' }],
}

/** Makes schemes of this package, without keys. `chosen` is that of `--scheme`. */
interface SchemeSource {
  chosen(): Promise<Scheme>
  ofVendor(vendor: string): Promise<readonly Scheme[]>
}

/** Makes each scheme only once, for any number of links. */
function schemesFor(values: Values): SchemeSource {
  const made = new Map<string, Promise<readonly Scheme[]>>()
  let chosen: Promise<Scheme> | undefined
  return {
    chosen() {
      chosen ??= schemeOf(values, [])
      return chosen
    },
    ofVendor(vendor) {
      const known = made.get(vendor)
      if (known) return known
      const candidates = SCHEMES_OF_VENDOR[vendor] ?? (schemeNames().includes(vendor) ? [{ name: vendor }] : [])
      const schemes = Promise.all(
        candidates.map(({ name, options }: Candidate) =>
          schemeOf({ ...values, ...(options && { options: JSON.stringify(options) }) }, [], name),
        ),
      )
      made.set(vendor, schemes)
      return schemes
    },
  }
}

/** Reads a link: as one of `--scheme`, or of the scheme that it is recognised as. */
async function readingOf(link: string, values: Values, schemes: SchemeSource): Promise<Seen | Unread> {
  // `--options` are for one scheme, so with them the link is not recognised by its parameters.
  const isChosen = values['scheme'] !== undefined || values['options'] !== undefined
  const found = isChosen ? [] : [recognise(link) ?? []].flat()
  const names = found.map(({ scheme }) => scheme)
  let malformed: Unread | undefined
  for (const { scheme: vendor, milliseconds } of found) {
    for (const scheme of await schemes.ofVendor(vendor)) {
      const read = inspectLink(scheme, link)
      // The name of the scheme, which --scheme takes, in place of that of the vendor.
      const shown = names.map((name) => (name === vendor ? scheme.name : name))
      if (read) return { names: shown, claims: read.unverified, scheme, milliseconds: milliseconds === true }
      const why = unread(link, scheme)
      // With an algorithm that is not in this package, such as SigV4A, the link is shown as far as it is recognised.
      if (why.reason === 'malformed' && !why.parameter?.endsWith('-Algorithm')) malformed ??= why
    }
  }
  if (malformed) return malformed
  // Links of other vendors, and links that need options of their scheme.
  const [first] = found
  if (first) return { names, claims: first.unverified, scheme: undefined, milliseconds: first.milliseconds === true }

  const scheme = await schemes.chosen()
  const read = inspectLink(scheme, link)
  if (read) return { names: [scheme.name], claims: read.unverified, scheme, milliseconds: false }
  return unread(link, scheme, isChosen ? '' : ', and it is not recognised as a link of another scheme')
}

/** Why a link cannot be read as one of a scheme. */
function unread(link: string, scheme: Scheme, more = ''): Unread {
  const reading = scheme.read(link.replace(/#.*/s, ''))
  if (reading === 'unsigned') return { reason: 'unsigned', sentence: `it has none of the parameters of ${scheme.name} links${more}` }
  const parameter = typeof reading === 'object' && 'malformed' in reading ? reading.malformed : undefined
  const part = parameter === undefined ? '' : `the parameter ${parameter} of `
  return { reason: 'malformed', parameter, sentence: `${part}this ${scheme.name} link cannot be read` }
}

/** Seconds until the expiry; negative when it is past. `undefined` for a link that does not show one, or has none. */
function secondsLeft({ expires, endless }: UnverifiedClaims, now: Date): number | undefined {
  return expires && !endless ? Math.floor((+expires - +now) / 1000) : undefined
}

/** The method is signed, and the link does not show it. */
const hidesMethod = ({ claims, scheme }: Seen): boolean => claims.methods === undefined && scheme?.reads?.includes('method') === true

function jsonOf(seen: Seen, now: Date): string {
  const { names, claims, scheme, milliseconds } = seen
  return `${JSON.stringify({
    scheme: names[0],
    ...(names.length > 1 && { or: names.slice(1) }),
    unverified: claims,
    ...(milliseconds && { milliseconds }),
    secondsLeft: secondsLeft(claims, now),
    ...(scheme && { covers: coveredOf(claims, scheme) }),
    ...(hidesMethod(seen) && { notShown: ['method'] }),
  })}\n`
}

function describe(seen: Seen, now: Date): string {
  const { names, claims, scheme } = seen
  const rows: [string, string][] = [
    ['scheme', names.join(' or ')],
    ['opens', claims.prefix === undefined ? claims.resource : `everything below ${claims.prefix}`],
    ['expires', expiryText(seen, now)],
  ]
  if (claims.starts) rows.push(['starts', claims.starts.toISOString()])
  const method = methodText(seen)
  if (method) rows.push(['method', method])
  if (claims.signedHeaders) rows.push(['headers', claims.signedHeaders.join(', ')])
  if (claims.ip) rows.push(['address', addressText(claims.ip)])
  if (claims.uses) rows.push(['uses', `${claims.uses}`])
  if (claims.id) rows.push(['id', claims.id])
  if (claims.keyId) rows.push(['key', claims.keyId])
  if (claims.data !== undefined) rows.push(['data', JSON.stringify(claims.data)])
  if (scheme) {
    rows.push(['covered', coveredOf(claims, scheme).join(', ')])
    rows.push(['not covered', notCovered(claims, scheme).join(', ') || 'nothing of the above'])
  }
  rows.push(['', 'nothing here is verified'])
  return `${rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}`.trimEnd()).join('\n')}\n\n`
}

function expiryText({ claims, milliseconds }: Seen, now: Date): string {
  const { expires, endless } = claims
  if (endless) return 'never'
  const left = secondsLeft(claims, now)
  if (expires === undefined || left === undefined || Number.isNaN(left)) return 'not shown in the link'
  const unit = milliseconds ? '; written in milliseconds, which most vendors take for seconds' : ''
  return `${expires.toISOString()} (${left > 0 ? `in ${duration(left)}` : `${duration(-left)} ago`}${unit})`
}

function methodText(seen: Seen): string | undefined {
  if (hidesMethod(seen)) return 'signed, not shown in the link'
  // Links of other vendors may open other methods, so the default is shown for schemes of this package only.
  return seen.claims.methods?.join(', ') ?? (seen.scheme && 'GET, HEAD')
}

function addressText(ip: string): string {
  return ip.startsWith('/') ? `one network of ${ip.slice(1)} bits; the link does not show which` : ip
}

/** What the signature of this link covers: of conditions, only those that the link has. */
function coveredOf(claims: UnverifiedClaims, { covers }: Scheme): readonly Covered[] {
  const { resource, ip, starts, prefix, uses, id, keyId, signedHeaders } = claims
  const conditions: Readonly<Record<string, unknown>> = { ip, starts, prefix, uses, id, key: keyId, headers: signedHeaders }
  const has = (part: Covered): boolean => {
    // A link with a prefix opens all paths below it.
    if (part === 'path') return prefix === undefined
    if (part === 'scheme' || part === 'host') return !resource.startsWith('/')
    if (part.startsWith('?')) return new RegExp(`[?&]${part.slice(1).replace(/\W/g, '\\$&')}(=|&|$)`).test(resource)
    return !Object.hasOwn(conditions, part) || conditions[part] !== undefined
  }
  return covers.filter(has)
}

/** What a client with this link can change without breaking its signature. */
function notCovered({ resource, prefix }: UnverifiedClaims, { covers }: Scheme): readonly string[] {
  const host = resource.startsWith('/') ? [] : ['host']
  const parts = [...host, 'path', 'query', 'method'].filter((part) => !covers.includes(part as Covered))
  return prefix !== undefined && covers.includes('path') ? [...parts, 'the path below the prefix'] : parts
}

// Replaces control characters, because terminals obey them and anyone can have written the link.
// biome-ignore lint/suspicious/noControlCharactersInRegex: this replaces them
const printable = (value: string): string => value.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')

function duration(seconds: number): string {
  const units = { d: 86_400, h: 3600, m: 60, s: 1 }
  let left = Math.abs(seconds)
  const parts: string[] = []
  for (const [unit, size] of Object.entries(units)) {
    if (left >= size) parts.push(`${Math.floor(left / size)}${unit}`)
    left %= size
  }
  return parts.slice(0, 2).join(' ') || '0s'
}
