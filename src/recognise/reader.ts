// recognise: takes a link apart once, and asks the rules for the parameters that it has.
import type { UnverifiedClaims } from '../core/claims.ts'
import { LONGEST } from '../lib/longest.ts'
import { edgeToken } from './edge-token.ts'
import { linkText } from './link-text.ts'
import type { Link, Recognised, Rule, Said } from './rule.ts'
import { DELIVERY } from './rules/delivery.ts'
import { FRAMEWORKS } from './rules/frameworks.ts'
import { STORAGE } from './rules/storage.ts'
import { expiryFrom, PARTS, unescaped } from './values.ts'

// With the forms of its parameters as a list, because making it for each link takes time.
const RULES = /* @__PURE__ */ [...FRAMEWORKS, ...STORAGE, ...DELIVERY].map((rule) => ({
  ...rule,
  forms: Object.entries(rule.parameters ?? {}),
}))

/**
 * Tells which scheme made a link, and reads its claims, without a key, without crypto, and without a request.
 *
 * It knows the links of all schemes in this package, and those of other vendors that browsers meet. Anybody can have written a link: use the
 * answer for timers and for display, and not to decide who may open something.
 *
 * - A link that does not show its expiry has no `expires`: Azure's with `si=`, Cloudflare's with `verify=`, or one that never expires.
 * - A link with several expiries has the earliest one.
 * - A text with an expiry that cannot be read is not recognised.
 * - An expiry in milliseconds is read as such, and the answer says so, because most vendors mistake it for seconds.
 *
 * @param link - Any string, or a `URL`.
 * @returns One reading; a list if several vendors write such a link; `undefined` for any other text.
 * @throws A `LinkError` `bad_option` if `link` is neither a string nor a `URL`.
 *
 * @example
 * ```ts
 * import { recognise } from 'securelink/recognise'
 *
 * const seen = recognise('https://h.example/a.jpg?Expires=1900000000&KeyName=k&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA=')
 * if (seen && !Array.isArray(seen)) console.log(seen.scheme, seen.unverified.expires) // google-cloud-cdn 2030-03-17T17:46:40.000Z
 * ```
 */
export function recognise(link: string | URL): Recognised | Recognised[] | undefined {
  const text = linkText(link)
  if (text.length > LONGEST) return
  const [url, origin = '', path = '', query = ''] = PARTS.exec(text) ?? []
  if (!url) return

  const token = edgeToken(url, origin)
  const found = token ? token.vendors.map((vendor) => reading(vendor, token.resource, token.said)) : readByRules(origin, path, query)
  return found.length > 1 ? found : found[0]
}

interface Piece {
  readonly name: string
  /** Not decoded. */
  readonly value: string
  /** `name=value`, not decoded. */
  readonly text: string
}

interface Parameters {
  readonly pieces: readonly Piece[]
  /** The segment of the path that the parameters are in, or empty. */
  readonly inPath: string
}

// `hmac` and Bunny can have their parameters in the first segment of the path.
const IN_PATH = /^\/(?:(expires=[^/]*)|bcdn_(token=[^/]*))/
// Names of vendors have only such characters. Other escapes stay as they are.
const ESCAPED_ASCII = /%[2-7][\da-f]/gi

function parametersOf(path: string, query: string): Parameters {
  const [inPath = '', hmac, bunny] = IN_PATH.exec(path) ?? []
  // In a path, `hmac` writes `~` for `%`, and commas between the parameters.
  const all = hmac?.replaceAll('~', '%') ?? bunny ?? query.slice(1)
  const pieces = all.split(hmac ? ',' : '&').map((text) => {
    const [written = ''] = text.split('=', 1)
    return { name: written.replace(ESCAPED_ASCII, unescaped), value: text.slice(written.length + 1), text }
  })
  return { pieces, inPath }
}

/** Reads a link by those of the matching rules that need the most parameters. */
function readByRules(origin: string, path: string, query: string): Recognised[] {
  const { pieces, inPath } = parametersOf(path, query)
  const raw = (name: string): string | undefined => pieces.find((piece) => piece.name === name)?.value
  const link: Link = { path: path.slice(inPath.length) || '/', query, raw, text: (name) => unescaped(raw(name) ?? '') }
  let most = 0
  let best: Recognised[] = []
  for (const rule of RULES) {
    const { forms } = rule
    // A host or a path decides only between rules that need equally many parameters.
    const weight = forms.length + (rule.hosts || rule.paths ? 0.5 : 0)
    const matches =
      weight >= most &&
      forms.every(([name, form]) => form.test(link.text(name))) &&
      rule.hosts?.test(origin) !== false &&
      rule.paths?.test(link.path) !== false
    const said = matches && saidBy(rule, link)
    if (!said) continue
    if (weight > most) best = []
    most = weight
    // If the link has its parameters in the path, all of the query belongs to the resource.
    best.push(reading(rule.vendor, origin + link.path + (inPath ? query : queryWithout(rule, pieces)), said))
  }
  return best
}

/** `undefined`: the expiry cannot be read, or the rule finds that it is not such a link. */
function saidBy({ expires, never, read }: Rule, link: Link): Said | undefined {
  const isMissing = !expires || link.raw(expires) === undefined || never?.test(link.text(expires))
  const expiry = isMissing ? {} : expiryFrom(link.text(expires))
  const others = read ? read(link) : {}
  const said = expiry && others && { ...expiry, ...others }
  return Number.isNaN(said?.expires) ? undefined : said
}

/** The query without the vendor's own parameters. */
function queryWithout({ forms, optional, expires }: (typeof RULES)[number], pieces: readonly Piece[]): string {
  const others = pieces.filter(({ name }) => !(forms.some(([form]) => form === name) || name === expires || optional?.test(name)))
  const text = others.map((piece) => piece.text).join('&')
  return text && `?${text}`
}

/** The answer for one vendor, without values that are empty. */
function reading(scheme: string, resource: string, { expires, starts, milliseconds, ...others }: Said): Recognised {
  const claims = { resource, expires: dateOf(expires), starts: dateOf(starts), ...others }
  const present = Object.entries(claims).filter(([, value]) => value && (value as string).length !== 0)
  const unverified = Object.fromEntries(present) as unknown as UnverifiedClaims
  return { scheme, unverified, ...(milliseconds && { milliseconds }) }
}

/** `undefined` for no time, and for a number that no `Date` can hold. */
function dateOf(time: number | undefined): Date | undefined {
  const date = new Date(time as number)
  return Number.isNaN(+date) ? undefined : date
}
