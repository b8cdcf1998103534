// hmac: SecureLink's own scheme, HMAC-SHA-256 over everything that a link grants. docs/spec.md describes the format.
import type { Claims } from '../core/claims.ts'
import type { Condition } from '../core/conditions.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { type Keys, keyring, type SecretKey } from '../core/keys.ts'
import type { Covered, Reading, Scheme, Unreadable } from '../core/scheme.ts'
import type { Network } from '../lib/address.ts'
import { asSent, canonicalName, canonicalPath, canonicalQuery, hidesName, MOST_PIECES, orderedQuery } from '../lib/canonical.ts'
import { below, normalOrigin } from '../lib/normalise.ts'
import { append, decodeValue, encodeValue, endOf, isDecodable, LONGEST, type Parts, piecesOf, placeOf, split } from '../lib/url.ts'

/** The parameters of a link by their meaning, which is also their default name. */
export type HmacParameter = 'expires' | 'starts' | 'method' | 'net' | 'prefix' | 'uses' | 'id' | 'key' | 'signature'

/** Options of {@link hmac}. Signer and verifier need the same ones. */
export interface HmacOptions {
  /** The purpose of the links, such as `'unsubscribe'`: a link of one purpose does not open another. Not written into the link. Default: none. */
  readonly purpose?: string
  /** `true` also covers scheme, host and port. Default: `false`, because proxies change them. */
  readonly origin?: boolean
  /**
   * Query parameters that others may add in transit: names, or beginnings of names followed by `*`, such as `['utm_*', 'fbclid']`. They are not
   * covered, and `claims.resource` leaves them out. Default: none.
   */
  readonly ignore?: readonly string[]
  /** Other names for the link's parameters, if the URL has parameters with these names: `{ id: 'link_id' }`. Letters, digits, `_`, `.` and `-`. */
  readonly parameters?: Partial<Readonly<Record<HmacParameter, string>>>
  /** `'path'` puts the token into the first path segment, so that the relative URLs of a playlist or a page keep it. Default: `'query'`. */
  readonly placement?: 'query' | 'path'
}

// In the order in which a link has them. The string to sign lists them in the same order, without the signature.
const SIGNED = ['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key'] as const
const PARAMETERS = [...SIGNED, 'signature'] as const

const OPTIONS = ['purpose', 'origin', 'ignore', 'parameters', 'placement']

// The form of each parameter. Seconds have at most eleven digits: a longer number is milliseconds.
const SECONDS = /^[1-9]\d{0,10}$/
const FORMS: Readonly<Record<HmacParameter, RegExp | undefined>> = {
  expires: SECONDS,
  starts: SECONDS,
  method: /^[A-Z-]+(,[A-Z-]+)*$/,
  net: /^\d{1,3}$/,
  prefix: /^\//,
  uses: /^[1-9]\d{0,8}$/,
  // Any text that is not empty.
  id: undefined,
  key: undefined,
  // One signature or two. The length is checked when it is known whether the link has `net`.
  signature: /^[\w-]+$/,
}

type Values = { [Name in HmacParameter]?: string | undefined }

/** What a link is for, as it was written or in the form that is signed. */
type Resource = Pick<Parts, 'origin' | 'path' | 'query'>

/** The parts of a URL: the link's own parameters, and the rest of the URL without these and without ignored ones. */
interface Taken {
  /** The link's parameters, decoded. */
  readonly values: Values
  /** A parameter that cannot be read, such as one that occurs twice. */
  faulty: string | undefined
  readonly origin: string
  path: string
  query: string
  /** Is each name and value in its canonical form, as in most URLs? */
  readonly plain: boolean | undefined
  /** Has the whole query more pieces than parsers accept? They drop those at the end, so all must stay where they are. */
  readonly tooMany: boolean
}

/**
 * Links of SecureLink's own format: HMAC-SHA-256 over method, path, query, expiry and every other condition. Choose it wherever you run both the
 * signer and the verifier.
 *
 * Its links can carry every condition. docs/spec.md describes the format well enough to implement it in another language.
 *
 * @param keys - Secrets of at least 32 bytes, newest first: the first one that is valid now signs, all of them verify, and an empty list only reads
 *   links. Key ids are written into the links.
 * @param options - Signer and verifier need the same ones.
 * @returns The scheme, for `sign`, `verify` and the other verbs.
 * @throws A `LinkError`: `weak_key` for a secret under 32 bytes, `bad_option` for a wrong key or option.
 *
 * @example
 * ```ts
 * import { hmac, sign, verify } from 'securelink'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const link = await sign(links, 'https://cdn.example/report.pdf', { expires: '10m' })
 * const verdict = await verify(links, link)
 * console.log(verdict.ok) // true
 * ```
 */
