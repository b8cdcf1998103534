// nginx: links of NGINX's own module, https://nginx.org/en/docs/http/ngx_http_secure_link_module.html
import type { Expiry } from '../core/conditions.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { isBytes, type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Algorithm, Covered, Grant, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { ENDLESS } from '../core/time.ts'
import { append, LONGEST, split } from '../lib/url.ts'
import {
  assertVariables,
  type ConditionOf,
  type ConditionsOf,
  coveredBy,
  coveredQuery,
  coveredUrl,
  covers,
  directive,
  type Expression,
  type Found,
  factsOf,
  grantToSign,
  parseExpression,
  readingOf,
  requestOf,
  requestToSign,
  type SignedUrl,
  type Values,
  type Variables,
} from './shared/nginx-expression.ts'
import { EXPIRY } from './shared/nginx-fields.ts'
import { argument, bytesOf, isToken, type NginxRequest, numberOf, pathOf, without } from './shared/nginx-request.ts'
import { md5Digest } from './shared/plain-hash.ts'

export type { SignedUrl, Variables }

/** Options of {@link nginx}: how NGINX is configured. */
export interface NginxOptions<E extends string = string> {
  /**
   * The text of `secure_link_md5`, with `$secret` in place of the secret: `'$secure_link_expires$uri $secret'`. Or the lines of the configuration:
   * `'secure_link $arg_st,$arg_e; secure_link_md5 "$secure_link_expires$uri $secret";'`, or `'secure_link_secret $secret;'`.
   */
  readonly expression?: E
  /** Names of the parameters, unless the expression has a line `secure_link`. Default: `md5` and `expires`. */
  readonly parameters?: { readonly md5?: string; readonly expires?: string }
  /** `'path'` for `/first/<md5>/<expires>/rest`; `$rest` is then the last group of the location's regular expression. Default: `'query'`. */
  readonly placement?: 'query' | 'path'
  /**
   * With a token in the path: the first segment, `'/hls/'`. `sign` refuses other paths, and links with another first segment are `unsigned`. Without
   * this option the first segment is not covered, so `claims.resource` leaves it out.
   */
  readonly location?: string
  /** Values of further variables, by name, or functions of the URL without the token: `{ raw_path: ({ path }) => path }`. */
  readonly variables?: Variables
  /** As the directive `merge_slashes`. Default: `true`. */
  readonly mergeSlashes?: boolean
  /**
   * Signs and accepts links whose text is also that of another path, time or argument, as NGINX does: a client with such a link can move characters
   * from one field to the next. Default: `false`.
   */
  readonly ambiguous?: boolean
}

/** The expression of the Python SecureLink and of NGINX's documentation. */
export type NginxExpression = '$secure_link_expires$uri$remote_addr $secret'

/** The conditions that links of an expression can carry: an address if it has `$remote_addr`, a method if it has `$request_method`. */
export type NginxCondition<E extends string> = ConditionOf<E>

/** An expression with `$remote_addr` needs the address. */
export type NginxConditions<E extends string> = ConditionsOf<E>

/** Links expire if the expression has `$secure_link_expires`. Where the names of the parameters decide, the compiler takes both. */
export type NginxExpiry<E extends string> = string extends E
  ? 'required' | 'none'
  : E extends `${string}secure_link_secret${string}`
    ? 'none'
    : E extends `${string}secure_link ${string}`
      ? 'required' | 'none'
      : E extends `${string}secure_link_expires${string}`
        ? 'required'
        : E extends `${string}arg_${string}`
          ? 'required' | 'none'
          : 'none'

const EXPRESSION: NginxExpression = '$secure_link_expires$uri$remote_addr $secret'

const OPTIONS = ['expression', 'parameters', 'placement', 'location', 'variables', 'mergeSlashes', 'ambiguous']

/** The options, checked and parsed once. */
interface Configuration {
  /** Where the token is: in the query, in the path with the expiry after it, or in the path as `secure_link_secret` has it. */
  readonly layout: 'query' | 'path' | 'secret'
  /** Names of the parameters in the query. The links have no expiry if its name is empty. */
  readonly names: { readonly md5: string; readonly expires: string }
  readonly location: string | undefined
  readonly expression: Expression
}

