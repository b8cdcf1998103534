// climbs: paths that different servers resolve to different files.
import { normal } from '../lib/normalise.ts'

/**
 * Has this path, as it was written, a dot segment in any spelling that some server resolves? They differ about what comes first: resolving,
 * decoding (some do it twice), merging `//`, or cutting off what follows a `;`, `?` or `#`. So `/a//../b` is `/a/b` to RFC 3986, and `/b` to NGINX.
 * Clients resolve dots before they send, so nobody has a need for such a path.
 */
export function climbs(path: string): boolean {
  // In normal form, because what is decoded twice may have its digits escaped: `%25%32%65` is `%2e`, and then a dot.
  const plain = normal(path)
    .replace(/%(25)+/g, '%')
    .replace(/%(2e|2f|5c|3b|3f|23)/gi, (_, hex) => String.fromCharCode(+`0x${hex}`))
  return /(^|[/\\])\.\.?([/\\;?#]|$)/.test(plain)
}
