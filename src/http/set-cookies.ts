// setCookies: writes the token of a link as cookies, so that one token opens a whole folder.
import type { Claims } from '../core/claims.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { assertScheme, type Cookie, type Scheme } from '../core/scheme.ts'
import { presentTime } from '../core/time.ts'

/** Options of {@link setCookies}. */
export interface CookieOptions {
  /** The domain that the cookies are for, with all hosts below it: `'example.com'`. Default: the host that sets them, and no other. */
  readonly domain?: string
  /** The path that the cookies are for. Default: the prefix of the link. Required for a link without a prefix. */
  readonly path?: string
  /** `false` allows plain http. Default: `true`. */
  readonly secure?: boolean
  /** `false` lets scripts read the cookies. Default: `true`. */
  readonly httpOnly?: boolean
  /** `'None'` for a player on another site, which needs `secure`. Default: `'Lax'`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None'
  /** `true` for a separate cookie for each site that embeds yours. Default: `false`. */
  readonly partitioned?: boolean
  /** The present time, for tests. Default: the clock of the machine. */
  readonly now?: () => Date
}

const OPTIONS = ['domain', 'path', 'secure', 'httpOnly', 'sameSite', 'partitioned', 'now']

/**
 * Returns the token of a link as values of `Set-Cookie` headers: one cookie, or three or four with CloudFront. The cookies expire with the link, and
 * browsers send them for the folder that it opens.
 *
 * @param scheme - A scheme that reads cookies: `akamai`, `cloudfront`, `cloudCdn` with `placement: 'cookie'`, or `mediaCdn`. Keys are not needed.
 * @param link - A link that `sign` returned. Its signature is not checked.
 * @param options - The attributes of the cookies.
 * @returns One value for each header, for `headers.append('set-cookie', value)`.
 * @throws A `LinkError` `bad_option` for a scheme without cookies, a text that is not a link of it, an expired link, and a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { sign, verify } from 'securelink'
 * import { setCookies } from 'securelink/guard'
 * import { akamai } from 'securelink/schemes/akamai'
 *
 * const links = akamai({ secret: 'aabbccddeeff00112233445566778899' })
 * const link = await sign(links, 'https://edge.example/videos/', { expires: '6h', prefix: '/videos/' })
 * const headers = new Headers()
 * for (const cookie of setCookies(links, link, { domain: 'example.com' })) headers.append('set-cookie', cookie)
 *
 * const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';')
 * console.log((await verify(links, 'https://edge.example/videos/7.mp4', { headers: { cookie } })).ok) // true
 * ```
 */
export function setCookies(scheme: Scheme, link: string | URL, options: CookieOptions = {}): string[] {
  assertScheme(scheme)
  assertOptions(options)
  const members = scheme.schemes ?? [scheme]
  assertOption(
    members.some((member) => member.cookies),
    'scheme',
    'one that reads cookies: akamai, cloudfront, cloudCdn or mediaCdn',
  )
  for (const member of members) {
    const cookies = member.cookies?.(`${link}`)
    const claims = cookies && claimsOf(member, cookies)
    if (claims) return cookies.map((cookie) => headerFor(cookie, claims, options))
  }
  const hint = members.some(({ name }) => name === 'cloud-cdn') ? "; cloudCdn needs placement: 'cookie'" : ''
  assertOption(false, 'link', `a link of the scheme whose token fits into a cookie${hint}`)
}

/** The claims that a verifier will read from the cookies. `undefined` if they cannot be read. */
function claimsOf(scheme: Scheme, cookies: readonly Cookie[]): Claims | undefined {
  // Other characters end a cookie, or are not allowed in one.
  if (!cookies.every(({ value }) => /^[!#-:<-[\]-~]+$/.test(value))) return undefined
  const header = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  // The signature is not checked here, so the path does not matter.
  const reading = scheme.read('/', (name) => (name === 'cookie' ? header : undefined))
  return typeof reading === 'object' && 'claims' in reading ? reading.claims : undefined
}

/** The longest cookie that every browser keeps: its name and its value. */
const LONGEST = 4096

function headerFor({ name, value }: Cookie, claims: Claims, options: CookieOptions): string {
  const { domain, path = pathFor(claims), secure = true, httpOnly = true, sameSite = 'Lax', partitioned = false, now } = options
  assertOption(path, 'path', 'given for a link without a prefix')
  assertOption(name.length + value.length <= LONGEST, 'link', `short enough for a cookie of at most ${LONGEST} characters`)
  const seconds = Math.floor((+claims.expires - presentTime(now)) / 1000)
  assertOption(seconds > 0, 'link', 'one that is not expired')
  const attributes = [
    `${name}=${value}`,
    `Path=${path}`,
    domain && `Domain=${domain}`,
    // Browsers use Max-Age, so their clock does not matter. Expires is for clients that do not support Max-Age.
    !claims.endless && `Expires=${claims.expires.toUTCString()}`,
    !claims.endless && `Max-Age=${seconds}`,
    secure && 'Secure',
    httpOnly && 'HttpOnly',
    `SameSite=${sameSite}`,
    partitioned && 'Partitioned',
  ]
  return attributes.filter(Boolean).join('; ')
}

/**
 * The path of a cookie for a prefix. Browsers compare paths as text, and the prefix is in normal form. So if a folder's name has several spellings,
 * the cookie gets the path of the parent folder: it is sent more often, but does not open more.
 */
function pathFor({ prefix }: Claims): string | undefined {
  if (prefix === undefined) return undefined
  const plain = /^(?:\/[\w.~-]*)*/.exec(prefix)?.[0] ?? ''
  if (plain === prefix) return prefix
  return plain.slice(0, plain.lastIndexOf('/') + 1) || '/'
}

function assertOptions(options: CookieOptions): void {
  assertKnownOptions(options, OPTIONS, 'setCookies()')
  const { domain, path, secure = true, httpOnly = true, sameSite = 'Lax', partitioned = false } = options
  assertOption(
    domain === undefined || (typeof domain === 'string' && /^\.?[\w-]+(\.[\w-]+)*$/.test(domain)),
    'domain',
    "a domain such as 'example.com'",
  )
  assertOption(
    path === undefined || (typeof path === 'string' && /^\/[!-:<-~]*$/.test(path)),
    'path',
    "a path that starts with '/', without ';'",
  )
  for (const [option, value] of Object.entries({ secure, httpOnly, partitioned }))
    assertOption(typeof value === 'boolean', option, 'true or false')
  assertOption(['Strict', 'Lax', 'None'].includes(sameSite), 'sameSite', "'Strict', 'Lax' or 'None'")
  assertOption(secure || (sameSite !== 'None' && !partitioned), 'secure', "true with sameSite: 'None' and with partitioned")
}
