// inBatches: many renewals that begin at nearly the same time become one call.
import { assertOption } from '../core/errors.ts'
import type { Renew } from './renewal.ts'

/**
 * Gets new links from your server. It is called with a list of old links, none twice, and with a signal that aborts when no caller is waiting any more.
 *
 * It returns a list in the same order: a new link for each old one. In place of a link that the server does not renew, it has an `Error`, or nothing;
 * then only the callers of that link are rejected.
 */
export type RenewAll = (links: string[], signal: AbortSignal) => RenewedLinks | Promise<RenewedLinks>

/** The answer of {@link RenewAll}, in the order of the old links. */
export type RenewedLinks = readonly (string | URL | Error | null | undefined)[]

/** One renewal that waits for its batch. */
interface Item {
  readonly link: string
  readonly signal: AbortSignal
  readonly resolve: (next: string | URL) => void
  readonly reject: (error: unknown) => void
}

// Milliseconds. Longer than one turn, because the timers of elements with one expiry fire a millisecond or two apart.
const WINDOW = 10
// The default of the server's `renewal`.
const MOST_IN_BATCH = 200

/** Renews links one by one, by calls of `renewAll` with up to 200 links. */
export function inBatches(renewAll: RenewAll): Renew {
  let open: Item[] | undefined

  return (link, signal) =>
    new Promise((resolve, reject) => {
      open ??= startBatch()
      open.push({ link, signal, resolve, reject })
      if (open.length === MOST_IN_BATCH) open = undefined
    })

  function startBatch(): Item[] {
    const batch: Item[] = []
    setTimeout(() => {
      if (open === batch) open = undefined
      void settle(batch.filter(({ signal }) => !signal.aborted))
    }, WINDOW)
    return batch
  }

  async function settle(items: readonly Item[]): Promise<void> {
    if (items.length === 0) return
    try {
      const links = await renewAll(
        items.map(({ link }) => link),
        whenAllAbort(items.map(({ signal }) => signal)),
      )
      const isComplete = Array.isArray(links) && links.length === items.length
      assertOption(isComplete, 'renew', 'a function that returns a list with a link, or an Error, for each of its links')
      for (const [i, { resolve, reject }] of items.entries()) {
        const next = links[i]
        if (next instanceof Error) reject(next)
        else resolve(next as string)
      }
    } catch (error) {
      for (const { reject } of items) reject(error)
    }
  }
}

/** A signal that aborts once all of these have. */
function whenAllAbort(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController()
  const look = (): void => {
    if (signals.every(({ aborted }) => aborted)) controller.abort(signals[0]?.reason)
  }
  for (const signal of signals) signal.addEventListener('abort', look)
  return controller.signal
}
