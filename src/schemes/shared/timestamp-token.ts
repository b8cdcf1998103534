// Tokens with a time and a hash of path, time and key, as in links of Alibaba's and Tencent's CDNs. Both vendors call the kinds types A to D.
import { assertOption } from '../../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../../core/keys.ts'
import { type Algorithm, type Message, type Reading, type Scheme, SECRET, type Unreadable } from '../../core/scheme.ts'
import { type Duration, secondsOf } from '../../core/time.ts'
import { asSentToVendor } from '../../lib/canonical.ts'
import { append, LONGEST, type Parts, split, takeParameters } from '../../lib/url.ts'
import { withCleanSecret } from './clean-secret.ts'
import { withKnownSecret } from './known-secret.ts'
import { md5Digest } from './plain-hash.ts'
import { digestWith } from './sha-digest.ts'
import { assertDelivered } from './vendor-hosts.ts'

/** Conditions of links of type A. */
export interface TokenConditions {
  /** Letters and digits that make the link different from others, such as a UUID without its hyphens. `claims.id` has it. Default: `'0'`. */
  readonly rand?: string
  /** The vendors do not use it. Default: `'0'`. */
  readonly uid?: string
}

/** How a token has its time. The length is fixed, because path and time are signed without a separator, and a digit could move. */
export interface TimeFormat {
  /** In seconds. Times are rounded up to a multiple of it, unless the link would outlive its key. */
  readonly step: number
  write(seconds: number): string
  /** In seconds. `undefined` for a text in another form. */
  read(text: string): number | undefined
}

const numbers = (form: RegExp, base: 10 | 16, isUpperCase = false): TimeFormat => ({
  step: 1,
  write: (seconds) => (isUpperCase ? seconds.toString(base).toUpperCase() : seconds.toString(base)),
  read: (text) => (form.test(text) ? Number.parseInt(text, base) : undefined),
})
const HEX = /^[\da-f]{8}$/i

export const DECIMAL: TimeFormat = /* @__PURE__ */ numbers(/^[1-9]\d{9}$/, 10)
export const HEX_LOWER_CASE: TimeFormat = /* @__PURE__ */ numbers(HEX, 16)
export const HEX_UPPER_CASE: TimeFormat = /* @__PURE__ */ numbers(HEX, 16, true)

/** The clock in China, which has no summer time: eight hours ahead of UTC. */
const CHINA = 8 * 3600

/** `201508150800`: a minute in China. */
export const MINUTES: TimeFormat = {
  step: 60,
  write: (seconds) => new Date((seconds + CHINA) * 1000).toISOString().replace(/\D/g, '').slice(0, 12),
  read(text) {
    const iso = text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:00Z')
    const seconds = Date.parse(iso) / 1000 - CHINA
    // Some engines read the 31st of February as a day in March.
    return seconds >= 0 && MINUTES.write(seconds) === text ? seconds : undefined
  },
}

/** The fields of a token. */
export interface Token {
  readonly time: string
  /** Of type A. */
  readonly rand?: string
  readonly uid?: string
}

/** One kind of token. */
export interface TokenType {
  readonly parameters: readonly string[]
  readonly format: TimeFormat
  readonly own: readonly (keyof TokenConditions)[]
  /** The string to sign. The path is that of the file, as it stands in the URL. */
  stringToSign(path: string, token: Token): Message
  link(sent: string, token: Token, hash: string): string
  /** Finds a token, without checking the form of its time and hash. */
  find(parts: Parts): { readonly path: string; readonly token: Token; readonly hash: string } | Unreadable
}

/** `?auth_key=timestamp-rand-uid-md5hash`, with md5(path-timestamp-rand-uid-key). */
export function typeA(parameter: string): TokenType {
  return {
    parameters: [parameter],
    format: DECIMAL,
    own: ['rand', 'uid'],
    stringToSign: (path, { time, rand, uid }) => ({ pieces: [`${path}-${time}-${rand}-${uid}-`, SECRET] }),
    link: (sent, { time, rand, uid }, hash) => append(sent, `${parameter}=${time}-${rand}-${uid}-${hash}`),
    find({ path, query }) {
      const { values, twice } = takeParameters(query, [parameter])
      const value = values[parameter]
      if (value === undefined) return 'unsigned'
      const [, time, rand, uid, hash] = /^(\d+)-([A-Za-z\d]{0,100})-(\w{1,100})-(\w+)$/.exec(value) ?? []
      if (twice || !time || !hash || rand === undefined || uid === undefined) return { malformed: parameter }
      return { path, token: { time, rand, uid }, hash }
    },
  }
}

/** `/timestamp/md5hash/path`, with md5(key + timestamp + path). */
export const TYPE_B: TokenType = {
  parameters: [],
  format: MINUTES,
  own: [],
  stringToSign: (path, { time }) => ({ pieces: [SECRET, time + path] }),
  link: (sent, { time }, hash) => inFront(sent, `/${time}/${hash}`),
  find({ path }) {
    const [, time, hash, file] = /^\/(\d{12})\/([\da-f]{32,64})(\/.*)$/s.exec(path) ?? []
    return time && hash && file ? { path: file, token: { time }, hash } : 'unsigned'
  },
}

const stringOfTypeC: TokenType['stringToSign'] = (path, { time }) => ({ pieces: [SECRET, path + time] })

