// JSON Web Tokens in their compact form: header, payload and signature in base64url, with dots between them.
import { BASE64URL, decode, encode } from '../../lib/encoding.ts'

export type Json = Readonly<Record<string, unknown>>

/** The string to sign: header and payload, each as base64url. */
export const stringToSign = (header: string, payload: string): string => `${header}.${payload}`

/** The parts of a token. */
export interface Token {
  readonly header: Json
  readonly payload: Json
  readonly toSign: string
  readonly signature: string
}

/** Splits a token. `undefined` if the text is not a token, or if a part is base64url in another spelling. */
export function readToken(token: string): Token | undefined {
  const [, first, second, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? []
  if (!first || !second || !signature) return undefined
  const header = decodeJson(first)
  const payload = decodeJson(second)
  return header && payload && { header, payload, toSign: stringToSign(first, second), signature }
}

export const encodeJson = (value: object): string => encode(new TextEncoder().encode(JSON.stringify(value)), BASE64URL)

/** `undefined` for all but one spelling of the base64url of a JSON object. */
export function decodeJson(text: string): Json | undefined {
  const bytes = new Uint8Array(text.length)
  const length = decode(text, BASE64URL, bytes)
  if (length < 0) return undefined
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}
