// azure: shared access signatures (SAS) of Azure Storage,
// https://learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature
import type { Claims } from '../core/claims.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring } from '../core/keys.ts'
import type { Reading, Scheme, Unreadable } from '../core/scheme.ts'
import { normalOrigin, normalQuery } from '../lib/normalise.ts'
import { append, LONGEST, split } from '../lib/url.ts'
import {
  type AzureConditions,
  type AzurePolicy,
  assertFields,
  assertOpens,
  assertPlace,
  assertUrl,
  boundBy,
  CONDITIONS,
  fieldsOf,
} from './shared/azure-conditions.ts'
import {
  arePermissions,
  type Fields,
  faultIn,
  isOfFiles,
  isUnnamed,
  isVersion,
  NEWEST_VERSION,
  OLDEST_VERSION,
  PARAMETERS,
  type Parameter,
  serviceOf,
  timeIn,
} from './shared/azure-fields.ts'
import { type AzureDelegation, type AzureKey, isKeyOf, type PreparedKey, prepared } from './shared/azure-keys.ts'
import {
  type AzureRequest,
  boundHeaders,
  boundParameters,
  coveredPath,
  coveredQuery,
  hasBrokenEscape,
  methodsOf,
  missingCopy,
  namesOtherCopy,
  opensUrl,
  othersIn,
  placeOf,
  snapshotTimeOf,
  takeApart,
} from './shared/azure-request.ts'

export type { AzureConditions, AzureDelegation, AzureKey, AzurePolicy }

/** Options of {@link azure}. Signer and verifier need the same ones. */
export interface AzureOptions {
  /** The `sv` of links that are signed. Default: `'2026-04-06'`. All versions from 2015-04-05 on are read. */
  readonly version?: string
  /** The path begins with the account, as with the emulator: `http://127.0.0.1:10000/account/container/blob`. Default: `false`. */
  readonly pathStyle?: boolean
  /** The stored access policies of the container or share, by identifier. A link that names another one is `malformed`. Default: none. */
  readonly policies?: Readonly<Record<string, AzurePolicy>>
}

/** A line of a string to sign: a parameter, or in Azure's words a value that comes from elsewhere. */
type Line = Parameter | 'accountName' | 'canonicalizedResource' | 'signedSnapshotTime' | 'end'

/** The lines of a string to sign, in order. Some came with a version. */
type Layout = readonly (Line | { readonly since: string; readonly lines: readonly Line[] })[]

// https://learn.microsoft.com/rest/api/storageservices/create-account-sas#construct-the-signature-string
const ACCOUNT_SAS: Layout = [
  ...(['accountName', 'sp', 'ss', 'srt', 'st', 'se', 'sip', 'spr', 'sv'] as const),
  { since: '2020-12-06', lines: ['ses'] },
  // A line break at the end.
  'end',
]

// https://learn.microsoft.com/rest/api/storageservices/create-service-sas#construct-the-signature-string
const SERVICE_SAS_FOR_BLOBS: Layout = [
  ...(['sp', 'st', 'se', 'canonicalizedResource', 'si', 'sip', 'spr', 'sv'] as const),
  { since: '2018-11-09', lines: ['sr', 'signedSnapshotTime'] },
  { since: '2020-12-06', lines: ['ses'] },
  ...(['rscc', 'rscd', 'rsce', 'rscl', 'rsct'] as const),
]

const SERVICE_SAS_FOR_FILES: Layout = [
  ...(['sp', 'st', 'se', 'canonicalizedResource', 'si', 'sip', 'spr', 'sv'] as const),
  ...(['rscc', 'rscd', 'rsce', 'rscl', 'rsct'] as const),
]

// https://learn.microsoft.com/rest/api/storageservices/create-service-sas#version-2015-04-05-and-later
const SERVICE_SAS_FOR_QUEUES: Layout = ['sp', 'st', 'se', 'canonicalizedResource', 'si', 'sip', 'spr', 'sv']

const SERVICE_SAS_FOR_TABLES: Layout = [...SERVICE_SAS_FOR_QUEUES, 'spk', 'srk', 'epk', 'erk']