export function hmac(keys: Keys<SecretKey>, options: HmacOptions = {}): Scheme<Condition, object, 'required'> {
  const { purpose = '', origin = false, ignore = [], parameters = {}, placement = 'query' } = options
  const names: readonly string[] = PARAMETERS.map((name) => parameters[name] ?? name)
  assertOptions(options, names)
  const inPath = placement === 'path'
  const nameOf = (parameter: HmacParameter): string | undefined => names[PARAMETERS.indexOf(parameter)]
  const encodedPurpose = encodeValue(purpose)
  // Names are compared in canonical form, so none has to be decoded.
  const ignored = ignore.map((name) => ({ name: encodeValue(name.replace(/\*$/, '')), begins: name.endsWith('*') }))

  // A piece in which some server reads another parameter is covered.
  function isIgnored(name: string, piece: string): boolean {
    return ignored.some((other) => name === other.name || (other.begins && name.startsWith(other.name))) && !hidesName(piece)
  }

  // PHP and qs read `id[]` and ` id` as `id`, and the last one counts. The link's own `id`, which is appended, would change the value that they read.
  function looksLikeOurs(name: string): boolean {
    return name.includes('%') && names.includes(name.replace(/^(%20)+|%(5B|00).*$/g, ''))
  }

  /** The parameter of the link's that has this name, in canonical form. */
  function parameterOf(name: string): HmacParameter | undefined {
    const place = placeOf(name, names)
    return place < 0 ? undefined : PARAMETERS[place]
  }

  /** Takes the link's parameters out of a URL. `whole` is the query that it will have. */
  function takeApart({ origin, path, query, plain }: Parts, whole = query): Taken {
    const tooMany = whole.length > MOST_PIECES && whole.split('&').length > MOST_PIECES
    const taken: Taken = { values: noValues(), faulty: undefined, origin, path, query, plain, tooMany }
    if (inPath) takeFromPath(taken)
    takeFromQuery(taken)
    return taken
  }

  function takeFromPath(taken: Taken): void {
    const end = endOf(taken.path, '/', 1)
    // Programs that escape each segment of a path, as `encodeURIComponent` does, escape these marks of the token.
    const token = taken.path.slice(0, end).replace(/%(?:2C|3D|7E)/gi, decodeURIComponent)
    if (!token.startsWith(`/${names[0]}=`)) return
    // `~` stands for `%` here: servers refuse or decode `%2F` in a path.
    for (const piece of token.slice(1).replaceAll('~', '%').split(',')) {
      const written = nameIn(piece)
      const parameter = parameterOf(canonicalName(written))
      if (parameter) take(taken, parameter, piece.slice(written.length + 1))
      else if (piece) taken.faulty ??= names[0]
    }
    taken.path = taken.path.slice(end) || '/'
  }

  function takeFromQuery(taken: Taken): void {
    const { plain, tooMany } = taken
    const kept: string[] = []
    let behindTheLink = false
    for (const piece of piecesOf(taken.query)) {
      const written = nameIn(piece)
      // Names are compared in canonical form, so none has to be decoded. Of thousands none is ignored, so only simple names matter.
      const name = plain ? written : canonicalName(written, tooMany)
      const parameter = inPath ? undefined : parameterOf(name)
      if (parameter) {
        const value = piece.slice(written.length + 1)
        // Signers write a plus as `%2B`. So a `+` is a space, which `URLSearchParams` and forms write this way.
        take(taken, parameter, plain ? value : value.replaceAll('+', '%20'))
        // Not a value in which some server reads another parameter.
        if (!plain && hidesName(piece)) taken.faulty ??= nameOf(parameter)
        behindTheLink = true
        continue
      }
      if (!tooMany && isIgnored(name, piece)) continue
      kept.push(piece)
      if (!inPath && looksLikeOurs(name)) taken.faulty ??= name
      if (tooMany && behindTheLink) taken.faulty ??= names[0]
      // The link is malformed, whatever follows.
      if (tooMany && behindTheLink && taken.values.signature) break
    }
    const query = kept.join('&')
    taken.query = query && `?${query}`
  }

  /** Takes a parameter of the link's. */
  function take(taken: Taken, parameter: HmacParameter, value: string): void {
    // A repeated parameter is not decoded again.
    if (taken.values[parameter] === undefined) {
      // A signature has one spelling, so it is not decoded.
      const text = parameter !== 'signature' && value.includes('%') ? decodeValue(value) : value
      taken.values[parameter] = text || ''
      if (text && FORMS[parameter]?.test(text) !== false) return
    }
    taken.faulty ??= nameOf(parameter)
  }

  /** The form that is signed. In a plain URL, all but the order of its parameters is in that form. */
  function canonical({ origin, path, query, tooMany }: Taken, plain: boolean | undefined): Resource {
    if (plain && !tooMany) return { origin, path, query: orderedQuery(query) }
    return { origin: normalOrigin(origin), path: canonicalPath(path), query: tooMany ? query : canonicalQuery(query) }
  }

  /** The string to sign: docs/spec.md, section 5. */
  function stringToSign(values: Values, resource: Resource): string {
    let text = `SecureLink hmac v1\n${encodedPurpose}\n${origin ? resource.origin : ''}\n${values.prefix ? '' : resource.path}\n${resource.query}`
    for (const parameter of SIGNED) text += `\n${encoded(values[parameter])}`
    return text
  }

  return {
    name: 'hmac',
    carries: ['starts', 'method', 'ip', 'prefix', 'uses', 'id'],
    covers: covered(purpose !== '', origin),
    parameters: inPath ? [] : names,
    algorithm: { hmac: 'SHA-256', encoding: 'base64url' },
    keys: keyring(keys, { shortest: 32 }),

    write(grant, key) {
      const { expires, starts, methods, network, uses, id } = grant
      const url = asSent(grant.url, grant.parts)
      const parts = url === grant.url ? grant.parts : split(url)
      assertOption(!origin || parts.origin, 'url', 'absolute with origin: true')
      assertOption(parts.plain || isAscii(parts.origin), 'url', 'one with an ASCII host, such as xn--p1ai.example')
      const prefix = grant.prefix && canonicalPath(grant.prefix)
      const values: Values = {
        expires: `${expires}`,
        starts: starts ? `${starts}` : undefined,
        method: methods?.join(),
        net: network && `${network.bits}`,
        prefix,
        uses: uses ? `${uses}` : undefined,
        id,
        key: key.id,
        signature: undefined,
      }
      const unsigned = tokenOf(values)
      const taken = takeApart(parts, inPath ? parts.query : `${parts.query}&${unsigned}`)
      assertOption(!taken.faulty, 'url', "without names such as 'id[]', which servers read as the link's 'id'")
      const resource = canonical(taken, parts.plain)
      assertOption(!prefix || opens(prefix, resource.path), 'prefix', 'UTF-8, and a path that the path of url lies in')
      const toSign = stringToSign(values, resource)
      return {
        toSign,
        addressToSign: network && addressToSign(toSign, network),
        link: (signature, addressSignature = '') => insert(url, parts, unsigned + signature + addressSignature),
      }
    },

    read(url, _header, whole): Reading | Unreadable {
      if (url.length > LONGEST) return 'malformed'
      const parts = whole ?? split(url)
      const taken = takeApart(parts)
      const { values } = taken
      const { expires, net, prefix, signature } = values
      if (expires === undefined && signature === undefined) return 'unsigned'
      const unreadable = taken.faulty ?? missing(values)
      if (unreadable) return { malformed: unreadable }
      if (taken.path[0] !== '/' || !(parts.plain || isAscii(url))) return 'malformed'

      const signed = canonical(taken, parts.plain)
      const toSign = stringToSign(values, signed)
      const tag = signature as string
      const asWritten = signed.origin === taken.origin && signed.path === taken.path && signed.query === taken.query
      return {
        claims: claimsOf(values, taken),
        signature: net ? tag.slice(0, 43) : tag,
        // A URL without an origin has the same string as a link that does not cover the origin.
        toSign: () => (origin && !taken.origin ? undefined : toSign),
        address: net ? { signature: tag.slice(43), toSign: ({ network }) => addressToSign(toSign, network(+net)) } : undefined,
        // In the form that was signed, which may differ from the request.
        proves: asWritten ? undefined : () => ({ resource: signed.origin + signed.path + signed.query }),
        opens: !prefix || opens(prefix, signed.path),
      }
    },
  }

  /** The first parameter that is missing, or does not fit the others. */
  function missing({ expires, net, uses, id, signature }: Values): string | undefined {
    if (!expires) return nameOf('expires')
    if (signature?.length !== (net ? 86 : 43)) return nameOf('signature')
    return uses && !id ? nameOf('id') : undefined
  }

  /** The link's parameters as they are written into it, without the signature itself. */
  function tokenOf(values: Values): string {
    let token = ''
    for (let place = 0; place < SIGNED.length; place++) {
      const value = values[SIGNED[place] as HmacParameter]
      if (value) token += `${names[place]}=${encodeValue(value)}${inPath ? ',' : '&'}`
    }
    return `${token}${names[SIGNED.length]}=`
  }

  /** The URL with the link's parameters: at the end of its query, or as the first segment of its path, where `~` stands for `%`. */
  function insert(url: string, { origin }: Parts, token: string): string {
    if (!inPath) return append(url, token)
    const segment = token.replaceAll('~', '%7E').replaceAll('%', '~')
    return `${origin}/${segment}${url.slice(origin.length).replace(/^(?!\/)/, '/')}`
  }
}

