// bearer: decides who may ask the link service for what, by tokens in the Authorization header (RFC 6750).
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Duration, secondsOf } from '../core/time.ts'
import { climbs } from '../lib/climbs.ts'
import { same } from '../lib/encoding.ts'
import { below, normal, normalise, normalOrigin, normalPath } from '../lib/normalise.ts'
import { type Parts, split } from '../lib/url.ts'

/** What a caller can ask the service for. */
export type Verb = 'sign' | 'verify' | 'inspect' | 'redeem'

/** One link that a caller wants signed, verified, inspected or redeemed. */
export interface WantedLink {
  /** The name of the scheme in this service. */
  readonly scheme: string
  /** The URL to sign, or the link. */
  readonly url: string
  /** To sign: when the link expires, after rounding. A date in the year 5138 for a link that never expires. */
  readonly expires?: Date
  /** To sign: every condition that the caller gave, already checked. */
  readonly conditions: Readonly<Record<string, unknown>>
}

/** One request to the service, as {@link ServiceOptions.authorize} gets it. Either all of its links are allowed, or none. */
export interface Wanted {
  /** The verb that the caller asks for. */
  readonly verb: Verb
  /** The links, in the order of the request. */
  readonly links: readonly WantedLink[]
  /** The present time, by the clock of the service. */
  readonly now: Date
}

/** A refusal with a status and a sentence, in place of `false`. */
export interface Denied {
  /** 401: the caller is not known. 403: the caller is known, and may not do this. */
  readonly status: 401 | 403
  /** A sentence for the caller. */
  readonly detail: string
  /** The index of the link that is refused, from 0. */
  readonly index?: number
  /** The field of that link. */
  readonly field?: string
}

/** Decides who may ask for what. */
export interface Authorize {
  (request: Request, wanted: Wanted): boolean | Denied | Promise<boolean | Denied>
  /** Called with the headers before the body is read, so that strangers cannot make the service read megabytes. */
  readonly early?: (request: Request) => boolean | Denied | Promise<boolean | Denied>
}

/** The limits of a token. A limit that is left out does not apply. */
export interface Limits {
  /**
   * The URLs that it may sign: `'https://cdn.example/files/'` is that host and everything below that path, `'https://cdn.example'` the whole host,
   * and `'/files/'` URLs without a host. It limits only what the signature covers: an `hmac` link opens on every host that has the keys, unless the
   * scheme has `origin: true`.
   */
  readonly allow?: readonly string[]
  /** The longest lifetime of a link that it may sign. */
  readonly longest?: Duration
  /** Names of the schemes that it may use, as the service knows them. */
  readonly schemes?: readonly string[]
  /** The verbs that it may ask for. */
  readonly verbs?: readonly Verb[]
  /**
   * Scheme-specific conditions, such as `headers`, that it may sign with besides `id`. Default: all; but none if `allow` is set, because some of them
   * make a link open more. Then, unless `query` is in this list, parameters in the URL such as `x-amz-copy-source`, `x-oss-process` and
   * `x-image-save-object` are refused, too.
   */
  readonly conditions?: readonly string[]
}

/** A token with limits of its own. */
export interface Token extends Limits {
  /** At least 32 letters, digits and `-._~+/`. */
  readonly token: string
}

const STANDARD = ['expires', 'align', 'starts', 'method', 'ip', 'prefix', 'uses', 'id']

/**
 * Lets callers in by bearer tokens, each with its limits.
 *
 * @param tokens - Tokens of at least 32 characters: strings, or objects with their own limits.
 * @param limits - Limits of all tokens; a token's own limits replace them.
 * @returns For the option `authorize` of `service`.
 * @throws A `LinkError`: `weak_key` for a short token, `bad_option` for a wrong limit.
 *
 * @example
 * ```ts
 * import { bearer } from 'securelink/service'
 *
 * const authorize = bearer(
 *   [
 *     { token: 'the-token-of-the-downloads-team-Zk3vQ81x', allow: ['https://cdn.example/files/'], longest: '1d' },
 *     { token: 'of-machines-that-verify-only-pR7uW2mA09c', verbs: ['verify'] },
 *   ],
 *   { schemes: ['hmac'] },
 * )
 * ```
 */
