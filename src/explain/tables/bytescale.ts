// Mistakes with signed URLs of Bytescale.
import { split } from '../../lib/url.ts'
import { notLast, otherForm } from '../rules/last-signature.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const BYTESCALE: Table = {
  schemes: ['bytescale'],
  forms: {
    exp: 'a time of 10 digits in seconds or of 13 in milliseconds, or inf',
    sig: '1.<id of the API key>.<43 characters of base64url without padding>, and the last parameter',
  },
  rules: [
    notLast('sig'),
    otherForm(/([?&]sig=)([^&]*)/, ''),
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
