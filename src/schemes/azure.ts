// azure: shared access signatures (SAS) of Azure Storage, https://learn.microsoft.com/rest/api/storageservices/create-service-sas
import type { Claims } from '../core/conditions.ts'
import { insist, LinkError } from '../core/errors.ts'
import { type Keyring, keyring, type SecretKey } from '../core/keys.ts'
import { contains, type Network } from '../lib/address.ts'
import { BASE64, decode } from '../lib/encoding.ts'
import { append, decodeValue, LONGEST, type Parts, split } from '../lib/url.ts'
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
  /** The name of the storage account, of lower-case letters and digits. It is signed, and stands in the link's host name or path. */
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

// Parameters that name another copy of a blob or file than the current one.
const COPIES = ['snapshot', 'versionid', 'sharesnapshot']

// Parameters of the request that decide what it does.
const REQUEST = ['comp', 'restype', ...COPIES]

const BROKEN_ESCAPE = /%(?![\da-f]{2})/i

const NEWEST = '2026-04-06'

const KNOWN = new Set([...NAMES, ...REQUEST])

// As many letters as the names above have, each of them escaped or not.
const COULD_BE_KNOWN = /^([a-z]|%[46][1-9a-f]|%[57][\da]){2,13}$/i

// In the order of Azure's libraries, by resource. Without one it is an account SAS.
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
  // As `p` of Data Lake; the queues' `p` of an account SAS is older.
  'service p': '2020-02-10',
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
  ss: /^(?!.*(.).*\1)[btqf]+$/,
  srt: /^(?!.*(.).*\1)[sco]+$/,
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

