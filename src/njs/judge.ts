// The full `verify` of `hmac` for NGINX, for requests that the fast path in securelink.ts does not accept. The build puts this file and its imports
// into one function: njs runs the top level of a module again for each request, and most requests do not need this code.
import { LinkError } from '../core/errors.ts'
import type { SecretKey } from '../core/keys.ts'
import type { Verdict } from '../core/verdict.ts'
import { type VerifyOptions, verify as verifyLink } from '../core/verify.ts'
import { type HmacOptions, hmac } from '../schemes/hmac.ts'
import type { Handlers, NginxKey, NginxRequest, NginxSettings } from './request.ts'

declare const process: { readonly env: Readonly<Record<string, string | undefined>> }

// NGINX decodes a path, merges slashes, and then resolves `..`. With a dot segment that appears only after decoding, it may open a file other than
// the signed one.
function ambiguous(url: string): boolean {
  const [path = ''] = /^[^?#]*/.exec(url) ?? []
  return /(\/|%2f)(\.|%2e){2}(\/|%2f|$)/i.test(path) && /\/\/|%2f/i.test(path)
}

function list(text: string | undefined): string[] | undefined {
  return text ? text.split(/[\s,]+/).filter((word) => word) : undefined
}

/** The settings in nginx.conf: the keys, and variables. */
function settings({ variables }: NginxRequest): NginxSettings {
  const { securelink_keys: loaded } = globalThis as { securelink_keys?: NginxSettings['keys'] }
  const text = loaded ? '' : process.env['SECURELINK_KEYS']
  if (!loaded && !text)
    throw new LinkError('no_key', 'keys must be given: by js_preload_object securelink_keys, or in the variable SECURELINK_KEYS')
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
  const url = r.variables['request_uri'] ?? ''
  const date = (text: string | undefined) => (text ? new Date(text) : undefined)
  const ring = ([] as NginxKey[])
    .concat(settings.keys)
    .map(({ id, secret, starts, expires }) => ({ id, secret, starts: date(starts), expires: date(expires) }) as SecretKey)
  const { purpose, ignore, parameters, placement } = settings
  const scheme = hmac(ring, { purpose, ignore, parameters, placement, origin: !!settings.origin } as HmacOptions)
  const { ip, method, tolerance, revoked, now } = settings
  const verdict = await verifyLink(scheme, (settings.origin ?? '') + url, { ip, method, tolerance, revoked, now } as VerifyOptions)
  return verdict.ok && ambiguous(url) ? { ok: false, reason: 'wrong_path', status: 403, claims: verdict.claims } : verdict
}

async function check(r: NginxRequest): Promise<void> {
  try {
    const verdict = await verify(r, settings(r))
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
  // Without a verdict, NGINX itself has refused the request, for example because it may not read the file.
  const status = +(r.variables['securelink_status'] || 403)
  r.headersOut['Cache-Control'] = 'no-store'
  if (status === 405) r.headersOut['Allow'] = r.variables['securelink_allow'] as string
  r.return(status)
}

/** The handlers, without the fast path. */
export default (): Handlers => ({ check, refuse, verify, settings })
