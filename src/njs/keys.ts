// Stands in for keys.ts inside NGINX, with njs's own HMAC: a machine of its own runs each request there, so no imported key can be kept.
import { LinkError } from '../errors.ts'
import type { Keyring, match as Match, SecretKey } from '../keys.ts'

// NGINX does not sign, so the build drops these.
export { mac, signingKey } from '../keys.ts'

interface Digest {
  update(text: string): Digest
  digest(form: 'base64url'): string
}
declare const require: (name: 'crypto') => {
  createHmac(hash: 'sha256', key: string): Digest
  createHash(hash: 'sha256'): Digest
}

/** As in keys.ts; secrets are text here. */
export function keyring<K extends SecretKey>(keys: Keyring<K>, shortest = 1): readonly K[] {
  const ring = ([] as K[]).concat(keys)
  for (const { secret } of ring)
    if (typeof secret !== 'string' || new TextEncoder().encode(secret).length < shortest)
      throw new LinkError('weak_key', `secret takes text of at least ${shortest} bytes`)
  return ring
}

/** Is this the HMAC-SHA-256 of the text, as base64url? */
export function matches(secret: string, text: string, given: string): boolean {
  // biome-ignore lint/style/useNodejsImportProtocol: njs has this name only
  const { createHmac, createHash } = require('crypto')
  const right = createHmac('sha256', secret).update(text).digest('base64url')
  // Hashed with what nobody knows before they are compared: how long that takes says nothing about the right one.
  const blind = (tag: string) =>
    createHash('sha256')
      .update(secret + tag)
      .digest('base64url')
  return blind(right) === blind(given)
}

/** As in keys.ts, for SHA-256 and base64url. */
export const match: typeof Match = async (ring, id, text, signature) => {
  if (!ring[0]) throw new LinkError('no_key', 'the ring has no key')
  let answer: 'bad_signature' | 'unknown_key' = 'unknown_key'
  for (const key of ring) {
    if (id && key.id !== id) continue
    answer = 'bad_signature'
    if (matches(key.secret as string, text, signature)) return key
  }
  return answer
}
