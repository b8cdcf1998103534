// signPlaylist: every address of an HLS playlist becomes a link, and nothing else in it changes. RFC 8216, draft-pantos-hls-rfc8216bis
import { type Condition, type Conditions, clock } from '../core/conditions.ts'
import { insist } from '../core/errors.ts'
import { LONGEST } from '../lib/url.ts'
import type { Scheme } from '../core/scheme.ts'
import { type SignOptions, sign } from '../core/sign.ts'
import { attributesOf } from './attributes.ts'

/** An address in a playlist that {@link signPlaylist} left as it was. */
export interface LeftAddress {
  readonly address: string
  /** Where it stands, counted from 1. */
  readonly line: number
  /** The tag that it stands in, such as `EXT-X-KEY`; absent for the line of a segment or a variant. */
  readonly tag?: string
  /**
   * - `other_origin`: it is on another host, or is not an http address (`data:`, `skd:`)
   * - `unknown_tag`: it stands in a tag or an attribute that this function does not know
   */
  readonly reason: 'other_origin' | 'unknown_tag'
}

/** What {@link signPlaylist} takes besides the conditions. */
export interface PlaylistOptions extends SignOptions {
  /** The playlist's own address, which its relative ones are relative to: `'https://cdn.example/videos/7/index.m3u8'`, or a path from `/`. */
  readonly base: string | URL
  /** Hears of every address that stays unsigned. */
  readonly left?: (left: LeftAddress) => void
}

// The tags that name something that a player loads, and the attributes that name it: RFC 8216bis, its interstitials, and image playlists.
const URI = ['URI']
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  'EXT-X-KEY': URI,
  'EXT-X-MAP': URI,
  'EXT-X-MEDIA': URI,
  'EXT-X-I-FRAME-STREAM-INF': URI,
  'EXT-X-IMAGE-STREAM-INF': URI,
  'EXT-X-PART': URI,
  'EXT-X-PRELOAD-HINT': URI,
  'EXT-X-RENDITION-REPORT': URI,
  'EXT-X-SESSION-KEY': URI,
  'EXT-X-SESSION-DATA': URI,
  'EXT-X-CONTENT-STEERING': ['SERVER-URI'],
  'EXT-X-DATERANGE': ['X-ASSET-URI', 'X-ASSET-LIST'],
}
// The tags that are followed by an address itself: segments that are not finished.
const WHOLE = ['EXT-X-PREFETCH', 'EXT-X-TWITCH-PREFETCH']
// What looks like an address in other places.
const ADDRESS_NAME = /(^|-)UR[IL]$/
// Stands in for the origin while a path is resolved. Only references without an origin of their own are resolved against it.
const NO_ORIGIN = 'http://path.invalid'

/** Whether a reference names a scheme or a host. `URL` reads `\\` as `/` and drops tabs, line breaks and what is in front. */
function hasOrigin(reference: string): boolean {
  const read = reference.replace(/[\t\n\r]/g, '').replace(/^[\0- ]+/, '')
  return /^([a-z][a-z\d+.-]*:|[/\\]{2})/i.test(read)
}

/**
 * Signs every address of a media or master playlist: segments, parts, keys, maps, renditions, variants, image playlists, session data,
 * interstitials, steering servers and prefetched segments. All other text stays as it is, byte for byte, with its line ends, comments, byte
 * ranges and unknown tags.
 *
 * All links share one expiry. With `prefix`, each of them opens everything below it: then the playlists inside this one need no signing when
 * the scheme writes its token into the path.
 *
 * Addresses of other origins are left alone, and so is what is not an http address (`data:`, `skd:`): a link of ours is not theirs to have.
 * `left` hears of them, and of what looks like an address in an unknown tag. Every address of your own host is signed, so sign playlists of
 * your own only.
 *
 * @param scheme - As for `sign`.
 * @param playlist - Text that begins with `#EXTM3U`.
 * @param options - `base`, `expires`, `left`, and whatever else the scheme can carry.
 * @returns The playlist with links in it.
 * @throws A `LinkError`: `bad_option` for text that is no playlist, and for a variable that it does not define; and what `sign` throws.
 *
 * @example
 * ```ts
 * import { hmac } from 'securelink'
 * import { signPlaylist } from 'securelink/hls'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const playlist = '#EXTM3U\n#EXTINF:6,\npart-1.ts\n#EXT-X-ENDLIST\n'
 * const signed = await signPlaylist(links, playlist, { base: 'https://cdn.example/videos/7/index.m3u8', expires: '6h' })
 * console.log(signed.split('\n')[2]?.split('?')[0]) // https://cdn.example/videos/7/part-1.ts
 * ```
 */
