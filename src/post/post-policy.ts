// postPolicy: signs an upload form, with a policy that says what it may upload.
import { compute, readyKey, spell } from '../core/crypto.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { signingKey } from '../core/keys.ts'
import { assertScheme, type PostCondition, type PostForm, type Scheme } from '../core/scheme.ts'
import { presentTime, timeOf, type When } from '../core/time.ts'
import { assertedBucketAddress } from './bucket.ts'
import { encodePolicy } from './policy.ts'
import { isKey } from './upload.ts'

/** What a form may upload, and until when. */
export interface PostConditions {
  /**
   * The name of the object: `'users/42/portrait.png'`. With `${filename}` at its end, the form may write every object whose name begins with the
   * rest: `'users/42/${filename}'`. The storage puts the name of the file there.
   */
  readonly key: string
  /** When the form expires; rounded up to the second, and at most 7 days from now. There is no default. */
  readonly expires: When
  /** The sizes that the file may have, in bytes. Default: any that the storage takes. */
  readonly contentLengthRange?: readonly [min: number, max: number]
  /**
   * Other fields of the form, such as `content-type` and `success_action_status`. With a string, the field has exactly this value. With `startsWith`,
   * the page adds the field, and its value must begin with this string; `''` allows any value. The storage refuses fields that are not named here.
   * Default: none.
   */
  readonly fields?: Readonly<Record<string, string | { readonly startsWith: string }>>
  /** The name of the bucket, for hosts that do not name it. Default: as in the URL. */
  readonly bucket?: string
}

/** Options of {@link postPolicy}. */
export interface PostOptions {
  /** The present time, for tests and for servers with a clock of their own. Default: the clock of the machine. */
  readonly now?: () => Date
}

/** A signed form. */
export interface SignedPost {
  /** The `action` of the form. */
  readonly url: string
  /** The hidden fields of the form. They come before the file, which is the last field and is called `file`. */
  readonly fields: Readonly<Record<string, string>>
}

/** The longest lifetime of a form, in milliseconds: the storages accept a key of the day for 7 days. */
const WEEK = 604_800_000

/**
 * Signs a form with which a browser uploads a file straight to the storage: a POST policy and its signature. Unlike a presigned `PUT`, a form can
 * allow a range of sizes, every name in a folder, and any value with a given beginning.
 *
 * @param scheme - The storage, with its keys: `s3(keys)`, `gcs(keys)` or `gcsRsa(keys)`.
 * @param url - The URL of the bucket: `https://BUCKET.s3.eu-central-1.amazonaws.com/`, or `https://HOST/BUCKET`.
 * @param conditions - `key` and `expires`, and any other condition.
 * @param options - A clock for tests.
 * @returns The form: its URL and its fields.
 * @throws A `LinkError`: `bad_option` for a wrong value, and for a storage that takes no forms, such as R2; `no_key` if no key may sign now;
 *   `no_webcrypto` without `crypto.subtle`.
 *
 * @example
 * ```ts
 * import { postPolicy } from 'securelink/post-policy'
 * import { s3 } from 'securelink/schemes/s3'
 *
 * const bucket = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' })
 * const { url, fields } = await postPolicy(bucket, 'https://examplebucket.s3.eu-central-1.amazonaws.com/', {
 *   key: 'users/42/${filename}',
 *   expires: '15m',
 *   contentLengthRange: [1, 10_485_760],
 *   fields: { 'content-type': { startsWith: 'image/' } },
 * })
 * ```
 */
export async function postPolicy(
  scheme: Scheme,
  url: string | URL,
  conditions: PostConditions,
  options: PostOptions = {},
): Promise<SignedPost> {
  assertScheme(scheme)
  assertKnownOptions(options, ['now'], 'postPolicy()')
  assertOption(typeof conditions === 'object' && conditions !== null, 'conditions', "an object such as { key: 'a.png', expires: '10m' }")
  assertKnownOptions(conditions, ['key', 'expires', 'contentLengthRange', 'fields', 'bucket'], 'postPolicy()')
  const signer = (scheme.schemes?.[0] ?? scheme) as Scheme
  const { algorithm, post: form } = signer
  assertOption(form, 'scheme', 'one that has upload forms: s3, gcs or gcsRsa')
  const address = assertedBucketAddress(`${url}`, conditions.bucket)
  const { hostname, bucket } = address
  form.assertUrl(hostname, address.path)
  const now = presentTime(options.now)
  const asked = askedOf(form, conditions, now)

  const keys = signer.keys()
  const { key, expires = asked.expires } = signingKey(Array.isArray(keys) ? keys : await keys, asked.expires, now)
  const date = formatted(Math.floor(now / 1000)).replace(/[-:]/g, '')
  const own = {
    bucket,
    key: conditions.key,
    algorithm: form.algorithm,
    credential: `${key.id}/${form.scopeOf(hostname, date)}`,
    date,
    securityToken: form.tokenOf(key),
  }
  const policy = encodePolicy(form.policyText(formatted(expires), [...asked.conditions, ...conditionsOn(form, own)]))
  const ready = await readyKey(await form.signingKey(key, hostname, date), algorithm)
  const signature = spell(await compute(ready, algorithm, policy), algorithm)
  return { url: `${url}`, fields: fieldsOf(form, asked.fields, own, { policy, signature }) }
}

