// hmac's verify for NGINX's own JavaScript: the handlers that nginx.conf names. docs/guide/nginx.md has the configuration.
import { LinkError } from '../errors.ts'
import type { Keyring, SecretKey } from '../keys.ts'
import { encodeValue } from '../lib/text.ts'
import { type HmacOptions, hmac } from '../schemes/hmac.ts'
import type { Verdict } from '../verdict.ts'
import { type VerifyOptions, verify as verifyLink } from '../verify.ts'
import { same, tagOf } from './keys.ts'

/** What is used here of the request that NGINX hands to a handler. */
export interface NginxRequest {
  readonly variables: Record<string, string | undefined>
  readonly rawVariables: Readonly<Record<string, { toString(form: 'hex'): string } | undefined>>
  readonly headersOut: Record<string, string>
  return(status: number): void
  error(message: string): void
}

/** A secret as it is written in JSON. */
export interface NginxKey {
  readonly id?: string
  readonly secret: string
  readonly starts?: string
  readonly expires?: string
}

/** Settings of {@link verify}: the options of `hmac` and of `verify`, and the keys. */
export interface NginxSettings extends Omit<HmacOptions, 'origin'>, VerifyOptions {
  readonly keys: Keyring<NginxKey>
  /** Scheme, host and port of this server, if they are covered. */
  readonly origin?: string
}

declare const process: { readonly env: Readonly<Record<string, string | undefined>> }

// The plainest links, and most links are: a path without escapes, hidden files and empty segments; then expiry, network, key and signature.
const PLAIN =
  /^((?:\/[\w\-~!$&()*+,;=:@][\w\-.~!$&()*+,;=:@]*)+\/?)\?expires=([1-9]\d{0,10})(?:&net=([1-9]\d{0,2}))?(?:&key=([\w\-.~]+))?&signature=([\w-]{43}|[\w-]{86})$/

/**
 * Reads and checks such a link, at a third of what it costs to judge one. `undefined` says nothing; all of `verify` judges then. Written for
 * njs to run it fast: destructuring would become calls.
 */
function plain(r: NginxRequest, settings: NginxSettings): RegExpExecArray | undefined {
  if (settings.origin || settings.ignore || settings.parameters || settings.placement || settings.revoked) return
  if (settings.method !== 'GET' && settings.method !== 'HEAD') return
  const link = PLAIN.exec(r.variables['request_uri'] ?? '')
  if (!link || (settings.now ? +settings.now() : Date.now()) >= +(link[2] as string) * 1000) return
  const net = link[3] ?? ''
  const id = link[4] ?? ''
  const digits = net && networkOf(r, +net, settings.ip)
  const signature = link[5] as string
  if (digits === undefined || signature.length !== (net ? 86 : 43)) return
  const purpose = settings.purpose ? encodeValue(settings.purpose) : ''
  // docs/spec.md, section 5.
  const text = `SecureLink hmac v1\n${purpose}\n\n${link[1]}\n\n${link[2]}\n\n\n${net}\n\n\n\n${id}`
  const keys = settings.keys as readonly NginxKey[]
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as NginxKey
    if (id && key.id !== id) continue
    if (key.starts || key.expires || !(key.secret.length >= 32)) return
    const tags = tagOf(key.secret, text) + (net && tagOf(key.secret, `${text}\n${digits}`))
    if (same(key.secret, tags, signature)) return link
  }
  return
}

/** The network of the visitor's address, as lib/address.ts has it, from the bytes that NGINX has; `undefined` for what takes more than that. */
function networkOf(r: NginxRequest, bits: number, ip: string | undefined): string | undefined {
  if (ip !== r.variables['remote_addr']) return
  const hex = r.rawVariables['binary_remote_addr']?.toString('hex') ?? ''
  const digits = hex.length === 8 ? `00000000000000000000ffff${hex}` : hex
  const count = digits.startsWith('00000000000000000000ffff') ? bits + 96 : bits
  return digits.length === 32 && count <= 128 && count % 4 === 0 ? digits.slice(0, count / 4) : undefined
}

/** The URL as the visitor sent it, with bytes beyond ASCII escaped: njs would take the same text differently with UTF-8 in it and without. */
function urlOf(r: NginxRequest): string {
  const url = r.variables['request_uri'] ?? ''
  if (/^[!-~]*$/.test(url)) return url
  const hex = r.rawVariables['request_uri']?.toString('hex') ?? ''
  return hex.replace(/../g, (byte) => (byte < '80' ? String.fromCharCode(+`0x${byte}`) : `%${byte.toUpperCase()}`))
}

