// What the link service costs on Node: single links against the same server answering a constant body, and a batch of 1,000 against as many
// raw crypto.subtle.sign calls. The load comes from a process of its own over loopback, a bounded number of requests at a time.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { hmac } from '../../dist/index.js'
import { listener } from '../../dist/node.js'
import { bearer, service } from '../../dist/service.js'
import { paired } from './paired.mjs'

const TOKEN = 'a-token-of-32-characters-or-more-Zk3vQ8'
const PLACES = 32
const SECONDS = 1.5
const ROUNDS = 7
const body = JSON.stringify({ url: 'https://cdn.example/reports/2026/annual-report.pdf?page=2', expires: '10m' })

/** Keeps `PLACES` connections busy for a while, and counts the answers. One write, one answer, no parsing but for the length. */
async function load(port) {
  const request = Buffer.from(
    `POST /sign HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  let answers = 0
  let open = true
  const place = async () => {
    const socket = connect(port, '127.0.0.1').setNoDelay()
    await once(socket, 'connect')
    let waiting = ''
    socket.on('data', (data) => {
      waiting += data.toString('latin1')
      // The server sends chunks; the last one is empty.
      if (!waiting.endsWith('0\r\n\r\n')) return
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
  await Promise.all(Array.from({ length: PLACES }, place))
  return (answers * 1000) / (performance.now() - start)
}

async function child() {
  process.on('message', async (port) => process.send(await load(port)))
  await once(process, 'disconnect')
}

async function main() {
  if (process.versions.bun || globalThis.Deno) {
    console.log('for Node only')
    return
  }
  const links = hmac({ id: '2026-11', secret: '0123456789abcdef0123456789abcdef' })
  const sign = service(links, { authorize: bearer(TOKEN, { allow: ['https://cdn.example/'], longest: '1d' }) })
  const constant = JSON.stringify(await (await sign(request(body))).json())
  const handlers = {
    constant: () => new Response(constant, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } }),
    'constant, body read': async (request) => {
      await request.text()
      return new Response(constant, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
    },
    service: sign,
  }
  const generator = fork(fileURLToPath(import.meta.url), ['load'])
  const rates = Object.fromEntries(Object.keys(handlers).map((name) => [name, []]))
  const servers = []
  for (const [name, handler] of Object.entries(handlers)) {
    const server = createServer(listener(handler)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push([name, server])
  }
  // They take turns, because the machine is not the same from one second to the next.
  for (let round = -1; round < ROUNDS; round++)
    for (const [name, server] of servers) {
      generator.send(server.address().port)
      const [rate] = await once(generator, 'message')
      if (round >= 0) rates[name].push(rate)
    }
  generator.disconnect()
  for (const [, server] of servers) {
    server.close()
    server.closeAllConnections()
  }
  const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
  for (const name in rates) {
    const ratio = median(rates[name].map((rate, i) => rate / rates.constant[i]))
    console.log(`${name.padEnd(20)} ${Math.round(median(rates[name]))} requests per second, ${Math.round(ratio * 100)}% of constant`)
  }

  const wanted = Array.from({ length: 1000 }, (_, i) => ({
    url: `https://cdn.example/reports/2026/report-${i}.pdf?page=2`,
    expires: '10m',
  }))
  const batch = JSON.stringify({ links: wanted })
  const key = await crypto.subtle.importKey('raw', new Uint8Array(32), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const text = new TextEncoder().encode('SecureLink hmac v1\n\n\n/reports/2026/report-7.pdf\n?page=2\n1900000000\n\n\n\n\n\n\n2026-11')
  const raw = () => Promise.all(wanted.map(() => crypto.subtle.sign('HMAC', key, text)))
  const whole = async () => {
    const answer = await sign(request(batch))
    if (answer.status !== 200) throw new Error(await answer.text())
    return answer.text()
  }
  const { ratio, added } = await paired(raw, whole, { count: 4, rounds: 21 })
  console.log(`a batch of 1,000     ${ratio.toFixed(2)} times 1,000 raw calls in flight, ${(added / 1000).toFixed(1)} ms added`)
  console.log(`load of the machine  ${loadavg().map((one) => one.toFixed(1))}`)
}

function request(body) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
  return new Request('http://127.0.0.1/sign', { method: 'POST', headers, body })
}

await (process.argv[2] === 'load' ? child() : main())
