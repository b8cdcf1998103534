// azure: shared access signatures (SAS) of Azure Storage, https://learn.microsoft.com/rest/api/storageservices/create-service-sas
import type { Claims } from '../core/conditions.ts'
import { insist, LinkError } from '../core/errors.ts'
import { type Keyring, keyring, type SecretKey } from '../core/keys.ts'
import { contains, type Network } from '../lib/address.ts'
import { BASE64, decode } from '../lib/encoding.ts'
import { append, decodeValue, eachParameter, type Parts, split } from '../lib/url.ts'
import type { Grant, Proof, Reading, Scheme, Visit } from '../core/scheme.ts'

/** A user delegation key, as Azure's libraries hand it out. */
export interface AzureDelegation {
  readonly signedObjectId: string
  readonly signedTenantId: string
  readonly signedStartsOn: Date | string
  readonly signedExpiresOn: Date | string
  readonly signedService: string
  readonly signedVersion: string
  readonly signedDelegatedUserTenantId?: string
}

/** An account key, or a user delegation key. */
export interface AzureKey extends SecretKey {
  /** The name of the storage account. It is signed, and stands in the link's host name or path. */
  readonly id: string
  /** As Azure hands it out: text is base64, and its bytes are the key. */
  readonly secret: string | Uint8Array | CryptoKey
  /** Makes this a user delegation key: `{ id: account, secret: key.value, delegation: key }`. Its dates are the key's. */
  readonly delegation?: AzureDelegation
}

/** A stored access policy: what it says, links that name it do not say. */
export interface AzurePolicy {
  readonly permissions?: string
  readonly starts?: Date
  readonly expires?: Date
}

/** Options of {@link azure}. */
export interface AzureOptions {
  /** The `sv` of links that are signed. Default: `'2026-04-06'`. All from 2015-04-05 on are read. */
  readonly version?: string
  /** The path begins with the account, as with the emulator: `http://127.0.0.1:10000/account/container/blob`. */
  readonly pathStyle?: boolean
  /** The stored access policies of the container or share by their identifiers. A link that names another one is `malformed`. */
  readonly policies?: Readonly<Record<string, AzurePolicy>>
}

/** Conditions of {@link azure}'s own, in Azure's terms. */
export interface AzureConditions {
  /** Letters, brought into Azure's order. Default: `'r'`. */
  readonly permissions?: string
  /** Blob (default), snapshot, version, container, directory; file, share. */
  readonly resource?: 'b' | 'bs' | 'bv' | 'c' | 'd' | 'f' | 's'
  /** How many segments below the container the directory of resource `d` has. Default: all of the URL's. */
  readonly directoryDepth?: number
  /** Default: both. */
  readonly protocol?: 'https' | 'https,http'
  /** In place of `ip`: IPv4 addresses `'203.0.113.5-203.0.113.9'`. */
  readonly ipRange?: string
  /** A stored access policy, one of the option `policies`. Where it has an expiry, `expires` takes that. */
  readonly identifier?: string
  readonly encryptionScope?: string
  /** The `Cache-Control` of the response; the next four likewise. */
  readonly cacheControl?: string
  readonly contentDisposition?: string
  readonly contentEncoding?: string
  readonly contentLanguage?: string
  readonly contentType?: string
  /** With `resourceTypes` this makes an account SAS: letters of `btqf` for blobs, tables, queues, files. */
  readonly services?: string
  /** Letters of `sco`: service, containers, objects. */
  readonly resourceTypes?: string
  /** This and all that follow are for user delegation keys. */
  readonly preauthorizedAgentObjectId?: string
  readonly agentObjectId?: string
  readonly correlationId?: string
  readonly delegatedUserObjectId?: string
  /** With user delegation keys, from version 2026-04-06 on: headers that the visitor has to send with just these values. */
  readonly requestHeaders?: Readonly<Record<string, string>>
  /** The same for parameters of the query. They are not added to the link. */
  readonly requestQueryParameters?: Readonly<Record<string, string>>
}

