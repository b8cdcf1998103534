// SigV4 with the signature in the query: what the schemes s3 and gcs share. They differ in names and in the scope of the key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import { type Claims, seconds } from '../../core/conditions.ts'
import { insist } from '../../core/errors.ts'
import { bytesOf, type Keyring, keyring, type SecretKey } from '../../core/keys.ts'
import { encode, HEX } from '../../lib/encoding.ts'
import { normalOrigin } from '../../lib/normalise.ts'
import { append, encodeValue, LONGEST, type Parts, split } from '../../lib/url.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from '../../core/scheme.ts'
import type { Reason } from '../../core/verdict.ts'

/** Conditions of presigned URLs' own. */
export interface PresignConditions {
  /**
   * Headers that a request has to send with just these values, such as `{ 'content-type': 'image/png' }` for an upload. Names in any case;
   * values in ASCII. `host` is always among them and comes from the URL.
   */
  readonly headers?: Readonly<Record<string, string>>
  /** Query parameters to add and to sign, such as `{ 'response-content-disposition': 'attachment' }`: names and values as they are, not yet escaped. */
  readonly query?: Readonly<Record<string, string>>
}

/** What a presigned URL says. Its method is signed and not written, so only a verdict has `methods`, and reading the link has not. */
export interface PresignedClaims extends Claims {
  /** The names of the headers that a request has to send with the values that were signed, in lower case, without `host`. */
  readonly signedHeaders?: readonly string[]
}

/** Region and service that the key of a day is for. */
export interface Scope {
  readonly region: string
  readonly service: string
}

/** A storage's way of writing SigV4. */
export interface Dialect {
  readonly name: string
  /** In the algorithm, in front of the secret, and in lower case at the end of the scope. */
  readonly vendor: 'AWS4' | 'GOOG4'
  readonly status: Partial<Record<Reason, number>>
  /** By the host of a URL in lower case, without its port. */
  scopeOf(hostname: string): Scope
  /** Throws a `LinkError` for a URL that the storage cannot open. */
  insistOnUrl(hostname: string, path: string): void
}

interface PresignedReading extends Reading {
  readonly scanned: Scanned
  readonly fields: Fields
}

// In the order in which links have them: that of Amazon's documentation. A link has one of the two tokens at most.
const FIELDS = ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Security-Token', 'S3session-Token', 'Signature'] as const

// Those that are signed, in the order of their names.
const SIGNED = ['Algorithm', 'Credential', 'Date', 'Expires', 'S3session-Token', 'Security-Token', 'SignedHeaders'] as const

type Field = (typeof FIELDS)[number]

/** The link's own parameters, by the end of their names; in canonical form. */
type Fields = { [F in Field]?: string }

interface Scanned {
  readonly fields: Fields
  /** All other parameters, as they stand. */
  readonly others: readonly string[]
  /** The URL without the link's own parameters, as it stands. */
  readonly resource: string
  readonly origin: string
  /** In canonical form. */
  readonly path: string
  /** A parameter of the link's own twice, a broken escape, dots, which clients resolve before they send, or a scheme other than HTTP's. */
  readonly broken: boolean
}

/** The other parameters as they are signed. */
interface Query {
  /**
   * In canonical form, but for a line break in place of the `=`. So sorting them orders them by name and then by value: it comes before every
   * character that they can have.
   */
  readonly others: readonly string[]
  /** The hash of the body, where a parameter has it. */
  readonly payload: string
}

const WEEK = 604_800

// Deriving takes four HMACs. By the key object, as all that is remembered of keys; and then by vendor, day, region and service.
const derived = /* @__PURE__ */ new WeakMap<SecretKey, Map<string, SecretKey>>()

