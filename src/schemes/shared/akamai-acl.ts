// The ACL of Akamai's edge tokens: patterns of paths.
import { assertOption } from '../../core/errors.ts'
import type { Edge } from './akamai-edge.ts'
import { patternsOf } from './edge-token.ts'

/** What a link opens, as `sign` was asked. */
export interface Opened {
  readonly acl: string | readonly string[] | undefined
  readonly prefix: string | undefined
  /** The path of the link's own URL. */
  readonly path: string
}

/** The ACL as the token has it. `undefined` for a link that is for its own URL. */
export function aclOf(edge: Edge, { acl, prefix, path }: Opened): string | undefined {
  assertOption(acl === undefined || prefix === undefined, 'acl', 'left out with a prefix')
  if (acl !== undefined) return aclText(edge, acl)
  if (prefix !== undefined) {
    assertPlain(edge, prefix, 'prefix')
    return aclText(edge, patternsOf(prefix))
  }
  // Uploadcare's tokens always have an ACL.
  if (edge.vendor !== 'uploadcare') return undefined
  assertPlain(edge, path, 'url')
  return aclText(edge, path)
}

/** Throws if the path has a character with a meaning in tokens. */
function assertPlain(edge: Edge, path: string, option: string): void {
  const { aclDelimiter, fieldDelimiter } = edge
  const isPlain = !/[*?]/.test(path) && isPattern(edge, path)
  assertOption(isPlain, option, `without '*', '?', '&', '${aclDelimiter}' and '${fieldDelimiter}', which mean something in a token`)
}

function aclText(edge: Edge, acl: string | readonly string[]): string {
  const { aclDelimiter, fieldDelimiter, escapeAcl } = edge
  const list = typeof acl === 'string' ? acl.split(aclDelimiter) : acl
  const isList = Array.isArray(list) && list.length > 0 && list.every((each) => isPattern(edge, each))
  const rule = `a pattern such as '/videos/*', or a list of them, without '#', '&', '${aclDelimiter}' and '${fieldDelimiter}'`
  assertOption(isList, 'acl', rule)
  return escapeAcl(list.join(aclDelimiter))
}

/** One pattern. It may have a character that would end the field, if this edge escapes that. */
function isPattern({ aclDelimiter, fieldDelimiter, escapeAcl }: Edge, pattern: unknown): boolean {
  if (typeof pattern !== 'string' || !pattern || pattern.includes('#') || pattern.includes(aclDelimiter)) return false
  const written = escapeAcl(pattern)
  return !written.includes('&') && !written.includes(fieldDelimiter)
}
