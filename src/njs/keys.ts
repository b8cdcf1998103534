// Stands in for keys.ts inside NGINX, with njs's own HMAC: a machine of its own runs each request there, so no imported key can be kept.
import { LinkError } from '../core/errors.ts'
import type { Keyring, mac as Mac, match as Match, SecretKey } from '../core/keys.ts'
import { same, tagOf } from './tag.ts'

// NGINX does not sign, so the build drops these.
export { signingKey } from '../core/keys.ts'

/** As in keys.ts; secrets are text here. */
export function keyring<K extends SecretKey>(keys: Keyring<K>, shortest = 1): readonly K[] {
  const ring = ([] as K[]).concat(keys)
  for (const { secret } of ring)
    if (typeof secret !== 'string' || new TextEncoder().encode(secret).length < shortest)
      throw new LinkError('weak_key', `secret takes text of at least ${shortest} bytes`)
  return ring
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
