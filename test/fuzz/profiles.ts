// The schemes under test: how each is set up, which grants it can be asked for, and how the fields that it covers are compared.
import { anyOf, type HmacOptions, hmac, type Scheme } from '../../src/index.ts'
import { type AzureDelegation, azure } from '../../src/schemes/azure.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { type PichaxKey, pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { profilesFromVectors } from './from-vectors.ts'
import { generic, keyInQuery } from './generic.ts'
import {
  type Check,
  type Claims,
  type Conditions,
  different,
  expires,
  type Issued,
  type Key,
  methodsOf,
  type Profile,
  second,
  starts,
  targetParts,
  type Visit,
} from './profile.ts'
import {
  bytesOf,
  canonicalAddress,
  formBytes,
  formValue,
  inNetwork,
  inRange,
  isIgnored,
  nginxArgument,
  nginxUri,
  normalOrigin,
  outside,
  pathDifference,
  queryDifference,
  segmentsOf,
  type Target,
} from './readings.ts'
import { ADDRESSES, DAY, expiry, HEADER_VALUES, HEADERS, lookalike, NOW, ODD_ADDRESSES, path, token, url } from './words.ts'

// ── hmac ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const SECRET = '0123456789abcdef0123456789abcdef'
const RING: readonly Key[] = [
  { id: 'a', secret: SECRET },
  { id: 'b', secret: 'another secret that is 32 bytes long' },
  { secret: 'a third secret, which has no id at all' },
]

/** The same keys, two of which end within the lives of links: the first signs short links, and the second begins later. */
const ENDING: readonly Key[] = [
  { id: 'a', secret: SECRET, expires: new Date(NOW + 2 * DAY + 500) },
  { id: 'b', secret: 'another secret that is 32 bytes long', starts: new Date(NOW + 3_600_000) },
  { id: 'c', secret: 'a key of its own, which is long enough', expires: new Date(NOW + 4 * DAY) },
]

/** Every key of this ring ends, so no link lives longer. */
const SHORT: readonly Key[] = [{ id: 'a', secret: SECRET, starts: new Date(NOW - DAY), expires: new Date(NOW + DAY / 2) }]

/** Looks a key up by its id. The first key signs, and a link that names no key is tried with all. */
const lookup = (ring: readonly Key[]) => async (id?: string) => {
  if (id === undefined) return ring
  return ring.find((key) => key.id === id)
}

/** A careless lookup that answers all keys for every id. */
const all = (ring: readonly Key[]) => () => ring

type Asked = Record<string, unknown> & { expires: Date | 'never' }

interface HouseProfile extends Profile {
  readonly options: HmacOptions
  readonly inPath: boolean
}

/** What a link of `hmac` names: the URL without the link's own parameters, and these. */
function houseResource({ options, inPath, parameters }: HouseProfile, { path, query }: Target): { path: string; query: string } {
  if (inPath && path.startsWith(`/${options.parameters?.expires ?? 'expires'}=`)) {
    const end = `${path}/`.indexOf('/', 1)
    return { path: path.slice(end) || '/', query: query ?? '' }
  }
  if (inPath || query === undefined) return { path, query: query ?? '' }
  const own = (piece: string): boolean => parameters.includes(bytesOf(piece.split('=', 1)[0] as string))
  return {
    path,
    query: query
      .split('&')
      .filter((piece) => !own(piece))
      .join('&'),
  }
}

