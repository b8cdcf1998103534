// Signature Version 4 with the signature in the query. The schemes s3 and gcs are dialects of it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import type { Claims } from '../../core/claims.ts'
import { assertOption } from '../../core/errors.ts'
import { isBytes, type KeySource, type Keys, keyring, type Secret, type SecretKey } from '../../core/keys.ts'
import type { Draft, Grant, MaybeAsync, PostForm, Reading, Scheme, Signer, Unreadable, Visit } from '../../core/scheme.ts'
import type { Reason } from '../../core/verdict.ts'
import { normalOrigin } from '../../lib/normalise.ts'
import { append, encodeValue, isDecodable, LONGEST, type Parts, split, takeParameters } from '../../lib/url.ts'
import {
  type CanonicalParameter,
  canonicalHeaders,
  canonicalParameters,
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  print,
} from './canonical-request.ts'
import { derivedKey, hmacKey } from './derive.ts'
import { withLatest } from './latest.ts'
import { assertId, isOfSession, type PresignKey, withGoodCredentials } from './presign-key.ts'
import { HEADER_NAME, HTTP, headersToSign, pairsToAdd, presignedMethod } from './presign-request.ts'
import { hexDigest } from './sha-digest.ts'
import { hostOf, requestedHost } from './storage-host.ts'

/** Conditions that only presigned URLs have. */
export interface PresignConditions {
  /**
   * Headers that the request must send with exactly these values, such as `{ 'content-type': 'image/png' }` for an upload. Names in any case,
   * values in ASCII. `host` is always signed and comes from the URL. Default: none.
   */
  readonly headers?: Readonly<Record<string, string>>
  /** Query parameters to add and to sign, not escaped, such as `{ 'response-content-disposition': 'attachment' }`. Default: none. */
  readonly query?: Readonly<Record<string, string>>
}

/** The parameters of a link. A link has one of the two tokens at most. */
type Parameter = 'algorithm' | 'credential' | 'date' | 'expires' | 'signedHeaders' | 'securityToken' | 's3SessionToken' | 'signature'

/** The names of the parameters, in the order in which links have them. */
export type ParameterNames = Readonly<Record<Parameter, string>>

type Parameters = { readonly [P in Parameter]?: string | undefined }

/** The parameters that are signed, in the order in which links have them. */
const SIGNED = ['algorithm', 'credential', 'date', 'expires', 'signedHeaders', 'securityToken', 's3SessionToken'] as const

/** The words that a vendor uses for Signature Version 4. */
export interface Vocabulary {
  /** The value of the parameter `algorithm`, and the first line of the string to sign: `AWS4-HMAC-SHA256`. */
  readonly algorithm: string
  /** Put in front of the secret before the signing key is derived from it: `AWS4`. */
  readonly secretPrefix: string
  /** The end of the credential scope: `aws4_request`. */
  readonly terminator: string
  readonly parameters: ParameterNames
  /** The beginning of the names of the vendor's headers, in lower case: `x-amz-`. */
  readonly headerPrefix: string
  /** Headers with this prefix that a request may send although they are not signed, in lower case. */
  readonly unsignedHeaders: readonly string[]
  /** The header or parameter with the hash of the body, as it is written in a query: `X-Amz-Content-Sha256`. */
  readonly payloadHash: string
  /** Whether the port is a part of the signed host. */
  readonly signsPort: boolean
  /** Whether a link for `GET` opens `HEAD`. */
  readonly getOpensHead: boolean
}

/** Where a key signs: the middle of the credential scope. */
export interface Place {
  readonly region: string
  readonly service: string
}

/** The words that a vendor uses for upload forms. */
export type FormWords = Pick<PostForm, 'names' | 'order' | 'policyText'>

/** One vendor's kind of Signature Version 4. */
export interface Dialect extends Vocabulary {
  /** The name of the scheme. */
  readonly name: string
  /** The statuses of the vendor. */
  readonly status: Partial<Record<Reason, number>>
  /** Signs with the key itself, in place of HMAC with a key of the day. */
  readonly signer?: Signer
  /** The words of its upload forms. Default: it takes none. */
  readonly form?: FormWords | undefined
  /** Throws a `LinkError` for a bucket that takes links and no forms. */
  readonly assertFormUrl?: (hostname: string) => void
  /** Region and service for a host, in lower case and without its port. */
  placeOf(hostname: string): Place
  /** Throws a `LinkError` for a URL that the storage cannot open. */
  assertUrl(hostname: string, path: string): void
}

