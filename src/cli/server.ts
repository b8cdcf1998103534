// runServer: an HTTP server that answers requests until a signal, and then finishes those in progress.
/// <reference types="node" />
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Failed } from './options.ts'

// How long requests in progress may take after the signal, in milliseconds.
const GRACE = 10_000

/** How {@link runServer} runs. */
export interface Running {
  readonly host: string
  readonly port: number
  /** How long a request may take to arrive, in milliseconds. */
  readonly patience: number
  readonly signal: AbortSignal
  readonly log: (event: string, more: object) => void
  /** The facts that the log has at the start, besides the address. */
  readonly facts: object
}

/** Returns the exit code: 0, or 1 if requests had to be cut off. */
export function runServer(
  server: Server,
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  { host, port, patience, signal, log, facts }: Running,
): Promise<number> {
  const underWay = new Set<ServerResponse>()
  let grace: NodeJS.Timeout | undefined
  return new Promise((resolve, reject) => {
    const end = (code: number): void => {
      clearTimeout(grace)
      server.closeAllConnections()
      resolve(code)
    }
    const stop = (): void => {
      log('stopping', { underWay: underWay.size })
      server.close()
      for (const outgoing of underWay) if (!outgoing.headersSent) outgoing.setHeader('connection', 'close')
      if (underWay.size > 0) grace = setTimeout(end, GRACE, 1)
      else end(0)
    }
    server.on('request', (incoming, outgoing) => {
      const start = (): void => {
        underWay.add(outgoing)
        // The server's own timeouts end with the body of the request. This one is for clients that do not read the answer.
        const late = setTimeout(() => outgoing.destroy(), patience * 1.5)
        answer(incoming, outgoing)
        outgoing.once('close', () => {
          clearTimeout(late)
          underWay.delete(outgoing)
          if (signal.aborted && underWay.size === 0) setImmediate(end, 0)
        })
      }
      // Without a socket, the request waits for earlier responses on its connection, and Node does not report when the client disconnects, so it
      // would be held forever.
      if (outgoing.socket) start()
      else outgoing.once('socket', start)
    })
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      reject(new Failed(`port ${port} of ${host} ${REASONS[code ?? ''] ?? `cannot be opened (${code ?? message})`}`))
    })
    server.listen(port, host, () => {
      const { port } = server.address() as AddressInfo
      log('started', { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, ...facts })
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop)
    })
  })
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken; --port takes another one, --port 0 a free one',
  EACCES: 'is not allowed; --port takes another one',
}