/** Presigned URLs in one of the dialects. */
export function sigv4<K extends SecretKey & { readonly id: string; readonly sessionToken?: string }>(
  keys: Keyring<K>,
  { name, vendor, status, scopeOf, insistOnUrl }: Dialect,
): Scheme<'starts' | 'method', PresignConditions> {
  for (const key of [keys].flat() as K[]) insistOnCredentials(name, key)
  const ring = keyring(keys)
  // Now, and not at first use: callers may wipe the buffer that their secret is in.
  const seeds = new Map<SecretKey, SecretKey>(ring.map((key) => [key, { secret: prefixed(key.secret, vendor) }]))
  const word = vendor.toLowerCase()
  const printScope = ({ region, service }: Scope): string => `/${region}/${service}/${word}_request`
  insist(/^(\/[\w.-]+){3}$/.test(printScope(scopeOf(''))), `${name}() takes a region such as 'eu-central-1'`)
  const algorithm = `${vendor}-HMAC-SHA256`
  const prefix = vendor === 'AWS4' ? 'X-Amz-' : 'X-Goog-'
  const foreign = vendor === 'AWS4' ? /^X-Goog-/i : /^X-Amz-/i
  const ofVendor = VENDOR_HEADERS[vendor]
  const names = FIELDS.map((field) => prefix + field)
  const fieldsByName = new Map<string, Field>(FIELDS.map((field) => [prefix + field, field]))
  const prefixMaybeEscaped = new RegExp(`^${prefix.replace(/./g, (each) => `(?:${each}|%${each.charCodeAt(0).toString(16)})`)}`, 'i')
  const hashed = `${prefix}Content-Sha256`

  function hostOf(origin = ''): string {
    const host = origin.replace(/.*\/\//, '')
    // Google's libraries sign no port.
    return vendor === 'AWS4' ? host : withoutPort(host)
  }

  function scan({ origin, path, query }: Parts): Scanned {
    let broken = !decodable(path) || !decodable(query) || (origin !== '' && !HTTP.test(origin))
    const fields: Fields = {}
    const others: string[] = []
    for (const piece of query.slice(1).split('&')) {
      if (!piece) continue
      const [written, value] = halves(piece)
      // Decoding takes its time, and of thousands of parameters only a few can be the link's own.
      const field = prefixMaybeEscaped.test(written) ? fieldsByName.get(broken ? written : canonical(written)) : undefined
      if (!field) others.push(piece)
      else if (fields[field] !== undefined) broken = true
      else fields[field] = broken ? value : canonicalValue(value)
    }
    const signed = broken ? '' : /^[\w.~/-]*$/.test(path) ? path : canonical(path).replaceAll('%2F', '/')
    broken ||= signed[0] !== '/' || /\/\.\.?(\/|$)/.test(signed)
    const resource = origin + path + (others[0] === undefined ? '' : `?${others.join('&')}`)
    return { fields, others, resource, origin, path: signed, broken }
  }

  /** Of pieces without a broken escape. */
  function queryOf(pieces: readonly string[]): Query {
    let payload = 'UNSIGNED-PAYLOAD'
    const others = pieces.map((piece) => {
      const [parameter, value] = halves(piece).map(canonicalValue) as [string, string]
      if (parameter === hashed) payload = value
      return `${parameter}\n${value}`
    })
    return { others, payload }
  }

  /** The text to sign; `undefined` when a signed header is missing, or one of the vendor's is not signed. */
  async function textOf(
    method: string,
    { path, fields }: Pick<Scanned, 'path' | 'fields'>,
    { others, payload }: Query,
    scope: string,
    header: (name: string) => string | undefined,
    sent: Visit['headers'] = [],
  ): Promise<string | undefined> {
    const { Date: date = '', SignedHeaders: list = '' } = fields
    const signedHeaders = list.replaceAll('%3B', ';')
    let headers = ''
    const listed = signedHeaders.split(';')
    for (const each of listed) {
      const value = header(each)
      if (value === undefined) return
      headers += `${each}:${value.trim().replace(/\s+/g, ' ')}\n`
    }
    // Or the request would say more than the signer did: `x-amz-copy-source` makes an upload a copy of whatever the key may read.
    for (const [each] of sent) if (ofVendor.test(each) && !listed.includes(each.toLowerCase())) return
    // A hash of the body, which the storage compares with what comes. It counts even where the header is not a signed one.
    const hash = header(hashed.toLowerCase()) ?? payload
    const joint = others[0] ? '\n' : '='
    const own: string[] = []
    for (const field of SIGNED) if (fields[field] !== undefined) own.push(prefix + field + joint + fields[field])
    const query = others[0] ? print([...own, ...others]) : own.join('&')
    const request = `${method}\n${path}\n${query}\n${headers}\n${signedHeaders}\n${hash}`
    // As with keys.ts: all links under way come to this point before the first digest is asked for.
    await undefined
    const digest = await crypto.subtle.digest('SHA-256', bytesOf(request))
    return `${algorithm}\n${date}\n${date.slice(0, 8)}${scope}\n${encode(new Uint8Array(digest), HEX)}`
  }

  /** The key of one day, which is what signs. */
  async function dayKey(key: SecretKey, date: string, scope: string, mac: Grant['mac']): Promise<SecretKey> {
    const path = date.slice(0, 8) + scope
    let days = derived.get(key)
    const known = days?.get(path)
    if (known) return known
    // With the credential of the day for an id, escaped, because that takes its time.
    const id = encodeValue(`${key.id}/${path}`)
    let step = seeds.get(key) as SecretKey
    for (const each of path.split('/')) {
      const hex = await mac(step, each, HEX)
      step = { id, secret: Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)) }
    }
    // Once more, because other links may have come this far meanwhile. Forgers choose day and host of their links, so it must not grow with them.
    days = derived.get(key)
    if (!days || days.size > 15) derived.set(key, (days = new Map()))
    days.set(path, step)
    return step
  }

  return {
    name,
    carries: ['starts', 'method'],
    own: ['headers', 'query'],
    covers: ['method', 'host', 'path', 'query', 'starts', 'expires', 'headers'],
    status,

    async seal(grant: Grant<PresignConditions>): Promise<string> {
      const { now, starts, expires, methods = ['GET'] } = grant
      const { headers, query, align } = grant.own as PresignConditions & { align?: unknown }
      insist(!methods[1], `${name} links take one method`)
      const key = grant.signingKey(ring, now)

      insist(
        !grant.parts.origin || HTTP.test(grant.parts.origin),
        'url must begin with https:// or http://, because nothing else can be opened',
      )
      insist(!grant.parts.fragment, 'url must not have a fragment: write the # of a key as %23')
      // As every client does before it sends.
      let url = grant.url.replace(/[^!-~]+/gu, encodeURIComponent)
      let parts = split(url)
      // `split` gives a URL over 16,384 characters an empty path. Going on would scan all of it for each further parameter.
      for (const each in query)
        if (parts.path) parts = split((url = append(url, `${grant.encode(plain(each))}=${grant.encode(plain(query[each]))}`)))
      insist(parts.path, `url must make a link of at most ${LONGEST} characters`)
      insist(decodable(url), 'url must have whole escapes: write the % of a key as %25')
      const scanned = scan(parts)
      const { fields: taken, others, origin, path } = scanned
      const clash = FIELDS.find((field) => taken[field] !== undefined)
      const signedAlready = taken.Algorithm && taken.Signature
      insist(!clash, `the URL has ${prefix}${clash} already`, signedAlready ? 'already_signed' : 'bad_option')
      const host = hostOf(normalOrigin(origin))
      insist(
        !scanned.broken && /^[\w.:[\]-]+$/.test(host),
        `url must be absolute, with a host in ASCII, and without the segments . and .., which clients resolve before they send`,
      )
      insistOnUrl(withoutPort(host), path)
      const parameters = queryOf(others)

      const signed: Record<string, string> = { host }
      for (const each in headers) {
        const value = plain(headers[each])
        const lower = each.toLowerCase()
        insist(TOKENS.test(lower) && !(lower in signed) && /^[\t -~]*$/.test(value), 'headers takes ASCII, no name twice, and no host')
        signed[lower] = value
      }
      const strange = [...Object.keys(signed), ...parameters.others].find((each) => foreign.test(each))
      insist(!strange, `headers and query must be without those of another vendor: ${algorithm} takes ${prefix}`)

      // Aligned links have an aligned start, too, or they would not be identical.
      const window = align ? seconds(align, 'align') : 1
      const second = Math.floor(now / 1000)
      const date = starts ?? Math.max(second - (second % window), Math.min(second, expires - WEEK))
      let life = expires - date
      // A Date seven days from between two seconds is not too long, though both of its ends are rounded.
      if (life === WEEK + 1 && !starts && now % 1000) life--
      insist(life <= WEEK, `${name} links live for at most 7 days from their start`)

      const stamp = stampOf(date * 1000)
      const scope = scopeOf(withoutPort(host))
      // Before the digest: it throws where there is no WebCrypto.
      const signing = await dayKey(key, stamp, printScope(scope), grant.mac)
      const fields: Fields = {
        Algorithm: algorithm,
        Credential: signing.id as string,
        Date: stamp,
        Expires: `${life}`,
        SignedHeaders: Object.keys(signed).sort().join('%3B'),
      }
      // Directory buckets have sessions of their own, and another name for their tokens.
      if (key.sessionToken) fields[scope.service === 's3express' ? 'S3session-Token' : 'Security-Token'] = grant.encode(key.sessionToken)
      const text = await textOf(methods[0] as string, { path, fields }, parameters, printScope(scope), (header) => signed[header])
      fields.Signature = await grant.mac(signing, text as string, HEX)
      return grant.insert(
        { url, parts },
        names,
        FIELDS.map((field) => fields[field] ?? ''),
      )
    },

    read(url: string): PresignedReading | 'unsigned' | 'malformed' {
      // Too long for a link, and so for taking it apart.
      if (url.length > LONGEST) return url.includes(`${prefix}Signature=`) ? 'malformed' : 'unsigned'
      const scanned = scan(split(url))
      const { fields } = scanned
      const { Credential: credential = '', Date: date = '', Expires: life = '', SignedHeaders: list = '' } = fields
      if (fields.Algorithm === undefined && fields.Signature === undefined) return 'unsigned'
      if (scanned.broken) return 'malformed'
      const [, id, day] = /^(.+)\/(\d{8})(\/[^/]+){3}$/.exec(decodeURIComponent(credential)) ?? []
      const starts = Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 11)}:${date.slice(11, 13)}:${date.slice(13)}`)
      const good =
        fields.Algorithm === algorithm &&
        id &&
        starts >= 0 &&
        // Engines read more than this form, and some the 31st of February.
        stampOf(starts) === date &&
        day === date.slice(0, 8) &&
        /^[1-9]\d{0,5}$/.test(life) &&
        +life <= WEEK &&
        TOKENS.test(list) &&
        /(^|%3B)host(%3B|$)/.test(list) &&
        fields.Signature?.length === 64
      if (!good) return 'malformed'
      const signedHeaders = list.split('%3B').filter((header) => header !== 'host')
      const claims: PresignedClaims = {
        resource: scanned.resource,
        expires: new Date(starts + +life * 1000),
        starts: new Date(starts),
        keyId: id,
        ...(signedHeaders[0] && { signedHeaders }),
      }
      return { scanned, fields, claims }
    },

    async check({ claims, scanned, fields }: PresignedReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const { Date: date = '', Signature: signature = '' } = fields
      const origin = normalOrigin(scanned.origin)
      const host = hostOf(origin || visit.header('host')?.toLowerCase())
      const scope = printScope(scopeOf(withoutPort(host)))
      // By the key of the day, which is what signs.
      const mine = new Map<SecretKey, K>()
      for (const key of ring) if (key.id === claims.keyId) mine.set(await dayKey(key, date, scope, visit.mac), key)
      // Compares nothing, but knows what an empty ring means.
      if (!mine.size) return (await visit.match(ring, claims.keyId, '', '', HEX)) as 'unknown_key'
      const parameters = queryOf(scanned.others)
      // Google's storage opens HEAD with links for GET, as its libraries' documentation says; Amazon's does not.
      for (const method of vendor === 'GOOG4' && visit.method === 'HEAD' ? ['HEAD', 'GET'] : [visit.method]) {
        const header = (each: string) => (each === 'host' ? host : visit.header(each))
        const text = await textOf(method, scanned, parameters, scope, header, visit.headers)
        if (text === undefined) break
        const signing = await visit.match([...mine.keys()], undefined, text, signature, HEX)
        if (typeof signing === 'string') continue
        const query = print(parameters.others)
        // What was signed, in place of what was written: canonical, and without a port that is not signed.
        const place = origin === '' ? '' : origin.replace(/\/\/.*/, `//${host}`)
        const resource = place + scanned.path + (query && `?${query}`)
        return { key: mine.get(signing) as K, claims: { ...claims, resource, methods: [method] } }
      }
      return 'bad_signature'
    },
  }
}

