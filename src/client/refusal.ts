// isRefusal: tells whether a response can mean that the link has expired or is no longer accepted.
import { assertOption } from '../core/errors.ts'
import { type ExpiresInOptions, timeLeft } from './expires-in.ts'
import { serverClock } from './server-clock.ts'

/** The parts of a response that are needed: its status, and its headers if they are known. An `XMLHttpRequest` has the status only. */
export interface Answer {
  /** The HTTP status. */
  readonly status: number
  /** For the `Date` of the response, which tells whether the link had expired. */
  readonly headers?: Pick<Headers, 'get'>
}

/** Throws unless the value is a response, or has a status as one. */
export function assertAnswer(response: unknown): asserts response is Answer {
  assertOption(
    typeof (response as Answer)?.status === 'number',
    'response',
    'a Response, or an object with its status; await fetch() first',
  )
}

/**
 * Can the response mean that the link is not valid any more? Yes for a 403 or 410; for a 400, if the link shows its expiry; for a 401 or 404, if the
 * link had expired at the time of the response.
 */
export function isRefusal(response: Answer, link: string, options: ExpiresInOptions): boolean {
  const { status } = response
  if (status === 403 || status === 410) return true
  if (timeLeft(link, options) === Number.POSITIVE_INFINITY) return false
  // Google Cloud Storage answers 400 for an expired link. Without an expiry in the link, a 400 has other reasons.
  if (status === 400) return true
  // imgix and imgproxy answer 404, ImageKit and others 401. The file can also be missing, so the clock decides.
  return (status === 401 || status === 404) && hasExpired(link, response, options)
}

/** Had the link expired at the time of its response? By the server's clock if the response shows it, otherwise by the clock of this machine. */
function hasExpired(link: string, response: Answer, options: ExpiresInOptions): boolean {
  const clock = options.clock ?? serverClock(options.now ? { now: options.now } : {})
  // If the caller has a clock, it has already learned from the response.
  if (!options.clock && response.headers) clock.learn(response as Response)
  return timeLeft(link, { ...options, clock }) <= 0
}
