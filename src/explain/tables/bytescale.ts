// Mistakes with signed URLs of Bytescale.
import { split } from '../../lib/url.ts'
import { urls } from '../rule.ts'
import { piecesOf, withPieces } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const BYTESCALE: Table = {
  schemes: ['bytescale'],
  forms: {
    exp: 'a time of 10 digits in seconds or of 13 in milliseconds, or inf',
    sig: '1.<id of the API key>.<43 characters of base64url without padding>, and the last parameter',
  },
  rules: [
    {
      code: 'signature_not_last',
      kind: 'link',
      rarity: 1,
      sentence: 'The parameter sig is not the last one.',
      remedy: 'Append sig after all other parameters, and add none afterwards.',
      variants(attempt) {
        const pieces = piecesOf(attempt.url)
        const [sig, others] = [pieces.filter(({ name }) => name === 'sig'), pieces.filter(({ name }) => name !== 'sig')]
        return urls(attempt, withPieces(attempt.url, [...others, ...sig]))
      },
    },
    {
      code: 'signature_form',
      kind: 'link',
      rarity: 1,
      sentence: 'The signature is written in base64 in place of base64url, or with padding.',
      remedy: 'Replace "+" by "-" and "/" by "_" in the signature, and remove the "=" at its end.',
      variants: (attempt) =>
        urls(
          attempt,
          attempt.url.replace(/([?&]sig=)([^&]*)/, (_, front: string, value: string) => {
            const plain = value.replace(/%2B|\+/gi, '-').replace(/%2F|\//gi, '_')
            return front + plain.replace(/(=|%3D){1,2}$/i, '')
          }),
        ),
    },
    {
      code: 'scheme_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The URL was signed with its scheme, such as "https://".',
      remedy: 'Remove the scheme before signing: the string begins with the host.',
      variants: () =>
        rewrites(
          (text, { url }) => `${split(url).origin.replace(/\/\/.*$/, '//')}${text}`,
          (text) => `//${text}`,
        ),
    },
    {
      code: 'host_not_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'Path and query were signed without the host.',
      remedy: 'Sign the URL without its scheme: host, path and query.',
      variants: () => rewrites((text) => text.replace(/^[^/]*/, '')),
    },
    {
      code: 'expiry_not_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The URL was signed before exp was added.',
      remedy: 'Add exp first, then sign, then append sig.',
      variants: () => rewrites((text) => text.replace(/[?&]exp=[^&]*$/, '')),
    },
  ],
}
