// Credentials of storages, checked for the ways in which copying spoils them.
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

// Ids and tokens have no quotes. A storage of one's own may have any secret, so a quote in a secret counts at its ends only.
const SPOILT = /^\s|\s$|[\p{Cc}"']/u
const SPOILT_SECRET = /^[\s"']|[\s"']$|\p{Cc}/u
const UNSPOILT = 'free of line breaks, quotes and outer white space, which copying may have brought along'

/** Throws for a key without an id. */
export function assertId(scheme: string, key: SecretKey): void {
  assertOption(key?.id, 'id', `the access key id: ${scheme}() takes keys as { id, secret }`)
}

/**
 * Has a link the token of the key's session, if the key has one? A token that the storage no longer takes must not open anything. A key without a
 * token verifies links with any.
 */
export function isOfSession(key: SecretKey, token = ''): boolean {
  const { sessionToken } = key as PresignKey
  return sessionToken === undefined || same(sessionToken, token)
}

/** The same key. No message repeats a credential. */
export function withGoodCredentials<K extends PresignKey>(scheme: string, key: K): K {
  assertId(scheme, key)
  assertOption(!('expiration' in key), 'expiration', "given as the key's expires: { expires: credentials.expiration }")
  const { id, secret, sessionToken = '' } = key
  assertOption(typeof sessionToken === 'string', 'sessionToken', 'text')
  assertOption(!SPOILT.test(id), 'id', UNSPOILT)
  assertOption(!SPOILT.test(sessionToken), 'sessionToken', UNSPOILT)
  const text = isBytes(secret) ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(secret) : secret
  assertOption(typeof text !== 'string' || !SPOILT_SECRET.test(text), 'secret', UNSPOILT)
  return key
}