export function bearer(tokens: string | readonly (string | Token)[], limits: Limits = {}): Authorize {
  const list = [tokens].flat() as readonly (string | Token)[]
  assertOption(list.length > 0, 'tokens', 'at least one token')
  const rules = list.map((each) => {
    const token = { ...limits, ...given(typeof each === 'string' ? { token: each } : Object(each)) } as Token
    const { token: text } = token
    assertOption(typeof text === 'string' && TOKEN.test(text), 'token', 'at least 32 letters, digits and -._~+/', 'weak_key')
    return { text, rule: ruleOf(token) }
  })

  const found = new WeakMap<Request, Rule>()
  const early = (request: Request): true | Denied => {
    const [, sent] = /^Bearer +([\w\-.~+/]+=*)$/i.exec(request.headers.get('authorization') ?? '') ?? []
    if (!sent) return { status: 401, detail: 'The request must have a token, in a header such as Authorization: Bearer ….' }
    let rule: Rule | undefined
    // Compared with every token, to the last character, so that the time shows neither which one matched nor how many characters were right.
    for (const each of rules) if (same(each.text, sent)) rule = each.rule
    if (!rule) return { status: 401, detail: 'The token in the Authorization header is not known here.' }
    found.set(request, rule)
    return true
  }

  const authorize = (request: Request, wanted: Wanted): true | Denied => {
    const decision = found.has(request) || early(request)
    return decision === true ? (found.get(request) as Rule)(wanted) : decision
  }
  return Object.assign(authorize, { early })
}

const TOKEN = /^[\w\-.~+/]{32,}=*$/

type Rule = (wanted: Wanted) => true | Denied

/** Leaves out undefined values, which must not replace a limit of all tokens. */
const given = (token: object) => Object.fromEntries(Object.entries(token).filter(([, value]) => value !== undefined))

const LIMITS = ['token', 'allow', 'longest', 'schemes', 'verbs', 'conditions']

/** A function that checks requests against a token's limits. */
function ruleOf(token: Token): Rule {
  const { allow, longest, schemes, verbs, conditions } = token
  assertKnownOptions(token, LIMITS, 'bearer()')
  for (const [name, list] of Object.entries({ allow, schemes, verbs, conditions }))
    assertOption(list === undefined || Array.isArray(list), name, 'a list')
  const most = longest === undefined ? Number.POSITIVE_INFINITY : secondsOf(longest, 'longest')
  const places = allow?.map(placeOf)
  const ownConditions = conditions ?? (allow && [])

  /** The reason why one link may not be signed. */
  function objectionTo({ url, expires, conditions: asked }: WantedLink, now: number): { field: string; detail: string } | undefined {
    if (+(expires as Date) / 1000 > now + most)
      return { field: 'expires', detail: `This token may sign links that are valid for up to ${longest}.` }
    const own = ownConditions && Object.keys(asked).find((name) => !STANDARD.includes(name) && !ownConditions.includes(name))
    if (own) return { field: own, detail: 'This token may not sign with this condition.' }
    if (!places) return undefined
    const parts = split(url)
    if (!ownConditions?.includes('query') && HEADERS_IN_QUERY.test(normal(parts.query)))
      return { field: 'url', detail: 'This token may not sign this query.' }
    if (!liesIn(places, parts)) return { field: 'url', detail: 'This token may not sign this URL.' }
    const prefix = asked['prefix'] as string | undefined
    if (prefix !== undefined && !liesIn(places, { origin: parts.origin, path: prefix }))
      return { field: 'prefix', detail: 'This token may not sign links that open so much.' }
    return undefined
  }

  return ({ verb, links, now }) => {
    if (verbs && !verbs.includes(verb)) return { status: 403, detail: `This token may not ${verb}.` }
    const present = Math.floor(+now / 1000)
    for (const [index, link] of links.entries()) {
      if (schemes && !schemes.includes(link.scheme))
        return { status: 403, detail: 'This token may not use this scheme.', index, field: 'scheme' }
      const objection = verb === 'sign' ? objectionTo(link, present) : undefined
      if (objection) return { status: 403, index, ...objection }
    }
    return true
  }
}

// Storage services read these from the query as if they were headers, and with some a link reaches files of another path: `x-amz-copy-source` copies any
// other file to the URL of the link; `x-oss-process` with POST, and `x-image-save-object`, write another file; `rename` of OBS gives the file any name.
const HEADERS_IN_QUERY = /[?&](?:x-(?:amz|goog|oss|obs|cos|image|workflow)-|rename(?:[=&]|$))/i

/** A host and a path, or a path alone, in normal form. */
interface Place {
  readonly origin: string
  readonly path: string
}

function placeOf(text: string): Place {
  const { path: written, query, fragment } = split(text)
  const { origin, path } = normalise(split(text))
  const good = path[0] === '/' && !climbs(written) && !query && !fragment
  assertOption(good, 'allow', "a list of URLs such as 'https://cdn.example/files/', or of paths such as '/files/'")
  return { origin, path }
}

/** Is this URL one of the places, or below one? */
function liesIn(places: readonly Place[], { origin: host, path: written, plain }: Omit<Parts, 'query' | 'fragment'>): boolean {
  const origin = normalOrigin(host)
  const path = normalPath(written)
  // Without a host, browsers read a path that begins with two slashes as a host.
  if (!plain && (climbs(written) || (!origin && path.startsWith('//')))) return false
  return places.some((place) => place.origin === origin && below(path, place.path))
}
