// cloudfront: signed URLs and signed cookies of Amazon CloudFront,
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PrivateContent.html
import type { Claims } from '../core/claims.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Keys } from '../core/keys.ts'
import type { Algorithm, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { below, normalOrigin, normalPath } from '../lib/normalise.ts'
import { append, encodeValue, LONGEST, split } from '../lib/url.ts'
import { type AllowedKeys, type KeyPair, keyPairs, signer } from './shared/asymmetric.ts'
import { asCookies, NAMES, presented } from './shared/cloudfront-parameters.ts'
import { type CustomPolicy, customPolicy, encodePolicy, fromBase64, policyText, toBase64 } from './shared/cloudfront-policy.ts'
import { covered, opensUrl, patternFor, prefixOf, resourceOf, wholeUrls } from './shared/cloudfront-resource.ts'
import { deliveredUrl } from './shared/edge-token.ts'

/** A key pair of a key group: the private key signs, the public key alone verifies. RSA, or ECDSA with P-256. */
export interface CloudfrontKey extends KeyPair {
  /** The id that CloudFront gave the public key (`K…`), which the link shows. */
  readonly id: string
}

/** Options of {@link cloudfront}. */
export interface CloudfrontOptions {
  /** The hash that is signed. `verify` takes both, as the link says. The names are those of Amazon's own package. Default: `'SHA1'`. */
  readonly algorithm?: 'SHA1' | 'SHA256'
}

/** Conditions of {@link cloudfront} links. */
export interface CloudfrontConditions {
  /**
   * A pattern of the URLs that the link opens, in place of its own; `*` stands for any characters and `?` for one:
   * `'https://d111111abcdef8.cloudfront.net/videos/*.ts'`. Do not put a path from a user into it, because a `*` in the path would open more.
   */
  readonly resource?: string
}

/**
 * Signed URLs and signed cookies of CloudFront, with RSA or ECDSA.
 *
 * A link for its own URL with nothing but an expiry has a canned policy. With `starts`, `ip`, `prefix` or `resource` it has a custom one, which the
 * link shows. `verify` also takes the three cookies `CloudFront-Policy` (or `-Expires`), `CloudFront-Signature` and `CloudFront-Key-Pair-Id`.
 *
 * As with CloudFront, every refusal is a 403, except a 405 for the wrong method.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PrivateContent.html
 * @param keys - Key pairs, newest first: the first one that is valid now signs, the link's `Key-Pair-Id` picks the one that verifies, and an empty
 *   list only reads links.
 * @param options - How links are signed.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, a key that is not in PEM and for a wrong option, `weak_key` for a missing key and
 *   for RSA keys under 1024 bits.
 *
 * @example
 * ```ts no-run needs a private key
 * import { sign } from 'securelink'
 * import { cloudfront } from 'securelink/schemes/cloudfront'
 *
 * const links = cloudfront({ id: 'K2JCJMDEHXQW5F', secret: process.env.PRIVATE_KEY })
 * const link = await sign(links, 'https://d111111abcdef8.cloudfront.net/image.jpg', { expires: '1h' })
 * ```
 */
export function cloudfront(
  keys: Keys<CloudfrontKey>,
  options: CloudfrontOptions = {},
): Scheme<'starts' | 'ip' | 'prefix', CloudfrontConditions, 'required'> {
  const { algorithm = 'SHA1' } = options
  assertKnownOptions(options, ['algorithm'], 'cloudfront()')
  assertOption(algorithm === 'SHA1' || algorithm === 'SHA256', 'algorithm', "'SHA1' or 'SHA256'")
  return {
    name: 'cloudfront',
    carries: ['starts', 'ip', 'prefix'],
    own: ['resource'],
    covers: ['scheme', 'host', 'path', 'query', 'starts', 'expires', 'ip', 'prefix'],
    parameters: NAMES,
    reads: ['headers', 'cookies'],
    algorithm: ALGORITHMS[algorithm],
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyPairs(keys, algorithm === 'SHA1' ? 'SHA-1' : 'SHA-256', ALLOWED_KEYS),

    write({ url, parts, expires = 0, starts, ip, prefix, own }, key) {
      const sent = deliveredUrl(url, parts)
      const resource = resourceOf(sent)
      const pattern = patternFor(resource, prefix, own.resource)
      assertOption(!ip || /^[\d./]+$/.test(ip), 'ip', 'an IPv4 address or network; CloudFront takes no others')
      const isCustom = starts !== undefined || ip !== undefined || pattern !== undefined
      // Also for a canned policy: someone could send its text as a custom policy, with the same signature, and there a `*` opens more URLs.
      assertOption(pattern !== undefined || !resource.includes('*'), 'url', "without '*', which opens more in a policy; write %2A")
      const policy = policyText({ resource: pattern ?? resource, expires, starts, ip: ip && (ip.includes('/') ? ip : `${ip}/32`) })
      const front = isCustom ? `Policy=${encodePolicy(policy)}` : `Expires=${expires}`
      const hash = algorithm === 'SHA256' ? '&Hash-Algorithm=SHA256' : ''
      return {
        toSign: policy,
        link: (signature) =>
          append(sent, `${front}&Key-Pair-Id=${encodeValue(key.id as string)}&Signature=${fromBase64(signature)}${hash}`),
      }
    },

    cookies: asCookies,

    read(url, header): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const found = presented(query, header)
      if (!found) return 'unsigned'
      const { values, twice, others, malformed } = found
      if (twice) return malformed(twice)
      if (path[0] !== '/') return 'malformed'
      const { Expires: expires, Policy: encoded, 'Key-Pair-Id': keyId, Signature: signature = '', 'Hash-Algorithm': hash = 'SHA1' } = values
      if (!keyId) return malformed('Key-Pair-Id')
      if (!/^[A-Za-z\d~-]+_{0,2}$/.test(signature) || signature.length % 4) return malformed('Signature')
      if (hash !== 'SHA1' && hash !== 'SHA256') return malformed('Hash-Algorithm')

      const rest = path + others
      const policy = encoded === undefined ? undefined : customPolicy(encoded)
      if (encoded !== undefined && !policy) return malformed('Policy')
      // Some signers add `Expires` to a custom policy. It must be the expiry of the policy.
      if (!policy || expires !== undefined) {
        if (!/^[1-9]\d{0,10}$/.test(expires ?? '') || (policy && +(expires as string) !== policy.expires)) return malformed('Expires')
      }
      const link = { signature: toBase64(signature), algorithm: ALGORITHMS[hash] }
      const urls = wholeUrls(normalOrigin(origin), rest, header)
      const claims = { resource: origin + rest, expires: new Date(+(policy?.expires ?? (expires as string)) * 1000), keyId }
      if (policy) return { ...link, ...custom(policy, urls, claims) }
      return {
        ...link,
        claims,
        toSign: () => urls.map((resource) => policyText({ resource, expires: +(expires as string) })),
        proves: (_, which) => ({ resource: urls[which] as string }),
      }
    },
  }
}

