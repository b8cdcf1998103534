// climbs: paths that some server resolves to a place above the one that they begin in.
import { normal } from '../lib/normalise.ts'

/**
 * Has this path, as it was written, a dot segment in any spelling that some server resolves? Servers differ about which step is the first:
 * resolving, decoding (some do it twice), merging `//`, or cutting off what follows a `;`, `?` or `#`. So `/a//../b` is `/a/b` to RFC 3986, and
 * `/b` to NGINX. A token that may sign below `/a/` must not sign it. Clients resolve dots before they send, so no good link needs such a path.
 */
export function climbs(path: string): boolean {
  // In normal form, because a path that is decoded twice may have its digits escaped: `%25%32%65` is `%2e`, and then a dot.
  const plain = normal(path)
    .replace(/%(25)+/g, '%')
    .replace(/%(2e|2f|5c|3b|3f|23)/gi, (_, hex) => String.fromCharCode(+`0x${hex}`))
  return /(^|[/\\])\.\.?([/\\;?#]|$)/.test(plain)
}
