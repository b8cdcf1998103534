// Conditions: what a link is to hold for, as the caller says it. Claims: the same, as a link says it.
import { insist } from './errors.ts'
import { mac, signingKey } from './keys.ts'
import { parseNetwork } from '../lib/address.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import { below, normalise, normalPath } from '../lib/normalise.ts'
import { hasDotSegment, looksLikeHost } from '../lib/request-target.ts'
import { append, encodeValue, split } from '../lib/url.ts'
import type { Grant, Scheme } from './scheme.ts'

/** A length of time with its unit in the value: `'90s'`, `'15m'`, `'12h'`, `'7d'`. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`

/** A moment: so long from now, or a date. A bare number does not compile, and throws: nobody can tell seconds from milliseconds. */
export type When = Duration | Date

/** Names of the conditions that a scheme may be able to carry; every scheme carries `expires`. */
export type Condition = 'starts' | 'method' | 'ip' | 'prefix' | 'uses'

/** The conditions that not every scheme can carry. */
export interface OptionalConditions {
  /** Not good before this moment; rounded down to the second. */
  readonly starts?: When
  /** The methods that the link opens; `GET` implies `HEAD`. Default: `GET` and `HEAD`. */
  readonly method?: string | readonly string[]
  /** The only address, or network in CIDR form, that the link opens for: `'203.0.113.7'`, `'203.0.113.0/24'`, `'2001:db8::/64'`. */
  readonly ip?: string
  /** A path; the link opens it and everything below: `'/videos/7/'`. */
  readonly prefix?: string
  /** How often the link can be redeemed; 1 makes a one-time link. Such links are for `redeem`, and `verify` refuses them. */
  readonly uses?: number
}

/** What `sign` takes: `expires` always, and of the rest what the scheme can carry. */
export type Conditions<C extends Condition = Condition> = {
  /** When the link dies; rounded up to the second. There is no default. */
  readonly expires: When
  /** Rounds the expiry up to a multiple of this, so that links minted in one window are identical and caches share them. */
  readonly align?: Duration
} & Pick<OptionalConditions, C>

