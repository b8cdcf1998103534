// The service under load, in a process of its own. Answers messages with its memory, after a garbage collection when --expose-gc is on.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const [, , library, secret, token] = process.argv
const { bearer, hmac, listener, memoryStore, service } = await import(pathToFileURL(library))
const reports = []
const handle = service(hmac({ id: '2026-11', secret }), {
  authorize: bearer(token, { allow: ['https://cdn.example/'], longest: '1d' }),
  store: memoryStore(),
  report: (error) => reports.push(String(error)),
})
const server = createServer(listener(handle)).listen(0, '127.0.0.1')
await once(server, 'listening')
process.on('message', () => {
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send({ rss, heapUsed, external, reports: reports.length })
})
process.send({ port: server.address().port })
await once(process, 'disconnect')
process.exit()
