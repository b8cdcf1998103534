// cloudflare: token authentication of Cloudflare's WAF, is_timed_hmac_valid_v0(), and of the Workers example that signs for it,
// https://developers.cloudflare.com/waf/custom-rules/use-cases/configure-token-authentication/
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { type Duration, secondsOf } from '../core/time.ts'
import { asSentToVendor } from '../lib/canonical.ts'
import { append, encodeValue, LONGEST, split, takeParameters } from '../lib/url.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { assertDelivered } from './shared/vendor-hosts.ts'

/** Options of {@link cloudflare}: how the rule of the zone, or the Worker, is written. */
export interface CloudflareOptions {
  /** How long links are valid: the argument `lifetime` of the rule. Links show only the time of their issue. */
  readonly maxAge: Duration
  /** The name of the parameter. Default: `verify`. */
  readonly parameter?: string
  /** Covers the other parameters, too, as rules with `http.request.uri` do. Default: `false`, as in the Workers example. */
  readonly query?: boolean
  /** `'base64url'` for rules with the flag `s`. Default: `'base64'`. */
  readonly encoding?: 'base64' | 'base64url'
}

/** The string to sign. The time has ten digits always, so no digit of the path can move to it. */
const stringToSign = (message: string, issued: string): string => message + issued

const ISSUED_AND_MAC = { base64: /^(\d{10})-([A-Za-z\d+/]{43}=)$/, base64url: /^(\d{10})-([\w-]{43})$/ } as const

/**
 * Links for Cloudflare's `is_timed_hmac_valid_v0()`: `verify=<issued>-<mac>`, the base64 HMAC-SHA-256 of path and time of issue.
 *
 * The signature covers the path, the time of issue, and with `query: true` the parameters before the token. It does not cover the host.
 * As with Cloudflare, every refusal is a 403, except a 405 for the wrong method.
 *
 * Links expire `maxAge` after their issue. For an earlier `expires`, `sign` dates the issue back; a later one throws.
 *
 * @see https://developers.cloudflare.com/waf/custom-rules/use-cases/configure-token-authentication/
 * @param keys - The key of the rule, as text.
 * @param options - How the rule of the zone, or the Worker, is written.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { cloudflare } from 'securelink/schemes/cloudflare'
 *
 * const links = cloudflare({ secret: 'the key of the rule' }, { maxAge: '3h' })
 * const link = await sign(links, 'https://downloads.example/images/cat.jpg', { expires: '3h' })
 * ```
 */
export function cloudflare(keys: Keys<SecretKey>, options: CloudflareOptions): Scheme<never, object, 'required'> {
  const { parameter, query, encoding, maxAge } = settingsOf(options)

  return {
    name: 'cloudflare',
    carries: [],
    covers: query ? ['path', 'query', 'expires'] : ['path', 'expires'],
    parameters: [parameter],
    algorithm: { hmac: 'SHA-256', encoding },
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: withCleanSecret }),

    write({ url, parts, expires = 0, now }) {
      assertDelivered(parts.origin)
      const issued = expires - maxAge
      assertOption(issued <= now / 1000, 'expires', 'at most maxAge from now')
      assertOption(/^\d{10}$/.test(`${issued}`), 'expires', 'later: its time of issue must have ten digits')
      const sent = asSentToVendor(url, parts)
      const target = split(sent)
      return {
        toSign: stringToSign(target.path + (query ? target.query : ''), `${issued}`),
        link: (signature) => append(sent, `${parameter}=${issued}-${encodeValue(signature)}`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      // To Cloudflare a `+` is a space, so it must be escaped.
      const { values, twice } = takeParameters(parts.query, [parameter], { plusIsSpace: true })
      const value = values[parameter]
      if (value === undefined) return 'unsigned'
      const [, issued, signature] = ISSUED_AND_MAC[encoding].exec(value) ?? []
      if (twice || !issued || !signature || parts.path[0] !== '/') return { malformed: parameter }
      // The rule takes everything before the token as the message.
      const token = Math.max(parts.query.lastIndexOf('&'), 0)
      if (query && !parts.query.startsWith(`${parameter}=`, token + 1)) return { malformed: parameter }
      const message = parts.path + (query ? parts.query.slice(0, token) : '')
      return {
        claims: { resource: parts.origin + message, expires: new Date((+issued + maxAge) * 1000) },
        signature,
        toSign: () => stringToSign(message, issued),
      }
    },
  }
}

interface Settings {
  readonly parameter: string
  readonly query: boolean
  readonly encoding: 'base64' | 'base64url'
  /** In seconds. */
  readonly maxAge: number
}

function settingsOf(options: CloudflareOptions): Settings {
  assertOption(typeof options === 'object' && options !== null, 'maxAge', "a duration such as '3h': cloudflare(keys, { maxAge })")
  assertKnownOptions(options, ['maxAge', 'parameter', 'query', 'encoding'], 'cloudflare()')
  const { parameter = 'verify', query = false, encoding = 'base64' } = options
  const maxAge = secondsOf(options.maxAge, 'maxAge')
  assertOption(maxAge > 0 && maxAge % 1 === 0, 'maxAge', 'a duration of whole seconds')
  assertOption(/^[\w-]+$/.test(parameter), 'parameter', 'a name of letters, digits, _ and -')
  assertOption(typeof query === 'boolean', 'query', 'true or false')
  assertOption(encoding in ISSUED_AND_MAC, 'encoding', "'base64' or 'base64url'")
  return { parameter, query, encoding, maxAge }
}
