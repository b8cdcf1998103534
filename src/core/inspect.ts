// inspect: what a link says, for whoever holds no key. Nothing here is verified, and the field is named so.
import type { Claims } from './conditions.ts'
import { isRequestTarget, looksLikeHost } from '../lib/request-target.ts'
import { LONGEST } from '../lib/url.ts'
import type { Scheme } from './scheme.ts'

/** What a link says of itself. Anybody can have written it: good for showing and for timers, not for letting somebody in. */
export interface Unverified {
  readonly scheme: string
  readonly unverified: Claims
}

/**
 * Reads a link without a key and without the clock: what it opens, until when, under which conditions.
 *
 * @param scheme - A scheme with any ring; `hmac([])`, an empty one, can read and nothing else.
 * @param url - Any text or URL. A fragment is left out, because clients do not send it.
 * @returns What the link says, or `undefined` when it is no link of this scheme, or one that cannot be read.
 *
 * @example
 * ```ts
 * import { hmac, inspect } from 'securelink'
 *
 * const link = `https://cdn.example/report.pdf?expires=1900000000&signature=${'A'.repeat(43)}`
 * console.log(inspect(hmac([]), link)?.unverified.expires) // 2030-03-17T17:46:40.000Z
 * ```
 */
export function inspect(scheme: Scheme, url: string | URL): Unverified | undefined {
  const link = String(url)
  // A link may have a fragment for the client, which leaves it out of the request.
  const target = link.replace(/#.*/s, '')
  if (link.length > LONGEST || !isRequestTarget(target)) return
  const reading = scheme.read(target)
  return typeof reading === 'string' || looksLikeHost(reading.claims.resource)
    ? undefined
    : { scheme: (reading.scheme ?? scheme).name, unverified: reading.claims }
}
