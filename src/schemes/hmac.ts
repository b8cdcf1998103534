// hmac: SecureLink's own scheme, HMAC-SHA-256 over everything that a link grants. The format is written down in docs/spec.md.
import type { Claims, Condition } from '../core/conditions.ts'
import { insist } from '../core/errors.ts'
import { type Keyring, keyring, type SecretKey } from '../core/keys.ts'
import { asSent, canonicalPath, canonicalQuery, canonicalText, MOST_PIECES } from '../lib/canonical.ts'
import { below, normalOrigin } from '../lib/normalise.ts'
import { decodeValue, encodeValue, isDecodable, LONGEST, type Parts, split } from '../lib/url.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from '../core/scheme.ts'

/** What the parameters of a link are for; by default they are named so too. */
export type HmacParameter = 'expires' | 'starts' | 'method' | 'net' | 'prefix' | 'uses' | 'id' | 'key' | 'signature'

/** Options of {@link hmac}. Signer and verifier need the same ones. */
export interface HmacOptions {
  /** What the links are for, such as `'unsubscribe'`: a link minted for one purpose does not open another. Not written into the link. Default: none. */
  readonly purpose?: string
  /** Covers scheme, host and port too. Default: `false`, because proxies change them. */
  readonly origin?: boolean
  /**
   * Query parameters that others may add in transit, by name or with a `*` at the end: `['utm_*', 'fbclid']`. They are not covered, and
   * `claims.resource` comes without them. Default: none.
   */
  readonly ignore?: readonly string[]
  /** Other names for the link's parameters, where the URL has some of its own: `{ id: 'link_id' }`. Letters, digits, `_`, `.` and `-`. */
  readonly parameters?: Partial<Readonly<Record<HmacParameter, string>>>
  /** `'path'` puts the token into the first path segment, so that the relative URLs of a playlist or a page keep it. Default: `'query'`. */
  readonly placement?: 'query' | 'path'
}

/** Conditions of {@link hmac}'s own. */
export interface HmacConditions {
  /** Names the link, for `revoked` and for counting its uses. A link with `uses` and no `id` gets a random one. */
  readonly id?: string
}

// In the order in which a link has them. The signed text lists them in the same order, without the signature.
const SIGNED = ['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key'] as const
const PARAMETERS = [...SIGNED, 'signature'] as const

const OPTIONS = 'purpose,origin,ignore,parameters,placement'.split(',')

// How each must look. Seconds have at most eleven digits: longer ones are milliseconds.
const SECONDS = /^[1-9]\d{0,10}$/
const NOT_EMPTY = /[\s\S]/
const FORMS: Readonly<Record<HmacParameter, RegExp>> = {
  expires: SECONDS,
  starts: SECONDS,
  method: /^[A-Z-]+(,[A-Z-]+)*$/,
  net: /^\d{1,3}$/,
  prefix: /^\//,
  uses: /^[1-9]\d{0,8}$/,
  id: NOT_EMPTY,
  key: NOT_EMPTY,
  signature: /^([\w-]{43}|[\w-]{86})$/,
}

type Values = { [Name in HmacParameter]?: string | undefined }

/** A URL taken apart: what the link says, and what it is for. */
interface Taken {
  /** The link's parameters, decoded. One that is there twice, or does not look as it must, is empty. */
  readonly values: Values
  /** Something in the link cannot be read. */
  readonly faulty: boolean
  /** What remains of the URL without them and without what is ignored. */
  readonly rest: Parts
  /** How many pieces its whole query has. */
  readonly size: number
}

interface HmacReading extends Reading, Omit<Taken, 'faulty'> {}

/**
 * Links of SecureLink's own format: HMAC-SHA-256 over method, path, query, expiry and every other condition. Choose it wherever both ends
 * are yours.
 *
 * Carries all conditions, and `id`. A link is dead at its expiry. The format is described in docs/spec.md, well enough to implement it
 * elsewhere.
 *
 * @param keys - Secrets of at least 32 bytes, newest first: the first one in time signs, all verify, none only reads. Key ids are written
 *   into the links.
 * @param options - Signer and verifier need the same ones.
 * @throws A `LinkError`: `weak_key` for a secret under 32 bytes, `bad_option` for a key or an option that is none.
 *
 * @example
 * ```ts
 * import { hmac, sign, verify } from 'securelink'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const link = await sign(links, 'https://cdn.example/report.pdf', { expires: '10m' })
 * const verdict = await verify(links, link)
 * console.log(verdict.ok) // true
 * ```
 */
