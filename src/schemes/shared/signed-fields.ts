// The fields of a link of the package signed, in one parameter.
import { networkOf } from '../../lib/address.ts'
import { decodeValue } from '../../lib/url.ts'

/** The fields of a link, in the package's form: `r_1234-e_1900000000-a_192.0.2.1-m_GET`. */
export interface Fields {
  readonly random: string
  readonly expires: number | undefined
  readonly address: string | undefined
  readonly methods: readonly string[] | undefined
}

// The package writes digits. Links with `id` have other texts, none of which has the separators `-` and `_`.
export const RANDOM: RegExp = /^[A-Za-z\d]{1,100}$/
/** In the place of an id that a link does not have. */
export const NO_ID = '0'
export const METHODS: RegExp = /^[A-Z]+(,[A-Z]+)*$/

/** In the order of the package, with the escapes of its querystring. */
export function printed({ random, expires, address, methods }: Fields): string {
  const fields = [`r_${random}`]
  if (expires !== undefined) fields.push(`e_${expires}`)
  if (address !== undefined) fields.push(`a_${encodeURIComponent(address)}`)
  if (methods) fields.push(`m_${encodeURIComponent(methods.join())}`)
  return fields.join('-')
}

const FIELDS = /^r_(?<random>[^-_]*)(?:-e_(?<expires>[1-9]\d{0,10}))?(?:-a_(?<address>[^-_]+))?(?:-m_(?<list>[^-_]+))?$/

/** Reads the fields. `undefined` if the package would ignore a field, or read it differently. */
export function fieldsIn(text: string | undefined): Fields | undefined {
  const { random = '', expires, address: written, list } = FIELDS.exec(text ?? '')?.groups ?? {}
  const address = decodeValue(written ?? '')
  const methods = decodeValue(list ?? '')
  if (!RANDOM.test(random) || (written && !isOneAddress(address)) || (list && !METHODS.test(methods ?? ''))) return undefined
  return {
    random,
    expires: expires === undefined ? undefined : +expires,
    address: address || undefined,
    methods: methods ? [...new Set(methods.split(','))].sort() : undefined,
  }
}

/** The package compares addresses as text, so a network or a zone would open nothing. */
export function isOneAddress(text: string | undefined): boolean {
  return text !== undefined && /^[\da-fA-F.:]+$/.test(text) && networkOf(text) !== undefined
}
