// The contract of a scheme: one kind of signed URL, described by a few facts and two pure functions that mirror each other.
//
// `write` turns a grant into a string to sign and a link. `read` turns a link into claims, a signature and the string that it should have
// signed. The verbs do everything else, once for all schemes: they check conditions, pick keys, compute and compare signatures, and check
// path, method, address, time and uses. So a scheme has no crypto and no clock. docs/adding-a-scheme.md shows how to write one.

import type { Network } from '../lib/address.ts'
import type { Parts } from '../lib/url.ts'
import type { Claims } from './claims.ts'
import type { Condition, Expiry } from './conditions.ts'
import { assertOption } from './errors.ts'
import type { SecretKey } from './keys.ts'
import type { Reason, Verdict } from './verdict.ts'

export type MaybeAsync<T> = T | Promise<T>

/** Stands in a {@link Message} where the secret stands, for vendors who hash the secret with the text: `Symbol.for('securelink.secret')`. */
export const SECRET: unique symbol = Symbol.for('securelink.secret')

/** A string to sign. Text means its UTF-8 bytes. Pieces are joined, and `SECRET` among them is replaced by the secret. */
export type Message = string | Uint8Array<ArrayBuffer> | { readonly pieces: readonly (string | Uint8Array | typeof SECRET)[] }

/** The hash functions that WebCrypto has for HMAC. */
export type Hash = 'SHA-256' | 'SHA-1' | 'SHA-384' | 'SHA-512'

/** How signatures are written: hex in lower case, base64 with padding, base64url without. */
export type Encoding = 'hex' | 'base64' | 'base64url'

