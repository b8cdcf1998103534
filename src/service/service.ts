// service: a fetch handler that signs, verifies, redeems and inspects links for services written in other languages.
import { type Asked, clock, type Duration, grant } from '../core/conditions.ts'
import { insist, LinkError } from '../core/errors.ts'
import { inspect } from '../core/inspect.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import { split } from '../lib/url.ts'
import { redeem, type UseStore } from '../core/redeem.ts'
import type { Grant, Scheme } from '../core/scheme.ts'
import { fitting } from '../core/sign.ts'
import type { Verdict } from '../core/verdict.ts'
import { type VerifyOptions, verify } from '../core/verify.ts'
import type { Authorize, Denied, Verb, Wanted, WantedLink } from './bearer.ts'
import { docsPage } from './docs-page.ts'
import { checkNames } from '../http/names.ts'
import { openapi, VERBS } from './openapi.ts'
import { problem } from '../http/refusal.ts'
import { INVALID, OLD_ROUTES, OLD_SHAPES, type OldRoute, translated, translatedBack, VALID } from './python-routes.ts'
import { check, type FieldError, isObject, type Shape, shapesOf } from './shapes.ts'


/** Options of {@link service}. */
export interface ServiceOptions extends Pick<VerifyOptions, 'revoked' | 'now' | 'tolerance'> {
  /** Decides who may ask for what; `bearer(tokens)` is a ready one. There is no default. */
  readonly authorize: Authorize
  /** Who has used which link. Without it there is no `/redeem`. */
  readonly store?: UseStore
  /** The largest body that is read, in bytes. Default: a million. */
  readonly limit?: number
  /**
   * Turns on the routes of the Python SecureLink, `POST /generate-secure-md5-link/` and `/validate-secure-link/`, for clients that were
   * written for it: `true`, or the name of the scheme whose links they are about. Their links open where they did with `nginx({ secret })`.
   * Default: `false`.
   */
  readonly secureLinkApi?: boolean | string
  /**
   * Told what failed on this side: a store that is down, a ring without a key in time, an error of `authorize`. Default: a line on
   * `console.error` with the verb and the name of the error, and no more, because messages may hold what was sent.
   */
  readonly report?: (error: unknown, verb: Verb) => void
}

/**
 * Makes a link service: `POST /sign`, `/verify`, `/inspect` and, with a store, `/redeem` take one link or up to 1,000 as JSON;
 * `GET /openapi.json` describes them, `/docs` is a page to try them on, `/healthz` says that it runs.
 *
 * A refused link is an answer with status 200. Everything that the caller got wrong is a 4xx with a problem document (RFC 9457) that names the
 * field: `{ "errors": [{ "field": "links[3].expires", "detail": "…" }] }`. No answer repeats a link, a token or a stack.
 *
 * @param schemes - A scheme, or several by the names that callers choose from.
 * @returns A fetch handler for Deno, Bun and workers, and through `securelink/node` for Node.
 * @throws A {@link LinkError}: `bad_option` without `authorize`, without a scheme, or for an option that there is not.
 *
 * @example
 * ```ts
 * import { hmac } from 'securelink'
 * import { bearer, service } from 'securelink/service'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const fetch = service(links, { authorize: bearer('a-token-of-32-characters-or-more-Zk3vQ8') })
 *
 * const headers = { 'content-type': 'application/json', authorization: 'Bearer a-token-of-32-characters-or-more-Zk3vQ8' }
 * const body = JSON.stringify({ url: 'https://cdn.example/report.pdf', expires: '10m' })
 * const answer = await fetch(new Request('https://links.example/sign', { method: 'POST', headers, body }))
 * console.log(answer.status) // 200
 * ```
 */
