// Secrets that a vendor hands out as text, checked for characters that were copied by mistake. The link would have a wrong signature, and the
// vendor does not say why.
import { assertOption } from '../../core/errors.ts'
import { isBytes, type SecretKey } from '../../core/keys.ts'

/** Ids and tokens have no quotes and no `\`, nor characters that cannot be seen, such as a zero-width space. */
const SPOILT = /^\s|\s$|[\p{Cc}\p{Cf}"'`“”‘’\\]/u
/** Secrets of your own server may contain any character, so in a secret, quotes and the two characters `\n` count only at its ends. */
const SPOILT_SECRET = /^[\s\p{Cf}"'“”‘’]|([\s\p{Cf}"'“”‘’]|\\[nr])$|\p{Cc}/u
const RULE = 'free of line breaks, quotes, invisible characters and outer white space, which copying may have brought along'

/** Throws for an id or a token that was spoilt on the way. Messages do not contain it. */
export function assertClean(option: string, text: string): void {
  assertOption(!SPOILT.test(text), option, RULE)
}

/** Returns the key. Throws if its id or its secret was spoilt on the way. Bytes are checked as text, because vendors hand out text. */
export function withCleanSecret<K extends SecretKey>(key: K): K {
  const { id, secret } = key
  if (id !== undefined) assertClean('id', id)
  const text = isBytes(secret) ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(secret) : secret
  assertOption(typeof text !== 'string' || !SPOILT_SECRET.test(text), 'secret', RULE)
  return key
}
