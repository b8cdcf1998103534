// fetchLink: fetch for links that expire. It reads the expiry first, and gets a new link in time. It needs no key.
import { assertKnownOptions, LinkError } from '../core/errors.ts'
import type { Duration } from '../core/time.ts'
import { type ExpiresInOptions, READING_OPTIONS, timeLeft } from './expires-in.ts'
import { isRefusal } from './refusal.ts'
import { assertRenewingOptions, renewable, requestableLink } from './renewable.ts'
import { endedRenewals, type Renew } from './renewal.ts'

/** Options of {@link fetchLink}: those of `fetch`, and these. */
export interface FetchLinkOptions extends RequestInit, ExpiresInOptions {
  /** Gets a new link from your server. Without it, an expired link is an error. */
  readonly renew?: Renew
  /** How long before its expiry a link is renewed. Default: `'30s'`. */
  readonly early?: Duration
  /** Sends the request. Default: the `fetch` of the platform. */
  readonly fetch?: typeof fetch
}

const OWN_OPTIONS = ['renew', 'early', 'fetch', ...READING_OPTIONS]

/**
 * `fetch` for links that expire. It reads the expiry first, gets a new link in time, and sends no request that cannot succeed.
 *
 * It renews a link that is about to expire before it sends the request. It renews once, and sends a second request, if the answer is
 *
 * - 403 or 410,
 * - 400, and the link shows its expiry,
 * - 401 or 404, and the link has expired in the meantime.
 *
 * There is at most one renewal for a call, and one at a time for a link, however many callers wait for it. A link that `renew` has just returned is
 * sent even if it has expired by this clock. A body that is a stream cannot be sent twice, so the refusal is returned.
 *
 * @param link - The link. A URL that does not show an expiry is fetched as it is.
 * @param options - `renew`, `early`, `clock`, `scheme`, `now` and `fetch`. All others go to `fetch`.
 * @returns The response of the last request.
 * @throws A {@link LinkError}: `expired_link` for an expired link without `renew`, before any request is sent; `renewal_failed` if `renew` threw,
 *   with its error as the `cause`; `bad_option` for a link that is neither a string nor a URL, and for an option that is wrong or misspelt. Also
 *   everything that `fetch` throws, such as the reason of an abort.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 * import { fetchLink } from 'securelink/client'
 *
 * // Stand for your server and the network.
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const renew = () => sign(links, 'https://cdn.example/photo.jpg', { expires: '10m' })
 * const network = async () => new Response('the photo')
 *
 * const expired = `https://cdn.example/photo.jpg?expires=1600000000&signature=${'A'.repeat(43)}`
 * const response = await fetchLink(expired, { renew, fetch: network })
 * console.log(await response.text()) // the photo
 * ```
 */
export async function fetchLink(link: string | URL, options: FetchLinkOptions = {}): Promise<Response> {
  const old = requestableLink(link)
  assertOptions(options)
  const { renew, scheme, early, clock, now, fetch: send = fetch, ...init } = options
  const { signal } = init
  const since = endedRenewals()
  signal?.throwIfAborted()
  const get = async (url: string): Promise<Response> => {
    const response = await send(url, init)
    clock?.learn(response)
    return response
  }
  if (!renew) {
    if (timeLeft(old, options) <= 0)
      throw new LinkError('expired_link', 'link must not have expired, without the option renew', { option: 'link' })
    return get(old)
  }

  const fresh = renewable(old, { ...options, renew })
  if (fresh.isFresh()) {
    const response = await get(old)
    if (!isRefusal(response, old, options) || isUsedUp(init.body)) return response
    // The connection may break while the body of the refusal comes, which does not matter.
    await response.body?.cancel().catch(() => undefined)
    fresh.refused = old
  }
  await fresh.renew(signal, since)
  return get(fresh.current)
}

/** Is the body gone after one request? That of a stream is, and so are those of the other streams that Node, Bun and Deno take. */
function isUsedUp(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body)
}

/** Options of `fetch` are passed on, including future ones. So only names that look like a misspelt option of `fetchLink` are refused. */
function assertOptions(options: FetchLinkOptions): void {
  for (const name in options) {
    // No option of `fetch` begins with the same three letters as one of these.
    const isNearMiss = OWN_OPTIONS.some((own) => own.slice(0, 3) === name.slice(0, 3).toLowerCase())
    if (isNearMiss) assertKnownOptions({ [name]: true }, OWN_OPTIONS, 'fetchLink()')
  }
  // The other options are checked even without `renew`.
  const { renew = () => '' } = options
  assertRenewingOptions({ ...options, renew })
}
