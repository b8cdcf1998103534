// signManifest: adds tokens to the URLs of a DASH manifest (MPD), and changes nothing else. ISO/IEC 23009-1
import type { Condition, Conditions, Expiry } from '../core/conditions.ts'
import { assertOption } from '../core/errors.ts'
import { assertScheme, type Scheme } from '../core/scheme.ts'
import { sign } from '../core/sign.ts'
import { presentTime } from '../core/time.ts'
import { type Addresses, addressesOf } from './address.ts'
import { assertMediaOptions, type MediaOptions } from './options.ts'
import { escaped, piecesOf, type Span } from './xml.ts'

// The attributes with a URL that a player loads. Those of a SegmentTemplate may be templates: the player makes URLs from them.
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  SegmentTemplate: ['media', 'index', 'initialization', 'bitstreamSwitching'],
  SegmentURL: ['media', 'index'],
  Initialization: ['sourceURL'],
  RepresentationIndex: ['sourceURL'],
  BitstreamSwitching: ['sourceURL'],
}
// The elements whose text is a URL that a player loads.
const TEXTS = ['BaseURL', 'Location', 'PatchLocation', 'ContentSteering']
// The identifiers of a template, such as $Number%05d$. `$$` is a dollar sign.
const IDENTIFIER = /\$(?:(?:RepresentationID|Number|SubNumber|Bandwidth|Time)(?:%0\d+d)?)?\$/
const ALL_IDENTIFIERS = new RegExp(IDENTIFIER, 'g')

/** A URL in the manifest. */
interface Found extends Span {
  readonly tag: string
  /** The URL in full, with a letter in place of each identifier of a template. `undefined` if it is not a URL. */
  readonly absolute: string | undefined
}

/**
 * Adds a token to every URL of a DASH manifest that a player loads: `BaseURL` of files, `SegmentTemplate`, `SegmentURL`, `Initialization`,
 * `RepresentationIndex`, `BitstreamSwitching`, `Location`, `PatchLocation`, `ContentSteering`, and `xlink:href`. All other text stays as it is, byte
 * for byte, including `UTCTiming`, whose servers are not yours, and the URLs of license servers.
 *
 * A player makes the URLs of a template from numbers and times, so their paths are not known when the manifest is signed. So templates need `prefix`:
 * each link then opens everything below that folder. If the scheme writes its token into the path, do not sign the manifest, because relative URLs
 * keep the token; see the guide.
 *
 * @param scheme - As for `sign`. Its links must have their token in the query.
 * @param manifest - Text with an `MPD` element.
 * @param options - `base`, `expires`, `left`, and any other condition that the scheme can carry.
 * @returns The manifest with its links.
 * @throws A `LinkError`: `bad_option` for text that is not a manifest, for a template without `prefix`, for a scheme with its token in the path, and
 *   for an unknown option; and what `sign` throws.
 *
 * @example
 * ```ts
 * import { hmac } from 'securelink'
 * import { signManifest } from 'securelink/media'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const manifest = '<MPD><Period><AdaptationSet><SegmentTemplate media="part-$Number$.m4s"/></AdaptationSet></Period></MPD>'
 * const base = 'https://cdn.example/videos/7/index.mpd'
 * const signed = await signManifest(links, manifest, { base, expires: '6h', prefix: '/videos/7/' })
 * console.log(signed.match(/media="(.*?)\?/)?.[1]) // part-$Number$.m4s
 * ```
 */
export async function signManifest<C extends Condition, Own extends object, E extends Expiry>(
  scheme: Scheme<C, Own, E>,
  manifest: string,
  options: MediaOptions & Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>,
): Promise<string> {
  assertScheme(scheme)
  const remedy = typeof manifest === 'object' ? '; await a promise first, and of a Response pass await response.text()' : ''
  assertOption(typeof manifest === 'string' && /<(\w+:)?MPD[\s>/]/.test(manifest), 'manifest', `text with an MPD element${remedy}`)
  assertMediaOptions(scheme, options, 'signManifest()')
  const { base, left, now, ...others } = options
  // The types of the conditions are those that the caller passed, and `sign` checks the values.
  const conditions = others as unknown as Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>
  const hasPrefix = (others as { prefix?: unknown }).prefix !== undefined
  // One time for all links, so that two links to the same file are identical.
  const present = new Date(presentTime(now))
  const addresses = addressesOf(String(base))

  const signFound = async ({ from, to, value, tag, absolute }: Found, line: number): Promise<string> => {
    const written = manifest.slice(from, to)
    const target = addresses.own(absolute)
    if (target === undefined) {
      left?.({ address: value, line, tag, reason: 'other_origin' })
      return written
    }
    assertOption(!target.includes('#'), 'manifest', 'one whose URLs have no fragment')
    const link = await sign(scheme, target, conditions, { now: () => present })
    const isBehind = link.startsWith(target)
    assertOption(isBehind, 'scheme', 'one with its token in the query; with the token in the path, a manifest needs no change')
    return written + escaped(link.slice(target.length))
  }

  // Signed in parallel, because WebCrypto computes many signatures in the time of a few.
  const pieces: (string | Promise<string>)[] = []
  let done = 0
  let line = 1
  // Finds all URLs first, so that an error in the manifest does not leave signatures running.
  for (const found of [...urlsOf(manifest, addresses.resolve, hasPrefix)]) {
    const before = manifest.slice(done, found.from)
    line += before.split('\n').length - 1
    pieces.push(before, signFound(found, line))
    done = found.to
  }
  return (await Promise.all([...pieces, manifest.slice(done)])).join('')
}

