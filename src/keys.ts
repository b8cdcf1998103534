// Secret keys and keyrings: importing keys once, signing and matching with them.
import { insist, LinkError } from './errors.ts'
import { decode, encode } from './lib/bytes.ts'

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

/** A keyring as a list; a secret of fewer bytes than `shortest` is refused. */
export function keyring<K extends SecretKey>(keys: Keyring<K>, shortest = 1): readonly K[] {
  const ring = [keys].flat() as K[]
  for (const { secret } of ring) {
    const { length, algorithm } = (typeof secret === 'string' ? new TextEncoder().encode(secret) : (secret ?? {})) as Uint8Array & CryptoKey
    if (!((length ?? (algorithm as HmacKeyAlgorithm)?.length / 8) >= shortest)) throw new LinkError('weak_key', `secret takes at least ${shortest} bytes, as text, bytes or HMAC CryptoKey`)
  }
  return ring
}

/** The key that signs: the first one on the ring that is in time. */
export function signingKey<K extends SecretKey>(ring: readonly K[], now: Date): K {
  // Asked so that a date that is none ends the key, too.
  return found(ring.find(({ starts, expires }) => (!starts || now >= starts) && (!expires || now < expires)))
}

function found<T>(key: T | undefined): T {
  if (!key) throw new LinkError('no_key', 'the ring has no key in time; an empty ring can read, but neither sign nor verify')
  return key
}

// Keyed by the key object itself: no map whose keys are secrets, and what nobody holds any more is forgotten.
const imported: { [H in Hash]?: WeakMap<SecretKey, Promise<CryptoKey>> } = {}

function cryptoKey(key: SecretKey, hash: Hash): Promise<CryptoKey> {
  imported[hash] ??= new WeakMap()
  let ready = imported[hash].get(key)
  if (!ready) imported[hash].set(key, (ready = importKey(key.secret as CryptoKey, hash)))
  return ready
}

async function importKey(secret: CryptoKey | Uint8Array<ArrayBuffer> | string, hash: Hash): Promise<CryptoKey> {
  const { algorithm } = secret as CryptoKey
  insist(!algorithm || (algorithm as HmacKeyAlgorithm).hash.name === hash, `secret takes an HMAC CryptoKey for ${hash}`)
  if (algorithm) return secret as CryptoKey
  return subtle().importKey('raw', typeof secret === 'string' ? new TextEncoder().encode(secret) : (secret as Uint8Array<ArrayBuffer>), { name: 'HMAC', hash }, false, ['sign', 'verify'])
}

function subtle(): SubtleCrypto {
  const { crypto } = globalThis
  if (!crypto?.subtle) throw new LinkError('no_webcrypto', 'there is no crypto.subtle here: browsers have it on https and localhost only')
  return crypto.subtle
}

let encoder: TextEncoder | undefined
let scratch: Uint8Array<ArrayBuffer> | undefined

// One buffer for all texts: WebCrypto copies its input before it returns, and a fresh array costs more than the rest of `verify`.
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  encoder ??= new TextEncoder()
  scratch ??= new Uint8Array(4096)
  // UTF-8 takes at most three bytes a UTF-16 unit.
  return text.length * 3 > scratch.length ? encoder.encode(text) : scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}

/** HMAC of a text (as UTF-8) under a key, in an alphabet. Imported keys are remembered. */
export async function mac(key: SecretKey, text: string, alphabet: string, hash: Hash = 'SHA-256'): Promise<string> {
  const ready = await cryptoKey(key, hash)
  return encode(new Uint8Array(await subtle().sign('HMAC', ready, bytesOf(text))), alphabet)
}

/** Finds the key on a ring under which a text has this signature, by its id or by trying all. The platform compares, in constant time. */
export async function match<K extends SecretKey>(
  ring: readonly K[],
  id: string | undefined,
  text: string,
  signature: string,
  alphabet: string,
  hash: Hash = 'SHA-256',
): Promise<K | 'bad_signature' | 'unknown_key'> {
  found(ring[0])
  const bytes = decode(signature, alphabet)
  const candidates = ring.filter((key) => id === undefined || key.id === id)
  for (const key of candidates) {
    const ready = await cryptoKey(key, hash)
    if (bytes && (await subtle().verify('HMAC', ready, bytes, bytesOf(text)))) return key
  }
  return candidates[0] ? 'bad_signature' : 'unknown_key'
}
