// Verdict: what `verify` and `redeem` answer. Refusals are data; the compiler keeps claims away from links that nobody signed.
import type { Claims } from './conditions.ts'

/** Why a link was refused before its signature was found good. Nothing it says can be trusted. */
export type UntrustedReason = 'unsigned' | 'malformed' | 'unknown_key' | 'bad_signature'

/** Why a link with a good signature was refused all the same. */
export type TrustedReason =
  | 'expired'
  | 'key_expired'
  | 'too_early'
  | 'wrong_method'
  | 'wrong_ip'
  | 'wrong_path'
  | 'revoked'
  | 'used'
  | 'single_use'

/** Every reason for a refusal, as a stable word to branch on. */
export type Reason = UntrustedReason | TrustedReason

/** The link is good for this visit. */
export interface Accepted {
  readonly ok: true
  /** Name of the scheme that made the link: with `anyOf` it tells how far a migration is. */
  readonly scheme: string
  /** What the link says, proved by its signature. */
  readonly claims: Claims
  readonly reason?: undefined
  readonly status?: undefined
}

/** The link is not good for this visit. `claims` are there exactly when the signature was good. */
export type Refused =
  | { readonly ok: false; readonly reason: UntrustedReason; readonly status: number; readonly claims?: undefined }
  | { readonly ok: false; readonly reason: TrustedReason; readonly status: number; readonly claims: Claims }

/** The answer to a visit. Ask `ok` first; the compiler then knows the rest. */
export type Verdict = Accepted | Refused

const STATUS: Partial<Record<Reason, number>> = {
  malformed: 400,
  expired: 410,
  key_expired: 410,
  wrong_method: 405,
  revoked: 410,
  used: 410,
}

/**
 * The HTTP status for a reason: 400 for what cannot be read, 410 for what was good once, 405 for the wrong method, else 403.
 * A scheme may state other numbers; a verdict's own `status` has them.
 *
 * @example
 * ```ts
 * import { statusOf } from 'securelink'
 *
 * statusOf('expired') // 410
 * ```
 */
export function statusOf(reason: Reason): number {
  return STATUS[reason] ?? 403
}
