// Mistakes with secrets: changes by copying, env files and encodings. The signer had the secret in another form than the verifier.
import { isBytes, type SecretKey } from '../../core/keys.ts'
import { BASE64, BASE64URL, decode, encode, HEX } from '../../lib/encoding.ts'
import { decodeValue } from '../../lib/url.ts'
import type { Rule } from '../rule.ts'
import { withoutPadding } from '../spelling.ts'

type Known = string | Uint8Array
type Forms = (secret: Known, key: SecretKey) => readonly (Known | undefined)[]

interface SecretRule {
  readonly code: string
  readonly rarity?: 1 | 2 | 3
  readonly sentence: string
  readonly remedy: string
  /** How many forms there can be. */
  readonly most: number
  readonly forms: Forms
}

/** Forms of secrets that are text, for rules that do not apply to bytes. */
const ofText =
  (forms: (secret: string, key: SecretKey) => readonly (Known | undefined)[]): Forms =>
  (secret, key) =>
    typeof secret === 'string' ? forms(secret, key) : []

const SAME_SECRET = 'Give both sides the same secret, byte for byte, and trim what is read from files.'
const SAME_ENCODING = 'Decode the secret on both sides or on neither. Here secrets are used as text; pass a Uint8Array for decoded bytes.'

const RULES: readonly SecretRule[] = [
  {
    code: 'secret_line_break',
    rarity: 1,
    sentence: 'The secret of the signer has a line break at its end, and the secret of the verifier has none.',
    remedy: SAME_SECRET,
    most: 3,
    forms: ofText((secret) => ['\n', '\r\n', '\r'].map((end) => secret + end)),
  },
  {
    code: 'secret_not_trimmed',
    rarity: 1,
    sentence: 'The secret of the verifier has white space at an end, and the secret of the signer has none.',
    remedy: SAME_SECRET,
    most: 2,
    forms: ofText((secret) => [secret.trim(), secret.replace(/[\r\n]+$/, '')]),
  },
  {
    code: 'secret_white_space',
    sentence: 'The secret of the signer has a space at an end, and the secret of the verifier has none.',
    remedy: SAME_SECRET,
    most: 4,
    forms: ofText((secret) => [`${secret} `, ` ${secret}`, `${secret}\t`, `\ufeff${secret}`]),
  },
  {
    code: 'secret_quotes',
    rarity: 1,
    sentence: 'The secret has quotes around it on one side only, as when a shell or an env file is read without removing them.',
    remedy: 'Remove the quotes from the env file, or read it with a parser that removes them.',
    most: 4,
    forms: ofText((secret) => [`"${secret}"`, `'${secret}'`, secret.replace(/^(["'`])(.*)\1$/s, '$2'), `\`${secret}\``]),
  },
  {
    code: 'secret_base64_not_decoded',
    rarity: 1,
    sentence: 'The signer used the base64 text of the secret as it stands, and the verifier uses the bytes that it encodes.',
    remedy: 'Decode the secret from base64 before signing.',
    most: 4,
    forms: (secret) =>
      typeof secret === 'string'
        ? []
        : [padded(secret), encode(secret, BASE64), encode(secret, BASE64URL), padded(secret).replaceAll('+', '-').replaceAll('/', '_')],
  },
  {
    code: 'secret_base64',
    rarity: 1,
    sentence: 'The signer used the bytes that the secret encodes in base64, and the verifier uses its text.',
    remedy: SAME_ENCODING,
    most: 2,
    forms: ofText((secret) => {
      const plain = withoutPadding(secret.trim())
      return [bytesIn(plain, BASE64), bytesIn(plain, BASE64URL)]
    }),
  },
  {
    code: 'secret_hex',
    rarity: 1,
    sentence: 'The signer used the bytes that the secret encodes in hex, and the verifier uses its text.',
    remedy: SAME_ENCODING,
    most: 1,
    forms: ofText((secret) => [bytesIn(secret.trim().toLowerCase(), HEX)]),
  },
  {
    code: 'secret_hex_not_decoded',
    sentence: 'The signer used the hex text of the secret as it stands, and the verifier uses the bytes that it encodes.',
    remedy: 'Decode the secret from hex before signing.',
    most: 2,
    forms: (secret) => (typeof secret === 'string' ? [] : [encode(secret, HEX), encode(secret, HEX).toUpperCase()]),
  },
  {
    code: 'secret_encoded',
    sentence: 'The signer encoded the secret once more, in base64 or hex, and the verifier uses it as it stands.',
    remedy: SAME_ENCODING,
    most: 3,
    forms: ofText((secret) => {
      const bytes = new TextEncoder().encode(secret)
      return [padded(bytes), encode(bytes, HEX), encode(bytes, BASE64URL)]
    }),
  },
  {
    code: 'secret_id',
    rarity: 1,
    sentence: 'The signer used the id of the key in place of its secret.',
    remedy: 'Pass the secret of the key to the signer.',
    most: 1,
    forms: (_secret, { id }) => [id],
  },
  {
    code: 'secret_with_id',
    rarity: 1,
    sentence: 'One side used the id of the key together with its secret, as in "id:secret", and the other side used the secret alone.',
    remedy: 'Pass the part before the colon as the id of the key, and the part after it as its secret.',
    most: 4,
    // The "base64:" of a key for Laravel is not an id.
    forms: ofText((secret, { id }) => [
      secret.replace(/^(?!base64:)[\w.-]+:/, ''),
      ...(id ? [`${id}:${secret}`, `${id}${secret}`, secret + id] : []),
    ]),
  },
  {
    code: 'secret_missing',
    rarity: 1,
    sentence: 'The signer had no secret: it signed with an empty string, or with a word such as "undefined".',
    remedy: 'Set the variable that has the secret where the signer runs, and stop the program if it is missing.',
    most: 7,
    // HMAC pads short keys with zeros, so one zero byte is the empty key, which WebCrypto refuses.
    forms: () => [new Uint8Array(1), 'undefined', 'null', 'None', 'false', '[object Object]', 'changeme'],
  },
  {
    code: 'secret_comment',
    sentence: 'The secret ends at a "#" on one side, because the rest was read as a comment of an env file.',
    remedy: 'Put the secret in quotes in the env file.',
    most: 2,
    forms: ofText((secret) => [secret.replace(/#.*$/s, ''), secret.replace(/\s+#.*$/s, '')]),
  },
  {
    code: 'secret_expanded',
    sentence: 'A shell replaced a "$" or a "\\" in the secret on one side.',
    remedy: "Put the secret in single quotes, as in 'pa$$word'.",
    most: 4,
    forms: ofText((secret) => [
      secret.replace(/\$\w+/g, ''),
      secret.replaceAll('\\', ''),
      secret.replaceAll('\\n', '\n'),
      secret.replaceAll('$$', '$'),
    ]),
  },
  {
    code: 'secret_part',
    sentence: 'The signer used only a part of the secret.',
    remedy: 'Pass the whole secret to the signer, and look for a limit on its length or for a character that ended it.',
    most: 24,
    forms: (secret) => partsOf(secret),
  },
  {
    code: 'secret_case',
    sentence: 'The secret is in upper case on one side, and in lower case on the other.',
    remedy: SAME_SECRET,
    most: 2,
    forms: ofText((secret) => [secret.toLowerCase(), secret.toUpperCase()]),
  },
  {
    code: 'secret_escaped',
    sentence: 'The secret is percent-encoded on one side, and not on the other.',
    remedy: 'If the secret is read from a URL, such as a connection string, decode it there.',
    most: 3,
    forms: ofText((secret) => [
      decodeValue(secret),
      encodeURIComponent(secret.replace(/\p{Surrogate}/gu, '')),
      secret.replaceAll('+', ' '),
    ]),
  },
  {
    code: 'secret_normal_form',
    rarity: 3,
    sentence:
      'The secret has letters with accents, which are composed (NFC) on one side and decomposed (NFD) on the other, or it is Latin-1.',
    remedy: 'Use secrets of ASCII characters.',
    most: 3,
    forms: ofText((secret) => [secret.normalize('NFC'), secret.normalize('NFD'), latin1(secret)]),
  },
]

/** Mistakes with secrets. */
export const SECRET_RULES: readonly Rule[] = [
  {
    code: 'another_key',
    kind: 'secret',
    rarity: 1,
    sentence: 'The link is signed with another key of the keyring than the one that it names.',
    remedy: 'Give the key the same id on both sides.',
    variants: () => [{ patch: { otherKeys: true } }],
  },
  ...RULES.map(
    ({ code, rarity = 2, sentence, remedy, most, forms }): Rule => ({
      code,
      kind: 'secret',
      rarity,
      sentence,
      remedy,
      variants: () =>
        Array.from({ length: most }, (_, which) => ({
          patch: { rekeyed: `${code} ${which}`, rekey: (key: SecretKey) => changed(key, forms, which) },
        })),
    }),
  ),
]

/** The key with its secret in another form. `undefined` for a secret that cannot be read, and for a form that is the same. */
function changed(key: SecretKey, forms: Forms, which: number): SecretKey | undefined {
  const { secret } = key
  if (typeof secret !== 'string' && !isBytes(secret)) return undefined
  const form = forms(secret, key)[which]
  return form?.length && form !== secret ? { ...key, secret: form } : undefined
}

function padded(bytes: Uint8Array): string {
  const text = encode(bytes, BASE64)
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function bytesIn(text: string, alphabet: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length)
  const length = decode(text, alphabet, bytes)
  return length > 0 ? bytes.slice(0, length) : undefined
}

const LENGTHS = [32, 16, 24, 64, 20, 40, 8, 10, 12, 48, 72]

function partsOf(secret: Known): readonly Known[] {
  const beginnings = LENGTHS.filter((length) => length < secret.length).map((length) => secret.slice(0, length))
  if (typeof secret !== 'string') return beginnings
  const pieces = [':', '=', '.', '_', '-', ' ', '$', '/'].flatMap((mark) => {
    const at = secret.indexOf(mark)
    return at < 0 ? [] : [secret.slice(0, at), secret.slice(at + 1)]
  })
  return [secret.slice(0, -1), secret.slice(1), withoutPadding(secret), ...beginnings, ...pieces]
}

/** The bytes of Latin-1, which some languages use for text. */
function latin1(text: string): Uint8Array | undefined {
  return /^[\0-\xff]*[\x80-\xff][\0-\xff]*$/.test(text) ? Uint8Array.from(text, (character) => character.charCodeAt(0)) : undefined
}
