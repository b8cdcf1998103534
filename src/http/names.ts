// Options that are none. A misspelt `revoked` would call back nothing, and nobody would notice.
import { insist } from '../core/errors.ts'

/** Throws for an option with a name that is not in the list. */
export function checkNames(whose: string, options: object, names: readonly string[] = []): void {
  for (const name in options) insist(names.includes(name), `${whose} has no ${unknown('option', name)}`)
}

/** `option 'revoke'`, or `such option` for a text that does not look like a name: it may be a secret in the wrong place. */
export function unknown(kind: string, name: string): string {
  return /^[a-z]{1,20}$/i.test(name) ? `${kind} '${name}'` : `such ${kind}`
}
