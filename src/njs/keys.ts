// Stands in for keys.ts inside NGINX, with njs's own HMAC: a machine of its own runs each request there, so no imported key can be kept.
import { LinkError } from '../errors.ts'
import type { Keyring, mac as Mac, match as Match, SecretKey } from '../keys.ts'

// NGINX does not sign, so the build drops these.
export { signingKey } from '../keys.ts'

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

/** HMAC-SHA-256, as base64url. */
export function tagOf(secret: string, text: string): string {
  // biome-ignore lint/style/useNodejsImportProtocol: njs has this name only
  return require('crypto').createHmac('sha256', secret).update(text).digest('base64url')
}

/** Compares as hashes that nobody without the secret can foresee, so that the time it takes tells nothing. */
export function same(secret: string, right: string, given: string): boolean {
  // biome-ignore lint/style/useNodejsImportProtocol: njs has this name only
  const crypto = require('crypto')
  const blind = crypto.createHash('sha256').update(secret + right)
  const other = crypto.createHash('sha256').update(secret + given)
  return blind.digest('base64url') === other.digest('base64url')
}

/** As in keys.ts, for SHA-256 and base64url. */
export const mac: typeof Mac = async (key, text) => tagOf(key.secret as string, text as string)

/** As in keys.ts, for SHA-256 and base64url. */
export const match: typeof Match = async (ring, id, text, signature) => {
  if (!ring[0]) throw new LinkError('no_key', 'the ring has no key')
  let answer: 'bad_signature' | 'unknown_key' = 'unknown_key'
  for (const key of ring) {
    if (id && key.id !== id) continue
    answer = 'bad_signature'
    const secret = key.secret as string
    if (same(secret, tagOf(secret, text as string), signature)) return key
  }
  return answer
}
