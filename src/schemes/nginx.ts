// nginx: links of NGINX's own module, https://nginx.org/en/docs/http/ngx_http_secure_link_module.html
import { md5 } from '@noble/hashes/legacy.js'
import { type Claims, LAST } from '../core/conditions.ts'
import { insist, LinkError } from '../core/errors.ts'
import { type Keyring, keyring, type SecretKey } from '../core/keys.ts'
import { printAddress } from '../lib/address.ts'
import { BASE64URL, encode, HEX, same } from '../lib/encoding.ts'
import {
  argument,
  arrayOf,
  bytesOf,
  type ConditionOf,
  type ConditionsOf,
  directive,
  fill,
  lowered,
  numberOf,
  pathOf,
  type Seen,
  see,
  tokenOf,
  type Values,
  type Variables,
  valueFor,
  variablesOf,
  without,
} from './shared/nginx-request.ts'
import { append, split } from '../lib/url.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from '../core/scheme.ts'

/** Options of {@link nginx}: how NGINX is configured. */
export interface NginxOptions<E extends string = string> {
  /**
   * What `secure_link_md5` has, with `$secret` where the secret stands: `'$secure_link_expires$uri $secret'`. Or the lines as they are in the
   * configuration: `'secure_link $arg_st,$arg_e; secure_link_md5 "$secure_link_expires$uri $secret";'`, or `'secure_link_secret $secret;'`.
   */
  readonly expression?: E
  /** Names of the parameters, unless the expression has a line `secure_link`. Default: `md5` and `expires`. */
  readonly parameters?: { readonly md5?: string; readonly expires?: string }
  /** `'path'` for `/first/<md5>/<expires>/rest`; `$rest` is then what the location's regular expression captures last. Default: `'query'`. */
  readonly placement?: 'query' | 'path'
  /** Values of further variables, by name, or functions of the URL's parts: `{ raw_path: ({ path }) => path }`. */
  readonly variables?: Variables
  /** As the directive `merge_slashes`. Default: `true`. */
  readonly mergeSlashes?: boolean
  /** Signs links that never expire, where the recipe has no expiry or leaves it out of the digest. Their `expires` is lost. */
  readonly forever?: boolean
}

/** The recipe of the Python SecureLink and of NGINX's documentation. */
export type NginxRecipe = '$secure_link_expires$uri$remote_addr $secret'

/** What links of a recipe can carry: an address if it has `$remote_addr`, a method if it has `$request_method`. */
export type NginxCondition<E extends string> = ConditionOf<E>

/** A recipe with `$remote_addr` needs the address. */
export type NginxConditions<E extends string> = ConditionsOf<E>

interface NginxReading extends Reading {
  readonly seen: Seen
  readonly token: string
  readonly values: Values
}

const RECIPE: NginxRecipe = '$secure_link_expires$uri$remote_addr $secret'

const COVERS: Record<string, string> = {
  uri: 'path',
  rest: 'path',
  secure_link_expires: 'expires',
  remote_addr: 'ip',
  request_method: 'method',
}

/**
 * Links of NGINX's `secure_link`: a plain MD5 of a text with the secret in it. For an NGINX that one does not control; where both ends are yours,
 * take `hmac`.
 *
 * The path is signed as NGINX sees it: decoded, with slashes merged and dots resolved. Beside what the recipe names nothing is covered. The
 * second of expiry itself is still good. An address or method that does not match is a `bad_signature`, because it is only in the digest.
 *
 * @param keys - Secrets as text or bytes, newest first: the first one in time signs, all verify, none only reads.
 * @param options - How NGINX is configured. Default: the recipe of the Python SecureLink.
 * @throws A {@link LinkError}: `bad_option` for a recipe that cannot be and for a `CryptoKey`, `weak_key` for an empty secret.
 *
 * @example
 * ```ts
 * import { sign } from 'securelink'
 * import { nginx } from 'securelink/schemes/nginx'
 *
 * const links = nginx({ secret: 'secret' }, { expression: 'secure_link_md5 "$secure_link_expires$uri $secret";' })
 * const link = await sign(links, 'https://cdn.example/a%20b.txt', { expires: '10m' })
 * ```
 */
