// Mistakes with the request: the verifier sees another method, address, host or path than the signer meant.
import { decodeValue, split } from '../../lib/url.ts'
import { addressesNamed, addressesWithin } from '../addresses.ts'
import type { Attempt } from '../attempt.ts'
import { unicodeHost } from '../idn.ts'
import { type Rule, urls, type Variant } from '../rule.ts'
import { withOrigin, withPath } from './parts.ts'

const TRUST_PROXY =
  'Tell the server which proxies it may trust, so that it takes host and protocol from their headers, or let the proxy keep Host.'

/** Mistakes with the request. */
export const REQUEST_RULES: readonly Rule[] = [
  {
    code: 'method',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The link is signed for ${what}, and the request has another method.`,
    remedy: (what) =>
      `Send ${what}, or sign the link for the method that clients send. A link for GET does not open HEAD where the method is signed.`,
    variants: (attempt) =>
      reads(attempt, 'method')
        ? ['GET', 'PUT', 'HEAD', 'POST', 'DELETE'].filter((method) => method !== attempt.method).map(withMethod)
        : [],
  },
  {
    code: 'proxy_address',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The link is for the address ${what}, and the verifier sees the address of a proxy.`,
    remedy: 'Pass the address of the client: the last one in X-Forwarded-For that your own proxies have written.',
    variants: (attempt) => (reads(attempt, 'ip') ? addressesOf(attempt).map((ip) => ({ patch: { ip }, what: ip })) : []),
  },
  {
    code: 'address_form',
    kind: 'request',
    rarity: 1,
    sentence: (what) =>
      `The link is for the address ${what}, and the verifier got it with something around it, such as a port or a space, or as "::ffff:…".`,
    remedy: 'Pass the address alone: without its port, white space and the other entries of a list, and in the spelling that was signed.',
    variants: ({ ip, ...attempt }) => {
      if (ip === undefined || !reads({ ip, ...attempt }, 'ip')) return []
      const family = ip.includes('.') ? [otherFamily(ip)] : []
      return [...addressesWithin(ip), ...family].map((address) => ({ patch: { ip: address }, what: address }))
    },
  },
  {
    code: 'http_for_https',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The link is signed for ${what}, and the verifier sees the other protocol: a proxy in front of it ends TLS.`,
    remedy: TRUST_PROXY,
    variants: (attempt) => origins(attempt, (origin) => origin.replace(/^http(s?):/i, (_, s) => (s ? 'http:' : 'https:')), protocolOf),
  },
  {
    code: 'port',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The link is signed for the host ${what}, and the verifier sees it with another port or without one.`,
    remedy:
      'Let the proxy pass the whole Host header ("proxy_set_header Host $http_host;" with NGINX), and sign for the port that clients use.',
    variants: (attempt) => PORTS.flatMap((port) => origins(attempt, (origin) => origin.replace(/:\d+$/, '') + port)),
  },
  {
    code: 'forwarded_host',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The link is signed for the host ${what}, and the verifier sees another one.`,
    remedy: TRUST_PROXY,
    variants: (attempt) => hostsIn(attempt).flatMap((host) => origins(attempt, (origin) => origin.replace(/\/\/.*$/, `//${host}`))),
  },
  {
    code: 'www',
    kind: 'request',
    rarity: 1,
    sentence: (what) => `The link is signed for the host ${what}, and arrives at the host with or without "www".`,
    remedy: 'Sign for the host that the site redirects to.',
    variants: (attempt) =>
      origins(attempt, (origin) => (/\/\/www\./i.test(origin) ? origin.replace(/www\./i, '') : origin.replace('//', '//www.'))),
  },
  {
    code: 'host_case',
    kind: 'request',
    rarity: 3,
    sentence: (what) => `The link is signed for the host ${what}, which differs in upper and lower case, or by a dot at its end.`,
    remedy: 'Write hosts in lower case and without a dot at the end.',
    variants: (attempt) => [
      ...origins(attempt, (origin) => origin.toLowerCase()),
      ...origins(attempt, (origin) => origin.replace(/(:\d+)?$/, '.$1')),
      ...origins(attempt, (origin) => origin.replace(/\.(?=$|:\d+$)/, '')),
    ],
  },
  {
    code: 'host_alphabet',
    kind: 'request',
    rarity: 3,
    sentence: (what) => `The link is signed for the host ${what}, and clients write its letters beyond ASCII as "xn--…".`,
    remedy: 'Sign for the host as clients write it: new URL(url).host in JavaScript, idn_to_ascii() in PHP.',
    variants: (attempt) => origins(attempt, (origin) => origin.replace(/(?<=\/\/).*/, unicodeHost)),
  },
  {
    code: 'localhost',
    kind: 'request',
    rarity: 2,
    sentence: (what) =>
      `The link is signed for ${what}, the address of a program that does not know the public one, such as a queue or a command.`,
    remedy: 'Set the public URL where the link is signed: APP_URL with Laravel, default_uri of the router with Symfony.',
    variants: (attempt) =>
      attempt.scheme.covers.includes('scheme')
        ? LOCAL.flatMap((local) =>
            origins(
              attempt,
              () => local,
              (origin) => origin,
            ),
          )
        : [],
  },
  {
    code: 'internal_host',
    kind: 'request',
    rarity: 2,
    sentence: (what) => `The link is signed for ${what}, a name that only the signer knows, and was rewritten to the public host.`,
    remedy: 'Sign with the public endpoint: the host is a part of the signature, and replacing it afterwards breaks the link.',
    variants: (attempt) =>
      reads(attempt, 'headers') || /\.amazonaws\./.test(attempt.url)
        ? INTERNAL.flatMap((host) => origins(attempt, (origin) => origin.replace(/\/\/.*$/, `//${host}`)))
        : [],
  },
  {
    code: 'trailing_slash',
    kind: 'request',
    rarity: 1,
    sentence: 'The path has a slash at its end on one side only.',
    remedy: 'Sign the URL that the server redirects to, with or without the slash.',
    variants: (attempt) =>
      urls(
        attempt,
        withPath(attempt.url, (path) => (path.endsWith('/') ? path.slice(0, -1) || undefined : `${path}/`)),
      ),
  },
  {
    code: 'mounted_path',
    kind: 'request',
    rarity: 1,
    sentence: (what) =>
      `The link is signed for the path ${what}, and the verifier sees another one: a router or a proxy added or removed the first segment.`,
    remedy: 'Verify the URL as the client sent it (originalUrl in Express), or sign the path as the verifier sees it.',
    variants: (attempt) => mountedPaths(attempt).map((url) => ({ patch: { url }, what: split(url).path.slice(0, 60) })),
  },
  {
    code: 'merged_slashes',
    kind: 'request',
    rarity: 3,
    sentence: 'Several slashes in the path became one on the way, or one became several.',
    remedy: 'Join paths without doubled slashes before signing.',
    variants: (attempt) =>
      urls(
        attempt,
        withPath(attempt.url, (path) => path.replace(/\/{2,}/g, '/')),
        withPath(attempt.url, (path) => `/${path}`),
        withPath(attempt.url, (path) => path.replace(/\/(?=[^/]+$)/, '//')),
      ),
  },
  {
    code: 'path_case',
    kind: 'request',
    rarity: 2,
    sentence: 'The path is in lower case on one side only.',
    remedy: 'Sign the path as clients send it: paths are case-sensitive.',
    variants: (attempt) =>
      urls(
        attempt,
        withPath(attempt.url, (path) => path.toLowerCase()),
        withPath(attempt.url, (path) => path.toUpperCase()),
      ),
  },
  {
    code: 'index_file',
    kind: 'request',
    rarity: 3,
    sentence: 'The path names an index file, and the link was signed for its folder, or the other way round.',
    remedy: 'Verify before the server looks for index files.',
    variants: (attempt) =>
      urls(
        attempt,
        withPath(attempt.url, (path) => path.replace(/\/index\.\w+$/, '/')),
        withPath(attempt.url, (path) => (path.endsWith('/') ? `${path}index.html` : undefined)),
      ),
  },
]

