// Measures the cost of the link service on Node: single links beside the same server with a constant body, and a batch of 1,000 beside 1,000 `sign`
// calls.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { hmac, sign } from '../../dist/index.js'
import { listener } from '../../dist/node.js'
import { bearer, service } from '../../dist/service.js'
import { cpuClock } from './clocks.mjs'
import { quantiles } from './quantiles.mjs'
import { compare } from './rounds.mjs'
import { secret } from './urls.mjs'
import { roll } from './workers.mjs'

const rounds = Number(process.argv[2])
const token = 'a-token-of-32-characters-or-more-Zk3vQ8'
const links = hmac({ id: '2026-11', secret })
const handle = service(links, { authorize: bearer(token, { allow: ['https://cdn.example/'], longest: '1d' }) })

const requestWith = (body) =>
  new Request('http://127.0.0.1/sign', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  })

/** The rates and the processor time of three servers, which take turns. */
async function single() {
  const body = JSON.stringify({ url: 'https://cdn.example/reports/2026/annual-report.pdf?page=2', expires: '10m' })
  const constant = await (await handle(requestWith(body))).text()
  const answer = () => new Response(constant, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
  const handlers = { constant: answer, read: (request) => request.text().then(answer), service: handle }

  const generator = fork(fileURLToPath(new URL('load.mjs', import.meta.url)))
  const servers = []
  for (const [name, handler] of Object.entries(handlers)) {
    const server = createServer(listener(handler)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push({ name, server, rates: [], cpu: [] })
  }
  for (let round = -1; round < rounds; round++)
    for (const { server, rates, cpu } of servers) {
      const before = cpuClock()
      generator.send({ port: server.address().port, body, token })
      const [{ answers, rate }] = await once(generator, 'message')
      if (round < 0) continue
      rates.push(rate)
      cpu.push(((cpuClock() - before) * 1000) / answers)
    }
  generator.disconnect()
  for (const { server } of servers) {
    server.close()
    server.closeAllConnections()
  }

  const [constantServer] = servers
  return servers.map(({ name, rates, cpu }) => ({
    name,
    rate: quantiles(rates).median,
    share: quantiles(rates.map((rate, i) => rate / constantServer.rates[i])),
    cpu: quantiles(cpu).median,
    cpuShare: quantiles(cpu.map((each, i) => constantServer.cpu[i] / each)),
  }))
}

/** A batch of 1,000 links, beside as many calls of `sign`, 64 under way at a time. */
async function batch() {
  const wanted = Array.from({ length: 1000 }, (_, i) => ({
    url: `https://cdn.example/reports/2026/report-${i}.pdf?page=2`,
    expires: '10m',
  }))
  const body = JSON.stringify({ links: wanted })
  async function whole() {
    const answer = await handle(requestWith(body))
    if (answer.status !== 200) throw new Error(await answer.text())
    return answer.text()
  }
  const calls = { name: '1,000 `sign` calls', call: () => roll((i) => sign(links, wanted[i].url, { expires: '10m' }), 1000, 64) }
  return compare({ name: 'batch', call: whole }, [calls], { workers: 1, rounds: 31 })
}

console.log(JSON.stringify({ single: await single(), batch: await batch() }))
process.exit()
