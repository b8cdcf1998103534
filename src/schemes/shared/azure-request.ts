// A request to Azure Storage as a shared access signature sees it: the host, the path and the parameters that decide what it does.
import type { Visit } from '../../core/scheme.ts'
import { normalPath } from '../../lib/normalise.ts'
import { decodeValue, type Parts } from '../../lib/url.ts'
import { type Fields, isBlob, isText, isUnnamed, PARAMETERS, type Parameter, serviceOf } from './azure-fields.ts'
import { isEntity, isInRange, methodsOfQueue, methodsOfTable, tableIn } from './azure-queues-tables.ts'

/** A request, as far as links decide by it. */
export interface AzureRequest {
  readonly origin: string
  readonly host: Host
  /** In normal form. */
  readonly path: string
  /** The account, where the path begins with it. */
  readonly account: string | undefined
  /** The segments of the path, without the account. */
  readonly segments: readonly string[]
  /** 0 for the account, 1 for a container or share, more for something in it. */
  readonly depth: number
  readonly parameters: RequestParameters
  /** The whole query. */
  readonly pieces: readonly Piece[]
}

// Each names another copy of a blob or file than the current one.
const COPIES = ['snapshot', 'versionid', 'sharesnapshot'] as const

/** The parameters that decide what a request does. */
export const REQUEST_PARAMETERS = ['comp', 'restype', 'snapshot', 'versionid', 'sharesnapshot'] as const

type RequestParameter = (typeof REQUEST_PARAMETERS)[number]

type RequestParameters = { readonly [Name in RequestParameter]?: string | undefined }

/** The parts of a URL: a link and a request. */
export interface Taken {
  /** The link's own parameters. */
  readonly fields: Fields
  readonly request: AzureRequest
  /** The first parameter that is repeated, is empty or cannot be decoded. */
  readonly faulty: Parameter | RequestParameter | undefined
}

/**
 * Splits a URL into a link and a request.
 *
 * @param pathStyle - Does the path begin with the account?
 */
export function takeApart({ origin, path: written, query }: Parts, pathStyle: boolean): Taken {
  const pieces = piecesOf(query)
  const link = valuesOf(pieces, PARAMETERS)
  const own = valuesOf(pieces, REQUEST_PARAMETERS)
  const path = normalPath(written)
  const segments = path.slice(1).split('/')
  const account = pathStyle ? segments.shift() : undefined
  const depth = segments.filter(Boolean).length
  const host = hostOf(origin)
  const request = { origin, host, path, account, segments, depth, parameters: own.values, pieces }
  const misplaced = isUnnamed(link.values.sr) ? 'sr' : undefined
  const unnamed = unnamedResource(link.values, host)
  const fields = unnamed ? { ...link.values, sr: unnamed } : link.values
  return { fields, request, faulty: link.faulty ?? misplaced ?? own.faulty }
}

/** The resource of a service SAS that does not name one: a table if it has the name of a table, otherwise a queue. */
function unnamedResource({ sig, sr, ss, srt, tn }: Fields, { service }: Host): 'q' | 't' | undefined {
  if (sig === undefined || [sr, ss, srt].some((named) => named !== undefined)) return undefined
  const implied = tn === undefined ? 'q' : 't'
  return service === undefined || service === serviceOf(implied) ? implied : undefined
}

/** One parameter of a query. */
interface Piece {
  /** In lower case, because Azure compares names without case. */
  readonly name: string
  /** As it stands. */
  readonly value: string
  /** Name and value as they stand. */
  readonly text: string
}

/** Splits a query. Only ASCII characters in names are decoded, because a request can have thousands of parameters. */
function piecesOf(query: string): Piece[] {
  const pieces: Piece[] = []
  for (const text of query.slice(1).split('&')) {
    if (!text) continue
    const [written = ''] = text.split('=', 1)
    pieces.push({ name: lowerCase(unescaped(written)), value: text.slice(written.length + 1), text })
  }
  return pieces
}

/** A name with its ASCII characters unescaped. Other characters stay as they are: no name that matters here has any. */
function unescaped(name: string): string {
  return name.includes('%') ? name.replace(/%([0-7][\dA-Fa-f])/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))) : name
}

