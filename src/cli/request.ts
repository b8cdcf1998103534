// The options that describe the request that a link came with: its headers, and the time.
/// <reference types="node" />
import { dateOf, Misuse, type Options, REPEATED, TEXT, type Values } from './options.ts'

/** The options that describe a request. */
export const REQUEST: Options = { ip: TEXT, method: TEXT, header: REPEATED }

/** The headers of `--header`. */
export function headersOf(values: Values): { headers?: Headers } {
  const given = values['header'] as readonly string[] | undefined
  if (!given) return {}
  const headers = new Headers()
  for (const line of given) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+): *([\t -~]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw new Misuse('--header must be a name, a colon and a value, such as content-type: image/png')
    headers.append(name, value)
  }
  return { headers }
}

/** The time of `--now`, as the verbs take it. */
export function nowOf(values: Values): { now?: () => Date } {
  const date = dateOf(values['now'], '--now')
  return date ? { now: () => date } : {}
}
