// The query of Bunny's links: which parameters are signed, in which order, and as which text.
import { assertOption } from '../../core/errors.ts'
import { decodeValue } from '../../lib/url.ts'

// Expiry, address and parameters are signed without separators, so digits or an address at the beginning of the parameters could move.
const MOVABLE = /^(?:[\d.]|[\da-f.]*:)/i
// Digits of an expiry, too: `/u/4102444800x?y=1` would be `/u/?x1767229200y=1`, with the name that has the real expiry in it.
const EXPIRY_IN_NAME = /^[^=]*[1-9]\d{9}/

/** A parameter of the query, decoded. */
export interface Parameter {
  readonly name: string
  readonly value: string
  /** As it stands. */
  readonly piece: string
}

/** The parameters of a query. */
export interface Parameters {
  readonly parameters: readonly Parameter[]
  /** The name of one that cannot be decoded, or is repeated. */
  readonly faulty: string | undefined
}

/** The parameters of a query, or only those of these names. */
export function parametersOf(query: string, only?: readonly string[]): Parameters {
  const found = new Map<string, Parameter>()
  let faulty: string | undefined
  for (const piece of query.slice(1).split('&')) {
    const equals = `${piece}=`.indexOf('=')
    const name = decoded(piece.slice(0, equals)) ?? piece.slice(0, equals)
    if (!piece || (only && !only.includes(name))) continue
    const value = decoded(piece.slice(equals + 1))
    if (value === undefined || name.includes('%') || found.has(name)) faulty ??= name
    found.set(name, { name, value: value ?? '', piece })
  }
  return { parameters: [...found.values()], faulty }
}

const decoded = (text: string): string | undefined => decodeValue(text.replaceAll('+', '%20'))

/** In the order of their names. The generation before the present one leaves empty ones out. */
const sorted = (parameters: readonly Parameter[], withoutEmpty: boolean): readonly Parameter[] =>
  parameters.filter(({ value }) => value || !withoutEmpty).sort((a, b) => (a.name < b.name ? -1 : 1))

/** The parameters as they are signed; `undefined` if these would also be others. */
export function signingData(parameters: readonly Parameter[], withoutEmpty: boolean): string | undefined {
  if (parameters.some(({ name, value }) => /[&=]/.test(name) || value.includes('&'))) return undefined
  const data = sorted(parameters, withoutEmpty).map(({ name, value }) => `${name}=${value}`)
  const [first = ''] = data
  return MOVABLE.test(first) || EXPIRY_IN_NAME.test(first) ? undefined : data.join('&')
}

/** The parameters as signers write them after the token. */
export const printed = (parameters: readonly Parameter[], withoutEmpty: boolean): string =>
  sorted(parameters, withoutEmpty)
    .map(({ name, value }) => `&${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('')

/** Conditions of Bunny's links, which Bunny checks. */
export interface BunnyConditions {
  /** Countries that the link opens in: `'CA,US'`, or a list. */
  readonly countriesAllowed?: string | readonly string[]
  /** Countries that the link does not open in. */
  readonly countriesBlocked?: string | readonly string[]
  /** The speed limit, in kB/s. */
  readonly limit?: number
  /** `true`: the link does not cover the query. */
  readonly ignoreParams?: true
}

/** What a link adds to the parameters of its URL. */
type Added = BunnyConditions & { readonly prefix: string | undefined }

/** The parameters that a link adds. Bunny leaves countries and limit out of links that do not cover the query. */
export function addedParameters({ countriesAllowed, countriesBlocked, limit, ignoreParams, prefix }: Added): readonly Parameter[] {
  assertOption(ignoreParams === undefined || ignoreParams === true, 'ignoreParams', 'true, or left out')
  assertOption(limit === undefined || (Number.isInteger(limit) && limit > 0), 'limit', 'a whole number from 1')
  const added: readonly (readonly [name: string, value: string | undefined])[] = [
    ['token_countries', countries(countriesAllowed, 'countriesAllowed')],
    ['token_countries_blocked', countries(countriesBlocked, 'countriesBlocked')],
    ['limit', limit === undefined ? undefined : `${limit}`],
  ]
  const restricts = added.some(([, value]) => value)
  assertOption(!ignoreParams || !restricts, 'ignoreParams', 'left out with countries and limit, which Bunny leaves out of such links')
  return [...added, ['token_ignore_params', ignoreParams && 'true'] as const, ['token_path', prefix] as const].flatMap(([name, value]) =>
    value ? [{ name, value, piece: '' }] : [],
  )
}

/** A list of countries as text. */
function countries(list: string | readonly string[] | undefined, option: string): string | undefined {
  if (list === undefined) return undefined
  const text = typeof list === 'string' ? list : Array.isArray(list) ? list.join() : ''
  assertOption(/^[A-Z]{2}(,[A-Z]{2})*$/.test(text), option, "codes of countries, such as 'CA,US'")
  return text
}

/** The conditions that only Bunny can check. */
export function restrictionsOf(get: (name: string) => string | undefined): object | undefined {
  const [allowed, blocked, limit] = [get('token_countries'), get('token_countries_blocked'), get('limit')]
  if (!allowed && !blocked && !limit) return undefined
  return {
    ...(allowed && { countriesAllowed: allowed.split(',') }),
    ...(blocked && { countriesBlocked: blocked.split(',') }),
    ...(limit && { limit: +limit }),
  }
}
