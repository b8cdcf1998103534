// Edge tokens, `__token__=exp=1767229200~acl=/*~hmac=…`: the form that Akamai, Cloudinary, Uploadcare and Google's Media CDN share. Such a token
// stands in the query, in a cookie or in a header, and its patterns have `*` and `?`.
import type { Cookie } from '../../core/scheme.ts'
import { below, normal, normalPath } from '../../lib/normalise.ts'
import { decodeValue, encodeValue, type Parts, split } from '../../lib/url.ts'
import { assertDelivered } from './vendor-hosts.ts'

/** Finds a header by its name in lower case. */
export type HeaderReader = (name: string) => string | undefined

/** The tokens of a request, and the rest of its URL. */
export interface Presented {
  /** The token, or several where the request has several. */
  readonly tokens: readonly string[]
  /** The URL without the token. */
  readonly rest: Parts
}

/**
 * Finds the token of a request by its name: in the query, or else in the cookies, or else in the header of that name.
 *
 * @param cookieName - For a vendor whose cookie has another name, and who reads no header.
 */
export function presented(url: string, name: string, header?: HeaderReader, cookieName?: string): Presented {
  const parts = split(url)
  const pieces = parts.query.slice(1).split('&')
  const others = pieces.filter((piece) => nameOf(piece) !== name).join('&')
  const rest = { ...parts, query: others && `?${others}` }
  const inQuery = valuesOf(name, pieces)
  if (inQuery.length > 0) return { tokens: inQuery, rest }
  const inCookies = cookiesOf(cookieName ?? name, header)
  const inHeader = cookieName === undefined ? header?.(name.toLowerCase()) : undefined
  return { tokens: inCookies.length > 0 || inHeader === undefined ? inCookies : [inHeader], rest }
}

/** The values of all cookies of a name. */
export function cookiesOf(name: string, header?: HeaderReader): readonly string[] {
  return valuesOf(name, header?.('cookie')?.split(/;\s*/) ?? [])
}

/** The token of a link, as the cookie that the edge reads in its place. `undefined` if the query has none, or several. */
export function asCookie(link: string, name: string, cookieName: string): readonly Cookie[] | undefined {
  const [value, second] = valuesOf(name, split(link).query.slice(1).split('&'))
  return value === undefined || second !== undefined ? undefined : [{ name: cookieName, value }]
}

/** The name of a parameter; `undefined` if it has no value. */
function nameOf(piece: string): string | undefined {
  const equals = piece.indexOf('=')
  return equals < 0 ? undefined : decodeValue(piece.slice(0, equals))
}

const valuesOf = (name: string, pieces: readonly string[]): readonly string[] =>
  pieces.filter((piece) => nameOf(piece) === name).map((piece) => piece.slice(piece.indexOf('=') + 1))

/** The URL as clients send it. Throws for the host of a storage, which does not know the links of a network in front of it. */
export function deliveredUrl(url: string, { origin }: Parts): string {
  assertDelivered(origin)
  return origin + asClientsSend(url.slice(origin.length))
}

/** The parts of a token. */
export interface EdgeToken<Name extends string> {
  /** The fields by their names, as they stand. A field without a value, such as `FullPath`, has its own name as value. */
  readonly fields: { readonly [N in Name]?: string }
  /** Everything before the signature, as it stands. */
  readonly text: string
  readonly signature: string
}

/**
 * Splits a token into its fields. Only the field `bare` has no value. `undefined` if a field is unknown, empty or repeated, or if the token does not
 * end with its signature.
 */
