// Mistakes with V4 links of Alibaba Cloud OSS: the canonical request, whose hash is signed, and the signing key.
import { compute, readyKey } from '../../core/crypto.ts'
import { isBytes, type SecretKey } from '../../core/keys.ts'
import type { Algorithm } from '../../core/scheme.ts'
import { encode, HEX } from '../../lib/encoding.ts'
import { decodeValue, encodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import type { Variant } from '../rule.ts'
import { piecesOf, rawValue } from '../rules/parts.ts'
import type { Table } from '../table.ts'

const HMAC_SHA256: Algorithm = { hmac: 'SHA-256', encoding: 'hex' }

/** The lines of a canonical request. */
interface Canonical {
  readonly method: string
  readonly resource: string
  /** Names and values, escaped. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly additionalHeaders: string
  readonly payload: string
}

const parameter = (attempt: Attempt, word: string): string => decodeValue(rawValue(attempt.url, `x-oss-${word}`) ?? '') ?? ''

/** The canonical request. The bucket is the first label of the host, as far as links show it. */
function canonicalOf(attempt: Attempt, bucket = bucketOf(attempt.url)): Canonical {
  const { origin, path } = split(attempt.url)
  const form = (text: string) => encodeValue(decodeValue(text.replaceAll('+', ' ')) ?? text)
  const additionalHeaders = parameter(attempt, 'additional-headers')
  const all: Readonly<Record<string, string>> = { ...attempt.headers, host: origin.replace(/^.*\/\//, '').toLowerCase() }
  const isCanonical = (name: string) => /^(content-type|content-md5|x-oss-.*)$/.test(name) || additionalHeaders.split(';').includes(name)
  return {
    method: attempt.method,
    resource: bucket + encodeValue(decodeValue(path) ?? path).replaceAll('%2F', '/'),
    parameters: piecesOf(attempt.url)
      .filter(({ name }) => name !== 'x-oss-signature')
      .map(({ name, value }) => [form(name), form(value)] as const),
    headers: Object.keys(all)
      .filter(isCanonical)
      .sort()
      .map((name) => [name, all[name] ?? ''] as const),
    additionalHeaders,
    payload: attempt.headers['x-oss-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  }
}

const bucketOf = (url: string): string =>
  /^https?:\/\/([^./]+)\.oss-[\w-]+\.aliyuncs\.com(?=[/?:]|$)/i.exec(url)?.[1]?.replace(/^/, '/') ?? ''

function printed({ method, resource, parameters, headers, additionalHeaders, payload }: Canonical, sort = true): string {
  const pairs = parameters.map(([name, value]) => (value ? `${name}=${value}` : name))
  const lines = headers.map(([name, value]) => `${name}:${value.trim()}\n`).join('')
  return [method, resource, (sort ? pairs.sort() : pairs).join('&'), lines, additionalHeaders, payload].join('\n')
}

/** A variant that hashes another canonical request. */
const hashing = (change: (canonical: Canonical, attempt: Attempt) => string): Variant => ({
  patch: {
    async rewrite(text, attempt) {
      const bytes = new TextEncoder().encode(change(canonicalOf(attempt), attempt))
      return text.replace(/[^\n]*$/, encode(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), HEX))
    },
  },
})

/** Derives the key of the day from the secret with another prefix. */
function derivedFrom(attempt: Attempt, prefix: string) {
  return async ({ secret }: SecretKey): Promise<SecretKey> => {
    const text = new TextEncoder()
    const bytes = typeof secret === 'string' ? text.encode(secret) : isBytes(secret) ? secret : new Uint8Array()
    let key: SecretKey = { secret: Uint8Array.of(...text.encode(prefix), ...bytes) }
    for (const word of parameter(attempt, 'credential').split('/').slice(-4)) {
      key = { secret: new Uint8Array((await compute(await readyKey(key, HMAC_SHA256), HMAC_SHA256, word)) as ArrayBuffer) }
    }
    return key
  }
}

export const OSS_V4: Table = {
  schemes: ['oss-v4'],
  forms: {
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': '<access key id>/<day>/<region>/oss/aliyun_v4_request, with the day of x-oss-date',
    'x-oss-date': 'a time in UTC such as 20300101T000000Z',
    'x-oss-expires': 'a number of seconds from 1 to 604800, and not a time',
    'x-oss-additional-headers': 'names of headers in small letters, in order, with ";" between them',
    'x-oss-signature': '64 hex digits in small letters',
  },
  canonicalRequest: (attempt) => printed(canonicalOf(attempt)),
  rules: [
    {
      code: 'bucket_left_out',
      kind: 'text',
      rarity: 1,
      sentence: 'The path was signed without the bucket in front.',
      remedy: 'Sign /BUCKET/KEY, also where the host names the bucket.',
      variants: (attempt) => (bucketOf(attempt.url) ? [hashing((_, other) => printed(canonicalOf(other, '')))] : []),
    },
    {
      code: 'key_not_derived',
      kind: 'hash',
      rarity: 1,
      sentence: (what) => what,
      remedy: 'Derive the key: HMAC of day, region, "oss" and "aliyun_v4_request", beginning with "aliyun_v4" and the secret.',
      variants: (attempt) => [
        {
          what: 'The string was signed with the secret itself, and not with the key that is derived from it.',
          patch: { derive: (key) => key, rekeyed: 'not derived' },
        },
        {
          what: 'The key was derived without the prefix "aliyun_v4" in front of the secret.',
          patch: { derive: derivedFrom(attempt, ''), rekeyed: 'no prefix' },
        },
        {
          what: 'The key was derived with the prefix "AWS4" of Amazon.',
          patch: { derive: derivedFrom(attempt, 'AWS4'), rekeyed: "Amazon's prefix" },
        },
      ],
    },
    {
      code: 'query_not_sorted',
      kind: 'text',
      rarity: 1,
      sentence: 'The parameters were not sorted by name in the canonical request.',
      remedy: 'Sort the parameters by their encoded names, those of the link among them.',
      variants: () => [hashing((canonical) => printed(canonical, false))],
    },
    {
      code: 'path_not_encoded',
      kind: 'text',
      rarity: 1,
      sentence: 'The path was not percent-encoded in the canonical request.',
      remedy: 'Encode each segment of the path, as RFC 3986 has it.',
      variants: () => [hashing((canonical) => printed({ ...canonical, resource: decodeValue(canonical.resource) ?? canonical.resource }))],
    },
    {
      code: 'headers_block',
      kind: 'text',
      rarity: 2,
      sentence: 'The canonical request lacks the line break behind its headers, or the empty line of the additional headers.',
      remedy: 'Each header ends with a line break, and the list of additional headers has a line even if it is empty.',
      variants: () => [
        hashing((canonical) => printed(canonical).replace(/\n\n(?=[^\n]*$)/, '\n')),
        hashing((canonical) => printed(canonical).replace(/\n\n\n(?=[^\n]*$)/, '\n')),
        hashing((canonical) => `${printed(canonical)}\n`),
      ],
    },
    {
      code: 'header_not_signed',
      kind: 'request',
      rarity: 1,
      sentence: (what) =>
        `The request sends ${what}, which the link does not cover. OSS signs these headers as soon as a request has them.`,
      remedy: 'Sign the link with this header, or do not send it.',
      variants(attempt) {
        const names = Object.keys(attempt.headers).filter((name) => /^(content-type|content-md5|x-oss-.*)$/.test(name))
        const without = (left: readonly string[]) =>
          Object.fromEntries(Object.entries(attempt.headers).filter(([name]) => !left.includes(name)))
        const each = names.map((name) => ({ patch: { headers: without([name]) }, what: name }))
        return names.length > 1 ? [...each, { patch: { headers: without(names) }, what: names.join(', ') }] : each
      },
    },
  ],
}
