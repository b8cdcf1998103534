// Expressions of NGINX variables, such as "$secure_link_expires$uri $secret": parsed once, filled in for each link, and what they say about the
// conditions and claims of a link.
import type { Claims } from '../../core/claims.ts'
import { assertOption } from '../../core/errors.ts'
import { type Covered, type Grant, type Message, type RequestPart, SECRET, type Visit } from '../../core/scheme.ts'
import { printAddress } from '../../lib/address.ts'
import type { Parts } from '../../lib/url.ts'
import { argument, bytesOf, escapeByte, type NginxRequest, nginxRequest, READABLE_URL, textOf, without } from './nginx-request.ts'

/** The URL that a link was made from, for functions of {@link Variables}. */
export interface SignedUrl extends Parts {
  /** The path as NGINX has it in `$uri`: percent-decoded, slashes merged. */
  readonly uri: string
}

/**
 * Values of variables that only NGINX knows, by name, as text; or functions of the URL. A function gets the URL without the token, the expiry and
 * the link's other parameters, so it is the same for `sign` and `verify`.
 */
export type Variables = Readonly<Record<string, string | ((url: SignedUrl) => string)>>

/** The conditions that links of an expression can carry: an address if it has `$remote_addr`, a method if it has `$request_method`. */
export type ConditionOf<T extends string> = string extends T
  ? 'ip' | 'method'
  :
      | (T extends `${string}$remote_addr${string}` | `${string}{remote_addr}${string}` ? 'ip' : never)
      | (T extends `${string}$request_method${string}` | `${string}{request_method}${string}` ? 'method' : never)

/** An expression with `$remote_addr` needs the address. */
export type ConditionsOf<T extends string> = T extends `${string}$remote_addr${string}` | `${string}{remote_addr}${string}`
  ? { readonly ip: string }
  : object

/** An expression, parsed. */
export interface Expression {
  /** Its literal texts, as bytes, and its variables, in their order. */
  readonly template: readonly ({ readonly literal: string } | { readonly name: string })[]
  /** The names of its variables, in lower case. */
  readonly names: readonly string[]
  /** Values of variables that only NGINX knows, by name in lower case. */
  readonly given: ReadonlyMap<string, Variables[string]>
}

// As in a configuration; `$12` is `$1` and a 2.
const VARIABLE = /\$\{(\w+)\}|\$([1-9]|\w+)/g

/** Parses the expression that an option has. */
export function parseExpression(option: string, text: string, variables: Variables = {}): Expression {
  assertOption(!text.replace(VARIABLE, '').includes('$'), option, 'a text of NGINX variables, in which each $ begins the name of one')
  const template: ({ literal: string } | { name: string })[] = []
  let end = 0
  for (const { 0: written, 1: braced, 2: plain, index } of text.matchAll(VARIABLE)) {
    if (index > end) template.push({ literal: bytesOf(text.slice(end, index)) })
    template.push({ name: (braced ?? (plain as string)).toLowerCase() })
    end = index + written.length
  }
  if (end < text.length) template.push({ literal: bytesOf(text.slice(end)) })
  return {
    template,
    names: template.flatMap((part) => ('name' in part ? part.name : [])),
    given: new Map(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value])),
  }
}

/** Which variables an expression can have. */
export interface VariableRules {
  /** Known here. Beside these there are `$arg_name`, and those that the option `variables` gives. */
  readonly known: readonly string[]
  /** Those that hold the token itself. */
  readonly holdToken: readonly string[]
  /** Those whose value is always that of the link or of the request. */
  readonly fixed: readonly string[]
}

/** Throws for an expression with a variable whose value cannot be known here. */
export function assertVariables(option: string, { names, given }: Expression, { known, holdToken, fixed }: VariableRules): void {
  for (const name of fixed) assertOption(!given.has(name), 'variables', `those that only NGINX knows, without $${name}`)
  for (const name of names) {
    if (given.has(name)) continue
    assertOption(!holdToken.includes(name), option, `without $${name}, which holds the token itself`)
    // A long name may be a secret with a $ in it.
    const shown = name.slice(0, 40)
    const rule = `without $${shown}, or the option variables must give its value, because only NGINX knows it`
    assertOption(known.includes(name) || name.startsWith('arg_'), option, rule)
  }
}

