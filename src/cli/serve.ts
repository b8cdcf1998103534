// serve: runs the link service as a process, on Node, Deno and Bun, with an access log that contains no link, token or secret.
/// <reference types="node" />
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Scheme } from '../core/scheme.ts'
import { type Duration, secondsOf } from '../core/time.ts'
import { listener } from '../http/node/listener.ts'
import { split } from '../lib/url.ts'
import { type Authorize, bearer, type Wanted } from '../service/bearer.ts'
import { PYTHON_PATHS, pythonRoutes } from '../service/python-routes.ts'
import { service } from '../service/service.ts'
import type { Io } from './io.ts'
import { Failed, Misuse, type Options, parse, REPEATED, TEXT, type Values } from './options.ts'
import { KEYED, schemesOf } from './scheme.ts'
import { runServer } from './server.ts'
import { type ClosableStore, storeOf } from './store.ts'

const OPTIONS: Options = {
  ...KEYED,
  scheme: REPEATED,
  host: TEXT,
  port: TEXT,
  'max-ttl': TEXT,
  allow: REPEATED,
  store: TEXT,
  limit: TEXT,
  timeout: TEXT,
  'securelink-api': { type: 'boolean' },
}

// The log names only these routes, because any other path may be a link that was requested by mistake.
const ROUTES = ['/', '/sign', '/verify', '/redeem', '/inspect', '/openapi.json', '/docs', '/healthz', ...PYTHON_PATHS]

type Log = (event: string, more: object) => void

/** The facts about a request that go into the access log. */
interface Note {
  path?: string
  links?: number
}

type Handler = (request: Request, note: Note) => Promise<Response>

/** Answers requests until the signal, and then finishes those in progress. */
export async function serve(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, OPTIONS)
  if (rest.length > 0) throw new Misuse('serve takes options and no arguments; securelink serve --help lists them')
  const host = `${values['host'] ?? '127.0.0.1'}`
  const port = wholeOf(values, 'port', 8788, 0, 65_535)
  const limit = wholeOf(values, 'limit', 1_000_000, 1, 100_000_000)
  const patience = secondsOf(durationOf(values, 'timeout', '30s', 3600) ?? '30s', '--timeout') * 1000
  const authorize = authorizeOf(values, io)
  const schemes = await schemesOf(values, io)
  const python = pythonSchemeOf(values, schemes)
  const log: Log = (event, more) => {
    io.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...more })}\n`)
  }
  const address = (values['store'] ?? io.env['SECURELINK_STORE']) as string | undefined
  const store = address === undefined ? undefined : await storeOf(address, (detail) => log('store', { detail }))

  try {
    const handler = handlerOf({ schemes, authorize, store, limit, python, log })
    // By default, Node checks for requests that take too long only twice a minute.
    const times = { headersTimeout: patience, requestTimeout: patience, connectionsCheckingInterval: Math.min(patience / 4, 5000) }
    // Longer than proxies keep connections, so that the server does not close one while a request is on its way.
    const server = createServer({ ...times, keepAliveTimeout: 65_000 })
    const facts = { schemes: Object.keys(schemes), redeem: !!store }
    return await runServer(server, withLog(handler, log), { host, port, patience, log, signal: io.signal, facts })
  } finally {
    await store?.close()
  }
}

interface HandlerOptions {
  readonly schemes: Readonly<Record<string, Scheme>>
  readonly authorize: Authorize
  readonly store: ClosableStore | undefined
  readonly limit: number
  /** The name of the scheme for the routes of the Python SecureLink. */
  readonly python: string | undefined
  readonly log: Log
}

/** The link service, which notes how many links a request has. */
function handlerOf({ schemes, authorize, store, limit, python, log }: HandlerOptions): Handler {
  const notes = new WeakMap<Request, Note>()
  const counted = async (request: Request, wanted: Wanted) => {
    const note = notes.get(request)
    if (note) note.links = wanted.links.length
    return authorize(request, wanted)
  }
  const answer = service(schemes, {
    authorize: Object.assign(counted, { early: authorize.early }) as Authorize,
    ...(store && { store }),
    limit,
    report: (error, verb) => log('failed', { verb, error: error instanceof Failed ? error.message : nameOf(error) }),
  })
  const noted: Handler = (request, note) => {
    notes.set(request, note)
    return answer(request)
  }
  if (python === undefined) return noted
  return pythonRoutes(noted, { scheme: schemes[python] as Scheme, name: python, limit })
}

/** Answers requests of Node, and logs each when its answer is sent. */
function withLog(handler: Handler, log: Log): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    const start = performance.now()
    const { remoteAddress: address } = incoming.socket
    const note: Note = {}
    outgoing.once('close', () => {
      log('request', {
        method: incoming.method,
        route: ROUTES.find((route) => route === note.path) ?? '*',
        // A client that disconnected early got no response.
        status: outgoing.headersSent ? outgoing.statusCode : null,
        ms: Math.round((performance.now() - start) * 10) / 10,
        address,
        ...(note.links !== undefined && { links: note.links }),
      })
    })
    const answer = listener((request) => {
      note.path = split(request.url).path
      return handler(request, note)
    })
    answer(incoming, outgoing)
  }
}

const TOKENS = `a token of at least 32 letters, digits and -._~+/, or several with spaces between them; this makes one: node -p "crypto.randomBytes(32).toString('base64url')"`

function authorizeOf(values: Values, { env }: Io): Authorize {
  const tokens = (env['SECURELINK_API_TOKEN'] ?? '').split(/[\s,]+/).filter(Boolean)
  const good = tokens.length > 0 && tokens.every((token) => /^[\w\-.~+/]{32,}=*$/.test(token))
  if (!good) throw new Misuse(`SECURELINK_API_TOKEN must be ${TOKENS}`)
  const longest = durationOf(values, 'max-ttl', '7d', Infinity)
  const allow = values['allow'] as readonly string[] | undefined
  return bearer(tokens, { ...(longest !== undefined && { longest }), ...(allow && { allow }) })
}

/** The name of the scheme for `--securelink-api`: the only one, or of several the one that is `nginx`. */
function pythonSchemeOf(values: Values, schemes: Readonly<Record<string, Scheme>>): string | undefined {
  if (!values['securelink-api']) return undefined
  const all = Object.keys(schemes)
  const [name, another] = all.length === 1 ? all : all.filter((name) => schemes[name]?.name === 'nginx')
  if (name === undefined || another !== undefined)
    throw new Misuse('with several schemes, one of them must be nginx: --securelink-api signs and verifies its links')
  return name
}

function wholeOf(values: Values, name: string, otherwise: number, least: number, most: number): number {
  const given = values[name]
  if (given === undefined) return otherwise
  const number = /^\d+$/.test(`${given}`) ? Number(given) : Number.NaN
  if (number >= least && number <= most) return number
  throw new Misuse(`--${name} must be a number from ${least} to ${most}`)
}

function durationOf(values: Values, name: string, such: Duration, most: number): Duration | undefined {
  const given = values[name] as Duration | undefined
  if (given === undefined) return
  const length = /^\d{1,6}(\.\d{1,3})?[smhd]$/.test(given) ? secondsOf(given, name) : 0
  if (length > 0 && length <= most) return given
  throw new Misuse(`--${name} must be a duration such as ${such}`)
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'an error')
