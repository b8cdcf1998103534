// hmac: SecureLink's own scheme, HMAC-SHA-256 over everything that a link grants. The format is written down in docs/spec.md.
import type { Condition } from '../conditions.ts'
import { insist, LinkError } from '../errors.ts'
import { type Keyring, keyring, type SecretKey } from '../keys.ts'
import { BASE64URL } from '../lib/bytes.ts'
import { decodeValue, eachParameter, type Parts, split } from '../lib/text.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from '../scheme.ts'

/** What the parameters of a link are for; by default they are named so too. */
export type HmacParameter = 'expires' | 'starts' | 'method' | 'net' | 'prefix' | 'uses' | 'id' | 'key' | 'signature'

/** Options of {@link hmac}. Signer and verifier need the same ones. */
export interface HmacOptions {
  /** What the links are for, such as `'unsubscribe'`: a link minted for one purpose does not open another. Not written into the link. */
  readonly purpose?: string
  /** Covers scheme, host and port too. Off by default, because proxies change them. */
  readonly origin?: boolean
  /**
   * Query parameters that others may add in transit, by name or with a `*` at the end: `['utm_*', 'fbclid']`. They are not covered, and
   * `claims.resource` comes without them.
   */
  readonly ignore?: readonly string[]
  /** Other names for the link's parameters, where the URL has some of its own: `{ id: 'link_id' }`. */
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

// How each must look. Seconds have one to eleven digits: longer ones are milliseconds.
const SECONDS = /^[1-9]\d{0,10}$/
const SHAPES = [SECONDS, SECONDS, /^[A-Z-]+(,[A-Z-]+)*$/, /^\d{1,3}$/, /^\//, /^[1-9]\d{0,8}$/, /./s, /./s, /./]

type Values = { [K in HmacParameter]?: string | undefined }

interface HmacReading extends Reading {
  /** Our parameters, decoded. */
  readonly values: Values & { readonly signature: string }
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
 * @throws {@link LinkError} `weak_key` for a secret under 32 bytes, `bad_option` for a key or an option that is none.
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
  const { purpose, origin, ignore = [], placement } = options
  const names: readonly string[] = NAMES.map((name) => options.parameters?.[name] ?? name)
  const inPath = placement === 'path'
  insist(names.every((name, i) => /^[\w.-]+$/.test(name) && names.indexOf(name) === i), 'parameters takes distinct names of plain characters')

  // Takes our parameters out of a URL.
  function scan(url: string): { values: Values; rest: Parts; broken: boolean } {
    const parts = split(url)
    let { path } = parts
    let broken = path[0] !== '/'
    const values: Values = {}
    const take = (name: string, value: string): boolean => {
      const known = NAMES[names.indexOf(name)]
      if (!known) return false
      // Twice, empty, or an escape that is none.
      broken ||= known in values || !decodeValue(value)
      values[known] = decodeValue(value)
      return true
    }
    if (inPath && path.startsWith(`/${names[0]}=`)) {
      const end = `${path}/`.indexOf('/', 1)
      // `~` stands for `%` here: servers refuse or decode `%2F` in a path.
      eachParameter(path.slice(1, end).replaceAll('~', '%'), ',', (name, value) => (broken = !take(name, value) || broken))
      path = path.slice(end) || '/'
    }
    let query = ''
    eachParameter(parts.query.slice(1), '&', (name, value, piece) => {
      if ((inPath || !take(name, value)) && !ignore.some((other) => name === other || (other.endsWith('*') && name.startsWith(other.slice(0, -1)))))
        query += `${query ? '&' : '?'}${piece}`
    })
    return { values, broken, rest: { ...parts, path, query } }
  }

  // What the signature covers, in the order of docs/spec.md.
  const fields = (values: Values, rest: Parts): (string | undefined)[] => [
    'SecureLink hmac v1',
    purpose,
    origin ? rest.origin : '',
    values.prefix ? '' : rest.path,
    rest.query,
    ...NAMES.slice(0, -1).map((name) => values[name]),
  ]

  return {
    name: 'hmac',
    carries: ['starts', 'method', 'ip', 'prefix', 'uses'],
    own: ['id'],
    covers: ['path', 'query', ...NAMES.slice(0, -1), ...(purpose ? ['purpose'] : []), ...(origin ? ['origin'] : [])],

    async seal(grant: Grant<HmacConditions>): Promise<string> {
      const { url, starts, network, uses } = grant
      const key = grant.signingKey(ring, grant.now)
      const present = scan(url)
      for (const name in present.values)
        throw new LinkError(present.values.signature && present.values.expires ? 'already_signed' : 'bad_option', `the URL has hmac's '${name}': it is a link, or takes other parameters`)
      const values: Values = {
        expires: seconds(grant.expires),
        starts: starts && seconds(starts),
        method: grant.methods?.join(),
        net: network && `${network.bits}`,
        prefix: grant.prefix,
        uses: uses ? `${uses}` : undefined,
        id: grant.own.id ?? (uses ? grant.random() : undefined),
        key: key.id,
      }
      const covered = fields(values, grant.normalise(present.rest))
      values.signature = await grant.mac(key, grant.lines(covered), BASE64URL)
      if (network) values.signature += await grant.mac(key, grant.lines([...covered, network.digits]), BASE64URL)
      return grant.append(url, NAMES.map((name, i) => [names[i] as string, values[name]]), inPath)
    },

    read(url: string): HmacReading | 'unsigned' | 'malformed' {
      const { values, broken, rest } = scan(url)
      const { expires, starts, method, net, prefix, uses, id, key, signature } = values
      if (!('expires' in values || 'signature' in values)) return 'unsigned'
      if (broken || !expires || signature?.length !== (net ? 86 : 43) || (uses && !id) || NAMES.some((name, i) => values[name] && !SHAPES[i]?.test(values[name]))) return 'malformed'
      return {
        values: values as HmacReading['values'],
        rest,
        claims: {
          resource: rest.origin + rest.path + rest.query,
          expires: new Date(+expires * 1000),
          ...(starts && { starts: new Date(+starts * 1000) }),
          ...(method && { methods: method.split(',') }),
          ...(net && { ip: `/${net}` }),
          ...(prefix && { prefix }),
          ...(uses && { uses: +uses }),
          ...(id && { id }),
          ...(key && { keyId: key }),
        },
      }
    },

    async check(reading: HmacReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const { net, signature } = reading.values
      const rest = visit.normalise(reading.rest)
      const covered = fields(reading.values, rest)
      const key = await visit.match(ring, reading.values.key, visit.lines(covered), signature.slice(0, 43), BASE64URL)
      if (typeof key === 'string') return key
      const claims = { ...reading.claims, resource: rest.origin + rest.path + rest.query }
      if (!net) return { key, claims }
      // The second half binds the address, which the link does not show.
      const digits = visit.network(+net)?.digits
      const ip = digits !== undefined && (await visit.match([key], undefined, visit.lines([...covered, digits]), signature.slice(43), BASE64URL)) === key
      return { key, ip, claims: ip ? { ...claims, ip: `${visit.ip}/${net}` } : claims }
    },
  }
}

const seconds = (date: Date): string => `${+date / 1000}`
