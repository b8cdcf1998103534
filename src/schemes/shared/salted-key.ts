// Keys of imgproxy: a secret with a salt.
import { assertOption } from '../../core/errors.ts'
import { isBytes, type SecretKey } from '../../core/keys.ts'
import { hexBytes, withHexSecret } from './encoded-key.ts'

export type SaltedKey = SecretKey & { readonly salt: Uint8Array }

/** The key with the bytes of its secret and of its salt. */
export function withSalt(
  { salt, ...key }: SecretKey & { readonly salt?: string | Uint8Array },
  otherSalt: Uint8Array | undefined,
): SaltedKey {
  return { ...withHexSecret(key), salt: salt === undefined && otherSalt ? otherSalt : saltBytes(salt) }
}

/** A copy of the bytes of a salt. */
export function saltBytes(salt: unknown): Uint8Array {
  assertOption(typeof salt === 'string' || isBytes(salt), 'salt', 'hex digits or a Uint8Array, in each key or in the options')
  const bytes = typeof salt === 'string' ? hexBytes(salt, 'salt') : new Uint8Array(salt)
  assertOption(bytes.length > 0, 'salt', 'at least 1 byte long')
  return bytes
}
