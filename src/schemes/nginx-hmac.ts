// nginxHmac: links of a third-party module for NGINX, https://github.com/nginx-modules/ngx_http_hmac_secure_link_module
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Covered, Hash, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { append, LONGEST, split } from '../lib/url.ts'
import {
  assertVariables,
  type ConditionOf,
  type ConditionsOf,
  coveredBy,
  coveredUrl,
  covers,
  directive,
  type Expression,
  factsOf,
  grantToSign,
  parseExpression,
  readingOf,
  requestOf,
  requestToSign,
  type SignedUrl,
  type Variables,
} from './shared/nginx-expression.ts'
import { SECONDS } from './shared/nginx-fields.ts'
import { argument, bytesOf, isToken, numberOf, without } from './shared/nginx-request.ts'

export type { SignedUrl, Variables }

/** Options of {@link nginxHmac}: how NGINX is configured. */
export interface NginxHmacOptions<M extends string = string> {
  /**
   * The text of `secure_link_hmac_message`. Or the lines as they are in the configuration, with those of `secure_link_hmac` and
   * `secure_link_hmac_algorithm`. Default: `'$uri|$arg_ts|$arg_e'`.
   */
  readonly message?: M
  /**
   * Names of the parameters, unless the message has a line `secure_link_hmac`. Default: `st`, `ts` and `e`. Empty ones are left out: the lifetime, or
   * the timestamp and the lifetime.
   */
  readonly parameters?: { readonly token?: string; readonly timestamp?: string; readonly lifetime?: string }
  /** How the time of signing is written: in seconds, or as ISO 8601 in a time zone. All are read. Default: `'unix'`. */
  readonly timestamp?: 'unix' | 'Z' | `+${string}` | `-${string}`
  /** A hash that WebCrypto has for HMAC. Default: `'sha256'`. */
  readonly algorithm?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** Reads a time with text after its `Z` or offset, as the module does. Default: `false`. */
  readonly trailing?: boolean
  /** Values of further variables, by name, or functions of the URL without the token: `{ raw_path: ({ path }) => path }`. */
  readonly variables?: Variables
  /** As the directive `merge_slashes`. Default: `true`. */
  readonly mergeSlashes?: boolean
  /**
   * Signs and accepts links whose message is also that of another path, time or argument, as the module does: a client with such a link can move
   * characters from one field to the next. Default: `false`.
   */
  readonly ambiguous?: boolean
}

/** The message of the module's README. */
export type NginxHmacMessage = '$uri|$arg_ts|$arg_e'

/** The conditions that links of a message can carry: an address if it has `$remote_addr`, a method if it has `$request_method`. */
export type NginxHmacCondition<M extends string> = ConditionOf<M>

/** A message with `$remote_addr` needs the address. */
export type NginxHmacConditions<M extends string> = ConditionsOf<M>

const MESSAGE: NginxHmacMessage = '$uri|$arg_ts|$arg_e'

const OPTIONS = ['message', 'parameters', 'timestamp', 'algorithm', 'trailing', 'variables', 'mergeSlashes', 'ambiguous']

/** Names of the link's parameters, in lower case. The links have no lifetime, or no time at all, if its name is empty. */
interface Names {
  readonly token: string
  readonly timestamp: string
  readonly lifetime: string
}

/** The options, checked and parsed once. */
interface Configuration {
  readonly names: Names
  readonly message: Expression
  readonly hash: Hash
  /** The length of a token, in bytes. */
  readonly size: number
  readonly zone: NonNullable<NginxHmacOptions['timestamp']>
  /** By how many seconds the clocks of that zone are ahead. */
  readonly ahead: number
  readonly trailing: boolean
}

