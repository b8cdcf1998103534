// The conditions of shared access signatures of Azure Storage, and how they become parameters.
import { assertOption } from '../../core/errors.ts'
import type { Grant } from '../../core/scheme.ts'
import type { Network } from '../../lib/address.ts'
import type { Parts } from '../../lib/url.ts'
import { type Fields, faultIn, isBlob, isPermission, PARAMETERS, type Parameter, permissionsOf, printTime } from './azure-fields.ts'
import { tableIn } from './azure-queues-tables.ts'
import {
  type AzureRequest,
  hasBrokenEscape,
  isOfService,
  isPlainHttp,
  missingCopy,
  namesOtherCopy,
  type Place,
  pairsOf,
  REQUEST_PARAMETERS,
  resourceTypeOf,
  type Taken,
} from './azure-request.ts'
import { FILE_IN_QUERY } from './presign-request.ts'
import { areDifferent } from './texts-of.ts'
import { allBut, assertHostIsNotOf } from './vendor-hosts.ts'

/** A stored access policy. Links that name it leave out the values that it has. */
export interface AzurePolicy {
  /** Letters, in Azure's order. */
  readonly permissions?: string
  readonly starts?: Date
  readonly expires?: Date
}

/** Conditions of {@link azure} links, in Azure's terms. */
export interface AzureConditions {
  /** Letters in any order. Default: `'r'`. */
  readonly permissions?: string
  /**
   * `'b'` blob, `'bs'` snapshot, `'bv'` version, `'c'` container, `'d'` directory, `'f'` file, `'s'` share, `'q'` queue, `'t'` table. Default: `'b'`.
   */
  readonly resource?: 'b' | 'bs' | 'bv' | 'c' | 'd' | 'f' | 's' | 'q' | 't'
  /** How many segments below the container the directory of resource `'d'` has. Default: all segments of the URL. */
  readonly directoryDepth?: number
  /** Default: both protocols. */
  readonly protocol?: 'https' | 'https,http'
  /** An IPv4 address or a range of them, in place of `ip`: `'203.0.113.5-203.0.113.9'`. */
  readonly ipRange?: string
  /** A stored access policy, one of the option `policies`. If it has an expiry, `expires` must be that date. */
  readonly identifier?: string
  readonly encryptionScope?: string
  /** The `Cache-Control` of the response. */
  readonly cacheControl?: string
  /** The `Content-Disposition` of the response. */
  readonly contentDisposition?: string
  /** The `Content-Encoding` of the response. */
  readonly contentEncoding?: string
  /** The `Content-Language` of the response. */
  readonly contentLanguage?: string
  /** The `Content-Type` of the response. */
  readonly contentType?: string
  /** Makes an account SAS, together with `resourceTypes`. Letters: `b` blobs, `t` tables, `q` queues, `f` files. */
  readonly services?: string
  /** Letters: `s` the service, `c` containers, `o` objects. */
  readonly resourceTypes?: string
  /** The partition that a range of a table's entities starts with. */
  readonly startPartitionKey?: string
  /** The row of that partition that the range starts with. */
  readonly startRowKey?: string
  /** The partition that the range ends with, itself included. */
  readonly endPartitionKey?: string
  /** The row of that partition that the range ends with, itself included. */
  readonly endRowKey?: string
  /** With user delegation keys only. */
  readonly preauthorizedAgentObjectId?: string
  /** With user delegation keys only. */
  readonly agentObjectId?: string
  /** With user delegation keys only. */
  readonly correlationId?: string
  /** With user delegation keys only. */
  readonly delegatedUserObjectId?: string
  /** Headers that the request must carry with these values. With user delegation keys only, from version 2026-04-06 on. */
  readonly requestHeaders?: Readonly<Record<string, string>>
  /** Query parameters that the request must carry with these values. They are not added to the link. As `requestHeaders`. */
  readonly requestQueryParameters?: Readonly<Record<string, string>>
}

/** The parameter of each condition. */
const PARAMETER_OF = {
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
  startPartitionKey: 'spk',
  startRowKey: 'srk',
  endPartitionKey: 'epk',
  endRowKey: 'erk',
  preauthorizedAgentObjectId: 'saoid',
  agentObjectId: 'suoid',
  correlationId: 'scid',
  delegatedUserObjectId: 'sduoid',
  requestHeaders: 'srh',
  requestQueryParameters: 'srq',
} as const satisfies Record<keyof AzureConditions, Parameter>

export const CONDITIONS: readonly (keyof AzureConditions)[] = Object.keys(PARAMETER_OF) as (keyof AzureConditions)[]

