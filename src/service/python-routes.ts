// The two routes of the Python SecureLink, https://github.com/muscodev/secure-link-generator, for clients that were written for it.
import { LONGEST } from '../lib/url.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Verb } from './bearer.ts'
import { type FieldError, object, type Shape, text } from './shapes.ts'

/** One of the routes: what it does, and in which words. */
export interface OldRoute {
  readonly verb: Verb
  readonly takes: string
  readonly gives: string
  readonly summary: string
  readonly description: string
  readonly example: object
}

const url = 'https://cdn.example/secure/report.pdf'

/** By path; each is there with a slash at the end, too, and that is how its clients know it. */
export const OLD_ROUTES: Readonly<Record<string, OldRoute>> = {
  '/generate-secure-md5-link': {
    verb: 'sign',
    takes: 'ToGenerate',
    gives: 'Generated',
    summary: 'Sign a URL, as the Python SecureLink does',
    description: 'Fields that are not known are ignored.',
    example: { url, clientip: '203.0.113.7', expire_seconds: 60 },
  },
  '/validate-secure-link': {
    verb: 'verify',
    takes: 'ToValidate',
    gives: 'Validated',
    summary: 'Tell whether a link is good for an address, as the Python SecureLink does',
    description: 'The answer to a link that is not good has the status 403, and a `reason`. Fields that are not known are ignored.',
    example: { url: `${url}?md5=…&expires=…`, clientip: '203.0.113.7' },
  },
}

/** What it says of a good link, and of every other one. */
export const VALID = 'The secure link is valid.'
export const INVALID = 'Invalid or expired secure link.'

const nothing: Shape = { type: 'null' }
const clientip: Shape = {
  description: "The visitor's address. Without it 127.0.0.1; empty for a link that opens for every address.",
  anyOf: [{ type: 'string', maxLength: 100 }, nothing],
  examples: ['203.0.113.7'],
}
const MOST = 999_999_999

/** The shapes of these routes, by name. */
export const OLD_SHAPES: Readonly<Record<string, Shape>> = {
  ToGenerate: object(['url'], {
    url: text("An absolute URL, or a path from '/'.", { maxLength: LONGEST, examples: [url] }),
    clientip,
    expire_seconds: {
      description: `A whole number of seconds, from 1 to ${MOST}. Without it, 20.`,
      anyOf: [{ type: 'integer', minimum: 1, maximum: MOST }, { type: 'string', pattern: '^[1-9]\\d{0,8}$' }, nothing],
      examples: [60],
    },
  }),
  Generated: object(['secure_url'], { secure_url: { type: 'string' } }),
  ToValidate: object(['url'], { url: text('A link, as it was visited.', { maxLength: LONGEST, examples: [`${url}?…`] }), clientip }),
  Validated: object(['message'], { message: { const: VALID } }),
}

interface OldBody {
  readonly url: string
  readonly clientip?: string | null
  readonly expire_seconds?: number | string | null
}

/** The question in the words of the service. */
export function translated(verb: Verb, body: unknown, { carries }: Scheme): { url: string; ip?: string; expires?: string } {
  // That is its default, too: a caller who says nothing gets a link for this machine, and not one for everybody.
  const { url, clientip, expire_seconds } = body as OldBody
  const ip = clientip ?? (carries.includes('ip') ? '127.0.0.1' : '')
  return { url, ...(ip && { ip }), ...(verb === 'sign' && { expires: `${expire_seconds ?? 20}s` }) }
}

const NAMES: Record<string, string> = { expires: 'expire_seconds', ip: 'clientip' }

/** A mistake in the words of the caller. */
export function translatedBack({ field, detail }: FieldError): FieldError {
  return {
    field: NAMES[field] ?? field,
    detail: detail.replace(/^(expires|ip)\b/, (name) => NAMES[name] as string).replace("'ip'", "'clientip'"),
  }
}
