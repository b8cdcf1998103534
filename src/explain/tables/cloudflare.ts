// Mistakes with Cloudflare's token authentication, and with its private images.
import { split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import { urls } from '../rule.ts'
import { rawValue, withValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

/** Puts the message and the time of issue together in another way: the time is the last ten digits of the string. */
const joined = (join: (message: string, issued: string) => string) => (text: string) => join(text.slice(0, -10), text.slice(-10))

const token = ({ scheme, url }: Attempt): string => rawValue(url, scheme.parameters[0] as string) ?? ''

export const CLOUDFLARE: Table = {
  schemes: ['cloudflare'],
  forms: { verify: 'the time of issue in ten digits, "-", and an HMAC-SHA-256 in base64, percent-encoded: %2B, %2F and %3D' },
  rules: [
    {
      code: 'signature_plus',
      kind: 'link',
      rarity: 1,
      sentence: 'The MAC has a "+" that is not escaped, and Cloudflare reads it as a space.',
      remedy: 'Put the MAC through encodeURIComponent before it goes into the URL.',
      variants: (attempt) =>
        urls(attempt, withValue(attempt.url, attempt.scheme.parameters[0] as string, token(attempt).replace(/\+|%20/g, '%2B'))),
    },
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'Path and time were joined in another order, or with something between them.',
      remedy: 'Sign the path and, directly behind it, the time of issue: the rule of the zone has the length of the separator.',
      variants: () =>
        rewrites(
          ...['@', '-', '?', '&', ':', '\n', '/'].map((separator) => joined((message, issued) => message + separator + issued)),
          joined((message, issued) => issued + message),
          joined((message) => message),
        ),
    },
  ],
  options: (_, { query = false, encoding = 'base64' }) => [
    { option: 'query', value: !query },
    { option: 'encoding', value: encoding === 'base64' ? 'base64url' : 'base64' },
  ],
}

export const CLOUDFLARE_IMAGES: Table = {
  schemes: ['cloudflare-images'],
  forms: { exp: 'a time in seconds since 1970, of at most eleven digits', sig: '64 hex digits in small letters' },
  rules: [
    {
      code: 'expiry_left_out',
      kind: 'text',
      rarity: 1,
      sentence: 'The path was signed without exp.',
      remedy: 'Add exp to the URL first, and sign path, "?" and query.',
      variants: () =>
        rewrites(
          (text) => text.replace(/([?&])exp=\d+&?/, '$1').replace(/[?&]$/, ''),
          (text) => text.replace(/\?.*$/, ''),
        ),
    },
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'Image, variant and expiry were joined, which is not the string that Cloudflare signs.',
      remedy: 'Sign the path and the query as they stand in the URL: /ACCOUNT/IMAGE/VARIANT?exp=1900000000.',
      variants: (attempt) => {
        const exp = rawValue(attempt.url, 'exp') ?? ''
        const segments = split(attempt.url).path.split('/').slice(2)
        return rewrites(...['', '/', ':'].map((separator) => () => [...segments, exp].join(separator)))
      },
    },
  ],
}
