// signAll: many URLs become links, in order, with a bounded number under way.
import type { Condition, Conditions, Expiry } from './conditions.ts'
import { assertOption, LinkError } from './errors.ts'
import { inTurn } from './in-turn.ts'
import type { Scheme } from './scheme.ts'
import { type SignOptions, sign } from './sign.ts'
import { presentTime } from './time.ts'

/**
 * Makes a link of each URL, for pages with hundreds of pictures. The links come in the order of the URLs, and all count their durations from the
 * same second, so they expire together.
 *
 * @param scheme - As for `sign`.
 * @param urls - Any number of URLs. At most 64 are being signed at a time.
 * @param conditions - As for `sign`, the same for all. Links with `uses` get an id each.
 * @param options - As for `sign`.
 * @returns The links.
 * @throws What `sign` throws, for the first URL that cannot become a link; the message names it: "urls[3] must be …". No link is returned then.
 *
 * @example
 * ```ts
 * import { hmac, signAll } from 'securelink'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const [first, second] = await signAll(links, ['/a.jpg', '/b.jpg'], { expires: '1h', align: '1h' })
 * ```
 */
export async function signAll<C extends Condition, Own extends object, E extends Expiry>(
  scheme: Scheme<C, Own, E>,
  urls: readonly (string | URL)[],
  conditions: Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>,
  options: SignOptions = {},
): Promise<string[]> {
  assertOption(Array.isArray(urls), 'urls', 'a list of URLs, as the second argument')
  return signEach(scheme, urls, conditions, options, (i) => `urls[${i}]`)
}

/** Signs a list. `nameOf` is how errors name a URL. */
export async function signEach<C extends Condition, Own extends object, E extends Expiry>(
  scheme: Scheme<C, Own, E>,
  urls: readonly (string | URL)[],
  conditions: Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>,
  options: SignOptions,
  nameOf: (i: number) => string,
): Promise<string[]> {
  const present = new Date(presentTime(options.now))
  const atPresent: SignOptions = { ...options, now: () => present }
  return inTurn(urls, (url, i) =>
    sign(scheme, url, conditions, atPresent).catch((error: unknown) => {
      throw named(error, nameOf(i))
    }),
  )
}

/** An error about a URL, with the name of this one. */
function named(error: unknown, name: string): unknown {
  if (!(error instanceof LinkError) || error.option !== 'url') return error
  return new LinkError(error.code, error.message.replace(/^url\b/, name), { option: name, cause: error })
}
