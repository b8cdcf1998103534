// securelink/node: fetch handlers on Node's own server, and links in front of Express, Polka, Connect and Fastify.
export { listener } from './http/node/listener.ts'
export { type Admitted, type FrameworkRequest, type MiddlewareOptions, middleware } from './http/node/middleware.ts'
export type { NodeInfo } from './http/node/request.ts'
