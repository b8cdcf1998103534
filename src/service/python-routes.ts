// The two routes of the Python SecureLink, https://github.com/muscodev/secure-link-generator, for clients that were written for it. They wrap a link
// service: requests are translated into the fields of the service, and its responses are translated back.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { assertScheme, type Scheme } from '../core/scheme.ts'
import { LONGEST, split } from '../lib/url.ts'
import { complaint, invalid, json, notJson, tooLarge, wrongMethod } from './answers.ts'
import { isDeclaredJson, parsed, textOf } from './body.ts'
import { type Document, postOperation } from './openapi.ts'
import { check, type FieldError, isObject, object, ref, type Shape, text } from './shapes.ts'

/** Options of {@link pythonRoutes}. */
export interface PythonRoutesOptions {
  /** The scheme of the links. `nginx({ secret })` makes the links of the Python SecureLink. */
  readonly scheme: Scheme
  /** The name of the scheme in the service. Needed if the service has several. */
  readonly name?: string
  /** The largest body that is read, in bytes. Default: 1,000,000. */
  readonly limit?: number
}

/** One of the routes. */
interface Route {
  /** The route of the service that answers. */
  readonly asks: '/sign' | '/verify'
  readonly takes: string
  readonly gives: string
  readonly summary: string
  readonly description: string
  readonly example: object
}

const url = 'https://cdn.example/secure/report.pdf'

/** By path. Each path also works with a slash at its end, as existing clients request it. */
const ROUTES: Readonly<Record<string, Route>> = {
  '/generate-secure-md5-link': {
    asks: '/sign',
    takes: 'ToGenerate',
    gives: 'Generated',
    summary: 'Sign a URL, as the Python SecureLink does',
    description: 'Unknown fields are ignored.',
    example: { url, clientip: '203.0.113.7', expire_seconds: 60 },
  },
  '/validate-secure-link': {
    asks: '/verify',
    takes: 'ToValidate',
    gives: 'Validated',
    summary: 'Tell whether a link is valid for an address, as the Python SecureLink does',
    description: 'The answer to a link that is not valid has the status 403, and a `reason`. Unknown fields are ignored.',
    example: { url: `${url}?md5=…&expires=…`, clientip: '203.0.113.7' },
  },
}

/** The paths of these routes, such as an access log may name. */
export const PYTHON_PATHS: readonly string[] = Object.keys(ROUTES).flatMap((path) => [path, `${path}/`])

const VALID = 'The secure link is valid.'
const INVALID = 'Invalid or expired secure link.'

const nothing: Shape = { type: 'null' }
const clientip: Shape = {
  description: 'An address, that of the client. Without it 127.0.0.1; empty for a link that opens for every address.',
  anyOf: [{ type: 'string', maxLength: 100 }, nothing],
  examples: ['203.0.113.7'],
}
const MOST_SECONDS = 999_999_999

const SHAPES: Readonly<Record<string, Shape>> = {
  ToGenerate: object(['url'], {
    url: text("An absolute URL, or a path that starts with '/'.", { maxLength: LONGEST, examples: [url] }),
    clientip,
    expire_seconds: {
      description: `A whole number of seconds, from 1 to ${MOST_SECONDS}. Without it, 20.`,
      anyOf: [{ type: 'integer', minimum: 1, maximum: MOST_SECONDS }, { type: 'string', pattern: '^[1-9]\\d{0,8}$' }, nothing],
      examples: [60],
    },
  }),
  Generated: object(['secure_url'], { secure_url: { type: 'string' } }),
  ToValidate: object(['url'], { url: text('A link, as the request had it.', { maxLength: LONGEST, examples: [`${url}?…`] }), clientip }),
  Validated: object(['message'], { message: { const: VALID } }),
}

/**
 * Adds the routes of the Python SecureLink to a link service, for clients that were written for it: `POST /generate-secure-md5-link/` and
 * `POST /validate-secure-link/`. The service answers them: its `authorize` sees the verbs `sign` and `verify`. All other requests go on to it.
 *
 * @param fetch - The handler that `service` returned.
 * @param options - The scheme whose links the routes sign and verify.
 * @returns A fetch handler.
 * @throws A `LinkError` `bad_option` without a handler or a scheme, or for an unknown option.
 *
 * @example
 * ```ts
 * import { bearer, pythonRoutes, service } from 'securelink/service'
 * import { nginx } from 'securelink/schemes/nginx'
 *
 * const links = nginx({ secret: 'the SECRET_KEY that NGINX has' })
 * const authorize = bearer('a-token-of-32-characters-or-more-Zk3vQ8')
 * const fetch = pythonRoutes(service(links, { authorize }), { scheme: links })
 * ```
 */
export function pythonRoutes<Rest extends unknown[]>(
  fetch: (request: Request, ...rest: Rest) => Promise<Response>,
  options: PythonRoutesOptions,
): (request: Request, ...rest: Rest) => Promise<Response> {
  assertOption(typeof fetch === 'function', 'fetch', 'the handler that service() returns')
  const { scheme, name, limit = 1_000_000 } = options ?? {}
  assertScheme(scheme)
  assertKnownOptions(options, ['scheme', 'name', 'limit'], 'pythonRoutes()')
  assertOption(name === undefined || (typeof name === 'string' && name), 'name', 'the name that the service knows the scheme by')
  assertOption(Number.isInteger(limit) && limit > 0, 'limit', 'a whole number of bytes')

  return async (request, ...rest) => {
    const { path } = split(request.url)
    if (path === '/openapi.json' && request.method === 'GET') return withRoutes(await fetch(request, ...rest), name)
    const route = ROUTES[path.replace(/\/$/, '')]
    if (!route) return fetch(request, ...rest)
    if (request.method !== 'POST') return wrongMethod(path, 'POST', request.method)
    const question = translation(request, route, { scheme, limit, ...(name !== undefined && { name }) })
    const answer = await fetch(question.request, ...rest)
    // The body is read only after the service has accepted the caller's token, so other callers get no errors about their body.
    return question.objection() ?? translatedBack(answer, route)
  }
}

