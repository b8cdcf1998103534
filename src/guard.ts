// securelink/guard: signed links in front of a fetch handler.
export { type ConfirmOptions, type ConfirmWords, confirm } from './http/confirm.ts'
export { type CacheControlOptions, cacheControl, type GuardOptions, guard, type Handler } from './http/guard.ts'
