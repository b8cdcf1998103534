// SigV4 with the signature in the query: what the schemes s3 and gcs share. They differ in names and in the scope of the key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import { seconds } from '../../core/conditions.ts'
import { insist } from '../../core/errors.ts'
import { bytesOf, type Keyring, keyring, type SecretKey } from '../../core/keys.ts'
import { encode, HEX } from '../../lib/encoding.ts'
import { normalOrigin } from '../../lib/normalise.ts'
import { append, encodeValue, type Parts, split } from '../../lib/url.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from '../../core/scheme.ts'
import type { Reason } from '../../core/verdict.ts'

/** Conditions of presigned URLs' own. */
export interface PresignConditions {
  /**
   * Headers that the visitor has to send with just these values, such as `{ 'content-type': 'image/png' }` for an upload. Names in any case;
   * values in ASCII. `host` is always among them and comes from the URL.
   */
  readonly headers?: Readonly<Record<string, string>>
  /** Query parameters to add and to sign, such as `{ 'response-content-disposition': 'attachment' }`: names and values as they are, not yet escaped. */
  readonly query?: Readonly<Record<string, string>>
}

/** A storage's way of writing SigV4. */
export interface Dialect {
  readonly name: string
  /** In the algorithm, in front of the secret, and in small letters at the end of the scope. */
  readonly vendor: 'AWS4' | 'GOOG4'
  readonly region: string
  readonly service: string
  readonly status: Partial<Record<Reason, number>>
}

interface PresignedReading extends Reading {
  readonly scanned: Scanned
}

interface Scanned {
  /** Our parameters in the order of NAMES, in canonical form; absent where there is none. */
  readonly values: readonly (string | undefined)[]
  /**
   * All other parameters in canonical form, but for a line break in place of the `=`. So sorting them orders them by name and then by value: it
   * comes before every character that they can have.
   */
  readonly others: readonly string[]
  /** The URL without ours, as it stands. */
  readonly resource: string
  readonly origin: string
  /** In canonical form. */
  readonly path: string
  readonly payload: string
  /** A parameter of ours twice, an escape that is none, or dots, which clients resolve before they send. */
  readonly broken: boolean
}

// In the order of Amazon's documentation.
const NAMES = ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Security-Token', 'Signature'] as const

// Those that are signed, in the order in which they are.
const SORTED = [0, 1, 2, 3, 5, 4]

const WEEK = 604_800

// Deriving takes four HMACs. By the key object, as all that is remembered of keys; and then by vendor, day, region and service.
const derived = /* @__PURE__ */ new WeakMap<SecretKey, Map<string, SecretKey>>()