// https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas#construct-the-signature-string
const USER_DELEGATION_SAS_FOR_BLOBS: Layout = [
  ...(['sp', 'st', 'se', 'canonicalizedResource', 'skoid', 'sktid', 'skt', 'ske', 'sks', 'skv'] as const),
  { since: '2020-02-10', lines: ['saoid', 'suoid', 'scid'] },
  { since: '2025-07-05', lines: ['skdutid', 'sduoid'] },
  ...(['sip', 'spr', 'sv'] as const),
  { since: '2018-11-09', lines: ['sr', 'signedSnapshotTime'] },
  { since: '2020-12-06', lines: ['ses'] },
  { since: '2026-04-06', lines: ['srh', 'srq'] },
  ...(['rscc', 'rscd', 'rsce', 'rscl', 'rsct'] as const),
]

const USER_DELEGATION_SAS_FOR_FILES: Layout = [
  ...(['sp', 'st', 'se', 'canonicalizedResource', 'skoid', 'sktid', 'skt', 'ske', 'sks', 'skv'] as const),
  { since: '2025-07-05', lines: ['skdutid', 'sduoid'] },
  ...(['sip', 'spr', 'sv'] as const),
  ...(['rscc', 'rscd', 'rsce', 'rscl', 'rsct'] as const),
]

function layoutOf({ sr, skoid }: Fields): Layout {
  if (!sr) return ACCOUNT_SAS
  if (sr === 'q') return SERVICE_SAS_FOR_QUEUES
  if (sr === 't') return SERVICE_SAS_FOR_TABLES
  if (isOfFiles(sr)) return skoid ? USER_DELEGATION_SAS_FOR_FILES : SERVICE_SAS_FOR_FILES
  return skoid ? USER_DELEGATION_SAS_FOR_BLOBS : SERVICE_SAS_FOR_BLOBS
}

/** The lines of the string to sign for this kind and version of a SAS. */
function linesOf(fields: Fields): Line[] {
  const { sv = '' } = fields
  const lines: Line[] = []
  for (const line of layoutOf(fields)) {
    if (typeof line === 'string') lines.push(line)
    else if (sv >= line.since) lines.push(...line.lines)
  }
  return lines
}

/** The signed values that are not parameters of the link. */
interface SignedRequest {
  readonly account: string
  /** The path below the account, decoded: `/container/blob`. */
  readonly resource: string
  /** The time of a snapshot, or the id of a version. */
  readonly snapshotTime: string | undefined
  /** `name:value` of the headers that `srh` names. */
  readonly headers: readonly string[]
  /** `name:value` of the query parameters that `srq` names. */
  readonly parameters: readonly string[]
}

/** The string to sign. A line without a value stays, and is empty. */
function stringToSign(fields: Fields, { account, resource, snapshotTime, headers, parameters }: SignedRequest): string {
  const values: { readonly [Name in Line]?: string | undefined } = {
    ...fields,
    accountName: account,
    canonicalizedResource: `/${serviceOf(fields.sr)}/${account}${resource}`,
    signedSnapshotTime: snapshotTime,
    srh: headers.map((header) => `${header}\n`).join(''),
    srq: parameters.map((parameter) => `\n${parameter}`).join(''),
  }
  return linesOf(fields)
    .map((line) => values[line] ?? '')
    .join('\n')
}