export function service(
  schemes: Scheme | Readonly<Record<string, Scheme>>,
  options: ServiceOptions,
): (request: Request, ...rest: unknown[]) => Promise<Response> {
  const {
    authorize,
    store,
    limit = 1_000_000,
    report = complain,
    secureLinkApi = false,
    now,
    tolerance,
    revoked,
    ...others
  } = options ?? {}
  insist(
    typeof authorize === 'function',
    'service takes { authorize }: a function that decides who may ask for what, such as bearer(tokens)',
  )
  checkNames('service', others)
  const known = isScheme(schemes) ? new Map([[schemes.name, schemes]]) : new Map(Object.entries(schemes ?? {}))
  insist(known.size > 0 && [...known.values()].every(isScheme), 'service takes a scheme, or an object with schemes by name')
  insist(!store || typeof store.take === 'function', 'store takes an object with take(id, until, uses)')
  insist(Number.isInteger(limit) && limit > 0, 'limit takes a whole number of bytes')
  const [only] = known.size === 1 ? known.keys() : []
  const oldScheme = secureLinkApi === true ? only : secureLinkApi || undefined
  insist(
    secureLinkApi === false || known.has(oldScheme as string),
    'secureLinkApi takes the name of a scheme of this service, or true if there is only one',
  )
  const shapes = { ...shapesOf(known), ...(secureLinkApi && OLD_SHAPES) }
  const verbs = (Object.keys(VERBS) as Verb[]).filter((verb) => verb !== 'redeem' || store)
  const document = JSON.stringify(openapi(verbs, shapes, only === undefined ? [...known.keys()][0] : undefined, !!secureLinkApi))
  const shared = { ...(tolerance !== undefined && { tolerance: tolerance as Duration }), ...(revoked && { revoked }) }

  /** What the body asks for; what is wrong with it goes to `errors`. */
  function read(
    verb: Verb,
    body: Record<string, unknown>,
    batch: boolean,
    present: number,
    errors: FieldError[],
    old?: OldRoute,
  ): Asking[] {
    const { takes } = old ?? VERBS[verb]
    let whole = body
    // A name that is given once for the batch counts for every link without one.
    if (batch && Array.isArray(body['links']) && typeof body['scheme'] === 'string') {
      const named = { scheme: body['scheme'] }
      whole = { ...body, links: body['links'].map((link) => (isObject(link) ? { ...named, ...link } : link)) }
    }
    errors.push(...check(shapes, shapes[batch ? `Many${takes}` : takes] as Shape, whole))
    if (errors.length > 0) return []
    if (old) whole = { scheme: oldScheme, ...translated(verb, whole, known.get(oldScheme as string) as Scheme) }
    // The links of a batch mostly end at the same moment.
    let shared = new Date(0)
    return (batch ? (whole['links'] as Item[]) : [whole as unknown as Item]).map((item, i) => {
      const { scheme: name = only as string, url, link, ...conditions } = item
      const asking: Asking = { scheme: name, url: url ?? (link as string), conditions, maker: known.get(name) as Scheme }
      if (verb !== 'sign') return asking
      try {
        asking.granted = grant(asking.maker, asking.url, dated(conditions) as unknown as Asked, present)
        const ends = asking.granted.expires * 1000
        asking.expires = shared = +shared === ends ? shared : new Date(ends)
      } catch (error) {
        errors.push(fieldError(error, asking, batch ? `links[${i}].` : ''))
      }
      return asking
    })
  }

  async function answer(verb: Verb, request: Request, old?: OldRoute): Promise<Response> {
    const early = (await authorize.early?.(request)) ?? true
    if (early !== true) return denied(early, false)
    const { headers } = request
    // The Python SecureLink took bodies of no type at all. Pages of other sites can send those, but not with this header.
    const type = headers.get('content-type') ?? (old && headers.has('authorization') ? 'application/json' : '')
    if (!/^application\/json *(;|$)/i.test(type) || headers.has('content-encoding'))
      return complaint(415, 'The body must come with content-type: application/json, and not compressed.')
    const text = await textOf(request, limit)
    if (text === undefined) return complaint(413, `The body must have at most ${limit} bytes.`)
    const body = parse(text)
    if (!isObject(body)) return complaint(400, 'The body must be a JSON object, in UTF-8.')

    const batch = !old && Object.hasOwn(body, 'links')
    const present = clock(now)
    const errors: FieldError[] = []
    const asking = read(verb, body, batch, present, errors, old)
    if (errors.length > 0) return invalid(errors, old)
    const wanted: Wanted = { verb, links: asking, now: new Date(present) }
    const decision = await authorize(request, wanted)
    if (decision !== true) return denied(decision, batch, old)

    if (verb === 'sign') {
      const sealed = await inTurn(asking, seal)
      for (const [i, error] of sealed.entries())
        if (typeof error !== 'string') errors.push(fieldError(error, asking[i] as Asking, batch ? `links[${i}].` : ''))
      if (errors.length > 0) return invalid(errors, old)
      if (old) return json({ secure_url: sealed[0] })
      let [shared, text] = [new Date(0), '']
      const links = sealed.map((link, i) => {
        const { expires = shared } = asking[i] as Asking
        if (expires !== shared) text = (shared = expires).toISOString()
        return { link, expires: text }
      })
      return json(batch ? { links } : links[0])
    }
    if (verb === 'inspect') {
      const links = asking.map(({ maker, url }) => inspect(maker, url) ?? { unverified: null })
      return json(batch ? { links } : links[0])
    }
    const failures: unknown[] = []
    const verdicts = await inTurn(asking, async ({ maker, url, conditions }) => {
      // The answer is a 503 anyway, and a store that hangs would be waited for again and again.
      if (failures.length > 0) return null
      const visit: VerifyOptions = { ...shared, ...conditions, now: () => wanted.now }
      try {
        return await (verb === 'redeem' ? redeem(maker, url, { ...visit, store: store as UseStore }) : verify(maker, url, visit))
      } catch (error) {
        failures.push(error)
        return null
      }
    })
    if (failures.length > 0) {
      report(failures[0], verb)
      // What has been spent is said, or nobody would ever know.
      const known = batch && verb === 'redeem' ? { verdicts } : {}
      return complaint(503, 'This cannot be told right now; try again later.', known)
    }
    const [verdict] = verdicts as [Verdict]
    if (old) return verdict.ok ? json({ message: VALID }) : complaint(403, INVALID, { reason: verdict.reason })
    return json(batch ? { verdicts } : verdict)
  }

  const pages: Record<string, () => Response> = {
    '/healthz': () => json({ status: 'ok' }),
    '/openapi.json': () => json(document),
    '/docs': () => {
      const { html, policy } = docsPage(encode(crypto.getRandomValues(new Uint8Array(16)), BASE64URL))
      return new Response(html, { headers: { ...HEADERS, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy } })
    },
  }

  return async (request) => {
    const { path } = split(request.url)
    const { method } = request
    const old = secureLinkApi ? OLD_ROUTES[path.replace(/\/$/, '')] : undefined
    const verb = old?.verb ?? verbs.find((verb) => path === `/${verb}`)
    if (verb && method !== 'POST') return complaint(405, `${path} takes POST.`, {}, { allow: 'POST' }, method)
    if (verb)
      try {
        return await answer(verb, request, old)
      } catch (error) {
        report(error, verb)
        return error instanceof LinkError && error.code === 'no_key'
          ? complaint(503, 'The scheme has no key in time here, so the service cannot do this.')
          : complaint(500, 'The service failed to answer this request.')
      }
    const page = Object.hasOwn(pages, path) && pages[path]
    if (!page) return complaint(404, 'There is nothing here; /docs shows what there is.', {}, {}, method)
    if (method !== 'GET' && method !== 'HEAD') return complaint(405, `${path} takes GET.`, {}, { allow: 'GET, HEAD' }, method)
    const response = page()
    return method === 'HEAD' ? new Response(null, response) : response
  }
}

