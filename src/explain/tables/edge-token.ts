// Mistakes with edge tokens, `exp=1767229200~acl=/*~hmac=…`: those of Akamai, Cloudinary and Uploadcare, and those of Google's Media CDN.
import { BASE64URL, decode } from '../../lib/encoding.ts'
import { decodeValue } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import type { Mistake } from '../mistake.ts'
import { rawValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import { withoutPadding } from '../spelling.ts'
import type { Table } from '../table.ts'
import { milliseconds } from '../unread.ts'

/** Changes the value of one field of a token. `undefined` if the token does not have it, or if it stays the same. */
const field = (name: string, change: (value: string) => string | undefined) => (text: string) => {
  const [whole, front = '', value = ''] = new RegExp(`((?:^|[~!|,;])${name}=)([^~]*)`).exec(text) ?? []
  const changed = whole === undefined ? undefined : change(value)
  return whole === undefined || changed === undefined || changed === value ? undefined : text.replace(whole, () => front + changed)
}

/** As Akamai's and Cloudinary's packages escape: in lower case. */
const escaped = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[~']/g, (character) => `%${character.charCodeAt(0).toString(16)}`)
    .replace(/%../g, (triplet) => triplet.toLowerCase())

const plainBase64 = (text: string): string | undefined => {
  const bytes = new Uint8Array(text.length)
  const length = decode(withoutPadding(text), BASE64URL, bytes)
  return length > 0 ? new TextDecoder().decode(bytes.subarray(0, length)) : undefined
}

/** A time of a token that is in milliseconds. */
function timeFault({ url }: Attempt, parameter: string | undefined): Mistake | undefined {
  const token = parameter === undefined ? '' : decodeValue(rawValue(url, parameter) ?? '')
  const [, name] = /(?:^|~)(exp|st|Expires|Starts)=[12]\d{12}(?:~|$)/.exec(token ?? '') ?? []
  return name === undefined || parameter === undefined ? undefined : milliseconds(parameter, name)
}

export const AKAMAI: Table = {
  schemes: ['akamai'],
  malformed: timeFault,
  forms: {
    __token__: 'fields such as exp=1767229200~acl=/*~hmac=…, where hmac has 64 hex digits, or 40 with the option algorithm: sha1',
    __cld_token__: 'fields such as exp=1767229200~acl=%2fimage%2f*~hmac=…, where hmac has 64 hex digits',
    token: 'fields such as exp=1767229200~acl=/*~hmac=…, where hmac has 64 hex digits',
  },
  rules: [
    {
      code: 'url_left_out',
      kind: 'text',
      rarity: 1,
      sentence: 'The token was signed without the URL that it is for.',
      remedy: 'Sign the token, then "~url=" and the path; or write an acl into the token.',
      variants: () => rewrites((text) => (/~url=/.test(text) ? text.replace(/~url=[^~]*/, '') : undefined)),
    },
    {
      code: 'token_escaped',
      kind: 'text',
      rarity: 1,
      sentence: 'The ACL or the URL was signed escaped, and the verifier signs it as it stands, or the other way round.',
      remedy: 'Give akamai() the option escapeEarly of the edge, and vendor: cloudinary for Cloudinary. Akamai never escapes an ACL.',
      variants: () =>
        rewrites(
          field('acl', escaped),
          field('acl', encodeURIComponent),
          field('acl', decodeValue),
          field('url', escaped),
          field('url', encodeURIComponent),
          field('url', decodeValue),
        ),
    },
    {
      code: 'salt',
      kind: 'text',
      sentence: 'Only one of signer and verifier uses a salt.',
      remedy: 'Give both sides the salt of the edge, or none.',
      variants: () => rewrites((text) => (/~salt=/.test(text) ? text.replace(/~salt=.*$/, '') : undefined)),
    },
  ],
  options: (_, { escapeEarly = false, ignoreQueryString, algorithm = 'sha256' }) => [
    { option: 'algorithm', value: algorithm === 'sha1' ? 'sha256' : 'sha1' },
    { option: 'escapeEarly', value: !escapeEarly },
    { option: 'ignoreQueryString', value: !ignoreQueryString },
    { option: 'vendor', value: 'cloudinary' },
    { option: 'vendor', value: 'uploadcare' },
  ],
}

export const MEDIA_CDN: Table = {
  schemes: ['media-cdn'],
  malformed: timeFault,
  forms: {
    hdnts: 'fields such as FullPath~Expires=1767229200~hmac=…, where hmac has 64 hex digits, or 40 with the option algorithm: sha1',
  },
  rules: [
    {
      code: 'full_path',
      kind: 'text',
      rarity: 1,
      sentence: 'The field FullPath was signed without the path of the request.',
      remedy: 'Sign "FullPath=" and the path, and write only "FullPath" into the token.',
      variants: () => rewrites((text) => (text.startsWith('FullPath=') ? text.replace(/^FullPath=[^~]*/, 'FullPath') : undefined)),
    },
    {
      code: 'header_values',
      kind: 'text',
      rarity: 1,
      sentence: 'The names of the headers were signed without their values.',
      remedy: 'Sign "Headers=name=value,…", and write only the names into the token.',
      variants: () => rewrites(field('Headers', (list) => list.replace(/=[^,]*/g, ''))),
    },
    {
      code: 'field_not_encoded',
      kind: 'text',
      rarity: 1,
      sentence: 'The prefix, or the list of networks, was signed as text, and the token has it in base64url.',
      remedy: 'Encode URLPrefix and IPRanges in base64url first, and sign the fields as they stand in the token.',
      variants: () => rewrites(field('URLPrefix', plainBase64), field('IPRanges', plainBase64)),
    },
  ],
  options: (_, { algorithm = 'sha256' }) => [{ option: 'algorithm', value: algorithm === 'sha1' ? 'sha256' : 'sha1' }],
}
