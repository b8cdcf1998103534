// pichax: the self-signed URLs of the PichaX image service, https://chakata.gitbook.io/pichax/authentication
import { insist, LinkError } from '../core/errors.ts'
import { type Keyring, keyring, type SecretKey } from '../core/keys.ts'
import { HEX } from '../lib/encoding.ts'
import { append, decodeValue, encodeValue, LONGEST, split } from '../lib/url.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from '../core/scheme.ts'

/** An API key: `id` is the public key that stands in the link, `secret` the one that signs. Its `expires` ends all its links. */
export interface PichaxKey extends SecretKey {
  readonly id: string
}

/** Conditions of {@link pichax}'s own. */
export interface PichaxConditions {
  /** What the link is for: a user, an image. It is signed together with the expiry, and it is all that is. */
  readonly id: string
}

interface PichaxReading extends Reading {
  readonly text: string
  readonly signature: string
}

const NAMES = ['id', 'expires', 'key', 'signature'] as const

type Name = (typeof NAMES)[number]

/**
 * The name of ours that a piece of the query begins with, its letters escaped or not, and the value as it stands. A request can have thousands
 * of pieces with escapes, so this decodes letters only, and nothing that is too long to be a name of ours.
 */
function parameterOf(piece: string): { name: Name | undefined; value: string } {
  const end = `${piece}=`.indexOf('=')
  let written = piece.slice(0, end)
  if (end <= 'signature'.length * 3 && written.includes('%'))
    written = written.replace(/%[67][\da-f]/gi, (letter) => String.fromCharCode(+`0x${letter.slice(1)}`))
  return { name: NAMES.find((name) => name === written), value: piece.slice(end + 1) }
}

/**
 * Links of the PichaX image service: `id`, `expires`, `key` and `signature`, the hex HMAC-SHA-256 of `id:expires`.
 *
 * The signature covers `id` and `expires` and nothing else: not the path, not `src`, not `params`. Whoever has one link can change those
 * until it expires. For links of your own, `hmac` covers everything.
 *
 * A link is dead once its timestamp is reached, and so are all links of an API key whose `expires` has passed. Every refusal is a 403, but a 405 for the
 * wrong method.
 *
 * @param keys - API keys, newest first: the first one in time signs, the link's `key` picks the one that verifies, none only reads.
 * @throws A {@link LinkError}: `bad_option` for a key without an id, `weak_key` for an empty secret.
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
export function pichax(keys: Keyring<PichaxKey>): Scheme<never, PichaxConditions> {
  const ring = keyring(keys)
  for (const { id } of ring) insist(id, 'pichax() takes keys as { id, secret }: id is the public API key')

  return {
    name: 'pichax',
    carries: [],
    own: ['id'],
    covers: ['id', 'expiry'],
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },

    async seal(grant: Grant<PichaxConditions>): Promise<string> {
      const { id } = grant.own
      insist(id, 'pichax links take an id')
      const key = grant.signingKey(ring, grant.now)
      const present = new Set(
        grant.parts.query
          .slice(1)
          .split('&')
          .map((piece) => parameterOf(piece).name),
      )
      if (present.has('expires') && present.has('signature'))
        throw new LinkError('already_signed', 'the URL is a link already: sign what it was made from')
      for (const name of NAMES)
        insist(!present.has(name), `the URL has a parameter '${name}' of its own, and PichaX gives the link's that name`)
      const signature = await grant.mac(key, `${id}:${grant.expires}`, HEX)
      return append(grant.url, `id=${encodeValue(id)}&expires=${grant.expires}&key=${encodeValue(key.id)}&signature=${signature}`)
    },

    read(url: string): PichaxReading | 'unsigned' | 'malformed' {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const ours: { [K in Name]?: string } = {}
      let twice = false
      const others: string[] = []
      for (const piece of parts.query.slice(1).split('&')) {
        const { name, value } = parameterOf(piece)
        if (!name) {
          if (piece) others.push(piece)
        } else if (ours[name] !== undefined) twice = true
        // PichaX's own libraries write a space as `+`.
        else ours[name] = decodeValue(value.replaceAll('+', '%20')) ?? ''
      }
      if (ours.expires === undefined && ours.signature === undefined) return 'unsigned'
      const { id, expires, key, signature } = ours
      // Digits only, so that the last colon of the text is where the id ends; zeros in front are signed as they stand.
      if (twice || parts.path[0] !== '/' || !id || !key || !expires || !/^\d{1,11}$/.test(expires) || !+expires || signature?.length !== 64)
        return 'malformed'
      const resource = `${parts.origin}${parts.path}${others.length ? `?${others.join('&')}` : ''}`
      return { claims: { resource, expires: new Date(+expires * 1000), id, keyId: key }, text: `${id}:${expires}`, signature }
    },

    async check({ claims, text, signature }: PichaxReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const key = await visit.match(ring, claims.keyId, text, signature, HEX)
      return typeof key === 'string' ? key : { key }
    },
  }
}
