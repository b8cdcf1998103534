// listener: runs a fetch handler on node:http. middleware: the guard for connect-style frameworks. The only bridge between the two worlds.
/// <reference types="node" />
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Claims } from '../core/conditions.ts'
import { insist } from '../core/errors.ts'
import { normalPath } from '../lib/normalise.ts'
import { split } from '../lib/url.ts'
import type { Scheme } from '../core/scheme.ts'
import { type GuardOptions, guard } from './guard.ts'
import { isOriginForm } from './request-target.ts'

const WRONG = 'The Host header, the target or the method of this request is not in order.'

/** What Node knows about a visit besides the request. */
export interface NodeInfo {
  /** The other end of the connection: the visitor, or the proxy in front of this server. */
  readonly remoteAddress: string | undefined
}

/**
 * Makes a fetch handler a request listener for Node's HTTP and HTTPS servers.
 *
 * The request's URL is the `Host` header and the request target as it came. The answer is 400 if they do not make a URL, and for targets that
 * clients do not send to a server: absolute URLs, `*`, and paths with dot segments, a raw `\` or two slashes at the start. Bodies stream both ways
 * at the pace of the slower side. When the visitor leaves, `request.signal` aborts and the response's body is cancelled. When the handler
 * throws, the answer is 500, and the error goes to stderr without the URL, which may be a link.
 *
 * @param handler - Gets the request and the visitor's address: `guard(links, serve, { ip: (request, info) => info.remoteAddress })`.
 * @returns A listener for HTTP/1.1; requests of HTTP/2 are answered with 400.
 * @throws A `LinkError`: `bad_option` for what is no function.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import type { AddressInfo } from 'node:net'
 * import { hmac, sign } from 'securelink'
 * import { guard } from 'securelink/guard'
 * import { listener } from 'securelink/node'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const server = createServer(listener(guard(links, (request, claims) => new Response(`until ${claims.expires.toISOString()}`))))
 * await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(true)))
 *
 * const { port } = server.address() as AddressInfo
 * const link = await sign(links, `http://127.0.0.1:${port}/a.txt`, { expires: '10m' })
 * console.log((await fetch(link)).status) // 200
 * server.close()
 * ```
 */
export function listener(handler: (request: Request, info: NodeInfo) => Response | Promise<Response>): RequestListener {
  insist(typeof handler === 'function', 'listener takes a fetch handler, such as guard(links, handler)')
  return (incoming, outgoing) => {
    const start = () => void answer(incoming, outgoing, handler)
    // Without a socket it waits for earlier answers on its connection, and Node would not tell when the visitor leaves.
    if (outgoing.socket) start()
    else outgoing.once('socket', start)
  }
}

/** A request that {@link middleware} has let through. */
export type Admitted<Incoming extends IncomingMessage = IncomingMessage> = Incoming & {
  /** What the link says, and its signature proves. */
  readonly claims: Claims
}

/** Options of {@link middleware}: those of `guard`, with the framework's own request as the second argument. */
export type MiddlewareOptions<Incoming extends IncomingMessage = IncomingMessage> = GuardOptions<[incoming: Incoming]>

/**
 * Puts what comes after it behind signed links, in Express, Polka, Connect, and Fastify with `@fastify/middie`. Visits with a good link go on
 * to the next handler; everything else is answered as by `guard`. Request targets that clients do not send, such as absolute URLs and paths with
 * dot segments, are answered with 400, because frameworks read them in other ways than the signature did.
 *
 * For handlers that come after it, `req.claims` has the true claims, and `req.url` comes without the link's parameters. `req.originalUrl` keeps
 * them, where the framework sets it. The body of the request is left unread.
 *
 * @param scheme - As for `guard`.
 * @param options - As for `guard`; `ip` gets the framework's request: `(request, req) => req.socket.remoteAddress`.
 * @returns A handler of `(req, res, next)`, for HTTP/1.1. What the options throw goes to `next`.
 * @throws A `LinkError`: `bad_option` without a scheme, or for an option that there is not.
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
export function middleware<Incoming extends IncomingMessage = IncomingMessage>(
  scheme: Scheme,
  options: MiddlewareOptions<Incoming> = {},
): (incoming: Incoming, outgoing: ServerResponse, next: (error?: unknown) => void) => void {
  const open = guard(scheme, admit, options as GuardOptions<[IncomingMessage]> & Required<Pick<GuardOptions, 'ip'>>)
  const admitted = new WeakMap<Request, Claims>()
  function admit(request: Request, claims: Claims): Response {
    admitted.set(request, claims)
    return new Response()
  }
  return (incoming, outgoing, next) => {
    // Frameworks take the place that this is mounted at off the URL, but the link was signed with it.
    const { originalUrl = incoming.url ?? '' } = incoming as { originalUrl?: string }
    const request = read(incoming, outgoing, new AbortController().signal, originalUrl, false)
    if (!request) return plain(outgoing, 400, WRONG)
    open(request, incoming).then((response) => {
      const claims = admitted.get(request)
      if (!claims) return void write(outgoing, response, request.method).catch(next)
      Object.assign(incoming, { claims, url: withoutLink(originalUrl, incoming.url ?? '', claims) })
      next()
    }, next)
  }
}

/** The URL of the resource, as the framework would have it: without the place where this is mounted. */
function withoutLink(original: string, url: string, { resource }: Claims): string {
  // Where the rest does not begin with a `/`, frameworks write one in front that did not come.
  const tail = original.endsWith(url) ? url : url.slice(1)
  if (!original.endsWith(tail)) return url
  const { path, query } = split(resource)
  const mount = normalPath(original.slice(0, original.length - tail.length))
  // A token in the path has been taken off with it.
  if (!path.startsWith(mount)) return url
  const rest = path.slice(mount.length)
  // Frameworks take off again the `/` that they wrote in front. Without it, the link for `/files.txt` would lead on to `/filestxt`.
  return (rest[0] === '/' ? rest : `/${rest}`) + query
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, handler: Parameters<typeof listener>[0]): Promise<void> {
  const gone = new AbortController()
  const request = read(incoming, outgoing, gone.signal, incoming.url ?? '')
  if (!request) return plain(outgoing, 400, WRONG)
  outgoing.once('close', () => {
    // Node's `request.signal` works as long as the request is not collected as garbage, so this holds on to it.
    if (!outgoing.writableFinished && !request.signal.aborted) gone.abort()
  })
  try {
    const response = await handler(request, { remoteAddress: incoming.socket.remoteAddress })
    await write(outgoing, response, request.method)
  } catch (error) {
    // What fails because the visitor has left is no failure.
    if (gone.signal.aborted) return
    console.error(`Answering a ${request.method} request failed:`, error)
    if (outgoing.headersSent) outgoing.destroy()
    else plain(outgoing, 500, 'The server failed to answer this request.')
  }
}

