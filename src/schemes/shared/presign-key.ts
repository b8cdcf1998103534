// Credentials of storages, checked for characters that were copied by mistake.
import { assertOption } from '../../core/errors.ts'
import { isBytes, type SecretKey } from '../../core/keys.ts'
import { same } from '../../lib/encoding.ts'

/** Credentials of a storage. */
export interface PresignKey extends SecretKey {
  /** The access key id, which the link shows. */
  readonly id: string
  /** The token of temporary credentials, which the link shows. Give such a key the end of its session as `expires`. */
  readonly sessionToken?: string
}

// Ids and tokens have no quotes. Secrets of your own storage may contain any character, so in a secret, quotes count only at its ends.
const SPOILT = /^\s|\s$|[\p{Cc}"']/u
const SPOILT_SECRET = /^[\s"']|[\s"']$|\p{Cc}/u
const UNSPOILT = 'free of line breaks, quotes and outer white space, which copying may have brought along'

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
  const ending = Object.keys(key).find((name) => END_OF_SESSION.test(name)) ?? ''
  assertOption(!ending, ending, `given as the key's expires, a Date: { expires: credentials.${ending} }`)
  const { id, secret, sessionToken = '' } = key
  assertOption(typeof sessionToken === 'string', 'sessionToken', 'text')
  assertOption(!SPOILT.test(id), 'id', UNSPOILT)
  assertOption(!SPOILT.test(sessionToken), 'sessionToken', UNSPOILT)
  const text = isBytes(secret) ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(secret) : secret
  assertOption(typeof text !== 'string' || !SPOILT_SECRET.test(text), 'secret', UNSPOILT)
  return key
}
