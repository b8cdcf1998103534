// Code that must not compile. tsc reports a line that does compile, because its @ts-expect-error is unused.

import { cacheControl, guard } from '../../src/guard.ts'
import { anyOf, type Claims, type Duration, hmac, inspect, redeem, type Scheme, sign, type UseStore, verify } from '../../src/index.ts'
import { azure } from '../../src/schemes/azure.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const links = hmac({ secret: 'x' })
const pictures = pichax({ id: 'px', secret: 'x' })
const store = memoryStore()

// A time has its unit.
// @ts-expect-error a number of seconds, or of milliseconds?
sign(links, '/x', { expires: 3600 })
// @ts-expect-error the unit is one letter
sign(links, '/x', { expires: '10 minutes' })
// @ts-expect-error no unit
sign(links, '/x', { expires: '10' })
// @ts-expect-error no number
sign(links, '/x', { expires: 'soon' })
// @ts-expect-error there is no default
sign(links, '/x', {})
// @ts-expect-error there is no default
sign(links, '/x', { method: 'GET' })
// @ts-expect-error conditions are missing
sign(links, '/x')
// @ts-expect-error expires may not be undefined
sign(links, '/x', { expires: undefined })
// @ts-expect-error align is a duration, not a date
sign(links, '/x', { expires: '1h', align: new Date() })
// @ts-expect-error a number has no unit
verify(links, '/x', { tolerance: 60 })
// @ts-expect-error a clock gives dates
verify(links, '/x', { now: () => Date.now() })
// @ts-expect-error not every string is a duration
export const duration: Duration = String('10m')

// sign takes the conditions that the scheme can carry.
// @ts-expect-error pichax cannot bind to an address
sign(pictures, '/x', { expires: '1h', id: '7', ip: '203.0.113.7' })
// @ts-expect-error pichax cannot limit uses
sign(pictures, '/x', { expires: '1h', id: '7', uses: 1 })
// @ts-expect-error pichax cannot limit methods
sign(pictures, '/x', { expires: '1h', id: '7', method: 'PUT' })
// @ts-expect-error azure decides methods by permissions
sign(azure({ id: 'a', secret: '' }), '/x', { expires: '1h', method: 'PUT' })
// @ts-expect-error azure does not have this resource
sign(azure({ id: 'a', secret: '' }), '/x', { expires: '1h', resource: 'x' })
// @ts-expect-error pichax needs an id
sign(pictures, '/x', { expires: '1h' })
// @ts-expect-error the expression has $remote_addr, so it needs an address
sign(nginx({ secret: 'x' }), '/x', { expires: '1h' })
// @ts-expect-error the expression has no $request_method
sign(nginx({ secret: 'x' }), '/x', { expires: '1h', ip: '203.0.113.7', method: 'PUT' })
// @ts-expect-error the expression has no $remote_addr
sign(nginx({ secret: 'x' }, { expression: '$secure_link_expires$uri $secret' }), '/x', { expires: '1h', ip: '203.0.113.7' })
// @ts-expect-error the expression has $secure_link_expires, so its links always expire
sign(nginx({ secret: 'x' }, { expression: '$secure_link_expires$uri $secret' }), '/x', { expires: 'never' })
// @ts-expect-error links of secure_link_secret have no expiry
sign(nginx({ secret: 'x' }, { expression: 'secure_link_secret $secret;' }), '/p/x', { expires: '1h' })
// @ts-expect-error the message has no $remote_addr
sign(nginxHmac({ secret: 'x' }), '/x', { expires: '1h', ip: '203.0.113.7' })
// @ts-expect-error WebCrypto has no HMAC with it
nginxHmac({ secret: 'x' }, { algorithm: 'md5' })
// @ts-expect-error not a condition
sign(links, '/x', { expires: '1h', foo: 1 })
// @ts-expect-error uses is a number
sign(links, '/x', { expires: '1h', uses: '1' })
// @ts-expect-error the first scheme signs, and it cannot carry an address
sign(anyOf(pictures, links), '/x', { expires: '1h', id: '7', ip: '203.0.113.7' })
// @ts-expect-error the first scheme signs, and it needs an id
sign(anyOf(pictures, links), '/x', { expires: '1h' })
// @ts-expect-error a scheme that carries starts does not carry ip
export const wide: Scheme<'ip'> = hmac({ secret: 'x' }) as Scheme<'starts'>

// Keys.
// @ts-expect-error the public key is required
pichax({ secret: 'x' })
// @ts-expect-error the secret is required
hmac({ id: 'a' })
// @ts-expect-error a bare secret is not a key
hmac('x')
// @ts-expect-error a number is not a secret
hmac({ secret: 7 })
// @ts-expect-error a lookup answers with keys
hmac(() => 'x')
// @ts-expect-error a remote secret answers with bytes
hmac({ secret: { sign: async () => 'x' } })
// @ts-expect-error hmac links always expire
sign(links, '/x', { expires: 'never' })
// @ts-expect-error not an option of sign
sign(links, '/x', { expires: '1h' }, { clock: () => new Date() })
// @ts-expect-error a number is not a secret
hmac({ secret: 7 })
// @ts-expect-error not a parameter of the link
hmac({ secret: 'x' }, { parameters: { expiry: 'e' } })

// Verdicts.
const verdict = await verify(links, '/x')
// @ts-expect-error the link may have been refused
verdict.claims.resource
// @ts-expect-error an accepted link has no reason
if (verdict.ok) verdict.reason.length
if (!verdict.ok) {
  // @ts-expect-error the signature may be bad, and then there are no claims
  verdict.claims.resource
  // @ts-expect-error not a reason
  if (verdict.reason === 'invalid') verdict.status
  // @ts-expect-error a forged link has no claims
  if (verdict.reason === 'bad_signature') verdict.claims.expires
  // @ts-expect-error an unsigned link has no claims
  if (verdict.reason === 'unsigned') verdict.claims.expires
  // @ts-expect-error a verdict is read-only
  verdict.status = 200
}

// Claims that are not verified.
const seen = inspect(hmac([]), '/x')
// @ts-expect-error the text may not be a link
seen.unverified
// @ts-expect-error the field is called unverified
seen?.claims
// @ts-expect-error some links show no expiry
seen?.unverified.expires.getTime()
if (seen) {
  // @ts-expect-error these claims are not verified
  admit(seen)
  // @ts-expect-error these claims are not verified
  cacheControl(seen)
}
function admit({ resource }: Claims): string {
  return resource
}

// Uses.
// @ts-expect-error the store is missing
redeem(links, '/x')
// @ts-expect-error the store is missing
redeem(links, '/x', {})
// @ts-expect-error a Map is not a store
redeem(links, '/x', { store: new Map() })
// @ts-expect-error take answers with a boolean
export const other: UseStore = { take: () => 1 }
// @ts-expect-error verify consumes no use
verify(links, '/x', { store })

// Handlers.
// @ts-expect-error the address is a string
guard(links, () => new Response(), { ip: () => 7 })
// @ts-expect-error a handler returns a Response
guard(links, () => 'text')
// @ts-expect-error the handler's third argument is missing
guard(links, (_request, _claims, _env: { secret: string }) => new Response())(new Request('https://h.test/'))
