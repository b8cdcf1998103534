// renewLink: gets the successor of a link, once for all callers that wait for it.
import { assertOption, LinkError } from '../core/errors.ts'
import { type Duration, secondsOf } from '../core/time.ts'
import { type ExpiresInOptions, timeLeft } from './expires-in.ts'

/** Gets a new link from your server. It is called with the old link, and with a signal that aborts when no caller waits any more. */
export type Renew = (link: string, signal: AbortSignal) => string | URL | Promise<string | URL>

interface Renewal {
  readonly renew: Renew
  /** The new link. */
  readonly result: Promise<string>
  readonly controller: AbortController
  /** How many callers wait for the result. */
  waiting: number
  /** When it ended, as a number that grows with each renewal that ends; 0 while it is pending. */
  ended: number
  /** The new link, once it is there. */
  link: string
  /** How long the new link was valid when it came, in milliseconds. */
  lifetime: number
}

// By the old link. Renewals that ended stay for a while, for callers that still hold the old link.
const renewals = new Map<string, Renewal>()
const MOST_KEPT = 200
let endings = 0

/** How many renewals have ended. A caller notes it when it starts: each later renewal of its link is recent enough for it. */
export const endedRenewals = (): number => endings

/** How long before its expiry a link is renewed, in milliseconds. At most half its lifetime, or a link of ten seconds would be renewed all the time. */
export function renewalMargin(early: Duration | undefined, lifetime: number): number {
  return Math.min(secondsOf(early ?? '30s', 'early') * 1000, lifetime / 2)
}

/** Options of {@link renewLink}. */
export interface RenewOptions extends ExpiresInOptions {
  readonly renew: Renew
  readonly early?: Duration
  readonly signal?: AbortSignal | null
}

/**
 * Gets a new link in place of an old one. All callers of the same link share one renewal.
 *
 * @param since - What {@link endedRenewals} returned when the caller started.
 * @param refused - A link that the server refused, so it is not returned again.
 */
export function renewLink(link: string, options: RenewOptions, since: number, refused?: string): Promise<string> {
  const known = renewals.get(link)
  const renewal = known && serves(known, options, since, refused) ? known : startRenewal(link, options)
  return resultOf(renewal, link, options.signal)
}

/** Can this caller use the renewal, instead of starting one? */
function serves({ ended, link, lifetime, renew }: Renewal, options: RenewOptions, since: number, refused?: string): boolean {
  if (!ended) return true
  const isRecent = ended > since || renew === options.renew
  // A link that does not show its expiry may have expired.
  const left = timeLeft(link, options) ?? 0
  return isRecent && link !== refused && left > renewalMargin(options.early, lifetime)
}

function startRenewal(link: string, options: RenewOptions): Renewal {
  const { renew } = options
  const controller = new AbortController()
  const result = newLink(link, renew, controller.signal).then(
    (next) => {
      renewal.link = next
      renewal.lifetime = timeLeft(next, options) ?? Number.POSITIVE_INFINITY
      renewal.ended = ++endings
      return next
    },
    (cause) => {
      forget(link, renewal)
      throw new LinkError('renewal_failed', 'renew gave no new link; the cause says why', { cause, option: 'renew' })
    },
  )
  const renewal: Renewal = { renew, result, controller, waiting: 0, ended: 0, link: '', lifetime: 0 }
  // Deleted first, because a map keeps the place of a key that is set again, and the oldest renewals go first.
  renewals.delete(link)
  renewals.set(link, renewal)
  for (const [old, { ended }] of renewals) {
    if (renewals.size <= MOST_KEPT) break
    if (ended) renewals.delete(old)
  }
  return renewal
}

async function newLink(link: string, renew: Renew, signal: AbortSignal): Promise<string> {
  const next: unknown = await renew(link, signal)
  const isLink = next instanceof URL || (typeof next === 'string' && next !== '')
  assertOption(isLink, 'renew', 'a function that returns a link; of a Response, return response.text()')
  return String(next)
}

/** Waits for a renewal until the signal aborts. The renewal is aborted when its last caller has left. */
function resultOf(renewal: Renewal, link: string, signal: AbortSignal | null | undefined): Promise<string> {
  renewal.waiting++
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal?.reason)
      if (--renewal.waiting || renewal.ended) return
      renewal.controller.abort(signal?.reason)
      forget(link, renewal)
    }
    signal?.addEventListener('abort', leave)
    renewal.result.then(resolve, reject).finally(() => signal?.removeEventListener('abort', leave))
  })
}

/** Another renewal of the same link may have begun since, and stays. */
function forget(link: string, renewal: Renewal): void {
  if (renewals.get(link) === renewal) renewals.delete(link)
}