interface AzureReading extends Reading, Scan {
  /** The link's own expiry, where `claims` may have the end of its delegation key, which comes first. */
  readonly expires: Date
}

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
  const { version = NEWEST, pathStyle, policies = {} } = options
  const ring = keyring([keys].flat().map(ready))
  insist(SHAPES['sv']?.test(version) && version >= '2015-04-05', `version takes one from '2015-04-05' on`)
  for (const { permissions, starts, expires } of Object.values(policies)) {
    // An invalid Date would be a policy without an end.
    for (const date of [starts, expires])
      insist(date === undefined || (date instanceof Date && !Number.isNaN(+date)), 'policies must have valid Dates')
    insist(
      permissions === undefined || arePermissions(permissions, 'c', NEWEST),
      `policies must have permissions such as 'rl', in Azure's order`,
    )
  }

  /** What the policy says that a link names; nothing without one, `undefined` for one that nobody has told us of. */
  function policyOf({ si }: Fields): AzurePolicy | undefined {
    return si === undefined ? {} : Object.hasOwn(policies, si) ? policies[si] : undefined
  }

  /**
   * Which account a path in normal form is of, where it says so; the resource that is signed; the prefix that it opens. `undefined` for a path
   * that a link of this kind cannot be for.
   */
  function place({ sr = '', sdd = '' }: Fields, path: string): { account?: string; resource: string; prefix?: string } | undefined {
    const segments = path.slice(1).split('/')
    const front = pathStyle ? `/${segments.shift()}` : ''
    // A container, a share or a directory: so many segments, and everything below.
    const depth = sr === 'd' ? 1 + +sdd : sr === 'c' || sr === 's' ? 1 : undefined
    const names = segments.slice(0, depth).join('/')
    const decoded = decodeValue(names)
    // Azure has no `\` in names: its servers read it as a slash.
    if (decoded === undefined || !TEXT.test(`/${decoded}`) || decoded.includes('\\')) return
    const decodedNames = decoded.split('/')
    // An escaped slash does not make a container of two.
    if (depth && (decodedNames.length !== depth || segments.length < depth)) return
    // The string to sign does not say `sr` for files, so a file without its share would have that of a share.
    if (sr === 'f' && decodedNames.length < 2) return
    // Containers, directories and files have names; those of blobs may begin or end with a slash.
    if (sr[0] === 'b' ? !/^[^/]+(\/.+)?$/s.test(decoded) : sr && decodedNames.includes('')) return
    const root = sr[0] === 'b' && decodedNames.length === 1 ? '/$root' : ''
    const prefix = depth ? `${front}/${names}` : sr ? '' : front || '/'
    return {
      ...(front && { account: front.slice(1) }),
      resource: `${root}/${decoded}`,
      ...(prefix && { prefix }),
    }
  }

  /** 0 for the account, 1 for a container or share, more for something in it. */
  function depthOf(path: string): number {
    return path.split('/').filter(Boolean).length - (pathStyle ? 1 : 0)
  }

  function methodsOf(permissions: string, { sr }: Fields, { comp, restype, versionid }: Fields, path: string): string[] {
    const has = (letter: string) => permissions.includes(letter)
    const depth = depthOf(path)
    // The account, or a container or share itself: of these a service SAS lists what is in them, and no more. Without its restype, Azure
    // takes the URL of a container for that of a blob in `$root`.
    const whole = depth < 1 || restype === 'container' || restype === 'share' || (depth === 1 && (sr === 'c' || sr === 's'))
    const more = { blobs: 'f', immutabilitypolicies: 'i', legalhold: 'i', tags: 't' }[comp ?? '']
    const open = !(whole && sr) && (!more || has(more))
    const listed =
      (depth < 1 && !sr) ||
      (depth === 1 && restype === 'container' && (!sr || sr === 'c')) ||
      (depth > 0 && restype === 'directory' && sr === 's')
    const methods: string[] = []
    if (open && (versionid ? has('x') && (sr === 'bv' || has('d')) : has('d'))) methods.push('DELETE')
    if (comp === 'list' ? listed && has('l') : open && has('r')) methods.push('GET')
    if (open && (has('c') || has('w'))) methods.push('PUT')
    return methods
  }

  /** Throws for URLs that Azure does not have, because their links could open nothing. */
  function checkUrl(url: string, { origin, fragment }: Parts, account: string): void {
    insist(!fragment, `url must be without a '#': in the name of a blob or file it is %23`)
    insist(!BROKEN_ESCAPE.test(url), `url must have its names escaped: a '%' in one is %25`)
    if (!origin) return
    insist(/^https?:/i.test(origin), 'url must begin with https: or http:')
    const host = hostOf(origin)
    insist(pathStyle ? !host.account : !host.emulator, PATH_STYLE)
    insist((host.account ?? account) === account, `url must have the host of the key's account, or a domain of your own`)
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
      const { fields: there, request, broken, rest } = scan(url)
      const [taken] = Object.keys(there)
      if (taken)
        throw new LinkError(
          there['sv'] && there['sig'] ? 'already_signed' : 'bad_option',
          `the URL has a parameter '${taken}': it is a link already, or it cannot be signed, because Azure gives the link's that name`,
        )
      checkUrl(url, rest, key.id)
      insist(!broken, `url must have the parameters ${REQUEST.join(', ')} once each, with a value, or not at all`)

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
      if (sr === 'd') fields['sdd'] ??= `${depthOf(path) - 1}`
      insist(sr !== 'd' || +(fields['sdd'] as string) > 0, `resource 'd' takes the URL of a directory`)
      const copy = copyOf(fields, request)
      insist(copy && !copy.other, `resource takes 'bs' for a URL with snapshot, and 'bv' for one with versionid`)

      const policy = policyOf(fields)
      insist(policy, 'identifier takes the name of one of the option policies')
      // What a policy says, Azure does not let a link say again.
      insist(!policy.permissions || !own.permissions, 'permissions are what the stored access policy says: leave them out')
      insist(!policy.starts || !starts, 'starts is what the stored access policy says: leave it out')
      insist(!policy.expires || Math.ceil(+policy.expires / 1000) === expires, 'expires takes what the stored access policy says')
      if (!policy.expires) fields['se'] = iso(expires * 1000)
      if (starts) fields['st'] = iso(starts * 1000)
      if (!policy.permissions) fields['sp'] = inOrder(own.permissions ?? 'r', LETTERS[sr] ?? '', 'permissions', version, sr)
      if (fields['ss']) fields['ss'] = inOrder(fields['ss'], 'btqf', 'services')
      if (fields['srt']) fields['srt'] = inOrder(fields['srt'], 'sco', 'resourceTypes')
      insist(fields['spr'] !== 'https' || !/^http:/i.test(rest.origin), `protocol must be 'https,http', or left out, for a URL with http:`)
      insist(
        !hostOf(rest.origin).service || ofService(fields, rest.origin),
        `url must have a host of the service that the link is for, such as 'blob', or a domain of your own`,
      )
      insist(!network || !own.ipRange, 'ip and ipRange exclude each other')
      if (network) fields['sip'] = range(network)

      const wrong = fault(fields)
      insist(wrong === undefined, `a SAS of this kind and version cannot carry '${wrong}', or not such a one`)
      const found = place(fields, path)
      insist(
        found && (!sr || found.resource !== '/'),
        'azure links take the URL of a container or of something in it, without control characters',
      )
      insist((found.account ?? key.id) === key.id, PATH_STYLE)
      insist(
        !sr || /^\/\$?[a-z\d-]+(\/|$)/.test(found.resource),
        'url must have a container or share whose name is of lower-case letters, digits and hyphens',
      )
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
      const signature = await grant.mac(key, textOf({ ...fields, ...bound, time: copy.time ?? '' }, key.id, found.resource), BASE64)
      fields['sig'] = `${signature}=`
      return append(
        // As clients do it before they send; so the link can stand in a header.
        url.replace(/[^!-~]+/g, encodeURIComponent),
        NAMES.filter((name) => fields[name])
          .map((name) => `${name}=${encodeURIComponent(fields[name] as string)}`)
          .join('&'),
      )
    },

    read(url: string): AzureReading | 'unsigned' | 'malformed' {
      // No link is so long, and reading takes time for each parameter.
      if (url.length > LONGEST) return 'malformed'
      const scanned = scan(url)
      const { fields, request, broken, rest } = scanned
      if (fields['sv'] === undefined && fields['sig'] === undefined) return 'unsigned'
      const policy = policyOf(fields)
      const { st, se, sp } = fields
      if (broken || !fields['sig'] || !policy || !copyOf(fields, request) || fault(fields) !== undefined) return 'malformed'
      // What a policy says, Azure does not let a link say again.
      if ((se && policy.expires) || (st && policy.starts) || (sp && policy.permissions)) return 'malformed'
      const expires = policy.expires ?? dateOf(se)
      const starts = policy.starts ?? dateOf(st)
      const permissions = policy.permissions ?? sp
      if (!expires || !permissions || (st && !starts)) return 'malformed'
      // A delegation key has dates of its own, which hold for its links.
      const [keyStarts, keyExpires] = [dateOf(fields['skt']), dateOf(fields['ske'])]
      if ((fields['skt'] && !keyStarts) || (fields['ske'] && !keyExpires)) return 'malformed'

      const claims: { -readonly [K in keyof Claims]: Claims[K] } = {
        resource: rest.origin + rest.path + rest.query,
        expires: keyExpires && keyExpires < expires ? keyExpires : expires,
      }
      const begins = keyStarts && !(starts && starts > keyStarts) ? keyStarts : starts
      if (begins) claims.starts = begins
      const methods = methodsOf(permissions, fields, request, rest.path)
      if (`${methods}` !== 'GET') claims.methods = methods
      if (fields['sip']) claims.ip = fields['sip']
      const prefix = place(fields, rest.path)?.prefix
      if (prefix) claims.prefix = prefix
      if (fields['skoid']) claims.keyId = fields['skoid']
      return { ...scanned, claims, expires }
    },

    async check({ claims, fields, request, rest, expires }: AzureReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      const copy = copyOf(fields, request)
      // Of the query the signature covers these parameters alone, so the claims leave out the others.
      const covered = new Set([...(copy?.name ? [copy.name] : []), ...(fields['srq']?.split(',') ?? [])])
      const parameters = parametersOf(rest.query, covered)
      const query = [...covered].map((name) => `${name}=${parameters.get(name)}`).join('&')
      const normal = visit.normalise({ ...rest, query: query && `?${query}` })
      const { origin, path } = normal
      const found = place(fields, path)
      const bound = boundTo(
        fields,
        (name) => visit.header(name.toLowerCase()),
        (name) => decodeForm(parameters.get(name)),
      )
      const host = hostOf(origin)
      const signature = fields['sig']?.slice(0, -1) as string
      // Of an empty ring it is match that complains.
      let answer = ring[0] ? ('unknown_key' as const) : await visit.match(ring, undefined, '', signature, BASE64)
      for (const key of ring) {
        if (!fits(key, fields) || (found?.account ?? key.id) !== key.id) continue
        const possible = found && bound && !copy?.other && (host.account ?? key.id) === key.id
        const text = possible && textOf({ ...fields, ...bound, time: copy?.time ?? '' }, key.id, found.resource)
        answer = text ? await visit.match([key], undefined, text, signature, BASE64) : 'bad_signature'
        if (typeof answer !== 'string') break
      }
      if (typeof answer === 'string') return answer
      return {
        key: answer,
        // The expiry is the link's own, because its key's is judged with the key.
        claims: { ...claims, expires, resource: origin + path + normal.query, ...(found?.prefix && { prefix: found.prefix }) },
        path: opens(fields, request, origin, depthOf(path)),
      }
    },
  }
}