// `toLowerCase` alone would turn the Kelvin sign into a `k`.
const lowerCase = (name: string): string => name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** A value, where Azure reads a `+` as a space; `undefined` for one that cannot be decoded. */
function decodeForm(value: string): string | undefined {
  return decodeValue(value.replaceAll('+', '%20'))
}

/** The parameters of the wanted names. */
interface Values<Name extends string> {
  /** Decoded. Empty for a value that cannot be decoded. */
  readonly values: { readonly [N in Name]?: string | undefined }
  /** The first of them that is repeated, is empty or cannot be decoded. */
  readonly faulty: Name | undefined
}

/** Picks and decodes the parameters of the wanted names. */
function valuesOf<Name extends string>(pieces: readonly Piece[], names: readonly Name[]): Values<Name> {
  const wanted: ReadonlySet<string> = new Set(names)
  const values: { [N in Name]?: string } = {}
  let faulty: Name | undefined
  for (const piece of pieces) {
    if (!wanted.has(piece.name)) continue
    const name = piece.name as Name
    if (values[name] === undefined) values[name] = decodeForm(piece.value) ?? ''
    else faulty ??= name
    if (!values[name]) faulty ??= name
  }
  return { values, faulty }
}

/** Does a `%` begin no escape? */
export const hasBrokenEscape = (text: string): boolean => /%(?![\dA-Fa-f]{2})/.test(text)

/** The value, not decoded, of a parameter that occurs once. */
function onlyValue(pieces: readonly Piece[], name: string): string | undefined {
  const sought = lowerCase(name)
  const [first, second] = pieces.filter((piece) => piece.name === sought)
  return second ? undefined : first?.value
}

/** The parameter that names the copy which a link is for; `undefined` for links for the current one, or for a whole container. */
function copyParameter({ sr }: Fields): 'snapshot' | 'versionid' | undefined {
  if (sr === 'bs') return 'snapshot'
  return sr === 'bv' ? 'versionid' : undefined
}

/** Does the request name another copy than the link? The string to sign for one blob or file says nothing about other copies. */
export function namesOtherCopy(fields: Fields, { parameters }: AzureRequest): boolean {
  const own = copyParameter(fields)
  const isOfOne = isBlob(fields.sr) || fields.sr === 'f'
  return isOfOne && COPIES.some((copy) => copy !== own && parameters[copy] !== undefined)
}

/** The parameter that names the snapshot or version which the link is for, if the request has none. */
export function missingCopy(fields: Fields, { parameters }: AzureRequest): string | undefined {
  const copy = copyParameter(fields)
  return copy && !parameters[copy] ? copy : undefined
}

/** The time of the snapshot that a link is for, or the id of the version. */
export function snapshotTimeOf(fields: Fields, { parameters }: AzureRequest): string | undefined {
  const copy = copyParameter(fields)
  return copy && parameters[copy]
}

/** The account and service that a host names. Domains that are mapped to an account name neither. */
interface Host {
  /** In lower case, without its port. */
  readonly name: string
  readonly account?: string | undefined
  readonly service?: string | undefined
  /** The host has no place for an account, as with the emulator. */
  readonly isEmulator?: boolean
  /** The copy of the account in another region, which can only be read. */
  readonly isSecondary?: boolean
}

// `account.blob.core.windows.net`, and with other suffixes in other clouds; the secondary of an account; private endpoints and those of a DNS
// zone; `account.blob.localhost` of the emulator.
const AZURE_HOST =
  /^(?<account>[a-z\d-]+?)(?<secondary>-secondary)?\.(?:privatelink\.|z\d+\.)?(?<service>blob|dfs|file|queue|table|web)\.(?:core\.|storage\.azure\.net$|localhost$)/

