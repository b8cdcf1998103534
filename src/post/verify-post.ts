// verifyPost: decides whether a form may upload its file. No form makes it throw.
import { matches, readyKey } from '../core/crypto.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { SecretKey } from '../core/keys.ts'
import { assertScheme, type PostCondition, type PostField, type PostForm, type Scheme } from '../core/scheme.ts'
import { type Duration, presentTime, secondsOf } from '../core/time.ts'
import { statusOf } from '../core/verdict.ts'
import { same } from '../lib/encoding.ts'
import { type BucketAddress, bucketAddress } from './bucket.ts'
import { decodePolicy, meets, onField, onSize, type Policy } from './policy.ts'
import { type FormParts, formParts, isKey, keyOf, type Upload, type UploadedFile, type UploadForm } from './upload.ts'

/** Options of {@link verifyPost}. */
export interface VerifyPostOptions {
  /** The name of the bucket, for hosts that do not name it. Default: as in the URL. */
  readonly bucket?: string
  /** How far clocks may differ. At most `'5m'` counts. Default: `'0s'`. */
  readonly tolerance?: Duration
  /** The present time, for tests and for servers with a clock of their own. Default: the clock of the machine. */
  readonly now?: () => Date
}

/** Reasons to refuse a form without a valid signature. */
export type UntrustedPostReason = 'unsigned' | 'malformed' | 'unknown_key' | 'bad_signature'

/** Reasons to refuse a form with a valid signature. */
export type TrustedPostReason = 'wrong_field' | 'wrong_size' | 'expired' | 'key_expired' | 'too_early'

/** Every reason for which {@link verifyPost} refuses. `wrong_field` and `wrong_size`: the upload breaks a condition of the policy. */
export type PostReason = UntrustedPostReason | TrustedPostReason

/** The statements of a policy, proved by its signature. */
export interface PostClaims {
  /** When the form expires, or its key, if that is earlier. */
  readonly expires: Date
  /** The id of the key that signed. */
  readonly keyId: string
  /** The conditions of the policy, as it has them. */
  readonly conditions: readonly PostCondition[]
}

/** The form is valid for this upload. */
export interface AcceptedPost {
  readonly ok: true
  /** Name of the scheme that signed the form. */
  readonly scheme: string
  readonly claims: PostClaims
  /** Store by this, and not by the form: it leaves out fields that the policy has no condition for. */
  readonly upload: Upload
  readonly reason?: undefined
  readonly status?: undefined
  readonly field?: undefined
}

/** The form is not valid for this upload. `claims` exist exactly when the signature is valid. */
export type RefusedPost = {
  readonly ok: false
  readonly status: number
  /** The field that cannot be read, or breaks a condition, in lower case. */
  readonly field?: string
} & (
  | { readonly reason: UntrustedPostReason; readonly claims?: undefined }
  | { readonly reason: TrustedPostReason; readonly claims: PostClaims }
)

/** The answer to a form. Test `ok` first; TypeScript then knows the other fields. */
export type PostVerdict = AcceptedPost | RefusedPost

// The largest tolerance that counts, in milliseconds.
const MOST_TOLERANCE = 300_000
/** The longest lifetime of a form, in milliseconds: the storages accept a key of the day for 7 days. */
const WEEK = 604_800_000

/**
 * Decides whether a form may upload its file, as the storage would: for tests, and for servers that accept such forms themselves.
 *
 * It checks the signature, the fields, the size and the time, in this order; the first failure is the reason. Each field must meet a condition of the
 * policy, except the file, the policy, its signature, and fields whose names begin with `x-ignore-`.
 *
 * @param scheme - The scheme and keys that the form was signed with; `anyOf` for several.
 * @param url - The URL that the form was sent to.
 * @param form - The `FormData` of the request, or an object of its fields: `{ ...fields, file: { size, name } }`.
 * @param options - The name of the bucket, a tolerance, and a clock for tests.
 * @returns `{ ok: true, scheme, claims, upload }`, or `{ ok: false, reason, status, field }`, with `claims` exactly when the signature is valid.
 * @throws A `LinkError`: `no_key` for an empty keyring, `bad_option` for wrong options and for a scheme without forms, `no_webcrypto` without
 *   `crypto.subtle`.
 *
 * @example
 * ```ts
 * import { postPolicy, verifyPost } from 'securelink/post-policy'
 * import { s3 } from 'securelink/schemes/s3'
 *
 * const bucket = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' })
 * const { url, fields } = await postPolicy(bucket, 'https://examplebucket.s3.amazonaws.com/', {
 *   key: 'users/42/${filename}',
 *   expires: '15m',
 *   contentLengthRange: [1, 1000],
 * })
 * const small = await verifyPost(bucket, url, { ...fields, file: { size: 10, name: 'cat.png' } })
 * console.log(small.ok && small.upload.key) // users/42/cat.png
 * const large = await verifyPost(bucket, url, { ...fields, file: { size: 1001, name: 'cat.png' } })
 * console.log(large.reason, large.status) // wrong_size 400
 * ```
 */