/** A key with its secret as bytes, and the parameters that a delegation key writes into its links. */
function ready(given: AzureKey): ReadyKey {
  const { delegation, ...key } = given ?? {}
  // A wrong name would sign links that Azure refuses without saying why.
  insist(
    typeof key.id === 'string' && /^[a-z\d-]+$/.test(key.id),
    'id must be the name of the storage account, of lower-case letters and digits',
  )
  const fields: Fields = {}
  for (const [name, property] of Object.entries(DELEGATION)) {
    const value = delegation?.[property]
    if (!value) continue
    const isDate = name === 'skt' || name === 'ske'
    const date = isDate ? dateOf(value instanceof Date ? value.toJSON() : value) : undefined
    fields[name] = date ? iso(+date) : `${value}`
    insist(
      date || (!isDate && /^[\w-]+$/.test(`${value}`)),
      `delegation.${property} must be ${isDate ? 'a date' : 'without white space, line breaks and quotes'}, as Azure hands it out`,
    )
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
  insist(size >= 0, 'secret must be the account key in base64, as Azure hands it out, without white space, line breaks and quotes')
  return bytes.slice(0, size)
}

// The names that make a URL a link, escaped or not, in any case.
const SV_OR_SIG = /^(s|%[57]3)(v|%[57]6|(i|%[46]9)(g|%[46]7))(=|$)/i

/** Takes the SAS out of a URL. */
function scan(url: string): Scan {
  const parts = split(url)
  const fields: Fields = {}
  const request: Fields = {}
  // After two slashes, clients would take what follows for a host.
  let broken = !/^\/(?!\/)/.test(parts.path) || BROKEN_ESCAPE.test(parts.path)
  const others: string[] = []
  for (const piece of piecesOf(parts.query)) {
    // Of a broken link all that matters is whether it is one, and there may be thousands of pieces.
    if (broken) {
      if (!SV_OR_SIG.test(piece)) continue
      fields['sv'] ??= ''
      break
    }
    const name = knownName(piece)
    const ours = name !== undefined && NAMES.includes(name)
    if (!ours) others.push(piece)
    if (name === undefined) continue
    const into = ours ? fields : request
    const value = into[name] === undefined ? decodeForm(piece.slice(piece.indexOf('=') + 1 || piece.length)) : ''
    if (!value) broken = true
    // Azure compares these without case.
    into[name] = (name === 'comp' || name === 'restype' ? value?.toLowerCase() : value) ?? ''
  }
  const query = others[0] === undefined ? '' : `?${others.join('&')}`
  return { fields, request, broken, rest: { origin: parts.origin, path: parts.path, query, fragment: parts.fragment } }
}

/** The `name=value` pieces of a query. */
function piecesOf(query: string): string[] {
  return query.slice(1).split('&').filter(Boolean)
}

/** The name of a piece in small letters. Azure compares names without case; of names beyond ASCII none matters here, and they stay as they are. */
function nameOf(piece: string): string {
  const [name = ''] = piece.split('=', 1)
  return name
    .replaceAll('+', ' ')
    .replace(/%([0-7][\da-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** The name of a piece in small letters, if it is one of the link's own or decides what the request does. */
function knownName(piece: string): string | undefined {
  const [raw = ''] = piece.split('=', 1)
  // Most names of others are told apart without decoding them.
  if (!COULD_BE_KNOWN.test(raw)) return
  const name = nameOf(raw)
  return KNOWN.has(name) ? name : undefined
}

/** A value of a query, where Azure reads a `+` as a space; `undefined` for a broken one. */
function decodeForm(text = '%'): string | undefined {
  return BROKEN_ESCAPE.test(text) ? undefined : decodeValue(text.replaceAll('+', '%20'))
}

/** The values, as they stand, of the wanted parameters that stand in the query once. */
function parametersOf(query: string, wanted: ReadonlySet<string>): Map<string, string> {
  const found = new Map<string, string>()
  if (!wanted.size) return found
  const byName = new Map<string, string[]>()
  for (const name of wanted) byName.set(nameOf(name), [])
  for (const piece of piecesOf(query)) byName.get(nameOf(piece))?.push(piece.slice(piece.indexOf('=') + 1 || piece.length))
  for (const name of wanted) {
    const [value, second] = byName.get(nameOf(name)) ?? []
    if (value !== undefined && second === undefined) found.set(name, value)
  }
  return found
}

interface Copy {
  /** The parameter of the request that says which copy it is, and its value, which is signed. */
  readonly name?: string
  readonly time?: string
  /** The request names a copy that the link is not for. */
  readonly other?: boolean
}

/**
 * Which copy of a blob or file the link opens: a snapshot, a version, or the current one. The string to sign of a link for the current one
 * says nothing of copies, so such a link opens no other. `undefined` if the request does not name the copy that the link is for.
 */
function copyOf({ sr = '' }: Fields, request: Fields): Copy | undefined {
  const name = sr === 'bs' ? 'snapshot' : sr === 'bv' ? 'versionid' : undefined
  const time = name && request[name]
  if (name && !time) return
  const single = sr[0] === 'b' || sr === 'f'
  const other = single && COPIES.some((copy) => copy !== name && request[copy] !== undefined)
  return { ...(name && time && { name, time }), other }
}

interface Host {
  readonly account?: string
  readonly service?: string
  /** An address without an account in it, as the emulator has. */
  readonly emulator?: boolean
}

// `account.blob.core.windows.net`, and with other suffixes in other clouds; the secondary of an account; private endpoints and those of a DNS
// zone; `account.blob.localhost` of the emulator.
const HOST =
  /^([a-z\d-]+?)(?:-secondary)?\.(?:privatelink\.|z\d+\.)?(blob|dfs|file|queue|table|web)\.(?:core\.|storage\.azure\.net$|localhost$)/

/** What a host says of the account and the service. Domains of one's own say nothing. */
function hostOf(origin: string): Host {
  const name = origin
    .toLowerCase()
    .replace(/^[a-z\d+.-]*:\/\//, '')
    .replace(/\.?(:\d*)?$/, '')
  const [, account, service] = HOST.exec(name) ?? []
  if (account && service) return { account, service }
  // The emulator looks at its host in the same way.
  return { emulator: /^(\[.*|\d+\.\d+\.\d+\.\d+|[^.]+|host\.docker\.internal)$/.test(name) }
}

const PATH_STYLE = 'pathStyle must be true for URLs whose path begins with the account, as with the emulator, and for no others'

/** Does the service that the host names take such a link? A host that names none does. */
function ofService({ sr, ss = '' }: Fields, origin: string): boolean {
  const { service } = hostOf(origin)
  if (!sr) return ss.includes((service ?? 'blob').replace('dfs', 'blob')[0] as string)
  return !service || (sr === 'f' || sr === 's' ? ['file'] : ['blob', 'dfs']).includes(service)
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
  const misfit = Object.keys(fields).find((name) => !known.includes(name) || !(SHAPES[name] ?? TEXT).test(fields[name] as string))
  return misfit ?? (fields['sp'] !== undefined && !arePermissions(fields['sp'], sr, sv) ? 'sp' : undefined)
}

/** Was the link signed with this account's key, or with this delegation key? */
function fits(key: ReadyKey, fields: Fields): boolean {
  return Object.keys(DELEGATION).every((name) => key.fields[name] === fields[name])
}

/** Does the link open this URL? Its protocol and its service, and for an account SAS how deep the path is. */
function opens(fields: Fields, { restype }: Fields, origin: string, depth: number): boolean {
  const { spr, sr, srt = '' } = fields
  if (spr === 'https' && /^http:/i.test(origin)) return false
  if (!ofService(fields, origin)) return false
  const type = depth < 1 ? 's' : depth === 1 && restype ? 'c' : 'o'
  return sr !== undefined || srt.includes(type)
}

/** Does this version have this letter? */
function knows(version: string, letter: string, sr = ''): boolean {
  return version >= (SINCE[`sp ${letter}`] ?? '') && (!sr || version >= (SINCE[`service ${letter}`] ?? ''))
}

/**
 * Are these permissions that Azure takes: letters of this resource and version, none twice, and the first ones in their order? Of the letters that
 * came later each tool has an order of its own: the portal writes `rwdlacupiytfx`, the libraries `rwdxftlacupiy`.
 */
function arePermissions(text: string, sr = '', version: string): boolean {
  const first = [...(sr ? 'racwd' : 'rwd')].filter((letter) => text.includes(letter)).join('')
  const letters = [...text]
  return (
    letters.every((letter) => LETTERS[sr]?.includes(letter) && knows(version, letter, sr)) &&
    new Set(letters).size === letters.length &&
    text.startsWith(first)
  )
}

/** Letters in Azure's order, none twice. */
function inOrder(text: string, letters: string, name: string, version = NEWEST, sr = ''): string {
  const good = (letter: string) => letters.includes(letter) && knows(version, letter, sr)
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