/** A request with the fields of the service. */
interface Translation {
  readonly request: Request
  /** The answer to a body that cannot be translated. `undefined`: the body is fine, or was not read. */
  objection(): Response | undefined
}

/** Translates a request. Its body is read and translated when the service reads it. */
function translation(original: Request, route: Route, options: PythonRoutesOptions & { readonly limit: number }): Translation {
  let objection: Response | undefined
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const question = await questionIn(original, route, options)
        if (question instanceof Response) objection = question
        // A faulty body becomes an empty object, and the response of the service to it is replaced.
        controller.enqueue(new TextEncoder().encode(question instanceof Response ? '{}' : JSON.stringify(question)))
        controller.close()
      },
    },
    // Nothing is read before the service asks for it.
    { highWaterMark: 0 },
  )
  const headers = new Headers(original.headers)
  headers.delete('content-length')
  // The Python SecureLink accepts bodies without a type. Pages of other sites can send those, too, but not with this header.
  if (!headers.has('content-type') && headers.has('authorization')) headers.set('content-type', 'application/json')
  // If it is not declared as JSON, the service refuses it, and the body is not read.
  const { origin } = split(original.url)
  const init = { method: 'POST', headers, body: isDeclaredJson(headers) ? body : null, duplex: 'half', signal: original.signal }
  return { request: new Request(origin + route.asks, init as RequestInit), objection: () => objection }
}

interface PythonBody {
  readonly url: string
  readonly clientip?: string | null
  readonly expire_seconds?: number | string | null
}

/** The body of the request to the service, or the answer to a body that is wrong. */
async function questionIn(
  request: Request,
  { asks, takes }: Route,
  { scheme, name, limit }: PythonRoutesOptions & { readonly limit: number },
): Promise<object | Response> {
  const text = await textOf(request, limit)
  if (text === undefined) return tooLarge(limit)
  const body = parsed(text)
  if (!isObject(body)) return notJson()
  const errors = check(SHAPES, SHAPES[takes] as Shape, body)
  if (errors.length > 0) return invalid(errors)

  const { url, clientip, expire_seconds } = body as unknown as PythonBody
  const { carries, requires = [] } = scheme.schemes?.[0] ?? scheme
  // As in the Python SecureLink: without an address, the link is for 127.0.0.1, and not for every address.
  const ip = clientip ?? (carries.includes('ip') ? '127.0.0.1' : '')
  const named = name === undefined ? {} : { scheme: name }
  const address = ip ? { ip } : {}
  // Clients do not send the fragment of a link, so it is not a part of the request.
  if (asks === '/verify') return { ...named, link: url.replace(/#.*/s, ''), ...address }
  if (ip && !carries.includes('ip')) return invalid([clientipError('empty, because links of this scheme cannot carry an address')])
  if (!ip && requires.includes('ip')) return invalid([clientipError('an address, because links of this scheme require one')])
  return { ...named, url, ...address, expires: `${expire_seconds ?? 20}s` }
}

const clientipError = (rule: string): FieldError => ({ field: 'clientip', detail: `clientip must be ${rule}.` })

/** The fields of these routes by the service's names, with the error for a value that the service refuses. */
const FIELDS: Readonly<Record<string, FieldError>> = {
  link: { field: 'url', detail: 'url must be a link.' },
  ip: clientipError("an address such as '203.0.113.7'"),
  expires: { field: 'expire_seconds', detail: 'expire_seconds must be a lifetime that links of this scheme can have.' },
}

/** The service's answer with the fields of these routes. */
async function translatedBack(answer: Response, { asks }: Route): Promise<Response> {
  if (answer.status === 200) {
    const { link, ok, reason, parameter } = await answer.json()
    if (asks === '/sign') return json({ secure_url: link })
    return ok ? json({ message: VALID }) : complaint(403, INVALID, { more: { reason, parameter } })
  }
  if (answer.status !== 422 && answer.status !== 403) return answer
  const { title, detail, errors } = (await answer.json()) as { title: string; detail: string; errors?: readonly FieldError[] }
  const translated = errors?.map((error) => {
    const own = FIELDS[error.field]
    if (!own) return error
    // For a limit of the caller's token, keep the sentence that names the limit.
    return answer.status === 422 ? own : { ...error, field: own.field }
  })
  return complaint(answer.status, translated?.[0]?.detail ?? detail, { more: { title, ...(translated && { errors: translated }) } })
}

/** The description of the service, with these routes. */
async function withRoutes(answer: Response, name: string | undefined): Promise<Response> {
  const document = (await answer.json()) as Document
  const about = name === undefined ? '' : ` The links are those of the scheme ${name}.`
  const paths = Object.entries(ROUTES).map(([path, { takes, gives, summary, description, example }]) => {
    const operation = { id: path.slice(1), summary, description: description + about, takes: ref(takes), gives: ref(gives), example }
    return [`${path}/`, postOperation(operation)] as const
  })
  return json({
    ...document,
    paths: { ...document.paths, ...Object.fromEntries(paths) },
    components: { ...document.components, schemas: { ...document.components.schemas, ...SHAPES } },
  })
}
