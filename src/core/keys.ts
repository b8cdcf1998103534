// Secret keys and keyrings: importing keys once, signing and matching with them.
import { insist } from './errors.ts'
import { BASE64URL, decode, encode } from '../lib/encoding.ts'

/** One secret and what is known about it. It is a value: to change a secret, make a new key. */
export interface SecretKey {
  /** Written into links where the scheme can, so that the verifier knows which key to take. */
  readonly id?: string
  /** Text means its UTF-8 bytes, nothing else: base64 and hex are not decoded. A `CryptoKey` is an HMAC key and may be non-extractable. */
  readonly secret: string | Uint8Array | CryptoKey
  /** Signs nothing before this date, and links signed with it are `too_early` until then. */
  readonly starts?: Date
  /** From this date on it signs nothing, and links signed with it are refused as `key_expired`. */
  readonly expires?: Date
}

/** One key or several, newest first: the first one in time signs, all verify, none only reads. Rotating is editing the list. */
export type Keyring<K> = K | readonly K[]

/** The hashes that WebCrypto has for HMAC. */
export type Hash = 'SHA-256' | 'SHA-1' | 'SHA-384' | 'SHA-512'

/** A keyring as a list; a secret of fewer bytes than `shortest` is refused. Byte secrets are copied. */
export function keyring<K extends SecretKey>(keys: Keyring<K>, shortest = 1): readonly K[] {
  return ([keys].flat() as K[]).map((key) => {
    const { id = '', secret, starts, expires } = key ?? {}
    insist(secretLength(secret) >= shortest, `secret takes at least ${shortest} bytes`, 'weak_key')
    for (const date of [starts, expires])
      insist(
        typeof id === 'string' && (date === undefined || (date instanceof Date && !Number.isNaN(+date))),
        'keys take valid Dates, and text for an id',
      )
    // UTF-8 has no form for half a surrogate pair, so links could not hold such an id.
    insist(!/\p{Surrogate}/u.test(id), 'the id of a key must be well-formed text')
    // Copied, because callers may wipe their buffer, and the key would become zeros. Not with slice(): a Buffer's is a view of the same bytes.
    return isBytes(secret) ? { ...key, secret: new Uint8Array(secret) } : key
  })
}

/** A `Uint8Array` or a subclass of it, such as Node's `Buffer`; also from another realm, where `instanceof` is false. */
function isBytes(secret: unknown): secret is Uint8Array {
  return ArrayBuffer.isView(secret) && Object.prototype.toString.call(secret) === '[object Uint8Array]'
}

/** How many bytes a secret has. */
function secretLength(secret: SecretKey['secret'] | undefined): number {
  if (typeof secret === 'string') return new TextEncoder().encode(secret).length
  if (isBytes(secret)) return secret.length
  const { algorithm } = (secret ?? {}) as CryptoKey
  // Other views and arrays have a length, too, but WebCrypto would take other bytes from them, or none.
  insist(!secret || algorithm, 'secret must be text, a Uint8Array or a CryptoKey')
  return (algorithm as HmacKeyAlgorithm)?.length / 8
}

/** The key that signs: the first one on the ring that is in time. */
export function signingKey<K extends SecretKey>(ring: readonly K[], now: number): K {
  return present(ring.find(({ starts, expires }) => (!starts || now >= +starts) && (!expires || now < +expires)))
}

function present<T>(key: T | undefined): T {
  insist(key, 'the keyring has no key in time, and can only read', 'no_key')
  return key
}

function subtle(): SubtleCrypto {
  const subtle = globalThis.crypto?.subtle
  insist(subtle, 'no crypto.subtle here: browsers have it on https only', 'no_webcrypto')
  return subtle
}

// Imported keys, by the key object itself: no map whose keys are secrets, and what nobody holds any more is forgotten.
const imported: { [H in Hash]?: WeakMap<SecretKey, CryptoKey> } = {}

// Callers await the key also when it is there: with many links under way, all the work before the await is then done for each of them before
// the first is handed to WebCrypto, and its threads are kept busy. Waking one that has fallen asleep costs more than all the rest of `verify`.
async function importKey(key: SecretKey, hash: Hash): Promise<CryptoKey> {
  const { secret } = key
  const { algorithm } = secret as CryptoKey
  insist(!algorithm || (algorithm as HmacKeyAlgorithm).hash?.name === hash, `secret takes an HMAC key for ${hash}`)
  const ready = algorithm
    ? (secret as CryptoKey)
    : await subtle().importKey(
        'raw',
        typeof secret === 'string' ? new TextEncoder().encode(secret) : (secret as Uint8Array<ArrayBuffer>),
        { name: 'HMAC', hash },
        false,
        ['sign', 'verify'],
      )
  imported[hash] ??= new WeakMap()
  imported[hash].set(key, ready)
  return ready
}

// One buffer for all texts and one for all signatures: WebCrypto copies its input before it returns, and handing it fresh arrays costs more
// than all the rest of `verify`.
const TEXT = /* @__PURE__ */ new Uint8Array(4096)
const TAG = /* @__PURE__ */ new Uint8Array(65)
let encoder: TextEncoder | undefined

/** The UTF-8 bytes of a text, or bytes that are no text, to be handed to WebCrypto at once. */
export function bytesOf(text: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (typeof text !== 'string') return text
  encoder ??= new TextEncoder()
  // UTF-8 takes at most three bytes a UTF-16 unit.
  return text.length > 1365 ? encoder.encode(text) : TEXT.subarray(0, encoder.encodeInto(text, TEXT).written)
}

/** HMAC of a text (as UTF-8), or of bytes that are no text, under a key, written in an alphabet. Imported keys are remembered. */
export async function mac(
  key: SecretKey,
  text: string | Uint8Array<ArrayBuffer>,
  alphabet: string = BASE64URL,
  hash: Hash = 'SHA-256',
): Promise<string> {
  const ready = await (imported[hash]?.get(key) ?? importKey(key, hash))
  return encode(new Uint8Array(await subtle().sign('HMAC', ready, bytesOf(text))), alphabet)
}

/** Finds the key on a ring under which a text has this signature, by its id or by trying all. The platform compares, in constant time. */
export async function match<K extends SecretKey>(
  ring: readonly K[],
  id: string | undefined,
  text: string | Uint8Array<ArrayBuffer>,
  signature: string,
  alphabet: string = BASE64URL,
  hash: Hash = 'SHA-256',
): Promise<K | 'bad_signature' | 'unknown_key'> {
  present(ring[0])
  let answer: 'bad_signature' | 'unknown_key' = 'unknown_key'
  for (const key of ring) {
    if (id && key.id !== id) continue
    answer = 'bad_signature'
    const ready = await (imported[hash]?.get(key) ?? importKey(key, hash))
    const size = decode(signature, alphabet, TAG)
    if (size > 0 && (await subtle().verify('HMAC', ready, TAG.subarray(0, size), bytesOf(text)))) return key
  }
  return answer
}
