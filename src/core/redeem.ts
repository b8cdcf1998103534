// redeem: verify, and spend one use of a link that has a limited number of them.
import { insist } from './errors.ts'
import type { Scheme } from './scheme.ts'
import type { Verdict } from './verdict.ts'
import { judge, type VerifyOptions, type Visited } from './verify.ts'

/** Who has used which link. One store serves all processes and machines that redeem the same links. */
export interface UseStore {
  /**
   * Takes one use: atomically, and `true` exactly `uses` times for an id; then `false`. The id may be forgotten from `until` on, never before:
   * that is five minutes after the link expires, the largest tolerance of a verifier. A store that remembers longer keeps links of one id from
   * getting new uses. When `until` is past by the store's own clock there is nothing to take. A store that cannot tell must throw.
   */
  take(id: string, until: Date, uses: number): Promise<boolean> | boolean
}

/** Options of {@link redeem}. */
export interface RedeemOptions extends VerifyOptions {
  /** Who has used which link: `memoryStore()` for one process, `redisStore(client)` for several. */
  readonly store: UseStore
}

/**
 * Like `verify`, and spends one use of a link that has a limited number: the answer is `used` once all are spent. The use is taken last, after
 * every other check, so a refused visit spends nothing. Links without a limit are only verified.
 *
 * A `HEAD` spends a use, too; `guard` keeps such visits from it.
 *
 * @param scheme - As for `verify`.
 * @param visit - As for `verify`.
 * @param options - As for `verify`, and the `store` that remembers: `memoryStore()` for one process.
 * @returns As `verify`.
 * @throws What `verify` throws, a {@link LinkError} `bad_option` without a store, and what the store throws: a store that is down opens nothing.
 *
 * @example
 * ```ts
 * import { hmac, redeem, sign } from 'securelink'
 * import { memoryStore } from 'securelink/stores/memory'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const store = memoryStore()
 * const link = await sign(links, '/invite', { expires: '7d', uses: 1 })
 * console.log((await redeem(links, link, { store })).ok) // true
 * console.log((await redeem(links, link, { store })).reason) // used
 * ```
 */
export async function redeem(scheme: Scheme, visit: Visited, options: RedeemOptions): Promise<Verdict> {
  const store = options?.store
  insist(typeof store?.take === 'function', 'redeem takes { store }: an object with take(id, until, uses)')
  return judge(scheme, visit, options, async (claims, until) => {
    insist(claims.id, 'a scheme whose links have a number of uses must name them with an id')
    // Nothing but true opens.
    return (await store.take(claims.id, until, claims.uses as number)) === true
  })
}
