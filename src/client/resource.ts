// resourceIn: the URL that a link opens, without the link's own parameters.
import type { UnverifiedClaims } from '../core/claims.ts'
import type { Scheme } from '../core/scheme.ts'
import { PARTS } from '../recognise/values.ts'
import { claimsIn } from './expires-in.ts'

/** The URL that a link opens. `undefined` for text that is not a link. If several vendors write such links, all agree on this URL. */
export function resourceIn(link: string, scheme: Scheme | undefined): string | undefined {
  const [claims] = claimsIn(link, scheme)
  return claims && withOrigin(claims, link)
}

/** The resource of a link. Where the signature does not cover the host, some schemes leave it out. */
export function withOrigin({ resource }: UnverifiedClaims, link: string): string {
  return resource.startsWith('/') ? (PARTS.exec(link)?.[1] ?? '') + resource : resource
}