/** The usual names of the parameters, after a prefix. */
export function parameterNames(prefix: string): ParameterNames {
  return {
    algorithm: `${prefix}Algorithm`,
    credential: `${prefix}Credential`,
    date: `${prefix}Date`,
    expires: `${prefix}Expires`,
    signedHeaders: `${prefix}SignedHeaders`,
    securityToken: `${prefix}Security-Token`,
    s3SessionToken: `${prefix}S3session-Token`,
    signature: `${prefix}Signature`,
  }
}

/** The words of Amazon, which other vendors use too. */
export const AWS4: Vocabulary = {
  algorithm: 'AWS4-HMAC-SHA256',
  secretPrefix: 'AWS4',
  terminator: 'aws4_request',
  parameters: /* @__PURE__ */ parameterNames('X-Amz-'),
  headerPrefix: 'x-amz-',
  // The string to sign has the hash in any case, and CloudFront adds its id on the way.
  unsignedHeaders: ['x-amz-content-sha256', 'x-amz-cf-id'],
  payloadHash: 'X-Amz-Content-Sha256',
  signsPort: true,
  getOpensHead: false,
}

/** The header prefixes of all vendors. A request for one vendor must not have those of another. */
const HEADER_PREFIXES = ['x-amz-', 'x-goog-']

/** The longest lifetime of a link, in seconds. */
export const WEEK: number = 604_800

/** Presigned URLs in one of the dialects. */
export function sigv4<K extends PresignKey>(keys: Keys<K>, dialect: Dialect): Scheme<'starts' | 'method', PresignConditions, 'required'> {
  const { name } = dialect
  // Before `keyring` asks for a secret: for { accessKeyId, secretAccessKey }, this message has the right names.
  if (typeof keys !== 'function') for (const key of [keys].flat()) assertId(name, key)
  return presigned(keyring(keys, { prepare: (key) => withGoodCredentials(name, key) }), dialect)
}

/** Presigned URLs in one of the dialects, with keys that are checked already. */
export function presigned(keys: KeySource, dialect: Dialect): Scheme<'starts' | 'method', PresignConditions, 'required'> {
  const { name, status, signer } = dialect
  const parameters = Object.values(dialect.parameters)
  return {
    name,
    carries: ['starts', 'method'],
    own: ['headers', 'query'],
    covers: ['method', 'host', 'path', 'query', 'starts', 'expires', 'headers', 'key'],
    parameters,
    reads: ['method', 'headers'],
    algorithm: signer ? { signer, encoding: 'hex' } : { hmac: 'SHA-256', encoding: 'hex' },
    status,
    keys,
    write: (grant, key) => write(dialect, grant, key as PresignKey),
    read: (url, header, parts) => read(dialect, parameters, url, header, parts),
    ...(dialect.form && { post: postForm(dialect, dialect.form) }),
  }
}

/** Upload forms: their policies are signed with the key of a day, as links are. */
function postForm(dialect: Dialect, words: FormWords): PostForm {
  return {
    ...words,
    algorithm: dialect.algorithm,
    scopeOf: (hostname, date) => credentialScope(dialect, date, dialect.placeOf(hostname)),
    signingKey(key, hostname, date) {
      const place = dialect.placeOf(hostname)
      return signingKey(dialect, key, credentialScope(dialect, date, place), date, place)
    },
    tokenOf: (key) => (key as PresignKey).sessionToken,
    assertUrl(hostname, path) {
      dialect.assertUrl(hostname, path)
      dialect.assertFormUrl?.(hostname)
    },
  }
}

/** Can this text be a region or a service? */
export function isScopeWord(word: unknown): boolean {
  return typeof word === 'string' && /^[\w.-]+$/.test(word)
}

// The string to sign, in the words of Amazon's page.

function credentialScope({ terminator }: Dialect, date: string, { region, service }: Place): string {
  return `${dayOf(date)}/${region}/${service}/${terminator}`
}

/** Everything that a link signs, except the method and the values of headers. */
interface Presigned {
  readonly date: string
  readonly scope: string
  readonly path: string
  /** The parameters of the link, without its signature. */
  readonly own: readonly CanonicalParameter[]
  /** The parameters of the URL. */
  readonly others: readonly CanonicalParameter[]
  /** Names of headers in lower case, in order. */
  readonly signedHeaders: readonly string[]
}

type Header = (name: string) => string | undefined

/** `undefined` when a signed header is missing. */
async function stringToSign(dialect: Dialect, link: Presigned, method: string, header: Header): Promise<string | undefined> {
  const headers = canonicalHeaders(link.signedHeaders, header)
  if (headers === undefined) return undefined
  const request = canonicalRequest({
    method,
    path: link.path,
    query: canonicalQuery([...link.own, ...link.others]),
    headers,
    signedHeaders: link.signedHeaders.join(';'),
    payload: payloadOf(dialect, link.others, header),
  })
  return `${dialect.algorithm}\n${link.date}\n${link.scope}\n${await hexDigest('SHA-256', request)}`
}

