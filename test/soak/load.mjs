// Load with a bound: so many connections to 127.0.0.1, each of which sends its next request when the last one has been answered, for so many seconds.
import { Agent, request } from 'node:http'

/** Latencies in steps of a twentieth, so that a long run takes no more memory than a short one. */
class Latencies {
  #counts = []
  count = 0
  add(milliseconds) {
    const step = Math.max(0, Math.round(Math.log(milliseconds / 0.01) / Math.log(1.05)))
    this.#counts[step] = (this.#counts[step] ?? 0) + 1
    this.count++
  }
  quantile(share) {
    let left = share * this.count
    for (const [step, count] of this.#counts.entries()) {
      left -= count ?? 0
      if (left <= 0) return 0.01 * 1.05 ** step
    }
    return Number.NaN
  }
}

function send(agent, port, { method = 'GET', path, headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const sent = request({ agent, host: '127.0.0.1', port, method, path, headers: { ...headers, ...length } }, (answer) => {
      const chunks = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() }))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/**
 * Sends what `next()` makes, and hands each answer to its `check`, which answers with a complaint or nothing. `sample` is called every few seconds.
 */
export async function load({ port, connections, seconds, next, sample }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const latencies = new Latencies()
  const wrong = new Map()
  const kinds = new Map()
  const note = (map, key) => map.set(key, (map.get(key) ?? 0) + 1)
  const end = performance.now() + seconds * 1000
  async function connection() {
    while (performance.now() < end) {
      const { kind, check, ...message } = await next()
      const start = performance.now()
      try {
        const answer = await send(agent, port, message)
        latencies.add(performance.now() - start)
        note(kinds, kind)
        const complaint = check(answer)
        if (complaint) note(wrong, `${kind}: ${complaint}`)
      } catch (error) {
        note(wrong, `${kind}: ${error.code ?? error.message}`)
      }
    }
  }
  const timer = setInterval(sample, Math.max(1000, (seconds * 1000) / 20))
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, connection))
  clearInterval(timer)
  agent.destroy()
  const took = (performance.now() - began) / 1000
  return {
    requests: latencies.count,
    seconds: Math.round(took),
    perSecond: Math.round(latencies.count / took),
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
    p999: latencies.quantile(0.999),
    kinds: Object.fromEntries(kinds),
    wrong: Object.fromEntries(wrong),
  }
}
