// securelink/all-of: several tokens in one request, all of which must be good.
export { allOf } from './core/all-of.ts'
