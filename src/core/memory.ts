// linkMemory: remembers links whose signature is valid, so that the next request with the same link costs no HMAC.
import type { Claims } from './claims.ts'
import { assertKnownOptions, assertOption } from './errors.ts'
import type { SecretKey } from './keys.ts'
import type { Scheme, Visit } from './scheme.ts'

/** A link with a valid signature. */
export interface Signed {
  readonly scheme: Scheme
  readonly key: SecretKey
  readonly claims: Claims
  /** Does the link open this URL, as far as the scheme can tell? */
  readonly opens: boolean
  /** Did a second signature bind the link to the address of the request? `undefined` without one. */
  readonly bound: boolean | undefined
}

/** A request that notes which of its parts a scheme has read. */
export interface Watched extends Visit {
  readonly read: { method: boolean; ip: boolean; headers: boolean }
}

/** Remembers links for `verify`, `redeem`, `guard` and `middleware`. Made by {@link linkMemory}. */
export interface LinkMemory {
  /** How many links it remembers. */
  readonly size: number
  /** For `verify`: the link of this request, if one of these schemes has signed it, with a key that is still on the keyring. */
  recall(visit: Visit, schemes: readonly Scheme[]): Promise<Signed | undefined>
  /** For `verify`: the request as a scheme is to see it, so that the memory knows what the signature depends on. */
  watch(visit: Visit): Watched
  /** For `verify`: remembers a link. `keyId` is the key id that the link names. */
  remember(visit: Watched, signed: Signed, keyId: string | undefined): void
}

/** Options of {@link linkMemory}. */
export interface LinkMemoryOptions {
  /** The number of links; the least recently used one is forgotten first. A link takes about a kilobyte. Default: 10,000. */
  readonly max?: number
}

// Longer links are not remembered. Otherwise a client that may add parameters to a link could fill the memory with copies of 16 kilobytes.
const LONGEST_REMEMBERED = 2048

/** The facts that are kept about a link. It has numbers in place of scheme and key, so that no secret can be reached from it. */
interface Entry {
  readonly scheme: number
  readonly key: number
  readonly keyId: string | undefined
  readonly claims: Claims
  readonly opens: boolean
  readonly bound: boolean | undefined
  /** The parts of the request that the signature depends on. */
  readonly read: Watched['read']
  /** The method and the address that it was checked for. */
  readonly method: string | undefined
  readonly ip: string | undefined
}

/**
 * Remembers links whose signature is valid. A player that asks for ten thousand ranges or segments with one link then costs one HMAC in place of ten
 * thousand.
 *
 * Only the signature is remembered. Time, method, address, path, revocation and uses are checked for each request, and the key must still be on the
 * keyring: remove it, and its links end at once. A link is remembered for exactly this URL and scheme, and for the method and the address if its
 * signature depends on them. Links whose signature depends on headers or cookies are not remembered, nor are links of more than 2,048 characters.
 *
 * The memory holds no secret, and one memory may serve several schemes.
 *
 * @param options - The number of links to remember.
 * @returns A memory, for the option `memory` of `verify`, `redeem`, `guard`, `confirm` and `middleware`.
 * @throws A `LinkError` `bad_option` for a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { hmac, linkMemory, sign, verify } from 'securelink'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const memory = linkMemory({ max: 10_000 })
 * const link = await sign(links, 'https://cdn.example/film.mp4', { expires: '4h' })
 * await verify(links, link, { memory }) // computes an HMAC
 * await verify(links, link, { memory }) // does not
 * ```
 */
export function linkMemory(options: LinkMemoryOptions = {}): LinkMemory {
  assertKnownOptions(options, ['max'], 'linkMemory()')
  const { max = 10_000 } = options
  assertOption(Number.isInteger(max) && max > 0, 'max', 'a whole number from 1')
  return new Memory(max)
}

class Memory implements LinkMemory {
  readonly #max: number
  // In the order of their use, because a Map keeps the order in which keys were set.
  readonly #entries = new Map<string, Entry>()
  #latest: Entry | undefined

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  async recall(visit: Visit, schemes: readonly Scheme[]): Promise<Signed | undefined> {
    const entry = this.#entries.get(visit.url)
    if (!entry) return undefined
    if (entry.read.method && entry.method !== visit.method) return undefined
    if (entry.read.ip && entry.ip !== visit.ip) return undefined
    const scheme = schemes.find((each) => numberOf(each) === entry.scheme)
    if (!scheme) return undefined
    this.#use(visit.url, entry)
    const keys = scheme.keys(entry.keyId)
    const ring = Array.isArray(keys) ? (keys as readonly SecretKey[]) : await keys
    const key = ring.find((each) => numberOf(each) === entry.key)
    const { claims, opens, bound } = entry
    return key && { scheme, key, claims: copied(claims), opens, bound }
  }

  watch(visit: Visit): Watched {
    return new WatchedVisit(visit)
  }

  remember(visit: Watched, signed: Signed, keyId: string | undefined): void {
    const { url } = visit
    // Copied before the method and the address are read here.
    const read = { ...visit.read }
    // The URL alone does not show whether the signature of such a link is valid.
    if (read.headers || url.length > LONGEST_REMEMBERED) return
    const { scheme, key, claims, opens, bound } = signed
    const { method, ip } = visit
    this.#use(url, { scheme: numberOf(scheme), key: numberOf(key), keyId, claims: copied(claims), opens, bound, read, method, ip })
    if (this.#entries.size > this.#max) this.#entries.delete(this.#entries.keys().next().value as string)
  }

  /** Makes this the latest entry. */
  #use(url: string, entry: Entry): void {
    if (entry === this.#latest) return
    this.#entries.delete(url)
    this.#entries.set(url, entry)
    this.#latest = entry
  }
}

/** Notes which parts of a request are read. */
class WatchedVisit implements Watched {
  readonly read = { method: false, ip: false, headers: false }
  readonly #visit: Visit
  constructor(visit: Visit) {
    this.#visit = visit
  }
  get url(): string {
    return this.#visit.url
  }
  get method(): string {
    this.read.method = true
    return this.#visit.method
  }
  get ip(): string | undefined {
    this.read.ip = true
    return this.#visit.ip
  }
  get headers(): Visit['headers'] {
    this.read.headers = true
    return this.#visit.headers
  }
  // Not methods, because schemes pass them on without the object.
  readonly header = (name: string): string | undefined => {
    this.read.headers = true
    return this.#visit.header(name)
  }
  readonly network: Visit['network'] = (bits) => {
    this.read.ip = true
    return this.#visit.network(bits)
  }
}

const numbers = /* @__PURE__ */ new WeakMap<object, number>()
let latestNumber = 0

/** A number for each scheme and each key, from which neither can be reached. */
function numberOf(object: object): number {
  const known = numbers.get(object)
  if (known !== undefined) return known
  numbers.set(object, ++latestNumber)
  return latestNumber
}

/** A copy, because callers own the claims of their verdict, and their changes must not reach the next request. */
function copied(claims: Claims): Claims {
  const copy: { -readonly [Name in keyof Claims]: Claims[Name] } = { ...claims, expires: new Date(claims.expires) }
  if (claims.starts) copy.starts = new Date(claims.starts)
  if (claims.methods) copy.methods = [...claims.methods]
  if (claims.signedHeaders) copy.signedHeaders = [...claims.signedHeaders]
  if (claims.data !== undefined) copy.data = structuredClone(claims.data)
  return copy
}
