// ossV4: presigned URLs of Alibaba Cloud OSS with its V4 signatures.
// https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable, Visit } from '../core/scheme.ts'
import { asSent } from '../lib/canonical.ts'
import { same } from '../lib/encoding.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, encodeValue, LONGEST, split, takeParameters } from '../lib/url.ts'
import { type CanonicalParameter, canonicalParameters, canonicalPath, canonicalRequest } from './shared/canonical-request.ts'
import { derivedKey, hmacKey } from './shared/derive.ts'
import { type PresignKey, withGoodCredentials } from './shared/presign-key.ts'
import { hostname, VENDORS } from './shared/s3v2-vendors.ts'
import { hexDigest } from './shared/sha-digest.ts'
import { dateOf, dayOf, HEADER_NAME, isScopeWord, lifeOf, type PresignConditions, secondsOf, WEEK, withPrefix } from './shared/sigv4.ts'
import { textsOf } from './shared/texts-of.ts'

/** Credentials of OSS: `accessKeyId` and `accessKeySecret`. */
export interface OssKey extends SecretKey {
  /** The access key id, which the link shows. */
  readonly id: string
  /** The token of temporary credentials (STS), which the link shows. Give such a key the end of its session as `expires`. */
  readonly sessionToken?: string
}

/** Options of {@link ossV4}. */
export interface OssV4Options {
  /** The region of the bucket, such as `'cn-hangzhou'`. Default: the one that the host names. `sign` needs it for other hosts. */
  readonly region?: string
  /** The bucket of all URLs. Default: the one that a host of OSS names; with other hosts, the path begins with the bucket. */
  readonly bucket?: string
}

const ALGORITHM = 'OSS4-HMAC-SHA256'
const TERMINATOR = 'aliyun_v4_request'
const NAMES = [
  'x-oss-additional-headers',
  'x-oss-credential',
  'x-oss-date',
  'x-oss-expires',
  'x-oss-signature-version',
  'x-oss-security-token',
  'x-oss-signature',
] as const

type Values = { readonly [N in (typeof NAMES)[number]]?: string | undefined }

/** Everything that is signed, except the method and the values of headers. */
interface Signed {
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
async function stringToSign(link: Signed, method: string, headers: Headers): Promise<string | undefined> {
  const { date, region, resource, parameters, additionalHeaders } = link
  if (!additionalHeaders.every((name) => headers.has(name))) return undefined
  const isCanonical = (name: string) => isImplicit(name) || additionalHeaders.includes(name)
  const names = [...headers.keys()].filter(isCanonical).sort()
  const request = canonicalRequest({
    method,
    path: resource,
    query: printed([...parameters].sort(byNameAndValue)),
    headers: names.map((name) => `${name}:${headers.get(name)?.trim()}\n`).join(''),
    signedHeaders: additionalHeaders.join(';'),
    payload: headers.get('x-oss-content-sha256')?.trim() ?? 'UNSIGNED-PAYLOAD',
  })
  return `${ALGORITHM}\n${date}\n${scopeOf(date, region)}\n${await hexDigest('SHA-256', request)}`
}

const scopeOf = (date: string, region: string): string => `${dayOf(date)}/${region}/oss/${TERMINATOR}`

/** Headers that OSS signs whenever a request has them, without a list. */
const isImplicit = (name: string): boolean => name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-')

/** A parameter without a value has no `=`. */
const printed = (parameters: readonly CanonicalParameter[]): string =>
  parameters.map(({ name, value }) => (value ? `${name}=${value}` : name)).join('&')

function byNameAndValue(a: CanonicalParameter, b: CanonicalParameter): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  return a.value < b.value ? -1 : +(a.value > b.value)
}

/** The signing key for one day and one region. It is derived from the secret, with a prefix. */
const signingKey = (key: SecretKey, date: string, region: string) =>
  derivedKey(key, `oss ${scopeOf(date, region)}`, async () => {
    let derived: SecretKey = { secret: withPrefix('aliyun_v4', key.secret) }
    for (const word of scopeOf(date, region).split('/')) derived = await hmacKey(derived, word)
    return derived
  })

