// Mistakes with links of imgproxy.
import { bytesOf } from '../../core/crypto.ts'
import type { SecretKey } from '../../core/keys.ts'
import { encode, HEX } from '../../lib/encoding.ts'
import { decodeValue, split } from '../../lib/url.ts'
import { type Attempt, messageOf } from '../attempt.ts'
import { urls, type Variant } from '../rule.ts'
import { withPath } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

/** Ways to make the string to sign from the salt and the path after the signature. */
const joined = (...ways: readonly ((salt: string, path: string, attempt: Attempt) => string | undefined)[]): readonly Variant[] =>
  rewrites(
    ...ways.map((way) => (text: string, attempt: Attempt) => {
      const path = signedPath(text, attempt)
      return path && way(text.slice(0, text.length - path.length), path, attempt)
    }),
  )

/** The path at the end of the string to sign: the part of the URL's path after the signature. */
function signedPath(text: string, { url }: Attempt): string | undefined {
  const { path } = split(url)
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) if (text.endsWith(path.slice(at))) return path.slice(at)
  return undefined
}

/** The key with secret and salt exchanged, under another id, so that the string to sign is made anew. */
function exchanged(key: SecretKey & { readonly salt?: Uint8Array }): SecretKey | undefined {
  const { secret, salt } = key
  return salt && { ...key, id: `${key.id} exchanged`, secret: salt, ...{ salt: secret } }
}

export const IMGPROXY: Table = {
  schemes: ['imgproxy'],
  rules: [
    {
      code: 'salt_missing',
      kind: 'text',
      rarity: 1,
      sentence: 'The path was signed without the salt before it.',
      remedy: 'Sign the bytes of IMGPROXY_SALT, and then the path.',
      variants: () =>
        joined(
          (_, path) => path,
          (salt, path) => path + salt,
        ),
    },
    {
      code: 'salt_not_decoded',
      kind: 'text',
      rarity: 1,
      sentence: 'The salt was signed as the text of its hex digits, and imgproxy uses the bytes that these stand for.',
      remedy: 'Decode IMGPROXY_SALT from hex, and IMGPROXY_KEY, too.',
      variants: () => joined((salt, path) => encode(bytesOf(messageOf(salt)), HEX) + path),
    },
    {
      code: 'salt_for_key',
      kind: 'secret',
      rarity: 1,
      sentence: 'Key and salt were exchanged.',
      remedy: 'Use IMGPROXY_KEY as the key of the HMAC, and put IMGPROXY_SALT before the path.',
      variants: () => [{ patch: { rekeyed: 'salt_for_key', rekey: exchanged } }],
    },
    {
      code: 'path_without_slash',
      kind: 'text',
      rarity: 1,
      sentence: 'The path was signed without its first slash.',
      remedy: 'Sign the path with the slash after the signature.',
      variants: () => joined((salt, path) => salt + path.slice(1)),
    },
    {
      code: 'source_only',
      kind: 'text',
      rarity: 1,
      sentence: 'The source was signed without the options before it, or the options without the source.',
      remedy: 'Sign the whole path after the signature, with all options.',
      variants: () =>
        joined(
          (salt, path) => salt + path.replace(/^.*?(?=\/plain\/)/, ''),
          (salt, path) => salt + path.replace(/^.*?\/plain\//, ''),
          (salt, path) => salt + path.replace(/^(\/[^/]*:[^/]*)+/, ''),
          (salt, path) => salt + path.replace(/^((\/[^/]*:[^/]*)+).*/, '$1'),
        ),
    },
    {
      code: 'path_not_encoded',
      kind: 'text',
      rarity: 1,
      sentence: 'The source was signed with spaces or letters as they are, and clients send them percent-encoded.',
      remedy: 'Encode a plain source before signing, or write it in base64.',
      variants: () =>
        joined((salt, path) => {
          const plain = decodeValue(path)
          return plain && salt + plain
        }),
    },
    {
      code: 'query_in_path',
      kind: 'text',
      rarity: 1,
      sentence: 'A plain source was signed with its query, and imgproxy cuts off the text after a "?".',
      remedy: 'Write the "?" of a plain source as %3F, or write the source in base64.',
      variants: () => joined((salt, path, { url }) => salt + path + split(url).query),
    },
    {
      code: 'signature_padding',
      kind: 'link',
      rarity: 1,
      sentence: 'The signature has the padding "=" at its end.',
      remedy: 'Write base64url without padding.',
      variants: (attempt) =>
        urls(
          attempt,
          withPath(attempt.url, (path) => path.replace(/(=|%3D){1,2}(?=\/)/i, '')),
        ),
    },
  ],
  malformed: ({ url, scheme }) => {
    const [, signature = ''] = /^(?:\/[^/:]*)*?\/([^/:]+)\/(?:[a-z_]+:|plain\/)/i.exec(split(url).path) ?? []
    const { bytes = 32 } = scheme.algorithm
    const length = Math.ceil((bytes * 4) / 3)
    if (!signature || signature.length === length) return undefined
    const isHex = /^[\da-f]{64}$/i.test(signature)
    return {
      code: isHex ? 'signature_hex' : 'signature_length',
      sentence: isHex
        ? 'The signature is written in hex, and the scheme writes base64.'
        : `The signature has ${signature.length} characters, and the verifier expects ${length}.`,
      remedy: isHex
        ? 'Encode the bytes of the HMAC in base64url without padding.'
        : 'Do not shorten the signature, or give both sides the same size: IMGPROXY_SIGNATURE_SIZE, which is the option signatureSize.',
    }
  },
  options: ({ url }) =>
    split(url)
      .path.split('/')
      .slice(1, 4)
      .filter((segment) => /^[\w-]{1,43}$/.test(segment))
      .map((segment) => ({ option: 'signatureSize', value: Math.floor((segment.length * 3) / 4) })),
}
