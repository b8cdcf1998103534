// The Scheme contract: how one kind of link is written, read and checked. This page is for authors of schemes.
//
// A scheme is a factory `(keys, options?)` that returns a plain object. It knows bytes and text: which parameters a link has, what text
// is signed, how the signature is spelled. It knows no policy: the time, the method, the address and the number of uses are judged once,
// for all schemes, by the verbs. A scheme calls no clock, and it keeps its keys in a closure, so that printing it prints no secret.
//
// The verbs lend a scheme what it needs to sign and to check: HMAC over a keyring, normal forms, the visitor's network. So a page that only
// inspects links carries none of that.
import type { Claims, Condition, insert, unsigned } from './conditions.ts'
import type { mac, match, SecretKey, signingKey } from './keys.ts'
import type { Network } from '../lib/address.ts'
import type { normalise } from '../lib/normalise.ts'
import type { encodeValue, Parts } from '../lib/url.ts'
import type { Reason } from './verdict.ts'

/** What `sign` asks a scheme to write: checked, rounded to whole seconds, in one form. */
export interface Grant<Own extends object = object> {
  /** What is to be signed, as the caller wrote it. */
  readonly url: string
  /** The same, taken apart. */
  readonly parts: Parts
  /** In milliseconds. */
  readonly now: number
  /** In seconds since 1970. */
  readonly expires: number
  /** In seconds since 1970. */
  readonly starts?: number | undefined
  /** Upper case, sorted, none twice. */
  readonly methods?: readonly string[] | undefined
  /** The only address or network that the link opens for, as the caller wrote it. */
  readonly ip?: string | undefined
  /** The same, read. */
  readonly network?: Network | undefined
  /** A path in normal form. */
  readonly prefix?: string | undefined
  /** From 1. */
  readonly uses?: number | undefined
  /** Conditions of the scheme's own. */
  readonly own: Own
  /** Picks the first key in time, or throws `no_key`. */
  readonly signingKey: typeof signingKey
  /** HMAC of a text under a key; in base64url and with SHA-256, unless told otherwise. */
  readonly mac: typeof mac
  /** Origin, path and query in the normal form of RFC 3986, section 6.2.2. */
  readonly normalise: typeof normalise
  /** Percent-encodes a value. */
  readonly encode: typeof encodeValue
  /** Takes the names of the link's own parameters that the URL has, and throws if there is one. */
  readonly unsigned: typeof unsigned
  /** Puts parameters with encoded values at the end of the query, or into a segment in front of the path. Empty ones are left out. */
  readonly insert: typeof insert
  /** 16 characters that nobody can guess, to name a link with. */
  readonly random: () => string
}

/** What a link says, and whatever the scheme needs to check it. */
export interface Reading {
  /** What the link says. */
  readonly claims: Claims
  /** Set by combinators: the scheme that made this reading. Its name, statuses and `goodAtExpiry` count. */
  readonly scheme?: Scheme
}

/** The visit that a signature is checked for. */
export interface Visit {
  /** The link, as it was visited. */
  readonly url: string
  /** Upper case. */
  readonly method: string
  /** The visitor's address as the caller gave it. */
  readonly ip: string | undefined
  /** The network of so many bits that the visitor's address lies in; `undefined` without an address, or when it has fewer bits. */
  network(bits: number): Network | undefined
  /** A header of the visit, by its name in small letters. */
  header(name: string): string | undefined
  /** All of them, with names in any case; `undefined` for a visit without any. */
  readonly headers: Iterable<readonly [name: string, value: string]> | undefined
  /** As for {@link Grant}. */
  readonly mac: typeof mac
  /** Finds the key under which a text has this signature, by its id or by trying all; throws `no_key` for an empty ring. */
  readonly match: typeof match
  /** As for {@link Grant}. */
  readonly normalise: typeof normalise
  /** As for {@link Grant}. */
  readonly encode: typeof encodeValue
}

/** What a good signature proves beyond itself. */
export interface Proof {
  /** The key that matched; its own `starts` and `expires` then hold for the link. */
  readonly key?: SecretKey
  /** What the link says, where the check knows it better than the reading: the resource in normal form, the address. */
  readonly claims?: Claims
  /** For links that do not show their address: is the visitor's the one that was signed? */
  readonly ip?: boolean | undefined
  /** For links that say more of the URL than a prefix can: do they open this one? */
  readonly path?: boolean
  /** For combinators: the reading whose signature is good. */
  readonly reading?: Reading
}

/**
 * One kind of signed URL, with its keys.
 *
 * @typeParam C - the conditions that its links can carry
 * @typeParam Own - conditions of its own, as `sign` takes them
 *
 * @example
 * ```ts
 * import { type Reading, type Scheme, sign, verify } from 'securelink'
 *
 * interface Seen extends Reading {
 *   readonly text: string
 *   readonly signature: string
 * }
 *
 * // https://cdn.example/a.txt?until=1900000000&token=…
 * function plain(secret: string): Scheme<never> {
 *   const key = { secret }
 *   return {
 *     name: 'plain',
 *     carries: [],
 *     covers: ['path', 'query', 'expires'],
 *     async seal(grant) {
 *       const { parts, expires, mac, insert } = grant
 *       return insert(grant, ['until', 'token'], [`${expires}`, await mac(key, `${parts.path}${parts.query} ${expires}`)])
 *     },
 *     read(url): Seen | 'unsigned' | 'malformed' {
 *       const link = /^(\w+:\/\/[^/?#]+)?(\/[^#]*)[?&]until=(\d{1,11})&token=([\w-]{43})$/
 *       const [, origin = '', path = '', until = '', signature] = link.exec(url) ?? []
 *       if (!signature) return url.includes('token=') ? 'malformed' : 'unsigned'
 *       return { claims: { resource: origin + path, expires: new Date(+until * 1000) }, text: `${path} ${until}`, signature }
 *     },
 *     async check({ text, signature }: Seen, { match }) {
 *       const found = await match([key], undefined, text, signature)
 *       return typeof found === 'string' ? found : { key: found }
 *     },
 *   }
 * }
 *
 * const links = plain('a secret')
 * const link = await sign(links, 'https://cdn.example/a.txt?page=2', { expires: '10m' })
 * console.log((await verify(links, new Request(link))).ok) // true
 * console.log((await verify(links, link.replace('a.txt', 'b.txt'))).reason) // bad_signature
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: a Scheme of any conditions; each factory narrows it
// biome-ignore lint/complexity/noBannedTypes: no condition of its own
export interface Scheme<C extends Condition = any, Own extends object = {}> {
  /** As in the file name and in verdicts. */
  readonly name: string
  /** Names of the conditions that its links can carry besides `expires`. */
  readonly carries: readonly C[]
  /** Names of the conditions of its own. */
  readonly own?: readonly string[]
  /** What the signature protects, in words: shown to people. */
  readonly covers: readonly string[]
  /** The second of expiry itself is still good, as with NGINX. */
  readonly goodAtExpiry?: boolean
  /** Where the vendor answers other numbers than {@link statusOf}. */
  readonly status?: Partial<Record<Reason, number>>
  /** Writes the claims and signs with the first key in time. Throws `LinkError` for what it cannot write. */
  seal(grant: Grant<Own>): Promise<string>
  /** Reads any text whatever. No key, no clock, no throwing. */
  read(url: string): Reading | 'unsigned' | 'malformed'
  /** The signature and nothing else. `true` when it is good and there is no more to say. */
  check(reading: Reading, visit: Visit): Promise<true | Proof | 'bad_signature' | 'unknown_key'>
}
