// Reads values in links: times, escapes, base64, JSON. Nothing here throws. Times are in milliseconds: `undefined` if the text has no time, and NaN
// if the time cannot be read.
import type { LinkExpiry, Rule } from './rule.ts'

export const ANY: RegExp = /./s
export const HEX64: RegExp = /^[\da-f]{64}$/i
/** Seconds in hexadecimal, as Discord and Instagram write them. */
export const HEX_TIME: RegExp = /^[\da-f]{8}$/i
/** Whole seconds: eleven digits reach the year 5138. */
export const SECONDS: RegExp = /^\d{1,11}$/
/** A Unix time: in seconds, or in milliseconds if a program forgot to divide. */
export const TIME: RegExp = /^(\d{1,11}|[1-9]\d{12})$/
/** `20260101T000000Z` */
export const BASIC_TIME: RegExp = /^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/
/** A date, alone or with a time and its zone. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:.*(Z|[+-]\d\d:\d\d))?$/

/** The text of a value of JSON, which can be anything; empty if it is not a string. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** An expiry that is written as a Unix time, in text or as a number of JSON. `undefined` for any other value. */
export function expiryFrom(value: unknown): LinkExpiry | undefined {
  const time = typeof value === 'number' ? value : Number(TIME.exec(textOf(value))?.[0])
  const milliseconds = time >= 1e12
  return time >= 0 ? { expires: milliseconds ? time : time * 1000, milliseconds } : undefined
}

export const unixTime = (value: unknown): number | undefined => expiryFrom(value)?.expires
export const hexTime = (text: string): number => +`0x${text}` * 1000
export const isoTime = (value: unknown): number | undefined => (value ? Date.parse(ISO_TIME.exec(textOf(value))?.[0] ?? '') : undefined)
export const basicTime = (text: string): number => Date.parse(text.replace(BASIC_TIME, '$1-$2-$3:$4:$5'))

/** The earliest of these times. Infinity without any, and NaN if one cannot be read. */
export const earliest = (...times: readonly (number | undefined)[]): number => Math.min(...times.map((time) => time ?? Infinity))
/** The latest of these times. -Infinity without any, and NaN if one cannot be read. */
export const latest = (...times: readonly (number | undefined)[]): number => Math.max(...times.map((time) => time ?? -Infinity))

/** A rule for links with `Expires`, `Signature` and a key id, as in the first links of Amazon S3. */
export const expiresRule = (vendor: string, keyName: string, signature: RegExp = ANY): Rule => ({
  vendor,
  parameters: { [keyName]: ANY, Signature: signature, Expires: TIME },
  expires: 'Expires',
  read: (link) => ({ keyId: link.text(keyName) }),
})

// Tested first, because `decodeURIComponent` would throw, and each throw costs as much time as a whole link.
const BROKEN_ESCAPE = /%(?![\da-f]{2})/i

/** A decoded value; empty if an escape is broken. */
export function unescaped(value: string): string {
  if (!value.includes('%')) return value
  return BROKEN_ESCAPE.test(value) ? '' : attempt(decodeURIComponent, value)
}

function attempt<T>(read: (text: string) => T, text: string): T | '' {
  try {
    return read(text)
  } catch {
    return ''
  }
}

/** Decodes base64 or base64url, with one character for each byte: rules look for ASCII only. Empty if it is neither. */
export const base64Text = (value: string): string => attempt(atob, value.replaceAll('-', '+').replaceAll('_', '/'))

/** Decodes JSON in base64. An empty string if it cannot be decoded, so that looking for a property finds nothing. */
// biome-ignore lint/suspicious/noExplicitAny: anybody can have written it
export const base64Json = (value: string): any => attempt(JSON.parse, base64Text(value)) ?? ''

/** When a JWT expires and starts; nothing for an empty text. `undefined` if it has an expiry that cannot be read. */
export function jwtTimes(token: string): (LinkExpiry & { readonly starts: number | undefined }) | undefined {
  // Decoding an empty text would throw, which takes as long as reading a whole link.
  const { exp, nbf } = token && base64Json(token.split('.')[1] as string)
  const expiry = expiryFrom(exp)
  return exp === undefined || expiry ? { ...expiry, starts: unixTime(nbf) } : undefined
}

/** A rule for links with a JWT. */
export const jwtRule = (vendor: string, parameter: string): Rule => ({
  vendor,
  parameters: { [parameter]: /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/ },
  read: (link) => jwtTimes(link.text(parameter)),
})

/**
 * Origin, path and query of a URL, as `split` of lib/ finds them. One expression is a third of its size, and enough here. The origin of a path is
 * empty. A text with a user name or a `\` in its origin is not a URL.
 */
export const PARTS: RegExp = /^([a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+(?=[/?#]|$)|(?=\/))([^?#]*)(\?[^#]*)?/i
/** The path of a URL, or nothing. */
export const pathOf = (url: string): string => PARTS.exec(url)?.[2] ?? ''

/** `/videos/` of `/videos/*`. Empty for patterns that are not prefixes. */
export const prefixOf = (pattern: string): string => /^([^*?!]*\/)\*$/.exec(pattern)?.[1] ?? ''
