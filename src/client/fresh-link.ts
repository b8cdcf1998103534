// freshLink: a link that is always fresh. Callers get it each time they need it, and it is renewed when a renewal is due.
import { assertKnownOptions, LinkError } from '../core/errors.ts'
import { presentTime } from '../core/time.ts'
import { linkText } from '../recognise/link-text.ts'
import { READING_OPTIONS } from './expires-in.ts'
import { type Answer, assertAnswer, isRefusal } from './refusal.ts'
import { assertRenewingOptions, renewable, requestableLink } from './renewable.ts'
import type { RenewOptions } from './renewal.ts'

/** Options of {@link freshLink}. */
export interface FreshLinkOptions extends RenewOptions {
  /** Ends it, as `stop()` does. */
  readonly signal?: AbortSignal
}

/** Options of `get`. */
export interface GetOptions {
  /** Lets this caller stop waiting. The renewal is aborted when its last caller has left. */
  readonly signal?: AbortSignal | undefined
}

/** A link that is always fresh. */
export interface FreshLink {
  /**
   * The link, renewed if that is due. By the clock, it is valid for at least `early`. If the lifetime of new links is less than twice `early`, it is
   * valid for at least half of that lifetime.
   */
  get(options?: GetOptions): Promise<string>
  /** The latest link, without waiting. It may have expired. */
  peek(): string
  /**
   * Reports how the server answered a request with the link. If the response is a refusal, the next `get()` renews the link. A 404 is not a refusal,
   * unless the link has expired.
   *
   * @param response - The response, or an object with its `status`.
   * @param link - The link that was sent. Pass it if several requests may be under way: a late refusal of the old link does not renew the new one.
   * @returns Was it a refusal? Then one further request with the link of `get()` may succeed.
   */
  refused(response: Answer, link?: string | URL): boolean
  /** Ends it. Callers that wait are rejected, and so are later ones, with an `AbortError`. */
  stop(): void
}

const OPTIONS = ['renew', 'early', 'signal', ...READING_OPTIONS]

/**
 * A link that is always fresh, for players, hooks and workers that need it again and again.
 *
 * Callers of `get()` share one renewal. If a renewal fails, its callers are rejected, and the next call tries again. After two failures in a row,
 * calls are rejected without a renewal for 1 second, and then for 2, 4, 8, 16 and 30 seconds. A link that is refused within 30 seconds after it
 * was renewed counts as a failure, too.
 *
 * If a new link has already expired when it arrives, the clock of this machine is wrong. Such a link is used until the server refuses it.
 *
 * @param link - The first link. It is renewed before its expiry, or when the server refuses it.
 * @param options - `renew`, which is required, how early to renew, and a signal that ends it.
 * @returns An object with `get()`, `peek()`, `refused(response)` and `stop()`.
 * @throws A {@link LinkError} `bad_option` for a link that is neither a string nor a URL, a missing `renew`, and for a wrong or unknown option.
 *   `get()` rejects with `renewal_failed` if `renew` threw, with its error as the `cause`.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 * import { freshLink } from 'securelink/client'
 *
 * // Stands for your server.
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const renew = () => sign(links, 'https://cdn.example/photo.jpg', { expires: '10m' })
 *
 * const photo = freshLink(`https://cdn.example/photo.jpg?expires=1600000000&signature=${'A'.repeat(43)}`, { renew })
 * const link = await photo.get()
 * console.log(link === photo.peek()) // true
 * ```
 */
export function freshLink(link: string | URL, options: FreshLinkOptions): FreshLink {
  const first = requestableLink(link)
  assertRenewingOptions(options)
  assertKnownOptions(options, OPTIONS, 'freshLink()')
  return freshLinkOf(first, options)
}

// Rounds of get(): a renewal may take so long that the new link has to be renewed again.
const MOST_ROUNDS = 3
const SECOND = 1000
const LONGEST_PAUSE = 30 * SECOND

/** {@link freshLink} for arguments that were checked. */
export function freshLinkOf(first: string, options: FreshLinkOptions): FreshLink {
  const { clock, now } = options
  const stopped = new AbortController()
  const kept = renewable(first, options)
  // How many renewals in a row failed, or gave a link that was refused at once.
  let failures = 0
  let lastFailure = 0
  let lastError: unknown
  let came = presentTime(now)

  function failed(): void {
    failures++
    lastFailure = presentTime(now)
  }

  /** Rejects while the pause after the last failure lasts. */
  function assertNoPause(): void {
    const pause = failures < 2 ? 0 : Math.min(SECOND * 2 ** (failures - 2), LONGEST_PAUSE)
    const since = presentTime(now) - lastFailure
    // A clock that was turned back must not make the pause longer.
    if (since < 0 || since >= pause) return
    const message = 'renew must be a function that returns a link which the server accepts; it is called again after a pause'
    throw lastError ?? new LinkError('renewal_failed', message, { option: 'renew' })
  }

  async function renew(signal: AbortSignal): Promise<void> {
    assertNoPause()
    const wasRefused = kept.refused === kept.current
    try {
      await kept.renew(signal)
    } catch (error) {
      // All callers of one renewal get the same error, which counts once.
      if (error !== lastError && !signal.aborted) {
        lastError = error
        failed()
      }
      throw error
    }
    lastError = undefined
    came = presentTime(now)
    if (!wasRefused) failures = 0
  }

  return {
    async get({ signal } = {}) {
      const ends = [stopped.signal, options.signal, signal].filter((one) => one !== undefined)
      for (let round = 0; ; round++) {
        for (const end of ends) end.throwIfAborted()
        if (kept.isFresh()) return kept.current
        if (round === MOST_ROUNDS) throw new LinkError('renewal_failed', 'renew must be faster than its links expire', { option: 'renew' })
        await renew(AbortSignal.any(ends))
      }
    },
    peek: () => kept.current,
    refused(response, link = kept.current) {
      assertAnswer(response)
      if (response.headers) clock?.learn(response as Response)
      const sent = linkText(link)
      if (!isRefusal(response, sent, options)) return false
      if (sent === kept.current && sent !== kept.refused) {
        if (presentTime(now) - came >= LONGEST_PAUSE) failures = 0
        failed()
        kept.refused = sent
      }
      return true
    },
    stop: () => stopped.abort(),
  }
}