// Nothing else can be opened with a presigned URL, and the scheme is not signed.
const HTTP = /^https?:/i

// Names of headers, in lower case; several with an escaped semicolon between them. `Headers.get` throws a TypeError for names of other characters.
const TOKENS = /^[a-z\d_.-]+(%3B[a-z\d_.-]+)*$/

// Headers that have to be signed. Not those that proxies add on the way, which are CloudFront and Google's Identity-Aware Proxy, and not the hash,
// which is in the signed text anyway.
const VENDOR_HEADERS = {
  AWS4: /^X-Amz-(?!Content-Sha256$|Cf-Id$)/i,
  GOOG4: /^X-Goog-(?!Content-Sha256$|Iap-Jwt-Assertion$|Authenticated-User-(Email|Id)$)/i,
}

let latest = { time: Number.NaN, stamp: '' }

/** `20130524T000000Z`. The latest is remembered: many links are made in one second. */
function stampOf(time: number): string {
  if (time !== latest.time) {
    const iso = new Date(time).toISOString()
    latest = { time, stamp: `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z` }
  }
  return latest.stamp
}

// Escaped characters beyond ASCII, as UTF-8 has them (Unicode, table 3-7): no longer form than needed, no surrogates, nothing above U+10FFFF.
const NEXT = '%[89ab][\\da-f]'
const ESCAPED = [
  '%[0-7][\\da-f]',
  `%(?:c[2-9a-f]|d[\\da-f])${NEXT}`,
  `%e0%[ab][\\da-f]${NEXT}`,
  `%e[1-9abcef](?:${NEXT}){2}`,
  `%ed%[89][\\da-f]${NEXT}`,
  `%f0%[9ab][\\da-f](?:${NEXT}){2}`,
  `%f[123](?:${NEXT}){3}`,
  `%f4%8[\\da-f](?:${NEXT}){2}`,
]
const DECODABLE = /* @__PURE__ */ new RegExp(`^[^%]*(?:(?:${/* @__PURE__ */ ESCAPED.join('|')})[^%]*)*$`, 'i')

