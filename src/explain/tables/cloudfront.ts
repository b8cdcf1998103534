// Mistakes with signed URLs of Amazon CloudFront.
import { decodeValue } from '../../lib/url.ts'
import { urls } from '../rule.ts'
import { PATH_FOR_URL } from '../rules/origin.ts'
import { rawValue, withValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

const SAFE = { '+': '-', '=': '_', '/': '~' } as const

/** Base64 in CloudFront's alphabet. */
const safe = (text: string): string =>
  (decodeValue(text) ?? text).replaceAll(' ', '+').replace(/[+=/]/g, (character) => SAFE[character as keyof typeof SAFE])

export const CLOUDFRONT: Table = {
  schemes: ['cloudfront'],
  forms: {
    Policy: 'a policy in base64 with "-", "_" and "~" in place of "+", "=" and "/"; one statement, with DateLessThan',
    Expires: 'a time in seconds since 1970, the one of the policy',
    'Key-Pair-Id': 'the id of the public key, such as K2JCJMDEHXQW5F',
    Signature: 'base64 with "-", "_" and "~" in place of "+", "=" and "/"',
    'Hash-Algorithm': 'SHA1 or SHA256',
  },
  rules: [
    {
      code: 'signature_alphabet',
      kind: 'link',
      rarity: 1,
      sentence: 'Signature or policy are in plain base64, and CloudFront has another alphabet.',
      remedy: 'Replace "+" by "-", "=" by "_" and "/" by "~" in Policy and Signature.',
      variants: (attempt) => {
        const names = ['Policy', 'Signature'].filter((name) => rawValue(attempt.url, name) !== undefined)
        return urls(
          attempt,
          names.reduce((url, name) => withValue(url, name, safe(rawValue(url, name) ?? '')), attempt.url),
        )
      },
    },
    {
      code: 'hash_algorithm',
      kind: 'link',
      rarity: 1,
      sentence: 'The link does not name the hash that it was signed with.',
      remedy: 'Add Hash-Algorithm=SHA256 to links that are signed with SHA-256, and leave it out with SHA-1.',
      variants: (attempt) =>
        urls(attempt, withValue(attempt.url, 'Hash-Algorithm', rawValue(attempt.url, 'Hash-Algorithm') === 'SHA256' ? 'SHA1' : 'SHA256')),
    },
    {
      code: 'policy_spaces',
      kind: 'text',
      rarity: 1,
      sentence: 'The policy was signed with white space in its JSON, and CloudFront makes it without.',
      remedy: 'Print the policy without white space: separators=(",", ":") in Python. A custom policy is signed as the link has it.',
      variants: () =>
        rewrites(
          (text) => text.replace(/([{[,]|":)(?=["{[\d])/g, (mark) => (/[:,]/.test(mark) ? `${mark} ` : mark)),
          // Texts between quotes stay. They are matched as a whole, because counting the quotes behind each space takes cubic time.
          (text) => text.replace(/"[^"]*"|\s+/g, (found) => (found.startsWith('"') ? found : '')),
        ),
    },
    PATH_FOR_URL,
  ],
  options: (_, { algorithm = 'SHA1' }) => [{ option: 'algorithm', value: algorithm === 'SHA1' ? 'SHA256' : 'SHA1' }],
}
