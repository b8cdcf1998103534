// tencentCos: presigned URLs of Tencent Cloud Object Storage, https://www.tencentcloud.com/document/product/436/7778
import { assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { asSent } from '../lib/canonical.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { append, decodeValue, encodeValue, LONGEST, split, takeParameters } from '../lib/url.ts'
import { type CanonicalParameter, canonicalParameters, canonicalPath } from './shared/canonical-request.ts'
import { derivedKey, hexHmacSha1Key } from './shared/derive.ts'
import { type PresignKey, withGoodCredentials } from './shared/presign-key.ts'
import { hexDigest } from './shared/sha-digest.ts'
import type { PresignConditions } from './shared/sigv4.ts'
import { textsOf } from './shared/texts-of.ts'

/** Credentials of COS: `SecretId` and `SecretKey`. */
export interface CosKey extends SecretKey {
  /** The `SecretId`, which the link shows. */
  readonly id: string
  /** The token of temporary credentials, which the link shows. Give such a key the end of its session as `expires`. */
  readonly sessionToken?: string
}

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

/** Names and values, escaped, with the names in lower case. */
type Pairs = readonly CanonicalParameter[]

/** Everything that is signed, except the method and the values of headers. */
interface Signed {
  readonly signTime: string
  /** Decoded. */
  readonly path: string
  readonly parameters: Pairs
  /** In lower case. */
  readonly headerNames: readonly string[]
}

/** The string to sign, in the words of Tencent's page. `undefined` when a signed header is missing. */
async function stringToSign(link: Signed, method: string, header: (name: string) => string | undefined): Promise<string | undefined> {
  const headers: CanonicalParameter[] = []
  for (const name of link.headerNames) {
    const value = header(name)
    if (value === undefined) return undefined
    headers.push({ name, value: encodeValue(value.trim()) })
  }
  const httpString = `${method.toLowerCase()}\n${link.path}\n${print(link.parameters)}\n${print(headers)}\n`
  return `sha1\n${link.signTime}\n${await hexDigest('SHA-1', httpString)}\n`
}

const byName = (a: CanonicalParameter, b: CanonicalParameter): number => (a.name < b.name ? -1 : +(a.name > b.name))
const print = (pairs: Pairs): string =>
  [...pairs]
    .sort(byName)
    .map(({ name, value }) => `${name}=${value}`)
    .join('&')

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

    async write({ url, parts, now, starts, expires, window, methods = ['GET'], own: { headers = {}, query = {} } }, key) {
      const { id, sessionToken } = key as PresignKey
      assertOption(methods.length === 1, 'method', 'one method, because a presigned URL opens only one')
      assertOption(/^https?:/i.test(parts.origin), 'url', 'one that begins with https:// or http://')
      assertOption(!parts.fragment, 'url', 'free of a fragment: write the # of a key as %23')
      const sent = split(asSent(url, parts))
      const path = pathToSign(sent.path)
      assertOption(path !== undefined, 'url', 'one with a path of UTF-8 and without dot segments')

      const added = textsOf(query, 'query').map(([name, value]) => `${encodeValue(name)}=${encodeValue(value)}`)
      assertOption(!added.some((pair) => isOwn(pair.split('=', 1)[0] as string)), 'query', 'without parameters that the link adds')
      const parameters = parametersIn(`${sent.query || '?'}&${added.join('&')}`)
      assertOption(parameters && !hasTwice(parameters), 'url', 'one whose parameters can be decoded and occur once, in any case')

      const signed = new Map([['host', hostOf(normalOrigin(sent.origin))]])
      for (const [written, value] of textsOf(headers, 'headers')) {
        const name = written.toLowerCase()
        assertOption(/^[\w-]+$/.test(name) && /^[\t -~]*$/.test(value), 'headers', 'names of letters, digits, _ and -, and values in ASCII')
        assertOption(!signed.has(name), 'headers', 'without host, and without a name that occurs twice')
        signed.set(name, value)
      }
      const headerNames = [...signed.keys()].sort()

      const present = Math.floor(now / 1000)
      const time = `${starts ?? present - (present % window)};${expires}`
      const text = await stringToSign({ signTime: time, path, parameters, headerNames }, methods[0] as string, (name) => signed.get(name))
      const lists = `q-header-list=${headerNames.join(';')}&q-url-param-list=${listOf(parameters)}`
      const authorization = `q-sign-algorithm=sha1&q-ak=${encodeValue(id)}&q-sign-time=${time}&q-key-time=${time}&${lists}`
      const token = sessionToken ? [`x-cos-security-token=${encodeValue(sessionToken)}`] : []
      return {
        toSign: text as string,
        key: await signKey(key, time),
        link: (signature) => append(asSent(url, parts), [`${authorization}&q-signature=${signature}`, ...token, ...added].join('&')),
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
      const headerNames = (values['q-header-list'] ?? '').split(';').sort()
      // Without the host, a link for one bucket would open all buckets of the key.
      if (!headerNames.includes('host') || headerNames.some((name, at) => !/^[a-z\d_.-]+$/.test(name) || name === headerNames[at - 1]))
        return { malformed: 'q-header-list' }
      const list = namesIn(values['q-url-param-list'] ?? '')
      const path = pathToSign(parts.path)
      const all = parametersIn(others)
      if (path === undefined || !all || (parts.origin && !/^https?:/i.test(parts.origin))) return 'malformed'
      const parameters = all.filter(({ name }) => list.has(name))
      if (hasTwice(parameters)) return 'malformed'

      const origin = normalOrigin(parts.origin)
      const host = origin ? hostOf(origin) : header?.('host')?.toLowerCase()
      const token = values['x-cos-security-token']
      return {
        claims: {
          resource: origin + canonicalPath(parts.path) + (parameters.length > 0 ? `?${written(others, list)}` : ''),
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
          for (const [name] of visit.headers ?? []) if (isUnsigned(name.toLowerCase(), headerNames)) return undefined
          return stringToSign({ signTime, path, parameters, headerNames }, visit.method, (name) =>
            name === 'host' ? host : visit.header(name),
          )
        },
        proves: ({ method }) => ({ methods: [method] }),
      }
    },
  }
}