const OWN = {
  permissions: 'sp',
  resource: 'sr',
  directoryDepth: 'sdd',
  protocol: 'spr',
  ipRange: 'sip',
  identifier: 'si',
  encryptionScope: 'ses',
  cacheControl: 'rscc',
  contentDisposition: 'rscd',
  contentEncoding: 'rsce',
  contentLanguage: 'rscl',
  contentType: 'rsct',
  services: 'ss',
  resourceTypes: 'srt',
  preauthorizedAgentObjectId: 'saoid',
  agentObjectId: 'suoid',
  correlationId: 'scid',
  delegatedUserObjectId: 'sduoid',
  requestHeaders: 'srh',
  requestQueryParameters: 'srq',
} as const satisfies Record<keyof AzureConditions, string>

const DELEGATION = {
  skoid: 'signedObjectId',
  sktid: 'signedTenantId',
  skt: 'signedStartsOn',
  ske: 'signedExpiresOn',
  sks: 'signedService',
  skv: 'signedVersion',
  skdutid: 'signedDelegatedUserTenantId',
} as const satisfies Record<string, keyof AzureDelegation>

// In the order in which Azure's library writes them.
const NAMES =
  'sv ss srt spr st se sip si ses skoid sktid skt ske sks skv sr sdd sp rscc rscd rsce rscl rsct saoid suoid scid sduoid skdutid srh srq sig'.split(
    ' ',
  )

// Parameters of the request that decide what it does.
const REQUEST = ['comp', 'restype', 'snapshot', 'versionid']

// In Azure's order, by resource. Without one it is an account SAS.
const BLOB = 'racwdxtmeopiy'
const LETTERS: Record<string, string> = {
  b: BLOB,
  bs: BLOB,
  bv: BLOB,
  c: 'racwdxltmeopiyf',
  d: 'racwdxltmeop',
  f: 'rcwd',
  s: 'rcwdl',
  '': 'rwdxftlacupiy',
}

// The versions that brought letters and resources.
const SINCE: Record<string, string> = {
  bs: '2018-11-09',
  bv: '2019-10-10',
  d: '2020-02-10',
  'sp x': '2019-10-10',
  'sp y': '2019-10-10',
  'sp t': '2019-12-12',
  'sp f': '2019-12-12',
  'sp m': '2020-02-10',
  'sp e': '2020-02-10',
  'sp o': '2020-02-10',
  'sp i': '2020-08-04',
}