/** The parameters of a link that is to be signed. */
export function fieldsOf(
  grant: Grant<AzureConditions>,
  fieldsOfKey: Fields,
  version: string,
  policy: AzurePolicy,
  { depth, segments }: AzureRequest,
): Fields {
  const { own, starts, expires = 0, network } = grant
  const fields: { [Name in Parameter]?: string | undefined } = { sv: version, ...fieldsOfKey }
  for (const condition of CONDITIONS)
    if (own[condition] !== undefined) fields[PARAMETER_OF[condition]] = printedCondition(condition, own[condition])
  if (!fields.ss && !fields.srt) fields.sr ??= 'b'
  const { sr } = fields
  assertOption(permissionsOf(sr), 'resource', "'b', 'bs', 'bv', 'c', 'd', 'f', 's', 'q' or 't'")
  if (sr === 't') {
    fields.tn = tableIn(segments)
    assertOption(fields.tn, 'url', "that of a table, or of an entity in it, for resource 't'")
  }
  if (sr === 'd') fields.sdd ??= `${depth - 1}`
  assertOption(sr !== 'd' || Number(fields.sdd) > 0, 'url', "that of a directory, for resource 'd'")

  // Azure refuses links that repeat a value of their policy.
  assertOption(!policy.permissions || own.permissions === undefined, 'permissions', 'left out: the stored access policy has some')
  assertOption(!policy.starts || starts === undefined, 'starts', 'left out: the stored access policy has one')
  const isOfPolicy = !policy.expires || Math.ceil(+policy.expires / 1000) === expires
  assertOption(isOfPolicy, 'expires', 'that of the stored access policy, with a key that lasts as long')
  if (!policy.expires) fields.se = printTime(expires * 1000)
  if (starts) fields.st = printTime(starts * 1000)
  if (!policy.permissions) fields.sp = permissionsInOrder(own.permissions ?? 'r', sr, version)
  if (fields.ss) fields.ss = inOrder(fields.ss, 'btqf', 'services')
  if (fields.srt) fields.srt = inOrder(fields.srt, 'sco', 'resourceTypes')
  assertOption(!network || own.ipRange === undefined, 'ipRange', 'left out, because ip says the same')
  if (network) fields.sip = printedRange(network)
  return fields
}

/** A condition as its parameter has it. */
function printedCondition(condition: keyof AzureConditions, value: unknown): string {
  if (condition === 'requestHeaders' || condition === 'requestQueryParameters') {
    assertOption(typeof value === 'object' && value !== null && !Array.isArray(value), condition, 'an object of names and values')
    return Object.keys(value).join()
  }
  if (condition === 'directoryDepth') {
    assertOption(Number.isInteger(value) && (value as number) > 0, condition, 'a whole number from 1')
    return `${value}`
  }
  assertOption(typeof value === 'string', condition, 'text')
  return value
}

function permissionsInOrder(text: string, sr: string | undefined, version: string): string {
  assertOption(text !== 'read', 'permissions', "'r' for reading: the letters of 'read' would also allow to execute, add and delete")
  const letters = [...permissionsOf(sr)].filter((letter) => isPermission(letter, sr, version))
  return inOrder(text, letters.join(''), 'permissions')
}

/** Letters in Azure's order. */
function inOrder(text: string, letters: string, option: string): string {
  const good = [...text].every((letter, i) => letters.includes(letter) && text.indexOf(letter) === i)
  assertOption(good, option, `letters of '${letters}', none twice`)
  return [...letters].filter((letter) => text.includes(letter)).join('')
}

/** A network as `sip` has it: an IPv4 address, or the first and the last one. */
function printedRange({ bits, digits }: Network): string {
  assertOption(/^0{20}ffff/.test(digits), 'ip', 'an IPv4 address or network: Azure takes no others')
  const first = Number.parseInt(digits.slice(24).padEnd(8, '0'), 16)
  const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
  return bits === 32 ? dotted(first) : `${dotted(first)}-${dotted(first + 2 ** (32 - bits) - 1)}`
}

/**
 * Throws for a link that Azure would refuse, or that this URL could not use.
 *
 * @param signed - The parameters that are lines of the string to sign.
 */
export function assertFields(fields: Fields, signed: readonly string[], request: AzureRequest): void {
  assertOption(fields.spr !== 'https' || !isPlainHttp(request), 'protocol', "'https,http', or left out, for a URL with http:")
  const isCopy = !missingCopy(fields, request) && !namesOtherCopy(fields, request)
  assertOption(isCopy, 'resource', "'bs' for a URL with snapshot, and 'bv' for one with versionid")
  const fault = faultIn(fields, signed)
  const option = CONDITIONS.find((condition) => PARAMETER_OF[condition] === fault)
  assertOption(!fault, option ?? 'delegation', 'left out, or of a form that this kind and version of a SAS can carry')
  assertOption(
    !request.host.service || isOfService(fields, request),
    'url',
    'one with a host of the service that the link is for, or with a domain of your own',
  )
}

