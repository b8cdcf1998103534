// Mistakes with signed URLs of Amazon CloudFront.
import { BASE64, decode } from '../../lib/encoding.ts'
import { decodeValue, split } from '../../lib/url.ts'
import type { Mistake } from '../mistake.ts'
import { urls } from '../rule.ts'
import { PATH_FOR_URL } from '../rules/origin.ts'
import { rawValue, withValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'
import { milliseconds } from '../unread.ts'

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
    {
      code: 'canned_pattern',
      kind: 'text',
      rarity: 1,
      sentence: 'A pattern with "*" was signed, and the link has a canned policy, which is for one URL.',
      remedy: 'Send the policy itself, as Policy or CloudFront-Policy, in place of Expires: only a custom policy can have a "*".',
      variants: ({ url }) => {
        const { origin, path } = split(url)
        const host = origin.replace(/^.*:\/\//, '')
        const folders = path.split('/').map((_, depth, segments) => segments.slice(0, depth + 1).join('/'))
        const patterns = [
          ...folders.map((folder) => `${origin}${folder}/*`),
          `${origin}*`,
          `http*://${host}/*`,
          `*://${host}/*`,
          'https://*',
          '*',
        ]
        return rewrites(...patterns.map((pattern) => (text: string) => text.replace(/"Resource":"[^"]*"/, () => `"Resource":"${pattern}"`)))
      },
    },
  ],
  malformed: ({ url, headers }, parameter) => {
    if (!parameter?.endsWith('Policy')) return undefined
    const inCookie = /CloudFront-Policy=([^;]*)/.exec(headers['cookie'] ?? '')?.[1]
    return policyFault(parameter, rawValue(url, 'Policy') ?? inCookie ?? '')
  },
  options: (_, { algorithm = 'SHA1' }) => [{ option: 'algorithm', value: algorithm === 'SHA1' ? 'SHA256' : 'SHA1' }],
}

/** Why a policy cannot be read. `undefined` if it is not JSON in base64. */
function policyFault(parameter: string, encoded: string): Mistake | undefined {
  const policy = decodedJson(safe(encoded))
  if (typeof policy !== 'object' || policy === null) return undefined
  const fault = (sentence: string, remedy: string): Mistake => ({ code: 'policy_form', parameter, sentence, remedy })
  const [statement, second] = [(policy as { Statement?: unknown }).Statement ?? []].flat() as readonly Statement[]
  if (second)
    return fault(
      'The policy has several statements.',
      'Write one statement, because CloudFront accepts only one. Sign one link or cookie for each pattern.',
    )
  const conditions = statement?.Condition
  const times = ['DateLessThan', 'DateGreaterThan'].map((name) => conditions?.[name]?.['AWS:EpochTime'])
  for (const time of times) {
    if (typeof time === 'string')
      return fault('A time in the policy is a string.', 'Write the times as numbers: {"AWS:EpochTime":1893456000}.')
    if (typeof time === 'number' && time >= 1e12) return milliseconds(parameter, 'AWS:EpochTime')
    if (typeof time === 'number' && !Number.isInteger(time))
      return fault('A time in the policy has a fraction of a second.', 'Round it: times are in whole seconds.')
  }
  if (times[0] === undefined)
    return fault('The policy has no expiry.', 'Write the condition DateLessThan, with AWS:EpochTime in seconds since 1970.')
  return fault(
    'The policy has conditions or values that CloudFront does not know.',
    'Write DateLessThan and, if you like, DateGreaterThan and IpAddress, and nothing else.',
  )
}

interface Statement {
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>
}

function decodedJson(text: string): unknown {
  const plain = text.replaceAll('-', '+').replaceAll('~', '/').replace(/_+$/, '')
  const bytes = new Uint8Array(plain.length)
  const length = decode(plain, BASE64, bytes)
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(length, 0))))
  } catch {
    return undefined
  }
}
