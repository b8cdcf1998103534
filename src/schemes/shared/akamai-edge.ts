// The options of Akamai's edge tokens, and how Akamai, Cloudinary and Uploadcare escape the signed text.
import { assertKnownOptions, assertOption } from '../../core/errors.ts'
import type { SecretKey } from '../../core/keys.ts'
import type { Algorithm } from '../../core/scheme.ts'
import { asClientsSend, escapeField } from './edge-token.ts'
import { withHexSecret } from './encoded-key.ts'
import { hmacMd5 } from './hmac-md5.ts'
import { withKnownSecret } from './known-secret.ts'

/** Options of `akamai`: how the edge is configured. The names are those of Akamai's own package. */
export interface AkamaiOptions {
  /** Whose form of the token: `'cloudinary'` escapes ACLs and URLs in its own way, `'uploadcare'` always has an ACL. Default: `'akamai'`. */
  readonly vendor?: 'akamai' | 'cloudinary' | 'uploadcare'
  /** The name of the parameter, cookie or header. Default: `__token__`, `__cld_token__` with Cloudinary, and `token` with Uploadcare. */
  readonly tokenName?: string
  /** The hash of the HMAC. With `'md5'`, secrets are text or bytes. Default: `'sha256'`. */
  readonly algorithm?: 'sha256' | 'sha1' | 'md5'
  /** Text that is signed and not sent. Default: none. */
  readonly salt?: string
  /** As the property's "Escape token input": escapes address, id, data and URL before they are signed. Default: `false`. */
  readonly escapeEarly?: boolean
  /** As the property's "Ignore query string": a link for one URL does not cover its query. Default: `false`, and `true` with Cloudinary. */
  readonly ignoreQueryString?: boolean
  /** Separates two fields. Default: `'~'`. */
  readonly fieldDelimiter?: string
  /** Separates two patterns of an ACL. Default: `'!'`. */
  readonly aclDelimiter?: string
}

const OPTIONS = ['vendor', 'tokenName', 'algorithm', 'salt', 'escapeEarly', 'ignoreQueryString', 'fieldDelimiter', 'aclDelimiter']

const VENDORS = {
  akamai: { name: '__token__', carries: ['starts', 'ip', 'prefix', 'id'], own: ['acl', 'data'] },
  cloudinary: { name: '__cld_token__', carries: ['starts', 'ip', 'prefix'], own: ['acl'] },
  uploadcare: { name: 'token', carries: ['prefix'], own: ['acl'] },
} as const

const HASHES = {
  sha256: { algorithm: { hmac: 'SHA-256', encoding: 'hex' }, prepare: withHexSecret, signatureLength: 64 },
  sha1: { algorithm: { hmac: 'SHA-1', encoding: 'hex' }, prepare: withHexSecret, signatureLength: 40 },
  // WebCrypto has no MD5, so the secret must be known as text or bytes.
  md5: {
    algorithm: { signer: hmacMd5, encoding: 'hex' },
    prepare: (key: SecretKey) => withHexSecret(withKnownSecret(key)),
    signatureLength: 32,
  },
} as const

