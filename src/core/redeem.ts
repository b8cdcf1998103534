// redeem: verify, and consume one use of a link that has a limited number of them.
import { assertOption } from './errors.ts'
import type { Scheme } from './scheme.ts'
import type { Verdict } from './verdict.ts'
import { VERIFY_OPTIONS, type VerifyOptions, type Visited, verdictOn } from './verify.ts'

/** Remembers which links were used. One store serves all processes and machines that redeem the same links. */
export interface UseStore {
  /**
   * Takes one use, atomically: returns `true` exactly `uses` times for an id, then `false`. The id may be forgotten from `until` on, and never before:
   * that is five minutes after the link expires, which is the largest tolerance of a verifier. A store that remembers longer also counts the uses of
   * later links with the same id. If `until` has passed by the store's own clock, return `false`. A store that cannot tell must throw.
   */
  take(id: string, until: Date, uses: number): Promise<boolean> | boolean
}

/** Options of {@link redeem}. */
export interface RedeemOptions extends VerifyOptions {
  /** Remembers which links were used: `memoryStore()` for one process, `redisStore(client)` or `sqlStore(pool)` for several. */
  readonly store: UseStore
}

/**
 * Like `verify`, and consumes one use of a link that has a limited number; the reason is `used` once all are consumed. A use is consumed last,
 * after every other check, so a refused request consumes nothing. A link without a limit is only verified.
 *
 * A `HEAD` request consumes a use, too; `guard` does not redeem those.
 *
 * @param scheme - As for `verify`.
 * @param request - As for `verify`.
 * @param options - As for `verify`, and the `store`.
 * @returns As `verify`.
 * @throws What `verify` throws, a {@link LinkError} `bad_option` without a store, and what the store throws: while a store is down, no link opens.
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
export async function redeem(scheme: Scheme, request: Visited, options: RedeemOptions): Promise<Verdict> {
  const store = options?.store
  assertOption(typeof store?.take === 'function', 'store', 'an object with take(id, until, uses), such as memoryStore()')
  return verdictOn(scheme, request, options, REDEEM_OPTIONS, 'redeem()', async (claims, until) => {
    assertOption(claims.id, 'scheme', 'one whose links name an id, if they have a number of uses')
    // Any answer but `true` refuses.
    return (await store.take(claims.id, until, claims.uses as number)) === true
  })
}

const REDEEM_OPTIONS = [...VERIFY_OPTIONS, 'store']
