// Uploads: the fields of a form that arrived, and its file.
import { assertOption } from '../core/errors.ts'

/** The file of a form: a `File`, a `Blob`, or what a parser of forms knows about it. */
export interface UploadedFile {
  /** In bytes. */
  readonly size: number
  /** As the client sent it. It takes the place of `${filename}` in the key. */
  readonly name?: string
}

/** A form that arrived: `FormData`, pairs, or an object of its fields, with the file as `file`. */
export type UploadForm = Iterable<readonly [name: string, value: unknown]> | Readonly<Record<string, unknown>>

/** The upload that a valid form asks for. Every field was signed, or meets a condition that was. */
export interface Upload {
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

/** Takes a form apart. It is from a request, so nothing in it throws. */
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
      // As the storages do: the file is the last field, and those behind it are not read.
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

/** Can clients ask for an object of this name later? Dot segments would be resolved on the way, and control characters are not sent. */
export function isKey(key: string): boolean {
  return key !== '' && !/\p{Cc}|\p{Surrogate}/u.test(key) && !/(^|[/\\])\.\.?([/\\]|$)/.test(key)
}
