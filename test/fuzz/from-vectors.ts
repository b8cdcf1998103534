// Profiles for schemes that have none in profiles.ts: their keys, options, URLs and conditions are those of their conformance vectors, so a new
// scheme is covered without an edit here.
//
// They compare `claims.resource` with the URL that was signed, because the facts of a scheme do not show where its token is. A profile that
// is written by hand compares the request itself. `PECULIAR` has facts about links that the facts of their scheme do not contain.
import schemes from 'virtual:schemes'
import { generic } from './generic.ts'
import { type Check, different, type Issued, type Key, type Profile, starts, targetParts } from './profile.ts'
import type { Random } from './random.ts'
import { bytesOf, inNetwork, isIgnored, normalOrigin, outside, plainAddress, targetOf } from './readings.ts'
import { DAY, NOW } from './words.ts'

/** What this needs of a vector. */
interface Example {
  readonly url?: string
  readonly conditions?: Readonly<Record<string, unknown>>
}

const LEAST_BYTES = 6

type Options = Readonly<Record<string, unknown>>

/** What the facts of a scheme do not say. Each entry gives the reason. */
interface Peculiarity {
  /** Does the signature of this link cover the query? Default: as `covers` says. */
  coversQuery?(issued: Issued, options: Options): boolean
  /** The condition with patterns of what the link opens, in place of its own URL, and whether they are compared with the whole URL. */
  readonly patterns?: { readonly condition: string; readonly separator?: string; readonly ofUrl?: true }
  /** Checks in place of the common ones. */
  readonly fields?: Readonly<Record<string, Check>>
  /** The URL that a link is for, as the vendor's own signer writes it. Default: as it was given. */
  readonly asWritten?: (issued: Issued) => string
  /** The part of a path that is covered, in a URL with this origin, for a scheme with these options. Default: all of it. */
  readonly coveredPath?: (path: string, issued: Issued, origin: string, options: Options) => string
  readonly prefixHasOrigin?: boolean
  readonly refused?: Profile['refused']
}

