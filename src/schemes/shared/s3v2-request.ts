// The string to sign of Signature Version 2, and the parts of a request that it has: one method, some headers, bucket and path, and some parameters.
import { assertOption } from '../../core/errors.ts'
import { decodeValue } from '../../lib/url.ts'
import { type CanonicalParameter, canonicalParameters, canonicalPath, printShort } from './canonical-request.ts'
import type { V2Vendor } from './s3v2-vendors.ts'
import { areDifferent, textsOf } from './texts-of.ts'

type Headers = Iterable<readonly [name: string, value: string]>

/** Everything that is signed, except the method and the headers. */
export interface Signed {
  readonly expires: string
  /** The bucket and the path. */
  readonly resource: string
  /** The parameters that are signed, decoded. */
  readonly parameters: readonly CanonicalParameter[]
}

/** The string to sign, in the words of Amazon's page. */
export function stringToSign(vendor: V2Vendor, { expires, resource, parameters }: Signed, method: string, headers: Headers): string {
  const isHeader = ({ name }: CanonicalParameter) => vendor.parametersAreHeaders && name.startsWith(vendor.prefix)
  const all = [...headers, ...parameters.filter(isHeader).map(({ name, value }) => [name, value] as const)]
  const canonicalizedHeaders = linesOf(all, (name) => name.startsWith(vendor.prefix))
    .map(([name, value]) => `${name}:${value}\n`)
    .join('')
  const subresources = printShort(parameters.filter((parameter) => !isHeader(parameter)))
  const canonicalizedResource = resource + (subresources && `?${subresources}`)
  const [[, contentMd5] = ['', '']] = linesOf(headers, (name) => name === 'content-md5')
  const [[, contentType] = ['', '']] = linesOf(headers, (name) => name === 'content-type')
  return `${method}\n${contentMd5}\n${contentType}\n${expires}\n${canonicalizedHeaders}${canonicalizedResource}`
}

/** The headers of these names, in lower case and in order. Of two with one name, the values are joined. */
function linesOf(headers: Headers, isSigned: (name: string) => boolean): [name: string, value: string][] {
  const lines = new Map<string, string>()
  for (const [written, value] of headers) {
    const name = written.toLowerCase()
    if (isSigned(name)) lines.set(name, lines.has(name) ? `${lines.get(name)},${value.trim()}` : value.trim())
  }
  return [...lines].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The path as it is signed. `undefined` if it cannot be decoded, or if the string to sign would not keep it apart from a sub-resource. */
export function pathToSign(vendor: V2Vendor, path: string): string | undefined {
  if (!canonicalPath(path)) return undefined
  if (!vendor.decodesPath) return path
  const plain = decodeValue(path)
  return plain !== undefined && hidesSubresource(vendor, plain) ? undefined : plain
}

function isSigned({ subresources, prefix }: V2Vendor, name: string): boolean {
  return subresources.has(name) || name.startsWith(prefix)
}

/**
 * The parameters that are signed, decoded and in order. `undefined` for a broken escape, for one that is repeated, and for a value that the string to
 * sign would not keep apart from another parameter.
 */
export function signedParameters(vendor: V2Vendor, query: string): readonly CanonicalParameter[] | undefined {
  const signed = canonicalParameters(query)
    ?.filter(({ name }) => isSigned(vendor, name))
    .map(({ name, value }) => ({ name, value: decodeURIComponent(value) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const isBad = ({ name, value }: CanonicalParameter, at: number) =>
    name === signed?.[at - 1]?.name || /\p{Cc}/u.test(value) || hidesSubresource(vendor, value)
  return signed?.some(isBad) ? undefined : signed
}

/** Could a part of this text be read as another sub-resource? The string to sign does not escape `?` and `&`. */
function hidesSubresource(vendor: V2Vendor, text: string): boolean {
  const [, ...pieces] = text.split(/[?&]/)
  return pieces.some((piece) => isSigned(vendor, piece.split('=', 1)[0] as string))
}

type Texts = readonly (readonly [name: string, value: string])[]

/** The parameters that the caller adds. One that is not signed would not bind the request. */
export function parametersToAdd(vendor: V2Vendor, query: Readonly<Record<string, string>> = {}): Texts {
  const added = textsOf(query, 'query')
  const isAllowed = added.every(([name]) => isSigned(vendor, name) && name !== vendor.securityToken)
  assertOption(isAllowed, 'query', 'parameters that the vendor signs, without the token of the key')
  return added
}

/** The headers that a request must send. One that is not signed would not bind the request. */
export function headersToSign({ prefix }: V2Vendor, headers: Readonly<Record<string, string>> = {}): Texts {
  const signed = textsOf(headers, 'headers')
  const isSignedName = (name: string) => /^content-(type|md5)$/.test(name) || (name.startsWith(prefix) && /^[\w-]+$/.test(name))
  // Two expressions: a single one would take quadratic time on a long value.
  const isValue = (value: string) => /^[\t -~]*$/.test(value) && /[!-~]/.test(value)
  const isAllowed = signed.every(([name, value]) => isSignedName(name.toLowerCase()) && isValue(value))
  assertOption(isAllowed, 'headers', `content-type, content-md5 and names that begin with ${prefix}, with a value in ASCII`)
  // A client joins the values with a comma and a space, and the vendor would compute another signature.
  assertOption(areDifferent(signed.map(([name]) => name)), 'headers', 'without a name that occurs twice')
  return signed
}
