// Mistakes with links of Thumbor.
import { decodeValue, split } from '../../lib/url.ts'
import { type Rule, urls } from '../rule.ts'
import { withPath } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

const BEHIND = 'Sign everything after the slash that follows the signature, and nothing else.'

/** A mistake in how the signature is written: it stands in the path, so that the scheme cannot read it. */
const spelling = (code: string, sentence: string, change: (path: string) => string): Rule => ({
  code,
  kind: 'link',
  rarity: 1,
  sentence,
  remedy: 'Write the signature in base64url, with its padding: the 28 characters of urlsafe_b64encode in Python.',
  variants: (attempt) => urls(attempt, withPath(attempt.url, change)),
})

export const THUMBOR: Table = {
  schemes: ['thumbor'],
  unsigned: ({ url }) =>
    /^\/unsafe\//.test(split(url).path)
      ? {
          code: 'unsafe',
          sentence: 'The URL has the word "unsafe" in place of a signature.',
          remedy: 'Sign the URL. Servers with ALLOW_UNSAFE_URL refuse or accept such URLs for everybody.',
        }
      : undefined,
  rules: [
    spelling('signature_padding', 'The signature lacks the padding "=" at its end.', (path) =>
      path.replace(/^(\/[\w-]{27})(?:%3d)?\//, '$1=/'),
    ),
    spelling('signature_alphabet', 'The signature is in base64, with "+" and "/", in place of base64url.', (path) =>
      path.replace(
        /^\/(?:[\w+/-]|%2[BF]){27}(?:=|%3D)(?=\/)/i,
        (front) => `/${(decodeValue(front) ?? front).slice(1).replaceAll('+', '-').replaceAll('/', '_')}`,
      ),
    ),
    {
      code: 'slash_in_front',
      kind: 'text',
      rarity: 1,
      sentence: 'The string was signed with a slash before it.',
      remedy: BEHIND,
      variants: () => rewrites((text) => `/${text}`),
    },
    {
      code: 'path_not_encoded',
      kind: 'text',
      rarity: 1,
      sentence: 'Options and image were signed decoded, with spaces and letters as they are. Thumbor compares the path as clients send it.',
      remedy: 'Percent-encode the image before signing. libthumbor and others leave that to you.',
      variants: () => rewrites((text) => decodeValue(text)),
    },
    {
      code: 'options_left_out',
      kind: 'text',
      rarity: 1,
      sentence: 'The image was signed without the options before it.',
      remedy: BEHIND,
      variants: () => rewrites(...[1, 2, 3, 4].map((count) => (text: string) => text.split('/').slice(count).join('/') || undefined)),
    },
    {
      code: 'whole_url',
      kind: 'text',
      rarity: 2,
      sentence: 'The whole URL was signed, or the host with the path.',
      remedy: BEHIND,
      variants: () =>
        rewrites(
          (text, { url }) => `${split(url).origin}/${text}`,
          (text, { url }) => `${split(url).origin.replace(/^.*\/\//, '')}/${text}`,
        ),
    },
  ],
}
