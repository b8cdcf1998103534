// The structured fields of Media CDN's tokens: the paths that the token opens, the headers that it requires, and lists.
import { assertOption } from '../../core/errors.ts'
import type { Visit } from '../../core/scheme.ts'
import { asClientsSend, escapeField, patternsOf } from './edge-token.ts'
import { areDifferent } from './texts-of.ts'
import { encodePrefix } from './url-prefix.ts'

/** Names of headers with commas between them. */
export const HEADER_NAMES: RegExp = /^[\w!#$%'*+.^`|-]+(,[\w!#$%'*+.^`|-]+)*$/

/** The first field, which says what the link opens. */
export function scopeOf(origin: string, prefix: string | undefined, pathGlobs: string | readonly string[] | undefined): string {
  assertOption(!prefix || !pathGlobs, 'pathGlobs', 'left out with a prefix')
  if (prefix && origin) return `URLPrefix=${encodePrefix(origin, prefix)}`
  assertOption(!prefix || !/[*?,~&]/.test(prefix), 'prefix', "without '*', ',', '~' and '&', unless url is absolute")
  const globs = prefix ? patternsOf(prefix) : pathGlobs
  return globs
    ? `PathGlobs=${asClientsSend(listOf(globs, /^[^~&#,]+$/, 'pathGlobs', "patterns such as '/videos/*', without '~', '&' and '#'"))}`
    : 'FullPath'
}

/** A list as text, with a comma between two. */
export function listOf(list: string | readonly string[], form: RegExp, option: string, rule: string): string {
  const items = typeof list === 'string' ? list.split(',') : list
  const good = Array.isArray(items) && items.length > 0 && items.every((item) => typeof item === 'string' && form.test(item))
  assertOption(good, option, `a list of ${rule}`)
  return items.join()
}

export function headersToSign(headers: Readonly<Record<string, string>>): string {
  const names = Object.keys(Object(headers))
  const values = Object.values(Object(headers))
  const isSent = values.every((value) => isValue(value) && /^[ -~]*$/.test(value as string))
  const good = names.length > 0 && HEADER_NAMES.test(names.join()) && isSent
  assertOption(good, 'headers', "names of headers and their values in ASCII, without ',', '~' and spaces around them")
  assertOption(areDifferent(names), 'headers', 'without a name that occurs twice')
  return names.map((name) => `${name}=${headers[name]}`).join()
}

/** The signed headers of a request. `undefined` if one is missing, or could pass for another field or header. */
export function headersOf({ header }: Visit, names: readonly string[]): string | undefined {
  const values = names.map((name) => header(name.toLowerCase()))
  return values.every(isValue) ? names.map((name, i) => `${name}=${values[i]}`).join() : undefined
}

/** Servers remove the spaces around a value, so a link that signs them would never open. */
const isValue = (value: unknown): boolean => typeof value === 'string' && /^[^,~\p{Cc}]*$/u.test(value) && value.trim() === value

/** A text as a field has it. A `~` would end the field. */
export const fieldText = (text: string): string => escapeField(text).replaceAll('~', '%7E')
