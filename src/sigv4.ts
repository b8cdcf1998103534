// SigV4 with the signature in the query: what the schemes s3 and gcs share. They differ in names and in the scope of the key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import { seconds } from './conditions.ts'
import { insist, LinkError } from './errors.ts'
import { type Keyring, keyring, type SecretKey } from './keys.ts'
import { decode, encode, HEX } from './lib/bytes.ts'
import { append, decodeValue, eachParameter, encodeValue, split } from './lib/text.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from './scheme.ts'
import type { Reason } from './verdict.ts'

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
  readonly origin: string
  /** As it stands, and as it is signed. */
  readonly path: string
  readonly signedPath: string
  /** Of our parameters, in the order of NAMES. */
  readonly values: readonly (string | undefined)[]
  /** Ours and the others' as they are signed, but for a line break in place of the `=`. */
  readonly ours: readonly string[]
  readonly others: readonly string[]
  /** The others' as they stand. */
  readonly rest: string
  readonly payload: string
  /** A parameter of ours twice, or an escape that is none. */
  readonly broken: boolean
}

// In the order of Amazon's documentation.
const NAMES = ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Security-Token', 'Signature'] as const

const WEEK = 604_800

// Deriving takes four HMACs. By the key object, as all that is remembered of keys; and then by vendor, day, region and service.
const derived = new WeakMap<SecretKey, Map<string, SecretKey>>()