/** Compares hosts without their port. */
const hostWithoutPort: Check = (issued, { target, headers }) => {
  const host = (origin: string) =>
    normalOrigin(origin)
      .replace(/^.*?:\/\//, '')
      .replace(/:\d+$/, '')
  return different(host(issued.target.origin) === host(target.origin || `https://${headers['host'] ?? ''}`), 'host')
}

/** Of an IPv6 address only the first 64 bits count. */
const addressOfBunny: Check = ({ conditions }, { ip }, claims) => {
  const asked = conditions['ip'] as string | undefined
  if (!asked) return different(claims.ip === undefined, 'claims.ip')
  const address = plainAddress(asked.split('/')[0] as string)
  return (
    different(claims.ip !== undefined, 'claims.ip') || different(inNetwork(address.includes(':') ? `${address}/64` : address, ip), 'ip')
  )
}

/** `ipRanges` has several networks, one of which the request must come from. */
const addressInRanges: Check = ({ conditions }, { ip }, claims) => {
  const ranges = [conditions['ip'] ?? conditions['ipRanges'] ?? []].flat().flatMap((range) => String(range).split(','))
  if (ranges.length === 0) return different(claims.ip === undefined, 'claims.ip')
  return (
    different(claims.ip !== undefined, 'claims.ip') ||
    different(
      ranges.some((range) => inNetwork(range, ip)),
      'ip',
    )
  )
}

/** Compares scheme or host, unless the condition `resource` says what the link opens. */
function unlessPattern(word: 'scheme' | 'host'): Check {
  return ({ conditions, target }, visit) => {
    const part = ({ origin }: typeof target) =>
      word === 'scheme' ? normalOrigin(origin).replace(/:.*/, '') : normalOrigin(origin).replace(/^.*?:\/\//, '')
    return different(conditions['resource'] !== undefined || !visit.target.origin || part(target) === part(visit.target), word)
  }
}

/** The link without the parameters that were added. */
function withoutOwnParameters({ target: { origin, path, query = '' }, profile }: Issued): string {
  const pieces = query.split('&').filter((piece) => !profile.parameters.includes(piece.split('=', 1)[0] as string))
  return `${origin}${path}?${pieces.join('&')}`
}

const isWide = ({ conditions }: Issued, ...names: readonly string[]): boolean => names.some((name) => conditions[name] !== undefined)

/** The hosts that name a bucket, by the vendor of `s3v2`. */
const BUCKET_HOSTS = {
  s3: /^https?:\/\/([^.]+)\.s3[^/]*\.amazonaws\.com(?::\d+)?$/,
  oss: /^https?:\/\/([^.]+)\.oss-[^/]*\.aliyuncs\.com(?::\d+)?$/,
  obs: /^https?:\/\/([^.]+)\.obs\.[^/]*\.myhuaweicloud\.com(?::\d+)?$/,
}

const PECULIAR: Readonly<Record<string, Peculiarity>> = {
  akamai: {
    // A token with an ACL does not have the query; one for its own URL has it, unless the edge ignores queries.
    coversQuery: (issued, { vendor, ignoreQueryString = vendor === 'cloudinary' }) =>
      vendor !== 'uploadcare' && !ignoreQueryString && !isWide(issued, 'acl', 'prefix'),
    patterns: { condition: 'acl', separator: '!' },
    // Vendors' packages make tokens for an ACL whatever the URL is, because the token may go into a cookie: "acl wins over url".
    refused: (issued) => (isWide(issued, 'acl') ? ['wrong_path'] : []),
  },
  bunny: {
    coversQuery: (issued, { algorithm }) => algorithm !== 'md5' && !isWide(issued, 'ignoreParams'),
    fields: { ip: addressOfBunny },
  },
  // The prefix has scheme and host in it, so a request to another host is outside of the prefix.
  'cloud-cdn': { coversQuery: (issued) => !isWide(issued, 'prefix'), prefixHasOrigin: true },
  'media-cdn': {
    patterns: { condition: 'pathGlobs', separator: ',' },
    fields: { ip: addressInRanges },
    // As with Akamai's ACLs.
    refused: (issued) => (isWide(issued, 'pathGlobs') ? ['wrong_path'] : []),
  },
  cloudfront: {
    coversQuery: (issued) => !isWide(issued, 'prefix', 'resource'),
    // A pattern is for the whole URL, and may leave scheme and host open.
    patterns: { condition: 'resource', ofUrl: true },
    fields: { scheme: unlessPattern('scheme'), host: unlessPattern('host') },
    prefixHasOrigin: true,
  },
  // The signature covers what stands behind it, without a version; and without the last segment where that is a name for search engines.
  cloudinary: {
    coveredPath: (path, { link }) => {
      const withoutVersion = (text: string) => merged(text.replace(/\/v\d+(?=\/)/, ''))
      const [, front = '', behind = ''] = /(\/[^/]*)\/s--[\w-]+--(\/[^?#]*)/.exec(link) ?? []
      const covered = withoutVersion(/^\/(\w+_)?(images|videos|files)$/.test(front) ? behind.replace(/[^/]*$/, '') : behind)
      return withoutVersion(path).includes(covered) ? covered : path
    },
  },
  // The signature covers what stands behind the endpoint, which is the first segment or an option of the scheme.
  imagekit: {
    // The link has the URL as clients send it: spaces and letters beyond ASCII are escaped.
    asWritten: ({ url }) => url.replace(/[^!-~]+|["<>]/g, encodeURIComponent),
    coveredPath: (path, { target, profile }) => {
      const { urlEndpoint } = profile.options as { urlEndpoint?: string }
      const endpoint = urlEndpoint === undefined ? (/^\/[^/]+/.exec(target.path)?.[0] ?? '') : targetOf(urlEndpoint).path.replace(/\/$/, '')
      const covered = target.path.slice(endpoint.length)
      return path.endsWith(covered) && /^(\/[\w.~-]+)?$/.test(path.slice(0, -covered.length)) ? covered : path
    },
  },
  // The packages of imgix leave an apostrophe in a query, and a client that parses the link escapes it: docs/schemes/imgix.md.
  imgix: { refused: ({ target: { query } }) => (query?.includes("'") ? ['bad_signature'] : []) },
  // The prefix of the server's configuration is not signed. The expiry is one of the options in the path, and no part of the resource.
  imgproxy: {
    coveredPath: (path, _issued, _origin, { pathPrefix = '' }) => {
      const prefix = String(pathPrefix)
      return (path.startsWith(prefix) ? path.slice(prefix.length) : path).replace(/\/exp:\d+(?=\/)/, '')
    },
  },
  // Laravel takes off the slashes at the end of a path.
  laravel: { asWritten: ({ url }) => url.replace(/\/+(?=$|[?#])/, '') },
  // Symfony prints the query as PHP has read it: the last of two parameters with one name, and `q[0]` for `q[]`.
  symfony: { asWritten: withoutOwnParameters },
  'oss-v4': {
    // The condition `query` adds parameters, and the resource has them.
    coversQuery: (issued) => !isWide(issued, 'query'),
    // The bucket is signed in front of the path, whether it stands there, in the host or in an option: one object has one signature.
    coveredPath: (path) => path.replace(/^\/examplebucket(?=\/)/, ''),
  },
  // The bucket is signed in front of the path, whether the path has it, the host or an option: one object has one signature.
  s3v2: {
    coveredPath: (path, _issued, origin, { bucket, vendor = 's3' }) => {
      const [, host] = BUCKET_HOSTS[vendor as keyof typeof BUCKET_HOSTS].exec(normalOrigin(origin)) ?? []
      const named = bucket ?? host
      return named === undefined ? path : `/${named}${path}`
    },
  },
  // Cloud Storage signs the host without its port.
  'gcs-rsa': { fields: { host: hostWithoutPort } },
}

const isTime = (name: string): boolean => ['expires', 'starts', 'align'].includes(name)
const isPlain = (key: object): boolean => Object.entries(key).every(([name, value]) => typeof value === 'string' && !isTime(name))

/** Profiles for the schemes whose names are not among these: one for each set of options that its vectors sign with. */
export function profilesFromVectors(written: ReadonlySet<string>): readonly Profile[] {
  return schemes.flatMap(({ make, vectors }) => {
    if (written.has(vectors.scheme)) return []
    const profiles = new Map<string, Profile>()
    for (const { options = {}, keys, tests } of vectors.testGroups) {
      const ring = keys as readonly object[] as readonly Key[]
      const isSame = (other: object = {}) => JSON.stringify(other) === JSON.stringify(options)
      const examples = vectors.testGroups
        .filter((group) => isSame(group.options))
        .flatMap(({ tests }) =>
          (tests as readonly Example[]).filter(({ url, conditions }) => url !== undefined && conditions !== undefined),
        )
      const signs = tests.some(({ url, conditions }) => url !== undefined && conditions !== undefined)
      const label = `${vectors.scheme} (vectors${profiles.size ? ` ${JSON.stringify(options)}` : ''})`
      if (!signs || !ring.every(isPlain) || profiles.has(JSON.stringify(options))) continue
      profiles.set(JSON.stringify(options), profileOf(label, vectors.scheme, make, ring, examples, options as Options))
    }
    // A shorter signature is often met by chance.
    return [...profiles.values()].filter(({ scheme: { algorithm } }) => (algorithm.bytes ?? LEAST_BYTES) >= LEAST_BYTES)
  })
}

/** A path as servers that decode and merge slashes read it. */
const merged = (path: string): string => bytesOf(path).replace(/\/{2,}/g, '/')

/** The parameters of a query, in any order. */
const form = (query = '', ignore: readonly string[] = []): string =>
  JSON.stringify(
    [...new URLSearchParams(`&${query}`)]
      .filter(([name]) => !isIgnored(name, ignore))
      .map((pair) => pair.join('\0'))
      .sort(),
  )

/** Links of some vendors always have a start, so only a start that was asked for is compared. */
const begins: Check = (issued, visit, claims, verifier) => {
  if (issued.conditions['starts'] !== undefined) return starts(issued, visit, claims, verifier)
  return claims.starts !== undefined && visit.now + visit.tolerance * 1000 < +claims.starts && 'early'
}

/** Does a text match a pattern, where `*` stands for any characters and `?` for one? */
function isMatched(text: string, pattern: string): boolean {
  const expression = bytesOf(pattern).replace(/[.*+?^${}()|[\]\\]/g, (odd) => (odd === '*' ? '.*' : odd === '?' ? '.' : `\\${odd}`))
  return new RegExp(`^${expression}$`, 's').test(bytesOf(text))
}

function profileOf(
  label: string,
  name: string,
  make: (keys: readonly Key[], options: object) => unknown,
  keys: readonly Key[],
  examples: readonly Example[],
  given: Options,
): Profile {
  // Links that show the time of their issue live for `maxAge`. The fuzzer's live for days.
  const options: Options = given['maxAge'] === undefined ? given : { ...given, maxAge: '7d' }
  const { coversQuery, patterns, prefixHasOrigin, refused, fields, ...others }: Peculiarity = PECULIAR[name] ?? {}
  const { asWritten = ({ url }: Issued) => url, coveredPath = (path: string) => path } = others

  /** The part of the request that patterns, a prefix, or the URL itself let through. */
  const path: Check = (issued, visit, claims, verifier) => {
    const { conditions, profile } = issued
    const named = targetParts(claims.resource)
    const asked = patterns && (conditions[patterns.condition] as string | readonly string[] | undefined)
    if (patterns && asked !== undefined) {
      const list = typeof asked === 'string' && patterns.separator ? asked.split(patterns.separator) : [asked].flat()
      const text = patterns.ofUrl ? normalOrigin(visit.target.origin) + visit.url.slice(visit.target.origin.length) : named.path
      // A pattern for URLs is compared with the URL without the parameters of the link, so what they add is let through.
      return different(
        list.some((pattern) => isMatched(text, pattern) || (patterns.ofUrl && isMatched(text, `${pattern}*`))),
        'claims.resource path',
      )
    }
    if (!profile.scheme.covers.includes('path')) return
    const prefix = conditions['prefix'] as string | undefined
    if (prefix !== undefined) return outside(named.path, prefix) && 'claims.resource path'
    const written = targetOf(asWritten(issued))
    const origin = visit.target.origin || `https://${visit.headers['host'] ?? ''}`
    const granted = merged(coveredPath(written.path, issued, written.origin, profile.options as Options))
    const shown = merged(coveredPath(named.path, issued, origin, verifier.options as Options))
    return different(granted === shown, 'claims.resource path')
  }
  // The URL of a link is compared in claims, so the fields that it has are not compared again. Signer and verifier can differ in their options,
  // and a part that one of them leaves out is not covered.
  const query: Check = (issued, _visit, claims) => {
    const both = [options, issued.profile.options as Options]
    const isCovered = both.every((each) => coversQuery?.(issued, each) ?? issued.profile.scheme.covers.includes('query'))
    const ignore = both.flatMap((each) => (each['ignore'] ?? []) as readonly string[])
    const [granted, named] = [targetOf(asWritten(issued)).query, targetParts(claims.resource).query]
    return different(!isCovered || form(granted, ignore) === form(named, ignore), 'claims.resource query')
  }
  const profile = generic({
    label,
    family: name,
    make: (keys) => make(keys, options),
    keys,
    options,
    urls: (random: Random) => random.pick(examples).url as string,
    conditions: (random: Random) => {
      const { conditions = {} } = random.pick(examples)
      return Object.fromEntries(Object.entries(conditions).filter(([name]) => !isTime(name)))
    },
    fields: { path: () => undefined, query: () => undefined, starts: begins, ...fields },
    // Some vendors write times in whole minutes.
    expiry: (random: Random) => new Date(NOW + DAY * (1 + random.below(6)) + 60_000 * random.below(4)),
    signatureLength: 'read',
    always: [path, query],
    ownResource: true,
  })
  // One key pair has several spellings, and is told by its id.
  const ring = 'signer' in profile.scheme.algorithm ? keys.map(({ id = '' }) => ({ id, secret: id })) : keys
  return { ...profile, ring, ...(prefixHasOrigin && { prefixHasOrigin }), ...(refused && { refused }) }
}
