// securelink/njs: the handlers of `hmac` for NGINX's own JavaScript.
export { default } from './njs/securelink.ts'
export type { Handlers, NginxKey, NginxRequest, NginxSettings } from './njs/request.ts'
