// securelink/client: fetches and shows links that expire. It holds no key.
export type { Keepable } from './client/element.ts'
export { type ExpiresInOptions, expiresIn } from './client/expires-in.ts'
export { type FetchLinkOptions, fetchLink } from './client/fetch-link.ts'
export { type KeepFreshOptions, keepFresh } from './client/keep-fresh.ts'
export type { Renew } from './client/renewal.ts'
export { type Clock, type ServerClockOptions, serverClock } from './client/server-clock.ts'
