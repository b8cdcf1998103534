// denoKvStore: remembers which links were used, in Deno KV, for all processes that share the database.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import { type Duration, secondsOf } from '../core/time.ts'

/** The parts of a Deno KV database that this store uses: `await Deno.openKv()`. */
export interface DenoKv {
  get(key: string[]): Promise<{ key: unknown; value: unknown; versionstamp: string | null }>
  atomic(): DenoKvAtomic
}

/** A transaction of {@link DenoKv}. */
export interface DenoKvAtomic {
  // biome-ignore lint/suspicious/noExplicitAny: an entry as `get` gave it
  check(entry: any): DenoKvAtomic
  set(key: string[], value: unknown, options?: { expireIn?: number }): DenoKvAtomic
  commit(): Promise<{ ok: boolean }>
}

/** Options of {@link denoKvStore}. */
export interface DenoKvStoreOptions {
  /** The first parts of each key. Default: `['securelink']`. */
  readonly prefix?: readonly string[]
  /**
   * The shortest time that a use is remembered, so that links of one id share their uses even after one of them has expired. Default: `'1d'`.
   * A use is always remembered until its link has expired.
   */
  readonly retain?: Duration
}

// Deno KV does not tell the time, so each machine uses its own clock, and one whose clock is behind accepts a link for longer than the others. A day
// is enough even for a clock in the wrong time zone.
const MARGIN = 86_400_000

/** The value of an entry. `until` is in milliseconds since 1970. */
interface Uses {
  readonly count: number
  readonly until: number
}

/**
 * Remembers uses in Deno KV. An entry is written only if it has not changed since it was read; otherwise it is read again. So only one of several
 * simultaneous requests gets the last use. An entry is kept for a day after the link expires, and for at least a day after `retain`.
 *
 * ```ts no-run needs Deno with its KV database
 * import { denoKvStore } from 'securelink/stores/deno-kv'
 *
 * const store = denoKvStore(await Deno.openKv())
 * ```
 *
 * @param kv - An open database: `await Deno.openKv()`.
 * @param options - The prefix of the keys, and how long uses are remembered.
 * @returns A store for the option `store` of `redeem`, `guard`, `confirm`, `middleware` and `service`.
 * @throws A `LinkError` `bad_option` if this is not a database, and for a wrong or unknown option.
 */
export function denoKvStore(kv: DenoKv, options: DenoKvStoreOptions = {}): UseStore {
  assertOption(typeof kv?.atomic === 'function', 'kv', 'an open database, such as await Deno.openKv()')
  assertKnownOptions(options, ['prefix', 'retain'], 'denoKvStore()')
  const { prefix = ['securelink'], retain = '1d' } = options
  assertOption(
    Array.isArray(prefix) && prefix.every((part) => typeof part === 'string'),
    'prefix',
    "a list of texts, such as ['securelink']",
  )
  const retained = secondsOf(retain, 'retain') * 1000
  return {
    async take(id, until, uses) {
      // Negated, so that an invalid date is refused.
      if (!(+until > Date.now())) return false
      const key = [...prefix, id]
      for (;;) {
        const entry = await kv.get(key)
        const known = (entry.value ?? { count: 0, until: 0 }) as Uses
        const isLeft = known.count < uses
        const now = Date.now()
        // Several links may have one id. It is remembered until the last of them expires.
        const rememberedUntil = Math.max(known.until, +until, isLeft ? now + retained : 0)
        if (!isLeft && rememberedUntil === known.until) return false
        const expireIn = Math.max(0, rememberedUntil - now) + MARGIN
        const value: Uses = { count: isLeft ? known.count + 1 : known.count, until: rememberedUntil }
        if ((await kv.atomic().check(entry).set(key, value, { expireIn }).commit()).ok) return isLeft
      }
    },
  }
}