function plain(outgoing: ServerResponse, status: number, sentence: string): void {
  for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name)
  outgoing.statusCode = status
  outgoing.statusMessage = ''
  outgoing.setHeader('content-type', 'text/plain; charset=utf-8')
  outgoing.setHeader('cache-control', 'no-store')
  outgoing.end(`${sentence}\n`)
}

const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i

/**
 * `undefined` if it cannot be a `Request`, or could be read as more than one. Frameworks go on with the target as it came: Express, for one, cuts
 * the length of `http://host` off a URL that {@link middleware} has rewritten, and opens another file.
 */
function read(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  signal: AbortSignal,
  target: string,
  withBody = true,
): Request | undefined {
  // Requests of HTTP/2 have no such list, and are refused.
  const { headersDistinct = {}, rawHeaders, socket, method = '' } = incoming
  const [host = '', second] = headersDistinct['host'] ?? []
  if (!isOriginForm(target) || !HOST.test(host) || second !== undefined) return
  const hasBody = withBody && (headersDistinct['transfer-encoding'] || Number(headersDistinct['content-length']) > 0)
  try {
    const headers = new Headers()
    for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] as string, rawHeaders[i + 1] as string)
    const init: RequestInit & { duplex: 'half' } = { method, headers, signal, duplex: 'half' }
    if (hasBody && method !== 'GET' && method !== 'HEAD') init.body = bodyOf(incoming, outgoing)
    return new Request(`http${'encrypted' in socket ? 's' : ''}://${host}${target}`, init)
  } catch {
    return
  }
}

/** The body as it comes, chunk by chunk, each when it is asked for. */
function bodyOf(incoming: IncomingMessage, outgoing: ServerResponse): ReadableStream<Uint8Array> {
  let open = true
  // Reads on and throws away, because the next request on this connection comes after the body.
  const drain = () => {
    open = false
    incoming.resume()
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        incoming.pause()
        incoming.on('data', (chunk: Uint8Array) => {
          if (!open) return
          incoming.pause()
          controller.enqueue(chunk)
        })
        incoming.once('end', () => {
          if (open) controller.close()
          open = false
        })
        outgoing.once('close', () => {
          if (open) controller.error(new Error('The request is over; its body can be read no more.'))
          drain()
        })
      },
      pull: () => void incoming.resume(),
      cancel: drain,
    },
    // Nothing is read before the handler asks.
    { highWaterMark: 0 },
  )
}

async function write(outgoing: ServerResponse, response: Response, method: string): Promise<void> {
  if (response.bodyUsed) throw new TypeError('The response has a body that has been read already.')
  const reader = response.body?.getReader()
  const cancel = () => reader?.cancel().catch(() => undefined)
  let proceed: (() => void) | undefined
  outgoing.on('drain', () => proceed?.())
  outgoing.once('close', () => {
    proceed?.()
    void cancel()
  })
  outgoing.statusCode = response.status
  outgoing.statusMessage = response.statusText
  for (const [name, value] of response.headers) outgoing.appendHeader(name, value)
  if (!reader || method === 'HEAD' || outgoing.destroyed) {
    void cancel()
    outgoing.end()
    return
  }
  // A body that is there goes out with the head, in one packet; whoever waits for the first byte of a slow one knows the status by then.
  const first = reader.read()
  const ready = await Promise.race([first, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))])
  if (!ready) outgoing.flushHeaders()
  for (let part = ready ?? (await first); !part.done; part = await reader.read())
    if (!outgoing.write(part.value) && !outgoing.destroyed) await new Promise<void>((resolve) => (proceed = resolve))
  outgoing.end()
}
