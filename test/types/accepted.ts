// Code that must compile, and the types that it must have.
import { cacheControl, guard } from '../../src/guard.ts'
import {
  anyOf,
  type Claims,
  type Condition,
  hmac,
  inspect,
  type Keyring,
  LinkError,
  type LinkErrorCode,
  type Reason,
  redeem,
  type Scheme,
  type SecretKey,
  sign,
  statusOf,
  type Unverified,
  type UseStore,
  type Verdict,
  verify,
} from '../../src/index.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { memoryStore } from '../../src/stores/memory.ts'

/** Compiles when the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => undefined

const links = hmac([
  { id: 'new', secret: 'x' },
  { secret: new Uint8Array(32), starts: new Date(), expires: new Date() },
])
const pictures = pichax({ id: 'px', secret: 'x' })
same<typeof links, Scheme<Condition, object, 'required'>>(true)

// Keys are values, or are looked up by id. A secret may stay elsewhere.
same<ReturnType<typeof hmac>, typeof links>(true)
hmac((id) => (id === 'a' ? { id, secret: 'x' } : undefined))
hmac(async () => [{ secret: new Uint8Array(32) }])
pichax(() => ({ id: 'px', secret: 'x' }))
hmac({ secret: { sign: async (message: Uint8Array) => message } })

// Conditions.
const link = await sign(links, new URL('https://h.test/x'), { expires: '1.5h' })
same<typeof link, string>(true)
await sign(links, '/x', {
  expires: new Date(),
  starts: '10s',
  align: '1h',
  method: ['GET', 'PUT'],
  ip: '203.0.113.0/24',
  prefix: '/',
  uses: 1,
  id: 'a',
})
await sign(pictures, '/x', { expires: '7d', id: 'user-42' }, { now: () => new Date() })
const minutes: number = 10
await sign(links, '/x', { expires: `${minutes}m` })

// Links can carry the conditions that the expression has.
const addressed = nginx({ secret: 'x' })
same<typeof addressed, Scheme<'ip', { readonly ip: string }, 'required'>>(true)
await sign(nginx({ secret: 'x' }), '/x', { expires: '1h', ip: '203.0.113.7' })
await sign(nginx({ secret: 'x' }, { parameters: { md5: 'st' } }), '/x', { expires: '1h', ip: '203.0.113.7' })
await sign(nginx({ secret: 'x' }, { expression: '$secure_link_expires$uri $secret' }), '/x', { expires: '1h' })
await sign(nginx({ secret: 'x' }, { expression: `$secure_link_expires$request_method \${remote_addr} $secret` }), '/x', {
  expires: '1h',
  ip: '203.0.113.7',
  method: 'PUT',
})
const text: string = '$secure_link_expires$uri $secret'
const fromText = nginx({ secret: 'x' }, { expression: text })
await sign(fromText, '/x', { expires: '1h' })
await sign(fromText, '/x', { expires: '1h', ip: '203.0.113.7', method: 'PUT' })
await sign(nginxHmac({ secret: 'x' }, { algorithm: 'sha1', timestamp: '+05:30' }), '/x', { expires: '1h' })
await sign(nginxHmac({ secret: 'x' }, { message: '$uri|$arg_ts|$arg_e|$remote_addr' }), '/x', { expires: '1h', ip: '203.0.113.7' })

// Links that never expire, where the format has such links.
await sign(nginx({ secret: 'x' }, { expression: 'secure_link_secret $secret;' }), '/p/x', { expires: 'never' })
await sign(nginx({ secret: 'x' }, { expression: '$uri $secret' }), '/x', { expires: 'never' })
await sign(nginx({ secret: 'x' }, { expression: 'secure_link $arg_md5; secure_link_md5 "$uri $secret";' }), '/x', { expires: 'never' })
await sign(nginxHmac({ secret: 'x' }), '/x', { expires: 'never' })

// Migration: sign takes the conditions of the first scheme.
const both = anyOf(pictures, links)
await sign(both, '/x', { expires: '1h', id: 'user-42' })
await sign(anyOf(links, pictures), '/x', { expires: '1h', ip: '203.0.113.7' })
await verify(both, link)

// Functions that take any scheme, or a scheme that can carry their conditions.
export const door = (scheme: Scheme, request: Request): Promise<Verdict> => verify(scheme, request)
door(links, new Request('https://h.test/'))
door(pictures, new Request('https://h.test/'))
export const invite = (scheme: Scheme<'uses' | 'ip'>): Promise<string> => sign(scheme, '/x', { expires: '1h', uses: 1, ip: '203.0.113.7' })
export const ring: Keyring<SecretKey> = [] as const
hmac([])
hmac(ring)

// Verdicts narrow.
const verdict = await verify(links, new Request('https://h.test/'), {
  ip: '203.0.113.7',
  method: 'PUT',
  tolerance: '5s',
  revoked: ({ id }) => id === 'a',
})
if (verdict.ok) {
  same<typeof verdict.claims, Claims>(true)
  same<typeof verdict.scheme, string>(true)
} else {
  same<typeof verdict.reason, Reason>(true)
  same<typeof verdict.status, number>(true)
  same<typeof verdict.claims, Claims | undefined>(true)
  if (verdict.reason === 'expired') same<typeof verdict.claims, Claims>(true)
  if (verdict.claims) statusOf(verdict.reason)
  same<typeof verdict.parameter, string | undefined>(true)
  if (verdict.claims) same<typeof verdict.parameter, undefined>(true)
  const answer: Response = new Response(verdict.reason, { status: verdict.status })
  answer.ok
}
export const explained = ({ reason }: Verdict): string => reason ?? 'none'

// These are all the reasons, and all the codes.
export const words: Record<Reason, string> = {
  unsigned: '',
  malformed: '',
  unknown_key: '',
  bad_signature: '',
  expired: '',
  key_expired: '',
  too_early: '',
  wrong_method: '',
  wrong_ip: '',
  wrong_path: '',
  revoked: '',
  used: '',
  needs_redeem: '',
}
export const codes: Record<LinkErrorCode, string> = {
  bad_option: '',
  no_key: '',
  weak_key: '',
  unsupported_condition: '',
  already_signed: '',
  expired_link: '',
  renewal_failed: '',
  no_webcrypto: '',
}
const error: Error = new LinkError('no_key', 'a sentence', { cause: new Error() })
if (error instanceof LinkError) {
  same<typeof error.code, LinkErrorCode>(true)
  same<typeof error.option, string | undefined>(true)
}
new LinkError('bad_option', 'a sentence', { option: 'expires' })

// Uses.
const slow: UseStore = { take: async (id: string, until: Date, uses: number) => id !== '' && +until > uses }
await redeem(links, link, { store: slow, ip: '203.0.113.7' })
await redeem(links, link, { store: memoryStore({ max: 10 }) })

// Claims that are not verified.
const seen = inspect(hmac([]), link)
same<typeof seen, Unverified | undefined>(true)
same<NonNullable<typeof seen>['unverified']['expires'], Date | undefined>(true)
seen?.unverified.expires?.getTime()
same<NonNullable<typeof seen>['unverified']['endless'], true | undefined>(true)

// Handlers keep the types of the runtime's other arguments.
const fetch = guard(
  links,
  (_request, claims, env: { bucket: string }) => new Response(env.bucket, { headers: { 'cache-control': cacheControl(claims) } }),
  {
    ip: (request, env) => request.headers.get(env.bucket) ?? undefined,
  },
)
same<typeof fetch, (request: Request, env: { bucket: string }) => Promise<Response>>(true)
// The other arguments are those that the handler names, or else those that `ip` names, or that the place of the guard tells.
interface Info {
  remoteAddr: { hostname: string }
}
declare function serve(handler: (request: Request, info: Info) => Promise<Response>): void
declare function serve(options: { port: number }, handler: (request: Request, info: Info) => Promise<Response>): void
serve(guard(links, () => new Response(), { ip: (_request, info) => info.remoteAddr.hostname }))
serve(
  { port: 1 },
  guard(links, (_request, claims) => new Response(claims.resource), { ip: (_request, info) => info.remoteAddr.hostname }),
)
const byIp = guard(links, () => new Response(), { ip: (_request, info: Info) => info.remoteAddr.hostname })
same<typeof byIp, (request: Request, info: Info) => Promise<Response>>(true)
const plain = guard(links, () => new Response(), { ip: (request) => request.headers.get('x-real-ip') ?? undefined })
same<typeof plain, (request: Request) => Promise<Response>>(true)
interface Context {
  waitUntil(promise: Promise<unknown>): void
}
const worker = guard(links, (_request, _claims, env: { bucket: string }, _ctx: Context) => new Response(env.bucket), {
  ip: (_request, env, ctx) => same<typeof ctx, Context>(true) ?? env.bucket,
})
same<typeof worker, (request: Request, env: { bucket: string }, ctx: Context) => Promise<Response>>(true)
export default { fetch: guard(links, () => new Response()) } satisfies { fetch(request: Request): Promise<Response> }
