// hmac: SecureLink's own scheme, HMAC-SHA-256 over everything that a link grants. The format is written down in docs/spec.md.
import type { Claims, Condition } from '../core/conditions.ts'
import { insist } from '../core/errors.ts'
import { type Keyring, keyring, type SecretKey } from '../core/keys.ts'
import { decodeValue, eachParameter, type Parts, split } from '../lib/url.ts'
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

// In the order in which a link has them and the signed text lists them.
const NAMES = ['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key', 'signature'] as const

const OPTIONS = 'purpose,origin,ignore,parameters,placement'.split(',')

// How each must look. Seconds have at most eleven digits: longer ones are milliseconds.
const SECONDS = /^[1-9]\d{0,10}$/
const SHAPES = [SECONDS, SECONDS, /^[A-Z-]+(,[A-Z-]+)*$/, /^\d{1,3}$/, /^\//, /^[1-9]\d{0,8}$/]

interface HmacReading extends Reading {
  /** Our parameters in the order of their names, decoded. */
  readonly values: readonly (string | undefined)[]
  /** What remains of the URL without them and without what is ignored. */
  readonly rest: Parts
}

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
  const names: readonly string[] = NAMES.map((name) => parameters[name] ?? name)
  // A misspelt purpose would protect nothing, in silence.
  insist(
    Object.keys(options).every((name) => OPTIONS.includes(name)) &&
      (inPath || placement === 'query') &&
      Array.isArray(ignore) &&
      names.every((name, i) => /^[\w.-]+$/.test(name) && names.indexOf(name) === i) &&
      !/\p{Surrogate}/u.test(purpose + ring.map(({ id }) => id)),
    `hmac takes { ${OPTIONS} } of distinct plain names and well-formed text`,
  )

  // Takes our parameters out of a URL: their values decoded, in the order of their names, and what remains. One that is there twice, or does
  // not look as it must, is empty.
  function scan(parts: Parts): { values: (string | undefined)[]; rest: Parts } {
    let { path, query } = parts
    const values: (string | undefined)[] = NAMES.map(() => undefined)
    const take = (name: string, value: string): boolean => {
      const at = names.indexOf(name)
      if (at < 0) return false
      const text = values[at] === undefined && decodeValue(value)
      values[at] = text && SHAPES[at]?.test(text) !== false ? text : ''
      return true
    }
    if (inPath && path.startsWith(`/${names[0]}=`)) {
      const end = `${path}/`.indexOf('/', 1)
      // `~` stands for `%` here: servers refuse or decode `%2F` in a path.
      eachParameter(path.slice(0, end).replaceAll('~', '%'), ',', (name, value) => {
        if (!take(name, value)) values[0] = ''
      })
      path = path.slice(end) || '/'
    }
    const others = query
    query = ''
    eachParameter(others, '&', (name, value, piece) => {
      if (
        (inPath || !take(name, value)) &&
        !ignore.some((other) => name === other || (other.endsWith('*') && name.startsWith(other.slice(0, -1))))
      )
        query += `${query ? '&' : '?'}${piece}`
    })
    return { values, rest: { ...parts, path, query } }
  }

  // What the signature covers: docs/spec.md, section 5. Takes the values encoded.
  function textOf(purpose: string, values: readonly string[], rest: Parts): string {
    let text = `SecureLink hmac v1\n${purpose}\n${origin ? rest.origin : ''}\n${values[4] ? '' : rest.path}\n${rest.query}`
    for (let i = 0; i < 8; i++) text += `\n${values[i]}`
    return text
  }

  return {
    name: 'hmac',
    carries: ['starts', 'method', 'ip', 'prefix', 'uses'],
    own: ['id'],
    covers: ['path', 'query', ...NAMES.slice(0, 8), ...(purpose ? ['purpose'] : []), ...(origin ? ['origin'] : [])],

    async seal(grant: Grant<HmacConditions>): Promise<string> {
      const { network, uses } = grant
      const key = grant.signingKey(ring, grant.now)
      const { values: taken, rest } = scan(grant.parts)
      grant.unsigned(NAMES.filter((_, i) => taken[i] !== undefined))
      insist(!origin || rest.origin, 'the option origin takes absolute URLs')
      const id = grant.own.id ?? (uses && grant.random())
      const values = [grant.expires, grant.starts, grant.methods, network && `${network.bits}`, grant.prefix, uses, id, key.id].map(
        (value) => (value ? grant.encode(`${value}`) : ''),
      )
      const text = textOf(grant.encode(purpose), values, grant.normalise(rest))
      let signature = await grant.mac(key, text)
      if (network) signature += await grant.mac(key, `${text}\n${network.digits}`)
      values.push(signature)
      return grant.insert(grant, names, values, inPath)
    },

    read(url: string): HmacReading | 'unsigned' | 'malformed' {
      const { values, rest } = scan(split(url))
      const [expires, starts, method, net, prefix, uses, id, key, signature] = values
      if (expires === undefined && signature === undefined) return 'unsigned'
      if (rest.path[0] !== '/' || !expires || signature?.length !== (net ? 86 : 43) || (uses && !id) || values.includes(''))
        return 'malformed'
      const claims: { -readonly [K in keyof Claims]: Claims[K] } = {
        resource: rest.origin + rest.path + rest.query,
        expires: new Date(+expires * 1000),
      }
      if (starts) claims.starts = new Date(+starts * 1000)
      if (method) claims.methods = method.split(',')
      if (net) claims.ip = `/${net}`
      if (prefix) claims.prefix = prefix
      if (uses) claims.uses = +uses
      if (id) claims.id = id
      if (key) claims.keyId = key
      return { claims, values, rest }
    },

    async check({ claims, values, rest }: HmacReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const [net, signature] = [values[3], values[8] as string]
      const normal = visit.normalise(rest)
      const encoded = values.slice(0, 8).map((value) => (value ? visit.encode(value) : ''))
      const text = textOf(visit.encode(purpose), encoded, normal)
      // What was signed, in place of what was written.
      ;(claims as { resource: string }).resource = normal.origin + normal.path + normal.query
      const key = await visit.match(ring, claims.keyId, text, signature.slice(0, 43))
      if (typeof key === 'string') return key
      // A link that was signed without an origin has the text of one that covers none.
      if (origin && !rest.origin) return 'bad_signature'
      if (!net) return { key, claims }
      // The second half binds the address, which the link does not show.
      const network = visit.network(+net)
      return { key, claims, ip: !!network && (await visit.match([key], '', `${text}\n${network.digits}`, signature.slice(43))) === key }
    },
  }
}