/** An element that is open. */
interface Element {
  readonly name: string
  /** The URL that its BaseURL is relative to; `undefined` if it is not a URL. */
  readonly outerBase: string | undefined
  /** The URL that other references in it are relative to. Its first BaseURL changes it. */
  base: string | undefined
  /** Has a URL of its segments been found already? */
  hasUrl: boolean
}

// The elements that describe the segments of the element around them.
const DESCRIBES_SEGMENTS = /^(Segment(Base|List|Template)|Initialization|RepresentationIndex|BitstreamSwitching)$/

/** The URLs of a manifest that a player loads, in their order. */
function* urlsOf(manifest: string, resolve: Addresses['resolve'], hasPrefix: boolean): Generator<Found> {
  const open: Element[] = [elementIn('', resolve(''))]
  for (const piece of piecesOf(manifest, 'manifest')) {
    const element = open.at(-1) as Element
    if (piece.kind === 'open') {
      for (const [name, span] of piece.attributes) {
        const isUrl = ATTRIBUTES[piece.name]?.includes(name) || (name === 'href' && !span.value.startsWith('urn:'))
        if (!isUrl || !span.value) continue
        element.hasUrl = true
        yield foundAt(span, piece.name, element.base, resolve, hasPrefix)
      }
      if (!piece.isEmpty) open.push(elementIn(piece.name, element.base))
    } else if (piece.kind === 'close') {
      open.pop()
      const outer = open.at(-1)
      assertOption(outer && element.name === piece.name, 'manifest', 'XML whose elements are closed in their order')
      if (DESCRIBES_SEGMENTS.test(element.name)) outer.hasUrl ||= element.hasUrl
    } else if (TEXTS.includes(element.name) && piece.span.value.trim()) {
      const outer = open.at(-2) as Element
      const span = trimmed(piece.span, manifest)
      if (element.name === 'BaseURL') changeBase(outer, open.slice(0, -2), resolve(span.value, outer.outerBase), hasPrefix)
      // A BaseURL that ends in `/` is a folder, which a player does not load.
      if (!span.value.endsWith('/')) yield foundAt(span, element.name, outer.outerBase, resolve, hasPrefix)
    }
  }
  assertOption(open.length === 1, 'manifest', 'XML whose elements are all closed')
}

const elementIn = (name: string, base: string | undefined): Element => ({ name, outerBase: base, base, hasUrl: false })

function foundAt(span: Span, tag: string, base: string | undefined, resolve: Addresses['resolve'], hasPrefix: boolean): Found {
  const isTemplate = tag === 'SegmentTemplate' && IDENTIFIER.test(span.value)
  assertOption(!isTemplate || hasPrefix, 'prefix', 'given for a manifest with templates: the folder of the URLs that a player makes')
  const [path = '', query = ''] = span.value.split('?', 2)
  assertOption(
    !IDENTIFIER.test(query),
    'manifest',
    'one whose templates have their identifiers in the path, because the signature covers the query',
  )
  const url = isTemplate ? path.replace(ALL_IDENTIFIERS, 'x') + span.value.slice(path.length) : span.value
  return { ...span, tag, absolute: resolve(url, base) }
}

/** The other URLs of an element are resolved against its first BaseURL. Players may use the further ones as alternatives. */
function changeBase(element: Element, outer: readonly Element[], base: string | undefined, hasPrefix: boolean): void {
  // A URL of an outer element gets another path by this BaseURL, and its signature would not match that path.
  const isChanged = outer.some(({ hasUrl }) => hasUrl)
  assertOption(!isChanged || hasPrefix, 'prefix', 'given for a manifest with a BaseURL inside of the element whose segments it changes')
  if (element.base === element.outerBase) element.base = base
}

function trimmed({ value, from, to }: Span, manifest: string): Span {
  const written = manifest.slice(from, to)
  const start = written.length - written.trimStart().length
  return { value: value.trim(), from: from + start, to: from + written.trimEnd().length }
}
