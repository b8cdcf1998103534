// nginx: links of NGINX's own module, https://nginx.org/en/docs/http/ngx_http_secure_link_module.html
import type { Expiry } from '../core/conditions.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Algorithm, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { LONGEST } from '../lib/url.ts'
import { withKnownSecret } from './shared/known-secret.ts'
import { configurationOf, coverage, coversExpiry, type NginxExpression, type NginxOptions } from './shared/nginx-configuration.ts'
import {
  type ConditionOf,
  type ConditionsOf,
  factsOf,
  grantToSign,
  readingOf,
  requestToSign,
  type SignedUrl,
  type Variables,
} from './shared/nginx-expression.ts'
import { READERS, WRITERS } from './shared/nginx-layouts.ts'
import { md5Digest } from './shared/plain-hash.ts'

export type { NginxExpression, NginxOptions, SignedUrl, Variables }

/** The conditions that links of an expression can carry: an address if it has `$remote_addr`, a method if it has `$request_method`. */
export type NginxCondition<E extends string> = ConditionOf<E>

/** An expression with `$remote_addr` needs the address. */
export type NginxConditions<E extends string> = ConditionsOf<E>

/** Links expire if the expression has `$secure_link_expires`. Where the names of the parameters decide, the compiler takes both. */
export type NginxExpiry<E extends string> = string extends E
  ? 'required' | 'none'
  : E extends `${string}secure_link_secret${string}`
    ? 'none'
    : E extends `${string}secure_link ${string}`
      ? 'required' | 'none'
      : E extends `${string}secure_link_expires${string}`
        ? 'required'
        : E extends `${string}arg_${string}`
          ? 'required' | 'none'
          : 'none'

/**
 * Links of NGINX's `secure_link`: a plain MD5 of a string that contains the secret. Choose this scheme for an NGINX that you do not control. If you
 * run both the signer and the verifier, choose `hmac`.
 *
 * The path is signed as NGINX sees it: decoded, with slashes merged. The signature covers the variables of the expression and nothing else, so
 * `claims.resource` of a valid link holds the path and those arguments that the expression has. A link is still valid in the second of its expiry.
 * An address or method that does not match is a `bad_signature`, because it is only in the digest.
 *
 * Without `$secure_link_expires` in the expression, and with `secure_link_secret`, links never expire: `expires` must be `'never'`.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_secure_link_module.html
 * @param keys - Secrets as text or bytes, newest first: the first one that is valid now signs, all of them verify, and an empty list only reads
 *   links.
 * @param options - How NGINX is configured. Default: the expression of the Python SecureLink.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong expression or option and for a `CryptoKey`, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { nginx } from 'securelink/schemes/nginx'
 *
 * const links = nginx({ secret: 'secret' }, { expression: 'secure_link_md5 "$secure_link_expires$uri $secret";' })
 * const link = await sign(links, 'https://cdn.example/a%20b.txt', { expires: '10m' })
 * ```
 */
export function nginx<const E extends string = NginxExpression>(
  keys: Keys<SecretKey>,
  options: NginxOptions<E> = {},
): Scheme<NginxCondition<E>, NginxConditions<E>, NginxExpiry<E>> {
  const configuration = configurationOf(options)
  const { layout, expression } = configuration
  const expiry: Expiry = coversExpiry(configuration) ? 'required' : 'none'
  return {
    name: 'nginx',
    ...factsOf<NginxCondition<E>>(expression),
    covers: coverage(configuration),
    parameters: expression.own,
    algorithm: layout === 'secret' ? MD5_HEX : MD5,
    expiry: expiry as NginxExpiry<E>,
    validAtExpiry: true,
    // The documented configuration answers 403 to everything but a link that has expired.
    status: { malformed: 403 },
    keys: keyring(keys, { prepare: withKnownSecret }),

    write(grant) {
      const request = requestToSign(expression, grant)
      const { args, values, link } = WRITERS[layout](configuration, grant, request)
      return { toSign: grantToSign(expression, grant, { ...request, args }, values), link }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const found = READERS[layout](configuration, url)
      return typeof found === 'string' || 'malformed' in found ? found : readingOf(expression, found)
    },
  }
}

const MD5: Algorithm = { digest: md5Digest, encoding: 'base64url' }
const MD5_HEX: Algorithm = { digest: md5Digest, encoding: 'hex' }