/** The hash of the body, which the storage compares with the body. It counts even if the header is not signed. */
function payloadOf({ payloadHash }: Dialect, others: readonly CanonicalParameter[], header: Header): string {
  // HTTP drops the spaces around a value.
  return header(payloadHash.toLowerCase())?.trim() ?? others.find(({ name }) => name === payloadHash)?.value ?? 'UNSIGNED-PAYLOAD'
}

/** The key that signs on one day, in one region and for one service. */
function signingKey(
  { secretPrefix, terminator, signer }: Dialect,
  key: SecretKey,
  scope: string,
  date: string,
  { region, service }: Place,
): MaybeAsync<SecretKey> {
  if (signer) return key
  return derivedKey(key, scope, async () => {
    const dateKey = await hmacKey({ secret: withPrefix(secretPrefix, key.secret) }, dayOf(date))
    const dateRegionKey = await hmacKey(dateKey, region)
    const dateRegionServiceKey = await hmacKey(dateRegionKey, service)
    return hmacKey(dateRegionServiceKey, terminator)
  })
}

/** A `CryptoKey` and a secret that stays elsewhere have the prefix already. */
export function withPrefix(prefix: string, secret: Secret): Secret {
  if (typeof secret === 'string') return prefix + secret
  return isBytes(secret) ? Uint8Array.of(...new TextEncoder().encode(prefix), ...secret) : secret
}

/** The start of a link, and its lifetime in seconds. */
interface Life {
  /** In seconds since 1970. */
  readonly starts: number
  readonly seconds: number
}

/** The start and the lifetime of a link, which is valid for at most seven days. */
export function lifeOf({ now, starts, expires = 0, window }: Grant): Life {
  const present = Math.floor(now / 1000)
  // Aligned links must have the same start to be identical.
  const aligned = present - (present % window)
  const start = starts ?? Math.max(aligned, Math.min(present, expires - WEEK))
  const seconds = expires - start
  // Start and end are rounded, so a Date exactly seven days from now, between two seconds, seems to be one second later.
  if (seconds === WEEK + 1 && starts === undefined && now % 1000 > 0) return { starts: start, seconds: WEEK }
  assertOption(seconds <= WEEK, 'expires', 'at most 7 days after the start of the link')
  return { starts: start, seconds }
}

async function write(dialect: Dialect, grant: Grant<PresignConditions>, key: PresignKey): Promise<Draft> {
  const method = presignedMethod(grant)
  const url = urlToSign(dialect, grant)
  const parts = url === grant.url ? grant.parts : split(url)
  assertOption(isDecodable(url), 'url', 'free of broken escapes: write the % of a key as %25')
  const path = canonicalPath(parts.path)
  const others = canonicalParameters(parts.query)
  assertOption(path && others, 'url', "without the segments '.' and '..', even after an escaped slash")
  assertOwnVendor(
    dialect,
    'url',
    others.map(({ name }) => name),
  )
  const host = hostToSign(dialect, hostIn(parts.origin))
  assertOption(/^[\w.:[\]-]+$/.test(host), 'url', 'one with a host of ASCII characters, as the href of a URL object has it')
  dialect.assertUrl(withoutPort(host), path)

  // Amazon answers InvalidAccessKeyId to the link of a temporary key without its token.
  assertOption(key.sessionToken || !key.id.startsWith('ASIA'), 'sessionToken', 'given, because a key id that begins with ASIA is temporary')

  const headers = signedHeadersOf(dialect, host, grant.own.headers)
  const signedHeaders = [...headers.keys()].sort()
  const life = lifeOf(grant)
  const date = dateOf(life.starts)
  const place = dialect.placeOf(withoutPort(host))
  const scope = credentialScope(dialect, date, place)
  const parameters = signedParameters(dialect, {
    algorithm: dialect.algorithm,
    credential: `${key.id}/${scope}`,
    date,
    expires: `${life.seconds}`,
    signedHeaders: signedHeaders.join(';'),
    // Directory buckets have sessions of their own, and another name for their tokens.
    [place.service === 's3express' ? 's3SessionToken' : 'securityToken']: key.sessionToken,
  })
  const found = signingKey(dialect, key, scope, date, place)
  const derived = 'secret' in found ? found : await found
  const link = { date, scope, path, own: parameters, others, signedHeaders }
  return {
    toSign: (await stringToSign(dialect, link, method, (name) => headers.get(name))) as string,
    key: derived,
    link: (signature) => append(url, `${print(parameters)}&${dialect.parameters.signature}=${signature}`),
  }
}

