// The options of a presigned URL that all storages share: one method, a URL that can be opened, and headers and parameters to sign.
import { assertOption } from '../../core/errors.ts'
import type { Grant } from '../../core/scheme.ts'
import { encodeValue } from '../../lib/url.ts'
import { textsOf } from './texts-of.ts'

/** Names of headers, in lower case. `Headers.get` throws for some other names, and links name headers. */
export const HEADER_NAME: RegExp = /^[a-z\d_.-]+$/

/** The schemes of URLs that a request can have. They are not signed. */
export const HTTP: RegExp = /^https?:/i

/**
 * A parameter without a value that looks like the end of a file's name: `/who?.png` would sign the key `who`. No sub-resource, such as `acl`, has a
 * dot.
 */
export const FILE_IN_QUERY: RegExp = /[?&][^=&]*\.[A-Za-z\d]{1,5}(?=&|$)/

/** The method that is signed. Throws for several, and for a URL that no storage can open. */
export function presignedMethod({ parts, methods = ['GET'] }: Grant): string {
  assertOption(methods.length === 1, 'method', 'one method, because a presigned URL opens only one')
  assertOption(HTTP.test(parts.origin), 'url', 'one that begins with https:// or http://')
  assertOption(!parts.fragment, 'url', 'free of a fragment: write the # of a key as %23')
  assertOption(!FILE_IN_QUERY.test(parts.query), 'url', 'free of a ? that belongs to the key: write it as %3F')
  return methods[0] as string
}

/** The headers that are signed, by their names in lower case. The host is not among them, because it comes from the URL. */
export function headersToSign(headers: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  const signed = new Map<string, string>()
  for (const [written, value] of textsOf(headers, 'headers')) {
    const name = written.toLowerCase()
    assertOption(HEADER_NAME.test(name) && /^[\t -~]*$/.test(value), 'headers', 'names and values of ASCII characters that HTTP allows')
    assertOption(name !== 'host' && !signed.has(name), 'headers', 'without host, and without a name that occurs twice')
    signed.set(name, value)
  }
  return signed
}

/** The parameters that the caller adds to the URL, escaped, as `name=value`. None of them may be one of the link's own. */
export function pairsToAdd(own: readonly string[], query: Readonly<Record<string, string>> = {}): readonly string[] {
  const added = textsOf(query, 'query')
  assertOption(!added.some(([name]) => own.includes(name)), 'query', 'without parameters that the link adds, such as its signature')
  return added.map(([name, value]) => `${encodeValue(name)}=${encodeValue(value)}`)
}
