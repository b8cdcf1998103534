// allOf: several tokens in one request, such as a short one in the link and a long one in a cookie.
import { split, takeParameters } from '../lib/url.ts'
import type { Claims } from './claims.ts'
import { assertOption, LinkError } from './errors.ts'
import { assertScheme, type Scheme } from './scheme.ts'
import { statusOf, type Verdict } from './verdict.ts'
import { type VerifyOptions, verdictOn } from './verify.ts'

/**
 * Verifies several tokens in one request, all of which must be valid: each scheme reads its own parameter, cookie or header. For Media CDN's dual
 * tokens, for Akamai's `hdnts` with `hdntl`, and for a vendor's token beside one of your own.
 *
 * It only verifies. To sign, call `sign` with each of the schemes, in the order of the arguments: each call signs the link of the call before it. So
 * a scheme does not see the parameters of later schemes.
 *
 * The first scheme that refuses the request determines the reason. A token counts once: if a second scheme accepts it, too, the request is
 * `unsigned`. Give each scheme its own key; with one key for all, a long token could take the place of a short one. Of two claims, the narrower
 * one counts: the earlier expiry, the later start, the longer prefix, the methods that both open. `resource`, `id`, `keyId` and `data` are those of
 * the first scheme that has them. `revoked` is called for each token.
 *
 * @param schemes - Two or more, each with parameters of its own.
 * @returns A scheme that only verifies.
 * @throws A `LinkError` `bad_option` for fewer than two schemes, for two that read the same parameter, for one whose links can have a number of uses,
 *   and for `anyOf` and `allOf`.
 *
 * @example
 * ```ts
 * import { sign, verify } from 'securelink'
 * import { allOf } from 'securelink/all-of'
 * import { akamai } from 'securelink/schemes/akamai'
 *
 * const short = akamai({ secret: 'aabbccddeeff00112233445566778899' }, { tokenName: 'hdnts' })
 * const long = akamai({ secret: '00112233445566778899aabbccddeeff' }, { tokenName: 'hdntl' })
 *
 * const url = await sign(short, 'https://edge.example/videos/7.m3u8', { expires: '30s' })
 * const link = await sign(long, url, { expires: '6h', prefix: '/videos/' })
 * console.log((await verify(allOf(short, long), link)).ok) // true
 * console.log((await verify(allOf(short, long), url)).reason) // unsigned
 * ```
 */
export function allOf(...schemes: readonly Scheme[]): Scheme<never> {
  assertOption(schemes.length > 1, 'schemes', 'two or more')
  for (const scheme of schemes) {
    assertScheme(scheme)
    assertOption(!scheme.schemes && !scheme.combine, 'schemes', 'without anyOf and allOf')
    // A use that one token consumes would be lost if the next token is refused.
    assertOption(!scheme.carries.includes('uses'), 'schemes', `without ${scheme.name}, whose links can have a number of uses`)
  }
  const parameters = schemes.flatMap((scheme) => scheme.parameters)
  assertOption(new Set(parameters).size === parameters.length, 'schemes', 'ones that read parameters of their own')
  const name = `allOf(${schemes.map((scheme) => scheme.name).join()})`
  const [first] = schemes as [Scheme]
  return {
    name,
    carries: [],
    covers: [...new Set(schemes.flatMap(({ covers }) => covers))],
    parameters,
    reads: [...new Set(schemes.flatMap(({ reads = [] }) => reads))],
    algorithm: first.algorithm,
    // `sign` asks for the keys first.
    keys: refuseToSign,
    write: refuseToSign,
    // Only `combine` reads tokens. So code that takes one reading at a time, such as anyOf, cannot accept one valid token in place of all.
    read: () => 'unsigned',
    async combine({ url, method, headers, header }, options) {
      const facts: VerifyOptions = { ...options, method, ...(headers && { headers: [...headers] as [string, string][] }) }
      const all: Claims[] = []
      const signatures = new Set<string>()
      for (const [i, scheme] of schemes.entries()) {
        const behind = schemes.slice(i + 1).flatMap((other) => other.parameters)
        const own = without(behind, url)
        const verdict = await verdictOn(scheme, own, facts, Object.keys(facts), name)
        if (!verdict.ok) return verdict
        // One token in a cookie that two schemes read, or copied from one parameter to another, is one token.
        const signature = signatureOf(scheme.read(own, header))
        if (signatures.has(signature)) return { ok: false, reason: 'unsigned', status: scheme.status?.unsigned ?? statusOf('unsigned') }
        signatures.add(signature)
        all.push(verdict.claims)
      }
      return { ok: true, scheme: name, claims: all.reduce(narrower) } satisfies Verdict
    },
  }
}

/** The signature of a link. Empty for one that cannot be read, which has been refused. */
function signatureOf(reading: ReturnType<Scheme['read']>): string {
  return typeof reading === 'object' && 'signature' in reading ? reading.signature : ''
}

function refuseToSign(): never {
  throw new LinkError('bad_option', 'scheme must be one that signs: call sign() with each of the schemes', { option: 'scheme' })
}

/** The URL without these parameters. Byte for byte the same if it has none of them. */
function without(names: readonly string[], url: string): string {
  const { origin, path, query, fragment } = split(url)
  const { values, others } = takeParameters(query, names)
  return Object.keys(values).length > 0 ? origin + path + others + fragment : url
}

/** The claims of two valid tokens together: the narrower ones. */
function narrower(a: Claims, b: Claims): Claims {
  const sooner = a.expires <= b.expires ? a : b
  const claims: { -readonly [Name in keyof Claims]: Claims[Name] } = { ...b, ...a, expires: sooner.expires }
  if (!sooner.endless) delete claims.endless
  if (b.starts && !(a.starts && a.starts > b.starts)) claims.starts = b.starts
  // A link without a prefix opens its own path only.
  if (a.prefix === undefined || b.prefix === undefined) delete claims.prefix
  else claims.prefix = a.prefix.length >= b.prefix.length ? a.prefix : b.prefix
  // An address is narrower than a network, and both hold the address of the request.
  if (a.ip !== undefined && b.ip !== undefined) claims.ip = bitsOf(a.ip) >= bitsOf(b.ip) ? a.ip : b.ip
  const methods = inBoth(a.methods, b.methods)
  if (methods) claims.methods = methods
  const headers = [...new Set([...(a.signedHeaders ?? []), ...(b.signedHeaders ?? [])])]
  if (headers.length > 0) claims.signedHeaders = headers
  return claims
}

/** The length of a network, to compare two networks that contain the same address. A range has no length, and counts as wide. */
function bitsOf(ip: string): number {
  if (ip.includes('-')) return -1
  const slash = ip.indexOf('/')
  return slash < 0 ? 128 : +ip.slice(slash + 1)
}

/** The methods that both open; `undefined` for the default of both. */
function inBoth(a: readonly string[] | undefined, b: readonly string[] | undefined): readonly string[] | undefined {
  if (!a || !b) return a ?? b
  return a.filter((method) => b.includes(method) || (method === 'HEAD' && b.includes('GET')))
}