const PORTS = ['', ':443', ':80', ':8080', ':3000', ':9000', ':8443', ':8000', ':5000', ':4566', ':10000']
const LOCAL = [
  'http://localhost',
  'http://localhost:8000',
  'http://127.0.0.1:8000',
  'http://127.0.0.1',
  'http://localhost:3000',
  'http://localhost:8080',
  'https://localhost',
]
const INTERNAL = [
  'minio:9000',
  'localhost:9000',
  'localhost',
  '127.0.0.1:9000',
  'localhost:4566',
  'localstack:4566',
  's3:9000',
  'localhost:3000',
  'localhost:8080',
]

/** Does the string to sign depend on this part of the request? */
function reads({ scheme }: Attempt, part: 'method' | 'ip' | 'headers'): boolean {
  return (
    scheme.reads?.includes(part) === true ||
    (part === 'ip' && scheme.carries.includes('ip')) ||
    (part === 'method' && scheme.covers.includes('method'))
  )
}

const withMethod = (method: string): Variant => ({ patch: { method }, what: method })

const hostOf = (origin: string): string => origin.slice(origin.indexOf('//') + 2)
const protocolOf = (origin: string): string => `${origin.split(':', 1)[0]}:`

function origins(attempt: Attempt, change: (origin: string) => string, name = hostOf): readonly Variant[] {
  // A scheme that does not cover the host has nothing to change here.
  if (!attempt.scheme.covers.includes('host') && attempt.scheme.name !== 'azure') return []
  // A path alone is for the host of the header.
  const { host } = attempt.headers
  if (!split(attempt.url).origin && host !== undefined) {
    const changed = hostOf(change(`https://${host}`))
    return changed === host ? [] : [{ patch: { headers: { ...attempt.headers, host: changed } }, what: name(`https://${changed}`) }]
  }
  const url = withOrigin(attempt.url, change)
  if (url === undefined || url === attempt.url) return []
  return [{ patch: { url, headers: { ...attempt.headers, host: hostOf(split(url).origin) } }, what: name(split(url).origin) }]
}

