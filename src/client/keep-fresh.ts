// keepFresh: an element's link, renewed before it dies, for as long as the element is in the page.
import type { Duration } from '../core/conditions.ts'
import { insist, LinkError } from '../core/errors.ts'
import { boarding, type ExpiresInOptions, expiresIn, margin, type Renew, renewed as successor } from './fetch-link.ts'

/** Options of {@link keepFresh}. */
export interface KeepFreshOptions extends ExpiresInOptions {
  /** Gets a new link from your server. */
  readonly renew: Renew
  /** How long before its death a link is renewed. Default: `'30s'`. */
  readonly early?: Duration
  /** Hears of each new link, once the element has it. */
  readonly renewed?: (link: string) => void
  /** Hears of renewals that failed. They are tried again, five times, with growing pauses. */
  readonly failed?: (error: LinkError) => void
}

/** What {@link keepFresh} takes: `<img>`, `<video>`, `<audio>`, `<a>`, and `<source>` in a `<video>`, `<audio>` or `<picture>`. */
export type Keepable = HTMLImageElement | HTMLMediaElement | HTMLAnchorElement | HTMLSourceElement

// The longest time that timers take.
const LONGEST = 2 ** 31 - 1
const TRIES = 5
// `networkState` of a medium whose last source has failed.
const NO_SOURCE = 3

// An address of these schemes cannot run a script, wherever it stands.
const HTTP = ['http:', 'https:']
// What a page has fetched itself. As an `href` it would open as a document of this origin, so only pictures and media can have it.
const OBJECT = 'blob:'

/** Whether an element can have this address. Relative ones are addresses of the page's own server. */
function isAddressFor(element: Element, link: string): boolean {
  // `URL` finds the scheme as browsers do, also behind white space and with line breaks in it. The base is for relative addresses alone.
  if (!URL.canParse(link, 'http://relative.invalid')) return false
  const { protocol } = new URL(link, 'http://relative.invalid')
  return HTTP.includes(protocol) || (protocol === OBJECT && element.localName !== 'a')
}

// The elements that are kept fresh now.
const fresh = new WeakSet<Element>()

/** Whether an element shows one link, and not one of several candidates that only the browser chooses from. */
function showsOneLink(element: Element): boolean {
  const picture = element.parentElement?.localName === 'picture' ? element.parentElement : undefined
  const candidates = element.getAttribute('srcset')?.trim() ?? ''
  if (element.localName === 'source') return !picture || !/\s/.test(candidates)
  if (element.localName !== 'img') return true
  return !candidates && [...(picture?.querySelectorAll('source') ?? [])].every((source) => fresh.has(source))
}

/**
 * Gives an element a link, and a new one before that expires, when the page becomes visible again, or when loading fails. A video or sound goes
 * on where it was, and plays on if it was last told to play. An image that is off the screen waits until it is on it; a page that nobody sees
 * waits, too, unless it plays.
 *
 * An element shows one link. An image with `srcset` is refused, and so is a `<source>` with several candidates. In a `<picture>`, keep each
 * `<source>` fresh first, and then the image. New links must be http addresses or relative ones, and for pictures and media also `blob:` ones:
 * others count as renewals that failed.
 *
 * It ends by itself when the element leaves the page.
 *
 * @param link - The first link. It becomes the element's `src`, `href` or `srcset`, unless that is so already.
 * @returns A function that ends it sooner.
 * @throws A {@link LinkError}: `bad_option` for another element, one with several candidates, a link that is not an http address, without `renew`,
 *   or for an `early` without a unit.
 *
 * @example
 * ```ts
 * import { keepFresh } from 'securelink/client'
 *
 * const video = globalThis.document?.querySelector('video')
 * const renew = async (link: string, signal: AbortSignal) => (await fetch('/renew', { method: 'POST', body: link, signal })).text()
 * if (video) keepFresh(video, video.src, { renew })
 * ```
 */