/** Does the signature cover this variable? The text of the option `variables` is no part of the request. */
export function covers({ names, given }: Expression, name: string): boolean {
  return names.includes(name) && !given.has(name)
}

const COVERED: ReadonlyMap<string, Covered> = new Map([
  ['uri', 'path'],
  ['host', 'host'],
  ['args', 'query'],
  ['query_string', 'query'],
  ['remote_addr', 'ip'],
  ['request_method', 'method'],
])

/** What a signature of the expression covers, without the expiry. `own` are the names of the link's parameters. */
export function coveredBy(expression: Expression, own: readonly string[]): readonly Covered[] {
  const covered = expression.names.flatMap((name): Covered | [] => {
    if (expression.given.has(name)) return []
    const argument = name.startsWith('arg_') ? name.slice('arg_'.length) : undefined
    if (argument !== undefined) return own.includes(argument) ? [] : `?${argument}`
    return COVERED.get(name) ?? []
  })
  return [...new Set(covered)]
}

/** The facts of a scheme that follow from the variables of its expression. */
export function factsOf<C extends 'ip' | 'method'>(expression: Expression): {
  carries: readonly C[]
  requires: readonly C[]
  reads: readonly RequestPart[]
} {
  const ip = covers(expression, 'remote_addr') ? ['ip' as const] : []
  const method = covers(expression, 'request_method') ? ['method' as const] : []
  const both = [...ip, ...method]
  return { carries: both as readonly ('ip' | 'method')[] as readonly C[], requires: ip as readonly 'ip'[] as readonly C[], reads: both }
}

/** Values of variables, as bytes. */
export type Values = Readonly<Record<string, string | undefined>>

/** A piece of a filled expression: its own text, or the value of a variable. Bytes, one character each. */
export interface Piece {
  /** The variable's name, in lower case. */
  readonly name?: string
  readonly text: string
}

/** Fills in an expression. The piece of `$secret` stays empty. */
export function fill({ template, given }: Expression, request: NginxRequest, values: Values): readonly Piece[] {
  return template.map((part) => {
    if ('literal' in part) return { text: part.literal }
    const { name } = part
    const text = name === 'secret' ? '' : (valueOf(name, given.get(name), request, values) ?? '')
    return { name, text }
  })
}

function valueOf(name: string, given: Variables[string] | undefined, request: NginxRequest, values: Values): string | undefined {
  if (typeof given === 'function') return bytesOf(given({ ...request.parts, uri: textOf(request.uri) as string }))
  if (given !== undefined) return bytesOf(given)
  if (name.startsWith('arg_')) return argument(request.args, name.slice('arg_'.length))
  if (name === 'uri') return request.uri
  if (name === 'host') return request.host
  if (name === 'args' || name === 'query_string') return request.args
  return values[name]
}

/** The text of all pieces. */
const joined = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join('')

/** The pieces as a string to sign. */
export function messageOf(pieces: readonly Piece[]): Message {
  if (!pieces.some(({ name }) => name === 'secret')) return textOf(joined(pieces))
  return { pieces: pieces.map(({ name, text }) => (name === 'secret' ? SECRET : textOf(text))) }
}