/**
 * Links of `ngx_http_hmac_secure_link_module`: HMAC over a message of the path, the time of signing and the lifetime in seconds.
 *
 * The path is signed as NGINX sees it: decoded, with slashes merged. The signature covers the variables of the message and nothing else, so
 * `claims.resource` of a valid link holds the path and those arguments that the message has. A link is still valid in the second of its expiry. An
 * address or method that does not match is a `bad_signature`, because it is only in the message. Every refusal is a 403, except a 405 for the wrong
 * method.
 *
 * `expires: 'never'` writes a lifetime of 0. If the message does not cover time and lifetime, `expires` must be `'never'`.
 *
 * @see https://github.com/nginx-modules/ngx_http_hmac_secure_link_module
 * @param keys - Secrets, newest first: the first one that is valid now signs, all of them verify, and an empty list only reads links.
 * @param options - How NGINX is configured. Default: as in the module's README.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong message or option, such as an algorithm that WebCrypto does not have for HMAC; `weak_key` for an empty
 *   secret.
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
  keys: Keys<SecretKey>,
  options: NginxHmacOptions<M> = {},
): Scheme<NginxHmacCondition<M>, NginxHmacConditions<M>, 'optional' | 'none'> {
  const configuration = configurationOf(options)
  const { names, message, hash, size } = configuration
  const { own } = message
  const expires = coversExpiry(configuration)
  return {
    name: 'nginx-hmac',
    ...factsOf<NginxHmacCondition<M>>(message),
    covers: [...coveredBy(message), ...(expires ? (['expires'] satisfies Covered[]) : [])],
    parameters: own,
    algorithm: { hmac: hash, encoding: 'base64url' },
    expiry: expires ? 'optional' : 'none',
    validAtExpiry: true,
    // The documented configuration answers 403 to everything, even to a link that has expired.
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys),

    write(grant) {
      const request = requestToSign(message, grant)
      const issued = Math.floor(grant.now / 1000)
      // A lifetime of 0 is unlimited.
      const lifetime = grant.expires === undefined ? '0' : `${grant.expires - issued}`
      const time = names.timestamp && `&${names.timestamp}=${printTime(configuration, issued)}`
      const pairs = time + (names.lifetime && `&${names.lifetime}=${lifetime}`)
      const values = { secure_link_hmac_expires: names.lifetime && lifetime }
      return {
        toSign: grantToSign(message, grant, { ...request, args: request.args + pairs }, values),
        link: (token) => append(grant.url, `${names.token}=${token}${pairs}`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const args = bytesOf(query.slice(1))
      const found = own.map((name) => argument(args, name))
      if (found.every((value) => value === undefined)) return 'unsigned'
      const { token, timestamp, lifetime } = secureLinkHmac(found.map((value) => value ?? '').join())
      const issued = timestamp === undefined ? ENDLESS : timeOf(timestamp, configuration.trailing)
      const lasts = numberOf(lifetime ?? '0')
      if (!isToken(token, size)) return { malformed: names.token }
      if (issued <= 0) return { malformed: names.timestamp || names.token }
      if (lasts < 0) return { malformed: names.lifetime || names.token }
      const others = without(query, own)
      const request = requestOf(message, { origin, path, query: others }, args)
      if (!request) return 'malformed'
      const seconds = lasts ? issued + lasts : ENDLESS
      const values = { secure_link_hmac_expires: lifetime }
      return readingOf(message, { request, token, values, seconds, resource: origin + path + others, proven: coveredUrl(message, request) })
    },
  }
}

/** The value of the directive `secure_link_hmac`, split at its commas as the module does it. One value alone is a token without a time. */
function secureLinkHmac(line: string): { readonly token: string; readonly timestamp?: string; readonly lifetime?: string } {
  const [token = '', timestamp, ...behind] = line.split(',')
  if (timestamp === undefined) return { token }
  return behind.length > 0 ? { token, timestamp, lifetime: behind.join() } : { token, timestamp }
}

function configurationOf(options: NginxHmacOptions): Configuration {
  assertKnownOptions(options, OPTIONS, 'nginxHmac()')
  const { message: text = MESSAGE, trailing = false, timestamp: zone = 'unix' } = options
  assertOption(typeof text === 'string', 'message', 'text')
  assertOption(typeof trailing === 'boolean', 'trailing', 'true or false')
  const { hash, size } = algorithmOf(options, directive(text, 'secure_link_hmac_algorithm'))
  const names = parametersOf(options, directive(text, 'secure_link_hmac'))
  const { token, timestamp, lifetime } = names
  const message = parseExpression('message', signedText(text), options, [token, timestamp, lifetime], { [lifetime]: SECONDS })
  assertVariables('message', message, {
    known: ['uri', 'secure_link_hmac_expires', 'remote_addr', 'host', 'request_method'],
    holdToken: ['args', 'query_string', 'request_uri', `arg_${token}`],
    fixed: ['uri', 'remote_addr', 'request_method', 'secure_link_hmac_expires', 'secret'],
  })
  return { names, message, hash, size, zone, ahead: secondsAhead(zone), trailing }
}

/** The text in quotes of a line `secure_link_hmac_message`, or the whole, if it has no such line. */
function signedText(text: string): string {
  const signed = directive(text, 'secure_link_hmac_message') ?? text
  assertOption(!/^\s*secure_link/.test(signed), 'message', 'one with a line secure_link_hmac_message "…", or the text in its quotes')
  const withSecret = directive(text, 'secure_link_hmac_secret') !== undefined
  assertOption(!withSecret, 'message', 'one without a line secure_link_hmac_secret, because the secret is the key')
  return signed
}