/** What a link says. From an accepting verdict it is true; from `inspect` it is what somebody wrote. */
export interface Claims {
  /** The URL without the scheme's parameters. */
  readonly resource: string
  /** From this moment on the link is dead. */
  readonly expires: Date
  /** Before this moment it opens nothing. */
  readonly starts?: Date
  /** Upper case, sorted. Absent: `GET` and `HEAD`. */
  readonly methods?: readonly string[]
  /** Address, network or range `a-b` of the link. `/24` alone where the link tells only the length and the address is in the signature. */
  readonly ip?: string
  /** The path that the link opens, with everything below. Absent: the path of `resource` alone. */
  readonly prefix?: string
  /** How often it can be redeemed in all. Absent: no limit. */
  readonly uses?: number
  /** The name of the link, for `revoked` and for counting. */
  readonly id?: string
  /** The id of the key that signed. */
  readonly keyId?: string
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds in a duration. */
export function seconds(duration: unknown, name: string): number {
  insist(
    typeof duration === 'string' && /^\d{1,9}(\.\d{1,3})?[smhd]$/.test(duration),
    `${name} takes a time with its unit, such as '10m', or where a moment is meant a Date`,
  )
  return +duration.slice(0, -1) * (UNITS[duration.slice(-1)] as number)
}

/** The moment that the caller's `now` names, or the present, in milliseconds. */
export function clock(now?: () => Date): number {
  const date = now?.()
  insist(!now || (date instanceof Date && +date >= 0), 'now takes a function that returns a Date')
  return date ? +date : Date.now()
}

/** The last second of a link: eleven digits reach the year 5138; longer ones are milliseconds, taken for seconds by mistake. */
export const LAST = 99_999_999_999

/** In seconds since 1970. A duration counts from the present second, so that `'1h'` is 3600 seconds in links that carry a duration. */
function moment(when: When, now: number, name: string): number {
  return when instanceof Date && +when > 0 ? +when / 1000 : Math.floor(now / 1000) + seconds(when, name)
}

/** Conditions as they come in at run time, with the scheme's own among them. */
export type Asked = Conditions & Record<string, unknown>

const isPath = (path: string) => path[0] === '/' && !/[?#\\]/.test(path)

/** Checks what the caller asked for, once for all schemes, and brings it into the form that schemes take. */
export function grant(scheme: Scheme, url: string, asked: Asked, now: number): Grant {
  const parts = split(url)
  const { path } = parts
  let text = url
  for (const name in asked) {
    const value = asked[name]
    if (name === 'expires' || name === 'align') continue
    insist(
      scheme.carries.includes(name) || scheme.own?.includes(name),
      `${scheme.name} links cannot carry '${name.slice(0, 40)}'`,
      'unsupported_condition',
    )
    // Also when it is undefined: an address that is not known must not make a link for everybody.
    insist(value && (name !== 'id' || typeof value === 'string'), `${name} takes a value; without one, leave it out`)
    if (typeof value === 'string') text += value
  }
  // What clients change in silence: control characters and outer spaces are dropped, `\` becomes `/`, half a surrogate pair U+FFFD.
  insist(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
    isPath(path) && !/[\0-\x1f\x7f]|\s$/.test(url) && !/\p{Surrogate}/u.test(text),
    `url takes an absolute URL without user name, or a path from '/', of plain characters`,
  )
  // Clients resolve them before they send, so the link would be for another path than the request, or lose the token in front of it.
  insist(!hasDotSegment(path), `url must be without the segments '.' and '..', in any spelling`)
  insist(!looksLikeHost(url), `url must not begin with two slashes: clients would take what follows for a host`)
  const { align, method, ip, prefix: folder, uses } = asked ?? {}

  const window = align ? seconds(align, 'align') : 1
  insist(window && !(window % 1), 'align takes whole seconds')
  const end = moment(asked?.expires, now, 'expires')
  const expires = Math.ceil(end / window) * window
  // Rounded up first: half a second from the present second may be over.
  insist(
    (asked.expires instanceof Date ? end : Math.ceil(end)) * 1000 > now && expires <= LAST,
    'expires takes a moment in the future, before the year 5138',
  )
  const starts = asked.starts && Math.floor(moment(asked.starts, now, 'starts'))
  insist(starts === undefined || (starts > 0 && starts < expires), 'starts takes a moment before expires')
  const methods = method && [...new Set([method].flat().map((name) => `${name}`.toUpperCase()))].sort()
  insist(!methods || (methods[0] && methods.every((name) => /^[A-Z-]+$/.test(name))), `method takes a name such as 'PUT', or a list`)
  const network = ip && parseNetwork(ip)
  insist(!ip || network, `ip takes an address, or a network such as '203.0.113.0/24'`)
  const prefix = folder && normalPath(`${folder}`)
  insist(!prefix || (isPath(folder) && below(normalPath(path), prefix)), `prefix takes a path from '/' that holds the URL's own`)
  insist(!uses || (Number.isInteger(uses) && uses > 0 && uses < 1e9), 'uses takes a whole number from 1')
  // biome-ignore format: one list
  return {
    url, parts, now, expires, starts, methods, ip, network, prefix, uses, own: asked,
    signingKey, mac, normalise, encode: encodeValue, unsigned, insert, random
  } as Grant
}

/** Throws if the URL has any of the link's own parameters, by the names that they have by default. */
export function unsigned(taken: readonly string[]): void {
  const signed = taken.includes('expires') && taken.includes('signature')
  insist(!taken[0], `the URL has the link's parameter '${taken[0]}' already`, signed ? 'already_signed' : 'bad_option')
}

/**
 * Puts parameters with encoded values into a URL: at the end of its query, or as the first segment of its path, where `~` stands for `%`.
 * Values that are empty are left out, and what the URL had stays byte for byte as it was.
 */
export function insert(
  { url, parts }: Pick<Grant, 'url' | 'parts'>,
  names: readonly string[],
  values: readonly string[],
  inPath = false,
): string {
  const { origin } = parts
  let token = ''
  for (let i = 0; i < names.length; i++) if (values[i]) token += `${token && (inPath ? ',' : '&')}${names[i]}=${values[i]}`
  if (!inPath) return append(url, token)
  return `${origin}/${token.replaceAll('~', '%7E').replaceAll('%', '~')}${url.slice(origin.length).replace(/^(?!\/)/, '/')}`
}

function random(): string {
  return encode(crypto.getRandomValues(new Uint8Array(12)), BASE64URL)
}
