// Mistakes with links that have a JSON Web Token.
import { BASE64URL, decode } from '../../lib/encoding.ts'
import { decodeValue } from '../../lib/url.ts'
import type { Mistake } from '../mistake.ts'
import { rawValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'
import { milliseconds } from '../unread.ts'

function json(part: string): string {
  const bytes = new Uint8Array(part.length)
  const length = decode(part, BASE64URL, bytes)
  return new TextDecoder().decode(bytes.subarray(0, Math.max(length, 0)))
}

export const JWT: Table = {
  schemes: ['jwt'],
  forms: { token: 'a JSON Web Token with alg HS256, or the option algorithm, and with exp in seconds since 1970' },
  rules: [
    {
      code: 'jwt_parts',
      kind: 'text',
      rarity: 1,
      sentence: 'The string that was signed is not header and payload in base64url with a dot between them.',
      remedy: 'Sign base64url(header) + "." + base64url(payload), or use a library such as jose.',
      variants: () =>
        rewrites(
          (text) => text.split('.')[1],
          (text) => text.split('.').map(json).join('.'),
          (text) => json(text.split('.')[1] ?? ''),
          (text) => text.replace('.', ''),
        ),
    },
  ],
  malformed: ({ url }, parameter) =>
    parameter === undefined ? undefined : tokenFault(parameter, decodeValue(rawValue(url, parameter) ?? '') ?? ''),
  options: (_, { claim = 'url' }) => [
    ...['HS256', 'HS384', 'HS512'].map((value) => ({ option: 'algorithm', value })),
    ...['path', 'url', false].filter((value) => value !== claim).map((value) => ({ option: 'claim', value })),
  ],
}

/** Why a token cannot be read. `undefined` if it is not a JSON Web Token. */
function tokenFault(parameter: string, token: string): Mistake | undefined {
  const [header, payload] = token.split('.').slice(0, 2).map(parsed)
  if (!header || !payload) return undefined
  const fault = (code: string, sentence: string, remedy: string): Mistake => ({ code, parameter, sentence, remedy })
  const { exp } = payload
  if (typeof exp === 'number' && exp >= 1e12) return milliseconds(parameter, 'exp')
  if (exp === undefined) return fault('jwt_expiry', 'The token has no expiry.', 'Write exp, in seconds since 1970.')
  if (typeof exp !== 'number' || !Number.isInteger(exp))
    return fault('jwt_expiry', 'The expiry of the token is not a whole number.', 'Write exp as a number of whole seconds since 1970.')
  const { alg } = header
  const isKnown = typeof alg === 'string' && /^HS(256|384|512)$/.test(alg)
  return fault(
    'jwt_algorithm',
    isKnown
      ? `The token is signed with ${alg}, and the verifier expects another algorithm.`
      : 'The token has no algorithm of the verifier.',
    'Sign with the algorithm that the verifier expects: its option algorithm, HS256 by default.',
  )
}

function parsed(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json(part))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
