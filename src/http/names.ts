// Options that are none. A misspelt `revoked` would call back nothing, and nobody would notice.
import { insist } from '../core/errors.ts'

/** Throws for an option with a name that is not in the list. */
export function checkNames(whose: string, options: object, names: readonly string[] = []): void {
  for (const name in options) insist(names.includes(name), `${whose} has no option '${name.slice(0, 40)}'`)
}
