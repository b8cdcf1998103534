// Conditions: the requests that a link is to be valid for, as the caller of `sign` writes them.
import type { Duration, When } from './time.ts'

/** The standard conditions. Which of them a scheme can carry is in its type. */
export type Condition = 'starts' | 'method' | 'ip' | 'prefix' | 'uses' | 'id'

/** Whether links of a scheme have an expiry: always, when asked to, or never. */
export type Expiry = 'required' | 'optional' | 'none'

/** The conditions that some schemes can carry. */
export interface OptionalConditions {
  /** The link is not valid before this time; rounded down to the second. */
  readonly starts?: When
  /** The methods that the link opens. `GET` implies `HEAD`. Default: `GET` and `HEAD`. */
  readonly method?: string | readonly string[]
  /** The only address, or network in CIDR form, that the link opens for: `'203.0.113.7'`, `'203.0.113.0/24'`, `'2001:db8::/64'`. */
  readonly ip?: string
  /** A path. The link opens it and everything below: `'/videos/7/'`. */
  readonly prefix?: string
  /** How often the link can be redeemed; 1 makes a one-time link. Such a link needs `redeem`; `verify` refuses it. */
  readonly uses?: number
  /** Names the link, for `revoked` and for counting its uses. Default: a random id for links with `uses`, otherwise none. */
  readonly id?: string
}

/** The conditions that `sign` takes: `expires` always, and the others as far as the scheme can carry them. */
export type Conditions<C extends Condition = Condition, E extends Expiry = 'required'> = {
  /** When the link expires; rounded up to the second. There is no default. `'never'` if the scheme has links without an expiry. */
  readonly expires: (E extends 'none' ? never : When) | (E extends 'required' ? never : 'never')
  /** Rounds the expiry up to a multiple of this duration, so that links signed within it are identical and caches can share them. */
  readonly align?: Duration
} & Pick<OptionalConditions, C>
