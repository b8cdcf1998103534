// What must not compile. A line that does compile is an error of tsc: its @ts-expect-error is unused.

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

// A time says its unit.
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
// @ts-expect-error nothing to sign for
sign(links, '/x')
// @ts-expect-error it may be absent, and then there is no expiry
sign(links, '/x', { expires: undefined })
// @ts-expect-error align is a length of time, not a date
sign(links, '/x', { expires: '1h', align: new Date() })
// @ts-expect-error a number has no unit
verify(links, '/x', { tolerance: 60 })
// @ts-expect-error a clock gives dates
verify(links, '/x', { now: () => Date.now() })
// @ts-expect-error any text is no duration
export const duration: Duration = String('10m')

// A scheme carries what it carries.
// @ts-expect-error pichax cannot bind to an address
sign(pictures, '/x', { expires: '1h', id: '7', ip: '203.0.113.7' })
// @ts-expect-error pichax cannot limit uses
sign(pictures, '/x', { expires: '1h', id: '7', uses: 1 })
// @ts-expect-error pichax cannot limit methods
sign(pictures, '/x', { expires: '1h', id: '7', method: 'PUT' })
// @ts-expect-error azure decides methods by permissions
sign(azure({ id: 'a', secret: '' }), '/x', { expires: '1h', method: 'PUT' })
// @ts-expect-error azure has no such resource
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
// @ts-expect-error no such condition
sign(links, '/x', { expires: '1h', foo: 1 })
// @ts-expect-error uses is a number
sign(links, '/x', { expires: '1h', uses: '1' })
// @ts-expect-error the first scheme signs, and it cannot carry an address
sign(anyOf(pictures, links), '/x', { expires: '1h', id: '7', ip: '203.0.113.7' })
// @ts-expect-error the first scheme signs, and it needs an id
sign(anyOf(pictures, links), '/x', { expires: '1h' })
// @ts-expect-error the narrow scheme does not pass for the wide one
export const wide: Scheme<'ip'> = hmac({ secret: 'x' }) as Scheme<'starts'>

// Keys.
// @ts-expect-error the public key is required
pichax({ secret: 'x' })
// @ts-expect-error the secret is required
hmac({ id: 'a' })
// @ts-expect-error a bare secret is no key
hmac('x')
// @ts-expect-error a number is no secret
hmac({ secret: 7 })
// @ts-expect-error no such parameter
hmac({ secret: 'x' }, { parameters: { expiry: 'e' } })

// Verdicts.
const verdict = await verify(links, '/x')
// @ts-expect-error it may have been refused
verdict.claims.resource
// @ts-expect-error an accepted link has no reason to branch on
if (verdict.ok) verdict.reason.length
if (!verdict.ok) {
  // @ts-expect-error nobody has signed these
  verdict.claims.resource
  // @ts-expect-error no such reason
  if (verdict.reason === 'invalid') verdict.status
  // @ts-expect-error a forged link claims nothing
  if (verdict.reason === 'bad_signature') verdict.claims.expires
  // @ts-expect-error an unsigned one neither
  if (verdict.reason === 'unsigned') verdict.claims.expires
  // @ts-expect-error a verdict is not for changing
  verdict.status = 200
}

// What nobody has verified.
const seen = inspect(hmac([]), '/x')
// @ts-expect-error it may be no link
seen.unverified
// @ts-expect-error the field says what it is
seen?.claims
if (seen) {
  // @ts-expect-error unverified is not verified
  let_in(seen)
  // @ts-expect-error unverified is not verified
  cacheControl(seen)
}
function let_in({ resource }: Claims): string {
  return resource
}

// Uses.
// @ts-expect-error who remembers?
redeem(links, '/x')
// @ts-expect-error who remembers?
redeem(links, '/x', {})
// @ts-expect-error an object of another kind
redeem(links, '/x', { store: new Map() })
// @ts-expect-error take answers yes or no
export const other: UseStore = { take: () => 1 }
// @ts-expect-error verify spends nothing
verify(links, '/x', { store })

// Handlers.
// @ts-expect-error the address is text
guard(links, () => new Response(), { ip: () => 7 })
// @ts-expect-error a handler answers
guard(links, () => 'text')
// @ts-expect-error the runtime hands over what the handler asks for
guard(links, (_request, _claims, _env: { secret: string }) => new Response())(new Request('https://h.test/'))
