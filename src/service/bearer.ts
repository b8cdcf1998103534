// bearer: who may ask the link service for what, by tokens in the Authorization header (RFC 6750).
import { type Duration, seconds } from '../core/conditions.ts'
import { insist, LinkError } from '../core/errors.ts'
import { same } from '../lib/encoding.ts'
import { below, normalise, normalPath } from '../lib/normalise.ts'
import { split } from '../lib/url.ts'
import { climbs } from '../http/climbs.ts'
import { unknown } from '../http/names.ts'

/** What the service can be asked to do. */
export type Verb = 'sign' | 'verify' | 'inspect' | 'redeem'

/** One link that somebody wants signed, verified, inspected or redeemed. */
export interface WantedLink {
  /** The name that the service knows the scheme by. */
  readonly scheme: string
  /** The URL to sign, or the link. */
  readonly url: string
  /** To sign: when the link will die, with every rounding. */
  readonly expires?: Date
  /** To sign: everything that was asked for, checked already. */
  readonly conditions: Readonly<Record<string, unknown>>
}

/** One request to the service, as {@link ServiceOptions.authorize} sees it. All of its links are allowed, or none. */
export interface Wanted {
  readonly verb: Verb
  readonly links: readonly WantedLink[]
  /** The present, by the service's clock. */
  readonly now: Date
}

/** A refusal that says more than `false`. */
export interface Denied {
  /** 401: who are you? 403: not you. */
  readonly status: 401 | 403
  /** A sentence for the caller. */
  readonly detail: string
  /** Which of the links. */
  readonly index?: number
  /** Which of its fields. */
  readonly field?: string
}

/** Decides who may ask for what. */
export interface Authorize {
  (request: Request, wanted: Wanted): boolean | Denied | Promise<boolean | Denied>
  /** Asked before the body is read, where the headers alone can tell: so strangers cannot make the service read megabytes. */
  readonly early?: (request: Request) => boolean | Denied | Promise<boolean | Denied>
}

/** What a token is good for. What is left out is not limited. */
export interface Limits {
  /**
   * What it may sign: `'https://cdn.example/files/'` is that host and everything below that path, `'https://cdn.example'` the whole host,
   * and `'/files/'` URLs without a host. It limits no more than the signature covers: an `hmac` link opens on every host that has the keys,
   * unless the scheme has `origin: true`.
   */
  readonly allow?: readonly string[]
  /** The longest lifetime of a link that it may sign. */
  readonly longest?: Duration
  /** Names of the schemes that it may use, as the service knows them. */
  readonly schemes?: readonly string[]
  /** What it may ask for. */
  readonly verbs?: readonly Verb[]
  /**
   * Conditions of a scheme's own, such as `headers`, that it may sign with besides `id`. Where `allow` is set the default is none: some of
   * them widen what a link opens. Without `query` in this list, parameters such as `x-amz-copy-source` are refused in the URL, too.
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
 * @param tokens - Each of at least 32 characters, as text or with limits of its own.
 * @param limits - For all tokens; what a token says itself goes first.
 * @returns For the option `authorize` of `service`.
 * @throws A {@link LinkError}: `weak_key` for a short token, `bad_option` for a limit that cannot be meant.
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
  const all = [tokens].flat().map((token) => ({ ...limits, ...given(typeof token === 'string' ? { token } : token) })) as Token[]
  insist(all.length > 0, 'bearer takes at least one token')
  const rules = all.map((limit) => {
    if (!/^[\w\-.~+/]{32,}=*$/.test(limit.token))
      throw new LinkError('weak_key', 'bearer takes tokens of at least 32 letters, digits and -._~+/')
    return [limit.token, ruleOf(limit)] as const
  })

  const found = new WeakMap<Request, Rule>()
  const early = (request: Request): true | Denied => {
    const [, sent] = /^Bearer +([\w\-.~+/]+=*)$/i.exec(request.headers.get('authorization') ?? '') ?? []
    if (!sent) return { status: 401, detail: 'This takes a token, in a header such as Authorization: Bearer ….' }
    let rule: Rule | undefined
    // With each of them, and each to its end: the time tells neither which one it was nor how much of one was right.
    for (const [token, its] of rules) if (same(token, sent)) rule = its
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

type Rule = (wanted: Wanted) => true | Denied

/** Without what is undefined, which must not take the place of a limit. */
const given = (token: object) => Object.fromEntries(Object.entries(token).filter(([, value]) => value !== undefined))

// Storages read these from the query as if they were headers, and `x-amz-copy-source` copies any other file to where the link leads.
const HEADERS = /[?&]x-(amz|goog)-/i

function ruleOf({ token: _, allow, longest, schemes, verbs, conditions, ...others }: Token): Rule {
  // A misspelt limit would be none.
  const [odd] = Object.keys(others)
  insist(odd === undefined, `bearer knows no ${unknown('limit', odd as string)}: it takes allow, longest, schemes, verbs and conditions`)
  for (const [name, list] of Object.entries({ allow, schemes, verbs, conditions }))
    insist(list === undefined || Array.isArray(list), `${name} takes a list`)
  const most = longest === undefined ? Infinity : seconds(longest, 'longest')
  const places = allow?.map((place) => {
    const { origin, path, query, fragment } = normalise(split(place))
    const text = split(place)
    insist(
      path[0] === '/' && !climbs(text.path) && !(query || fragment || text.query || text.fragment),
      `allow takes URLs such as 'https://cdn.example/files/', or paths such as '/files/'`,
    )
    return { origin, path }
  })
  const own = conditions ?? (allow && [])
  const denied = (detail: string, index: number, field: string): Denied => ({ status: 403, detail, index, field })

  return ({ verb, links, now }) => {
    if (verbs && !verbs.includes(verb)) return { status: 403, detail: `This token may not ${verb}.` }
    for (const [i, { scheme, url, expires, conditions: asked }] of links.entries()) {
      if (schemes && !schemes.includes(scheme)) return denied('This token may not use this scheme.', i, 'scheme')
      if (verb !== 'sign') continue
      if (Math.floor(+(expires as Date) / 1000) > Math.ceil(+now / 1000 + most))
        return denied(`This token may sign links that live up to ${longest}.`, i, 'expires')
      const odd = own && Object.keys(asked).find((name) => !STANDARD.includes(name) && !own.includes(name))
      if (odd) return denied('This token may not sign with this condition.', i, odd)
      if (!places) continue
      const { origin, path, query } = normalise(split(url))
      if (!own?.includes('query') && HEADERS.test(query)) return denied('This token may not sign this query.', i, 'url')
      const inside = (other: string) =>
        !climbs(other) && places.some((place) => place.origin === origin && below(normalPath(other), place.path))
      // Without a host, what begins with two slashes is a host to browsers.
      if (!inside(split(url).path) || (!origin && path.startsWith('//'))) return denied('This token may not sign this URL.', i, 'url')
      if (asked['prefix'] !== undefined && !inside(asked['prefix'] as string))
        return denied('This token may not sign links that open so much.', i, 'prefix')
    }
    return true
  }
}
