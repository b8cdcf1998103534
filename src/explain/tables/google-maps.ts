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
    {
      code: 'signature_form',
      kind: 'link',
      rarity: 1,
      sentence: 'The signature is written in base64 in place of base64url, or without its padding.',
      remedy: 'Replace "+" by "-" and "/" by "_" in the signature, and keep the "=" at its end.',
      variants: (attempt) =>
        urls(
          attempt,
          attempt.url.replace(/([?&]signature=)([^&]*)/, (_, front: string, value: string) => {
            const plain = value.replace(/%2B|\+/gi, '-').replace(/%2F|\//gi, '_')
            return `${front}${plain.replace(/(=|%3D){1,2}$/i, '')}=`
          }),
        ),
    },
  ],
}
