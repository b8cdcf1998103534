// The load for the benchmark of the service, in a process of its own: 32 connections over loopback, each of which sends its next request when the
// last one has been answered. It writes one request, and looks for the end of an answer only.
import { once } from 'node:events'
import { connect } from 'node:net'

const CONNECTIONS = 32
const SECONDS = 0.4

/** Is this the whole answer? It has a length, or is sent in chunks, the last of which is empty. */
function isWhole(answer) {
  const body = answer.indexOf('\r\n\r\n') + 4
  if (body < 4) return false
  const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(answer.slice(0, body)) ?? []
  return length === undefined ? answer.endsWith('0\r\n\r\n') : answer.length >= body + Number(length)
}

/** Requests per second that the server on this port answers. */
async function load({ port, body, token }) {
  const request = Buffer.from(
    `POST /sign HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  let answers = 0
  let open = true
  async function connection() {
    const socket = connect(port, '127.0.0.1').setNoDelay()
    await once(socket, 'connect')
    let waiting = ''
    socket.on('data', (data) => {
      waiting += data.toString('latin1')
      if (!isWhole(waiting)) return
      if (!waiting.startsWith('HTTP/1.1 200')) throw new Error(waiting)
      waiting = ''
      answers++
      if (open) socket.write(request)
      else socket.end()
    })
    socket.write(request)
    await once(socket, 'close')
  }
  const start = performance.now()
  setTimeout(() => (open = false), SECONDS * 1000)
  await Promise.all(Array.from({ length: CONNECTIONS }, connection))
  return { answers, rate: (answers * 1000) / (performance.now() - start) }
}

process.on('message', async (target) => process.send(await load(target)))
await once(process, 'disconnect')
