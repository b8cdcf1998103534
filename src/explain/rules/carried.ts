// Mistakes of the programs that carry a link: mail programs, filters, messengers, templates, and code that escapes a link as a whole.
import { decodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import { type Rule, urls } from '../rule.ts'
import { GLUED, PUNCTUATION } from '../spelling.ts'
import { isOwn, piecesOf, withPath, withPieces } from './parts.ts'

/** Mistakes of programs that carry a link. */
export const CARRIED_RULES: readonly Rule[] = [
  {
    code: 'html_escaped',
    kind: 'link',
    rarity: 1,
    sentence: 'The link has "&amp;" in place of "&", or another entity: it was escaped for HTML and is used outside of HTML.',
    remedy: 'Unescape the link where it is taken from HTML, or do not escape it where the page does so already.',
    variants: (attempt) => urls(attempt, withoutEntities(attempt.url), attempt.url.replace(/([?&])amp;/g, '$1')),
  },
  {
    ...GLUED,
    kind: 'link',
    rarity: 1,
    variants: ({ url, ...rest }) =>
      urls({ url, ...rest }, url.replace(/^[<("'[]+/, '').replace(PUNCTUATION, ''), url.replace(/^[<("'[]+/, '').replace(MARKS, '')),
  },
  {
    ...GLUED,
    kind: 'link',
    variants: (attempt) =>
      urls(
        attempt,
        ...withoutWords(attempt.url),
        withPath(attempt.url, (path) => path.replace(PUNCTUATION, '')),
      ),
  },
  {
    code: 'wrapped',
    kind: 'link',
    rarity: 1,
    sentence: 'A mail program broke the link: it has line breaks or invisible characters, or the "=3D" or a lost "=" of quoted-printable.',
    remedy: 'Send the mail as HTML or with base64 as its transfer encoding, or take the link from the decoded mail.',
    variants: ({ url, ...rest }) =>
      urls(
        { url, ...rest },
        url.replace(/=?(\r?\n|%0D%0A|%0A)[ \t]*/gi, ''),
        url.replace(/=(\r?\n)/g, '').replaceAll('=3D', '='),
        url.replace(/\s+/g, ''),
        url.replace(INVISIBLE, ''),
        withPieces(
          url,
          piecesOf(url).map((piece) => (isOwn({ url, ...rest }, piece.name) ? piece.text.replace(/%20|\+/g, '') : piece)),
        ),
        ...withLostEquals({ url, ...rest }),
      ),
  },
  {
    code: 'rewritten',
    kind: 'link',
    rarity: 1,
    sentence: 'The link is inside of another link, which a mail filter or a redirect made from it.',
    remedy: 'Take the link out of the parameter that has it, or follow the redirect.',
    variants: (attempt) => urls(attempt, ...linksInside(attempt.url)),
  },
  {
    code: 'json_escaped',
    kind: 'link',
    rarity: 1,
    sentence: 'The link is escaped as in JSON or JavaScript: it has "\\u0026" in place of "&", or "\\/" in place of "/".',
    remedy: 'Parse the JSON, and take the link from the result. Do not cut it out of the text.',
    variants: (attempt) => urls(attempt, fromJson(attempt.url)),
  },
  {
    code: 'separators_escaped',
    kind: 'link',
    rarity: 1,
    sentence: 'A "?", "&" or "=" of the link itself is percent-encoded: a program encoded the link as a whole, as if it were one value.',
    remedy:
      'Encode each value when the URL is built, and not the finished link. Encode the link only where it is the value of a parameter.',
    variants: (attempt) => withSeparators(attempt),
  },
  {
    code: 'first_question_mark',
    kind: 'link',
    rarity: 1,
    sentence: 'The query begins with "&" in place of "?".',
    remedy: 'Append the first parameter with "?", and only further ones with "&".',
    variants: (attempt) => (attempt.url.includes('?') ? [] : urls(attempt, attempt.url.replace('&', '?'))),
  },
]

/** Characters at the end of a link that are not part of it: every mark, and every character beyond ASCII, escaped or not. */
const MARKS = /(?:[^\w%/=-]|[_/=]|%(?:2[\dA-F]|3[A-F]|5[B-F]|60|7[B-F]|0[9AD]|[89A-F][\dA-F])){1,40}$/i

/** Markup, or the end of a word. */
const MARKUP = /[<>|`"]|\]\(|%(?:22|3C|3E|5D|60|7C)/i
const WORD_END = /[<>|`"\s]|\]\(|%(?:20|22|3C|3E|5D|60|7C|C2%A0|E2%80%8B)/i

/** Without the markup or the words after the link: `|click here` of Slack, `](` of Markdown, `</a>`, or a space and the rest of the sentence. */
function withoutWords(url: string): readonly (string | undefined)[] {
  const upTo = (mark: RegExp, from: number) => {
    const at = from < 0 ? -1 : url.slice(from).search(mark)
    return at < 0 ? undefined : url.slice(0, from + at)
  }
  return [upTo(WORD_END, Math.max(url.lastIndexOf('&'), url.lastIndexOf('?'))), upTo(MARKUP, url.indexOf('?'))]
}

/** A space without width, a soft hyphen, or a mark of the direction of text. Editors and mail programs break long words with them. */
const INVISIBLE = /%C2%AD|%E2%80%8[B-F]|%E2%80%A[A-E]|%E2%81%A0|%EF%BB%BF|[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/gi

function withoutEntities(url: string): string {
  return url
    .replace(/(&|%26)(amp|#0{0,4}38|#x0{0,4}26)(;|%3B)(?:(?:amp|#38)(?:;|%3B)){0,3}/gi, '&')
    .replace(/(&|%26)(#0{0,4}61|#x0{0,4}3d|equals)(;|%3B)/gi, '=')
}

function fromJson(url: string): string {
  return url
    .replace(/(?:\\|%5C)?u0026/gi, '&')
    .replace(/(?:\\|%5C)?u003d/gi, '=')
    .replace(/(?:\\|%5C)\//gi, '/')
}

/**
 * With the bytes that a decoder of quoted-printable took for an escape: `expires=1893…` becomes a control character and `93…`. Or with each `=` lost
 * alone.
 */
function withLostEquals(attempt: Attempt): readonly string[] {
  const own = attempt.scheme.parameters
  const restored = (toCase: 'toUpperCase' | 'toLowerCase') =>
    withPieces(
      attempt.url,
      piecesOf(attempt.url).map(({ text }) => {
        const [, name = '', escaped = '', rest = ''] = BYTE_FOR_EQUALS.exec(text) ?? []
        if (!name) return text
        const code = (decodeValue(escaped) ?? escaped).charCodeAt(0)
        const byte = escaped.length === 3 ? escaped.slice(1) : code.toString(16).padStart(2, '0')
        return `${name}=${byte[toCase]()}${rest}`
      }),
    )
  const inserted = withPieces(
    attempt.url,
    piecesOf(attempt.url).map(({ text }) => {
      const name = own.find((each) => text.startsWith(each) && text[each.length] !== '=')
      return name === undefined ? text : `${name}=${text.slice(name.length)}`
    }),
  )
  const isHex = attempt.scheme.algorithm.encoding === 'hex'
  return [...(isHex ? [] : [restored('toUpperCase')]), restored('toLowerCase'), inserted]
}

/** A name, one byte that is not a letter, and the rest of the value. The byte arrives escaped, escaped as Latin-1 in UTF-8, or as it is. */
const BYTE_FOR_EQUALS = /^([A-Za-z_][\w-]*)(%C[23]%[89AB][\dA-F]|%(?:[01][\dA-F]|[89A-F][\dA-F])|[\p{Cc}\u00a0-\u00ff])([^=]*)$/iu

/** The links that a URL contains: as the value of a parameter, or in its path. */
function linksInside(url: string): readonly string[] {
  const inQuery = piecesOf(url).map(({ value }) => {
    if (/^https?(:|%3A)/i.test(value)) return decodeValue(value)
    // Proofpoint, version 2: `-` begins an escape, and `_` is a slash.
    if (/^https?-3A__/i.test(value)) return decodeValue(value.replaceAll('_', '/').replaceAll('-', '%'))
    // Sophos: base64 of the link.
    return /^aHR0c[\w+/-]+(?:=|%3D)*$/.test(value) ? fromBase64(value.replace(/(?:=|%3D)+$/, '')) : undefined
  })
  // Cisco and Proofpoint, version 3: `/https%3A%2F%2F…`, and `/v3/__https://…__;!!…`.
  const at = url.slice(8).search(/https?(?:%3A%2F|:\/)/i)
  const behind = at < 0 ? '' : url.slice(at + 8)
  const inPath = /^https?%3A/i.test(behind) ? decodeValue(behind.split('?', 1)[0] as string) : behind.replace(/^(https?:\/)(?!\/)/i, '$1/')
  const marked = inPath?.indexOf('__;') ?? -1
  return [...inQuery, marked > 0 ? inPath?.slice(0, marked) : undefined, inPath || undefined].filter((link) => link !== undefined)
}

function fromBase64(text: string): string | undefined {
  try {
    return atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    // It begins like base64, but is not base64.
    return undefined
  }
}

/** With the `?`, `&` and `=` of the link itself: all of them, or those next to the names of its parameters. */
function withSeparators({ url, ...rest }: Attempt): ReturnType<typeof urls> {
  const { origin } = split(url)
  const target = url.slice(origin.length)
  if (!/%(?:26|3D|3F)/i.test(target)) return []
  const names = rest.scheme.parameters.map((name) => name.replace(/[^\w]/g, '\\$&')).join('|')
  const nextToNames = names && target.replace(new RegExp(`%26(?=(?:${names})(?:=|%3D))`, 'gi'), '&')
  const ofNames = nextToNames?.replace(new RegExp(`([?&](?:${names}))%3D`, 'gi'), '$1=')
  const withMark = (text: string) => (text.includes('?') ? text : text.replace(/%3F/i, '?'))
  const all = withMark(target).replace(/%26/g, '&').replace(/%3D/gi, '=')
  return urls(
    { url, ...rest },
    origin + withMark(target),
    ofNames ? origin + withMark(ofNames) : undefined,
    origin + all,
    decodeValue(target) && origin + (decodeValue(target) as string),
  )
}
