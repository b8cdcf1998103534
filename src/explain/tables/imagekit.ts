// Mistakes with signed URLs of ImageKit.
import { split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import type { Variant } from '../rule.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

/** Other strings from the URL behind the endpoint and the expiry, which has ten digits. `front` is the endpoint as it stands in the URL. */
const joined = (...ways: readonly ((resource: string, expires: string, front: string) => string)[]): readonly Variant[] =>
  rewrites(
    ...ways.map((way) => (text: string, { url }: Attempt) => {
      const resource = text.slice(0, -10)
      const [path = ''] = resource.split('?', 1)
      const { origin, path: whole } = split(url)
      return way(resource, text.slice(-10), origin + whole.slice(0, whole.length - path.length))
    }),
  )

export const IMAGEKIT: Table = {
  schemes: ['imagekit'],
  forms: {
    'ik-t': 'a time in seconds since 1970 of ten digits, which is left out for links that never expire',
    'ik-s': '40 hex digits in small letters',
  },
  rules: [
    {
      code: 'endpoint_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The URL endpoint was signed as well, or a part of it, or a slash in front of the path.',
      remedy: 'Sign what stands behind the URL endpoint and its slash: tr:w-300/cat.jpg and the query.',
      variants: () =>
        joined(
          (resource, expires) => `/${resource}${expires}`,
          (resource, expires, front) => front + resource + expires,
          (resource, expires, front) => front.replace(/^[a-z]+:\/\/[^/]*\//, '') + resource + expires,
          (resource, expires, front) => front.replace(/^[a-z]+:\/\/[^/]*/, '') + resource + expires,
        ),
    },
    {
      code: 'expiry_not_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The expiry was not signed, or not the time for links that never expire.',
      remedy: 'Append the expiry to the URL before signing, or 9999999999 if the link never expires.',
      variants: () =>
        joined(
          (resource) => resource,
          (resource) => `${resource}0`,
          (resource) => `${resource}9999999999`,
          (resource) => `${resource}undefined`,
        ),
    },
    {
      code: 'expiry_parameter',
      kind: 'text',
      rarity: 1,
      sentence: 'The URL was signed with the parameter ik-t in it.',
      remedy: 'Sign the URL without ik-t and ik-s, and the expiry behind it.',
      variants: () =>
        joined(
          (resource, expires) => `${resource}${resource.includes('?') ? '&' : '?'}ik-t=${expires}`,
          (resource, expires) => `${resource}${resource.includes('?') ? '&' : '?'}ik-t=${expires}${expires}`,
        ),
    },
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'URL and expiry were signed in another order, or with something between them.',
      remedy: 'Sign the URL behind the endpoint, and directly behind it the expiry.',
      variants: () =>
        joined(
          (resource, expires) => expires + resource,
          ...[':', '|', '\n', '.', '?'].map((between) => (resource: string, expires: string) => resource + between + expires),
        ),
    },
  ],
}
