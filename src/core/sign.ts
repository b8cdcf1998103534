// sign: a URL and its conditions become a link.
import { LONGEST } from '../lib/url.ts'
import type { Condition, Conditions, Expiry } from './conditions.ts'
import { compute, readyKey, spell } from './crypto.ts'
import { assertKnownOptions, assertOption } from './errors.ts'
import { type AskedConditions, grantOf } from './grant.ts'
import { signingKey } from './keys.ts'
import { assertScheme, type Grant, type Scheme } from './scheme.ts'
import { presentTime } from './time.ts'

/** Options of {@link sign}. */
export interface SignOptions {
  /** The present time, for tests and for servers with a clock of their own. Default: the clock of the machine. */
  readonly now?: () => Date
}

/**
 * Makes a link: the URL with everything that `verify` needs to admit a request until the link expires.
 *
 * The link's parameters are appended. The rest of the URL stays as it was, byte for byte.
 *
 * @param scheme - The format of the link, with its keys: `hmac(keys)`, `s3(keys)` and so on.
 * @param url - An absolute URL, or a path that starts with `/`.
 * @param conditions - `expires`, and any other condition that the scheme can carry.
 * @param options - A clock for tests.
 * @returns The link.
 * @throws A {@link LinkError}: `bad_option` for a wrong value, or a URL that already has a parameter of the link's; `unsupported_condition` for a
 *   condition that the scheme cannot carry; `no_key` if no key may sign now; `already_signed` for a link; `no_webcrypto` without `crypto.subtle`.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 *
 * const links = hmac({ id: '2026-11', secret: 'a secret of 32 bytes or more, from a vault' })
 * const link = await sign(links, 'https://cdn.example/report.pdf', { expires: '10m', ip: '203.0.113.0/24' })
 * ```
 */
export function sign<C extends Condition, Own extends object, E extends Expiry>(
  scheme: Scheme<C, Own, E>,
  url: string | URL,
  conditions: Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>,
  options: SignOptions = {},
): Promise<string> {
  // Not an async function, because `linkOf` is one: a second would cost time, and add nothing.
  try {
    assertScheme(scheme)
    assertKnownOptions(options, ['now'], 'sign()')
    const signer = (scheme.schemes?.[0] ?? scheme) as Scheme
    return linkOf(signer, grantOf(signer, textOf(url), conditions as unknown as AskedConditions, presentTime(options.now)))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The link of a grant. `signer` is one scheme, not one of `anyOf`. */
export async function linkOf(signer: Scheme, asked: Grant): Promise<string> {
  const { algorithm } = signer
  const keys = signer.keys()
  const { key, expires } = signingKey(Array.isArray(keys) ? keys : await keys, asked.expires, asked.now)
  const grant = expires === asked.expires ? asked : endingWith(asked, expires, signer)
  const written = signer.write(grant, key)
  const draft = 'link' in written ? written : await written

  const ready = await readyKey(draft.key ?? key, algorithm)
  const signature = spell(await compute(ready, algorithm, draft.toSign), algorithm)
  const { addressToSign } = draft
  const addressSignature = addressToSign && spell(await compute(ready, algorithm, addressToSign), algorithm)

  const link = draft.link(signature, addressSignature)
  assertOption(link.length <= LONGEST, 'url', SHORT_ENOUGH)
  return link
}

const SHORT_ENOUGH = `short enough for a link of at most ${LONGEST} characters`

/** The grant of a link that expires with its key. */
function endingWith(grant: Grant, expires: number | undefined, { expiry, name }: Scheme): Grant {
  assertOption(expiry !== 'none', 'keys', `without an end, because ${name} links have no expiry`)
  assertOption((grant.starts ?? 0) < (expires as number), 'starts', 'a time before the key expires')
  return { ...grant, expires }
}

function textOf(url: unknown): string {
  assertOption(
    typeof url === 'string' || typeof (url as URL)?.href === 'string',
    'url',
    'a string or a URL, as the second argument: sign(scheme, url, conditions)',
  )
  return `${url}`
}
