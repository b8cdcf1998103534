// Akamai's form of a token, which Cloudinary, Uploadcare and Media CDN use, too: `name=exp=1767229200~acl=/*~hmac=…`, in the query or in the path.
import type { Said } from './rule.ts'
import { base64Text, earliest, end, latest, pathOf, prefixOf, unescaped, unixTime } from './values.ts'

/** A token, cut out of a URL. */
export interface EdgeToken {
  readonly vendors: readonly string[]
  readonly said: Said
  /** The URL without the token. */
  readonly resource: string
}

const SIGNATURE = /(~|%7e)hmac(=|%3d)/i
const DIGEST = /^[\da-f]{32,64}/i
const FIELD = /^(?:\w+=|FullPath$)/
// The token's own name, and its first field.
const OPENING = /([?&/;])([\w.-]+)=((?:\w+=)?[^=]*)$/
// A file, or the ACL of all files.
const UPLOADCARE_PATH = /^\/([\da-f-]{36}\/|\*)/i

/** Finds the first token in a URL, and reads it. */
export function edgeToken(link: string, origin: string, isSecond = false): EdgeToken | undefined {
  const [signature, tilde, equals] = SIGNATURE.exec(link) ?? []
  if (!signature) return
  const mark = link.indexOf(signature)
  // Clients escape `~` and `=` as they like. An escaped token ends at the parameter that it is in.
  const from = Math.max(0, ...['?', '&', ';'].map((border) => link.lastIndexOf(border, mark)))
  const token = link.slice(from, mark).replaceAll(tilde as string, '~')
  const front = link.slice(0, from) + token.replaceAll(equals as string, '=')
  const back = link.slice(mark + signature.length)
  const after = back.replace(DIGEST, '')

  const fields = front.split('~')
  // Backwards, because anything can stand in front of the token.
  let head = fields.length - 1
  while (head > 0 && FIELD.test(fields[head] ?? '')) head--
  const [opening = '', before, name = '', first = ''] = OPENING.exec(fields[head] ?? '') ?? []
  const more = fields.slice(head + 1)
  const get = (field: string): string =>
    unescaped([first, ...more].find((one) => one.startsWith(`${field}=`))?.slice(field.length + 1) ?? '')
  const media = get('Expires')
  const ending = end(media || get('exp'))
  if (!ending || after === back) return

  const start = front.slice(0, front.length - [opening, ...more].join('~').length)
  const resource = start + (before === '?' && after ? `?${after.slice(1)}` : after)
  const acl = get('acl')
  // Akamai and Media CDN can ask for two tokens at once: the link ends with the first of them.
  const second = isSecond ? undefined : edgeToken(resource, origin, true)
  const said: Said = {
    ...ending,
    expires: earliest(ending.expires, second?.said.expires),
    starts: latest(unixTime(get('st') || get('Starts')), second?.said.starts),
    ip: get('ip'),
    prefix: media ? pathOf(base64Text(get('URLPrefix'))) : prefixOf(acl),
    id: get('id') || get('SessionID'),
  }
  return { vendors: media ? ['media-cdn'] : vendorsOf(name), said, resource: second?.resource ?? resource }

  function vendorsOf(name: string): readonly string[] {
    if (name === '__cld_token__') return ['cloudinary']
    if (name !== 'token') return ['akamai']
    if (/[/.]ucarecd(n\.com|\.net)$/i.test(origin)) return ['uploadcare']
    // Uploadcare's are Akamai's with an end and perhaps an ACL, and customers have hosts of their own.
    return more.length <= (acl ? 1 : 0) && UPLOADCARE_PATH.test(acl || pathOf(resource)) ? ['akamai', 'uploadcare'] : ['akamai']
  }
}
