// Mistakes with signed routes of AdonisJS. Most show in the token, because it has the URL and the purpose that were signed.
import { BASE64URL, decode } from '../../lib/encoding.ts'
import { decodeValue, split, takeParameters } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import { rewrites } from '../rules/text.ts'
import type { Obstacle, Table } from '../table.ts'

interface Fields {
  readonly message?: unknown
  readonly purpose?: unknown
  readonly expiryDate?: unknown
}

function json(payload: string): string {
  const bytes = new Uint8Array(payload.length)
  const length = decode(payload, BASE64URL, bytes)
  return new TextDecoder().decode(bytes.subarray(0, Math.max(length, 0)))
}

const payloadOf = ({ url }: Attempt): string => takeParameters(split(url).query, ['signature']).values.signature?.split('.')[0] ?? ''

/** The fields of the token. Empty for a token that `read` refuses as malformed. */
function fieldsOf(attempt: Attempt): Fields {
  try {
    return (JSON.parse(json(payloadOf(attempt))) as Fields | null) ?? {}
  } catch {
    return {}
  }
}

/** What the token shows without a key: the verifier has no string to sign if it was made for another request, or in another form. */
function obstacle(attempt: Attempt): Obstacle {
  const { path, query } = split(attempt.url)
  const { others } = takeParameters(query, ['signature'])
  const { message, purpose, expiryDate } = fieldsOf(attempt)
  const signed = String(message)
  if (/^[a-z]+:\/\//i.test(signed)) {
    return {
      code: 'host_signed',
      sentence: 'The token has the whole URL, with scheme and host.',
      remedy: 'Sign path and query, and put the base URL in front of them afterwards.',
    }
  }
  if (signed !== path + others) return sorted(signed) === sorted(path + others) ? QUERY_CHANGED : ANOTHER_URL
  if (json(payloadOf(attempt)) !== JSON.stringify({ message, purpose, expiryDate })) {
    return {
      code: 'json_form',
      sentence: 'The JSON of the token has spaces, more fields, or its fields in another order.',
      remedy: 'Print message, purpose and expiryDate in this order, as JSON.stringify does.',
    }
  }
  const pieces = query.slice(1).split('&')
  if (!pieces.every((piece) => PRINTED.test(piece)) || new Set(pieces.map((piece) => piece.split('=')[0])).size < pieces.length) {
    return {
      code: 'query_form',
      sentence: 'AdonisJS would print this query in another form than the one that was signed, or the query has arrays.',
      remedy: 'Give each parameter its own name and one value, and escape both with encodeURIComponent.',
    }
  }
  return {
    code: 'purpose',
    sentence: `The token has ${purpose === undefined ? 'no purpose' : 'a purpose'}, and the verifier expects another one.`,
    remedy: 'Give signer and verifier the same purpose, or none to both.',
  }
}

const QUERY_CHANGED: Obstacle = {
  code: 'query_changed',
  sentence: 'The query has the parameters that were signed, in another order or with other escapes.',
  remedy: 'Sign the parameters in the order and with the escapes of the link, as the package qs prints them.',
}

const ANOTHER_URL: Obstacle = {
  code: 'another_url',
  sentence: 'The token was signed for another path or query.',
  remedy: 'Sign path and query as the client sends them, without the parameter signature.',
}

/** `name=value`, escaped, and without brackets and commas. */
const PRINTED = /^(?![^=]*%5[BD])(?!\d+=)(?:[\w\-.~]|%[\dA-F]{2})+=(?:[\w\-.~]|%[\dA-F]{2})*$/

const sorted = (target: string): string =>
  target
    .split(/[?&]/)
    .map((piece) => decodeValue(piece.replaceAll('+', '%20')) ?? piece)
    .sort()
    .join('&')

export const ADONIS: Table = {
  schemes: ['adonis'],
  forms: { signature: 'base64url of JSON with message and perhaps purpose and expiryDate, a dot, and the MAC in base64url' },
  rules: [
    {
      code: 'app_key_not_hashed',
      kind: 'hash',
      rarity: 1,
      sentence: 'The token was signed with APP_KEY as it stands, and not with its SHA-256.',
      remedy: 'The key of the HMAC is the 32 bytes of the SHA-256 of APP_KEY.',
      variants: () => [{ patch: { derive: (key) => key, rekeyed: 'not hashed' } }],
    },
    {
      code: 'json_signed',
      kind: 'text',
      rarity: 1,
      sentence: 'The JSON was signed, and not its base64url.',
      remedy: 'Sign the first part of the token as it stands in the link.',
      variants: () => rewrites((text) => json(text)),
    },
  ],
  options: (attempt) => [{ option: 'purpose', value: fieldsOf(attempt).purpose }],
  obstacle,
}
