// securelink/guard: signed links in front of a fetch handler.
export type { GuardOptions, Handler } from './http/admission.ts'
export { type CacheControlOptions, cacheControl } from './http/cache-control.ts'
export { type ConfirmOptions, type ConfirmWords, confirm } from './http/confirm.ts'
export { guard } from './http/guard.ts'
export type { PageWords, Refusal, RefusalOptions, RefusalReason, RefusalWords, Refuse, Unserved } from './http/refusal.ts'
export { type CookieOptions, setCookies } from './http/set-cookies.ts'