/** Throws for a link that opens nothing at its own URL. */
export function assertOpens({ sr, srt = '' }: Fields, permissions: string, request: AzureRequest): void {
  const type = resourceTypeOf(request)
  const rule = `with '${type}' for this URL: 's' opens the service, 'c' the URL of a container with its restype, and 'o' that of a blob`
  assertOption(sr || srt.includes(type), 'resourceTypes', rule)
  // Azure takes the URL of a container for that of a blob in $root, unless it has restype.
  const isVague = !sr && type === 'o' && request.depth === 1 && !srt.includes('c') && request.host.service !== 'table'
  assertOption(!isVague, 'url', 'with restype=container for a container, and with /$root/ for a blob outside of one')
  // https://learn.microsoft.com/azure/storage/common/storage-redundancy#read-access-to-data-in-the-secondary-region
  assertOption(
    !request.host.isSecondary || /[rl]/.test(permissions),
    'permissions',
    "with 'r' or 'l' for a secondary, which cannot be written",
  )
}

const PATH_STYLE = 'true for URLs whose path begins with the account, as with the emulator, and for no others'

const OTHER_STORAGES = /* @__PURE__ */ allBut('Azure Storage')

const AZURE_DOMAIN =
  /(^|\.)(core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net|cloudapi\.de)|(storage|vault)\.azure\.net|portal\.azure\.com)$/

const CONTAINER = /^\/\$?[a-z\d-]+(\/|$)/

/** Throws for URLs that Azure does not have, because their links could open nothing. */
export function assertUrl({ origin, path, query, fragment }: Parts, { fields, request, faulty }: Taken, account: string): void {
  assertOption(!fragment, 'url', "without a '#': in the name of a blob or file it is %23")
  assertOption(!FILE_IN_QUERY.test(query), 'url', "without a '?' that belongs to a name: there it is %3F")
  assertOption(!hasBrokenEscape(path + query), 'url', "escaped: a '%' in a name is %25")
  // Azure compares names without case, so the link would have this parameter twice.
  assertOption(Object.keys(fields).length === 0, 'url', 'without the parameters that a link adds, in any case')
  assertOption(!faulty, 'url', `without, or with one of each and with a value: ${REQUEST_PARAMETERS.join(', ')}`)
  if (!origin) return
  assertOption(/^https?:/i.test(origin), 'url', 'one with https: or http:')
  const { host } = request
  const hasPathStyle = request.account !== undefined
  assertOption(hasPathStyle ? !host.account : !host.isEmulator, 'pathStyle', PATH_STYLE)
  // Hosts of Azure that were mistyped, or that belong to another of its services.
  assertHostIsNotOf(OTHER_STORAGES, host.name)
  const isUnknown = host.account === undefined && AZURE_DOMAIN.test(host.name)
  assertOption(!isUnknown, 'url', 'one with a host of a storage account, such as ACCOUNT.blob.core.windows.net')
  assertOption((host.account ?? account) === account, 'url', "one with the host of the key's account, or with a domain of your own")
}

/** Throws for a path that a link of this kind cannot be for. */
export function assertPlace(place: Place | undefined, { sr }: Fields, request: AzureRequest, account: string): asserts place {
  assertOption(place, 'url', 'that of a container or of something in it, and of what the condition resource says')
  assertOption((request.account ?? account) === account, 'pathStyle', PATH_STYLE)
  // The signature would be for a name that no request has.
  assertOption(!isBlob(sr) || !place.resource.endsWith('.'), 'url', "one whose name does not end with '.', because Azure drops it")
  assertOption(!sr || CONTAINER.test(place.resource), 'url', 'one with a container or share of lower-case letters, digits and hyphens')
  // https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#blob-names
  const [, name = ''] = /^\/[^/]+\/(.*)$/s.exec(place.resource) ?? []
  assertOption(!isBlob(sr) || name.length <= 1024, 'url', 'one with a name of at most 1,024 characters')
}

/** The headers and query parameters that a link binds the request to. */
export function boundBy({ requestHeaders = {}, requestQueryParameters = {} }: AzureConditions): {
  headers: string[]
  parameters: string[]
} {
  const names = Object.keys(requestQueryParameters)
  // Azure compares names without case, so a request cannot have two values.
  assertOption(areDifferent(Object.keys(requestHeaders)), 'requestHeaders', 'without a name that occurs twice')
  assertOption(areDifferent(names), 'requestQueryParameters', 'without a name that occurs twice')
  const areOthers = names.every((name) => !(PARAMETERS as readonly string[]).includes(name.toLowerCase()))
  assertOption(areOthers, 'requestQueryParameters', "without the link's own parameters")
  const headers = pairsOf(Object.keys(requestHeaders), (name) => requestHeaders[name])
  // Proxies change others on the way.
  const areSent = Object.values(requestHeaders).every((value) => /^([!-~]([ -~]*[!-~])?)?$/.test(value))
  assertOption(headers && areSent, 'requestHeaders', 'an object with values of ASCII, without spaces around them')
  const parameters = pairsOf(names, (name) => requestQueryParameters[name])
  assertOption(parameters, 'requestQueryParameters', 'an object with values without control characters')
  return { headers, parameters }
}
