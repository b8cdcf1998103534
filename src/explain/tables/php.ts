// Mistakes with the signed URLs of Laravel and Symfony.
import type { SecretKey } from '../../core/keys.ts'
import { BASE64, decode } from '../../lib/encoding.ts'
import { split } from '../../lib/url.ts'
import type { Rule } from '../rule.ts'
import { PATH_FOR_URL } from '../rules/origin.ts'
import { isOwn, piecesOf, withPieces } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import { withoutPadding } from '../spelling.ts'
import type { Table } from '../table.ts'

const PREFIX = 'base64:'
const SECONDS = 'a time in seconds since 1970, of at most eleven digits'

/** The bytes that `APP_KEY` encodes. Laravel uses them for encryption, and not for links. */
function decoded(secret: string): Uint8Array | undefined {
  const bytes = new Uint8Array(secret.length)
  const length = decode(withoutPadding(secret.replace(PREFIX, '')), BASE64, bytes)
  return length > 0 ? bytes.slice(0, length) : undefined
}

const APP_KEY: Rule = {
  code: 'app_key',
  kind: 'secret',
  rarity: 1,
  sentence: 'APP_KEY was decoded, or lost its "base64:", on one side.',
  remedy: 'Use APP_KEY as it stands in the env file, with its "base64:": Laravel does not decode it for links.',
  variants: () => {
    const forms: readonly ((secret: string) => string | Uint8Array | undefined)[] = [
      (secret) => (secret.startsWith(PREFIX) ? decoded(secret) : `${PREFIX}${secret}`),
      (secret) => (secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : undefined),
    ]
    return forms.map((form, which) => ({
      patch: {
        rekeyed: `app_key ${which}`,
        rekey: (key: SecretKey) => {
          const secret = typeof key.secret === 'string' ? form(key.secret) : undefined
          return secret === undefined ? undefined : { ...key, secret }
        },
      },
    }))
  },
}

export const LARAVEL: Table = {
  schemes: ['laravel'],
  forms: { expires: SECONDS, signature: '64 hex digits in lower case' },
  rules: [
    APP_KEY,
    {
      ...PATH_FOR_URL,
      sentence: 'The link was signed as a relative one, without scheme and host.',
      remedy: 'Give laravel() the option absolute: false, as with the middleware signed:relative.',
    },
    {
      code: 'url_for_path',
      kind: 'text',
      rarity: 1,
      sentence: 'The link was signed with scheme and host, and the verifier expects a relative one.',
      remedy: 'Leave out absolute: false, or sign with URL::signedRoute(…, absolute: false).',
      variants: ({ url }) => rewrites((text) => (text.startsWith('/') ? split(url).origin + text : undefined)),
    },
    {
      code: 'expiry_left_out',
      kind: 'text',
      sentence: 'The parameter expires was left out of the string that was signed.',
      remedy: 'Add expires to the URL first, and sign the URL with it.',
      variants: () => rewrites((text) => text.replace(/([?&])expires=\d+&?/, '$1').replace(/[?&]$/, '')),
    },
    {
      code: 'query_not_sorted',
      kind: 'link',
      sentence: 'The parameters are in another order than when they were signed.',
      remedy: 'Keep the order of the link: Laravel signs the parameters as they stand, sorted by name when it makes the link.',
      variants: (attempt) => {
        const pieces = piecesOf(attempt.url)
        const sorted = [...pieces].sort((a, b) => (a.name < b.name ? -1 : 1))
        const url = withPieces(attempt.url, sorted)
        return url === attempt.url ? [] : [{ patch: { url } }]
      },
    },
  ],
  options: (_, { absolute = true }) => [{ option: 'absolute', value: !absolute }],
}

export const SYMFONY: Table = {
  schemes: ['symfony'],
  forms: { _expiration: SECONDS, _hash: 'an HMAC-SHA-256 in base64, percent-encoded (%2B, %2F and %3D), or in base64url without "="' },
  rules: [
    {
      code: 'query_not_sorted',
      kind: 'text',
      rarity: 1,
      sentence: 'The parameters were signed in the order in which they stand in the URL.',
      remedy: 'Sort the parameters by name before signing, _expiration among them, as ksort($params, SORT_STRING) does.',
      variants: (attempt) => {
        const pieces = piecesOf(attempt.url).filter(({ name }) => name !== attempt.scheme.parameters[0])
        const others = pieces.filter(({ name }) => !isOwn(attempt, name))
        const expiry = pieces.filter(({ name }) => isOwn(attempt, name))
        const signed = [pieces, [...others, ...expiry], [...expiry, ...others]]
        return rewrites(...signed.map((list) => () => withPieces(attempt.url, list)))
      },
    },
    PATH_FOR_URL,
    {
      code: 'space_encoding',
      kind: 'text',
      rarity: 1,
      sentence: 'Spaces of the query were signed as %20, and Symfony signs them as "+".',
      remedy: 'Print the query with http_build_query, which writes "+", before signing.',
      variants: () => rewrites((text) => (text.includes('+') ? text.replaceAll('+', '%20') : undefined)),
    },
    {
      code: 'expiry_left_out',
      kind: 'text',
      sentence: 'The expiry was left out of the string that was signed.',
      remedy: 'Add _expiration to the parameters first, and sign the URL with it.',
      variants: () => rewrites((text) => text.replace(/([?&])_expiration=\d+&?/, '$1').replace(/[?&]$/, '')),
    },
  ],
}
