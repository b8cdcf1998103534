// guard: puts a fetch handler behind signed links.
import { assertOption } from '../core/errors.ts'
import type { Scheme } from '../core/scheme.ts'
import { admission, type GuardOptions, type Handler } from './admission.ts'
import { isMisplaced } from './misplaced.ts'

/**
 * The runtime's other arguments: those that the handler declares. If it declares none, those that `ip` declares, or those that the context expects,
 * as in `Deno.serve(guard(…))`.
 */
type Arguments<Named extends unknown[], Rest extends unknown[]> = Named extends [] ? Rest : Named

/**
 * Puts a fetch handler behind signed links: it runs only for requests with a valid link. All others are refused with 403, 410 and so on: people get a
 * page, and programs get `application/problem+json`. Refusals are never cached, and contain no part of the link.
 *
 * With a `store`, a request consumes one use of a link that has a limited number of them. `HEAD` requests and prefetches of browsers do not consume
 * one: they are refused with `needs_redeem`. If the store fails, the response is a 503.
 *
 * @param scheme - The scheme and keys that links were signed with; `anyOf` for several.
 * @param handler - Gets the request, the proved claims, and the other arguments of the runtime. Serve by `claims.resource`, which is the URL
 *   without the link's parameters.
 * @param options - The client's address, a store for uses, your own refusals, and options of `verify`.
 * @returns A fetch handler for Deno, Bun, workers and Hono, and through `listener` of `securelink/node` for Node.
 * @throws A `LinkError` `bad_option` without a scheme or a handler, and for a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 * import { guard } from 'securelink/guard'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const fetch = guard(links, (request, claims) => new Response(`valid until ${claims.expires.toISOString()}`))
 *
 * console.log((await fetch(new Request('https://files.example/a.txt'))).status) // 403
 * console.log((await fetch(new Request(await sign(links, 'https://files.example/a.txt', { expires: '10m' })))).status) // 200
 * ```
 */
export function guard<Named extends unknown[] = [], Rest extends unknown[] = []>(
  scheme: Scheme,
  handler: Handler<Named>,
  options: GuardOptions<Arguments<Named, Rest>> = {},
): (request: Request, ...rest: Arguments<Named, Rest>) => Promise<Response> {
  const admit = admission(scheme, options, 'guard()')
  assertOption(typeof handler === 'function', 'handler', 'a function (request, claims) => Response, as the second argument')
  return async (request, ...rest) => {
    if (isMisplaced(request, rest, 'guard')) return undefined as never
    const { claims, answer } = await admit(request, ...rest)
    return answer ?? (handler as Handler<unknown[]>)(request, claims, ...rest)
  }
}
