// fetchLink: fetch, with a look at the link's expiry first, and a new link in time. Holds no key.
import { type Duration, clock as machine, seconds } from '../core/conditions.ts'
import { insist, LinkError } from '../core/errors.ts'
import { inspect } from '../core/inspect.ts'
import { recognise } from '../recognise/reader.ts'
import type { Scheme } from '../core/scheme.ts'
import { type Clock, serverClock } from './server-clock.ts'

/** Options of {@link expiresIn}. */
export interface ExpiresInOptions {
  /** The scheme to read the link with, such as `hmac([])`. Default: whatever `recognise` makes of it. */
  readonly scheme?: Scheme
  /** A clock that knows the server's time. Default: the machine's. */
  readonly clock?: Clock
  /** The present, for tests. Default: the machine's clock. */
  readonly now?: () => Date
}

/** How a new link is got: by asking your server. It gets the old link, and a signal that tells when nobody waits any more. */
export type Renew = (link: string, signal: AbortSignal) => string | URL | Promise<string | URL>

/** Options of {@link fetchLink}: those of `fetch`, and these. */
export interface FetchLinkOptions extends RequestInit, ExpiresInOptions {
  /** Gets a new link. Without it, a dead one is an error. */
  readonly renew?: Renew
  /** How long before its death a link is renewed. Default: `'30s'`. */
  readonly early?: Duration
  /** Sends the request. Default: the `fetch` of the platform. */
  readonly fetch?: typeof fetch
}

/**
 * How long a link still lives.
 *
 * @param link - Any text or URL.
 * @returns Milliseconds, negative when it is dead; `undefined` for what is no link, and for a link that does not tell.
 *
 * @example
 * ```ts
 * import { expiresIn } from 'securelink/client'
 *
 * const link = `https://cdn.example/photo.jpg?expires=1900000000&signature=${'A'.repeat(43)}`
 * console.log(expiresIn(link, { now: () => new Date('2030-03-17T17:45:40Z') })) // 60000
 * console.log(expiresIn('https://cdn.example/photo.jpg')) // undefined
 * ```
 */
export function expiresIn(link: string | URL, options: ExpiresInOptions = {}): number | undefined {
  const { scheme, clock, now } = options
  const seen = scheme ? inspect(scheme, link) : recognise(link)
  // Of several readings the first to die counts: renewing early does no harm.
  const expires = seen && Math.min(...[seen].flat().map(({ unverified }) => +unverified.expires))
  return expires === undefined || Number.isNaN(expires) ? undefined : expires - (clock ? +clock.now() : machine(now))
}

interface Flight {
  readonly renew: Renew
  readonly landed: Promise<string>
  readonly controller: AbortController
  waiting: number
  /** How many flights had ended when this one did; 0 while it flies. */
  ended: number
  link: string
  /** How long the new link lives when it comes. */
  life: number
}

// By the link that is renewed. Those that have ended stay for a while, for callers who still hold the old link.
const flights = new Map<string, Flight>()
const KEPT = 200
let endings = 0

/** Where a caller stands among the flights: one that ends later has flown for this caller, too. */
export const boarding = (): number => endings

/** How early a link that lived so long when it came is renewed. A link of ten seconds is not renewed all the time. */
export function margin(early: Duration | undefined, life: number): number {
  return Math.min(seconds(early ?? '30s', 'early') * 1000, life / 2)
}

interface RenewOptions extends ExpiresInOptions {
  readonly renew: Renew
  readonly early?: Duration
  readonly signal?: AbortSignal | null
}

/** Gets the successor of a link: one flight at a time, however many callers. `refused` is a link that the server did not take. */
export function renewed(link: string, options: RenewOptions, boarded: number, refused?: string): Promise<string> {
  const { renew, early, signal } = options
  let flight = flights.get(link)
  const usable = ({ ended, link, life, renew: other }: Flight): boolean =>
    !ended || ((ended > boarded || other === renew) && link !== refused && !((expiresIn(link, options) ?? 1) <= margin(early, life)))
  if (!flight || !usable(flight)) {
    const controller = new AbortController()
    const asked = async (): Promise<string> => {
      const next: unknown = await renew(link, controller.signal)
      insist(next instanceof URL || (typeof next === 'string' && next), 'renew takes a function that gives a link')
      return String(next)
    }
    const landed = asked().then(
      (next) => {
        began.link = next
        began.life = expiresIn(next, options) ?? Number.POSITIVE_INFINITY
        began.ended = ++endings
        return next
      },
      (cause) => {
        if (flights.get(link) === began) flights.delete(link)
        throw new LinkError('renewal_failed', 'renew gave no new link; the cause says why', { cause })
      },
    )
    const began: Flight = { renew, controller, landed, waiting: 0, ended: 0, link: '', life: 0 }
    flight = began
    flights.delete(link)
    flights.set(link, flight)
    for (const [old, { ended }] of flights) {
      if (flights.size <= KEPT) break
      if (ended) flights.delete(old)
    }
  }
  const { landed, controller } = flight
  const mine = flight
  mine.waiting++
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal?.reason)
      if (--mine.waiting || mine.ended) return
      controller.abort(signal?.reason)
      if (flights.get(link) === mine) flights.delete(link)
    }
    const settle = (): void => signal?.removeEventListener('abort', leave)
    signal?.addEventListener('abort', leave)
    landed.then(resolve, reject).finally(settle)
  })
}

