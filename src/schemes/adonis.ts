// adonis: signed routes of AdonisJS 6 and 7, https://docs.adonisjs.com/guides/basics/routing#url-builder
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Algorithm, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSent, MOST_PIECES } from '../lib/canonical.ts'
import { append, decodeValue, encodeValue, endOf, LONGEST, piecesOf, split, takeParameters } from '../lib/url.ts'
import { sha256Key } from './shared/derive.ts'
import { decodeJson, encodeJson } from './shared/json-web-token.ts'
import { withKnownSecret } from './shared/known-secret.ts'

/** Options of {@link adonis}. Signer and verifier need the same ones. */
export interface AdonisOptions {
  /** The purpose of the links, as `purpose` of AdonisJS: a link of one purpose does not open another. Default: none. */
  readonly purpose?: string
}

const NAMES = ['signature'] as const
const ALGORITHM: Algorithm = { hmac: 'SHA-256', encoding: 'base64url' }

/**
 * The paths that AdonisJS reads without changing them. It reads them with Node's `url.parse`, which finds a user in `//user@host`, and escapes more
 * characters in a path with an `@` or after three slashes.
 */
const PATH = /^(?:\/{1,2}(?!\/)[\w\-.~!$&'()*+,;=:/%[\]]*|\/(?!\/)[\w\-.~!$&()*+,;=:@/%[\]]*)$/

/** What a token says, in the order of AdonisJS. `JSON.stringify` leaves out what is `undefined`. */
interface Fields {
  /** Path and query without the token. */
  readonly message: string
  readonly purpose: string | undefined
  readonly expiryDate: string | undefined
}

/** The string to sign, with which the token begins: the fields as JSON, in base64url. */
const stringToSign = ({ message, purpose, expiryDate }: Fields): string => encodeJson({ message, purpose, expiryDate })

/**
 * Signed routes of AdonisJS: `signature=<fields>.<MAC>`. The fields are JSON in base64url, with path and query, the purpose and the expiry. The MAC
 * is their HMAC-SHA-256, and its key is the SHA-256 of `APP_KEY`.
 *
 * The signature covers path, query, purpose and expiry, but neither scheme nor host.
 *
 * @see https://docs.adonisjs.com/guides/basics/routing#url-builder
 * @param keys - `APP_KEY` as text, 16 bytes or more.
 * @param options - The purpose of the links. Signer and verifier need the same one.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong option or a `CryptoKey`, `weak_key` for a short secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { adonis } from 'securelink/schemes/adonis'
 *
 * const links = adonis({ secret: 'the APP_KEY of the application' }, { purpose: 'unsubscribe' })
 * const link = await sign(links, 'https://app.example/unsubscribe/7?list=news', { expires: '24h' })
 * ```
 */
export function adonis(keys: Keys<SecretKey>, options: AdonisOptions = {}): Scheme<never, object, 'optional'> {
  const { purpose } = options
  assertKnownOptions(options, ['purpose'], 'adonis()')
  const isPurpose = purpose === undefined || (typeof purpose === 'string' && purpose !== '' && !/\p{Surrogate}/u.test(purpose))
  assertOption(isPurpose, 'purpose', 'well-formed text, and not empty')

  return {
    name: 'adonis',
    carries: [],
    covers: ['path', 'query', 'expires', 'purpose'],
    parameters: NAMES,
    algorithm: ALGORITHM,
    expiry: 'optional',
    // AdonisJS refuses a shorter APP_KEY.
    keys: keyring(keys, { prepare: withKnownSecret, shortest: 16 }),

    async write({ url, parts, expires }, key) {
      const sent = asSent(url, parts)
      const { path, query } = split(sent)
      assertOption(PATH.test(path), 'url', 'one whose path begins with one slash, or with two and has no @')
      assertOption(
        isAsPrinted(split(append(sent, 'signature=')).query),
        'url',
        'one with a query that AdonisJS prints alike: name=value, escaped, and no name twice',
      )
      const expiryDate = expires === undefined ? undefined : new Date(expires * 1000).toISOString()
      const toSign = stringToSign({ message: path + query, purpose, expiryDate })
      return { toSign, key: await sha256Key(key), link: (signature) => append(sent, `signature=${toSign}.${signature}`) }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const { values, others, twice } = takeParameters(query, NAMES)
      if (values.signature === undefined) return 'unsigned'
      const [, payload, signature] = /^([\w-]+)\.([\w-]{43})$/.exec(values.signature) ?? []
      const fields = payload && !twice ? fieldsIn(payload) : undefined
      if (!payload || !signature || !fields) return { malformed: 'signature' }
      if (path[0] !== '/') return 'malformed'
      const { expiryDate } = fields
      // False for a token of another URL or purpose, or one that another program printed: AdonisJS compares the token with its own print of the
      // request.
      const opens = payload === stringToSign({ message: path + others, purpose, expiryDate }) && PATH.test(path) && isAsPrinted(query)
      return {
        claims: {
          resource: origin + path + others,
          expires: new Date(expiryDate ?? ENDLESS * 1000),
          ...(expiryDate === undefined && { endless: true as const }),
        },
        signature,
        toSign: () => (opens ? payload : undefined),
        key: sha256Key,
      }
    },
  }
}

/** The fields of a token. `undefined` for a payload that AdonisJS signed for something other than a link, or that it does not write. */
function fieldsIn(payload: string): Fields | undefined {
  const { message, purpose, expiryDate } = decodeJson(payload) ?? {}
  if (typeof message !== 'string' || (purpose !== undefined && typeof purpose !== 'string')) return undefined
  return expiryDate === undefined || isDate(expiryDate) ? { message, purpose, expiryDate } : undefined
}

/** Is this a date as `toISOString` prints it, in the years that links can have? */
function isDate(text: unknown): text is string {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN
  return time > 0 && time <= ENDLESS * 1000 && new Date(time).toISOString() === text
}

/**
 * Does the package qs, with which AdonisJS reads and prints queries, print this query unchanged? qs joins parameters of one name to an array, splits
 * values at commas, nests names with brackets, drops empty names and those of `Object.prototype`, and moves names that are numbers to the front.
 */
function isAsPrinted(query: string): boolean {
  const pieces = piecesOf(query)
  const names = new Set(pieces.map((piece) => piece.slice(0, endOf(piece, '='))))
  return names.size === pieces.length && pieces.length <= MOST_PIECES && pieces.every(isPlain)
}

function isPlain(piece: string): boolean {
  const equals = endOf(piece, '=')
  const name = decodeValue(piece.slice(0, equals))
  const value = decodeValue(piece.slice(equals + 1))
  if (!name || value === undefined || /[[\]]|^\d+$/.test(name) || name in Object.prototype) return false
  return piece === `${encodeValue(name)}=${encodeValue(value)}`
}