/** The caller's conditions, checked. */
interface Asked {
  /** In seconds since 1970. */
  readonly expires: number
  readonly conditions: readonly PostCondition[]
  /** The caller's fields of one value. */
  readonly fields: Readonly<Record<string, string>>
}

function askedOf(form: PostForm, { key, expires, contentLengthRange: range, fields = {} }: PostConditions, now: number): Asked {
  assertKey(key)
  const end = timeOf(expires, now, 'expires')
  assertOption(end * 1000 > now && end * 1000 - now <= WEEK, 'expires', 'a time in the future, at most 7 days from now')
  assertOption(range === undefined || isRange(range), 'contentLengthRange', '[min, max], two whole numbers of bytes')
  assertOption(isPlainObject(fields), 'fields', 'a plain object of names and values')
  const exact: Record<string, string> = {}
  const compared: PostCondition[] = []
  const taken = new Set<string>(['key', 'bucket', 'file', ...Object.values(form.names).map((name) => name.toLowerCase())])
  for (const [name, value] of Object.entries(fields)) {
    assertOption(/^[a-z][\w-]*$/i.test(name), 'fields', "an object whose names begin with a letter and have letters, digits, '-' and '_'")
    const lower = name.toLowerCase()
    assertOption(!taken.has(lower), 'fields', 'without key, bucket, file, fields that sign the form, and a name that occurs twice')
    assertOption(!lower.startsWith('x-ignore-'), 'fields', 'without names that begin with x-ignore-, which no policy covers')
    taken.add(lower)
    if (isText(value)) {
      exact[name] = value
    } else {
      const isComparison = isPlainObject(value) && Object.keys(value).join() === 'startsWith' && isText(value.startsWith)
      assertOption(isComparison, 'fields', "an object of strings, or of comparisons such as { startsWith: 'image/' }")
      compared.push(['starts-with', `$${name}`, value.startsWith])
    }
  }
  if (range) compared.push(['content-length-range', ...range])
  return {
    expires: Math.ceil(end),
    conditions: [...compared, ...Object.entries(exact).map(([name, value]) => ({ [name]: value }))],
    fields: exact,
  }
}

function assertKey(key: unknown): asserts key is string {
  const good = typeof key === 'string' && isKey(key) && new TextEncoder().encode(key).length <= 1024
  assertOption(good, 'key', "text of at most 1,024 bytes, without control characters and the segments '.' and '..'")
  const at = key.indexOf(FILENAME)
  // A policy can only say how a name begins.
  assertOption(at < 0 || at === key.length - FILENAME.length, 'key', `a name with ${FILENAME} at its end only`)
  // Otherwise the form could write every object of the bucket.
  assertOption(at !== 0, 'key', `a name with a folder in front of ${FILENAME}, such as 'uploads/${FILENAME}'`)
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: the storages' variable
const FILENAME = '${filename}'

const isRange = (range: unknown): boolean =>
  Array.isArray(range) && range.length === 2 && range.every((size) => Number.isSafeInteger(size) && size >= 0) && range[0] <= range[1]

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !(Symbol.iterator in value)

/** Browsers change line breaks in forms and replace half a surrogate pair, so they would send a value that was not signed. */
const isText = (value: unknown): value is string => typeof value === 'string' && !/\p{Cc}|\p{Surrogate}/u.test(value)

/** The values of bucket, key and the form's own fields that a policy names. */
type OwnValues = Readonly<Record<PostForm['order'][number], string | undefined>>

/** The conditions on bucket, key and the form's own fields, in the vendor's order. */
function conditionsOn({ names, order }: PostForm, values: Omit<OwnValues, 'policy' | 'signature'>): PostCondition[] {
  const conditions: PostCondition[] = []
  for (const name of order) {
    const value = (values as OwnValues)[name]
    if (value === undefined) continue
    if (name === 'key' && value.endsWith(FILENAME)) conditions.push(['starts-with', '$key', value.slice(0, -FILENAME.length)])
    else conditions.push({ [name === 'bucket' || name === 'key' ? name : names[name]]: value })
  }
  return conditions
}

/** The fields of the form. The URL names the bucket. */
function fieldsOf(
  { names }: PostForm,
  others: Asked['fields'],
  { bucket, key, ...own }: Omit<OwnValues, 'policy' | 'signature'>,
  signed: { readonly policy: string; readonly signature: string },
): Record<string, string> {
  const fields: Record<string, string> = { key: key as string, ...others }
  for (const [name, value] of Object.entries({ ...own, ...signed }))
    if (value !== undefined) fields[names[name as keyof typeof names]] = value
  return fields
}

/** `2030-01-01T00:00:00Z` */
function formatted(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '')
}
