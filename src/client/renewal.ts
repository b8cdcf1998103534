// renewLink: gets the successor of a link, once for all callers that wait for it.
import { assertOption, LinkError } from '../core/errors.ts'
import { type Duration, presentTime, secondsOf } from '../core/time.ts'
import { type ExpiresInOptions, timeLeft } from './expires-in.ts'

/** Gets a new link from your server. It is called with the old link, and with a signal that aborts when no caller is waiting any more. */
export type Renew = (link: string, signal: AbortSignal) => string | URL | Promise<string | URL>

/** A link that has come from `renew`. */
export interface Renewed {
  readonly link: string
  /** How long it was valid when the renewal began, in milliseconds. Negative if the clock is wrong, and Infinity if it does not show its expiry. */
  readonly lifetime: number
}

interface Renewal {
  readonly renew: Renew
  readonly result: Promise<Renewed>
  readonly controller: AbortController
  /** How many callers wait for the result. */
  waiting: number
  /** When it ended, as a number that grows with each renewal that ends; 0 while it is pending. */
  ended: number
  /** The new link, once it ended. */
  renewed?: Renewed
}

// By the old link. Renewals that ended stay for a while, for callers that still hold the old link.
const renewals = new Map<string, Renewal>()
const MOST_KEPT = 200
let endings = 0

/** How many renewals have ended. A caller notes it when it starts: each later renewal of its link is recent enough for it. */
export const endedRenewals = (): number => endings

/**
 * Milliseconds until a link is to be renewed, and 0 or less if that is due. Infinity for a link that is renewed only when the server refuses it: it
 * does not show its expiry, or it had expired when it arrived, which shows that this clock is wrong.
 */
export function dueIn({ link, lifetime }: Renewed, options: Omit<RenewOptions, 'renew'>): number {
  if (lifetime <= 0) return Number.POSITIVE_INFINITY
  // At most half of its lifetime. Otherwise a link of ten seconds would be renewed all the time.
  return timeLeft(link, options) - Math.min(earlyOf(options), lifetime / 2)
}

/** How long before its expiry a link is renewed, in milliseconds. */
export const earlyOf = ({ early = '30s' }: Pick<RenewOptions, 'early'>): number => secondsOf(early, 'early') * 1000

/** How a link is renewed. */
export interface RenewOptions extends ExpiresInOptions {
  /** Gets a new link from your server. */
  readonly renew: Renew
  /** How long before its expiry a link is renewed. Default: `'30s'`. */
  readonly early?: Duration
}

/** One caller of {@link renewLink}. */
export interface Caller {
  /** What {@link endedRenewals} returned when the caller started. */
  readonly since: number
  /** A link that the server refused, so the caller does not get it again. */
  readonly refused?: string | undefined
  /** Lets this caller stop waiting. */
  readonly signal: AbortSignal | null | undefined
}

/** Gets a new link in place of an old one. All callers of the same link share one renewal. */
export function renewLink(link: string, options: RenewOptions, caller: Caller): Promise<Renewed> {
  const known = renewals.get(link)
  const renewal = known && serves(known, options, caller) ? known : startRenewal(link, options)
  return resultOf(renewal, link, caller)
}

/** Can this caller use the renewal, instead of starting one? */
function serves({ ended, renewed, renew }: Renewal, options: RenewOptions, { since, refused }: Caller): boolean {
  if (!renewed) return true
  const isRecent = ended > since || renew === options.renew
  const due = dueIn(renewed, options)
  // A link that is not known to be valid may have expired.
  return isRecent && renewed.link !== refused && due > 0 && due < Number.POSITIVE_INFINITY
}

function startRenewal(link: string, options: RenewOptions): Renewal {
  const { renew, now } = options
  const controller = new AbortController()
  const started = presentTime(now)
  const result = newLink(link, renew, controller.signal).then(
    (next) => {
      renewal.ended = ++endings
      renewal.renewed = { link: next, lifetime: timeLeft(next, options) + presentTime(now) - started }
      return renewal.renewed
    },
    (cause) => {
      forget(link, renewal)
      throw new LinkError('renewal_failed', 'renew gave no new link; the cause says why', { cause, option: 'renew' })
    },
  )
  const renewal: Renewal = { renew, result, controller, waiting: 0, ended: 0 }
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
function resultOf(renewal: Renewal, link: string, { signal }: Caller): Promise<Renewed> {
  renewal.waiting++
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal?.reason)
      if (--renewal.waiting || renewal.renewed) return
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
