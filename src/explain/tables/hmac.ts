// Mistakes with links of the scheme hmac: options that differ between signer and verifier.
import { split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import { isOwn, piecesOf } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { OptionChange, Table } from '../table.ts'

const SECONDS = 'a time in seconds since 1970, of at most eleven digits'

/** Replaces one line of the string to sign. docs/spec.md has their order. */
const withLine = (which: number, value: (attempt: Attempt) => string) => (text: string, attempt: Attempt) =>
  text
    .split('\n')
    .map((line, at) => (at === which ? value(attempt) : line))
    .join('\n')

export const HMAC: Table = {
  schemes: ['hmac'],
  forms: {
    expires: SECONDS,
    starts: SECONDS,
    method: 'names in upper case with commas between them, such as GET,POST',
    net: 'the length of a network in bits, such as 24',
    prefix: 'a path that starts with "/"',
    uses: 'a whole number from 1',
    id: 'text; links with uses need one',
    key: 'the id of a key',
    signature: '43 characters of base64url, or 86 for a link that is for one address or network',
  },
  rules: [
    {
      code: 'purpose',
      kind: 'text',
      rarity: 1,
      sentence: 'The link was signed without a purpose, and the verifier has one.',
      remedy: 'Give hmac() the same option purpose on both sides.',
      variants: () => rewrites(withLine(1, () => '')),
    },
    {
      code: 'origin',
      kind: 'text',
      rarity: 1,
      sentence:
        'Signer and verifier have different values of the option origin: one of them covers scheme and host, and the other does not.',
      remedy: 'Give hmac() the same option origin on both sides.',
      variants: () =>
        rewrites(
          withLine(2, ({ url }) => split(url).origin),
          withLine(2, () => ''),
          withLine(2, ({ url }) => split(url).origin.toLowerCase()),
        ),
    },
  ],

  options(attempt, { origin = false, placement = 'query', ignore, purpose }): readonly OptionChange[] {
    const foreign = piecesOf(attempt.url)
      .map(({ name }) => name)
      .filter((name) => !isOwn(attempt, name))
    const change = (option: string, value: unknown) => ({ option, value })
    return [
      change('origin', !origin),
      change('placement', placement === 'path' ? 'query' : 'path'),
      ...(purpose === undefined ? [] : [change('purpose', undefined)]),
      change('parameters', {}),
      ...(foreign.length > 0 ? [change('ignore', foreign), ...foreign.slice(0, 8).map((name) => change('ignore', [name]))] : []),
      ...(ignore === undefined ? [] : [change('ignore', [])]),
    ]
  },
}
