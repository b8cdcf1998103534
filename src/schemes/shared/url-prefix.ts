// URLPrefix, as Google's Cloud CDN and Media CDN write it: scheme, host and the beginning of the path, in base64url.
import { BASE64URL, decode, encode } from '../../lib/encoding.ts'
import { below, normalOrigin, normalPath } from '../../lib/normalise.ts'
import { hasDotSegment } from '../../lib/request-target.ts'
import { type Parts, split } from '../../lib/url.ts'

/** A prefix with its scheme and host, in normal form. */
export interface UrlPrefix {
  readonly origin: string
  readonly path: string
}

/** A prefix as text, without padding. */
export function encodePrefix(origin: string, path: string): string {
  return encode(new TextEncoder().encode(origin + path), BASE64URL)
}

/** Reads a prefix, with or without padding. `undefined` if it is not the beginning of a URL without a query. */
export function decodePrefix(text: string): UrlPrefix | undefined {
  const bytes = new Uint8Array(text.length)
  const length = decode(text.replace(/={1,2}$/, ''), BASE64URL, bytes)
  if (length < 1) return
  const { origin, path, query, fragment } = split(new TextDecoder().decode(bytes.subarray(0, length)))
  if (!origin || path[0] !== '/' || query || fragment || hasDotSegment(path)) return
  return { origin: normalOrigin(origin), path: normalPath(path) }
}

/** Does the prefix open this URL? As everywhere, it ends at a slash: `/foo` does not open `/foobar`. */
export function opensUrl(prefix: UrlPrefix, { origin, path }: Parts): boolean {
  return normalOrigin(origin) === prefix.origin && below(normalPath(path), prefix.path)
}
