// keepFresh: an element's link, renewed before it dies, for as long as the element is in the page.
import type { Duration } from '../core/conditions.ts'
import { insist, type LinkError } from '../core/errors.ts'
import { boarding, type ExpiresInOptions, expiresIn, margin, type Renew, renewed } from './fetch-link.ts'

/** Options of {@link keepFresh}. */
export interface KeepFreshOptions extends ExpiresInOptions {
  /** Gets a new link from your server. */
  readonly renew: Renew
  /** How long before its death a link is renewed. Default: `'30s'`. */
  readonly early?: Duration
  /** Hears of renewals that failed. They are tried again, five times, with growing pauses. */
  readonly failed?: (error: LinkError) => void
}

/** What {@link keepFresh} takes: `<img>`, `<video>`, `<audio>`, `<a>`, and `<source>` in a `<video>`, `<audio>` or `<picture>`. */
export type Keepable = HTMLImageElement | HTMLMediaElement | HTMLAnchorElement | HTMLSourceElement

// The longest time that timers take.
const LONGEST = 2 ** 31 - 1
const TRIES = 5

/**
 * Gives an element a link, and a new one before that dies, when the page becomes visible again, or when loading fails. A video or sound goes on
 * where it was. An image that is off the screen waits until it is on it; a page that nobody sees waits, too, unless it plays.
 *
 * It ends by itself when the element leaves the page.
 *
 * @param link - The first link. It becomes the element's `src`, `href` or `srcset`, unless that is so already.
 * @returns A function that ends it sooner.
 * @throws A {@link LinkError}: `bad_option` for another element, without `renew`, or for an `early` without a unit.
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
  const { renew, early, failed } = options
  insist(
    ['img', 'video', 'audio', 'a', 'source'].includes(element?.localName),
    'keepFresh takes an element: img, video, audio, a or source',
  )
  insist(typeof renew === 'function', 'keepFresh takes { renew }: a function that gives a new link')
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
  let place: { readonly time: number; readonly rate: number; readonly plays: boolean } | undefined

  const stop = (): void => {
    clearTimeout(timer)
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
      place ??= { time: media.currentTime, rate: media.playbackRate, plays: !media.paused }
    }
    kept.setAttribute(name, next)
    if (media && kept !== media) media.load()
  }

  const goOn = (): void => {
    tries = 0
    const media = player()
    if (!media || !place) return
    const { time, rate, plays } = place
    place = undefined
    media.currentTime = time
    media.playbackRate = rate
    // A browser may forbid it; then the visitor's next click plays.
    if (plays) media.play().catch(() => undefined)
  }

  function plan(): void {
    clearTimeout(timer)
    const left = expiresIn(current, options)
    // A link that is dead when it comes tells that this clock is wrong: loading will show.
    if (left !== undefined && life > 0) timer = setTimeout(check, Math.min(Math.max(left - margin(early, life), 0), LONGEST))
  }

  function check(): void {
    const plays = player()?.paused === false
    const left = expiresIn(current, options)
    if (!ref.deref()) stop()
    // The page's and the screen's events come back here.
    else if ((page.visibilityState === 'hidden' && !plays) || !onScreen) return
    else if (owed) again(current)
    else if (left !== undefined && life > 0 && left <= margin(early, life)) refresh()
    else plan()
  }

  function refresh(refused?: string): void {
    if (busy || signal.aborted) return
    busy = true
    owed = false
    clearTimeout(timer)
    renewed(current, { ...options, signal }, boarding(), refused)
      .then(
        (next) => {
          if (signal.aborted) return
          current = next
          life = expiresIn(next, options) ?? Number.POSITIVE_INFINITY
          put(next)
          plan()
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

  const failing = (): void => {
    owed = !onScreen
    if (!owed) again(current)
  }
  element.addEventListener('error', failing, { signal })
  const events = shown()
  if (events !== element) events?.addEventListener('error', failing, { signal })
  for (const name of ['load', 'loadedmetadata']) events?.addEventListener(name, goOn, { signal })
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

  if (left > 0) put(current)
  plan()
  return stop
}
