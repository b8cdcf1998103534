// Mistakes with links of KeyCDN's Secure Token.
import { split } from '../../lib/url.ts'
import { type Attempt, SECRET_MARK } from '../attempt.ts'
import { isOwn, piecesOf, rawValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

/** Path, query without its "?", and expiry, if the link has one. */
function fieldsOf(attempt: Attempt) {
  const others = piecesOf(attempt.url).filter(({ name }) => !isOwn(attempt, name))
  return { path: split(attempt.url).path, query: others.map(({ text }) => text).join('&'), expire: rawValue(attempt.url, 'expire') ?? '' }
}

export const KEYCDN: Table = {
  schemes: ['keycdn'],
  forms: {
    token: '22 characters of base64url without padding: the MD5 in raw bytes, and not in hex',
    expire: 'a time in seconds since 1970, of at most eleven digits',
  },
  rules: [
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'Path, secret and expiry were joined in another order, or with a separator.',
      remedy: 'Sign the path, the secret and the expiry, in this order, with nothing between them. For an image: path, query, secret.',
      variants(attempt) {
        const { path, query, expire } = fieldsOf(attempt)
        const texts = [
          SECRET_MARK + path + query + expire,
          path + query + expire + SECRET_MARK,
          expire + path + SECRET_MARK,
          `${expire}${path} ${SECRET_MARK}`,
          `${path} ${SECRET_MARK} ${expire}`,
        ]
        return rewrites(...texts.map((text) => () => text))
      },
    },
    {
      code: 'question_mark',
      kind: 'text',
      rarity: 1,
      sentence: 'The "?" was signed between path and query.',
      remedy: 'Sign the path and right behind it the query without its "?".',
      variants(attempt) {
        const { path, query, expire } = fieldsOf(attempt)
        return rewrites(() => (query ? `${path}?${query}${SECRET_MARK}${expire}` : undefined))
      },
    },
    {
      code: 'no_expiry',
      kind: 'text',
      rarity: 2,
      sentence: 'The signer did not sign the expiry.',
      remedy: 'Sign the expiry, too. Without it, everybody can write a later one into the link.',
      variants: (attempt) => rewrites(() => fieldsOf(attempt).path + SECRET_MARK),
    },
    {
      code: 'option',
      kind: 'text',
      rarity: 1,
      sentence: 'The token covers the query as well, as with Image Processing, and the verifier expects the path only.',
      remedy:
        'Sign the path without the query. For a zone with Image Processing, set the option imageProcessing of keycdn() and leave expire out.',
      variants(attempt) {
        const { path, query, expire } = fieldsOf(attempt)
        return rewrites(() => (query && expire ? path + query + SECRET_MARK + expire : undefined))
      },
    },
  ],
}
