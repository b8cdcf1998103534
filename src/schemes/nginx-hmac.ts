// nginxHmac: links of a third-party module for NGINX, https://github.com/nginx-modules/ngx_http_hmac_secure_link_module
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Covered, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { append, LONGEST, split } from '../lib/url.ts'
import {
  type ConditionOf,
  type ConditionsOf,
  coveredBy,
  coveredUrl,
  factsOf,
  grantToSign,
  readingOf,
  requestOf,
  requestToSign,
  type SignedUrl,
  type Variables,
} from './shared/nginx-expression.ts'
import { configurationOf, coversExpiry, type NginxHmacMessage, type NginxHmacOptions } from './shared/nginx-hmac-configuration.ts'
import { printTime, timeOf } from './shared/nginx-hmac-time.ts'
import { argument, bytesOf, isToken, numberOf, without } from './shared/nginx-request.ts'

export type { NginxHmacMessage, NginxHmacOptions, SignedUrl, Variables }

/** The conditions that links of a message can carry: an address if it has `$remote_addr`, a method if it has `$request_method`. */
export type NginxHmacCondition<M extends string> = ConditionOf<M>

/** A message with `$remote_addr` needs the address. */
export type NginxHmacConditions<M extends string> = ConditionsOf<M>

/**
 * Links of `ngx_http_hmac_secure_link_module`: HMAC over a message of the path, the time of signing and the lifetime in seconds.
 *
 * The path is signed as NGINX sees it: decoded, with slashes merged. The signature covers the variables of the message and nothing else, so
 * `claims.resource` of a valid link holds the path and those arguments that the message has. A link is still valid in the second of its expiry. An
 * address or method that does not match is a `bad_signature`, because it is only in the message. Every refusal is a 403, except a 405 for the wrong
 * method.
 *
 * `expires: 'never'` writes a lifetime of 0. If the message does not cover time and lifetime, `expires` must be `'never'`.
 *
 * @see https://github.com/nginx-modules/ngx_http_hmac_secure_link_module
 * @param keys - Secrets, newest first: the first one that is valid now signs, all of them verify, and an empty list only reads links.
 * @param options - How NGINX is configured. Default: as in the module's README.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong message or option, such as an algorithm that WebCrypto does not have for HMAC; `weak_key` for an empty
 *   secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { nginxHmac } from 'securelink/schemes/nginx-hmac'
 *
 * const links = nginxHmac({ secret: 'my_very_secret_key' })
 * const link = await sign(links, 'https://cdn.example/files/a%20b.txt', { expires: '10m' })
 * ```
 */
export function nginxHmac<const M extends string = NginxHmacMessage>(
  keys: Keys<SecretKey>,
  options: NginxHmacOptions<M> = {},
): Scheme<NginxHmacCondition<M>, NginxHmacConditions<M>, 'optional' | 'none'> {
  const configuration = configurationOf(options)
  const { names, message, hash, size } = configuration
  const { own } = message
  const expires = coversExpiry(configuration)
  return {
    name: 'nginx-hmac',
    ...factsOf<NginxHmacCondition<M>>(message),
    covers: [...coveredBy(message), ...(expires ? (['expires'] satisfies Covered[]) : [])],
    parameters: own,
    algorithm: { hmac: hash, encoding: 'base64url' },
    expiry: expires ? 'optional' : 'none',
    validAtExpiry: true,
    // The documented configuration answers 403 to everything, even to a link that has expired.
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys),

    write(grant) {
      const request = requestToSign(message, grant)
      const issued = Math.floor(grant.now / 1000)
      // A lifetime of 0 is unlimited.
      const lifetime = grant.expires === undefined ? '0' : `${grant.expires - issued}`
      const time = names.timestamp && `&${names.timestamp}=${printTime(configuration.zone, issued)}`
      const pairs = time + (names.lifetime && `&${names.lifetime}=${lifetime}`)
      const values = { secure_link_hmac_expires: names.lifetime && lifetime }
      return {
        toSign: grantToSign(message, grant, { ...request, args: request.args + pairs }, values),
        link: (token) => append(grant.url, `${names.token}=${token}${pairs}`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const args = bytesOf(query.slice(1))
      const found = own.map((name) => argument(args, name))
      if (found.every((value) => value === undefined)) return 'unsigned'
      const { token, timestamp, lifetime } = secureLinkHmac(found.map((value) => value ?? '').join())
      const issued = timestamp === undefined ? ENDLESS : timeOf(timestamp, configuration.trailing)
      const lasts = numberOf(lifetime ?? '0')
      if (!isToken(token, size)) return { malformed: names.token }
      if (issued <= 0) return { malformed: names.timestamp || names.token }
      if (lasts < 0) return { malformed: names.lifetime || names.token }
      const others = without(query, own)
      const request = requestOf(message, { origin, path, query: others }, args)
      if (!request) return 'malformed'
      const seconds = lasts ? issued + lasts : ENDLESS
      const values = { secure_link_hmac_expires: lifetime }
      return readingOf(message, { request, token, values, seconds, resource: origin + path + others, proven: coveredUrl(message, request) })
    },
  }
}

/** The value of the directive `secure_link_hmac`, split at its commas as the module does it. One value alone is a token without a time. */
function secureLinkHmac(line: string): { readonly token: string; readonly timestamp?: string; readonly lifetime?: string } {
  const [token = '', timestamp, ...behind] = line.split(',')
  if (timestamp === undefined) return { token }
  return behind.length > 0 ? { token, timestamp, lifetime: behind.join() } : { token, timestamp }
}
