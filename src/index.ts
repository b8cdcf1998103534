// securelink: the four verbs, SecureLink's own scheme hmac, anyOf, and their types.
export { anyOf } from './core/any-of.ts'
export type { Claims, UnverifiedClaims } from './core/claims.ts'
export type { Condition, Conditions, Expiry, OptionalConditions } from './core/conditions.ts'
export { LinkError, type LinkErrorCode } from './core/errors.ts'
export { inspect, type Unverified } from './core/inspect.ts'
export type { KeyLookup, Keyring, Keys, PlatformKey, RemoteSecret, Secret, SecretKey } from './core/keys.ts'
export { type LinkMemory, type LinkMemoryOptions, linkMemory } from './core/memory.ts'
export { type RedeemOptions, redeem, type UseStore } from './core/redeem.ts'
export type {
  Algorithm,
  Cookie,
  Covered,
  Draft,
  Encoding,
  Grant,
  Hash,
  MaybeAsync,
  Message,
  PostCondition,
  PostField,
  PostForm,
  Reading,
  RequestPart,
  Scheme,
  Signer,
  Unreadable,
  Visit,
} from './core/scheme.ts'
export { type SignOptions, sign } from './core/sign.ts'
export { signAll } from './core/sign-all.ts'
export { type JsonPath, type Match, signIn } from './core/sign-in.ts'
export type { Duration, When } from './core/time.ts'
export {
  type Accepted,
  type Reason,
  type Refused,
  statusOf,
  type TrustedReason,
  type UntrustedReason,
  type Verdict,
} from './core/verdict.ts'
export { type VerifyOptions, type Visited, verify } from './core/verify.ts'
export type { Network } from './lib/address.ts'
export type { Parts } from './lib/url.ts'
export { type HmacOptions, type HmacParameter, hmac } from './schemes/hmac.ts'
