// The types of njs handlers, and of the request that NGINX passes to them.
import type { Keyring } from '../core/keys.ts'
import type { Verdict } from '../core/verdict.ts'
import type { VerifyOptions } from '../core/verify.ts'
import type { HmacOptions } from '../schemes/hmac.ts'

/** The parts of NGINX's request that are used here. */
export interface NginxRequest {
  readonly variables: Record<string, string | undefined>
  readonly rawVariables: Readonly<Record<string, { toString(form: 'hex'): string } | undefined>>
  readonly headersOut: Record<string, string>
  return(status: number): void
  error(message: string): void
}

/** A key as it is written in JSON. */
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

/** The handlers that `js_import` gives to nginx.conf. */
export interface Handlers {
  /** For `js_content` of the location that `auth_request` calls: 204 for a valid link, otherwise 403, with the reason in variables. */
  check(r: NginxRequest): Promise<void> | void
  /** For `js_content` of the location that `error_page 403` names: answers the request with the status of the verdict. */
  refuse(r: NginxRequest): void
  /** Verifies a request, for your own handlers. Throws a `LinkError` for wrong settings. */
  verify(r: NginxRequest, settings: NginxSettings): Promise<Verdict>
  /** Reads the settings in nginx.conf, for your own handlers. Throws a `LinkError` if there are no keys. */
  settings(r: NginxRequest): NginxSettings
}
