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
  /**
   * How long a use is remembered at least, so that links of one id share their uses also when one of them has expired. Default: `'1d'`.
   * Uses are remembered until their link has expired in any case.
   */
  readonly retain?: Duration
  /** How long Redis may take to answer before `take` throws. Default: `'2s'`. */
  readonly timeout?: Duration
}

// Keys outlive their links by an hour, because a replica that takes over has a clock of its own.
const MARGIN = 3_600_000

// A value is the number of uses and the names of the last takes: `2 dGhlIGZpcnN0LCBh bmQgdGhlIHNlY29u`. Value and expiry are written by one command, so there is no
// crash that leaves the one without the other, and one key is all that a script touches, as clusters want it.
//
// A client that lost its connection may send a take again that has been done already; the name tells it, and the answer is the same. 64 names of
// 16 letters are kept, each behind a space: as many takes as can be given back after a Redis that hung, whatever their order.
//
// One clock, that of Redis, tells both whether there is anything left to take and when the key is forgotten. So it does not matter whether the
// clocks of those who ask are right: a verifier whose clock is behind accepts a link for longer, and takes nothing any more.
const TAKE = `
local uses, untilTime, name, retained = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local count, names = string.match(redis.call('GET', KEYS[1]) or '0 ', '^(%d+) (.*)$')
count = tonumber(count)
if string.find(names, name, 1, true) then return 1 end
local time = redis.call('TIME')
local lives = untilTime - (time[1] * 1000 + math.floor(time[2] / 1000))
if lives <= 0 then return 0 end
local left = redis.call('PTTL', KEYS[1])
if count >= uses then
  if left >= 0 and left < lives + ${MARGIN} then redis.call('PEXPIRE', KEYS[1], lives + ${MARGIN}) end
  return 0
end
local life = math.max(left, math.max(lives, retained) + ${MARGIN})
redis.call('SET', KEYS[1], (count + 1) .. ' ' .. string.sub(names .. ' ' .. name, -1088), 'PX', life)
return 1`

// Takes one take back, if it was done and is one of the last 64. Once, however often it is sent.
const GIVE_BACK = `
local count, names = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.*)$')
local from, to = string.find(names or '', ARGV[1], 1, true)
if not from then return 0 end
redis.call('SET', KEYS[1], (tonumber(count) - 1) .. ' ' .. string.sub(names, 1, from - 1) .. string.sub(names, to + 1), 'KEEPTTL')
return 1`

/**
 * Remembers uses in Redis 6 or newer, or Valkey. `take` is one script on one key, so it is atomic and works in clusters. A key is kept until the
 * link has expired by the clock of Redis, and at least for `retain`.
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
 * @throws A `LinkError`: `bad_option` if it is not a client, or an option is not a length of time.
 */
export function redisStore(client: NodeRedis | IoRedis, options: RedisStoreOptions = {}): UseStore {
  insist(typeof client?.eval === 'function', 'redisStore takes a client of redis or ioredis')
  const { prefix = 'securelink:', timeout = '2s', retain = '1d' } = options
  const patience = seconds(timeout, 'timeout') * 1000
  const retained = String(Math.ceil(seconds(retain, 'retain') * 1000))

  const run = async (script: string, key: string, ...rest: string[]): Promise<unknown> =>
    'status' in client ? client.eval(script, 1, key, ...rest) : client.eval(script, { keys: [key], arguments: rest })

  return {
    async take(id, until, uses) {
      // Clients keep what is sent while they are not connected, and send it when somebody has long got his 503.
      if ('status' in client ? /^(close|reconnecting|disconnecting|end)$/.test(client.status) : client.isReady === false)
        throw new Error('redisStore: Redis cannot be reached')
      if (Number.isNaN(+until)) return false
      const key = prefix + id
      const name = encode(crypto.getRandomValues(new Uint8Array(12)), BASE64URL)
      const taking = run(TAKE, key, String(uses), String(+until), name, retained)
      try {
        // As text, because clients have options that make text, bytes or big integers of numbers.
        const answer = String(await within(taking, patience))
        if (answer !== '1' && answer !== '0') throw new Error('redisStore: Redis answered something else than a script of this store does')
        return answer === '1'
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
