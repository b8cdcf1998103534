// urlWithoutLink: the URL that handlers behind middleware get, without the parameters of the link.
import type { Claims } from '../../core/claims.ts'
import { inspect } from '../../core/inspect.ts'
import type { Scheme } from '../../core/scheme.ts'
import { normalPath } from '../../lib/normalise.ts'
import { split } from '../../lib/url.ts'

/** The members of `anyOf` that can have signed a link, by the name in its verdict. A link does not show which of several members with one name signed it. */
export function signersIn(scheme: Scheme, name: string): readonly Scheme[] {
  return (scheme.schemes ?? [scheme]).filter((member) => member.name === name)
}

/**
 * The URL for the handlers that follow: `claims.resource`, without the path that the middleware is mounted at.
 *
 * The query has only what the signature covers, because a client can change the rest. The path is the proved one, too. But if the signature covers no
 * path, or only a part of it, the path is that of the request without the link's token, as in NGINX: a link of `nginx` with the expression
 * `$secure_link_expires $secret` opens every path. With the proved path, every such link would open `/`.
 *
 * @param signers - The schemes that can have signed the link. Not all of `anyOf`: a client can add parameters that another scheme reads as a link of
 *   its own, and that scheme would leave the token in the path.
 * @param original - The target of the request, as the client sent it.
 * @param url - The same, as the framework left it: without the path of the mount.
 */
export function urlWithoutLink(signers: readonly Scheme[], original: string, url: string, { resource }: Claims): string {
  // If the rest does not begin with a `/`, frameworks add one that was not in the request.
  const tail = original.endsWith(url) ? url : url.slice(1)
  const { path, query } = split(resource)
  const left = split(url)
  // The path of a handler in front that has rewritten it stays, and the query of one that has rewritten that.
  const rewritten = left.query === split(original).query ? left.path + query : url
  if (!original.endsWith(tail)) return rewritten
  const mount = original.slice(0, original.length - tail.length)
  const rest = behind(mount, isSamePath(path, split(original).path) ? path : pathFor(signers, original, path))
  // If the token is in the path, the mount contains it.
  if (rest === undefined) return rewritten
  // Frameworks later remove the `/` that they added. If it were missing, they would open `/filestxt` for the link to `/files.txt`.
  return (rest[0] === '/' ? rest : `/${rest}`) + query
}

/** The proved path if it is the whole path of the request without a token, and otherwise the path of the request without the token. */
function pathFor(signers: readonly Scheme[], original: string, proved: string): string {
  let shortest = split(original).path
  for (const signer of signers) {
    const { path } = split(inspect(signer, original)?.unverified.resource ?? original)
    if (isSamePath(proved, path)) return proved
    // The member that signed removes the token.
    if (path.length < shortest.length) shortest = path
  }
  return shortest
}

/** The part of a path after the mount. The path has the mount as in the request, or in normal form. */
function behind(mount: string, path: string): string | undefined {
  const front = [mount, normalPath(mount)].find((spelling) => path.startsWith(spelling))
  return front === undefined ? undefined : path.slice(front.length)
}

/** Are these two spellings of the same path, as it was sent and as it was signed? Schemes escape paths, and NGINX merges slashes. */
function isSamePath(one: string, other: string): boolean {
  return one === other || unescaped(one) === unescaped(other)
}

function unescaped(path: string): string {
  return path.replace(/%[\da-f]{2}/gi, (byte) => String.fromCharCode(Number.parseInt(byte.slice(1), 16))).replace(/\/{2,}/g, '/')
}
