// signPlaylist: every address of an HLS playlist becomes a link, and nothing else in it changes. RFC 8216, draft-pantos-hls-rfc8216bis
import { type Condition, type Conditions, clock } from '../core/conditions.ts'
import { insist } from '../core/errors.ts'
import type { Scheme } from '../core/scheme.ts'
import { type SignOptions, sign } from '../core/sign.ts'

/** What {@link signPlaylist} takes besides the conditions. */
export interface PlaylistOptions extends SignOptions {
  /** The playlist's own address, which its relative ones are relative to: `'https://cdn.example/videos/7/index.m3u8'`, or a path from `/`. */
  readonly base: string | URL
}

// The tags whose URI a player loads from where the playlist is.
const TAGS = /^#EXT-X-(?:KEY|MAP|MEDIA|I-FRAME-STREAM-INF|PART|PRELOAD-HINT|RENDITION-REPORT|SESSION-KEY|SESSION-DATA):/
// An attribute of a tag: in a quoted value anything may stand, also `URI=`.
const ATTRIBUTE = /([A-Z\d-]+=)("[^"\r\n]*"|[^",\r\n]*)/g
// Stands in for the host when the base is a path; no such host can exist (RFC 6761).
const NOWHERE = 'http://securelink.invalid'

/**
 * Signs every address of a media or master playlist: segments, parts, keys, maps, renditions and variants. All other text stays as it is, byte
 * for byte, with its line ends, comments, byte ranges and tags that nobody knows.
 *
 * All links share one expiry. With `prefix`, each of them opens everything below it: then the playlists inside this one need no signing when
 * the scheme writes its token into the path.
 *
 * Addresses of other hosts are left alone, and so is what is no http address (`data:`, `skd:`): a link of ours is not theirs to have. Every
 * address of your own host is signed, so sign playlists of your own only.
 *
 * @param scheme - As for `sign`.
 * @param playlist - Text that begins with `#EXTM3U`.
 * @param options - `base`, `expires`, and whatever else the scheme can carry.
 * @returns The playlist with links in it.
 * @throws A `LinkError`: `bad_option` for text that is no playlist, and for a variable that it does not define; and what `sign` throws.
 *
 * @example
 * ```ts
 * import { hmac } from 'securelink'
 * import { signPlaylist } from 'securelink/media'
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
  const { base, now, ...conditions } = options
  insist(/^\ufeff?#EXTM3U\b/.test(playlist), 'signPlaylist takes the text of a playlist, which begins with #EXTM3U')
  const path = String(base)
  insist(/^(https?:\/\/|\/(?!\/))/i.test(path), 'base takes the address of the playlist: an http URL, or a path from /')
  const from = new URL(path, NOWHERE)
  // One moment for all, so that links minted in one call are alike.
  const present = new Date(clock(now))

  const variables = new Map<string, string>()
  for (const [, tag = ''] of playlist.matchAll(/^#EXT-X-DEFINE:(.*)/gm)) {
    const attributes = Object.fromEntries(
      [...tag.matchAll(ATTRIBUTE)].map(([, name = '', value = '']) => [name, value.replaceAll('"', '')]),
    )
    if (attributes['NAME=']) variables.set(attributes['NAME='], attributes['VALUE='] ?? '')
  }

  async function link(address: string): Promise<string> {
    const whole = address.replace(/\{\$([\w-]+)\}/g, (_, name: string) => {
      const value = variables.get(name)
      insist(value !== undefined, 'signPlaylist takes playlists whose variables have their values in them')
      return value
    })
    const url = URL.canParse(whole, from) ? new URL(whole, from) : undefined
    // Not by origin: that of a blob: address is the page's.
    if (url?.protocol !== from.protocol || url.host !== from.host) return address
    const target = path[0] === '/' ? url.href.slice(NOWHERE.length) : url.href
    // The types of the conditions are the caller's; `sign` checks them.
    return sign(scheme, target, conditions as unknown as Conditions<NoInfer<C>> & NoInfer<Own>, { now: () => present })
  }

  // All at once, because WebCrypto takes many calls in the time of a few.
  const signed: (string | Promise<string>)[] = []
  for (const piece of playlist.split(/(\r\n|\r|\n)/)) {
    const line = piece.replace(/^\ufeff/, '')
    const address = line.trim()
    if (TAGS.test(line)) {
      let at = 0
      for (const { 0: attribute, 1: name = '', 2: value = '', index } of line.matchAll(ATTRIBUTE)) {
        if (name !== 'URI=' || value[0] !== '"' || value.length < 3) continue
        signed.push(line.slice(at, index), 'URI="', link(value.slice(1, -1)), '"')
        at = index + attribute.length
      }
      signed.push(line.slice(at))
    } else if (address && address[0] !== '#') {
      const at = piece.indexOf(address)
      signed.push(piece.slice(0, at), link(address), piece.slice(at + address.length))
    } else {
      signed.push(piece)
    }
  }
  return (await Promise.all(signed)).join('')
}
