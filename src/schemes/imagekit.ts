// imagekit: signed URLs of ImageKit, https://imagekit.io/docs/media-delivery-basic-security#signed-urls
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { append, LONGEST, split, takeParameters } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { deliveredUrl } from './shared/edge-token.ts'

/** Options of {@link imagekit}. */
export interface ImagekitOptions {
  /**
   * The URL endpoint, which is not signed: `https://ik.imagekit.io/demo`, or a domain of your own. Default: any first segment of the path, as on
   * `ik.imagekit.io`.
   */
  readonly urlEndpoint?: string
}

const NAMES = ['ik-t', 'ik-s'] as const

/** Signed in place of the expiry for links that never expire. */
const NEVER = '9999999999'

// URL and expiry are signed without a separator. With exactly ten digits, no digit can move from one to the other.
const EXPIRES = /^[1-9]\d{9}$/

/** The string to sign: the URL after the endpoint, and the expiry. */
const stringToSign = (resource: string, expires: string): string => resource + expires

/**
 * Signed URLs of ImageKit: `ik-s`, the hex HMAC-SHA-1 of the URL after the endpoint, with or without the expiry `ik-t`.
 *
 * The signature covers the path after the endpoint and all parameters, in their order. It does not cover host and endpoint: name the endpoint, so that
 * `verify` accepts no other.
 *
 * @see https://imagekit.io/docs/media-delivery-basic-security#signed-urls
 * @param keys - Private keys, as text; the first one that is valid now signs, all of them verify, and an empty list only reads links.
 * @param options - The URL endpoint.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { imagekit } from 'securelink/schemes/imagekit'
 *
 * const links = imagekit({ secret: 'private_…' }, { urlEndpoint: 'https://ik.imagekit.io/demo' })
 * const link = await sign(links, 'https://ik.imagekit.io/demo/tr:w-300/cat.jpg', { expires: '1h' })
 * ```
 */
export function imagekit(keys: Keys<SecretKey>, options: ImagekitOptions = {}): Scheme<never, object, 'optional'> {
  assertKnownOptions(options, ['urlEndpoint'], 'imagekit()')
  const endpoint = endpointOf(options)

  /** The URL after the endpoint, or `undefined` for a URL that does not lie below it. */
  function behindEndpoint(path: string, query: string): string | undefined {
    // Only a plain segment, because it is not signed: with `..%2F`, the path would leave the folder on some servers.
    const front = endpoint ?? /^\/(?!\.)[\w.~-]+\//.exec(path)?.[0]
    return front !== undefined && path.startsWith(front) ? path.slice(front.length) + query : undefined
  }

  return {
    name: 'imagekit',
    carries: [],
    covers: ['path', 'query', 'expires'],
    parameters: NAMES,
    algorithm: { hmac: 'SHA-1', encoding: 'hex' },
    expiry: 'optional',
    keys: keyring(keys, { prepare: withCleanSecret }),

    write({ url, parts, expires }) {
      assertOption(
        expires === undefined || (EXPIRES.test(`${expires}`) && `${expires}` !== NEVER),
        'expires',
        'a time after 2001 and before 2286: these links need ten digits',
      )
      assertOption(!parts.fragment, 'url', "without a '#': in the name of a file it is %23")
      const sent = deliveredUrl(url, parts)
      const { path, query } = split(sent)
      const resource = behindEndpoint(path, query)
      assertOption(resource !== undefined, 'url', 'one that lies below urlEndpoint')
      const time = expires === undefined ? '' : `ik-t=${expires}&`
      return {
        toSign: stringToSign(resource, `${expires ?? NEVER}`),
        link: (signature) => append(sent, `${time}ik-s=${signature}`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, others, twice } = takeParameters(parts.query, NAMES)
      const { 'ik-t': expires, 'ik-s': signature } = values
      if (expires === undefined && signature === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      // Both without escapes, because all other pieces of the query are signed as they are.
      const pieces = parts.query.slice(1).split('&')
      const isExpiry = expires === undefined || (EXPIRES.test(expires) && expires !== NEVER && pieces.includes(`ik-t=${expires}`))
      if (!isExpiry) return { malformed: 'ik-t' }
      if (!signature || !/^[\da-f]{40}$/.test(signature) || !pieces.includes(`ik-s=${signature}`)) return { malformed: 'ik-s' }
      if (parts.path[0] !== '/') return 'malformed'

      const covered = pieces.filter((piece) => !/^ik-[ts]=/.test(piece))
      const resource = behindEndpoint(parts.path, covered.length > 0 ? `?${covered.join('&')}` : '')
      const end = expires === undefined ? ENDLESS : +expires
      return {
        claims: {
          resource: parts.origin + parts.path + others,
          expires: new Date(end * 1000),
          ...(expires === undefined && { endless: true as const }),
        },
        signature,
        toSign: () => (resource === undefined ? undefined : stringToSign(resource, expires ?? NEVER)),
      }
    },
  }
}

/** The path of the endpoint, with a slash at its end. */
function endpointOf({ urlEndpoint }: ImagekitOptions): string | undefined {
  if (urlEndpoint === undefined) return undefined
  const { path, query, fragment } = split(`${urlEndpoint}`)
  const isPlain = /^\/((?!\.)[\w.~-]+\/)*((?!\.)[\w.~-]+)?$/.test(path) && !query && !fragment
  assertOption(isPlain, 'urlEndpoint', "a URL of plain segments, such as 'https://ik.imagekit.io/demo'")
  return path.endsWith('/') ? path : `${path}/`
}