/**
 * Links of NGINX's `secure_link`: a plain MD5 of a string that contains the secret. Choose this scheme for an NGINX that you do not control. If you
 * run both the signer and the verifier, choose `hmac`.
 *
 * The path is signed as NGINX sees it: decoded, with slashes merged. The signature covers the variables of the expression and nothing else, so
 * `claims.resource` of a valid link holds the path and those arguments that the expression has. A link is still valid in the second of its expiry.
 * An address or method that does not match is a `bad_signature`, because it is only in the digest.
 *
 * Without `$secure_link_expires` in the expression, and with `secure_link_secret`, links never expire: `expires` must be `'never'`.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_secure_link_module.html
 * @param keys - Secrets as text or bytes, newest first: the first one that is valid now signs, all of them verify, and an empty list only reads
 *   links.
 * @param options - How NGINX is configured. Default: the expression of the Python SecureLink.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a wrong expression or option and for a `CryptoKey`, `weak_key` for an empty secret.
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
export function nginx<const E extends string = NginxExpression>(
  keys: Keys<SecretKey>,
  options: NginxOptions<E> = {},
): Scheme<NginxCondition<E>, NginxConditions<E>, NginxExpiry<E>> {
  const configuration = configurationOf(options)
  const { layout, expression } = configuration
  const expiry: Expiry = coversExpiry(configuration) ? 'required' : 'none'
  return {
    name: 'nginx',
    ...factsOf<NginxCondition<E>>(expression),
    covers: coverage(configuration),
    parameters: expression.own,
    algorithm: layout === 'secret' ? MD5_HEX : MD5,
    expiry: expiry as NginxExpiry<E>,
    validAtExpiry: true,
    // The documented configuration answers 403 to everything but a link that has expired.
    status: { malformed: 403 },
    keys: keyring(keys, { prepare: withKnownSecret }),

    write(grant) {
      const request = requestToSign(expression, grant)
      const { args, values, link } = WRITERS[layout](configuration, grant, request)
      return { toSign: grantToSign(expression, grant, { ...request, args }, values), link }
    },

    read(url): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const found = READERS[layout](configuration, url)
      return typeof found === 'string' || 'malformed' in found ? found : readingOf(expression, found)
    },
  }
}

const MD5: Algorithm = { digest: md5Digest, encoding: 'base64url' }
const MD5_HEX: Algorithm = { digest: md5Digest, encoding: 'hex' }

/** The digest is over the secret itself. */
function withKnownSecret(key: SecretKey): SecretKey {
  const { secret } = key
  assertOption(typeof secret === 'string' || isBytes(secret), 'secret', 'text or bytes: WebCrypto has no MD5, so it cannot use a CryptoKey')
  return key
}

function configurationOf(options: NginxOptions): Configuration {
  assertKnownOptions(options, OPTIONS, 'nginx()')
  const { expression: text = EXPRESSION, placement = 'query', location } = options
  assertOption(typeof text === 'string', 'expression', 'text')
  assertOption(placement === 'query' || placement === 'path', 'placement', "'query' or 'path'")
  const secretLine = directive(text, 'secure_link_secret')
  const secretAlone = secretLine === undefined || /^\$\{?secret\}?$/.test(secretLine)
  assertOption(secretAlone, 'expression', 'one with $secret after secure_link_secret, because the secret itself is the key')

  const layout = secretLine ? 'secret' : placement
  assertLocation(location, layout)
  const { md5, expires } = parametersOf(options, layout === 'query' ? directive(text, 'secure_link') : undefined)
  const own = layout === 'query' ? [md5, expires] : []
  const template = secretLine ? '$link$secret' : hashedText(text)
  const configuration: Configuration = {
    layout,
    names: { md5, expires },
    location,
    expression: parseExpression('expression', template, options, own, layout === 'query' ? { [expires]: EXPIRY } : {}),
  }
  assertExpression(configuration)
  return configuration
}

/** The text in quotes of a line `secure_link_md5`, or the whole, if it has no such line. */
function hashedText(text: string): string {
  const hashed = directive(text, 'secure_link_md5') ?? text
  assertOption(!/^\s*secure_link/.test(hashed), 'expression', 'one with a line secure_link_md5 "…", or the text in its quotes')
  return hashed
}

