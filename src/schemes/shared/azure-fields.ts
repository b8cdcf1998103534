// The parameters of a shared access signature (SAS) of Azure Storage: their names, their forms, and the versions that brought them.
import { contains } from '../../lib/address.ts'

/** The parameters of a link, in the order in which Azure's library for JavaScript writes them. */
export const PARAMETERS = [
  'sv', // version of the string to sign
  'ss', // services of an account SAS
  'srt', // types of resources of an account SAS
  'spr', // protocol
  'st', // start
  'se', // expiry
  'sip', // address or range
  'si', // identifier of a stored access policy
  'ses', // encryption scope
  'skoid', // of the user delegation key: the object id of the user,
  'sktid', // the tenant id,
  'skt', // the start,
  'ske', // the expiry,
  'sks', // the service
  'skv', // and the version
  'sr', // resource of a service SAS
  'sdd', // depth of the directory
  'sp', // permissions
  'rscc', // headers of the response: Cache-Control,
  'rscd', // Content-Disposition,
  'rsce', // Content-Encoding,
  'rscl', // Content-Language
  'rsct', // and Content-Type
  'saoid', // object id of an authorized user
  'suoid', // object id of a user who is checked for authorization
  'scid', // correlation id
  'sduoid', // object id of the delegated user
  'skdutid', // tenant id of the delegated user
  'srh', // names of headers of the request
  'srq', // names of query parameters of the request
  'sig', // signature
  'tn', // name of the table
  'srk', // of a range of entities: the row that it starts with,
  'spk', // the partition that it starts with,
  'epk', // the partition that it ends with,
  'erk', // and the row that it ends with
] as const

export type Parameter = (typeof PARAMETERS)[number]

/** The parameters of one link, decoded. */
export type Fields = { readonly [Name in Parameter]?: string | undefined }

/** The parameters that say which user delegation key signed a link. */
export const DELEGATION_PARAMETERS = ['skoid', 'sktid', 'skt', 'ske', 'sks', 'skv', 'skdutid'] as const

export const OLDEST_VERSION = '2015-04-05'
export const NEWEST_VERSION = '2026-04-06'

/** Is this the signed resource of a blob: the current one, a snapshot or a version? */
export const isBlob = (sr: string | undefined): boolean => sr === 'b' || sr === 'bs' || sr === 'bv'

/** Is this the signed resource of Azure Files: a file or a share? */
export const isOfFiles = (sr: string | undefined): boolean => sr === 'f' || sr === 's'

/** The service that a signed resource belongs to, as the string to sign and the hosts name it. */
export function serviceOf(sr: string | undefined): 'blob' | 'file' | 'queue' | 'table' {
  if (isOfFiles(sr)) return 'file'
  if (sr === 'q') return 'queue'
  return sr === 't' ? 'table' : 'blob'
}

/** Links for queues and tables do not name their resource. Inside, it is `'q'` or `'t'`. */
export const isUnnamed = (sr: string | undefined): boolean => sr === 'q' || sr === 't'

// Without control characters: a line break would let the value of one line of the string to sign pass for two.
const TEXT = /^\P{Cc}+$/u

/** Is this text free of control characters, and not empty? */
export const isText = (text: string): boolean => TEXT.test(text)