/** `/md5hash/timestamp/path`, with md5(key + path + timestamp). */
export function typeC(format: TimeFormat): TokenType {
  return {
    parameters: [],
    format,
    own: [],
    stringToSign: stringOfTypeC,
    link: (sent, { time }, hash) => inFront(sent, `/${hash}/${time}`),
    find({ path }) {
      const [, hash, time, file] = /^\/([\da-f]{32,64})\/([\da-fA-F]{8})(\/.*)$/s.exec(path) ?? []
      return time && hash && file ? { path: file, token: { time }, hash } : 'unsigned'
    },
  }
}

/** `?sign=md5hash&t=timestamp`, with the hash of type C. */
export function typeD(hashName: string, timeName: string, format: TimeFormat): TokenType {
  return {
    parameters: [hashName, timeName],
    format,
    own: [],
    stringToSign: stringOfTypeC,
    link: (sent, { time }, hash) => append(sent, `${hashName}=${hash}&${timeName}=${time}`),
    find({ path, query }) {
      const { values, twice } = takeParameters(query, [hashName, timeName])
      const { [hashName]: hash, [timeName]: time } = values
      if (hash === undefined && time === undefined) return 'unsigned'
      if (twice) return { malformed: twice }
      if (!hash) return { malformed: hashName }
      return time ? { path, token: { time }, hash } : { malformed: timeName }
    },
  }
}

/** The URL with a token before its path. */
function inFront(sent: string, token: string): string {
  const { origin, path, query, fragment } = split(sent)
  return origin + token + path + query + fragment
}

/** What a vendor adds to a type of token. */
export interface TokenSettings {
  readonly name: string
  readonly type: TokenType
  /** In seconds. */
  readonly maxAge: number
  readonly algorithm: 'md5' | 'sha256'
  /** Whether the vendor accepts a time in the future. Links can then be valid for longer than `maxAge`. */
  readonly takesLaterTimes: boolean
}

const ALGORITHMS = {
  md5: { digest: md5Digest, encoding: 'hex' },
  sha256: { digest: /* @__PURE__ */ digestWith('SHA-256'), encoding: 'hex' },
} as const satisfies Record<string, Algorithm>
const FORMS = { md5: /^[\da-f]{32}$/, sha256: /^[\da-f]{64}$/ } as const

/** Links with one type of token. */
export function timestampToken(keys: Keys<SecretKey>, settings: TokenSettings): Scheme<never, TokenConditions, 'required'> {
  const { name, type, maxAge, algorithm, takesLaterTimes } = settings
  return {
    name,
    carries: [],
    own: type.own,
    covers: ['path', 'expires'],
    parameters: type.parameters,
    algorithm: ALGORITHMS[algorithm],
    status: { malformed: 403, expired: 403, key_expired: 403, revoked: 403 },
    keys: keyring(keys, { prepare: (key) => withCleanSecret(withKnownSecret(key)) }),

    write({ url, parts, expires = 0, now, own: { rand = '0', uid = '0' } }, key) {
      assertDelivered(parts.origin)
      assertOption(typeof rand === 'string' && /^[A-Za-z\d]{1,100}$/.test(rand), 'rand', 'up to 100 letters and digits')
      assertOption(typeof uid === 'string' && /^\w{1,100}$/.test(uid), 'uid', 'up to 100 letters, digits and _')
      const { format } = type
      const issued = timeOfIssue(expires - maxAge, format.step, key.expires && +key.expires / 1000 - maxAge)
      assertOption((issued + maxAge) * 1000 > now, 'keys', 'valid for longer: the time in the token has minutes only')
      assertOption(takesLaterTimes || issued < now / 1000 + format.step, 'expires', 'at most maxAge from now')
      const time = issued > 0 ? format.write(issued) : ''
      assertOption(
        format.read(time) === issued,
        'expires',
        'such that the time in the token, maxAge earlier, has its usual number of digits',
      )
      const sent = asSentToVendor(url, parts)
      const token = { time, rand, uid }
      return {
        toSign: type.stringToSign(split(sent).path, token),
        link: (hash) => type.link(sent, token, hash),
      }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const found = type.find(parts)
      if (typeof found === 'string' || 'malformed' in found) return found
      const { path, token, hash } = found
      const issued = type.format.read(token.time)
      const [hashName, timeName = hashName] = type.parameters
      if (!FORMS[algorithm].test(hash)) return hashName ? { malformed: hashName } : 'malformed'
      if (issued === undefined) return timeName ? { malformed: timeName } : 'malformed'
      if (path[0] !== '/') return 'malformed'
      const { rand, uid } = token
      return {
        claims: {
          resource: parts.origin + path,
          expires: new Date((issued + maxAge) * 1000),
          ...(rand && rand !== '0' && { id: rand }),
          ...(uid && uid !== '0' && { data: { uid } }),
        },
        signature: hash,
        toSign: () => type.stringToSign(path, token),
      }
    },
  }
}

/** A time rounded up to a step, or down if it would be later than `latest`. In seconds. */
function timeOfIssue(seconds: number, step: number, latest = Number.POSITIVE_INFINITY): number {
  const later = Math.ceil(seconds / step) * step
  return later <= latest ? later : Math.floor(latest / step) * step
}

/** The option `maxAge` in seconds. */
export function maxAgeOf(options: { readonly maxAge: Duration }, example: string): number {
  assertOption(typeof options === 'object' && options !== null, 'maxAge', `a duration such as '30m': ${example}`)
  const maxAge = secondsOf(options.maxAge, 'maxAge')
  assertOption(maxAge > 0 && maxAge % 1 === 0, 'maxAge', 'a duration of whole seconds')
  return maxAge
}
