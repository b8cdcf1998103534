// Reads the tokens of Media CDN.
import { BASE64URL, decode } from '../../lib/encoding.ts'
import { decodeValue } from '../../lib/url.ts'
import { parseToken } from './edge-token.ts'
import { HEADER_NAMES } from './media-cdn-fields.ts'
import { decodePrefix, type UrlPrefix } from './url-prefix.ts'

const SCOPES = ['URLPrefix', 'PathGlobs', 'FullPath'] as const
const FIELDS = [...SCOPES, 'Starts', 'Expires', 'SessionID', 'Data', 'Headers', 'IPRanges'] as const
const SECONDS = /^[1-9]\d{0,10}$/

/** A token with the values of its fields. Without prefix and globs it opens one path. Times are in seconds since 1970. */
export interface MediaCdnToken {
  /** Everything before the signature, as it stands. */
  readonly text: string
  readonly signature: string
  readonly urlPrefix: UrlPrefix | undefined
  readonly globs: readonly string[] | undefined
  readonly starts: number | undefined
  readonly expires: number
  readonly id: string | undefined
  readonly data: string | undefined
  readonly headerNames: readonly string[] | undefined
  readonly ranges: string | undefined
}

/** `undefined` for a token with a field that is not in its form, or without exactly one field that says what it opens. */
export function readToken(value: string): MediaCdnToken | undefined {
  const { fields, text, signature } = parseToken(value, FIELDS, '~', 'FullPath') ?? {}
  if (!fields || !text || !signature || SCOPES.filter((scope) => fields[scope]).length !== 1) return undefined
  const { URLPrefix, PathGlobs, Starts, Expires = '', SessionID, Data, Headers, IPRanges } = fields
  const urlPrefix = URLPrefix && decodePrefix(URLPrefix)
  const ranges = IPRanges && textOf(IPRanges)
  const isTimed = SECONDS.test(Expires) && SECONDS.test(Starts ?? '1')
  if (!isTimed || (URLPrefix && !urlPrefix) || (IPRanges && !ranges) || !HEADER_NAMES.test(Headers ?? 'x')) return undefined
  return {
    text,
    signature,
    urlPrefix: urlPrefix || undefined,
    globs: PathGlobs?.split(','),
    starts: Starts === undefined ? undefined : +Starts,
    expires: +Expires,
    id: SessionID && (decodeValue(SessionID) ?? SessionID),
    data: Data && (decodeValue(Data) ?? Data),
    headerNames: Headers?.split(','),
    ranges,
  }
}

/** A text that the token has in base64url. */
function textOf(base64: string): string | undefined {
  const bytes = new Uint8Array(base64.length)
  const length = decode(base64.replace(/={1,2}$/, ''), BASE64URL, bytes)
  return length > 0 ? new TextDecoder().decode(bytes.subarray(0, length)) : undefined
}
