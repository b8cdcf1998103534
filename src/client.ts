// What `securelink/client` exports: what a page needs for links that expire. None of it holds a key.
export { type ExpiresInOptions, expiresIn, type FetchLinkOptions, fetchLink, type Renew } from './client/fetch-link.ts'
export { type Keepable, type KeepFreshOptions, keepFresh } from './client/keep-fresh.ts'
export { type Clock, type ServerClockOptions, serverClock } from './client/server-clock.ts'
