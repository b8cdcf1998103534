// The description of the link service in OpenAPI 3.1, generated from the shapes that check the requests.
import type { Verb } from './bearer.ts'
import { MOST, ref, type Shape } from './shapes.ts'

/** How a verb is described. */
interface VerbFacts {
  /** The shape of one link that is asked about. */
  readonly takes: string
  /** The shape of the answer. */
  readonly gives: string
  /** The shape of the answer to several links. */
  readonly givesMany: string
  readonly summary: string
}

export const VERBS: Readonly<Record<Verb, VerbFacts>> = {
  sign: { takes: 'ToSign', gives: 'Signed', givesMany: 'ManySigned', summary: 'Sign a URL' },
  verify: {
    takes: 'ToVerify',
    gives: 'Verdict',
    givesMany: 'ManyVerdicts',
    summary: 'Tell whether a link is valid for a request; consumes no use',
  },
  inspect: {
    takes: 'ToInspect',
    gives: 'Inspected',
    givesMany: 'ManyInspected',
    summary: 'Read what a link says about itself, unverified',
  },
  redeem: {
    takes: 'ToVerify',
    gives: 'Verdict',
    givesMany: 'ManyVerdicts',
    summary: 'Verify a link, and consume one use of it if it has a limited number',
  },
}

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The body is not JSON.',
  401: 'There is no token, or it is not known.',
  403: 'The caller may not do this.',
  413: 'The body is too large.',
  415: 'The body is not declared as application/json.',
  422: 'A field is wrong; `errors` names it.',
  500: 'The service failed.',
  503: 'The store of uses, or the service itself, cannot answer now.',
}

const content = (schema: object, more: object = {}) => ({ 'application/json': { schema, ...more } })

const problem = (description: string) => ({ description, content: { 'application/problem+json': { schema: ref('Problem') } } })
const problems = Object.fromEntries(Object.entries(PROBLEMS).map(([status, description]) => [status, problem(description)]))

/** The description of one route. */
export interface OperationFacts {
  readonly id: string
  readonly summary: string
  readonly description: string
  /** The schema of the body, and of the answer. */
  readonly takes: object
  readonly gives: object
  readonly example: object
}

/** The path item of a route that takes `POST`. */
export function postOperation({ id, summary, description, takes, gives, example }: OperationFacts): object {
  return {
    post: {
      operationId: id,
      summary,
      description,
      requestBody: { required: true, content: content(takes, { example }) },
      responses: { 200: { description: 'The answer.', content: content(gives) }, ...problems },
    },
  }
}

const HEALTHZ = {
  get: {
    operationId: 'healthz',
    summary: 'Tell that the service runs',
    security: [],
    responses: {
      200: {
        description: 'It runs.',
        content: content({ type: 'object', required: ['status'], properties: { status: { const: 'ok' } } }),
      },
    },
  },
}

/** The parts of an OpenAPI document that other routes are added to. */
export interface Document {
  readonly paths: Readonly<Record<string, object>>
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly [member: string]: unknown }
  readonly [member: string]: unknown
}

/** The document for these verbs. `scheme` is the name of a scheme for the examples, if the service has several. */
export function openapi(verbs: readonly Verb[], shapes: Readonly<Record<string, Shape>>, scheme: string | undefined): Document {
  const named = scheme === undefined ? {} : { scheme }
  const link = { ...named, link: 'https://cdn.example/report.pdf?…' }
  const examples = { sign: { ...named, url: 'https://cdn.example/report.pdf', expires: '10m' }, verify: link, inspect: link, redeem: link }
  const paths = verbs.map((verb) => {
    const { takes, gives, givesMany, summary } = VERBS[verb]
    const operation = postOperation({
      id: verb,
      summary,
      description: `One link, or \`links\` with up to ${MOST} of them. Of a batch all are answered in order, or none.`,
      takes: { oneOf: [ref(takes), ref(`Many${takes}`)] },
      gives: { oneOf: [ref(gives), ref(givesMany)] },
      example: examples[verb],
    })
    return [`/${verb}`, operation] as const
  })
  return {
    openapi: '3.1.0',
    info: { title: 'SecureLink', summary: 'Signs, verifies, redeems and inspects links that expire.', version: '1' },
    servers: [{ url: '.' }],
    security: [{ token: [] }],
    paths: { ...Object.fromEntries(paths), '/healthz': HEALTHZ },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas: shapes },
  }
}
