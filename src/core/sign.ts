// sign: a URL and its conditions become a link.
import { type Asked, type Condition, type Conditions, clock, grant } from './conditions.ts'
import { insist } from './errors.ts'
import { LONGEST } from '../lib/url.ts'
import type { Scheme } from './scheme.ts'

/** Options of {@link sign}. */
export interface SignOptions {
  /** The present, for tests and for servers with a clock of their own. Default: the machine's clock. */
  readonly now?: () => Date
}

/**
 * Makes a link: the URL with everything that `verify` needs to let a visitor in until the expiry.
 *
 * The link is text, because a link is text: the parameters are appended, and what the URL had is left byte for byte as it was.
 *
 * @param scheme - How links are written, with its keys: `hmac(keys)`, `pichax(key)` and so on.
 * @param url - An absolute URL, or a path that begins with `/`.
 * @param conditions - `expires` always; what else the scheme can carry is in its type.
 * @returns The link.
 * @throws A {@link LinkError}: `bad_option` for a value that cannot be meant or a parameter that clashes, `unsupported_condition` for what the
 *   scheme cannot carry, `no_key` when no key is in time, `already_signed` for a link, `no_webcrypto` without `crypto.subtle`.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 *
 * const links = hmac({ id: '2026-11', secret: 'a secret of 32 bytes or more, from a vault' })
 * const link = await sign(links, 'https://cdn.example/report.pdf', { expires: '10m', ip: '203.0.113.0/24' })
 * ```
 */
export async function sign<C extends Condition, Own extends object>(
  scheme: Scheme<C, Own>,
  url: string | URL,
  conditions: Conditions<NoInfer<C>> & NoInfer<Own>,
  options: SignOptions = {},
): Promise<string> {
  // The types say all that is known of C and Own; from here on they are any.
  const any = scheme as unknown as Scheme
  return fitting(await any.seal(grant(any, String(url), conditions as unknown as Asked, clock(options.now))))
}

/** A link, unless it is too long to be one. */
export function fitting(link: string): string {
  insist(link.length <= LONGEST, 'url takes what makes a link of at most 16384 characters')
  return link
}