const lowerCaseEscape = (character: string): string => `%${character.charCodeAt(0).toString(16)}`
/** As Akamai's package for Node with `escapeEarly`. */
const escapeEarly = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[~'*]/g, lowerCaseEscape)
    .replace(/%../g, (escaped) => escaped.toLowerCase())
/** As Cloudinary's packages. */
const escapeToLower = (text: string): string => text.replace(/[ "#%&'/:;<=>?@[\]^`{|}~]/g, lowerCaseEscape)
/** As Uploadcare's package for Python. */
const escapeAllButCommas = (text: string): string =>
  escapeEarly(text)
    .replace(/[!()]/g, lowerCaseEscape)
    .replace(/%2[0c]/g, (escaped) => (escaped === '%20' ? '+' : ','))
/** For paths whose `~` must not end the field. Uploadcare's groups have one in their names. */
const withoutTildes = (acl: string): string => asClientsSend(acl).replaceAll('~', lowerCaseEscape)

/** How one edge makes its tokens. */
export interface Edge {
  readonly vendor: keyof typeof VENDORS
  /** The name of the parameter, cookie or header. */
  readonly tokenName: string
  /** The standard conditions that its tokens can carry. */
  readonly carries: readonly ('starts' | 'ip' | 'prefix' | 'id')[]
  /** The names of Akamai's own conditions. */
  readonly own: readonly string[]
  readonly algorithm: Algorithm
  /** Checks a key, and decodes its secret. */
  prepare(key: SecretKey): SecretKey
  /** The number of hex digits in a signature. */
  readonly signatureLength: number
  readonly salt: string | undefined
  readonly ignoreQueryString: boolean
  readonly fieldDelimiter: string
  readonly aclDelimiter: string
  /** How it escapes what it signs. */
  escapeUrl(url: string): string
  escapeAcl(acl: string): string
  escapeAddress(ip: string): string
  /** An id, or data. Without its delimiter, a value cannot pass for another field. */
  escapeValue(text: string): string
}

const asItIs = (text: string): string => text

/** Checks the options, and fills in what is left out. */
export function edgeOf(options: AkamaiOptions): Edge {
  assertOptions(options)
  const { vendor = 'akamai', algorithm = 'sha256', salt, fieldDelimiter = '~', aclDelimiter = '!' } = options
  const { name, carries, own } = VENDORS[vendor]
  const { tokenName = name, ignoreQueryString = vendor === 'cloudinary' } = options
  const early = options.escapeEarly ? escapeEarly : asItIs
  return {
    ...HASHES[algorithm],
    ...{ vendor, tokenName, carries, own, salt, ignoreQueryString, fieldDelimiter, aclDelimiter },
    escapeUrl: { akamai: early, cloudinary: escapeToLower, uploadcare: escapeAllButCommas }[vendor],
    escapeAcl: { akamai: asClientsSend, cloudinary: (acl: string) => asClientsSend(escapeToLower(acl)), uploadcare: withoutTildes }[vendor],
    escapeAddress: vendor === 'akamai' ? early : asItIs,
    escapeValue: (text) =>
      (options.escapeEarly ? escapeEarly : escapeField)(text).replaceAll(fieldDelimiter, lowerCaseEscape(fieldDelimiter)),
  }
}

function assertOptions(options: AkamaiOptions): void {
  assertKnownOptions(options, OPTIONS, 'akamai()')
  const { vendor = 'akamai', tokenName = 'x', algorithm = 'sha256', salt = 'x', fieldDelimiter = '~', aclDelimiter = '!' } = options
  const { escapeEarly = false, ignoreQueryString = false } = options
  assertOption(Object.hasOwn(VENDORS, vendor), 'vendor', "'akamai', 'cloudinary' or 'uploadcare'")
  assertOption(typeof tokenName === 'string' && /^[\w.-]+$/.test(tokenName), 'tokenName', "a name of letters, digits, '_', '.' and '-'")
  assertOption(algorithm === 'sha256' || algorithm === 'sha1' || algorithm === 'md5', 'algorithm', "'sha256', 'sha1' or 'md5'")
  assertOption(typeof salt === 'string' && salt && !/\p{Surrogate}/u.test(salt), 'salt', 'text, or left out')
  assertOption(typeof escapeEarly === 'boolean', 'escapeEarly', 'true or false')
  assertOption(typeof ignoreQueryString === 'boolean', 'ignoreQueryString', 'true or false')
  const isDelimiter = (text: unknown) => typeof text === 'string' && /^[~!|,;]$/.test(text)
  assertOption(isDelimiter(fieldDelimiter), 'fieldDelimiter', 'one of ~ ! | , ;')
  assertOption(
    isDelimiter(aclDelimiter) && aclDelimiter !== fieldDelimiter,
    'aclDelimiter',
    'one of ~ ! | , ;, and another one than fieldDelimiter',
  )
}
