// Rule: one mistake that people make, and the ways in which it can have changed a signature.
import type { Attempt, Patch } from './attempt.ts'

/** One way to make a mistake. */
export interface Variant {
  readonly patch: Patch
  /** A detail for the sentence, such as the name of a region. Never a secret. */
  readonly what?: string
  /** A line for the configuration. */
  readonly line?: string
}

/** A mistake. */
export interface Rule {
  readonly code: string
  /** What the mistake changes. Two rules of the same `kind` are not tried together, unless it is `link` or `request`. */
  readonly kind: 'link' | 'request' | 'text' | 'secret' | 'hash' | 'options'
  /** 1 for a mistake that many people make, up to 3 for a rare one. The likely ones are tried first. Default: 2. */
  readonly rarity?: 1 | 2 | 3
  readonly sentence: string | ((what: string) => string)
  readonly remedy: string | ((what: string) => string)
  /** The ways in which this attempt can suffer from the mistake, the likeliest first. Empty if it cannot. */
  variants(attempt: Attempt): readonly Variant[]
}

/** A rule with its texts filled in for one variant. */
export const worded = (text: Rule['sentence'], what = ''): string => (typeof text === 'string' ? text : text(what))

/** Variants that change the URL. Those that change nothing are left out. */
export function urls(attempt: Attempt, ...candidates: readonly (string | undefined)[]): readonly Variant[] {
  const different = candidates.filter((url): url is string => url !== undefined && url !== attempt.url)
  return [...new Set(different)].map((url) => ({ patch: { url } }))
}