/** Can this be decoded and encoded again? Asking first, because each `URIError` takes as long as ten such questions of a whole link. */
function decodable(text: string): boolean {
  return DECODABLE.test(text) && !(/[\ud800-\udfff]/.test(text) && /\p{Surrogate}/u.test(text))
}

/** With every character escaped that a signed text has escaped, and none other. The text must be {@link decodable}. */
function canonical(text: string): string {
  return /^[\w.~-]*$/.test(text) ? text : encodeValue(decodeURIComponent(text))
}

/** The same for a part of a query, where storages read a `+` as a space. */
function canonicalValue(text: string): string {
  return canonical(text.replaceAll('+', ' '))
}

function halves(piece: string): [name: string, value: string] {
  const end = `${piece}=`.indexOf('=')
  return [piece.slice(0, end), piece.slice(end + 1)]
}

const withoutPort = (host: string): string => host.replace(/:\d+$/, '')

const print = (parameters: readonly string[]): string => [...parameters].sort().join('&').replaceAll('\n', '=')

function plain(value: unknown): string {
  insist(typeof value === 'string' && !/\p{Surrogate}/u.test(value), 'headers and query take text')
  return value
}

// With the vendor in front, as the chain of keys begins. A CryptoKey has it already.
function prefixed(secret: SecretKey['secret'], vendor: string): SecretKey['secret'] {
  if (typeof secret === 'string') return vendor + secret
  return 'byteLength' in secret ? Uint8Array.of(...bytesOf(vendor), ...secret) : secret
}

/** Throws for keys under other names, and for what copying brought along. No message repeats a credential. */
function insistOnCredentials(scheme: string, key: SecretKey & { readonly sessionToken?: unknown }): void {
  // Before the secret: with other names for both, the message has the right ones.
  insist(key?.id, `${scheme}() takes keys as { id, secret }: id is the access key id`)
  insist(!('expiration' in key), `${scheme}() takes the end of a session as a key's expires: { expires: credentials.expiration }`)
  const { id, secret, sessionToken = '' } = key
  const text = secret instanceof Uint8Array ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(secret) : secret
  insist(typeof sessionToken === 'string', 'sessionToken must be a string')
  // Ids and tokens have no quotes. Servers of one's own let people choose the secret, so there a quote counts at the ends only.
  for (const [option, value, dirty] of [
    ['id', id, /^\s|\s$|[\p{Cc}"']/u],
    ['secret', text, /^[\s"']|[\s"']$|\p{Cc}/u],
    ['sessionToken', sessionToken, /^\s|\s$|[\p{Cc}"']/u],
  ] as const)
    insist(
      typeof value !== 'string' || !dirty.test(value),
      `${option} must be without white space at its ends, line breaks and quotes, which copying may have brought along`,
    )
}
