// Where links of NGINX have their token: in the query, in the path with the expiry after it, or in the path as `secure_link_secret` has it.
import { assertOption } from '../../core/errors.ts'
import type { Grant, Unreadable } from '../../core/scheme.ts'
import { ENDLESS } from '../../core/time.ts'
import { append, split } from '../../lib/url.ts'
import type { Configuration } from './nginx-configuration.ts'
import { coveredQuery, coveredUrl, covers, type Found, requestOf, type Values } from './nginx-expression.ts'
import { argument, bytesOf, isToken, type NginxRequest, numberOf, pathOf, without } from './nginx-request.ts'

/** A link to write: the values of its text, and the place of the token. */
export interface Written {
  /** `$args` of the link. */
  readonly args: string
  /** The variables that hold parts of the link. */
  readonly values: Values
  link(token: string): string
}

export type Writer = (configuration: Configuration, grant: Grant, request: NginxRequest) => Written

export const WRITERS: Readonly<Record<Configuration['layout'], Writer>> = {
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

export type Reader = (configuration: Configuration, url: string) => Found | Unreadable

// A path with a token after its first segment. NGINX accepts more, but all readers must read the first segment alike.
const PATH_WITH_TOKEN = /^(?<front>\/[\w\-.~]+)\/(?<token>[\w-]{22})\/(?<expiry>\d+)(?<behind>\/.*)$/s
const PATH_WITH_HASH = /^(?<front>\/[\w\-.~]+)\/(?<token>[\da-f]{32})\/(?<link>[^/].*)$/s

export const READERS: Readonly<Record<Configuration['layout'], Reader>> = {
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