/** The URL with the parameters that the caller adds, escaped as every client escapes it. */
function urlToSign(dialect: Dialect, { url, parts, own: { query } }: Grant<PresignConditions>): string {
  const escaped = parts.plain ? url : url.replace(/[^!-~]+/gu, encodeURIComponent)
  if (query === undefined) return escaped
  const pairs = pairsToAdd(Object.values(dialect.parameters), query)
  assertOwnVendor(dialect, 'query', Object.keys(query))
  const whole = pairs.length > 0 ? append(escaped, pairs.join('&')) : escaped
  assertOption(whole.length <= LONGEST, 'query', `short enough for a link of at most ${LONGEST} characters`)
  return whole
}

/** The signed headers by their names in lower case. */
function signedHeadersOf(dialect: Dialect, host: string, headers: PresignConditions['headers']): ReadonlyMap<string, string> {
  if (headers === undefined) return new Map([['host', host]])
  const signed = new Map([['host', host], ...headersToSign(headers)])
  assertOwnVendor(dialect, 'headers', [...signed.keys()])
  return signed
}

/** The storage would ignore the headers and parameters of another vendor, or refuse the mixture. */
function assertOwnVendor({ headerPrefix }: Dialect, option: string, names: readonly string[]): void {
  const isForeign = (name: string) => HEADER_PREFIXES.some((prefix) => prefix !== headerPrefix && name.toLowerCase().startsWith(prefix))
  assertOption(!names.some(isForeign), option, 'free of names of another vendor, which begin with X-Amz- or X-Goog-')
}

/** Remembers the latest value: the credential is the only value that needs escapes, and is the same for many links. */
const encodeCredential = /* @__PURE__ */ withLatest(encodeValue)

/** The parameters of a link that are signed, escaped, in the order in which links have them. */
function signedParameters({ parameters: names }: Dialect, values: Parameters): CanonicalParameter[] {
  const parameters: CanonicalParameter[] = []
  for (const parameter of SIGNED) {
    const value = values[parameter]
    if (value) parameters.push({ name: names[parameter], value: parameter === 'credential' ? encodeCredential(value) : encodeValue(value) })
  }
  return parameters
}

function read(dialect: Dialect, own: readonly string[], url: string, header?: Header, whole?: Parts): Reading | Unreadable {
  if (url.length > LONGEST) return 'malformed'
  const { parameters: names } = dialect
  const parts = whole ?? split(url)
  const { values, others: query, twice } = takeParameters(parts.query, own, { plusIsSpace: true })
  if (values[names.algorithm] === undefined && values[names.signature] === undefined) return 'unsigned'
  const faulty = twice ?? own.find((name) => values[name] === '')
  if (faulty) return { malformed: faulty }
  const parameters = parametersIn(names, values)
  const content = contentOf(dialect, parameters)
  if (typeof content === 'string') return { malformed: names[content] }
  const { date, signedHeaders } = content
  const path = canonicalPath(parts.path)
  const others = canonicalParameters(query)
  if (!path || !others || (parts.origin && !HTTP.test(parts.origin))) return 'malformed'

  const origin = normalOrigin(parts.origin)
  const host = hostToSign(dialect, requestedHost(origin, header))
  const place = dialect.placeOf(withoutPort(host))
  const scope = credentialScope(dialect, date, place)
  const link = { date, scope, path, own: signedParameters(dialect, parameters), others, signedHeaders }
  const token = parameters.s3SessionToken ?? parameters.securityToken
  return {
    claims: claimsOf(content, parts.origin + parts.path + query),
    signature: content.signature,
    key: (key) => signingKey(dialect, key, scope, date, place),
    toSign: (visit, key) => (isOfSession(key, token) ? stringsToSign(dialect, link, host, visit) : undefined),
    // In the form that was signed, in place of the form that was written.
    proves: ({ method }, which) => ({
      resource: origin.slice(0, -hostOf(origin).length) + (origin && host) + path + (others.length > 0 ? `?${canonicalQuery(others)}` : ''),
      methods: [signedMethods(dialect, method)[which] as string],
    }),
  }
}

function parametersIn(names: ParameterNames, values: Readonly<Record<string, string | undefined>>): Parameters {
  const parameters: { [P in Parameter]?: string | undefined } = { signature: values[names.signature] }
  for (const parameter of SIGNED) parameters[parameter] = values[names[parameter]]
  return parameters
}

