// Mistakes with signed requests for the Google Maps Platform.
import { urls } from '../rule.ts'
import { piecesOf, withPieces } from '../rules/parts.ts'
import type { Table } from '../table.ts'

export const GOOGLE_MAPS: Table = {
  schemes: ['google-maps'],
  forms: { signature: '28 characters of base64url with the padding "=", and the last parameter' },
  rules: [
    {
      code: 'signature_not_last',
      kind: 'link',
      rarity: 1,
      sentence: 'The parameter signature is not the last one.',
      remedy: 'Append signature after all other parameters, and add none afterwards.',
      variants(attempt) {
        const pieces = piecesOf(attempt.url)
        const last = pieces.filter(({ name }) => name === 'signature')
        return urls(attempt, withPieces(attempt.url, [...pieces.filter(({ name }) => name !== 'signature'), ...last]))
      },
    },
  ],
}
