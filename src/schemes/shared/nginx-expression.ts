// Expressions of NGINX variables, such as "$secure_link_expires$uri $secret": parsed once, and filled in for each link. They
// determine which conditions and claims a link has.
import type { Claims } from '../../core/claims.ts'
import { assertOption } from '../../core/errors.ts'
import { type Covered, type Grant, type Message, type Reading, type RequestPart, SECRET } from '../../core/scheme.ts'
import { printAddress } from '../../lib/address.ts'
import type { Parts } from '../../lib/url.ts'
import { type Field, joined, type Piece, splitsInOneWay } from './nginx-fields.ts'
import {
  argument,
  bytesOf,
  escapeByte,
  expiryClaims,
  type NginxRequest,
  nginxRequest,
  pathOf,
  READABLE_URL,
  textOf,
  without,
} from './nginx-request.ts'

/** The URL that a link was made from, for functions of {@link Variables}. */
export interface SignedUrl extends Omit<Parts, 'plain'> {
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

/** The options that `nginx` and `nginxHmac` share. */
export interface SharedOptions {
  /** Values of further variables, by name, or functions of the URL without the token: `{ raw_path: ({ path }) => path }`. */
  readonly variables?: Variables
  /** As the directive `merge_slashes`. Default: `true`. */
  readonly mergeSlashes?: boolean
  /**
   * Signs and accepts links whose string to sign is also that of another path, time or argument, as NGINX does: a client with such a link can move
   * characters from one field to the next. Default: `false`.
   */
  readonly ambiguous?: boolean
}

/** An expression, parsed, and how it is filled in. */
export interface Expression {
  /** Its literal texts, as bytes, and its variables, in their order. */
  readonly template: readonly ({ readonly literal: string } | { readonly name: string })[]
  /** The names of its variables, in lower case. */
  readonly names: readonly string[]
  /** Values of variables that only NGINX knows, by name in lower case. */
  readonly given: ReadonlyMap<string, Variables[string]>
  /** The names of the link's parameters in its query, in lower case. */
  readonly own: readonly string[]
  /** The fields of those that have digits only. */
  readonly fields: ReadonlyMap<string, Field>
  readonly mergeSlashes: boolean
  /** Are texts allowed that can be split into their fields in several ways? */
  readonly ambiguous: boolean
}

// As in a configuration, where `$12` is `$1` followed by a 2.
const VARIABLE = /\$\{(\w+)\}|\$([1-9]|\w+)/g

/** Two names of one variable. */
const ALIASES: Readonly<Record<string, string>> = { document_uri: 'uri' }

/**
 * Parses the expression that an option has.
 *
 * @param own - The names of the link's parameters in its query.
 * @param fields - The fields of those that have digits only.
 */
export function parseExpression(
  option: string,
  text: string,
  options: SharedOptions,
  own: readonly string[],
  fields: Readonly<Record<string, Field>>,
): Expression {
  const { variables = {}, mergeSlashes = true, ambiguous = false } = options
  assertOption(typeof mergeSlashes === 'boolean', 'mergeSlashes', 'true or false')
  assertOption(typeof ambiguous === 'boolean', 'ambiguous', 'true or false')
  assertOption(!text.replace(VARIABLE, '').includes('$'), option, 'a text of NGINX variables, in which each $ begins the name of one')
  const given = new Map(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]))
  const template: ({ literal: string } | { name: string })[] = []
  let end = 0
  for (const { 0: written, 1: braced, 2: plain, index } of text.matchAll(VARIABLE)) {
    if (index > end) template.push({ literal: bytesOf(text.slice(end, index)) })
    const name = (braced ?? (plain as string)).toLowerCase()
    template.push({ name: given.has(name) ? name : (ALIASES[name] ?? name) })
    end = index + written.length
  }
  if (end < text.length) template.push({ literal: bytesOf(text.slice(end)) })
  return {
    template,
    names: template.flatMap((part) => ('name' in part ? part.name : [])),
    given,
    own: own.filter(Boolean).map((name) => name.toLowerCase()),
    fields: new Map(Object.entries(fields).map(([name, field]) => [`arg_${name}`.toLowerCase(), field])),
    mergeSlashes,
    ambiguous,
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

/** Does the signature cover this variable? A fixed text of the option `variables` is not part of the request, so it does not count. */
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

/** What a signature of the expression covers, without the expiry. */
export function coveredBy({ names, given, own }: Expression): readonly Covered[] {
  const covered = names.flatMap((name): Covered | [] => {
    if (given.has(name)) return []
    const argument = name.startsWith('arg_') ? name.slice('arg_'.length) : undefined
    if (argument !== undefined) return own.includes(argument) ? [] : `?${argument}`
    return COVERED.get(name) ?? []
  })
  return [...new Set(covered)]
}

/** The facts of a scheme that follow from the variables of its expression. */
export function factsOf<C extends 'ip' | 'method'>(
  expression: Expression,
): {
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

/** Fills in an expression. The piece of `$secret` stays empty. */
function fill({ template, given }: Expression, request: NginxRequest, values: Values): readonly Piece[] {
  return template.map((part) => {
    if ('literal' in part) return { text: part.literal }
    const { name } = part
    const text = name === 'secret' ? '' : (valueFor(name, given.get(name), request, values) ?? '')
    return { name, text }
  })
}

function valueFor(name: string, given: Variables[string] | undefined, request: NginxRequest, values: Values): string | undefined {
  if (typeof given === 'function') return bytesOf(given({ ...request.parts, uri: textOf(request.uri) as string }))
  if (given !== undefined) return bytesOf(given)
  if (name.startsWith('arg_')) return argument(request.args, name.slice('arg_'.length))
  if (name === 'uri') return request.uri
  if (name === 'host') return request.host
  if (name === 'args' || name === 'query_string') return request.args
  return values[name]
}

/**
 * The string to sign: the text of the expression. `undefined` if it can be split into its fields in several ways, and the options do not allow it.
 */
function stringToSign(expression: Expression, request: NginxRequest, values: Values): Message | undefined {
  const pieces = fill(expression, request, values)
  if (!expression.ambiguous && !splitsInOneWay(pieces, expression.fields)) return undefined
  if (!pieces.some(({ name }) => name === 'secret')) return textOf(joined(pieces))
  return { pieces: pieces.map(({ name, text }) => (name === 'secret' ? SECRET : textOf(text))) }
}

/** Can the functions in the option `variables` get this path as text? They cannot if it is not UTF-8. */
function fitsFunctions({ given }: Expression, { uri }: NginxRequest): boolean {
  return typeof textOf(uri) === 'string' || ![...given.values()].some((value) => typeof value === 'function')
}

/** The request that a link of this URL will make. Throws for a URL that NGINX cannot read, or that has a parameter of the link. */
export function requestToSign(expression: Expression, { parts }: Grant): NginxRequest {
  const { origin, path, query } = parts
  const args = bytesOf(query.slice(1))
  // The verbs compare names with their case, but NGINX ignores the case.
  for (const name of expression.own)
    assertOption(argument(args, name) === undefined, 'url', `without the parameter '${name}', which the link adds`)
  const request = nginxRequest({ origin, path, query: without(query, expression.own), fragment: '' }, args, expression.mergeSlashes)
  assertOption(request, 'url', READABLE_URL)
  assertOption(fitsFunctions(expression, request), 'url', 'one with a path of UTF-8, because functions in variables get it as text')
  const hasHost = /^[!-~]+$/.test(request.host)
  assertOption(hasHost || !covers(expression, 'host'), 'url', 'absolute, with the host as it is sent, because $host is signed')
  return request
}

/** The string to sign for a grant. `values` are those variables that hold parts of the link. */
export function grantToSign(expression: Expression, { ip, methods }: Grant, request: NginxRequest, values: Values): Message {
  assertOption(!ip?.includes('/'), 'ip', 'an address and not a network, because NGINX compares its text')
  const [method = 'GET', another] = methods ?? []
  assertOption(!another, 'method', 'one method, because NGINX compares its text')
  assertOption(
    sentAsTheyStand(expression, request),
    'url',
    'one whose signed parameters are percent-encoded: NGINX compares them undecoded',
  )
  const toSign = stringToSign(expression, request, { ...values, remote_addr: ip && printAddress(ip), request_method: method })
  assertOption(
    toSign !== undefined,
    'url',
    'one whose text can be split into its fields in one way: here a value contains the separator next to it, or two fields have no separator (the option ambiguous allows it)',
  )
  return toSign
}

/**
 * Do clients send the arguments of an expression as they stand? NGINX compares them undecoded, and browsers escape a quote, so a link for
 * `?user='` would open nothing.
 */
function sentAsTheyStand({ names }: Expression, { args }: NginxRequest): boolean {
  const altered = /[^!-~]|["'<>]/
  return names.every((name) => !name.startsWith('arg_') || !altered.test(argument(args, name.slice('arg_'.length)) ?? ''))
}

/** The request of a link, or `undefined` for one that cannot be read. `parts` are those of the URL without the link's parameters. */
export function requestOf(expression: Expression, parts: Omit<Parts, 'fragment'>, args: string): NginxRequest | undefined {
  const request = nginxRequest({ ...parts, fragment: '' }, args, expression.mergeSlashes)
  return request && fitsFunctions(expression, request) ? request : undefined
}

/** A link that can be read. */
export interface Found {
  readonly request: NginxRequest
  readonly token: string
  /** The variables that hold parts of the link. */
  readonly values: Values
  /** The expiry in seconds. */
  readonly seconds: number
  /** The URL without the token. */
  readonly resource: string
  /** The part of the URL that a valid signature proves: path and query. */
  readonly proven: string
}

/** The reading of a link. */
export function readingOf(expression: Expression, { request, token, values, seconds, resource, proven }: Found): Reading {
  return {
    claims: { resource, ...expiryClaims(seconds) },
    signature: token,
    toSign({ ip, method }) {
      const address = ip === undefined ? undefined : printAddress(ip)
      if (!address && covers(expression, 'remote_addr')) return undefined
      return stringToSign(expression, request, { ...values, remote_addr: address, request_method: method })
    },
    proves({ ip = '', method }) {
      const claims: { -readonly [Name in keyof Claims]?: Claims[Name] } = { resource: proven }
      if (covers(expression, 'remote_addr')) claims.ip = printAddress(ip) as string
      if (covers(expression, 'request_method')) claims.methods = [method]
      return claims
    },
  }
}

/** The part of a URL that a signature with `$uri` covers: the path, and those arguments that the expression has. Without scheme and port. */
export function coveredUrl(expression: Expression, request: NginxRequest): string {
  return (covers(expression, 'uri') ? pathOf(request.uri) : '/') + coveredQuery(expression, request)
}

/** The arguments that the expression has, as a query: the first of a name, its value as it stands. */
export function coveredQuery(expression: Expression, { parts, args }: NginxRequest): string {
  if (covers(expression, 'args') || covers(expression, 'query_string')) return parts.query
  const pairs = coveredBy(expression).flatMap((covered) => {
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
