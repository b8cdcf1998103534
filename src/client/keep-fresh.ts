// keepFresh: renews the link of an element before it expires, as long as the element is in the page.
import { assertKnownOptions, assertOption, type LinkError } from '../core/errors.ts'
import { linkText } from '../recognise/link-text.ts'
import { assertKeepable, attributeOf, canShow, isOfOtherType, isPassedOver, keptFresh, loaderOf, mediumOf } from './element.ts'
import { READING_OPTIONS, timeLeft } from './expires-in.ts'
import type { Keepable } from './keepable.ts'
import { playbackOf } from './playback.ts'
import { whenRemoved } from './removal.ts'
import { assertRenewingOptions, renewable, requestableLink } from './renewable.ts'
import type { RenewOptions } from './renewal.ts'

/** Options of {@link keepFresh}. */
export interface KeepFreshOptions extends RenewOptions {
  /** Called with each new link, once the element has it. */
  readonly renewed?: (link: string) => void
  /** Called with the error of each renewal that failed. A renewal is tried again five times, with growing pauses. */
  readonly failed?: (error: LinkError) => void
}

const OPTIONS = ['renew', 'early', 'renewed', 'failed', ...READING_OPTIONS]

// The longest time that timers take, in milliseconds.
const LONGEST_TIMER = 2 ** 31 - 1
const MOST_RETRIES = 5

/**
 * Gives an element a link, and renews it: before it expires, when loading fails, and when the page becomes visible again.
 *
 * - Video and audio continue where they were, and continue to play if they were last told to play.
 * - An image that is off the screen is renewed when it comes onto the screen. While the page is hidden, nothing is renewed, except a medium that
 *   plays.
 * - An element shows one link. An image with `srcset` is refused, and so is a `<source>` with several candidates. In a `<picture>`, keep each
 *   `<source>` fresh first, and then the image.
 * - New links must be http(s) or relative URLs; pictures and media also take `blob:` URLs. Any other link counts as a renewal that failed.
 *
 * It stops by itself when the element leaves the page.
 *
 * @param element - An `<img>`, `<video>`, `<audio>`, `<a>` or `<source>`.
 * @param link - The first link. It is put into the element's `src`, `href` or `srcset`.
 * @param options - `renew`, which is required, and callbacks.
 * @returns A function that stops it sooner.
 * @throws A {@link LinkError} `bad_option` for another element, one with several candidates, a link that is not a URL of the kinds above, a missing
 *   `renew`, and for a wrong or unknown option.
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
  assertArguments(element, link, options)
  const { failed, renewed } = options
  const page = element.ownerDocument
  // Timers and observers use this reference, so that they do not keep the element alive after the page has dropped it.
  const ref = new WeakRef<Element>(element)
  const controller = new AbortController()
  const { signal } = controller
  const playback = playbackOf(() => mediumOf(ref.deref()), signal)

  const first = linkText(link)
  const left = timeLeft(first, options)
  const fresh = renewable(first, {
    ...options,
    // An infinite lifetime for a first link that has expired, so that it is renewed at once.
    lifetime: left > 0 ? left : Number.POSITIVE_INFINITY,
    objection: (next) => (canShow(ref.deref(), next) ? undefined : `a function that returns ${ALLOWED}`),
  })
  let timer: ReturnType<typeof setTimeout> | undefined
  let isRenewing = false
  let retries = 0
  let onScreen = true
  let failedOffScreen = false

  listen(element)
  keptFresh.add(element)
  if (left > 0) show(first)
  schedule()
  return stop

  function stop(): void {
    clearTimeout(timer)
    const kept = ref.deref()
    if (kept) keptFresh.delete(kept)
    controller.abort()
  }

  /** Puts a link into the element. */
  function show(next: string): void {
    const kept = ref.deref()
    if (!kept || kept.getAttribute(attributeOf(kept)) === next) return
    const medium = mediumOf(kept)
    // While the medium plays another source, it must not load, because that would interrupt it.
    const isIdle = medium !== undefined && kept !== medium && isPassedOver(kept, medium)
    if (!isIdle) playback.save()
    kept.setAttribute(attributeOf(kept), next)
    // A medium does not notice a change of its sources until it is told to load.
    if (!isIdle && kept !== medium) medium?.load()
  }

  /** Sets the timer for the next renewal. */
  function schedule(): void {
    clearTimeout(timer)
    const due = fresh.dueIn()
    if (due < Number.POSITIVE_INFINITY) timer = setTimeout(check, Math.min(Math.max(due, 0), LONGEST_TIMER))
  }

  /** Renews the link if that is due. Called by the timer, and when the page or the image becomes visible. */
  function check(): void {
    if (!ref.deref()) stop()
    // Called again when the page becomes visible, or the image comes onto the screen.
    else if ((page.visibilityState === 'hidden' && !playback.wanted) || !onScreen) return
    else if (failedOffScreen) retry()
    else if (fresh.dueIn() <= 0) renewNow()
    else schedule()
  }

  function renewNow(): void {
    if (isRenewing || signal.aborted) return
    isRenewing = true
    failedOffScreen = false
    clearTimeout(timer)
    fresh
      .renew(signal)
      .then(take, (error: LinkError) => {
        if (signal.aborted) return
        failed?.(error)
        retry()
      })
      .finally(() => {
        isRenewing = false
      })
  }

  /** Takes the new link. */
  function take(): void {
    if (signal.aborted || !ref.deref()) return
    show(fresh.current)
    schedule()
    renewed?.(fresh.current)
  }

  /** Renews at once the first time, then after 4, 8, 16 and 32 seconds. */
  function retry(): void {
    if (retries >= MOST_RETRIES) return
    const wait = retries === 0 ? 0 : 2000 * 2 ** retries
    retries++
    clearTimeout(timer)
    timer = setTimeout(() => (ref.deref() ? renewNow() : stop()), wait)
  }

  // Takes the element as a parameter: if the functions here used the outer `element`, the timer would keep it alive.
  function listen(kept: Element): void {
    const loader = loaderOf(kept)
    for (const target of new Set([kept, loader])) target?.addEventListener('error', failedToLoad, { signal })
    for (const name of ['load', 'loadedmetadata']) loader?.addEventListener(name, loaded, { signal })
    page.addEventListener('visibilitychange', visibilityChanged, { signal })
    whenRemoved(ref, page, signal, stop)
    if (loader?.localName === 'img' && typeof IntersectionObserver === 'function') watchScreen(loader)
  }

  function failedToLoad(): void {
    if (isOfOtherType(ref.deref())) return
    // The server may have refused the link, so it must not be used again.
    fresh.refused = fresh.current
    failedOffScreen = !onScreen
    if (onScreen) retry()
  }

  function loaded(): void {
    retries = 0
    playback.resume()
  }

  function visibilityChanged(): void {
    retries = 0
    check()
  }

  function watchScreen(image: Element): void {
    onScreen = false
    const observer = new IntersectionObserver((entries) => {
      onScreen = entries.at(-1)?.isIntersecting ?? false
      if (onScreen) check()
    })
    observer.observe(image)
    signal.addEventListener('abort', () => observer.disconnect())
  }
}

const ALLOWED = 'an http(s) or relative URL, or a blob: URL for pictures and media'

function assertArguments(element: Keepable, link: string | URL, options: KeepFreshOptions): void {
  assertKeepable(element)
  assertOption(canShow(element, requestableLink(link)), 'link', ALLOWED)
  assertRenewingOptions(options)
  assertKnownOptions(options, OPTIONS, 'keepFresh()')
}
