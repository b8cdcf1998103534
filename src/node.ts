// securelink/node: fetch handlers on Node's own server, and links in front of Express, Polka, Connect and Fastify.
export { type Admitted, listener, type MiddlewareOptions, middleware, type NodeInfo } from './http/node.ts'
