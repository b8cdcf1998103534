// isOriginForm: is this a request target that clients send to a server? Servers read all others in ways of their own.
import { split } from '../lib/url.ts'
import type { Scheme } from '../core/scheme.ts'
import { type Refused, statusOf } from '../core/verdict.ts'
import { climbs } from './climbs.ts'

// RFC 9112, section 3.2.1: a path from `/` with its query, of visible ASCII characters. A second `/` would begin a host, to whoever resolves the
// target against a base. Clients keep everything behind a `#` to themselves. Section 3.2.2 asks servers to accept absolute URLs, too, but clients
// send those to proxies alone.
const ORIGIN_FORM = /^\/(?!\/)[!-"$-~]*$/

/**
 * Is this request target in origin form, and is there only one way to read it? Absolute URLs, `*`, `host:port`, paths with dot segments or a raw
 * `\`, fragments and control characters are not. Clients send none of these to a server, and the signature, the framework and the
 * file system could each take them for another path.
 */
export function isOriginForm(target: string): boolean {
  if (!ORIGIN_FORM.test(target)) return false
  const [path = ''] = target.split('?', 1)
  // URL parsers read `\` as `/`, and file systems may take it for a letter.
  return !path.includes('\\') && !climbs(path)
}

/**
 * The refusal of a `Request` that no client sends, if it is one. Its URL has been through a parser, which resolves `..` and leaves `..%2f`; and it
 * may still have a fragment, which handlers and proxies behind could take for a part of the query.
 */
export function notSent({ url }: Request, { status }: Scheme): Refused | undefined {
  if (!url.includes('#') && !climbs(split(url).path)) return
  return { ok: false, reason: 'malformed', status: status?.malformed ?? statusOf('malformed') }
}
