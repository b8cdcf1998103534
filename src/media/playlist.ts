// signPlaylist: turns every URL of an HLS playlist into a link, and changes nothing else. RFC 8216, draft-pantos-hls-rfc8216bis
import type { Condition, Conditions, Expiry } from '../core/conditions.ts'
import { assertOption } from '../core/errors.ts'
import { assertScheme, type Scheme } from '../core/scheme.ts'
import { sign } from '../core/sign.ts'
import { presentTime } from '../core/time.ts'
import { LONGEST } from '../lib/url.ts'
import { addressesOf } from './address.ts'
import { attributesOf } from './attributes.ts'
import { assertMediaOptions, type MediaOptions } from './options.ts'

// The tags with a URL that a player loads, and the attributes that have it: RFC 8216bis, its interstitials, and image playlists.
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
// The tags that are followed by a URL without an attribute name: segments that are not finished.
const TAGS_BEFORE_URL = ['EXT-X-PREFETCH', 'EXT-X-TWITCH-PREFETCH']
// Names of attributes that probably have a URL, in tags that are not listed above. Also in lower case, which players do not read.
const URL_NAME = /(^|-)UR[IL]$/i

/** A piece of the playlist: text that stays as it is, or a link that is being signed. */
type Piece = string | Promise<string>

/** Signs one URL of the playlist, or leaves it as it is and reports it. */
type SignUrl = (address: string, line: number, tag?: string) => Promise<string>

/**
 * Signs every URL of an HLS media or master playlist: segments, parts, keys, maps, renditions, variants, image playlists, session data,
 * interstitials, steering servers and prefetched segments. All other text stays as it is, byte for byte.
 *
 * All links have the same expiry. With `prefix`, each of them opens everything below that folder. If the scheme also writes its token into the
 * path, the playlists that a master playlist names need not be signed.
 *
 * URLs of other origins are not signed, because their servers must not get your links. URLs with credentials, other kinds of URLs (`data:`, `skd:`),
 * and URLs in unknown tags are not signed either. `left` is called for each of them.
 *
 * Every URL of your own host is signed, no matter which file it names. So sign only playlists that you wrote, not those that users upload.
 *
 * @param scheme - As for `sign`.
 * @param playlist - Text that starts with `#EXTM3U`.
 * @param options - `base`, `expires`, `left`, and any other condition that the scheme can carry.
 * @returns The playlist with its links.
 * @throws A `LinkError`: `bad_option` for text that is not a playlist, for a variable that the playlist does not define, and for an unknown option;
 *   and what `sign` throws.
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
export async function signPlaylist<C extends Condition, Own extends object, E extends Expiry>(
  scheme: Scheme<C, Own, E>,
  playlist: string,
  options: MediaOptions & Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>,
): Promise<string> {
  assertScheme(scheme)
  assertPlaylist(playlist)
  assertMediaOptions(scheme, options, 'signPlaylist()')
  const { base, left, now, ...others } = options
  // The types of the conditions are those that the caller passed, and `sign` checks the values.
  const conditions = others as unknown as Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>
  // One time for all links, so that two links to the same file are identical.
  const present = new Date(presentTime(now))
  const addresses = addressesOf(String(base))
  const text = playlist.replace(BYTE_ORDER_MARK, '')
  const lines = text.split(/(\r\n|\r|\n)/)
  const variables = variablesOf(lines, String(base))

  const signUrl: SignUrl = async (address, line, tag) => {
    const target = addresses.own(addresses.resolve(withVariables(address, variables)))
    if (target !== undefined) return sign(scheme, target, conditions, { now: () => present })
    left?.({ address, line, reason: 'other_origin', ...(tag && { tag }) })
    return address
  }

  // Signed in parallel, because WebCrypto computes many signatures in the time of a few.
  const pieces: Piece[] = [playlist.slice(0, playlist.length - text.length)]
  for (const [index, content] of lines.entries()) {
    // The group in the expression of `split` keeps the line ends, so every second entry is a line end.
    const line = index / 2 + 1
    const [start, tag] = TAG.exec(content) ?? []
    if (start !== undefined && tag) pieces.push(...signTag(content, tag, start.length, line, signUrl, left))
    else if (content.trimStart().startsWith('#')) pieces.push(content)
    else pieces.push(...signRest(content, 0, line, signUrl))
  }
  return (await Promise.all(pieces)).join('')
}

const BYTE_ORDER_MARK = /^\ufeff/
// hls.js and video.js also read tags with white space in front of them.
const TAG = /^\s*#(EXT[\w-]*):/

function assertPlaylist(playlist: unknown): void {
  const isPlaylist = typeof playlist === 'string' && /^\ufeff?#EXTM3U\b/.test(playlist)
  const remedy = typeof playlist === 'object' ? '; await a promise first, and of a Response pass await response.text()' : ''
  assertOption(isPlaylist, 'playlist', `text that starts with #EXTM3U${remedy}`)
}

/** The pieces of a line with a tag, whose content begins at `start`. */
function signTag(text: string, tag: string, start: number, line: number, signUrl: SignUrl, left: MediaOptions['left']): Piece[] {
  if (TAGS_BEFORE_URL.includes(tag)) return signRest(text, start, line, signUrl, tag)
  const pieces: Piece[] = []
  let done = 0
  for (const { name, value, quoted, from, to } of attributesOf(text, start)) {
    if (!value) continue
    // Without quotes, a comma would end the link.
    if (quoted && ATTRIBUTES[tag]?.includes(name)) {
      pieces.push(text.slice(done, from), signUrl(value, line, tag))
      done = to
    } else if (URL_NAME.test(name)) {
      left?.({ address: value, line, reason: 'unknown_tag', tag })
    }
  }
  return [...pieces, text.slice(done)]
}

/** The pieces of a line that is a URL from a position on, with white space around it. */
function signRest(text: string, start: number, line: number, signUrl: SignUrl, tag?: string): Piece[] {
  const address = text.slice(start).trim()
  if (!address) return [text]
  const at = text.indexOf(address, start)
  return [text.slice(0, at), signUrl(address, line, tag), text.slice(at + address.length)]
}

/** The variables whose values are in the playlist, or in the query of its URL. */
function variablesOf(lines: readonly string[], base: string): ReadonlyMap<string, string> {
  const { searchParams } = new URL(base, 'http://relative.invalid')
  const variables = new Map<string, string>()
  for (const line of lines) {
    const [start, tag] = TAG.exec(line) ?? []
    if (start === undefined || tag !== 'EXT-X-DEFINE') continue
    const attributes = new Map(attributesOf(line, start.length).map(({ name, value }) => [name, value]))
    const name = attributes.get('NAME')
    if (name) variables.set(name, attributes.get('VALUE') ?? '')
    const parameter = attributes.get('QUERYPARAM')
    const value = parameter && searchParams.get(parameter)
    if (value) variables.set(parameter, value)
  }
  return variables
}

/** A URL with its variables replaced by their values. */
function withVariables(address: string, variables: ReadonlyMap<string, string>): string {
  let length = address.length
  return address.replace(/\{\$([\w-]+)\}/g, (_, name: string) => {
    const value = variables.get(name)
    assertOption(value !== undefined, 'playlist', 'one that gives the values of the variables in its URLs')
    // Otherwise a small playlist could grow without a limit.
    length += value.length
    assertOption(length <= LONGEST, 'playlist', 'one with URLs of at most 16,384 characters')
    return value
  })
}
