// Mistakes with Signature Version 2 of S3, V1 of OSS, and OBS.
import { decodeValue, encodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import { isOwn, piecesOf } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

const CONTENT_TYPES = ['application/octet-stream', 'application/x-www-form-urlencoded', 'application/json', 'image/jpeg', 'image/png']

/** Bucket, path and sub-resources: the last of the lines. The path of an object of OSS can have line breaks. */
const RESOURCE = /\n(\/[\s\S]*)$/
const withResource = (change: (resource: string, attempt: Attempt) => string) => (text: string, attempt: Attempt) =>
  text.replace(RESOURCE, (_, resource: string) => `\n${change(resource, attempt)}`)

/** The string with another content type: the third of its lines. */
const withContentType = (contentType: string) => (text: string) => text.replace(/^(.*\n.*\n).*/, (_, front: string) => front + contentType)

export const S3V2: Table = {
  schemes: ['s3v2'],
  forms: {
    Expires: 'a time in seconds since 1970, and not a number of seconds from now on',
    Signature: '28 characters of base64, with "+" written as %2B',
    AWSAccessKeyId: 'an access key id; OSS calls it OSSAccessKeyId, and OBS AccessKeyId',
  },
  rules: [
    {
      code: 'bucket_left_out',
      kind: 'text',
      rarity: 1,
      sentence: 'The path was signed without the bucket, which the host names.',
      remedy: 'Sign /BUCKET/KEY, even for hosts that begin with the bucket.',
      variants: () => rewrites(withResource((resource) => resource.replace(/^\/[^/]+(?=\/)/, ''))),
    },
    {
      code: 'bucket_added',
      kind: 'text',
      rarity: 2,
      sentence: 'The path was signed with a bucket before it, and the verifier does not know that bucket.',
      remedy: 'If a domain of your own stands for the bucket, give the verifier the option bucket.',
      variants: ({ url }) => {
        const [first = ''] = split(url)
          .origin.replace(/^.*\/\//, '')
          .split('.', 1)
        return rewrites(withResource((resource) => `/${first}${resource}`))
      },
    },
    {
      code: 'content_type',
      kind: 'text',
      rarity: 1,
      sentence: 'The content type that was signed is not the one that the request sends.',
      remedy: 'Sign the content type that the client sends, or none if it sends none. Browsers add one to some bodies.',
      variants: () => rewrites(...['', ...CONTENT_TYPES].map(withContentType)),
    },
    {
      code: 'headers_block',
      kind: 'text',
      rarity: 1,
      sentence: 'The string that was signed lacks the headers of the vendor, or has an empty line for them where there are none.',
      remedy: 'Write "name:value" and a line break for each header of the vendor, and nothing if there are none.',
      variants: () =>
        rewrites(
          withResource((resource) => `\n${resource}`),
          (text) => text.replace(/\n(x-(?:amz|oss|obs)-.*\n)+/, '\n'),
        ),
    },
    {
      code: 'token_left_out',
      kind: 'text',
      rarity: 1,
      sentence: 'The token of temporary credentials was not signed.',
      remedy: 'Sign the token as the vendor does: S3 as a header, OSS and OBS as a sub-resource.',
      variants: () =>
        rewrites(
          (text) => text.replace(/\nx-amz-security-token:.*/, ''),
          withResource((resource) => resource.replace(/([?&])(x-obs-)?security-token=[^&]*&?/, '$1').replace(/[?&]$/, '')),
        ),
    },
    {
      code: 'parameter_encoded',
      kind: 'text',
      rarity: 1,
      sentence: 'The values of sub-resources were signed percent-encoded.',
      remedy: 'Sign them decoded, and encode them afterwards, when they are put into the URL.',
      variants: () => rewrites(withResource((resource) => resource.replace(/=([^&]*)/g, (_, value: string) => `=${encodeValue(value)}`))),
    },
    {
      code: 'query_in_path',
      kind: 'text',
      rarity: 1,
      sentence: 'Parameters were signed that are not sub-resources.',
      remedy: 'Sign only the parameters that the vendor lists.',
      variants: (attempt) => {
        const others = piecesOf(attempt.url)
          .filter(({ name }) => !isOwn(attempt, name))
          .map(({ text }) => text)
        const behindPath = (query: string) => withResource((resource) => `${resource.split('?', 1)[0]}?${query}`)
        return others.length > 0
          ? rewrites(...[others, [...others].sort()].map((list) => behindPath(decodeValue(list.join('&')) ?? '')))
          : []
      },
    },
  ],
  options: (_, { vendor = 's3' }) => ['s3', 'oss', 'obs'].filter((other) => other !== vendor).map((value) => ({ option: 'vendor', value })),
}
