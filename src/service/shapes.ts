// The requests and responses of the link service, as JSON Schema. The service checks requests against these shapes, and /openapi.json shows them.
import type { Scheme } from '../core/scheme.ts'
import { LONGEST } from '../lib/url.ts'

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
  /** Whether there may be other properties than the named ones, or the shape of those. */
  readonly additionalProperties?: boolean | Shape
  readonly examples?: readonly unknown[]
}

/** One field that is wrong, and why. */
export interface FieldError {
  /** `expires`, or `links[3].expires`. Empty for the body as a whole. */
  readonly field: string
  readonly detail: string
}

/** How many links one request may have. */
export const MOST = 1000

// No string of a request may be longer than a link. Schemes read every character, so a megabyte of broken escapes would block the thread, and all
// other requests, for seconds.
const maxLength = LONGEST
/** Any JSON, with that limit for its strings. */
const anything: Shape = { maxLength, items: { maxLength }, additionalProperties: { maxLength, items: { maxLength } } }

const DURATION = '\\d{1,9}(\\.\\d{1,3})?[smhd]'
// A date with a time needs its zone: the zone of the service would be a guess.
const DATE = '\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d))?'

/** A string that is not empty. */
export const text = (description: string, more: Shape = {}): Shape => ({ type: 'string', description, minLength: 1, ...more })

const TIME = "A duration such as '10m', or a date such as '2030-01-31T12:00:00Z'"
const NO_NUMBERS = 'Bare numbers are refused, because seconds and milliseconds look alike.'

/** A time. `never`: links of some scheme of the service may have no expiry. */
const time = (meaning: string, never = false): Shape =>
  text(`${TIME}${never ? ", or 'never'" : ''}. ${meaning} ${NO_NUMBERS}`, {
    pattern: `^(${DURATION}|${DATE}${never ? '|never' : ''})$`,
    examples: ['10m'],
  })

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

/** The same, without any other field. */
const exact = (required: readonly string[], properties: Record<string, Shape>): Shape => ({
  ...object(required, properties),
  additionalProperties: false,
})

/** All shapes of a service with these schemes, by name. */
export function shapesOf(schemes: ReadonlyMap<string, Scheme>): Record<string, Shape> {
  const names = [...schemes.keys()]
  const scheme = text('The name of one of the schemes of this service.', { enum: names })
  // A batch may name the scheme once for all its links.
  const needsScheme = names.length > 1 ? ['scheme'] : []
  const many = (name: string): Shape =>
    exact(['links'], {
      scheme: { ...scheme, description: 'The scheme of all links that name none themselves.' },
      links: { type: 'array', description: `A list of 1 to ${MOST} links.`, minItems: 1, maxItems: MOST, items: ref(name) },
    })
  const link = text('A link, as the request had it.', { maxLength, examples: ['https://cdn.example/report.pdf?…'] })
  return {
    ToSign: exact([...needsScheme, 'url', 'expires'], { scheme, ...conditionShapes([...schemes.values()]) }),
    ManyToSign: many('ToSign'),
    ToVerify: exact([...needsScheme, 'link'], { scheme, link, ...REQUEST }),
    ManyToVerify: many('ToVerify'),
    ToInspect: exact([...needsScheme, 'link'], { scheme, link }),
    ManyToInspect: many('ToInspect'),
    ...ANSWERS,
  }
}

const OPTIONAL_CONDITIONS: Readonly<Record<string, Shape>> = {
  starts: time('The link is not valid before.'),
  method: {
    description: 'An HTTP method, or a list of them. GET implies HEAD; without it a link opens GET and HEAD.',
    anyOf: [METHOD, { type: 'array', items: METHOD, minItems: 1, maxItems: 20 }],
    examples: ['GET'],
  },
  ip: text('An address or a network, which alone the link opens for.', { maxLength: 100, examples: ['203.0.113.0/24'] }),
  prefix: text("A path that starts with '/'. The link opens it and everything below.", { maxLength, examples: ['/videos/7/'] }),
  uses: { type: 'integer', description: 'A whole number from 1. How often the link can be redeemed.', minimum: 1 },
  id: text('A text that names the link.', { maxLength, examples: ['report-7'] }),
}

