// Mistake: a description of what was done wrong, for the person who did it.

/** A mistake that explains a refusal. Its texts hold no secret and no signature. */
export interface Mistake {
  /** A stable word to branch on, such as `secret_line_break`. */
  readonly code: string
  /** What is wrong. */
  readonly sentence: string
  /** What to do about it. */
  readonly remedy: string
  /** The parameter that is wrong, if it is one. */
  readonly parameter?: string
  /** A line for the configuration that would accept the link, if there is one. */
  readonly line?: string
}
