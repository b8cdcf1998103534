// Claims: what a link says.

/** The statements of a link. On a verdict, a valid signature proves them. From `inspect`, anybody can have written them. */
export interface Claims {
  /** The URL without the scheme's parameters. On a verdict: as far as the signature covers it. */
  readonly resource: string
  /** The link is refused from this time on. For a link that never expires, a date in the year 5138. */
  readonly expires: Date
  /** `true` for a link that never expires. */
  readonly endless?: true
  /** The link is refused before this time. */
  readonly starts?: Date
  /**
   * Upper case, sorted. Absent: `GET` and `HEAD`. Before the link is verified, absent can also mean any method, because storage services sign a method
   * that the link does not show: those schemes have `'method'` in `reads`.
   */
  readonly methods?: readonly string[]
  /** Names of the headers that the request must carry with the values that were signed, in lower case. */
  readonly signedHeaders?: readonly string[]
  /** The address, network or range `a-b` that the link is for. Only `/24` where the link shows the length and the signature covers the address. */
  readonly ip?: string
  /** The path that the link opens, with everything below. Absent: only the path of `resource`. */
  readonly prefix?: string
  /** How often the link can be redeemed in all. Absent: no limit. */
  readonly uses?: number
  /** The name of the link, for `revoked` and for counting its uses. */
  readonly id?: string
  /** The id of the key that signed. */
  readonly keyId?: string
  /** The payload of a token that has one. */
  readonly data?: unknown
}

/** Claims that are not verified. Without `expires` the link does not show its expiry. */
export type UnverifiedClaims = Omit<Claims, 'expires'> & { readonly expires?: Date }
