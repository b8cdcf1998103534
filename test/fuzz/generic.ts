// A profile that follows from the facts of a scheme: its parameters, what it covers, which conditions it carries, and its algorithm.
//
// A new scheme needs one entry in profiles.ts. It has what the facts do not contain: keys, options, and URLs that the scheme's own service has.
// Everything below can be replaced, for schemes that read a request in a way of their own.
import type { Condition, Scheme } from '../../src/index.ts'
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
  starts,
  targetParts,
  type Visit,
} from './profile.ts'
import type { Random } from './random.ts'
import {
  bytesOf,
  formBytes,
  formValue,
  inNetwork,
  normalOrigin,
  outside,
  pathDifference,
  queryDifference,
  type Target,
} from './readings.ts'
import { ADDRESSES, expiry, HEADER_VALUES, HEADERS, lookalike, NOW, token, url } from './words.ts'

/** What the facts of a scheme do not say. */
export interface GenericProfile<K extends Key> {
  readonly label: string
  readonly make: (keys: readonly K[]) => unknown
  readonly keys: readonly K[]
  /** Default: the label. Profiles of one family share secrets, and their links are shown to each other. */
  readonly family?: string
  /** The options of the factory, for the reader of a failure. */
  readonly options?: object
  /** Texts between the fields of the string to sign. Default: a line break. */
  readonly separators?: readonly string[]
  /** URLs to sign. Default: URLs and paths of all kinds. */
  readonly urls?: (random: Random) => string
  /** Conditions of the scheme's own, and others in place of those that are made here. */
  readonly conditions?: (random: Random) => Readonly<Record<string, unknown>>
  /** The length of a signature as it is written, for algorithms that do not tell, or `'read'`: the signature is the one that the scheme reads. */
  readonly signatureLength?: number | 'read'
  /** When links expire. Default: a whole second within days. */
  readonly expiry?: (random: Random) => Date
  /** The part of a path or query that the link is for. Default: the path, and the query without the link's parameters. */
  readonly resourceOf?: (target: Target) => { path: string; query: string }
  /** The methods that a grant opens. Default: those that it asks for. */
  readonly methods?: Profile['methods']
  /** Checks in place of those that are made here, by the words of `covers`. */
  readonly fields?: Readonly<Record<string, Check>>
  readonly always?: readonly Check[]
  /** `always` compares `claims.resource`, so nothing here does. */
  readonly ownResource?: boolean
}

const BYTES = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 } as const
const ALPHABETS = { hex: '[\\da-f]', base64: '[A-Za-z\\d+/=]', base64url: '[\\w-]' } as const

const base64url = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** Finds a signature by its length and its alphabet: the last such run of characters in a link. */
function signaturePattern({ algorithm }: Scheme, given: number | 'read' | undefined): RegExp | undefined {
  const { encoding } = algorithm
  const bytes = algorithm.bytes ?? ('hmac' in algorithm ? BYTES[algorithm.hmac] : 0)
  const written = { hex: bytes * 2, base64: Math.ceil(bytes / 3) * 4, base64url: Math.ceil((bytes * 4) / 3) }[encoding]
  const length = given ?? written
  if (!length || length === 'read') return undefined
  const letter = ALPHABETS[encoding]
  return new RegExp(`(?<!${letter})${letter}{${length}}(?!${letter})`, 'g')
}

export function generic<K extends Key>(settings: GenericProfile<K>): Profile {
  const { label, make, keys, family = label, options = {}, separators = ['\n'] } = settings
  const scheme = make(keys) as Scheme
  const pattern = signaturePattern(scheme, settings.signatureLength)
  const covered = (word: (typeof scheme.covers)[number]): boolean => scheme.covers.includes(word)

  function signatureOf({ origin, path, query = '' }: Target): string {
    if (pattern) return [...`${bytesOf(path)}?${formBytes(query)}`.matchAll(pattern)].at(-1)?.[0] ?? ''
    // Only the scheme knows how long its signatures are. A wrong answer here would make every accepted link a finding.
    const reading = scheme.read(`${origin}${path}${query && `?${query}`}`)
    // In one spelling, because some schemes take base64 and base64url.
    return typeof reading === 'object' && 'signature' in reading ? base64url(reading.signature) : ''
  }

  /** Links that cover a method without taking it as a condition decide by conditions of their own. */
  function methods(issued: Issued, visit: Visit): readonly string[] {
    if (!covered('method')) return ['GET', 'HEAD']
    return scheme.carries.includes('method') ? methodsOf(issued) : [visit.method.toUpperCase()]
  }

  const resourceOf =
    settings.resourceOf ??
    (({ path, query = '' }: Target) => {
      const own = (piece: string) => scheme.parameters.includes(bytesOf(piece.split('=', 1)[0] as string))
      const others = query.split('&').filter((piece) => !own(piece))
      return { path, query: others.join('&') }
    })

  const checks: Readonly<Record<string, Check>> = {
    ...fieldsOf(scheme, resourceOf),
    ...settings.fields,
  }
  // The handler serves by claims.resource, so what it names must be what was granted, as far as that is covered.
  const resource: Check = (issued, _visit, claims) => {
    const granted = resourceOf(issued.target)
    const named = targetParts(claims.resource)
    const inPath = !covered('path') ? undefined : claims.prefix === undefined ? pathDifference(granted.path, named.path) : undefined
    if (inPath) return `claims.resource path (${inPath})`
    const inQuery = covered('query') && queryDifference(granted.query, named.query)
    return inQuery && `claims.resource query (${inQuery})`
  }

  return {
    label,
    family,
    scheme,
    ring: keys,
    parameters: scheme.parameters,
    separators,
    options,
    grant: (random) => ({
      url: settings.urls?.(random) ?? url(random, { host: covered('host'), separators }),
      conditions: { ...conditionsOf(scheme, random, separators, settings.expiry), ...settings.conditions?.(random) },
    }),
    signatureOf,
    fields: checks,
    always: [...(settings.ownResource ? [] : [resource]), ...(settings.always ?? [])],
    methods: settings.methods ?? methods,
    endless: !covered('expires'),
  }
}

