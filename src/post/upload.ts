// formParts: the fields of a form that a client has sent, and its file.
import { assertOption } from '../core/errors.ts'

/** The file of a form: a `File`, a `Blob`, or an object with its size from another parser. */
export interface UploadedFile {
  /** In bytes. */
  readonly size: number
  /** As the client sent it. It replaces `${filename}` in the key. */
  readonly name?: string
}

/** A form that a client has sent: `FormData`, pairs of name and value, or an object of its fields, with the file as `file`. */
export type UploadForm = Iterable<readonly [name: string, value: unknown]> | Readonly<Record<string, unknown>>

/** The upload that a valid form asks for. Every field was signed, or meets a condition that was. */
export interface Upload {
  /** The name of the bucket. */
  readonly bucket: string
  /** The name of the object, with the name of the file in place of `${filename}`. */
  readonly key: string
  /** The size of the file, in bytes. */
  readonly size: number
  /** The other fields, with names in lower case: `content-type`, `acl` and so on. */
  readonly fields: Readonly<Record<string, string>>
}

/** The parts of a form. */
export interface FormParts {
  /** By their names in lower case. */
  readonly fields: ReadonlyMap<string, string>
  readonly file: UploadedFile | undefined
  /** The first field that occurs twice, or is not text. */
  readonly faulty: string | undefined
}

/** Splits a form into its fields and its file. The form comes from a request, so nothing in it makes this throw. */
export function formParts(form: UploadForm): FormParts {
  assertOption(typeof form === 'object' && form !== null, 'form', 'a FormData, or an object of its fields and its file')
  const fields = new Map<string, string>()
  let file: UploadedFile | undefined
  let faulty: string | undefined
  const pairs = Symbol.iterator in form ? (form as Iterable<readonly [string, unknown]>) : Object.entries(form)
  const isOrdered = Symbol.iterator in form
  for (const [written, value] of pairs) {
    const name = String(written).toLowerCase()
    if (name === 'file') {
      if (file || !isFile(value)) faulty ??= 'file'
      else file = typeof value === 'string' ? { size: new TextEncoder().encode(value).length } : value
      // The file is the last field: the storages do not read the fields after it.
      if (isOrdered) break
    } else if (fields.has(name) || typeof value !== 'string') {
      faulty ??= name
    } else {
      fields.set(name, value)
    }
  }
  return { fields, file, faulty }
}

function isFile(value: unknown): value is UploadedFile | string {
  if (typeof value === 'string') return true
  const { size } = (value ?? {}) as Partial<UploadedFile>
  return Number.isSafeInteger(size) && (size as number) >= 0
}

/** The key with the name of the file. Some clients send a whole path, of which the storages take the last segment. */
export function keyOf(key: string, file: UploadedFile): string {
  const name = typeof file.name === 'string' ? file.name.replace(/^.*[/\\]/s, '') : ''
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the storages' variable
  return key.replaceAll('${filename}', () => name)
}

/** Can clients request an object of this name? They resolve dot segments, and do not send control characters. */
export function isKey(key: string): boolean {
  return key !== '' && !/\p{Cc}|\p{Surrogate}/u.test(key) && !/(^|[/\\])\.\.?([/\\]|$)/.test(key)
}