/** A misspelt purpose would protect nothing, so every option is checked. */
function assertOptions(options: HmacOptions, names: readonly string[]): void {
  const { purpose = '', origin = false, ignore = [], parameters = {}, placement = 'query' } = options
  assertKnownOptions(options, OPTIONS, 'hmac()')
  assertKnownOptions(parameters, PARAMETERS, 'the option parameters of hmac()')
  assertOption(typeof purpose === 'string' && isWellFormed(purpose), 'purpose', 'well-formed text')
  assertOption(typeof origin === 'boolean', 'origin', 'true or false')
  const isName = (name: unknown) => typeof name === 'string' && isWellFormed(name)
  assertOption(Array.isArray(ignore) && ignore.every(isName), 'ignore', "a list of names, each with a '*' at its end or without")
  const distinct = names.every((name, i) => typeof name === 'string' && /^[\w.-]+$/.test(name) && names.indexOf(name) === i)
  assertOption(distinct, 'parameters', "distinct names of letters, digits, '_', '.' and '-'")
  assertOption(placement === 'query' || placement === 'path', 'placement', "'query' or 'path'")
}

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

function covered(purpose: boolean, origin: boolean): readonly Covered[] {
  const always: readonly Covered[] = ['path', 'query', 'method', 'ip', 'starts', 'expires', 'prefix', 'uses', 'id', 'key']
  return [...(origin ? (['scheme', 'host'] as const) : []), ...always, ...(purpose ? (['purpose'] as const) : [])]
}

