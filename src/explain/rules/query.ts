// Mistakes with the query: frameworks, gateways and clients print names and values in another form than the one that was signed.
import { decodeValue, encodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import { type Rule, urls } from '../rule.ts'
import { inCharset, isOwn, type Piece, piecesOf, withPath, withPieces } from './parts.ts'

/** Mistakes with names and values of the query. */
export const QUERY_RULES: readonly Rule[] = [
  {
    code: 'unescaped_value',
    kind: 'link',
    rarity: 1,
    sentence: 'Characters of the query, such as "@", ":", "/" or "[", are percent-encoded on one side only.',
    remedy: 'Sign the query as clients send it, and verify it as it came. hmac() accepts both forms.',
    variants: (attempt) =>
      urls(
        attempt,
        withOthers(attempt, ({ text }) => text.replace(/[^\w\-.~%+=]/gu, encodeValue)),
        withOthers(attempt, ({ text }) => text.replace(/%(?:2[1-2789A-F]|3[A-CEF]|40|5[BD]|7E)/gi, decoded)),
        withOthers(attempt, ({ text }) => text.replace(/%(?:5B|5D)/gi, decoded)),
        withOthers(attempt, ({ text }) => text.replace(/[[\]]/g, encodeValue)),
        withOthers(attempt, ({ text }) => text.replace(/%(?:2F|3A|3F|40)/gi, decoded)),
      ),
  },
  {
    code: 'array_names',
    kind: 'link',
    sentence: 'The names of a list are written in another form: "a[]", "a[0]" or "a", or as one value with commas.',
    remedy: 'Verify the query as the client sent it. Frameworks and gateways that parse a query print lists in another way.',
    variants: (attempt) => urls(attempt, ...ARRAYS.map((change) => withList(attempt, change))),
  },
  {
    code: 'empty_value',
    kind: 'link',
    sentence: 'A parameter without a value has a "=" on one side only.',
    remedy: 'Verify the query as the client sent it. hmac() accepts both forms.',
    variants: (attempt) =>
      urls(
        attempt,
        withOthers(attempt, ({ text }) => (text.includes('=') ? text : `${text}=`)),
        withOthers(attempt, ({ text }) => text.replace(/^([^=]*)=$/, '$1')),
      ),
  },
  {
    code: 'value_decoded',
    kind: 'link',
    sentence: 'A value with an "&", such as the URL of a redirect, arrives decoded: the part after the "&" looks like another parameter.',
    remedy: 'Encode values with encodeURIComponent, and pass the query on as it came.',
    variants: (attempt) => urls(attempt, ...withJoined(attempt)),
  },
  {
    code: 'percent_not_escaped',
    kind: 'link',
    sentence: 'A "%" that begins no escape is written as "%25" on one side only.',
    remedy: 'Write a "%" in a path or a value as %25.',
    variants: (attempt) => urls(attempt, attempt.url.replace(/%(?![\da-f]{2})/gi, '%25')),
  },
  {
    code: 'query_normal_form',
    kind: 'link',
    rarity: 3,
    sentence: 'Letters with accents in the query are composed (NFC) on one side, and decomposed (NFD) on the other.',
    remedy: 'Normalise values with normalize("NFC") before signing.',
    variants: (attempt) =>
      urls(
        attempt,
        ...(['NFC', 'NFD'] as const).map((form) => withOthers(attempt, ({ text }) => inCharset(text, (t) => t.normalize(form)))),
      ),
  },
  {
    code: 'charset',
    kind: 'link',
    rarity: 3,
    sentence:
      'Letters beyond ASCII are escaped in another character set: as Latin-1 (%E9), as %u00E9, or as UTF-8 twice, in place of UTF-8 once.',
    remedy: 'Escape with encodeURIComponent, which writes UTF-8, and only once.',
    variants: ({ url, ...rest }) => {
      const everywhere = (change: (text: string) => string | undefined) => {
        const { origin } = split(url)
        const changed = change(url.slice(origin.length))
        return changed === undefined ? undefined : origin + changed
      }
      return urls(
        { url, ...rest },
        everywhere((text) => text.replace(/(?:%u[\da-f]{4})+/gi, fromUnits)),
        everywhere((text) => (decodeValue(text) === undefined ? text.replace(/%[89A-F][\da-f]/gi, fromLatin1) : undefined)),
        everywhere((text) => text.replace(/%C2(%[89AB][\dA-F])|%C3%([89AB])([\dA-F])/gi, onceInUtf8)),
        everywhere((text) => inCharset(text, (t) => t, toLatin1)),
        everywhere((text) => text.replace(/%[89A-F][\da-f]/gi, fromLatin1)),
      )
    },
  },
  {
    code: 'session_in_path',
    kind: 'link',
    sentence: 'The path has a parameter behind a ";", such as ";jsessionid=…", which a server added after signing.',
    remedy: 'Turn off session ids in URLs, or sign the path with what follows the ";".',
    variants: (attempt) =>
      urls(
        attempt,
        withPath(attempt.url, (path) => path.replace(/;[^/]*/g, '')),
      ),
  },
]

const decoded = (escaped: string): string => decodeValue(escaped) ?? escaped

/** The URL with its other parameters changed, and those of the link as they are. */
function withOthers(attempt: Attempt, change: (piece: Piece) => string | undefined): string {
  return withPieces(
    attempt.url,
    piecesOf(attempt.url).map((piece) => (isOwn(attempt, piece.name) ? piece : (change(piece) ?? piece))),
  )
}

/** `tags[0]=x` as its name, its index, and its value. */
const INDEXED = /^([^=[\]%]*)(?:(?:\[|%5B)(\d*)(?:\]|%5D))?(=.*)?$/i

type ListName = (name: string, index: number) => string

const ARRAYS: readonly ListName[] = [
  (name) => `${name}[]`,
  (name) => `${name}%5B%5D`,
  (name, index) => `${name}[${index}]`,
  (name, index) => `${name}%5B${index}%5D`,
  (name) => name,
]

/** The URL with the names of each list in another form. Names that occur once, and without brackets, are not lists unless they have commas. */
function withList(attempt: Attempt, print: ListName): string {
  const pieces = piecesOf(attempt.url)
  const parts = pieces.map(({ text }) => INDEXED.exec(text))
  const counts = new Map<string, number>()
  for (const part of parts) if (part) counts.set(part[1] as string, (counts.get(part[1] as string) ?? 0) + 1)
  const seen = new Map<string, number>()
  const printed = pieces.flatMap((piece, at) => {
    const [, name = '', index, value = ''] = parts[at] ?? []
    const values = value.slice(1).split(/,|%2C/i)
    const isList = index !== undefined || (counts.get(name) ?? 0) > 1 || values.length > 1
    if (!name || !isList || isOwn(attempt, name)) return [piece.text]
    return (values.length > 1 ? values.map((one) => `=${one}`) : [value]).map((one) => {
      const place = seen.get(name) ?? 0
      seen.set(name, place + 1)
      return print(name, place) + one
    })
  })
  return withPieces(attempt.url, printed)
}

/** For each value that is a URL with a `?`: the parameters behind it joined to it, the first, the first two, and so on. */
function withJoined(attempt: Attempt): readonly string[] {
  const pieces = piecesOf(attempt.url)
  const at = pieces.findIndex(({ name, value }) => !isOwn(attempt, name) && /\?|%3F/i.test(value))
  const value = pieces[at]
  if (!value) return []
  const behind = pieces.slice(at + 1)
  const firstOwn = behind.findIndex(({ name }) => isOwn(attempt, name))
  const joinable = behind.slice(0, firstOwn < 0 ? undefined : firstOwn).slice(0, 6)
  const encoded = (text: string) => text.replace(/[^\w\-.~%+]/gu, encodeValue)
  return joinable.flatMap((_, last) => {
    const joined = joinable.slice(0, last + 1).map(({ text }) => text)
    const others = (text: string) => withPieces(attempt.url, [...pieces.slice(0, at), text, ...pieces.slice(at + 2 + last)])
    const name = value.text.slice(0, value.text.length - value.value.length)
    return [others([value.text, ...joined].join('%26')), others(name + encoded([value.value, ...joined].join('&')))]
  })
}

/** `%u00E9`, as JavaScript's `escape` writes it. */
function fromUnits(escaped: string): string {
  const units = escaped.slice(2).split(/%u/i)
  return encodeValue(String.fromCharCode(...units.map((hex) => +`0x${hex}`)).replace(/\p{Surrogate}/gu, '\ufffd'))
}

const toLatin1 = (letter: string): string =>
  letter.charCodeAt(0) < 256 ? `%${letter.charCodeAt(0).toString(16).toUpperCase()}` : encodeValue(letter)
const fromLatin1 = (escaped: string): string => encodeValue(String.fromCharCode(+`0x${escaped.slice(1)}`))

/** One byte of text that was UTF-8 already, and was escaped as if it were Latin-1. */
function onceInUtf8(_: string, low: string | undefined, high: string, digit: string): string {
  return low ?? `%${(+`0x${high}` + 4).toString(16).toUpperCase()}${digit}`
}
