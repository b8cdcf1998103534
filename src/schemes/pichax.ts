// pichax: the self-signed URLs of the PichaX image service, https://chakata.gitbook.io/pichax/authentication
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { append, encodeValue, LONGEST, split, takeParameters } from '../lib/url.ts'

/** An API key. Its `expires` ends all its links. */
export interface PichaxKey extends SecretKey {
  /** The public API key, which the link shows. */
  readonly id: string
}

/** Conditions of {@link pichax} links. */
export interface PichaxConditions {
  /** The purpose of the link: a user, an image. The signature covers the id and the expiry, and nothing else. */
  readonly id: string
}

const NAMES = ['id', 'expires', 'key', 'signature'] as const

/** The string to sign. The expiry has digits only, so the last colon is the one that ends the id. */
const stringToSign = (id: string, expires: string): string => `${id}:${expires}`

/**
 * Links of the PichaX image service: `id`, `expires`, `key` and `signature`, the hex HMAC-SHA-256 of `id:expires`.
 *
 * The signature covers `id` and `expires` only: not the path, not `src`, not `params`. Anyone who has a link can change those until it expires. For
 * links to your own server, `hmac` covers everything.
 *
 * As with PichaX, every refusal is a 403, except a 405 for the wrong method.
 *
 * @see https://chakata.gitbook.io/pichax/authentication
 * @param keys - API keys, newest first: the first one that is valid now signs, the link's `key` picks the one that verifies, and an empty list only
 *   reads links.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, or with white space or quotes at its ends; `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { pichax } from 'securelink/schemes/pichax'
 *
 * const links = pichax({ id: 'px_test_exampleKey', secret: 'example_secret_0123456789' })
 * const link = await sign(links, 'https://api.pichax.dev/v1/generate/transform?src=…', { expires: '1h', id: 'user-42' })
 * ```
 */
export function pichax(keys: Keys<PichaxKey>): Scheme<'id', PichaxConditions, 'required'> {
  return {
    name: 'pichax',
    carries: ['id'],
    requires: ['id'],
    covers: ['id', 'expires'],
    parameters: NAMES,
    algorithm: { hmac: 'SHA-256', encoding: 'hex' },
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: withId }),

    write({ url, id = '', expires }, key) {
      const front = `id=${encodeValue(id)}&expires=${expires}&key=${encodeValue(key.id as string)}`
      return {
        toSign: stringToSign(id, `${expires}`),
        link: (signature) => append(url, `${front}&signature=${signature}`),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      // PichaX's own libraries write a space as `+`.
      const { values, others, twice } = takeParameters(query, NAMES, { plusIsSpace: true })
      const { id, expires, key, signature } = values
      if (expires === undefined && signature === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      if (!id) return { malformed: 'id' }
      // Leading zeros are signed as they are.
      if (!expires || !/^\d{1,11}$/.test(expires) || !+expires) return { malformed: 'expires' }
      if (!key) return { malformed: 'key' }
      if (signature?.length !== 64) return { malformed: 'signature' }
      if (path[0] !== '/') return 'malformed'
      return {
        claims: { resource: origin + path + others, expires: new Date(+expires * 1000), id, keyId: key },
        signature,
        toSign: () => stringToSign(id, expires),
      }
    },
  }
}

function withId(key: PichaxKey): PichaxKey {
  assertOption(key.id, 'id', 'the public API key: pichax() takes keys as { id, secret }')
  // PichaX's keys have letters, digits and '_' only, so these characters were copied by mistake.
  for (const option of ['id', 'secret'] as const) {
    const spoilt = typeof key[option] === 'string' && /^[\s"']|[\s"']$|\p{Cc}/u.test(key[option])
    assertOption(!spoilt, option, 'free of line breaks, quotes and outer white space, which may have been copied by mistake')
  }
  return key
}
