// hmac: SecureLink's own scheme, HMAC-SHA-256 over everything that a link grants. The format is written down in docs/spec.md.
import type { Claims, Condition } from '../conditions.ts'
import { insist, LinkError } from '../errors.ts'
import { type Keyring, keyring, type SecretKey } from '../keys.ts'
import { BASE64URL } from '../lib/bytes.ts'
import { append, decodeValue, eachParameter, encodeValue, type Parts, split } from '../lib/text.ts'
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

// How each must look. Seconds have at most eleven digits: longer ones are milliseconds.
const SECONDS = /^[1-9]\d{0,10}$/
const SHAPES = [SECONDS, SECONDS, /^[A-Z-]+(,[A-Z-]+)*$/, /^\d{1,3}$/, /^\//, /^[1-9]\d{0,8}$/]

interface HmacReading extends Reading {
  /** Our parameters in the order of their names, decoded; empty where there is none. */
  readonly values: readonly string[]
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
 * @throws A {@link LinkError}: `weak_key` for a secret under 32 bytes, `bad_option` for a key or an option that is none.
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
  const { purpose = '', origin, ignore = [], placement } = options
  const names: readonly string[] = NAMES.map((name) => options.parameters?.[name] ?? name)
  const inPath = placement === 'path'
  insist(
    names.every((name, i) => /^[\w.-]+$/.test(name) && names.indexOf(name) === i),
    'parameters takes distinct names of plain characters',
  )

  insist(!/\p{Surrogate}/u.test(purpose + ring.map(({ id }) => id)), 'purpose and key ids take well-formed text')
  const head = `SecureLink hmac v1\n${encodeValue(purpose)}\n`

  // Takes our parameters out of a URL: their values decoded, in the order of their names, and what remains.
  function scan(url: string): { values: string[]; taken: readonly number[]; broken: boolean; rest: Parts } {
    const parts = split(url)
    const values = ['', '', '', '', '', '', '', '', '']
    let { path } = parts
    let query = ''
    const taken: number[] = []
    let broken = path[0] !== '/'
    const take = (name: string, value: string): boolean => {
      const at = names.indexOf(name)
      if (at < 0) return false
      // Twice, empty, or an escape that is none.
      if (values[at] || !(values[at] = decodeValue(value) ?? '')) broken = true
      taken.push(at)
      return true
    }
    if (inPath && path.startsWith(`/${names[0]}=`)) {
      const end = `${path}/`.indexOf('/', 1)
      // `~` stands for `%` here: servers refuse or decode `%2F` in a path.
      eachParameter(path.slice(0, end).replaceAll('~', '%'), ',', (name, value) => {
        if (!take(name, value)) broken = true
      })
      path = path.slice(end) || '/'
    }
    eachParameter(parts.query, '&', (name, value, piece) => {
      if (
        (inPath || !take(name, value)) &&
        !ignore.some((other) => name === other || (other.endsWith('*') && name.startsWith(other.slice(0, -1))))
      )
        query += `${query ? '&' : '?'}${piece}`
    })
    return { values, taken, broken, rest: { origin: parts.origin, path, query, fragment: parts.fragment } }
  }

  // What the signature covers: docs/spec.md, section 5. Takes the values encoded.
  function textOf(values: readonly string[], rest: Parts): string {
    let text = `${head}${origin ? rest.origin : ''}\n${values[4] ? '' : rest.path}\n${rest.query}`
    for (let i = 0; i < 8; i++) text += `\n${values[i]}`
    return text
  }

  return {
    name: 'hmac',
    carries: ['starts', 'method', 'ip', 'prefix', 'uses'],
    own: ['id'],
    covers: ['path', 'query', ...NAMES.slice(0, 8), ...(purpose ? ['purpose'] : []), ...(origin ? ['origin'] : [])],

    async seal(grant: Grant<HmacConditions>): Promise<string> {
      const { url, network, uses } = grant
      const key = grant.signingKey(ring, grant.now)
      const { taken, rest } = scan(url)
      if (taken.length)
        throw new LinkError(
          taken.includes(0) && taken.includes(8) ? 'already_signed' : 'bad_option',
          `the URL has a parameter '${names[taken[0] as number]}': it is a link already, or the option parameters must rename ours`,
        )
      insist(!origin || rest.origin, 'the option origin takes absolute URLs')
      // Clients resolve them before they send, and would climb over the token.
      insist(!inPath || !/\/(\.|%2e){1,2}(\/|$)/i.test(rest.path), `placement 'path' takes paths without the segments . and ..`)
      const id = grant.own.id ?? (uses && grant.random())
      const values = [grant.expires, grant.starts, grant.methods, network && `${network.bits}`, grant.prefix, uses, id, key.id].map(
        (value) => (value ? encodeValue(`${value}`) : ''),
      )
      const text = textOf(values, grant.normalise(rest))
      let signature = await grant.mac(key, text, BASE64URL)
      if (network) signature += await grant.mac(key, `${text}\n${network.digits}`, BASE64URL)
      let token = ''
      for (let i = 0; i < 9; i++) {
        const value = i < 8 ? values[i] : signature
        if (value) token += `${i ? (inPath ? ',' : '&') : ''}${names[i]}=${value}`
      }
      return inPath
        ? `${rest.origin}/${token.replaceAll('~', '%7E').replaceAll('%', '~')}${url.slice(rest.origin.length).replace(/^(?!\/)/, '/')}`
        : append(url, token)
    },

    read(url: string): HmacReading | 'unsigned' | 'malformed' {
      const { values, taken, broken, rest } = scan(url)
      const [expires, starts, method, net, prefix, uses, id, key, signature] = values as [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
      ]
      if (!taken.includes(0) && !taken.includes(8)) return 'unsigned'
      if (broken || !expires || signature.length !== (net ? 86 : 43) || (uses && !id)) return 'malformed'
      for (let i = 0; i < 6; i++) if (values[i] && !SHAPES[i]?.test(values[i] as string)) return 'malformed'
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
      const signature = values[8] as string
      const normal = visit.normalise(rest)
      const text = textOf(
        values.map((value) => value && encodeValue(value)),
        normal,
      )
      // What was signed, in place of what was written.
      ;(claims as { resource: string }).resource = normal.origin + normal.path + normal.query
      const key = await visit.match(ring, claims.keyId, text, signature.slice(0, 43), BASE64URL)
      if (typeof key === 'string' || !claims.ip) return typeof key === 'string' ? key : { key, claims }
      // The second half binds the address, which the link does not show.
      const digits = visit.network(+(values[3] as string))?.digits
      const ip = digits !== undefined && (await visit.match([key], undefined, `${text}\n${digits}`, signature.slice(43), BASE64URL)) === key
      return { key, ip, claims: ip ? { ...claims, ip: visit.ip?.replace(/^::ffff:(?=.*\.)/i, '') + claims.ip } : claims }
    },
  }
}