/**
 * `fetch` for links that expire. It looks at the expiry first, gets a new link in time, and sends no request that cannot succeed.
 *
 * A link that is about to expire is renewed before the request. A 403 or 410, a 400 to a link that tells its expiry, and a 401 or 404 to one that
 * has expired meanwhile, is answered with one renewal and a second request. There is at most one renewal for a call, and one at a time for a link, however many callers wait for it. A
 * link that has just come from `renew` is sent whatever the clock says. A body that is a stream cannot be sent twice, so then the refusal is
 * what you get.
 *
 * @param link - The link, or any other address: what does not tell its expiry is fetched as it is.
 * @throws A {@link LinkError}: `bad_option` for a link that is neither a string nor a URL; `expired_link` for an expired link without `renew`, and no request was sent; `renewal_failed` when `renew` threw,
 *   with what it threw as its `cause`. Whatever `fetch` throws, such as the reason of an abort.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 * import { fetchLink } from 'securelink/client'
 *
 * // Your server's part, and a network for the example.
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const renew = () => sign(links, 'https://cdn.example/photo.jpg', { expires: '10m' })
 * const network = async () => new Response('the photo')
 *
 * const dead = `https://cdn.example/photo.jpg?expires=1600000000&signature=${'A'.repeat(43)}`
 * const response = await fetchLink(dead, { renew, fetch: network })
 * console.log(await response.text()) // the photo
 * ```
 */
export async function fetchLink(link: string | URL, options: FetchLinkOptions = {}): Promise<Response> {
  const { renew, scheme, early, clock, fetch: send = fetch, now, ...init } = options
  insist(isLink(link), 'link must be a string or a URL; of a Request, pass its url, and the rest as options')
  const boarded = boarding()
  const old = String(link)
  init.signal?.throwIfAborted()
  const left = expiresIn(old, options)
  const get = async (address: string): Promise<Response> => {
    const response = await send(address, init)
    clock?.learn(response)
    return response
  }
  if (!renew) {
    if (left !== undefined && left <= 0)
      throw new LinkError('expired_link', 'the link has expired, and there is no renew to get another one')
    return get(old)
  }
  const reading = { ...options, renew }
  if (left !== undefined && left <= margin(early, Number.POSITIVE_INFINITY)) return get(await renewed(old, reading, boarded))

  const response = await get(old)
  if (!isRefusal(response, left, () => hasExpired(old, response, options)) || init.body instanceof ReadableStream) return response
  await response.body?.cancel()
  return get(await renewed(old, reading, boarded, old))
}

// By its tag, because a URL of another window is not an instance of this one's class.
const isLink = (link: unknown): boolean => typeof link === 'string' || Object.prototype.toString.call(link) === '[object URL]'

/** Whether a response can mean that the link has expired. `left` is undefined for links that do not tell their expiry. */
function isRefusal({ status }: Response, left: number | undefined, expired: () => boolean): boolean {
  if (status === 403 || status === 410) return true
  if (left === undefined) return false
  // Google Cloud Storage answers 400. Without an expiry in the link, it has other reasons.
  if (status === 400) return true
  // imgix and imgproxy answer 404, ImageKit and others 401. Files can be missing, too, so here the clock decides.
  return (status === 401 || status === 404) && expired()
}

/** Whether a link has expired by the time of its response: by the server's clock where the response shows it, or else by this machine's. */
function hasExpired(link: string, response: Response, options: FetchLinkOptions): boolean {
  const clock = options.clock ?? serverClock(options.now ? { now: options.now } : {})
  // A clock of the caller has learned from it already.
  if (!options.clock) clock.learn(response)
  return (expiresIn(link, { ...options, clock }) ?? 1) <= 0
}
