// Mistakes with links of the package signed.
import { split } from '../../lib/url.ts'
import { SECRET_MARK } from '../attempt.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const SIGNED: Table = {
  schemes: ['signed'],
  forms: {
    signed: 'r_<random>-e_<expiry>-a_<address>-m_<methods>-<hash>, in this order, with the hash in small letters, as the last parameter',
  },
  rules: [
    {
      code: 'fields_not_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The URL was hashed without the parameter signed.',
      remedy: 'Append signed=r_… with all its fields first, then hash the URL and the secret.',
      variants: () => rewrites((text) => text.replace(/[?&]signed=[^&]*$/, SECRET_MARK)),
    },
    {
      code: 'secret_first',
      kind: 'text',
      rarity: 1,
      sentence: 'The secret was put in front of the URL.',
      remedy: 'Put the secret behind the URL.',
      variants: () => rewrites((text) => SECRET_MARK + text.replace(SECRET_MARK, '')),
    },
    {
      code: 'host_not_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'Path and query were signed without scheme and host.',
      remedy: 'Sign the whole URL, or give verifier and signer the option absolute: false.',
      variants: () => rewrites((text) => text.slice(split(text).origin.length)),
    },
    {
      code: 'scheme',
      kind: 'text',
      rarity: 1,
      sentence: 'The link was signed for http and is used with https, or the other way round.',
      remedy: 'Sign the URL with the scheme that clients use, and verify the URL that the client sent, also behind a proxy.',
      variants: () =>
        rewrites(
          (text) => text.replace(/^https:/, 'http:'),
          (text) => text.replace(/^http:/, 'https:'),
        ),
    },
  ],
}
