// Table: mistakes that people make with the links of one vendor. Everything that explain knows of a scheme is in its table.
import type { Claims } from '../core/claims.ts'
import type { Reading, RequestPart } from '../core/scheme.ts'
import type { TrustedReason } from '../core/verdict.ts'
import type { Attempt } from './attempt.ts'
import type { Mistake } from './mistake.ts'
import type { Rule } from './rule.ts'

/** The reason why no key can match, found without computing anything. */
export type Obstacle = Mistake

/** The mistakes of the links of a scheme. */
export interface Table {
  /** The names of the schemes that the table is for. */
  readonly schemes: readonly string[]
  readonly rules: readonly Rule[]
  /** The form of each parameter, in words that fit after "must be". */
  readonly forms?: Readonly<Record<string, string>>
  /** The request in the vendor's canonical form, if the string to sign has only its hash. */
  canonicalRequest?(attempt: Attempt): string | undefined
  /** Why the verifier has no string to sign for this request. */
  obstacle?(attempt: Attempt, reading: Reading): Obstacle | undefined
  /** Why the link cannot be read, where the form of the parameter says too little. `parameter` is the one that the verifier names, if it names one. */
  malformed?(attempt: Attempt, parameter: string | undefined): Mistake | undefined
  /** What the URL is, if it is not a link of the scheme. */
  unsigned?(attempt: Attempt): Mistake | undefined
  /** Why a link with a valid signature is refused, in the words of the vendor. */
  refused?(reason: TrustedReason, claims: Claims, attempt: Attempt): Mistake | undefined
  /** Why the vendor refuses a request with a valid link. */
  warnings?(attempt: Attempt): readonly Mistake[]
  /** Options of the factory to try, for callers that pass `make`. */
  options?(attempt: Attempt, options: Readonly<Record<string, unknown>>): readonly OptionChange[]
  /** Parts of the request that the string to sign depends on, besides `scheme.reads`. */
  readonly reads?: readonly RequestPart[]
}

/** Other options for a factory. */
export interface OptionChange {
  readonly option: string
  readonly value: unknown
}
