// renewable: a link that is renewed again and again. It knows when a renewal is due. freshLink, fetchLink and keepFresh are built on it.
import { assertOption } from '../core/errors.ts'
import { linkText } from '../recognise/link-text.ts'
import { assertReadingOptions } from './expires-in.ts'
import { type Caller, dueIn, earlyOf, endedRenewals, type Renewed, type RenewOptions, renewLink } from './renewal.ts'

/** A link that can be renewed. */
export interface Renewable {
  /** The latest link, which may have expired. */
  readonly current: string
  /** A link that must not be used again: the server refused it, or it cannot be used here. */
  refused: string | undefined
  /** Milliseconds until `current` is to be renewed, and 0 or less if that is due. Infinity for a link that is renewed only when it is refused. */
  dueIn(): number
  /** Is `current` valid for long enough, and not refused? */
  isFresh(): boolean
  /**
   * Renews `current`. Callers at the same time share one renewal. Rejects with a `LinkError` `renewal_failed`, or with the reason of the signal.
   *
   * @param since - What `endedRenewals` returned when the caller started. Default: now.
   */
  renew(signal: Caller['signal'], since?: number): Promise<void>
}

/** How {@link renewable} treats links. */
export interface RenewableOptions extends RenewOptions {
  /** The lifetime of the first link when it was made, in milliseconds. Default: unknown, so the link is renewed `early` before its expiry. */
  readonly lifetime?: number
  /** Checks a new link: `undefined` if it can replace the old one, otherwise the rule that `renew` must follow. */
  readonly objection?: (next: string) => string | undefined
}

/**
 * The text of a link that is going to be requested. Throws a `LinkError` for the empty string, which would request the page itself, and for the text of
 * a value that was missing, as in `${user.photo}`.
 */
export function requestableLink(link: unknown): string {
  const text = linkText(link)
  assertOption(!/^(|undefined|null|\[object .*\])$/.test(text), 'link', 'a link, and not the text of a missing value')
  return text
}

/** Throws unless these options are right. */
export function assertRenewingOptions(options: RenewOptions): void {
  assertOption(typeof options?.renew === 'function', 'renew', 'a function that returns a new link')
  assertReadingOptions(options)
  earlyOf(options)
}

/** Makes a renewable link. The options must have been checked. */
export function renewable(first: string, options: RenewableOptions): Renewable {
  const { lifetime = Number.POSITIVE_INFINITY, objection } = options
  let renewed: Renewed = { link: first, lifetime }
  const kept: Renewable = {
    get current() {
      return renewed.link
    },
    refused: undefined,
    dueIn: () => dueIn(renewed, options),
    isFresh: () => kept.refused !== renewed.link && kept.dueIn() > 0,
    async renew(signal, since = endedRenewals()) {
      const next = await renewLink(renewed.link, options, { since, refused: kept.refused, signal })
      const rule = objection?.(next.link)
      kept.refused = rule && next.link
      assertOption(!rule, 'renew', `${rule}`, 'renewal_failed')
      renewed = next
    },
  }
  return kept
}
