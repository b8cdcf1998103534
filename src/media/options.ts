// The options that signPlaylist and signManifest share.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Scheme } from '../core/scheme.ts'
import type { SignOptions } from '../core/sign.ts'
import type { LeftAddress } from './address.ts'

/** Options of {@link signPlaylist} and {@link signManifest}, besides the conditions. */
export interface MediaOptions extends SignOptions {
  /**
   * The URL of the playlist or manifest, against which relative URLs are resolved: `'https://cdn.example/videos/7/index.m3u8'`, or a path that starts
   * with `/`.
   */
  readonly base: string | URL
  /** Called for each URL that is not signed. */
  readonly left?: (left: LeftAddress) => void
}

/** Throws a `LinkError` for a wrong or unknown option. `sign` checks the conditions. */
export function assertMediaOptions(scheme: Scheme, options: MediaOptions, caller: string): void {
  assertOption(typeof options === 'object' && options !== null, 'options', "an object such as { base, expires: '6h' }")
  const { schemes: [signer = scheme] = [] } = scheme
  // `sign` knows the standard conditions, and says which of them these links cannot carry.
  const { starts, method, ip, prefix, uses, id, ...others } = options as MediaOptions & Record<string, unknown>
  const known = ['base', 'left', 'now', 'expires', 'align', ...signer.carries, ...(signer.own ?? [])]
  assertKnownOptions(others, known, `${caller} with ${signer.name} links`)
  const isBase = /^(https?:\/\/|\/(?!\/))/i.test(String(options.base))
  assertOption(isBase, 'base', "the URL of the playlist or manifest: an http(s) URL, or a path that starts with '/'")
  assertOption(options.left === undefined || typeof options.left === 'function', 'left', 'a function')
}
