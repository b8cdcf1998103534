// Request targets: the URLs and paths that a client can send.
import { type Parts, split } from './url.ts'

/** Characters that no client sends: clients keep the fragment, and escape or drop control characters and half surrogate pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
const NEVER_SENT = /[\0-\x1f\x7f#]|\p{Surrogate}/u

/** Most URLs have these characters only, and this test takes less time than the one above. */
const PRINTABLE = /^[ "!$-~]*$/

/** `.` or `..` between slashes, with escaped dots too. Java servers also cut off what follows a `;`, and resolve `..;` like `..`. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/;]|$)/i

/**
 * Has this path a segment `.` or `..` in any spelling? Clients resolve these before they send. Servers resolve them at different times, or
 * not at all, so one path would name several files.
 */
export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path)
}

/** A scheme of the web and a host with at most one port. `javascript://h/…` in `claims.resource` would be code in a page. */
const WEB_ORIGIN = /^(?:https?|wss?):\/\/(?:\[[\da-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/i

/** Is this the scheme and host of a request, or empty as for a path? `host:8443:443` has two ports, of which a normal form would drop one. */
export function isWebOrigin(origin: string): boolean {
  return origin === '' || WEB_ORIGIN.test(origin)
}

/**
 * Is this the text of a header `Host`? A raw request can have any: with `cdn.example/videos` as the host, a request for `/a` would look like one for
 * `/videos/a`.
 */
export function isHost(host: string): boolean {
  const url = `https://${host}`
  const { origin } = split(url)
  return origin === url && isWebOrigin(origin)
}

/** Does a path begin with two slashes? `new URL(path, base)` would take what follows for a host. */
export function looksLikeHost(path: string): boolean {
  return path.startsWith('//')
}

/**
 * Can a client send this text, as an absolute URL or as a path with its query? Never throws, and takes linear time.
 *
 * `false` for a text in which {@link split} finds no path, for characters that no client sends, for a `\` in the path (many servers read it as
 * `/`), for a space at its end, for dot segments, for a path that a URL parser would take for a host, and for an origin with another scheme than
 * http and ws, or with two ports.
 */
export function isRequestTarget(url: string, { origin, path, plain }: Parts = split(url)): boolean {
  if (plain) return true
  return (
    isWebOrigin(origin) &&
    path.startsWith('/') &&
    !path.includes('\\') &&
    // `new URL()` drops it, and reads `/a/.. ` as `/`.
    !path.endsWith(' ') &&
    !looksLikeHost(url) &&
    !hasDotSegment(path) &&
    (PRINTABLE.test(url) || !NEVER_SENT.test(url))
  )
}