/** The names of the two parameters, from the line `secure_link` or from the options. */
function parametersOf({ parameters }: NginxOptions, line: string | undefined): Configuration['names'] {
  const [, first, second = ''] = /^\$\{?arg_(\w+)\}?(?:,\$\{?arg_(\w+)\}?)?$/.exec(line ?? '') ?? []
  const rule = "one with a line secure_link of parameters, such as '$arg_md5,$arg_expires'; for a token in the path there is placement"
  assertOption(!line || first, 'expression', rule)
  assertOption(!line || !parameters, 'parameters', 'left out, because the line secure_link has their names')
  const { md5, expires } = first ? { md5: first, expires: second } : { md5: 'md5', expires: 'expires', ...parameters }
  const distinct = `${md5}`.toLowerCase() !== `${expires}`.toLowerCase()
  const good = /^\w+$/.test(md5) && /^\w*$/.test(expires) && distinct
  assertOption(good, 'parameters', 'two distinct names of letters, digits and _, because NGINX reads no others')
  return { md5, expires }
}

function assertLocation(location: string | undefined, layout: Configuration['layout']): void {
  if (location === undefined) return
  const good = layout !== 'query' && /^\/[\w\-.~]+\/$/.test(location) && !/^\/\.\.?\/$/.test(location)
  assertOption(good, 'location', "one plain segment between slashes, such as '/hls/', and only with a token in the path")
}

function assertExpression({ layout, names, expression }: Configuration): void {
  assertOption(expression.names.includes('secret'), 'expression', 'a text of NGINX variables with $secret where the secret stands')
  const known = ['secret', 'secure_link_expires', 'remote_addr', 'host', 'request_method']
  const token = `arg_${names.md5}`.toLowerCase()
  assertVariables('expression', expression, {
    known: known.concat({ query: ['uri'], path: ['rest', 'args', 'query_string'], secret: ['link'] }[layout]),
    holdToken: layout === 'query' ? ['args', 'query_string', 'request_uri', token] : ['uri', 'request_uri'],
    fixed: ['secret', 'secure_link_expires', 'remote_addr', 'request_method', 'uri', 'rest', 'link'],
  })
}

/** Does the signature cover the expiry? */
function coversExpiry({ layout, names, expression }: Configuration): boolean {
  const inLink = { query: names.expires !== '', path: true, secret: false }[layout]
  const asArgument = layout === 'query' && covers(expression, `arg_${names.expires}`.toLowerCase())
  return inLink && (covers(expression, 'secure_link_expires') || asArgument)
}

function coverage(configuration: Configuration): readonly Covered[] {
  const { layout, location, expression } = configuration
  // Without `location`, the first segment of the path is not covered.
  const rest = location && (layout === 'secret' || covers(expression, 'rest')) ? (['path'] as const) : []
  const query = layout === 'secret' ? (['query'] as const) : []
  const expires = coversExpiry(configuration) ? (['expires'] as const) : []
  return [...coveredBy(expression), ...rest, ...query, ...expires]
}

/** A link to write: the values of its text, and the place of the token. */
interface Written {
  /** `$args` of the link. */
  readonly args: string
  /** The variables that hold parts of the link. */
  readonly values: Values
  link(token: string): string
}

type Writer = (configuration: Configuration, grant: Grant, request: NginxRequest) => Written