export function parseToken<Name extends string>(
  value: string,
  names: readonly Name[],
  delimiter = '~',
  bare?: Name,
): EdgeToken<Name> | undefined {
  const mark = `${delimiter}hmac=`
  // Some clients decode the token and then escape all of it again, including `~` and `=`.
  const token = value.includes(mark) ? value : asClientsSend(decodeValue(value.replaceAll('+', '%20')) ?? value)
  const end = token.lastIndexOf(mark)
  if (end < 0) return
  const text = token.slice(0, end)
  const fields: { [N in Name]?: string } = {}
  for (const field of text.split(delimiter)) {
    const equals = field.indexOf('=')
    const name = names.find((each) => each === (equals < 0 ? field : field.slice(0, equals)))
    const value = field.slice(equals + 1)
    if (!name || !value || fields[name] !== undefined || equals < 0 !== (name === bare)) return
    fields[name] = value
  }
  return { fields, text, signature: token.slice(end + mark.length) }
}

/** A value as a field has it: without characters that would end the parameter, and without those that clients escape. */
export function escapeField(text: string): string {
  return text.replace(/[^\w\-.~!*()/=:@,$?;]/gu, encodeValue)
}

/**
 * Path and query of a URL as clients send them. Each character that browsers escape is escaped, so that all clients send the text that is signed: `{`,
 * `}` and a backtick in a path, and `'` in a query.
 */
export function asClientsSend(text: string): string {
  const escaped = withoutUnsafe(text)
  const mark = escaped.indexOf('?')
  return mark < 0 ? escaped : escaped.slice(0, mark) + escaped.slice(mark).replaceAll("'", '%27')
}

/** The same, but with `'` as it is, for vendors whose packages do not escape it. */
export function withoutUnsafe(text: string): string {
  return text.replace(/[^!-~]|["<>\\^`{}]/gu, encodeValue)
}

/** The opposite: the text before clients escaped it. Signers that do not escape have signed spaces and letters unescaped. */
export function asTyped(text: string): string {
  return text.replace(/%(?:2[027]|3[CE]|5[CE]|60|7[B-D])|(?:%[89A-F][\dA-F])+/g, (escapes) => decodeValue(escapes) ?? escapes)
}

/**
 * The resource for the claims of a token: without the origin, which tokens do not cover. A path that begins with two slashes keeps the origin, because
 * `new URL()` would take its first segment for a host.
 */
export function claimedResource(origin: string, target: string): string {
  return target.startsWith('//') ? origin + target : target
}

/** The texts that a signer may have signed: one or two. */
export function sentOrTyped(sent: string, typed: string): readonly string[] {
  return sent === typed ? [sent] : [sent, typed]
}

/** Does one of these patterns open the path? Both are compared in normal form. No pattern opens a path that leaves its folder with `..%2F`. */
export function opensPath(patterns: readonly string[], path: string): boolean {
  const normalised = normalPath(path)
  return below(normalised, '/') && patterns.some((pattern) => matchesPattern(normal(pattern), normalised))
}

/** `*` stands for any characters, slashes among them, and `?` for one. Without backtracking, because a link may have many `*`. */
export function matchesPattern(pattern: string, text: string): boolean {
  let at = 0
  let from = 0
  // The place of the last `*`, and the place in the path after the characters that it matches.
  let star = -1
  let behind = 0
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = at++
      behind = from
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[from])) {
      at++
      from++
    } else if (star >= 0) {
      at = star + 1
      from = ++behind
    } else {
      return false
    }
  }
  return /^\**$/.test(pattern.slice(at))
}

/** The prefix, in normal form, that patterns stand for: `/a/*`, or `/a` and `/a/*`. `undefined` for others, such as `/a*`, which also opens `/ab`. */
export function prefixOf(patterns: readonly string[]): string | undefined {
  const folder = patterns[patterns.length - 1]?.replace(/\*$/, '') ?? ''
  if (!folder.endsWith('/') || !folder.startsWith('/') || /[*?]/.test(folder)) return undefined
  const without = folder.slice(0, -1)
  if (patterns.length === 2 && patterns[0] === without && patterns[1] === `${folder}*`) return normalPath(without)
  return patterns.length === 1 && patterns[0] === `${folder}*` ? normalPath(folder) : undefined
}

/** The patterns for a prefix. */
export function patternsOf(prefix: string): readonly string[] {
  return prefix.endsWith('/') ? [`${prefix}*`] : [prefix, `${prefix}/*`]
}
