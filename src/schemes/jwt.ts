// jwt: links with a JSON Web Token in a parameter, as Supabase Storage has them, https://supabase.com/docs/guides/storage/serving/downloads
import type { Claims } from '../core/claims.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Grant, Hash, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { asSent } from '../lib/canonical.ts'
import { append, decodeValue, encodeValue, LONGEST, split, takeParameters } from '../lib/url.ts'
import { encodeJson, type Json, readToken, stringToSign } from './shared/json-web-token.ts'

/** Options of {@link jwt}. Signer and verifier need the same ones. */
export interface JwtOptions {
  /** The name of the parameter. Default: `token`. */
  readonly parameter?: string
  /** The claim that has the path. `false`: tokens open every path. Default: `url`, as with Supabase. */
  readonly claim?: string | false
  /** The beginning of the path, which the claim leaves out. Default: `/storage/v1/object/sign/` and the other endpoints of Supabase, if the path has one. */
  readonly base?: string
  /** The algorithm that tokens must name. Default: `HS256`. */
  readonly algorithm?: 'HS256' | 'HS384' | 'HS512'
}

/** Conditions of {@link jwt} links. */
export interface JwtConditions {
  /** More claims for the token: `{ scope: 'download' }`. */
  readonly data?: Readonly<Record<string, unknown>>
}

const HASHES = { HS256: 'SHA-256', HS384: 'SHA-384', HS512: 'SHA-512' } as const satisfies Record<string, Hash>
const SUPABASE = /^\/storage\/v1\/(object|render\/image|object\/upload)\/sign\//
/** Claims that `sign` writes by itself. */
const OURS = ['iat', 'exp', 'nbf']

/**
 * Links with a JSON Web Token in a parameter, signed with HMAC, and bound to the path: `?token=eyJ…`.
 *
 * The token has the path in a claim, so it opens no other. Tokens without this claim are `wrong_path`. The signature does not cover the host and the
 * other parameters. `claims.data` is the payload of the token.
 *
 * @see https://supabase.com/docs/guides/storage/serving/downloads
 * @param keys - Secrets as text, newest first. The id of a key is the `kid` of its tokens.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong key or option, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { jwt } from 'securelink/schemes/jwt'
 *
 * const links = jwt({ secret: 'the JWT secret of the project, 32 bytes or more' })
 * const url = 'https://project.supabase.co/storage/v1/object/sign/avatars/cat.jpg'
 * const link = await sign(links, url, { expires: '1h', data: { scope: 'download' } })
 * ```
 */