/**
 * Presigned URLs of Alibaba Cloud OSS with V4 signatures, `x-oss-signature-version=OSS4-HMAC-SHA256`. For its older links (V1) there is `s3v2` with
 * `vendor: 'oss'`.
 *
 * The signature covers one method (`GET` by default), bucket, path, all of the query, start and expiry, the headers `content-type`, `content-md5` and
 * `x-oss-…` of the request, and other headers that the link lists. It does not cover the body. A link is valid for 7 days at most.
 *
 * The method is signed, and the link does not show it. So a request with another method is a `bad_signature`, and a link for `GET` does not open `HEAD`.
 *
 * @see https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls
 * @param keys - Credentials as `{ id, secret }`; the first one that is valid now signs, all of them verify, and an empty list only reads links.
 * @param options - Region and bucket, where the host of the URL does not name them.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, a credential with white space or quotes, or a wrong option; `weak_key` for an empty
 *   secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { ossV4 } from 'securelink/schemes/oss-v4'
 *
 * const bucket = ossV4({ id: 'LTAI5tEXAMPLE', secret: 'the access key secret' })
 * const link = await sign(bucket, 'https://pictures.oss-cn-hangzhou.aliyuncs.com/cat.png', { expires: '15m' })
 * ```
 */
export function ossV4(keys: Keys<OssKey>, options: OssV4Options = {}): Scheme<'starts' | 'method', PresignConditions, 'required'> {
  const { region: ownRegion, bucket } = options
  assertKnownOptions(options, ['region', 'bucket'], 'ossV4()')
  assertOption(ownRegion === undefined || isScopeWord(ownRegion), 'region', "a region such as 'cn-hangzhou'")
  assertOption(bucket === undefined || isScopeWord(bucket), 'bucket', 'the name of a bucket')

  /** The path as it is signed: behind the bucket. `undefined` for dots, broken escapes, and a host of another bucket. */
  function resourceOf(host: string, path: string): string | undefined {
    const ofOss = VENDORS.oss.hosts.exec(host)
    const named = ofOss?.groups?.['bucket']
    const canonical = canonicalPath(path)
    if (canonical === undefined || (bucket !== undefined && ofOss && named !== bucket)) return undefined
    const front = bucket ?? named
    return front === undefined ? canonical : `/${front}${canonical}`
  }

  return {
    name: 'oss-v4',
    carries: ['starts', 'method'],
    own: ['headers', 'query'],
    covers: ['method', 'path', 'query', 'starts', 'expires', 'headers', 'key'],
    parameters: NAMES,
    reads: ['method', 'headers'],
    algorithm: { hmac: 'SHA-256', encoding: 'hex' },
    status: { expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: (key) => withGoodCredentials('ossV4', key) }),

    async write(grant, key) {
      const { url, parts, methods = ['GET'], own } = grant
      const { id, sessionToken } = key as PresignKey
      assertOption(methods.length === 1, 'method', 'one method, because a presigned URL opens only one')
      assertOption(/^https?:/i.test(parts.origin), 'url', 'one that begins with https:// or http://')
      assertOption(!parts.fragment, 'url', 'free of a fragment: write the # of a key as %23')
      const added = textsOf(own.query ?? {}, 'query')
      assertOption(!added.some(([name]) => isOwn(name)), 'query', 'without parameters that the link adds, such as its signature')
      const pairs = added.map(([name, value]) => `${encodeValue(name)}=${encodeValue(value)}`)
      const whole = pairs.length > 0 ? append(asSent(url, parts), pairs.join('&')) : asSent(url, parts)
      const sent = split(whole)
      const host = hostname(normalOrigin(sent.origin))
      const resource = resourceOf(host, sent.path)
      const others = canonicalParameters(sent.query)
      assertOption(resource !== undefined && others, 'url', 'one of the bucket, of UTF-8 and without dot segments')
      const named = regionIn(host)
      assertOption(!ownRegion || !named || named === ownRegion, 'region', `'${named}', as in the host of the URL, or left out`)
      const region = ownRegion ?? named
      assertOption(region, 'region', 'given to ossV4(), because the host of the URL does not name it')

      const headers = new Map<string, string>()
      for (const [written, value] of textsOf(own.headers ?? {}, 'headers')) {
        const name = written.toLowerCase()
        assertOption(HEADER_NAME.test(name) && /^[\t -~]*$/.test(value), 'headers', 'names and values of ASCII characters that HTTP allows')
        assertOption(name !== 'host' && !headers.has(name), 'headers', 'without host, and without a name that occurs twice')
        headers.set(name, value)
      }
      const additionalHeaders = [...headers.keys()].filter((name) => !isImplicit(name)).sort()

      const { starts, seconds } = lifeOf(grant)
      const date = dateOf(starts)
      // In the order of the package ali-oss.
      const values: Values = {
        'x-oss-additional-headers': additionalHeaders.join(';'),
        'x-oss-credential': `${id}/${scopeOf(date, region)}`,
        'x-oss-date': date,
        'x-oss-expires': `${seconds}`,
        'x-oss-signature-version': ALGORITHM,
        'x-oss-security-token': sessionToken,
      }
      const signed = parametersOf(values)
      const link = { date, region, resource, parameters: [...signed, ...others], additionalHeaders }
      return {
        toSign: (await stringToSign(link, methods[0] as string, headers)) as string,
        key: await signingKey(key, date, region),
        link: (signature) => append(whole, `${printed(signed)}&x-oss-signature=${signature}`),
      }
    },

    read(url, header): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, others: rest, twice } = takeParameters(parts.query, NAMES, { plusIsSpace: true })
      const { 'x-oss-signature': signature, 'x-oss-signature-version': version, 'x-oss-security-token': token } = values
      if (signature === undefined && version === undefined) return 'unsigned'
      const faulty = twice ?? NAMES.find((name) => values[name] === '')
      if (faulty) return { malformed: faulty }
      if (version !== ALGORITHM) return { malformed: 'x-oss-signature-version' }
      const date = values['x-oss-date'] ?? ''
      const starts = secondsOf(date)
      if (starts === undefined) return { malformed: 'x-oss-date' }
      const { id, day, region = '' } = CREDENTIAL.exec(values['x-oss-credential'] ?? '')?.groups ?? {}
      if (!id || day !== dayOf(date)) return { malformed: 'x-oss-credential' }
      const life = values['x-oss-expires'] ?? ''
      if (!/^[1-9]\d{0,5}$/.test(life) || +life > WEEK) return { malformed: 'x-oss-expires' }
      const additionalHeaders = values['x-oss-additional-headers']?.split(';') ?? []
      const isGood = (name: string, at: number) => HEADER_NAME.test(name) && (at === 0 || (additionalHeaders[at - 1] as string) < name)
      if (!additionalHeaders.every(isGood)) return { malformed: 'x-oss-additional-headers' }
      if (!signature || !/^[\da-f]{64}$/.test(signature)) return { malformed: 'x-oss-signature' }
      const others = canonicalParameters(rest)
      const path = canonicalPath(parts.path)
      if (!path || !others || (parts.origin && !/^https?:/i.test(parts.origin))) return 'malformed'

      const origin = normalOrigin(parts.origin)
      const host = origin ? origin.slice(origin.indexOf('//') + 2) : (header?.('host')?.toLowerCase() ?? '')
      const resource = resourceOf(hostname(host), parts.path)
      const expected = ownRegion ?? regionIn(hostname(host)) ?? region
      const named = additionalHeaders.filter((name) => name !== 'host')
      return {
        claims: {
          resource: origin + path + (others.length > 0 ? `?${printed(others)}` : ''),
          starts: new Date(starts * 1000),
          expires: new Date((starts + +life) * 1000),
          keyId: id,
          ...(named.length > 0 && { signedHeaders: named }),
        },
        signature,
        key: (key) => signingKey(key, date, region),
        toSign(visit, key) {
          const { sessionToken } = key as PresignKey
          const isOfSession = sessionToken === undefined || same(sessionToken, token ?? '')
          if (resource === undefined || region !== expected || !isOfSession) return undefined
          const link = { date, region, resource, parameters: [...parametersOf(values), ...others], additionalHeaders }
          return stringToSign(link, visit.method, headersOf(visit, host))
        },
        // Sorted as they are signed: the signature does not cover the order, and servers take the first or the last of one name.
        proves: ({ method }) => ({
          resource: origin + path + (others.length > 0 ? `?${printed([...others].sort(byNameAndValue))}` : ''),
          methods: [method],
        }),
      }
    },
  }
}

const isOwn = (name: string): boolean => (NAMES as readonly string[]).includes(name)

const CREDENTIAL = /^(?<id>.+)\/(?<day>\d{8})\/(?<region>[\w.-]+)\/oss\/aliyun_v4_request$/

/** `cn-hangzhou` of `oss-cn-hangzhou.aliyuncs.com`, also of its internal host. Hosts for acceleration name no region. */
function regionIn(host: string): string | undefined {
  return /(?:^|\.)oss-(?<region>[a-z]{2}-[a-z\d-]+?)(?:-internal)?\.aliyuncs\.com$/.exec(host)?.groups?.['region']
}

/** The parameters of a link that are signed, escaped. */
function parametersOf(values: Values): CanonicalParameter[] {
  return NAMES.flatMap((name) => (name !== 'x-oss-signature' && values[name] ? [{ name, value: encodeValue(values[name]) }] : []))
}

/** The headers of a request, with names in lower case. The host comes from the URL, as far as that has one. */
function headersOf({ headers = [] }: Visit, host: string): Headers {
  const all = new Map<string, string>()
  for (const [name, value] of headers) all.set(name.toLowerCase(), value)
  return host ? all.set('host', host) : all
}