/** Presigned URLs in one of the dialects. */
export function sigv4<K extends SecretKey & { readonly id: string; readonly sessionToken?: string }>(
  keys: Keyring<K>,
  { name, vendor, region, service, status }: Dialect,
): Scheme<'starts' | 'method', PresignConditions> {
  // Before the secret: whoever has other names for both gets to know the right ones.
  for (const key of [keys].flat() as K[]) insist(key?.id, `${name}() takes keys as { id, secret }: id is the access key id`)
  const ring = keyring(keys)
  const word = vendor.toLowerCase()
  const scope = `/${region}/${service}/${word}_request`
  insist(/^(\/[\w.-]+){3}$/.test(scope), `${name}() takes a region such as 'eu-central-1'`)
  const algorithm = `${vendor}-HMAC-SHA256`
  const prefix = vendor === 'AWS4' ? 'X-Amz-' : 'X-Goog-'
  const names = NAMES.map((each) => prefix + each)
  const hashed = `${prefix}Content-Sha256`

  function hostOf(origin = ''): string {
    const host = origin.replace(/.*\/\//, '')
    // Google's libraries sign no port.
    return vendor === 'AWS4' ? host : host.replace(/:\d+$/, '')
  }

  function scan({ origin, path, query }: Parts): Scanned {
    const signed = /^[\w.~/-]*$/.test(path) ? path : (canonical(path)?.replaceAll('%2F', '/') ?? '')
    const values: (string | undefined)[] = []
    const others: string[] = []
    let broken = signed[0] !== '/' || /\/\.\.?(\/|$)/.test(signed)
    let resource = origin + path
    let mark = '?'
    let payload = 'UNSIGNED-PAYLOAD'
    for (const piece of query.slice(1).split('&')) {
      if (!piece) continue
      const end = `${piece}=`.indexOf('=')
      // Storages read a `+` in a query as a space.
      const [parameter, value] = [piece.slice(0, end), piece.slice(end + 1)].map((text) => canonical(text.replaceAll('+', ' ')))
      const at = names.indexOf(parameter as string)
      if (parameter === undefined || value === undefined || values[at] !== undefined) broken = true
      else if (at >= 0) values[at] = value
      else {
        others.push(`${parameter}\n${value}`)
        resource += mark + piece
        mark = '&'
        if (parameter === hashed) payload = value
      }
    }
    return { values, others, resource, origin, path: signed, payload, broken }
  }

  /** The text to sign; `undefined` when a signed header is missing, or one of the vendor's is not signed. */
  async function textOf(
    method: string,
    scanned: Scanned,
    header: (name: string) => string | undefined,
    sent: Visit['headers'] = [],
  ): Promise<string | undefined> {
    const { values, others, path } = scanned
    const [, , date = '', , list = ''] = values
    const signedHeaders = list.replaceAll('%3B', ';')
    let headers = ''
    const listed = signedHeaders.split(';')
    for (const each of listed) {
      const value = header(each)
      if (value === undefined) return
      headers += `${each}:${value.trim().replace(/\s+/g, ' ')}\n`
    }
    // Or the visitor would say more than the signer did: `x-amz-copy-source` makes an upload a copy of whatever the key may read.
    for (const [each] of sent) if (VENDORS.test(each) && !listed.includes(each.toLowerCase())) return
    // A hash of the body, which the storage compares with what comes. It counts even where the header is not a signed one.
    const payload = header(hashed.toLowerCase()) ?? scanned.payload
    const joint = others[0] ? '\n' : '='
    const ours: string[] = []
    for (const at of SORTED) if (values[at] !== undefined) ours.push(names[at] + joint + values[at])
    const query = others[0] ? print([...ours, ...others]) : ours.join('&')
    const request = `${method}\n${path}\n${query}\n${headers}\n${signedHeaders}\n${payload}`
    // As with keys.ts: all links under way come to this point before the first digest is asked for.
    await undefined
    const hash = await crypto.subtle.digest('SHA-256', bytesOf(request))
    return `${algorithm}\n${date}\n${date.slice(0, 8)}${scope}\n${encode(new Uint8Array(hash), HEX)}`
  }

  /** The key of one day, which is what signs. */
  async function dayKey(key: SecretKey, date: string, mac: Grant['mac']): Promise<SecretKey> {
    const path = date.slice(0, 8) + scope
    let days = derived.get(key)
    const known = days?.get(path)
    if (known) return known
    // With the credential of the day for an id, escaped, because that takes its time.
    const id = encodeValue(`${key.id}/${path}`)
    let step: SecretKey = { secret: prefixed(key.secret, vendor) }
    for (const each of path.split('/')) {
      const hex = await mac(step, each, HEX)
      step = { id, secret: Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)) }
    }
    // Once more, because other links may have come this far meanwhile. Visitors choose the day of what they forge, so it must not grow with them.
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

      let { url, parts } = grant
      // What is too long for a link has no path; going on would look at all of it for each of the rest.
      for (const each in query)
        if (parts.path) parts = split((url = append(url, `${grant.encode(plain(each))}=${grant.encode(plain(query[each]))}`)))
      const scanned = scan(parts)
      const taken = scanned.values.findIndex((value) => value !== undefined)
      insist(taken < 0, `the URL has ${names[taken]} already`, scanned.values[0] && scanned.values[6] ? 'already_signed' : 'bad_option')
      const host = hostOf(normalOrigin(scanned.origin))
      insist(
        !scanned.broken && /^[\w.:[\]-]+$/.test(host),
        `${name} links take an absolute URL in ASCII, with good escapes and without the segments . and ..`,
      )
      const signed: Record<string, string> = { host }
      for (const each in headers) {
        const value = plain(headers[each])
        const lower = each.toLowerCase()
        insist(TOKENS.test(lower) && !(lower in signed) && /^[\t -~]*$/.test(value), 'headers takes ASCII, no name twice, and no host')
        signed[lower] = value
      }

      // Aligned links have an aligned start, too, or they would not be identical.
      const window = align ? seconds(align, 'align') : 1
      const second = Math.floor(now / 1000)
      const date = starts ?? Math.max(second - (second % window), Math.min(second, expires - WEEK))
      let life = expires - date
      // '7d' from between two seconds is not too long, though both of its ends are rounded.
      if (life === WEEK + 1 && !starts && now % 1000) life--
      insist(life <= WEEK, `${name} links live for at most 7 days from their start`)

      const stamp = stampOf(date * 1000)
      // Before the digest: it throws where there is no WebCrypto.
      const signing = await dayKey(key, stamp, grant.mac)
      const values = [algorithm, signing.id as string, stamp, `${life}`, Object.keys(signed).sort().join('%3B')]
      if (key.sessionToken) values[5] = grant.encode(key.sessionToken)
      const text = (await textOf(methods[0] as string, { ...scanned, values }, (header) => signed[header])) as string
      values[6] = await grant.mac(signing, text, HEX)
      return grant.insert({ url, parts }, names, values)
    },

    read(url: string): PresignedReading | 'unsigned' | 'malformed' {
      const scanned = scan(split(url))
      const [given, credential = '', date = '', life = '', list = '', , signature] = scanned.values
      if (given === undefined && signature === undefined) return 'unsigned'
      const [, id, day] = /^(.+)\/(\d{8})(\/[^/]+){3}$/.exec(decodeURIComponent(credential)) ?? []
      const starts = Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 11)}:${date.slice(11, 13)}:${date.slice(13)}`)
      const good =
        !scanned.broken &&
        given === algorithm &&
        id &&
        starts >= 0 &&
        // Engines read more than this form, and some the 31st of February.
        stampOf(starts) === date &&
        day === date.slice(0, 8) &&
        /^[1-9]\d{0,5}$/.test(life) &&
        +life <= WEEK &&
        TOKENS.test(list) &&
        /(^|%3B)host(%3B|$)/.test(list) &&
        signature?.length === 64
      return good
        ? {
            scanned,
            claims: { resource: scanned.resource, expires: new Date(starts + +life * 1000), starts: new Date(starts), keyId: id },
          }
        : 'malformed'
    },

    async check({ claims, scanned }: PresignedReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const [, , date = '', , , , signature = ''] = scanned.values
      const origin = normalOrigin(scanned.origin)
      const host = hostOf(origin || visit.header('host')?.toLowerCase())
      // By the key of the day, which is what signs.
      const mine = new Map<SecretKey, K>()
      for (const key of ring) if (key.id === claims.keyId) mine.set(await dayKey(key, date, visit.mac), key)
      // Compares nothing, but knows what an empty ring means.
      if (!mine.size) return (await visit.match(ring, claims.keyId, '', '', HEX)) as 'unknown_key'
      // Google's storage opens HEAD with links for GET, as its libraries' documentation says; Amazon's does not.
      for (const method of vendor === 'GOOG4' && visit.method === 'HEAD' ? ['HEAD', 'GET'] : [visit.method]) {
        const text = await textOf(method, scanned, (header) => (header === 'host' ? host : visit.header(header)), visit.headers)
        if (text === undefined) break
        const signing = await visit.match([...mine.keys()], undefined, text, signature, HEX)
        if (typeof signing === 'string') continue
        const query = print(scanned.others)
        // What was signed, in place of what was written.
        return {
          key: mine.get(signing) as K,
          claims: { ...claims, resource: origin + scanned.path + (query && `?${query}`), methods: [method] },
        }
      }
      return 'bad_signature'
    },
  }
}

// Names of headers, in small letters; several with an escaped semicolon between them.
const TOKENS = /^[a-z\d_.-]+(%3B[a-z\d_.-]+)*$/

// The hash is in the signed text anyway, and CloudFront adds its id on the way.
const VENDORS = /^X-(Amz|Goog)-(?!Content-Sha256$|cf-id$)/i

let latest = { time: Number.NaN, stamp: '' }

/** `20130524T000000Z`. The latest is remembered: many links are made in one second. */
function stampOf(time: number): string {
  if (time !== latest.time) {
    const iso = new Date(time).toISOString()
    latest = { time, stamp: `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z` }
  }
  return latest.stamp
}

/** With every character escaped that a signed text has escaped, and none other; `undefined` for a broken escape. */
function canonical(text: string): string | undefined {
  try {
    return /^[\w.~-]*$/.test(text) ? text : encodeValue(decodeURIComponent(text))
  } catch {
    return
  }
}

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
