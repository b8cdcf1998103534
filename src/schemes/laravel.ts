// laravel: signed routes of the Laravel framework, https://laravel.com/docs/urls#signed-urls
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSent } from '../lib/canonical.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { encodeValue, LONGEST, type Parts, split } from '../lib/url.ts'
import { type PhpParameter, phpEncoded, phpParameters } from './shared/php-query.ts'

/** Options of {@link laravel}. Signer and verifier need the same ones. */
export interface LaravelOptions {
  /** As the argument `absolute` of Laravel: `false` for `signed:relative`, where scheme and host are not covered. Default: `true`. */
  readonly absolute?: boolean
  /** Parameters that are not covered, by name, as in `hasValidSignatureWhileIgnoring(['page'])` and `ValidateSignature::except()`. Default: none. */
  readonly ignore?: readonly string[]
}

const NAMES = ['expires', 'signature'] as const

/** The string to sign: the URL without `signature`. */
function stringToSign(parts: Parts, query: string, absolute: boolean): string {
  const url = (absolute ? normalOrigin(parts.origin) : '') + signedPath(parts, absolute)
  return query ? `${url}?${query}` : url
}

/** Laravel removes the slashes at the end of a path, and the leading ones of a relative path. The path `/` then becomes `//`. */
function signedPath({ path }: Parts, absolute: boolean): string {
  const front = withoutLastSlashes(path)
  return absolute ? front : `/${front.replace(/^\/+/, '') || '/'}`
}

/**
 * Signed routes of Laravel: the hex HMAC-SHA-256 of the whole URL, with or without `expires`.
 *
 * The signature covers scheme, host, path and query, in the order in which the parameters come. A link is still valid in the second of its expiry.
 * As with Laravel, every refusal is a 403, except a 405 for the wrong method.
 *
 * `sign` writes the URL as Laravel does, with the parameters in the order of their names.
 *
 * @see https://laravel.com/docs/urls#signed-urls
 * @param keys - `APP_KEY` as it stands, with its `base64:`, because Laravel does not decode it here. The keys of `APP_PREVIOUS_KEYS` follow.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { laravel } from 'securelink/schemes/laravel'
 *
 * const links = laravel({ secret: 'base64:hL6yrMlQmZLd8VRkHGYTZ5b3tEnVNsTkqBzm0XCKWbY=' })
 * const link = await sign(links, 'https://app.example/unsubscribe/7', { expires: '30m' })
 * ```
 */
export function laravel(keys: Keys<SecretKey>, options: LaravelOptions = {}): Scheme<never, object, 'optional'> {
  const { absolute = true, ignore = [] } = options
  assertOptions(options)
  const isCovered = (piece: string) => !ignore.includes(piece.split('=', 1)[0] as string)

  return {
    name: 'laravel',
    carries: [],
    covers: [...(absolute ? (['scheme', 'host'] as const) : []), 'path', 'query', 'expires'],
    parameters: NAMES,
    algorithm: { hmac: 'SHA-256', encoding: 'hex' },
    expiry: 'optional',
    validAtExpiry: true,
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys),

    write({ url, parts, expires }) {
      assertOption(!absolute || parts.origin, 'url', 'absolute; for paths, set absolute: false')
      assertOption(absolute || /[^/]/.test(parts.path), 'url', "a path below '/', because Laravel refuses relative links to '/' itself")
      const sent = split(asSent(url, parts))
      const others = phpParameters(sent.query)
      const reserved = others.find(({ name }) => isOurs(name))
      assertOption(!reserved, 'url', `without names that PHP reads as '${reserved?.name}', which the link adds`)
      const expiry = expires === undefined ? [] : phpParameters(`?expires=${expires}`)
      const pieces = inOrder([...others, ...expiry]).map(printed)
      const target = { ...sent, path: sent.path.replace(/[$'()[\]]/g, encodeValue) }
      return {
        toSign: stringToSign(target, pieces.filter(isCovered).join('&'), absolute),
        link: (signature) =>
          `${sent.origin}${signedPath(target, absolute)}?${[...pieces, `signature=${signature}`].join('&')}${sent.fragment}`,
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const pieces = phpParameters(parts.query)
      const [expires, twoExpiries] = pieces.filter(({ name }) => name === 'expires')
      const [signature, twoSignatures] = pieces.filter(({ name }) => name === 'signature')
      if (!signature && !expires) return 'unsigned'
      // PHP would read an array, or another spelling of the name, as this parameter, but Laravel's validation would not.
      if (expires && (twoExpiries || !/^expires=[1-9]\d{0,10}$/.test(expires.piece))) return { malformed: 'expires' }
      if (!signature || twoSignatures || !/^signature=[\da-f]{64}$/.test(signature.piece)) return { malformed: 'signature' }
      if (parts.path[0] !== '/') return 'malformed'

      // Split again, because Laravel signs empty pieces, too.
      const covered = parts.query
        .slice(1)
        .split('&')
        .filter((piece) => piece !== signature.piece && isCovered(piece))
      const others = covered.filter((piece) => piece && piece !== expires?.piece).join('&')
      const resource = parts.origin + (signedPath(parts, absolute) || '/') + (others && `?${others}`)
      const end = expires ? +expires.value : ENDLESS
      return {
        claims: { resource, expires: new Date(end * 1000), ...(!expires && { endless: true as const }) },
        signature: signature.value,
        // The host is signed, so a link without its host cannot match.
        toSign: () => (absolute && !parts.origin ? undefined : stringToSign(parts, covered.join('&'), absolute)),
      }
    },
  }
}

const isOurs = (name: string): boolean => (NAMES as readonly string[]).includes(name)

function assertOptions(options: LaravelOptions): void {
  const { absolute = true, ignore = [] } = options
  assertKnownOptions(options, ['absolute', 'ignore'], 'laravel()')
  assertOption(typeof absolute === 'boolean', 'absolute', 'true or false')
  const good = Array.isArray(ignore) && ignore.every((name) => typeof name === 'string' && name && !/[=&]/.test(name) && !isOurs(name))
  assertOption(good, 'ignore', "a list of names, without 'expires' and 'signature'")
}

/** As `ksort` orders the parameters: by name, those of one name in their order. */
function inOrder(parameters: readonly PhpParameter[]): readonly PhpParameter[] {
  return [...parameters].sort((a, b) => (a.name < b.name ? -1 : +(a.name > b.name)))
}

/** As `http_build_query` prints a parameter after RFC 3986. */
function printed({ written, value }: PhpParameter): string {
  return `${written}=${phpEncoded(value)}`.replaceAll('+', '%20').replaceAll('%7E', '~')
}

/** Without a regular expression, which would take quadratic time for many slashes. */
function withoutLastSlashes(path: string): string {
  let end = path.length
  while (path[end - 1] === '/') end--
  return path.slice(0, end)
}