export async function verifyPost(
  scheme: Scheme,
  url: string | URL,
  form: UploadForm,
  options: VerifyPostOptions = {},
): Promise<PostVerdict> {
  assertScheme(scheme)
  assertKnownOptions(options, ['bucket', 'tolerance', 'now'], 'verifyPost()')
  const schemes = (scheme.schemes ?? [scheme]).filter(({ post }) => post)
  assertOption(schemes.length > 0, 'scheme', 'one that has upload forms: s3, gcs or gcsRsa')
  const address = bucketAddress(`${url}`, options.bucket)
  const parts = formParts(form)
  const now = presentTime(options.now)
  const tolerance = Math.min(secondsOf(options.tolerance ?? '0s', 'tolerance') * 1000, MOST_TOLERANCE)

  let furthest: RefusedPost | undefined
  for (const candidate of schemes) {
    const reading = read(candidate.post as PostForm, address, parts)
    const signed = 'reason' in reading ? reading : await signedBy(candidate, reading, address)
    if ('key' in signed) return verdictOn(signed, address, parts, now, tolerance)
    const { reason, field } = signed
    const refused: RefusedPost = { ok: false, reason, status: statusIn(candidate, reason), ...(field && { field }) }
    if (!furthest || ORDER.indexOf(reason) > ORDER.indexOf(furthest.reason)) furthest = refused
  }
  return furthest as RefusedPost
}

// Of the refusals by several schemes, the one that comes last here says most about the form.
const ORDER: readonly string[] = ['unsigned', 'malformed', 'unknown_key', 'bad_signature']

/** A form that cannot be trusted. */
interface Untrusted {
  readonly reason: UntrustedPostReason
  readonly field?: string
}

/** A form that can be read. */
interface PostReading {
  readonly policy: Policy
  /** The field, which is the string to sign. */
  readonly policyText: string
  readonly keyId: string
  readonly date: string
  readonly token: string | undefined
  readonly signature: string
  readonly file: UploadedFile
}

const CREDENTIAL = /^(?<id>.+)\/(?<scope>(?<day>\d{8})\/[^/]+\/[^/]+\/[^/]+)$/

/** Reads the fields that sign a form. */
function read(form: PostForm, { hostname }: BucketAddress, { fields, file, faulty }: FormParts): PostReading | Untrusted {
  const textOf = (name: PostField) => fields.get(form.names[name].toLowerCase())
  const malformed = (name: PostField): Untrusted => ({ reason: 'malformed', field: form.names[name].toLowerCase() })
  if (textOf('signature') === undefined && textOf('algorithm') === undefined) return { reason: 'unsigned' }
  if (faulty) return { reason: 'malformed', field: faulty }
  if (!file) return { reason: 'malformed', field: 'file' }
  if (!hostname) return { reason: 'malformed' }
  const policyText = textOf('policy') ?? ''
  const policy = decodePolicy(policyText)
  if (!policy) return malformed('policy')
  if (textOf('algorithm') !== form.algorithm) return malformed('algorithm')
  const date = textOf('date') ?? ''
  if (startOf(date) === undefined) return malformed('date')
  const { id, day } = CREDENTIAL.exec(textOf('credential') ?? '')?.groups ?? {}
  if (!id || day !== date.slice(0, 8)) return malformed('credential')
  const signature = textOf('signature') ?? ''
  if (!/^([\da-f]{2}){32,1024}$/.test(signature)) return malformed('signature')
  return { policy, policyText, keyId: id, date, token: textOf('securityToken'), signature, file }
}

/** The time of a date such as `20300101T000000Z`, in milliseconds since 1970. */
function startOf(date: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? []
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const time = Date.parse(text)
  // Some engines accept the 31st of February, as a day in March.
  return Number.isNaN(time) || new Date(time).toISOString() !== text ? undefined : time
}

