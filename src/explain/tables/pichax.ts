// Mistakes with links of PichaX.
import { decodeValue } from '../../lib/url.ts'
import { rawValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const PICHAX: Table = {
  schemes: ['pichax'],
  forms: {
    id: 'text',
    expires: 'a time in seconds since 1970, of at most eleven digits',
    key: 'the public API key',
    signature: '64 hex digits in lower case',
  },
  rules: [
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'The fields of the string were joined in another order or with another separator than id:expires.',
      remedy: 'Sign id, a colon, and the expiry in seconds.',
      variants: ({ url }) => {
        const id = decodeValue((rawValue(url, 'id') ?? '').replaceAll('+', ' ')) ?? ''
        const expires = rawValue(url, 'expires') ?? ''
        const key = decodeValue(rawValue(url, 'key') ?? '') ?? ''
        return rewrites(
          ...[
            `${expires}:${id}`,
            id + expires,
            `${id}|${expires}`,
            `${id}.${expires}`,
            `${id}\n${expires}`,
            id,
            expires,
            `${id}:${expires}:${key}`,
            `${key}:${id}:${expires}`,
          ].map((text) => () => text),
        )
      },
    },
  ],
}