function house(
  label: string,
  options: HmacOptions = {},
  ring: readonly Key[] = RING,
  keys: Parameters<typeof hmac>[0] = ring,
): HouseProfile {
  const scheme = hmac(keys, options) as unknown as Scheme
  const parameters = ['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key', 'signature'].map(
    (name) => (options.parameters as Record<string, string> | undefined)?.[name] ?? name,
  )
  const inPath = options.placement === 'path'
  const both = (issued: Issued, visit: Visit, verifier: Profile) => {
    const granted = houseResource(issued.profile as HouseProfile, issued.target)
    const asked = houseResource(verifier as HouseProfile, visit.target)
    return { granted, asked }
  }
  /** Compares the origin without the part that the expression finds. */
  const sameOrigin =
    (cut: RegExp, what: string): Check =>
    ({ profile, target }, visit) => {
      const part = ({ origin }: Target) => normalOrigin(origin).replace(cut, '')
      return different((profile.options as HmacOptions).origin === true && part(target) === part(visit.target), what)
    }
  const ip = ({ conditions }: Issued, visit: Visit, claims: Claims): string | false => {
    const network = conditions['ip'] as string | undefined
    if (!network) return different(claims.ip === undefined, 'claims.ip')
    return different(claims.ip !== undefined, 'claims.ip') || different(inNetwork(network, visit.ip), 'ip')
  }
  const equal =
    (claim: keyof Claims, asked: (conditions: Conditions) => unknown): Check =>
    ({ conditions }, _, claims) =>
      different(JSON.stringify(claims[claim] ?? null) === JSON.stringify(asked(conditions) ?? null), `claims.${claim}`)

  /** The server that reads another query than the one that was granted, or than its part that the signer does not ignore. */
  function queryFault({ profile }: Issued, granted: string | undefined = '', asked: string | undefined): string | undefined {
    const server = queryDifference(granted, asked, options.ignore)
    const { ignore: ignoredBySigner = [] } = profile.options as HmacOptions
    if (!server || ignoredBySigner.length === 0) return server
    const signed = granted.split('&').filter((piece) => !isIgnored(formBytes(piece.split('=', 1)[0] as string), ignoredBySigner))
    return queryDifference(signed.join('&'), asked, options.ignore) && server
  }

  const profile: HouseProfile = {
    label: `hmac ${label}`,
    family: 'house',
    scheme,
    ring,
    parameters,
    separators: ['\n', ' ', ','],
    inPath,
    options,
    oneSpelling: true,
    halves: true,
    plainCharacters: true,
    grant(random) {
      const asked = url(random, { host: options.origin === true || random.chance(0.3) })
      const { 1: pathname = '/' } = /^(?:\w+:\/\/[^/]*)?(\/[^?#]*)/.exec(asked) ?? []
      const conditions: Asked = { expires: expiry(random) }
      if (random.chance(0.05)) conditions['align'] = '1h'
      if (random.chance(0.2)) conditions['starts'] = new Date(NOW + 1000 * (random.below(3) * 3600 - 3600))
      if (random.chance(0.3)) conditions['method'] = random.pick(['GET', 'PUT', 'HEAD', ['GET', 'PUT'], ['DELETE', 'POST'], 'get'])
      if (random.chance(0.2))
        conditions['ip'] = random.pick(random.chance(0.9) ? ADDRESSES : ODD_ADDRESSES) + random.pick(['', '', '/24', '/32', '/64', '/0'])
      if (random.chance(0.25))
        conditions['prefix'] = pathname.slice(0, pathname.lastIndexOf('/', random.below(pathname.length + 1)) + 1) || '/'
      if (random.chance(0.1)) conditions['uses'] = 1 + random.below(3)
      if (random.chance(0.2))
        conditions['id'] = random.several(1, 3, () => token(random)).join('') + (random.chance(0.3) ? lookalike(random, '\n') : '')
      return { url: asked, conditions }
    },
    signatureOf({ path, query = '' }) {
      const name = options.parameters?.signature ?? 'signature'
      return (inPath ? new RegExp(`[/,]${name}=([\\w-]+)`).exec(path)?.[1] : formValue(query, name)) ?? ''
    },
    fields: {
      path: (issued, visit, claims, verifier) => {
        const { granted, asked } = both(issued, visit, verifier)
        if (claims.prefix !== undefined) {
          const server = outside(asked.path, String(issued.conditions['prefix']))
          return server && `path outside the prefix (${server})`
        }
        const server = pathDifference(granted.path, asked.path)
        return server && `path (${server})`
      },
      query: (issued, visit, _claims, verifier) => {
        const { granted, asked } = both(issued, visit, verifier)
        const server = queryFault(issued, granted.query, asked.query)
        return server && `query (${server})`
      },
      expires,
      starts,
      method: equal('methods', (conditions) => {
        const asked = conditions['method'] as string | string[] | undefined
        return (
          asked &&
          [asked]
            .flat()
            .map((name) => name.toUpperCase())
            .sort()
        )
      }),
      ip,
      prefix: ({ conditions }, _, claims) => {
        const asked = conditions['prefix'] as string | undefined
        if (asked === undefined || claims.prefix === undefined) return different(asked === claims.prefix, 'claims.prefix')
        return different(!pathDifference(asked, claims.prefix), 'claims.prefix')
      },
      uses: equal('uses', (conditions) => conditions['uses']),
      id: ({ conditions }, _, claims) =>
        // A link with uses gets a random id.
        conditions['id'] === undefined && conditions['uses']
          ? different(typeof claims.id === 'string', 'claims.id')
          : different(claims.id === conditions['id'], 'claims.id'),
      key: ({ key }, _visit, claims) => different(claims.keyId === key.id, 'claims.keyId'),
      purpose: (issued, _visit, _claims, verifier) =>
        different((issued.profile.options as HmacOptions).purpose === (verifier.options as HmacOptions).purpose, 'purpose'),
      scheme: sameOrigin(/:\/\/.*/, 'scheme'),
      host: sameOrigin(/^.*?:\/\//, 'host'),
    },
    always: [
      // Only an unnamed or equal purpose opens, whatever covers says.
      (issued, _visit, _claims, verifier) =>
        different(((issued.profile.options as HmacOptions).purpose ?? '') === ((verifier.options as HmacOptions).purpose ?? ''), 'purpose'),
      // The handler serves by claims.resource: it must name what was granted.
      (issued, visit, claims, verifier) => {
        const { path, query } = targetParts(claims.resource)
        const { granted } = both(issued, visit, verifier)
        const inside = claims.prefix !== undefined ? outside(path, String(issued.conditions['prefix'])) : pathDifference(granted.path, path)
        if (inside) return `claims.resource path (${inside})`
        const server = queryFault(issued, granted.query, query)
        return server && `claims.resource query (${server})`
      },
    ],
    methods: methodsOf,
  }
  return profile
}

// ── pichax ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const images = (label: string, keys: readonly (Key & PichaxKey)[], family = 'images'): Profile =>
  generic({
    label: `pichax ${label}`,
    family,
    make: pichax,
    keys,
    separators: [':'],
    // The key id stands in the link, and is not signed.
    always: [keyInQuery('key')],
  })

// ── NGINX ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface NginxProfile extends Profile {
  readonly mergeSlashes: boolean
  /** Fields that the expression lets run into each other, which the documentation says: they are compared joined. */
  readonly joined: readonly string[]
  readonly kind: 'query' | 'path' | 'secret'
  /** The first segment, where the scheme has the option `location`. */
  readonly location: string | undefined
}

/** `/front/token/…/rest`, as NGINX's regular expression takes it apart. */
const frontOf = (path: string): string => /^\/[^/]*/.exec(path)?.[0] ?? ''

/** The value of a covered field, as NGINX has it in the string to sign. */
function nginxValue(
  { kind, mergeSlashes }: NginxProfile,
  word: string,
  { target, ip, method }: Pick<Visit, 'target' | 'ip' | 'method'>,
): string | undefined {
  const { origin, path, query } = target
  if (word === 'path') {
    // secure_link_secret signs the text behind the token, as it is sent.
    if (kind === 'secret') return /^\/[^/]+\/[\da-f]{32}\/(.*)$/is.exec(path)?.[1]
    const uri = nginxUri(path, mergeSlashes)
    return kind === 'path' ? /^\/[^/]+\/[^/]+\/\d+(\/.*)$/s.exec(uri ?? '')?.[1] : uri
  }
  if (word === 'query') return query ?? ''
  if (word === 'ip') return canonicalAddress(ip ?? '')
  if (word === 'method') return method.toUpperCase()
  if (word === 'host')
    return origin
      .replace(/^.*?:\/\//, '')
      .replace(/:\d*$/, '')
      .replace(/\.$/, '')
      .toLowerCase()
  return word.startsWith('?') ? nginxArgument(query, word.slice(1)) : undefined
}

function nginxProfile(
  label: string,
  scheme: Scheme,
  settings: Partial<NginxProfile> &
    Pick<NginxProfile, 'parameters' | 'options'> & { ip?: boolean; method?: boolean; host?: boolean; user?: boolean },
): NginxProfile {
  const { joined = [], kind = 'query', mergeSlashes = true, location } = settings
  const facts = (issued: Issued): Pick<Visit, 'target' | 'ip' | 'method'> => ({
    target: issued.target,
    ip: issued.conditions['ip'] as string | undefined,
    method: methodsOf(issued)[0] as string,
  })
  const compare =
    (word: string): Check =>
    (issued, visit) => {
      const words = joined.includes(word) ? joined : [word]
      const text = (request: Pick<Visit, 'target' | 'ip' | 'method'>) =>
        words.map((each) => nginxValue(profile, each, request) ?? '').join('')
      if (word === 'ip' && nginxValue(profile, 'ip', visit) === undefined) return 'ip: none'
      return different(text(facts(issued)) === text(visit), word)
    }
  const resource: Check = (issued, visit, claims) => {
    const { path } = targetParts(claims.resource)
    const granted = nginxValue(profile, 'path', facts(issued))
    if (kind === 'query')
      return joined.includes('path') ? undefined : different(nginxUri(path, mergeSlashes) === granted, 'claims.resource path')
    // Behind the front is what was signed. A front that a client chose must not be in there.
    const front = frontOf(issued.target.path)
    const fronts = location ? [front, `${front}/`] : ['', '/']
    const read = kind === 'secret' ? claims.resource.replace(/^[a-z]+:\/\/[^/]*/i, '') : nginxUri(path, mergeSlashes)
    const signed = kind === 'secret' ? `${granted}${visit.target.query === undefined ? '' : `?${visit.target.query}`}` : granted
    return different(
      fronts.some((front) => read === front + signed),
      'claims.resource holds an uncovered front',
    )
  }
  // Where the lifetime runs into another field, it is compared with that one, as `path`.
  const fields: Record<string, Check> = { expires: joined.includes('?e') ? () => undefined : expires }
  for (const word of ['path', 'query', 'ip', 'method', 'host', '?user']) fields[word] = compare(word)
  const profile: NginxProfile = {
    label,
    family: label,
    scheme,
    ring: [nginxSecret(label)],
    separators: ['|', ' '],
    joined,
    kind,
    location,
    mergeSlashes,
    oneSpelling: true,
    signatureOf: ({ path, query }) =>
      kind === 'query' ? (nginxArgument(query, settings.parameters[0] as string) ?? '') : (path.split('/')[2] ?? ''),
    grant(random) {
      const asked = url(random, { host: settings.host ?? false, separators: this.separators })
      const front = kind === 'query' ? '' : (location?.slice(0, -1) ?? `/p${random.pick(['', '1', '-q'])}`)
      const never = scheme.expiry === 'none' || (scheme.expiry === 'optional' && random.chance(0.2))
      const conditions: Asked = { expires: never ? 'never' : expiry(random) }
      if (settings.ip) conditions['ip'] = random.pick(random.chance(0.95) ? ADDRESSES : ODD_ADDRESSES)
      if (settings.method && random.chance(0.6)) conditions['method'] = random.pick(['GET', 'PUT', 'HEAD', 'DELETE'])
      const user = settings.user && random.chance(0.8) ? `user=${token(random, 0)}${random.chance(0.3) ? lookalike(random, '|') : ''}` : ''
      const withFront = asked.replace(/^([a-z]+:\/\/[^/]*)?/i, `$1${front}`)
      const [before = '', fragment] = withFront.split('#')
      return {
        url: before + (user && `${before.includes('?') ? '&' : '?'}${user}`) + (fragment === undefined ? '' : `#${fragment}`),
        conditions,
      }
    },
    fields,
    always: [resource],
    methods: (issued) => (settings.method ? [methodsOf(issued)[0] as string] : ['GET', 'HEAD']),
    ...settings,
  }
  return profile
}

const nginxSecret = (label: string): Key => ({ secret: `secret of ${label}` })

function links(
  label: string,
  options: object,
  settings: Partial<Parameters<typeof nginxProfile>[2]> = {},
  ring: readonly Key[] = [nginxSecret(`nginx ${label}`)],
): Profile {
  const scheme = nginx(ring, options) as unknown as Scheme
  return nginxProfile(`nginx ${label}`, scheme, { parameters: ['md5', 'expires'], options, ring, ...settings })
}

function moduleLinks(
  label: string,
  options: object,
  settings: Partial<Parameters<typeof nginxProfile>[2]> = {},
  ring: readonly Key[] = [nginxSecret(`nginx-hmac ${label}`)],
): Profile {
  const scheme = nginxHmac(ring, options) as unknown as Scheme
  return nginxProfile(`nginx-hmac ${label}`, scheme, { parameters: ['st', 'ts', 'e'], options, ring, ...settings })
}

const STORAGE_KEYS = [{ id: 'a', secret: 'b' }]

// ── S3 and GCS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function presigned(label: string, scheme: Scheme, prefix: 'X-Amz-' | 'X-Goog-', options: object, port = true): Profile {
  const own = ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Security-Token', 'Signature'].map((name) => prefix + name)
  const host = ({ origin }: Target): string => {
    const name = normalOrigin(origin).replace(/^.*?:\/\//, '')
    return port ? name : name.replace(/:\d+$/, '')
  }
  // A storage reads each parameter once decoded, and no order among them.
  const pairs = (query = ''): string =>
    JSON.stringify(
      query
        .split('&')
        .filter(Boolean)
        .map((piece) => {
          const name = piece.split('=', 1)[0] as string
          return [formBytes(name), formBytes(piece.slice(name.length + 1))]
        })
        .filter(([name]) => !own.includes(name as string))
        .map((pair) => pair.join('\0'))
        .sort(),
    )
  const signedHeaders = ({ conditions }: Issued): [string, string][] =>
    Object.entries((conditions['headers'] ?? {}) as Record<string, string>).map(([name, value]) => [name.toLowerCase(), plainHeader(value)])
  const plainHeader = (value: string | undefined): string => (value ?? '\0').trim().replace(/\s+/g, ' ')
  // Not the hash of the body, which the text has anyway, and not the id that CloudFront adds.
  const ofVendor = prefix === 'X-Amz-' ? /^x-amz-(?!content-sha256$|cf-id$)/i : /^x-goog-(?!content-sha256$)/i
  const headerOf = (visit: Visit, name: string): string | undefined =>
    Object.entries(visit.headers).find(([other]) => other.toLowerCase() === name)?.[1]
  const asked = ({ conditions }: Issued): string => methodsOf({ conditions } as Issued)[0] as string
  return {
    label,
    family: 'sigv4',
    scheme,
    ring: STORAGE_KEYS,
    parameters: own,
    separators: ['\n', ';', '/'],
    options,
    grant(random) {
      const conditions: Asked = { expires: expiry(random) }
      if (random.chance(0.2)) conditions['starts'] = new Date(NOW + 3_600_000 * (random.below(3) - 1))
      if (random.chance(0.4)) conditions['method'] = random.pick(['GET', 'PUT', 'HEAD', 'DELETE'])
      if (random.chance(0.3))
        conditions['headers'] = Object.fromEntries(random.several(1, 2, () => [random.pick(HEADERS), random.pick(HEADER_VALUES)]))
      if (random.chance(0.2)) conditions['query'] = { [token(random, 0) || 'a']: token(random, 0) }
      return { url: url(random, { host: true }), conditions }
    },
    signatureOf: ({ query }) => formValue(query, `${prefix}Signature`) ?? '',
    fields: {
      method: (issued, visit) => different(openedBy(issued, visit, prefix).includes(visit.method.toUpperCase()), 'method'),
      host: (issued, visit) =>
        different(
          host(issued.target) === (visit.target.origin ? host(visit.target) : (headerOf(visit, 'host') ?? '').toLowerCase()),
          'host',
        ),
      path: (issued, visit) => different(bytesOf(issued.target.path) === bytesOf(visit.target.path), 'path'),
      query: (issued, visit) => different(pairs(issued.target.query) === pairs(visit.target.query), 'query'),
      starts: ({ conditions }, { now, tolerance }, claims) => {
        const start = conditions['starts'] ? second(conditions['starts']) : second(NOW)
        if (+(claims.starts ?? 0) !== start) return 'claims.starts'
        return now + tolerance * 1000 < start && 'early'
      },
      expires,
      headers: (issued, visit) => {
        const signed = signedHeaders(issued)
        const wrong = signed.find(([name, value]) => plainHeader(headerOf(visit, name)) !== value)
        if (wrong) return `header ${wrong[0]}`
        const more = Object.keys(visit.headers).find(
          (name) => ofVendor.test(name) && !signed.some(([other]) => other === name.toLowerCase()),
        )
        return more && `header ${more} is not signed`
      },
      key: (_issued, _visit, claims) => different(claims.keyId === 'a', 'claims.keyId'),
    },
    always: [
      (issued, _visit, claims) => {
        const { path, query } = targetParts(claims.resource)
        return (
          different(bytesOf(path) === bytesOf(issued.target.path), 'claims.resource path') ||
          different(pairs(query) === pairs(issued.target.query), 'claims.resource query')
        )
      },
      (issued, _visit, claims) => different(claims.methods?.length === 1 && claims.methods[0] === asked(issued), 'claims.methods'),
    ],
    methods: (issued, visit) => openedBy(issued, visit, prefix),
  }
}

/** S3 opens the signed method alone; Google opens HEAD with a link for GET. */
function openedBy(issued: Issued, _visit: Visit, prefix: string): readonly string[] {
  const method = methodsOf(issued)[0] as string
  return prefix === 'X-Goog-' && method === 'GET' ? ['GET', 'HEAD'] : [method]
}

// ── Azure ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const AZURE_SECRET = 'YSBrZXkgZm9yIGV4YW1wbGVzLCAzMiBieXRlcyBsb25n'
const SAS =
  'sv ss srt spr st se sip si ses skoid sktid skt ske sks skv sr sdd sp rscc rscd rsce rscl rsct saoid suoid scid sduoid skdutid srh srq'.split(
    ' ',
  )

const DELEGATION: AzureDelegation = {
  signedObjectId: '11111111-2222-3333-4444-555555555555',
  signedTenantId: '66666666-7777-8888-9999-000000000000',
  signedStartsOn: new Date(NOW - 86_400_000),
  signedExpiresOn: new Date(NOW + 30 * 86_400_000),
  signedService: 'b',
  signedVersion: '2022-11-02',
}

const POLICIES = { partners: { permissions: 'r' }, writers: { permissions: 'rw' } }

interface AzureSettings {
  readonly pathStyle?: boolean
  readonly version?: string
  readonly delegation?: boolean
}

function storage(label: string, { pathStyle = false, version, delegation }: AzureSettings = {}): Profile {
  const options = { ...(version && { version }), ...(pathStyle && { pathStyle }), policies: POLICIES }
  const key = {
    id: 'account',
    secret: pathStyle ? AZURE_SECRET.replace('YSBr', 'YSBs') : AZURE_SECRET,
    ...(delegation && { delegation: DELEGATION }),
  }
  const skipped = pathStyle ? 1 : 0
  const names = ({ path }: Target): string[] => segmentsOf(path).slice(1)
  /** Names of parameters have no case for Azure. */
  const request = ({ query }: Target, name: string): string | undefined => {
    for (const [other, value] of new URLSearchParams(`&${query ?? ''}`)) if (other.toLowerCase() === name) return value
    return
  }
  const fieldOf = request
  const permissionsOf = (issued: Issued): string => {
    const policy = fieldOf(issued.target, 'si')
    return policy === undefined ? (fieldOf(issued.target, 'sp') ?? '') : (POLICIES[policy as keyof typeof POLICIES]?.permissions ?? '')
  }
  const inside: Check = (issued, visit) => {
    const kind = fieldOf(issued.target, 'sr')
    const [granted, asked] = [names(issued.target), names(visit.target)]
    if (pathStyle && asked[0] !== 'account') return 'path: another account'
    if (kind === undefined) return
    if (asked.some((name) => name === '..' || name === '.')) return 'path: dots'
    const depth =
      kind === 'c' || kind === 's' ? 1 + skipped : kind === 'd' ? 1 + skipped + Number(fieldOf(issued.target, 'sdd')) : undefined
    if (depth === undefined) return different(bytesOf(issued.target.path) === bytesOf(visit.target.path), 'path')
    return different(granted.slice(0, depth).join('/') === asked.slice(0, depth).join('/') && asked.length >= depth, 'path')
  }
  const operation = (issued: Issued, { target, method }: Visit): boolean => {
    const has = (letter: string) => permissionsOf(issued).includes(letter)
    const service = fieldOf(issued.target, 'sr') !== undefined
    const [comp, restype] = [request(target, 'comp')?.toLowerCase(), request(target, 'restype')?.toLowerCase()]
    const whole = names(target).filter(Boolean).length < 1 + skipped || restype === 'container' || restype === 'share'
    const extra = { tags: 't', blobs: 'f', immutabilitypolicies: 'i', legalhold: 'i' }[comp ?? '']
    if (comp === 'list' && /^(GET|HEAD)$/.test(method)) return has('l')
    if (service && whole) return false
    if (extra && !has(extra)) return false
    if (/^(GET|HEAD)$/.test(method)) return has('r')
    if (method === 'PUT') return has('c') || has('w')
    return method === 'DELETE' && (request(target, 'versionid') === undefined ? has('d') : has('x'))
  }
  const sameFields: Check = (issued, visit) => {
    const value = ({ target }: { target: Target }, name: string) => {
      const text = fieldOf(target, name)
      // A number of segments, so `01` is 1.
      return name === 'sdd' && text !== undefined ? Number(text) : text
    }
    const wrong = SAS.find((name) => value(issued, name) !== value(visit, name))
    return wrong && `parameter ${wrong}`
  }
  const account: Check = (issued, { target }) => {
    const [ss, srt] = [fieldOf(issued.target, 'ss'), fieldOf(issued.target, 'srt')]
    if (ss === undefined || srt === undefined) return
    const depth = names(target).filter(Boolean).length - skipped
    const type = depth < 1 ? 's' : depth === 1 && request(target, 'restype') !== undefined ? 'c' : 'o'
    const [, service = 'blob'] = /\.(blob|dfs|file|queue|table)\./i.exec(target.origin) ?? []
    if (!srt.includes(type)) return 'resource type'
    return different(ss.includes(service.toLowerCase().replace('dfs', 'blob').charAt(0)), 'service')
  }
  const snapshot: Check = (issued, visit) => {
    const kind = fieldOf(issued.target, 'sr')
    const name = kind === 'bs' ? 'snapshot' : kind === 'bv' ? 'versionid' : undefined
    // A link for a blob opens neither, where the version signs the time.
    if (kind === 'b' && (fieldOf(issued.target, 'sv') ?? '') >= '2018-11-09')
      return different(request(visit.target, 'snapshot') === undefined && request(visit.target, 'versionid') === undefined, 'snapshot')
    return name && different(request(issued.target, name) === request(visit.target, name), name)
  }
  const protocol: Check = (issued, { target }) =>
    different(fieldOf(issued.target, 'spr') !== 'https' || !/^http:/i.test(target.origin), 'protocol')
  const address: Check = (issued, visit) => {
    const asked = issued.conditions['ip'] as string | undefined
    const range = issued.conditions['ipRange'] as string | undefined
    if (asked) return different(inNetwork(asked, visit.ip), 'ip')
    return range !== undefined && different(inRange(range, visit.ip), 'ip')
  }
  const nothing: Check = () => undefined
  // Links of a delegation key start with the key, if they do not start later.
  const begins: Check = (issued, visit, claims, verifier) =>
    delegation && issued.conditions['starts'] === undefined
      ? different(+(claims.starts ?? 0) === +DELEGATION.signedStartsOn, 'claims.starts')
      : starts(issued, visit, claims, verifier)
  const fields: Record<string, Check> = {
    path: inside,
    method: (issued, visit) => different(operation(issued, visit), 'permissions'),
    starts: begins,
    expires,
    ip: address,
    prefix: nothing,
    key: nothing,
    '?snapshot': nothing,
    '?versionid': nothing,
  }
  return {
    label: `azure ${label}`,
    family: delegation ? 'azure delegation' : pathStyle ? 'azure path style' : 'azure',
    scheme: azure(key, options) as unknown as Scheme,
    ring: [key],
    parameters: [...SAS, 'sig'],
    separators: ['\n'],
    options,
    grant(random) {
      const kinds = ['b', 'b', 'b', 'c', 'f', 's', 'd', 'bs', 'bv', undefined]
      const kind = random.pick(kinds)
      const service = kind === 'f' || kind === 's' ? 'file' : random.pick(['blob', 'blob', 'blob', 'dfs', 'queue'])
      const protocol = random.pick(['https', 'https', 'http'])
      const host = pathStyle ? '127.0.0.1:10000' : `account.${service}.core.windows.net`
      const origin = random.chance(0.8) ? `${protocol}://${host}` : ''
      const suffix =
        kind === 'bs'
          ? '?snapshot=2030-01-01T00:00:00.0000000Z'
          : kind === 'bv'
            ? '?versionid=2030-01-01T00:00:00.0000000Z'
            : random.pick(['', '', '', '?comp=list', '?restype=container&comp=list', '?a=1', '?comp=tags'])
      // Names of containers have at least three lower-case letters, digits and hyphens.
      const container = random.chance(0.9) ? `/${random.pick(['files', 'admin', 'reports', 'a-1'])}` : ''
      const file = container && random.chance(0.15) ? container : container + path(random)
      const conditions: Asked = { expires: expiry(random) }
      if (kind) conditions['resource'] = kind
      else
        Object.assign(conditions, {
          services: random.pick(['b', 'bf', 'f', 'btqf']),
          resourceTypes: random.pick(['o', 'c', 's', 'sco', 'co']),
        })
      if (random.chance(0.7)) conditions['permissions'] = random.pick(['r', 'rl', 'l', 'racwdl', 'w', 'c', 'd', 'rd', 'rt', 'x', 'rx'])
      else if (kind && !delegation && random.chance(0.3)) conditions['identifier'] = random.pick(['partners', 'writers'])
      if (random.chance(0.2)) conditions['protocol'] = random.pick(['https', 'https,http'])
      if (random.chance(0.2)) conditions['ip'] = random.pick(['203.0.113.7', '203.0.113.0/24', '127.0.0.1'])
      else if (random.chance(0.1)) conditions['ipRange'] = '203.0.113.5-203.0.113.9'
      if (random.chance(0.2)) conditions['starts'] = new Date(NOW + 3_600_000 * (random.below(3) - 1))
      if (kind && random.chance(0.2))
        conditions[random.pick(['cacheControl', 'contentDisposition', 'contentEncoding', 'contentLanguage', 'contentType'])] = random.pick([
          'text/html',
          'attachment',
          'a+b c',
          'no-store',
        ])
      if (kind === 'd' && random.chance(0.5)) conditions['directoryDepth'] = 1 + random.below(2)
      if (delegation && random.chance(0.3)) conditions['requestHeaders'] = { 'x-ms-blob-type': random.pick(['BlockBlob', 'a b']) }
      return { url: `${origin}${pathStyle ? '/account' : ''}${file}${suffix}`, conditions }
    },
    signatureOf: ({ query }) => formValue(query, 'sig') ?? '',
    fields,
    always: [sameFields, account, snapshot, inside, protocol],
    methods: (issued, visit) => (operation(issued, visit) ? [visit.method] : []),
    // Azure decides by the operation, the protocol and the kind of resource, which sign does not compare with the URL.
    refused: () => ['wrong_path'],
  }
}

// ── all ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const IN_A_DAY = new Date(NOW + DAY + 500)
// Texts that can be split into their fields in two ways want this said.
const AMBIGUOUS = { ambiguous: true }

export const WRITTEN: readonly Profile[] = [
  house('plain'),
  house('without key ids', {}, [{ secret: SECRET }]),
  house('purpose', { purpose: 'unsubscribe' }),
  house('odd purpose', { purpose: 'a\nhttps://files.test\n/' }),
  house('origin', { origin: true }),
  house('ignore', { ignore: ['utm_*', 'fbclid'] }),
  house('ignore all', { ignore: ['*'], purpose: 'x' }),
  house('renamed', { parameters: { expires: 'e', signature: 's', id: 'i' } }),
  house('in path', { placement: 'path' }),
  house('in path, origin, ignore', { placement: 'path', origin: true, ignore: ['utm_*'], purpose: 'x' }),
  house('in path, renamed', { placement: 'path', parameters: { expires: 'e', signature: 's' }, purpose: 'y' }),

  house('keys that end', {}, ENDING),
  house('keys that end, origin', { origin: true }, ENDING),
  house('one short key', {}, SHORT),
  house('looked up', {}, RING, lookup(RING)),
  house('looked up, keys that end', {}, ENDING, lookup(ENDING)),
  house('looked up carelessly', { purpose: 'unsubscribe' }, RING, all(RING)),

  images('alone', [{ id: 'a', secret: 'b' }]),
  images('two keys', [
    { id: 'a', secret: 'b' },
    { id: 'c', secret: 'd' },
  ]),
  images('a key that ends', [{ id: 'a', secret: 'b', expires: new Date(NOW + 2 * DAY + 500) }]),
  images('with the secret of hmac', [{ id: 'a', secret: SECRET }], 'house'),

  // The documentation says that these two run into each other.
  links('default', {}, { ip: true, joined: ['path', 'ip'] }),
  links('default, ambiguous', AMBIGUOUS, { ip: true, joined: ['path', 'ip'] }),
  links('without address', { expression: '$secure_link_expires$uri $secret' }),
  links('address behind a space', { expression: '$secure_link_expires$uri $remote_addr $secret' }, { ip: true }),
  links('user and method', { expression: '$secure_link_expires|$uri|$arg_user|$request_method|$secret' }, { method: true, user: true }),
  links(
    'user runs into path',
    { expression: '$uri$arg_user $secure_link_expires $secret', ...AMBIGUOUS },
    { user: true, joined: ['path', '?user'] },
  ),
  links('host and $arg_expires', { expression: '$host$uri $arg_expires $secret' }, { host: true }),
  links('slashes kept', { expression: '$secure_link_expires$uri $secret', mergeSlashes: false }, { mergeSlashes: false }),
  links(
    'renamed',
    { expression: 'secure_link $arg_st,$arg_e; secure_link_md5 "$secure_link_expires$uri $secret";' },
    { parameters: ['st', 'e'] },
  ),
  links('in path', { expression: '$secure_link_expires$rest $secret', placement: 'path' }, { kind: 'path' }),
  links(
    'in path, location',
    { expression: '$secure_link_expires$rest $secret', placement: 'path', location: '/p/' },
    { kind: 'path', location: '/p/' },
  ),
  links('secure_link_secret', { expression: 'secure_link_secret $secret;' }, { kind: 'secret' }),
  links(
    'secure_link_secret, location',
    { expression: 'secure_link_secret $secret;', location: '/p/' },
    { kind: 'secret', location: '/p/' },
  ),
  links('without expiry', { expression: '$uri $secret' }, { endless: true }),
  links('a key that ends', { expression: '$secure_link_expires$uri $secret' }, {}, [
    { secret: 'secret of a short key', expires: IN_A_DAY },
  ]),

  moduleLinks('default', {}),
  moduleLinks('default, a verifier whose key ends', {}, { family: 'nginx-hmac default' }, [
    { ...nginxSecret('nginx-hmac default'), expires: IN_A_DAY },
  ]),
  moduleLinks('default with the secret of hmac', {}, { family: 'house' }, [{ secret: SECRET }]),
  moduleLinks('a key that ends', {}, {}, [{ secret: 'secret of a short key', expires: IN_A_DAY }, nginxSecret('the next key')]),
  // Without a signed expiry, a comma in the token's parameter moves the time into the place of the lifetime, as in the module.
  moduleLinks('without lifetime', { message: '$uri|$arg_ts', parameters: { lifetime: '' } }, { parameters: ['st', 'ts'], endless: true }),
  moduleLinks('ISO times', { timestamp: 'Z' }),
  moduleLinks('times with offset', { timestamp: '+02:00', algorithm: 'sha512' }),
  moduleLinks('address', { message: '$uri|$arg_ts|$arg_e|$remote_addr', algorithm: 'sha1' }, { ip: true }),
  moduleLinks('method first', { message: '$request_method|$uri|$secure_link_hmac_expires|$arg_ts' }, { method: true }),
  moduleLinks('fields run together', { message: '$uri$arg_ts$arg_e', ...AMBIGUOUS }, { joined: ['path', '?ts', '?e'], endless: true }),
  moduleLinks('user', { message: '$arg_user|$uri|$arg_ts|$arg_e', timestamp: 'Z' }, { user: true }),

  presigned('s3', s3(STORAGE_KEYS) as unknown as Scheme, 'X-Amz-', {}),
  presigned('s3 elsewhere', s3(STORAGE_KEYS, { region: 'eu-central-1' }) as unknown as Scheme, 'X-Amz-', { region: 'eu-central-1' }),
  presigned('gcs', gcs(STORAGE_KEYS) as unknown as Scheme, 'X-Goog-', {}, false),
  presigned('gcs as s3', gcs(STORAGE_KEYS, { algorithm: 'AWS4-HMAC-SHA256' }) as unknown as Scheme, 'X-Amz-', {
    algorithm: 'AWS4-HMAC-SHA256',
  }),

  storage('default'),
  storage('2020-12-06', { version: '2020-12-06' }),
  storage('2018-11-09', { version: '2018-11-09' }),
  storage('2015-04-05', { version: '2015-04-05' }),
  storage('path style', { pathStyle: true }),
  storage('path style 2015', { pathStyle: true, version: '2015-04-05' }),
  storage('delegation', { delegation: true }),
]

/** Those of the schemes that have none here. */
export const FROM_VECTORS: readonly Profile[] = profilesFromVectors(new Set(WRITTEN.map(({ scheme }) => scheme.name)))

export const PROFILES: readonly Profile[] = [...WRITTEN, ...FROM_VECTORS]

/** A scheme that requests are shown to: one profile, or several in one `anyOf`. */
export interface Verifier {
  readonly label: string
  readonly scheme: Scheme
  readonly members: readonly Profile[]
}

const alone: readonly Verifier[] = PROFILES.map((profile) => ({ label: profile.label, scheme: profile.scheme, members: [profile] }))

function together(...wanted: readonly (string | RegExp)[]): Verifier {
  const members = wanted.flatMap((label) =>
    PROFILES.filter((profile) => (typeof label === 'string' ? profile.label === label : label.test(profile.label))),
  )
  const [first, ...others] = members.map(({ scheme }) => scheme)
  return {
    label: `anyOf(${members.map(({ label }) => label).join(', ')})`,
    scheme: anyOf(first as Scheme, ...others) as unknown as Scheme,
    members,
  }
}

export const VERIFIERS: readonly Verifier[] = [
  ...alone,
  together(/^hmac/),
  together('hmac plain', /^pichax/),
  together('hmac origin', 'hmac purpose', 'hmac ignore'),
  together(/^nginx /, 'hmac in path'),
  together(/^nginx-hmac/, 'hmac renamed', 'pichax with the secret of hmac'),
  together('gcs', 's3', 's3 elsewhere', 'gcs as s3'),
  together(/^azure (?!path)/),
  together('hmac plain', 'pichax alone', 'nginx default', 'nginx-hmac default', 's3', 'gcs', 'azure default', 'nginx secure_link_secret'),
]
