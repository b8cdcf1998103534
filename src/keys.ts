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
    if (!((length ?? (algorithm as HmacKeyAlgorithm)?.length / 8) >= shortest))
      throw new LinkError('weak_key', `secret takes at least ${shortest} bytes, as text, bytes or HMAC CryptoKey`)
  }
  return ring
}

/** The key that signs: the first one on the ring that is in time. */
export function signingKey<K extends SecretKey>(ring: readonly K[], now: number): K {
  // Asked so that a date that is none ends the key, too.
  return present(ring.find(({ starts, expires }) => (!starts || now >= +starts) && (!expires || now < +expires)))
}

function present<T>(key: T | undefined): T {
  if (!key) throw new LinkError('no_key', 'the ring has no key in time; an empty ring can read, but neither sign nor verify')
  return key
}

// Keyed by the key object itself: no map whose keys are secrets, and what nobody holds any more is forgotten.
let imported: WeakMap<SecretKey, { [H in Hash]?: CryptoKey }> | undefined

function subtle(): SubtleCrypto {
  const { crypto } = globalThis
  if (!crypto?.subtle) throw new LinkError('no_webcrypto', 'there is no crypto.subtle here: browsers have it on https and localhost only')
  return crypto.subtle
}

/** Calls back with the imported key: at once when it is known, because waiting costs more than all the rest of `verify`. */
function withKey<T>(key: SecretKey, hash: Hash, use: (ready: CryptoKey) => T | Promise<T>): T | Promise<T> {
  imported ??= new WeakMap()
  let known = imported.get(key)
  if (!known) imported.set(key, (known = {}))
  const ready = known[hash]
  return ready ? use(ready) : importKey(key.secret, hash).then((ready) => use((known[hash] = ready)))
}

async function importKey(secret: SecretKey['secret'], hash: Hash): Promise<CryptoKey> {
  const { algorithm } = secret as CryptoKey
  insist(!algorithm || (algorithm as HmacKeyAlgorithm).hash.name === hash, `secret takes an HMAC CryptoKey for ${hash}`)
  if (algorithm) return secret as CryptoKey
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : (secret as Uint8Array<ArrayBuffer>)
  return subtle().importKey('raw', bytes, { name: 'HMAC', hash }, false, ['sign', 'verify'])
}

// One buffer for all texts and one for all signatures: WebCrypto copies its input before it returns, and handing it fresh arrays costs more
// than all the rest of `verify`.
let buffers: { encoder: TextEncoder; text: Uint8Array<ArrayBuffer>; tag: Uint8Array<ArrayBuffer> } | undefined

function bytesOf(message: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { encoder, text } = (buffers ??= { encoder: new TextEncoder(), text: new Uint8Array(4096), tag: new Uint8Array(64) })
  if (typeof message !== 'string') return message
  // UTF-8 takes at most three bytes a UTF-16 unit.
  return message.length > 1365 ? encoder.encode(message) : text.subarray(0, encoder.encodeInto(message, text).written)
}

/** HMAC of a text (as UTF-8), or of bytes that are no text, under a key, written in an alphabet. Imported keys are remembered. */
export async function mac(
  key: SecretKey,
  text: string | Uint8Array<ArrayBuffer>,
  alphabet: string,
  hash: Hash = 'SHA-256',
): Promise<string> {
  return encode(new Uint8Array(await withKey(key, hash, (ready) => subtle().sign('HMAC', ready, bytesOf(text)))), alphabet)
}

/** Finds the key on a ring under which a text has this signature, by its id or by trying all. The platform compares, in constant time. */
export async function match<K extends SecretKey>(
  ring: readonly K[],
  id: string | undefined,
  text: string | Uint8Array<ArrayBuffer>,
  signature: string,
  alphabet: string,
  hash: Hash = 'SHA-256',
): Promise<K | 'bad_signature' | 'unknown_key'> {
  present(ring[0])
  let answer: 'bad_signature' | 'unknown_key' = 'unknown_key'
  for (const key of ring) {
    if (id && key.id !== id) continue
    answer = 'bad_signature'
    const good = withKey(key, hash, (ready) => {
      const bytes = bytesOf(text)
      const { tag } = buffers as NonNullable<typeof buffers>
      const size = decode(signature, alphabet, tag)
      return size > 0 && subtle().verify('HMAC', ready, size < 64 ? tag.subarray(0, size) : tag, bytes)
    })
    if (await good) return key
  }
  return answer
}
