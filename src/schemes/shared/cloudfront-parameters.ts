// The parameters of CloudFront's links, which are in the query or in cookies.
import type { Cookie } from '../../core/scheme.ts'
import { split, takeParameters } from '../../lib/url.ts'
import { cookiesOf, type HeaderReader } from './edge-token.ts'

export const NAMES = ['Policy', 'Expires', 'Key-Pair-Id', 'Signature', 'Hash-Algorithm'] as const

type Name = (typeof NAMES)[number]
type Values = { readonly [N in Name]?: string }

/** The parameters of a request, and the rest of its query. */
export interface Presented {
  readonly values: Values
  /** The query without the parameters. */
  readonly others: string
  /** The first of them that occurs twice. */
  readonly twice: Name | undefined
  /** Names a malformed parameter as the request has it: as a parameter or as a cookie. */
  malformed(name: Name): { readonly malformed: string }
}

/** Finds the parameters in the query, or else in the cookies. `undefined` if neither has them. */
export function presented(query: string, header?: HeaderReader): Presented | undefined {
  const inQuery = takeParameters(query, NAMES)
  if (isPresent(inQuery.values)) return { ...inQuery, malformed: (name) => ({ malformed: name }) }
  const cookies = NAMES.map((name) => ({ name, values: cookiesOf(cookieOf(name), header) }))
  const values: Values = Object.fromEntries(cookies.map(({ name, values: [value] }) => [name, value]))
  const twice = cookies.find(({ values }) => values.length > 1)?.name
  return isPresent(values) ? { values, twice, others: query, malformed: (name) => ({ malformed: cookieOf(name) }) } : undefined
}

/** The parameters of a link as cookies. `undefined` if the link has none, or one twice. */
export function asCookies(link: string): readonly Cookie[] | undefined {
  const { values, twice } = presented(split(link).query) ?? { values: {}, twice: undefined }
  const cookies = NAMES.map((name) => ({ name: cookieOf(name), value: values[name] ?? '' })).filter(({ value }) => value)
  return twice || cookies.length === 0 ? undefined : cookies
}

/** The name of a parameter as a cookie. */
const cookieOf = (name: Name): string => `CloudFront-${name}`

const isPresent = ({ Policy, Signature, 'Key-Pair-Id': id }: Values): boolean =>
  [Policy, Signature, id].some((value) => value !== undefined)
