// Mistakes with signed delivery URLs of Cloudinary.
import type { Algorithm } from '../../core/scheme.ts'
import { decodeValue, split } from '../../lib/url.ts'
import { type Attempt, SECRET_MARK } from '../attempt.ts'
import type { Variant } from '../rule.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

const SECRET = new RegExp(`${SECRET_MARK}$`)

/** Other texts before the API secret. `path` is the one that is signed, `front` stands before the signature, without its first slash. */
const texts = (...ways: readonly ((path: string, front: string, attempt: Attempt) => string | undefined)[]): readonly Variant[] =>
  rewrites(
    ...ways.map((way) => (text: string, attempt: Attempt) => {
      const front = split(attempt.url)
        .path.replace(/\/s--.*/s, '')
        .slice(1)
      const changed = way(text.replace(SECRET, ''), front, attempt)
      return changed === undefined ? undefined : changed + SECRET_MARK
    }),
  )

/** The algorithm with a change, and the string to sign with or without the secret in it. */
function hashes({ scheme }: Attempt, ...ways: readonly [change: object, rewrite: (text: string) => string][]): readonly Variant[] {
  return ways.map(([change, rewrite]) => ({ patch: { algorithm: { ...scheme.algorithm, ...change } as Algorithm, rewrite } }))
}

export const CLOUDINARY: Table = {
  schemes: ['cloudinary'],
  rules: [
    {
      code: 'delivery_type_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The resource type, the delivery type, the cloud name or the host was signed as well.',
      remedy: 'Sign the part of the path after the signature: transformation and public id.',
      variants: () =>
        texts(
          (path, front) => `${front}/${path}`,
          (path, front) => `${front.replace(/^[^/]*\//, '')}/${path}`,
          (path, front) => `${front.replace(/^.*\//, '')}/${path}`,
          (path, front, { url }) => `${split(url).origin}/${front}/${path}`,
          (path) => `/${path}`,
        ),
    },
    {
      code: 'transformation_missing',
      kind: 'text',
      rarity: 1,
      sentence: 'The public id was signed without the transformation before it, or without its extension.',
      remedy: 'Sign transformation and public id, with the extension that the URL has.',
      variants: () =>
        texts(
          (path) => path.replace(/^((?=[a-z$]\w*_)[^/]*\/)+/, ''),
          (path) => path.replace(/\.\w+$/, ''),
          (path) => path.replace(/^((?=[a-z$]\w*_)[^/]*\/)+/, '').replace(/\.\w+$/, ''),
          (path) => path.replace(/^((?=[a-z$]\w*_)[^/]*\/)+/, '$&v1/'),
        ),
    },
    {
      code: 'path_not_encoded',
      kind: 'text',
      rarity: 1,
      sentence: 'The public id was signed with spaces or letters as they are, and the URL has them percent-encoded.',
      remedy: 'Sign transformation and public id as they stand in the URL.',
      variants: () => texts((path) => decodeValue(path)),
    },
    {
      code: 'secret_in_front',
      kind: 'text',
      rarity: 1,
      sentence: 'The API secret was put before the text, or with something between them.',
      remedy: 'Append the API secret to the text, without anything between.',
      variants: () =>
        rewrites(
          ...['', ':'].flatMap((between) => [
            (text: string) => SECRET_MARK + between + text.replace(SECRET, ''),
            (text: string) => text.replace(SECRET, between + SECRET_MARK),
          ]),
        ),
    },
    {
      code: 'hmac_for_hash',
      kind: 'hash',
      rarity: 1,
      sentence: 'The signature is an HMAC, and Cloudinary uses a plain hash of the text and the API secret.',
      remedy: 'Append the API secret to the text, and hash both with SHA-1, or with SHA-256 if the account is set to it.',
      variants: (attempt) =>
        hashes(
          attempt,
          ...(['SHA-1', 'SHA-256'] as const).map(
            (hmac) => [{ hmac, digest: undefined }, withoutSecret] as [object, (text: string) => string],
          ),
        ),
    },
    {
      code: 'signature_hex',
      kind: 'hash',
      rarity: 1,
      sentence: 'The signature is the beginning of the hash in hex.',
      remedy: 'Encode the bytes of the hash in base64, and take its first characters: 8, or 32 with long_url_signature.',
      variants: (attempt) => hashes(attempt, [{ encoding: 'hex', bytes: attempt.scheme.algorithm.bytes === 24 ? 16 : 4 }, (text) => text]),
    },
  ],
  options: () => [
    { option: 'signatureAlgorithm', value: 'sha256' },
    { option: 'signatureAlgorithm', value: 'sha1' },
    { option: 'longUrlSignature', value: true },
    { option: 'longUrlSignature', value: false },
  ],
}

function withoutSecret(text: string): string {
  return text.replace(SECRET, '')
}
