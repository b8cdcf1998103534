// climbs: paths that different servers resolve to different files.

/**
 * Has this path, as it was written, a dot segment in any spelling that some server resolves? They differ about what comes first: resolving,
 * decoding (some do it twice), merging `//`, or cutting off what follows a `;`. So `/a//../b` is `/a/b` to RFC 3986, and `/b` to NGINX.
 * Clients resolve dots before they send, so nobody has a need for such a path.
 */
export function climbs(path: string): boolean {
  const plain = path.replace(/%(25)+/g, '%').replace(/%(2e|2f|5c|3b)/gi, (_, hex) => String.fromCharCode(+`0x${hex}`))
  return /(^|[/\\])\.\.?([/\\;]|$)/.test(plain)
}
