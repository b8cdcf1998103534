// Texts of the link service: its description for programs, the sentences of its errors, and its limits at their boundaries.
import { describe, expect, test, vi } from 'vitest'
import { anyOf, hmac, inspect, type Scheme, sign, verify } from '../../src/index.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { bearer, pythonRoutes, renewal, type ServiceOptions, service } from '../../src/service.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const secret = '0123456789abcdef0123456789abcdef'
const links = hmac({ id: 'k', secret })
const endless = nginx({ secret }, { expression: '$uri $secret' })
const allowed: ServiceOptions = { authorize: () => true, store: memoryStore() }
const TOKEN = 'a-token-for-these-tests-of-40-characters'
const good = { url: 'https://cdn.example/x', expires: '10m' }

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  new Request(`https://links.example${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

/** The answer of a service to a body, and its status. */
async function ask(fetch: (request: Request) => Promise<Response>, path: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(post(path, JSON.stringify(body), headers))
  return { ...(await response.json()), status: response.status }
}

describe('openapi.json', () => {
  const documents = [
    ['of one scheme', service(links, allowed)],
    [
      'of several schemes, with the routes of the Python SecureLink',
      pythonRoutes(service({ links, endless }, allowed), { scheme: links, name: 'links' }),
    ],
  ] as const
  const describedBy = async (fetch: (request: Request) => Promise<Response>) =>
    (await fetch(new Request('https://links.example/openapi.json'))).json()

  /** Calls `look` with every object of a document. */
  function walk(value: unknown, look: (object: Record<string, unknown>, path: string) => void, path = ''): void {
    if (typeof value !== 'object' || value === null) return
    if (!Array.isArray(value)) look(value as Record<string, unknown>, path)
    for (const [name, inner] of Object.entries(value)) walk(inner, look, `${path}/${name}`)
  }

  test.each(documents)(
    '%s: every description is a sentence, every type is one of JSON, and every example is there',
    async (_name, fetch) => {
      const document = await describedBy(fetch)
      let sentences = 0
      walk(document.paths, ({ description, summary, operationId }, path) => {
        if (description !== undefined) expect(description, path).toMatch(/^[A-Z].*\.$/)
        if (operationId !== undefined)
          expect([operationId, summary], path).toEqual([expect.stringMatching(/^[a-z][\w-]+$/), expect.stringMatching(/^[A-Z].{8,}[^.]$/)])
      })
      walk(document.components.schemas, ({ description, type, examples }, path) => {
        // `type` and `description` are also names of properties.
        if (path.endsWith('/properties')) return
        if (description !== undefined) expect(description, path).toMatch(/^[A-Z].*\.$/)
        if (type !== undefined) expect(['string', 'integer', 'boolean', 'object', 'array', 'null'], path).toContain(type)
        if (examples !== undefined) expect(examples, path).not.toEqual([])
        sentences += description === undefined ? 0 : 1
      })
      expect(sentences).toBeGreaterThan(30)
    },
  )

  test.each(documents)('%s: every required field is described', async (_name, fetch) => {
    const { schemas } = (await describedBy(fetch)).components
    walk(schemas, ({ required, properties }, path) => {
      if (path.endsWith('/properties') || required === undefined) return
      expect(Object.keys(properties as object), path).toEqual(expect.arrayContaining(required as string[]))
      expect(required, path).not.toEqual([])
    })
    for (const [name, shape] of Object.entries<{ properties: Record<string, { description?: string; $ref?: string; items?: object }> }>(
      schemas,
    )) {
      if (!name.startsWith('To')) continue
      for (const [field, { description }] of Object.entries(shape.properties)) expect(description, `${name}.${field}`).toBeTypeOf('string')
    }
    for (const name of ['Verdict', 'Inspected', 'Problem']) expect(schemas[name].description, name).toBeTypeOf('string')
  })

  test('the examples of several schemes name one of them', async () => {
    const { paths } = await describedBy(documents[1][1])
    for (const path of ['/sign', '/verify', '/inspect', '/redeem'])
      expect(paths[path].post.requestBody.content['application/json'].example).toMatchObject({ scheme: 'links' })
    const { paths: ofOne } = await describedBy(documents[0][1])
    expect(ofOne['/sign'].post.requestBody.content['application/json'].example).not.toHaveProperty('scheme')
  })
})

describe('errors', () => {
  const fetch = service(links, allowed)
  const WHEN = "a duration such as '10m', or a date such as '2030-01-31T12:00:00Z'"
  test.each<[object, string, string]>([
    [{ expires: 10 }, 'expires', `expires must be ${WHEN}.`],
    [{ expires: 'never' }, 'expires', `expires must be ${WHEN}.`],
    [{ starts: 'soon' }, 'starts', `starts must be ${WHEN}.`],
    [{ align: 'hourly' }, 'align', "align must be a duration such as '1h'."],
    [{ method: [] }, 'method', 'method must be an HTTP method, or a list of them.'],
    [{ method: 'x'.repeat(41) }, 'method', 'method must be an HTTP method, or a list of them.'],
    [{ method: Array(21).fill('GET') }, 'method', 'method must be an HTTP method, or a list of them.'],
    [{ ip: 7 }, 'ip', 'ip must be an address or a network, which alone the link opens for.'],
    [{ ip: '1'.repeat(101) }, 'ip', 'ip must be an address or a network, which alone the link opens for.'],
    [{ prefix: '' }, 'prefix', "prefix must be a path that starts with '/'."],
    [{ uses: 0 }, 'uses', 'uses must be a whole number from 1.'],
    [{ uses: 1.5 }, 'uses', 'uses must be a whole number from 1.'],
    [{ id: '' }, 'id', 'id must be a text that names the link.'],
    [{ url: '' }, 'url', "url must be an absolute URL, or a path that starts with '/'."],
    [{ scheme: 'other' }, 'scheme', 'scheme must be the name of one of the schemes of this service.'],
  ])('%j', async (wrong, field, detail) => {
    expect(await ask(fetch, '/sign', { ...good, ...wrong })).toMatchObject({ status: 422, detail, errors: [{ field, detail }] })
  })

  test("'never' is offered where a scheme has links that never expire", async () => {
    const { detail } = await ask(service({ links, endless }, allowed), '/sign', { ...good, scheme: 'links', expires: 'ever' })
    expect(detail).toBe(`expires must be ${WHEN}, or 'never'.`)
  })

  test('a URL that is signed already is a mistake of the caller', async () => {
    const url = await sign(links, good.url, { expires: '10m' })
    expect(await ask(fetch, '/sign', { ...good, url })).toMatchObject({ status: 422, errors: [{ field: 'url' }] })
  })

  test('a batch names the field of each link, up to 20 errors', async () => {
    const { errors } = await ask(fetch, '/sign', { links: [good, { ...good, uses: 0 }, { expires: '10m' }] })
    expect(errors).toMatchObject([
      { field: 'links[1].uses' },
      { field: 'links[2].url', detail: expect.stringMatching(/^links\[2\]\.url must be given: an absolute URL/) },
    ])
    const many = await ask(fetch, '/sign', { links: Array(50).fill({ ...good, uses: 0 }) })
    expect(many.errors).toHaveLength(20)
    // These are found when the URLs are read.
    const urls = await ask(fetch, '/sign', { links: Array(50).fill({ ...good, url: 'x' }) })
    expect(urls.errors).toHaveLength(20)
  })

  test('a batch has from 1 to 1,000 links', async () => {
    const batch = (length: number) => ask(fetch, '/inspect', { links: Array(length).fill({ link: '/x' }) })
    for (const length of [0, 1001])
      expect(await batch(length)).toMatchObject({
        status: 422,
        errors: [{ field: 'links', detail: 'links must be a list of 1 to 1000 links.' }],
      })
    for (const length of [1, 1000]) expect((await batch(length)).links).toHaveLength(length)
  })

  test('a body has at most 1,000,000 bytes by default', async () => {
    const body = (length: number) => `{"link":"/x"${' '.repeat(length - 13)}}`
    const renew = renewal(links, { authorize: () => true, conditions: { expires: '10m' } })
    const python = pythonRoutes(fetch, { scheme: links })
    for (const [handler, path] of [
      [fetch, '/inspect'],
      [renew, '/renew'],
      [python, '/validate-secure-link'],
    ] as const) {
      const status = async (length: number, headers = {}) => (await handler(post(path, body(length), headers))).status
      expect(await status(1_000_001), path).toBe(413)
      expect(await status(1_000_000), path).not.toBe(413)
      // The declared length is believed when it is too large, and a body of just the limit is read.
      expect(await status(1_000_000, { 'content-length': '1000000' }), path).not.toBe(413)
    }
  })
})

describe('lengths', () => {
  const fetch = pythonRoutes(service(nginx({ secret }), allowed), { scheme: nginx({ secret }) })
  test('an address has at most 100 characters, and so has a method 40', async () => {
    const status = async (path: string, body: object) => (await ask(fetch, path, body)).status
    // Nothing so long is an address, but it is read as one.
    const long = `fe80::1%${'x'.repeat(92)}`
    const link = '/x?md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647'
    expect((await ask(fetch, '/verify', { link, ip: `${long}x` })).errors).toMatchObject([{ field: 'ip' }])
    expect(await status('/verify', { link, ip: long })).toBe(200)
    expect(await status('/verify', { link, method: 'X'.repeat(40) })).toBe(200)
    expect(await status('/verify', { link, method: 'X'.repeat(41) })).toBe(422)
    const python = await ask(fetch, '/validate-secure-link', { url: link, clientip: `${long}x` })
    expect(python.errors).toMatchObject([{ field: 'clientip', detail: 'clientip must be an address, that of the client.' }])
    expect(await status('/validate-secure-link', { url: link, clientip: long })).toBe(403)
  })

  test('a lifetime has from 1 to 999,999,999 seconds', async () => {
    const status = async (expire_seconds: unknown) => (await ask(fetch, '/generate-secure-md5-link', { url: '/x', expire_seconds })).status
    for (const seconds of [1, '1', 999_999_999, '999999999', null]) expect(await status(seconds), `${seconds}`).toBe(200)
    for (const seconds of [0, '0', -1, 1.5, '1.5', 1_000_000_000, '1000000000', '', '01', true])
      expect(await status(seconds), `${seconds}`).toBe(422)
  })
})

describe('bearer', () => {
  const bucket = s3({ id: 'AKIA', secret: 'secret' })
  const url = 'https://bucket.s3.amazonaws.com/files/a'
  const authorization = `Bearer ${TOKEN}`
  const status = async (limits: object, more: object) => {
    const fetch = service(bucket as Scheme, { authorize: bearer(TOKEN, limits) })
    return (await ask(fetch, '/sign', { url, expires: '10m', method: 'PUT', ...more }, { authorization })).status
  }
  const headers = { 'content-type': 'image/png' }

  test("without allow, a token may sign with the scheme's own conditions; with allow, only with those that it lists", async () => {
    expect(await status({}, { headers })).toBe(200)
    expect(await status({ conditions: [] }, { headers })).toBe(403)
    expect(await status({ allow: [url] }, { headers })).toBe(403)
    expect(await status({ allow: [url], conditions: ['headers'] }, { headers })).toBe(200)
  })

  test('longest is the longest lifetime that a token may sign, to the second', async () => {
    expect(await status({ longest: '10m' }, { expires: '600s' })).toBe(200)
    expect(await status({ longest: '10m' }, { expires: '601s' })).toBe(403)
    const fetch = service(bucket as Scheme, { authorize: bearer(TOKEN, { longest: '10m' }) })
    const refused = await ask(fetch, '/sign', { url, expires: '1h' }, { authorization })
    expect(refused).toMatchObject({
      status: 403,
      detail: 'This token may sign links that are valid for up to 10m.',
      errors: [{ field: 'expires' }],
    })
  })

  test.each<[object, object, string, string | undefined]>([
    [{ verbs: ['verify'] }, {}, 'This token may not sign.', undefined],
    [{ schemes: ['gcs'] }, {}, 'This token may not use this scheme.', 'scheme'],
    [{ conditions: [] }, { headers }, 'This token may not sign with this condition.', 'headers'],
    [{ allow: [url] }, { url: `${url}?x-amz-acl=private` }, 'This token may not sign this query.', 'url'],
    [{ allow: [url] }, { url: 'https://bucket.s3.amazonaws.com/b' }, 'This token may not sign this URL.', 'url'],
  ])('%j refuses %j', async (limits, more, detail, field) => {
    const fetch = service(bucket as Scheme, { authorize: bearer(TOKEN, limits) })
    const refused = await ask(fetch, '/sign', { url, expires: '10m', method: 'PUT', ...more }, { authorization })
    expect(refused).toMatchObject({ status: 403, title: 'Forbidden', detail, ...(field && { errors: [{ field, detail }] }) })
    // In a batch, the refusal says which link it is about.
    const batch = {
      links: [
        { url, expires: '10m', method: 'PUT' },
        { url, expires: '10m', method: 'PUT', ...more },
      ],
    }
    const second = field === 'scheme' ? 0 : 1
    const { errors } = await ask(fetch, '/sign', batch, { authorization })
    expect(errors?.[0].field).toBe(field && `links[${second}].${field}`)
  })

  test('a stranger learns how to send a token', async () => {
    const fetch = service(links, { authorize: bearer(TOKEN) })
    const told = async (headers: Record<string, string>) => {
      const response = await fetch(post('/sign', JSON.stringify(good), headers))
      const { title, detail } = await response.json()
      return [response.status, response.headers.get('www-authenticate'), title, detail]
    }
    const ask401 = [401, 'Bearer', 'Unauthorized']
    const missing = 'The request must have a token, in a header such as Authorization: Bearer ….'
    for (const headers of [{}, { authorization: TOKEN }, { authorization: `Basic ${TOKEN}` }, { authorization: `${authorization} x` }])
      expect(await told(headers as Record<string, string>)).toEqual([...ask401, missing])
    expect(await told({ authorization: `${authorization}x` })).toEqual([
      ...ask401,
      'The token in the Authorization header is not known here.',
    ])
    for (const sent of [authorization, `bearer ${TOKEN}`, `BEARER  ${TOKEN}`])
      expect((await fetch(post('/sign', JSON.stringify(good), { authorization: sent }))).status).toBe(200)
  })
})

test('every answer is JSON that is not stored or sniffed, and each refusal has a title', async () => {
  const fetch = service(links, { authorize: () => true })
  const facts = async (request: Request) => {
    const response = await fetch(request)
    const { title } = await response.json()
    const { headers } = response
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff'])
    return [response.status, headers.get('content-type'), title, headers.get('allow')]
  }
  const problem = 'application/problem+json'
  expect(await facts(post('/sign', JSON.stringify(good)))).toEqual([200, 'application/json', undefined, null])
  expect(await facts(post('/sign', 'null'))).toEqual([400, problem, 'Bad Request', null])
  expect(await facts(post('/sign', '{}'))).toEqual([422, problem, 'Unprocessable Content', null])
  expect(await facts(post('/sign', '{}', { 'content-type': 'text/plain' }))).toEqual([415, problem, 'Unsupported Media Type', null])
  expect(await facts(post('/sign', `{"x":"${'x'.repeat(1e6)}"}`))).toEqual([413, problem, 'Content Too Large', null])
  expect(await facts(post('/nowhere', '{}'))).toEqual([404, problem, 'Not Found', null])
  expect(await facts(new Request('https://links.example/sign'))).toEqual([405, problem, 'Method Not Allowed', 'POST'])
  const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const broken = service({ ...links, keys: () => Promise.reject(new TypeError('broken')) } as Scheme, { authorize: () => true })
  const response = await broken(post('/sign', JSON.stringify(good)))
  error.mockRestore()
  expect([response.status, (await response.json()).title]).toEqual([500, 'Internal Server Error'])
})

test('of several schemes under one name, the first signs, and all are verified', async () => {
  const old = hmac({ id: 'old', secret: secret.toUpperCase() })
  const both = service(anyOf(links, old), { authorize: () => true })
  const { link } = await ask(both, '/sign', good)
  expect((await verify(links, link)).ok).toBe(true)
  for (const scheme of [links, old]) {
    const signed = await sign(scheme, good.url, { expires: '10m' })
    expect(await ask(both, '/verify', { link: signed })).toMatchObject({ ok: true })
  }
})

test.each([
  [{ method: 'PUT' }, { methods: ['PUT'] }],
  [{ ip: '198.51.100.0/24' }, { ip: '/24' }],
  [{ prefix: '/v/7/' }, { prefix: '/v/7/' }],
  [{ id: 'other' }, { id: 'other' }],
])('a renewed link has %j in place of what the old one says, if the application says so', async (decision, claims) => {
  const conditions = { expires: '10m', ip: '203.0.113.7', prefix: '/v/', id: 'user-7' } as const
  const link = await sign(links, 'https://cdn.example/v/7/a.ts', conditions)
  const fetch = renewal(links, { authorize: () => decision as never, conditions: { expires: '1h' }, ip: () => '203.0.113.7' })
  const renewed = await ask(fetch, '/renew', { link })
  expect(renewed).toMatchObject({ ok: true, status: 200 })
  const before = { ip: '/32', prefix: '/v/', id: 'user-7' }
  expect(inspect(links, renewed.link)?.unverified).toMatchObject({ ...before, ...claims })
})