/** One link of a request, as its shape has it. */
interface Item {
  readonly scheme?: string
  readonly url?: string
  readonly link?: string
  readonly [name: string]: unknown
}

/** The same, with everything looked up. */
interface Asking extends WantedLink {
  readonly maker: Scheme
  expires?: Date
  granted?: Grant
}

const isScheme = (value: unknown): value is Scheme =>
  ['seal', 'read', 'check'].every((name) => typeof (value as Record<string, unknown> | undefined)?.[name] === 'function')

/** JSON has no dates, so what is no length of time becomes one. */
function dated(conditions: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { expires, starts } = conditions as { expires: string; starts?: string }
  if (!DATE.test(expires) && !DATE.test(starts ?? '')) return conditions
  const when = (text: string) => (DATE.test(text) ? new Date(text) : text)
  return { ...conditions, expires: when(expires), ...(starts !== undefined && { starts: when(starts) }) }
}

const DATE = /^\d{4}-/

/** Some at a time: a thousand under way are so much that collecting garbage takes longer than signing. */
async function inTurn<Result>(asking: readonly Asking[], each: (one: Asking) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let from = 0; from < asking.length; from += 128) results.push(...(await Promise.all(asking.slice(from, from + 128).map(each))))
  return results
}

/** Seals a link that was granted; what goes wrong is for the caller to sort out, link by link. */
async function seal({ maker, granted }: Asking): Promise<string | Error> {
  try {
    return fitting(await maker.seal(granted as Grant))
  } catch (error) {
    return error as Error
  }
}

