// Conditions: what a link is to hold for, as the caller says it. Claims: the same, as a link says it.
import { insist, LinkError } from './errors.ts'
import { parseNetwork } from './lib/address.ts'
import { below, normalPath } from './lib/normal.ts'
import { split } from './lib/text.ts'
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
  readonly expires: Date
  readonly starts?: Date
  /** Upper case, sorted. Absent: `GET` and `HEAD`. */
  readonly methods?: readonly string[]
  /** Address or network that the link is bound to. `/24` alone where the link tells only the length and the address is in the signature. */
  readonly ip?: string
  readonly prefix?: string
  readonly uses?: number
  readonly id?: string
  readonly keyId?: string
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds in a duration. */
export function seconds(duration: unknown, name: string): number {
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(duration as string) ?? []
  insist(unit && typeof duration === 'string', `${name} takes a length of time with its unit, such as '90s', '10m', '12h' or '7d'`)
  return Number(count) * (UNITS[unit] as number)
}

/** The moment that the caller's `now` names, or the present. */
export function clock(now?: () => Date): Date {
  const date = now ? now() : new Date()
  insist(isDate(date), 'now takes a function that returns a valid Date')
  return date
}

function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(+value)
}

// Eleven digits of seconds reach the year 5138; longer ones are milliseconds, taken for seconds by mistake.
const LAST = 99_999_999_999

function moment(when: When, now: Date, name: string): number {
  insist(isDate(when) || typeof when === 'string', `${name} takes a valid Date or a length of time such as '10m'`)
  return typeof when === 'string' ? +now / 1000 + seconds(when, name) : +when / 1000
}

/** Conditions as they come in at run time, with the scheme's own among them. */
export type Asked = Conditions & Record<string, unknown>

// What clients change in silence: control characters and outer spaces are dropped, `\` becomes `/`, half a surrogate pair U+FFFD.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
const UNSENDABLE = /[\u0000-\u001f\u007f]|^\s|\s$|\p{Surrogate}|^[^?#]*\\/u

/** Checks what the caller asked for, once for all schemes, and brings it into the form that schemes take. */
export function grant(scheme: Scheme, url: string, asked: Asked, now: Date): Granted {
  const parts = split(url)
  insist(parts.path[0] === '/' && !UNSENDABLE.test(url), `url takes an absolute URL without user name, or a path from '/', without control characters and backslashes`)
  const { expires: until, align, starts, method, ip, prefix, uses, ...others } = asked ?? {}
  const can = [...scheme.carries, ...(scheme.own ?? []), 'expires', 'align'] as readonly string[]
  for (const name in asked)
    if (asked[name] !== undefined && !can.includes(name)) throw new LinkError('unsupported_condition', `${scheme.name} links cannot carry '${name.slice(0, 40)}'`)
  for (const name in others)
    insist(typeof others[name] !== 'string' || (others[name] && !/\p{Surrogate}/u.test(others[name])), `${name} takes text that is not empty`)

  const window = align === undefined ? 1 : seconds(align, 'align')
  insist(Number.isInteger(window) && window, 'align takes whole seconds')
  const expires = Math.ceil(moment(until, now, 'expires') / window) * window
  insist(expires * 1000 > +now && expires <= LAST, 'expires takes a moment in the future, and before the year 5138')
  const granted: { -readonly [K in keyof Granted]: Granted[K] } = { url, now, expires: new Date(expires * 1000), own: others }

  if (starts !== undefined) {
    const from = Math.floor(moment(starts, now, 'starts'))
    insist(from > 0 && from < expires, 'starts takes a moment before expires')
    granted.starts = new Date(from * 1000)
  }
  if (method !== undefined) {
    const methods = [method].flat().map((name) => String(name).toUpperCase())
    insist(methods.length && methods.every((name) => /^[A-Z-]+$/.test(name)), `method takes an HTTP method such as 'PUT', or a list`)
    granted.methods = [...new Set(methods)].sort()
  }
  if (ip !== undefined) {
    const network = parseNetwork(String(ip))
    insist(network, `ip takes an address, or a network such as '203.0.113.0/24'`)
    granted.ip = ip
    granted.network = network
  }
  if (prefix !== undefined) {
    granted.prefix = normalPath(String(prefix))
    insist(/^\/[^?#]*$/.test(prefix) && !UNSENDABLE.test(prefix) && below(normalPath(parts.path), granted.prefix), `prefix takes a path from '/' that the URL's own is below`)
  }
  if (uses !== undefined) {
    insist(Number.isInteger(uses) && uses > 0 && uses < 1e9, 'uses takes a whole number from 1')
    granted.uses = uses
  }
  return granted
}

type Granted = Omit<Grant, 'signingKey' | 'mac' | 'normalise' | 'lines' | 'random' | 'append'>
