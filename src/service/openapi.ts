// The description of the link service in OpenAPI 3.1, made from the shapes that requests are checked by.
import type { Verb } from './bearer.ts'
import { OLD_ROUTES } from './python-routes.ts'
import { MOST, ref, type Shape } from './shapes.ts'

/** What each verb is called in the shapes, and to people. */
export const VERBS: Readonly<
  Record<Verb, { readonly takes: string; readonly gives: string; readonly many: string; readonly summary: string }>
> = {
  sign: { takes: 'ToSign', gives: 'Signed', many: 'ManySigned', summary: 'Sign a URL' },
  verify: { takes: 'ToVerify', gives: 'Verdict', many: 'ManyVerdicts', summary: 'Tell whether a link is good for a visit; spends nothing' },
  inspect: { takes: 'ToInspect', gives: 'Inspected', many: 'ManyInspected', summary: 'Read what a link says of itself, unverified' },
  redeem: {
    takes: 'ToVerify',
    gives: 'Verdict',
    many: 'ManyVerdicts',
    summary: 'Verify a link, and spend one use of it if it has a limited number',
  },
}

const PROBLEMS: Record<number, string> = {
  400: 'The body is not JSON.',
  401: 'No token, or one that is not known.',
  403: 'The caller may not do this.',
  413: 'The body is too large.',
  415: 'The body is not declared as application/json.',
  422: 'A field cannot be taken; `errors` names it.',
  500: 'The service failed.',
  503: 'The store of uses, or the service itself, cannot answer right now.',
}

const content = (schema: object, more: object = {}) => ({ 'application/json': { schema, ...more } })

/** The document for these verbs, and for the routes of the Python SecureLink if they are on. */
export function openapi(verbs: readonly Verb[], shapes: Record<string, Shape>, scheme: string | undefined, old: boolean): object {
  const named = scheme === undefined ? {} : { scheme }
  const link = { ...named, link: 'https://cdn.example/report.pdf?…' }
  const examples = { sign: { ...named, url: 'https://cdn.example/report.pdf', expires: '10m' }, verify: link, inspect: link, redeem: link }
  const problems = Object.fromEntries(
    Object.entries(PROBLEMS).map(([status, description]) => [
      status,
      { description, content: { 'application/problem+json': { schema: ref('Problem') } } },
    ]),
  )
  const paths = verbs.map((verb) => {
    const { takes, gives, many, summary } = VERBS[verb]
    const operation = {
      operationId: verb,
      summary,
      description: `One link, or \`links\` with up to ${MOST} of them. Of a batch all are answered in order, or none.`,
      requestBody: {
        required: true,
        content: content({ oneOf: [ref(takes), ref(`Many${takes}`)] }, { example: examples[verb] }),
      },
      responses: { 200: { description: 'The answer.', content: content({ oneOf: [ref(gives), ref(many)] }) }, ...problems },
    }
    return [`/${verb}`, { post: operation }]
  })
  const olds = Object.entries(old ? OLD_ROUTES : {}).map(([path, { takes, gives, summary, description, example }]) => {
    const operation = {
      operationId: path.slice(1),
      summary,
      description,
      requestBody: { required: true, content: content(ref(takes), { example }) },
      responses: { 200: { description: 'The answer.', content: content(ref(gives)) }, ...problems },
    }
    return [`${path}/`, { post: operation }]
  })
  const healthz = {
    get: {
      operationId: 'healthz',
      summary: 'Tell that the service runs',
      security: [],
      responses: {
        200: {
          description: 'It does.',
          content: content({ type: 'object', required: ['status'], properties: { status: { const: 'ok' } } }),
        },
      },
    },
  }
  return {
    openapi: '3.1.0',
    info: { title: 'SecureLink', summary: 'Signs, verifies, redeems and inspects links that expire.', version: '1' },
    servers: [{ url: '.' }],
    security: [{ token: [] }],
    paths: { ...Object.fromEntries([...paths, ...olds]), '/healthz': healthz },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas: shapes },
  }
}