const CALLERS = ['bad_option', 'unsupported_condition', 'already_signed']
const OTHERS = ['url', 'expires', 'align', 'starts', 'method', 'ip', 'prefix', 'uses']

/** What `sign` says of a mistake, with the field that it is about; throws again what is no mistake of the caller. */
function fieldError(error: unknown, { maker, conditions }: Asking, at: string): FieldError {
  const own = maker.own?.find((name) => name !== 'id' && conditions[name] !== undefined)
  if (!(error instanceof LinkError)) {
    // The scheme's own conditions are any JSON, and a scheme need not foresee all of it.
    if (own) return { field: at + own, detail: `${at}${own} is not what ${maker.name} links take.` }
    throw error
  }
  if (!CALLERS.includes(error.code)) throw error
  // The sentences of `sign` begin with the name of what they are about, or have it in quotes or behind `links take`.
  const { message } = error
  const [, name = ''] =
    /cannot carry '(\w+)'|links(?: with \S+)? take an? (\w+)/.exec(message)?.filter(Boolean) ?? /^(\w+)/.exec(message) ?? []
  const field = [...OTHERS, ...(maker.own ?? []), ...Object.keys(conditions)].includes(name) ? name : 'url'
  return { field: at + field, detail: `${message}.` }
}

/** The body as text; `undefined` when it is too large. What is no UTF-8, or broke off, becomes text that is no JSON. */
async function textOf({ headers, body }: Request, limit: number): Promise<string | undefined> {
  const large = Number(headers.get('content-length')) > limit
  let text = ''
  try {
    // Counted while it comes, because not every body says its length.
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const reader = (body as ReadableStream<Uint8Array> | null)?.getReader()
    for (let size = 0; reader; ) {
      const { done, value } = large ? { value: undefined } : await reader.read()
      if (done) break
      size += value?.length ?? 0
      if (large || size > limit) {
        await reader.cancel()
        return
      }
      text += decoder.decode(value, { stream: true })
    }
    return text + decoder.decode()
  } catch {
    return ''
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return
  }
}

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

function json(value: unknown): Response {
  const body = typeof value === 'string' ? value : JSON.stringify(value)
  return new Response(body, { headers: { ...HEADERS, 'content-type': 'application/json' } })
}

const TITLES: Record<number, string> = {
  401: 'Unauthorized',
  404: 'Not Found',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
}

function complaint(status: number, detail: string, more: object = {}, headers: Record<string, string> = {}, method = 'POST'): Response {
  const title = TITLES[status]
  return problem(status, detail, { ...(title && { title }), ...more }, method, { 'x-content-type-options': 'nosniff', ...headers })
}

function invalid(errors: readonly FieldError[], old?: OldRoute): Response {
  const named = old ? errors.map(translatedBack) : errors
  return complaint(422, (named[0] as FieldError).detail, { errors: named.slice(0, 20) })
}

function denied(decision: false | Denied, batch: boolean, old?: OldRoute): Response {
  // Who forgets that only `true` lets in, and answers with a user's record, must not answer with status 200.
  const known = decision && decision.status >= 400
  const { status, detail, index = 0, field } = known ? decision : { status: 403, detail: 'You may not ask for this here.' }
  const error = { field: batch ? `links[${index}].${field}` : (field as string), detail }
  const errors = field ? { errors: [old ? translatedBack(error) : error] } : {}
  return complaint(status, detail, errors, status === 401 ? { 'www-authenticate': 'Bearer' } : {})
}

function complain(error: unknown, verb: Verb): void {
  console.error(`The link service failed to ${verb}: ${error instanceof Error ? error.name : 'an error'}`)
}
