// Verdict: the answer of `verify` and `redeem`. A refusal is data; its type has no claims when the signature is not valid.
import type { Claims } from './claims.ts'

/** Reasons to refuse a link whose signature is not valid. Nothing that the link says can be trusted. */
export type UntrustedReason = 'unsigned' | 'malformed' | 'unknown_key' | 'bad_signature'

/** Reasons to refuse a link whose signature is valid. */
export type TrustedReason =
  | 'wrong_path'
  | 'wrong_method'
  | 'wrong_ip'
  | 'expired'
  | 'key_expired'
  | 'too_early'
  | 'revoked'
  | 'needs_redeem'
  | 'used'

/** Every reason for a refusal, as a stable word to branch on. */
export type Reason = UntrustedReason | TrustedReason

/** The link is valid for this request. */
export interface Accepted {
  readonly ok: true
  /** Name of the scheme that signed the link. With `anyOf`, it shows how far a migration is. */
  readonly scheme: string
  /** The claims of the link, proved by its signature. */
  readonly claims: Claims
  readonly reason?: undefined
  readonly status?: undefined
  readonly parameter?: undefined
}

/** The link is not valid for this request. `claims` exist only if the signature is valid. */
export type Refused =
  | {
      readonly ok: false
      readonly reason: UntrustedReason
      readonly status: number
      /** The parameter that cannot be read, for `malformed`, if it is one. */
      readonly parameter?: string
      readonly claims?: undefined
    }
  | { readonly ok: false; readonly reason: TrustedReason; readonly status: number; readonly parameter?: undefined; readonly claims: Claims }

/** The answer to a request. Test `ok` first; TypeScript then knows the other fields. */
export type Verdict = Accepted | Refused

const STATUS: Partial<Record<Reason, number>> = {
  malformed: 400,
  wrong_method: 405,
  expired: 410,
  key_expired: 410,
  revoked: 410,
  used: 410,
}

/**
 * The HTTP status for a reason: 400 for a link that cannot be read, 410 for one that was valid once, 405 for the wrong method, otherwise 403.
 * A scheme may use the numbers of its vendor; those are in `verdict.status`.
 *
 * @param reason - The reason of a verdict.
 * @returns The status, without the changes of a scheme.
 *
 * @example
 * ```ts
 * import { statusOf } from 'securelink'
 *
 * console.log(statusOf('expired')) // 410
 * ```
 */
export function statusOf(reason: Reason): number {
  return STATUS[reason] ?? 403
}
