// Mistakes with links for the token recipe of Fastly.
import { split } from '../../lib/url.ts'
import { rawValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const FASTLY: Table = {
  schemes: ['fastly'],
  forms: { token: 'an expiry of ten digits, "_", and 40 hex digits in small letters' },
  rules: [
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'Path and expiry were joined in another order, or with a separator.',
      remedy: 'Sign the path and right behind it the expiry in seconds.',
      variants: ({ url }) => {
        const { path } = split(url)
        const expires = rawValue(url, 'token')?.split('_', 1)[0] ?? ''
        const texts = [
          expires + path,
          `${path}_${expires}`,
          `${path}?${expires}`,
          `${path}:${expires}`,
          `${path} ${expires}`,
          `${path}\n${expires}`,
        ]
        return rewrites(...texts.map((text) => () => text))
      },
    },
    {
      code: 'no_expiry',
      kind: 'text',
      rarity: 2,
      sentence: 'The signer did not sign the expiry.',
      remedy: 'Sign the expiry, too. Without it, everybody can write a later one into the link.',
      variants: ({ url }) => rewrites(() => split(url).path),
    },
  ],
}
