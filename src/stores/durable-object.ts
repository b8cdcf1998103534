// durableObjectStore and LinkUses: remember which links were used, in Durable Objects of Cloudflare Workers.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import { type Duration, secondsOf } from '../core/time.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'

/** The parts of a Worker's binding to {@link LinkUses} that this store uses. */
export interface DurableObjectNamespaceLike {
  // biome-ignore lint/suspicious/noExplicitAny: an id as `idFromName` gave it
  get(id: any): { fetch(url: string, init: { method: string; body: string }): Promise<Response> }
  idFromName(name: string): unknown
}

/** The parts of a Durable Object's state that {@link LinkUses} uses. */
export interface DurableObjectStateLike {
  readonly storage: {
    get(key: string): Promise<unknown>
    put(key: string, value: unknown): Promise<void>
    setAlarm(time: number): Promise<void>
    deleteAll(): Promise<void>
  }
}

/** Options of {@link durableObjectStore}. */
export interface DurableObjectStoreOptions {
  /**
   * The shortest time that a use is remembered, so that links of one id share their uses even after one of them has expired. Default: `'1d'`.
   * A use is always remembered until its link has expired.
   */
  readonly retain?: Duration
}

// An object keeps its data for an hour longer than its link is valid, because the Worker and its object may run on machines with different clocks.
const MARGIN = 3_600_000

/** How many names of takes an object remembers. More than one, because a request may be repeated after later ones have arrived. */
const NAMES_KEPT = 64

/** The request of a Worker to an object. Times are in milliseconds. */
interface Take {
  readonly name: string
  readonly until: number
  readonly uses: number
  readonly retained: number
}

/** The data of an object. `names` are those of the last takes that got a use. */
interface Uses {
  readonly taken: number
  readonly names: readonly string[]
  readonly forgetAt: number
}

const NONE: Uses = { taken: 0, names: [], forgetAt: 0 }

/**
 * The Durable Object that counts the uses of one id. Export it from your Worker and bind it; {@link durableObjectStore} does the rest.
 *
 * ```ts no-run needs a Worker with a Durable Object
 * export { LinkUses } from 'securelink/stores/durable-object'
 * ```
 */
export class LinkUses {
  readonly #storage: DurableObjectStateLike['storage']

  /** Called by the runtime. */
  constructor(state: DurableObjectStateLike) {
    this.#storage = state.storage
  }

  /** Takes a use; called by the store. An object handles no other request between its first read and its last write. */
  async fetch(request: Request): Promise<Response> {
    const take = (await request.json()) as Take
    const known = ((await this.#storage.get('uses')) as Uses | undefined) ?? NONE
    const now = Date.now()
    if (known.names.includes(take.name)) return Response.json(true)
    if (take.until <= now) return Response.json(false)
    const { taken, names, forgetAt } = known.forgetAt > now ? known : NONE
    const isLeft = taken < take.uses
    const lives = isLeft ? Math.max(take.until, now + take.retained) : take.until
    const uses: Uses = {
      taken: isLeft ? taken + 1 : taken,
      names: isLeft ? [...names, take.name].slice(-NAMES_KEPT) : names,
      forgetAt: Math.max(forgetAt, lives + MARGIN),
    }
    if (isLeft || uses.forgetAt > forgetAt) {
      await this.#storage.put('uses', uses)
      await this.#storage.setAlarm(uses.forgetAt)
    }
    return Response.json(isLeft)
  }

  /** Called by the runtime when the id may be forgotten. */
  async alarm(): Promise<void> {
    const known = ((await this.#storage.get('uses')) as Uses | undefined) ?? NONE
    // The runtime may repeat an alarm after a later link with the same id was used.
    if (known.forgetAt > Date.now()) await this.#storage.setAlarm(known.forgetAt)
    else await this.#storage.deleteAll()
  }
}

/**
 * Remembers uses in Durable Objects of a Cloudflare Worker, one for each id. An object handles one request at a time, and its answer is sent after
 * the write is on disk. The clock of the object decides whether a link has expired. If the answer of an object is lost, `take` repeats the request
 * with the same name, and gets the same answer. If that fails, too, `take` throws, and the link does not open.
 *
 * ```ts no-run needs a Worker with a Durable Object
 * import { durableObjectStore } from 'securelink/stores/durable-object'
 *
 * const store = durableObjectStore(env.LINK_USES)
 * ```
 *
 * @param namespace - The binding to the class {@link LinkUses}.
 * @param options - How long uses are remembered.
 * @returns A store for the option `store` of `redeem`, `guard`, `confirm`, `middleware` and `service`.
 * @throws A `LinkError` `bad_option` if this is not a binding, and for a wrong or unknown option.
 */
export function durableObjectStore(namespace: DurableObjectNamespaceLike, options: DurableObjectStoreOptions = {}): UseStore {
  const isBinding = typeof namespace?.idFromName === 'function'
  assertOption(isBinding, 'namespace', 'the binding of a Worker to a Durable Object, such as env.LINK_USES')
  assertKnownOptions(options, ['retain'], 'durableObjectStore()')
  const retained = Math.ceil(secondsOf(options.retain ?? '1d', 'retain') * 1000)
  return {
    async take(id, until, uses) {
      if (Number.isNaN(+until)) return false
      const name = encode(crypto.getRandomValues(new Uint8Array(12)), BASE64URL)
      const take: Take = { name, until: +until, uses, retained }
      // A new stub for each try, because a stub that has failed keeps failing.
      const ask = () =>
        namespace.get(namespace.idFromName(id)).fetch('https://link-uses/take', { method: 'POST', body: JSON.stringify(take) })
      const response = await ask().catch(ask)
      if (!response.ok) throw new Error(`durableObjectStore: the object answered ${response.status}`)
      return (await response.json()) === true
    },
  }
}
