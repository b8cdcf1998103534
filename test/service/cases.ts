// The answers that the link service must give, as data: each case is a name and a function that throws to fail. service.test.ts runs them in
// process and over real sockets.
import { ANYTHING, LIMITED, SECRET, VERIFIER } from './served.ts'

/** Sends a request to a path of the service. */
export type Send = (path: string, init?: RequestInit) => Promise<Response>

export interface Case {
  readonly name: string
  run(send: Send): Promise<void>
}

interface Expected {
  readonly status: number
  /** The first field that is named in `errors`. */
  readonly field?: string
  /** What the whole body must match. */
  readonly like?: RegExp
}

// biome-ignore lint/suspicious/noExplicitAny: any JSON
type Json = any

const own = ['/sign', '/verify', '/inspect', '/redeem']
const url = 'https://cdn.example/files/report.pdf?page=2'
const good = { scheme: 'files', url, expires: '10m' }

export function insist(good: unknown, what: string): asserts good {
  if (!good) throw new Error(what)
}

function post(body: unknown, token: string | undefined = ANYTHING, headers: Record<string, string> = {}): RequestInit {
  const authorization = token && { authorization: `Bearer ${token}` }
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  return { method: 'POST', headers: { 'content-type': 'application/json', ...authorization, ...headers }, body: text as BodyInit }
}

async function ask(send: Send, path: string, body: unknown, token?: string): Promise<Json> {
  const response = await send(path, post(body, token))
  insist(response.status === 200, `${path} answers ${response.status} ${await response.clone().text()}`)
  insist(response.headers.get('content-type') === 'application/json', 'not declared as JSON')
  insist(response.headers.get('cache-control') === 'no-store', 'may be cached')
  return response.json()
}

/** A problem document, with a sentence and nothing that is secret. */
async function refused(response: Response, { status, field, like }: Expected): Promise<void> {
  const text = await response.text()
  insist(response.status === status, `${response.status} in place of ${status}: ${text}`)
  insist(response.headers.get('content-type') === 'application/problem+json', `content-type ${response.headers.get('content-type')}`)
  insist(response.headers.get('cache-control') === 'no-store', 'may be cached')
  const { type, title, status: said, detail, errors } = JSON.parse(text)
  insist(type === 'about:blank' && said === status && title, `not a problem document: ${text}`)
  insist(/^[\w/].{10,}\.$/.test(detail), `not a sentence: ${detail}`)
  if (field !== undefined) insist(errors?.[0]?.field === field, `${errors?.[0]?.field} in place of ${field}: ${text}`)
  for (const one of errors ?? []) insist(/^[\w/].{10,}\.$/.test(one.detail), `not a sentence: ${one.detail}`)
  if (like) insist(like.test(text), `not like ${like}: ${text}`)
  for (const secret of [SECRET, ANYTHING, LIMITED, VERIFIER, 'signature=', 'md5=', '    at ', '.ts:', '.js:'])
    insist(!text.includes(secret), `it tells ${secret}`)
}

/** A request that must be refused. */
function bad(name: string, path: string, body: unknown, expected: Expected, token?: string): Case {
  return { name: `refused: ${name}`, run: async (send) => refused(await send(path, post(body, token)), expected) }
}

const signing = (name: string, change: object, field: string): Case => bad(name, '/sign', { ...good, ...change }, { status: 422, field })

/** A URL that the limited token may sign, or may not. The status is 422 where no token may. */
function limit(change: object, field?: string, status = 403): Case {
  return {
    name: `a token with limits ${field ? 'may not' : 'may'} sign ${JSON.stringify(change)}`,
    async run(send) {
      const response = await send('/sign', post({ ...good, ...change }, LIMITED))
      if (field) await refused(response, { status, field })
      else insist(response.status === 200, `${response.status} ${await response.text()}`)
    },
  }
}

// The two routes of the Python SecureLink, with a request of its own documentation.
const [GENERATE, VALIDATE] = ['/generate-secure-md5-link/', '/validate-secure-link/']
const wanted = { url: 'https://cdn.example/files/report.pdf', clientip: '203.0.113.7', expire_seconds: 60 }

