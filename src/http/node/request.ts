// requestOf: turns a request of node:http into a Request, with its body as a stream.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isOriginForm } from '../request-target.ts'

/** Facts about a request that only Node knows. */
export interface NodeInfo {
  /** The other end of the connection: the client, or the proxy in front of this server. */
  readonly remoteAddress: string | undefined
}

/** The answer to a request that {@link requestOf} cannot read. */
export const UNREADABLE = 'The Host header, the target or the method of this request is not valid.'

/** How {@link requestOf} builds a request. */
export interface RequestOptions {
  /** The request target, as the client sent it. */
  readonly target: string
  readonly signal?: AbortSignal
  /** Ends the body when the answer ends. Without it, the request has no body, and the body of `incoming` is left unread. */
  readonly outgoing?: ServerResponse
}

const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i

/**
 * A `Request` with the URL that the `Host` header and the target make.
 *
 * `undefined` if they do not make a URL, or one that can be read in several ways. Frameworks use the target as the client sent it: Express, for
 * example, cuts the length of `http://host` off a URL that `middleware` has rewritten, and would open another file.
 */
export function requestOf(incoming: IncomingMessage, { target, signal, outgoing }: RequestOptions): Request | undefined {
  // Requests of HTTP/2 have no such list, and are refused.
  const { headersDistinct = {}, rawHeaders, socket, method = '' } = incoming
  const [host = '', secondHost] = headersDistinct['host'] ?? []
  if (!isOriginForm(target) || !HOST.test(host) || secondHost !== undefined) return undefined
  const sent = headersDistinct['transfer-encoding'] || Number(headersDistinct['content-length']) > 0
  const hasBody = sent && method !== 'GET' && method !== 'HEAD'
  try {
    const headers = new Headers()
    for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] as string, rawHeaders[i + 1] as string)
    const init: RequestInit & { duplex: 'half' } = { method, headers, duplex: 'half' }
    if (signal) init.signal = signal
    if (hasBody && outgoing) init.body = bodyOf(incoming, outgoing)
    return new Request(`http${'encrypted' in socket ? 's' : ''}://${host}${target}`, init)
  } catch {
    return undefined
  }
}

/** The body, chunk by chunk, each when it is asked for. */
function bodyOf(incoming: IncomingMessage, outgoing: ServerResponse): ReadableStream<Uint8Array> {
  let open = true
  // Reads and drops the rest, because the next request on this connection comes after the body.
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
          if (open) controller.error(new Error('The request has ended, so its body can no longer be read.'))
          drain()
        })
      },
      pull(controller) {
        // An earlier body parser, such as express.json(), has read everything. Without an error, the reader would wait forever.
        if (incoming.readableEnded && open)
          controller.error(new Error('The body has been read already, by a handler in front of this one.'))
        else incoming.resume()
      },
      cancel: drain,
    },
    // Nothing is read before the handler asks for it.
    { highWaterMark: 0 },
  )
}