/** Conditions that the scheme can carry: those that it requires always, the others sometimes. */
function conditionsOf(scheme: Scheme, random: Random, separators: readonly string[], end = expiry): Conditions {
  const { carries, requires = [], expiry: kind = 'required' } = scheme
  const makers: Readonly<Record<Condition, () => unknown>> = {
    starts: () => new Date(NOW + 3_600_000 * (random.below(3) - 1)),
    method: () => random.pick(['GET', 'PUT', 'HEAD', 'DELETE', 'get']),
    ip: () => random.pick(ADDRESSES) + random.pick(['', '', '/24', '/32', '/64']),
    prefix: () => random.pick(['/', '/a/', '/files/', '/files']),
    uses: () => 1 + random.below(3),
    id: () => random.several(1, 2, () => token(random)).join('') + (random.chance(0.4) ? lookalike(random, random.pick(separators)) : ''),
  }
  const never = kind === 'none' || (kind === 'optional' && random.chance(0.2))
  const conditions: Record<string, unknown> & { expires: Date | 'never' } = { expires: never ? 'never' : end(random) }
  if (!never && random.chance(0.1)) conditions['align'] = '1h'
  for (const name of carries as readonly Condition[]) if (requires.includes(name) || random.chance(0.25)) conditions[name] = makers[name]()
  if (scheme.own?.includes('headers') && random.chance(0.3)) conditions['headers'] = { [random.pick(HEADERS)]: random.pick(HEADER_VALUES) }
  return conditions
}

/** How each word of `covers` is compared. `?name` is compared for every name that the scheme covers. */
function fieldsOf(scheme: Scheme, resourceOf: (target: Target) => { path: string; query: string }): Record<string, Check> {
  const host = ({ origin }: Target): string => normalOrigin(origin).replace(/^.*?:\/\//, '')
  const claimed =
    (claim: keyof Claims): Check =>
    ({ conditions }, _, claims) =>
      different(JSON.stringify(claims[claim] ?? null) === JSON.stringify(conditions[claim] ?? null), `claims.${claim}`)
  const fields: Record<string, Check> = {
    scheme: (issued, { target }) => different(normalOrigin(issued.target.origin) === normalOrigin(target.origin), 'scheme'),
    host: (issued, { target, headers }) => {
      // A scheme that reads no headers compares the URL of a request as it is, which may be a path, with the URL that was signed.
      const header = scheme.reads?.includes('headers') ? (headers['host'] ?? '').toLowerCase() : ''
      return different(host(issued.target) === (host(target) || header), 'host')
    },
    path: (issued, { target }, claims) => {
      const path = resourceOf(target).path
      const server =
        claims.prefix === undefined
          ? pathDifference(resourceOf(issued.target).path, path)
          : outside(path, String(issued.conditions['prefix'] ?? claims.prefix))
      return server && `path (${server})`
    },
    query: (issued, { target }) => {
      const server = queryDifference(resourceOf(issued.target).query, resourceOf(target).query)
      return server && `query (${server})`
    },
    method: (issued, { method }) =>
      different(!scheme.carries.includes('method') || methodsOf(issued).includes(method.toUpperCase()), 'method'),
    headers: ({ conditions }, { headers }) => {
      const signed = Object.entries((conditions['headers'] ?? {}) as Record<string, string>)
      const sent = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]))
      const wrong = signed.find(([name, value]) => sent.get(name.toLowerCase()) !== value.trim())
      return wrong && `header ${wrong[0]}`
    },
    ip: ({ conditions }, { ip }, claims) => {
      const network = conditions['ip'] as string | undefined
      if (!network) return different(claims.ip === undefined, 'claims.ip')
      return different(claims.ip !== undefined, 'claims.ip') || different(inNetwork(network, ip), 'ip')
    },
    starts,
    expires,
    prefix: ({ conditions }, _, claims) =>
      different(conditions['prefix'] === undefined || claims.prefix !== undefined, 'claims.prefix is missing'),
    uses: claimed('uses'),
    id: ({ conditions }, _, claims) =>
      different(claims.id === conditions['id'] || (conditions['id'] === undefined && conditions['uses'] !== undefined), 'claims.id'),
    key: ({ key }, _, claims) => different(claims.keyId === undefined || claims.keyId === key.id, 'claims.keyId'),
    purpose: () => undefined,
  }
  for (const word of scheme.covers)
    if (word.startsWith('?')) {
      const name = word.slice(1)
      fields[word] = (issued, { target }) =>
        different(formValue(issued.target.query, name) === formValue(target.query, name), `parameter ${name}`)
    }
  return fields
}

/** The key id in a link is that of the key which signed. For schemes that do not sign it. */
export const keyInQuery =
  (name: string): Check =>
  ({ key }, { target }, claims) =>
    different(claims.keyId === key.id && formValue(target.query, name) === key.id, 'key')
