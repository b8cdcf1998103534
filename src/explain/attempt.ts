// Attempt: a link, a request and keys as they would be without some mistake. The search computes its signature, and compares.
import type { SecretKey } from '../core/keys.ts'
import type { Algorithm, MaybeAsync, Message, Scheme } from '../core/scheme.ts'
import { SECRET } from '../core/scheme.ts'

/** Everything that a signature depends on. */
export interface Attempt {
  readonly scheme: Scheme
  readonly url: string
  readonly method: string
  readonly ip: string | undefined
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Changes the string to sign. `undefined`: it cannot be changed so. The secret in it is `<secret>`. */
  readonly rewrite?: (text: string, attempt: Attempt) => MaybeAsync<string | undefined>
  /** Changes the key of the keyring. `undefined`: it cannot be changed so. */
  readonly rekey?: (key: SecretKey) => MaybeAsync<SecretKey | undefined>
  /** Names the change of the key, so that a changed key is made once. */
  readonly rekeyed?: string
  /** Derives the key that signs, in place of the scheme's own derivation. */
  readonly derive?: (key: SecretKey) => MaybeAsync<SecretKey>
  /** Keys that the link does not name may have signed it, and only those are tried. */
  readonly otherKeys?: boolean
  /** In place of the scheme's algorithm. */
  readonly algorithm?: Algorithm
  /** Computes with message and key exchanged. */
  readonly swapped?: boolean
}

/** What a mistake changes about an attempt. */
export type Patch = Partial<Attempt>

/** The attempt with a change. Changes of the key and of the string to sign come on top of earlier ones. */
export function patched(attempt: Attempt, patch: Patch): Attempt {
  const { rewrite, rekey } = attempt
  const next: { -readonly [P in keyof Attempt]: Attempt[P] } = { ...attempt, ...patch }
  if (rewrite && patch.rewrite) {
    const second = patch.rewrite
    next.rewrite = async (text, changed) => {
      const first = await rewrite(text, changed)
      return first === undefined ? undefined : second(first, changed)
    }
  }
  if (rekey && patch.rekey) {
    const second = patch.rekey
    next.rekey = async (key) => {
      const first = await rekey(key)
      return first && second(first)
    }
    next.rekeyed = `${attempt.rekeyed} ${patch.rekeyed}`
  }
  return next
}

/** Stands for the secret in a string to sign while it is changed. A character for private use, which no URL has unescaped. */
export const SECRET_MARK = '\u{f8ff}'

// Bytes that are not UTF-8, such as a salt, are characters for private use while a string is changed: one for each byte.
const FIRST_BYTE = 0xf700
const BYTES = /[\uf700-\uf7ff]+/g

/** The text of a message. */
export function textOf(message: Message): string {
  if (typeof message === 'string') return message
  const pieces = message instanceof Uint8Array ? [message] : message.pieces
  return pieces.map((piece) => (piece === SECRET ? SECRET_MARK : typeof piece === 'string' ? piece : textOfBytes(piece))).join('')
}

function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(FIRST_BYTE + byte)).join('')
  }
}

/** The opposite of {@link textOf}. */
export function messageOf(text: string): Message {
  const pieces = text.split(/(\u{f8ff}|[\uf700-\uf7ff]+)/u).map((piece, at) => {
    if (at % 2 === 0) return piece
    return piece === SECRET_MARK ? SECRET : Uint8Array.from(piece, (character) => character.charCodeAt(0) - FIRST_BYTE)
  })
  return pieces.length === 1 ? text : { pieces }
}

/** A string to sign for people: with `<secret>` in place of the secret, and the number of bytes in place of those that are not UTF-8. */
export function shown(text: string): string {
  return text.replaceAll(SECRET_MARK, '<secret>').replace(BYTES, (bytes) => `<${bytes.length} bytes>`)
}
