// The responses of the link service: JSON, and problem documents (RFC 9457), which contain no link, token or stack trace.
import { problem } from '../http/refusal.ts'
import type { Denied } from './bearer.ts'
import type { FieldError } from './shapes.ts'

/** Headers of every answer. */
export const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** A JSON response. A string is JSON already. */
export function json(value: unknown): Response {
  const body = typeof value === 'string' ? value : JSON.stringify(value)
  return new Response(body, { headers: { ...HEADERS, 'content-type': 'application/json' } })
}

const TITLES: Record<number, string> = {
  401: 'Unauthorized',
  404: 'Not Found',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
}

/** The members of a problem document besides its status and its sentence. */
export interface ProblemOptions {
  /** Further members of the document. */
  readonly more?: object
  readonly headers?: Record<string, string>
  /** The method of the request: the answer to `HEAD` has no body. Default: `POST`. */
  readonly method?: string
}

/** A problem document. */
export function complaint(status: number, detail: string, { more = {}, headers = {}, method = 'POST' }: ProblemOptions = {}): Response {
  const title = TITLES[status]
  return problem(status, detail, { ...(title && { title }), ...more }, method, { 'x-content-type-options': 'nosniff', ...headers })
}

/** The answer to a method that a path does not take. */
export function wrongMethod(path: string, allow: string, method: string): Response {
  return complaint(405, `The method of ${path} must be ${allow.replace(', ', ' or ')}.`, { headers: { allow }, method })
}

/** The answer to a body of more than `limit` bytes. */
export function tooLarge(limit: number): Response {
  return complaint(413, `The body must have at most ${limit} bytes.`)
}

/** The answer to a body that is not a JSON object. */
export function notJson(): Response {
  return complaint(400, 'The body must be a JSON object, in UTF-8.')
}

/** The answer to fields that are wrong. */
export function invalid(errors: readonly FieldError[]): Response {
  return complaint(422, (errors[0] as FieldError).detail, { more: { errors: errors.slice(0, 20) } })
}

/** The answer to a caller who may not ask this. `batch`: the request has several links. */
export function denied(decision: unknown, batch: boolean): Response {
  const { status, detail, index = 0, field } = isDenied(decision) ? decision : NOT_ALLOWED
  const more = field === undefined ? {} : { errors: [{ field: batch ? `links[${index}].${field}` : field, detail }] }
  return complaint(status, detail, { more, headers: status === 401 ? { 'www-authenticate': 'Bearer' } : {} })
}

const NOT_ALLOWED: Denied = { status: 403, detail: 'You may not ask for this here.' }

// If `authorize` returns a user's record instead of `true`, a field `status` of that record must not become the status of the response.
function isDenied(decision: unknown): decision is Denied {
  return ((decision as Denied | undefined)?.status ?? 0) >= 400
}