const generating = (name: string, change: object, field: string): Case =>
  bad(`${GENERATE}: ${name}`, GENERATE, { ...wanted, ...change }, { status: 422, field })

/** The 403 that SecureLink meant: `detail` as its clients know it, and beside it the reason. */
async function invalid(send: Send, body: object, reason: string): Promise<void> {
  const response = await send(VALIDATE, post(body))
  const { detail, reason: told } = await response.clone().json()
  insist(detail === 'Invalid or expired secure link.' && told === reason, `${reason}: ${told} ${detail}`)
  await refused(response, { status: 403 })
}

const old: Case[] = [
  {
    name: 'the routes of the Python SecureLink sign and validate links',
    async run(send) {
      for (const slash of ['', '/']) {
        const before = Math.floor(Date.now() / 1000)
        const answer = await ask(send, `/generate-secure-md5-link${slash}`, wanted)
        insist(Object.keys(answer).join() === 'secure_url', JSON.stringify(answer))
        const [, md5, expires] =
          /^https:\/\/cdn\.example\/files\/report\.pdf\?md5=([\w-]{22})&expires=(\d{10})$/.exec(answer.secure_url) ?? []
        insist(md5 && Math.abs(Number(expires) - before - 60) < 30, answer.secure_url)
        const { clientip } = wanted
        const visit = { url: answer.secure_url, clientip }
        const valid = await ask(send, `/validate-secure-link${slash}`, visit)
        insist(JSON.stringify(valid) === '{"message":"The secure link is valid."}', JSON.stringify(valid))
        insist((await ask(send, '/verify', { scheme: 'old', link: answer.secure_url, ip: clientip })).ok === true, 'verify differs')
        await invalid(send, { ...visit, clientip: '203.0.113.8' }, 'bad_signature')
        await invalid(send, { url: answer.secure_url }, 'bad_signature')
        await invalid(send, { ...visit, url: answer.secure_url.replace('report', 'salary') }, 'bad_signature')
        await invalid(send, { ...visit, url: wanted.url }, 'unsigned')
      }
    },
  },
  {
    name: 'the routes of the Python SecureLink have its defaults, and take what its framework takes',
    async run(send) {
      const { url } = wanted
      const now = Math.floor(Date.now() / 1000)
      for (const body of [{ url }, { url, clientip: null, expire_seconds: null }, { url, expire_seconds: '20', more: [1] }]) {
        const { secure_url } = await ask(send, GENERATE, body)
        insist(Math.abs(Number(/\d+$/.exec(secure_url)?.[0]) - now - 20) < 15, secure_url)
        for (const visit of [
          { url: secure_url },
          { url: secure_url, clientip: null },
          { url: secure_url, clientip: '127.0.0.1', expire_seconds: 9 },
        ])
          insist((await ask(send, VALIDATE, visit)).message, JSON.stringify(visit))
      }
    },
  },
  {
    name: 'the routes of the Python SecureLink need no content-type when there is a token',
    async run(send) {
      const headers = { authorization: `Bearer ${ANYTHING}` }
      const body = new TextEncoder().encode(JSON.stringify(wanted))
      insist((await send(GENERATE, { method: 'POST', headers, body })).status === 200, 'without')
      const type = 'application/x-www-form-urlencoded'
      await refused(await send(GENERATE, { method: 'POST', headers: { ...headers, 'content-type': type }, body }), { status: 415 })
      await refused(await send('/sign', { method: 'POST', headers, body }), { status: 415 })
    },
  },
  {
    name: 'the fragment of a URL stays behind the link',
    async run(send) {
      const { secure_url } = await ask(send, GENERATE, { ...wanted, url: `${wanted.url}?page=2#top` })
      insist(/\?page=2&md5=[\w-]{22}&expires=\d+#top$/.test(secure_url), secure_url)
      insist((await ask(send, VALIDATE, { ...wanted, url: secure_url })).message, 'with its fragment')
    },
  },
  {
    name: 'links that made the Python SecureLink fail, or let strangers in',
    async run(send) {
      const { clientip } = wanted
      const { secure_url } = await ask(send, GENERATE, wanted)
      const validate = (url: string, reason: string) => invalid(send, { url, clientip }, reason)
      for (const expires of ['abc', '', '1e9', '-1', '+1', '1_0', '%31', '٣', '99999999999999999999'])
        await validate(secure_url.replace(/expires=.*/, `expires=${expires}`), 'malformed')
      await validate(secure_url.replace(/&expires=.*/, ''), 'malformed')
      await validate(secure_url.replace(/md5=[\w-]+&/, ''), 'malformed')
      await validate(secure_url.replace('?', ';anything?'), 'bad_signature')
      // Only a link with a valid signature is refused as expired.
      await validate(secure_url.replace(/expires=.*/, 'expires=1'), 'bad_signature')
    },
  },
  ...[GENERATE, VALIDATE].flatMap((path): Case[] => [
    bad(`${path}: not JSON`, path, 'url=https://x', { status: 400 }),
    bad(`${path}: a list`, path, [wanted], { status: 400 }),
    bad(`${path}: 2 MB`, path, { ...wanted, more: 'x'.repeat(2_000_000) }, { status: 413 }),
    bad(`${path}: no url`, path, { clientip: '203.0.113.7' }, { status: 422, field: 'url' }),
    bad(`${path}: a batch`, path, { links: [wanted] }, { status: 422, field: 'url' }),
    bad(`${path}: an empty url`, path, { ...wanted, url: '' }, { status: 422, field: 'url' }),
    bad(`${path}: a url as a number`, path, { ...wanted, url: 7 }, { status: 422, field: 'url' }),
    bad(`${path}: a clientip as a number`, path, { ...wanted, clientip: 7 }, { status: 422, field: 'clientip' }),
    bad(`${path}: its default token`, path, wanted, { status: 401 }, 'defaultkey'),
    bad(`${path}: no token`, path, wanted, { status: 401 }, ''),
    {
      name: `refused: ${path}: other methods`,
      async run(send) {
        for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
          const response = await send(path, { method })
          insist(response.headers.get('allow') === 'POST', `${method}: Allow is ${response.headers.get('allow')}`)
          await refused(response, { status: 405 })
        }
      },
    },
  ]),
  ...[0, -1, 1.5, 1e9, 1e300, '', '0', 'abc', ' 7', true, [20], {}].map((expire_seconds) =>
    generating(`expire_seconds ${JSON.stringify(expire_seconds)}`, { expire_seconds }, 'expire_seconds'),
  ),
  generating('a clientip that is not an address', { clientip: '300.1.1.1' }, 'clientip'),
  generating('a clientip that is a network', { clientip: '203.0.113.0/24' }, 'clientip'),
  generating('a link for every address, which this recipe cannot make', { clientip: '' }, 'clientip'),
  generating('a url without a scheme', { url: 'cdn.example/files/x' }, 'url'),
  generating('a url that NGINX does not take', { url: 'https://cdn.example/a%00b' }, 'url'),
  generating('a link', { url: `${wanted.url}?md5=x&expires=1` }, 'url'),
  generating('a url with a parameter of ours', { url: `${wanted.url}?expires=1` }, 'url'),
  bad('a verifier that generates', GENERATE, wanted, { status: 403, like: /may not sign/ }, VERIFIER),
  bad(
    'a limited token that generates too long a link',
    GENERATE,
    { ...wanted, expire_seconds: 86_401 },
    { status: 403, field: 'expire_seconds' },
    LIMITED,
  ),
  bad(
    'a limited token that generates elsewhere',
    GENERATE,
    { ...wanted, url: 'https://evil.example/files/x' },
    { status: 403, field: 'url' },
    LIMITED,
  ),
  {
    name: 'a limited token generates within its limits, and a verifier validates',
    async run(send) {
      const { secure_url } = await ask(send, GENERATE, { ...wanted, expire_seconds: 86_400 }, LIMITED)
      insist((await ask(send, VALIDATE, { ...wanted, url: secure_url }, VERIFIER)).message, 'validates')
    },
  },
  {
    name: 'refused: neighbours of the routes of the Python SecureLink',
    async run(send) {
      for (const path of ['/generate-secure-md5-link//', '/x//validate-secure-link/', '/Validate-secure-link/', '/validate-secure-link/x'])
        await refused(await send(path, post(wanted)), { status: 404 })
    },
  },
]

