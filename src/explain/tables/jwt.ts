// Mistakes with links that have a JSON Web Token.
import { BASE64URL, decode } from '../../lib/encoding.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

function json(part: string): string {
  const bytes = new Uint8Array(part.length)
  const length = decode(part, BASE64URL, bytes)
  return new TextDecoder().decode(bytes.subarray(0, Math.max(length, 0)))
}

export const JWT: Table = {
  schemes: ['jwt'],
  forms: { token: 'a JSON Web Token with alg HS256, or the option algorithm, and with exp in seconds since 1970' },
  rules: [
    {
      code: 'jwt_parts',
      kind: 'text',
      rarity: 1,
      sentence: 'Another text was signed than header and payload in base64url with a dot between them.',
      remedy: 'Sign base64url(header) + "." + base64url(payload), or use a library such as jose.',
      variants: () =>
        rewrites(
          (text) => text.split('.')[1],
          (text) => text.split('.').map(json).join('.'),
          (text) => json(text.split('.')[1] ?? ''),
          (text) => text.replace('.', ''),
        ),
    },
  ],
  options: (_, { claim = 'url' }) => [
    ...['HS256', 'HS384', 'HS512'].map((value) => ({ option: 'algorithm', value })),
    ...['path', 'url', false].filter((value) => value !== claim).map((value) => ({ option: 'claim', value })),
  ],
}
