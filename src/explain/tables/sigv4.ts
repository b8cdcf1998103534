// Mistakes with presigned URLs of S3, Google and others: Signature Version 4 and its canonical request.
import { compute, readyKey } from '../../core/crypto.ts'
import { isBytes, type SecretKey } from '../../core/keys.ts'
import type { Algorithm, Reading } from '../../core/scheme.ts'
import { encode, HEX } from '../../lib/encoding.ts'
import { decodeValue, encodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import type { Mistake } from '../mistake.ts'
import { type Rule, urls, type Variant } from '../rule.ts'
import { piecesOf, rawValue, withPath, withPieces, withValue } from '../rules/parts.ts'
import type { Obstacle, Table } from '../table.ts'

const HMAC_SHA256: Algorithm = { hmac: 'SHA-256', encoding: 'hex' }

/** `X-Amz-` or `X-Goog-`. */
const prefixOf = ({ scheme }: Attempt): string => (scheme.parameters.some((name) => name.startsWith('X-Goog-')) ? 'X-Goog-' : 'X-Amz-')

const parameter = (attempt: Attempt, word: string): string => decodeValue(rawValue(attempt.url, prefixOf(attempt) + word) ?? '') ?? ''

/** The scope that the link names: `20300101/eu-central-1/s3/aws4_request`. */
const scopeIn = (attempt: Attempt): string => parameter(attempt, 'Credential').split('/').slice(-4).join('/')

const withScope = (text: string, scope: string): string =>
  text
    .split('\n')
    .map((line, at) => (at === 2 ? scope : line))
    .join('\n')

/** Derives the key of the day for a scope, as the vendor describes it. */
function derivedFor(attempt: Attempt, scope: string, prefix = prefixOf(attempt) === 'X-Amz-' ? 'AWS4' : 'GOOG4') {
  return async ({ secret }: SecretKey): Promise<SecretKey> => {
    const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : isBytes(secret) ? secret : new Uint8Array()
    let key: SecretKey = { secret: Uint8Array.of(...new TextEncoder().encode(prefix), ...bytes) }
    for (const word of scope.split('/')) {
      key = { secret: new Uint8Array((await compute(await readyKey(key, HMAC_SHA256), HMAC_SHA256, word)) as ArrayBuffer) }
    }
    return key
  }
}

/** A variant that signs with the scope that the link names, on top of another change. No key is derived for RSA. */
function inScopeOfLink(attempt: Attempt, patch: Variant['patch'] = {}, what?: string): Variant {
  const scope = scopeIn(attempt)
  const derived = 'hmac' in attempt.scheme.algorithm && { derive: derivedFor(attempt, scope), rekeyed: `scope ${scope}` }
  return {
    patch: { ...patch, rewrite: (text) => withScope(text, scope), ...derived },
    ...(what !== undefined && { what }),
  }
}

/** What a canonical request is made of. */
interface Canonical {
  readonly method: string
  readonly path: string
  readonly parameters: readonly (readonly [name: string, value: string])[]
  readonly headers: string
  readonly signedHeaders: string
  readonly payload: string
}

function canonicalOf(attempt: Attempt): Canonical {
  const { path } = split(attempt.url)
  const prefix = prefixOf(attempt)
  const form = (text: string) => encodeValue(decodeValue(text.replaceAll('+', ' ')) ?? text)
  const unsigned = `${prefix}Signature`
  const pieces = piecesOf(attempt.url).filter(({ name }) => name !== unsigned)
  const signedHeaders = parameter(attempt, 'SignedHeaders')
  const host = split(attempt.url)
    .origin.replace(/^.*\/\//, '')
    .toLowerCase()
    .replace(prefix === 'X-Goog-' ? /:\d+$/ : /(?!)/, '')
  const valueFor = (name: string) => (name === 'host' ? host || attempt.headers['host'] : attempt.headers[name]) ?? ''
  return {
    method: attempt.method,
    path: encodeValue(decodeValue(path) ?? path).replaceAll('%2F', '/'),
    parameters: pieces.map(({ name, value }) => [form(name), form(value)] as const),
    headers: signedHeaders
      .split(';')
      .map((name) => `${name}:${valueFor(name).trim().replace(/\s+/g, ' ')}\n`)
      .join(''),
    signedHeaders,
    payload: attempt.headers[`${prefix.toLowerCase()}content-sha256`] ?? parameter(attempt, 'Content-Sha256') ?? '',
  }
}

function printed({ method, path, parameters, headers, signedHeaders, payload }: Canonical, sort = true): string {
  const query = parameters.map(([name, value]) => `${name}=${value}`)
  return [method, path, (sort ? query.sort() : query).join('&'), headers, signedHeaders, payload || 'UNSIGNED-PAYLOAD'].join('\n')
}

/** A variant that hashes another canonical request. */
function hashing(change: (canonical: Canonical, attempt: Attempt) => string): Variant {
  return {
    patch: {
      async rewrite(text, attempt) {
        const request = new TextEncoder().encode(change(canonicalOf(attempt), attempt))
        const hash = encode(new Uint8Array(await crypto.subtle.digest('SHA-256', request)), HEX)
        return text.replace(/[^\n]*$/, hash)
      },
    },
  }
}

const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const PLACE: Rule[] = [
  {
    code: 'region',
    kind: 'text',
    rarity: 1,
    sentence: (what) => `The link is signed for the region ${what}, and the verifier expects another one.`,
    remedy: 'Give the client of the signer the region of the bucket, and the endpoint of that region.',
    variants: (attempt) => placeVariant(attempt, 1),
  },
  {
    code: 'service',
    kind: 'text',
    rarity: 1,
    sentence: (what) => `The link is signed for the service ${what}, and the verifier expects another one.`,
    remedy: 'Sign for the service "s3", or for the one that the host of the bucket names.',
    variants: (attempt) => placeVariant(attempt, 2),
  },
]

/** The scope of the link, blamed on its service if that is an unusual one, and on its region otherwise. */
function placeVariant(attempt: Attempt, word: 1 | 2): readonly Variant[] {
  const [date, region, service, terminator] = scopeIn(attempt).split('/')
  if (!date || !region || !service || !terminator) return []
  const isUsual = service === 's3' || service === 'storage'
  const blamed = isUsual ? 1 : 2
  return blamed === word ? [inScopeOfLink(attempt, {}, (word === 1 ? region : service).slice(0, 40))] : []
}

const KEYS: Rule[] = [
  {
    code: 'key_not_derived',
    kind: 'hash',
    rarity: 1,
    sentence: (what) => what,
    remedy: 'Derive the key: HMAC of date, region, service and terminator, beginning with "AWS4" and the secret.',
    variants: (attempt) => [
      {
        what: 'The string was signed with the secret itself, and not with the key that is derived from it.',
        patch: { derive: (key) => key, rekeyed: 'not derived' },
      },
      {
        what: 'The key was derived without the prefix "AWS4" or "GOOG4" in front of the secret.',
        patch: { derive: derivedFor(attempt, scopeIn(attempt), ''), rekeyed: 'no prefix' },
      },
    ],
  },
  {
    code: 'session_token',
    kind: 'link',
    rarity: 1,
    sentence: 'The session token was added to the link after it was signed, or is missing in it.',
    remedy: 'Give the signer the session token together with id and secret, and it will sign and write the token.',
    variants: sessionTokens,
  },
]

function sessionTokens(attempt: Attempt): readonly Variant[] {
  const name = `${prefixOf(attempt)}Security-Token`
  const without = withPieces(
    attempt.url,
    piecesOf(attempt.url).filter((piece) => piece.name !== name),
  )
  // The verifier has no string to sign for a link without the token of its key, so the key loses it as well. Its other id tells the strings apart.
  const rekey = (key: SecretKey): SecretKey => ({ ...key, id: `${key.id} without token`, sessionToken: undefined }) as SecretKey
  if (without !== attempt.url) return [{ patch: { url: without } }, { patch: { url: without, rekey, rekeyed: 'no session token' } }]
  const keys = attempt.scheme.keys(parameter(attempt, 'Credential').split('/')[0])
  const tokens = Array.isArray(keys) ? (keys as readonly { sessionToken?: string }[]).flatMap(({ sessionToken }) => sessionToken ?? []) : []
  return tokens.map((token) => ({ patch: { url: withValue(attempt.url, name, encodeURIComponent(token)) } }))
}

const REQUEST: Rule[] = [
  {
    code: 'payload_hash',
    kind: 'request',
    rarity: 1,
    sentence:
      'The link is signed with another payload hash: presigned URLs are signed with UNSIGNED-PAYLOAD, and not with the hash of a body.',
    remedy: 'Sign with UNSIGNED-PAYLOAD, or send the header with the hash that was signed.',
    variants: (attempt) => {
      const name = `${prefixOf(attempt).toLowerCase()}content-sha256`
      const { [name]: sent, ...others } = attempt.headers
      const withHash = (hash: string) => ({ patch: { headers: { ...others, [name]: hash } } })
      return [
        ...(sent === undefined ? [] : [{ patch: { headers: others } }]),
        withHash(EMPTY_HASH),
        withHash('UNSIGNED-PAYLOAD'),
        withHash('STREAMING-AWS4-HMAC-SHA256-PAYLOAD'),
      ]
    },
  },
  {
    code: 'path_encoded_twice',
    kind: 'link',
    rarity: 1,
    sentence: 'The path was percent-encoded twice in the canonical request. S3 encodes it once, unlike other services of Amazon.',
    remedy: 'Switch off the second encoding of the signer (uriEscapePath: false, or the signer for S3).',
    variants: (attempt) =>
      urls(
        attempt,
        withPath(attempt.url, (path) => path.replaceAll('%', '%25')),
      ),
  },
  {
    code: 'path_not_encoded',
    kind: 'text',
    rarity: 1,
    sentence: 'The path or the query was not percent-encoded in the canonical request.',
    remedy: 'Encode each segment of the path, and names and values of the query, as RFC 3986 has it: a space is %20.',
    variants: () => [
      hashing((canonical) => printed({ ...canonical, path: decodeValue(canonical.path) ?? canonical.path })),
      hashing((canonical) =>
        printed({ ...canonical, parameters: canonical.parameters.map(([name, value]) => [name, decodeValue(value) ?? value]) }),
      ),
      hashing((canonical) =>
        printed({ ...canonical, parameters: canonical.parameters.map(([name, value]) => [name, value.replaceAll('%20', '+')]) }),
      ),
      hashing((canonical) =>
        printed({ ...canonical, parameters: canonical.parameters.map(([name, value]) => [name, value.replaceAll('%2F', '/')]) }),
      ),
    ],
  },
  {
    code: 'query_not_sorted',
    kind: 'text',
    rarity: 1,
    sentence: 'The parameters were not sorted by name in the canonical request.',
    remedy: 'Sort the parameters by their encoded names, upper case before lower case.',
    variants: () => [hashing((canonical) => printed(canonical, false))],
  },
  {
    code: 'headers_block',
    kind: 'text',
    rarity: 2,
    sentence: 'The canonical request lacks the line break after its headers, or has one too many.',
    remedy: 'Each header ends with a line break, and an empty line stands between the headers and their names.',
    variants: () => [
      hashing((canonical) => printed({ ...canonical, headers: canonical.headers.replace(/\n$/, '') })),
      hashing((canonical) => printed({ ...canonical, headers: `${canonical.headers}\n` })),
      hashing((canonical) => `${printed(canonical)}\n`),
    ],
  },
  {
    code: 'path_style',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The link is signed for the address ${what}: the bucket is in the host on one side, and in the path on the other.`,
    remedy: "Sign with the address that clients use: the option forcePathStyle of Amazon's SDKs decides.",
    variants: (attempt) => styles(attempt.url).map((url) => inScopeOfLink(attempt, { url }, shortened(url))),
  },
  {
    code: 'endpoint',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The link is signed for the host ${what}, and used with another endpoint of the same storage.`,
    remedy: 'Sign with the endpoint that clients use. The host is a part of the signature, so it cannot be replaced.',
    variants: (attempt) => endpoints(attempt).map((url) => inScopeOfLink(attempt, { url }, split(url).origin.replace(/^.*\/\//, ''))),
  },
  {
    code: 'header_not_sent',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The request lacks a header that the link covers, or sends another value; the signed value is ${what}.`,
    remedy: 'Send every header that the link names with exactly the value that was signed, or sign without it.',
    variants: missingHeaders,
  },
  {
    code: 'header_not_signed',
    kind: 'request',
    rarity: 1,
    sentence: (what) =>
      `The request sends ${what}, which the link does not cover. The storage refuses headers of its own that are not signed.`,
    remedy: 'Sign the link with this header, or do not send it.',
    variants: (attempt) => {
      const signed = parameter(attempt, 'SignedHeaders').split(';')
      const names = Object.keys(attempt.headers).filter(
        (name) => name.startsWith(prefixOf(attempt).toLowerCase()) && !signed.includes(name),
      )
      const kept = Object.fromEntries(Object.entries(attempt.headers).filter(([name]) => !names.includes(name)))
      return names.length > 0 ? [{ patch: { headers: kept }, what: names.join(', ') }] : []
    },
  },
]

const AMAZON = /^(https?:\/\/)(?:(.+)\.)?(s3[\w.-]*\.amazonaws\.com(?:\.cn)?)$/i

/** The same object with its bucket in the path in place of the host, and the other way round; also with the bucket twice or not at all. */
function styles(url: string): readonly string[] {
  const { origin, path, query } = split(url)
  const [, protocol = '', bucket, endpoint] = AMAZON.exec(origin) ?? /^(https?:\/\/)([^.:]+)\.(.+)$/i.exec(origin) ?? []
  const [, first = '', rest = '/'] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? []
  const candidates = [
    ...(bucket ? [`${protocol}${endpoint}/${bucket}${path}${query}`, `${origin}/${bucket}${path}${query}`] : []),
    ...(first ? [`${origin.replace('//', `//${first}.`)}${rest}${query}`, `${origin.replace('//', `//${first}.`)}${path}${query}`] : []),
    ...(first && first === bucket ? [`${origin}${rest}${query}`] : []),
  ]
  return candidates
}

/** Other hosts of Amazon for the same bucket. */
function endpoints(attempt: Attempt): readonly string[] {
  const { origin } = split(attempt.url)
  const rest = attempt.url.slice(origin.length)
  const [, protocol = '', bucket, endpoint] = AMAZON.exec(origin) ?? []
  if (!endpoint) return []
  const region = scopeIn(attempt).split('/')[1]
  const front = protocol + (bucket ? `${bucket}.` : '')
  const hosts = [
    's3.amazonaws.com',
    `s3.${region}.amazonaws.com`,
    `s3-${region}.amazonaws.com`,
    `s3.dualstack.${region}.amazonaws.com`,
    's3-accelerate.amazonaws.com',
  ]
  return hosts.filter((host) => host !== endpoint).map((host) => front + host + rest)
}

const shortened = (url: string): string => `${split(url).origin.replace(/^.*\/\//, '')}${split(url).path}`.slice(0, 80)

const TYPES = [
  'application/octet-stream',
  'image/jpeg',
  'image/png',
  'application/pdf',
  'text/plain',
  'application/json',
  'video/mp4',
  'binary/octet-stream',
  'text/html',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'application/zip',
  'text/csv',
  'image/webp',
  'image/gif',
  '',
]

const VALUES: Readonly<Record<string, readonly string[]>> = {
  'content-type': TYPES,
  'x-amz-acl': ['private', 'public-read', 'bucket-owner-full-control'],
  'x-amz-server-side-encryption': ['AES256', 'aws:kms'],
  'x-amz-content-sha256': ['UNSIGNED-PAYLOAD', EMPTY_HASH],
  'x-amz-checksum-crc32': ['AAAAAA=='],
  'x-amz-sdk-checksum-algorithm': ['CRC32'],
  'content-length': ['0'],
  'content-disposition': ['attachment', 'inline'],
  range: ['bytes=0-', 'bytes=0-0', 'bytes=0-1'],
}

/** Usual values of a header that the request lacks, or sends with another value. */
function missingHeaders(attempt: Attempt): readonly Variant[] {
  const signed = parameter(attempt, 'SignedHeaders')
    .split(';')
    .filter((name) => name !== 'host')
  return signed.flatMap((name) => {
    const sent = attempt.headers[name]
    const near =
      sent === undefined
        ? []
        : [
            sent.replace(/;.*$/, ''),
            `${sent}; charset=UTF-8`,
            `${sent};charset=UTF-8`,
            `${sent}; charset=utf-8`,
            sent.toLowerCase(),
            // Without quotes, or without the space behind a semicolon, or both, and the other way round.
            sent.replaceAll('"', ''),
            sent.replace(/;\s+/g, ';'),
            sent.replaceAll('"', '').replace(/;\s+/g, ';'),
            sent.replace(/=([^";]+)/g, '="$1"'),
            sent.replace(/;(?=\S)/g, '; '),
            sent.replace(/;(?=\S)/g, '; ').replace(/=([^";]+)/g, '="$1"'),
          ]
    return [...near, ...(VALUES[name] ?? [])]
      .filter((value) => value !== sent)
      .map((value) => ({ patch: { headers: { ...attempt.headers, [name]: value } }, what: `${name}: ${value || '(empty)'}` }))
  })
}

export const SIGV4: Table = {
  schemes: ['s3', 'gcs', 'gcs-rsa'],
  rules: [...PLACE, ...KEYS, ...REQUEST],
  forms: {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'KEY-ID/DATE/REGION/SERVICE/aws4_request, with the date of X-Amz-Date',
    'X-Amz-Date': 'a time such as 20300101T000000Z',
    'X-Amz-Expires': 'a number of seconds from 1 to 604800: how long the link is valid, and not a time',
    'X-Amz-SignedHeaders': 'names of headers in lower case with ";" between them, with host among them',
    'X-Amz-Signature': '64 hex digits in lower case',
    'X-Goog-Algorithm': 'GOOG4-HMAC-SHA256',
    'X-Goog-Credential': 'KEY-ID/DATE/LOCATION/storage/goog4_request, with the date of X-Goog-Date',
    'X-Goog-Date': 'a time such as 20300101T000000Z',
    'X-Goog-Expires': 'a number of seconds from 1 to 604800: how long the link is valid, and not a time',
    'X-Goog-SignedHeaders': 'names of headers in lower case with ";" between them, with host among them',
    'X-Goog-Signature': '64 hex digits in lower case',
  },

  canonicalRequest: (attempt) => printed(canonicalOf(attempt)),

  unsigned: olderVersion,

  warnings,

  obstacle(attempt, { claims }: Reading): Obstacle | undefined {
    const missing = claims.signedHeaders?.filter((name) => attempt.headers[name] === undefined) ?? []
    if (missing.length > 0) {
      return {
        code: 'header_not_sent',
        sentence: `The link covers ${missing.join(', ').slice(0, 80)}, and the request does not send it.`,
        remedy: 'Send every header that the link names with exactly the value that was signed, or sign without it.',
      }
    }
    return undefined
  },
}

/** A link of Version 2, which the same vendors have. */
function olderVersion({ url }: Attempt): Mistake | undefined {
  const id = ['AWSAccessKeyId', 'GoogleAccessId'].find((name) => rawValue(url, name) !== undefined)
  if (id === undefined || rawValue(url, 'Signature') === undefined) return undefined
  const remedy =
    id === 'GoogleAccessId'
      ? 'Let the signer use Version 4: version: "v4" in the libraries of Google.'
      : 'Let the signer use Version 4: signature_version="s3v4" in boto3 and Django, signatureVersion: "v4" in the SDK for JavaScript. R2, Backblaze and the newer regions of Amazon accept only Version 4.'
  const sentence = `The link is signed with Version 2 (${id}, Expires and Signature), and the verifier takes Version 4.`
  return { code: 'older_version', sentence, remedy }
}

const EMPTY_CRC32 = 'AAAAAA=='

/** Why S3 and its kind refuse a request with a valid link. */
function warnings(attempt: Attempt): readonly Mistake[] {
  const found: Mistake[] = []
  if (attempt.headers['authorization'] !== undefined) {
    found.push({
      code: 'two_credentials',
      sentence:
        'The link is valid, and the request has the header Authorization as well. S3 answers 400: only one auth mechanism is allowed.',
      remedy: 'Send no Authorization with a presigned URL. Clients that follow a redirect, and proxies, must drop it.',
    })
  }
  const checksum = decodeValue(rawValue(attempt.url, 'x-amz-checksum-crc32') ?? '')
  if (checksum === EMPTY_CRC32 && attempt.method === 'PUT') {
    found.push({
      code: 'checksum_of_nothing',
      sentence: 'The link is valid, and it asks for a body with the checksum AAAAAA==, which is that of an empty one.',
      remedy:
        'Sign without a checksum. The SDK for JavaScript adds this one unless its client has requestChecksumCalculation: "WHEN_REQUIRED".',
    })
  }
  const [keyId = ''] = parameter(attempt, 'Credential').split('/')
  const hasToken = ['Security-Token', 'S3session-Token'].some((word) => rawValue(attempt.url, prefixOf(attempt) + word) !== undefined)
  if (keyId.startsWith('ASIA') && !hasToken) {
    found.push({
      code: 'session_token',
      sentence:
        'The signature is right, and the link lacks a session token. A key id that begins with ASIA is one of temporary credentials.',
      remedy: 'Give the signer the session token together with id and secret, and it will sign and write the token.',
    })
  }
  return found
}
