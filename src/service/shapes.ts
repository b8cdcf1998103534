// What the link service takes and answers, as JSON Schema. Requests are checked by these shapes, and /openapi.json shows the same ones.
import { LONGEST } from '../lib/url.ts'
import type { Scheme } from '../core/scheme.ts'

/** The part of JSON Schema (2020-12) that the service needs. */
export interface Shape {
  readonly $ref?: string
  readonly description?: string
  readonly type?: 'string' | 'integer' | 'boolean' | 'object' | 'array' | 'null'
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly const?: unknown
  readonly enum?: readonly string[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: Shape
  readonly minItems?: number
  readonly maxItems?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly propertyNames?: Shape
  /** Of all properties that are not named: whether there may be any, or what they look like. */
  readonly additionalProperties?: boolean | Shape
  readonly examples?: readonly unknown[]
}

/** One field that cannot be taken, and why. */
export interface FieldError {
  /** `expires`, or `links[3].expires`. Empty for the body as a whole. */
  readonly field: string
  readonly detail: string
}

/** How many links one request may have. */
export const MOST = 1000

// No text of a request may be longer than a link. Schemes look through all of a text, and a megabyte of broken escapes would keep them busy for
// seconds, on the thread that everybody shares.
const maxLength = LONGEST
/** Any JSON, with that limit for the texts in it. */
const anything: Shape = { maxLength, items: { maxLength }, additionalProperties: { maxLength, items: { maxLength } } }

const DURATION = '\\d{1,9}(\\.\\d{1,3})?[smhd]'
// With a time it needs a zone: the service's own would be a guess.
const DATE = '\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d))?'

/** Text that is not empty. */
export const text = (description: string, more: Shape = {}): Shape => ({ type: 'string', description, minLength: 1, ...more })
const when = (of: string): Shape =>
  text(
    `A length of time such as '10m', or a date such as '2030-01-31T12:00:00Z'; no bare number, because nobody can tell seconds from milliseconds. ${of}`,
    { pattern: `^(${DURATION}|${DATE})$`, examples: ['10m'] },
  )
const METHOD = text('A method.', { maxLength: 40 })
const REFS = '#/components/schemas/'
/** A reference to one of the shapes. */
export const ref = (name: string): Shape => ({ $ref: REFS + name })
/** An object with these fields. */
export const object = (required: readonly string[], properties: Record<string, Shape>, description?: string): Shape => ({
  type: 'object',
  ...(description && { description }),
  required,
  properties,
})

/** All shapes of a service with these schemes, by name. */
export function shapesOf(schemes: ReadonlyMap<string, Scheme>): Record<string, Shape> {
  const names = [...schemes.keys()]
  const scheme = text('The name of one of the schemes of this service.', { enum: names })
  const needsScheme = names.length > 1 ? ['scheme'] : []
  const all = [...schemes.values()]
  const carried = (name: string) => all.some(({ carries }) => carries.includes(name))
  const conditions: Record<string, Shape> = {
    starts: when('Not good before this moment.'),
    method: {
      description: 'An HTTP method, or a list of them. GET implies HEAD; without it a link opens GET and HEAD.',
      anyOf: [METHOD, { type: 'array', items: METHOD, minItems: 1, maxItems: 20 }],
      examples: ['GET'],
    },
    ip: text('The only address or network that the link opens for.', { maxLength: 100, examples: ['203.0.113.0/24'] }),
    prefix: text("A path from '/'; the link opens it and everything below.", { maxLength, examples: ['/videos/7/'] }),
    uses: { type: 'integer', description: 'A whole number from 1: how often the link can be redeemed.', minimum: 1 },
  }
  const own = all.flatMap((scheme) => (scheme.own ?? []).map((name): [string, string] => [name, scheme.name]))

  const toSign: Record<string, Shape> = {
    scheme,
    url: text("An absolute URL, or a path from '/'.", { maxLength, examples: ['https://cdn.example/report.pdf'] }),
    expires: when('When the link dies; there is no default.'),
    align: text("A length of time such as '1h'. The expiry is rounded up to a multiple of it, so links of one window are identical.", {
      pattern: `^${DURATION}$`,
    }),
    ...Object.fromEntries(Object.entries(conditions).filter(([name]) => carried(name))),
    ...Object.fromEntries(own.map(([name, of]) => [name, { description: `A condition of ${of} links, as their page says.`, ...anything }])),
  }
  const toRead: Record<string, Shape> = {
    scheme,
    link: text('A link, as it was visited.', { maxLength, examples: ['https://cdn.example/report.pdf?…'] }),
  }
  const toVerify: Record<string, Shape> = {
    ...toRead,
    method: text('The method of the visit. Without it, GET.', { pattern: '^[A-Za-z-]{1,40}$' }),
    ip: text("The visitor's address, as your server knows it.", { maxLength: 100 }),
    headers: {
      type: 'object',
      description: 'Headers of the visit as names and texts in ASCII, for links that cover some.',
      propertyNames: { type: 'string', pattern: "^[\\w!#$%&'*+.^`|~-]{1,100}$" },
      additionalProperties: { type: 'string', pattern: '^[\\t -~]*$', maxLength },
      examples: [{ 'content-type': 'image/png' }],
    },
  }
  // A batch may name the scheme once for all its links.
  const one = (needs: readonly string[], properties: Record<string, Shape>): Shape => ({
    ...object([...needsScheme, ...needs], properties),
    additionalProperties: false,
  })
  const many = (name: string): Shape => ({
    ...object(['links'], {
      scheme: { ...scheme, description: 'The scheme of all links that name none themselves.' },
      links: { type: 'array', description: `A list of 1 to ${MOST} links.`, minItems: 1, maxItems: MOST, items: ref(name) },
    }),
    additionalProperties: false,
  })

  const date: Shape = { type: 'string', format: 'date-time' }
  const claims = object(['resource', 'expires'], {
    resource: { type: 'string', description: "The URL without the link's own parameters." },
    expires: date,
    starts: date,
    methods: { type: 'array', items: { type: 'string' } },
    ip: { type: 'string' },
    prefix: { type: 'string' },
    uses: { type: 'integer' },
    id: { type: 'string' },
    keyId: { type: 'string' },
  })
  const answers = (name: string, list: string): Shape => object([list], { [list]: { type: 'array', items: ref(name) } })

  return {
    ToSign: one(['url', 'expires'], toSign),
    ManyToSign: many('ToSign'),
    ToVerify: one(['link'], toVerify),
    ManyToVerify: many('ToVerify'),
    ToInspect: one(['link'], toRead),
    ManyToInspect: many('ToInspect'),
    Signed: object(['link', 'expires'], { link: { type: 'string' }, expires: { ...date, description: 'After rounding.' } }),
    ManySigned: answers('Signed', 'links'),
    Verdict: object(
      ['ok'],
      {
        ok: { type: 'boolean' },
        scheme: { type: 'string', description: 'The kind of link, when it is good.' },
        reason: { type: 'string', description: 'Why it is refused.' },
        status: { type: 'integer', description: 'The HTTP status that your server should answer a refused visit with.' },
        claims: { ...ref('Claims'), description: 'What the link says; there exactly when the signature is good.' },
      },
      'Whether the link is good for the visit. A refused link is an answer, too, so the status of this response is 200.',
    ),
    ManyVerdicts: answers('Verdict', 'verdicts'),
    Inspected: object(
      ['unverified'],
      { scheme: { type: 'string' }, unverified: { anyOf: [ref('Claims'), { type: 'null' }] } },
      'What the link says of itself; null when it is no link of this scheme. Nothing here is verified: anybody can have written it.',
    ),
    ManyInspected: answers('Inspected', 'links'),
    Claims: claims,
    Problem: object(
      ['type', 'title', 'status', 'detail'],
      {
        type: { type: 'string' },
        title: { type: 'string' },
        status: { type: 'integer' },
        detail: { type: 'string', description: 'A sentence for people.' },
        errors: {
          type: 'array',
          items: object(['field', 'detail'], { field: { type: 'string', examples: ['links[3].expires'] }, detail: { type: 'string' } }),
        },
        verdicts: {
          type: 'array',
          description: 'Of a batch that was redeemed in part: the verdicts that are known, and null for the rest.',
          items: { anyOf: [ref('Verdict'), { type: 'null' }] },
        },
      },
      'Problem details for HTTP APIs, RFC 9457.',
    ),
  }
}

// Enough to mend a request with, and not a megabyte of them.
const ENOUGH = 20
const patterns = new Map<string, RegExp>()

/** Checks a value: what is wrong with it, field by field. */
export function check(shapes: Record<string, Shape>, shape: Shape, value: unknown): FieldError[] {
  const errors: FieldError[] = []
  walk(shapes, shape, value, errors)
  return errors.slice(0, ENOUGH).map(({ field, detail }) => ({ field, detail: `${field || 'The body'} ${detail}` }))
}

// Fields get their whole names on the way back, and only the wrong ones: a batch of good links costs no text at all.
function walk(shapes: Record<string, Shape>, shape: Shape, value: unknown, errors: FieldError[]): void {
  if (errors.length > ENOUGH) return
  const { $ref, type, anyOf } = shape
  if ($ref) {
    walk(shapes, shapes[$ref.slice(REFS.length)] as Shape, value, errors)
  } else if (type === 'object' && isObject(value)) {
    const { properties = {}, required = [], propertyNames, additionalProperties } = shape
    for (const name of required)
      if (!Object.hasOwn(value, name))
        errors.push({ field: name, detail: `is missing: it takes ${first((properties[name] as Shape).description)}` })
    for (const name of Object.keys(value)) {
      const before = errors.length
      if (Object.hasOwn(properties, name)) walk(shapes, properties[name] as Shape, value[name], errors)
      else if (additionalProperties === false || (propertyNames && !isText(propertyNames, name)))
        errors.push({ field: '', detail: 'is not a field that this takes.' })
      else if (isObject(additionalProperties)) walk(shapes, additionalProperties, value[name], errors)
      // Names are the caller's own text, so they are cut short.
      if (errors.length > before) below(name.slice(0, 40), errors, before)
    }
  } else if (
    type === 'array' &&
    Array.isArray(value) &&
    value.length >= (shape.minItems ?? 0) &&
    value.length <= (shape.maxItems ?? MOST)
  ) {
    for (let i = 0; i < value.length; i++) {
      const before = errors.length
      walk(shapes, shape.items as Shape, value[i], errors)
      if (errors.length > before) below(`[${i}]`, errors, before)
    }
  } else if (isTooLong(shape, value)) {
    errors.push({ field: '', detail: `takes at most ${LONGEST} characters.` })
  } else if (anyOf ? !anyOf.some((one) => fits(shapes, one, value)) : !(type === 'string' ? isText(shape, value) : isWhole(shape, value))) {
    errors.push({ field: '', detail: `takes ${first(shape.description)}` })
  }
}

function below(name: string, errors: FieldError[], from: number): void {
  for (let i = from; i < errors.length; i++) {
    const { field, detail } = errors[i] as FieldError
    errors[i] = { field: name + (field && field[0] !== '[' ? '.' : '') + field, detail }
  }
}

function fits(shapes: Record<string, Shape>, shape: Shape, value: unknown): boolean {
  const errors: FieldError[] = []
  walk(shapes, shape, value, errors)
  return errors.length === 0
}

function isText({ minLength = 0, maxLength = Infinity, pattern, enum: words }: Shape, value: unknown): boolean {
  if (typeof value !== 'string' || value.length < minLength || value.length > maxLength || (words && !words.includes(value))) return false
  if (!pattern) return true
  let expression = patterns.get(pattern)
  if (!expression) patterns.set(pattern, (expression = new RegExp(pattern)))
  return expression.test(value)
}

/** Only for the limit that all texts have: others are part of what the description says. */
function isTooLong({ type, maxLength, items, additionalProperties: others }: Shape, value: unknown): boolean {
  if (typeof value === 'string') return maxLength === LONGEST && value.length > LONGEST
  // Shapes of lists and objects with a type have their items and properties checked one by one.
  if (type !== undefined || typeof value !== 'object' || value === null) return false
  const inside = Array.isArray(value) ? items : others
  return isObject(inside) && Object.values(value).some((one) => isTooLong(inside, one))
}

function isWhole({ type, minimum = -Infinity, maximum = Infinity }: Shape, value: unknown): boolean {
  if (type === 'null') return value === null
  // A shape without a type takes anything.
  return (
    type === undefined || (type === 'integer' && Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum)
  )
}

/** Is this a JSON object? */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The first sentence of a description, as the end of a sentence. */
function first(description = ''): string {
  const [sentence = 'a JSON object.'] = /^.*?\.(?= |$)/.exec(description) ?? []
  return `${sentence[0]?.toLowerCase()}${sentence.slice(1)}`
}
