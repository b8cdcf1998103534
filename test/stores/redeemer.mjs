// A process that redeems links with a Redis store, for redis.server.test.ts. On a message { link, count } it redeems the link so often at once, and
// answers with the outcomes. With { guarded } it sends requests to a guard, and answers with their statuses.
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { guard } from '../../dist/guard.js'
import { hmac, redeem } from '../../dist/index.js'
import { redisStore } from '../../dist/stores/redis.js'

const [, , kind, port, secret] = process.argv
const quiet = () => undefined
const client =
  kind === 'ioredis'
    ? new Redis({ host: '127.0.0.1', port: Number(port), retryStrategy: () => 50 }).on('error', quiet)
    : await createClient({ socket: { host: '127.0.0.1', port: Number(port), reconnectStrategy: () => 50 } })
        .on('error', quiet)
        .connect()
const links = hmac({ secret })
const store = redisStore(client, { timeout: '1s' })
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
