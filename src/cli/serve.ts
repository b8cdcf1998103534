// serve: the link service as a process of its own, on Node, Deno and Bun, with an access log that holds no link, no token and no secret.
/// <reference types="node" />
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Duration, seconds } from '../core/conditions.ts'
import { type Authorize, bearer, type Wanted } from '../service/bearer.ts'
import { listener } from '../http/node.ts'
import { OLD_ROUTES } from '../service/python-routes.ts'
import { service } from '../service/service.ts'
import { split } from '../lib/url.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Io } from './main.ts'
import { Failed, Misuse, type Options, parse, type Values } from './options.ts'
import { KEYED, schemesOf } from './scheme.ts'
import { storeOf } from './store.ts'

const text = { type: 'string' } as const
const repeated = { type: 'string', multiple: true } as const
const OPTIONS: Options = {
  ...KEYED,
  scheme: repeated,
  host: text,
  port: text,
  'max-ttl': text,
  allow: repeated,
  store: text,
  limit: text,
  timeout: text,
  'securelink-api': { type: 'boolean' },
}

// The log names these and no others: what people ask for by mistake may be a link.
const ROUTES = ['/sign', '/verify', '/redeem', '/inspect', '/openapi.json', '/docs', '/healthz'].concat(
  Object.keys(OLD_ROUTES).map((path) => `${path}/`),
  Object.keys(OLD_ROUTES),
)