// Line breaks would let values of one line pass for another; the others Azure does not take either.
const TEXT = /^\P{Cc}+$/u
// All that names of headers can have: no colon, which is what ends them in the text.
const NAMED = /^[\w!#-\x27*+.^\x60|~-]+(,[\w!#-\x27*+.^\x60|~-]+){0,31}$/
const SHAPES: Record<string, RegExp> = {
  sv: /^20\d\d-\d\d-\d\d$/,
  sr: /^(b[sv]?|[cdfs])$/,
  sdd: /^\d{1,3}$/,
  ss: /^[btqf]{1,4}$/,
  srt: /^[sco]{1,3}$/,
  sp: /^[a-z]+$/,
  spr: /^https(,http)?$/,
  sip: /^[\d.]+(-[\d.]+)?$/,
  srh: NAMED,
  srq: NAMED,
  sig: /^[A-Za-z\d+/]{43}=$/,
}

/** By parameter; `account`, `resource` and `time` are lines of the text, too. */
type Fields = Record<string, string>

interface Scan {
  readonly fields: Fields
  readonly request: Fields
  readonly broken: boolean
  readonly rest: Parts
}

interface AzureReading extends Reading, Scan {}

interface ReadyKey extends SecretKey {
  readonly id: string
  readonly fields: Fields
}

/**
 * Shared access signatures of Azure Storage: service SAS for blobs, containers, directories, files and shares, account SAS, and user
 * delegation SAS. HMAC-SHA-256 over the account, the path and the link's own parameters; not over other parameters.
 *
 * Permissions decide the methods: `r` opens `GET` and `HEAD`, `c` and `w` open `PUT`, `d` opens `DELETE`. A link is dead at its expiry, and
 * every refusal is a 403, as with Azure.
 *
 * @param keys - Account keys: `id` is the account, `secret` the key in base64, as Azure hands it out. Newest first: the first one in time
 *   signs, all verify, none only reads.
 * @param options - Signer and verifier need the same ones.
 * @throws A {@link LinkError}: `bad_option` for a key without account or a secret that is not base64, `weak_key` for an empty one.
 *
 * @example
 * ```ts
 * import { sign, verify } from 'securelink'
 * import { azure } from 'securelink/schemes/azure'
 *
 * const links = azure({ id: 'myaccount', secret: 'YSBrZXkgZm9yIGV4YW1wbGVzLCAzMiBieXRlcyBsb25n' })
 * const link = await sign(links, 'https://myaccount.blob.core.windows.net/reports/2030.pdf', { expires: '1h', permissions: 'r' })
 * console.log((await verify(links, link)).ok) // true
 * ```
 */
export function azure(keys: Keyring<AzureKey>, options: AzureOptions = {}): Scheme<'starts' | 'ip', AzureConditions> {
  const { version = '2026-04-06', pathStyle, policies = {} } = options
  const ring = keyring([keys].flat().map(ready))
  insist(SHAPES['sv']?.test(version) && version >= '2015-04-05', `version takes one from '2015-04-05' on`)

  /** What the policy says that a link names; nothing without one, `undefined` for one that nobody has told us of. */
  function policyOf({ si }: Fields): AzurePolicy | undefined {
    return si === undefined ? {} : Object.hasOwn(policies, si) ? policies[si] : undefined
  }

  /** Which account a path in normal form is of, where it says so; the resource that is signed; the prefix that it opens. */
  function place({ sr = '', sdd = '' }: Fields, path: string): { account?: string; resource: string; prefix?: string } | undefined {
    const segments = path.slice(1).split('/')
    const front = pathStyle ? `/${segments.shift()}` : ''
    // A container, a share or a directory: so many segments, and everything below.
    const depth = sr === 'd' ? 1 + +sdd : sr === 'c' || sr === 's' ? 1 : undefined
    const names = segments.slice(0, depth).join('/')
    const decoded = decodeValue(names)
    if (decoded === undefined || !TEXT.test(`/${decoded}`) || (sr && !decoded)) return
    // An escaped slash does not make a container of two.
    if (depth && (decoded.split('/').length !== depth || segments.length < depth)) return
    const root = sr[0] === 'b' && !decoded.includes('/') ? '/$root' : ''
    const prefix = depth ? `${front}/${names}` : sr ? '' : front
    return {
      ...(front && { account: front.slice(1) }),
      resource: `${root}/${decoded}`,
      ...(prefix && { prefix }),
    }
  }

  function methodsOf(permissions: string, { sr }: Fields, { comp = '', restype = '', versionid }: Fields, path: string): string[] {
    const has = (letter: string) => permissions.includes(letter)
    // The account, or a container or share itself: of these a service SAS lists what is in them, and no more.
    const whole = path.split('/').filter(Boolean).length < (pathStyle ? 2 : 1) || /^(container|share)$/.test(restype)
    const more = { blobs: 'f', immutabilitypolicies: 'i', legalhold: 'i', tags: 't' }[comp.toLowerCase()]
    const open = !(whole && sr) && (!more || has(more))
    const methods: string[] = []
    if (open && (versionid ? has('x') && (sr === 'bv' || has('d')) : has('d'))) methods.push('DELETE')
    if (comp === 'list' ? has('l') && (whole || has('r')) : open && has('r')) methods.push('GET')
    if (open && (has('c') || has('w'))) methods.push('PUT')
    return methods
  }

  return {
    name: 'azure',
    carries: ['starts', 'ip'],
    own: Object.keys(OWN),
    covers: ['account', 'path', 'permissions', 'start', 'expiry', 'address', 'protocol', 'response headers'],
    status: { malformed: 403, expired: 403, key_expired: 403, wrong_method: 403, revoked: 403 },

    async seal(grant: Grant<AzureConditions>): Promise<string> {
      const { url, own, starts, expires, network } = grant
      const key = grant.signingKey(ring, grant.now)
      const { fields: there, request, rest } = scan(url)
      const [taken] = Object.keys(there)
      if (taken)
        throw new LinkError(
          there['sv'] && there['sig'] ? 'already_signed' : 'bad_option',
          `the URL has a parameter '${taken}': it is a link already, or it cannot be signed, because Azure gives the link's that name`,
        )
      insist(!/\/(\.|%2e){1,2}(\/|$)/i.test(rest.path), 'azure links take paths without the segments . and .., which clients resolve')

      const fields: Fields = { sv: version, ...key.fields }
      for (const [name, parameter] of Object.entries(OWN) as [keyof AzureConditions, string][])
        if (own[name]) {
          const named = parameter === 'srh' || parameter === 'srq'
          insist(
            typeof own[name] === (named ? 'object' : 'string') || name === 'directoryDepth',
            `${name} takes ${named ? 'names and values' : 'text that is not empty'}`,
          )
          fields[parameter] = named ? Object.keys(own[name] as object).join() : `${own[name]}`
        }
      if (!fields['ss'] && !fields['srt']) fields['sr'] ??= 'b'
      const { sr = '' } = fields
      const path = grant.normalise(rest).path
      if (sr === 'd') fields['sdd'] ??= `${path.split('/').filter(Boolean).length - (pathStyle ? 2 : 1)}`
      insist(sr !== 'd' || +(fields['sdd'] as string) > 0, `resource 'd' takes the URL of a directory`)
      insist(
        time(fields, request) && (sr !== 'b' || !fields['time']),
        `resource takes 'bs' for a URL with snapshot, and 'bv' for one with versionid`,
      )

      const policy = policyOf(fields)
      insist(policy, 'identifier takes the name of one of the option policies')
      // What a policy says, Azure does not let a link say again.
      insist(!policy.permissions || !own.permissions, 'permissions are what the stored access policy says: leave them out')
      insist(!policy.starts || !starts, 'starts is what the stored access policy says: leave it out')
      insist(!policy.expires || Math.ceil(+policy.expires / 1000) === expires, 'expires takes what the stored access policy says')
      if (!policy.expires) fields['se'] = iso(expires * 1000)
      if (starts) fields['st'] = iso(starts * 1000)
      if (!policy.permissions) fields['sp'] = inOrder(own.permissions ?? 'r', LETTERS[sr] ?? '', 'permissions', version)
      if (fields['ss']) fields['ss'] = inOrder(fields['ss'], 'btqf', 'services')
      if (fields['srt']) fields['srt'] = inOrder(fields['srt'], 'sco', 'resourceTypes')
      insist(!network || !own.ipRange, 'ip and ipRange exclude each other')
      if (network) fields['sip'] = range(network)

      const wrong = fault(fields)
      insist(wrong === undefined, `a SAS of this kind and version cannot carry '${wrong}', or not such a one`)
      const found = place(fields, path)
      insist(
        found && (!sr || found.resource !== '/'),
        'azure links take the URL of a container or of something in it, without control characters',
      )
      insist((found.account ?? key.id) === key.id, 'the option pathStyle takes URLs whose path begins with the account')
      const { requestHeaders = {}, requestQueryParameters = {} } = own
      const bound = boundTo(
        fields,
        (name) => requestHeaders[name],
        (name) => requestQueryParameters[name],
      )
      // Other headers do not arrive as they were sent.
      insist(
        bound && Object.values(requestHeaders).every((value) => /^([!-~]([ -~]*[!-~])?)?$/.test(value)),
        'requestHeaders takes values of ASCII without spaces around them, and requestQueryParameters values without control characters',
      )
      const signature = await grant.mac(key, textOf({ ...fields, ...bound }, key.id, found.resource), BASE64)
      fields['sig'] = `${signature}=`
      return append(
        url,
        NAMES.filter((name) => fields[name])
          .map((name) => `${name}=${encodeURIComponent(fields[name] as string)}`)
          .join('&'),
      )
    },

    read(url: string): AzureReading | 'unsigned' | 'malformed' {
      const scanned = scan(url)
      const { fields, request, broken, rest } = scanned
      if (fields['sv'] === undefined && fields['sig'] === undefined) return 'unsigned'
      const policy = policyOf(fields)
      const { st, se, sp } = fields
      if (broken || !fields['sig'] || !policy || !time(fields, request) || fault(fields) !== undefined) return 'malformed'
      // What a policy says, Azure does not let a link say again.
      if ((se && policy.expires) || (st && policy.starts) || (sp && policy.permissions)) return 'malformed'
      const expires = policy.expires ?? dateOf(se)
      const starts = policy.starts ?? dateOf(st)
      const permissions = policy.permissions ?? sp
      if (!expires || !permissions || (st && !starts)) return 'malformed'

      const claims: { -readonly [K in keyof Claims]: Claims[K] } = { resource: rest.origin + rest.path + rest.query, expires }
      if (starts) claims.starts = starts
      const methods = methodsOf(permissions, fields, request, rest.path)
      if (`${methods}` !== 'GET') claims.methods = methods
      if (fields['sip']) claims.ip = fields['sip']
      const prefix = place(fields, rest.path)?.prefix
      if (prefix) claims.prefix = prefix
      if (fields['skoid']) claims.keyId = fields['skoid']
      return { ...scanned, claims }
    },

    async check({ claims, fields, request, rest }: AzureReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const { path } = visit.normalise(rest)
      const found = place(fields, path)
      const bound = boundTo(
        fields,
        (name) => visit.header(name.toLowerCase()),
        (name) => parameterOf(rest.query, name),
      )
      const signature = fields['sig']?.slice(0, -1) as string
      // Of an empty ring it is match that complains.
      let answer = ring[0] ? ('unknown_key' as const) : await visit.match(ring, undefined, '', signature, BASE64)
      for (const key of ring) {
        if (!fits(key, fields) || (found?.account ?? key.id) !== key.id) continue
        const text = found && bound && textOf({ ...fields, ...bound }, key.id, found.resource)
        answer = text ? await visit.match([key], undefined, text, signature, BASE64) : 'bad_signature'
        if (typeof answer !== 'string') break
      }
      if (typeof answer === 'string') return answer
      return {
        key: answer,
        claims: { ...claims, resource: rest.origin + path + rest.query, ...(found?.prefix && { prefix: found.prefix }) },
        path: opens(fields, request, rest.origin, path.split('/').filter(Boolean).length - (pathStyle ? 1 : 0)),
      }
    },
  }
}

/** A key with its secret as bytes, and the parameters that a delegation key writes into its links. */
function ready({ delegation, ...key }: AzureKey): ReadyKey {
  insist(key.id, 'azure() takes keys as { id, secret }: id is the name of the storage account')
  const fields: Fields = {}
  for (const [name, property] of Object.entries(DELEGATION)) {
    const value = delegation?.[property]
    const date = name === 'skt' || name === 'ske' ? (typeof value === 'string' ? dateOf(value) : (value as Date | undefined)) : undefined
    if (value) fields[name] = date ? iso(+date) : `${value}`
  }
  const [starts, expires] = delegation ? [dateOf(fields['skt']), dateOf(fields['ske'])] : [key.starts, key.expires]
  insist(!delegation || (starts && expires), 'delegation takes a user delegation key, with its dates')
  const { secret } = key
  return {
    ...key,
    secret: typeof secret === 'string' ? bytesOf(secret) : secret,
    ...(starts && { starts }),
    ...(expires && { expires }),
    fields,
  }
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  const size = text.length % 4 ? -1 : decode(text.replace(/={1,2}$/, ''), BASE64, bytes)
  insist(size >= 0, 'secret takes the account key as Azure hands it out, in base64')
  return bytes.slice(0, size)
}

/** Takes the SAS out of a URL. */
function scan(url: string): Scan {
  const parts = split(url)
  const fields: Fields = {}
  const request: Fields = {}
  let broken = parts.path[0] !== '/'
  let query = ''
  eachParameter(parts.query, '&', (name, text, piece) => {
    const ours = NAMES.includes(name)
    if (!ours) query += `${query ? '&' : '?'}${piece}`
    if (!ours && !REQUEST.includes(name)) return
    const into = ours ? fields : request
    // Azure reads a `+` as a space.
    const value = decodeValue(text.replaceAll('+', '%20'))
    if (into[name] !== undefined || !value) broken = true
    into[name] = value ?? ''
  })
  return { fields, request, broken, rest: { origin: parts.origin, path: parts.path, query, fragment: parts.fragment } }
}

/**
 * Snapshots and versions are signed with their time, which is a parameter of the request: takes it over, and tells whether it is there. A
 * link to a blob opens neither.
 */
function time(fields: Fields, { snapshot, versionid }: Fields): boolean {
  const { sr, sv = '' } = fields
  const current = sr === 'b' && sv >= '2018-11-09' ? (snapshot ?? versionid ?? '') : ''
  const value = sr === 'bs' ? snapshot : sr === 'bv' ? versionid : current
  if (value) fields['time'] = value
  return value !== undefined
}

/** The lines of the signed text: what stands in them, by parameter. */
function lines({ sv = '', sr, skoid }: Fields): readonly string[] {
  const since = (version: string, ...names: string[]): string[] => (sv >= version ? names : [])
  if (!sr) return ['account', 'sp', 'ss', 'srt', 'st', 'se', 'sip', 'spr', 'sv', ...since('2020-12-06', 'ses'), 'end']
  const file = sr === 'f' || sr === 's'
  const delegation = [
    ...['skoid', 'sktid', 'skt', 'ske', 'sks', 'skv'],
    ...(file ? [] : since('2020-02-10', 'saoid', 'suoid', 'scid')),
    ...since('2025-07-05', 'skdutid', 'sduoid'),
  ]
  return [
    ...['sp', 'st', 'se', 'resource', ...(skoid ? delegation : ['si']), 'sip', 'spr', 'sv'],
    ...(file ? [] : [...since('2018-11-09', 'sr', 'time'), ...since('2020-12-06', 'ses')]),
    ...(file || !skoid ? [] : since('2026-04-06', 'headers', 'parameters')),
    ...['rscc', 'rscd', 'rsce', 'rscl', 'rsct'],
  ]
}

function textOf(fields: Fields, account: string, resource: string): string {
  const service = /^[fs]$/.test(fields['sr'] ?? '') ? 'file' : 'blob'
  const all: Fields = { ...fields, account, resource: `/${service}/${account}${resource}` }
  return lines(fields)
    .map((name) => all[name] ?? '')
    .join('\n')
}

type Lookup = (name: string) => string | undefined

/** The lines of the headers and parameters that a link binds the visit to; `undefined` where one is missing or could pass for two. */
function boundTo({ srh, srq }: Fields, header: Lookup, parameter: Lookup): Fields | undefined {
  const pairs = (names: string | undefined, value: Lookup) => names?.split(',').map((name) => `${name}:${value(name) ?? '\n'}`) ?? []
  const headers = pairs(srh, header)
  const parameters = pairs(srq, parameter)
  if (![...headers, ...parameters].every((pair) => TEXT.test(pair))) return
  return { headers: headers.map((pair) => `${pair}\n`).join(''), parameters: parameters.map((pair) => `\n${pair}`).join('') }
}

/** The value of a parameter that stands in the query once. */
function parameterOf(query: string, wanted: string): string | undefined {
  const found: (string | undefined)[] = []
  eachParameter(query, '&', (name, text) => {
    if (name === wanted) found.push(decodeValue(text.replaceAll('+', '%20')))
  })
  return found.length === 1 ? found[0] : undefined
}

/** The first parameter that is not what it must be, or that the signature of this kind and version would not cover. */
function fault(fields: Fields): string | undefined {
  const { sv = '', sr, ss, srt, sdd, sip, skoid } = fields
  // Some versions do not sign `sr`, but all of them sign what it makes of the path; so it is with `sdd`.
  const signed = lines(fields)
  const known = [...signed, 'sr', 'sdd', 'sig', ...(signed.includes('headers') ? ['srh', 'srq'] : [])]
  if (!sv || sv < '2015-04-05') return 'sv'
  if (sr ? ss || srt || sv < (SINCE[sr] ?? '') : !ss || !srt) return 'sr'
  if ((sr === 'd') !== (sdd !== undefined)) return 'sdd'
  if (sip && !contains(sip, sip.split('-')[0])) return 'sip'
  if (skoid && sv < (sr === 'f' || sr === 's' ? '2025-07-05' : '2018-11-09')) return 'skoid'
  return Object.keys(fields).find((name) => !known.includes(name) || !(SHAPES[name] ?? TEXT).test(fields[name] as string))
}

/** Was the link signed with this account's key, or with this delegation key? */
function fits(key: ReadyKey, fields: Fields): boolean {
  return Object.keys(DELEGATION).every((name) => key.fields[name] === fields[name])
}

/** Does the link open this URL? Its protocol, and for an account SAS the service and how deep the path is. */
function opens({ spr, ss, srt }: Fields, { restype }: Fields, origin: string, depth: number): boolean {
  if (spr === 'https' && /^http:/i.test(origin)) return false
  if (!ss || !srt) return true
  const [, service = 'blob'] = /\.(blob|dfs|file|queue|table)\./i.exec(origin) ?? []
  const type = depth < 1 ? 's' : depth === 1 && restype ? 'c' : 'o'
  return ss.includes(service.toLowerCase().replace('dfs', 'blob')[0] as string) && srt.includes(type)
}

/** Letters in Azure's order, none twice. */
function inOrder(text: string, letters: string, name: string, version = ''): string {
  const good = (letter: string) => letters.includes(letter) && (!version || version >= (SINCE[`sp ${letter}`] ?? ''))
  insist(text !== 'read', `${name} takes letters, and 'read' would be read, execute, add and delete: reading is 'r'`)
  insist(
    typeof text === 'string' && [...text].every((letter, i) => good(letter) && text.indexOf(letter) === i),
    `${name} takes letters of '${letters}', none twice, that this version knows`,
  )
  return [...letters].filter((letter) => text.includes(letter)).join('')
}

/** A network as Azure can say it: an IPv4 address, or the first and the last one. */
function range({ bits, digits }: Network): string {
  insist(/^0{20}ffff/.test(digits), 'azure links take IPv4 addresses')
  const first = Number.parseInt(digits.slice(24).padEnd(8, '0'), 16)
  const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
  return bits === 32 ? dotted(first) : `${dotted(first)}-${dotted(first + 2 ** (32 - bits) - 1)}`
}

function iso(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,7}))?)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d)))?$/

/** Reads the forms that Azure takes: a date, and with minutes, seconds, up to seven digits more; UTC or with its offset. */
function dateOf(text = ''): Date | undefined {
  const [, day, hours = 0, minutes = 0, seconds = 0, fraction = '', sign, offsetHours = 0, offsetMinutes = 0] = TIME.exec(text) ?? []
  const midnight = new Date(`${day}T00:00:00Z`)
  // Some engines take the 30th of February for the 2nd of March.
  if (!midnight.toJSON()?.startsWith(day as string)) return
  const offset = (+offsetHours * 60 + +offsetMinutes) * (sign === '-' ? -1 : 1)
  return new Date(+midnight + (+hours * 3600 + +minutes * 60 + +seconds - offset * 60) * 1000 + +fraction.padEnd(3, '0').slice(0, 3))
}
