// nginxHmac: links of a third-party module for NGINX, https://github.com/nginx-modules/ngx_http_hmac_secure_link_module
import { type Claims, LAST } from '../core/conditions.ts'
import { insist, LinkError } from '../core/errors.ts'
import { type Hash, type Keyring, keyring, type SecretKey } from '../core/keys.ts'
import { printAddress } from '../lib/address.ts'
import { BASE64URL } from '../lib/encoding.ts'
import {
  argument,
  bytesOf,
  type ConditionOf,
  type ConditionsOf,
  coveredQuery,
  directive,
  fill,
  fitsFunctions,
  joined,
  lowered,
  numberOf,
  ONE_SPLIT,
  type Piece,
  pathOf,
  READABLE_PATH,
  SECONDS,
  type Seen,
  see,
  splitsInOneWay,
  textOf,
  tokenOf,
  type Values,
  type Variables,
  valueFor,
  variablesOf,
  without,
} from './shared/nginx-request.ts'
import { append, LONGEST, split } from '../lib/url.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from '../core/scheme.ts'

/** Options of {@link nginxHmac}: how NGINX is configured. */
export interface NginxHmacOptions<M extends string = string> {
  /**
   * What `secure_link_hmac_message` has. Or the lines as they are in the configuration, with those of `secure_link_hmac` and
   * `secure_link_hmac_algorithm`. Default: `'$uri|$arg_ts|$arg_e'`.
   */
  readonly message?: M
  /**
   * Names of the parameters, unless the message has a line `secure_link_hmac`. Default: `st`, `ts` and `e`. Empty ones are left out: the lifetime, or
   * the timestamp and the lifetime.
   */
  readonly parameters?: { readonly token?: string; readonly timestamp?: string; readonly lifetime?: string }
  /** How the moment of signing is written: in seconds, or as ISO 8601 in a time zone. All are read. Default: `'unix'`. */
  readonly timestamp?: 'unix' | 'Z' | `+${string}` | `-${string}`
  /** One that HMAC in WebCrypto has. Default: `'sha256'`. */
  readonly algorithm?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** Reads a time with text behind its `Z` or offset, as the module does. Default: `false`. */
  readonly trailing?: boolean
  /** Values of further variables, by name, or functions of the URL without the token: `{ raw_path: ({ path }) => path }`. */
  readonly variables?: Variables
  /** As the directive `merge_slashes`. Default: `true`. */
  readonly mergeSlashes?: boolean
  /** Signs links that never expire, where the configuration has no lifetime or the message leaves it out. Their `expires` is lost. */
  readonly forever?: boolean
  /**
   * Signs and accepts links whose message is also that of another path, time or argument, as the module does: whoever has such a link can move
   * characters from one field to the next. Default: `false`.
   */
  readonly ambiguous?: boolean
}

/** The message of the module's README. */
export type NginxHmacMessage = '$uri|$arg_ts|$arg_e'

/** What links of a message can carry: an address if it has `$remote_addr`, a method if it has `$request_method`. */
export type NginxHmacCondition<M extends string> = ConditionOf<M>

/** A message with `$remote_addr` needs the address. */
export type NginxHmacConditions<M extends string> = ConditionsOf<M>

interface NginxHmacReading extends Reading {
  readonly seen: Seen
  readonly token: string
  /** The lifetime as it stands. */
  readonly lifetime: string | undefined
}

const COVERS: Record<string, string> = { uri: 'path', remote_addr: 'ip', request_method: 'method', secure_link_hmac_expires: 'expires' }

const MESSAGE: NginxHmacMessage = '$uri|$arg_ts|$arg_e'

// Fields of one digit, 29 February in any year, a second 60: the module takes them, and so its links have them.
const ISO = /^(\d{1,4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})(?:Z|([+-])(\d{1,2}):(\d{1,2}))/

// In seconds since 1970; 0 or less for what is not a time.
function timeOf(text: string, trailing = false): number {
  const found = ISO.exec(text)
  if (!found) return numberOf(text)
  if (!trailing && found[0] !== text) return -1
  const sign = found[7]
  const [, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, , hours = 0, minutes = 0] = found.map((field) => +(field ?? 0))
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return -1
  if (hours > 23 || minutes > 59) return -1
  const east = (hours * 60 + minutes) * (sign === '-' ? -60 : 60)
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - east
}