/** A way to sign that is neither HMAC nor a hash, such as RSA. For schemes that are no part of the bundles. */
export interface Signer {
  sign(key: SecretKey, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
  verify(key: SecretKey, message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): Promise<boolean>
}

/** How a scheme signs, and how it writes a signature. */
export type Algorithm = {
  readonly encoding: Encoding
  /** The length of a truncated signature, in bytes. */
  readonly bytes?: number
} & (
  | { readonly hmac: Hash }
  /** A plain hash of a message that holds the secret. */
  | { readonly digest: (message: Uint8Array<ArrayBuffer>) => MaybeAsync<Uint8Array> }
  | { readonly signer: Signer }
)

/** The parts of a request that a signature can cover; `?name` is one parameter of the URL's own. */
export type Covered =
  | 'scheme'
  | 'host'
  | 'path'
  | 'query'
  | 'method'
  | 'headers'
  | 'ip'
  | 'starts'
  | 'expires'
  | 'prefix'
  | 'uses'
  | 'id'
  | 'key'
  | 'purpose'
  | `?${string}`

/** The parts of a request, besides its URL, that a string to sign can depend on. */
export type RequestPart = 'method' | 'ip' | 'headers' | 'cookies'

/** What `sign` asks a scheme to write: plain data, checked, with times in whole seconds since 1970. */
export interface Grant<Own extends object = object> {
  /** The URL as the caller wrote it. */
  readonly url: string
  /** The same URL, taken apart. */
  readonly parts: Parts
  /** The present, in milliseconds since 1970. */
  readonly now: number
  /** `undefined`: the link never expires. */
  readonly expires?: number | undefined
  readonly starts?: number | undefined
  /** Rounds starts and expiries, in seconds; 1 without the condition `align`. */
  readonly window: number
  /** Upper case, sorted, none twice. */
  readonly methods?: readonly string[] | undefined
  /** The address or network that the link is for, as the caller wrote it. */
  readonly ip?: string | undefined
  /** The same network, parsed. */
  readonly network?: Network | undefined
  /** A path in normal form. */
  readonly prefix?: string | undefined
  readonly uses?: number | undefined
  readonly id?: string | undefined
  /** The scheme's own conditions, as the caller wrote them. */
  readonly own: Own
}

/** A link without its signature. */
export interface Draft {
  /** The string to sign. */
  readonly toSign: Message
  /** The string of a second signature, which binds the address: a request from elsewhere is then `wrong_ip` instead of `bad_signature`. */
  readonly addressToSign?: Message | undefined
  /** A key derived from the keyring's, if that one signs. */
  readonly key?: SecretKey
  /** The link with its signatures. */
  link(signature: string, addressSignature?: string): string
}

/** The request that a signature is checked for: facts, and no tools. */
export interface Visit {
  /** The URL of the request. */
  readonly url: string
  /** Upper case. */
  readonly method: string
  /** The address that the request comes from, as the caller gave it. */
  readonly ip: string | undefined
  /** All headers, with names in lower case; `undefined` for a request without any. */
  readonly headers: Iterable<readonly [name: string, value: string]> | undefined
  /** A header by its name in lower case. Any text is allowed; what is not a name has no value. */
  header(name: string): string | undefined
  /** The network of so many bits (default: all) that the address lies in. `undefined` without an address, or if it has fewer bits. */
  network(bits?: number): Network | undefined
}

/** A link that can be read: what it says, and the string that its signature should be of. */
export interface Reading {
  /** The claims of the link. */
  readonly claims: Claims
  /** The signature as the link has it. */
  readonly signature: string
  /** How the link was signed, if the link names it. Default: the scheme's algorithm. */
  readonly algorithm?: Algorithm
  /** The string to sign, or several of which any is good. `undefined`: nothing can match, such as when a signed header is missing. */
  toSign(visit: Visit, key: SecretKey): MaybeAsync<Message | readonly Message[] | undefined>
  /** The second signature, which binds the address. `toSign` gives `undefined` when the address is not known. */
  readonly address?: { readonly signature: string; toSign(visit: Visit): Message | undefined } | undefined
  /** The key that signs, derived from one of the keyring. */
  key?(key: SecretKey): MaybeAsync<SecretKey>
  /** Can this key have signed the link? Default: its id is `claims.keyId`, or the link names none. */
  signedBy?(key: SecretKey): boolean
  /** Claims that only a good signature reveals: a signed method, or the resource in normal form. `which` is the index in a list of `toSign`. */
  readonly proves?: ((visit: Visit, which: number) => Partial<Claims>) | undefined
  /** `false`: the signature may be good, and yet the link does not open this URL. */
  readonly opens?: boolean
}

/** A cookie that carries a token, or a part of one. */
export interface Cookie {
  readonly name: string
  /** As it stands in the header. */
  readonly value: string
}

/** The fields of an upload form that sign it: what each is for. */
export type PostField = 'algorithm' | 'credential' | 'date' | 'securityToken' | 'policy' | 'signature'

/** A condition of a POST policy, as its JSON has it: a field with one value, a comparison, or the sizes that a file may have. */
export type PostCondition =
  | Readonly<Record<string, string>>
  | readonly [operator: 'eq' | 'starts-with', field: string, value: string]
  | readonly [operator: 'content-length-range', min: number, max: number]

/** How a vendor signs upload forms: facts, and functions without crypto of their own. `securelink/post-policy` does the rest. */
export interface PostForm {
  /** The names of the fields that sign, as the vendor's packages write them. In a form their case does not matter. */
  readonly names: Readonly<Record<PostField, string>>
  /** The value of the field `algorithm`. */
  readonly algorithm: string
  /** The order in which a policy names bucket, key and the form's own fields. */
  readonly order: readonly (PostField | 'bucket' | 'key')[]
  /** The JSON of a policy. */
  policyText(expiration: string, conditions: readonly PostCondition[]): string
  /** The scope of a credential: day, region and so on. */
  scopeOf(hostname: string, date: string): string
  /** The key that signs, derived from one of the keyring. */
  signingKey(key: SecretKey, hostname: string, date: string): MaybeAsync<SecretKey>
  /** The token of temporary credentials, which stands in the form. */
  tokenOf(key: SecretKey): string | undefined
  /** Throws a `LinkError` for a bucket that takes no forms. */
  assertUrl(hostname: string, path: string): void
}

/** Why a link cannot be read. `malformed` as an object names the parameter that is wrong. */
export type Unreadable = 'unsigned' | 'malformed' | { readonly malformed: string }

/**
 * One kind of signed URL, with its keys.
 *
 * @typeParam C - The conditions that its links can carry.
 * @typeParam Own - Conditions of its own, as `sign` takes them.
 * @typeParam E - Whether its links have an expiry.
 *
 * @example
 * ```ts
 * import { type Reading, type Scheme, type SecretKey, sign, verify } from 'securelink'
 *
 * const LINK = /^([a-z]+:\/\/[^/?#]+)?(\/[^?#]*)\?until=(\d{1,11})&token=([\w-]{43})$/
 * const stringToSign = (path: string, until: string) => `${path} ${until}`
 *
 * // https://cdn.example/a.txt?until=1900000000&token=…
 * function tiny(key: SecretKey): Scheme<never> {
 *   return {
 *     name: 'tiny',
 *     carries: [],
 *     covers: ['path', 'expires'],
 *     parameters: ['until', 'token'],
 *     algorithm: { hmac: 'SHA-256', encoding: 'base64url' },
 *     keys: () => [key],
 *     write: ({ url, parts, expires }) => ({
 *       toSign: stringToSign(parts.path, `${expires}`),
 *       link: (signature) => `${url}?until=${expires}&token=${signature}`,
 *     }),
 *     read(url): Reading | 'unsigned' {
 *       const [, origin = '', path = '', until = '', signature] = LINK.exec(url) ?? []
 *       if (!signature) return 'unsigned'
 *       return {
 *         claims: { resource: origin + path, expires: new Date(+until * 1000) },
 *         signature,
 *         toSign: () => stringToSign(path, until),
 *       }
 *     },
 *   }
 * }
 *
 * const links = tiny({ secret: 'a secret' })
 * const link = await sign(links, 'https://cdn.example/a.txt', { expires: '10m' })
 * console.log((await verify(links, link)).ok) // true
 * console.log((await verify(links, link.replace('a.txt', 'b.txt'))).reason) // bad_signature
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: a Scheme of any conditions; each factory narrows it
// biome-ignore lint/complexity/noBannedTypes: no condition of its own
export interface Scheme<C extends Condition = any, Own extends object = {}, E extends Expiry = any> {
  /** As in the file name and in verdicts. */
  readonly name: string
  /** The standard conditions that its links can carry, besides `expires`. */
  readonly carries: readonly C[]
  /** Those of them that `sign` must be given. */
  readonly requires?: readonly C[]
  /** Names of its own conditions. */
  readonly own?: readonly string[]
  /** The parts of a request that the signature covers. */
  readonly covers: readonly Covered[]
  /** The link's query parameters. `sign` refuses a URL that already has one. Empty when the link has its token in the path. */
  readonly parameters: readonly string[]
  /** The parts of a request, besides its URL, that the string to sign depends on. Default: none. */
  readonly reads?: readonly RequestPart[]
  /** How its links are signed. */
  readonly algorithm: Algorithm
  /** Whether its links have an expiry. Default: `'required'`. */
  readonly expiry?: E
  /** A link is still valid in the very second of its expiry, as with NGINX. Default: `false`. */
  readonly validAtExpiry?: boolean
  /** The statuses of the vendor, where they differ from {@link statusOf}. */
  readonly status?: Partial<Record<Reason, number>>
  /** The keys. A scheme whose keys are looked up gets the id that a link names. */
  keys(id?: string): MaybeAsync<readonly SecretKey[]>
  /** Writes a link but for its signature. Throws a `LinkError` for a grant that its format cannot hold. */
  write(grant: Grant<Own>, key: SecretKey): MaybeAsync<Draft>
  /**
   * Reads a link from any text, and from headers where the vendor puts tokens there. No key, no clock, and it never throws.
   *
   * @param parts - The same URL, if the caller has taken it apart already.
   */
  read(url: string, header?: (name: string) => string | undefined, parts?: Parts): Reading | Unreadable
  /** The cookies that carry what a link carries, where the vendor reads cookies. `undefined` for a text that is not such a link. */
  cookies?(link: string): readonly Cookie[] | undefined
  /** How the vendor signs upload forms, if it takes any. */
  readonly post?: PostForm
  /** `allOf`: the verdicts of its members on a request, as one. `verify` hands on its options, which it has checked. */
  combine?(visit: Visit, options: object): Promise<Verdict>
  /** The members of `anyOf`: the first one signs, and all are read. */
  readonly schemes?: readonly Scheme[]
}

/** Throws unless the value is a scheme, with a sentence for the arguments that people swap or forget. */
export function assertScheme(scheme: unknown): asserts scheme is Scheme {
  const { read, write } = (scheme ?? {}) as Partial<Scheme>
  const good = typeof read === 'function' && typeof write === 'function'
  assertOption(good, 'scheme', 'a scheme with its keys, such as hmac({ secret }), as the first argument')
}
