// folderOf: adds the token of a link that opens a folder to other URLs of the folder.
import { assertOption } from '../core/errors.ts'
import type { Scheme } from '../core/scheme.ts'
import { PARTS } from '../recognise/values.ts'
import { claimsIn } from './expires-in.ts'
import { resourceIn, withOrigin } from './resource.ts'

/** The folder that a link opens. */
export interface Folder {
  /** A URL of the folder, with the token of `link`. `undefined` for a URL that does not lie in the folder. Relative URLs are resolved against the folder's link. */
  withToken(url: string, link: string): string | undefined
  /** Does this URL have a token already, other than that of `link`? */
  hasOtherToken(url: string, link: string): boolean
}

// For links that are paths.
const NO_ORIGIN = 'http://relative.invalid'

/** The folder that a link opens. Throws a `LinkError` for a link without a prefix. */
export function folderOf(link: string, scheme: Scheme | undefined): Folder {
  const resourceOf = (url: string): string | undefined => resourceIn(url, scheme)
  const claims = claimsIn(link, scheme).find(({ prefix }) => prefix)
  assertOption(claims?.prefix, 'link', 'a link that opens a folder: sign it with a prefix')
  const { prefix } = claims
  const base = new URL(withOrigin(claims, link), NO_ORIGIN)
  const { pathname: path } = new URL(prefix.replace(/\/?$/, '/'), base)

  function withToken(url: string, fresh: string): string | undefined {
    // Without the URL's own token: relative URLs keep a token that is in the path.
    const bare = resourceOf(url) ?? url
    if (!URL.canParse(bare, base)) return undefined
    const { origin, pathname, search, hash } = new URL(bare, base)
    if (origin !== base.origin || !pathname.startsWith(path)) return undefined
    const { segment, parameters } = tokenIn(fresh, resourceOf(fresh) ?? fresh)
    const query = [search.slice(1), ...parameters].filter(Boolean).join('&')
    return `${origin === NO_ORIGIN ? '' : origin}${segment}${pathname}${query && `?${query}`}${hash}`
  }
  return {
    withToken,
    hasOtherToken: (url, fresh) => resourceOf(url) !== undefined && withToken(url, fresh) !== url,
  }
}

/** The parts of a link that are not in its resource: a first segment of the path, and parameters of the query. */
function tokenIn(link: string, resource: string): { segment: string; parameters: string[] } {
  const [, , path = '', query = ''] = PARTS.exec(link) ?? []
  const [, , rest = '', others = ''] = PARTS.exec(resource) ?? []
  const own = others.slice(1).split('&')
  const parameters = query
    .slice(1)
    .split('&')
    .filter((piece) => {
      const at = own.indexOf(piece)
      // Each parameter of the resource accounts for one parameter of the link.
      if (at >= 0) own.splice(at, 1)
      return at < 0
    })
  return { segment: path.endsWith(rest) ? path.slice(0, path.length - rest.length) : '', parameters }
}
