// A process that redeems links with a store, for redis.server.test.ts and sql.server.test.ts. On a message { link, count } it redeems the link that many
// times at once, and answers with the outcomes. With { guarded } it sends requests to a guard, and answers with their statuses.
import { guard } from '../../dist/guard.js'
import { hmac, redeem } from '../../dist/index.js'
import { redisStore } from '../../dist/stores/redis.js'
import { sqlStore } from '../../dist/stores/sql.js'

const [, , kind, port, secret] = process.argv
const host = '127.0.0.1'
// Long enough for a busy machine. When the server is away, most clients notice sooner.
const timeout = '5s'
const quiet = () => undefined

const stores = {
  async ioredis() {
    const { Redis } = await import('ioredis')
    return redisStore(new Redis({ host, port: Number(port), retryStrategy: () => 50 }).on('error', quiet), { timeout })
  },
  async 'node-redis'() {
    const { createClient } = await import('redis')
    const client = createClient({ socket: { host, port: Number(port), reconnectStrategy: () => 50 } }).on('error', quiet)
    return redisStore(await client.connect(), { timeout })
  },
  async pg() {
    const { default: pg } = await import('pg')
    return sqlStore(new pg.Pool({ host, port: Number(port), user: 'postgres', max: 5 }).on('error', quiet), { timeout })
  },
  async postgres() {
    const { default: postgres } = await import('postgres')
    return sqlStore(postgres({ host, port: Number(port), user: 'postgres', max: 5, backoff: () => 0.05 }), { timeout })
  },
}

const links = hmac({ secret })
const store = await stores[kind]()
// Opens the connections of a pool, which takes longer than a query.
await Promise.all(
  Array.from({ length: 5 }, (_, i) => store.take(`warm ${process.pid} ${i}`, new Date(Date.now() + 60_000), 1).catch(quiet)),
)
const files = guard(links, () => new Response('in'), { store })

process.on('message', async ({ link, count, guarded }) => {
  const visit = () =>
    guarded
      ? files(new Request(link)).then(({ status }) => status)
      : redeem(links, link, { store }).then(
          ({ ok, reason }) => (ok ? 'ok' : reason),
          () => 'failed',
        )
  process.send(await Promise.all(Array.from({ length: count }, visit)))
})
process.on('disconnect', () => process.exit())
process.send('ready')
