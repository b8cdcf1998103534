// freshLinks: many links that are always fresh. Their renewals are batched, and one token serves a whole folder.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { linkText } from '../recognise/link-text.ts'
import { inBatches, type RenewAll } from './batch.ts'
import { READING_OPTIONS } from './expires-in.ts'
import { folderOf } from './folder.ts'
import { type FreshLink, type FreshLinkOptions, freshLinkOf, type GetOptions } from './fresh-link.ts'
import type { Answer } from './refusal.ts'
import { assertRenewingOptions, requestableLink } from './renewable.ts'
import type { Renew } from './renewal.ts'

/** Options of {@link freshLinks}. */
export interface FreshLinksOptions extends Omit<FreshLinkOptions, 'renew'> {
  /** Gets new links from your server, in the order of the old ones. */
  readonly renew: RenewAll
}

/** Many links that are always fresh. */
export interface FreshLinks {
  /** The link, renewed if that is due. Pass the link that your server gave first, or a later one. */
  get(link: string | URL, options?: GetOptions): Promise<string>
  /** One of the links, as an object with `get()`, `peek()`, `refused(response)` and `stop()`. */
  of(link: string | URL): FreshLink
  /** The folder that a link with a prefix opens. All URLs of the folder share one token, and so one renewal. */
  under(link: string | URL): FreshFolder
  /** Renews one link, in the batch of all others. For `fetchLink` and `keepFresh`: `keepFresh(image, link, { renew: links.renew })`. */
  readonly renew: Renew
  /** Ends all of them. */
  stop(): void
}

/** A folder whose URLs get a fresh token. */
export interface FreshFolder {
  /** A URL of the folder, with a fresh token. A URL outside the folder, or of another origin, is returned unchanged. */
  get(url: string | URL, options?: GetOptions): Promise<string>
  /** The same with the latest token, without waiting. The token may have expired. */
  peek(url: string | URL): string
  /**
   * Like `refused` of {@link FreshLink}, for all URLs of the folder. Returns `false` for a URL outside the folder.
   *
   * @param url - The URL that was sent, with its token.
   */
  refused(response: Answer, url?: string | URL): boolean
}

const OPTIONS = ['renew', 'early', 'signal', ...READING_OPTIONS]
// The links that were used least recently are forgotten. If the page asks for one again, it is renewed from the link that the page has.
const MOST_KEPT = 1000

/**
 * Many links that are always fresh, for pages with hundreds of pictures and for players.
 *
 * Renewals that begin within 10 milliseconds are one call of `renew`, with up to 200 links. Each link is otherwise as with `freshLink`.
 *
 * @param options - `renew` for a list of links, which is required, how early to renew, and a signal that ends all.
 * @returns An object with `get(link)`, `of(link)`, `under(link)`, `renew` and `stop()`.
 * @throws A `LinkError` `bad_option` for a missing `renew`, and for a wrong or unknown option; `under(link)` for a link that does not open a folder.
 *
 * @example
 * ```ts
 * import { hmac, signAll } from 'securelink'
 * import { freshLinks } from 'securelink/client'
 *
 * // Stands for your server.
 * const scheme = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const renew = (links: string[]) =>
 *   signAll(scheme, links.map((link) => link.replace(/\?.*$/, '')), { expires: '10m' })
 *
 * const links = freshLinks({ renew })
 * const old = (name: string) => `https://cdn.example/${name}?expires=1600000000&signature=${'A'.repeat(43)}`
 * const [first, second] = await Promise.all([links.get(old('1.jpg')), links.get(old('2.jpg'))]) // one call of renew
 * console.log(first === links.of(old('1.jpg')).peek()) // true
 * ```
 */
export function freshLinks(options: FreshLinksOptions): FreshLinks {
  const { renew: renewAll, signal, ...reading } = options ?? {}
  assertOption(typeof renewAll === 'function', 'renew', 'a function that returns a list of new links')
  const stopped = new AbortController()
  const renewOne = inBatches(renewAll)
  // By the text of the link, old or new.
  const known = new Map<string, FreshLink>()

  const renew: Renew = async (old, aborted) => {
    const next = await renewOne(old, aborted)
    const fresh = known.get(old)
    if (fresh && next) keep(String(next), fresh)
    return next
  }
  const each: FreshLinkOptions = { ...reading, renew, signal: stopped.signal }
  assertRenewingOptions(each)
  assertKnownOptions(options, OPTIONS, 'freshLinks()')
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  return { get: (link, init) => of(link).get(init), of, under, renew, stop }

  function stop(): void {
    stopped.abort(signal?.reason)
  }

  function keep(link: string, fresh: FreshLink): void {
    // Deleted first, because a map keeps the place of a key that is set again, and the oldest ones are forgotten first.
    known.delete(link)
    known.set(link, fresh)
    for (const oldest of known.keys()) {
      if (known.size <= MOST_KEPT) break
      known.delete(oldest)
    }
  }

  function of(link: string | URL): FreshLink {
    const text = requestableLink(link)
    const fresh = known.get(text) ?? freshLinkOf(text, each)
    keep(text, fresh)
    return fresh
  }

  function under(link: string | URL): FreshFolder {
    const folder = folderOf(linkText(link), reading.scheme)
    const fresh = of(link)
    return {
      async get(url, init) {
        const text = linkText(url)
        // A URL outside causes no renewal.
        return folder.withToken(text, fresh.peek()) ? (folder.withToken(text, await fresh.get(init)) as string) : text
      },
      peek(url) {
        const text = linkText(url)
        return folder.withToken(text, fresh.peek()) ?? text
      },
      refused(response, url = fresh.peek()) {
        const text = linkText(url)
        const link = fresh.peek()
        if (!folder.withToken(text, link)) return false
        return fresh.refused(response, folder.hasOtherToken(text, link) ? text : link)
      },
    }
  }
}