export function nginx<const E extends string = NginxRecipe>(
  keys: Keyring<SecretKey>,
  options: NginxOptions<E> = {},
): Scheme<NginxCondition<E>, NginxConditions<E>> {
  const ring = keyring(keys)
  insist(
    ring.every(({ secret }) => !(secret as CryptoKey).algorithm),
    'nginx() takes secrets as text or bytes: WebCrypto has no MD5, so it has no use for a CryptoKey',
  )
  const { expression = RECIPE, mergeSlashes = true, forever } = options
  const inPath = options.placement === 'path'
  const given = lowered(options.variables)

  const whole = directive(expression, 'secure_link_secret')
  insist(!whole || /^\$\{?secret\}?$/.test(whole), 'expression takes secure_link_secret with $secret: the secret itself is the key')
  const recipe = directive(expression, 'secure_link_md5') ?? expression
  insist(!/^\s*secure_link/.test(recipe) || whole, 'expression takes a line secure_link_md5 "…", or what stands in its quotes')
  const template = bytesOf(whole ? '$link$secret' : recipe)

  const line = inPath ? undefined : directive(expression, 'secure_link')
  insist(!line || !options.parameters, 'the names of the parameters are in the line secure_link: leave out the option parameters')
  const [, first, second] = /^\$\{?arg_(\w+)\}?(?:,\$\{?arg_(\w+)\}?)?$/.exec(line ?? '') ?? []
  insist(
    !line || first,
    `expression takes a line secure_link of parameters, such as '$arg_md5,$arg_expires'; for the path there is placement`,
  )
  const { md5: token = 'md5', expires = 'expires' } = line ? { md5: first as string, expires: second ?? '' } : (options.parameters ?? {})
  const parameters = [token, expires].filter(Boolean).map((name) => name.toLowerCase())
  insist(
    /^\w+$/.test(token) && /^\w*$/.test(expires) && token.toLowerCase() !== expires.toLowerCase(),
    'parameters takes two names of letters, digits and _, because NGINX reads no others',
  )

  const names = variablesOf(template) ?? []
  insist(names.includes('secret'), 'expression takes a text of NGINX variables with $secret where the secret stands')
  const inQuery = !whole && !inPath
  const known = ['secret', 'secure_link_expires', 'remote_addr', 'host', 'request_method', ...Object.keys(given)].concat(
    whole ? 'link' : inPath ? ['rest', 'args', 'query_string'] : 'uri',
  )
  for (const name of names)
    insist(
      known.includes(name) || (name.startsWith('arg_') && !(inQuery && name === `arg_${token}`.toLowerCase())),
      ['uri', 'args', 'query_string', 'request_uri', `arg_${token}`].includes(name)
        ? `expression has $${name}, which holds the token itself`
        : `expression has $${name.slice(0, 40)}, which only NGINX knows: give its value in the option variables`,
    )
  insist(
    !['secret', 'secure_link_expires', 'remote_addr', 'request_method', 'uri', 'rest', 'link'].some((name) => name in given),
    'variables takes those that only NGINX knows',
  )
  const needs = (name: string): boolean => names.includes(name) && !(name in given)
  const bound =
    !whole && expires !== '' && (names.includes('secure_link_expires') || (inQuery && names.includes(`arg_${expires}`.toLowerCase())))

  function digest(seen: Seen, values: Values, { secret }: SecretKey): string {
    const word = typeof secret === 'string' ? bytesOf(secret) : String.fromCharCode(...(secret as Uint8Array))
    const text = fill(template, (name) => (name === 'secret' ? word : valueFor(name, given, seen, values)))
    return encode(md5(arrayOf(text)), whole ? HEX : BASE64URL)
  }

  const common = ({ uri, host, args }: Seen): Values => ({ uri, host, args, query_string: args })

  function read(url: string): NginxReading | 'unsigned' | 'malformed' {
    const parts = split(url)
    const { origin, path, query } = parts
    const seen = see(parts, mergeSlashes)
    const unseen = seen ?? { parts, uri: '', args: bytesOf(query.slice(1)), host: '' }
    let values = common(unseen)
    const far = new Date(LAST * 1000)
    if (whole) {
      // The second segment of what was sent, undecoded.
      const [, front, hash, link] = /^(.[^/]*\/)([\da-f]{32})\/(.+)$/is.exec(path[0] === '/' ? path + query : '') ?? []
      if (!front || !hash || !link) return 'unsigned'
      if (!seen) return 'malformed'
      const claims = { resource: origin + front + link, expires: far }
      return { claims, seen, token: hash.toLowerCase(), values: { ...values, link: bytesOf(link) } }
    }

    // What the directive secure_link has: the token, and behind the first comma the expiry.
    let text: string
    let resource: string | undefined
    if (inPath) {
      const [, front, signature, expiry, rest] = /^(\/[^/]+)\/([^/,]+)\/(\d+)(\/.*)$/s.exec(unseen.uri) ?? []
      if (!front || !rest) return 'unsigned'
      resource = origin + pathOf(front + rest) + query
      text = `${signature},${expiry}`
      values = { ...values, rest }
    } else {
      const found = parameters.map((name) => argument(unseen.args, name))
      if (found.every((value) => value === undefined)) return 'unsigned'
      text = found.map((value) => value ?? '').join()
    }
    const [, signature = '', expiry] = /^([^,]*)(?:,(.*))?$/s.exec(text) ?? []
    const canonical = tokenOf(signature, 16, 24)
    const seconds = expiry === undefined ? LAST : numberOf(expiry)
    // A path that merely looks like one of ours.
    if (inPath && !canonical) return 'unsigned'
    if (!seen || !canonical || seconds <= 0) return 'malformed'
    resource ??= origin + path + without(query, parameters)
    const claims = { resource, expires: new Date(Math.min(seconds, LAST) * 1000) }
    return { claims, seen, token: canonical, values: { ...values, secure_link_expires: expiry } }
  }

  return {
    name: 'nginx',
    carries: [...(needs('remote_addr') ? ['ip'] : []), ...(needs('request_method') ? ['method'] : [])] as NginxCondition<E>[],
    covers: whole ? ['path', 'query'] : names.filter((name) => name !== 'secret').map((name) => COVERS[name] ?? name.replace('arg_', '?')),
    validAtExpiry: true,
    // The documented configuration answers 403 to everything but a link that has expired.
    status: { malformed: 403 },

    async seal(grant: Grant): Promise<string> {
      const { url, ip } = grant
      const key = grant.signingKey(ring, grant.now)
      const parts = split(url)
      const { origin, path, query, fragment } = parts
      const seen = see(parts, mergeSlashes)
      insist(
        seen,
        'url takes what NGINX does not answer with 400: no %00, no % that begins no escape, no .. above the root, and a space as %20',
      )
      // Clients resolve dots before they merge slashes, and so before they send; NGINX does it the other way round.
      insist(
        see(grant.normalise(seen.parts), mergeSlashes)?.uri === seen.uri,
        'url takes a path that clients and NGINX resolve alike: no .. behind two slashes',
      )
      insist(
        bound || forever,
        'links of this recipe have no expiry, or one that anybody can change: the option forever says that this is meant',
      )
      insist(!needs('remote_addr') || (ip && !ip.includes('/')), 'links with $remote_addr take an ip: an address, and not a network')
      insist(!needs('host') || /^[!-~]+$/.test(seen.host), 'links with $host take absolute URLs, and the host as it is sent')
      const [method = 'GET', another] = grant.methods ?? []
      insist(!another, 'links with $request_method take one method')
      const expiry = `${grant.expires}`
      const values = {
        ...common(seen),
        secure_link_expires: expires && expiry,
        request_method: method,
        remote_addr: ip && printAddress(ip),
      }

      if (inQuery) {
        const [one, other] = parameters.map((name) => argument(seen.args, name))
        if (one !== undefined || other !== undefined)
          throw new LinkError(
            one !== undefined && other !== undefined ? 'already_signed' : 'bad_option',
            `the URL has a parameter '${parameters.find((name) => argument(seen.args, name) !== undefined)}': it is a link already, or the option parameters must rename ours`,
          )
        const args = `${seen.args}&${expires}=${expiry}`
        return append(url, `${token}=${digest({ ...seen, args }, values, key)}${expires && `&${expires}=${expiry}`}`)
      }
      const [, front = '', rest = ''] = /^(\/[\w\-.~]+)(\/.*)$/.exec(path) ?? []
      insist(
        rest && !/\/(\.|%2e){1,2}(\/|$)/i.test(path),
        'url takes a path of a plain segment and at least another, without the segments . and ..: the token stands between them',
      )
      if (read(url) !== 'unsigned') throw new LinkError('already_signed', 'the URL is a link already: sign what it was made from')
      if (inPath) {
        const signature = digest(seen, { ...values, rest: seen.uri.slice(front.length) }, key)
        return `${origin}${front}/${signature}/${expiry}${rest}${query}${fragment}`
      }
      const link = rest.slice(1) + query
      insist(
        link && !/[^!-~]|["<>\\^`{|}]/.test(link) && !query.includes("'"),
        'url takes a path and a query as they are sent, percent-encoded: secure_link_secret signs them undecoded',
      )
      return `${origin}${front}/${digest(seen, { ...values, link: bytesOf(link) }, key)}/${link}${fragment}`
    },

    read,

    async check({ claims, seen, token, values }: NginxReading, visit: Visit): Promise<Proof | 'bad_signature'> {
      if (!ring.length) throw new LinkError('no_key', 'the ring has no key; an empty ring can read, but neither sign nor verify')
      const address = visit.ip === undefined ? undefined : printAddress(visit.ip)
      const proven: { -readonly [K in keyof Claims]: Claims[K] } = { ...claims }
      // What was signed, in place of what was written.
      if (inQuery) proven.resource = seen.parts.origin + pathOf(seen.uri) + without(seen.parts.query, parameters)
      if (needs('remote_addr')) {
        if (!address) return 'bad_signature'
        proven.ip = address
      }
      if (needs('request_method')) proven.methods = [visit.method]
      for (const key of ring)
        if (same(digest(seen, { ...values, remote_addr: address, request_method: visit.method }, key), token))
          return { key, claims: proven }
      return 'bad_signature'
    },
  }
}