export function keepFresh(element: Keepable, link: string | URL, options: KeepFreshOptions): () => void {
  const { renew, early, failed, renewed } = options
  insist(
    ['img', 'video', 'audio', 'a', 'source'].includes(element?.localName),
    'element must be one of img, video, audio, a and source; keepFresh() takes no other',
  )
  insist(
    showsOneLink(element),
    'element must show one link: not an img with srcset, not a source with several candidates; in a picture, keep each source fresh before the img',
  )
  insist(isAddressFor(element, String(link)), 'link must be an http address, a relative one, or for pictures and media a blob: one')
  insist(typeof renew === 'function', 'renew must be a function that gives a new link')
  margin(early, 0)

  // Timers and observers must not keep an element alive that the page has dropped.
  const ref = new WeakRef(element)
  const page = element.ownerDocument
  const controller = new AbortController()
  const { signal } = controller
  let current = String(link)
  const left = expiresIn(current, options) ?? Number.POSITIVE_INFINITY
  // How long the link was to live when it came: infinitely, too, for a first one that is dead already.
  let life = left > 0 ? left : Number.POSITIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined
  let busy = false
  let tries = 0
  let onScreen = true
  let owed = false
  let connected = false
  let screen: IntersectionObserver | undefined
  // Chromium pauses a medium before it tells of an error. So the last thing that the visitor or the page wanted counts, not `paused`.
  let wantsPlay = false
  let place: { readonly time: number; readonly rate: number } | undefined

  const stop = (): void => {
    clearTimeout(timer)
    const kept = ref.deref()
    if (kept) fresh.delete(kept)
    controller.abort()
    leaving.disconnect()
    screen?.disconnect()
  }

  // Where the picture is, the sound comes from, and the events go.
  const shown = (): HTMLElement | null | undefined => {
    const kept = ref.deref()
    if (kept?.localName !== 'source') return kept
    const parent = kept.parentElement
    return parent?.localName === 'picture' ? parent.querySelector('img') : parent
  }
  const player = (): HTMLMediaElement | undefined => {
    const one = shown()
    return one?.localName === 'video' || one?.localName === 'audio' ? (one as HTMLMediaElement) : undefined
  }

  function put(next: string): void {
    const kept = ref.deref()
    if (!kept) return
    const media = player()
    const name =
      kept.localName === 'a' ? 'href' : kept.parentElement?.localName === 'picture' && kept.localName === 'source' ? 'srcset' : 'src'
    if (kept.getAttribute(name) === next) return
    // A second link while the first one loads: the place is the one from before.
    if (media && (media.readyState > 0 || media.error)) {
      place ??= { time: media.currentTime, rate: media.playbackRate }
    }
    kept.setAttribute(name, next)
    if (media && kept !== media) media.load()
  }

  const goOn = (): void => {
    tries = 0
    const media = player()
    if (!media || !place) return
    const { time, rate } = place
    place = undefined
    media.currentTime = time
    media.playbackRate = rate
    // A browser may forbid it; then the visitor's next click plays.
    if (wantsPlay) media.play().catch(() => undefined)
  }

  function plan(): void {
    clearTimeout(timer)
    const left = expiresIn(current, options)
    // A link that is dead when it comes tells that this clock is wrong: loading will show.
    if (left !== undefined && life > 0) timer = setTimeout(check, Math.min(Math.max(left - margin(early, life), 0), LONGEST))
  }

  function check(): void {
    const left = expiresIn(current, options)
    if (!ref.deref()) stop()
    // The page's and the screen's events come back here.
    else if ((page.visibilityState === 'hidden' && !wantsPlay) || !onScreen) return
    else if (owed) again(current)
    else if (left !== undefined && life > 0 && left <= margin(early, life)) refresh()
    else plan()
  }

  function refresh(refused?: string): void {
    if (busy || signal.aborted) return
    busy = true
    owed = false
    clearTimeout(timer)
    successor(current, { ...options, signal }, boarding(), refused)
      .then(
        (next) => {
          const kept = ref.deref()
          if (signal.aborted || !kept) return
          if (!isAddressFor(kept, next)) {
            failed?.(new LinkError('renewal_failed', 'renew gave an address that is neither an http address nor a relative one'))
            again(next)
            return
          }
          current = next
          life = expiresIn(next, options) ?? Number.POSITIVE_INFINITY
          put(next)
          plan()
          renewed?.(next)
        },
        (error) => {
          if (signal.aborted) return
          failed?.(error as LinkError)
          again()
        },
      )
      .finally(() => {
        busy = false
      })
  }

  // At once the first time, then after 2, 4, 8 … seconds.
  function again(refused?: string): void {
    if (tries >= TRIES) return
    const wait = tries++ && 1000 * 2 ** tries
    clearTimeout(timer)
    timer = setTimeout(() => (ref.deref() ? refresh(refused) : stop()), wait)
  }

  // Moved within the page is not gone: this is called when the move is over.
  function watch(): void {
    const kept = ref.deref()
    if (!kept || (connected && !kept.isConnected)) stop()
    if (connected || !kept?.isConnected) return
    connected = true
    // A removal inside a shadow tree is seen there alone.
    for (let root = kept.getRootNode(); root !== page && root instanceof ShadowRoot; root = root.host.getRootNode())
      leaving.observe(root, { childList: true, subtree: true })
  }
  const leaving = new MutationObserver(watch)
  leaving.observe(page, { childList: true, subtree: true })
  watch()

  function pausing(media: HTMLMediaElement): void {
    // The pause of an error is nobody's wish.
    if (!media.error && media.networkState !== NO_SOURCE) wantsPlay = false
  }

  const failing = (): void => {
    owed = !onScreen
    if (!owed) again(current)
  }
  element.addEventListener('error', failing, { signal })
  const events = shown()
  if (events !== element) events?.addEventListener('error', failing, { signal })
  for (const name of ['load', 'loadedmetadata']) events?.addEventListener(name, goOn, { signal })
  const media = player()
  if (media) {
    wantsPlay = !media.paused
    media.addEventListener(
      'play',
      () => {
        wantsPlay = true
      },
      { signal },
    )
    media.addEventListener('pause', () => pausing(media), { signal })
  }
  page.addEventListener(
    'visibilitychange',
    () => {
      tries = 0
      check()
    },
    { signal },
  )

  if (events?.localName === 'img' && typeof IntersectionObserver === 'function') {
    onScreen = false
    screen = new IntersectionObserver((entries) => {
      onScreen = entries.at(-1)?.isIntersecting ?? false
      if (onScreen) check()
    })
    screen.observe(events)
  }

  fresh.add(element)
  if (left > 0) put(current)
  plan()
  return stop
}
