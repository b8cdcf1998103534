// The one error class. It is for programmers: what a visitor sends is answered with a `Refused` instead.

/**
 * What went wrong, as a stable word to branch on.
 *
 * - `bad_option`: a value of the wrong kind or out of range, an option that there is not, or a URL that cannot carry a link
 * - `no_key`: the keyring is empty, or none of its keys is in time
 * - `weak_key`: a secret that is too short, or none at all
 * - `unsupported_condition`: the scheme cannot carry what was asked for
 * - `already_signed`: the URL is a link already
 * - `expired_link`, `renewal_failed`: from the client, which holds no key
 * - `no_webcrypto`: no `crypto.subtle` here, as on a page served over plain http
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

/**
 * Thrown for what a programmer got wrong, never for what a visitor sent. The message is a sentence without
 * secrets: it holds no key, no signature and no whole link.
 *
 * @example
 * ```ts
 * import { hmac, LinkError } from 'securelink'
 *
 * try {
 *   hmac({ secret: 'too short' })
 * } catch (error) {
 *   if (error instanceof LinkError) console.log(error.code) // weak_key
 * }
 * ```
 */
export class LinkError extends Error {
  /** The stable word for this mistake; compare this, not the message. */
  declare readonly code: LinkErrorCode
  constructor(code: LinkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LinkError'
    this.code = code
  }
}

/** Throws an error with this sentence, unless the value is good. */
export function insist(good: unknown, sentence: string, code: LinkErrorCode = 'bad_option'): asserts good {
  if (!good) throw new LinkError(code, sentence)
}
