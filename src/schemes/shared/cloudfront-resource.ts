// The resources of CloudFront's policies: URLs, and patterns of URLs.
import { assertOption } from '../../core/errors.ts'
import { normalOrigin, normalPath } from '../../lib/normalise.ts'
import { isHost } from '../../lib/request-target.ts'
import { split } from '../../lib/url.ts'
import { claimedResource, type HeaderReader, matchesPattern } from './edge-token.ts'

/** The URL as it is signed. CloudFront removes its own parameters from a query, so the rest of the query must not be ambiguous. */
export function resourceOf(url: string): string {
  const { origin, path, query } = split(url)
  assertOption(origin, 'url', 'absolute: CloudFront signs the host')
  assertOption(!/[?&](&|$)/.test(query), 'url', "without an empty part in its query, such as '?' at its end")
  return normalOrigin(origin) + path + query
}

/** The pattern of a custom policy, for a link that opens more than its own URL. */
export function patternFor(url: string, prefix: string | undefined, pattern: unknown): string | undefined {
  assertOption(pattern === undefined || prefix === undefined, 'resource', 'left out with a prefix')
  if (pattern !== undefined) {
    const good = typeof pattern === 'string' && /^[!-~]+$/.test(pattern) && !/["\\#<>]/.test(pattern)
    assertOption(good && opensUrl(pattern, url), 'resource', "a pattern that opens url, such as 'https://host/videos/*'")
    return pattern
  }
  if (prefix === undefined) return undefined
  assertOption(prefix.endsWith('/') && !prefix.includes('*'), 'prefix', "a path that ends with '/', without '*'")
  const opened = `${split(url).origin}${prefix}*`
  assertOption(opensUrl(opened, url), 'prefix', 'written as in url: CloudFront compares the text')
  return opened
}

/**
 * Does a pattern open this URL? A `*` at its end also matches a query. Any other `*` does not match the `?` before a query, because `*.mp4` would
 * then open `/secret.txt?x=.mp4`.
 */
export function opensUrl(pattern: string, url: string): boolean {
  const mark = url.indexOf('?')
  if (mark < 0) return matchesPattern(pattern, url)
  const front = url.slice(0, mark)
  if (pattern.endsWith('*') && matchesPattern(pattern, front)) return true
  const query = url.slice(mark + 1)
  for (let at = pattern.indexOf('?'); at >= 0; at = pattern.indexOf('?', at + 1))
    if (matchesPattern(pattern.slice(0, at), front) && matchesPattern(pattern.slice(at + 1), query)) return true
  return false
}

/** The URLs that a request may have been for. For a path alone, the host comes from the header, with either scheme. */
export function wholeUrls(origin: string, rest: string, header?: HeaderReader): readonly string[] {
  if (origin) return [origin + rest]
  const host = header?.('host')
  return host && isHost(host) ? [normalOrigin(`https://${host}`) + rest, normalOrigin(`http://${host}`) + rest] : []
}

/** The part of a URL that a pattern determines: with wildcards, not the query, and not always the host. */
export function covered(pattern: string, url: string): string {
  if (pattern === url && !url.includes('*')) return url
  const { origin, path } = split(url)
  return origin && pattern.startsWith(`${origin}/`) ? origin + path : claimedResource(origin, path)
}

/** The prefix, in normal form, that a pattern such as `https://host/videos/*` opens. */
export function prefixOf(pattern: string): string | undefined {
  const folder = /^[a-z]+:\/\/[^/*?]+(\/(?:[^*?]*\/)?)\*$/.exec(pattern)?.[1]
  return folder && normalPath(folder)
}