/** The URL, and the conditions that links of these schemes can carry. */
function conditionShapes(schemes: readonly Scheme[]): Record<string, Shape> {
  const carried = (name: string) => schemes.some(({ carries }) => carries.includes(name))
  const endless = schemes.some(({ expiry = 'required' }) => expiry !== 'required')
  const own = schemes.flatMap(({ own = [], name: scheme }) =>
    own.map((name): [string, Shape] => [name, { description: `A condition of ${scheme} links, as their page says.`, ...anything }]),
  )
  return {
    url: text("An absolute URL, or a path that starts with '/'.", { maxLength, examples: ['https://cdn.example/report.pdf'] }),
    expires: time('The link is refused from then on; there is no default.', endless),
    align: text("A duration such as '1h'. The expiry is rounded up to a multiple of it, so links of one window are identical.", {
      pattern: `^${DURATION}$`,
    }),
    ...Object.fromEntries(Object.entries(OPTIONAL_CONDITIONS).filter(([name]) => carried(name))),
    ...Object.fromEntries(own),
  }
}

/** The caller's description of the request that a link came with. */
const REQUEST: Readonly<Record<string, Shape>> = {
  method: text('The method of the request. Without it, GET.', { pattern: '^[A-Za-z-]{1,40}$' }),
  ip: text('The address that the request comes from, as your server knows it.', { maxLength: 100 }),
  headers: {
    type: 'object',
    description: 'An object of names and texts in ASCII. The headers of the request, for links that cover some.',
    propertyNames: { type: 'string', pattern: "^[\\w!#$%&'*+.^`|~-]{1,100}$" },
    additionalProperties: { type: 'string', description: 'A text in ASCII.', pattern: '^[\\t -~]*$', maxLength },
    examples: [{ 'content-type': 'image/png' }],
  },
}

const date: Shape = { type: 'string', format: 'date-time' }
const texts: Shape = { type: 'array', items: { type: 'string' } }
const several = (name: string, list: string): Shape => object([list], { [list]: { type: 'array', items: ref(name) } })

const CLAIMS: Readonly<Record<string, Shape>> = {
  resource: { type: 'string', description: "The URL without the link's own parameters." },
  expires: { ...date, description: 'In the year 5138 for a link that never expires.' },
  endless: { const: true, description: 'The link never expires.' },
  starts: date,
  methods: texts,
  signedHeaders: texts,
  ip: { type: 'string' },
  prefix: { type: 'string' },
  uses: { type: 'integer' },
  id: { type: 'string' },
  keyId: { type: 'string' },
  data: { description: 'The payload of a token that has one.' },
}

