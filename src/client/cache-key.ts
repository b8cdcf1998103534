// cacheKey: a name for the resource of a link, which stays the same when the link is renewed.
import { assertKnownOptions } from '../core/errors.ts'
import { linkText } from '../recognise/link-text.ts'
import { assertReadingOptions, type ExpiresInOptions, withoutFragment } from './expires-in.ts'
import { resourceIn } from './resource.ts'

/** Options of {@link cacheKey}. */
export type CacheKeyOptions = Pick<ExpiresInOptions, 'scheme'>

/**
 * The URL that a link opens, without the parameters that signed it. It stays the same when the link is renewed, so caches can use it as the key:
 * the Cache API, Workbox, TanStack Query.
 *
 * Anybody can write a link with any resource. So use the key for the cache of one user, such as that of a service worker, and empty that cache when
 * the user logs out.
 *
 * @param link - Any string, or a `URL`. A fragment is left out. A text that is not a link comes back as it is.
 * @param options - A scheme, for links with renamed parameters.
 * @returns The URL, as a string.
 * @throws A `LinkError` `bad_option` if `link` is neither a string nor a `URL`, and for a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { cacheKey } from 'securelink/client'
 *
 * console.log(cacheKey(`https://cdn.example/photo.jpg?width=80&expires=1900000000&signature=${'A'.repeat(43)}`)) // https://cdn.example/photo.jpg?width=80
 * console.log(cacheKey('https://cdn.example/photo.jpg')) // https://cdn.example/photo.jpg
 * ```
 */
export function cacheKey(link: string | URL, options: CacheKeyOptions = {}): string {
  const text = linkText(link)
  assertKnownOptions(options, ['scheme'], 'cacheKey()')
  assertReadingOptions(options)
  return withoutFragment(resourceIn(text, options.scheme) ?? text)
}
