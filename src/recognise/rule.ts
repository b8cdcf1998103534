// The types of recognition rules: which links a rule describes, and what it reads from them.
import type { UnverifiedClaims } from '../core/claims.ts'

/** A link, taken apart for the rules. */
export interface Link {
  readonly path: string
  /** With its `?`, or empty. */
  readonly query: string
  /** The value of a parameter as it stands in the link, or `undefined`. If the parameter occurs twice, the first one counts, as with NGINX. */
  raw(name: string): string | undefined
  /** The decoded value of a parameter. Empty if the parameter is missing, or has a broken escape. */
  text(name: string): string
}

/** The expiry of a link, in milliseconds since 1970. Without `expires` the link does not show it. */
export interface LinkExpiry {
  /** NaN: the expiry cannot be read, so the link is not recognised. Infinity, and a number that no `Date` can hold, count as missing. */
  readonly expires?: number | undefined
  /** The link has its expiry in milliseconds. */
  readonly milliseconds?: boolean
}

/** What a link says. `recognise` leaves out empty values, and times that are not finite. Times are in milliseconds since 1970. */
export interface Said extends LinkExpiry {
  readonly starts?: number | undefined
  // `null`: the answer of `match` for a text without one.
  readonly methods?: readonly string[] | null | undefined
  readonly ip?: string | undefined
  readonly prefix?: string | undefined
  readonly uses?: number | undefined
  readonly id?: string | undefined
  readonly keyId?: string | undefined
}

/** One kind of link of one vendor. */
export interface Rule {
  /** The name of the scheme, as in its file name, or of the vendor. */
  readonly vendor: string
  /** The only origins with such links. Default: any. */
  readonly hosts?: RegExp
  /** The only paths with such links. Default: any. */
  readonly paths?: RegExp
  /** The parameters that every such link has, with the form of their values. None for links that have their signature in the path. */
  readonly parameters?: Readonly<Record<string, RegExp>>
  /** The names of the vendor's other parameters. They are not part of the resource either. */
  readonly optional?: RegExp
  /** The parameter that has the expiry, as a Unix time. A link without this parameter does not show its expiry. */
  readonly expires?: string
  /** The form of an expiry with which a link never expires. To PHP, `'0'` is false. */
  readonly never?: RegExp
  /** Reads other claims of the link, or an expiry in another form. `undefined`: it is not such a link after all. It must not throw. */
  read?(link: Link): Said | undefined
}

/** Which scheme made a link, and what the link says about itself. Nothing of it is verified. */
export interface Recognised {
  /** The name of the scheme, the vendor or the framework. */
  readonly scheme: string
  /** What the link says. Without `expires`, it does not show its expiry. */
  readonly unverified: UnverifiedClaims
  /** The expiry is written in milliseconds. Most vendors take it for seconds, so they never refuse such a link. Absent: seconds, or a date. */
  readonly milliseconds?: true
}