/** The values that a variable can have, as far as they tell where it begins and ends. */
interface Field {
  /** The length of the shortest one. */
  readonly least: number
  /** Can this byte be the one at this place? All places from `least` on are alike. */
  holds(byte: number, at: number): boolean
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isIn = (characters: string) => (byte: number) => characters.includes(String.fromCharCode(byte))
// No space and no control character, as in a request line.
const isPrinted = (byte: number): boolean => byte > 0x20 && byte !== 0x7f

const PATH: Field = { least: 1, holds: (byte, at) => (at ? byte !== 0 : byte === 0x2f) }
const ARGUMENT: Field = { least: 0, holds: (byte) => isPrinted(byte) && byte !== 0x26 && byte !== 0x23 }
const ANYTHING: Field = { least: 0, holds: () => true }

/** A number of seconds, such as a lifetime. */
export const SECONDS: Field = { least: 1, holds: isDigit }

/** A time in seconds since 1970. With fewer than ten digits it was before 2001, and the link has expired. */
export const EXPIRY: Field = { least: 10, holds: isDigit }

const FIELDS: ReadonlyMap<string, Field> = new Map([
  ['uri', PATH],
  ['rest', PATH],
  ['secure_link_expires', EXPIRY],
  ['secure_link_hmac_expires', SECONDS],
  ['remote_addr', { least: 2, holds: isIn('0123456789abcdef.:') }],
  ['request_method', { least: 1, holds: isIn('ABCDEFGHIJKLMNOPQRSTUVWXYZ_-') }],
  ['host', { least: 1, holds: (byte: number) => isPrinted(byte) && byte !== 0x2f }],
])

/** Fields of variables that differ from scheme to scheme: the link's own arguments. */
export type OwnFields = ReadonlyMap<string, Field>

/**
 * Can the text of these pieces be split into the fields of its expression in one way only? If not, it is also the text of another path, time or
 * argument, and the token is valid for that, too: with `$uri|$arg_ts`, the path `/a|2099` and the time `1` make the text of the path `/a` and the
 * time `2099|1`.
 *
 * A secret between two fields keeps them apart, because clients cannot write it. Its characters are not looked at, so that no time depends on them.
 * `$uri$remote_addr` counts as one field, because the most common expression has it. The check therefore does not tell where the path ends and the
 * address begins.
 */
export function splitsInOneWay(pieces: readonly Piece[], own: OwnFields): boolean {
  const secret = pieces.findIndex(({ name }) => name === 'secret')
  if (secret >= 0) return splitsInOneWay(pieces.slice(0, secret), own) && splitsInOneWay(pieces.slice(secret + 1), own)
  const text = joined(pieces)
  // For each place in the text: in how many ways the pieces so far can end there.
  let ways: Float64Array = new Float64Array(text.length + 1)
  ways[0] = 1
  let before: Field | undefined
  for (const { name, text: value } of pieces) {
    const field = name === undefined ? undefined : fieldOf(name, own)
    if (name === 'remote_addr' && before === PATH) continue
    ways = field ? waysBehindField(ways, text, field, value) : waysBehindLiteral(ways, text, value)
    before = field
  }
  return ways[text.length] === 1
}

function fieldOf(name: string, own: OwnFields): Field {
  return own.get(name) ?? FIELDS.get(name) ?? (name.startsWith('arg_') ? ARGUMENT : ANYTHING)
}

function waysBehindLiteral(ways: Float64Array, text: string, literal: string): Float64Array {
  const next = new Float64Array(ways.length)
  for (let at = 0; at + literal.length <= text.length; at++)
    if (ways[at] && text.startsWith(literal, at)) next[at + literal.length] = ways[at] as number
  return next
}

function waysBehindField(ways: Float64Array, text: string, field: Field, value: string): Float64Array {
  const next = new Float64Array(ways.length)
  // A value that a client chose may be shorter than a well-formed one.
  const least = Math.min(field.least, value.length)
  const canBegin = (from: number): boolean => {
    for (let at = 0; at < least; at++) if (!field.holds(text.charCodeAt(from + at), at)) return false
    return true
  }
  // In how many ways the field can have begun, so that it reaches up to `end`.
  let begun = 0
  for (let end = least; end <= text.length; end++) {
    if (ways[end - least] && canBegin(end - least)) begun += ways[end - least] as number
    next[end] = begun
    if (!field.holds(text.charCodeAt(end), field.least)) begun = 0
  }
  return next
}

/** The rule of {@link splitsInOneWay}, for errors of `sign`. */
export const ONE_SPLIT =
  'one whose text can be split into its fields in one way: here a value contains the separator next to it, or two fields have no separator (the option ambiguous allows it)'

/** Can all functions be given this path as text? Not one that is not UTF-8. */
export function fitsFunctions({ given }: Expression, { uri }: NginxRequest): boolean {
  return typeof textOf(uri) === 'string' || ![...given.values()].some((value) => typeof value === 'function')
}

/** The request that a link of this URL will make. Throws for a URL that NGINX cannot read, or that has a parameter of the link. */
export function requestToSign(expression: Expression, { parts }: Grant, own: readonly string[], mergeSlashes: boolean): NginxRequest {
  const { query } = parts
  const request = nginxRequest({ ...parts, query: without(query, own), fragment: '' }, bytesOf(query.slice(1)), mergeSlashes)
  assertOption(request, 'url', READABLE_URL)
  assertOption(fitsFunctions(expression, request), 'url', 'one with a path of UTF-8, because functions in variables get it as text')
  assertOption(!covers(expression, 'host') || /^[!-~]+$/.test(request.host), 'url', 'absolute, with the host as it is sent, because $host is signed')
  // The verbs compare names as they are written, and NGINX in any case.
  for (const name of own) assertOption(argument(request.args, name) === undefined, 'url', `without the parameter '${name}', which the link adds`)
  return request
}

/** The variables that hold conditions, for a link to sign. */
export function grantedValues({ ip, methods }: Grant): Values {
  assertOption(!ip?.includes('/'), 'ip', 'an address and not a network, because NGINX compares its text')
  const [method = 'GET', another] = methods ?? []
  assertOption(!another, 'method', 'one method, because NGINX compares its text')
  return { remote_addr: ip && printAddress(ip), request_method: method }
}

/** The same variables, for a request. `undefined` if the expression needs an address that is not known. */
export function requestedValues(expression: Expression, { ip, method }: Visit): Values | undefined {
  const address = ip === undefined ? undefined : printAddress(ip)
  if (!address && covers(expression, 'remote_addr')) return undefined
  return { remote_addr: address, request_method: method }
}

/** The claims that a good signature proves: the resource as far as it is covered, and the address and the method of the request. */
export function provenClaims(expression: Expression, { ip = '', method }: Visit, resource: string): Partial<Claims> {
  const proven: { -readonly [Name in keyof Claims]?: Claims[Name] } = { resource }
  if (covers(expression, 'remote_addr')) proven.ip = printAddress(ip) as string
  if (covers(expression, 'request_method')) proven.methods = [method]
  return proven
}

/** The arguments that the expression has, as a query: the first of a name, its value as it stands. `own` are the link's parameters. */
export function coveredQuery(expression: Expression, own: readonly string[], { args }: NginxRequest): string {
  const pairs = coveredBy(expression, own).flatMap((covered) => {
    if (!covered.startsWith('?')) return []
    const value = argument(args, covered.slice(1))
    // An argument without a value has the same text as a missing one.
    return value ? `${covered.slice(1)}=${value.replace(/[\x80-\xff]/g, escapeByte)}` : []
  })
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

/** The argument of a directive in a piece of configuration, such as `name "text";`. */
export function directive(text: string, name: string): string | undefined {
  const quoted = `"((?:[^"\\\\]|\\\\.)*)"|'((?:[^'\\\\]|\\\\.)*)'|((?:\\$\\{\\w+\\}|[^\\s;"'{}])+)`
  const found = new RegExp(`(?:^|[\\s;{}])${name}\\s+(?:${quoted})\\s*(?:;|$)`, 's').exec(text.replace(/^\s*#.*$/gm, ''))
  const [, double, single, bare] = found ?? []
  const escapes: Record<string, string> = { t: '\t', r: '\r', n: '\n' }
  return (double ?? single ?? bare)?.replace(/\\(["'\\trn])/g, (_, character) => escapes[character] ?? character)
}
