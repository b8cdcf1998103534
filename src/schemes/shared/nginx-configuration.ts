// The options of nginx, which say how NGINX is configured, checked and parsed.
import { assertKnownOptions, assertOption } from '../../core/errors.ts'
import type { Covered } from '../../core/scheme.ts'
import { assertVariables, coveredBy, covers, directive, type Expression, parseExpression, type SharedOptions } from './nginx-expression.ts'
import { EXPIRY } from './nginx-fields.ts'

/** Options of `nginx`: how NGINX is configured. */
export interface NginxOptions<E extends string = string> extends SharedOptions {
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
}

/** The expression of the Python SecureLink and of NGINX's documentation. */
export type NginxExpression = '$secure_link_expires$uri$remote_addr $secret'

const EXPRESSION: NginxExpression = '$secure_link_expires$uri$remote_addr $secret'

const OPTIONS = ['expression', 'parameters', 'placement', 'location', 'variables', 'mergeSlashes', 'ambiguous']

/** The options, checked and parsed once. */
export interface Configuration {
  /** Where the token is: in the query, in the path with the expiry after it, or in the path as `secure_link_secret` has it. */
  readonly layout: 'query' | 'path' | 'secret'
  /** Names of the parameters in the query. The links have no expiry if its name is empty. */
  readonly names: { readonly md5: string; readonly expires: string }
  readonly location: string | undefined
  readonly expression: Expression
}

/** Checks the options, and parses the expression. */
export function configurationOf(options: NginxOptions): Configuration {
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
export function coversExpiry({ layout, names, expression }: Configuration): boolean {
  const inLink = { query: names.expires !== '', path: true, secret: false }[layout]
  const asArgument = layout === 'query' && covers(expression, `arg_${names.expires}`.toLowerCase())
  return inLink && (covers(expression, 'secure_link_expires') || asArgument)
}

/** The parts of a request that the signature covers. */
export function coverage(configuration: Configuration): readonly Covered[] {
  const { layout, location, expression } = configuration
  // Without `location`, the first segment of the path is not covered.
  const rest = location && (layout === 'secret' || covers(expression, 'rest')) ? (['path'] as const) : []
  const query = layout === 'secret' ? (['query'] as const) : []
  const expires = coversExpiry(configuration) ? (['expires'] as const) : []
  return [...coveredBy(expression), ...rest, ...query, ...expires]
}
