// Keys and keyrings: checks and copies the keys that callers pass, and picks the key that signs.
import { assertOption } from './errors.ts'

/** A secret that stays elsewhere, such as in a KMS. For schemes that only need to sign. */
export interface RemoteSecret {
  /** Signs these bytes and answers with the raw signature. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
}

/**
 * A `CryptoKey` of WebCrypto, of which the library reads these fields. TypeScript knows the type `CryptoKey` with the DOM's types only, so the
 * declarations have this one, for servers.
 */
export interface PlatformKey {
  /** `'secret'`, `'public'` or `'private'`. */
  readonly type: string
  readonly extractable: boolean
  readonly algorithm: { readonly name: string }
  readonly usages: readonly string[]
}

/** A secret: text (its UTF-8 bytes; hex and base64 are not decoded), bytes, an HMAC `CryptoKey`, or one that stays elsewhere. */
export type Secret = string | Uint8Array | PlatformKey | RemoteSecret

/** One secret and what is known about it. It is a value, and its bytes and dates are copied: to change a secret, make a new key. */
export interface SecretKey {
  /** Written into links where the scheme can, so that the verifier knows which key to use. */
  readonly id?: string
  /** The secret. Bytes are copied. A `CryptoKey` is an HMAC key, and may be non-extractable. */
  readonly secret: Secret
  /** The key signs nothing before this date. Links that it signed are `too_early` until then. */
  readonly starts?: Date
  /** The key signs nothing from this date on, and links that it signed are refused as `key_expired`. No link is signed that outlives it. */
  readonly expires?: Date
}

/**
 * One key or several, newest first: the first one that is valid now signs, all of them verify, and an empty list only reads links. To rotate keys,
 * edit the list.
 */
export type Keyring<K> = K | readonly K[]

/**
 * Looks keys up, for verifiers with many tenants. `id` is the key id of the link, or `undefined` when a link is to be signed or names none.
 * Answers a keyring, or `undefined` for an id that is not known.
 */
export type KeyLookup<K> = (id?: string) => Keyring<K> | undefined | Promise<Keyring<K> | undefined>

/** The keys that factories of schemes take: a keyring, or a function that looks one up. */
export type Keys<K> = Keyring<K> | KeyLookup<K>

/** The keys of a scheme. A function, so that printing a scheme shows no secret. */
export type KeySource<K extends SecretKey = SecretKey> = (id?: string) => readonly K[] | Promise<readonly K[]>

/** The rules that a scheme has for its keys. */
export interface KeyRules<K, R extends SecretKey> {
  /** The shortest secret that is allowed, in bytes. Default: 1. */
  readonly shortest?: number
  /** Checks a key and brings it into the form that the scheme works with. */
  readonly prepare?: (key: K) => R
}

/** Checks keys and copies their bytes. A keyring is checked at once, keys that are looked up when they arrive. */
export function keyring<K extends SecretKey, R extends SecretKey = K>(keys: Keys<K>, rules: KeyRules<K, R> = {}): KeySource<R> {
  if (typeof keys === 'function') return lookedUp(keys, rules)
  const ring = listed(keys).map((key) => checked(key, rules, false))
  return () => {
    assertOption(ring.length > 0, 'keys', 'at least one key; an empty keyring can only read links', 'no_key')
    return ring
  }
}

function lookedUp<K extends SecretKey, R extends SecretKey>(lookup: KeyLookup<K>, rules: KeyRules<K, R>): KeySource<R> {
  // By the key, so that a key which is returned again is checked, copied and imported only once. Not by the list: callers may edit theirs, and a key
  // that was removed from it would still open links.
  const known = new WeakMap<K, { fields: readonly unknown[]; ready: R }>()
  return async (id) => {
    const found = await lookup(id)
    if (found === undefined || found === null || isInherited(found, id)) return []
    return listed(found).map((key) => {
      const before = known.get(key)
      const fields = fieldsOf(key)
      // A database may have changed its object: a key that was ended, or has another secret now, must not open links as before.
      if (before?.fields.every((field, index) => Object.is(field, fields[index]))) return before.ready
      const ready = checked(key, rules, true)
      known.set(key, { fields, ready })
      return ready
    })
  }
}

/** The fields of a key, its dates as numbers, because a date can be set to another time. */
function fieldsOf<K extends SecretKey>(key: K): readonly unknown[] {
  const { id, secret, starts, expires } = key ?? {}
  return [id, secret, Number(starts), Number(expires), ...Object.values(key ?? {})]
}

/**
 * Did a plain object return an inherited property, as for the id `constructor`? Clients write ids, and a lookup in an object must not let them make
 * `verify` throw.
 */
function isInherited(found: unknown, id = ''): boolean {
  const inherited: Record<string, unknown> = Object.prototype as never
  return found === inherited || found === inherited[id]
}

function listed<K>(keys: Keyring<K>): readonly K[] {
  return Array.isArray(keys) ? keys : [keys as K]
}

function checked<K extends SecretKey, R extends SecretKey>(key: K, { shortest = 1, prepare }: KeyRules<K, R>, mayChange: boolean): R {
  assertKey(key)
  const { secret, starts, expires } = key
  const own = mayChange || isBytes(secret) || starts || expires ? copied(key) : key
  const prepared = prepare ? prepare(own) : (own as unknown as R)
  assertOption(lengthOf(prepared.secret) >= shortest, 'secret', `at least ${shortest} bytes long`, 'weak_key')
  return prepared
}

function copied<K extends SecretKey>(key: K): K {
  const { id, secret, starts, expires } = key
  return {
    ...key,
    // Named, because a spread loses what a class has as a getter: without its expiry, a key would never end.
    id,
    // Callers may wipe their buffer, and the key would become zeros. Not with slice(): a Buffer's is a view of the same bytes.
    secret: isBytes(secret) ? new Uint8Array(secret) : secret,
    // Dates can be set to another time.
    starts: starts && new Date(starts),
    expires: expires && new Date(expires),
  }
}

function assertKey(key: SecretKey): void {
  assertOption(typeof key === 'object' && key !== null, 'keys', 'an object such as { id, secret }, or a list of such objects')
  const { id, secret, starts, expires } = key
  assertOption(id === undefined || (typeof id === 'string' && !/\p{Surrogate}/u.test(id)), 'id', 'well-formed text')
  // A check of its own, because this is how a missing environment variable looks, and the length would not say so.
  assertOption(secret && (secret as string).length !== 0, 'secret', 'given, and not empty', 'weak_key')
  assertOption(isSecret(secret), 'secret', 'a string, a Uint8Array, an HMAC CryptoKey, or an object with sign()')
  for (const [option, date] of [['starts', starts] as const, ['expires', expires] as const])
    assertOption(date === undefined || (date instanceof Date && !Number.isNaN(+date)), option, 'a valid Date')
}

function isSecret(secret: unknown): secret is Secret {
  if (typeof secret === 'string' || isBytes(secret)) return true
  // Other views and arrays have a length, too, but WebCrypto would take other bytes from them, or none.
  return typeof secret === 'object' && secret !== null && (isCryptoKey(secret as Secret) || isRemote(secret as Secret))
}

/** A `Uint8Array` or a subclass of it, such as Node's `Buffer`; also from another realm, where `instanceof` is false. */
export function isBytes(secret: unknown): secret is Uint8Array {
  return ArrayBuffer.isView(secret) && Object.prototype.toString.call(secret) === '[object Uint8Array]'
}

/** Is this secret a key of WebCrypto's for HMAC? */
export function isCryptoKey(secret: Secret): secret is PlatformKey {
  return (secret as PlatformKey).algorithm?.name === 'HMAC'
}

/** Does this secret stay elsewhere? */
export function isRemote(secret: Secret): secret is RemoteSecret {
  return typeof (secret as RemoteSecret).sign === 'function'
}

function lengthOf(secret: Secret): number {
  if (typeof secret === 'string') return new TextEncoder().encode(secret).length
  if (isBytes(secret)) return secret.length
  if (isCryptoKey(secret)) return (secret.algorithm as HmacKeyAlgorithm).length / 8
  return Number.POSITIVE_INFINITY
}

/** A key that may sign, and the expiry that it allows. */
export interface SigningKey<K> {
  readonly key: K
  /** In seconds since 1970. `undefined`: the link never expires. */
  readonly expires: number | undefined
}

/**
 * Picks the key that signs: the first one that is valid now and lasts as long as the link is to be valid. If none lasts that long, the first one that
 * is valid now signs, and the link expires with it.
 *
 * @param expires - In seconds since 1970; `undefined` for a link that never expires.
 * @param now - In milliseconds since 1970.
 */
export function signingKey<K extends SecretKey>(ring: readonly K[], expires: number | undefined, now: number): SigningKey<K> {
  const present = Math.floor(now / 1000)
  let shorter: SigningKey<K> | undefined
  for (const key of ring) {
    const end = key.expires && Math.floor(+key.expires / 1000)
    if ((key.starts && now < +key.starts) || (end !== undefined && end <= present)) continue
    if (end === undefined || (expires !== undefined && expires <= end)) return { key, expires }
    shorter ??= { key, expires: end }
  }
  assertOption(shorter, 'keys', 'valid now to sign; none of these is', 'no_key')
  return shorter
}
