// Mistakes with presigned URLs of Tencent COS: the HttpString, whose hash is signed, and the SignKey.
import { compute, readyKey } from '../../core/crypto.ts'
import type { Algorithm } from '../../core/scheme.ts'
import { encode, HEX } from '../../lib/encoding.ts'
import { decodeValue, encodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import type { Variant } from '../rule.ts'
import { piecesOf, rawValue } from '../rules/parts.ts'
import type { Table } from '../table.ts'

const HMAC_SHA1: Algorithm = { hmac: 'SHA-1', encoding: 'hex' }

/** The lines of an HttpString. */
interface HttpString {
  readonly method: string
  readonly path: string
  /** Names and values, escaped. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
  readonly headers: readonly (readonly [name: string, value: string])[]
}

const listIn = (attempt: Attempt, name: string): readonly string[] => {
  const list = decodeValue(rawValue(attempt.url, name) ?? '') ?? ''
  return list.split(';').filter((each) => each)
}

function httpStringOf(attempt: Attempt): HttpString {
  const { origin, path } = split(attempt.url)
  const form = (text: string) => encodeValue(decodeValue(text.replaceAll('+', ' ')) ?? text)
  const listed = listIn(attempt, 'q-url-param-list').map((name) => (name.includes('%') ? name : encodeValue(name)).toLowerCase())
  const host = origin.replace(/^.*\/\//, '').toLowerCase() || attempt.headers['host']
  return {
    method: attempt.method.toLowerCase(),
    path: decodeValue(path) ?? path,
    parameters: piecesOf(attempt.url)
      .map(({ name, value }) => [form(name).toLowerCase(), form(value)] as const)
      .filter(([name]) => listed.includes(name)),
    headers: listIn(attempt, 'q-header-list').map(
      (name) => [name, encodeValue((name === 'host' ? host : attempt.headers[name]) ?? '')] as const,
    ),
  }
}

function printed({ method, path, parameters, headers }: HttpString, sort = true): string {
  const line = (pairs: HttpString['headers']) => {
    const texts = pairs.map(([name, value]) => `${name}=${value}`)
    return (sort ? texts.sort() : texts).join('&')
  }
  return `${method}\n${path}\n${line(parameters)}\n${line(headers)}\n`
}

/** A variant that hashes another HttpString. */
const hashing = (change: (request: HttpString) => string): Variant => ({
  patch: {
    async rewrite(text, attempt) {
      const bytes = new TextEncoder().encode(change(httpStringOf(attempt)))
      const hash = encode(new Uint8Array(await crypto.subtle.digest('SHA-1', bytes)), HEX)
      return text.replace(/[^\n]*\n$/, `${hash}\n`)
    },
  },
})

const decoded = (pairs: HttpString['headers']) => pairs.map(([name, value]) => [name, decodeValue(value) ?? value] as const)

export const TENCENT_COS: Table = {
  schemes: ['tencent-cos'],
  forms: {
    'q-sign-algorithm': 'sha1',
    'q-sign-time': 'two times in seconds since 1970 with a ";" between them, of which the second is the later one',
    'q-key-time': 'two times in seconds since 1970 with a ";" between them, of which the second is the later one',
    'q-header-list': 'names of headers in lower case with ";" between them, and host among them',
    'q-signature': '40 hex digits in lower case',
  },
  canonicalRequest: (attempt) => printed(httpStringOf(attempt)),
  rules: [
    {
      code: 'sign_key_bytes',
      kind: 'secret',
      rarity: 1,
      sentence: 'The string was signed with the bytes of the SignKey, and COS takes its hex digits.',
      remedy: 'Use the text of the first HMAC in hex, in lower case, as the key of the second one.',
      variants: ({ url }) => {
        const keyTime = decodeValue(rawValue(url, 'q-key-time') ?? '') ?? ''
        const derive = async (key: Parameters<NonNullable<Variant['patch']['derive']>>[0]) => ({
          secret: new Uint8Array((await compute(await readyKey(key, HMAC_SHA1), HMAC_SHA1, keyTime)) as ArrayBuffer),
        })
        return [{ patch: { derive, rekeyed: 'bytes of the SignKey' } }]
      },
    },
    {
      code: 'path_encoded',
      kind: 'text',
      rarity: 1,
      sentence: 'The path was signed percent-encoded, and COS signs it decoded.',
      remedy: 'Write the path into the HttpString decoded, as the key of the object, with its spaces and letters.',
      variants: ({ url }) => [hashing((request) => printed({ ...request, path: split(url).path }))],
    },
    {
      code: 'method_case',
      kind: 'text',
      rarity: 1,
      sentence: 'The method was signed in upper case.',
      remedy: 'Write the method into the HttpString in lower case.',
      variants: () => [hashing((request) => printed({ ...request, method: request.method.toUpperCase() }))],
    },
    {
      code: 'values_not_encoded',
      kind: 'text',
      rarity: 1,
      sentence: 'The values of headers or parameters were not percent-encoded in the HttpString.',
      remedy: 'Encode the values, including those of headers: a / is %2F, and a space is %20.',
      variants: () => [
        hashing((request) => printed({ ...request, headers: decoded(request.headers), parameters: decoded(request.parameters) })),
        hashing((request) => printed({ ...request, headers: decoded(request.headers) })),
        hashing((request) => printed({ ...request, parameters: decoded(request.parameters) })),
      ],
    },
    {
      code: 'query_not_sorted',
      kind: 'text',
      rarity: 2,
      sentence: 'The headers or parameters were not sorted by name in the HttpString.',
      remedy: 'Sort both by their names in lower case.',
      variants: () => [hashing((request) => printed(request, false))],
    },
    {
      code: 'line_missing',
      kind: 'text',
      rarity: 1,
      sentence: 'The HttpString lacks the line break at its end, or an empty line for headers or parameters.',
      remedy: 'End the HttpString with a line break, and keep the line of an empty list.',
      variants: () => [
        hashing((request) => printed(request).replace(/\n$/, '')),
        hashing((request) => printed(request).replace(/\n\n/, '\n')),
        hashing((request) => printed({ ...request, headers: [] })),
        hashing((request) => printed({ ...request, parameters: [] })),
      ],
    },
  ],
}