const isOwn = (name: string): boolean => (NAMES as readonly string[]).includes(name)
const hostOf = (origin: string): string => origin.slice(origin.indexOf('//') + 2)
const hasTwice = (pairs: Pairs): boolean => new Set(pairs.map(({ name }) => name)).size < pairs.length
const listOf = (parameters: Pairs): string =>
  [...parameters]
    .sort(byName)
    .map(({ name }) => name)
    .join(';')

/** A header of the vendor's that is not signed would ask for more than the signer allowed. */
const isUnsigned = (name: string, signed: readonly string[]): boolean =>
  name.startsWith('x-cos-') && name !== 'x-cos-security-token' && !signed.includes(name)

/** The path decoded. `undefined` if it cannot be decoded, and for dot segments. */
const pathToSign = (path: string): string | undefined => (canonicalPath(path) ? decodeValue(path) : undefined)

/** The parameters as they are signed. */
const parametersIn = (query: string): Pairs | undefined =>
  canonicalParameters(query)?.map(({ name, value }) => ({ name: name.toLowerCase(), value }))

/** The names in a list. Tencent's SDKs escape them once or twice. */
function namesIn(list: string): ReadonlySet<string> {
  const names = list.split(';').filter((name) => name)
  return new Set(names.map((name) => (name.includes('%') ? name : encodeValue(name)).toLowerCase()))
}

/** The parameters of a list, in canonical form, with the letters of their names as they are. */
function written(query: string, list: ReadonlySet<string>): string {
  const parameters = canonicalParameters(query) ?? []
  return parameters
    .filter(({ name }) => list.has(name.toLowerCase()))
    .map(({ name, value }) => (value ? `${name}=${value}` : name))
    .join('&')
}

/** `1557902800;1557910000`, in seconds since 1970. */
function timesOf(text: string): { readonly starts: number; readonly expires: number } | undefined {
  const [, starts = '', expires = ''] = /^([1-9]\d{0,10});([1-9]\d{0,10})$/.exec(text) ?? []
  return starts && +starts <= +expires ? { starts: +starts, expires: +expires } : undefined
}
