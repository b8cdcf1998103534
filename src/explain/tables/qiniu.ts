// Mistakes with links for private buckets of Qiniu.
import { split } from '../../lib/url.ts'
import { notLast, otherForm } from '../rules/last-signature.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const QINIU: Table = {
  schemes: ['qiniu'],
  forms: {
    e: 'a time in seconds since 1970, of at most eleven digits',
    token: '<access key>:<28 characters of base64url with the padding "=">, and the last parameter',
  },
  rules: [
    notLast('token', 'token_not_last', ': Qiniu ignores the parameters after it'),
    otherForm(/([?&]token=[\w-]+(?::|%3A))([^&]*)/i),
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
