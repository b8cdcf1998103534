// The string to sign of Tencent Cloud Object Storage, and the parts of a request that it has. The names of parameters and headers are in lower case.
import { assertOption } from '../../core/errors.ts'
import type { Visit } from '../../core/scheme.ts'
import { normalOrigin } from '../../lib/normalise.ts'
import { decodeValue, encodeValue } from '../../lib/url.ts'
import { type CanonicalParameter, canonicalParameters, canonicalPath, canonicalQuery } from './canonical-request.ts'
import { hexDigest } from './sha-digest.ts'
import { hostname, hostOf } from './storage-host.ts'
import { allBut, assertHostIsNotOf } from './vendor-hosts.ts'

/** Names and values, escaped. */
type Pairs = readonly CanonicalParameter[]

/** Everything that is signed, except the method and the values of headers. */
export interface CosRequest {
  readonly signTime: string
  /** Decoded. */
  readonly path: string
  readonly parameters: Pairs
  readonly headerNames: readonly string[]
}

/** The string to sign, in the words of Tencent's page. `undefined` when a signed header is missing. */
export async function stringToSign(
  { signTime, path, parameters, headerNames }: CosRequest,
  method: string,
  header: (name: string) => string | undefined,
): Promise<string | undefined> {
  const headers: CanonicalParameter[] = []
  for (const name of headerNames) {
    const value = header(name)
    if (value === undefined) return undefined
    headers.push({ name, value: encodeValue(value.trim()) })
  }
  const httpString = `${method.toLowerCase()}\n${path}\n${canonicalQuery(parameters)}\n${canonicalQuery(headers)}\n`
  return `sha1\n${signTime}\n${await hexDigest('SHA-1', httpString)}\n`
}

/** The path as it is signed: decoded. `undefined` if it cannot be decoded, and for dot segments. */
export const pathToSign = (path: string): string | undefined => (canonicalPath(path) ? decodeValue(path) : undefined)

/**
 * The parameters of a query as they are signed, or only those of a list. `undefined` for a broken escape, and for two parameters that differ in case
 * only, of which COS signs one.
 */
export function parametersIn(query: string, list?: ReadonlySet<string>): Pairs | undefined {
  const all = canonicalParameters(query)?.map(({ name, value }) => ({ name: name.toLowerCase(), value }))
  const signed = all?.filter(({ name }) => !list || list.has(name)) ?? []
  return all && new Set(signed.map(({ name }) => name)).size === signed.length ? signed : undefined
}

/** A header of the vendor's that is not signed would ask for more than the signer allowed. */
export function sendsUnsignedHeader({ headers = [] }: Visit, signed: readonly string[]): boolean {
  const names = [...headers].map(([name]) => name.toLowerCase())
  return names.some((name) => name.startsWith('x-cos-') && name !== 'x-cos-security-token' && !signed.includes(name))
}

const OTHER_STORAGES = /* @__PURE__ */ allBut('Tencent Cloud COS')

/** The host of an origin, as it is signed. Throws for a host that no link opens. */
export function hostToSign(origin: string): string {
  const host = hostOf(normalOrigin(origin))
  const name = hostname(host)
  assertOption(name, 'url', 'one with a host of at most 253 characters, as DNS has them')
  assertHostIsNotOf(OTHER_STORAGES, name)
  assertOption(!/(^|\.)cos-website\./.test(name), 'url', 'BUCKET-APPID.cos.REGION.myqcloud.com: static website endpoints take no links')
  const [, bucket] = /^([^.]+)\.cos(?:-internal)?\.[\w.-]*(?:myqcloud\.com|tencentcos\.cn)$/.exec(name) ?? []
  const isWhole = bucket === undefined || bucket === 'service' || /-\d+$/.test(bucket)
  assertOption(isWhole, 'url', 'one whose bucket ends with the APPID: BUCKET-APPID.cos.REGION.myqcloud.com')
  return host
}
