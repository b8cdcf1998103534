// securelink/njs: the handlers of `hmac` for NGINX's own JavaScript.

export type { Handlers, NginxKey, NginxRequest, NginxSettings } from './njs/request.ts'
export { default } from './njs/securelink.ts'