/** A form with a valid signature. */
interface SignedForm extends PostReading {
  readonly scheme: Scheme
  readonly key: SecretKey
}

async function signedBy(scheme: Scheme, reading: PostReading, { hostname }: BucketAddress): Promise<SignedForm | Untrusted> {
  const { algorithm } = scheme
  const form = scheme.post as PostForm
  const { keyId, date, token, policyText, signature } = reading
  let reason: UntrustedPostReason = 'unknown_key'
  for (const key of await scheme.keys(keyId)) {
    if (key.id !== keyId) continue
    reason = 'bad_signature'
    const ready = await readyKey(await form.signingKey(key, hostname, date), algorithm)
    const good = await matches(ready, algorithm, policyText, signature)
    const session = form.tokenOf(key)
    if (good && (session === undefined || same(session, token ?? ''))) return { ...reading, scheme, key }
  }
  return { reason }
}

/** Checks a form with a valid signature. */
function verdictOn(signed: SignedForm, address: BucketAddress, { fields }: FormParts, now: number, tolerance: number): PostVerdict {
  const { scheme, key, policy, keyId, file, date } = signed
  const lastDay = (startOf(date) as number) + WEEK
  const expires = Math.min(policy.expires, lastDay, key.expires ? +key.expires : lastDay)
  const claims: PostClaims = { expires: new Date(expires), keyId, conditions: policy.conditions }
  const refuse = (reason: TrustedPostReason, field?: string): RefusedPost => {
    return { ok: false, reason, status: statusIn(scheme, reason), claims, ...(field && { field }) }
  }
  const values = new Map(fields).set('key', keyOf(fields.get('key') ?? '', file))
  const wrong = wrongField(scheme.post as PostForm, policy, values, address.bucket)
  if (wrong) return refuse('wrong_field', wrong)
  if (policy.conditions.map(onSize).some((range) => range && (file.size < range.min || file.size > range.max)))
    return refuse('wrong_size', 'file')
  const starts = Math.max(startOf(date) as number, +(key.starts ?? 0))
  if (!(now < Math.min(policy.expires, lastDay) + tolerance)) return refuse('expired')
  if (!(now < expires + tolerance)) return refuse('key_expired')
  if (!(now + tolerance >= starts)) return refuse('too_early')
  return { ok: true, scheme: scheme.name, claims, upload: uploadOf(scheme.post as PostForm, values, address.bucket as string, file) }
}

/** The first field that breaks a condition, or that the policy has no condition for. */
function wrongField(
  form: PostForm,
  { conditions }: Policy,
  values: ReadonlyMap<string, string>,
  bucket: string | undefined,
): string | undefined {
  if (!isKey(values.get('key') ?? '')) return 'key'
  if ((values.get('bucket') ?? bucket) !== bucket) return 'bucket'
  const named = new Set<string>()
  for (const condition of conditions.map(onField)) {
    if (!condition) continue
    const actual = condition.field === 'bucket' ? bucket : values.get(condition.field)
    if (!meets(actual, condition)) return condition.field
    named.add(condition.field)
  }
  // Without a condition on the bucket, the form would be valid for every bucket of the key.
  if (!named.has('bucket')) return 'bucket'
  // Storages answer with the fields as headers, which cannot have a line break: a condition on the beginning of a value allows any end.
  for (const [field, value] of values) if (CONTROL.test(value) && !field.startsWith('x-ignore-')) return field
  const unsigned = [form.names.policy, form.names.signature].map((name) => name.toLowerCase())
  return [...values.keys()].find((field) => !named.has(field) && !unsigned.includes(field) && !field.startsWith('x-ignore-'))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/

function uploadOf({ names }: PostForm, values: ReadonlyMap<string, string>, bucket: string, { size }: UploadedFile): Upload {
  const own = ['key', 'bucket', ...Object.values(names).map((name) => name.toLowerCase())]
  const others = [...values].filter(([field]) => !own.includes(field) && !field.startsWith('x-ignore-'))
  return { bucket, key: values.get('key') as string, size, fields: Object.fromEntries(others) }
}

/** As S3 answers: 400 for a file that is too large or too small, 403 for other conditions. */
function statusIn({ status }: Scheme, reason: PostReason): number {
  if (reason === 'wrong_size') return 400
  return reason === 'wrong_field' ? 403 : (status?.[reason] ?? statusOf(reason))
}
