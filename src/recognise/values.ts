// How values in links are read: times, escapes, base64, JSON. None of it throws. Times are in milliseconds, and NaN where there is none.
import type { End, Rule } from './rule.ts'

export const ANY: RegExp = /./s
export const HEX64: RegExp = /^[\da-f]{64}$/i
/** Hexadecimal seconds, as Discord and Instagram write them. */
export const HEX_TIME: RegExp = /^[\da-f]{8}$/i
/** Whole seconds: eleven digits reach the year 5138. */
export const SECONDS: RegExp = /^\d{1,11}$/
/** A Unix time, in seconds or, where somebody forgot to divide, in milliseconds. */
export const TIME: RegExp = /^(\d{1,11}|[1-9]\d{12})$/
export const JWT: RegExp = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/
/** `20260101T000000Z` */
export const BASIC_TIME: RegExp = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
/** A date, alone or with a time and its zone. */
const ISO_TIME = /^\d{4}(-\d\d){2}(T\d\d:.*(Z|[+-]\d\d:\d\d))?$/

/** The end of a link that is written as a Unix time, in text or as a number of JSON. `undefined` for what is not one. */
export function end(value: unknown): End | undefined {
  const time = typeof value === 'number' ? value : typeof value === 'string' && TIME.test(value) ? +value : Number.NaN
  const milliseconds = time >= 1e12
  return time >= 0 ? { expires: milliseconds ? time : time * 1000, milliseconds } : undefined
}

export const unixTime = (value: unknown): number | undefined => end(value)?.expires
export const hexTime = (text: string): number => Number.parseInt(text, 16) * 1000
export const isoTime = (value: unknown): number => (typeof value === 'string' && ISO_TIME.test(value) ? Date.parse(value) : Number.NaN)
export const basicTime = (text: string): number => Date.parse(text.replace(BASIC_TIME, '$1-$2-$3T$4:$5:$6Z'))

const known = (times: readonly (number | undefined)[]): number[] => times.filter((time) => time !== undefined && time >= 0) as number[]
/** The first of these moments, or Infinity. */
export const earliest = (...times: readonly (number | undefined)[]): number => Math.min(...known(times))
/** The last of these moments, or -Infinity. */
export const latest = (...times: readonly (number | undefined)[]): number => Math.max(...known(times))

/** Reads a link whose only fact of interest is its end, in a parameter that all such links have. */
export const endIn =
  (name: string): Rule['read'] =>
  (link) =>
    end(link.text(name))

/** The same, where links without that parameter have no end. With `zeroIsNever`, the vendor reads 0 as no end. */
export const optionalEndIn =
  (name: string, options: { readonly zeroIsNever?: boolean } = {}): Rule['read'] =>
  (link) =>
    link.raw(name) === undefined || (options.zeroIsNever && /^0+$/.test(link.text(name))) ? {} : end(link.text(name))

/** A rule for links that carry the key's id, a signature and a Unix time, as S3 had them first. */
export const expiresRule = (vendor: string, keyName: string, signature: RegExp = ANY): Rule => ({
  vendor,
  parameters: { [keyName]: ANY, Signature: signature, Expires: TIME },
  read: (link) => ({ ...end(link.text('Expires')), keyId: link.text(keyName) }),
})

// `decodeURIComponent` throws for it, and each throw costs as much as reading a whole link.
const BROKEN_ESCAPE = /%(?![\da-f]{2})/i

/** A value without its escapes; empty when one of them is broken. */
export function unescaped(value: string): string {
  return BROKEN_ESCAPE.test(value) ? '' : attempt(decodeURIComponent, value)
}

function attempt<T>(read: (text: string) => T, text: string): T | '' {
  try {
    return read(text)
  } catch {
    return ''
  }
}

/** Base64 or base64url as text, of which only ASCII is of interest here. Empty when it is neither. */
export const base64Text = (value: string): string => attempt(atob, value.replaceAll('-', '+').replaceAll('_', '/'))

/** What stands in base64 as JSON, or nothing. */
// biome-ignore lint/suspicious/noExplicitAny: anybody can have written it
export const base64Json = (value: string): any => attempt(JSON.parse, base64Text(value)) ?? ''

/** When a JWT ends and starts. `undefined` when it has an end that cannot be read. */
export function jwtTimes(token: string): (End & { readonly starts: number | undefined }) | undefined {
  const { exp, nbf } = base64Json(token.split('.')[1] ?? '')
  const ending = exp === undefined ? {} : end(exp)
  return ending && { ...ending, starts: unixTime(nbf) }
}

/**
 * Origin, path and query, as `split` of lib/ takes them apart. One expression is a third of its size, and all that is needed here: the origin of
 * a path is empty, and a user's name or a `\` in an origin makes it no URL.
 */
export const PARTS: RegExp = /^([a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+(?=[/?#]|$)|(?=\/))([^?#]*)(\?[^#]*)?/i
/** The path of a URL, or nothing. */
export const pathOf = (url: string): string => PARTS.exec(url)?.[2] ?? ''

/** `/videos/` of `/videos/*`; other patterns are not prefixes. */
export const prefixOf = (pattern: string): string => /^([^*?!]*\/)\*$/.exec(pattern)?.[1] ?? ''
