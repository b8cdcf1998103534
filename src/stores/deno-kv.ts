// denoKvStore: who has used which link, in Deno KV, for all processes that share the database.
import { type Duration, seconds } from '../core/conditions.ts'
import { insist } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'

/** An open database, as far as it is needed here: `await Deno.openKv()`. */
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
  /** What the keys begin with. Default: `['securelink']`. */
  readonly prefix?: readonly string[]
  /**
   * How long a use is remembered at least, so that links of one id share their uses also when one of them has expired. Default: `'1d'`.
   * Uses are remembered until their link has expired in any case.
   */
  readonly retain?: Duration
}

// Deno KV tells no time, so each machine goes by its own clock. One that is behind accepts a link longer than the others: a day covers also a
// clock that is set to another zone.
const MARGIN = 86_400_000

/**
 * Remembers uses in Deno KV. A use is written only if nobody else wrote since it was read, else it is read again; so one of several visits at
 * the same moment wins, and the others see what it wrote. Entries expire a day after the link, and at least a day after `retain`.
 *
 * ```ts no-run needs Deno with its KV database
 * import { denoKvStore } from 'securelink/stores/deno-kv'
 *
 * const store = denoKvStore(await Deno.openKv())
 * ```
 *
 * @param kv - An open database: `await Deno.openKv()`.
 * @throws A `LinkError`: `bad_option` if it is not a database, or `retain` not a length of time.
 */
export function denoKvStore(kv: DenoKv, options: DenoKvStoreOptions = {}): UseStore {
  insist(typeof kv?.atomic === 'function', 'denoKvStore takes an open database, as Deno.openKv() gives it')
  const { prefix = ['securelink'], retain = '1d' } = options
  const retained = seconds(retain, 'retain') * 1000
  return {
    async take(id, until, uses) {
      if (!(+until > Date.now())) return false
      const key = [...prefix, id]
      for (;;) {
        const entry = await kv.get(key)
        const { count, until: known } = (entry.value ?? { count: 0, until: 0 }) as { count: number; until: number }
        const left = count < uses
        const now = Date.now()
        // Several links may have one id: it is remembered as long as the longest of them lives.
        const last = Math.max(known, +until, left ? now + retained : 0)
        if (!left && last === known) return false
        const expireIn = Math.max(0, last - now) + MARGIN
        const value = { count: left ? count + 1 : count, until: last }
        if ((await kv.atomic().check(entry).set(key, value, { expireIn }).commit()).ok) return left
      }
    },
  }
}