/** The answers of the service. */
const ANSWERS: Readonly<Record<string, Shape>> = {
  Signed: object(['link', 'expires'], {
    link: { type: 'string' },
    expires: { ...date, description: 'After rounding. A link never outlives its key.' },
  }),
  ManySigned: several('Signed', 'links'),
  Verdict: object(
    ['ok'],
    {
      ok: { type: 'boolean' },
      scheme: { type: 'string', description: 'The kind of link, when it is valid.' },
      reason: { type: 'string', description: 'Why it is refused.' },
      status: { type: 'integer', description: 'The HTTP status that your server should answer a refused request with.' },
      parameter: { type: 'string', description: 'The parameter of the link that cannot be read, for the reason malformed.' },
      claims: { ...ref('Claims'), description: 'The claims of the link, only if its signature is valid.' },
    },
    'Whether the link is valid for the request. A refused link is an answer, too, so the status of this response is 200.',
  ),
  ManyVerdicts: several('Verdict', 'verdicts'),
  Inspected: object(
    ['unverified'],
    { scheme: { type: 'string' }, unverified: { anyOf: [object(['resource'], CLAIMS), { type: 'null' }] } },
    'What the link says about itself; null if it is not a link of this scheme. Nothing here is verified: anybody can have written it.',
  ),
  ManyInspected: several('Inspected', 'links'),
  Claims: object(['resource', 'expires'], CLAIMS),
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

// A longer list does not help the caller.
const ENOUGH = 20
const patterns = new Map<string, RegExp>()

/** Checks a value: its errors, field by field. */
export function check(shapes: Readonly<Record<string, Shape>>, shape: Shape, value: unknown): FieldError[] {
  const errors: FieldError[] = []
  walk(shapes, shape, value, errors)
  return errors.slice(0, ENOUGH).map(({ field, detail }) => ({ field, detail: `${field || 'The body'} must be ${detail}` }))
}

// The name of a field is built on the way back, and only for wrong fields, so a batch of valid links builds no strings.
function walk(shapes: Readonly<Record<string, Shape>>, shape: Shape, value: unknown, errors: FieldError[]): void {
  if (errors.length > ENOUGH) return
  const { $ref, type } = shape
  if ($ref) walk(shapes, shapes[$ref.slice(REFS.length)] as Shape, value, errors)
  else if (type === 'object' && isObject(value)) walkObject(shapes, shape, value, errors)
  else if (type === 'array' && Array.isArray(value) && value.length >= (shape.minItems ?? 0) && value.length <= (shape.maxItems ?? MOST))
    walkList(shapes, shape.items as Shape, value, errors)
  else if (isTooLong(shape, value)) errors.push({ field: '', detail: `at most ${LONGEST} characters long.` })
  else if (!matchesOne(shapes, shape, value)) errors.push({ field: '', detail: ruleOf(shape) })
}

function walkObject(shapes: Readonly<Record<string, Shape>>, shape: Shape, value: Record<string, unknown>, errors: FieldError[]): void {
  const { properties = {}, required = [], propertyNames, additionalProperties } = shape
  for (const name of required)
    if (!Object.hasOwn(value, name)) errors.push({ field: name, detail: `given: ${ruleOf(properties[name] as Shape)}` })
  for (const name of Object.keys(value)) {
    const before = errors.length
    if (Object.hasOwn(properties, name)) walk(shapes, properties[name] as Shape, value[name], errors)
    else if (additionalProperties === false)
      errors.push({ field: '', detail: `left out: the known fields are ${Object.keys(properties).join(', ')}.` })
    else if (propertyNames && !isText(propertyNames, name)) errors.push({ field: '', detail: 'a name that HTTP allows.' })
    else if (isObject(additionalProperties)) walk(shapes, additionalProperties, value[name], errors)
    // The caller chose these names, so they are cut short.
    if (errors.length > before) prepend(name.slice(0, 40), errors, before)
  }
}

function walkList(shapes: Readonly<Record<string, Shape>>, item: Shape, values: readonly unknown[], errors: FieldError[]): void {
  for (let i = 0; i < values.length; i++) {
    const before = errors.length
    walk(shapes, item, values[i], errors)
    if (errors.length > before) prepend(`[${i}]`, errors, before)
  }
}

function matchesOne(shapes: Readonly<Record<string, Shape>>, shape: Shape, value: unknown): boolean {
  const { anyOf, type } = shape
  if (anyOf) return anyOf.some((one) => fits(shapes, one, value))
  return type === 'string' ? isText(shape, value) : isWhole(shape, value)
}

/** Puts the name of the outer field in front of those of the inner ones. */
function prepend(name: string, errors: FieldError[], from: number): void {
  for (let i = from; i < errors.length; i++) {
    const { field, detail } = errors[i] as FieldError
    errors[i] = { field: name + (field && field[0] !== '[' ? '.' : '') + field, detail }
  }
}

function fits(shapes: Readonly<Record<string, Shape>>, shape: Shape, value: unknown): boolean {
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

/** Does the value have a string that is longer than any string may be? Shorter limits are checked with the rest of a shape. */
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

/** The rule of a shape: the first sentence of its description, as the end of a sentence. */
function ruleOf({ description = '' }: Shape): string {
  const [sentence = 'a JSON object.'] = /^.*?\.(?= |$)/.exec(description) ?? []
  return `${sentence[0]?.toLowerCase()}${sentence.slice(1)}`
}
