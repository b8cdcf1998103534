// symfony: links of Symfony's UriSigner, https://symfony.com/doc/current/routing.html#signing-uris
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Algorithm, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSentToVendor, MOST_PIECES } from '../lib/canonical.ts'
import { decodeValue, encodeValue, LONGEST, type Parts, split } from '../lib/url.ts'
import { type PhpValues, phpQuery, printedQuery } from './shared/php-query.ts'

/** Options of {@link symfony}. Signer and verifier need the same parameters. */
export interface SymfonyOptions {
  /** How `sign` writes the hash: as Symfony up to 7.2, or from 7.3 on, which takes both. `verify` takes both, too. Default: `'base64'`. */
  readonly encoding?: 'base64' | 'base64url'
  /** As the arguments `hashParameter` and `expirationParameter` of `UriSigner`. Default: `_hash` and `_expiration`. */
  readonly parameters?: { readonly hash?: string; readonly expiration?: string }
}

/** The string to sign: the URL as PHP prints it, without the hash. */
function stringToSign({ origin, path }: Parts, values: PhpValues): string {
  const query = printedQuery(values)
  return origin + path + (query && `?${query}`)
}

/**
 * Links of Symfony's `UriSigner`: the base64 HMAC-SHA-256 of the whole URL, with or without `_expiration`.
 *
 * The signature covers scheme, host, path and query. The query is signed as PHP reads it: in any order, in any spelling.
 *
 * `sign` writes the query as Symfony does: parameters in the order of their names, of two with one name the last.
 *
 * @see https://symfony.com/doc/current/routing.html#signing-uris
 * @param keys - The secret of the application (`kernel.secret`, `APP_SECRET`) as text.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { symfony } from 'securelink/schemes/symfony'
 *
 * const links = symfony({ secret: '0123456789abcdef0123456789abcdef' })
 * const link = await sign(links, 'https://app.example/download?file=7', { expires: '30m' })
 * ```
 */
export function symfony(keys: Keys<SecretKey>, options: SymfonyOptions = {}): Scheme<never, object, 'optional'> {
  assertKnownOptions(options, ['encoding', 'parameters'], 'symfony()')
  const { encoding = 'base64' } = options
  assertOption(encoding in FORMS, 'encoding', "'base64' or 'base64url'")
  const { hash, expiration } = parametersOf(options)

  return {
    name: 'symfony',
    carries: [],
    covers: ['scheme', 'host', 'path', 'query', 'expires'],
    parameters: [hash, expiration],
    algorithm: { hmac: 'SHA-256', encoding },
    expiry: 'optional',
    keys: keyring(keys),

    write({ url, parts, expires }) {
      assertOption(!parts.fragment, 'url', 'without a fragment: Symfony signs it, and clients do not send it')
      // A space must be escaped before the query is read: Symfony signs it as `+`.
      const sent = split(asSentToVendor(url, parts))
      const { values, odd } = phpQuery(sent.query)
      assertOption(odd === undefined && !hasTooMany(parts), 'url', 'one with at most 1000 parameters, whose names PHP can read')
      const taken = [hash, expiration].find((name) => values.has(name))
      assertOption(taken === undefined, 'url', `without a name that PHP reads as '${taken}', which the link adds`)
      if (expires !== undefined) values.set(expiration, `${expires}`)
      return {
        toSign: stringToSign(sent, values),
        link: (signature) => stringToSign(sent, new Map(values).set(hash, encodeValue(signature))),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, twice, odd } = phpQuery(parts.query)
      const found = values.get(hash)
      const expiry = values.get(expiration)
      const isOurs = (name: string | undefined) => name === hash || name === expiration
      if (found === undefined && expiry === undefined) return isOurs(odd) ? { malformed: odd as string } : 'unsigned'
      // Of two parameters with one name, PHP reads the last, but a layer in front of it may read the first.
      const wrong = twice ?? odd
      if (wrong !== undefined) return isOurs(wrong) ? { malformed: wrong } : 'malformed'
      if (hasTooMany(parts)) return 'malformed'
      const signature = typeof found === 'string' ? (decodeValue(found.replaceAll('+', '%20')) ?? '') : ''
      const algorithm = ALGORITHMS.find((each) => FORMS[each.encoding].test(signature))
      if (!algorithm) return { malformed: hash }
      if (expiry !== undefined && !(typeof expiry === 'string' && /^[1-9]\d{0,10}$/.test(expiry))) return { malformed: expiration }
      if (parts.path[0] !== '/') return 'malformed'

      values.delete(hash)
      const toSign = stringToSign(parts, values)
      const others = new Map(values)
      others.delete(expiration)
      const end = new Date((expiry === undefined ? ENDLESS : +expiry) * 1000)
      return {
        claims: { resource: stringToSign(parts, others), expires: end, ...(expiry === undefined && { endless: true as const }) },
        signature,
        algorithm,
        toSign: () => toSign,
      }
    },
  }
}

/** Up to Symfony 7.2 with padding, later base64url. */
const FORMS = { base64: /^[A-Za-z\d+/]{43}=$/, base64url: /^[\w-]{43}$/ } as const
const ALGORITHMS = (['base64', 'base64url'] as const).map((encoding) => ({ hmac: 'SHA-256', encoding }) as const satisfies Algorithm)

/** PHP ignores all parameters after this many. */
const hasTooMany = ({ query }: Parts): boolean => query.split('&').length > MOST_PIECES

function parametersOf({ parameters = {} }: SymfonyOptions): { hash: string; expiration: string } {
  assertKnownOptions(parameters, ['hash', 'expiration'], 'the option parameters of symfony()')
  const { hash, expiration } = { hash: '_hash', expiration: '_expiration', ...parameters }
  const good = [hash, expiration].every((name) => /^\w+$/.test(name)) && hash !== expiration
  assertOption(good, 'parameters', 'two distinct names of letters, digits and _')
  return { hash, expiration }
}
