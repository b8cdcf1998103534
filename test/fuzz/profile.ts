// A profile: one scheme as the fuzzer uses it. It says how the scheme is set up, which grants to ask for, and how to compare what is covered.
import type { Scheme, Verdict } from '../../src/index.ts'
import type { Random } from './random.ts'
import type { Target } from './readings.ts'

/** The conditions of a grant, as `sign` takes them. */
export type Conditions = { readonly expires: Date | 'never' } & Readonly<Record<string, unknown>>

/** A key, as factories take it. */
export interface Key {
  readonly id?: string
  readonly secret: string
  readonly starts?: Date
  readonly expires?: Date
}

/** A link that was signed, and what was asked for. */
export interface Issued {
  readonly profile: Profile
  readonly url: string
  readonly conditions: Conditions
  readonly link: string
  /** The link, taken apart, without its fragment. */
  readonly target: Target
  /** As `signatureOf` takes it from the link. */
  readonly signature: string
  /** The key that signed, and when the link expires, in milliseconds. */
  readonly key: Key
  readonly end: number
}

/** A request. */
export interface Visit {
  readonly url: string
  readonly target: Target
  readonly method: string
  readonly ip: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** In milliseconds. */
  readonly now: number
  /** In seconds. */
  readonly tolerance: number
}

export type Claims = NonNullable<Verdict['claims']>

/** Compares one field of a request with the grant. Answers what differs, or nothing. */
export type Check = (issued: Issued, visit: Visit, claims: Claims, verifier: Profile) => string | undefined | false

export interface Profile {
  readonly label: string
  /** Schemes of one family have the same secrets. */
  readonly family: string
  readonly scheme: Scheme
  /** The keys of the scheme. Those of a lookup function are here, too. */
  readonly ring: readonly Key[]
  /** Names of the link's own query parameters. */
  readonly parameters: readonly string[]
  /** Texts that stand between fields of the string to sign. */
  readonly separators: readonly string[]
  /** A grant to ask for. `sign` may refuse it. */
  grant(random: Random): { url: string; conditions: Conditions }
  /** The signature in a link, decoded. */
  signatureOf(target: Target): string
  /** By the words of `scheme.covers`. */
  readonly fields: Readonly<Record<string, Check>>
  /** Compared whatever `covers` says. */
  readonly always: readonly Check[]
  /** Which methods the grant opens. */
  methods(issued: Issued, visit: Visit): readonly string[]
  /** The signature does not cover the expiry, or lets it run into another field, so anybody can change it. */
  readonly endless?: boolean
  /** A signature of this scheme has one spelling. */
  readonly oneSpelling?: boolean
  /** The second half of a signature covers the address alone. */
  readonly halves?: boolean
  /** A prefix of its links has scheme and host in it, so a request to another host is `wrong_path`. */
  readonly prefixHasOrigin?: boolean
  /** Refusals that a link may get as it was signed, because `sign` does not compare some conditions with the URL. */
  refused?(issued: Issued): readonly string[]
  /** Its normal form is defined for the characters that clients send. */
  readonly plainCharacters?: boolean
  /** The options, for the reader of a failure. */
  readonly options: object
}

export const different = (same: boolean, what: string): string | false => !same && what

/** The methods that a grant asks for. */
export const methodsOf = ({ conditions }: Pick<Issued, 'conditions'>): readonly string[] => {
  const asked = conditions['method'] as string | readonly string[] | undefined
  const methods = asked ? [asked].flat().map((name) => name.toUpperCase()) : ['GET', 'HEAD']
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods
}

/** Rounded down to a whole second. */
export const second = (date: unknown): number => Math.floor(Number(date) / 1000) * 1000

/** The expiry of links that never expire, as docs/SECURITY.md has it. */
export const NEVER = 99_999_999_999_000

const HOUR = 3_600_000

/** The key that signs a grant, and the end of the link: no link outlives its key. `undefined` if no key is in time. */
export function signer(ring: readonly Key[], { expires, align }: Conditions, now: number): { key: Key; end: number } | undefined {
  const inTime = ring.filter((key) => !(key.starts && now < +key.starts) && !(key.expires && second(key.expires) <= now))
  const window = align === '1h' ? HOUR : 1000
  const asked = expires === 'never' ? undefined : Math.ceil(+expires / window) * window
  const lasts = (key: Key): boolean => !key.expires || (asked !== undefined && asked <= second(key.expires))
  const long = inTime.find(lasts)
  if (long) return { key: long, end: asked ?? NEVER }
  const [first] = inTime
  return first && { key: first, end: second(first.expires) }
}

/** The key of a verifier with which a signature of this key matches. */
export function keyOf({ ring }: Profile, { id, secret }: Key): Key | undefined {
  return ring.find((key) => key.secret === secret && (id === undefined || key.id === id))
}

/** `claims.expires` of an accepted request is the end of the link, or of a key that the verifier ends sooner. */
export const expires: Check = ({ end, key }, _, claims, verifier) => {
  const keyEnd = +(keyOf(verifier, key)?.expires ?? Number.POSITIVE_INFINITY)
  if (+claims.expires !== end && +claims.expires !== Math.min(end, keyEnd)) return 'claims.expires'
  return different((claims.endless === true) === (+claims.expires === NEVER), 'claims.endless')
}

export const starts: Check = ({ conditions, key }, { now, tolerance }, claims, verifier) => {
  const asked = conditions['starts'] === undefined ? 0 : second(conditions['starts'])
  // A key that begins later begins its links.
  const start = Math.max(asked, +(keyOf(verifier, key)?.starts ?? 0))
  if (+(claims.starts ?? 0) !== start) return 'claims.starts'
  return start > 0 && now + tolerance * 1000 < start && 'early'
}

/** Path and query of `claims.resource`. */
export const targetParts = (resource: string): { path: string; query: string } => {
  const [, path = '/', query = ''] = /^(?:[a-z][a-z\d+.-]*:\/\/[^/?#]*)?([^?]*)(?:\?(.*))?$/is.exec(resource) ?? []
  return { path: path || '/', query }
}