// Names of headers, which cannot have the colon that ends a name in the string to sign.
const LIST_OF_NAMES = /^[\w!#-'*+.^`|~-]+(,[\w!#-'*+.^`|~-]+){0,31}$/

const VERSION = /^20\d\d-\d\d-\d\d$/

// Parameters without a form of their own are text.
const FORMS: { readonly [Name in Parameter]?: RegExp } = {
  sv: VERSION,
  sr: /^(b[sv]?|[cdfsqt])$/,
  tn: /^[A-Za-z][A-Za-z\d]{2,62}$/,
  sdd: /^\d{1,3}$/,
  ss: /^(?!.*(.).*\1)[btqf]+$/,
  srt: /^(?!.*(.).*\1)[sco]+$/,
  sp: /^[a-z]+$/,
  spr: /^https(,http)?$/,
  sip: /^[\d.]+(-[\d.]+)?$/,
  srh: LIST_OF_NAMES,
  srq: LIST_OF_NAMES,
  sig: /^[A-Za-z\d+/]{43}=$/,
}

/** Is this a version of Azure's, and not one that is too old? */
export function isVersion(version: unknown): version is string {
  return typeof version === 'string' && VERSION.test(version) && version >= OLDEST_VERSION
}

// The versions that brought kinds of resources.
const RESOURCE_SINCE = new Map([
  ['bs', '2018-11-09'],
  ['bv', '2019-10-10'],
  ['d', '2020-02-10'],
])

/**
 * The first parameter that is not what it must be, or that the signature of this kind and version would not cover.
 *
 * @param signed - The parameters that are lines of the string to sign.
 */
export function faultIn(fields: Fields, signed: readonly string[]): Parameter | undefined {
  const { sv, sr, ss, srt, sdd, sip, skoid, sp, spk, srk, epk, erk } = fields
  const there = PARAMETERS.filter((name) => fields[name] !== undefined)
  const misshapen = there.find((name) => !(FORMS[name] ?? TEXT).test(fields[name] as string))
  if (misshapen) return misshapen
  if (!isVersion(sv)) return 'sv'
  // A service SAS is for a resource, and an account SAS for services and types of resources.
  if (sr && ss) return 'ss'
  if (sr && srt) return 'srt'
  if (!sr && !ss) return 'sr'
  if (!sr && !srt) return 'srt'
  if (sr && sv < (RESOURCE_SINCE.get(sr) ?? '')) return 'sr'
  if ((sr === 'd') !== (sdd !== undefined)) return 'sdd'
  if (srk !== undefined && spk === undefined) return 'srk'
  if (erk !== undefined && epk === undefined) return 'erk'
  // The first address of a range lies in it, unless the range is backwards.
  if (sip && !contains(sip, sip.split('-')[0])) return 'sip'
  if (skoid && sv < (isOfFiles(sr) ? '2025-07-05' : '2018-11-09')) return 'skoid'
  // Not all versions sign `sr` and `sdd` themselves, nor the name of a table, but all sign the resource that these make of the path.
  const inResource = ['sr', 'sdd', 'sig', ...(sr === 't' ? ['tn'] : [])]
  const unsigned = there.find((name) => !inResource.includes(name) && !signed.includes(name))
  if (unsigned) return unsigned
  return sp === undefined || arePermissions(sp, sr, sv) ? undefined : 'sp'
}

// Permissions, in the order of Azure's libraries.
const BLOB_PERMISSIONS = 'racwdxtmeopiy'
const ACCOUNT_PERMISSIONS = 'rwdxftlacupiy'
const PERMISSIONS = new Map([
  ['b', BLOB_PERMISSIONS],
  ['bs', BLOB_PERMISSIONS],
  ['bv', BLOB_PERMISSIONS],
  ['c', 'racwdxltmeopiyf'],
  ['d', 'racwdxltmeop'],
  ['f', 'rcwd'],
  ['s', 'rcwdl'],
  ['q', 'raup'],
  ['t', 'raud'],
])

/** The letters for a resource, or for an account SAS without one. */
export function permissionsOf(sr: string | undefined): string {
  return sr === undefined ? ACCOUNT_PERMISSIONS : (PERMISSIONS.get(sr) ?? '')
}

// The versions that brought permissions.
const PERMISSION_SINCE = new Map([
  ['x', '2019-10-10'],
  ['y', '2019-10-10'],
  ['t', '2019-12-12'],
  ['f', '2019-12-12'],
  ['m', '2020-02-10'],
  ['e', '2020-02-10'],
  ['o', '2020-02-10'],
  ['i', '2020-08-04'],
])

/** Does this version have the permission for the resource, or for an account SAS without one? */
export function isPermission(letter: string, sr: string | undefined, version: string): boolean {
  // `p` came to service SAS with Data Lake. That of queues is older.
  const since = letter === 'p' && sr !== undefined && sr !== 'q' ? '2020-02-10' : (PERMISSION_SINCE.get(letter) ?? '')
  return permissionsOf(sr).includes(letter) && version >= since
}

/**
 * Does Azure accept these permissions? They must be letters of this resource and version, none twice, with the first ones in order. Tools differ in
 * the order of the letters that came later: the portal writes `rwdlacupiytfx`, the libraries `rwdxftlacupiy`.
 */
export function arePermissions(text: string, sr: string | undefined, version: string): boolean {
  const letters = [...text]
  const ordered = isUnnamed(sr) ? permissionsOf(sr) : sr === undefined ? 'rwd' : 'racwd'
  const first = [...ordered].filter((letter) => letters.includes(letter)).join('')
  return letters.every((letter) => isPermission(letter, sr, version)) && new Set(letters).size === letters.length && text.startsWith(first)
}

const DAY = /(?<day>\d{4}-\d\d-\d\d)/
const CLOCK = /(?<hours>[01]\d|2[0-3]):(?<minutes>[0-5]\d)(?::(?<seconds>[0-5]\d)(?:\.(?<fraction>\d{1,7}))?)?/
const ZONE = /(?:Z|(?<sign>[+-])(?<offsetHours>[01]\d|2[0-3]):(?<offsetMinutes>[0-5]\d))/
const TIME = new RegExp(`^${DAY.source}(?:T${CLOCK.source}${ZONE.source})?$`)

/** Reads the forms of a time that Azure takes; `undefined` for everything else. */
export function timeIn(text: string | undefined): Date | undefined {
  const found = TIME.exec(text ?? '')?.groups
  if (!found) return undefined
  const { day, hours = 0, minutes = 0, seconds = 0, fraction = '', sign, offsetHours = 0, offsetMinutes = 0 } = found
  const midnight = new Date(`${day}T00:00:00Z`)
  // Some engines read the 30th of February as the 2nd of March.
  if (!midnight.toJSON()?.startsWith(day as string)) return undefined
  const sinceMidnight = +hours * 3600 + +minutes * 60 + +seconds
  const offset = (+offsetHours * 3600 + +offsetMinutes * 60) * (sign === '-' ? -1 : 1)
  const milliseconds = +fraction.padEnd(3, '0').slice(0, 3)
  return new Date(+midnight + (sinceMidnight - offset) * 1000 + milliseconds)
}

/** A time in whole seconds, as Azure's libraries write it. */
export function printTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}
