// Elements that keepFresh() takes: which ones, where their link is, and which element loads it.
import { assertOption } from '../core/errors.ts'
import type { Keepable } from './keepable.ts'

const NAMES = ['img', 'video', 'audio', 'a', 'source']

/** The elements that are kept fresh at present. */
export const keptFresh: WeakSet<Element> = new WeakSet()

/** Throws for an element that cannot be kept fresh. */
export function assertKeepable(element: Keepable): void {
  assertOption(
    NAMES.includes(element?.localName),
    'element',
    'an img, video, audio, a or source; querySelector() returns null if there is none',
  )
  assertOption(
    showsOneLink(element),
    'element',
    'without several candidates in srcset; in a picture, keep each source fresh before the img',
  )
}

/** Does the element show one link? If there are several candidates, only the browser knows which one it shows. */
function showsOneLink(element: Element): boolean {
  const picture = element.parentElement?.localName === 'picture' ? element.parentElement : undefined
  const candidates = element.getAttribute('srcset')?.trim() ?? ''
  if (element.localName === 'source') return !picture || !/\s/.test(candidates)
  if (element.localName !== 'img') return true
  return !candidates && [...(picture?.querySelectorAll('source') ?? [])].every((source) => keptFresh.has(source))
}

/** Can the element have this URL? A URL that runs a script must not get into a page. */
export function canShow(element: Element | undefined, link: string): boolean {
  // `URL` finds the protocol as browsers do, also after white space and with line breaks inside. The base is for relative URLs.
  if (!URL.canParse(link, 'http://relative.invalid')) return false
  const { protocol } = new URL(link, 'http://relative.invalid')
  // A `blob:` URL holds what the page has fetched itself. As an `href` it would open as a document of this origin, so only pictures and media take it.
  return ['http:', 'https:'].includes(protocol) || (protocol === 'blob:' && element?.localName !== 'a')
}

/** The name of the attribute that has the link. */
export function attributeOf(element: Element): 'href' | 'src' | 'srcset' {
  if (element.localName === 'a') return 'href'
  return element.localName === 'source' && element.parentElement?.localName === 'picture' ? 'srcset' : 'src'
}

/** The element that loads the link and gets the events: the element itself, or the medium or image that a `<source>` belongs to. */
export function loaderOf(element: Element | undefined): Element | null | undefined {
  if (element?.localName !== 'source') return element
  const parent = element.parentElement
  return parent?.localName === 'picture' ? parent.querySelector('img') : parent
}

/** Is this a `<source>` of a type that the browser does not play? The browser takes the next one, so its error is not because of the link. */
export function isOfOtherType(element: Element | undefined): boolean {
  const type = element?.localName === 'source' && element.getAttribute('type')
  return Boolean(type) && mediumOf(element)?.canPlayType(type as string) === ''
}

/** Does the medium of this `<source>` play another one? */
export function isPassedOver(source: Element, medium: HTMLMediaElement): boolean {
  return medium.readyState > 0 && Boolean(medium.currentSrc) && medium.currentSrc !== (source as HTMLSourceElement).src
}

/** The video or sound that plays the link, if it is one. */
export function mediumOf(element: Element | undefined): HTMLMediaElement | undefined {
  const loader = loaderOf(element)
  return loader?.localName === 'video' || loader?.localName === 'audio' ? (loader as HTMLMediaElement) : undefined
}
