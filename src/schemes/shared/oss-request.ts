// The string to sign of V4 links of Alibaba Cloud OSS, and the key that signs it.
import type { SecretKey } from '../../core/keys.ts'
import type { MaybeAsync, Visit } from '../../core/scheme.ts'
import { type CanonicalParameter, canonicalRequest, ordered, printShort } from './canonical-request.ts'
import { derivedKey, hmacKey } from './derive.ts'
import { VERSION } from './oss-parameters.ts'
import { hexDigest } from './sha-digest.ts'
import { dayOf, withPrefix } from './sigv4.ts'

/** Everything that is signed, except the method and the values of headers. */
export interface OssRequest {
  readonly date: string
  readonly region: string
  /** With the bucket in front, escaped. */
  readonly resource: string
  /** Escaped: those of the link, without its signature, and those of the URL. */
  readonly parameters: readonly CanonicalParameter[]
  /** Names in lower case, in order. */
  readonly additionalHeaders: readonly string[]
}

type Headers = ReadonlyMap<string, string>

/** The string to sign, in the words of Alibaba's page. `undefined` when an additional header is missing. */
export async function stringToSign(request: OssRequest, method: string, headers: Headers): Promise<string | undefined> {
  const { date, region, resource, parameters, additionalHeaders } = request
  if (!additionalHeaders.every((name) => headers.has(name))) return undefined
  const isCanonical = (name: string) => isImplicit(name) || additionalHeaders.includes(name)
  const names = [...headers.keys()].filter(isCanonical).sort()
  const canonical = canonicalRequest({
    method,
    path: resource,
    query: printShort(ordered(parameters)),
    headers: names.map((name) => `${name}:${headers.get(name)?.trim()}\n`).join(''),
    signedHeaders: additionalHeaders.join(';'),
    payload: headers.get('x-oss-content-sha256')?.trim() ?? 'UNSIGNED-PAYLOAD',
  })
  return `${VERSION}\n${date}\n${scopeOf(date, region)}\n${await hexDigest('SHA-256', canonical)}`
}

/** Where a key signs: on one day and in one region. */
export const scopeOf = (date: string, region: string): string => `${dayOf(date)}/${region}/oss/aliyun_v4_request`

/** Headers that OSS signs whenever a request has them, without a list. */
export const isImplicit = (name: string): boolean => name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-')

/** The headers of a request, with names in lower case. The host comes from the URL, as far as that has one. */
export function headersOf({ headers = [] }: Visit, host: string): Headers {
  const all = new Map<string, string>()
  for (const [name, value] of headers) all.set(name.toLowerCase(), value)
  return host ? all.set('host', host) : all
}

/** The signing key for one day and one region. It is derived from the secret, with a prefix. */
export function signingKey(key: SecretKey, date: string, region: string): MaybeAsync<SecretKey> {
  return derivedKey(key, `oss ${scopeOf(date, region)}`, async () => {
    let derived: SecretKey = { secret: withPrefix('aliyun_v4', key.secret) }
    for (const word of scopeOf(date, region).split('/')) derived = await hmacKey(derived, word)
    return derived
  })
}