const WRITERS: Readonly<Record<Configuration['layout'], Writer>> = {
  query({ names }, { url, expires = ENDLESS }, { args }) {
    const expiry = names.expires && `&${names.expires}=${expires}`
    const values = names.expires ? { secure_link_expires: `${expires}` } : {}
    return { args: args + expiry, values, link: (token) => append(url, `${names.md5}=${token}${expiry}`) }
  },

  path(configuration, { parts, expires = ENDLESS }, { args, uri }) {
    const { origin, query, fragment } = parts
    const { front, behind } = splitPath(configuration, parts.path)
    const rest = uri.slice(front.length)
    assertNoHost(rest)
    return {
      args,
      values: { secure_link_expires: `${expires}`, rest },
      link: (token) => `${origin}${front}/${token}/${expires}${behind}${query}${fragment}`,
    }
  },

  secret(configuration, { parts }, { args }) {
    const { origin, query, fragment } = parts
    const { front, behind } = splitPath(configuration, parts.path)
    assertNoHost(behind)
    const signed = behind.slice(1) + query
    const sent = signed && !/[^!-~]|["<>\\^`{|}]/.test(signed) && !query.includes("'")
    assertOption(
      sent,
      'url',
      'percent-encoded as clients send it, with a path after its first segment: secure_link_secret signs it undecoded',
    )
    return { args, values: { link: signed }, link: (token) => `${origin}${front}/${token}/${signed}${fragment}` }
  },
}

/** The first segment of a path, and the rest of it. The token stands between them. */
function splitPath({ location }: Configuration, path: string): { readonly front: string; readonly behind: string } {
  const [, front = '', behind = ''] = /^(\/[\w\-.~]+)(\/.*)$/.exec(path) ?? []
  assertOption(behind, 'url', 'one with a plain first segment and at least another: the token stands between them')
  assertOption(!location || location === `${front}/`, 'url', "one whose path starts with the option 'location'")
  return { front, behind }
}

/** `claims.resource` comes without the first segment, and must not begin with a host then. */
function assertNoHost(path: string): void {
  assertOption(!path.startsWith('//'), 'url', 'one without two slashes after its first segment')
}

type Reader = (configuration: Configuration, url: string) => Found | Unreadable

// A path with a token after its first segment. NGINX accepts more, but all readers must read the first segment alike.
const PATH_WITH_TOKEN = /^(?<front>\/[\w\-.~]+)\/(?<token>[\w-]{22})\/(?<expiry>\d+)(?<behind>\/.*)$/s
const PATH_WITH_HASH = /^(?<front>\/[\w\-.~]+)\/(?<token>[\da-f]{32})\/(?<link>[^/].*)$/s

const READERS: Readonly<Record<Configuration['layout'], Reader>> = {
  query({ expression }, url) {
    const { origin, path, query } = split(url)
    const { own } = expression
    const args = bytesOf(query.slice(1))
    const found = own.map((name) => argument(args, name))
    if (found.every((value) => value === undefined)) return 'unsigned'
    const { token, expiry } = secureLink(found.map((value) => value ?? '').join())
    const seconds = expiry === undefined ? ENDLESS : numberOf(expiry)
    if (!isToken(token, 16)) return { malformed: own[0] as string }
    if (seconds <= 0) return { malformed: own[1] ?? (own[0] as string) }
    const others = without(query, own)
    const request = requestOf(expression, { origin, path, query: others }, args)
    if (!request) return 'malformed'
    const resource = origin + path + others
    return { request, token, values: { secure_link_expires: expiry }, seconds, resource, proven: coveredUrl(expression, request) }
  },

  path({ location, expression }, url) {
    const { origin, path, query } = split(url)
    const { front = '', token = '', expiry = '', behind = '' } = PATH_WITH_TOKEN.exec(path)?.groups ?? {}
    // A path with another token only looks like a link.
    if (!isToken(token, 16) || !isAt(location, front)) return 'unsigned'
    const seconds = numberOf(expiry)
    const request = requestOf(expression, { origin, path: front + behind, query }, bytesOf(query.slice(1)))
    if (!request || seconds <= 0) return 'malformed'
    const rest = request.uri.slice(front.length)
    // `claims.resource` leaves out the first segment. With two slashes it would begin with a host.
    if (rest.startsWith('//')) return 'malformed'
    const provenPath = covers(expression, 'rest') ? (location ? front : '') + pathOf(rest) : '/'
    return {
      request,
      token,
      values: { secure_link_expires: expiry, rest },
      seconds,
      resource: origin + front + behind + query,
      proven: provenPath + coveredQuery(expression, request),
    }
  },

  secret({ location, expression }, url) {
    const { origin, path, query } = split(url)
    // secure_link_secret signs the rest as it was sent, with its query.
    const { front = '', token = '', link = '' } = PATH_WITH_HASH.exec(path + query)?.groups ?? {}
    if (!token || !isAt(location, front)) return 'unsigned'
    const request = requestOf(expression, { origin, path, query }, bytesOf(query.slice(1)))
    if (!request) return 'malformed'
    const proven = `${location ? front : ''}/${link}`
    return { request, token, values: { link: bytesOf(link) }, seconds: ENDLESS, resource: `${origin}${front}/${link}`, proven }
  },
}

const isAt = (location: string | undefined, front: string): boolean => location === undefined || location === `${front}/`

/** The value of the directive `secure_link`: a token, and after the first comma an expiry. */
function secureLink(line: string): { readonly token: string; readonly expiry: string | undefined } {
  const comma = line.indexOf(',')
  return comma < 0 ? { token: line, expiry: undefined } : { token: line.slice(0, comma), expiry: line.slice(comma + 1) }
}
