// Mistakes on the way: changes that pages, mail programs, proxies and people make to a link after it was signed.
import { decodeValue, encodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import { type Rule, urls, type Variant } from '../rule.ts'
import { inCharset, isOwn, type Piece, piecesOf, withPath, withPieces } from './parts.ts'

const TRACKING =
  /^(utm_|mc_|pk_|_hs|hsa_|mkt_|oly_|vero_|trk_)|^(fbclid|gclid|gbraid|wbraid|dclid|msclkid|yclid|twclid|igshid|_ga|_gl|ref|si)$/i

const AS_WRITTEN = 'Pass the link on as it was signed, character for character.'

/** Mistakes on the way from the signer to the verifier. */
export const LINK_RULES: readonly Rule[] = [
  {
    code: 'added_parameters',
    kind: 'link',
    rarity: 1,
    sentence: (what) => `Somebody added parameters to the link after it was signed: ${what}.`,
    remedy:
      'Remove them, or sign the URL with them. Some schemes can allow others: ignore of hmac() and laravel(), and a resource with "*" of cloudfront().',
    variants: (attempt) => withoutAdded(attempt, 'behind'),
  },
  {
    code: 'parameters_not_signed',
    kind: 'link',
    rarity: 2,
    sentence: (what) => `The link has parameters that were not signed: ${what}. Somebody added them, or the signer left them out.`,
    remedy: 'Sign the URL with all of its parameters, or allow others with the option ignore of hmac().',
    variants: (attempt) => withoutAdded(attempt, 'in front'),
  },
  {
    code: 'double_escaped',
    kind: 'link',
    rarity: 1,
    sentence: 'The link is percent-encoded once more: it has "%25" where "%" was signed.',
    remedy: 'Do not encode a whole link again, except as the value of a parameter.',
    variants: (attempt) => urls(attempt, attempt.url.replace(/%25(?=[\da-f]{2})/gi, '%')),
  },
  {
    code: 'path_decoded',
    kind: 'link',
    rarity: 1,
    sentence: 'The path arrives decoded, and it was signed percent-encoded.',
    remedy: 'Verify the URL as the client sent it: the raw request target, not the path that a framework has decoded.',
    variants: (attempt) => urls(attempt, withPath(attempt.url, escapedAgain)),
  },
  {
    code: 'path_decoded',
    kind: 'link',
    rarity: 2,
    sentence: 'The path arrives decoded once: it was signed with "%25" where the link has "%".',
    remedy: 'Verify the URL as the client sent it: the raw request target, not the path that a framework has decoded.',
    variants: (attempt) =>
      urls(
        attempt,
        withPath(attempt.url, (path) => path.replaceAll('%', '%25')),
        // Of a path that was encoded twice in part, only the inner escapes arrive decoded.
        withPath(attempt.url, (path) => path.replace(/%(?=20|[89A-F])/gi, '%25')),
      ),
  },
  {
    code: 'embedded_url',
    kind: 'link',
    rarity: 1,
    sentence:
      'The URL inside of the path arrives in another form than it was signed in: decoded, encoded, or with one slash behind its scheme.',
    remedy:
      'Sign it in base64 if the service allows it. Otherwise turn off the merging of slashes, such as with "merge_slashes off" in NGINX.',
    variants: (attempt) => withEmbedded(attempt),
  },
  {
    code: 'plus_for_space',
    kind: 'link',
    rarity: 1,
    sentence: 'A space is written as "+" on one side and as "%20" on the other, or a "+" was read as a space.',
    remedy: 'Write a space as %20 and a plus as %2B, before signing.',
    variants: ({ url, ...rest }) =>
      urls(
        { url, ...rest },
        url.replaceAll('+', '%20'),
        url.replaceAll('%20', '+'),
        url.replaceAll('+', '%2B'),
        url.replace(/%2B/gi, '+'),
        url.replaceAll('%20', '%2B'),
        url.replace(/%2B/gi, '%20'),
        withPath(url, (path) => path.replaceAll('+', '%20')),
      ),
  },
  {
    code: 'escape_case',
    kind: 'link',
    sentence: 'Escapes are in upper case on one side (%2F), and in lower case on the other (%2f).',
    remedy: AS_WRITTEN,
    variants: (attempt) =>
      urls(
        attempt,
        ...['toUpperCase', 'toLowerCase'].map((to) => attempt.url.replace(/%[\da-f]{2}/gi, (triplet) => triplet[to as 'toUpperCase']())),
      ),
  },
  {
    code: 'unescaped',
    kind: 'link',
    sentence: 'Characters such as ":", "@" or "," are percent-encoded on one side only.',
    remedy: AS_WRITTEN,
    variants: (attempt) =>
      urls(
        attempt,
        withPath(attempt.url, (path) => decodedSafely(path)),
        withPath(attempt.url, (path) => path.replace(/[!'()*:@,;=$&+]/g, (character) => encodeValue(character))),
        withPath(attempt.url, (path) => path.replace(/%7E/gi, '~')),
        withPath(attempt.url, (path) => path.replaceAll('~', '%7E')),
        withPieces(
          attempt.url,
          piecesOf(attempt.url).map((piece) => (isOwn(attempt, piece.name) ? piece : decodedSafely(piece.text))),
        ),
      ),
  },
  {
    code: 'reordered',
    kind: 'link',
    sentence: 'The parameters of the URL are in another order than when it was signed.',
    remedy: AS_WRITTEN,
    variants: reordered,
  },
  {
    code: 'repeated_parameter',
    kind: 'link',
    sentence: 'A parameter occurs twice.',
    remedy: 'Sign a URL once, and do not add its parameters a second time.',
    variants(attempt) {
      const pieces = piecesOf(attempt.url)
      const firstOf = new Map([...pieces].reverse().map((piece) => [piece.name, piece]))
      const lastOf = new Map(pieces.map((piece) => [piece.name, piece]))
      const first = pieces.filter((piece) => firstOf.get(piece.name) === piece)
      const last = pieces.filter((piece) => lastOf.get(piece.name) === piece)
      return first.length === pieces.length ? [] : urls(attempt, withPieces(attempt.url, first), withPieces(attempt.url, last))
    },
  },
  {
    code: 'front_controller',
    kind: 'link',
    rarity: 2,
    sentence: (what) => `The path of the link, ${what}, arrives in the query: a rewrite rule of the server has put it there.`,
    remedy: 'Let the server pass the query as it came: in NGINX, try_files $uri /index.php?$query_string; without the path behind the "?".',
    variants: (attempt) => fromFrontController(attempt),
  },
  {
    code: 'percent_eaten',
    kind: 'link',
    rarity: 2,
    sentence: 'Escapes have lost their "%" and the digit behind it, as in a Windows batch file, where %3 is the third argument.',
    remedy: 'Write each % of a link as %% in a batch file, or read the link from a file or a variable of the environment.',
    variants: withPercents,
  },
  {
    code: 'fragment',
    kind: 'link',
    sentence: 'The link has a "#": what follows is a fragment, which clients do not send, or it should be "%23".',
    remedy: 'Write a "#" in a path or a value as %23, and verify the URL without its fragment.',
    variants: ({ url, ...rest }) => urls({ url, ...rest }, url.replace(/#.*$/s, ''), url.replaceAll('#', '%23')),
  },
  {
    code: 'second_question_mark',
    kind: 'link',
    rarity: 1,
    sentence: 'The link has a second "?": parameters were appended with "?" to a URL that has a query already.',
    remedy: 'Append with "&" if the URL has a "?".',
    variants: (attempt) =>
      urls(
        attempt,
        attempt.url.replace(/\?/g, (mark, at) => (at === attempt.url.indexOf('?') ? mark : '&')),
      ),
  },
  {
    code: 'parameter_case',
    kind: 'link',
    sentence: 'The names of the parameters differ in upper and lower case from those that the scheme writes.',
    remedy: 'Keep the names of parameters as they are; HTTP clients and gateways have a setting for it.',
    variants: (attempt) =>
      urls(
        attempt,
        withPieces(
          attempt.url,
          piecesOf(attempt.url).map((piece) => inItsCase(attempt, piece)),
        ),
      ),
  },
  {
    code: 'path_normal_form',
    kind: 'link',
    rarity: 3,
    sentence: 'Letters with accents are composed (NFC) on one side, and decomposed (NFD) on the other, as in file names of macOS.',
    remedy: 'Normalise file names with normalize("NFC") before signing.',
    variants: (attempt) =>
      urls(
        attempt,
        ...(['NFC', 'NFD'] as const).map((form) => withPath(attempt.url, (path) => inCharset(path, (letters) => letters.normalize(form)))),
      ),
  },
]

/** The first URL inside of a path, in its other forms. */
function withEmbedded({ url, ...rest }: Attempt): readonly Variant[] {
  const { origin, path } = split(url)
  const at = path.search(/https?(?::|%3A)(?:\/|%2F)/i)
  if (at < 0 || path[0] !== '/') return []
  const front = origin + path.slice(0, at)
  const behind = url.slice(origin.length + path.length)
  const inner = path.slice(at)
  const plain = (decodeValue(inner) ?? inner).replace(/^(https?:\/)\/*/i, '$1/')
  const joined = inner.replace(/^(https?:\/)(?!\/)/i, '$1/')
  return urls(
    { url, ...rest },
    ...[joined, encodeURIComponent(plain), encodeURIComponent(joined), plain].map((text) => front + text + behind),
  )
}

/** The path is the first piece of the query, alone or as its value: `?/a/b`, `?q=/a/b`, `?route=a/b`. */
function fromFrontController(attempt: Attempt): readonly Variant[] {
  const pieces = piecesOf(attempt.url)
  return pieces.slice(0, 8).flatMap(({ text, value, name }, at) => {
    if (isOwn(attempt, name)) return []
    const written = text.startsWith('/') ? text : value.replace(/%2F/gi, '/')
    const path = written.startsWith('/') ? written : `/${written}`
    const url = withPath(
      withPieces(
        attempt.url,
        pieces.filter((_, other) => other !== at),
      ),
      () => path,
    ) as string
    return path.length > 1 ? [{ patch: { url }, what: path.slice(0, 60) }] : []
  })
}

/**
 * Without parameters that are not the link's own: those that tracking tools add and those after the signature, or those before the link's, all or one
 * by one.
 */
function withoutAdded(attempt: Attempt, where: 'behind' | 'in front'): readonly Variant[] {
  const pieces = piecesOf(attempt.url)
  const foreign = pieces.filter(({ name }) => !isOwn(attempt, name))
  const lastOwn = pieces.map(({ name }) => isOwn(attempt, name)).lastIndexOf(true)
  // After the last parameter of the link, all are foreign.
  const behind = new Set(lastOwn < 0 ? [] : pieces.slice(lastOwn + 1))
  const isAdded = (piece: Piece): boolean => behind.has(piece) || TRACKING.test(piece.name)
  const added = foreign.filter(isAdded)
  const others = foreign.filter((piece) => !isAdded(piece))
  const looked = where === 'behind' ? added : others
  const groups = [looked, ...looked.slice(0, 12).map((piece) => [piece]), ...(where === 'behind' ? [] : [foreign])]
  return groups
    .filter((group, at) => group.length > 0 && !(at > 0 && group.length === looked.length))
    .map((group) => {
      // A set, because strangers can send thousands of parameters.
      const removed = new Set(group)
      const left = pieces.filter((piece) => !removed.has(piece))
      return { what: group.map(({ name }) => name.slice(0, 40)).join(', '), patch: { url: withPieces(attempt.url, left) } }
    })
}

/**
 * With the escapes that a batch file removed: `A` is left of `%3A`, and `F` of `%2F`. Nothing shows which letters were escapes, so those of times,
 * credentials and signatures are tried, where an escape must stand.
 */
function withPercents(attempt: Attempt): readonly Variant[] {
  const restored = attempt.url
    .replace(/(T\d\d)A(\d\d)A(\d\dZ)/g, '$1%3A$2%3A$3')
    .replace(/(T\d\d)A(\d\dZ)/g, '$1%3A$2')
    .replace(/F(\d{8})F([\w-]+)F(s3|storage)F(aws4|goog4)/, '%2F$1%2F$2%2F$3%2F$4')
  const [, front = '', signature = '', padding, behind = ''] =
    /^(.*?[?&](?:sig|Signature)=)([A-Za-z\d]{20,87}?)(D{0,2})(&.*)?$/.exec(restored) ?? []
  if (!padding) return urls(attempt, restored)
  const escapes = [...signature].flatMap((letter, at) => (letter === 'B' || letter === 'F' ? [at] : [])).slice(0, 6)
  const choices = Array.from({ length: 2 ** escapes.length }, (_, choice) => escapes.filter((_, bit) => choice & (1 << bit)))
  return urls(
    attempt,
    ...choices.map((chosen) => {
      const text = [...signature].map((letter, at) => (chosen.includes(at) ? `%2${letter}` : letter)).join('')
      return front + text + padding.replaceAll('D', '%3D') + behind
    }),
  )
}

function reordered(attempt: Attempt): readonly Variant[] {
  const pieces = piecesOf(attempt.url)
  const byName = [...pieces].sort((a, b) => (a.text < b.text ? -1 : +(a.text > b.text)))
  return urls(attempt, withPieces(attempt.url, byName), withPieces(attempt.url, [...pieces].reverse()))
}

function inItsCase({ scheme }: Attempt, piece: Piece): Piece | string {
  const own = scheme.parameters.find((name) => name.toLowerCase() === piece.name.toLowerCase())
  return own === undefined || own === piece.name ? piece : own + piece.text.slice(piece.name.length)
}

/** The path percent-encoded as `encodeURIComponent` does it, each segment by itself. */
function escapedAgain(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeURIComponent(decodeValue(segment) ?? segment.replace(/\p{Surrogate}/gu, '')))
    .join('/')
}

/** Without escapes of characters that a path may have. */
function decodedSafely(text: string): string {
  return text.replace(/%(21|24|27|28|29|2A|2C|3A|3B|3D|40|7E|2D|5F|2E)/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
