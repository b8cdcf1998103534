// recognise: takes a link apart once, and asks the rules that its parameters mark.
import { LONGEST } from '../lib/url.ts'
import { DELIVERY } from './rules/delivery.ts'
import { edgeToken } from './edge-token.ts'
import { FRAMEWORKS } from './rules/frameworks.ts'
import type { Link, Recognised, RecognisedClaims, Rule, Said } from './rule.ts'
import { STORAGE } from './rules/storage.ts'
import { PARTS, unescaped } from './values.ts'

// Those that have their signature in the path come last: they are tried when no parameter is one of ours.
const RULES: readonly Rule[] = [...FRAMEWORKS, ...STORAGE, ...DELIVERY]

/**
 * Tells which scheme made a link and what the link says, without a key, without any crypto, and without a request.
 *
 * It knows the links of all schemes here, and those that browsers meet besides. For any other text the answer is `undefined`; for a link that
 * two vendors write in the same way it is a list. Anybody can have written the link: the answer is good for timers and for display, and for
 * nothing else.
 *
 * A link that carries no expiry (`si=` of Azure, `verify=` of Cloudflare, or one that never ends) has an `expires` that is an invalid date:
 * it is neither before nor after any moment, and `isNaN` of it is true. A link that carries several has the first of them. An expiry that
 * cannot be read makes it no link. An expiry in milliseconds is read as such, and the answer says so: most vendors read it as seconds.
 *
 * @param link - Any text or URL.
 * @returns One reading, several of them, or `undefined`.
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
  const text = String(link)
  if (text.length > LONGEST) return
  const [url = '', origin = '', path = '', query = ''] = PARTS.exec(text) ?? []
  if (!url) return

  const token = edgeToken(url, origin)
  if (token) return only(token.vendors.map((vendor) => answer(vendor, token.resource, token.said)))

  const { pieces, values, inPath } = parametersOf(path, query)
  const raw = (name: string): string | undefined => values.get(name)
  const parts: Link = { origin, path: path.slice(inPath.length) || '/', query, raw, text: (name) => unescaped(raw(name) ?? '') }
  // Where the parameters are in the path, the query is the page's own.
  const queryFor = (rule: Rule): string => (inPath ? query : queryWithout(rule, pieces))
  return only(bestRules(parts).map(({ rule, said }) => answer(rule.vendor, parts.origin + parts.path + queryFor(rule), said)))
}

/** A list of one is that one, and an empty list is nothing. */
const only = <T>(found: T[]): T | T[] | undefined => (found.length > 1 ? found : found[0])

interface Piece {
  readonly name: string
  /** `name=value` as it stands in the URL. */
  readonly text: string
}

interface Parameters {
  readonly pieces: readonly Piece[]
  readonly values: ReadonlyMap<string, string>
  /** The segment of the path that the parameters are in, or empty. */
  readonly inPath: string
}

// The house scheme and Bunny can have their parameters in the first segment of the path.
const IN_PATH = /^\/(?:(expires=[^/]*)|bcdn_(token=[^/]*))/
// A name that can be a vendor's: anything else stays as it is, because decoding costs time.
const ESCAPED_NAME = /^(?:[\w.-]|%[2-7].)+$/

function parametersOf(path: string, query: string): Parameters {
  const [inPath = '', house, bunny] = IN_PATH.exec(path) ?? []
  // In a path, the house scheme writes `~` for `%`, and commas between the parameters.
  const all = house?.replaceAll('~', '%') ?? bunny ?? query.slice(1)
  const pieces: Piece[] = []
  const values = new Map<string, string>()
  for (const text of all.split(house ? ',' : '&')) {
    if (!text) continue
    const [written = ''] = text.split('=', 1)
    const name = written.includes('%') && ESCAPED_NAME.test(written) ? unescaped(written) : written
    pieces.push({ name, text })
    if (!values.has(name)) values.set(name, text.slice(written.length + 1))
  }
  return { pieces, values, inPath }
}

interface Match {
  readonly rule: Rule
  readonly said: Said
}

/** Those rules that need the most of all that match, with what they read. */
function bestRules(link: Link): Match[] {
  let most = 0
  let best: Match[] = []
  for (const rule of RULES) {
    const weight = weightOf(rule)
    const said = weight >= most && matches(rule, link) && rule.read(link)
    if (!said) continue
    if (weight > most) best = []
    most = weight
    best.push({ rule, said })
  }
  return best
}

/** A host or a path decides only between rules that need the same number of parameters. */
const weightOf = ({ parameters, hosts, paths }: Rule): number => Object.keys(parameters).length + (hosts || paths ? 0.5 : 0)

function matches({ parameters, hosts, paths }: Rule, link: Link): boolean {
  return (
    Object.entries(parameters).every(([name, shape]) => shape.test(link.text(name))) &&
    (!hosts || hosts.test(link.origin)) &&
    (!paths || paths.test(link.path))
  )
}

/** The query without the vendor's own parameters. */
function queryWithout(rule: Rule, pieces: readonly Piece[]): string {
  const rest = pieces.filter(({ name }) => !Object.hasOwn(rule.parameters, name) && !rule.optional?.test(name))
  return rest.length ? `?${rest.map(({ text }) => text).join('&')}` : ''
}

/** What is said, as far as it is said. */
function answer(scheme: string, resource: string, said: Said): Recognised {
  const { expires = Number.NaN, starts = Number.NaN, milliseconds, ...rest } = said
  const claims = { resource, ...rest, expires: new Date(expires), starts: Number.isFinite(starts) && new Date(starts) }
  // Without what is empty.
  const full = Object.entries(claims).filter(([, value]) => value && (value as string).length !== 0)
  const unverified = Object.fromEntries(full) as unknown as RecognisedClaims
  return { scheme, unverified, ...(milliseconds && { milliseconds }) }
}
