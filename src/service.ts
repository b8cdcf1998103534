// securelink/service: signing, verifying and redeeming over HTTP, for programs in other languages.
export { type Authorize, bearer, type Denied, type Limits, type Token, type Verb, type Wanted, type WantedLink } from './service/bearer.ts'
export { type ServiceOptions, service } from './service/service.ts'