// CloudFront asks for RSA keys of 2048 bits today. Older ones had 1024.
const ALLOWED_KEYS: AllowedKeys = { kinds: ['RSA', 'P-256'], leastBits: 1024 }

const ALGORITHMS: Readonly<Record<'SHA1' | 'SHA256', Algorithm>> = {
  SHA1: { encoding: 'base64', signer: /* @__PURE__ */ signer('SHA-1') },
  SHA256: { encoding: 'base64', signer: /* @__PURE__ */ signer('SHA-256') },
}

/** The reading of a link with a custom policy: it shows its string to sign, and opens every URL that matches. */
function custom(policy: CustomPolicy, urls: readonly string[], linkClaims: Claims): Omit<Reading, 'signature' | 'algorithm'> {
  const { resource: pattern, starts, ip, text } = policy
  const prefix = prefixOf(pattern)
  const claims = {
    ...linkClaims,
    ...(starts && { starts: new Date(starts * 1000) }),
    ...(ip && { ip }),
    ...(prefix && { prefix }),
  }
  const opened = () => urls.find((url) => opensUrl(pattern, url) && below(normalPath(split(url).path), '/'))
  return {
    claims,
    toSign: () => text,
    // Computed on demand, because comparing takes time, and only signed patterns are worth it.
    get opens() {
      return opened() !== undefined
    },
    proves: () => ({ resource: covered(pattern, opened() ?? linkClaims.resource) }),
  }
}