/**
 * Shared access signatures of Azure Storage: service SAS for blobs, containers, directories, files, shares, queues and tables, account SAS, and user
 * delegation SAS. The signature covers the account, the path and the link's own parameters. It does not cover other parameters, and an account SAS covers
 * no path.
 *
 * Permissions decide the methods: `r` opens `GET` and `HEAD`, `c` and `w` open `PUT`, `d` opens `DELETE`. As with Azure, every refusal is a 403.
 *
 * @see https://learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature
 * @param keys - Account keys, newest first: `id` is the account, `secret` the key in base64, as Azure returns it. The first one that is valid now
 *   signs, all verify, and an empty list only reads links. A function that looks keys up gets the `skoid` of a user delegation SAS, and otherwise
 *   `undefined`.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `bad_option` for a key without account, a secret that is not base64, or a wrong option; `weak_key` for an empty secret.
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
export function azure(keys: Keys<AzureKey>, options: AzureOptions = {}): Scheme<'starts' | 'ip', AzureConditions, 'required'> {
  const { version = NEWEST_VERSION, pathStyle = false, policies = {} } = options
  assertOptions(options)

  return {
    name: 'azure',
    carries: ['starts', 'ip'],
    own: CONDITIONS,
    covers: ['path', 'prefix', 'method', 'ip', 'starts', 'expires', 'key', '?snapshot', '?versionid'],
    parameters: PARAMETERS,
    reads: ['headers'],
    algorithm: { hmac: 'SHA-256', encoding: 'base64' },
    status: { malformed: 403, expired: 403, key_expired: 403, wrong_method: 403, revoked: 403 },
    keys: keyring(keys, { prepare: prepared }),

    write(grant, signingKey) {
      const { url, parts, own } = grant
      const key = signingKey as PreparedKey
      const taken = takeApart(parts, pathStyle)
      assertUrl(parts, taken, key.id)
      const { request } = taken
      const policy = policyNamed(own.identifier)
      assertOption(policy, 'identifier', 'one of the option policies')
      const fields = fieldsOf(grant, key.fields, version, policy, request)
      assertFields(fields, linesOf(fields), request)
      assertOpens(fields, policy.permissions ?? fields.sp ?? '', request)
      const place = placeOf(fields, request)
      assertPlace(place, fields, request, key.id)
      const toSign = stringToSign(fields, {
        account: key.id,
        resource: place.resource,
        snapshotTime: snapshotTimeOf(fields, request),
        ...boundBy(own),
      })
      return {
        toSign,
        link: (signature) => append(asClientsSend(url), printed({ ...fields, sig: signature })),
      }
    },

    read(url): Reading | Unreadable {
      // Reading takes time for each parameter, and a longer URL is not a link.
      if (url.length > LONGEST) return 'malformed'
      const parts = split(url)
      const { fields, request, faulty } = takeApart(parts, pathStyle)
      if (fields.sv === undefined && fields.sig === undefined) return 'unsigned'
      const unreadable = faulty ?? missingIn(fields, request) ?? faultIn(fields, linesOf(fields))
      if (unreadable) return { malformed: unreadable }
      const policy = policyNamed(fields.si)
      if (!policy) return { malformed: 'si' }
      const terms = termsOf(fields, policy)
      if ('malformed' in terms) return terms
      // Clients read a path that begins with two slashes as a host.
      if (!/^\/(?!\/)/.test(parts.path) || hasBrokenEscape(parts.path)) return 'malformed'

      const place = placeOf(fields, request)
      return {
        claims: claimsOf(fields, terms, {
          resource: parts.origin + parts.path + othersIn(request),
          methods: methodsOf(terms.permissions, fields, request),
          prefix: place?.prefix,
        }),
        signature: fields.sig as string,
        signedBy: (key) => isKeyOf(key as PreparedKey, fields) && (request.account ?? key.id) === key.id,
        toSign(visit, { id: account = '' }) {
          const isOfAccount = (request.host.account ?? account) === account
          if (!place || !isOfAccount || namesOtherCopy(fields, request)) return undefined
          const headers = boundHeaders(fields, visit)
          const parameters = boundParameters(fields, request)
          if (!headers || !parameters) return undefined
          const snapshotTime = snapshotTimeOf(fields, request)
          return stringToSign(fields, { account, resource: place.resource, snapshotTime, headers, parameters })
        },
        proves: () => ({
          resource: normalOrigin(request.origin) + coveredPath(fields, request) + normalQuery(coveredQuery(fields, request)),
          // Without the end of the delegation key, because that has its own reason, `key_expired`.
          expires: terms.expires,
        }),
        opens: opensUrl(fields, request),
      }
    },
  }

  /** The policy that a link names. It is empty if the link names none, and is `undefined` if it is not one of the option. */
  function policyNamed(identifier: string | undefined): AzurePolicy | undefined {
    if (identifier === undefined) return {}
    return Object.hasOwn(policies, identifier) ? policies[identifier] : undefined
  }
}