export async function signPlaylist<C extends Condition, Own extends object>(
  scheme: Scheme<C, Own>,
  playlist: string,
  options: PlaylistOptions & Conditions<NoInfer<C>> & NoInfer<Own>,
): Promise<string> {
  const { base, left, now, ...conditions } = options
  insist(typeof playlist === 'string' && /^\ufeff?#EXTM3U\b/.test(playlist), 'playlist must be text that begins with #EXTM3U')
  const from = String(base)
  insist(/^(https?:\/\/|\/(?!\/))/i.test(from), 'base must be the address of the playlist: an http URL, or a path from /')
  const isPath = from.startsWith('/')
  const origin = new URL(from, NO_ORIGIN)
  // One moment for all, so that links minted in one call are alike.
  const present = new Date(clock(now))

  const lines = playlist.replace(/^\ufeff/, '').split(/(\r\n|\r|\n)/)
  const variables = variablesOf(lines)

  /** The URL or path to sign, or `undefined` for an address of another origin. */
  function targetOf(reference: string): string | undefined {
    if (isPath) {
      if (hasOrigin(reference)) return
      const target = new URL(reference, origin).href.slice(NO_ORIGIN.length)
      // A path that begins with two slashes is read as a host.
      return target.startsWith('//') ? undefined : target
    }
    const url = URL.canParse(reference, origin) ? new URL(reference, origin) : undefined
    // Not by `origin`: that of a blob: address is the page's. A user's name or password is not for our links.
    const same = url?.protocol === origin.protocol && url.host === origin.host && !url.username && !url.password
    return same ? url.href : undefined
  }

  async function link(address: string, line: number, tag?: string): Promise<string> {
    const target = targetOf(withVariables(address, variables))
    if (target === undefined) {
      left?.({ address, line, reason: 'other_origin', ...(tag && { tag }) })
      return address
    }
    // The types of the conditions are the caller's; `sign` checks them.
    return sign(scheme, target, conditions as unknown as Conditions<NoInfer<C>> & NoInfer<Own>, { now: () => present })
  }

  /** The pieces of a line that is an address from a position on, with white space around it. */
  function signWhole(text: string, start: number, line: number, tag?: string): (string | Promise<string>)[] {
    const address = text.slice(start).trim()
    if (!address) return [text]
    const at = text.indexOf(address, start)
    return [text.slice(0, at), link(address, line, tag), text.slice(at + address.length)]
  }

  /** The pieces of a line with a tag, whose addresses are links. */
  function signTag(text: string, tag: string, line: number): (string | Promise<string>)[] {
    const start = tag.length + 2
    if (WHOLE.includes(tag)) return signWhole(text, start, line, tag)
    const pieces: (string | Promise<string>)[] = []
    let done = 0
    for (const { name, value, quoted, from, to } of attributesOf(text, start)) {
      if (!quoted || !value) continue
      if (ATTRIBUTES[tag]?.includes(name)) {
        pieces.push(text.slice(done, from), link(value, line, tag))
        done = to
      } else if (ADDRESS_NAME.test(name)) {
        left?.({ address: value, line, reason: 'unknown_tag', tag })
      }
    }
    return [...pieces, text.slice(done)]
  }

  // All at once, because WebCrypto takes many calls in the time of a few.
  const signed: (string | Promise<string>)[] = [playlist.startsWith('\ufeff') ? '\ufeff' : '']
  for (const [index, text] of lines.entries()) {
    // Every second piece is the end of a line.
    const line = index / 2 + 1
    const [, tag] = /^#(EXT[\w-]*):/.exec(text) ?? []
    if (tag) signed.push(...signTag(text, tag, line))
    else if (text.trimStart().startsWith('#')) signed.push(text)
    else signed.push(...signWhole(text, 0, line))
  }
  return (await Promise.all(signed)).join('')
}

const DEFINE = '#EXT-X-DEFINE:'

/** The variables that a playlist gives a value. */
function variablesOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const line of lines) {
    if (!line.startsWith(DEFINE)) continue
    const attributes = new Map(attributesOf(line, DEFINE.length).map(({ name, value }) => [name, value]))
    const name = attributes.get('NAME')
    if (name) variables.set(name, attributes.get('VALUE') ?? '')
  }
  return variables
}

/** An address with the values of its variables. */
function withVariables(address: string, variables: ReadonlyMap<string, string>): string {
  let length = address.length
  return address.replace(/\{\$([\w-]+)\}/g, (_, name: string) => {
    const value = variables.get(name)
    insist(value !== undefined, 'playlist must define the variables that its addresses have')
    // A small playlist could otherwise grow without a limit.
    length += value.length
    insist(length <= LONGEST, 'playlist must have addresses of at most 16,384 characters')
    return value
  })
}
