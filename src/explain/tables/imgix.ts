// Mistakes with signed URLs of imgix.
import { SECRET_MARK } from '../attempt.ts'
import { notLast } from '../rules/last-signature.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

/** The string to sign with its query in another form. */
const withQuery = (change: (pieces: readonly string[]) => readonly string[]) => (text: string) => {
  const mark = text.indexOf('?')
  if (mark < 0) return undefined
  const query = change(text.slice(mark + 1).split('&')).join('&')
  return text.slice(0, mark) + (query && `?${query}`)
}

export const IMGIX: Table = {
  schemes: ['imgix'],
  forms: {
    expires: 'a time in seconds since 1970',
    s: '32 hex digits in lower case, in the last parameter of the URL',
  },
  rules: [
    notLast('s'),
    {
      code: 'secret_behind',
      kind: 'text',
      rarity: 1,
      sentence: 'The token was put after the path, or something stands between token and path.',
      remedy: 'Hash the token and, directly after it, the path and the query.',
      variants: () =>
        rewrites(
          (text) => text.replace(SECRET_MARK, '') + SECRET_MARK,
          ...[':', '/'].map((between) => (text: string) => text.replace(SECRET_MARK, SECRET_MARK + between)),
          (text) => text.replace(SECRET_MARK, ''),
        ),
    },
    {
      code: 'expiry_not_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The expiry was added after the URL had been signed.',
      remedy: 'Sign the URL with the parameter expires in it.',
      variants: () => rewrites(withQuery((pieces) => pieces.filter((piece) => !piece.startsWith('expires=')))),
    },
    {
      code: 'query_sorted',
      kind: 'text',
      rarity: 1,
      sentence: 'The parameters were signed in the order of their names, and the URL has them in another order.',
      remedy: 'Sign the query as the URL has it.',
      variants: () => rewrites(withQuery((pieces) => [...pieces].sort())),
    },
    {
      code: 'question_mark',
      kind: 'text',
      rarity: 2,
      sentence: 'The "?" was signed where the URL has no other parameters, or was left out where it has some.',
      remedy: 'Sign "?" and the query together, and neither if there are no parameters.',
      variants: () =>
        rewrites(
          (text) => (text.includes('?') ? undefined : `${text}?`),
          (text) => text.replace('?', ''),
        ),
    },
  ],
}
