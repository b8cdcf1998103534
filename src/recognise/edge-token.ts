// Akamai's form of a token, which Cloudinary, Uploadcare and Media CDN use as well: `name=exp=1767229200~acl=/*~hmac=…`, in the query or in the path.
import type { Said } from './rule.ts'
import { base64Text, earliest, expiryFrom, latest, pathOf, prefixOf, unescaped, unixTime } from './values.ts'

/** A token that was found in a URL. */
export interface EdgeToken {
  /** The vendors who can have written it. */
  readonly vendors: readonly string[]
  readonly said: Said
  /** The URL without the token. */
  readonly resource: string
}

const SIGNATURE = /(~|%7e)hmac(=|%3d)/i
const DIGEST = /^[\da-f]{32,64}/i
const FIELD = /^(?:\w+=|FullPath$)/
// The name of the token, and its first field. Vimeo's tokens are in the path, and have no name. The field begins with its own name: otherwise each
// slash of a long path could begin the token, and looking for it would take quadratic time.
const OPENING = /([?&/;])(?:([\w.-]+)=)?([\w.-]+=[^=]*)$/
// A file, or the ACL of all files.
const UPLOADCARE_PATH = /^\/([\da-f-]{36}\/|\*)/i

/** Finds the first token in a URL, and reads it. */
export function edgeToken(url: string, origin: string, isSecond?: true): EdgeToken | undefined {
  const [signature, tilde, equals] = SIGNATURE.exec(url) ?? []
  if (!signature) return
  const mark = url.indexOf(signature)
  // Some clients escape `~` and `=`. An escaped token is in one parameter, so nothing before that is unescaped.
  const from = Math.max(0, url.slice(0, mark).search(/[?&;][^?&;]*$/))
  const token = url.slice(from, mark).replaceAll(tilde as string, '~')
  const front = url.slice(0, from) + token.replaceAll(equals as string, '=')
  const back = url.slice(mark + signature.length)
  const after = back.replace(DIGEST, '')

  const parts = front.split('~')
  // From the end, because there can be any text before the token.
  let head = parts.length - 1
  while (head > 0 && FIELD.test(parts[head] ?? '')) head--
  const [opening = '', before, name = '', first = ''] = OPENING.exec(parts[head] ?? '') ?? []
  const more = parts.slice(head + 1)
  const fields = ['', first, ...more].join('~')
  const get = (field: string): string => unescaped(fields.split(`~${field}=`)[1]?.split('~', 1)[0] ?? '')
  const mediaCdnExpiry = get('Expires')
  const expiry = expiryFrom(mediaCdnExpiry || get('exp'))
  if (!opening || !expiry || after === back) return

  const start = front.slice(0, front.length - [opening, ...more].join('~').length)
  const resource = start + (before === '?' && after ? `?${after.slice(1)}` : after)
  const acl = get('acl')
  // Akamai and Media CDN can ask for two tokens at once. The link expires with the first of them.
  const second = isSecond ? undefined : edgeToken(resource, origin, true)
  const said: Said = {
    ...expiry,
    expires: earliest(expiry.expires, second?.said.expires),
    starts: latest(unixTime(get('st') || get('Starts')), second?.said.starts),
    ip: get('ip'),
    prefix: mediaCdnExpiry ? pathOf(base64Text(get('URLPrefix'))) : prefixOf(acl),
    id: get('id') || get('SessionID'),
  }
  return { vendors: vendors(), said, resource: second?.resource ?? resource }

  function vendors(): readonly string[] {
    if (mediaCdnExpiry) return ['media-cdn']
    if (name === '__cld_token__') return ['cloudinary']
    if (name !== 'token') return ['akamai']
    if (/[/.]ucarecd(n\.com|\.net)$/i.test(origin)) return ['uploadcare']
    // Uploadcare's tokens are Akamai's with an expiry and perhaps an ACL. Its customers use hosts of their own, so the host does not decide.
    const isPlain = more.length <= (acl ? 1 : 0)
    return isPlain && UPLOADCARE_PATH.test(acl || pathOf(resource)) ? ['akamai', 'uploadcare'] : ['akamai']
  }
}
