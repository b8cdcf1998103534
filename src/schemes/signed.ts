// signed: links of the package signed for Express, version 2, https://www.npmjs.com/package/signed
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import { type Message, type Reading, type Scheme, SECRET, type Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSent } from '../lib/canonical.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, LONGEST, type Parts, split, takeParameters } from '../lib/url.ts'
import { withKnownSecret } from './shared/known-secret.ts'
import { digestWith } from './shared/sha-digest.ts'
import { fieldsIn, isOneAddress, METHODS, NO_ID, printed, RANDOM } from './shared/signed-fields.ts'

/** Options of {@link signed}. Signer and verifier need the same ones. */
export interface SignedOptions {
  /** The hash function, as the option of the package. Default: `'sha1'`. */
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** `false` for a verifier whose `urlReader` returns only path and query: scheme and host are then not covered. Default: `true`. */
  readonly absolute?: boolean
}

const NAMES = ['signed'] as const

/** The string to sign: the URL with everything in front of the hash, and the secret. */
function stringToSign({ origin, path }: Parts, query: string, absolute: boolean): Message {
  return { pieces: [(absolute ? normalOrigin(origin) : '') + path + query, SECRET] }
}

/**
 * Links of the package `signed` for Express, version 2: `signed=r_<random>-e_<expiry>-a_<address>-m_<methods>-<hash>`, the hex SHA-1 of the whole
 * URL and the secret.
 *
 * The signature covers scheme, host, path, query, expiry, address, methods and the random text, which `claims.id` has. As with the package, a link
 * for `GET` does not open `HEAD` unless it names both. A malformed link is a 403.
 *
 * @see https://www.npmjs.com/package/signed
 * @param keys - The secret of the package, as text or bytes.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong option or a `CryptoKey`, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { signed } from 'securelink/schemes/signed'
 *
 * const links = signed({ secret: 'secret string' })
 * const link = await sign(links, 'https://app.example/resource', { expires: '10m', method: ['GET', 'HEAD'] })
 * ```
 */
export function signed(keys: Keys<SecretKey>, options: SignedOptions = {}): Scheme<'method' | 'ip' | 'id', object, 'optional'> {
  const { hash = 'sha1', absolute = true } = options
  assertKnownOptions(options, ['hash', 'absolute'], 'signed()')
  assertOption(Object.hasOwn(HASHES, hash), 'hash', "'sha1', 'sha256', 'sha384' or 'sha512'")
  assertOption(typeof absolute === 'boolean', 'absolute', 'true or false')
  const { name, digits } = HASHES[hash]

  return {
    name: 'signed',
    carries: ['method', 'ip', 'id'],
    covers: [...(absolute ? (['scheme', 'host'] as const) : []), 'path', 'query', 'method', 'ip', 'expires', 'id'],
    parameters: NAMES,
    reads: ['method'],
    algorithm: { digest: digestWith(name), encoding: 'hex' },
    expiry: 'optional',
    status: { malformed: 403 },
    keys: keyring(keys, { prepare: withKnownSecret }),

    write({ url, parts, expires, methods, ip, network, id }) {
      assertOption(!absolute || parts.origin, 'url', 'absolute; for paths there is absolute: false')
      assertOption(!network || isOneAddress(ip), 'ip', 'one address, without a zone: the format has no networks')
      assertOption(
        id === undefined || (RANDOM.test(id) && id !== NO_ID),
        'id',
        "up to 100 letters and digits, and not '0', which links without an id have",
      )
      assertOption(!methods || METHODS.test(methods.join()), 'method', 'methods of letters')
      const granted = append(asSent(url, parts), `signed=${printed({ random: id ?? NO_ID, expires, address: ip, methods })}`)
      const sent = split(granted)
      return {
        toSign: stringToSign(sent, sent.query, absolute),
        link: (signature) => `${sent.origin}${sent.path}${sent.query}-${signature}${sent.fragment}`,
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, others, twice } = takeParameters(parts.query, NAMES)
      if (values.signed === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      // The hash follows the last hyphen of the URL, so the parameter must be the last one.
      const [, granted, signature] = /^(\?.*)-([\da-f]+)$/s.exec(parts.query) ?? []
      const last = granted?.slice(Math.max(granted.lastIndexOf('&'), 0) + 1)
      const fields = last?.startsWith('signed=') ? fieldsIn(last.slice('signed='.length)) : undefined
      if (!granted || !fields || signature?.length !== digits) return { malformed: 'signed' }
      if (parts.path[0] !== '/') return 'malformed'
      const { random, expires, address, methods } = fields
      return {
        claims: {
          resource: parts.origin + parts.path + others,
          expires: new Date((expires ?? ENDLESS) * 1000),
          ...(expires === undefined && { endless: true as const }),
          ...(methods && { methods }),
          ...(address && { ip: address }),
          ...(random !== NO_ID && { id: random }),
        },
        signature,
        toSign({ method }) {
          // Elsewhere GET implies HEAD. The package refuses a method that the link does not name.
          if (method === 'HEAD' && methods && !methods.includes('HEAD')) return undefined
          // The host is signed, so a link without its host cannot match.
          return absolute && !parts.origin ? undefined : stringToSign(parts, granted, absolute)
        },
      }
    },
  }
}

const HASHES = {
  sha1: { name: 'SHA-1', digits: 40 },
  sha256: { name: 'SHA-256', digits: 64 },
  sha384: { name: 'SHA-384', digits: 96 },
  sha512: { name: 'SHA-512', digits: 128 },
} as const
