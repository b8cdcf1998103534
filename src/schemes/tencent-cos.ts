// tencentCos: presigned URLs of Tencent Cloud Object Storage, https://www.tencentcloud.com/document/product/436/7778
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { asSent } from '../lib/canonical.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, encodeValue, LONGEST, split, takeParameters } from '../lib/url.ts'
import { canonicalPath } from './shared/canonical-request.ts'
import { assertListed, headerNamesIn, listedQuery, listOf, parameterNamesIn } from './shared/cos-lists.ts'
import { hostToSign, parametersIn, pathToSign, sendsUnsignedHeader, stringToSign } from './shared/cos-request.ts'
import { derivedKey, hexHmacSha1Key } from './shared/derive.ts'
import { type PresignKey, withGoodCredentials } from './shared/presign-key.ts'
import { HTTP, headersToSign, pairsToAdd, presignedMethod } from './shared/presign-request.ts'
import type { PresignConditions } from './shared/sigv4.ts'
import { requestedHost } from './shared/storage-host.ts'

/** Credentials of COS: `SecretId` and `SecretKey`. */
export interface CosKey extends PresignKey {}

const NAMES = [
  'q-sign-algorithm',
  'q-ak',
  'q-sign-time',
  'q-key-time',
  'q-header-list',
  'q-url-param-list',
  'q-signature',
  'x-cos-security-token',
] as const

/** The signing key for a period of time: the hex digits of the HMAC-SHA-1 of that period. */
const signKey = (key: SecretKey, keyTime: string) => derivedKey(key, `cos ${keyTime}`, () => hexHmacSha1Key(key, keyTime))

/**
 * Presigned URLs of Tencent Cloud Object Storage (COS), with `q-signature`, an HMAC-SHA-1.
 *
 * The signature covers one method (`GET` by default), the host, the path, start and expiry, and the headers and parameters that the link lists. `sign`
 * lists all of them. A link from elsewhere may list fewer parameters: `claims.resource` then comes without the others.
 *
 * The method is signed, and the link does not show it. So a request with another method is a `bad_signature`, and a link for `GET` does not open `HEAD`.
 *
 * @see https://www.tencentcloud.com/document/product/436/7778
 * @param keys - Credentials as `{ id, secret }`; the first one that is valid now signs, all of them verify, and an empty list only reads links.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without an id, or a credential with white space or quotes; `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { tencentCos } from 'securelink/schemes/tencent-cos'
 *
 * const bucket = tencentCos({ id: 'AKIDEXAMPLE', secret: 'the SecretKey' })
 * const link = await sign(bucket, 'https://examplebucket-1250000000.cos.ap-beijing.myqcloud.com/cat.png', { expires: '15m' })
 * ```
 */
export function tencentCos(keys: Keys<CosKey>): Scheme<'starts' | 'method', PresignConditions, 'required'> {
  return {
    name: 'tencent-cos',
    carries: ['starts', 'method'],
    own: ['headers', 'query'],
    covers: ['method', 'host', 'path', 'starts', 'expires', 'headers'],
    parameters: NAMES,
    reads: ['method', 'headers'],
    algorithm: { hmac: 'SHA-1', encoding: 'hex' },
    status: { expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: (key) => withGoodCredentials('tencentCos', key) }),

    async write(grant, key) {
      const { url, parts, now, starts, expires, window, own } = grant
      const { id, sessionToken } = key as PresignKey
      const method = presignedMethod(grant)
      const whole = asSent(url, parts)
      const sent = split(whole)
      const path = pathToSign(sent.path)
      assertOption(path !== undefined, 'url', 'one with a path of UTF-8 and without dot segments')
      const added = pairsToAdd(NAMES, own.query)
      const parameters = parametersIn(`${sent.query || '?'}&${added.join('&')}`)
      assertListed(parameters, added.length > 0 ? 'query' : 'url')
      const headers = new Map([['host', hostToSign(sent.origin)], ...headersToSign(own.headers)])
      const headerNames = [...headers.keys()].sort()

      const present = Math.floor(now / 1000)
      const time = `${starts ?? present - (present % window)};${expires}`
      const lists = `q-header-list=${headerNames.join(';')}&q-url-param-list=${listOf(parameters)}`
      const authorization = `q-sign-algorithm=sha1&q-ak=${encodeValue(id)}&q-sign-time=${time}&q-key-time=${time}&${lists}`
      const token = sessionToken ? [`x-cos-security-token=${encodeValue(sessionToken)}`] : []
      return {
        toSign: (await stringToSign({ signTime: time, path, parameters, headerNames }, method, (name) => headers.get(name))) as string,
        key: await signKey(key, time),
        link: (signature) => append(whole, [`${authorization}&q-signature=${signature}`, ...token, ...added].join('&')),
      }
    },

    read(url, header): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { values, others, twice } = takeParameters(parts.query, NAMES, { plusIsSpace: true })
      const { 'q-signature': signature, 'q-ak': keyId, 'q-sign-time': signTime = '', 'q-key-time': keyTime = '' } = values
      if (signature === undefined && keyId === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      if (values['q-sign-algorithm'] !== 'sha1') return { malformed: 'q-sign-algorithm' }
      if (!keyId) return { malformed: 'q-ak' }
      const inTime = timesOf(signTime)
      const keyInTime = timesOf(keyTime)
      if (!inTime) return { malformed: 'q-sign-time' }
      if (!keyInTime) return { malformed: 'q-key-time' }
      if (!signature || !/^[\da-f]{40}$/.test(signature)) return { malformed: 'q-signature' }
      const headerNames = headerNamesIn(values['q-header-list'] ?? '')
      if (!headerNames) return { malformed: 'q-header-list' }
      const list = parameterNamesIn(values['q-url-param-list'] ?? '')
      const path = pathToSign(parts.path)
      const parameters = parametersIn(others, list)
      if (path === undefined || !parameters || (parts.origin && !HTTP.test(parts.origin))) return 'malformed'

      const origin = normalOrigin(parts.origin)
      const host = requestedHost(origin, header) || undefined
      const token = values['x-cos-security-token']
      return {
        claims: {
          resource: origin + canonicalPath(parts.path) + listedQuery(others, list),
          starts: new Date(Math.max(inTime.starts, keyInTime.starts) * 1000),
          expires: new Date(Math.min(inTime.expires, keyInTime.expires) * 1000),
          keyId,
          ...(headerNames.length > 1 && { signedHeaders: headerNames.filter((name) => name !== 'host') }),
        },
        signature,
        key: (key) => signKey(key, keyTime),
        async toSign(visit, key) {
          // COS does not sign the token, but accepts only the key's token.
          if (parameters.length !== list.size || token !== (key as PresignKey).sessionToken) return undefined
          if (sendsUnsignedHeader(visit, headerNames)) return undefined
          return stringToSign({ signTime, path, parameters, headerNames }, visit.method, (name) =>
            name === 'host' ? host : visit.header(name),
          )
        },
        proves: ({ method }) => ({ methods: [method] }),
      }
    },
  }
}

/** `1557902800;1557910000`, in seconds since 1970. */
function timesOf(text: string): { readonly starts: number; readonly expires: number } | undefined {
  const [, starts = '', expires = ''] = /^([1-9]\d{0,10});([1-9]\d{0,10})$/.exec(text) ?? []
  return starts && +starts <= +expires ? { starts: +starts, expires: +expires } : undefined
}
