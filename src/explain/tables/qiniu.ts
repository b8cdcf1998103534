// Mistakes with links for private buckets of Qiniu.
import { split } from '../../lib/url.ts'
import { urls } from '../rule.ts'
import { piecesOf, withPieces } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const QINIU: Table = {
  schemes: ['qiniu'],
  forms: {
    e: 'a time in seconds since 1970, of at most eleven digits',
    token: '<access key>:<28 characters of base64url with the padding "=">, and the last parameter',
  },
  rules: [
    {
      code: 'token_not_last',
      kind: 'link',
      rarity: 1,
      sentence: 'The parameter token is not the last one.',
      remedy: 'Append token after all other parameters, and add none afterwards: Qiniu ignores the parameters after it.',
      variants(attempt) {
        const pieces = piecesOf(attempt.url)
        const last = pieces.filter(({ name }) => name === 'token')
        return urls(attempt, withPieces(attempt.url, [...pieces.filter(({ name }) => name !== 'token'), ...last]))
      },
    },
    {
      code: 'signature_form',
      kind: 'link',
      rarity: 1,
      sentence: 'The signature is written in base64 in place of base64url, or without its padding.',
      remedy: 'Replace "+" by "-" and "/" by "_" in the signature, and keep the "=" at its end.',
      variants: (attempt) =>
        urls(
          attempt,
          attempt.url.replace(/([?&]token=[\w-]+(?::|%3A))([^&]*)/i, (_, front: string, value: string) => {
            const plain = value.replace(/%2B|\+/gi, '-').replace(/%2F|\//gi, '_')
            return `${front}${plain.replace(/(=|%3D){1,2}$/i, '')}=`
          }),
        ),
    },
    {
      code: 'expiry_not_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The URL was signed before e was added.',
      remedy: 'Add e first, then sign, then append token.',
      variants: () => rewrites((text) => text.replace(/[?&]e=\d+$/, '')),
    },
    {
      code: 'host_not_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'Path and query were signed without scheme and host.',
      remedy: 'Sign the whole URL, from its scheme on.',
      variants: () => rewrites((text) => text.slice(split(text).origin.length)),
    },
    {
      code: 'scheme',
      kind: 'text',
      rarity: 1,
      sentence: 'The link was signed for http and is used with https, or the other way round.',
      remedy: 'Sign the URL with the scheme that clients use, and verify the URL that the client sent, even behind a proxy.',
      variants: () =>
        rewrites(
          (text) => text.replace(/^https:/, 'http:'),
          (text) => text.replace(/^http:/, 'https:'),
        ),
    },
  ],
}