/**
 * Links of `ngx_http_hmac_secure_link_module`: HMAC over a message of the path, the moment of signing and the lifetime in seconds.
 *
 * The path is signed as NGINX sees it: decoded, with slashes merged. Beside what the message names nothing is covered, and `claims.resource` of a
 * good link holds nothing else: the path, and those arguments that the message has. The second of expiry itself is still good. An address or
 * method that does not match is a `bad_signature`, because it is only in the message.
 * Every refusal is a 403, but a 405 for the wrong method.
 *
 * @param keys - Secrets, newest first: the first one in time signs, all verify, none only reads.
 * @param options - How NGINX is configured. Default: as in the module's README.
 * @throws A {@link LinkError}: `bad_option` for a configuration that cannot be, or an algorithm that WebCrypto has no HMAC with; `weak_key`
 *   for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { nginxHmac } from 'securelink/schemes/nginx-hmac'
 *
 * const links = nginxHmac({ secret: 'my_very_secret_key' })
 * const link = await sign(links, 'https://cdn.example/files/a%20b.txt', { expires: '10m' })
 * ```
 */
export function nginxHmac<const M extends string = NginxHmacMessage>(
  keys: Keyring<SecretKey>,
  options: NginxHmacOptions<M> = {},
): Scheme<NginxHmacCondition<M>, NginxHmacConditions<M>> {
  const ring = keyring(keys)
  const { message = MESSAGE, mergeSlashes = true, forever, ambiguous, trailing, timestamp: zone = 'unix' } = options
  const given = lowered(options.variables)

  const text = directive(message, 'secure_link_hmac_message') ?? message
  insist(!/^\s*secure_link/.test(text), 'message takes a line secure_link_hmac_message "…", or what stands in its quotes')
  insist(!directive(message, 'secure_link_hmac_secret'), 'message takes no line secure_link_hmac_secret: the secret is the key')
  const template = bytesOf(text)

  const written = directive(message, 'secure_link_hmac_algorithm')
  insist(!written || !options.algorithm, 'the algorithm is in the message: leave out the option algorithm')
  const [, bits] = /^sha(1|256|384|512)$/i.exec(written ?? options.algorithm ?? 'sha256') ?? []
  insist(bits, 'algorithm takes sha1, sha256, sha384 or sha512: WebCrypto has no HMAC with any other')
  const hash = `SHA-${bits}` as Hash
  const size = bits === '1' ? 20 : +bits / 8

  const line = directive(message, 'secure_link_hmac')
  insist(!line || !options.parameters, 'the names of the parameters are in the line secure_link_hmac: leave out the option parameters')
  const [, one, two, three] = /^\$\{?arg_(\w+)\}?(?:,\$\{?arg_(\w+)\}?(?:,\$\{?arg_(\w+)\}?)?)?$/.exec(line ?? '') ?? []
  insist(!line || one, `message takes a line secure_link_hmac of parameters, such as '$arg_st,$arg_ts,$arg_e'`)
  const named = options.parameters ?? {}
  const parameters = (line ? [one, two ?? '', three ?? ''] : [named.token ?? 'st', named.timestamp ?? 'ts', named.lifetime ?? 'e']).map(
    (name) => `${name}`.toLowerCase(),
  ) as [string, string, string]
  const [token, timestamp, lifetime] = parameters
  const present = parameters.filter(Boolean)
  insist(
    /^\w+,(\w+,\w*|,)$/.test(parameters.join()) && new Set(present).size === present.length,
    'parameters takes distinct names of letters, digits and _, because NGINX reads no others',
  )

  const names = variablesOf(template)
  insist(names, 'message takes a text of NGINX variables')
  const known = ['uri', 'secure_link_hmac_expires', 'remote_addr', 'host', 'request_method', ...Object.keys(given)]
  for (const name of names)
    insist(
      known.includes(name) || (name.startsWith('arg_') && name !== `arg_${token}`),
      ['args', 'query_string', 'request_uri', `arg_${token}`].includes(name)
        ? `message has $${name}, which holds the token itself`
        : `message has $${name.slice(0, 40)}, which only NGINX knows: give its value in the option variables`,
    )
  insist(
    !['uri', 'remote_addr', 'request_method', 'secure_link_hmac_expires'].some((name) => name in given),
    'variables takes those that only NGINX knows',
  )
  const covers = (name: string): boolean => names.includes(name)
  const needsHost = covers('host') && !('host' in given)
  const bound = lifetime !== '' && covers(`arg_${timestamp}`) && (covers(`arg_${lifetime}`) || covers('secure_link_hmac_expires'))

  // By how much that zone's clocks are ahead.
  const ahead = zone === 'unix' ? 0 : 946_684_800 - timeOf(`2000-01-01T00:00:00${zone}`)
  insist(
    zone === 'unix' || (/^(Z|[+-]\d\d:\d\d)$/.test(zone) && Math.abs(ahead) < 86_400),
    `timestamp takes 'unix', 'Z', or an offset such as '+00:00'`,
  )

  const piecesOf = (seen: Seen, values: Values): readonly Piece[] =>
    fill(template, (name) => valueFor(name, given, seen, { ...values, uri: seen.uri, host: seen.host }))
  const isClear = (pieces: readonly Piece[]): boolean => !!ambiguous || splitsInOneWay(pieces, { [`arg_${lifetime}`]: SECONDS })

  return {
    name: 'nginx-hmac',
    carries: [...(covers('remote_addr') ? ['ip'] : []), ...(covers('request_method') ? ['method'] : [])] as NginxHmacCondition<M>[],
    covers: names.map((name) => COVERS[name] ?? name.replace('arg_', '?')),
    validAtExpiry: true,
    // The documented configuration answers 403 to everything, also to a link that has expired.
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },

    async seal(grant: Grant): Promise<string> {
      const { url, ip } = grant
      const key = grant.signingKey(ring, grant.now)
      const { origin, path, query } = split(url)
      const seen = see({ origin, path, query: without(query, present), fragment: '' }, bytesOf(query.slice(1)), mergeSlashes)
      insist(seen, READABLE_PATH)
      insist(fitsFunctions(given, seen), 'url must have a path of UTF-8, because functions in variables get it as text')
      const taken = present.filter((name) => argument(seen.args, name) !== undefined)
      if (taken.length)
        throw new LinkError(
          taken.length === present.length ? 'already_signed' : 'bad_option',
          `the URL has a parameter '${taken[0]}': it is a link already, or the option parameters must rename ours`,
        )
      insist(
        bound || forever,
        'links of this configuration have no expiry, or one that anybody can change: the option forever says that this is meant',
      )
      insist(!covers('remote_addr') || (ip && !ip.includes('/')), 'links with $remote_addr take an ip: an address, and not a network')
      insist(!needsHost || /^[!-~]+$/.test(seen.host), 'links with $host take absolute URLs, and the host as it is sent')
      const [method = 'GET', another] = grant.methods ?? []
      insist(!another, 'links with $request_method take one method')

      const issued = Math.floor(grant.now / 1000)
      const moment = zone === 'unix' ? `${issued}` : new Date((issued + ahead) * 1000).toISOString().slice(0, 19) + zone
      const seconds = lifetime && `${grant.expires - issued}`
      const pairs = (timestamp && `&${timestamp}=${moment}`) + (lifetime && `&${lifetime}=${seconds}`)
      const pieces = piecesOf(
        { ...seen, args: seen.args + pairs },
        { request_method: method, remote_addr: ip && printAddress(ip), secure_link_hmac_expires: seconds },
      )
      insist(isClear(pieces), ONE_SPLIT)
      return append(url, `${token}=${await grant.mac(key, textOf(joined(pieces)), BASE64URL, hash)}${pairs}`)
    },

    read(url: string): NginxHmacReading | 'unsigned' | 'malformed' {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const args = bytesOf(query.slice(1))
      const found = present.map((name) => argument(args, name))
      if (found.every((value) => value === undefined)) return 'unsigned'
      // The line secure_link_hmac, split at its commas as the module does it. One value alone is a token without a time.
      const fields = /^([^,]*)(?:,([^,]*)(?:,(.*))?)?$/s.exec(found.map((value) => value ?? '').join()) ?? []
      const [, signature = '', moment, seconds] = fields
      const others = without(query, present)
      const seen = see({ origin, path, query: others, fragment: '' }, args, mergeSlashes)
      const issued = moment === undefined ? LAST : timeOf(moment, trailing)
      const lasts = numberOf(seconds ?? '0')
      if (!seen || !tokenOf(signature, size) || issued <= 0 || lasts < 0 || !fitsFunctions(given, seen)) return 'malformed'
      // A lifetime of 0, and none, are unlimited.
      const expires = new Date(Math.min(lasts ? issued + lasts : LAST, LAST) * 1000)
      return { claims: { resource: origin + path + others, expires }, seen, token: signature, lifetime: seconds }
    },

    async check({ claims, seen, token, lifetime }: NginxHmacReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const address = visit.ip === undefined ? undefined : printAddress(visit.ip)
      const pieces = piecesOf(seen, { request_method: visit.method, remote_addr: address, secure_link_hmac_expires: lifetime })
      const key = await visit.match(ring, undefined, textOf(joined(pieces)), token, BASE64URL, hash)
      if (typeof key === 'string') return key
      if (!isClear(pieces)) return 'bad_signature'
      // Nothing but what was signed: the module signs no scheme and no port, and no argument that the message does not have.
      const path = covers('uri') ? pathOf(seen.uri) : '/'
      const proven: { -readonly [K in keyof Claims]: Claims[K] } = { ...claims, resource: path + coveredQuery(names, present, seen.args) }
      if (covers('remote_addr')) {
        if (!address) return 'bad_signature'
        proven.ip = address
      }
      if (covers('request_method')) proven.methods = [visit.method]
      return { key, claims: proven }
    },
  }
}
