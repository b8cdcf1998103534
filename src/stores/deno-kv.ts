// denoKvStore: who has used which link, in Deno KV, for all processes that share the database.
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
}

// As for Redis: clocks of servers differ, and the database has one of its own.
const MARGIN = 3_600_000

/**
 * Remembers uses in Deno KV. A use is written only if nobody else wrote since it was read, else it is read again; so one of several visits at
 * the same moment wins, and the others see what it wrote. Entries expire with the link.
 *
 * ```ts no-run needs Deno with its KV database
 * import { denoKvStore } from 'securelink/stores/deno-kv'
 *
 * const store = denoKvStore(await Deno.openKv())
 * ```
 *
 * @param kv - An open database: `await Deno.openKv()`.
 * @throws A `LinkError`: `bad_option` for what is no database.
 */
export function denoKvStore(kv: DenoKv, options: DenoKvStoreOptions = {}): UseStore {
  insist(typeof kv?.atomic === 'function', 'denoKvStore takes an open database, as Deno.openKv() gives it')
  const { prefix = ['securelink'] } = options
  return {
    async take(id, until, uses) {
      const key = [...prefix, id]
      for (;;) {
        const entry = await kv.get(key)
        const { count, until: known } = (entry.value ?? { count: 0, until: 0 }) as { count: number; until: number }
        // Two links may share an id: it is remembered as long as the longer of them lives.
        const last = Math.max(known, +until)
        const left = count < uses
        if (!left && last === known) return false
        const expireIn = Math.max(0, last - Date.now()) + MARGIN
        const value = { count: left ? count + 1 : count, until: last }
        if ((await kv.atomic().check(entry).set(key, value, { expireIn }).commit()).ok) return left
      }
    },
  }
}
