// For schemes that sign the whole URL: the signer left a part of its beginning out. Tables of such schemes have this rule.
import { split } from '../../lib/url.ts'
import type { Rule } from '../rule.ts'
import { rewrites } from './text.ts'

export const PATH_FOR_URL: Rule = {
  code: 'path_for_url',
  kind: 'text',
  rarity: 1,
  sentence: 'The path was signed in place of the whole URL, or the URL without its scheme.',
  remedy: 'Sign the whole URL, with https:// and the host in front.',
  variants: ({ url }) => {
    const { origin } = split(url)
    const without = (part: string) => (text: string) => (part && text.includes(part) ? text.replace(part, '') : undefined)
    return rewrites(without(origin), without(/^.*?:\/\//.exec(origin)?.[0] ?? ''))
  },
}
