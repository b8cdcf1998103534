// isOriginForm: accepts only request targets that clients send to a server. Frameworks differ in how they read all others.

import { climbs } from '../lib/climbs.ts'
import { isRequestTarget } from '../lib/request-target.ts'
import { split } from '../lib/url.ts'

/** RFC 9112, section 3.2.1: a path from `/` with its query, of visible ASCII characters. */
const ORIGIN_FORM = /^\/[!-~]*$/

/**
 * Is this request target in origin form, and is there only one way to read it?
 *
 * The verbs also accept absolute URLs, and paths whose dot segments appear only after decoding. A server must not: frameworks use the target as the
 * client sent it, and the signature, the framework and the file system could each read it as a different path. RFC 9112, section 3.2.2, asks servers
 * to accept absolute URLs, but clients send those to proxies only.
 */
export function isOriginForm(target: string): boolean {
  return ORIGIN_FORM.test(target) && isRequestTarget(target) && !climbs(split(target).path)
}
