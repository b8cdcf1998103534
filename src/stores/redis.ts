// redisStore: remembers which links were used, in Redis or Valkey, for any number of processes and machines.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import { type Duration, secondsOf } from '../core/time.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import { within } from '../lib/within.ts'

/** The parts of a client of the package `redis` (node-redis), single or cluster, that this store uses. */
export interface NodeRedis {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  readonly isReady?: boolean
}

/** The parts of a client of the package `ioredis`, single or cluster, that this store uses. */
export interface IoRedis {
  eval(script: string, numberOfKeys: number, ...rest: string[]): Promise<unknown>
  readonly status: string
}

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** The beginning of each key. Default: `'securelink:'`. */
  readonly prefix?: string
  /**
   * The shortest time that a use is remembered, so that links of one id share their uses even after one of them has expired. Default: `'1d'`.
   * A use is always remembered until its link has expired.
   */
  readonly retain?: Duration
  /** How long to wait for an answer of Redis before `take` throws. Default: `'2s'`. */
  readonly timeout?: Duration
}

// Keys are kept for an hour longer than their links, because a replica that takes over has its own clock.
const MARGIN = 3_600_000

// A value is the number of uses and the names of the last takes: `2 dGhlIGZpcnN0LCBh bmQgdGhlIHNlY29u`. One command writes value and expiry, so a
// crash cannot leave one without the other. A script touches one key only, as clusters require.
// After a lost connection, a client may repeat a take that Redis has already carried out. Redis then finds the name, and repeats its answer. 64 names
// of 16 letters are kept, each after a space: after Redis hung, that many takes may have to be given back, in any order.
//
// The clock of Redis alone decides whether a use is left to take, and when the key is forgotten. So the clocks of the verifiers need not be right: one
// whose clock is behind accepts a link for longer, but takes no use of it.
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

// Gives a use back if it was taken and its name is among the last 64. It does so once, even if the script is sent again.
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
 * When Redis cannot be reached, or does not answer in time, `take` throws, and the link does not open. If an answer is lost, its use is given back
 * as soon as Redis can be reached.
 *
 * Links whose uses Redis forgets can be used again. So turn on the append-only file (with `appendfsync always`, nothing is lost when Redis is
 * killed), and turn off eviction (`maxmemory-policy noeviction`). After a failover, a replica may lack the last few uses.
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
 * @param options - The prefix of the keys, how long uses are remembered, and a timeout.
 * @returns A store for the option `store` of `redeem`, `guard`, `confirm`, `middleware` and `service`.
 * @throws A `LinkError` `bad_option` if this is not a client, and for a wrong or unknown option.
 */
export function redisStore(client: NodeRedis | IoRedis, options: RedisStoreOptions = {}): UseStore {
  assertOption(typeof client?.eval === 'function', 'client', 'a client of redis or ioredis')
  assertKnownOptions(options, ['prefix', 'retain', 'timeout'], 'redisStore()')
  const { prefix = 'securelink:', timeout = '2s', retain = '1d' } = options
  assertOption(typeof prefix === 'string', 'prefix', "text, such as 'securelink:'")
  const patience = secondsOf(timeout, 'timeout') * 1000
  const retained = String(Math.ceil(secondsOf(retain, 'retain') * 1000))

  const run = async (script: string, key: string, ...rest: string[]): Promise<unknown> =>
    'status' in client ? client.eval(script, 1, key, ...rest) : client.eval(script, { keys: [key], arguments: rest })

  return {
    async take(id, until, uses) {
      // A disconnected client queues commands and sends them later, when the request has long been answered with 503.
      if (isDisconnected(client)) throw new Error('redisStore: Redis cannot be reached')
      if (Number.isNaN(+until)) return false
      const key = prefix + id
      const name = encode(crypto.getRandomValues(new Uint8Array(12)), BASE64URL)
      const taking = run(TAKE, key, String(uses), String(+until), name, retained)
      try {
        // As a string, because clients can be set to return numbers as strings, bytes or big integers.
        const answer = String(await within(taking, patience, 'redisStore: Redis did not answer in time'))
        if (answer !== '1' && answer !== '0')
          throw new Error('redisStore: Redis sent an answer that the script of this store does not give')
        return answer === '1'
      } catch (error) {
        // The answer is lost, so the use may have been taken. Give it back when the call has settled, or when Redis is back.
        const giveBack = () => run(GIVE_BACK, key, name)
        taking.then(giveBack, giveBack).catch(() => undefined)
        throw error
      }
    },
  }
}

function isDisconnected(client: NodeRedis | IoRedis): boolean {
  return 'status' in client ? /^(close|reconnecting|disconnecting|end)$/.test(client.status) : client.isReady === false
}