export function jwt(keys: Keys<SecretKey>, options: JwtOptions = {}): Scheme<'starts', JwtConditions, 'required'> {
  const { parameter = 'token', claim = 'url', base, algorithm = 'HS256' } = options
  assertOptions(options)

  /** The path as the claim has it, decoded; and the path before it. `undefined` for a path that no claim can name. */
  function named(path: string): { front: string; name: string; endpoint: string | undefined } | undefined {
    const [supabase, endpoint] = base === undefined ? (SUPABASE.exec(path) ?? []) : []
    const front = base ?? supabase ?? ''
    const segments = path.slice(front.length).split('/').map(decodeValue)
    // Servers differ in how they read an escaped slash.
    const plain = path.startsWith(front) && segments.every((segment) => segment !== undefined && !/[/\\]/.test(segment))
    return plain ? { front, name: segments.join('/'), endpoint } : undefined
  }

  return {
    name: 'jwt',
    carries: ['starts'],
    own: ['data'],
    covers: claim === false ? ['starts', 'expires'] : ['path', 'starts', 'expires'],
    parameters: [parameter],
    algorithm: { hmac: HASHES[algorithm], encoding: 'base64url' },
    keys: keyring(keys),

    write({ url, parts, now, expires, starts, own }: Grant<JwtConditions>, key) {
      const { data = {} } = own
      const reserved = [...OURS, claim].find((name) => name !== false && name in data)
      assertOption(
        typeof data === 'object' && reserved === undefined,
        'data',
        `an object of claims, without '${[claim || 'exp', ...OURS].join("', '")}'`,
      )
      const sent = asSent(url, parts)
      const path = named(split(sent).path)
      assertOption(claim === false || path, 'url', 'one whose path begins with base, is UTF-8, and has no escaped slashes')
      const endpoint = path?.endpoint
      assertOption(
        !endpoint || endpoint === endpointOf(data),
        'data',
        'with transformations for /render/image/, and scope: upload for /object/upload/',
      )
      const header = { alg: algorithm, ...(key.id !== undefined && { kid: key.id }) }
      const issued = { iat: Math.floor(now / 1000), exp: expires, ...(starts !== undefined && { nbf: starts }) }
      const payload = { ...(claim !== false && { [claim]: path?.name }), ...data, ...issued }
      const toSign = stringToSign(encodeJson(header), encodeJson(payload))
      return { toSign, link: (signature) => append(sent, `${parameter}=${toSign}.${signature}`) }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const { origin, path, query } = split(url)
      const { values, twice } = takeParameters(query, [parameter])
      const token = values[parameter]
      if (token === undefined) return 'unsigned'
      const malformed = { malformed: parameter }
      const found = twice ? undefined : readToken(token)
      // `crit` names extensions that a verifier must know.
      if (!found || path[0] !== '/' || found.header['alg'] !== algorithm || 'crit' in found.header) return malformed
      const { header, payload, signature, toSign } = found
      const { kid } = header
      const { exp, nbf } = payload
      // An expiry of 0 is more likely a missing one than the first second of 1970.
      if (!isTime(exp) || exp === 0 || (nbf !== undefined && !isTime(nbf)) || (kid !== undefined && typeof kid !== 'string'))
        return malformed

      const target = named(path)
      const bound =
        claim === false ||
        (target !== undefined && payload[claim] === target.name && (!target.endpoint || target.endpoint === endpointOf(payload)))
      const shown = target ? target.front + target.name.split('/').map(encodeValue).join('/') : path
      const claims: Claims = {
        resource: origin + shown,
        expires: new Date(exp * 1000),
        ...(nbf !== undefined && { starts: new Date(nbf * 1000) }),
        ...(isUpload(payload) && { methods: ['PUT'] }),
        ...(kid !== undefined && { keyId: kid }),
        data: payload,
      }
      return { claims, signature, opens: bound, toSign: () => toSign }
    },
  }
}

function assertOptions(options: JwtOptions): void {
  const { parameter = 'token', claim = 'url', base, algorithm = 'HS256' } = options
  assertKnownOptions(options, ['parameter', 'claim', 'base', 'algorithm'], 'jwt()')
  assertOption(/^[\w.-]+$/.test(parameter), 'parameter', 'a name of letters, digits, _, . and -')
  const isName = typeof claim === 'string' && /^\w+$/.test(claim) && !OURS.includes(claim)
  assertOption(claim === false || isName, 'claim', 'the name of a claim, or false')
  assertOption(base === undefined || /^\/([\w.~-]+\/)*$/.test(base), 'base', "plain segments between slashes, such as '/files/'")
  assertOption(Object.hasOwn(HASHES, algorithm), 'algorithm', "'HS256', 'HS384' or 'HS512'")
}

/** Older tokens for uploads have no scope. */
const isUpload = (payload: Json): boolean => payload['scope'] === 'upload' || 'upsert' in payload

/** The endpoint of Supabase that a token is for. All sign with one key, so a token must not open another. */
function endpointOf(payload: Json): string {
  if (isUpload(payload)) return 'object/upload'
  return 'transformations' in payload ? 'render/image' : 'object'
}

/** A NumericDate of RFC 7519. */
const isTime = (time: unknown): time is number => typeof time === 'number' && time >= 0 && time <= ENDLESS
