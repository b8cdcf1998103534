// writeResponse: writes a Response to a response of node:http, at the pace of the client.
import type { ServerResponse } from 'node:http'

/** Responds with a sentence as plain text, and drops all headers that were set before. */
export function writeSentence(outgoing: ServerResponse, status: number, sentence: string): void {
  for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name)
  outgoing.statusCode = status
  outgoing.statusMessage = ''
  outgoing.setHeader('content-type', 'text/plain; charset=utf-8')
  outgoing.setHeader('cache-control', 'no-store')
  outgoing.end(`${sentence}\n`)
}

/** Writes status, headers and body. Throws if the body fails; a part of it may have been sent then. */
export async function writeResponse(outgoing: ServerResponse, response: Response, method: string): Promise<void> {
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
  // A body that is ready is sent together with the headers, in one packet. For a slow body, the headers are sent first, so that the client knows the
  // status.
  const first = reader.read()
  const ready = await atOnce(first)
  if (!ready) outgoing.flushHeaders()
  let ahead: typeof first | undefined
  const next = () => {
    const part = ahead ?? reader.read()
    ahead = undefined
    return part
  }
  if (ready && ArrayBuffer.isView(ready.value) && !outgoing.hasHeader('content-length')) {
    // A string or bytes are one chunk, and then the length is known. Clients show it as progress, and caches check it.
    ahead = reader.read()
    // If the body fails there, the loop below reports it, when the first chunk is sent.
    const end = await atOnce(ahead).catch(() => undefined)
    if (end?.done) outgoing.setHeader('content-length', ready.value.byteLength)
  }
  for (let part = ready ?? (await first); !part.done; part = await next())
    if (!outgoing.write(part.value) && !outgoing.destroyed) await new Promise<void>((resolve) => (proceed = resolve))
  outgoing.end()
}

/** The value of a promise, or `undefined` if it has none in this turn of the event loop. */
function atOnce<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))])
}
