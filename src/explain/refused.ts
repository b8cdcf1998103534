// Why a link with a valid signature is refused: time, method, address, path or uses.
import type { Claims } from '../core/claims.ts'
import type { SecretKey } from '../core/keys.ts'
import type { TrustedReason } from '../core/verdict.ts'
import { networkOf } from '../lib/address.ts'
import type { Attempt } from './attempt.ts'
import type { Mistake } from './mistake.ts'

/** The facts that the sentences are made from. */
interface Refusal {
  readonly claims: Claims
  readonly attempt: Attempt
  readonly now: number
  /** An address that the link would open for, if one was found in the headers. */
  readonly address: string | undefined
}

type Words = (refusal: Refusal) => Omit<Mistake, 'code'>

const REASONS: Readonly<Record<TrustedReason, Words>> = {
  wrong_path: ({ claims }) => ({
    sentence:
      claims.prefix === undefined
        ? 'The link does not open this URL.'
        : `The link opens ${claims.prefix.slice(0, 60)} and everything below it, and the request is for another path.`,
    remedy: 'Sign a link with a prefix that the path lies in, and for the protocol and service of the request.',
  }),
  wrong_method: ({ claims, attempt }) => ({
    sentence: `The link opens ${(claims.methods ?? ['GET', 'HEAD']).join(' and ') || 'no method here'}, and the request is ${attempt.method.slice(0, 20)}.`,
    remedy: "Sign with the condition method, such as method: 'PUT'. GET implies HEAD.",
  }),
  wrong_ip: ({ address, attempt: { ip } }) => {
    const isText = ip !== undefined && !networkOf(ip)
    const sentence = isText
      ? `The verifier got '${ip.slice(0, 60)}' as the address of the request. That is not an address: look for a port, white space or a list in it.`
      : address
        ? `The link is for the address ${address}, which a header of the request names, and the verifier got another one.`
        : ip === undefined
          ? 'The link is for one address or network, and the verifier did not get the address of the request.'
          : 'The link is for another address or network than that of the request.'
    return {
      sentence: isText && address ? `${sentence} The link opens for ${address}.` : sentence,
      remedy: 'Pass the address of the client as ip, and not that of a proxy. If addresses change, sign for a network, such as /24 or /64.',
    }
  },
  expired: ({ claims, now }) => ({
    sentence: `The link expired ${ago(now - +claims.expires)} ago, at ${claims.expires.toISOString()}.`,
    remedy:
      'Sign a new link. If it expired only seconds ago, the clocks differ: set them with NTP, or give verify() a tolerance. If it expired hours too early, a local time was written as UTC.',
  }),
  key_expired: () => ({
    sentence: 'The link has not expired, but the key that signed it has.',
    remedy: 'Sign a new link with a key that is still valid, or extend the key.',
  }),
  too_early: ({ claims, now }) => ({
    sentence: claims.starts
      ? `The link is not valid until ${claims.starts.toISOString()}, in ${ago(+claims.starts - now)}.`
      : 'The link is not valid yet.',
    remedy:
      'If that is only seconds or minutes away, the clock of the signer is ahead. Set it with NTP, give verify() a tolerance, or sign without a start.',
  }),
  revoked: () => ({ sentence: 'The function revoked returned true for the link.', remedy: 'Sign a new link.' }),
  needs_redeem: ({ claims }) => ({
    sentence: `The link can be redeemed ${claims.uses === 1 ? 'once' : `${claims.uses} times`}, and verify() consumes no uses.`,
    remedy: 'Call redeem() with a store of uses, when the user has confirmed.',
  }),
  used: () => ({
    sentence: 'All uses of the link are consumed.',
    remedy: 'Sign a new link. If nobody has used it, a mail scanner has: redeem after a confirmation, not on GET.',
  }),
}

/** Explains a refusal of a link with a valid signature. */
export function explainRefusal(reason: TrustedReason, refusal: Refusal): Mistake {
  const { expires } = refusal.claims
  if (reason === 'expired' && +expires < LONGEST_DURATION) return durationForTime(expires)
  return { code: reason, ...REASONS[reason](refusal) }
}

/** Ten years. A time before 1980 is a duration in seconds. */
const LONGEST_DURATION = 315_360_000_000

const durationForTime = (expires: Date): Mistake => ({
  code: 'duration_for_time',
  sentence: `The link expired at ${expires.toISOString()}: a duration of ${+expires / 1000} s was written in place of a time.`,
  remedy: 'Write the time at which the link expires. In JavaScript: Math.floor(Date.now() / 1000) + lifetime.',
})

/** A key that the link names and that is not on the keyring. */
export function explainUnknownKey(keyId: string | undefined, keys: readonly SecretKey[]): Mistake {
  const ids = keys.flatMap(({ id }) => (id === undefined ? [] : [`'${id}'`])).slice(0, 5)
  const named = keyId === undefined ? 'The link names a key' : `The link names the key '${keyId.slice(0, 40)}'`
  if (keys.some(({ secret }) => typeof secret === 'string' && secret.startsWith(`${keyId}:`)))
    return {
      code: 'secret_with_id',
      sentence: `${named}, and a secret of the verifier begins with this id and a colon.`,
      remedy: 'Pass the part before the colon as the id of the key, and the part after it as its secret.',
    }
  const keyring = ids.length > 0 ? ` of ${ids.join(', ')}` : keys.length > 0 ? ', whose keys have no ids' : ''
  return {
    code: 'unknown_key',
    sentence: `${named}, which is not on the keyring${keyring}.`,
    remedy: 'Put the key with this id on the keyring, and keep old keys there until their links have expired.',
  }
}

function ago(milliseconds: number): string {
  const seconds = Math.max(Math.round(milliseconds / 1000), 0)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}
