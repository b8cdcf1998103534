// Mistakes with a signature that must be the last parameter, in base64url.
import type { Attempt } from '../attempt.ts'
import { type Rule, urls } from '../rule.ts'
import { piecesOf, withPieces } from './parts.ts'

/** The parameter with the signature is not the last one. */
export const notLast = (parameter: string, code = 'signature_not_last', reason = ''): Rule => ({
  code,
  kind: 'link',
  rarity: 1,
  sentence: `The parameter ${parameter} is not the last one.`,
  remedy: `Append ${parameter} after all other parameters, and add none afterwards${reason}.`,
  variants(attempt: Attempt) {
    const pieces = piecesOf(attempt.url)
    const isSignature = ({ name }: { readonly name: string }) => name === parameter
    return urls(attempt, withPieces(attempt.url, [...pieces.filter((piece) => !isSignature(piece)), ...pieces.filter(isSignature)]))
  },
})

/** The signature is in base64, or its padding is wrong. `place` finds the text before the signature, and the signature. */
export const otherForm = (place: RegExp, padding: '=' | '' = '='): Rule => ({
  code: 'signature_form',
  kind: 'link',
  rarity: 1,
  sentence: `The signature is written in base64 in place of base64url, or ${padding ? 'without its' : 'with'} padding.`,
  remedy: `Replace "+" by "-" and "/" by "_" in the signature, and ${padding ? 'keep' : 'remove'} the "=" at its end.`,
  variants: (attempt: Attempt) =>
    urls(
      attempt,
      attempt.url.replace(place, (_, front: string, value: string) => {
        const plain = value.replace(/%2B|\+/gi, '-').replace(/%2F|\//gi, '_')
        return front + plain.replace(/(=|%3D){1,2}$/i, '') + padding
      }),
    ),
})
