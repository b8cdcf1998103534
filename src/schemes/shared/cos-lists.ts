// The lists of a link to Tencent Cloud Object Storage: the names of the headers and parameters that are signed.
import { assertOption } from '../../core/errors.ts'
import { decodeValue, encodeValue } from '../../lib/url.ts'
import { type CanonicalParameter, canonicalParameters, printShort } from './canonical-request.ts'
import { HEADER_NAME } from './presign-request.ts'

/** The names of headers in a list, in order. `undefined` without the host: a link for one bucket would open all buckets of the key. */
export function headerNamesIn(list: string): readonly string[] | undefined {
  const names = list.split(';').sort()
  const isGood = names.every((name, at) => HEADER_NAME.test(name) && name !== names[at - 1])
  return isGood && names.includes('host') ? names : undefined
}

/** The names of parameters, as a link lists them. */
export function listOf(parameters: readonly CanonicalParameter[]): string {
  const names = parameters.map(({ name }) => name)
  return names.sort().join(';')
}

/** The names of parameters in a list. Tencent's SDKs escape them once or twice. */
export function parameterNamesIn(list: string): ReadonlySet<string> {
  const names = list.split(';').filter((name) => name)
  return new Set(names.map((name) => (isEscaped(name) ? name : encodeValue(name)).toLowerCase()))
}

/** Is this the escaped form of a name? `100%` is not: its `%` belongs to the name. */
function isEscaped(name: string): boolean {
  const plain = decodeValue(name)
  return plain !== undefined && encodeValue(plain).toLowerCase() === name.toLowerCase()
}

type Listed = readonly CanonicalParameter[]

/** Throws unless readers find each parameter in the list of names. They find none without a name, and none whose name looks like an escaped name. */
export function assertListed(parameters: Listed | undefined, option: string): asserts parameters is Listed {
  const found = parameterNamesIn(decodeValue(listOf(parameters ?? [])) ?? '')
  const isListed = parameters?.every(({ name }) => found.has(name))
  assertOption(isListed, option, 'one whose parameters can be decoded, occur once, in any case, and have names that do not look escaped')
}

/** The parameters of a list, with its `?`: in canonical form, and with the letters of their names as they are. */
export function listedQuery(query: string, list: ReadonlySet<string>): string {
  const listed = printShort((canonicalParameters(query) ?? []).filter(({ name }) => list.has(name.toLowerCase())))
  return listed && `?${listed}`
}
