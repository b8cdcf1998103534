// service: a fetch handler that signs, verifies, redeems and inspects links for programs that are written in other languages.
import { assertKnownOptions, assertOption, LinkError } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import type { Scheme } from '../core/scheme.ts'
import { presentTime, secondsOf } from '../core/time.ts'
import type { VerifyOptions } from '../core/verify.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import { split } from '../lib/url.ts'
import { complaint, denied, HEADERS, invalid, json, notJson, tooLarge, wrongMethod } from './answers.ts'
import type { Authorize, Verb } from './bearer.ts'
import { isDeclaredJson, parsed, textOf } from './body.ts'
import { docsPage } from './docs-page.ts'
import { openapi, VERBS } from './openapi.ts'
import { answerTo, linksOf, type Rules } from './routes.ts'
import { type FieldError, isObject, shapesOf } from './shapes.ts'

/** Options of {@link service}. */
export interface ServiceOptions extends Pick<VerifyOptions, 'revoked' | 'now' | 'tolerance'> {
  /** Decides who may ask for what; `bearer(tokens)` makes such a function. Required. */
  readonly authorize: Authorize
  /** Remembers which links were used. Without it, the service does not have the route `/redeem`. */
  readonly store?: UseStore
  /** The largest body that is read, in bytes. Default: 1,000,000. */
  readonly limit?: number
  /**
   * Called with an error of the service: a store that is down, a keyring without a valid key, an error that `authorize` threw. Default: logs a line
   * with `console.error`. It has only the verb and the name of the error, because messages may contain parts of the request.
   */
  readonly report?: (error: unknown, verb: Verb) => void
}

const OPTIONS = ['authorize', 'store', 'limit', 'report', 'revoked', 'now', 'tolerance']

/** A fetch handler. It ignores all arguments but the request. */
export type FetchHandler = (request: Request, ...rest: unknown[]) => Promise<Response>

/**
 * Makes a link service: `POST /sign`, `/verify`, `/inspect` and, with a store, `/redeem` take one link or up to 1,000 as JSON;
 * `GET /openapi.json` describes them, `/docs` is a page to try them, `/healthz` shows that the service runs.
 *
 * The response for a refused link has the status 200. The response to a mistake of the caller is a 4xx with a problem document (RFC 9457) that names
 * the field: `{ "errors": [{ "field": "links[3].expires", "detail": "…" }] }`. No error response contains a link, a token or a stack trace.
 *
 * @param schemes - A scheme, or several by the names that callers choose from.
 * @param options - `authorize`, which is required, and a store for `/redeem`.
 * @returns A fetch handler for Deno, Bun and workers, and through `securelink/node` for Node.
 * @throws A {@link LinkError}: `bad_option` without `authorize`, without a scheme, or for an unknown option.
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
export function service(schemes: Scheme | Readonly<Record<string, Scheme>>, options: ServiceOptions): FetchHandler {
  const known = isScheme(schemes) ? new Map([[schemes.name, schemes]]) : new Map(Object.entries(schemes ?? {}))
  assertOptions(known, options)
  const { authorize, store, limit = 1_000_000, report = complain, now, tolerance, revoked } = options
  const rules: Rules = {
    schemes: known,
    shapes: shapesOf(known),
    store,
    verifyOptions: { ...(tolerance !== undefined && { tolerance }), ...(revoked && { revoked }) },
    report,
  }
  const verbs = (Object.keys(VERBS) as Verb[]).filter((verb) => verb !== 'redeem' || store)
  const [first] = known.keys()
  const pages = pagesOf(JSON.stringify(openapi(verbs, rules.shapes, known.size > 1 ? first : undefined)))

  async function answer(verb: Verb, request: Request): Promise<Response> {
    const early = (await authorize.early?.(request)) ?? true
    if (early !== true) return denied(early, false)
    if (!isDeclaredJson(request.headers))
      return complaint(415, 'The body must come with content-type: application/json, and not compressed.')
    const text = await textOf(request, limit)
    if (text === undefined) return tooLarge(limit)
    const body = parsed(text)
    if (!isObject(body)) return notJson()

    const present = presentTime(now)
    const errors: FieldError[] = []
    const batch = linksOf(rules, verb, body, present, errors)
    if (errors.length > 0) return invalid(errors)
    const decision = await authorize(request, { verb, links: batch.links, now: new Date(present) })
    if (decision !== true) return denied(decision, batch.isList)
    await nextTurn()
    return answerTo(rules, verb, batch)
  }

  return async (request) => {
    const { path } = split(request.url)
    const { method } = request
    const verb = verbs.find((verb) => path === `/${verb}`)
    if (!verb && path === '/redeem') return complaint(404, 'This service has no store, so it cannot redeem links.', { method })
    if (!verb) return pageAt(pages, path, method)
    if (method !== 'POST') return wrongMethod(path, 'POST', method)
    try {
      return await answer(verb, request)
    } catch (error) {
      report(error, verb)
      return failure(error)
    }
  }
}

/**
 * Waits until the server has read all requests that arrived together, where the engine can tell. So their signatures follow one another, and
 * WebCrypto's threads stay awake. Waking one for each request takes longer than all of our own work.
 */