export function hmac(keys: Keyring<SecretKey>, options: HmacOptions = {}): Scheme<Condition, HmacConditions> {
  const ring = keyring(keys, 32)
  const { purpose = '', origin, ignore = [], parameters = {}, placement = 'query' } = options
  const inPath = placement === 'path'
  const names: readonly string[] = PARAMETERS.map((name) => parameters[name] ?? name)
  // A misspelt purpose would protect nothing, in silence.
  insist(
    Object.keys(options).every((name) => OPTIONS.includes(name)) &&
      (inPath || placement === 'query') &&
      Array.isArray(ignore) &&
      names.every((name, i) => /^[\w.-]+$/.test(name) && names.indexOf(name) === i) &&
      !/\p{Surrogate}/u.test([purpose, ignore, ring.map(({ id }) => id)].join()),
    `hmac takes { ${OPTIONS} } of distinct plain names and well-formed text`,
  )
  // Names are compared in canonical form, so none has to be decoded.
  const ignored = ignore.map((name) => ({ name: encodeValue(name.replace(/\*$/, '')), begins: name.endsWith('*') }))

  // Rack 2 and older Pythons would read another parameter behind a `;`.
  function isIgnored(name: string, piece: string): boolean {
    return ignored.some((other) => name === other.name || (other.begins && name.startsWith(other.name))) && !piece.includes(';')
  }

  // To PHP and qs, `id[]` and ` id` are `id`, and the last one counts: to move the link's own would change what they read.
  function looksLikeOurs(name: string): boolean {
    return name.includes('%') && names.includes(name.replace(/^(%20)+|%(5B|00).*$/g, ''))
  }

  /** Takes the link's parameters out of a URL, to which so many are still to be added. */
  function takeApart(parts: Parts, toCome = 0): Taken {
    let { path, query } = parts
    const values: Values = {}
    let faulty = false
    // Answers whether this is a parameter of the link.
    const take = (name: string, value: string): boolean => {
      const parameter = PARAMETERS[names.indexOf(name)]
      if (!parameter) return false
      // A signature has one spelling, so no escapes. A parameter that is there twice is not decoded again.
      const text = parameter === 'signature' ? value : values[parameter] === undefined && decodeValue(value)
      if (!text || values[parameter] !== undefined || !FORMS[parameter].test(text)) faulty = true
      values[parameter] = text || ''
      return true
    }

    if (inPath && path.startsWith(`/${names[0]}=`)) {
      const end = `${path}/`.indexOf('/', 1)
      // `~` stands for `%` here: servers refuse or decode `%2F` in a path.
      for (const piece of path.slice(1, end).replaceAll('~', '%').split(',')) {
        const { name, value } = parameterIn(piece)
        if (piece && !take(name, value)) faulty = true
      }
      path = path.slice(end) || '/'
    }

    const pieces = query.slice(1).split('&')
    const size = pieces.length + toCome
    // Parsers drop the pieces behind so many, so all must stay where they are.
    const tooMany = size > MOST_PIECES
    const kept: string[] = []
    let behindTheLink = false
    for (const piece of pieces) {
      const { name, value } = parameterIn(piece)
      if (!inPath && take(name, value)) {
        behindTheLink = true
      } else if (tooMany || !isIgnored(name, piece)) {
        kept.push(piece)
        if (!inPath && ((tooMany && behindTheLink) || looksLikeOurs(name))) faulty = true
      }
    }
    query = kept.join('&')
    return { values, faulty, rest: { ...parts, path, query: query && `?${query}` }, size }
  }

  /** The parts in the form that is signed. */
  function canonical({ origin, path, query }: Parts, size: number): Parts {
    return { origin: normalOrigin(origin), path: canonicalPath(path), query: canonicalQuery(query, size), fragment: '' }
  }

  /** The string to sign: docs/spec.md, section 5. */
  function stringToSign(values: Values, resource: Parts): string {
    let text = `SecureLink hmac v1\n${encodeValue(purpose)}\n${origin ? resource.origin : ''}\n${values.prefix ? '' : resource.path}\n${resource.query}`
    for (const name of SIGNED) text += `\n${values[name] ? encodeValue(values[name]) : ''}`
    return text
  }

  return {
    name: 'hmac',
    carries: ['starts', 'method', 'ip', 'prefix', 'uses'],
    own: ['id'],
    covers: ['path', 'query', ...SIGNED, ...(purpose ? ['purpose'] : []), ...(origin ? ['origin'] : [])],

    async seal(grant: Grant<HmacConditions>): Promise<string> {
      const { expires, starts, methods, network, uses } = grant
      const key = grant.signingKey(ring, grant.now)
      const url = asSent(grant.url, grant.parts)
      const parts = url === grant.url ? grant.parts : split(url)
      insist(!origin || parts.origin, 'url must be absolute with origin: true')
      insist(isAscii(parts.origin), 'url must have an ASCII host, such as xn--p1ai.example')
      const prefix = grant.prefix && canonicalPath(grant.prefix)
      const values: Values = {
        expires: `${expires}`,
        starts: starts ? `${starts}` : undefined,
        method: methods?.join(),
        net: network && `${network.bits}`,
        prefix,
        uses: uses ? `${uses}` : undefined,
        id: grant.own.id ?? (uses ? grant.random() : undefined),
        key: key.id,
      }
      const written = SIGNED.filter((name) => values[name]).length + 1
      const { values: taken, faulty, rest, size } = takeApart(parts, inPath ? 0 : written)
      grant.unsigned(PARAMETERS.filter((name) => taken[name] !== undefined))
      insist(!faulty, `url must be without names such as 'id[]', which servers read as the link's 'id'`)
      const resource = canonical(rest, size)
      insist(!prefix || opens(prefix, resource.path), `prefix must be UTF-8 and hold the URL's own path`)
      const text = stringToSign(values, resource)
      let signature = await grant.mac(key, text)
      if (network) signature += await grant.mac(key, `${text}\n${network.digits}`)
      const encoded = SIGNED.map((name) => encodeValue(values[name] ?? ''))
      return grant.insert({ url, parts }, names, [...encoded, signature], inPath)
    },

    read(url: string): HmacReading | 'unsigned' | 'malformed' {
      if (url.length > LONGEST) return 'malformed'
      const { values, faulty, rest, size } = takeApart(split(url))
      const { expires, starts, method, net, prefix, uses, id, key, signature } = values
      if (expires === undefined && signature === undefined) return 'unsigned'
      if (faulty || !expires || signature?.length !== (net ? 86 : 43) || (uses && !id) || rest.path[0] !== '/' || !isAscii(url))
        return 'malformed'
      const claims: { -readonly [K in keyof Claims]: Claims[K] } = {
        resource: rest.origin + rest.path + withoutEmptyPieces(rest.query),
        expires: new Date(+expires * 1000),
      }
      if (starts) claims.starts = new Date(+starts * 1000)
      if (method) claims.methods = method.split(',')
      if (net) claims.ip = `/${net}`
      if (prefix) claims.prefix = prefix
      if (uses) claims.uses = +uses
      if (id) claims.id = id
      if (key) claims.keyId = key
      return { claims, values, rest, size }
    },

    async check({ claims, values, rest, size }: HmacReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const { net, prefix, signature = '' } = values
      const resource = canonical(rest, size)
      const text = stringToSign(values, resource)
      // What was signed, in place of what was written.
      ;(claims as { resource: string }).resource = resource.origin + resource.path + resource.query
      const key = await visit.match(ring, claims.keyId, text, signature.slice(0, 43))
      if (typeof key === 'string') return key
      // A link that was signed without an origin has the text of one that covers none.
      if (origin && !rest.origin) return 'bad_signature'
      const proof: Proof = { key, claims, path: !prefix || opens(prefix, resource.path) }
      if (!net) return proof
      // The second half binds the address, which the link does not show.
      const network = visit.network(+net)
      const ip = !!network && (await visit.match([key], '', `${text}\n${network.digits}`, signature.slice(43))) === key
      return { ...proof, ip }
    },
  }
}

/** The name of a piece in canonical form, and its value as it stands. */
function parameterIn(piece: string): { name: string; value: string } {
  const equals = piece.indexOf('=')
  return equals < 0
    ? { name: canonicalText(piece), value: '' }
    : { name: canonicalText(piece.slice(0, equals)), value: piece.slice(equals + 1) }
}

function withoutEmptyPieces(query: string): string {
  return query.replace(/([?&])&+/g, '$1').replace(/[?&]$/, '')
}

/** Has this text only the characters that a request line can have? */
function isAscii(text: string): boolean {
  return /^[!-~]*$/.test(text)
}

/** Is this path at the prefix or below it? Only prefixes that a signer writes open something: in canonical form, and decoded alike everywhere. */
function opens(prefix: string, path: string): boolean {
  return canonicalPath(prefix) === prefix && isDecodable(prefix) && !prefix.includes('\\') && below(path, prefix)
}
