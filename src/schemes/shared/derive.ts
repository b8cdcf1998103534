// Keys that are derived from other keys, and remembered with them.
import { compute, readyKey } from '../../core/crypto.ts'
import type { SecretKey } from '../../core/keys.ts'
import type { Algorithm, MaybeAsync } from '../../core/scheme.ts'
import { encode, HEX } from '../../lib/encoding.ts'
import { shaDigest } from './sha-digest.ts'

// Requests choose what a key is derived for, such as a day. A limit keeps forged requests from filling the memory.
const MOST_REMEMBERED = 16

// By the key object, so that a key which the program no longer holds can be collected with all keys that were derived from it.
const remembered = /* @__PURE__ */ new WeakMap<SecretKey, Map<string, SecretKey>>()

/**
 * A key derived from another one. It is remembered with that key under a name, so it is derived and imported once.
 *
 * @param name - The name of the derived key. Different derivations from one key need different names.
 * @param derive - Derives the key when it is not remembered.
 */
export function derivedKey(key: SecretKey, name: string, derive: () => Promise<SecretKey>): MaybeAsync<SecretKey> {
  return remembered.get(key)?.get(name) ?? deriveAndRemember(key, name, derive)
}

async function deriveAndRemember(key: SecretKey, name: string, derive: () => Promise<SecretKey>): Promise<SecretKey> {
  const derived = await derive()
  // Read again after the derivation, because other links may have derived keys in the meantime.
  let keys = remembered.get(key)
  if (!keys || keys.size >= MOST_REMEMBERED) {
    keys = new Map()
    remembered.set(key, keys)
  }
  keys.set(name, derived)
  return derived
}

const HMAC_SHA256: Algorithm = { hmac: 'SHA-256', encoding: 'hex' }

/** The HMAC-SHA-256 of a text, as a key. */
export async function hmacKey(key: SecretKey, text: string): Promise<SecretKey> {
  const signature = await compute(await readyKey(key, HMAC_SHA256), HMAC_SHA256, text)
  return { secret: new Uint8Array(signature) }
}

const HMAC_SHA1: Algorithm = { hmac: 'SHA-1', encoding: 'hex' }

/** The HMAC-SHA-1 of a text, of which the hex digits are the key. */
export async function hexHmacSha1Key(key: SecretKey, text: string): Promise<SecretKey> {
  const signature = await compute(await readyKey(key, HMAC_SHA1), HMAC_SHA1, text)
  return { secret: encode(new Uint8Array(signature), HEX) }
}

/** The SHA-256 of a secret that is text or bytes, as a key. */
export function sha256Key(key: SecretKey): MaybeAsync<SecretKey> {
  return derivedKey(key, 'sha256', async () => ({ secret: await shaDigest('SHA-256', key.secret as string | Uint8Array<ArrayBuffer>) }))
}
