// hmac's verify for NGINX's own JavaScript: the handlers that nginx.conf names. docs/guide/nginx.md has the configuration.
import judge from './judge.ts'
import type { Handlers, NginxKey, NginxRequest } from './request.ts'
import { same, tagOf } from './tag.ts'

declare const process: { readonly env: Readonly<Record<string, string | undefined>> }

// Matches the simplest links, which are the most common: a path in normal form without escapes, hidden files and empty segments; then expiry,
// network, key and signature.
const PLAIN =
  /^((?:\/[\w\-~;][\w\-.~;]*)+\/?)\?expires=([1-9]\d{0,10})(?:&net=([1-9]\d{0,2}))?(?:&key=([\w\-.~]+))?&signature=([\w-]{43}|[\w-]{86})$/

/**
 * Is this such a link, and is it valid? After `false`, the full `verify` runs. Written to be fast in njs: it reads each variable only once, and
 * avoids destructuring, which would compile to calls.
 */
function plain(r: NginxRequest): boolean {
  const { variables } = r
  const link = PLAIN.exec(variables['request_uri'] ?? '')
  if (!link || Date.now() >= +(link[2] as string) * 1000) return false
  const method = variables['request_method']
  if (method !== 'GET' && method !== 'HEAD') return false
  const purpose = variables['securelink_purpose'] || ''
  if (purpose && !/^[\w\-.~]*$/.test(purpose)) return false
  // With one of these settings, the full `verify` must run. `ignore` does not matter, because such links have no other parameters.
  if (variables['securelink_origin'] || variables['securelink_parameters'] || variables['securelink_placement']) return false
  const net = link[3] ?? ''
  const id = link[4] ?? ''
  const signature = link[5] as string
  const digits = net && networkOf(r, +net)
  if (digits === undefined || signature.length !== (net ? 86 : 43)) return false
  const keys =
    (globalThis as { securelink_keys?: readonly NginxKey[] }).securelink_keys ?? JSON.parse(process.env['SECURELINK_KEYS'] || '[]')
  // docs/spec.md, section 5.
  const text = `SecureLink hmac v1\n${purpose}\n\n${link[1]}\n\n${link[2]}\n\n\n${net}\n\n\n\n${id}`
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as NginxKey
    if (id && key.id !== id) continue
    if (key.starts || key.expires || !(key.secret.length >= 32)) return false
    const tags = tagOf(key.secret, text) + (net && tagOf(key.secret, `${text}\n${digits}`))
    if (same(key.secret, tags, signature)) return true
  }
  return false
}

// The beginning of an IPv4 address in the string to sign.
const V4 = '00000000000000000000ffff'

/** The network of the request's address, as lib/address.ts has it, from the bytes that NGINX has; `undefined` if that is not enough. */
function networkOf(r: NginxRequest, bits: number): string | undefined {
  const hex = r.rawVariables['binary_remote_addr']?.toString('hex') ?? ''
  if (hex.length === 8) return bits <= 32 && bits % 4 === 0 ? V4 + hex.slice(0, bits / 4) : undefined
  const count = hex.startsWith(V4) ? bits + 96 : bits
  return hex.length === 32 && count <= 128 && count % 4 === 0 ? hex.slice(0, count / 4) : undefined
}

function check(r: NginxRequest): Promise<void> | void {
  let good = false
  try {
    good = plain(r)
  } catch {
    // The full `verify` reports keys that cannot be read.
  }
  return good ? r.return(204) : judge().check(r)
}

const handlers: Handlers = {
  check,
  refuse: (r) => judge().refuse(r),
  verify: (r, settings) => judge().verify(r, settings),
  settings: (r) => judge().settings(r),
}
export default handlers