function claimsOf({ expires, starts, method, net, prefix, uses, id, key }: Values, { origin, path, query }: Resource): Claims {
  const claims: { -readonly [Name in keyof Claims]: Claims[Name] } = {
    resource: origin + path + query,
    expires: new Date(+(expires as string) * 1000),
  }
  if (starts) claims.starts = new Date(+starts * 1000)
  if (method) claims.methods = method.split(',')
  if (net) claims.ip = `/${net}`
  if (prefix) claims.prefix = prefix
  if (uses) claims.uses = +uses
  if (id) claims.id = id
  if (key) claims.keyId = key
  return claims
}

/** The string of the second signature: the first one's, and the bits of the network. */
function addressToSign(toSign: string, network: Network): string
function addressToSign(toSign: string, network: Network | undefined): string | undefined
function addressToSign(toSign: string, network: Network | undefined): string | undefined {
  return network && `${toSign}\n${network.digits}`
}

const noValues = (): Values => ({
  expires: undefined,
  starts: undefined,
  method: undefined,
  net: undefined,
  prefix: undefined,
  uses: undefined,
  id: undefined,
  key: undefined,
  signature: undefined,
})

/** The name of a piece, not decoded. */
function nameIn(piece: string): string {
  return piece.slice(0, endOf(piece, '='))
}

/** A value as the string to sign has it, which is empty for a parameter that the link does not have. */
function encoded(value: string | undefined): string {
  return value ? encodeValue(value) : ''
}

/** Has this text only the characters that a request line can have? */
function isAscii(text: string): boolean {
  return /^[!-~]*$/.test(text)
}

/** Is this path at the prefix or below it? Only prefixes that a signer writes open something: in canonical form, and decoded alike everywhere. */
function opens(prefix: string, path: string): boolean {
  return canonicalPath(prefix) === prefix && isDecodable(prefix) && !prefix.includes('\\') && below(path, prefix)
}
