// Replaces core/crypto.ts inside NGINX, with njs's own HMAC. There, each request has its own VM, so imported keys cannot be kept.
import type { SecretKey } from '../core/keys.ts'
import type { Algorithm, Message } from '../core/scheme.ts'
import { same, tagOf } from './tag.ts'

/** As in core/crypto.ts: njs needs no import of a key. */
export function readyKey(key: SecretKey): SecretKey {
  return key
}

/** As in core/crypto.ts, for SHA-256 and base64url, which are all that `hmac` needs. */
export function matches({ secret }: SecretKey, _algorithm: Algorithm, message: Message, signature: string): boolean {
  return same(secret as string, tagOf(secret as string, message as string), signature)
}
