// Resolves the references in a playlist or a manifest, and finds out which of them are on its own host.

/** A URL in a playlist or a manifest that was not signed. */
export interface LeftAddress {
  /** The URL as it is written there. */
  readonly address: string
  /** The number of its line, from 1. */
  readonly line: number
  /** The tag of a playlist that it is in, such as `EXT-X-KEY`, or the element of a manifest, such as `BaseURL`. Absent for a line that is a URL. */
  readonly tag?: string
  /**
   * - `other_origin`: it is on another host, has credentials, or is not an http URL (`data:`, `skd:`)
   * - `unknown_tag`: it is in a tag, an element or an attribute that is not known to have URLs which a player loads
   */
  readonly reason: 'other_origin' | 'unknown_tag'
}

/** Resolves references against the URL of a playlist or a manifest, or against an element's own base. */
export interface Addresses {
  /** An absolute URL. `undefined` if the reference is not a URL, or names a host where the base is only a path. */
  resolve(reference: string, from?: string): string | undefined
  /** The URL or path to sign for an absolute URL. `undefined` if it is on another host or has credentials, because it is not yours then. */
  own(absolute: string | undefined): string | undefined
}

// Stands in for the origin while a path is resolved. Only references without an origin are resolved against it.
const NO_ORIGIN = 'http://path.invalid'

/** `base` is an http(s) URL, or a path that starts with `/`. With a path, the links are paths, too. */
export function addressesOf(base: string): Addresses {
  const root = new URL(base, NO_ORIGIN)
  const isPath = base.startsWith('/')
  return {
    resolve(reference, from = root.href) {
      if (isPath && hasOrigin(reference)) return undefined
      return URL.canParse(reference, from) ? new URL(reference, from).href : undefined
    },
    own(absolute) {
      if (absolute === undefined) return undefined
      const url = new URL(absolute)
      // Not by `origin`, because that of a blob: URL is the origin of the page.
      if (url.protocol !== root.protocol || url.host !== root.host || url.username || url.password) return undefined
      if (!isPath) return url.href
      const path = url.href.slice(NO_ORIGIN.length)
      // Clients read a path that starts with two slashes as a host.
      return path.startsWith('//') ? undefined : path
    },
  }
}

/** Does a reference name a scheme or a host? `URL` reads `\` as `/`, and drops tabs, line breaks, and control characters at the start. */
function hasOrigin(reference: string): boolean {
  const read = reference.replace(/[\t\n\r]/g, '').replace(/^[\0- ]+/, '')
  return /^([a-z][a-z\d+.-]*:|[/\\]{2})/i.test(read)
}
