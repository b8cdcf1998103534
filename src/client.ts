// securelink/client: what a page does with links. It holds no key.
export { type ExpiresInOptions, expiresIn, type FetchLinkOptions, fetchLink, type Renew } from './client/fetch-link.ts'
export { type Keepable, type KeepFreshOptions, keepFresh } from './client/keep-fresh.ts'
export { type Clock, type ServerClockOptions, serverClock } from './client/server-clock.ts'
