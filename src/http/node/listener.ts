// listener: runs a fetch handler on Node's own HTTP server.
/// <reference types="node" />
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { assertOption, LinkError } from '../../core/errors.ts'
import { type NodeInfo, requestOf, UNREADABLE } from './request.ts'
import { writeResponse, writeSentence } from './response.ts'

type FetchHandler = (request: Request, info: NodeInfo) => Response | Promise<Response>

/**
 * Turns a fetch handler into a request listener for Node's HTTP and HTTPS servers.
 *
 * The request's URL is made from the `Host` header and the request target as the client sent it. The response is 400 if they do not make a URL, and
 * for targets that clients do not send to a server: absolute URLs, `*`, and paths with dot segments, a raw `\` or two slashes at the start. Bodies
 * stream both ways at the pace of the slower side. When the client disconnects, `request.signal` aborts and the response's body is cancelled. When
 * the handler throws, or returns something other than a `Response`, the answer is 500, and the error goes to stderr without the URL, which may be a
 * link.
 *
 * @param handler - Gets the request and the client's address: `guard(links, serve, { ip: (request, info) => info.remoteAddress })`.
 * @returns A listener for HTTP/1.1. Requests of HTTP/2 are answered with 400.
 * @throws A `LinkError` `bad_option` if the handler is not a function.
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
 * const server = createServer(listener(guard(links, (request, claims) => new Response(claims.resource))))
 * await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(true)))
 *
 * const { port } = server.address() as AddressInfo
 * const link = await sign(links, `http://127.0.0.1:${port}/a.txt`, { expires: '10m' })
 * console.log((await fetch(link)).status) // 200
 * server.close()
 * ```
 */
export function listener(handler: FetchHandler): RequestListener {
  assertOption(typeof handler === 'function', 'handler', 'a fetch handler, such as guard(links, handler)')
  return (incoming, outgoing) => {
    const start = () => void answer(incoming, outgoing, handler)
    // A pipelined request has no socket until the earlier ones are answered, and Node would not report that its client disconnects.
    if (outgoing.socket) start()
    else outgoing.once('socket', start)
  }
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, handler: FetchHandler): Promise<void> {
  const disconnected = new AbortController()
  const request = requestOf(incoming, { target: incoming.url ?? '', signal: disconnected.signal, outgoing })
  if (!request) return writeSentence(outgoing, 400, UNREADABLE)
  outgoing.once('close', () => {
    // `request` must be used here: Node's `request.signal` works only until the request is collected as garbage.
    if (!outgoing.writableFinished && !request.signal.aborted) disconnected.abort()
  })
  try {
    const response = await handler(request, { remoteAddress: incoming.socket.remoteAddress })
    assertResponse(response)
    await writeResponse(outgoing, response, request.method)
  } catch (error) {
    // Do not report an error that the disconnection caused.
    if (disconnected.signal.aborted) return
    console.error(`Answering a ${request.method} request failed:`, error)
    if (outgoing.headersSent) outgoing.destroy()
    else writeSentence(outgoing, 500, 'The server failed to answer this request.')
  }
}

/** Does not use `instanceof`, because frameworks have their own class `Response`. */
function assertResponse(response: unknown): void {
  const { status, headers } = (response ?? {}) as Partial<Response>
  if (typeof status === 'number' && typeof headers?.get === 'function') return
  const message = 'handler must return a Response; listener() takes a fetch handler, such as guard(…), and not an Express app'
  throw new LinkError('bad_option', message, { option: 'handler' })
}
