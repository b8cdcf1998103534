// redisStore: who has used which link, in Redis or Valkey, for any number of processes and machines.
import { type Duration, seconds } from '../core/conditions.ts'
import { insist } from '../core/errors.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import type { UseStore } from '../core/redeem.ts'

/** A client of the package `redis` (node-redis), single or cluster, as far as it is needed here. */
export interface NodeRedis {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  readonly isReady?: boolean
}

/** A client of the package `ioredis`, single or cluster, as far as it is needed here. */
export interface IoRedis {
  eval(script: string, numberOfKeys: number, ...rest: string[]): Promise<unknown>
  readonly status: string
}

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** What the keys begin with. Default: `'securelink:'`. */
  readonly prefix?: string
  /** How long Redis may take to answer before `take` throws. Default: `'2s'`. */
  readonly timeout?: Duration
}

// A value is the number of uses and the names of the last takes: `2 dGhlIGZpcnN0LCBh bmQgdGhlIHNlY29u`. Value and expiry are written by one command, so there is no
// crash that leaves the one without the other, and one key is all that a script touches, as clusters want it.
//
// A client that lost its connection may send a take again that has been done already; the name tells it, and the answer is the same. 64 names of
// 16 letters are kept, each behind a space: as many takes as can be given back after a Redis that hung, whatever their order.
const TAKE = `
local now = redis.call('GET', KEYS[1]) or '0 '
local count, names = string.match(now, '^(%d+) (.*)$')
count = tonumber(count)
local left = redis.call('PTTL', KEYS[1])
local life = math.max(left, tonumber(ARGV[2]))
if string.find(names, ARGV[3], 1, true) then return 1 end
if count >= tonumber(ARGV[1]) then
  if left >= 0 and left < life then redis.call('PEXPIRE', KEYS[1], life) end
  return 0
end
redis.call('SET', KEYS[1], (count + 1) .. ' ' .. string.sub(names .. ' ' .. ARGV[3], -1088), 'PX', life)
return 1`

// Takes one take back, if it was done and is one of the last 64. Once, however often it is sent.
const GIVE_BACK = `
local count, names = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.*)$')
local from, to = string.find(names or '', ARGV[1], 1, true)
if not from then return 0 end
redis.call('SET', KEYS[1], (tonumber(count) - 1) .. ' ' .. string.sub(names, 1, from - 1) .. string.sub(names, to + 1), 'KEEPTTL')
return 1`

// Clocks of servers differ, and Redis has one of its own. It is told a length of time and not a date, and an hour more than the link lives.
const MARGIN = 3_600_000

/**
 * Remembers uses in Redis 6 or newer, or Valkey. `take` is one script on one key, so it is atomic, works in clusters, and expires with the link.
 *
 * When Redis cannot be reached, or does not answer in time, `take` throws, and nothing is opened. A use that was taken although its answer got
 * lost is given back as soon as Redis can be reached.
 *
 * What Redis forgets can be used again: give it an append-only file (`appendfsync always` loses nothing when it is killed), and no
 * eviction (`maxmemory-policy noeviction`). A replica that takes over may lack the last moments.
 *
 * ```ts no-run needs a Redis server
 * import { createClient } from 'redis'
 * import { redisStore } from 'securelink/stores/redis'
 *
 * const client = await createClient({ url: 'redis://127.0.0.1' }).on('error', console.error).connect()
 * const store = redisStore(client)
 * ```
 *
 * @param client - A connected client of `redis` or `ioredis`.
 * @throws A `LinkError`: `bad_option` for what is no client.
 */
export function redisStore(client: NodeRedis | IoRedis, options: RedisStoreOptions = {}): UseStore {
  insist(typeof client?.eval === 'function', 'redisStore takes a client of redis or ioredis')
  const { prefix = 'securelink:', timeout = '2s' } = options
  const patience = seconds(timeout, 'timeout') * 1000

  const run = async (script: string, key: string, ...rest: string[]): Promise<unknown> =>
    'status' in client ? client.eval(script, 1, key, ...rest) : client.eval(script, { keys: [key], arguments: rest })

  return {
    async take(id, until, uses) {
      // Clients keep what is sent while they are not connected, and send it when somebody has long got his 503.
      if ('status' in client ? /^(close|reconnecting|disconnecting|end)$/.test(client.status) : client.isReady === false)
        throw new Error('redisStore: Redis cannot be reached')
      const key = prefix + id
      const name = encode(crypto.getRandomValues(new Uint8Array(12)), BASE64URL)
      const life = Math.max(0, Math.ceil(+until - Date.now())) + MARGIN
      const taking = run(TAKE, key, String(uses), String(life), name)
      try {
        return (await within(taking, patience)) === 1
      } catch (error) {
        // The answer is lost, and whether it was taken is not known. When it has settled, or Redis is back, it is undone.
        const giveBack = () => run(GIVE_BACK, key, name)
        taking.then(giveBack, giveBack).catch(() => undefined)
        throw error
      }
    },
  }
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: unknown
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('redisStore: Redis did not answer in time')), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer as number))
}
