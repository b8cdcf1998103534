// securelink/service: signing, verifying and redeeming over HTTP, for programs that are written in other languages.
export { type Authorize, bearer, type Denied, type Limits, type Token, type Verb, type Wanted, type WantedLink } from './service/bearer.ts'
export { type PythonRoutesOptions, pythonRoutes } from './service/python-routes.ts'
export type { RenewalAnswer, RenewalRefusalReason } from './service/renew-link.ts'
export { type RenewalOptions, renewal } from './service/renewal.ts'
export { type FetchHandler, type ServiceOptions, service } from './service/service.ts'
