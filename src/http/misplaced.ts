// misplaced: reports fetch handlers that are used in the wrong place, such as a guard in createServer(). The error names the remedy, and the request
// is ended.
import { LinkError } from '../core/errors.ts'

/** The part of Node's `ServerResponse` that ends a request. */
interface Outgoing {
  readonly headersSent?: boolean
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(text: string): unknown
}

const REMEDIES = {
  guard: 'on Node, write createServer(listener(guard(…))), and with Express app.use(middleware(links)), both from securelink/node',
  confirm: 'on Node, write createServer(listener(confirm(…))), and with Express app.all(path, listener(confirm(…))), from securelink/node',
}

/**
 * Was a fetch handler called with something other than a `Request`, as `createServer(guard(…))` and `app.use(guard(…))` do? If so,
 * {@link answerMistake} has named the remedy and has ended the request.
 */
export function isMisplaced(request: unknown, rest: readonly unknown[], name: keyof typeof REMEDIES): boolean {
  const { url, headers, req } = (request ?? {}) as { url?: unknown; headers?: { get?: unknown }; req?: { raw?: unknown } }
  if (typeof url === 'string' && typeof headers?.get === 'function') return false
  const remedy = req?.raw ? `with Hono, call ${name}(…)(c.req.raw)` : REMEDIES[name]
  answerMistake(new LinkError('bad_option', `request must be a Request; ${remedy}`, { option: 'request' }), rest[0], rest[1])
  return true
}

/**
 * Passes a mistake to the framework's error handler, if there is one. With Node alone it goes to stderr, and the answer is 500: an error that is
 * thrown there would end the process or leave the client waiting. If there is no response object, this throws.
 */
export function answerMistake(error: LinkError, outgoing: unknown, next: unknown): void {
  if (typeof (outgoing as Partial<Outgoing>)?.end !== 'function') throw error
  if (typeof next === 'function') {
    next(error)
    return
  }
  console.error(error)
  const response = outgoing as Outgoing
  if (!response.headersSent) {
    response.statusCode = 500
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.setHeader('cache-control', 'no-store')
  }
  response.end('The server failed to answer this request.\n')
}
