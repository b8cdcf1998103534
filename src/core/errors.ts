// LinkError: thrown for mistakes of programmers. A request that carries a bad link gets a verdict instead.

/**
 * The kind of mistake, as a stable word to branch on.
 *
 * - `bad_option`: an option or argument has a value that is not allowed, or a name that is not known
 * - `no_key`: the keyring is empty, or none of its keys may sign now
 * - `weak_key`: a secret is too short, or missing
 * - `unsupported_condition`: links of this scheme cannot carry the condition
 * - `already_signed`: the URL is a link already
 * - `expired_link`, `renewal_failed`: thrown by the client, which holds no key
 * - `no_webcrypto`: `crypto.subtle` is missing, as on a page served over plain http
 */
export type LinkErrorCode =
  | 'bad_option'
  | 'no_key'
  | 'weak_key'
  | 'unsupported_condition'
  | 'already_signed'
  | 'expired_link'
  | 'renewal_failed'
  | 'no_webcrypto'

/** Options of a {@link LinkError}. */
export interface LinkErrorOptions extends ErrorOptions {
  /** The option or argument that is wrong. */
  readonly option?: string | undefined
}

/**
 * Thrown when a call is wrong: a missing option, a weak secret, an empty keyring. Requests never cause it; `verify` answers those with a verdict.
 *
 * The message is a sentence of the form "*option* must be *rule*". It never contains a secret, a signature or a whole link.
 *
 * @example
 * ```ts
 * import { hmac, LinkError } from 'securelink'
 *
 * try {
 *   hmac({ secret: 'too short' })
 * } catch (error) {
 *   if (error instanceof LinkError) console.log(error.code, error.option) // weak_key secret
 * }
 * ```
 */
export class LinkError extends Error {
  /** The kind of mistake. Compare this instead of the message. */
  declare readonly code: LinkErrorCode
  /** The name of the option or argument that is wrong, if the mistake is about one. */
  declare readonly option: string | undefined
  constructor(code: LinkErrorCode, message: string, options: LinkErrorOptions = {}) {
    super(message, options)
    this.name = 'LinkError'
    this.code = code
    this.option = options.option
  }
}

/** Throws "*option* must be *rule*" unless the option is good. */
export function assertOption(good: unknown, option: string, rule: string, code: LinkErrorCode = 'bad_option'): asserts good {
  if (!good) throw new LinkError(code, `${option} must be ${rule}`, { option })
}

/** Throws for an option whose name is not known, and lists the known ones: a misspelt `purpose` would protect nothing. */
export function assertKnownOptions(options: object, known: readonly string[], taker: string): void {
  for (const name in options) if (!known.includes(name)) throw unknownOption(name, known, taker)
}

/** The error for an option whose name is not known. */
export function unknownOption(name: string, known: readonly string[], taker: string): LinkError {
  // A long name may be a secret in the wrong place: tokens and secrets have 32 characters or more.
  const option = name.length >= 32 ? undefined : name
  const message = `unknown option${option ? ` '${option}'` : ''}; ${taker} takes ${known.join(', ') || 'no options'}`
  return new LinkError('bad_option', message, { option })
}
