// The parameters of V4 links of Alibaba Cloud OSS, and their forms.
import { encodeValue } from '../../lib/url.ts'
import type { CanonicalParameter } from './canonical-request.ts'
import { HEADER_NAME } from './presign-request.ts'
import { dayOf, secondsOf, WEEK } from './sigv4.ts'

/** In the order of the package ali-oss. */
export const NAMES = [
  'x-oss-additional-headers',
  'x-oss-credential',
  'x-oss-date',
  'x-oss-expires',
  'x-oss-signature-version',
  'x-oss-security-token',
  'x-oss-signature',
] as const

type Name = (typeof NAMES)[number]
type Values = { readonly [N in Name]?: string | undefined }

export const VERSION = 'OSS4-HMAC-SHA256'

/** The parameters that are signed, escaped: all but the signature. */
export function signedParameters(values: Values): CanonicalParameter[] {
  return NAMES.flatMap((name) => (name !== 'x-oss-signature' && values[name] ? [{ name, value: encodeValue(values[name]) }] : []))
}

/** The values of a link. Times are in seconds since 1970. */
export interface OssLink {
  readonly keyId: string
  readonly date: string
  readonly region: string
  readonly starts: number
  readonly expires: number
  /** Names in lower case, in order. */
  readonly additionalHeaders: readonly string[]
  readonly token: string | undefined
  readonly signature: string
}

const CREDENTIAL = /^(?<keyId>.+)\/(?<day>\d{8})\/(?<region>[\w.-]+)\/oss\/aliyun_v4_request$/

/** Returns the values of a link, or the name of the one that is missing or malformed. */
export function linkIn(values: Values): OssLink | Name {
  const faulty = NAMES.find((name) => values[name] === '')
  if (faulty) return faulty
  if (values['x-oss-signature-version'] !== VERSION) return 'x-oss-signature-version'
  const date = values['x-oss-date'] ?? ''
  const starts = secondsOf(date)
  if (starts === undefined) return 'x-oss-date'
  const { keyId, day, region = '' } = CREDENTIAL.exec(values['x-oss-credential'] ?? '')?.groups ?? {}
  if (!keyId || day !== dayOf(date)) return 'x-oss-credential'
  const life = values['x-oss-expires'] ?? ''
  if (!/^[1-9]\d{0,5}$/.test(life) || +life > WEEK) return 'x-oss-expires'
  const additionalHeaders = values['x-oss-additional-headers']?.split(';') ?? []
  const isInOrder = (name: string, at: number) => at === 0 || (additionalHeaders[at - 1] as string) < name
  if (!additionalHeaders.every((name, at) => HEADER_NAME.test(name) && isInOrder(name, at))) return 'x-oss-additional-headers'
  const signature = values['x-oss-signature']
  if (!signature || !/^[\da-f]{64}$/.test(signature)) return 'x-oss-signature'
  return { keyId, date, region, starts, expires: starts + +life, additionalHeaders, token: values['x-oss-security-token'], signature }
}