/** The values of a link's parameters. */
interface Content {
  readonly keyId: string
  readonly date: string
  /** In seconds since 1970. */
  readonly starts: number
  /** In seconds since 1970. */
  readonly expires: number
  /** In lower case, with `host`. */
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

const CREDENTIAL = /^(?<id>.+)\/(?<day>\d{8})\/[^/]+\/[^/]+\/[^/]+$/

/** Returns the values, or the parameter that is missing or malformed. */
function contentOf({ algorithm, signer }: Dialect, parameters: Parameters): Content | Parameter {
  const { credential = '', date = '', expires = '', signedHeaders: list = '', signature = '' } = parameters
  if (parameters.algorithm !== algorithm) return 'algorithm'
  const starts = secondsOf(date)
  if (starts === undefined) return 'date'
  const { id, day } = CREDENTIAL.exec(credential)?.groups ?? {}
  if (!id || day !== dayOf(date)) return 'credential'
  if (!/^[1-9]\d{0,5}$/.test(expires) || +expires > WEEK) return 'expires'
  const signedHeaders = list.split(';')
  if (!signedHeaders.includes('host') || !signedHeaders.every((name) => HEADER_NAME.test(name))) return 'signedHeaders'
  // An HMAC has 32 bytes, and an RSA signature as many as its key.
  if (signer ? !/^([\da-f]{2}){128,1024}$/.test(signature) : signature.length !== 64) return 'signature'
  return { keyId: id, date, starts, expires: starts + +expires, signedHeaders, signature }
}

function claimsOf({ keyId, starts, expires, signedHeaders }: Content, resource: string): Claims {
  const named = signedHeaders.filter((name) => name !== 'host')
  return {
    resource,
    expires: new Date(expires * 1000),
    starts: new Date(starts * 1000),
    keyId,
    ...(named.length > 0 && { signedHeaders: named }),
  }
}

/** One string for each method that may be the signed one. `undefined` when the request lacks a header, or has one too many. */
async function stringsToSign(dialect: Dialect, link: Presigned, host: string, visit: Visit): Promise<string[] | undefined> {
  if (sendsUnsignedHeader(dialect, link, visit)) return undefined
  const strings: string[] = []
  for (const method of signedMethods(dialect, visit.method)) {
    const string = await stringToSign(dialect, link, method, (name) => (name === 'host' ? host || undefined : visit.header(name)))
    if (string === undefined) return undefined
    strings.push(string)
  }
  return strings
}

/** The methods for which a link may be signed that opens this one. */
function signedMethods({ getOpensHead }: Dialect, method: string): readonly string[] {
  return getOpensHead && method === 'HEAD' ? ['HEAD', 'GET'] : [method]
}

/**
 * Does the request have a header of the vendor's that is not signed? Such a header would ask for more than the signer allowed: `x-amz-copy-source`
 * turns an upload into a copy of anything that the key may read.
 */
function sendsUnsignedHeader({ headerPrefix, unsignedHeaders }: Dialect, { signedHeaders }: Presigned, { headers = [] }: Visit): boolean {
  for (const [written] of headers) {
    const name = written.toLowerCase()
    if (name.startsWith(headerPrefix) && !signedHeaders.includes(name) && !unsignedHeaders.includes(name)) return true
  }
  return false
}

// Hosts and dates.

/** The host of an origin in normal form: in lower case, without the usual port. */
const hostIn = /* @__PURE__ */ withLatest((origin: string) => hostOf(normalOrigin(origin)))

/** The host as it is signed. */
function hostToSign({ signsPort }: Dialect, host: string): string {
  return signsPort ? host : withoutPort(host)
}

function withoutPort(host: string): string {
  return host.includes(':') ? host.replace(/:\d+$/, '') : host
}

/** The day of a date, as the credential has it: `20130524`. */
export function dayOf(date: string): string {
  return date.slice(0, 8)
}

let latest = { seconds: Number.NaN, date: '' }

/** `20130524T000000Z`. The latest one is remembered, because many links are signed in one second. */
export function dateOf(seconds: number): string {
  if (seconds !== latest.seconds) latest = { seconds, date: new Date(seconds * 1000).toISOString().replace(/[-:]|\.000/g, '') }
  return latest.date
}

/** The opposite of {@link dateOf}. `undefined` for text in another form, and for days that no month has. */
export function secondsOf(date: string): number | undefined {
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}`
  const seconds = Date.parse(`${day}${date.slice(8, 11)}:${date.slice(11, 13)}:${date.slice(13)}`) / 1000
  // Engines accept other forms, too, and some read the 31st of February as a day in March.
  return seconds >= 0 && dateOf(seconds) === date ? seconds : undefined
}