function algorithmOf({ algorithm }: NginxHmacOptions, line: string | undefined): { readonly hash: Hash; readonly size: number } {
  assertOption(!line || !algorithm, 'algorithm', 'left out, because the message has a line with it')
  const [, bits] = /^sha(1|256|384|512)$/i.exec(line ?? algorithm ?? 'sha256') ?? []
  assertOption(bits, 'algorithm', 'sha1, sha256, sha384 or sha512, because WebCrypto has no HMAC with another hash')
  return { hash: `SHA-${bits}` as Hash, size: bits === '1' ? 20 : +bits / 8 }
}

/** The names of the three parameters, from the line `secure_link_hmac` or from the options. */
function parametersOf({ parameters }: NginxHmacOptions, line: string | undefined): Names {
  const [, token, timestamp = '', lifetime = ''] =
    /^\$\{?arg_(\w+)\}?(?:,\$\{?arg_(\w+)\}?(?:,\$\{?arg_(\w+)\}?)?)?$/.exec(line ?? '') ?? []
  assertOption(!line || token, 'message', "one with a line secure_link_hmac of parameters, such as '$arg_st,$arg_ts,$arg_e'")
  assertOption(!line || !parameters, 'parameters', 'left out, because the line secure_link_hmac has their names')
  const named = token ? { token, timestamp, lifetime } : { token: 'st', timestamp: 'ts', lifetime: 'e', ...parameters }
  const all = [named.token, named.timestamp, named.lifetime].map((name) => `${name}`.toLowerCase())
  const present = all.filter(Boolean)
  const good = /^\w+,(\w+,\w*|,)$/.test(all.join()) && new Set(present).size === present.length
  assertOption(good, 'parameters', 'distinct names of letters, digits and _, because NGINX reads no others')
  return { token: all[0] as string, timestamp: all[1] as string, lifetime: all[2] as string }
}

/** Does the signature cover the expiry, which is the time of signing and the lifetime? */
function coversExpiry({ message, names: { timestamp, lifetime } }: Configuration): boolean {
  if (lifetime === '' || !covers(message, `arg_${timestamp}`)) return false
  return covers(message, `arg_${lifetime}`) || covers(message, 'secure_link_hmac_expires')
}

/** By how many seconds the clocks of a zone are ahead. */
function secondsAhead(zone: string): number {
  if (zone === 'unix') return 0
  const ahead = Date.UTC(2000, 0) / 1000 - timeOf(`2000-01-01T00:00:00${zone}`, false)
  const good = /^(Z|[+-]\d\d:\d\d)$/.test(zone) && Math.abs(ahead) < 86_400
  assertOption(good, 'timestamp', "'unix', 'Z', or an offset such as '+00:00'")
  return ahead
}

/** A time in seconds as the links of this configuration have it. */
function printTime({ zone, ahead }: Configuration, seconds: number): string {
  if (zone === 'unix') return `${seconds}`
  return new Date((seconds + ahead) * 1000).toISOString().slice(0, '2000-01-01T00:00:00'.length) + zone
}

// The module accepts fields of one digit, 29 February in any year, and a second 60, so valid links can have them.
const ISO =
  /^(?<year>\d{1,4})-(?<month>\d{1,2})-(?<day>\d{1,2})T(?<hour>\d{1,2}):(?<minute>\d{1,2}):(?<second>\d{1,2})(?:Z|(?<sign>[+-])(?<hours>\d{1,2}):(?<minutes>\d{1,2}))/

/** A time in seconds since 1970, as the module reads it: digits, or ISO 8601. 0 or less if the text is not a time. */
function timeOf(text: string, trailing: boolean): number {
  const found = ISO.exec(text)
  if (!found) return numberOf(text)
  if (!trailing && found[0] !== text) return -1
  const fields = found.groups as Record<string, string | undefined>
  const field = (name: string, least: number, most: number): number => {
    const value = +(fields[name] ?? 0)
    return value >= least && value <= most ? value : Number.NaN
  }
  const date = Date.UTC(field('year', 1970, 9999), field('month', 1, 12) - 1, field('day', 1, 31))
  const seconds = field('hour', 0, 23) * 3600 + field('minute', 0, 59) * 60 + field('second', 0, 60)
  const offset = (field('hours', 0, 23) * 60 + field('minutes', 0, 59)) * 60
  const time = date / 1000 + seconds - (fields['sign'] === '-' ? -offset : offset)
  return Number.isNaN(time) ? -1 : time
}