function nextTurn(): Promise<void> | undefined {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown }
  return setImmediate && new Promise((resolve) => setImmediate(resolve))
}

function isScheme(value: unknown): value is Scheme {
  const { read, write } = (value ?? {}) as Partial<Scheme>
  return typeof read === 'function' && typeof write === 'function'
}

function assertOptions(schemes: ReadonlyMap<string, Scheme>, options: ServiceOptions): void {
  assertOption(schemes.size > 0 && [...schemes.values()].every(isScheme), 'schemes', 'a scheme, or an object with schemes by their names')
  const { authorize, store, limit = 1, report, revoked, tolerance } = options ?? {}
  assertOption(typeof authorize === 'function', 'authorize', 'a function that decides who may ask for what, such as bearer(tokens)')
  assertKnownOptions(options, OPTIONS, 'service()')
  assertOption(!store || typeof store.take === 'function', 'store', 'an object with take(id, until, uses), such as memoryStore()')
  assertOption(Number.isInteger(limit) && limit > 0, 'limit', 'a whole number of bytes')
  for (const [name, callback] of [['report', report] as const, ['revoked', revoked] as const])
    assertOption(callback === undefined || typeof callback === 'function', name, 'a function')
  if (tolerance !== undefined) secondsOf(tolerance, 'tolerance')
}

type Pages = Readonly<Record<string, () => Response>>

/** The answers to `GET`, by path. */
function pagesOf(document: string): Pages {
  return {
    // Relative, for a service behind a proxy that removes a folder from the path.
    '/': () => new Response(null, { status: 302, headers: { ...HEADERS, location: 'docs' } }),
    '/healthz': () => json({ status: 'ok' }),
    '/openapi.json': () => json(document),
    '/docs': () => {
      const { html, policy } = docsPage(encode(crypto.getRandomValues(new Uint8Array(16)), BASE64URL))
      return new Response(html, { headers: { ...HEADERS, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy } })
    },
  }
}

function pageAt(pages: Pages, path: string, method: string): Response {
  const page = Object.hasOwn(pages, path) && pages[path]
  if (!page) return complaint(404, 'There is nothing at this address; /docs lists what there is.', { method })
  if (method !== 'GET' && method !== 'HEAD') return wrongMethod(path, 'GET, HEAD', method)
  const response = page()
  return method === 'HEAD' ? new Response(null, response) : response
}

function failure(error: unknown): Response {
  if (error instanceof LinkError && error.code === 'no_key')
    return complaint(503, 'The scheme has no valid key here, so the service cannot do this.')
  return complaint(500, 'The service failed to answer this request.')
}

function complain(error: unknown, verb: Verb): void {
  console.error(`The link service failed to ${verb}: ${error instanceof Error ? error.name : 'an error'}`)
}
