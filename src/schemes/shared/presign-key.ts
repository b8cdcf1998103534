// Credentials of storages, checked for characters that were copied by mistake.
import { assertOption } from '../../core/errors.ts'
import type { SecretKey } from '../../core/keys.ts'
import { same } from '../../lib/encoding.ts'
import { assertClean, withCleanSecret } from './clean-secret.ts'

/** Credentials of a storage. */
export interface PresignKey extends SecretKey {
  /** The access key id, which the link shows. */
  readonly id: string
  /** The token of temporary credentials, which the link shows. Give such a key the end of its session as `expires`. */
  readonly sessionToken?: string
}

/** Throws for a key without an id. */
export function assertId(scheme: string, key: SecretKey): void {
  assertOption(key?.id, 'id', `the access key id: ${scheme}() takes keys as { id, secret }`)
}

/**
 * Does the link have the token of the key's session, if the key has one? A token that the storage no longer accepts must not open anything. A key
 * without a token verifies links with any token.
 */
export function isOfSession(key: SecretKey, token = ''): boolean {
  const { sessionToken } = key as PresignKey
  return sessionToken === undefined || same(sessionToken, token)
}

// Names that vendors give to the end of a session. Links would outlive it if the key said it by such a name.
const END_OF_SESSION = /^expir(?!es$)/i

/** Returns the key, or throws if it is spoilt. Messages do not contain credentials. */
export function withGoodCredentials<K extends PresignKey>(scheme: string, key: K): K {
  assertId(scheme, key)
  // Not an empty one, which a row of a database may have.
  const [ending = ''] = Object.entries(key).find(([name, value]) => value && END_OF_SESSION.test(name)) ?? []
  assertOption(!ending, ending, `given as the key's expires, a Date: { expires: credentials.${ending} }`)
  const { sessionToken = '' } = key
  assertOption(typeof sessionToken === 'string', 'sessionToken', 'text')
  assertClean('sessionToken', sessionToken)
  return withCleanSecret(key)
}
