// Mistakes with tokens of Bunny's CDN.
import { decodeValue, split } from '../../lib/url.ts'
import { type Attempt, SECRET_MARK } from '../attempt.ts'
import { rawValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

/** The string to sign, taken apart: nothing stands between its fields. */
interface Fields {
  readonly secret: string
  readonly path: string
  readonly expires: string
  readonly data: string
}

/** A token is in the query, or in the first segment of the path. */
const valueIn = ({ url }: Attempt, name: string): string => {
  const inPath = new RegExp(`^/bcdn_[^/]*[&_]${name}=([^&/]*)`).exec(split(url).path)?.[1]
  return decodeValue(inPath ?? rawValue(url, name) ?? '') ?? ''
}

/** Puts the fields together in another way. */
const joined = (join: (fields: Fields, attempt: Attempt) => string) => (text: string, attempt: Attempt) => {
  const expires = valueIn(attempt, 'expires')
  const at = expires ? text.indexOf(expires) : -1
  if (at < 0) return undefined
  const secret = text.startsWith(SECRET_MARK) ? SECRET_MARK : ''
  return join({ secret, path: text.slice(secret.length, at), expires, data: text.slice(at + expires.length) }, attempt)
}

const pathOf = ({ url }: Attempt): string => split(url).path.replace(/^\/bcdn_[^/]*/, '')

export const BUNNY: Table = {
  schemes: ['bunny'],
  forms: {
    token: 'HS256- and 43 characters of base64url; 43 alone are a token of the option algorithm: sha256, and 22 one of md5',
    expires: 'a time in seconds since 1970, of ten digits',
    token_path: 'a path that starts with "/"',
    token_ignore_params: 'true',
    limit: 'a whole number',
  },
  rules: [
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'The fields of the string were joined in another order than path, expiry, address and parameters.',
      remedy: 'Join path, expiry, address and parameters in this order, without anything between them.',
      variants: () =>
        rewrites(
          joined(({ secret, path, expires, data }) => secret + expires + path + data),
          joined(({ secret, path, expires, data }) => secret + path + data + expires),
          joined(({ secret, path, expires, data }) => path + expires + data + secret),
          joined(({ secret, path, expires, data }) => path + secret + expires + data),
          joined(({ secret, path, expires, data }) => `${secret}${path}|${expires}|${data}`),
        ),
    },
    {
      code: 'token_path',
      kind: 'text',
      rarity: 1,
      sentence: 'The link has a token_path, and the path of the URL was signed, or the parameter token_path was left out of the string.',
      remedy: 'With token_path, sign it in place of the path, and once more as a parameter.',
      variants: (attempt) => {
        if (!valueIn(attempt, 'token_path')) return []
        const withoutIt = (data: string) => data.replace(/&?token_path=[^&]*/, '').replace(/^&/, '')
        return rewrites(
          joined(({ secret, path, expires, data }) => secret + path + expires + withoutIt(data)),
          joined(({ secret, expires, data }) => secret + pathOf(attempt) + expires + data),
          joined(({ secret, expires, data }) => secret + pathOf(attempt) + expires + withoutIt(data)),
        )
      },
    },
    {
      code: 'query_left_out',
      kind: 'text',
      rarity: 1,
      sentence: 'The parameters were left out of the string that was signed, or are not in the order of their names, or are encoded.',
      remedy: 'Sign all parameters, decoded, as name=value in the order of their names, with "&" between them.',
      variants: () =>
        rewrites(
          joined(({ secret, path, expires }) => secret + path + expires),
          joined(({ secret, path, expires, data }) => secret + path + expires + data.split('&').reverse().join('&')),
          joined(({ secret, path, expires, data }) => secret + path + expires + data.replace(/(?<==)[^&]*/g, encodeURIComponent)),
        ),
    },
    {
      code: 'hmac_for_hash',
      kind: 'hash',
      rarity: 1,
      sentence: 'The signature is an HMAC-SHA-256, and the verifier expects the plain hash of the generation before it.',
      remedy: "Use bunny() without the option algorithm: 'sha256', and write HS256- in front of the token.",
      variants: ({ scheme: { algorithm } }) =>
        'digest' in algorithm
          ? [{ patch: { algorithm: { hmac: 'SHA-256', encoding: 'base64url' }, rewrite: (text) => text.replace(SECRET_MARK, '') } }]
          : [],
    },
  ],
  options: () => ['hs256', 'sha256', 'md5'].map((value) => ({ option: 'algorithm', value })),
}
