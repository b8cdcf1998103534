// bunny: token authentication of Bunny's CDN, https://docs.bunny.net/docs/cdn-token-authentication, in its three generations
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import { type Message, type Reading, type Scheme, SECRET, type Unreadable } from '../core/scheme.ts'
import { normalPath } from '../lib/normalise.ts'
import { hasDotSegment } from '../lib/request-target.ts'
import { append, LONGEST, split } from '../lib/url.ts'
import { GENERATIONS, isAddress } from './shared/bunny-generations.ts'
import { addedParameters, type BunnyConditions, parametersOf, printed, restrictionsOf, signingData } from './shared/bunny-parameters.ts'
import { assertApart, dataToSign, hidesParameters, passesForParameters } from './shared/bunny-separation.ts'
import { OWN, presented, TOKEN } from './shared/bunny-token.ts'
import { withCleanSecret } from './shared/clean-secret.ts'
import { claimedResource, deliveredUrl } from './shared/edge-token.ts'
import { withKnownSecret } from './shared/known-secret.ts'

/** Options of {@link bunny}. */
export interface BunnyOptions {
  /**
   * `'hs256'`: HMAC-SHA-256, as Bunny's own signers since 2026. `'sha256'`: a plain SHA-256, as they did before. `'md5'`: the basic tokens, a plain MD5
   * of path and expiry. Default: `'hs256'`.
   */
  readonly algorithm?: 'hs256' | 'sha256' | 'md5'
  /** Where `sign` writes the token: `'path'` is Bunny's directory form, `/bcdn_token=…/`. `verify` reads both. Default: `'query'`. */
  readonly placement?: 'query' | 'path'
}

export type { BunnyConditions }

// Path and expiry are signed without a separator. With exactly ten digits, no digit can move from one to the other.
const EXPIRES = /^[1-9]\d{9}$/

/**
 * Links of Bunny's CDN. They cover the path or a prefix, every query parameter, and the expiry.
 *
 * An address is signed and not shown in the link, so a request from another one is a `bad_signature`. Of an IPv6 address the first 64 bits count.
 * `verify` does not know the country of a request: `claims.data` has the countries and the speed limit.
 *
 * As with Bunny, every refusal is a 403, except a 405 for the wrong method.
 *
 * @see https://docs.bunny.net/docs/cdn-token-authentication
 * @param keys - Token authentication keys of the pull zone, as text; the first one that is valid now signs, all of them verify, and an empty list
 *   only reads links.
 * @param options - Generation and placement of the token.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { bunny } from 'securelink/schemes/bunny'
 *
 * const links = bunny({ secret: 'the key of the pull zone' }, { placement: 'path' })
 * const link = await sign(links, 'https://zone.b-cdn.net/videos/1/main.m3u8', { expires: '1h', prefix: '/videos/1/' })
 * ```
 */