// NGINX decodes a path, merges slashes, and then resolves `..`; the normal form resolves `..` first. Where that may be another file, a good
// signature says nothing about it.
function ambiguous(url: string): boolean {
  const [path = ''] = /^[^?#]*/.exec(url) ?? []
  return /(\/|%2f)(\.|%2e){2}(\/|%2f|$)/i.test(path) && /\/\/|%2f/i.test(path)
}

function list(text: string | undefined): string[] | undefined {
  return text ? text.split(/[\s,]+/).filter((word) => word) : undefined
}

/** What nginx.conf says: the keys, and variables. */
function settings({ variables }: NginxRequest): NginxSettings {
  const { securelink_keys: loaded } = globalThis as { securelink_keys?: NginxSettings['keys'] }
  const text = loaded ? '' : process.env['SECURELINK_KEYS']
  if (!loaded && !text) throw new LinkError('no_key', 'there is neither a js_preload_object securelink_keys nor an env SECURELINK_KEYS')
  const keys = loaded ?? JSON.parse(text as string)
  const renamed = list(variables['securelink_parameters'])
  return {
    keys: Array.isArray(keys) ? keys : [keys],
    ip: variables['remote_addr'],
    method: variables['request_method'],
    purpose: variables['securelink_purpose'] || undefined,
    origin: variables['securelink_origin'] || undefined,
    ignore: list(variables['securelink_ignore']),
    parameters: renamed && Object.assign({}, ...renamed.map((pair) => ({ [pair.split('=')[0] as string]: pair.split('=')[1] }))),
    placement: variables['securelink_placement'] || undefined,
    tolerance: variables['securelink_tolerance'] || undefined,
  } as NginxSettings
}

async function verify(r: NginxRequest, settings: NginxSettings): Promise<Verdict> {
  const link = plain(r, settings)
  if (!link || link[3]) return judge(r, settings)
  const [, resource = '', expires = '', , keyId] = link
  return { ok: true, scheme: 'hmac', claims: { resource, expires: new Date(+expires * 1000), ...(keyId && { keyId }) } }
}

async function judge(r: NginxRequest, settings: NginxSettings): Promise<Verdict> {
  const url = urlOf(r)
  const date = (text: string | undefined) => (text ? new Date(text) : undefined)
  const ring = ([] as NginxKey[])
    .concat(settings.keys)
    .map(({ id, secret, starts, expires }) => ({ id, secret, starts: date(starts), expires: date(expires) }) as SecretKey)
  const scheme = hmac(ring, { ...settings, origin: !!settings.origin })
  const verdict = await verifyLink(scheme, (settings.origin ?? '') + url, settings)
  return verdict.ok && ambiguous(url) ? { ok: false, reason: 'wrong_path', status: 403, claims: verdict.claims } : verdict
}

function check(r: NginxRequest): Promise<void> | void {
  try {
    const asked = settings(r)
    return plain(r, asked) ? r.return(204) : answer(r, judge(r, asked))
  } catch (error) {
    fail(r, error)
  }
}

async function answer(r: NginxRequest, judged: Promise<Verdict>): Promise<void> {
  try {
    const verdict = await judged
    if (verdict.ok) return r.return(204)
    const { reason, status, claims } = verdict
    r.variables['securelink_reason'] = reason
    r.variables['securelink_status'] = `${status}`
    const methods = claims?.methods ?? ['GET']
    r.variables['securelink_allow'] = (methods.includes('GET') ? ['HEAD'] : []).concat(methods.filter((name) => name !== 'HEAD')).join(', ')
    r.return(403)
  } catch (error) {
    fail(r, error)
  }
}

function fail(r: NginxRequest, error: unknown): void {
  r.error(`securelink: ${(error as Error).message}`)
  r.return(500)
}

function refuse(r: NginxRequest): void {
  // Without a verdict it is NGINX that refuses, as it does for a file that it may not read.
  const status = +(r.variables['securelink_status'] || 403)
  r.headersOut['Cache-Control'] = 'no-store'
  if (status === 405) r.headersOut['Allow'] = r.variables['securelink_allow'] as string
  r.return(status)
}

/** What `js_import` gives. */
export interface Handlers {
  /** For `js_content` of the location that `auth_request` asks: 204 for a good link, else 403, and why in variables. */
  check(r: NginxRequest): Promise<void> | void
  /** For `js_content` of the location that `error_page 403` names: answers the visitor with the verdict's own status. */
  refuse(r: NginxRequest): void
  /** Judges a request, for handlers of your own. Throws a `LinkError` for settings that cannot be meant. */
  verify(r: NginxRequest, settings: NginxSettings): Promise<Verdict>
  /** What nginx.conf says, for handlers of your own. Throws a `LinkError` when it says no keys. */
  settings(r: NginxRequest): NginxSettings
}

const handlers: Handlers = { check, refuse, verify, settings }
export default handlers
