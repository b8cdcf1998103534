// inspect: shows the claims of links, without a key. Nothing is verified.
/// <reference types="node" />
import type { UnverifiedClaims } from '../core/claims.ts'
import { LinkError } from '../core/errors.ts'
import { inspect as inspectLink } from '../core/inspect.ts'
import type { Covered, Scheme } from '../core/scheme.ts'
import { recognise } from '../recognise/reader.ts'
import { sourcesOf } from '../recognise/sources.ts'
import type { Io } from './io.ts'
import { eachLink, fileOf, LINES } from './lines.ts'
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
  await eachLink({ rest, file: fileOf(values) }, io, async (link) => {
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

/** Makes the schemes of this package that can read the links of a vendor, without keys. Without a vendor, the scheme of `--scheme`. */
type SchemeSource = (vendor?: string) => Promise<readonly Scheme[]>

/** Makes each scheme only once, for any number of links. */
function schemesFor(values: Values): SchemeSource {
  const made = new Map<string | undefined, Promise<readonly Scheme[]>>()
  return (vendor) => {
    const known = made.get(vendor)
    if (known) return known
    const schemes = vendor === undefined ? schemeOf(values, []).then((scheme) => [scheme]) : schemesOfVendor(vendor)
    made.set(vendor, schemes)
    return schemes
  }
}

async function schemesOfVendor(vendor: string): Promise<readonly Scheme[]> {
  const known = sourcesOf(vendor).filter(({ scheme }) => schemeNames().includes(scheme))
  const made = known.map(({ scheme, options = {} }) =>
    schemeOf({ options: JSON.stringify(options) }, [], scheme).catch((error: unknown) => {
      // A scheme with an option that it requires, such as a lifetime. Then the link shows what `recognise` reads.
      if (error instanceof LinkError && error.code === 'bad_option') return undefined
      throw error
    }),
  )
  return (await Promise.all(made)).filter((scheme) => scheme !== undefined)
}

/** Reads a link: as one of `--scheme`, or of the scheme that it is recognised as. */
async function readingOf(link: string, values: Values, schemes: SchemeSource): Promise<Seen | Unread> {
  // `--options` are for one scheme, so with them the link is not recognised by its parameters.
  const chosen = values['scheme'] !== undefined || values['options'] !== undefined
  const found = chosen ? [] : [recognise(link) ?? []].flat()
  const names = found.map(({ scheme }) => scheme)
  let malformed: Unread | undefined
  for (const { scheme: name, milliseconds } of found) {
    for (const scheme of await schemes(name)) {
      const read = inspectLink(scheme, link)
      if (read) return { names, claims: read.unverified, scheme, milliseconds: milliseconds === true }
      const why = unread(link, scheme)
      // The link of a scheme with another algorithm, such as SigV4A, is malformed, too, and that says nothing about the link.
      if (why.reason === 'malformed' && !/algorithm/i.test(why.parameter ?? '')) malformed ??= why
    }
  }
  if (malformed) return malformed
  // Links of other vendors, and links that need options of their scheme.
  const [first] = found
  if (first) return { names, claims: first.unverified, scheme: undefined, milliseconds: first.milliseconds === true }

  const [scheme] = (await schemes()) as [Scheme]
  const read = inspectLink(scheme, link)
  if (read) return { names: [scheme.name], claims: read.unverified, scheme, milliseconds: false }
  return unread(link, scheme, chosen ? '' : ', and it is not recognised as a link of another scheme')
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

/** The parts of a request that are signed, and that the link does not show. */
function notShown({ claims, scheme }: Seen): readonly ('method' | 'ip')[] {
  const method = claims.methods === undefined && scheme?.reads?.includes('method') === true
  const ip = claims.ip === undefined && scheme?.requires?.includes('ip') === true
  return [...(method ? (['method'] as const) : []), ...(ip ? (['ip'] as const) : [])]
}

const NOT_SHOWN = 'signed, not shown in the link'

function jsonOf(seen: Seen, now: Date): string {
  const { names, claims, scheme, milliseconds } = seen
  const hidden = notShown(seen)
  return `${JSON.stringify({
    scheme: names[0],
    ...(names.length > 1 && { or: names.slice(1) }),
    unverified: claims,
    ...(milliseconds && { milliseconds }),
    secondsLeft: secondsLeft(claims, now),
    ...(scheme && { covers: coveredOf(seen, scheme) }),
    ...(hidden.length > 0 && { notShown: hidden }),
  })}\n`
}

function describe(seen: Seen, now: Date): string {
  const { names, claims, scheme } = seen
  const rows: [string, string][] = [
    ['scheme', schemeText(names, scheme)],
    ['opens', claims.prefix === undefined ? claims.resource : `everything below ${claims.prefix}`],
    ['expires', expiryText(seen, now)],
  ]
  if (claims.starts) rows.push(['starts', claims.starts.toISOString()])
  const method = methodText(seen)
  if (method) rows.push(['method', method])
  if (claims.signedHeaders) rows.push(['headers', claims.signedHeaders.join(', ')])
  const address = addressText(seen)
  if (address) rows.push(['address', address])
  if (claims.uses) rows.push(['uses', `${claims.uses}`])
  if (claims.id) rows.push(['id', claims.id])
  if (claims.keyId) rows.push(['key', claims.keyId])
  if (claims.data !== undefined) rows.push(['data', JSON.stringify(claims.data)])
  if (scheme) {
    rows.push(['covered', coveredOf(seen, scheme).join(', ')])
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

/** The vendors, and the scheme of this package that read the link, if it has another name. */
function schemeText(names: readonly string[], scheme: Scheme | undefined): string {
  const vendors = names.join(' or ')
  return scheme && !names.includes(scheme.name) ? `${vendors} (--scheme ${scheme.name})` : vendors
}

function methodText(seen: Seen): string | undefined {
  if (notShown(seen).includes('method')) return NOT_SHOWN
  // Links of other vendors may open other methods, so the default is shown for schemes of this package only.
  return seen.claims.methods?.join(', ') ?? (seen.scheme && 'GET, HEAD')
}

function addressText(seen: Seen): string | undefined {
  const { ip } = seen.claims
  if (ip === undefined) return unknownAddressText(seen)
  return ip.startsWith('/') ? `one network of ${ip.slice(1)} bits; the link does not show which` : ip
}

function unknownAddressText(seen: Seen): string | undefined {
  if (notShown(seen).includes('ip')) return NOT_SHOWN
  // With Bunny, only the signature tells whether an address was signed.
  return seen.scheme?.reads?.includes('ip') ? 'perhaps signed, not shown in the link' : undefined
}

/** The parts that the signature of this link covers. Of the conditions, only those that the link has, or hides. */
function coveredOf(seen: Seen, { covers }: Scheme): readonly Covered[] {
  const { resource, starts, prefix, uses, id, keyId, signedHeaders } = seen.claims
  const ip = seen.claims.ip ?? notShown(seen).find((part) => part === 'ip')
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