/** Answers until the signal comes; then it finishes what is under way. */
export async function serve(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, OPTIONS)
  if (rest.length) throw new Misuse('it takes options alone; securelink serve --help lists them')
  const host = `${values['host'] ?? '127.0.0.1'}`
  const port = wholeOf(values, 'port', 8788, 0, 65_535)
  const limit = wholeOf(values, 'limit', 1_000_000, 1, 100_000_000)
  const patience = seconds(durationOf(values, 'timeout', '30s', 3600) ?? '30s', '--timeout') * 1000
  const authorize = authorizeOf(values, io)
  const schemes = await schemesOf(values, io)
  const secureLinkApi = oldSchemeOf(values, schemes)
  const log = (event: string, more: object): void => {
    io.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...more })}\n`)
  }
  const address = (values['store'] ?? io.env['SECURELINK_STORE']) as string | undefined
  const store = address === undefined ? undefined : await storeOf(address, (detail) => log('store', { detail }))

  try {
    const seen = new WeakMap<Request, number>()
    const counted = async (request: Request, wanted: Wanted) => {
      seen.set(request, wanted.links.length)
      return authorize(request, wanted)
    }
    const handler = service(schemes, {
      authorize: Object.assign(counted, { early: authorize.early }) as Authorize,
      ...(store && { store }),
      limit,
      secureLinkApi,
      report: (error, verb) => log('failed', { verb, error: error instanceof Failed ? error.message : nameOf(error) }),
    })

    const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      const start = performance.now()
      const { remoteAddress: address } = incoming.socket
      let request: Request | undefined
      outgoing.once('close', () => {
        const path = request && split(request.url).path
        log('request', {
          method: incoming.method,
          route: ROUTES.find((route) => route === path) ?? '*',
          // None was given to who left before.
          status: outgoing.headersSent ? outgoing.statusCode : null,
          ms: Math.round((performance.now() - start) * 10) / 10,
          address,
          ...(request && seen.has(request) && { links: seen.get(request) }),
        })
      })
      listener((asked) => handler((request = asked)))(incoming, outgoing)
    }
    // Node looks for requests that take too long twice a minute, unless it is told to look more often.
    const times = { headersTimeout: patience, requestTimeout: patience, connectionsCheckingInterval: Math.min(patience / 4, 5000) }
    // Longer than proxies in front keep connections, so that none is closed while a request is on its way.
    const server = createServer({ ...times, keepAliveTimeout: 65_000 })
    return await run(server, answer, {
      host,
      port,
      patience,
      log,
      signal: io.signal,
      says: { schemes: Object.keys(schemes), redeem: !!store },
    })
  } finally {
    await store?.close()
  }
}

// How long what is under way may take when the process is to end.
const GRACE = 10_000

interface Running {
  readonly host: string
  readonly port: number
  readonly patience: number
  readonly signal: AbortSignal
  readonly log: (event: string, more: object) => void
  /** What the log says at the start besides the address. */
  readonly says: object
}

function run(
  server: Server,
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  { host, port, patience, signal, log, says }: Running,
): Promise<number> {
  const underWay = new Set<ServerResponse>()
  let grace: NodeJS.Timeout | undefined
  return new Promise((resolve, reject) => {
    const end = (code: number): void => {
      clearTimeout(grace)
      server.closeAllConnections()
      resolve(code)
    }
    const stop = (): void => {
      log('stopping', { underWay: underWay.size })
      server.close()
      for (const outgoing of underWay) if (!outgoing.headersSent) outgoing.setHeader('connection', 'close')
      if (underWay.size > 0) grace = setTimeout(end, GRACE, 1)
      else end(0)
    }
    server.on('request', (incoming, outgoing) => {
      const start = (): void => {
        underWay.add(outgoing)
        // The server's own timeouts end with the body of the request. This one is for those who do not read the answer.
        const late = setTimeout(() => outgoing.destroy(), patience * 1.5)
        answer(incoming, outgoing)
        outgoing.once('close', () => {
          clearTimeout(late)
          underWay.delete(outgoing)
          if (signal.aborted && underWay.size === 0) setImmediate(end, 0)
        })
      }
      // Without a socket it waits for earlier answers on its connection, and Node does not tell when the visitor leaves: holding on to it
      // would be for ever.
      if (outgoing.socket) start()
      else outgoing.once('socket', start)
    })
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      reject(new Failed(`port ${port} of ${host} ${WHY[code ?? ''] ?? `cannot be opened (${code ?? message})`}`))
    })
    server.listen(port, host, () => {
      const { port } = server.address() as AddressInfo
      log('started', { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, ...says })
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop)
    })
  })
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken; --port takes another one, --port 0 a free one',
  EACCES: 'is not allowed; --port takes another one',
}

const MAKE_ONE = `at least 32 letters, digits and -._~+/; this makes one: node -p "crypto.randomBytes(32).toString('base64url')"`

function authorizeOf(values: Values, { env }: Io): Authorize {
  const tokens = (env['SECURELINK_API_TOKEN'] ?? '').split(/[\s,]+/).filter(Boolean)
  if (!tokens.length) throw new Misuse(`it needs a token for its callers: set SECURELINK_API_TOKEN to ${MAKE_ONE}`)
  if (!tokens.every((token) => /^[\w\-.~+/]{32,}=*$/.test(token))) throw new Misuse(`SECURELINK_API_TOKEN takes ${MAKE_ONE}`)
  const longest = durationOf(values, 'max-ttl', '7d', Infinity)
  const allow = values['allow'] as readonly string[] | undefined
  return bearer(tokens, { ...(longest !== undefined && { longest }), ...(allow && { allow }) })
}

/** The scheme that `--securelink-api` is about: the only one, or of several the one that is `nginx`. */
function oldSchemeOf(values: Values, schemes: Readonly<Record<string, Scheme>>): string | false {
  if (!values['securelink-api']) return false
  const all = Object.keys(schemes)
  const [name, another] = all.length === 1 ? all : all.filter((name) => schemes[name]?.name === 'nginx')
  if (name === undefined || another !== undefined) throw new Misuse('with several schemes, --securelink-api is about the one that is nginx')
  return name
}

function wholeOf(values: Values, name: string, otherwise: number, least: number, most: number): number {
  const given = values[name]
  if (given === undefined) return otherwise
  const number = /^\d+$/.test(`${given}`) ? Number(given) : Number.NaN
  if (number >= least && number <= most) return number
  throw new Misuse(`--${name} takes a number from ${least} to ${most}`)
}

function durationOf(values: Values, name: string, such: Duration, most: number): Duration | undefined {
  const given = values[name] as Duration | undefined
  if (given === undefined) return
  const length = /^\d{1,6}(\.\d{1,3})?[smhd]$/.test(given) ? seconds(given, name) : 0
  if (length > 0 && length <= most) return given
  throw new Misuse(`--${name} takes a length of time such as ${such}`)
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'an error')
