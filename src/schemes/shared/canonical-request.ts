// The canonical request: the parts of a request that a signature covers, in the one form that signer and verifier share.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#canonical-request
import { decodeValue, encodeValue } from '../../lib/url.ts'

/** The parts of a canonical request, each in canonical form. */
export interface CanonicalParts {
  readonly method: string
  readonly path: string
  readonly query: string
  /** A line for each signed header. */
  readonly headers: string
  /** Their names, with `;` between them. */
  readonly signedHeaders: string
  /** The hash of the body, or `UNSIGNED-PAYLOAD`. */
  readonly payload: string
}

export function canonicalRequest({ method, path, query, headers, signedHeaders, payload }: CanonicalParts): string {
  return `${method}\n${path}\n${query}\n${headers}\n${signedHeaders}\n${payload}`
}

/** A query parameter in canonical form. */
export interface CanonicalParameter {
  readonly name: string
  readonly value: string
}

/** `undefined` for a broken escape, and for dots, which clients resolve before they send. An escaped slash is a slash to the storages. */
export function canonicalPath(path: string): string | undefined {
  const text = /^[\w.~/-]*$/.test(path) ? path : canonical(path)?.replaceAll('%2F', '/')
  return text?.[0] !== '/' || /\/\.\.?(\/|$)/.test(text) ? undefined : text
}

/** The parameters of a query, in the order in which they are written. `undefined` for a broken escape. */
export function canonicalParameters(query: string): readonly CanonicalParameter[] | undefined {
  const parameters: CanonicalParameter[] = []
  if (!query) return parameters
  for (const piece of query.slice(1).split('&')) {
    if (!piece) continue
    const end = `${piece}=`.indexOf('=')
    // The storages read a `+` in a query as a space.
    const name = canonical(piece.slice(0, end).replaceAll('+', ' '))
    const value = name === undefined ? undefined : canonical(piece.slice(end + 1).replaceAll('+', ' '))
    if (name === undefined || value === undefined) return undefined
    parameters.push({ name, value })
  }
  return parameters
}

/** The parameters as they are signed: ordered by name, and then by value. */
export function canonicalQuery(parameters: readonly CanonicalParameter[]): string {
  return print(ordered(parameters))
}

export function ordered(parameters: readonly CanonicalParameter[]): readonly CanonicalParameter[] {
  return isOrdered(parameters) ? parameters : [...parameters].sort(byNameAndValue)
}

export function print(parameters: readonly CanonicalParameter[]): string {
  let query = ''
  for (const { name, value } of parameters) query += `${query && '&'}${name}=${value}`
  return query
}

/** For vendors who leave out the `=` of a parameter without a value. */
export function printShort(parameters: readonly CanonicalParameter[]): string {
  return parameters.map(({ name, value }) => (value ? `${name}=${value}` : name)).join('&')
}

function isOrdered(parameters: readonly CanonicalParameter[]): boolean {
  return parameters.every((each, i) => i === 0 || byNameAndValue(parameters[i - 1] as CanonicalParameter, each) <= 0)
}

function byNameAndValue(a: CanonicalParameter, b: CanonicalParameter): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  return a.value < b.value ? -1 : +(a.value > b.value)
}

/** A line for each of the headers. `undefined` when one of them is missing. */
export function canonicalHeaders(names: readonly string[], header: (name: string) => string | undefined): string | undefined {
  let lines = ''
  for (const name of names) {
    const value = header(name)
    if (value === undefined) return undefined
    lines += `${name}:${value.trim().replace(/\s+/g, ' ')}\n`
  }
  return lines
}

/** The text with every character escaped that is escaped in signed text, and no other. `undefined` for a broken escape. */
function canonical(text: string): string | undefined {
  const plain = decodeValue(text)
  return plain === undefined ? undefined : encodeValue(plain)
}
