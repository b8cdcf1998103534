// Mistakes with signed URLs and cookies of Google's Cloud CDN.
import { PATH_FOR_URL } from '../rules/origin.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const CLOUD_CDN: Table = {
  schemes: ['cloud-cdn'],
  forms: {
    URLPrefix: 'base64url of scheme, host and the beginning of the path, in front of the other parameters',
    Expires: 'a time in seconds since 1970, of at most eleven digits, with KeyName and Signature behind it',
    KeyName: 'the name of the key, between Expires and Signature',
    Signature: 'an HMAC-SHA-1 in base64url of 28 characters with its "=", at the end of the URL',
  },
  rules: [
    PATH_FOR_URL,
    {
      code: 'prefix_or_url',
      kind: 'text',
      rarity: 1,
      sentence: 'The whole URL was signed, and the link has a prefix, with which only the fields are signed.',
      remedy: 'With URLPrefix, sign "URLPrefix=…&Expires=…&KeyName=…", and nothing in front of it.',
      variants: () => rewrites((text, { url }) => (text.startsWith('URLPrefix=') ? url.slice(0, url.indexOf('&Signature=')) : undefined)),
    },
    {
      code: 'fields_left_out',
      kind: 'text',
      rarity: 1,
      sentence: 'The URL was signed without the expiry, or without the name of the key.',
      remedy: 'Append Expires and KeyName first, and sign the URL with them.',
      variants: () =>
        rewrites(
          (text) => text.replace(/[&:]KeyName=.*$/, ''),
          (text) => text.replace(/[?&:]Expires=.*$/, ''),
        ),
    },
  ],
}
