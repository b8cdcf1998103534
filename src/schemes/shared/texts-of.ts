// Conditions that are objects of names and values: headers and query parameters.
import { assertOption } from '../../core/errors.ts'

/** Do the names differ in more than case? A request has one value of each header, whatever the case of its name. */
export function areDifferent(names: readonly string[]): boolean {
  return new Set(names.map((name) => name.toLowerCase())).size === names.length
}

/** The names and values of an object. Refuses `Headers` and the like, which have none, so nothing would be signed. */
export function textsOf(object: Readonly<Record<string, unknown>>, option: string): [name: string, value: string][] {
  const plain = typeof object === 'object' && !(Symbol.iterator in object)
  assertOption(plain, option, 'a plain object of names and values')
  const entries = Object.entries(object)
  const isText = (text: unknown) => typeof text === 'string' && !/\p{Surrogate}/u.test(text)
  assertOption(entries.flat().every(isText), option, 'names and values of well-formed text')
  return entries as [string, string][]
}