export function bunny(keys: Keys<SecretKey>, options: BunnyOptions = {}): Scheme<'ip' | 'prefix', BunnyConditions, 'required'> {
  assertKnownOptions(options, ['algorithm', 'placement'], 'bunny()')
  const { algorithm: generation = 'hs256', placement = 'query' } = options
  assertOption(Object.hasOwn(GENERATIONS, generation), 'algorithm', "'hs256', 'sha256' or 'md5'")
  const isPlacement = placement === 'query' || (placement === 'path' && generation !== 'md5')
  assertOption(isPlacement, 'placement', "'query', or 'path' unless the algorithm is md5")
  const { algorithm, token: form, carries, own, covers, pathToSign, addressToSign, provenAddress } = GENERATIONS[generation]
  const isHmac = generation === 'hs256'

  /** The string to sign. `path` is that of the URL, or the `token_path`. */
  function stringToSign(path: string, expires: string, address: Uint8Array | string, data: string): Message {
    if (typeof address === 'string') return isHmac ? path + expires + data : { pieces: [SECRET, path + expires + address + data] }
    return { pieces: [path + expires, address, data] }
  }

  const parameters = placement === 'path' ? [] : generation === 'md5' ? TOKEN : [...TOKEN, ...OWN]
  /** Names the parameter that is wrong, if it is one of the link's own. */
  const fault = (name: string): Unreadable => (parameters.includes(name) ? { malformed: name } : 'malformed')

  return {
    name: 'bunny',
    carries,
    own,
    covers,
    parameters,
    reads: ['ip'],
    algorithm,
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: (key) => withCleanSecret(isHmac ? key : withKnownSecret(key)) }),

    write({ url, parts, expires, ip, network, prefix, own }) {
      const sent = deliveredUrl(url, parts)
      const { origin, path, query, fragment } = split(sent)
      const coversQuery = generation !== 'md5' && !own.ignoreParams
      assertOption(EXPIRES.test(`${expires}`), 'expires', 'a time after 2001 and before 2286: these links need ten digits')
      assertOption(!network || isAddress(network, isHmac), 'ip', 'one address, or with hs256 an IPv6 network of 64 bits')

      const { parameters: given, faulty } = parametersOf(query)
      assertOption(!coversQuery || !faulty, 'url', 'one whose parameters can be decoded and occur once')
      const signed = [...(coversQuery ? given : []), ...addedParameters({ ...own, prefix })]
      const data = dataToSign(signed, !isHmac)
      const signedPath = prefix ?? pathToSign(path)
      assertOption(signedPath !== undefined, 'url', 'one with a path without %2F and %5C, and of UTF-8')
      const address = network ? addressToSign(network, ip as string) : ''
      if (generation !== 'md5') assertApart(signedPath, address, data)

      return {
        toSign: stringToSign(signedPath, `${expires}`, address, data),
        link(signature) {
          const token = `token=${isHmac ? `HS256-${network ? '1-' : ''}` : ''}${signature}${printed(signed, !isHmac)}&expires=${expires}`
          if (placement === 'path') return `${origin}/bcdn_${token}${path}${coversQuery ? '' : query}${fragment}`
          // As Bunny's signers do: the parameters in their order, after the token.
          return coversQuery ? `${origin}${path}?${token}${fragment}` : append(sent, token)
        },
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST || /\p{Surrogate}/u.test(url)) return 'malformed'
      const parts = split(url)
      const { path, parameters: found, faulty, ignores } = presented(parts, generation)
      const get = (name: string) => found.find((other) => other.name === name)?.value
      const [token, expires] = [get('token'), get('expires')]
      if (token === undefined && expires === undefined) return 'unsigned'
      if (faulty !== undefined) return fault(faulty)
      const [, flag, signature] = form.exec(token ?? '') ?? []
      if (!signature) return fault('token')
      if (!expires || !EXPIRES.test(expires)) return fault('expires')
      if (path[0] !== '/') return 'malformed'

      if (isHmac && ![undefined, 'true'].includes(get('token_ignore_params'))) return fault('token_ignore_params')
      const signed = found.filter(({ name }) => !TOKEN.includes(name))
      const data = generation === 'md5' ? '' : signingData(signed, !isHmac)
      const scope = generation === 'md5' ? undefined : get('token_path')
      if (!/^\d*$/.test(get('limit') ?? '')) return fault('limit')
      if (data === undefined) return 'malformed'
      if (scope !== undefined && (scope[0] !== '/' || hasDotSegment(scope))) return fault('token_path')

      const signedPath = scope ?? pathToSign(path)
      const rest = signed.filter(({ name, value }) => generation !== 'md5' && !OWN.includes(name) && (isHmac || value))
      const restrictions = generation === 'md5' || ignores ? undefined : restrictionsOf(get)
      return {
        claims: {
          resource: claimedResource(parts.origin, path) + (rest.length > 0 ? `?${rest.map(({ piece }) => piece).join('&')}` : ''),
          expires: new Date(+expires * 1000),
          ...(scope && { prefix: normalPath(scope) }),
          ...(restrictions && { data: restrictions }),
        },
        signature,
        toSign(visit) {
          if (signedPath === undefined || (generation !== 'md5' && hidesParameters(signedPath))) return undefined
          const network = visit.network()
          const address = network && addressToSign(network, visit.ip as string)
          const bound = address && !passesForParameters(address, data) && stringToSign(signedPath, expires, address, data)
          if (isHmac) return flag ? bound || undefined : stringToSign(signedPath, expires, '', data)
          // These links do not show whether they are bound to an address, so try both strings.
          const unbound = stringToSign(signedPath, expires, '', data)
          return bound ? [unbound, bound] : unbound
        },
        proves: ({ ip = '' }, which) => ((isHmac ? flag : which === 1) ? { ip: provenAddress(ip) } : {}),
      }
    },
  }
}
