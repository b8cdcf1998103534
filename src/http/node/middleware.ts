// middleware: signed links in front of the handlers of Express, Polka, Connect and Fastify.
/// <reference types="node" />
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Claims } from '../../core/claims.ts'
import { LinkError } from '../../core/errors.ts'
import type { Scheme } from '../../core/scheme.ts'
import { admission, type GuardOptions } from '../admission.ts'
import { answerMistake } from '../misplaced.ts'
import { requestOf, UNREADABLE } from './request.ts'
import { writeResponse, writeSentence } from './response.ts'
import { signersIn, urlWithoutLink } from './without-link.ts'

/**
 * A request that {@link middleware} has admitted. TypeScript cannot know which handlers run after it, so cast the request there:
 * `const { claims } = req as Admitted<express.Request>`.
 */
export type Admitted<Incoming extends IncomingMessage = IncomingMessage> = Incoming & {
  /** The claims of the link, proved by its signature. */
  readonly claims: Claims
}

// Express's types keep TypeScript from inferring `express.Request` in `app.use('/files', middleware(…))`, so the default has these fields.
/** A request of `node:http`, with the fields that frameworks may have added. */
export type FrameworkRequest = IncomingMessage & {
  /** The client's address, as Express and `@fastify/middie` know it by their setting for trusted proxies. Node alone does not set it. */
  readonly ip?: string | undefined
  /** The request target as it came, without the changes of routers. */
  readonly originalUrl?: string | undefined
}

/** Options of {@link middleware}: those of `guard`, with the framework's own request as the last argument of `ip` and `refuse`. */
export type MiddlewareOptions<Incoming extends IncomingMessage = FrameworkRequest> = GuardOptions<[incoming: Incoming]>

/**
 * Puts the handlers that follow it behind signed links, in Express, Polka, Connect, and Fastify with `@fastify/middie`. Requests with a valid link go
 * to the next handler; all others are refused as by `guard`. Request targets that clients do not send, such as absolute URLs and paths with dot
 * segments, are answered with 400, because frameworks read them differently from `verify`.
 *
 * The handlers that follow find the proved claims in `req.claims`. `req.url` is then path and query of `claims.resource`: without the link's
 * parameters, and without query parameters that the signature does not cover, because a client can change those. If the signature does not cover the
 * path, `req.url` keeps the path of the request. `req.originalUrl` is not changed, and the body is not read.
 *
 * @param scheme - As for `guard`.
 * @param options - As for `guard`. `ip` also gets the framework's request: `(request, req) => req.ip` with Express, and
 *   `(request, req) => req.socket.remoteAddress` without a framework.
 * @returns A handler of `(req, res, next)`, for HTTP/1.1. Errors that the options throw go to `next`.
 * @throws A `LinkError` `bad_option` without a scheme, and for a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { hmac } from 'securelink'
 * import { middleware } from 'securelink/node'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const guarded = middleware(links, { ip: (request, req) => req.socket.remoteAddress })
 * const server = createServer((req, res) => guarded(req, res, () => res.end('the file')))
 * ```
 */
export function middleware<Incoming extends IncomingMessage = FrameworkRequest>(
  scheme: Scheme,
  options: MiddlewareOptions<Incoming> = {},
): (incoming: Incoming, outgoing: ServerResponse, next: (error?: unknown) => void) => void {
  const admit = admission(scheme, options, 'middleware()')
  return (incoming, outgoing, next) => {
    const mistake = mistakeOf(incoming, outgoing, next)
    if (mistake) return answerMistake(mistake, outgoing, next)
    // Frameworks remove the path of the mount from `url`, but the link was signed with it.
    const { url = '', originalUrl = url } = incoming as { url?: string; originalUrl?: string }
    const request = requestOf(incoming, { target: originalUrl })
    if (!request) return writeSentence(outgoing, 400, UNREADABLE)
    admit(request, incoming).then(({ claims, signedBy, answer }) => {
      if (answer) return void writeResponse(outgoing, answer, request.method).catch(next)
      Object.assign(incoming, { claims, url: urlWithoutLink(signersIn(scheme, signedBy), originalUrl, url, claims) })
      next()
    }, next)
  }
}

/** A call with other arguments than Node's request, its response, and `next`. */
function mistakeOf(incoming: IncomingMessage, outgoing: ServerResponse, next: unknown): LinkError | undefined {
  // Node's requests of HTTP/2 have these fields, too; they are answered with 400.
  const known = typeof incoming?.socket === 'object' && Array.isArray(incoming.rawHeaders) && typeof outgoing?.getHeaderNames === 'function'
  if (!known) {
    const remedy = 'in a fetch handler and with Hono use guard(links, handler), and with Fastify register @fastify/middie'
    return new LinkError('bad_option', `req and res must be the request and the response of node:http; ${remedy}`, { option: 'req' })
  }
  if (typeof next === 'function') return undefined
  const remedy = 'without a framework write createServer((req, res) => middleware(links)(req, res, () => …))'
  return new LinkError('bad_option', `next must be a function that runs the next handler; ${remedy}`, { option: 'next' })
}
