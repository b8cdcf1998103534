// The store of `redeem` and `serve`: Redis, through the one of its two clients that is installed.
/// <reference types="node" />
import { createRequire } from 'node:module'
import { cwd } from 'node:process'
import type { UseStore } from '../core/redeem.ts'
import { memoryStore } from '../stores/memory.ts'
import { type IoRedis, type NodeRedis, redisStore } from '../stores/redis.ts'
import { Failed, Misuse } from './options.ts'

/** A store that can be closed. */
export interface ClosableStore extends UseStore {
  /** Closes the connection when pending commands are done. */
  close(): Promise<void>
}

/**
 * The store at an address: `redis://…`, or `memory:` for this process only. While Redis cannot be reached, `take` throws {@link Failed} at once, and
 * the store keeps trying to connect.
 *
 * @param told - Called with a sentence when Redis is lost, and when it is back.
 */
export async function storeOf(address: string | undefined, told: (sentence: string) => void = () => undefined): Promise<ClosableStore> {
  if (address === 'memory:') return { ...memoryStore(), close: async () => undefined }
  const place = address === undefined ? undefined : placeOf(address)
  if (!place) throw new Misuse('--store must be an address such as redis://127.0.0.1:6379, or memory: for this process alone')
  const { client, ready, connect } = clientOf(place)
  const { take } = redisStore(client)

  let lost: string | undefined
  let ending = false
  const lose = (error?: Error): void => {
    if (ending || (lost !== undefined && !error)) return
    const why = `Redis cannot be reached (${reasonOf(error)})`
    if (lost === undefined) told(why)
    lost = why
  }
  // An error event without a listener would end the process.
  client.on('error', lose)
  client.on('close', () => lose())
  client.on('ready', () => {
    if (lost !== undefined) told('Redis is back')
    lost = undefined
  })
  const first = new Promise<void>((resolve) => {
    for (const event of ['ready', 'error'] as const) client.on(event, () => resolve())
  })
  connect().catch(() => undefined)
  await within(PATIENCE, first)
  if (!ready()) lose()

  return {
    async take(id, until, uses) {
      // Clients queue commands that they cannot send. A command that is sent after its request got a 503 would consume a use without opening the
      // link.
      if (!ready()) throw new Failed(lost ?? 'Redis cannot be reached')
      try {
        return await take(id, until, uses)
      } catch (error) {
        throw new Failed(`Redis failed (${reasonOf(error)})`, { cause: error })
      }
    },
    async close() {
      ending = true
      if (ready()) await within(PATIENCE, client.quit())
      try {
        await client.disconnect()
      } catch {
        // Some versions throw if the connection is already closed.
      }
    },
  }
}

const PATIENCE = 2000

interface Place {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly database: number
  readonly tls: boolean
}

/** `redis://user:password@host:port/database`; `rediss:` is the same with TLS. */
function placeOf(address: string): Place | undefined {
  const [, tls, user, password, name, six, port = '6379', database = '0'] =
    /^redis(s?):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?(?:([\w.-]+)|\[([\da-f:.]+)\])(?::(\d{1,5}))?(?:\/(\d*))?$/i.exec(address) ?? []
  const host = name ?? six
  if (!host || Number(port) > 65_535) return
  try {
    return {
      host,
      port: Number(port),
      database: Number(database),
      tls: Boolean(tls),
      ...(user && { username: decodeURIComponent(user) }),
      ...(password && { password: decodeURIComponent(password) }),
    }
  } catch {
    return
  }
}

interface Closable {
  on(event: 'error' | 'close' | 'ready', listener: (error?: Error) => void): unknown
  quit(): Promise<unknown>
  disconnect(): unknown
}

interface Connection {
  readonly client: (NodeRedis & Closable) | (IoRedis & Closable)
  readonly ready: () => boolean
  readonly connect: () => Promise<unknown>
}

type Packages = {
  redis: { createClient(options: object): NodeRedis & Closable & { connect(): Promise<unknown> } }
  ioredis: { Redis: new (options: object) => IoRedis & Closable & { connect(): Promise<unknown> } }
}

/** A client for the place, not connected yet. It keeps trying to connect. */
function clientOf({ host, port, username, password, database, tls }: Place): Connection {
  const login = { ...(username && { username }), ...(password && { password }) }
  const again = (tries: number): number => Math.min(50 * 2 ** tries, 1000)
  const redis = load('redis')
  if (redis) {
    const socket = { host, port, ...(tls && { tls }), connectTimeout: PATIENCE, reconnectStrategy: again }
    // Bounded, for a Redis that accepts commands and does not answer.
    const client = redis.createClient({ ...login, database, socket, commandsQueueMaxLength: 10_000 })
    return { client, ready: () => client.isReady === true, connect: () => client.connect() }
  }
  const ioredis = load('ioredis')
  if (!ioredis) throw new Misuse('a client of Redis must be installed for --store redis://…; this installs one: npm install redis')
  // disconnectTimeout keeps the process alive for that long, even when the connection is gone already.
  const trying = { lazyConnect: true, connectTimeout: PATIENCE, retryStrategy: again, maxRetriesPerRequest: null, disconnectTimeout: 100 }
  const client = new ioredis.Redis({ ...login, host, port, db: database, ...(tls && { tls: {} }), ...trying })
  return { client, ready: () => client.status === 'ready', connect: () => client.connect() }
}

/**
 * Loads a package that is installed beside this one, or in the working directory. `undefined` if it is not installed, because it is not a dependency.
 */
function load<Name extends keyof Packages>(name: Name): Packages[Name] | undefined {
  for (const from of [import.meta.url, `${cwd()}/`]) {
    const need = createRequire(from)
    let path: string
    try {
      path = need.resolve(name)
    } catch {
      continue
    }
    return need(path)
  }
  return
}

/**
 * The code of an error: `ECONNREFUSED`, or the first word of an error of the Redis protocol, such as `WRONGPASS`. The message may contain secrets.
 */
function reasonOf(error?: unknown): string {
  if (!(error instanceof Error)) return 'the connection broke'
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? /^[A-Z]{4,}(?= )/.exec(message)?.[0] ?? error.constructor.name
}

async function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([promise.catch(() => undefined), late])
  clearTimeout(timer)
}