// The emulator recognises its hosts in the same way: an address, or a name without a dot.
const EMULATOR_HOST = /^(\[.*|\d+\.\d+\.\d+\.\d+|[^.]+|host\.docker\.internal)$/

/** Reads the host of an origin. A path without an origin names none. */
function hostOf(origin: string): Host {
  const name = origin
    .toLowerCase()
    .replace(/^[a-z\d+.-]*:\/\//, '')
    .replace(/\.?(:\d*)?$/, '')
  const found = AZURE_HOST.exec(name)?.groups
  if (found) return { name, account: found['account'], service: found['service'], isSecondary: found['secondary'] !== undefined }
  return { name, isEmulator: EMULATOR_HOST.test(name) }
}

/** Does the service that the host names take such a link? A host that names none takes service SAS of all services, and account SAS for blobs. */
export function isOfService({ sr, ss = '' }: Fields, { host }: AzureRequest): boolean {
  const { service } = host
  if (!sr) return ss.includes(LETTER_OF_SERVICE.get(service ?? 'blob') ?? '-')
  if (!service) return true
  return service === serviceOf(sr) || (service === 'dfs' && serviceOf(sr) === 'blob')
}

// In `ss` of account SAS. Data Lake is blobs with directories; static websites take no SAS.
const LETTER_OF_SERVICE = new Map([
  ['blob', 'b'],
  ['dfs', 'b'],
  ['file', 'f'],
  ['queue', 'q'],
  ['table', 't'],
])

/** The resource that a link is for. */
export interface Place {
  /** Its path below the account, decoded: `/container/blob`. */
  readonly resource: string
  /** The path that the link opens, with everything below. Absent: only its own. */
  readonly prefix?: string | undefined
}

/** Finds the resource that a link at this URL is for. `undefined` for a path that a link of this kind cannot be for. */
export function placeOf({ sr, sdd = '', tn }: Fields, { account, segments }: AzureRequest): Place | undefined {
  if (sr === 't') return placeOfTable(tn, segments)
  const front = account === undefined ? '' : `/${account}`
  const depth = depthOfFolder(sr, sdd)
  const written = segments.slice(0, depth).join('/')
  const decoded = decodeValue(written)
  // Azure has no `\` in names: its servers read it as a slash.
  if (decoded === undefined || !isText(`/${decoded}`) || decoded.includes('\\')) return undefined

  const names = decoded.split('/')
  if (sr === undefined) return { resource: `/${decoded}`, prefix: front || '/' }
  if (isBlob(sr)) {
    // The name of a blob may begin or end with a slash.
    if (!/^[^/]+(\/.+)?$/s.test(decoded)) return undefined
    return { resource: names.length === 1 ? `/$root/${decoded}` : `/${decoded}` }
  }
  if (names.includes('')) return undefined
  if (depth === undefined) {
    // For files the string to sign does not say `sr`, so a file without its share would have the string of that share.
    return names.length < 2 ? undefined : { resource: `/${decoded}` }
  }
  // An escaped slash does not make one container out of two segments.
  if (names.length !== depth || segments.length < depth) return undefined
  return { resource: `/${decoded}`, prefix: `${front}/${written}` }
}

/** Azure compares the names of tables without case, and signs them in lower case. */
function placeOfTable(name = '', segments: readonly string[]): Place | undefined {
  const resource = `/${lowerCase(name)}`
  return resource === `/${lowerCase(tableIn(segments) ?? '')}` && name ? { resource } : undefined
}

/** How many segments a container, a share, a queue or a directory has; `undefined` for a blob, a file and an account. */
function depthOfFolder(sr: string | undefined, sdd: string): number | undefined {
  if (sr === 'd') return 1 + Number(sdd)
  return sr === 'c' || sr === 's' || sr === 'q' ? 1 : undefined
}

/** Does the link open this URL? By its protocol and service, by its range of entities, and for an account SAS by the type of the resource. */
export function opensUrl(fields: Fields, request: AzureRequest): boolean {
  const { spr, sr, srt = '' } = fields
  if (spr === 'https' && isPlainHttp(request)) return false
  if (!isOfService(fields, request)) return false
  if (sr === 't') return isInRange(fields, lastSegment(request))
  return sr !== undefined || srt.includes(resourceTypeOf(request))
}

/** The type of a resource, as account SAS name it: a service, a container or an object. Azure does not take a queue for an object. */
export function resourceTypeOf({ depth, parameters, host }: AzureRequest): 's' | 'c' | 'o' {
  if (depth < 1) return 's'
  return depth === 1 && (parameters.restype || host.service === 'queue') ? 'c' : 'o'
}

/** The last segment of the path, decoded. */
function lastSegment({ segments }: AzureRequest): string {
  return decodeValue(segments[segments.length - 1] ?? '') ?? ''
}

/** Does the URL begin with `http:`? A path has no protocol. */
export const isPlainHttp = ({ origin }: AzureRequest): boolean => /^http:/i.test(origin)

// Operations on a blob that take a permission of their own, by `comp`.
const PERMISSION_OF_OPERATION = new Map([
  ['blobs', 'f'],
  ['immutabilitypolicies', 'i'],
  ['legalhold', 'i'],
  ['tags', 't'],
])

/** The methods that permissions open for a request, sorted. Azure decides by the operation, so this is stricter. */
export function methodsOf(permissions: string, { sr }: Fields, request: AzureRequest): string[] {
  const { depth, parameters, pieces } = request
  if (sr === 'q') return methodsOfQueue(permissions, depth, lowerCase(onlyValue(pieces, 'peekonly') ?? '') === 'true')
  if (sr === 't') return methodsOfTable(permissions, isEntity(lastSegment(request)))
  const { versionid } = parameters
  // Azure compares the values of these without case.
  const comp = parameters.comp?.toLowerCase() ?? ''
  const restype = parameters.restype?.toLowerCase()
  const may = (letter: string) => permissions.includes(letter)
  const operation = PERMISSION_OF_OPERATION.get(comp)
  // The account, or a container or share itself. A service SAS lists what is in them, and no more. Without its restype, Azure takes the URL of a
  // container for that of a blob in `$root`.
  const isWhole = depth < 1 || restype === 'container' || restype === 'share' || (depth === 1 && (sr === 'c' || sr === 's'))
  const opens = !(isWhole && sr) && (!operation || may(operation))

  const methods: string[] = []
  if (opens && mayDelete()) methods.push('DELETE')
  if (comp === 'list' ? isList() && may('l') : opens && may('r')) methods.push('GET')
  if (opens && (may('c') || may('w') || (may('a') && comp === 'appendblock'))) methods.push('PUT')
  return methods

  function mayDelete(): boolean {
    // A version takes `x`; a link for the current blob must have `d` as well, because nothing signed the version.
    return versionid ? may('x') && (sr === 'bv' || may('d')) : may('d')
  }

  /** Is there a list at this URL: of containers, of blobs in a container, or of files in a directory of a share? */
  function isList(): boolean {
    if (depth < 1) return !sr
    if (restype === 'container') return depth === 1 && (!sr || sr === 'c')
    return restype === 'directory' && sr === 's'
  }
}

/** `name:value` for each name; `undefined` if one has no value, or one that could pass for two. */
export function pairsOf(names: readonly string[], lookUp: (name: string) => string | undefined): string[] | undefined {
  const pairs: string[] = []
  for (const name of names) {
    const value = lookUp(name)
    if (value === undefined || !isText(`${name}:${value}`)) return undefined
    pairs.push(`${name}:${value}`)
  }
  return pairs
}

/** The headers that a link binds the request to. */
export function boundHeaders({ srh }: Fields, visit: Visit): string[] | undefined {
  return pairsOf(namesIn(srh), (name) => visit.header(name.toLowerCase()))
}

/** The query parameters that a link binds the request to. */
export function boundParameters({ srq }: Fields, { pieces }: AzureRequest): string[] | undefined {
  return pairsOf(namesIn(srq), (name) => {
    const value = onlyValue(pieces, name)
    return value === undefined ? undefined : decodeForm(value)
  })
}

const namesIn = (list: string | undefined): string[] => (list === undefined ? [] : list.split(','))

/** The part of the path that the signature covers: for a table, its name without the entity. */
export function coveredPath({ sr }: Fields, { path }: AzureRequest): string {
  return sr === 't' ? path.replace(/\(.*$/s, '') : path
}

/** The query without the link's own parameters. */
export function othersIn({ pieces }: AzureRequest): string {
  const others = pieces.filter(({ name }) => !(PARAMETERS as readonly string[]).includes(name))
  return others.length > 0 ? `?${others.map(({ text }) => text).join('&')}` : ''
}

/** The parameters of the request that the signature covers, with their values as they stand. */
export function coveredQuery(fields: Fields, { pieces }: AzureRequest): string {
  const copy = copyParameter(fields)
  const names = new Set([...(copy ? [copy] : []), ...namesIn(fields.srq)])
  const covered = [...names].map((name) => `${name}=${onlyValue(pieces, name)}`)
  return covered.length > 0 ? `?${covered.join('&')}` : ''
}
