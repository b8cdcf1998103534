// What a recognition rule is: whose links it describes, how they look, and what it reads from one. Types only.

/** A link, taken apart for the rules. */
export interface Link {
  /** `https://cdn.example:8443`, or empty when the link is a path. */
  readonly origin: string
  readonly path: string
  /** With its `?`, or empty. */
  readonly query: string
  /** A parameter's value as it stands in the link; `undefined` when it is not there. Of several the first one counts, as with NGINX. */
  raw(name: string): string | undefined
  /** The same without its escapes. Empty when it is not there, or when an escape in it is broken. */
  text(name: string): string
}

/** When a link ends, and whether that was written in milliseconds. Without `expires` the link does not tell. */
export interface End {
  /** In milliseconds; what is not finite is not told. */
  readonly expires?: number
  readonly milliseconds?: boolean
}

/** What a link says. Empty values and times that are not finite are left out of the answer. */
export interface Said extends End {
  readonly starts?: number | undefined
  readonly methods?: readonly string[] | undefined
  readonly ip?: string | undefined
  readonly prefix?: string | undefined
  readonly uses?: number | undefined
  readonly id?: string | undefined
  readonly keyId?: string | undefined
}

/** One kind of link of one vendor. */
export interface Rule {
  readonly vendor: string
  /** The only origins with such links. Default: any. */
  readonly hosts?: RegExp
  /** The only paths with such links. Default: any. */
  readonly paths?: RegExp
  /** The parameters that every such link has, and how their values look. Empty for links that carry their signature in the path. */
  readonly parameters: Readonly<Record<string, RegExp>>
  /** The names of further parameters of the vendor, which are not part of the resource either. */
  readonly optional?: RegExp
  /** `undefined`: it is not such a link after all. */
  read(link: Link): Said | undefined
}

/** What {@link Recognised} tells of a link. Anybody can have written it. */
export interface RecognisedClaims {
  /** The URL without the vendor's parameters. */
  readonly resource: string
  /** From this moment on the link is expired. An invalid date where the link does not tell. */
  readonly expires: Date
  /** Before this moment the link opens nothing. */
  readonly starts?: Date
  /** Upper case, sorted. */
  readonly methods?: readonly string[]
  /** Address, network or range. `/24` alone where the link tells only the length. */
  readonly ip?: string
  /** The path that the link opens, with everything below it. */
  readonly prefix?: string
  /** How often the link can be redeemed. */
  readonly uses?: number
  /** The name of the link. */
  readonly id?: string
  /** The id of the key that signed. */
  readonly keyId?: string
}

/** Whose link it is, and what the link says of itself. Nothing of it is verified. */
export interface Recognised {
  /** The scheme, the vendor or the framework. */
  readonly scheme: string
  readonly unverified: RecognisedClaims
  /** The expiry is written in milliseconds. Most vendors read it as seconds, and such a link then never expires. Absent: seconds, or a date. */
  readonly milliseconds?: true
}