/** Presigned URLs in one of the dialects. */
export function sigv4<K extends SecretKey & { readonly id: string; readonly sessionToken?: string }>(
  keys: Keyring<K>,
  { name, vendor, region, service, status }: Dialect,
): Scheme<'starts' | 'method', PresignConditions> {
  const ring = keyring(keys)
  for (const { id } of ring) insist(id, `${name}() takes keys as { id, secret }: id is the access key id`)
  insist(/^[\w.-]+$/.test(region), `${name}() takes the name of a region, such as 'eu-central-1'`)
  const prefix = vendor === 'AWS4' ? 'X-Amz-' : 'X-Goog-'
  const names = NAMES.map((each) => prefix + each)
  const algorithm = `${vendor}-HMAC-SHA256`
  const end = `${region}/${service}/${vendor.toLowerCase()}_request`

  // Google's libraries sign no port.
  const hostOf = (origin: string): string => origin.replace(vendor === 'AWS4' ? /^.*\/\// : /^.*\/\/|:\d+$/g, '')

  function scan(url: string): Scanned {
    const { origin, path, query } = split(url)
    const decoded = decodeValue(path)
    const values: (string | undefined)[] = []
    const ours: string[] = []
    const others: string[] = []
    // Clients resolve dots before they send, and then ask for something else.
    let broken = decoded?.[0] !== '/' || /\/\.\.?(\/|$)/.test(decoded)
    let rest = ''
    let payload = 'UNSIGNED-PAYLOAD'
    eachParameter(query, '&', (_, text, piece) => {
      const parameter = form(piece.split('=', 1)[0] as string)
      const value = form(text)
      if (parameter === undefined || value === undefined) return (broken = true)
      const at = names.indexOf(parameter)
      if (at < 0) rest += `${rest ? '&' : '?'}${piece}`
      else if (values[at] === undefined) values[at] = value
      else broken = true
      if (parameter === `${prefix}Content-Sha256`) payload = value
      if (at < 6) (at < 0 ? others : ours).push(`${encodeValue(parameter)}\n${encodeValue(value)}`)
      return
    })
    return { origin, path, signedPath: encodeValue(decoded ?? '').replaceAll('%2F', '/'), values, ours, others, rest, payload, broken }
  }

  /** The text to sign; `undefined` when a signed header is missing. */
  async function textOf(method: string, scanned: Scanned, header: (name: string) => string | undefined): Promise<string | undefined> {
    const { signedPath, values, ours, others } = scanned
    let { payload } = scanned
    const [, , date = '', , signedHeaders = ''] = values
    let headers = ''
    for (const each of signedHeaders.split(';')) {
      const value = header(each)
      if (value === undefined) return
      headers += `${each}:${value.trim().replace(/\s+/g, ' ')}\n`
      // A hash of the body that the storage is to compare with what comes.
      if (each === `${prefix.toLowerCase()}content-sha256`) payload = value
    }
    const request = `${method}\n${signedPath}\n${print([...ours, ...others])}\n${headers}\n${signedHeaders}\n${payload}`
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(request))
    return `${algorithm}\n${date}\n${date.slice(0, 8)}/${end}\n${encode(new Uint8Array(hash), HEX)}`
  }

  /** The key of one day, which is what signs. */
  async function keyOf(key: SecretKey, day: string, mac: Grant['mac']): Promise<SecretKey> {
    let known = derived.get(key)
    if (!known) derived.set(key, (known = new Map()))
    const scope = `${vendor}/${day}/${end}`
    let step = known.get(scope)
    if (step) return step
    step = { secret: prefixed(key.secret, vendor) }
    for (const word of [day, ...end.split('/')]) {
      const secret = new Uint8Array(32)
      decode(await mac(step, word, HEX), HEX, secret)
      step = { secret }
    }
    // Visitors choose the day of what they forge, so this must not grow with them.
    if (known.size > 15) known.clear()
    known.set(scope, step)
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
      const { headers = {}, query = {}, align } = grant.own as PresignConditions & { align?: unknown }
      insist(!methods[1], `${name} links take one method, because it is signed`)
      const key = grant.signingKey(ring, now)

      const added = Object.entries(query).map((pair) => pair.map((text) => encodeValue(plain(text, 'query'))).join('='))
      const url = added[0] ? append(grant.url, added.join('&')) : grant.url
      const { values, broken } = scan(url)
      if (values.length)
        throw new LinkError(
          values[0] && values[6] ? 'already_signed' : 'bad_option',
          `the URL has a parameter '${names[values.findIndex((value) => value !== undefined)]}': it is a link already, or was one`,
        )
      insist(!broken, `${name} links take a URL whose escapes are in order, without the segments . and .., which clients resolve`)
      const host = hostOf(grant.normalise({ ...NOTHING, origin: split(url).origin }).origin)
      insist(/^[\w.:[\]-]+$/.test(host), `${name} links take an absolute URL, because the host is signed; other alphabets as xn--`)

      const signed: Record<string, string> = { host }
      for (const [header, value] of Object.entries(headers)) {
        const lower = header.toLowerCase()
        insist(
          TOKEN.test(lower) && signed[lower] === undefined && /^[\t -~]*$/.test(plain(value, 'headers')),
          'headers takes names and values in ASCII, none twice, and no host',
        )
        signed[lower] = value
      }

      // Aligned links have an aligned start, too, or they would not be identical.
      const window = align ? seconds(align, 'align') : 1
      const second = Math.floor(now / 1000)
      const date = starts ?? Math.max(second - (second % window), Math.min(second, expires - WEEK))
      let life = expires - date
      // '7d' from between two seconds is not too long, though both of its ends are rounded.
      if (life === WEEK + 1 && !starts && now % 1000) life--
      insist(life <= WEEK, `${name} links live for at most 7 days, counted from starts or else from now`)

      const stamp = stampOf(date * 1000)
      const day = stamp.slice(0, 8)
      const list = Object.keys(signed).sort().join(';')
      let parameters = ''
      for (const [at, value] of [algorithm, `${key.id}/${day}/${end}`, stamp, life, list, key.sessionToken].entries())
        if (value) parameters += `${parameters && '&'}${names[at]}=${encodeValue(`${value}`)}`
      const link = append(url, parameters)
      // Before the digest: it throws where there is no WebCrypto.
      const signing = await keyOf(key, day, grant.mac)
      const text = await textOf(methods[0] as string, scan(link), (header) => signed[header])
      return append(link, `${names[6]}=${await grant.mac(signing, text as string, HEX)}`)
    },

    read(url: string): PresignedReading | 'unsigned' | 'malformed' {
      const scanned = scan(url)
      const { origin, path, values, rest, broken } = scanned
      const [given, credential = '', date = '', life = '', signedHeaders = '', , signature] = values
      if (given === undefined && signature === undefined) return 'unsigned'
      const [, id, day] = /^(.+)\/(\d{8})\/[^/]+\/[^/]+\/[^/]+$/.exec(credential) ?? []
      const starts = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
      if (
        broken ||
        given !== algorithm ||
        !id ||
        !(starts >= 0) ||
        // Engines read more than this form, and some the 31st of February.
        stampOf(starts) !== date ||
        day !== date.slice(0, 8) ||
        !/^[1-9]\d{0,5}$/.test(life) ||
        +life > WEEK ||
        !TOKENS.test(signedHeaders) ||
        !`;${signedHeaders};`.includes(';host;') ||
        signature?.length !== 64
      )
        return 'malformed'
      return {
        scanned,
        claims: { resource: origin + path + rest, expires: new Date(starts + +life * 1000), starts: new Date(starts), keyId: id },
      }
    },

    async check({ claims, scanned }: PresignedReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const [, , date = '', , , , signature = ''] = scanned.values
      const origin = visit.normalise({ ...NOTHING, origin: scanned.origin }).origin
      const host = hostOf(origin) || visit.header('host')
      let text: string | undefined
      for (const key of ring) {
        if (key.id !== claims.keyId) continue
        const signing = await keyOf(key, date.slice(0, 8), visit.mac)
        text ??= await textOf(visit.method, scanned, (header) => (header === 'host' ? host : visit.header(header)))
        if (text === undefined) return 'bad_signature'
        if (typeof (await visit.match([signing], undefined, text, signature, HEX)) === 'string') continue
        const query = print(scanned.others)
        // What was signed, in place of what was written.
        return { key, claims: { ...claims, resource: origin + scanned.signedPath + (query && `?${query}`), methods: [visit.method] } }
      }
      // Compares nothing, but knows what an empty ring means.
      return text === undefined ? ((await visit.match(ring, claims.keyId, '', '', HEX)) as 'unknown_key') : 'bad_signature'
    },
  }
}

const NOTHING = { path: '/', query: '', fragment: '' }

// Names of headers, in small letters.
const TOKEN = /^[a-z\d_.-]+$/
const TOKENS = /^[a-z\d_.-]+(;[a-z\d_.-]+)*$/

const stampOf = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '')

// Storages read a `+` in a query as a space.
const form = (text: string): string | undefined => decodeValue(text.replaceAll('+', ' '))

// Ordered by name and then by value: a line break comes before every character that they can have, and `=` does not.
const print = (parameters: readonly string[]): string => [...parameters].sort().join('&').replaceAll('\n', '=')

function plain(value: unknown, option: string): string {
  insist(typeof value === 'string' && !/\p{Surrogate}/u.test(value), `${option} takes an object of names and texts`)
  return value
}

// With the vendor in front, as the chain of keys begins. A CryptoKey has it already.
function prefixed(secret: SecretKey['secret'], vendor: string): SecretKey['secret'] {
  if (typeof secret === 'string') return vendor + secret
  if (!('byteLength' in secret)) return secret
  const bytes = new Uint8Array(vendor.length + secret.length)
  new TextEncoder().encodeInto(vendor, bytes)
  bytes.set(secret, vendor.length)
  return bytes
}