/** Hosts that the headers name. */
function hostsIn({ headers }: Attempt): readonly string[] {
  const named = ['x-forwarded-host', 'x-original-host', 'host', ':authority'].flatMap((name) => headers[name]?.split(',') ?? [])
  const forwarded = /host="?([^;,"\s]+)/i.exec(headers['forwarded'] ?? '')?.[1]
  const hosts = [...named.map((host) => host.trim()), ...(forwarded ? [forwarded] : [])]
  return hosts.filter((host) => /^[\w.:[\]-]+$/.test(host))
}

/** Addresses that the headers name, and those of proxies on the same machine. */
const addressesOf = (attempt: Attempt): readonly string[] =>
  [...new Set([...addressesNamed(attempt), '127.0.0.1', '::1'])].filter((address) => address !== attempt.ip)

/** The same address as a socket for IPv4 reports it, or as one for both families does. */
const otherFamily = (ip: string): string => (/^::ffff:/i.test(ip) ? ip.slice('::ffff:'.length) : `::ffff:${ip}`)

function mountedPaths({ url, headers }: Attempt): readonly string[] {
  const { path } = split(url)
  if (path[0] !== '/') return []
  const prefixes = ['x-forwarded-prefix', 'x-script-name', 'x-forwarded-path'].flatMap((name) => headers[name] ?? [])
  const originals = ['x-original-uri', 'x-original-url', 'x-rewrite-url'].flatMap((name) => headers[name]?.split('?', 1)[0] ?? [])
  const segments = path.split('/')
  const shorter = segments.slice(2, 6).map((_, at) => `/${segments.slice(at + 2).join('/')}`)
  const paths = [
    ...originals,
    ...prefixes.map((prefix) => prefix.replace(/\/$/, '') + path),
    ...shorter,
    ...['/api', '/static', '/files', '/public', '/app', '/media', '/download', '/s', '/v1', '/storage'].map((prefix) => prefix + path),
  ]
  const good = paths.filter((other) => other.startsWith('/') && other !== path && decodeValue(other) !== undefined)
  return [...new Set(good)].map((other) => withPath(url, () => other) as string)
}
