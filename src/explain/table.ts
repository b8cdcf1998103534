// Table: the mistakes of one kind of links, where a vendor has traps of its own. explain knows a scheme by its table only.
import type { Reading, RequestPart } from '../core/scheme.ts'
import type { Attempt } from './attempt.ts'
import type { Mistake } from './mistake.ts'
import type { Rule } from './rule.ts'

/** Why nothing can match, whatever the key: found without computing anything. */
export type Obstacle = Mistake

/** The mistakes of the links of a scheme. */
export interface Table {
  /** The names of the schemes that the table is for. */
  readonly schemes: readonly string[]
  readonly rules: readonly Rule[]
  /** The form of each parameter, in words that fit behind "must be". */
  readonly forms?: Readonly<Record<string, string>>
  /** The request in the vendor's canonical form, if the string to sign has only its hash. */
  canonicalRequest?(attempt: Attempt): string | undefined
  /** Why the verifier has no string to sign for this request. */
  obstacle?(attempt: Attempt, reading: Reading): Obstacle | undefined
  /** Options of the factory to try, for callers that pass `make`. */
  options?(attempt: Attempt, options: Readonly<Record<string, unknown>>): readonly OptionChange[]
  /** What of the request the string to sign depends on, beside `scheme.reads`. */
  readonly reads?: readonly RequestPart[]
}

/** Other options for a factory. */
export interface OptionChange {
  readonly option: string
  readonly value: unknown
}
