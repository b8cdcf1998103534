// anyOf: several schemes as one, for migrations.
import type { Condition, Expiry } from './conditions.ts'
import { assertOption } from './errors.ts'
import { assertScheme, type Scheme } from './scheme.ts'

/**
 * Several schemes as one: the first signs, all verify. To move to another scheme, edit the list, as you do to rotate keys. `verdict.scheme` says
 * which scheme signed a link.
 *
 * A link that several schemes can read is valid if one of the signatures is.
 *
 * @param first - Signs, and verifies.
 * @param others - Verify only.
 * @returns A scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError` `bad_option` if an argument is not a scheme, or is one of `allOf`.
 *
 * @example
 * ```ts
 * import { anyOf, hmac, sign } from 'securelink'
 * import { pichax } from 'securelink/schemes/pichax'
 *
 * const links = anyOf(hmac({ secret: 'a secret of 32 bytes or more, from a vault' }), pichax({ id: 'key', secret: 'old' }))
 * const link = await sign(links, 'https://cdn.example/report.pdf', { expires: '10m' }) // an hmac link
 * ```
 */
export function anyOf<C extends Condition, Own extends object, E extends Expiry>(
  first: Scheme<C, Own, E>,
  ...others: readonly Scheme[]
): Scheme<C, Own, E> {
  const schemes = [first as unknown as Scheme, ...others].flatMap((scheme) => {
    assertScheme(scheme)
    // allOf judges whole requests, and this list is walked link by link: it would accept nothing, or refuse the links of the others.
    assertOption(!scheme.combine, 'schemes', 'without allOf: call verify() with it and with the others in turn')
    return scheme.schemes ?? [scheme]
  })
  return { ...first, name: `anyOf(${schemes.map(({ name }) => name).join()})`, schemes }
}
