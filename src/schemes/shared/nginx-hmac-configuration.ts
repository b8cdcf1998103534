// The options of nginxHmac, which say how NGINX is configured, checked and parsed.
import { assertKnownOptions, assertOption } from '../../core/errors.ts'
import type { Hash } from '../../core/scheme.ts'
import { assertVariables, covers, directive, type Expression, parseExpression, type SharedOptions } from './nginx-expression.ts'
import { SECONDS } from './nginx-fields.ts'
import { type Zone, zoneOf } from './nginx-hmac-time.ts'

/** Options of `nginxHmac`: how NGINX is configured. */
export interface NginxHmacOptions<M extends string = string> extends SharedOptions {
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
}

/** The message of the module's README. */
export type NginxHmacMessage = '$uri|$arg_ts|$arg_e'

const MESSAGE: NginxHmacMessage = '$uri|$arg_ts|$arg_e'

const OPTIONS = ['message', 'parameters', 'timestamp', 'algorithm', 'trailing', 'variables', 'mergeSlashes', 'ambiguous']

/** Names of the link's parameters, in lower case. The links have no lifetime, or no time at all, if its name is empty. */
export interface Names {
  readonly token: string
  readonly timestamp: string
  readonly lifetime: string
}

/** The options, checked and parsed once. */
export interface Configuration {
  readonly names: Names
  readonly message: Expression
  readonly hash: Hash
  /** The length of a token, in bytes. */
  readonly size: number
  readonly zone: Zone
  readonly trailing: boolean
}

/** Checks the options, and parses the message. */
export function configurationOf(options: NginxHmacOptions): Configuration {
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
  return { names, message, hash, size, zone: zoneOf(zone), trailing }
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
export function coversExpiry({ message, names: { timestamp, lifetime } }: Configuration): boolean {
  if (lifetime === '' || !covers(message, `arg_${timestamp}`)) return false
  return covers(message, `arg_${lifetime}`) || covers(message, 'secure_link_hmac_expires')
}