function assertOptions(options: AzureOptions): void {
  const { version = NEWEST_VERSION, pathStyle = false, policies = {} } = options
  assertKnownOptions(options, ['version', 'pathStyle', 'policies'], 'azure()')
  assertOption(isVersion(version), 'version', `a version from '${OLDEST_VERSION}' on`)
  assertOption(typeof pathStyle === 'boolean', 'pathStyle', 'true or false')
  assertOption(typeof policies === 'object' && policies !== null, 'policies', 'an object of policies by their identifiers')
  for (const policy of Object.values(policies)) {
    assertOption(typeof policy === 'object' && policy !== null, 'policies', "objects such as { permissions: 'r', expires }")
    assertKnownOptions(policy, ['permissions', 'starts', 'expires'], 'a policy of azure()')
    const { permissions, starts, expires } = policy
    // The links of a policy with an invalid date would never expire.
    for (const date of [starts, expires])
      assertOption(date === undefined || (date instanceof Date && !Number.isNaN(+date)), 'policies', 'objects with valid dates')
    const good = permissions === undefined || (typeof permissions === 'string' && arePermissions(permissions, 'c', NEWEST_VERSION))
    assertOption(good, 'policies', "objects with permissions such as 'rl', in Azure's order")
  }
}

/** The URL as clients send it, so that the link can be put into a header: spaces and letters beyond ASCII are escaped. */
function asClientsSend(url: string): string {
  return url.replace(/[^!-~]+/g, encodeURIComponent)
}

/** The link's parameters, with the escapes that Azure's libraries write. */
function printed(fields: Fields): string {
  const there = PARAMETERS.filter((name) => fields[name] !== undefined && !(name === 'sr' && isUnnamed(fields.sr)))
  return there.map((name) => `${name}=${encodeURIComponent(fields[name] as string)}`).join('&')
}

/** The parameter that every link has, or that links for a copy have, if it is missing. */
function missingIn(fields: Fields, request: AzureRequest): string | undefined {
  return fields.sig === undefined ? 'sig' : missingCopy(fields, request)
}

/** The values of a link and its stored access policy together. */
interface Terms {
  readonly expires: Date
  /** The later one of the starts of link and delegation key. */
  readonly starts: Date | undefined
  readonly keyExpires: Date | undefined
  readonly permissions: string
}

function termsOf({ st, se, sp, skt, ske }: Fields, policy: AzurePolicy): Terms | { malformed: string } {
  // Azure refuses links that repeat a value of their policy.
  if (se && policy.expires) return { malformed: 'se' }
  if (st && policy.starts) return { malformed: 'st' }
  if (sp && policy.permissions) return { malformed: 'sp' }
  const expires = policy.expires ?? timeIn(se)
  const starts = policy.starts ?? timeIn(st)
  const permissions = policy.permissions || sp
  const keyStarts = timeIn(skt)
  const keyExpires = timeIn(ske)
  if (!expires) return { malformed: 'se' }
  if (st && !starts) return { malformed: 'st' }
  if (!permissions) return { malformed: 'sp' }
  if (skt && !keyStarts) return { malformed: 'skt' }
  if (ske && !keyExpires) return { malformed: 'ske' }
  const keyIsLater = keyStarts && !(starts && starts > keyStarts)
  return { expires, starts: keyIsLater ? keyStarts : starts, keyExpires, permissions }
}

interface Opened {
  readonly resource: string
  readonly methods: readonly string[]
  readonly prefix: string | undefined
}

function claimsOf({ sip, skoid }: Fields, { expires, starts, keyExpires }: Terms, { resource, methods, prefix }: Opened): Claims {
  const claims: { -readonly [Name in keyof Claims]: Claims[Name] } = {
    resource,
    expires: keyExpires && keyExpires < expires ? keyExpires : expires,
  }
  if (starts) claims.starts = starts
  // Without methods the claims mean GET and HEAD.
  if (methods.join() !== 'GET') claims.methods = methods
  if (sip) claims.ip = sip
  if (prefix) claims.prefix = prefix
  if (skoid) claims.keyId = skoid
  return claims
}