export const cases: Case[] = [
  ...old,
  {
    name: 'signs, verifies and inspects one link',
    async run(send) {
      const { link, expires } = await ask(send, '/sign', { ...good, ip: '203.0.113.0/24', id: 'r-7' })
      insist(link.startsWith(`${url}&expires=`) && Math.abs(+new Date(expires) - Date.now() - 600_000) < 60_000, `${link} ${expires}`)
      const verdict = await ask(send, '/verify', { scheme: 'files', link, ip: '203.0.113.9' })
      insist(verdict.ok === true && verdict.scheme === 'hmac' && verdict.claims.id === 'r-7', JSON.stringify(verdict))
      insist(verdict.claims.expires === expires && verdict.claims.resource === url, JSON.stringify(verdict))
      const elsewhere = await ask(send, '/verify', { scheme: 'files', link, ip: '198.51.100.9' })
      insist(elsewhere.reason === 'wrong_ip' && elsewhere.status === 403 && elsewhere.claims, JSON.stringify(elsewhere))
      const method = await ask(send, '/verify', { scheme: 'files', link, ip: '203.0.113.9', method: 'DELETE' })
      insist(method.reason === 'wrong_method' && method.status === 405, JSON.stringify(method))
      const forged = await ask(send, '/verify', { scheme: 'files', link: link.replace('page=2', 'page=3') })
      insist(forged.reason === 'bad_signature' && !('claims' in forged), JSON.stringify(forged))
      const inspected = await ask(send, '/inspect', { scheme: 'files', link })
      insist(inspected.scheme === 'hmac' && inspected.unverified.expires === expires, JSON.stringify(inspected))
      insist((await ask(send, '/inspect', { scheme: 'files', link: url })).unverified === null, 'a plain URL is no link')
    },
  },
  {
    name: 'takes dates, rounding and every condition',
    async run(send) {
      const { link, expires } = await ask(send, '/sign', {
        ...good,
        expires: '2090-01-31T12:00:00+01:00',
        starts: '2020-02-03',
        method: ['PUT', 'GET'],
        prefix: '/files/',
        uses: 3,
      })
      insist(expires === '2090-01-31T11:00:00.000Z', expires)
      const { unverified } = await ask(send, '/inspect', { scheme: 'files', link })
      insist(unverified.starts === '2020-02-03T00:00:00.000Z' && unverified.uses === 3, JSON.stringify(unverified))
      insist(`${unverified.methods}` === 'GET,PUT' && unverified.prefix === '/files/', JSON.stringify(unverified))
      const rounded = await ask(send, '/sign', { ...good, align: '1h' })
      insist(/:00:00\.000Z$/.test(rounded.expires), rounded.expires)
      insist(rounded.link === (await ask(send, '/sign', { ...good, align: '1h' })).link, 'links of one window differ')
    },
  },
  {
    name: 'redeems as often as a link may be used, and verify consumes no use',
    async run(send) {
      const { link } = await ask(send, '/sign', { ...good, uses: 2 })
      const visit = { scheme: 'files', link }
      insist((await ask(send, '/verify', visit)).reason === 'needs_redeem', 'verify')
      const verdicts = await Promise.all([1, 2, 3, 4].map(() => ask(send, '/redeem', visit)))
      insist(verdicts.filter(({ ok }) => ok).length === 2, JSON.stringify(verdicts))
      insist(verdicts.find(({ ok }) => !ok).reason === 'used', JSON.stringify(verdicts))
    },
  },
  {
    name: 'several schemes',
    async run(send) {
      const { link } = await ask(send, '/sign', { scheme: 'images', url: '/v1/x', expires: '1h', id: 'user-42' })
      insist((await ask(send, '/verify', { scheme: 'images', link })).scheme === 'pichax', 'images')
      insist((await ask(send, '/verify', { scheme: 'files', link })).ok === false, 'files')
    },
  },
  {
    name: 'a batch of 1,000',
    async run(send) {
      const wanted = Array.from({ length: 1000 }, (_, i) => ({ url: `https://cdn.example/files/${i}`, expires: '10m' }))
      const { links } = await ask(send, '/sign', { scheme: 'files', links: wanted })
      insist(
        links.length === 1000 && links.every(({ link }: Json, i: number) => link.startsWith(`https://cdn.example/files/${i}?`)),
        'order',
      )
      const back = links.map(({ link }: Json) => ({ link }))
      const { verdicts } = await ask(send, '/verify', { scheme: 'files', links: back })
      insist(verdicts.length === 1000 && verdicts.every(({ ok }: Json) => ok), 'verdicts')
      const inspected = await ask(send, '/inspect', { scheme: 'files', links: back })
      insist(inspected.links.length === 1000 && inspected.links.every(({ unverified }: Json) => unverified), 'inspected')
    },
  },
  {
    name: 'a batch of several schemes, and one that redeems one link thrice',
    async run(send) {
      const { links } = await ask(send, '/sign', {
        scheme: 'files',
        links: [
          { url, expires: '10m', uses: 1 },
          { url: '/x', scheme: 'images', expires: '1h', id: '7' },
        ],
      })
      insist(/key=px/.test(links[1].link), links[1].link)
      const [{ link }] = links
      const { verdicts } = await ask(send, '/redeem', { scheme: 'files', links: [{ link }, { link }, { link }] })
      insist(verdicts.filter(({ ok }: Json) => ok).length === 1, JSON.stringify(verdicts))
    },
  },
  {
    name: '/ leads to the documentation',
    async run(send) {
      const response = await send('/', { redirect: 'manual' })
      insist(
        response.status === 302 && response.headers.get('location') === 'docs',
        `${response.status} ${response.headers.get('location')}`,
      )
      const posted = await send('/', post(good))
      insist(posted.headers.get('allow') === 'GET, HEAD', `Allow is ${posted.headers.get('allow')}`)
      await refused(posted, { status: 405 })
    },
  },
  {
    name: 'malformed names the parameter',
    async run(send) {
      const { link } = await ask(send, '/sign', good)
      for (const [change, parameter] of [
        [link.replace(/expires=\d+/, 'expires=soon'), 'expires'],
        [`${link}&signature=x`, 'signature'],
      ] as const) {
        const verdict = await ask(send, '/verify', { scheme: 'files', link: change })
        insist(verdict.reason === 'malformed' && verdict.parameter === parameter, JSON.stringify(verdict))
      }
    },
  },
  {
    name: 'healthz, openapi.json and docs need no token',
    async run(send) {
      const health = await send('/healthz')
      insist(health.status === 200 && (await health.json()).status === 'ok', 'healthz')
      const api = await (await send('/openapi.json')).json()
      insist(api.openapi === '3.1.0' && [...own, GENERATE, VALIDATE].every((path) => api.paths[path].post), 'openapi.json')
      const docs = await send('/docs')
      const page = await docs.text()
      insist(docs.status === 200 && docs.headers.get('content-type') === 'text/html; charset=utf-8', 'docs')
      insist(/default-src 'none'/.test(docs.headers.get('content-security-policy') ?? ''), 'no policy')
      insist(!/https?:\/\//.test(page) && page.includes('<script type="module"'), 'the page fetches from elsewhere')
      const head = await send('/docs', { method: 'HEAD' })
      insist(head.status === 200 && (await head.text()) === '', 'HEAD')
    },
  },
  ...own.flatMap((path): Case[] => {
    const thing = path === '/sign' ? good : { scheme: 'files', link: url }
    const { scheme: _, ...nameless } = thing
    return [
      bad(`${path}: not JSON`, path, 'url=https://x', { status: 400 }),
      bad(`${path}: half a JSON`, path, '{"url":', { status: 400 }),
      bad(`${path}: empty`, path, '', { status: 400 }),
      bad(`${path}: a list`, path, [thing], { status: 400 }),
      bad(`${path}: null`, path, 'null', { status: 400 }),
      bad(`${path}: not UTF-8`, path, new Uint8Array([123, 34, 255, 34, 58, 49, 125]), { status: 400 }),
      bad(`${path}: deeper than any stack`, path, '['.repeat(400_000), { status: 400 }),
      bad(`${path}: 2 MB`, path, JSON.stringify({ ...thing, id: 'x'.repeat(2_000_000) }), { status: 413 }),
      bad(`${path}: a batch of 1,001`, path, { links: Array(1001).fill(thing) }, { status: 422, field: 'links' }),
      bad(`${path}: an empty batch`, path, { links: [] }, { status: 422, field: 'links' }),
      bad(`${path}: a batch as a number`, path, { links: 7 }, { status: 422, field: 'links' }),
      bad(`${path}: a batch with a hole`, path, { links: [thing, null] }, { status: 422, field: 'links[1]' }),
      bad(`${path}: an unknown scheme`, path, { ...thing, scheme: 'nginx' }, { status: 422, field: 'scheme' }),
      bad(`${path}: a scheme of every object`, path, { ...thing, scheme: 'constructor' }, { status: 422, field: 'scheme' }),
      bad(`${path}: no scheme`, path, nameless, { status: 422, field: 'scheme' }),
      bad(`${path}: no scheme in a batch`, path, { links: [nameless] }, { status: 422, field: 'links[0].scheme' }),
      bad(`${path}: a field too many`, path, { ...thing, secret: 'x' }, { status: 422, field: 'secret' }),
      bad(`${path}: a prototype`, path, '{"__proto__": {"scheme": "files"}}', { status: 422 }),
      {
        name: `refused: ${path}: not declared as JSON`,
        run: async (send) => {
          for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'text/plain; application/json'])
            await refused(await send(path, post(thing, ANYTHING, { 'content-type': type })), { status: 415 })
        },
      },
      {
        name: `refused: ${path}: compressed`,
        run: async (send) => refused(await send(path, post(thing, ANYTHING, { 'content-encoding': 'gzip' })), { status: 415 }),
      },
      {
        name: `refused: ${path}: other methods`,
        async run(send) {
          for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
            const response = await send(path, { method })
            insist(response.headers.get('allow') === 'POST', `${method}: Allow is ${response.headers.get('allow')}`)
            await refused(response, { status: 405 })
          }
        },
      },
      {
        name: `refused: ${path}: tokens that are not known`,
        async run(send) {
          const wrong = [
            undefined,
            'Bearer',
            'Bearer ',
            `Basic ${ANYTHING}`,
            ANYTHING,
            `Bearer ${ANYTHING}x`,
            `Bearer ${ANYTHING.slice(0, -1)}`,
            `Bearer ${ANYTHING.toUpperCase()}`,
            `Bearer ${ANYTHING}, Bearer ${ANYTHING}`,
            `Bearer ${ANYTHING} x-user: admin`,
            `Bearer ${ANYTHING}%0d%0ax-user: admin`,
            `Bearer ${'x'.repeat(6000)}`,
            'Bearer __proto__',
          ]
          for (const authorization of wrong) {
            const headers = { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) }
            // A stranger learns nothing about the body, because it is not read.
            for (const body of [JSON.stringify(thing), 'x']) {
              const response = await send(path, { method: 'POST', headers, body })
              insist(response.headers.get('www-authenticate') === 'Bearer', `no WWW-Authenticate for ${authorization}`)
              await refused(response, { status: 401 })
            }
          }
        },
      },
    ]
  }),
  bad(
    'a wrong link in a batch',
    '/sign',
    { scheme: 'files', links: [good, good, good, { ...good, expires: 0 }] },
    { status: 422, field: 'links[3].expires' },
  ),
  bad(
    'all wrong links of a batch',
    '/sign',
    {
      scheme: 'files',
      links: [
        { ...good, url: 'x' },
        { ...good, ip: 'x' },
      ],
    },
    { status: 422, like: /links\[0\]\.url.*links\[1\]\.ip/ },
  ),
  signing('a url without a scheme', { url: 'cdn.example/files/x' }, 'url'),
  signing('an empty url', { url: '' }, 'url'),
  signing('a url as a number', { url: 7 }, 'url'),
  signing('a url with a line break', { url: 'https://cdn.example/\r\nset-cookie: a=b' }, 'url'),
  signing('a url with a user name', { url: 'https://me@cdn.example/' }, 'url'),
  signing('a url that is too long', { url: `https://cdn.example/${'x'.repeat(20_000)}` }, 'url'),
  signing('a url of a link that is too long', { url: `https://cdn.example/${'x'.repeat(16_360)}` }, 'url'),
  signing('a link', { url: `${url}&expires=1&signature=2` }, 'url'),
  signing('no expiry', { expires: undefined }, 'expires'),
  signing('expires: 0', { expires: 0 }, 'expires'),
  signing("expires: '0'", { expires: '0' }, 'expires'),
  signing('expires: null', { expires: null }, 'expires'),
  signing('expires in seconds', { expires: 1_900_000_000 }, 'expires'),
  signing('expires as text of seconds', { expires: '1900000000' }, 'expires'),
  signing('expires without a unit', { expires: '10' }, 'expires'),
  signing('a negative expiry', { expires: '-10m' }, 'expires'),
  signing('a date in the past', { expires: '2001-01-01T00:00:00Z' }, 'expires'),
  signing('a date before 1970', { expires: '1960-01-01' }, 'expires'),
  signing('a date that does not exist', { expires: '2090-13-45' }, 'expires'),
  signing('the 31st of February, which engines read as a day in March', { expires: '2090-02-31' }, 'expires'),
  signing('the 30th of February with a time', { expires: '2090-02-30T12:00:00Z' }, 'expires'),
  signing('a date without a zone', { expires: '2090-01-01T00:00:00' }, 'expires'),
  signing('a date in words', { expires: 'tomorrow' }, 'expires'),
  signing('starts behind expires', { starts: '20m' }, 'starts'),
  signing('align without a unit', { align: '1' }, 'align'),
  signing('align of nothing', { align: '0s' }, 'align'),
  signing('ip that is not an address', { ip: '300.1.1.1' }, 'ip'),
  signing('an empty ip', { ip: '' }, 'ip'),
  signing('method with a space', { method: 'GE T' }, 'method'),
  signing('method as a number', { method: [7] }, 'method'),
  signing('prefix elsewhere', { prefix: '/other/' }, 'prefix'),
  signing('prefix as an object', { prefix: {} }, 'prefix'),
  signing('uses: 0', { uses: 0 }, 'uses'),
  signing('uses: 1.5', { uses: 1.5 }, 'uses'),
  signing("uses: '1'", { uses: '1' }, 'uses'),
  signing('id as an object', { id: { toString: 1 } }, 'id'),
  signing('a condition that the scheme cannot carry', { scheme: 'images', id: '7', uses: 1 }, 'uses'),
  signing('a condition that is missing', { scheme: 'images' }, 'id'),
  bad('a link as a number', '/verify', { scheme: 'files', link: 7 }, { status: 422, field: 'link' }),
  bad('a method with a space', '/verify', { scheme: 'files', link: url, method: 'GET\r\nX: y' }, { status: 422, field: 'method' }),
  bad(
    'a tolerance, which the service sets',
    '/redeem',
    { scheme: 'files', link: url, tolerance: '5m' },
    { status: 422, field: 'tolerance' },
  ),
  {
    name: 'refused: other paths',
    async run(send) {
      for (const path of ['/sign/', '/Sign', '/signs', '/x//sign', '/docs/x', '/constructor', '/__proto__', '/sign%00'])
        await refused(await send(path, post(good)), { status: 404 })
      const response = await send('/healthz', { method: 'POST' })
      insist(response.headers.get('allow') === 'GET, HEAD', `Allow is ${response.headers.get('allow')}`)
      await refused(response, { status: 405 })
    },
  },
  // Reading a megabyte of broken escapes took two seconds; nothing longer than a link is read.
  ...['/verify', '/redeem', '/inspect'].flatMap((path) => [
    bad(`a link of 16,385 characters at ${path}`, path, { scheme: 'files', link: 'x'.repeat(16_385) }, { status: 422, field: 'link' }),
    bad(`a link of a megabyte at ${path}`, path, { scheme: 'files', link: `/?${'&%'.repeat(450_000)}` }, { status: 422, field: 'link' }),
    bad(
      `one such link of several at ${path}`,
      path,
      { scheme: 'files', links: [{ link: url }, { link: `/?${'&%'.repeat(10_000)}` }] },
      { status: 422, field: 'links[1].link' },
    ),
    {
      name: `takes a link of 16,384 characters at ${path}`,
      run: async (send: Send) => void (await ask(send, path, { scheme: 'files', link: `/${'x'.repeat(16_383)}` })),
    },
  ]),
  bad(
    'a header of a megabyte',
    '/verify',
    { scheme: 'files', link: url, headers: { a: 'x'.repeat(900_000) } },
    { status: 422, field: 'headers.a' },
  ),
  bad('a link of a megabyte for the Python SecureLink', VALIDATE, { url: `/?${'&%'.repeat(450_000)}` }, { status: 422, field: 'url' }),
  bad('a URL of a megabyte for the Python SecureLink', GENERATE, { url: `/?${'&%'.repeat(450_000)}` }, { status: 422, field: 'url' }),
  ...['url', 'prefix', 'ip', 'method', 'id', 'expires', 'starts', 'align'].map((field) =>
    signing(`a megabyte of ${field}`, { [field]: `/${'%'.repeat(900_000)}` }, field),
  ),
  bad('a verifier that signs', '/sign', good, { status: 403 }, VERIFIER),
  bad('a verifier that redeems', '/redeem', { scheme: 'files', link: url }, { status: 403 }, VERIFIER),
  { name: 'a verifier that verifies', run: async (send) => void (await ask(send, '/verify', { scheme: 'files', link: url }, VERIFIER)) },
  limit({}),
  limit({ expires: '1d' }),
  limit({ expires: '1d', align: '1s' }),
  limit({ expires: '86401s' }, 'expires'),
  limit({ align: '100000d' }, 'expires'),
  limit({ expires: '2090-01-01' }, 'expires'),
  limit({ scheme: 'images', id: '7' }, 'scheme'),
  limit({ url: 'https://CDN.example:443/files/x' }),
  limit({ url: 'https://cdn.example/%66iles/x' }),
  limit({ url: 'https://cdn.example/files/a//b' }),
  limit({ url: 'https://cdn.example/files/a/...' }),
  limit({ url: 'https://cdn.example/files/a%2Fb' }),
  limit({ url: 'https://whole.example/anything' }),
  limit({ url: 'https://case.example/~me/x' }),
  ...[
    'https://cdn.example/',
    'https://cdn.example/files',
    'https://cdn.example/filesystem',
    'https://cdn.example/Files/x',
    'https://cdn.example//files/x',
    'https://cdn.example/files/..%2fx',
    'https://cdn.example/files/x/..%5Cy',
    'https://cdn.example/files%2f..%2fx',
    'https://cdn.example/files/%252e%252e/x',
    'https://cdn.example/files/..%25252fx',
    'https://cdn.example/files/%25%32%65%25%32%45/x',
    'https://cdn.example/files/%2%65%2%65/x',
    'https://cdn.example/files/..%3f/x',
    'https://cdn.example/files/..%23',
    'https://cdn.example/files/..%3b/x',
    'http://cdn.example/files/x',
    'https://cdn.example:8443/files/x',
    'https://cdn.example./files/x',
    'https://cdn.example.evil.example/files/x',
    'https://evil.example/files/x',
    'https://evil.example/https://cdn.example/files/x',
    'https://whole.example.evil.example/x',
  ].map((url) => limit({ url }, 'url')),
  ...[
    'https://cdn.example/files/../x',
    'https://cdn.example/files//../x',
    'https://cdn.example/files/./x',
    'https://cdn.example/files/%2e%2E/x',
    'https://cdn.example/files/.%2e/x',
    'https://cdn.example/files/..;a=b/x',
    'https://cdn.example/files/..',
  ].map((url) => limit({ url }, 'url', 422)),
  limit({ scheme: 'paths', url: '/files/x' }, 'url'),
  ...['/local/../x', '//cdn.example/files/x', '///local/x', '//local/x'].map((url) => limit({ scheme: 'paths', url }, 'url', 422)),
  limit({ scheme: 'paths', url: '/local/x' }),
  limit({ prefix: '/files/' }),
  limit({ prefix: '/files' }, 'prefix'),
  limit({ prefix: '/' }, 'prefix'),
  limit({ url: 'https://cdn.example/files/a/b', prefix: '/files/a' }),
  {
    name: 'a token with limits names the link of a batch',
    run: async (send) =>
      refused(await send('/sign', post({ links: [good, { ...good, url: 'https://evil.example/' }] }, LIMITED)), {
        status: 403,
        field: 'links[1].url',
      }),
  },
]
