// inspect: reads a link without a key. Its claims are not verified, and the name of the field says so.
import { isRequestTarget, looksLikeHost } from '../lib/request-target.ts'
import { LONGEST } from '../lib/url.ts'
import type { UnverifiedClaims } from './claims.ts'
import { assertOption } from './errors.ts'
import { assertScheme, type Scheme } from './scheme.ts'

/** The claims of a link that was not verified. Anybody can have written them: use them for display and for timers, not to admit somebody. */
export interface Unverified {
  /** Name of the scheme that can read the link. */
  readonly scheme: string
  readonly unverified: UnverifiedClaims
}

/**
 * Reads a link without a key and without a clock: what it opens, until when, and under which conditions.
 *
 * @param scheme - A scheme with any keyring; `hmac([])`, an empty one, can only read.
 * @param url - Any text or URL. A fragment is left out, because clients do not send it.
 * @returns The claims of the link, or `undefined` if the text is not a link of this scheme or cannot be read.
 * @throws A {@link LinkError} `bad_option` if an argument is missing.
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
  assertScheme(scheme)
  assertOption(
    typeof url === 'string' || typeof url?.href === 'string',
    'url',
    'a string or a URL, as the second argument: inspect(scheme, url)',
  )
  const link = `${url}`
  if (link.length > LONGEST) return undefined
  const target = link.replace(/#.*/s, '')
  if (!isRequestTarget(target)) return undefined
  for (const candidate of scheme.schemes ?? [scheme]) {
    const reading = candidate.read(target)
    if (typeof reading === 'string' || 'malformed' in reading) continue
    if (!looksLikeHost(reading.claims.resource)) return { scheme: candidate.name, unverified: reading.claims }
  }
  return undefined
}
