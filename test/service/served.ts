// The link service that cases.ts asks: in process, and on each server. Bundled, it is one module that each of them can run.

import { hmac } from '../../src/index.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { bearer, pythonRoutes, service } from '../../src/service.ts'
import { memoryStore } from '../../src/stores/memory.ts'

export const SECRET = 'the-secret-of-this-service-0123456789abcdef'
export const ANYTHING = 'a-token-that-may-do-anything-Zk3vQ81xLw'
export const LIMITED = 'a-token-with-limits-pR7uW2mA09cTt55Q_x'
export const VERIFIER = 'a-token-that-may-verify-only-7hYbGq04.~'

const files = hmac({ id: '2026-11', secret: SECRET }, { origin: true })
const paths = hmac({ secret: SECRET }, { purpose: 'paths' })
const images = pichax({ id: 'px', secret: SECRET })
const old = nginx({ secret: SECRET })

const links = service(
  { files, paths, images, old },
  {
    store: memoryStore(),
    authorize: bearer([
      ANYTHING,
      {
        token: LIMITED,
        schemes: ['files', 'paths', 'old'],
        allow: ['https://cdn.example/files/', 'https://whole.example', '/local/', 'https://CASE.example:443/%7Eme/'],
        longest: '1d',
      },
      { token: VERIFIER, verbs: ['verify', 'inspect'] },
    ]),
  },
)

export const handler: (request: Request) => Promise<Response> = pythonRoutes(links, { scheme: old, name: 'old' })

// Not exported as it is: workers pass more arguments, and Bun would take a module with a `port` of its own.
export default { fetch: (request: Request): Promise<Response> => handler(request) }
